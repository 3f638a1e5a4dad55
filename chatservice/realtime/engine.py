"""What engine.io, the transport below Socket.IO, leaves to its user: long-polling, mostly.

python-engineio names the class of its sockets in one place and offers no setting for it, so
`install` puts ours there. Each difference is tested with the official clients.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from engineio import async_server, async_socket, exceptions, packet
from engineio.payload import Payload

from chatservice import metrics

from .fanout import MAX_BACKLOG, DirectWriter, SharedPacket

MAX_PACKETS_IN = 2_000
"""Packets in one polling request from a client. engine.io's own limit is 16; what a client sends
beyond it, acknowledgements for example, is dropped behind a 200."""

MAX_PACKETS_OUT = 16
"""Packets in one answer to a poll: the official Python client takes no more, and hangs up."""

MAX_QUEUED_PACKETS = 1_000
"""Packets that may wait for a polling client, or a WebSocket that cannot be written directly; and
`MAX_BACKLOG` bytes, however few packets these are."""

RETRY_AFTER = 10
"""Seconds that a client is asked to wait after too many handshakes."""

UNREADABLE = (ValueError, IndexError, KeyError, TypeError, RecursionError)
"""What python-engineio and python-socketio raise for packets that no library sends."""

logger = logging.getLogger(__name__)

ASGIApp = Callable[[dict, Callable, Callable], Awaitable[None]]


class CountingQueue(asyncio.Queue):
    """A queue that tells how much of what was put in it is not done with, and how much waits."""

    Empty = asyncio.QueueEmpty  # engine.io looks for it here
    unfinished = 0
    size = 0
    """Of what waits: bytes, or characters where it is still text."""

    def put_nowait(self, item: Any) -> None:
        super().put_nowait(item)
        self.unfinished += 1

    def _put(self, item: Any) -> None:
        super()._put(item)  # type: ignore[misc]
        self.size += _size_of(item)

    def _get(self) -> Any:
        item = super()._get()  # type: ignore[misc]
        self.size -= _size_of(item)
        return item

    def task_done(self) -> None:
        super().task_done()
        self.unfinished -= 1


def _size_of(item: packet.Packet | None) -> int:
    data = item.data if item is not None else None
    return len(data) if isinstance(data, str | bytes) else 0


class EngineSocket(async_socket.AsyncSocket):
    """A socket whose long-polling neither overwhelms its client nor outlives it.

    What is no engine.io packet at all ends the connection and is one line in the log, where
    python-engineio writes a traceback: a stranger could fill the disk with those.
    """

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.queue = CountingQueue()
        self.writer: DirectWriter | None = None
        self.is_given_up = False

    def push(self, packets: list[SharedPacket]) -> None:
        """Send packets without waiting: at once if nothing is before them, else in their turn.

        A client that does not fetch what is queued for it is cut off, and resumes.
        """
        if self.writer is not None and self._is_idle_websocket() and self.writer.is_open:
            for each in packets:
                self.writer.write(each.frame)
        elif self._is_overdue():
            if self._give_up():
                self.server.start_background_task(self._abort)
        else:
            for each in packets:
                self.queue.put_nowait(each)

    async def send(self, pkt: packet.Packet) -> None:
        """Queue a packet that is for this client alone: an acknowledgement, for one.

        Who asks for more and more and reads none of it is cut off, too.
        """
        if not self._is_overdue():
            await super().send(pkt)
        elif self._give_up():
            await self._abort()

    def _give_up(self) -> bool:
        """Note that the client does not read; returns whether this is the first sign of it."""
        if self.is_given_up:
            return False
        self.is_given_up = True
        logger.warning("A connection was ended: its client does not read.")
        metrics.cut_offs.labels("websocket" if self.upgraded else "polling").inc()
        return True

    def _is_overdue(self) -> bool:
        """Whether too much waits already, here or on the transport."""
        waiting = self.queue.size + (self.writer.backlog if self.writer is not None else 0)
        return waiting > MAX_BACKLOG or self.queue.qsize() > MAX_QUEUED_PACKETS

    def _is_idle_websocket(self) -> bool:
        """Whether this is a WebSocket whose writer has handed on all that was queued.

        `unfinished` counts what the writer has taken and not yet written, too.
        """
        return self.upgraded and not self.upgrading and not self.queue.unfinished

    async def _abort(self) -> None:
        if self.writer is not None:
            self.writer.abort()
        await self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)
        while not self.queue.empty():
            self.queue.get_nowait()
            self.queue.task_done()
        self.queue.put_nowait(None)  # the end, for whoever waits for more

    async def poll(self) -> list[packet.Packet]:
        """What is to be sent: at least one packet, waited for; nothing once it is closed.

        A poll takes no more than a client can; the writer of a WebSocket takes all there is.
        """
        try:
            first = await asyncio.wait_for(
                self.queue.get(), self.server.ping_interval + self.server.ping_timeout
            )
        except (TimeoutError, asyncio.CancelledError):
            raise exceptions.QueueEmpty from None
        self.queue.task_done()
        if first is None:
            return []
        packets = [first]
        while not self.queue.empty() and (self.upgraded or len(packets) < MAX_PACKETS_OUT):
            following = self.queue.get_nowait()
            self.queue.task_done()
            if following is None:
                self.queue.put_nowait(None)  # after these, the end
                break
            packets.append(following)
        return packets

    async def close(
        self, wait: bool = True, abort: bool = False, reason: str | None = None
    ) -> None:
        """Close the connection, and let a poll that waits for news return.

        Only a WebSocket is waited for until it has sent what it had: a polling client may never
        come to fetch it.
        """
        was_open = not self.closed
        await super().close(wait=False, abort=abort, reason=reason)
        if was_open and self.closed:
            self.queue.put_nowait(None)
        if wait and self.upgraded:
            await self.queue.join()

    async def receive(self, pkt: packet.Packet) -> None:
        if pkt.packet_type >= len(packet.packet_names):
            raise exceptions.UnknownPacketError
        await super().receive(pkt)

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        try:
            await super().handle_post_request(environ)
        except UNREADABLE as error:
            log_unreadable(error)
            raise exceptions.UnknownPacketError from None  # answered with 400

    async def _websocket_handler(self, ws: Any) -> None:
        self.writer = DirectWriter.find(ws.asgi_send)
        try:
            await super()._websocket_handler(ws)
        except UNREADABLE as error:
            log_unreadable(error)
            await self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)


def log_unreadable(error: Exception) -> None:
    """Say that a connection was ended, without what it sent: that may be a token."""
    logger.warning("Unreadable packets ended a connection: %s", type(error).__name__)


class EngineServer(async_server.AsyncServer):
    """engine.io's server, which leaves what is a client's fault out of the log.

    It would write the session id that somebody asks for, or the origin that somebody claims.
    """

    worker: int | None = None
    """The number of this process among those that share a port; its session ids start with it."""

    def _unauthorized(self, message: str | None = None) -> dict[str, Any]:
        """The answer to a handshake that is not let in; nothing but limits keeps any out here."""
        refused = super()._unauthorized(message)
        return refused | {
            "status": "429 TOO MANY REQUESTS",
            "headers": [*refused["headers"], ("Retry-After", str(RETRY_AFTER))],
        }

    def generate_id(self) -> str:
        own = super().generate_id()
        return own if self.worker is None else f"{self.worker}.{own}"

    def _log_error_once(self, message: str, message_key: str) -> None:
        logger.debug("A request was refused: %s", message_key)


def install() -> None:
    """Let every engine.io server of this process use these sockets and limits."""
    async_server.async_socket.AsyncSocket = EngineSocket
    Payload.max_decode_packets = MAX_PACKETS_IN


def ending_with_its_client(app: ASGIApp) -> ASGIApp:
    """An ASGI app that is cancelled when the client of an HTTP request hangs up.

    A client that vanishes in the middle of a poll is then offline at once. Otherwise the poll
    waits on, the person stays online for most of a minute, and Daphne complains.
    """

    async def wrapped(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await app(scope, receive, send)
        request = await receive()

        async def receive_again() -> Any:
            return request

        answer = asyncio.ensure_future(app(scope, receive_again, send))
        hang_up = asyncio.ensure_future(_hang_up(receive))
        await asyncio.wait({answer, hang_up}, return_when=asyncio.FIRST_COMPLETED)
        hang_up.cancel()
        if not answer.done():
            answer.cancel()
        try:
            await answer
        except asyncio.CancelledError:
            if not hang_up.done() or hang_up.cancelled():
                raise

    return wrapped


async def _hang_up(receive: Callable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
