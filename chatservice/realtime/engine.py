"""What engine.io, the transport below Socket.IO, leaves to its user: polling, and idle sockets.

python-engineio names the class of its sockets in one place and offers no setting for it, so
`install` puts ours there. Each difference is tested with the official clients.

An idle WebSocket costs python-engineio five tasks and three queues, and each packet a way through
them. Here it waits in the task that its server has made for it, and has a queue only while
something is in it (docs/decisions/0018-idle-sockets.md). `FANOUT=library` leaves WebSockets to
python-engineio altogether.
"""

import asyncio
import contextlib
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from engineio import async_server, async_socket, exceptions, packet
from engineio.payload import Payload

from chatservice import metrics

from .daphne_sockets import forget_handshake
from .fanout import MAX_BACKLOG, Burst, DirectWriter, SharedPacket, frame_of, report_once

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

PING = Burst([SharedPacket("", packet.PING)])

SOCKET_IO_CONNECT = "0"
"""How a Socket.IO packet begins with which a client connects to a namespace."""

OPENED = "engine.opened"
"""Where in an ASGI scope an opened WebSocket is left: see `serving_websockets`."""

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

    server: "EngineServer"

    def __init__(self, server: Any, sid: str) -> None:
        self._queue: CountingQueue | None = None
        self._websocket: Any = None
        """Of engine.io's: there once nothing of the handshake or the upgrade is under way."""
        self._writer: DirectWriter | None = None
        self._sending: asyncio.Task[None] | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._opened: list[Callable[[], Awaitable[None]]] | None = None
        super().__init__(server, sid)
        self.is_given_up = False

    @property
    def queue(self) -> CountingQueue:
        """What waits to be sent. Made when it is needed, and dropped when it has been empty."""
        if self._queue is None:
            self._queue = CountingQueue()
        return self._queue

    @queue.setter
    def queue(self, queue: None) -> None:
        self._queue = queue

    @property
    def waiting(self) -> int:
        """How many packets wait to be sent."""
        return 0 if self._queue is None else self._queue.qsize()

    # Sending

    def push(self, burst: Burst) -> None:
        """Send packets without waiting: at once if nothing is before them, else in their turn.

        A client that does not fetch what is queued for it is cut off, and resumes.
        """
        if (writer := self._direct_writer()) is not None:
            writer.write(burst.frames)
        elif self._is_overdue():
            if self._give_up():
                self.server.start_background_task(self._abort)
        else:
            for each in burst.packets:
                self.queue.put_nowait(each)
            self._send_soon()

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
        size = 0 if self._queue is None else self._queue.size
        size += 0 if self._writer is None else self._writer.backlog
        return size > MAX_BACKLOG or self.waiting > MAX_QUEUED_PACKETS

    def _direct_writer(self) -> DirectWriter | None:
        """The writer of a WebSocket of Daphne's, if that has nothing else to send.

        There is one only when no upgrade is under way. `unfinished` counts what was taken from the
        queue and is not yet written, too.
        """
        writer = self._writer
        if writer is None or (self._queue is not None and self._queue.unfinished):
            return None
        return writer if writer.is_open else None

    async def send(self, pkt: packet.Packet) -> None:
        """Send a packet that is for this client alone: an acknowledgement, for one.

        Who asks for more and more and reads none of it is cut off, too.
        """
        if self._is_overdue():
            if self._give_up():
                await self._abort()
        elif not self.server.is_direct:
            await super().send(pkt)
        elif await self.check_ping_timeout():
            if (writer := self._direct_writer()) is not None:
                writer.write(frame_of(pkt.encode()))
            else:
                self.queue.put_nowait(pkt)
                self._send_soon()

    def _send_soon(self) -> None:
        """Have the queue sent, if this is a WebSocket; a polling client comes and fetches it."""
        if self._websocket is not None and self._sending is None:
            self._sending = self.server.start_background_task(self._send_queued)

    async def _send_queued(self) -> None:
        """Send what is queued, in order, and close the WebSocket where the queue says so."""
        try:
            while (queue := self._queue) is not None and not queue.empty():
                pkt = queue.get_nowait()
                try:
                    if pkt is None:
                        await self._websocket.close()
                        return
                    await self._websocket.send(pkt.encode())
                finally:
                    queue.task_done()
            self._queue = None
        except Exception as error:  # whatever a server raises for a connection that is gone
            logger.debug("A WebSocket could not be written to: %s", type(error).__name__)
            with contextlib.suppress(Exception):
                await self._websocket.close()
        finally:
            self._sending = None

    async def _abort(self) -> None:
        if self._writer is not None:
            self._writer.abort()
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
            if self.server.is_direct and self.upgraded:
                return [packet.Packet(packet.NOOP)]  # a poll that was left over
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
            if self._ping_timer is not None:
                self._ping_timer.cancel()
            self.queue.put_nowait(None)
            self._send_soon()
        if wait and self.upgraded and self._queue is not None:
            await self._queue.join()

    # Pings

    def schedule_ping(self) -> None:
        """Ask the client in a while whether it is still there; called anew when it has answered."""
        if not self.server.is_direct:
            super().schedule_ping()
        elif self.last_ping:
            self.last_ping = None
            self._call_later(self.server.ping_interval, self._ping)

    def _ping(self) -> None:
        if not self.closing and not self.closed:
            self.last_ping = time.time()
            self.push(PING)
            # A little later than the moment, so that it has passed by every clock.
            self._call_later(self.server.ping_timeout + 0.1, self._miss_pong)

    def _miss_pong(self) -> None:
        if not self.closing and not self.closed:
            self.server.start_background_task(self.check_ping_timeout)

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        self._ping_timer = asyncio.get_running_loop().call_later(seconds, call)

    # Receiving

    async def receive(self, pkt: packet.Packet) -> None:
        if pkt.packet_type >= len(packet.packet_names):
            raise exceptions.UnknownPacketError
        if self.server.is_direct and pkt.packet_type == packet.MESSAGE:
            await self.server.take_message(self.sid, pkt.data)
        else:
            await super().receive(pkt)

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        try:
            await super().handle_post_request(environ)
        except UNREADABLE as error:
            log_unreadable(error)
            raise exceptions.UnknownPacketError from None  # answered with 400

    async def _upgrade_websocket(self, environ: dict[str, Any]) -> Any:
        self._opened = environ["asgi.scope"].get(OPENED)
        return await super()._upgrade_websocket(environ)

    async def _websocket_handler(self, ws: Any) -> None:
        try:
            if not self.server.is_direct:
                await super()._websocket_handler(ws)
            elif self._opened is None:
                await self._serve(ws)
            else:
                self._opened.append(partial(self._serve, ws))
                self._opened = None
        except UNREADABLE as error:
            log_unreadable(error)
            await self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)

    async def _serve(self, ws: Any) -> None:
        """Read a WebSocket until it ends, and let what is sent go out through it."""
        if self.connected:
            if not await self._upgrade(ws):
                return
        else:
            self.connected = self.upgraded = True
        self._websocket = ws
        self._writer = DirectWriter.find(ws.asgi_send)
        if self._writer is not None and self._writer.is_open:
            inbox = forget_handshake(self._writer.protocol)
            ws.asgi_receive = ws.asgi_receive if inbox is None else inbox.get
        self._send_soon()
        reason = self.server.reason.TRANSPORT_CLOSE
        try:
            await self._read(ws)
        except UNREADABLE as error:
            log_unreadable(error)
            reason = self.server.reason.TRANSPORT_ERROR
        finally:
            self._websocket = self._writer = None
            if self._sending is not None:
                self._sending.cancel()
            await self.close(wait=False, abort=True, reason=reason)
            self._forget_queue()
            if self.closed:
                self.server.sockets.pop(self.sid, None)
            await ws.close()

    async def _read(self, ws: Any) -> None:
        with contextlib.suppress(OSError, exceptions.SocketIsClosedError):
            while (data := await ws.wait()) is not None:
                if len(data) > self.server.max_http_buffer_size:
                    return
                with contextlib.suppress(exceptions.UnknownPacketError):
                    await self.receive(packet.Packet(encoded_packet=data))

    def _forget_queue(self) -> None:
        """Drop what can no longer be sent, so that nobody waits for it."""
        queue, self._queue = self._queue, None
        while queue is not None and not queue.empty():
            queue.get_nowait()
            queue.task_done()

    async def _upgrade(self, ws: Any) -> bool:
        """Move from long-polling to this WebSocket; false if the client does not go through.

        Nothing is sent while it lasts, and the poll under way is ended by a packet that says
        nothing.
        """
        self.upgrading = True
        try:
            if await ws.wait() != "2probe":
                return False
            await ws.send("3probe")
            self.queue.put_nowait(packet.Packet(packet.NOOP))
            self.upgraded = await ws.wait() == "5"
            return self.upgraded
        except OSError:
            return False
        finally:
            self.upgrading = False


def log_unreadable(error: Exception) -> None:
    """Say that a connection was ended, without what it sent: that may be a token."""
    logger.warning("Unreadable packets ended a connection: %s", type(error).__name__)


class EngineServer(async_server.AsyncServer):
    """engine.io's server, which leaves what is a client's fault out of the log.

    It would write the session id that somebody asks for, or the origin that somebody claims.
    """

    worker: int | None = None
    """The number of this process among those that share a port; its session ids start with it."""

    is_direct = False
    """Whether WebSockets are served here and not by python-engineio."""

    async def handle_request(self, scope: dict, receive: Callable, send: Callable) -> None:
        """Answer a request; one to a session that ends at that moment with 400, too.

        python-engineio looks for the session, and for what to answer, as if it could not end then.
        """
        try:
            await super().handle_request(scope, receive, send)
        except (KeyError, UnboundLocalError):
            sid = parse_qs(scope["query_string"].decode("latin-1")).get("sid", [""])[0]
            if scope["type"] != "http" or sid in self.sockets:
                raise
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": b'"Session is disconnected"'})

    def create_queue(self, *args: Any, **kwargs: Any) -> None:
        """None: a socket makes its queue when it needs one."""

    async def _service_task(self) -> None:
        """Forget the sockets that have been closed, now and then, for as long as the process lives.

        Those whose clients have gone silent are closed by their timers. python-engineio asks each
        of them, one after the other, with a task and a timer for each question.
        """
        if not self.is_direct:
            return await super()._service_task()
        while True:
            await asyncio.sleep(self.ping_timeout)
            for sid in [sid for sid, each in self.sockets.items() if each.closed]:
                del self.sockets[sid]

    async def take_message(self, sid: str, data: str | bytes) -> None:
        """Hand on what a client says.

        Without a task, which python-engineio makes for each packet: Socket.IO makes one for each
        event. It makes none for somebody who connects, and that takes a while.
        """
        in_background = isinstance(data, str) and data.startswith(SOCKET_IO_CONNECT)
        await self._trigger_event("message", sid, data, run_async=in_background)

    async def send_packet(self, sid: str, pkt: packet.Packet) -> None:
        """Send to a socket that is still there; python-engineio would log the id of a lost one."""
        socket = self.sockets.get(sid)
        if socket is not None and not socket.closed:
            await super().send_packet(sid, pkt)

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


LIBRARY_METHODS = {
    "_upgrade_websocket": ["self", "environ"],
    "_websocket_handler": ["self", "ws"],
    "check_ping_timeout": ["self"],
    "close": ["self", "wait", "abort", "reason"],
    "receive": ["self", "pkt"],
    "schedule_ping": ["self"],
    "send": ["self", "pkt"],
}
LIBRARY_STATE = {"last_ping", "connected", "upgrading", "upgraded", "closing", "closed"}
"""What `EngineSocket` relies on in python-engineio's own class."""


def knows_library() -> bool:
    """Whether python-engineio is as `EngineSocket` expects it; if not, the log says so, once."""
    [library] = EngineSocket.__bases__
    changed = [
        name
        for name, expected in LIBRARY_METHODS.items()
        if list(inspect.signature(getattr(library, name, print)).parameters) != expected
    ]
    changed += LIBRARY_STATE - vars(library(SimpleNamespace(create_queue=lambda: None), "")).keys()
    if changed:
        report_once(f"python-engineio's sockets have another {', '.join(sorted(changed))}")
    return not changed


def serving_websockets(app: ASGIApp) -> ASGIApp:
    """An ASGI app, to be the outermost, that serves a WebSocket once `app` has let it in.

    What lets it in (limits, routes, two libraries) is done by then. If it waited for the end of
    the socket, its frames and all that it has read of the request would wait, too.
    """

    async def wrapped(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return
        opened = scope[OPENED] = []
        await app(scope, receive, send)
        del scope, receive, send
        if opened:
            await opened.pop()()

    return wrapped


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
