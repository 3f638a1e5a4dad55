"""Uploads: what is known of a file. Its bytes are in Django's default storage."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import quote

from bson import ObjectId
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chatservice.mongo.models import Document
from chatservice.timestamps import now

from . import visibility
from .content import ACTIVE_TYPES, INLINE_IMAGES
from .names import MAX_NAME_BYTES

if TYPE_CHECKING:
    from accounts.models import User


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: "User", *, among: Collection[ObjectId]) -> "UploadQuerySet":
        """Of the uploads with the ids `among`, those that `user` owns or that a rule shows."""
        shown = visibility.shown_to(user, among)
        return self.filter(Q(owner=user) | Q(pk__in=shown), pk__in=among)


class Upload(Document):
    """A file that somebody uploaded. Never changed after it was stored."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="uploads",
        db_index=False,
        verbose_name=_("owner"),
    )
    name = models.CharField(
        _("name"), max_length=MAX_NAME_BYTES, help_text=_("The cleaned name of the original file.")
    )
    storage_name = models.CharField(_("name in the store"), max_length=200, editable=False)
    content_type = models.CharField(
        _("type"), max_length=100, help_text=_("The media type, found in the content.")
    )
    size = models.BigIntegerField(_("size"), help_text=_("In bytes."))
    sha256 = models.CharField(_("SHA-256"), max_length=64, help_text=_("Of the content, in hex."))
    width = models.IntegerField(_("width"), null=True, blank=True, help_text=_("In pixels."))
    height = models.IntegerField(_("height"), null=True, blank=True, help_text=_("In pixels."))
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [
            models.UniqueConstraint(fields=["storage_name"], name="media_upload_storage_name"),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="media_upload_owner"),
            models.Index(fields=["-created_at"], name="media_upload_created"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def file_url(self) -> str:
        """Where those who may see it fetch it; root-relative, with the name percent-encoded."""
        return f"/media/{self.pk}/{quote(self.name, safe='')}"

    @property
    def is_inline(self) -> bool:
        """Whether a browser may show it in place of saving it: nothing that could run a script."""
        kind = self.content_type.partition("/")[0]
        return (
            self.content_type in INLINE_IMAGES
            or kind in ("audio", "video")
            or self.content_type == "text/plain"
        )

    @property
    def served_type(self) -> str:
        """The Content-Type it is sent with. What could run a script is not called by its name."""
        if self.content_type == "text/plain":
            return "text/plain; charset=utf-8"
        if self.content_type in ACTIVE_TYPES:
            return "application/octet-stream"
        return self.content_type

    def open(self) -> "File[bytes]":
        """Its bytes, to read. Raises FileNotFoundError when the store has lost them."""
        return default_storage.open(self.storage_name)
