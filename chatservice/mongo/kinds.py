"""What kind of value a field holds, in BSON and as far as comparing goes."""

from typing import Any
from uuid import UUID

from bson import Binary, DatetimeMS, ObjectId
from django.core.exceptions import FieldError
from django.db import NotSupportedError, models

KINDS = {
    "AutoField": "integer",
    "BigAutoField": "integer",
    "BigIntegerField": "integer",
    "BinaryField": "binary",
    "BooleanField": "boolean",
    "CharField": "text",
    "DateField": "date",
    "DateTimeField": "datetime",
    "DecimalField": "decimal",
    "DurationField": "duration",
    "FileField": "text",
    "FilePathField": "text",
    "FloatField": "float",
    "GenericIPAddressField": "text",
    "IPAddressField": "text",
    "IntegerField": "integer",
    "JSONField": "json",
    "ObjectIdField": "objectid",
    "PositiveBigIntegerField": "integer",
    "PositiveIntegerField": "integer",
    "PositiveSmallIntegerField": "integer",
    "SlugField": "text",
    "SmallAutoField": "integer",
    "SmallIntegerField": "integer",
    "TextField": "text",
    "TimeField": "time",
    "UUIDField": "uuid",
}
NUMBERS = {"integer", "float", "decimal"}

# The least value of each kind: `{"$gte": least}` is true of all values of the kind and not of null,
# and, unlike `$type`, it lets the planner see that a query for one value may use a partial index.
LEAST = {
    "binary": Binary(b""),
    "boolean": False,
    "date": DatetimeMS(-(2**63)),
    "datetime": DatetimeMS(-(2**63)),
    "decimal": float("-inf"),
    "duration": float("-inf"),
    "float": float("-inf"),
    "integer": float("-inf"),
    "objectid": ObjectId("0" * 24),
    "text": "",
    "time": "",
    "uuid": Binary(UUID(int=0).bytes, 4),
}

# How BSON spells a kind in $convert, for documents that change their field's type.
BSON_TYPES = {
    "boolean": "bool",
    "date": "date",
    "datetime": "date",
    "decimal": "decimal",
    "duration": "long",
    "float": "double",
    "integer": "long",
    "objectid": "objectId",
    "text": "string",
    "time": "string",
}


def kind_of_field(field: models.Field) -> str:
    """The kind of value that `field` holds; a foreign key's is its target's."""
    while field.remote_field is not None and getattr(field, "target_field", None) is not None:
        field = field.target_field
    try:
        return KINDS[field.get_internal_type()]
    except KeyError:
        raise NotSupportedError(f"{type(field).__name__} is not supported on MongoDB.") from None


def kind_of(expression: Any) -> str:
    """The kind of value that a resolved expression yields."""
    try:
        return kind_of_field(expression.output_field)
    except (AttributeError, FieldError):
        return "unknown"


def same_kind(left: Any, right: Any) -> bool:
    """Whether both hold values that MongoDB compares with each other as SQL does."""
    kinds = {kind_of(left), kind_of(right)}
    return (len(kinds) == 1 and "unknown" not in kinds) or kinds <= NUMBERS


def least_of(field: models.Field) -> Any:
    """The least value that `field` can hold, other than null."""
    try:
        return LEAST[kind_of_field(field)]
    except KeyError:
        raise NotSupportedError(
            f"{type(field).__name__} cannot be part of a partial index."
        ) from None
