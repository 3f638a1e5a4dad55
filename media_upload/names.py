"""The names that people's files bring along, made safe to store, to show and to save again."""

import re
import unicodedata

MAX_NAME_BYTES = 150  # in UTF-8; file systems stop at 255, and the store puts an id in front
MAX_SUFFIX_BYTES = 32  # a longer "extension" is a sentence with a dot in it

NAMELESS = "file"

SEPARATORS = re.compile(r"[/\\]")
FORBIDDEN_ON_WINDOWS = re.compile(r'[<>:"|?*]')
WHITE_SPACE = re.compile(r"\s+")
RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)

# Persian writes half-spaces and joins emoji with these; every other format character goes. The
# bidirectional ones could make "gnp.exe" look like "exe.png".
JOINERS = "\u200c\u200d"
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean_name(name: str) -> str:
    """A file name like `name`: one path component, at most `MAX_NAME_BYTES` long, never empty.

    Kept: letters of every script, digits, single spaces, most punctuation, the extension. Gone: the
    path, control and format characters, dots and spaces at the ends, and what Windows forbids.
    """
    name = unicodedata.normalize("NFC", name)
    name = WHITE_SPACE.sub(" ", name)
    name = SEPARATORS.split(name)[-1]
    name = "".join(character for character in name if is_printed(character))
    name = FORBIDDEN_ON_WINDOWS.sub("_", name)
    name = name.strip(". " + JOINERS)
    if RESERVED_ON_WINDOWS.match(name):
        name = f"_{name}"
    return shorten(name) or NAMELESS


def is_printed(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character) not in INVISIBLE


def shorten(name: str) -> str:
    """`name` in at most `MAX_NAME_BYTES`, cut in front of its extension."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > MAX_SUFFIX_BYTES:
        stem, dot, suffix = name, "", ""
    room = MAX_NAME_BYTES - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". " + JOINERS) + dot + suffix
