"""Sending to MongoDB, and waiting for its answer, in the task that asks.

For each command PyMongo makes a task to write (before Python 3.12), one to read and one that looks
from time to time whether the connection was given up meanwhile: a third of what a short query
costs. This rests on names of PyMongo's that are not public; where they are not there, `waiting`
does without.
"""

import asyncio
import math
import time

import pymongo.asynchronous.pool
import pymongo.pool_shared
from pymongo import _csot
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.errors import ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY, _OpMsg
from pymongo.network_layer import _POLL_TIMEOUT, MAX_MESSAGE_SIZE, PyMongoProtocol

BUFFER_SIZE = 16 * 1024
"""Bytes that each connection keeps for what it reads; a longer answer gets a buffer of its own."""

HEADER_SIZE, COMPRESSION_HEADER_SIZE = 16, 9
"""Bytes of MongoDB's wire protocol."""


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
    seconds = conn.conn.gettimeout or math.inf
    if _csot.get_timeout():
        seconds = max(_csot.get_deadline() - time.monotonic(), 0)
    watch: Watch | None = None
    try:
        async with asyncio.timeout(None) as limit:
            watch = Watch(conn, limit, seconds)
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
    """Ends the wait for a connection when time is over, or soon after it was given up.

    Until its `end`, which leaves nothing behind that refers to itself: a command would otherwise
    cost a dozen objects that only the garbage collector finds, and with thousands of sockets to
    look through, a collection holds everything up for tens of milliseconds.
    """

    __slots__ = ("_conn", "_deadline", "_limit", "_loop", "_timer")

    def __init__(self, conn: AsyncConnection, limit: asyncio.Timeout, seconds: float) -> None:
        self._conn = conn
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._look_in(seconds)

    def _look_in(self, seconds: float) -> None:
        self._timer = self._loop.call_later(min(seconds, _POLL_TIMEOUT), self._look)

    def _look(self) -> None:
        left = self._deadline - self._loop.time()
        if left <= 0 or self._conn.cancel_context.cancelled:
            self._limit.reschedule(self._loop.time())
        else:
            self._look_in(left)

    def end(self) -> None:
        self._timer.cancel()


class Answers(PyMongoProtocol):
    """Our end of a connection, which takes a short answer with one call of the system.

    PyMongo's reads the head of an answer, then the rest, and stops listening until the next one is
    waited for, which takes the event loop four calls more.
    """

    def __init__(self, timeout: float | None = None) -> None:
        super().__init__(timeout)
        self._buffer = bytearray(BUFFER_SIZE)
        self._filled = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._connection_lost:
            return
        self._filled += nbytes
        try:
            taken, needed = self._take_answers()
        except ProtocolError as error:
            self.close(error)
            return
        if taken or needed > len(self._buffer):
            rest = self._buffer[taken : self._filled]
            if rest or len(self._buffer) > BUFFER_SIZE:
                self._buffer = bytearray(max(needed, BUFFER_SIZE))
                self._buffer[: len(rest)] = rest
            self._filled = len(rest)

    def _take_answers(self) -> tuple[int, int]:
        """Hand over what is complete. Returns its bytes, and those that the next answer has."""
        view, taken = memoryview(self._buffer), 0
        while self._filled >= (start := taken + HEADER_SIZE):
            self._header = view[taken:start]
            length, op_code, response_to, is_compressed = self.process_header()
            compressor = None
            if is_compressed:
                start += COMPRESSION_HEADER_SIZE
            if self._filled < (end := start + length):
                return taken, end - taken
            if is_compressed:
                self._compression_header = view[start - COMPRESSION_HEADER_SIZE : start]
                op_code, _size, compressor = self.process_compression_header()
            self._hand_over((op_code, compressor, response_to, memoryview(bytes(view[start:end]))))
            taken = end
        return taken, HEADER_SIZE

    def _hand_over(self, answer: tuple[int, int | None, int, memoryview]) -> None:
        if self._pending_messages:
            waiting = self._pending_messages.popleft()
        else:
            waiting = asyncio.get_running_loop().create_future()
        if waiting.done():  # who waited was cancelled, and nobody else may get the answer
            self.close()
        else:
            waiting.set_result(answer)
            self._done_messages.append(waiting)


def install() -> None:
    """Have PyMongo's connections send and wait so."""
    pymongo.asynchronous.pool.async_sendall = send
    pymongo.asynchronous.pool.async_receive_message = receive
    pymongo.pool_shared.PyMongoProtocol = Answers
