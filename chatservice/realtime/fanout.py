"""Fan-out: a broadcast is encoded once and handed to each socket without a task or a queue.

python-socketio makes a task for each recipient, which puts the packet in a queue, from which a
writer takes it, encodes it again and sends it through four layers of Daphne. Here the event becomes
one finished WebSocket frame, and each Daphne connection that has nothing else under way gets these
same bytes at once. Whoever cannot be served like that (long-polling, an upgrade under way, packets
queued, TLS, another server) gets the packet through its queue, in order, as ever.

`docs/decisions/0010-fan-out.md` says what it rests on, and `FANOUT=library` switches it off.
"""

import base64
import logging
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache, cached_property, partial
from typing import Any

from engineio import packet as engine_packet
from prometheus_client import Counter
from socketio import packet as socket_packet

from chatservice import metrics

from .listeners import Listeners
from .rooms import RoomManager

logger = logging.getLogger(__name__)

MAX_BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait for a client that reads too slowly before it is cut off, to resume."""

OPEN = 3  # autobahn's WebSocketProtocol.STATE_OPEN


class SharedPacket(engine_packet.Packet):
    """An engine.io packet that goes to many sockets: encoded once for each kind of transport."""

    def __init__(self, data: str | bytes, packet_type: int = engine_packet.MESSAGE) -> None:
        super().__init__(packet_type, data)

    @cached_property
    def frame(self) -> bytes:
        """The WebSocket frame that carries it."""
        return frame_of(self.encode())

    def encode(self, b64: bool = False) -> str | bytes:
        """For the queue of one socket.

        The base class keeps whatever it encoded first: bytes for a WebSocket, which then break the
        answer of a polling client in the same room.
        """
        if not self.binary:
            return f"{self.packet_type}{self.data}"
        return "b" + base64.b64encode(self.data).decode() if b64 else self.data


def frame_of(message: str | bytes) -> bytes:
    """One complete WebSocket frame (RFC 6455, section 5.2), unmasked, as servers send them."""
    is_text = isinstance(message, str)
    payload = message.encode() if is_text else message
    opcode, length = 0x81 if is_text else 0x82, len(payload)
    if length < 126:
        header = struct.pack("!BB", opcode, length)
    elif length < 2**16:
        header = struct.pack("!BBH", opcode, 126, length)
    else:
        header = struct.pack("!BBQ", opcode, 127, length)
    return header + payload


class Burst:
    """Packets that go to many sockets together, one right after the other."""

    def __init__(self, packets: Sequence[SharedPacket]) -> None:
        self.packets = packets

    @cached_property
    def frames(self) -> bytes:
        """Their WebSocket frames, in one piece: the network is asked once for all of them."""
        return b"".join(each.frame for each in self.packets)


class DirectWriter:
    """Writes finished frames to one WebSocket of Daphne's, around everything between.

    `find` gives one only where all that it touches is there: Daphne's protocol is autobahn's, on a
    plain TCP (or Unix) transport of Twisted's.
    """

    __slots__ = ("_send", "is_given_up", "protocol", "transport")

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.transport = protocol.transport
        self._send = self.transport.socket.send
        self.is_given_up = False

    @classmethod
    def find(cls, send: Any) -> "DirectWriter | None":
        """The writer behind an ASGI `send`, or None where frames must take the ordinary way."""
        if not isinstance(send, partial) or not send.args:
            return None  # another server than Daphne
        protocol = send.args[0]
        if type(protocol).__module__ != "daphne.ws_protocol":
            return None
        transport = protocol.transport
        if getattr(transport, "TLS", False) or protocol._perMessageCompress is not None:
            return None
        needed = ("socket", "dataBuffer", "offset", "_tempDataLen", "disconnecting")
        missing = [name for name in needed if not hasattr(transport, name)]
        if missing:
            report_once(f"Twisted's transport has no {', '.join(missing)}")
            return None
        return cls(protocol)

    @property
    def is_open(self) -> bool:
        return self.protocol.state == OPEN

    @property
    def backlog(self) -> int:
        """Bytes that wait until the client has read others."""
        transport = self.transport
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen

    def abort(self) -> None:
        """End the connection at once, and forget what waits."""
        self.transport.abortConnection()

    def write(self, frames: bytes) -> None:
        """Send frames now or, if the client has not read what came before, after that."""
        transport = self.transport
        if transport.dataBuffer or transport._tempDataLen or transport.disconnecting:
            self._write_later(frames)
            return
        try:
            written = self._send(frames)
        except BlockingIOError:
            written = 0
        except OSError:  # the connection is lost, and Twisted finds out how
            transport.loseConnection()
            return
        if written < len(frames):
            transport.write(frames[written:])

    def _write_later(self, frames: bytes) -> None:
        if self.backlog <= MAX_BACKLOG:
            self.transport.write(frames)
            return
        if not self.is_given_up:
            self.is_given_up = True
            metrics.cut_offs.labels("websocket").inc()
        self.abort()


_reported: set[str] = set()


def report_once(what: str) -> None:
    """Say once in the log why fan-out takes the library's slower way."""
    if what not in _reported:
        _reported.add(what)
        logger.warning("%s: broadcasts take python-socketio's own, slower way.", what)


def _count(event: str, sockets: int) -> None:
    emissions, deliveries = _counters(event)
    emissions.inc()
    deliveries.inc(sockets)


@cache  # to find a counter by its label takes longer than to count; events have names of ours
def _counters(event: str) -> tuple[Counter, Counter]:
    return metrics.emissions.labels(event), metrics.deliveries.labels(event)


class FanoutManager(RoomManager):
    """Emits an event to many sockets of this process at the cost of one encoding.

    It must not yield between two recipients: events that are emitted at the same time would reach
    one client in one order and the next one in the other.
    """

    is_direct = True
    """Off, everything is left to python-socketio."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: Listeners[Any] = Listeners()

    def basic_disconnect(self, sid: str, namespace: str, **options: Any) -> None:
        self.listeners.discard(sid)
        super().basic_disconnect(sid, namespace, **options)

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        if callback is not None or not self.is_direct:
            _count(event, sum(1 for _ in self.get_participants(namespace, to or room)))
            await super().emit(
                event, data, namespace, room=room, skip_sid=skip_sid, callback=callback, to=to
            )
            return
        if namespace not in self.rooms:
            return
        skipped = skip_sid if isinstance(skip_sid, list) else [skip_sid]
        recipients = self.get_participants(namespace, to or room)
        engine_ids = [engine_id for sid, engine_id in recipients if sid not in skipped]
        if engine_ids:
            _count(event, len(engine_ids))
            sockets = map(self.server.eio.sockets.get, engine_ids)
            self._push(self._packets(event, data, namespace), filter(None, sockets))

    def _packets(self, event: str, data: Any, namespace: str) -> list[SharedPacket]:
        """The event as engine.io messages: one, and one more for each binary attachment."""
        match data:
            case None:
                arguments = []
            case tuple():
                arguments = list(data)
            case _:
                arguments = [data]
        packet = partial(
            *(self.server.packet_class, socket_packet.EVENT),
            namespace=namespace,
            data=[event, *arguments],
        )
        with suppress(TypeError):  # bytes are no JSON; to look for them first takes as long as this
            return [SharedPacket(packet(binary=False).encode())]
        encoded = packet().encode()
        return [
            SharedPacket(part) for part in (encoded if isinstance(encoded, list) else [encoded])
        ]

    async def emit_together(
        self, events: Iterable[tuple[str, Any]], namespace: str, addresses: Iterable[str]
    ) -> None:
        """Emit events, each a name and data, in this order, to what listens to the addresses.

        No socket may listen to two of them.
        """
        sockets = self.listeners.at(addresses)
        if not sockets:
            return
        if not self.is_direct:
            sids = [self.sid_from_eio_sid(socket.sid, namespace) for socket in sockets]
            for name, data in events:
                await self.emit(name, data, namespace, room=sids)
            return
        packets: list[SharedPacket] = []
        for name, data in events:
            _count(name, len(sockets))
            packets += self._packets(name, data, namespace)
        self._push(packets, sockets)

    def _push(self, packets: list[SharedPacket], sockets: Iterable[Any]) -> None:
        burst = Burst(packets)
        for socket in sockets:
            if not socket.closed:
                socket.push(burst)
