"""Reading request bodies that may be anything at all."""

import json
from io import BytesIO
from typing import Any

from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError, ValidationError

from . import quick_json
from .languages import digits


class JSONParser(parsers.JSONParser):
    """DRF's, which says what is wrong with a body in words for people, and takes objects alone.

    It also answers 400 for a body so deep that Python's parser gives up on it.
    """

    def parse(self, stream, media_type=None, parser_context=None):
        body = stream.read()
        try:
            data = quick_json.read(body)
        except ValueError:
            data = self._parse_slowly(body, media_type, parser_context)
        if not isinstance(data, dict):
            raise ValidationError(_("Send a JSON object: the fields with their names, in { }."))
        return data

    def _parse_slowly(self, body: bytes, media_type, parser_context) -> Any:
        try:
            return super().parse(BytesIO(body), media_type, parser_context)
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
        except ParseError as error:
            raise ParseError(_words_for(error.__context__)) from None


def _words_for(mistake: object) -> str:
    if isinstance(mistake, json.JSONDecodeError):
        return _(
            "This is not JSON: there is a mistake in line %(line)s at character %(column)s. "
            "Mend it there and send it again."
        ) % {"line": digits(mistake.lineno), "column": digits(mistake.colno)}
    # Bytes that are no UTF-8, numbers such as NaN, and those with thousands of digits.
    return _("This is not JSON in UTF-8. Write it as RFC 8259 says and send it again.")


class MultiPartParser(parsers.MultiPartParser):
    """DRF's, which leaves it to `errors` to say that a form cannot be read, as Django does."""

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            if isinstance(error.__context__, MultiPartParserError):
                raise error.__context__ from None
            raise
