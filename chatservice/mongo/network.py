"""Sending to MongoDB, and waiting for its answer, in the task that asks.

For each command PyMongo makes a task to write (before Python 3.12), one to read and one that looks
from time to time whether the connection was given up meanwhile: a third of what a short query
costs. This rests on names of PyMongo's that are not public; where they are not there, `waiting`
does without.
"""

import asyncio
import time

import pymongo.asynchronous.pool
from pymongo import _csot
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.errors import ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY, _OpMsg
from pymongo.network_layer import _POLL_TIMEOUT, MAX_MESSAGE_SIZE, PyMongoProtocol


async def send(conn: PyMongoProtocol, buf: bytes) -> None:
    """Write a message to a connection. It never waits: the transport has room for the longest."""
    await conn.write(buf)


async def receive(
    conn: AsyncConnection, request_id: int | None, max_message_size: int = MAX_MESSAGE_SIZE
) -> _OpMsg:
    """The next message of a connection, or whatever PyMongo's own would raise.

    `TimeoutError` when its time, or that of the operation, is over; `_OperationCancelled` soon
    after PyMongo has given the server up.
    """
    seconds = conn.conn.gettimeout or None
    if _csot.get_timeout():
        seconds = max(_csot.get_deadline() - time.monotonic(), 0)
    watch: Watch | None = None
    try:
        async with asyncio.timeout(seconds) as limit:
            watch = Watch(conn, limit)
            data, op_code = await conn.conn.get_conn.read(request_id, max_message_size)
    except TimeoutError:
        if conn.cancel_context.cancelled:
            raise _OperationCancelled("operation cancelled") from None
        raise TimeoutError("timed out") from None
    finally:
        if watch is not None:
            watch.end()
    if op_code not in _UNPACK_REPLY:
        raise ProtocolError(f"Got opcode {op_code!r} but expected {_UNPACK_REPLY.keys()!r}")
    return _UNPACK_REPLY[op_code](data)


class Watch:
    """Looks from time to time whether a connection was given up, and ends the wait for it then.

    Until its `end`, which leaves nothing behind that refers to itself: a command would otherwise
    cost a dozen objects that only the garbage collector finds, and with thousands of sockets to
    look through, a collection holds everything up for tens of milliseconds.
    """

    __slots__ = ("_conn", "_limit", "_timer")

    def __init__(self, conn: AsyncConnection, limit: asyncio.Timeout) -> None:
        self._conn = conn
        self._limit = limit
        self._look()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if self._conn.cancel_context.cancelled:
            self._limit.reschedule(loop.time())
        self._timer = loop.call_later(_POLL_TIMEOUT, self._look)

    def end(self) -> None:
        self._timer.cancel()


def install() -> None:
    """Have PyMongo's connections send and wait so."""
    pymongo.asynchronous.pool.async_sendall = send
    pymongo.asynchronous.pool.async_receive_message = receive
