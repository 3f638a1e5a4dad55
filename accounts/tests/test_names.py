"""Names: which spellings are one name, and which texts are no name."""

import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.names import (
    EMAIL_LENGTH,
    INVISIBLE,
    KEY_LENGTH,
    key_of,
    validate_full_name,
    validate_username,
    validate_username_for,
)
from chatservice.tests.properties import HALF_SPACE, quick, texts


@pytest.mark.parametrize(
    "spellings",
    [
        ["Ann", "ANN", "ann", "ＡＮＮ", "A\u200bnn", "\u202eAnn", "An\u00adn", " Ann\n"],
        ["Straße", "STRASSE", "straẞe"],
        ["José", "Jose\u0301", "JOSE\u0301", "JOSÉ"],
        ["İpek", "i\u0307pek"],
        ["office", "oﬃce", "oﬀice", "OFFICE"],
        ["ΌΣΟΣ", "όσος", "όσοσ"],
        ["ᾳ", "ΑΙ".lower(), "ᾼ"],
        ["한글", unicodedata.normalize("NFD", "한글")],
        ["مینا", f"می{HALF_SPACE}نا", "می\u200dنا"],
        ["ﷺ", "صلى الله عليه وسلم"],
        ["dora d", "dora\u00a0\u00a0D", "\u3000dora\td "],
        ["half �", "half \ud800", "half \udfff"],
        ["①", "1"],
        ["❤", "❤\ufe0f"],
        ["", " ", "\u3164", "\u200b\u2060", "\u00a0\n"],
    ],
    ids=lambda spellings: ascii(spellings[0]),
)
def test_spellings_of_one_name_have_one_key(spellings):
    assert len({key_of(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "anne"),
        ("ann", "a nn"),
        ("ann", "аnn"),  # Cyrillic
        ("jose", "josé"),
        ("ı", "i"),
        ("o'neil", "o’neil"),
        ("l", "1"),
        ("یک", "يك"),
        ("ann", "ann."),
        ("a@example.org", "a+b@example.org"),
        ("😀", "😃"),
    ],
)
def test_other_names_have_other_keys(one, other):
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("  Ann \t B  ", "ann b"),
        ("Straße", "strasse"),
        ("A@EXAMPLE.org", "a@example.org"),
        ("\u202enimda", "nimda"),
        (f"علی{HALF_SPACE}رضا", "علیرضا"),
        ("\ud800", "\ufffd"),
        ("\0", "\0"),
    ],
    ids=ascii,
)
def test_a_key_is_folded_visible_and_single_spaced(name, key):
    assert key_of(name) == key


def test_the_longest_name_has_a_key_that_fits():
    assert len(key_of("ﷺ" * EMAIL_LENGTH)) == KEY_LENGTH


def is_mark(character):
    return unicodedata.category(character)[0] == "M"


def is_plain(text):
    """Whether no mark follows an invisible character, which keeps the two from being composed."""
    before = ["", *INVISIBLE.sub("\u200b", unicodedata.normalize("NFKD", text))]
    return not any(
        one == "\u200b" and unicodedata.combining(other)
        for one, other in zip(before, before[1:], strict=False)
    )


@quick
@given(texts(surrogates=True).filter(is_plain))
def test_the_key_of_a_key_is_the_same(name):
    key = key_of(name)

    assert key_of(key) == key
    assert key == " ".join(key.split())
    assert not INVISIBLE.search(key)
    assert len(key) <= 18 * len(name)
    key.encode()


@quick
@given(texts())
def test_composed_and_decomposed_spellings_have_one_key(name):
    forms = ("NFC", "NFD", "NFKC", "NFKD")
    spellings = {key_of(unicodedata.normalize(form, name)) for form in forms}

    assert spellings == {key_of(name)}


@quick
@given(
    texts(max_size=40).filter(is_plain), st.integers(0, 40), st.sampled_from("\u200b\u202e\u2060")
)
def test_what_cannot_be_seen_makes_no_other_name(name, place, invisible):
    assume(not name[place:] or not is_mark(name[place]))

    assert key_of(name[:place] + invisible + name[place:]) == key_of(name)


# What is refused

REFUSED_IN_NAMES = {
    "nul": "a\0b",
    "line-feed": "a\nb",
    "tab": "a\tb",
    "escape": "a\x1bb",
    "next-line": "a\u0085b",
    "surrogate": "a\ud800b",
    "line-separator": "a\u2028b",
    "paragraph-separator": "a\u2029b",
    "direction-override": "a\u202eb",
    "direction-isolate": "a\u2066b",
}
REFUSED_IN_USER_NAMES = {
    "direction-mark": "a\u200fb",
    "zero-width-space": "a\u200bb",
    "byte-order-mark": "\ufeffab",
    "soft-hyphen": "a\u00adb",
    "tag": "a\U000e0041b",
    "private-use": "a\ue000b",
    "unassigned": "a\u0378b",
    "noncharacter": "a\uffffb",
    "empty": "",
    "blank": "   ",
    "only-joiners": "\u200c\u200d",
    "hangul-filler": "\u3164",
}


@pytest.mark.parametrize(
    "name",
    (REFUSED_IN_NAMES | REFUSED_IN_USER_NAMES).values(),
    ids=REFUSED_IN_NAMES | REFUSED_IN_USER_NAMES,
)
def test_what_cannot_be_seen_is_no_user_name(name):
    with pytest.raises(ValidationError) as refused:
        validate_username(name)

    assert refused.value.code == "invalid"


@pytest.mark.parametrize("name", REFUSED_IN_NAMES.values(), ids=REFUSED_IN_NAMES)
def test_controls_and_directions_are_in_no_full_name(name):
    with pytest.raises(ValidationError) as refused:
        validate_full_name(name)

    assert refused.value.code == "invalid"


@pytest.mark.parametrize("name", REFUSED_IN_USER_NAMES.values(), ids=REFUSED_IN_USER_NAMES)
def test_a_full_name_may_have_what_has_no_effect(name):
    validate_full_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("ann", "Mary-Ann O'Neil", "a.b_c+d", "👩\u200d👩\u200d👧", "日本", "ᾳ", "Jose\u0301"),
        *(f"علی{HALF_SPACE}رضا", "क्\u200dष", "1", "-", " a "),
    ],
    ids=ascii,
)
def test_names_of_all_languages_are_names(name):
    validate_username(name)
    validate_full_name(name)


@pytest.mark.parametrize(
    ("username", "email", "is_allowed"),
    [
        ("ann", "ann@example.org", True),
        ("ann@example.org", "ann@example.org", True),
        ("ANN@Example.ORG", "ann@example.org", True),
        ("ann＠example.org", "ann@example.org", True),
        ("bob@example.org", "ann@example.org", False),
        ("bob＠example.org", "ann@example.org", False),
        ("bob﹫example.org", "ann@example.org", False),
        ("@", "ann@example.org", False),
        ("@ann", "ann@example.org", False),
    ],
)
def test_a_user_name_is_nobody_elses_address(username, email, is_allowed):
    if is_allowed:
        validate_username_for(username, email)
        return
    with pytest.raises(ValidationError) as refused:
        validate_username_for(username, email)
    assert refused.value.code == "invalid"


@quick
@given(
    texts(max_size=30, surrogates=True), st.sampled_from([validate_username, validate_full_name])
)
def test_any_text_is_a_name_or_refused(name, validate):
    try:
        validate(name)
    except ValidationError:
        return
    categories = {unicodedata.category(character) for character in name}
    assert categories.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert not set(name) & set("\u202e\u2066")
