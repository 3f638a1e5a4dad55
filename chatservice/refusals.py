"""How the API's documentation describes what is refused: every error has one shape."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class RefusalSerializer(serializers.Serializer):
    """What every error looks like."""

    detail = serializers.CharField(help_text=_("What is wrong, in one sentence."))
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text=_("For invalid input: the complaints about each field."),
    )
    code = serializers.CharField(
        required=False, help_text=_("A word for programs, where the status says too little.")
    )


def refusal(description: str) -> OpenApiResponse:
    """An error answer of an operation, for `extend_schema(responses={status: ...})`."""
    return OpenApiResponse(RefusalSerializer, description)


NOT_AUTHENTICATED = {401: refusal("No token, or one that does not count (any more).")}
FORBIDDEN = {403: refusal("You may not do this.")}
INVALID = {422: refusal("Invalid input; `errors` names the fields.")}
