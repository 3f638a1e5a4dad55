"""Which language an answer is in: the person's own choice, else what the browser asks for."""

from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header


def asked_for(request: HttpRequest) -> str:
    """The language of ours that `Accept-Language` likes best; empty if it names none.

    The cookie is not looked at, unlike in Django's own function.
    """
    for language, _priority in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if language == "*":
            return ""
        try:
            return translation.get_supported_language_variant(language)
        except LookupError:
            continue
    return ""


def speak(request: HttpRequest, language: str) -> None:
    """Answer this request in a language of ours; with none, as the middleware has decided."""
    if language:
        translation.activate(language)
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
