"""`check_text`: whatever comes is kept as it is or refused, and what is kept can be stored."""

import unicodedata

from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from chatservice.tests.properties import quick, texts
from chatservice.text import check_text

BLANK = "\u200b\u200d\ufeff\u2060 \n\u00a0\u3000\x07"

space = st.text(" \n\u3000", max_size=8)
wrong = st.sampled_from(["\0", "\ud800", "\udfff", " " * 30])
values = st.one_of(
    texts(surrogates=True),
    st.text(BLANK, max_size=12),
    st.builds("{}{}{}".format, space, texts(max_size=12), space),
    st.builds("{}{}{}".format, space | wrong, texts(max_size=8), space | wrong),
)
bounds = st.tuples(st.integers(0, 4), st.integers(4, 20))


def has_shape(text):
    """Whether anything in a text can be seen."""
    categories = {unicodedata.category(character) for character in text}
    return not categories <= {"Cc", "Cf", "Zl", "Zp", "Zs"}


def refusal_of(value, **options):
    """The code with which a value is refused, or None. Other exceptions fail the test."""
    try:
        check_text(value, **options)
    except ValidationError as error:
        return error.code
    return None


@quick
@given(values, bounds)
@example(" x\n", (1, 10))
def test_a_text_is_kept_as_it_is_or_refused(text, bounds):
    min_length, max_length = bounds
    try:
        kept = check_text(text, min_length=min_length, max_length=max_length)
    except ValidationError:
        return

    assert kept == text
    assert kept.encode().decode() == text
    assert "\0" not in kept
    assert min_length <= len(kept.strip()) <= max_length
    assert len(kept) <= 2 * max_length
    assert has_shape(kept) or min_length == 0


@quick
@given(values, bounds)
def test_trimming_takes_away_the_white_space_around_a_text_and_nothing_else(text, bounds):
    options = {"min_length": bounds[0], "max_length": bounds[1]}
    refusal = refusal_of(text, trim=True, **options)

    if refusal is None:
        assert check_text(text, trim=True, **options) == text.strip()
    if len(text) <= 2 * bounds[1]:
        assert refusal == refusal_of(text, **options)
    assert refusal == refusal_of(text.strip(), **options)


@quick
@given(values, bounds)
@example("x" + " " * 20, (1, 10))
@example("x" + " " * 19, (1, 10))
@example("x" * 11, (1, 10))
@example(" ab ", (3, 10))
@example(" abc ", (3, 10))
@example("\u200b\u2060", (1, 10))
@example("\u200b\u2060", (0, 10))
@example("\0\ud800", (1, 10))
def test_a_refusal_names_its_reason(text, bounds):
    min_length, max_length = bounds
    trimmed = text.strip()
    has_surrogates = any(unicodedata.category(character) == "Cs" for character in text)
    reasons = {
        "null_character": "\0" in text,
        "surrogate": has_surrogates,
        "blank": min_length > 0 and not has_shape(trimmed),
        "min_length": len(trimmed) < min_length,
        "max_length": len(trimmed) > max_length or len(text) > 2 * max_length,
    }
    expected = next((code for code, holds in reasons.items() if holds), None)

    assert refusal_of(text, min_length=min_length, max_length=max_length) == expected


@quick
@given(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.lists(texts())),
        st.dictionaries(st.sampled_from(["$gt", "$ne"]), texts(max_size=5)),
    )
)
def test_whatever_is_no_text_is_refused(value):
    assert refusal_of(value, max_length=10, min_length=0) == "invalid"
