"""The wire shapes of uploads."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class UploadFileSerializer(serializers.Serializer):
    """What an upload's form has."""

    file = serializers.FileField(help_text=_("The file, as a part of a multipart form."))


class UploadSerializer(serializers.Serializer):
    """An upload, as its owner gets to know it."""

    id = serializers.CharField(source="pk", help_text=_("24 hex digits."))
    file_url = serializers.CharField(
        help_text=_("Where it is fetched from, relative to this server; ends in its name.")
    )
    name = serializers.CharField(help_text=_("The name of the file, made safe."))
    content_type = serializers.CharField(help_text=_("The media type, found in the content."))
    size = serializers.IntegerField(help_text=_("In bytes."))
    sha256 = serializers.CharField(help_text=_("The SHA-256 of the content, 64 hex digits."))
    width = serializers.IntegerField(
        allow_null=True, help_text=_("In pixels, as it is seen; null for what is not an image.")
    )
    height = serializers.IntegerField(
        allow_null=True, help_text=_("In pixels, as it is seen; null for what is not an image.")
    )
