"""Commands of the hot path, by a short way through PyMongo: on the event loop, with no session.

PyMongo's own methods make a session, a cursor, and objects that would try again, for each command;
for a short question that is more than half of its price. What matters stays PyMongo's: the choice
of the server, the connections and their limits, and what is done when one breaks.

All of it goes to the primary, whatever the URI says about reading: it decides who may do what.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ConnectionFailure, ServerSelectionTimeoutError, WriteConcernError

Document = dict[str, Any]

FIRST_BATCH = 1_000
"""Documents in one piece of an answer; MongoDB itself ends a piece at 16 MiB."""

logger = logging.getLogger(__name__)


async def find(
    collection: AsyncCollection[Document],
    query: Mapping[str, Any],
    projection: Mapping[str, Any] | None = None,
    *,
    sort: Mapping[str, int] | None = None,
    limit: int = 0,
) -> list[Document]:
    """The documents that a query finds; all of them with a `limit` of 0. As the method `find`."""
    command: Document = {"find": collection.name, "filter": query, "batchSize": FIRST_BATCH}
    if projection is not None:
        command["projection"] = projection
    if sort is not None:
        command["sort"] = sort
    if limit:
        command["limit"] = limit
    return await _ask(collection, command)


async def aggregate(
    collection: AsyncCollection[Document], pipeline: Sequence[Mapping[str, Any]]
) -> list[Document]:
    """What comes out of a pipeline that only reads. As the method `aggregate`."""
    cursor = {"batchSize": FIRST_BATCH}
    command = {"aggregate": collection.name, "pipeline": pipeline, "cursor": cursor}
    return await _ask(collection, command)


async def write(
    collection: AsyncCollection[Document], command: str, **arguments: Any
) -> list[Document]:
    """Run a write command, as durably as the collection's write concern asks; returns the refusals.

    It is not tried again, and not divided if it is too long: whoever calls this does so itself.
    """
    concern = collection.write_concern.document
    document = {command: collection.name, **arguments, "writeConcern": concern}
    async with await _connection(collection, command) as connection:
        reply = await _run(connection, collection, document)
    if failure := reply.get("writeConcernError"):
        raise WriteConcernError(failure.get("errmsg", ""), failure.get("code"), failure)
    return reply.get("writeErrors") or []


async def _ask(collection: AsyncCollection[Document], command: Document) -> list[Document]:
    """All documents of an answer. Asked again, once, when the connection turns out to be gone."""
    if level := collection.read_concern.document:
        command["readConcern"] = level
    try:
        return await _ask_once(collection, command)
    except ServerSelectionTimeoutError:
        raise
    except ConnectionFailure:
        if not collection.database.client.options.retry_reads:
            raise
        return await _ask_once(collection, command)


async def _ask_once(collection: AsyncCollection[Document], command: Document) -> list[Document]:
    async with await _connection(collection, next(iter(command))) as connection:
        cursor = (await _run(connection, collection, {**command}))["cursor"]
        found: list[Document] = cursor["firstBatch"]
        while cursor["id"]:
            following = {"getMore": cursor["id"], "collection": collection.name}
            cursor = (await _run(connection, collection, following))["cursor"]
            found += cursor["nextBatch"]
    return found


async def _connection(collection: AsyncCollection[Document], name: str) -> Any:
    """A connection to the primary, as a context manager that deals with what is raised in it."""
    return await collection.database.client._conn_for_writes(None, name)


async def _run(
    connection: Any, collection: AsyncCollection[Document], command: Document
) -> Document:
    """The reply, or what PyMongo raises for it; a broken connection is closed by that."""
    database = collection.database
    options = collection.codec_options
    return await connection.command(
        database.name, command, codec_options=options, client=database.client
    )
