"""Live delivery to people's devices: what the actions of the apps call.

Nothing here knows an app. Addresses are people, never rooms: each socket listens to its user (and
to its session), and whoever publishes says which users are meant at that moment. So a removed
member is left out of the very next event, with no membership to evict anywhere.

Only `actions.py` of an app may publish (a lint rule says so): a door that emitted on its own could
announce what was never stored.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from bson import ObjectId
from django.utils.translation import gettext as _

from .channel_manager import Delivery, Event, session_address, user_address
from .engine import EngineServer
from .loop import run
from .server import NAMESPACE, sio

__all__ = [
    "NAMESPACE",
    "PROTOCOLS",
    "Event",
    "disconnect_sessions",
    "end_sessions",
    "has_peers",
    "is_cut_off",
    "listen",
    "on_missed",
    "on_shared",
    "publish",
    "publish_entries",
    "session_ended",
    "share",
    "transport_of",
    "worker_number",
]

PROTOCOLS = (1, 2)
"""1: the events of the earlier service's contract. 2: one `room_event` for each entry of a log."""


def listen(sid: str, *, user_id: ObjectId, protocol: int, session_id: ObjectId) -> None:
    """Have a socket hear what is published to its user, and end when its session does.

    Called again, it is for the user and the session of the last call.
    """
    sio.manager.listen(sid, user_id=user_id, protocol=protocol, session_id=session_id)


async def publish(event: Event, *, to: Iterable[ObjectId]) -> None:
    """Send an event to every device, in every process, of the users whose ids are in `to`.

    Only sockets that speak the event's protocol get it. Nobody is waited for; delivery is at most
    once. Call it on the home loop, after the write is stored, with a payload that is JSON.
    """
    await sio.manager.publish(Delivery([event], [str(user_id) for user_id in to]))


async def publish_entries(
    log: ObjectId, entries: Iterable[tuple[int, Sequence[Event]]], *, to: Iterable[ObjectId]
) -> None:
    """Send the events of entries of a log, each with its number.

    As `publish`, and in the order of the numbers on every socket, although other processes publish
    other entries of the same log at the same time. What gets lost is found by clients, from the
    numbers.
    """
    users = [str(user_id) for user_id in to]
    numbered = [(number, Delivery(events, users)) for number, events in entries]
    await sio.manager.publish_numbered(str(log), numbered)


def end_sessions(*, user_id: ObjectId, session_ids: Iterable[ObjectId] | None = None) -> None:
    """Close every socket of a user, or only those of some sessions, in every process.

    From synchronous code, after the sessions have ended in the database: a device that
    reconnects at once is then refused.
    """
    run(disconnect_sessions(user_id=user_id, session_ids=session_ids))


async def disconnect_sessions(
    *, user_id: ObjectId, session_ids: Iterable[ObjectId] | None = None
) -> None:
    """The same as `end_sessions`, on the home loop."""
    if session_ids is None:
        addresses = [user_address(user_id, protocol) for protocol in PROTOCOLS]
    else:
        addresses = [session_address(session_id) for session_id in session_ids]
    if addresses:
        await sio.manager.end(addresses, session_ended())


def session_ended() -> dict[str, str]:
    """What a socket is told before it is cut because its session has ended."""
    return {"message": _("Your session has ended. Log in again."), "code": "session_ended"}


def worker_number() -> int:
    """The number of this process among those that share a port: 0, 1, 2, ..."""
    return EngineServer.worker or 0


def has_peers() -> bool:
    """Whether this process is set up to be one of several."""
    return sio.manager.backplane.is_shared


def transport_of(sid: str) -> str | None:
    """`polling` or `websocket`, whichever a socket of this process uses now; None if it is gone."""
    engine_id = sio.manager.eio_sid_from_sid(sid, NAMESPACE)
    socket = sio.eio.sockets.get(engine_id)
    return None if socket is None else "websocket" if socket.upgraded else "polling"


def is_cut_off() -> bool:
    """Whether it is one of several, and cannot hear the others now."""
    return has_peers() and not sio.manager.backplane.is_up


def share(topic: str, payload: Any) -> None:
    """Tell the other processes, not their clients, something that is out of date in a moment.

    On the home loop, with a payload that is JSON; it is lost where it cannot be heard at once.
    """
    sio.manager.share(topic, payload)


def on_shared(topic: str, receive: Callable[[Any], None]) -> None:
    """Have `receive` called with what other processes share under a topic."""
    sio.manager.on_shared[topic] = receive


def on_missed(hook: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Register a coroutine function to be called when news of other processes may have been lost.

    That is so after each outage of what connects them, and right after the start.
    """
    sio.manager.on_missed.append(hook)
    return hook
