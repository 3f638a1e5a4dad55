"""Saying all that is wrong with an input at once: each complaint with its field."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError


class Complaints:
    """What several checks have to say of one input."""

    def __init__(self) -> None:
        self._by_field: dict[str, list[ValidationError]] = {}

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep the ValidationError of one check, so that the next one is made, too."""
        try:
            yield
        except ValidationError as error:
            error.update_error_dict(self._by_field)

    def raise_all(self) -> None:
        """Raise one ValidationError that has them all, in their order; nothing if all is well."""
        if self._by_field:
            raise ValidationError(self._by_field)
