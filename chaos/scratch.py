"""A directory for a run, which is gone afterwards, however the run ends."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Waits for a line on its input that says what to do. Where the input ends before one comes, whoever
# made the directory was killed; so are the processes of the run then, in a moment.
JANITOR = """
read -r word || sleep 1
[ "$word" = kept ] || for try in 1 2 3 4 5; do rm -rf "$0" && exit; sleep 1; done
"""


class Scratch:
    """A directory under `path`, deleted in the end unless `keep` is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._janitor = subprocess.Popen(
            ["/bin/sh", "-c", JANITOR, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # it outlives Ctrl-C and us
        )

    def keep(self) -> None:
        self._tell(b"kept\n")

    def close(self) -> None:
        self._tell(b"over\n")
        self._janitor.wait()

    def _tell(self, word: bytes) -> None:
        assert self._janitor.stdin is not None
        if not self._janitor.stdin.closed:
            with contextlib.suppress(OSError):
                self._janitor.stdin.write(word)
                self._janitor.stdin.close()


@contextmanager
def scratch_directory() -> Iterator[Scratch]:
    path = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        scratch = Scratch(path)
    except BaseException:
        shutil.rmtree(path)
        raise
    try:
        yield scratch
    finally:
        scratch.close()
