"""Search terms: which spellings are one word, which queries find a text, and where."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.words import (
    SHORTEST_PREFIX,
    WORD_LENGTH,
    WORDS_OF_A_MESSAGE,
    WORDS_OF_A_QUERY,
    Query,
    Word,
    folded,
    highlights,
    in_utf_16,
    queries_of,
    terms_of,
    words_in,
)
from chatservice.tests.properties import HALF_SPACE, quick, texts


def is_found(text, query):
    """Whether a search for `query` finds the text, by the rule of `hot_path.with_terms`."""
    terms = terms_of(text)
    return any(
        set(one.words) <= set(terms)
        and (one.prefix is None or any(term.startswith(one.prefix) for term in terms))
        for one in queries_of(query)
    )


def marked(text, query):
    """The pieces of the text that a search for `query` highlights."""
    return [text[start:end] for start, end in highlights(text, queries_of(query))]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The quick brown fox", "QUICK fox"),
        ("The quick brown fox", "fox quick"),
        ("The quick brown fox", "qui"),
        ("The quick brown fox", "quick, (the) fo"),
        ("Café Zürich", "cafe zurich"),
        ("cafe zurich", "CAFÉ ZÜRICH"),
        ("cafe\u0301", "café"),
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("ὈΔΥΣΣΕΎΣ", "οδυσσευς"),
        ("Ёлка", "елка"),
        ("İstanbul", "istanbul"),
        ("ﬁne ＷＩＤＥ", "fine wide"),
        ("كتاب يكي", "کتاب یکی"),
        ("کتاب یکی", "كتاب يكى"),
        ("مدرسة", "مدرسه"),
        ("خانۀ ما", "خانه ما"),
        ("مسئول", "مسیول"),
        (f"می{HALF_SPACE}خواهم بروم", "میخواهم"),
        (f"می{HALF_SPACE}خواهم بروم", "می خواهم"),
        (f"می{HALF_SPACE}خواهم بروم", f"می{HALF_SPACE}خواهم"),
        ("میخواهم بروم", f"می{HALF_SPACE}خواهم"),
        ("می خواهم بروم", f"می{HALF_SPACE}خواهم"),
        (f"کتاب{HALF_SPACE}های خوب", "کتاب"),
        ("مُحَمَّد", "محمد"),
        ("محمد", "مُحَمَّد"),
        ("ســـلام", "سلام"),
        ("آب و هوا", "اب و هوا"),
        ("شماره ۱۲۳", "123"),
        ("number 123", "۱۲۳"),
        ("عدد ١٢٣", "۱۲۳"),
        ("½ cup, ２ cups", "12 2"),
        ("日本語を話す", "日本"),
        ("日本語を話す", "語 話"),
        ("mixed日本words", "words 日 mixed"),
        ("see <b>bold</b> & co.", "bold co"),
        ("😀 smile", "smile"),
        ("snake_case and kebab-case", "snake kebab ca"),
    ],
)
def test_spellings_that_are_one_word_find_each_other(text, query):
    assert is_found(text, query)
    assert marked(text, query)


@pytest.mark.parametrize(
    "query",
    [
        *("quick cat", "uick", "bro fox", "x", "q", "f", "quickly", "foxes"),
        *("***", "$ne", "", " ", HALF_SPACE, "😀", "\u0301"),
    ],
)
def test_all_words_are_required_and_only_the_last_may_be_a_beginning(query):
    assert not is_found("The quick brown fox", query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("color", "colour"),
        ("a", "а"),  # Cyrillic
        ("کتابها", "کتاب ها"),
        ("日本", "本日x"),
        ("resume", "résumés"),
    ],
)
def test_other_words_do_not_find_a_text(text, query):
    assert not is_found(text, query)


# Folding and words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("ABC", "abc"),
        ("Ünïcödé", "unicode"),
        ("ẞß", "ssss"),
        ("ﷺ", "صلیاللهعلیهوسلم"),
        ("٠۱२", "012"),
        ("²③", "23"),
        ("Ⅷ", "viii"),
        ("أإآ", "ااا"),
        ("ؤئء", "ویء"),
        (f"می{HALF_SPACE}خواهم", "میخواهم"),
        ("ــ", ""),
        ("\u0301\u064b", ""),
        ("한글", unicodedata.normalize("NFD", "한글")),
    ],
)
def test_folding_leaves_plain_letters_and_digits(text, expected):
    assert folded(text) == expected


def test_words_are_in_order_with_their_places():
    assert words_in("Hi, Café!  2") == [Word("hi", 0, 2), Word("cafe", 4, 8), Word("2", 11, 12)]
    assert words_in("日本a") == [Word("日", 0, 1), Word("本", 1, 2), Word("a", 2, 3)]
    assert words_in("… \u0301 ـ 😀") == []


def test_a_word_with_half_spaces_is_a_whole_and_its_parts():
    assert words_in(f"x a{HALF_SPACE}bc{HALF_SPACE}{HALF_SPACE}d") == [
        Word("x", 0, 1),
        Word("abcd", 2, 9),
        Word("a", 2, 3),
        Word("bc", 4, 6),
        Word("d", 8, 9),
    ]


def test_terms_are_the_different_words_in_order():
    assert terms_of("b a B á c") == ["b", "a", "c"]
    assert terms_of(f"a{HALF_SPACE}b b") == ["ab", "a", "b"]
    assert terms_of("… !") == []


# Queries


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("*** \u0301", []),
        ("Quick", [Query((), "quick")]),
        ("the Quick FOX", [Query(("the", "quick"), "fox")]),
        ("the the fox", [Query(("the",), "fox")]),
        ("fox fox", [Query(("fox",), "fox")]),
        ("the x", [Query(("the", "x"), None)]),
        ("x x", [Query(("x",), None)]),
        ("日本", [Query(("日", "本"), None)]),
        (f"a{HALF_SPACE}bc", [Query((), "abc"), Query(("a",), "bc")]),
        (f"abc{HALF_SPACE}", [Query((), "abc")]),
    ],
)
def test_a_query_is_read_joined_and_in_parts(text, expected):
    assert queries_of(text) == expected


# Limits


def test_letters_beyond_the_length_of_a_word_do_not_matter():
    word = "x" * WORD_LENGTH

    assert terms_of(word + "y") == terms_of(word + "z") == [word]
    assert is_found(word + "y", word + "z")
    assert not is_found(word, word[1:] + "y")
    assert len(folded("é" * 2 * WORD_LENGTH)) == len(folded("ﷺ" * WORD_LENGTH)) == WORD_LENGTH


def test_a_text_is_found_by_its_first_words():
    text = " ".join(f"w{number}" for number in range(WORDS_OF_A_MESSAGE + 1))

    assert len(terms_of(text)) == WORDS_OF_A_MESSAGE
    assert is_found(text, f"w{WORDS_OF_A_MESSAGE - 1}")
    assert not is_found(text, f"w{WORDS_OF_A_MESSAGE}")
    assert is_found("again " * WORDS_OF_A_MESSAGE + "last", "last")


def test_a_query_has_so_many_words_and_no_more():
    words = [f"w{number}" for number in range(WORDS_OF_A_QUERY)]
    text = " ".join(words)

    assert is_found(text, text + " another")
    assert not is_found(" ".join(words[1:]), text)
    [query] = queries_of(text + " another")
    assert (*query.words, query.prefix) == tuple(words)


def test_a_beginning_has_at_least_so_many_letters():
    word = "xylophone"

    assert is_found(word, word[:SHORTEST_PREFIX])
    assert not is_found(word, word[: SHORTEST_PREFIX - 1])
    assert is_found(f"{word} x", "x")


# Highlights


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("😀 Café, cafés and كِتاب", "کتاب cafe", ["Café", "cafés", "كِتاب"]),
        ("the fox, the foxes", "the fox", ["the", "fox", "the", "foxes"]),
        ("fox then the", "fox the", ["fox", "then", "the"]),
        ("fox foxes", "foxes x", ["foxes"]),
        ("日本語", "日本", ["日", "本"]),
        (f"a می{HALF_SPACE}خواهم b", "خواهم", ["خواهم"]),
        (f"a می{HALF_SPACE}خواهم b", "میخواهم", [f"می{HALF_SPACE}خواهم"]),
        (f"a می{HALF_SPACE}خواهم b", f"می{HALF_SPACE}خواهم", [f"می{HALF_SPACE}خواهم"]),
        (f"a می{HALF_SPACE}خواهم b", "می خواهم", ["می", "خواهم"]),
        ("nothing here", "else", []),
        ("nothing here", "***", []),
    ],
)
def test_a_text_is_highlighted_where_it_has_the_words(text, query, expected):
    assert marked(text, query) == expected


def test_places_are_counted_as_javascript_does():
    assert in_utf_16("abc", [(0, 1), (2, 3)]) == [[0, 1], [2, 3]]
    assert in_utf_16("é漢c", [(0, 1), (2, 3)]) == [[0, 1], [2, 3]]
    assert in_utf_16("😀a😀b", [(0, 2), (2, 4)]) == [[0, 3], [3, 6]]
    assert in_utf_16("", []) == []


# Any text

slices = st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda at: slice(at[0], sum(at)))


@quick
@given(texts(surrogates=True))
def test_folding_twice_is_folding_once(text):
    assert folded(folded(text)) == folded(text)
    assert len(folded(text)) <= WORD_LENGTH


@quick
@given(texts())
def test_composed_and_decomposed_letters_have_the_same_words(text):
    assert terms_of(unicodedata.normalize("NFC", text)) == terms_of(
        unicodedata.normalize("NFD", text)
    )


@quick
@given(texts(surrogates=True))
def test_words_are_what_their_places_hold(text):
    words = words_in(text)

    assert all(word.text == folded(text[word.start : word.end]) for word in words)
    assert list(dict.fromkeys(word.text for word in words)) == terms_of(text)


@quick
@given(texts(surrogates=True))
def test_every_word_finds_its_text_and_is_highlighted_there(text):
    for word in words_in(text):
        query = text[word.start : word.end]
        spans = highlights(text, queries_of(query))
        assert is_found(text, query)
        assert any(start <= word.start and word.end <= end for start, end in spans)


@quick
@given(texts(surrogates=True), slices)
def test_highlights_are_in_order_apart_and_inside_the_text(text, piece):
    spans = highlights(text, queries_of(text[piece]))
    places = [place for span in spans for place in span]

    assert places == sorted(places)
    assert all(start < end for start, end in spans)
    assert all(0 <= place <= len(text) for place in places)


@quick
@given(texts(surrogates=True), st.lists(slices, max_size=3))
def test_places_are_those_of_the_text_in_utf_16(text, pieces):
    spans = [each.indices(len(text))[:2] for each in pieces]
    encoded = text.encode("utf-16-le", "surrogatepass")

    for (start, end), (first, last) in zip(spans, in_utf_16(text, spans), strict=True):
        piece = encoded[2 * first : 2 * last]
        assert piece == text[start:end].encode("utf-16-le", "surrogatepass")
