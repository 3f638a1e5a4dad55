"""The models of `shapes`, with the same data, on MongoDB and in an SQLite in memory."""

import pytest
from django.db import connections

MONGO, SQLITE = "default", "shapes_sqlite"


@pytest.fixture(scope="package")
def shapes(django_db_setup, django_db_blocker):
    """Both engines, migrated and filled. What is made goes away with the tests."""
    from .shapes.data import load  # not before Django is set up
    from .shapes.models import MODELS

    configured = connections.configure_settings(
        {
            "default": {},
            SQLITE: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        }
    )
    connections.settings[SQLITE] = configured[SQLITE]
    with django_db_blocker.unblock():
        for alias in (MONGO, SQLITE):
            with connections[alias].schema_editor() as editor:
                for model in MODELS:
                    editor.create_model(model)
            load(alias)
        yield
        for alias in (MONGO, SQLITE):
            with connections[alias].schema_editor() as editor:
                for model in reversed(MODELS):
                    editor.delete_model(model)
    # Tests that run in parallel may come back here: Django does not close a database in memory.
    del connections[SQLITE]
    del connections.settings[SQLITE]


@pytest.fixture
def engines(shapes, django_db_blocker):
    """The aliases of the two engines, for a test that only reads."""
    from .shapes.data import load
    from .shapes.models import Person

    with django_db_blocker.unblock():
        if not Person.objects.using(MONGO).exists():  # emptied by a test of another kind
            load(MONGO)
        yield MONGO, SQLITE


@pytest.fixture
def writable_engines(engines):
    """The same for a test that writes; the data is put back after it."""
    from .shapes.data import load

    yield engines
    for alias in engines:
        load(alias)
