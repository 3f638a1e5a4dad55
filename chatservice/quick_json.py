"""JSON by orjson, in a tenth of the time, where it says the same as Python's `json`.

Where the two differ, this refuses, and whoever uses it falls back on what it would use otherwise:
its errors and its answers in rare cases are then the ones that are known.
"""

import re
from typing import Any

import orjson

LONG_NUMBER = re.compile("[0-9]{19}")
LONG_NUMBER_IN_BYTES = re.compile(b"[0-9]{19}")
"""orjson makes a float of whole numbers that have more than 64 bits, and so at least 19 digits."""

STRICTLY = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""Only what `json` would write, too. The text is in UTF-8, not escaped: half as long in Persian."""


def read(text: str | bytes) -> Any:
    """What JSON text says. ValueError if it is none, or if another parser must be asked."""
    pattern = LONG_NUMBER if isinstance(text, str) else LONG_NUMBER_IN_BYTES
    if pattern.search(text):  # type: ignore[call-overload]
        raise ValueError("There may be a whole number of more than 64 bits in it.")
    return orjson.loads(text)


def write(data: Any) -> str:
    """The JSON text, without spaces. TypeError if `data` is none, or if another must be asked."""
    return orjson.dumps(data, option=STRICTLY).decode()
