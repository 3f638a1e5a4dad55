"""Every text for people is there in Persian, and fits the place that it is for."""

import ast
import re
from functools import cache
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ["accounts", "chat", "chatservice", "media_upload"]
SINGLE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
# What a client of the contract compares with stays as it is, in whatever language.
CONTRACT = {
    "Chat room not found or access denied",
    "Could not validate credentials",
    "Invalid data",
    "Not authenticated",
}
SAME_IN_BOTH = {"SHA-256", "%(actor)s: %(text)s", "(%(count)s) %(title)s"} | CONTRACT


def texts_in(source):
    """The (text, plural or None) that a Python source has translated."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", None))
        constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        if name in SINGLE and constants:
            yield constants[0], None
        elif name in PLURAL and len(constants) >= 2:
            yield constants[0], constants[1]


def texts_in_template(source):
    # Django's own way for gettext: everything is blanked but the texts, as calls of Python.
    calls = re.findall(r"\bn?gettext\(.*?\)(?=\s|$)", templatize(source), re.DOTALL)
    for call in calls:
        yield from texts_in(
            re.sub(r"\s+", " ", call.replace(",counter", ",1").replace(",count", ",1"))
        )


@cache
def texts():
    found = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "tests" not in path.parts:
                found.update(texts_in(path.read_text()))
    for path in (ROOT / "templates").rglob("*.html"):
        found.update(texts_in_template(path.read_text()))
    return found


@pytest.fixture(scope="module")
def catalogue():
    return {
        (entry.msgid, entry.msgid_plural or None): entry
        for entry in polib.pofile(str(ROOT / "locale/fa/LC_MESSAGES/django.po"))
    }


def test_the_texts_are_found_at_all():
    found = texts()

    assert ("Write a message", None) in found  # of a template
    assert ("%(count)s member", "%(count)s members") in found  # of a template, with a count
    assert ("Message to %(name)s", None) in found  # of a template, with a name
    assert ("The name or the password is wrong.", None) in found  # of a module
    assert ("%(count)s new message", "%(count)s new messages") in found  # of a module


def test_every_text_is_translated(catalogue):
    missing = [
        text for text in texts() if text not in catalogue or not is_translated(catalogue[text])
    ]

    assert missing == []


def is_translated(entry):
    return "fuzzy" not in entry.flags and entry.translated()


def test_every_translation_is_in_persian(catalogue):
    latin = [
        entry.msgid
        for entry in catalogue.values()
        for text in [entry.msgstr, *entry.msgstr_plural.values()]
        if text and text == entry.msgid and entry.msgid not in SAME_IN_BOTH
    ]

    assert latin == []


def test_the_contracts_words_stay(catalogue):
    for text in CONTRACT:
        assert (text, None) not in catalogue or catalogue[text, None].msgstr == text


def test_a_translation_has_the_placeholders_of_its_text(catalogue):
    for entry in catalogue.values():
        expected = sorted(PLACEHOLDER.findall(entry.msgid))
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            if text:
                assert sorted(PLACEHOLDER.findall(text)) == expected, entry.msgid


def test_persian_letters_are_persian(catalogue):
    """Not the Arabic yeh and kaf, which look almost the same and are not found by a search."""
    for entry in catalogue.values():
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            assert not set(text) & set("يكى"), entry.msgid
