"""Storing and deleting: who may, and what is left when it fails half-way."""

import errno

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError

from media_upload import actions
from media_upload.errors import StoreFull
from media_upload.models import Upload

from .conftest import stored_files


@pytest.fixture
def upload(alice):
    return actions.store_upload(actor=alice.user, file=ContentFile(b"Hello", "hello.txt"))


@pytest.mark.parametrize("person", ["alice", "moira"])
def test_owners_and_moderators_delete(request, upload, person):
    actions.delete_upload(actor=request.getfixturevalue(person).user, upload=upload)

    assert not Upload.objects.exists()
    assert not stored_files()


@pytest.mark.parametrize("person", ["bob", "carol"])
def test_nobody_else_deletes(request, upload, person):
    with pytest.raises(PermissionDenied):
        actions.delete_upload(actor=request.getfixturevalue(person).user, upload=upload)

    assert upload.open().read() == b"Hello"


def test_deleting_twice_is_harmless(alice, upload):
    actions.delete_upload(actor=alice.user, upload=upload)
    actions.delete_upload(actor=alice.user, upload=upload)


def test_a_disk_that_fills_up_while_storing_keeps_nothing(alice):
    class HalfStored(ContentFile):
        """A file that the disk has room for half of, once it was read through before."""

        def chunks(self, chunk_size=None):
            yield b"half"
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreFull):
        actions.store_upload(actor=alice.user, file=HalfStored(b"half of it", "half.txt"))

    assert not Upload.objects.exists()
    assert not stored_files()


def test_a_database_that_fails_keeps_no_bytes(alice, monkeypatch):
    def fail(self, **options):
        assert stored_files()
        raise OperationalError("no primary")

    monkeypatch.setattr(Upload, "save", fail)

    with pytest.raises(OperationalError):
        actions.store_upload(actor=alice.user, file=ContentFile(b"Hello", "hello.txt"))

    assert not stored_files()


def test_bytes_that_cannot_be_removed_do_not_keep_an_upload_visible(alice, upload, monkeypatch):
    def fail(name):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(default_storage, "delete", fail)

    actions.delete_upload(actor=alice.user, upload=upload)

    assert not Upload.objects.exists()
    assert stored_files()
