"""PyMongo's waits, in the task that calls: they can be cancelled at any moment, and cost little.

Its coroutines wait for conditions with `asyncio.wait_for`, which before Python 3.12 waits in a task
of its own. Whoever is cancelled while that task is being ended leaves it behind; it then takes the
condition's lock, for nobody, and every later operation of the process waits for it for ever. We do
cancel: a deadline passes, or a client hangs up. Seen with a MongoDB that came and went on a machine
that was busy: a process that answered nothing any more, until it was restarted.

And for each command it makes a task to write (before 3.12), one to read and one that looks from
time to time whether the connection was given up meanwhile: a third of what a short query costs.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.asynchronous.pool
import pymongo.lock
from pymongo import _csot
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.errors import ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY, _OpMsg
from pymongo.network_layer import _POLL_TIMEOUT, MAX_MESSAGE_SIZE, PyMongoProtocol

T = TypeVar("T")


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
    """`asyncio.wait_for` as it is since Python 3.12: it waits in the task that calls it."""
    async with asyncio.timeout(timeout):
        return await awaitable


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
    """Have PyMongo's own waits done so."""
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = wait_for
    pymongo.asynchronous.pool.async_sendall = send
    pymongo.asynchronous.pool.async_receive_message = receive
