"""The words of a text as search sees them, and where they are in it.

Spellings that people do not tell apart are one word: upper and lower case, accents, Arabic and
Persian forms of a letter, diacritics, tatweel, digits of any script. A word with a half-space in it
(ZWNJ) is found joined, and by its parts. Ideographs and kana are words one by one.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

WORD_LENGTH = 40
"""Characters of a word that are kept: what follows them does not matter."""

WORDS_OF_A_MESSAGE = 1_000
"""Different words of one text that can be found; each is an entry of an index."""

WORDS_OF_A_QUERY = 10

SHORTEST_PREFIX = 2
"""Letters from which on the last word of a query may be the beginning of one."""

UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
WORD = regex.compile(rf"{UNSPACED}|[[\p{{L}}\p{{N}}\p{{M}}\u200c\u200d]--{UNSPACED}]+", regex.V1)
HALF_SPACE = "\u200c"

# What Unicode's decomposition leaves different and readers of Persian take for the same.
SAME_LETTERS = {"ي": "ی", "ى": "ی", "ې": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "ە": "ه", "ـ": ""}


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its place in the text, in code points."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: texts that have all of `words` and one that begins with `prefix`."""

    words: tuple[str, ...]
    prefix: str | None


@lru_cache(maxsize=4_096)
def _folded_character(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    letters = []
    for each in unicodedata.normalize("NFKD", decomposed):
        each = SAME_LETTERS.get(each, each)
        category = unicodedata.category(each) if each else "Mn"
        if category[0] == "L":
            letters.append(each)
        elif category[0] == "N":
            letters.append(str(unicodedata.digit(each, each)))
    return "".join(letters)


def folded(text: str) -> str:
    """A text of letters and digits as search compares it."""
    if text.isascii():
        return text[:WORD_LENGTH].lower()
    return "".join(map(_folded_character, text))[:WORD_LENGTH]


def words_in(text: str) -> list[Word]:
    """All words of a text, in order; one with half-spaces as a whole and then in its parts."""
    found = []
    for match in WORD.finditer(text):
        start = match.start()
        for part in _parts_of(match[0]):
            if word := folded(part):
                found.append(Word(word, start, start + len(part)))
            if len(part) < len(match[0]):
                start += len(part) + 1
    return found


def terms_of(text: str) -> list[str]:
    """What a text can be found by: its different words, in order."""
    words = (folded(part) for whole in WORD.findall(text) for part in _parts_of(whole))
    return list(dict.fromkeys(filter(None, words)))[:WORDS_OF_A_MESSAGE]


def _parts_of(whole: str) -> list[str]:
    """A word, and what its half-spaces divide it into."""
    return [whole, *whole.split(HALF_SPACE)] if HALF_SPACE in whole else [whole]


def queries_of(text: str) -> list[Query]:
    """The ways to read what somebody looks for: with its half-spaces joined, and in parts.

    No query if there is no word in it.
    """
    joined = _words_of_query(text)
    parts = _words_of_query(text.replace(HALF_SPACE, " "))
    return [_query(words) for words in dict.fromkeys((joined, parts)) if words]


def _words_of_query(text: str) -> tuple[str, ...]:
    words = [folded(match[0]) for match in WORD.finditer(text)]
    return tuple(word for word in words if word)[:WORDS_OF_A_QUERY]


def _query(words: Sequence[str]) -> Query:
    *others, last = words
    if len(last) < SHORTEST_PREFIX:
        return Query(tuple(dict.fromkeys(words)), None)
    return Query(tuple(dict.fromkeys(others)), last)


def highlights(text: str, queries: Sequence[Query]) -> list[tuple[int, int]]:
    """Where a text has what was looked for: starts and ends, in order and apart, in code points."""
    wanted = {word for query in queries for word in query.words}
    prefixes = tuple(query.prefix for query in queries if query.prefix)
    spans: list[tuple[int, int]] = []
    for word in sorted(words_in(text), key=lambda word: (word.start, word.end)):
        if word.text not in wanted and not word.text.startswith(prefixes or ("\0",)):
            continue
        if spans and word.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(word.end, spans[-1][1]))
        else:
            spans.append((word.start, word.end))
    return spans


def in_utf_16(text: str, spans: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Spans in UTF-16 code units, as JavaScript counts, instead of code points."""
    if text.isascii():
        return [list(span) for span in spans]
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + (2 if ord(character) > 0xFFFF else 1))
    return [[offsets[start], offsets[end]] for start, end in spans]
