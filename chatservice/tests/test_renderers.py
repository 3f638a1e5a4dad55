"""JSON is written faster than by REST framework, and is the same bytes."""

import enum
from collections import namedtuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import models
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from rest_framework import renderers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils.serializer_helpers import ReturnDict

from chatservice.renderers import JSONRenderer


class Colour(models.TextChoices):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


Pair = namedtuple("Pair", "a b")
MOMENT = datetime(2026, 11, 22, 20, 14, 33, 123456, UTC)
DEEP = [[]]
for _ in range(400):
    DEEP = [DEEP]

PAYLOADS = {
    "nothing": None,
    "nothing in it": [{}, [], "", None, True, False, 0],
    "all of ASCII": "".join(map(chr, range(128))),
    "what ends a line in JavaScript": "a\u2028b\u2029c</script>",
    "what begins like that": "می\u200cروم \u2027\u202a \U0001f469\u200d\U0001f467 é \uffff",
    "kinds of text": [mark_safe("<b>"), Colour.RED, gettext_lazy("Yes"), ErrorDetail("no", "x")],
    "kinds of numbers": [Number.ONE, 2**53 - 1, -(2**63), 1.5, Decimal("1.25")],
    "numbers that are too long": {"seq": 2**64, "then": -(10**30)},
    "keys that are no text": {0: ["none"], None: 1, True: 2, Colour.RED: 3},
    "times": [MOMENT, MOMENT.replace(tzinfo=None), date(2026, 1, 2), timedelta(seconds=90)],
    "an id": UUID(int=7),
    "bytes": b"text",
    "sequences": [(1, 2), Pair(1, {"b": 2}), {"x": 1}.keys(), {7}],
    "a serializer's": ReturnDict({"b": 1, "a": [2]}, serializer=None),
    "more levels than orjson takes": DEEP,
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_the_bytes_are_those_of_rest_framework(payload):
    expected = renderers.JSONRenderer().render(payload, "application/json", {})

    assert JSONRenderer().render(payload, "application/json", {}) == expected
    assert JSONRenderer().render(payload) == expected


@pytest.mark.parametrize(
    ("media_type", "context"),
    [("application/json; indent=2", {}), ("application/json", {"indent": 4})],
)
def test_what_is_indented_is_indented(media_type, context):
    payload = {"a": [1, {"b": "\u2028"}]}
    expected = renderers.JSONRenderer().render(payload, media_type, context)

    assert JSONRenderer().render(payload, media_type, context) == expected
    assert b"\n" in expected


def test_what_is_no_json_is_refused_all_the_same():
    with pytest.raises(TypeError):
        JSONRenderer().render({"a": object()})
    with pytest.raises(UnicodeEncodeError):
        JSONRenderer().render("half a pair \ud800")
