"""Every change to the store of files: the bytes in Django's storage and what is known of them."""

import logging

from bson import ObjectId
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from accounts.models import User
from chatservice import limits

from . import policies
from .content import inspect
from .errors import FileTooLarge, store_errors
from .models import Upload
from .names import clean_name

logger = logging.getLogger(__name__)


def store_upload(*, actor: User, file: "File[bytes]") -> Upload:
    """Keep `file`, an open seekable file with a name, as an upload of `actor`.

    Raises FileTooLarge over `MAX_UPLOAD_MB`, ValidationError (of the field `file`) for an empty
    file or an image of too many pixels, StoreFull, StoreDown. The document comes last: what fails
    half-way was never visible, and its bytes are removed.
    """
    limits.take(limits.UPLOADS, actor.pk)
    content = inspect(file)
    if content.size > settings.MAX_UPLOAD_BYTES:
        raise FileTooLarge
    if not content.size:
        raise ValidationError({"file": _("The file is empty.")})

    name = clean_name(file.name or "")
    upload = Upload(owner=actor, name=name, **vars(content))
    upload.storage_name = storage_name(upload.pk, name)
    # Object stores keep it; the sender's own is a claim.
    file.content_type = upload.served_type  # type: ignore[attr-defined]
    try:
        with store_errors():
            upload.storage_name = default_storage.save(upload.storage_name, file)
        upload.save(force_insert=True)
    except BaseException:
        remove_bytes(upload.storage_name)
        raise
    return upload


def delete_upload(*, actor: User, upload: Upload) -> None:
    """Remove `upload` and its bytes; for its owner and for those who may delete uploads."""
    policies.require(policies.can_delete_upload(actor, upload))
    Upload.objects.filter(pk=upload.pk).delete()
    remove_bytes(upload.storage_name)


def storage_name(upload_id: ObjectId, name: str) -> str:
    """A name in the store that no other upload ever has; the id's last byte spreads directories."""
    return f"{str(upload_id)[-2:]}/{upload_id}-{name}"


def remove_bytes(name: str) -> None:
    """Remove a file from the store. Never fails: `check_uploads --repair` finds what is left."""
    try:
        default_storage.delete(name)
    except Exception:
        logger.exception("The bytes of %s stay in the store until they are repaired away.", name)
