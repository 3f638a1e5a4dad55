"""Model fields for what MongoDB has and SQL has not."""

from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from django import forms
from django.core import exceptions
from django.db import models
from django.utils.translation import gettext_lazy as _


class ObjectIdField(models.Field):
    """An `ObjectId`; outside the database and Python it is 24 hexadecimal digits.

    Takes an `ObjectId` or its digits. Anything else is a `ValidationError`, in lookups too, which
    the admin and DRF answer as "not found". djongo's field of that name loses the key of a saved
    object and does not find a row by the digits, so this one shares only its type name.
    """

    description = _("Object identifier")
    default_error_messages = {"invalid": _("“%(value)s” is not an object identifier.")}

    def get_internal_type(self) -> str:
        return "ObjectIdField"

    def db_type(self, connection: Any) -> str:
        return "objectId" if connection.vendor == "mongodb" else "char(24)"

    def rel_db_type(self, connection: Any) -> str:
        return self.db_type(connection)

    def to_python(self, value: Any) -> ObjectId | None:
        if value is None or isinstance(value, ObjectId):
            return value
        try:
            if isinstance(value, str):  # ObjectId takes 12 bytes too, which nobody means
                return ObjectId(value)
        except InvalidId:
            pass
        raise exceptions.ValidationError(
            self.error_messages["invalid"], code="invalid", params={"value": value}
        )

    def get_prep_value(self, value: Any) -> ObjectId | None:
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return value if value is None or connection.vendor == "mongodb" else str(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> ObjectId | None:
        return ObjectId(value) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": forms.CharField, "max_length": 24, **kwargs})
