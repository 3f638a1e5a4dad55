"""The one client: who shares it, what it survives, and what it says when the server is gone."""

import asyncio
import os
import signal
import subprocess
import tempfile
import threading
import uuid

import pytest
from bson import ObjectId
from django.contrib.auth.models import Group
from django.core.signals import request_finished
from django.db import (
    DataError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from pymongo import MongoClient

from chatservice.mongo.base import DatabaseWrapper
from chatservice.mongo.client import async_collection, client_options, database
from chatservice.mongo.embedded import _find_mongod

FRAIL = "frail"


@pytest.fixture
def engine(db):
    """A group to read, and the connections of this test's own thread."""
    Group.objects.create(name="readers")


def in_thread(work):
    """What `work` returns when it runs in a new thread."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(30)
    return results[0]


def in_fork(work):
    """Whether `work` returns something true in a forked process."""
    child = os.fork()
    if child == 0:
        outcome = 1
        try:
            outcome = 0 if work() else 1
        finally:
            os._exit(outcome)  # without pytest's own end
    return os.waitpid(child, 0)[1] == 0


def test_one_client_for_all_threads(engine):
    assert in_thread(lambda: database().client) is database().client
    assert in_thread(lambda: list(Group.objects.values_list("name", flat=True))) == ["readers"]


def test_client_survives_the_end_of_a_request(engine):
    client = database().client
    connection.close()
    assert Group.objects.exists()
    request_finished.send(sender=None)
    assert Group.objects.exists()
    assert database().client is client


def test_client_survives_an_error(engine):
    with pytest.raises(IntegrityError):
        Group.objects.create(name="readers")
    connection.close_if_unusable_or_obsolete()
    assert Group.objects.exists()


def test_fork_gets_a_client_of_its_own(engine):
    parent = database().client
    assert in_fork(lambda: Group.objects.exists() and database().client is not parent)
    assert Group.objects.exists()
    assert database().client is parent


def test_coroutines_share_the_data(engine):
    async def names():
        groups = async_collection("auth_group")
        assert async_collection("auth_group") is groups
        assert async_collection("auth_user").database.client is groups.database.client
        return [group["name"] async for group in groups.find()]

    assert asyncio.run(names()) == ["readers"]
    assert asyncio.run(names()) == ["readers"]  # on another loop: another client


def test_writes_wait_for_the_journal():
    concern = database().write_concern.document
    assert (concern["w"], concern["j"]) == ("majority", True)
    assert database().codec_options.tz_aware


def test_uri_wins_over_settings_and_these_over_defaults():
    options = client_options(
        {
            "CLIENT": {
                "host": "mongodb://localhost/?sockettimeoutms=7",
                "socketTimeoutMS": 8,
                "connectTimeoutMS": 9,
            }
        }
    )
    assert "socketTimeoutMS" not in options
    assert options["connectTimeoutMS"] == 9
    assert options["serverSelectionTimeoutMS"] == 3_000


def test_duplicate_key_is_an_integrity_error_in_mongodbs_words(engine):
    with pytest.raises(IntegrityError, match=r"E11000 duplicate key.*auth_group.*readers"):
        Group.objects.create(name="readers")
    with pytest.raises(IntegrityError, match="E11000"):
        Group.objects.bulk_create([Group(name="writers"), Group(name="readers")])


def test_other_errors_keep_their_words(engine):
    with pytest.raises(DataError, match="surrogates"):
        Group.objects.create(name="\ud800")
    with (
        pytest.raises(NotSupportedError, match="djongo cannot read this SQL"),
        connection.cursor() as cursor,
    ):
        cursor.execute("EXPLAIN nonsense")


def test_sql_text_goes_through_djongo(engine):
    with connection.cursor() as cursor:
        cursor.execute('SELECT "auth_group"."name" FROM "auth_group" LIMIT 5')
        assert cursor.fetchall() == [("readers",)]


def test_atomic_rolls_nothing_back_but_holds_callbacks_back(engine):
    called = []

    @transaction.atomic
    def fail_after_writing():
        Group.objects.create(name="stays")
        transaction.on_commit(lambda: called.append("failed"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    assert Group.objects.filter(name="stays").exists()
    with transaction.atomic():
        transaction.on_commit(lambda: called.append("done"))
    assert called == ["done"]
    assert not connection.features.supports_transactions


def test_older_server_is_refused_in_one_line(engine, monkeypatch):
    monkeypatch.setattr(DatabaseWrapper.features_class, "minimum_database_version", (99,))
    wrapper = DatabaseWrapper(connection.settings_dict, alias="another")
    with pytest.raises(NotSupportedError, match=r"^MongoDB 99 or later is required \(found \d"):
        wrapper.ensure_connection()


def test_queries_are_logged_as_one_would_type_them(engine, django_assert_num_queries):
    with django_assert_num_queries(1) as log:
        Group.objects.get(name="readers")
    assert log[0]["sql"].startswith('db.auth_group.aggregate([{"$match": {"name": {"$eq": "readers')


class FrailServer:
    """A MongoDB that a test may stop, hold and start again."""

    def __init__(self, directory):
        self.directory = directory
        self.uri = f"mongodb://{directory.replace('/', '%2F')}%2Fmongodb-27017.sock"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [
                *[_find_mongod(), "--dbpath", self.directory, "--port", "27017"],
                *["--bind_ip", f"{self.directory}/mongodb-27017.sock"],
                *["--unixSocketPrefix", self.directory, "--wiredTigerCacheSizeGB", "0.25"],
            ],
            stdout=subprocess.DEVNULL,
        )
        with MongoClient(self.uri, serverSelectionTimeoutMS=30_000) as client:
            client.admin.command("ping")

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def frail(django_db_blocker):
    """The server; the alias `frail` is a database on it."""
    with tempfile.TemporaryDirectory(prefix="mongo-") as directory:
        server = FrailServer(directory)
        server.start()
        connections.settings[FRAIL] = connections.settings["default"] | {
            "NAME": f"frail_{uuid.uuid4().hex}",
            "EMBEDDED_DIR": None,
            "CLIENT": {
                "host": server.uri,
                "socketTimeoutMS": 500,
                "serverSelectionTimeoutMS": 1_000,
            },
        }
        with django_db_blocker.unblock():
            yield server
            connections[FRAIL].close()
        del connections[FRAIL], connections.settings[FRAIL]
        server.stop()


@pytest.mark.faults
def test_server_that_is_down_and_comes_back(frail):
    groups = Group.objects.using(FRAIL)
    groups.create(name="readers")
    frail.stop()
    with pytest.raises(OperationalError):
        groups.exists()
    with pytest.raises(OperationalError):
        groups.create(name="writers")
    connections[FRAIL].close()
    with pytest.raises(OperationalError):
        groups.exists()
    frail.start()
    assert groups.exists()


@pytest.mark.faults
def test_server_that_hangs_and_goes_on(frail):
    groups = Group.objects.using(FRAIL)
    groups.create(name="readers")
    os.kill(frail.process.pid, signal.SIGSTOP)
    os.waitpid(frail.process.pid, os.WUNTRACED)  # until it has stopped
    try:
        with pytest.raises(OperationalError):
            groups.exists()
    finally:
        os.kill(frail.process.pid, signal.SIGCONT)
    assert groups.exists()


def test_native_and_orm_share_documents(engine):
    database()["auth_group"].insert_one({"id": 77, "name": "native"})
    assert Group.objects.get(pk=77).name == "native"
    stored = database()["auth_group"].find_one({"name": "readers"})
    assert stored.keys() == {"_id", "id", "name"}
    assert isinstance(stored["_id"], ObjectId)
