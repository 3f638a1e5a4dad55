"""The Socket.IO server: how it is mounted, whom it lets in, and what it does with bad packets."""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import socketio
from django.conf import settings
from django.http.request import validate_host
from engineio import json as library_json

from chatservice import limits, metrics, quick_json

from . import engine
from .channel_manager import ChannelLayerManager
from .lifecycle import in_background, on_shutdown, on_startup

NAMESPACE = "/"

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""The largest packet a client may send; a larger one ends its connection. Far above what a message
may have, so that one that is too long gets an answer."""

REFUSED_LINGER = 1.0
"""Seconds that a refused client has to read why and to leave."""

CONNECT_TIMEOUT = 30.0
"""Seconds that a transport may stay without being connected to the namespace."""

OWN_EVENTS = {"connect", "disconnect"}
"""What the server tells its own handlers. A client's event of such a name must not reach them:
"connect" would let it choose the environment that its handshake is judged by."""

KEPT = (
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_HOST",
    "HTTP_ORIGIN",
    "HTTP_X_FORWARDED_HOST",
)
"""What stays of a transport's request: by these is judged who connects to the namespace over it,
maybe again and much later. The rest would take 6 KiB for each socket."""


def is_same_origin(environ: dict) -> bool:
    """Whether a handshake comes from a page of this very service, or from no page at all."""
    origin = environ.get("HTTP_ORIGIN")
    return not origin or _host_of(origin) == _public_host(environ)


def is_allowed_origin(origin: str | None, environ: dict) -> bool:
    """Whether a page of `origin` may open a socket here: our own, or a configured one.

    The host must be one of ours, too: a name of the attacker's that resolves to this machine
    (DNS rebinding) would otherwise make its pages look like our own.
    """
    if origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    host = _public_host(environ)
    hostname = urlsplit(f"//{host}").hostname or ""
    hosts = settings.ALLOWED_HOSTS or [".localhost", "127.0.0.1", "[::1]"]
    if ":" in hostname:
        hostname = f"[{hostname}]"
    return validate_host(hostname, hosts) and (origin is None or _host_of(origin) == host)


def _host_of(origin: str) -> str:
    return urlsplit(origin).netloc.lower()


def _public_host(environ: dict) -> str:
    host = environ.get("HTTP_X_FORWARDED_HOST") if settings.USE_X_FORWARDED_HOST else None
    return (host or environ.get("HTTP_HOST", "")).split(",")[0].strip().lower()


class SocketServer(socketio.AsyncServer):
    """python-socketio's server, which ends a connection that sends what no client library does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.eio.is_direct = settings.FANOUT == "direct" and engine.knows_library()
        self._networks: dict[str, str] = {}
        self._asked: set[str] = set()
        self._sockets_of: Counter[str] = Counter()

    def _engineio_server_class(self) -> type[engine.EngineServer]:
        return engine.EngineServer

    async def _handle_eio_connect(self, eio_sid: str, environ: dict) -> str | None:
        """Let a connection in, or answer why not. Nothing is awaited before it is counted."""
        network = environ["asgi.scope"].get("network", "")
        if network and settings.THROTTLE:
            try:
                limits.take(limits.HANDSHAKES, network)
                if self._sockets_of[network] >= limits.SOCKETS_PER_ADDRESS:
                    metrics.refusals.labels("sockets_per_address").inc()
                    raise limits.TooMany(engine.RETRY_AFTER)
            except limits.TooMany as error:
                return str(error.detail)
        self._networks[eio_sid] = network
        self._sockets_of[network] += 1
        self._end_later(eio_sid, CONNECT_TIMEOUT)
        kept = {name: environ[name] for name in KEPT if name in environ}
        await super()._handle_eio_connect(eio_sid, kept)
        return None

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._asked.discard(eio_sid)
        network = self._networks.pop(eio_sid, None)
        if network is not None:
            self._sockets_of[network] -= 1
            if not self._sockets_of[network]:
                del self._sockets_of[network]
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except engine.UNREADABLE as error:
            engine.log_unreadable(error)
            if (socket := self.eio.sockets.get(eio_sid)) is not None:
                await socket.close(wait=False)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        """Ends the transport, too, of a client that was refused and does not leave by itself.

        The Python client, polling, may forget to say that it goes, and then waits in its open poll
        for most of a minute.
        """
        if not self._may_ask(eio_sid):
            if (socket := self.eio.sockets.get(eio_sid)) is not None:
                await socket.close(wait=False)
            return
        await super()._handle_connect(eio_sid, namespace, data)
        socket = self.eio.sockets.get(eio_sid)
        if socket is None or socket.closed:
            # It went away while it was let in; nobody was told, because it was not in yet.
            await self._handle_disconnect(eio_sid, namespace, self.reason.TRANSPORT_CLOSE)
        elif self.manager.sid_from_eio_sid(eio_sid, namespace or "/") is None:
            self._end_later(eio_sid, REFUSED_LINGER)

    def _may_ask(self, eio_sid: str) -> bool:
        """Whether a transport may ask to be connected: once, and again as if it were a new one.

        It need not be: who says goodbye may say hello, and each time we look at a token and at the
        database.
        """
        if eio_sid in self._asked and settings.THROTTLE:
            try:
                limits.take(limits.HANDSHAKES, self._networks.get(eio_sid) or eio_sid)
            except limits.TooMany:
                return False
        if eio_sid in self._networks:  # otherwise it is gone by now, and nobody would forget it
            self._asked.add(eio_sid)
        return True

    async def disconnect(
        self, sid: str, namespace: str | None = None, ignore_queue: bool = False
    ) -> None:
        """Cut a client off; its transport, too, if it does not leave by itself."""
        eio_sid = self.manager.eio_sid_from_sid(sid, namespace or NAMESPACE)
        await super().disconnect(sid, namespace=namespace, ignore_queue=ignore_queue)
        if eio_sid is not None:
            self._end_later(eio_sid, REFUSED_LINGER)

    def _end_later(self, eio_sid: str, seconds: float) -> None:
        """End a transport if nobody uses it then."""
        asyncio.get_running_loop().call_later(
            seconds, self.start_background_task, self._end_unused, eio_sid
        )

    async def _end_unused(self, eio_sid: str) -> None:
        socket = self.eio.sockets.get(eio_sid)
        namespaces = self.manager.get_namespaces()
        if socket is not None and not any(
            self.manager.sid_from_eio_sid(eio_sid, namespace) for namespace in list(namespaces)
        ):
            await socket.close(wait=False)

    async def _handle_event(self, eio_sid, namespace, id, data) -> None:
        if not (isinstance(data, list) and data and isinstance(data[0], str)):
            raise ValueError("an event without a name")
        if data[0] in OWN_EVENTS:
            data = ["", *data[1:]]
        await super()._handle_event(eio_sid, namespace, id, data)


class QuickJSON:
    """What python-socketio takes in place of the module `json`."""

    @staticmethod
    def loads(text: str) -> Any:
        with suppress(ValueError):
            return quick_json.read(text)
        return library_json.loads(text)

    @staticmethod
    def dumps(data: Any, **options: Any) -> str:
        with suppress(TypeError):
            return quick_json.write(data)
        return library_json.dumps(data, **options)


engine.install()

sio = SocketServer(
    async_mode="asgi",
    json=QuickJSON,
    client_manager=ChannelLayerManager(is_direct=settings.FANOUT == "direct", namespace=NAMESPACE),
    cors_allowed_origins=is_allowed_origin,
    cors_credentials=False,
    max_http_buffer_size=MAX_MESSAGE_BYTES,
    ping_interval=settings.PING_INTERVAL,
    ping_timeout=settings.PING_TIMEOUT,
    namespaces=[NAMESPACE],
    # Given as objects, or each library adds a handler of its own and every line comes twice.
    logger=logging.getLogger("socketio.server"),
    engineio_logger=logging.getLogger("engineio.server"),
)

asgi_app = engine.ending_with_its_client(socketio.ASGIApp(sio, socketio_path=None))


@on_startup
async def listen_to_other_processes() -> None:
    sio.manager.backplane.listen()


@on_startup
async def watch_loop() -> None:
    in_background(metrics.watch_loop())


@metrics.on_scrape
def look_at_queues() -> None:
    metrics.worker.set(engine.EngineServer.worker or 0)
    waiting = [socket.waiting for socket in list(sio.eio.sockets.values())]
    metrics.socket_queue.set(sum(waiting))
    metrics.longest_socket_queue.set(max(waiting, default=0))


@metrics.on_scrape
def look_at_backplane() -> None:
    backplane = sio.manager.backplane
    metrics.backplane_up.set(backplane.is_up or not backplane.is_shared)
    metrics.backplane_queue.set(backplane.waiting)
    metrics.backplane_queue_bytes.set(backplane.waiting_bytes)


@on_shutdown
async def tell_other_processes() -> None:
    """The last of all hooks: what the others do may publish something."""
    await sio.manager.backplane.flush()
