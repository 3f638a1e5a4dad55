"""What a file is, found in its bytes. What its sender claims is never believed."""

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import filetype
from django.core.exceptions import ValidationError
from django.core.files import File
from django.utils.translation import gettext as _
from PIL import ExifTags, Image

from chatservice.languages import digits

UNKNOWN_TYPE = "application/octet-stream"

# The images that browsers show and that cannot run a script, each with the one Pillow plugin that
# gets to read it: a file never chooses the parser (of PostScript, say) that it is fed to.
INLINE_IMAGES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/bmp": "BMP",
}
ALIASES = {"image/apng": "image/png"}

# What a browser would run if it were told what it is.
ACTIVE_TYPES = {"text/html", "image/svg+xml", "application/xml"}

CHUNK_BYTES = 64 * 1024
HEAD_BYTES = 8192  # as much as the signatures need
# What text files do not hold: controls other than tab, line feed, form feed, return and escape.
CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b")) + b"\x7f"

MAX_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485


@dataclass(frozen=True)
class Content:
    """What was found: `size` in bytes, `sha256` in hex, and for images the size in pixels."""

    content_type: str
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None


def inspect(file: "File[bytes]") -> Content:
    """Read `file` through once, in chunks, and say what it is.

    Raises ValidationError for an image of more than `MAX_PIXELS`: a few kilobytes of it would cost
    everyone who looks at it gigabytes of memory.
    """
    digest = hashlib.sha256()
    text = TextCheck()
    head = b""
    size = 0
    for chunk in chunks_of(file):
        digest.update(chunk)
        text.feed(chunk)
        head = (head + chunk)[:HEAD_BYTES] if size < HEAD_BYTES else head
        size += len(chunk)

    content_type, dimensions = signature_type(head, file)
    if content_type is None:
        content_type = text_type(head) if text.holds() else UNKNOWN_TYPE
    width, height = dimensions or (None, None)
    return Content(content_type, size, digest.hexdigest(), width, height)


def chunks_of(file: "File[bytes]") -> Iterator[bytes]:
    file.seek(0)
    yield from iter(lambda: file.read(CHUNK_BYTES), b"")
    file.seek(0)


def signature_type(head: bytes, file: "File[bytes]") -> tuple[str | None, tuple[int, int] | None]:
    """The type that the first bytes speak of, and the size of an image.

    (None, None) when they speak of nothing, or of an image that cannot be read: two bytes of a
    signature are soon met by chance.
    """
    found = filetype.guess_mime(head)
    found = ALIASES.get(found, found)
    if found in INLINE_IMAGES:
        dimensions = image_size(file, INLINE_IMAGES[found])
        return (found, dimensions) if dimensions else (None, None)
    return found, None


def image_size(file: "File[bytes]", image_format: str) -> tuple[int, int] | None:
    """Width and height in pixels as people see it, or None when it is no such image.

    Pixels are not decoded.
    """
    too_large = ValidationError(
        {
            "file": _("An image may have at most %(limit)s million pixels.")
            % {"limit": digits(MAX_PIXELS // 1_000_000)}
        }
    )
    try:
        with Image.open(file, formats=[image_format]) as image:
            width, height = image.size
            turned = is_turned(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except Exception:  # Pillow's plugins raise whatever a broken file makes them trip over
        return None
    finally:
        file.seek(0)
    if width * height > MAX_PIXELS:
        raise too_large
    return (height, width) if turned else (width, height)


def is_turned(image: Image.Image) -> bool:
    """Whether its EXIF data asks to show it turned by a quarter, as cameras do."""
    if image.format == "PNG" and "exif" not in image.info:
        return False  # Pillow would decode the whole image to look behind its pixels
    return image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)


class TextCheck:
    """Whether bytes that come in pieces are plain text: UTF-8 without control characters."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.is_text = True

    def feed(self, chunk: bytes, final: bool = False) -> None:
        if not self.is_text:
            return
        try:
            self.decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self.is_text = False
        else:
            self.is_text = len(chunk.translate(None, CONTROLS)) == len(chunk)

    def holds(self) -> bool:
        """The verdict, after the last piece."""
        self.feed(b"", final=True)
        return self.is_text


def text_type(head: bytes) -> str:
    """The type of a text by its beginning. One that begins with `<` is taken for markup."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if not start.startswith(b"<"):
        return "text/plain"
    if not start.startswith((b"<!doctype html", b"<html")):
        if re.search(rb"<(\w+:)?svg\b", start):
            return "image/svg+xml"
        if start.startswith(b"<?xml"):
            return "application/xml"
    return "text/html"
