"""Live delivery to people's devices: what the actions of the apps call.

Nothing here knows an app. Addresses are people, never rooms: each socket listens to its user (and
to its session), and whoever publishes says which users are meant at that moment. So a removed
member is left out of the very next event, with no membership to evict anywhere.

Only `actions.py` of an app may publish (a lint rule says so): a door that emitted on its own could
announce what was never stored.
"""

from collections.abc import Iterable

from bson import ObjectId
from django.utils.translation import gettext as _

from .loop import run
from .server import sio

PROTOCOLS = (1, 2)
"""1: the events of the earlier service's contract. 2: one `room_event` for each entry of a log."""

NAMESPACE = "/"


def user_address(user_id: ObjectId, protocol: int) -> str:
    return f"user:{user_id}:{protocol}"


def session_address(session_id: ObjectId) -> str:
    return f"session:{session_id}"


async def publish(event: str, payload: object, *, to: Iterable[ObjectId], protocol: int) -> None:
    """Send an event to every device, in every process, of the users whose ids are in `to`.

    Only sockets that speak `protocol` get it. Nobody is waited for; delivery is at most once, and
    clients find what they missed by the numbers of the room log. Call it on the home loop, after
    the write is stored.
    """
    addresses = [user_address(user_id, protocol) for user_id in to]
    if addresses:  # Socket.IO takes "no room" to mean everybody
        await sio.emit(event, payload, namespace=NAMESPACE, room=addresses)


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
    if not addresses:
        return
    reason = {"message": _("Your session has ended. Log in again."), "code": "session_ended"}
    await sio.emit("error", reason, namespace=NAMESPACE, room=addresses)
    await sio.manager.disconnect_addresses(addresses, NAMESPACE)
