"""What can go wrong between a file and the store, as exact HTTP statuses."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException

from chatservice.languages import digits

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # the disk, a quota, the process's limit


def file_too_large() -> str:
    return _("The file is too large: at most %(limit)s MB can be uploaded.") % {
        "limit": digits(settings.MAX_UPLOAD_MB)
    }


class FileTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(file_too_large())


class StoreFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "store_full"
    default_detail = gettext_lazy("There is no space left for files. Nothing was kept.")


class StoreDown(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "store_down"
    default_detail = gettext_lazy("The file store does not answer. Please try again in a moment.")
    wait = 5  # seconds, for Retry-After


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise StoreFull for a full disk and StoreDown for an object store that fails."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise StoreFull from error
        raise
    except (BotoCoreError, ClientError) as error:
        raise StoreDown from error
