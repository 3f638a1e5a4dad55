"""`manage.py check_uploads`: what a crash left over is counted, and removed on request."""

import os
import time
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from media_upload import actions
from media_upload.models import Upload

HOUR = 3600


@pytest.fixture
def upload(alice):
    return actions.store_upload(actor=alice.user, file=ContentFile(b"kept", "kept.txt"))


def stray(age):
    """Bytes in the store without a document, `age` seconds old."""
    name = default_storage.save("ab/0123456789ab-left.txt", ContentFile(b"left over"))
    written = time.time() - age
    os.utime(default_storage.path(name), (written, written))
    return name


def check_uploads(*options):
    output = StringIO()
    call_command("check_uploads", *options, stdout=output)
    return output.getvalue().splitlines()


def test_a_store_in_order(upload):
    assert check_uploads("--repair") == [
        "Uploads: 1",
        "Bytes without an upload: 0, removed: 0",
        "Uploads without their bytes: 0",
    ]
    assert upload.open().read() == b"kept"


def test_an_empty_store(alice):
    assert check_uploads()[0] == "Uploads: 0"


def test_strays_are_counted_and_kept(upload):
    name = stray(age=2 * HOUR)

    assert check_uploads()[1] == "Bytes without an upload: 1, removed: 0"
    assert default_storage.exists(name)


def test_strays_are_removed_on_request(upload):
    name = stray(age=2 * HOUR)

    assert check_uploads("--repair")[1] == "Bytes without an upload: 1, removed: 1"
    assert not default_storage.exists(name)
    assert upload.open().read() == b"kept"


def test_bytes_that_may_be_about_to_get_their_document_stay(upload):
    name = stray(age=HOUR - 60)

    assert check_uploads("--repair")[1] == "Bytes without an upload: 1, removed: 0"
    assert default_storage.exists(name)


def test_lost_bytes_are_named_and_their_document_stays(alice, upload):
    default_storage.delete(upload.storage_name)

    assert check_uploads("--repair")[2:] == [
        "Uploads without their bytes: 1",
        f"  {upload.pk} kept.txt of {alice.user}",
    ]
    assert Upload.objects.filter(pk=upload.pk).exists()
