"""`ObjectIdField` in Django REST framework: 24 hexadecimal digits in JSON."""

from typing import Any

from bson import ObjectId
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .fields import ObjectIdField


@extend_schema_field(OpenApiTypes.STR)
class ObjectIdRestField(serializers.Field):
    """An object identifier in JSON. What is none is the error `invalid` of this field."""

    default_error_messages = {"invalid": ObjectIdField.default_error_messages["invalid"]}

    def to_representation(self, value: ObjectId) -> str:
        return str(value)

    def to_internal_value(self, data: Any) -> ObjectId:
        if isinstance(data, str) and ObjectId.is_valid(data):
            return ObjectId(data)
        self.fail("invalid", value=data)


class ObjectIdRelatedField(serializers.PrimaryKeyRelatedField):
    """A related object by its identifier: a serializer's `serializer_related_field`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pk_field=ObjectIdRestField(), **kwargs)


class DocumentSerializer(serializers.ModelSerializer):
    """A `ModelSerializer` for models with object identifiers as keys."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        ObjectIdField: ObjectIdRestField,
    }
    serializer_related_field = ObjectIdRelatedField
