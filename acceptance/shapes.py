"""What an answer should look like, said as a value that prints well.

`matches(expected, got)` compares. A plain value must be equal, a dict must have exactly the
same keys, a list the same length; anything in between is one of the shapes below.
"""

import re
from datetime import datetime, timedelta


class Shape:
    """A named test of one value. `matches(got)` answers, `repr()` says what was expected."""

    def __init__(self, name, test):
        self.name, self.test = name, test

    def matches(self, got):
        return bool(self.test(got))

    def __repr__(self):
        return self.name


class AtLeast(Shape):
    """A JSON object with these fields, and perhaps more: the contract welcomes more."""

    def __init__(self, **fields):
        self.fields = fields

    def matches(self, got):
        return isinstance(got, dict) and all(
            name in got and matches(expected, got[name]) for name, expected in self.fields.items()
        )

    def __repr__(self):
        return "{" + ", ".join(f"{name}: {value!r}" for name, value in self.fields.items()) + ", …}"


class OneOf(Shape):
    """Any of these."""

    def __init__(self, *choices):
        self.choices = choices

    def matches(self, got):
        return any(matches(choice, got) for choice in self.choices)

    def __repr__(self):
        return " or ".join(map(repr, self.choices))


class InAnyOrder(Shape):
    """A list of exactly these items, each once, in any order."""

    def __init__(self, *items):
        self.items = items

    def matches(self, got):
        if not isinstance(got, list) or len(got) != len(self.items):
            return False
        left = list(got)
        for item in self.items:
            twin = next((i for i, value in enumerate(left) if matches(item, value)), None)
            if twin is None:
                return False
            del left[twin]
        return True

    def __repr__(self):
        return f"in any order {list(self.items)!r}"


class ClientError(Shape):
    """`(status, body)` of a 4xx whose JSON has a `detail` and names the field, if one is given."""

    def __init__(self, *statuses, naming=None):
        self.statuses, self.naming = statuses, naming

    def matches(self, got):
        status, body = got
        if not (status in self.statuses if self.statuses else 400 <= status < 500):
            return False
        if not isinstance(body, dict) or not body.get("detail"):
            return False
        return self.naming is None or self.naming in str(body)

    def __repr__(self):
        statuses = " or ".join(map(str, self.statuses)) or "4xx"
        return f"{statuses} with detail" + (f" naming {self.naming!r}" if self.naming else "")


def matches(expected, got):
    """Say whether `got` is what `expected` describes."""
    if isinstance(expected, Shape):
        return expected.matches(got)
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and expected.keys() == got.keys()
            and all(matches(value, got[name]) for name, value in expected.items())
        )
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(got, (list, tuple))
            and len(expected) == len(got)
            and all(map(matches, expected, got))
        )
    return type(expected) is type(got) and expected == got


def _is_utc_timestamp(got):
    try:
        moment = datetime.fromisoformat(got)
    except (TypeError, ValueError):
        return False
    return "T" in got and moment.utcoffset() == timedelta(0)


anything = Shape("anything", lambda got: True)
a_text = Shape("a text", lambda got: isinstance(got, str) and got.strip() != "")
an_id = Shape(
    "24 hex digits",
    lambda got: isinstance(got, str) and re.fullmatch(r"[0-9a-f]{24}", got) is not None,
)
a_timestamp = Shape("an ISO 8601 timestamp in UTC with its zone", _is_utc_timestamp)
no_server_error = Shape("no 5xx", lambda got: got[0] < 500)


def containing(*parts):
    """A text that has every one of `parts` in it, upper or lower case."""
    return Shape(
        f"a text with {', '.join(map(repr, parts))}",
        lambda got: isinstance(got, str) and all(p.lower() in got.lower() for p in parts),
    )


def a_message(**fields):
    """A message as everybody sees it: `{id, sender, content, timestamp}` and perhaps more."""
    usual = {"id": an_id, "sender": a_text, "content": a_text, "timestamp": a_timestamp}
    return AtLeast(**usual | fields)
