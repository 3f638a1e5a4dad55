"""A secret key that is made once and then stays."""

import contextlib
import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key

FILE_NAME = "secret_key"


def generated_secret_key(directory: Path) -> str:
    """The key kept in `directory`, made there (with mode 600) by whoever asks first.

    Of several processes that ask at once, one makes the key and all get that one: `link` refuses to
    replace a file, and a file that is linked is already complete. Raises OSError where `directory`
    cannot be written to.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / FILE_NAME
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=directory, prefix=".secret_key-")  # mode 600
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(get_random_secret_key())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was faster
                os.link(draft, path)
        finally:
            os.unlink(draft)
    return path.read_text(encoding="ascii").strip()
