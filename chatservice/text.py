"""Text that people write: what is refused, and the promise that the rest stays as it was sent."""

import unicodedata
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.drainage import set_override
from rest_framework import serializers

from .languages import digits


def check_text(value: object, *, max_length: int, min_length: int = 1, trim: bool = False) -> str:
    """`value` as it is, or without the white space around it if `trim`.

    Lengths are in characters (code points) and do not count the white space around the text; with
    it, an untrimmed text may be twice as long. With a `min_length` of at least 1, something in it
    must be visible: white space, control and zero-width characters alone are no text.

    Raises ValidationError for what is not a str, too short, too long, or holds NUL (some readers
    end a text there) or half of a surrogate pair (UTF-8, and so BSON, cannot hold it).
    """
    if not isinstance(value, str):
        raise ValidationError(_("Not a text."), code="invalid")
    if "\0" in value:
        raise ValidationError(_("The NUL character is not allowed."), code="null_character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError(
            _("Half of a surrogate pair is not a character."), code="surrogate"
        ) from None
    trimmed = value.strip()
    if min_length and not is_visible(trimmed):
        raise ValidationError(_("This may not be blank."), code="blank")
    if len(trimmed) < min_length:
        raise ValidationError(
            _("At least %(limit)s characters are needed."),
            code="min_length",
            params={"limit": digits(min_length)},
        )
    if len(trimmed) > max_length or (not trim and len(value) > 2 * max_length):
        raise ValidationError(
            _("At most %(limit)s characters are allowed."),
            code="max_length",
            params={"limit": digits(max_length)},
        )
    return trimmed if trim else value


def is_visible(text: str) -> bool:
    """Whether `text` has a character that is not white space, control or format."""
    return any(
        not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")
        for character in text
    )


class PlainTextField(serializers.CharField):
    """A text in a request, checked by `check_text`; numbers and booleans are no texts."""

    def __init__(self, *, max_length: int, min_length: int = 1, trim: bool = False, **options: Any):
        self.check = partial(check_text, max_length=max_length, min_length=min_length, trim=trim)
        options.setdefault("allow_blank", min_length == 0)
        super().__init__(trim_whitespace=False, **options)
        # DRF's own length validators would count the white space around the text, too.
        set_override(
            self, "field", {"type": "string", "minLength": min_length, "maxLength": max_length}
        )

    def to_internal_value(self, data: object) -> str:
        try:
            return self.check(data)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages, code=error.code) from None
