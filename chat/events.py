"""What clients are told of the log's entries: names and payloads, the same for every reader.

Protocol 2 has one event, `room_event`, for every entry. Protocol 1 is the earlier service's: it
knows messages only, by one of two events, according to how the message was sent.
"""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from accounts.models import User
from chatservice.timestamps import to_wire

from .hot_path import Document
from .mentions import ALL
from .models import Entry

Payload = dict[str, Any]
Kind = Entry.Kind

BROADCAST, RESPONSE = "broadcast_message", "chat_response"
"""The contract's events: of a message that came over Socket.IO, and of one by REST."""


def message(entry: Document) -> Payload:
    """A message as it is now, on REST and in events. A deleted one has no content left."""
    return {
        "id": str(entry["_id"]),
        "room_id": str(entry["room_id"]),
        "seq": entry["seq"],
        "sender": entry["sender"],
        "sender_id": str(entry["actor_id"]),
        "content": entry.get("content") or "",
        "timestamp": to_wire(entry["created_at"]),
        "client_id": entry.get("client_id"),
        "reply_to": entry.get("reply_to"),
        "uploads": entry.get("uploads") or [],
        **mentioned(entry.get("mentions")),
        "reactions": entry.get("reactions") or {},
        "edited_at": to_wire(entry["edited_at"]) if entry.get("edited_at") else None,
        "deleted": entry.get("deleted_at") is not None,
        "rev": entry["rev"],
    }


def room_event(entry: Document) -> Payload:
    """An entry of the log, for protocol 2, `resume` and `GET .../events`."""
    payload: Payload = {
        "room_id": str(entry["room_id"]),
        "seq": entry["seq"],
        "kind": entry["kind"],
        "actor": {"id": str(entry["actor_id"]), "email": entry["sender"]},
        "created_at": to_wire(entry["created_at"]),
    }
    if entry["kind"] == Kind.MESSAGE.value:
        return message(entry) | payload
    data = entry.get("data") or {}
    if entry["kind"] == Kind.EDIT.value:
        data = data | mentioned(data.get("mentions"))
    return data | payload


def mentioned(stored: Sequence[str] | None) -> Payload:
    """Whom a text calls: the ids of members, and whether it is everybody."""
    if not stored:
        return {"mentions": [], "mentions_all": False}
    ids = [user_id for user_id in stored if user_id != ALL]
    return {"mentions": ids, "mentions_all": ALL in stored}


def contract_name(entry: Document) -> str | None:
    """The event of protocol 1 that tells of an entry; None if it has none."""
    if entry["kind"] != Kind.MESSAGE.value:
        return None
    return BROADCAST if entry["via"] == Entry.Via.SOCKET.value else RESPONSE


def contract_payload(entry: Document) -> Payload:
    """What that event says."""
    if contract_name(entry) == BROADCAST:
        return message(entry)
    return {"room_id": str(entry["room_id"]), "message": message(entry)}


# Not entries of the log


def person(user: User) -> Payload:
    return {"id": str(user.pk), "email": user.email}


def typing(user: User, room_id: ObjectId) -> Payload:
    """Somebody is writing."""
    return {"room_id": str(room_id), "user": person(user)}


def read(user: User, room_id: ObjectId, seq: int) -> Payload:
    """Somebody has read the room up to a number."""
    return {"room_id": str(room_id), "user": person(user), "seq": seq}


def membership(room_id: ObjectId, *, muted: bool) -> Payload:
    """What somebody wants of a room, for the person's own devices."""
    return {"room_id": str(room_id), "muted": muted}


def presence(changes: Sequence[tuple[User, bool]]) -> Payload:
    """Who came online or went offline, of all that share a room with the listener."""
    return {"changes": [{"user": person(user), "online": online} for user, online in changes]}
