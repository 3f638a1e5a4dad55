"""The pictures of people: made small and harmless, kept in the database, shown to whom they know.

What is kept is never a byte of what was sent. The image is decoded, turned as its camera says, cut
to a square and written anew: no EXIF data (where and when it was taken), no second frame, nothing
that another program would read as something else. One of at most 256 by 256 pixels takes about ten
kilobytes, so it is a document of its own, and a backup of the database has it.
"""

import io
import secrets
import threading

from bson import ObjectId
from django.core.exceptions import ValidationError
from django.core.files import File
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from chatservice.languages import digits
from chatservice.mongo.client import database
from chatservice.realtime.loop import run
from media_upload.content import INLINE_IMAGES, inspect

from . import acquaintances
from .models import Avatar, User

SIDE = 256
"""Pixels. Twice what the largest place for it has, for sharp screens."""

MAX_PIXELS = 25_000_000
"""Decoded, an image takes four bytes for each."""

CONTENT_TYPE = "image/webp"

_decoding = threading.Lock()
"""One at a time in each process: whoever sends many large images waits, and not the memory."""


def picture_from(file: "File[bytes]") -> bytes:
    """The picture that an image file shows, as it is kept.

    Raises ValidationError, of the field `file`, for anything but an image that browsers show, and
    for one of too many pixels, which is not decoded.
    """
    content = inspect(file)
    image_format = INLINE_IMAGES.get(content.content_type)
    if image_format is None:
        raise _refused(_("Choose an image: PNG, JPEG, GIF, WebP, AVIF or BMP."))
    if (content.width or 0) * (content.height or 0) > MAX_PIXELS:
        limit = {"limit": digits(MAX_PIXELS // 1_000_000)}
        raise _refused(_("A picture may have at most %(limit)s million pixels.") % limit)
    try:
        with _decoding, Image.open(file, formats=[image_format]) as image:
            return _small_copy(image)
    except Exception:  # Pillow's plugins raise whatever a broken file makes them trip over
        raise _refused(_("This image is damaged. Choose another one.")) from None
    finally:
        file.seek(0)


def replace(user_id: ObjectId, picture: bytes | None) -> str:
    """Make it somebody's picture, or none; returns its version, empty for none.

    The new one is stored first, then it is theirs, then the old one goes. Of two that come at the
    same time, the one that is not theirs in the end is deleted by the other.
    """
    version = ""
    if picture is not None:
        version = secrets.token_urlsafe(12)
        Avatar.objects.create(user_id=user_id, version=version, content=picture)
    before = database()[User._meta.db_table].find_one_and_update(
        {"_id": user_id}, {"$set": {"avatar_version": version}}, {"avatar_version": 1}
    )
    if before and (old := before.get("avatar_version")):
        Avatar.objects.filter(version=old).delete()
    return version


def find(reader: User, user_id: ObjectId, version: str) -> Avatar | None:
    """The picture of a person, for who may see it; None if there is none, or not for the reader.

    It is for who shares a room with them, and for who knows its version: only those were told, and
    what a person said in a room stays there with their picture when they leave.
    """
    pictures = Avatar.objects.filter(user_id=user_id)
    if version and (picture := pictures.filter(version=version).first()):
        return picture
    if reader.pk != user_id and reader.pk not in run(acquaintances.of(user_id)):
        return None
    person = User.objects.filter(pk=user_id).first()
    return pictures.filter(version=person.avatar_version).first() if person else None


def _small_copy(image: Image.Image) -> bytes:
    image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is decoded no larger than needed
    image.load()
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):  # grey of 16 bits
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    mode = "RGBA" if turned.has_transparency_data else "RGB"
    square = ImageOps.fit(
        turned if turned.mode == mode else turned.convert(mode),
        (SIDE, SIDE),
        Image.Resampling.LANCZOS,
    )
    clean = Image.new(mode, square.size)  # without what came along: EXIF, comments, profiles
    clean.paste(square)
    file = io.BytesIO()
    clean.save(file, "WEBP", quality=85)
    return file.getvalue()


def _refused(complaint: str) -> ValidationError:
    return ValidationError({"file": ValidationError(complaint, code="invalid_image")})
