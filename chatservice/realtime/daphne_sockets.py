"""What Daphne does and keeps for each WebSocket, and nobody asks for.

The handshake was an HTTP request: the request, its channel, its headers four times over and a queue
of four deques would stay, more than 10 KiB for a socket that then does nothing for hours.
"""

import asyncio
from collections import deque
from typing import Any

from autobahn.websocket import protocol as autobahn_protocol
from twisted.web.http import HTTPChannel

HANDSHAKE = {
    "_raw_query_string",
    "_transport_details",
    "_wskey",
    "application_deferred",
    "clean_headers",
    "http_headers",
    "http_request_data",
    "http_request_host",
    "http_request_params",
    "http_request_path",
    "http_request_uri",
    "http_response_data",
    "http_status_line",
    "is_open",
    "websocket_extensions",
    "websocket_origin",
    "websocket_protocols",
}
"""Attributes of Daphne's and autobahn's protocol that only its opening handshake reads."""

NOTHING: dict[str, Any] = {}


class Inbox:
    """In the place of the queue that Daphne puts messages in, for one reader."""

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: deque[Any] | None = None  # while there are some: empty, it takes 760 bytes
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        if self._messages is None:
            self._messages = deque()
        self._messages.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        while self._messages is None:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        if not self._messages:
            self._messages = None
        return message


def install() -> None:
    """Keep autobahn from writing out its settings for each handshake, which took an eighth of it.

    It does so for its log whether that is wanted or not; the log itself formats what is.
    """
    autobahn_protocol.pformat = lambda attributes: attributes  # type: ignore[attr-defined]


def forget_handshake(protocol: Any) -> Inbox | None:
    """Let go of what an open WebSocket of Daphne's needs no more.

    Returns from where its messages are to be read from now on; None if that has not changed. What
    is not as it was known, in another version of the libraries, is left alone.
    """
    transport = protocol.transport
    if isinstance(getattr(transport, "producer", None), HTTPChannel):
        # It was to be slowed down with its request. Nothing else knows it, or what hangs on it.
        transport.unregisterProducer()
    request = getattr(protocol, "request", None)
    for name in ("headers", "params"):
        if hasattr(request, name):
            setattr(request, name, NOTHING)  # of the rest, Daphne's log of actions has the path
    kept = {name: value for name, value in vars(protocol).items() if name not in HANDSHAKE}
    protocol.__dict__ = kept  # a new one: a dictionary does not shrink
    return _take_inbox(protocol)


def _take_inbox(protocol: Any) -> Inbox | None:
    queue = getattr(protocol, "application_queue", None)
    if type(queue) is not asyncio.Queue:
        return None
    inbox = Inbox()
    while not queue.empty():
        inbox.put_nowait(queue.get_nowait())
    protocol.application_queue = inbox
    return inbox
