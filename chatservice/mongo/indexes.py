"""Indexes that only MongoDB has."""

from typing import Any

from django.db import models


class TTLIndex(models.Index):
    """An index that makes MongoDB delete documents by themselves.

    A document goes `expire_after_seconds` after the moment in its one field, a `DateTimeField`,
    give or take the minute in which MongoDB looks. A document whose field is empty stays.
    """

    suffix = "ttl"

    def __init__(self, *expressions: Any, expire_after_seconds: int = 0, **kwargs: Any) -> None:
        super().__init__(*expressions, **kwargs)
        if len(self.fields) != 1:
            raise ValueError("A TTLIndex has exactly one field.")
        if expire_after_seconds < 0:
            raise ValueError("expire_after_seconds cannot be negative.")
        self.expire_after_seconds = expire_after_seconds

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, expressions, kwargs = super().deconstruct()
        kwargs["expire_after_seconds"] = self.expire_after_seconds
        return path, expressions, kwargs


class SparseIndex(models.Index):
    """An index over the documents that have its fields at all, as natively written ones may not.

    Over a JSONField that holds a list it finds the documents whose list has a value.
    """

    def __init__(self, *, fields: list[str], name: str) -> None:
        super().__init__(fields=fields, name=name)


class TextListIndex(models.Index):
    """An index over the documents whose first field, a JSONField, holds a list with a text in it.

    It finds the documents whose list has a text, and narrows them down by the other fields.
    """

    suffix = "list"

    def __init__(self, *, fields: list[str], name: str) -> None:
        super().__init__(fields=fields, name=name)
