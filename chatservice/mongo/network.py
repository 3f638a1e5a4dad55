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
    loop = asyncio.get_running_loop()
    next_look: asyncio.TimerHandle | None = None

    def look() -> None:
        nonlocal next_look
        if conn.cancel_context.cancelled:
            limit.reschedule(loop.time())
        else:
            next_look = loop.call_later(_POLL_TIMEOUT, look)

    try:
        async with asyncio.timeout(seconds) as limit:
            look()
            data, op_code = await conn.conn.get_conn.read(request_id, max_message_size)
    except TimeoutError:
        if conn.cancel_context.cancelled:
            raise _OperationCancelled("operation cancelled") from None
        raise TimeoutError("timed out") from None
    finally:
        if next_look is not None:
            next_look.cancel()
    if op_code not in _UNPACK_REPLY:
        raise ProtocolError(f"Got opcode {op_code!r} but expected {_UNPACK_REPLY.keys()!r}")
    return _UNPACK_REPLY[op_code](data)


def install() -> None:
    """Have PyMongo's connections send and wait so."""
    pymongo.asynchronous.pool.async_sendall = send
    pymongo.asynchronous.pool.async_receive_message = receive
