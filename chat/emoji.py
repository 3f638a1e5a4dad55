"""What counts as one emoji, and as which."""

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

EMOJI_LENGTH = 40
"""Code points: the longest that people use, a family or a flag of a region, have about ten."""

# Unicode's UTS 51, 1.4.9 ("EBNF and Regex"), without what can only be part of an emoji.
ELEMENT = (
    r"(?:\p{RI}\p{RI}|\p{Emoji}(?:\p{EMod}|\uFE0F\u20E3?|\u20E3"
    r"|[\U000E0020-\U000E007E]+\U000E007F)?)"
)
ONE_EMOJI = regex.compile(
    rf"(?![0-9#*](?!\uFE0F?\u20E3))(?!\p{{RI}}(?!\p{{RI}})){ELEMENT}(?:\u200D{ELEMENT})*"
)
PICTURE = regex.compile(r"(\p{Emoji})(?!\p{EMod})\uFE0F?")
PICTURED_BY_ITSELF = regex.compile(r"\p{Emoji_Presentation}")


def check_emoji(text: object) -> str:
    """The one spelling of an emoji; raises ValidationError for anything else.

    Keyboards send `❤` with and without the selector for its coloured form: it is one reaction.
    """
    if not isinstance(text, str) or len(text) > EMOJI_LENGTH or not ONE_EMOJI.fullmatch(text):
        raise ValidationError({"emoji": [_("One emoji, and nothing else.")]})
    return PICTURE.sub(_fully_qualified, text)


def _fully_qualified(match: "regex.Match[str]") -> str:
    return match[1] if PICTURED_BY_ITSELF.fullmatch(match[1]) else f"{match[1]}\ufe0f"
