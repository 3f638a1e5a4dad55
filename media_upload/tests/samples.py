"""Files to upload: small real ones, and hostile ones."""

import io
import struct
import zlib

from PIL import Image

SCRIPT = b"<html><script>alert(document.cookie)</script></html>"


def image(image_format, size=(30, 20), **options):
    """The bytes of a plain red image."""
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, image_format, **options)
    return file.getvalue()


def photo_held_upright():
    """A JPEG of 30 by 20 pixels with the note that it is to be turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return image("JPEG", exif=exif)


def pixel_bomb(width, height):
    """A PNG of a few bytes that claims to be this large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
