"""An empty store for each test."""

import os
import shutil
from pathlib import Path

import pytest

UPLOADS = Path(os.environ["DATA_DIR"]) / "uploads"


@pytest.fixture(autouse=True)
def _empty_store():
    shutil.rmtree(UPLOADS, ignore_errors=True)


def stored_files():
    """The files in the store, as paths."""
    return [path for path in UPLOADS.rglob("*") if path.is_file()]
