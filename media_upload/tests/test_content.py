"""Content: what a file is, by its bytes alone."""

import hashlib
import io
import re

import pytest
from django.core.exceptions import ValidationError
from django.core.files import File
from hypothesis import given
from hypothesis import strategies as st

from chatservice.tests.properties import quick, texts
from media_upload import content
from media_upload.content import CONTROLS, UNKNOWN_TYPE, Content, TextCheck, inspect, text_type

from . import samples


def inspected(data):
    """Return what inspecting a file of these bytes finds; assert that it was rewound."""
    file = File(io.BytesIO(data))
    found = inspect(file)
    assert file.tell() == 0
    return found


def type_of(data):
    return inspected(data).content_type


@pytest.mark.parametrize("data", [b"", b"hello", bytes(200_000), "سلام".encode() * 40_000])
def test_size_and_digest_are_those_of_all_bytes(data):
    found = inspected(data)

    assert (found.size, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (found.width, found.height) == (None, None)


# Images


@pytest.mark.parametrize(
    ("image_format", "content_type"), [(name, kind) for kind, name in content.INLINE_IMAGES.items()]
)
def test_an_image_has_its_type_and_size(image_format, content_type):
    data = samples.image(image_format, size=(30, 20))

    assert inspected(data) == Content(
        content_type, len(data), hashlib.sha256(data).hexdigest(), width=30, height=20
    )


def test_a_photo_is_as_wide_as_people_see_it():
    found = inspected(samples.photo_held_upright())

    assert (found.content_type, found.width, found.height) == ("image/jpeg", 20, 30)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_an_image_is_known_by_its_beginning(image_format):
    data = samples.image(image_format, size=(30, 20))
    found = inspected(data[: len(data) // 2] + bytes(200_000))

    assert content.INLINE_IMAGES[found.content_type] == image_format
    assert (found.width, found.height) == (30, 20)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("width", "height", "is_allowed"),
    [
        (1, content.MAX_PIXELS, True),
        (content.MAX_PIXELS, 1, True),
        (content.MAX_PIXELS + 1, 1, False),
        (10_000, 9_000, False),
        (50_000, 50_000, False),
        (2**31 - 1, 2**31 - 1, False),
    ],
)
def test_an_image_has_so_many_pixels_and_no_more(width, height, is_allowed):
    bomb = samples.pixel_bomb(width, height)
    if is_allowed:
        assert (inspected(bomb).width, inspected(bomb).height) == (width, height)
        return
    with pytest.raises(ValidationError) as refused:
        inspected(bomb)
    assert "million pixels" in refused.value.message_dict["file"][0]


@pytest.mark.parametrize(
    "signature",
    [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"BM"],
    ids=["png", "jpeg", "gif", "webp", "bmp"],
)
def test_a_signature_alone_makes_no_image(signature):
    found = inspected(signature + samples.SCRIPT)

    assert not found.content_type.startswith("image/")
    assert (found.width, found.height) == (None, None)


# Other types


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", "text/plain"),
        ("سلام دنیا\n".encode(), "text/plain"),
        (b"tab\tline\r\nform\fescape\x1b[0m", "text/plain"),
        (b"\xef\xbb\xbfwith a byte order mark", "text/plain"),
        (b"BMW is a make of cars", "text/plain"),
        (b"a < b", "text/plain"),
        ("café".encode("latin-1"), UNKNOWN_TYPE),
        (b"cut \xd8", UNKNOWN_TYPE),
        (b"text\0text", UNKNOWN_TYPE),
        (b"bell\a", UNKNOWN_TYPE),
        (b"delete\x7f", UNKNOWN_TYPE),
        (b"a" * 100_000 + b"\0", UNKNOWN_TYPE),
        ("é".encode() * 100_000, "text/plain"),
        (b"%PDF-1.7\n%abc", "application/pdf"),
        (samples.image("GIF") + samples.SCRIPT, "image/gif"),
        (b"ID3\x04" + bytes(60), "audio/mpeg"),
        (b"OggS" + bytes(60), "audio/ogg"),
        (b"PK\x03\x04" + bytes(60), "application/zip"),
        (samples.SCRIPT, "text/html"),
    ],
    ids=[
        *("empty", "persian", "controls-of-texts", "bom", "bitmap-like", "less-than"),
        *("latin-1", "cut", "nul", "bell", "delete", "late-nul", "across-chunks"),
        *("pdf", "gif-with-html", "mp3", "ogg", "zip", "html"),
    ],
)
def test_the_type_is_what_the_bytes_are(data, content_type):
    assert type_of(data) == content_type


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"text", "text/plain"),
        (b"", "text/plain"),
        (b"text <html>", "text/plain"),
        (b"<html><svg/></html>", "text/html"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><title>x</title>", "text/html"),
        (b"<!doctype HTML><svg/>", "text/html"),
        (b"<b>bold</b>", "text/html"),
        (b"<", "text/html"),
        (b"<svg xmlns='x'/>", "image/svg+xml"),
        (b" \n<SVG>", "image/svg+xml"),
        (b"<!-- x --><svg/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><!-- x --><s:svg/>", "image/svg+xml"),
        (b"<?xml version='1.0'?><a/>", "application/xml"),
        (b"<svgs/>", "text/html"),
    ],
    ids=ascii,
)
def test_a_text_is_markup_if_it_begins_like_it(head, content_type):
    assert text_type(head) == content_type


def test_the_types_that_browsers_run_are_not_shown_in_place():
    assert not content.ACTIVE_TYPES & content.INLINE_IMAGES.keys()
    assert sorted(content.ACTIVE_TYPES) == ["application/xml", "image/svg+xml", "text/html"]


# Any bytes


def is_text(data):
    """Whether bytes are text, seen as a whole."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not set(data) & set(CONTROLS)


some_bytes = st.one_of(
    st.binary(max_size=60),
    texts(max_size=40).map(str.encode),
    texts(max_size=40).map(lambda text: re.sub(r"[\x00-\x1f\x7f]", "", text).encode()),
)


@quick
@given(st.lists(some_bytes, max_size=6), st.lists(st.integers(0, 200), max_size=8))
def test_text_is_text_in_whatever_pieces_it_comes(parts, cuts):
    data = b"".join(parts)
    check, start = TextCheck(), 0
    for end in [*sorted(cuts), len(data)]:
        check.feed(data[start:end])
        start = max(start, end)

    assert check.holds() == is_text(data)


SIGNATURES = [
    *(samples.image(name)[:40] for name in content.INLINE_IMAGES.values()),
    *(
        b"%PDF",
        b"PK\x03\x04",
        b"ID3",
        b"OggS",
        b"<",
        b"<?xml",
        b"\x1f\x8b",
        b"MZ",
        b"\x7fELF",
        b"8BPS",
    ),
]


@quick
@given(st.one_of(st.just(b""), st.sampled_from(SIGNATURES)), some_bytes)
def test_any_file_has_a_type_or_is_refused(head, data):
    try:
        found = inspected(head + data)
    except ValidationError:
        return

    assert re.fullmatch(r"[\w.+-]+/[\w.+-]+", found.content_type)
    assert found.size == len(head + data)
    assert (found.width is None) == (found.height is None)
    assert (found.content_type in content.INLINE_IMAGES) == (found.width is not None)
    if found.content_type.startswith("text/"):
        assert is_text(head + data)
