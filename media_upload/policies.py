"""What one may do with an upload. Seeing it is `Upload.objects.visible_to`."""

from django.core.exceptions import PermissionDenied

from accounts.models import User

from .models import Upload


def can_delete_upload(user: User, upload: Upload) -> bool:
    return user.pk == upload.owner_id or user.has_perm("media_upload.delete_upload")


def require(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied
