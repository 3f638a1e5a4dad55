"""What people may call themselves, and when two names are the same name.

An e-mail address or a user name is kept as its owner writes it. Whether it is taken is decided by
its *key*: Unicode's NFKC_Casefold of it. `Ann`, `ANN` and the full-width `ＡＮＮ` have one key, and
so do `Straße` and `STRASSE`; characters that cannot be seen do not make a name a different one.
Letters of different alphabets that merely look alike (Latin a, Cyrillic а) do.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

EMAIL_LENGTH = 254
USERNAME_LENGTH = 150
FULL_NAME_LENGTH = 150
KEY_LENGTH = 18 * EMAIL_LENGTH
"""Folding makes a name longer: one `ﷺ` alone becomes eighteen letters."""

INVISIBLE = re.compile(
    # Unicode's Default_Ignorable_Code_Point, which `unicodedata` does not know about.
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
JOINERS = "\u200c\u200d"
"""Zero width, but part of how Persian and the Indic languages are written."""

BIDI_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
SURROGATES = re.compile("[\ud800-\udfff]")


def key_of(name: str) -> str:
    """The text that is equal for two spellings of one name: folded, visible, single-spaced.

    Takes any text at all. Halves of surrogate pairs, which no name has and BSON cannot hold, become
    U+FFFD.
    """
    folded = unicodedata.normalize("NFD", SURROGATES.sub("\ufffd", name)).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    visible = INVISIBLE.sub("", unicodedata.normalize("NFKC", folded))
    return " ".join(visible.split())


def validate_username(username: str) -> None:
    """Raise ValidationError unless `username` can be read, written and told apart.

    No control, private or unassigned characters, and nothing that cannot be seen: a text direction
    override makes `nimda` look like `admin`.
    """
    for character in username:
        category = unicodedata.category(character)
        if category[0] == "C" and character not in JOINERS or category in ("Zl", "Zp"):
            raise ValidationError(
                _("A user name may not contain invisible or control characters."), code="invalid"
            )
    if not key_of(username):
        raise ValidationError(
            _("A user name needs at least one visible character."), code="invalid"
        )


def validate_username_for(username: str, email: str) -> None:
    """Raise ValidationError if `username` could be taken for somebody else's e-mail address.

    People are looked up by either, so only the owner of an address may use it as a name.
    """
    key = key_of(username)
    if "@" in key and key != key_of(email):
        raise ValidationError(
            _("A user name may not contain an @, unless it is your own e-mail address."),
            code="invalid",
        )


def validate_full_name(full_name: str) -> None:
    """Raise ValidationError for what is not text: control characters, direction overrides."""
    if BIDI_OVERRIDES.search(full_name) or any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in full_name
    ):
        raise ValidationError(
            _("A name may not contain control characters or text direction overrides."),
            code="invalid",
        )
