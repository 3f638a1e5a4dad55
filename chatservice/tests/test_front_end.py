"""What holds for all style sheets, scripts and templates of the pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CSS = sorted((ROOT / "static/css").rglob("*.css"))
ADMINISTRATION_CSS = sorted((ROOT / "static/administration").rglob("*.css"))
JS = sorted((ROOT / "static/js").rglob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MAX_CSS_BYTES = 20_000
MAX_JS_BYTES = 60_000

PHYSICAL = re.compile(
    r"""(?<![\w-])(
        (margin|padding|border|scroll-margin|scroll-padding)-(top|right|bottom|left)[\w-]*
        | border-(top|bottom)-(left|right)-radius
        | (min-|max-)?(width|height) | top | right | bottom | left
        | overflow-[xy]
    )\s*:""",
    re.VERBOSE,
)
PHYSICAL_VALUE = re.compile(r"(?:text-align|float|clear)\s*:\s*(?:left|right)\b")
# One value for each side turns round with nothing; four are top, right, bottom, left.
FOUR_SIDES = re.compile(
    r"(?<![\w-])(?:margin|padding|inset|border-width)\s*:((?:\s+[^\s;()]+(?:\([^;]*?\))?){4})\s*;"
)


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.name)


def without_media_queries(css):
    return re.sub(r"@(media|container|supports)[^{]*\{", "{", css)


@named(CSS + ADMINISTRATION_CSS)
def test_a_style_sheet_knows_no_left_and_right(path):
    css = without_media_queries(path.read_text())

    assert PHYSICAL.findall(css) == []
    assert PHYSICAL_VALUE.findall(css) == []
    assert FOUR_SIDES.findall(css) == []


@pytest.mark.parametrize(
    "css", ["a { margin-left: 1px; }", "a{width:1px}", "a { text-align: right; }", "a { left: 0 }"]
)
def test_the_check_above_can_fail(css):
    assert PHYSICAL.findall(css) + PHYSICAL_VALUE.findall(css)


@named(JS)
def test_a_script_sets_no_markup(path):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text()
    )


@named(TEMPLATES)
def test_a_template_has_no_script_and_no_style_of_its_own(path):
    text = path.read_text()

    assert not re.search(r"\son\w+=", text)
    assert not re.search(r"\sstyle=|<style", text)
    for attributes in re.findall(r"<script([^>]*)>", text):
        assert " src=" in attributes or 'type="importmap"' in attributes


def test_the_pages_are_light():
    assert sum(path.stat().st_size for path in CSS) < MAX_CSS_BYTES
    assert sum(path.stat().st_size for path in JS) < MAX_JS_BYTES


def test_nothing_is_loaded_from_elsewhere():
    for path in [*CSS, *ADMINISTRATION_CSS, *TEMPLATES]:
        assert not re.search(r"(?:src|href|url\()=?[\"']?(?:https?:)?//", path.read_text()), path
