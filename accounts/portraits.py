"""How people are shown: their name, and what stands for a picture where there is none."""

import unicodedata

from .models import User

HUES = 5
"""Colours that people without a picture are told apart by."""


def display_name(person: User | None, fallback: str = "") -> str:
    """What others see of a person's name."""
    return (person.full_name or person.username) if person else fallback


def initial_of(name: str) -> str:
    """The first letter or digit of a name, for where there is no picture."""
    letters = (character for character in name if unicodedata.category(character)[0] in "LN")
    return next(letters, "·").upper()


def hue_of(person_id: object) -> int:
    """The number of the colour that a person, or a room, has."""
    return int(str(person_id)[-1:] or "0", 16) % HUES
