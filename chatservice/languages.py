"""Which language an answer is in: the person's own choice, and what their program asks for."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header


def language_for(choice: str, header: str, *, by_token: bool) -> str:
    """The language to answer in.

    `choice` is the person's own, or empty; `header` is what came as `Accept-Language`. A program
    with a token that sends the header has a reason to. A browser with the pages' cookie sends it
    with everything, whatever its reader has chosen here.
    """
    asked = asked_for(header)
    return (asked or choice if by_token else choice or asked) or settings.LANGUAGE_CODE


def asked_for(header: str) -> str:
    """The language of ours that an `Accept-Language` likes best; empty if it names none."""
    for language, _priority in parse_accept_lang_header(header):
        if language == "*":
            return ""
        try:
            return translation.get_supported_language_variant(language)
        except LookupError:
            continue
    return ""


PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def is_persian() -> bool:
    """Whether Persian is spoken at the moment."""
    return (translation.get_language() or "").startswith("fa")


def digits(number: object) -> str:
    """A whole number as people write it in the language that is spoken.

    Scripts have Intl.NumberFormat for the same.
    """
    return str(number).translate(PERSIAN_DIGITS) if is_persian() else str(number)


def speak(request: HttpRequest, choice: str, *, by_token: bool = False) -> None:
    """Answer this request in the language for somebody with this choice."""
    header = request.headers.get("Accept-Language", "")
    language = language_for(choice, header, by_token=by_token)
    translation.activate(language)
    request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
