"""`manage.py check_uploads`: whether the store and the database know the same files."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.core.files.storage import Storage, default_storage
from django.core.management.base import BaseCommand

from chatservice.timestamps import now
from media_upload import actions
from media_upload.models import Upload

# An upload's bytes are stored before its document: younger ones may be about to get theirs.
GRACE = timedelta(hours=1)
BATCH = 500


class Command(BaseCommand):
    help = (
        "Count the uploads, the bytes in the store that belong to none, and the uploads whose "
        "bytes are gone. With --repair, remove stray bytes that are older than an hour."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--repair", action="store_true", help="Remove the stray bytes. Documents are kept."
        )

    def handle(self, *, repair, **options):
        strays = list(stray_names(default_storage))
        lost = list(lost_uploads(default_storage))
        removed = 0
        for name in strays if repair else ():
            if is_old(default_storage, name):
                actions.remove_bytes(name)
                removed += 1

        self.stdout.write(f"Uploads: {Upload.objects.count()}")
        self.stdout.write(f"Bytes without an upload: {len(strays)}, removed: {removed}")
        self.stdout.write(f"Uploads without their bytes: {len(lost)}")
        for upload in lost:
            self.stdout.write(f"  {upload.pk} {upload.name} of {upload.owner}")


def is_old(storage: Storage, name: str) -> bool:
    """Whether a stray file is left over for good: an upload that is deleted just now is not."""
    try:
        return now() - storage.get_modified_time(name) > GRACE
    except FileNotFoundError:
        return False


def stray_names(storage: Storage) -> Iterator[str]:
    """The files of `storage` that no upload names."""
    names = stored_names(storage)
    while batch := list(islice(names, BATCH)):
        known = Upload.objects.filter(storage_name__in=batch)
        yield from set(batch) - set(known.values_list("storage_name", flat=True))


def stored_names(storage: Storage) -> Iterator[str]:
    """The names of all files in the directories that `actions.storage_name` makes."""
    try:
        directories, _ = storage.listdir("")
    except FileNotFoundError:  # nothing was ever stored
        return
    for directory in directories:
        _, names = storage.listdir(directory)
        yield from (f"{directory}/{name}" for name in names)


def lost_uploads(storage: Storage) -> Iterator[Upload]:
    """The uploads whose bytes are not in `storage`."""
    for upload in Upload.objects.select_related("owner").iterator(chunk_size=BATCH):
        if not storage.exists(upload.storage_name):
            yield upload
