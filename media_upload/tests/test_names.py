"""File names: what is kept of the name that a file comes with."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatservice.tests.properties import HALF_SPACE, quick, texts
from media_upload.names import (
    FORBIDDEN_ON_WINDOWS,
    MAX_NAME_BYTES,
    MAX_SUFFIX_BYTES,
    NAMELESS,
    RESERVED_ON_WINDOWS,
    clean_name,
    is_printed,
)


@pytest.mark.parametrize(
    "name",
    [
        *("report.pdf", "Holiday photo.png", "archive.tar.gz", "README", "_", "a"),
        *("گزارش سال ۱۴۰۴.txt", f"می{HALF_SPACE}خواهم.txt", "日本語.txt", "👩\u200d👧.png"),
        *("50% & #1; it's.txt", "%2e%2e%2fpasswd", "&#46;&#46;&#47;passwd", "a..b", "-rf"),
        *("console.txt", "com.txt", "com10.txt", "nullable", "a.nul", "con-"),
    ],
    ids=ascii,
)
def test_a_harmless_name_stays_as_it_is(name):
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/shadow", "shadow"),
        ("C:\\autoexec.bat", "autoexec.bat"),
        ("a/b\\c/d.txt", "d.txt"),
        ("C:file.txt", "C_file.txt"),
        ("two  spaces\t.txt", "two spaces .txt"),
        ("line\nfeed\r\n.txt", "line feed .txt"),
        ("wide\u3000space\u2028.txt", "wide space .txt"),
        ("  around  ", "around"),
        (".htaccess", "htaccess"),
        ("ends in dots...", "ends in dots"),
        (f". {HALF_SPACE}.a.txt. {HALF_SPACE}", "a.txt"),
        ("zero\0byte.txt", "zerobyte.txt"),
        ("bell\a.txt", "bell.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("\u2066isolated\u2069.txt", "isolated.txt"),
        ("no\u200bspace\ufeff.txt", "nospace.txt"),
        ("private\ue000\U000f0000.txt", "private.txt"),
        ("half\ud800.txt", "half.txt"),
        ("un\u0378assigned.txt", "unassigned.txt"),
        ("what?.txt", "what_.txt"),
        ('a<b>:c|d*"e".txt', "a_b__c_d__e_.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ("question\u037e.txt", "question;.txt"),
    ],
    ids=ascii,
)
def test_what_could_mislead_or_harm_is_taken_out(sent, kept):
    assert clean_name(sent) == kept


@pytest.mark.parametrize(
    "sent",
    ["", " ", ".", "..", "....", "/", "a/", "..\\", "\0", "\u202e", f". {HALF_SPACE} .", "\ud800"],
)
def test_a_name_of_which_nothing_is_left_is_a_plain_one(sent):
    assert clean_name(sent) == NAMELESS


@pytest.mark.parametrize(
    "sent",
    [
        *("nul", "NUL", "con", "prn.txt", "Aux.tar.gz", "COM1", "com9.txt", "lpt0", "LPT3.log"),
        *("com¹", "lpt².txt", "nul .txt", "con  .txt"),
    ],
)
def test_a_device_of_windows_gets_an_underscore(sent):
    assert clean_name(sent) == "_" + re.sub(" +", " ", sent)


@pytest.mark.parametrize("sent", ["../nul", "nul.", "n\u202eul", " nul "])
def test_a_device_is_found_behind_what_is_taken_out(sent):
    assert clean_name(sent) == "_nul"


SUFFIX = "." + "s" * MAX_SUFFIX_BYTES


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x" * MAX_NAME_BYTES, "x" * MAX_NAME_BYTES),
        ("x" * (MAX_NAME_BYTES + 1), "x" * MAX_NAME_BYTES),
        ("x" * 146 + ".png", "x" * 146 + ".png"),
        ("x" * 147 + ".png", "x" * 146 + ".png"),
        ("x" * 300 + ".jpeg", "x" * 145 + ".jpeg"),
        ("س" * 200 + ".txt", "س" * 73 + ".txt"),
        ("漢" * 200, "漢" * 50),
        ("😀" * 200, "😀" * 37),
        ("é" * 74 + "xé", "é" * 74 + "x"),
        ("x" * 300 + SUFFIX, "x" * (MAX_NAME_BYTES - len(SUFFIX)) + SUFFIX),
        ("x" * 300 + SUFFIX + "s", "x" * MAX_NAME_BYTES),
        ("a." + "b" * 300, "a." + "b" * 148),
        ("x" * 145 + " " + "y" * 50 + ".png", "x" * 145 + ".png"),
        ("x" * 145 + ".y" + "z" * 50, "x" * 145 + ".y" + "z" * 3),
        ("con" + "x" * 300, "con" + "x" * 147),
    ],
    ids=[
        *("fits", "one-too-many", "suffix-fits", "suffix-one-too-many", "suffix", "two-bytes"),
        *("three-bytes", "four-bytes", "cut-in-a-letter", "longest-suffix", "no-suffix"),
        *("sentence", "space-at-the-cut", "dot-at-the-cut", "no-device"),
    ],
)
def test_a_long_name_is_cut_in_front_of_its_extension(sent, kept):
    assert clean_name(sent) == kept


@quick
@given(st.one_of(texts(surrogates=True), st.text("aé漢😀. \u200c/", max_size=250)))
def test_any_text_gives_a_safe_name(sent):
    name = clean_name(sent)

    assert 0 < len(name.encode()) <= MAX_NAME_BYTES
    assert name.strip(". ") == name
    assert not FORBIDDEN_ON_WINDOWS.search(name)
    assert not set(name) & set("/\\")
    assert not RESERVED_ON_WINDOWS.match(name)
    assert not re.search(r"[^\S ]", name)
    assert {unicodedata.category(character) for character in name}.isdisjoint(
        {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    )


@quick
@given(texts(max_size=30).filter(lambda text: all(map(is_printed, text))))
def test_a_clean_name_of_visible_characters_stays_as_it_is(sent):
    assert clean_name(clean_name(sent)) == clean_name(sent)


@quick
@given(texts(max_size=30, surrogates=True), st.sampled_from(["../", "C:\\", "/etc/", "a\\b/"]))
def test_the_path_in_front_of_a_name_does_not_matter(name, path):
    assert clean_name(path + name) == clean_name(name)
