"""Mentions: which people a text calls."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.names import USERNAME_LENGTH, key_of
from chat.mentions import ALL, MAX_MENTIONS, MAX_PARTS, mentions_in, resolve
from chatservice.tests.properties import HALF_SPACE, quick, texts

BOB = ["bob"]


def called(text, *names):
    """Those of the people with these names whom a text calls, and `ALL`."""
    return resolve(mentions_in(text), {key_of(name): name for name in names})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@bob", ["bob"]),
        ("@bob hello", ["bob"]),
        ("hello @Bob, and (@ALICE)!", ["bob", "alice"]),
        ("@alice @bob @alice", ["alice", "bob"]),
        ("@bob @bob", ["bob"]),
        ("@carol is a stranger, @nobody is nobody", []),
        ("@bobby and @bob2 and @bob_ and @bobé", []),
        ("@bo", []),
        ("@ bob", []),
        ("@\nbob", []),
        ("line\n@bob\nline", ["bob"]),
        ("@bob's", ["bob"]),
        ("@bob.", ["bob"]),
        ("@bob-alice", ["bob"]),
        ("**@bob**, _@alice", ["bob"]),
        ("“@bob”", ["bob"]),
        ("سلام،@bob", ["bob"]),
        ("@", []),
        ("@@bob", []),
        ("@" * 7999 + "x", []),
        ("", []),
        ("bob", []),
    ],
)
def test_a_text_calls_people_by_their_user_names(text, expected):
    assert called(text, "alice", "bob") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bob@bob.example and x@bob", []),
        ("bob.@bob", []),
        ("bob+@bob", []),
        ("bob-@bob", []),
        ("https://example.org/@bob", []),
        ("https://example.org/~@bob", BOB),
        ("é@bob and ۱@bob and س@bob", []),
        ("mail bob@bob.example, @bob", BOB),
    ],
)
def test_addresses_call_nobody(text, expected):
    assert called(text, "bob", "example") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`@bob`", []),
        ("``a ` @bob``", []),
        ("`` @bob `", BOB),
        ("` `` @bob `", []),
        ("`a` @bob `b`", BOB),
        ("one ` tick @bob", BOB),
        ("```@bob```", []),
        ("`one\n@bob`", []),
        ("`one\n\n@bob`", BOB),
        ("`one\n \t\n@bob`", BOB),
        ("```\n@bob\n```", []),
        ("```\n@bob\n```\n@bob", BOB),
        ("```py\n@bob\n", []),
        ("```\n@bob\n``", []),
        ("   ```\n@bob\n   ```", []),
        ("    ```\n@bob\n", BOB),
        ("````\n```\n@bob\n````", []),
        ("```\n`````\n@bob", BOB),
        ("text ```\n@bob", BOB),
        ("~~~\n@bob", []),
        ("~~~\n@bob\n~~~\n@bob", BOB),
        ("~~~\n```\n@bob\n~~~", []),
        ("```\n~~~\n@bob\n```", []),
        ("~~@bob~~", BOB),
        ("```\none\n\n@bob\n```", []),
    ],
)
def test_code_calls_nobody(text, expected):
    assert called(text, "bob") == expected


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("@Mary-Ann O'Neil: look", ["mary-ann o'neil"], ["mary-ann o'neil"]),
        ("@mary  ann", ["mary ann"], ["mary ann"]),
        ("@mary\u00a0ann", ["mary ann"], ["mary ann"]),
        ("@mary\nann", ["mary ann"], []),
        ("@mary ann", ["mary", "mary ann"], ["mary ann"]),
        ("@mary anne", ["mary", "mary ann"], ["mary"]),
        ("@mary, ann", ["mary", "mary ann"], ["mary"]),
        ("@a.b.c", ["a", "a.b", "a.b.c.d"], ["a.b"]),
        ("@bob!", ["bob", "bob!"], ["bob!"]),
        ("@:) hello", [":)"], [":)"]),
        ("@😀", ["😀"], ["😀"]),
        ("@a@b", ["a", "a@b"], ["a@b"]),
        ("@mary @ann", ["mary", "ann", "mary @ann"], ["mary @ann", "ann"]),
        ("@STRASSE @ＢＯＢ", ["Straße", "bob"], ["Straße", "bob"]),
        ("@jose\u0301", ["José"], ["José"]),
        (f"سلام @علی{HALF_SPACE}رضا!", ["علیرضا"], ["علیرضا"]),
        ("سلام @علیرضا!", [f"علی{HALF_SPACE}رضا"], [f"علی{HALF_SPACE}رضا"]),
        ("سلام @علی رضا", ["علیرضا"], []),
        ("سلام @علی رضا", ["علی"], ["علی"]),
        (f"سلام @علی{HALF_SPACE}رضا", ["علی"], []),
        (f"@{HALF_SPACE}bob", ["bob"], ["bob"]),
        ("@\u202ebob", ["bob"], ["bob"]),
        ("\u2067@bob\u2069", ["bob"], ["bob"]),
        ("@bob\u202c\u200f, hello", ["bob"], ["bob"]),
    ],
)
def test_the_longest_name_that_somebody_has_is_meant_however_it_is_spelled(text, names, expected):
    assert called(text, *names) == expected


@pytest.mark.parametrize(
    ("text", "people", "expected"),
    [
        ("@all", {}, [ALL]),
        ("@ALL, look", {}, [ALL]),
        ("@all @bob @all", {"bob": "b1"}, [ALL, "b1"]),
        ("@all hands", {"all hands": "a1"}, ["a1"]),
        ("@all", {"all": "a1"}, ["a1"]),
        ("@all @bob", {"all": "a1", "bob": "b1"}, ["a1", "b1"]),
        ("@allen and `@all` and x@all", {}, []),
    ],
    ids=["alone", "spelled", "with-others", "longer-name", "person", "person-and-other", "none"],
)
def test_all_means_everybody_unless_somebody_is_called_so(text, people, expected):
    assert resolve(mentions_in(text), people) == expected


def test_nobody_else_is_resolved():
    assert resolve([], {"bob": "b1"}) == []
    assert resolve([["nobody"], []], {"bob": "b1"}) == []
    assert resolve([["bob and", "bob"], ["bob"]], {"bob": "b1"}) == ["b1"]


def test_a_person_with_several_keys_is_called_once():
    assert resolve([["bob"], ["robert"]], {"bob": "b1", "robert": "b1"}) == ["b1"]


def test_a_mention_has_the_keys_that_it_may_mean_the_longest_first():
    assert mentions_in("see @Mary  Ann!") == [["mary ann!", "mary ann", "mary"]]
    assert mentions_in("@\u202ea b") == [["a b", "a", ""]]


# Limits


def test_so_many_places_are_looked_at_and_no_more():
    text = "@nobody " * (MAX_MENTIONS - 1)

    assert called(text + "@alice @bob", "alice", "bob") == ["alice"]
    assert len(mentions_in("@a " * 2 * MAX_MENTIONS)) == MAX_MENTIONS


def test_a_name_has_so_many_parts_and_no_more():
    parts = [f"p{number}" for number in range(MAX_PARTS)]
    longest = ".".join(parts[: MAX_PARTS // 2]) + "!"
    longer = longest + "?"

    assert called(f"@{longest}", longest) == [longest]
    assert called(f"@{longer}", longest, longer) == [longest]


def test_a_name_is_as_long_as_a_user_name_may_be():
    name = "x" * USERNAME_LENGTH

    assert called(f"hello @{name}", name) == [name]
    assert called(f"hello @{name[1:]} and", name[1:]) == [name[1:]]
    assert called(f"hello @{name}x", name, name + "x") == []


# Any text


@quick
@given(texts(max_size=200, surrogates=True))
def test_any_text_has_a_list_of_mentions(text):
    mentions = mentions_in(text)

    assert len(mentions) <= text.count("@")
    for keys in mentions:
        assert len(keys) == len(set(keys)) <= MAX_PARTS
    assert set(resolve(mentions, {"bob": "b1"})) <= {ALL, "b1"}


@quick
@given(texts(surrogates=True).map(lambda text: text.replace("@", "")))
def test_a_text_without_an_at_sign_calls_nobody(text):
    assert mentions_in(text) == []


@quick
@given(texts().filter(lambda text: "```" not in text))
def test_a_fence_around_a_text_hides_all_that_it_calls(text):
    assert mentions_in(f"```\n{text}\n```") == []


words = st.text("abcXYZ019éÜسلام漢", min_size=1, max_size=6)


@quick
@given(
    st.lists(words, min_size=1, max_size=4),
    st.sampled_from([" ", "-", "'", ".", HALF_SPACE]),
    st.sampled_from(["", "hello ", "(", "، ", "line\n", "**"]),
    st.sampled_from(["", " ", "!", ", hello", ")", "\n@nobody"]),
)
def test_anyone_is_called_by_their_name_in_any_sentence(parts, separator, before, after):
    name = separator.join(parts)
    assume(key_of(name) != ALL)

    assert called(f"{before}@{name.upper()}{after}", name) == [name]
