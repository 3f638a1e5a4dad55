"""The process's connections to MongoDB: one client for each URI, shared by the ORM and native code.

A `MongoClient` is a connection pool that is safe between threads and finds a lost server again by
itself, so nothing here is ever closed by Django's request cycle. It is not safe across a fork.
"""

import asyncio
import atexit
import os
import threading
import weakref
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import DEFAULT_DB_ALIAS, connections
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.database import Database

from . import waiting

DEFAULT_URI = "mongodb://localhost:27017"

# A server that is down is reported within 5 seconds; one that hangs, within about 15. The URI and
# DATABASES["default"]["CLIENT"] may say otherwise.
DEFAULT_OPTIONS = {
    "appname": "chatservice",
    "tz_aware": True,
    "uuidRepresentation": "standard",
    "w": "majority",  # an acknowledgement means: stored, and not rolled back by a failover
    "journal": True,
    "wTimeoutMS": 10_000,
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 2_000,
    "socketTimeoutMS": 10_000,
    "heartbeatFrequencyMS": 5_000,
}

waiting.install()

_clients: dict[str, MongoClient] = {}
_async_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AsyncMongoClient]]
_async_clients = weakref.WeakKeyDictionary()
_async_collections: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[str, str, str], AsyncCollection]
]
_async_collections = weakref.WeakKeyDictionary()
_inherited: list[object] = []
_lock = threading.Lock()


def database(alias: str = DEFAULT_DB_ALIAS) -> Database:
    """The database behind `alias`, on this process's one client. Does not wait for the server."""
    settings = connections.settings[alias]
    return client_for(settings)[settings["NAME"]]


def async_collection(name: str, alias: str = DEFAULT_DB_ALIAS) -> AsyncCollection:
    """A collection of the same database for coroutines, on the running event loop's one client.

    The same object each time: to make one costs nearly a tenth of what a short question costs here.
    Raises RuntimeError where no event loop runs.
    """
    settings = connections.settings[alias]
    source, database_name = source_of(settings), settings["NAME"]
    made = _async_collections.setdefault(asyncio.get_running_loop(), {})
    collection = made.get((source, database_name, name))
    if collection is None:
        client = _async_client_for(source, settings)
        collection = made[source, database_name, name] = client[database_name][name]
    return collection


def _async_client_for(source: str, settings: dict[str, Any]) -> AsyncMongoClient:
    clients = _async_clients.setdefault(asyncio.get_running_loop(), {})
    if source not in clients:
        clients[source] = AsyncMongoClient(**client_options(settings))
    return clients[source]


def client_for(settings: dict[str, Any]) -> MongoClient:
    """This process's client for one entry of `DATABASES`."""
    source = source_of(settings)
    client = _clients.get(source)
    if client is None:
        with _lock:
            client = _clients.get(source)
            if client is None:
                client = MongoClient(**client_options(settings), connect=False)
                _clients[source] = client
    return client


def source_of(settings: dict[str, Any]) -> str:
    """What tells one server from another: its URI, or the directory of the embedded one."""
    return str(
        settings.get("EMBEDDED_DIR") or (settings.get("CLIENT") or {}).get("host") or DEFAULT_URI
    )


def client_options(settings: dict[str, Any]) -> dict[str, Any]:
    """The client's keyword arguments. The URI wins over `CLIENT`, and that over our defaults.

    Starts the embedded server first, where that is the one to use.
    """
    if directory := settings.get("EMBEDDED_DIR"):
        from .embedded import ensure_running

        uri = ensure_running(directory)
    else:
        uri = source_of(settings)
    options = DEFAULT_OPTIONS | (settings.get("CLIENT") or {})
    in_uri = {name.lower() for name, _ in parse_qsl(urlsplit(uri).query)}
    options = {name: value for name, value in options.items() if name.lower() not in in_uri}
    return options | {"host": uri}


def _close_all() -> None:
    for client in _clients.values():
        client.close()


def _start_afresh() -> None:
    """Leave the parent's sockets to the parent: a reply read here would be missing there."""
    global _lock
    _lock = threading.Lock()
    # Kept, because collecting a client closes its sessions on the server, which are the parent's.
    _inherited.extend([*_clients.values(), *_async_clients.values()])
    _clients.clear()
    _async_clients.clear()
    _async_collections.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_start_afresh)
