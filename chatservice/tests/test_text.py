"""`check_text` and `PlainTextField`: what people may write, kept as they wrote it."""

import pytest
from django.core.exceptions import ValidationError
from rest_framework import serializers

from chatservice.text import PlainTextField, check_text


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "  indented\n",
        "سلام، می‌خواهم",  # with a zero-width non-joiner
        "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿",  # joiners and tags
        "e\u0301",  # not normalised
        "\u202eright to left\u202c",
        "a\tb\r\nc",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    ],
)
def test_what_is_fine_stays_as_it_is(text):
    assert check_text(text, max_length=100) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "blank"),
        (" \t\n\u00a0\u3000\u2003", "blank"),
        ("\u200b\u200d\u2060\ufeff", "blank"),
        ("a\0b", "null_character"),
        ("\ud800", "surrogate"),
        ("a\udfffb", "surrogate"),
        ("x" * 101, "max_length"),
        ("x" + " " * 200, "max_length"),
        (None, "invalid"),
        (5, "invalid"),
        (True, "invalid"),
        (["a"], "invalid"),
        ({"$gt": ""}, "invalid"),
        (b"bytes", "invalid"),
    ],
)
def test_what_is_refused(value, code):
    with pytest.raises(ValidationError) as refused:
        check_text(value, max_length=100)

    assert refused.value.code == code


def test_the_white_space_around_a_text_does_not_count():
    assert check_text(" " + "x" * 100 + " ", max_length=100) == " " + "x" * 100 + " "
    assert check_text(" x ", max_length=1, trim=True) == "x"
    with pytest.raises(ValidationError):
        check_text("  ab  ", max_length=10, min_length=3)


def test_an_optional_text_may_be_blank():
    assert check_text("", max_length=10, min_length=0) == ""


class Form(serializers.Serializer):
    name = PlainTextField(max_length=5, trim=True)
    note = PlainTextField(max_length=5, min_length=0, required=False)


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"name": "Ann"}, set()),
        ({"name": "Ann", "note": ""}, set()),
        ({}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": "  "}, {"name"}),
        ({"name": None}, {"name"}),
        ({"name": 5}, {"name"}),
        ({"name": False}, {"name"}),
        ({"name": "abcdef"}, {"name"}),
        ({"name": "a\0"}, {"name"}),
        ({"name": "Ann", "note": []}, {"note"}),
    ],
)
def test_a_field_of_a_request(data, errors):
    form = Form(data=data)

    assert form.is_valid() == (not errors)
    assert form.errors.keys() == errors


def test_a_field_trims_where_it_is_told_to():
    form = Form(data={"name": " Ann ", "note": " a "})

    assert form.is_valid()
    assert form.validated_data == {"name": "Ann", "note": " a "}
