"""The Socket.IO client manager that reaches the sockets of every process.

What is published is delivered to the sockets of this process at once and handed to the backplane,
which tells the other processes; their managers deliver it to theirs. Nobody waits for the layer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chatservice import metrics

from .backplane import Backplane, Message
from .fanout import FanoutManager
from .lifecycle import in_background
from .sequencer import Sequencer

logger = logging.getLogger(__name__)

MISSED_DELAY = 0.1
"""Seconds in which several signs of one loss are taken together."""


MAX_TOGETHER = 32
"""Events that are sent in one piece. The piece is made once for all of its recipients, and what a
slow one has not taken of it is copied."""


@dataclass(frozen=True)
class Event:
    """What sockets are told: only those that speak `protocol`.

    `make` makes the payload, once, when there is somebody to hear it: mostly nobody speaks the
    older protocol.
    """

    name: str
    make: Callable[[], Any]
    protocol: int

    @cached_property
    def payload(self) -> Any:
        return self.make()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Events for the devices of the users whose ids, as text, are in `to`."""

    events: Sequence[Event]
    to: Sequence[str]


Numbered = tuple[int, Delivery]


def user_address(user_id: object, protocol: int) -> str:
    return f"user:{user_id}:{protocol}"


def session_address(session_id: object) -> str:
    return f"session:{session_id}"


class ChannelLayerManager(FanoutManager):
    """Knows the sockets of this process, and through Channels' layer reaches those of all others.

    `emit` is for sockets of this process; `publish`, `publish_numbered` and `end` are for all.
    """

    def __init__(self, *, is_direct: bool, namespace: str) -> None:
        """`is_direct`: whether broadcasts take the short way; see `fanout`."""
        super().__init__()
        self.is_direct = is_direct
        self.namespace = namespace
        self.backplane = Backplane(on_message=self._receive, on_missed=self._note_missed)
        self.sequencer: Sequencer[Delivery] = Sequencer(on_late=self._deliver_soon)
        self._late: list[Delivery] = []
        self.on_missed: list[Callable[[], Awaitable[None]]] = []
        self.on_shared: dict[str, Callable[[Any], None]] = {}
        self._missed: asyncio.Task[None] | None = None

    async def publish(self, delivery: Delivery) -> None:
        """Deliver events here and in every other process."""
        await self._deliver_all([delivery])
        if self.backplane.is_shared:
            self.backplane.publish({"do": "deliver", **_encoded(delivery)})

    async def publish_numbered(self, sequence: str, run: Sequence[Numbered]) -> None:
        """The same for items of a numbered sequence.

        In every process they are delivered after those with lower numbers, whoever publishes these.
        """
        await self._deliver_numbered(sequence, run)
        if self.backplane.is_shared:
            encoded = [[number, _encoded(delivery)] for number, delivery in run]
            self.backplane.publish({"do": "deliver_numbered", "sequence": sequence, "run": encoded})

    async def end(self, addresses: Sequence[str], reason: dict[str, str]) -> None:
        """Send `reason` as an `error` to what listens to the addresses, and disconnect it."""
        self._end_here(addresses, reason)
        self.backplane.publish({"do": "end", "addresses": list(addresses), "reason": reason})

    def share(self, topic: str, payload: Any) -> None:
        """Tell the other processes something that is out of date in a moment."""
        if not self.backplane.is_away:
            self.backplane.publish({"do": "share", "topic": topic, "payload": payload})

    async def _receive(self, message: Message) -> None:
        match message:
            case {"do": "deliver"}:
                await self._deliver_all([_decoded(message)])
            case {"do": "deliver_numbered", "sequence": sequence, "run": encoded}:
                run = [(number, _decoded(delivery)) for number, delivery in encoded]
                await self._deliver_numbered(sequence, run)
            case {"do": "end", "addresses": addresses, "reason": reason}:
                self._end_here(addresses, reason)
            case {"do": "share", "topic": topic, "payload": payload} if topic in self.on_shared:
                self.on_shared[topic](payload)
            case _:
                # Another version of the service, in the middle of an update.
                logger.warning("Another process says what is not known here: %s", message.get("do"))

    async def _deliver_numbered(self, sequence: str, run: Sequence[Numbered]) -> None:
        if not self.backplane.is_shared:  # nobody else announces anything: it is in order
            await self._deliver_all([delivery for _number, delivery in run])
            return
        may_hold = not self.backplane.is_away
        in_turn: list[Delivery] = []
        for number, delivery in run:
            in_turn += self.sequencer.push(sequence, number, delivery, may_hold=may_hold)
        await self._deliver_all(in_turn)

    def _deliver_soon(self, late: list[Delivery]) -> None:
        """Deliver what has waited long enough: before whatever comes until that is done."""
        self._late += late
        in_background(self._deliver_all([]))

    async def _deliver_all(self, deliveries: Sequence[Delivery]) -> None:
        late, self._late = self._late, []
        for events, to in _together([*late, *deliveries]):
            for protocol in dict.fromkeys(event.protocol for event in events):
                # A generator: who has no listener needs no payload.
                told = ((each.name, each.payload) for each in events if each.protocol == protocol)
                addresses = [user_address(user_id, protocol) for user_id in to]
                await self.emit_together(told, self.namespace, addresses)

    def listen(self, sid: str, *, user_id: object, protocol: int, session_id: object) -> None:
        """Have a socket of this process hear what is for its user, and end with its session.

        Of that user and session only, until it leaves.
        """
        engine_id = self.eio_sid_from_sid(sid, self.namespace)
        socket = self.server.eio.sockets.get(engine_id)
        if socket is not None:
            addresses = [user_address(user_id, protocol), session_address(session_id)]
            self.listeners.add(sid, socket, addresses)

    def _end_here(self, addresses: Sequence[str], reason: dict[str, str]) -> None:
        # In the background: a disconnect also gives back a lease in the database, and what is
        # published after this must not wait for that.
        for socket in self.listeners.at(addresses):
            sid = self.sid_from_eio_sid(socket.sid, self.namespace)
            if sid is not None:
                in_background(self.end_socket(sid, reason))

    async def end_socket(self, sid: str, reason: dict[str, str]) -> None:
        """Send `reason` as an `error` to one socket of this process, and disconnect it."""
        await self.emit("error", reason, self.namespace, room=sid)
        await self.server.disconnect(sid, namespace=self.namespace, ignore_queue=True)

    def _note_missed(self) -> None:
        if self._missed is None or self._missed.done():
            self._missed = in_background(self._tell_missed())
            metrics.backplane_missed.inc()

    async def _tell_missed(self) -> None:
        await asyncio.sleep(MISSED_DELAY)
        self._missed = None  # what is lost from here on is told anew
        for hook in self.on_missed:
            await hook()


def _together(deliveries: Sequence[Delivery]) -> Iterator[tuple[list[Event], Sequence[str]]]:
    """The events of deliveries, those in a row that are for the same users in one piece."""
    events: list[Event] = []
    to: Sequence[str] = ()
    for delivery in deliveries:
        if events and (delivery.to != to or len(events) >= MAX_TOGETHER):
            yield events, to
            events = []
        events, to = [*events, *delivery.events], delivery.to
    if events:
        yield events, to


def _encoded(delivery: Delivery) -> Message:
    events = [[event.name, event.payload, event.protocol] for event in delivery.events]
    return {"events": events, "to": list(delivery.to)}


def _decoded(message: Message) -> Delivery:
    return Delivery([_received(*event) for event in message["events"]], message["to"])


def _received(name: str, payload: Any, protocol: int) -> Event:
    return Event(name, lambda: payload, protocol)
