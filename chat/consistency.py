"""Whether the logs and what is projected from them agree: what `check_rooms` reports and repairs.

Reads the database alone, through PyMongo and without the code that writes it, so that a bug there
is not repeated here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from chatservice.mongo.client import database

from .models import Entry, Membership, Room
from .words import terms_of

BATCH = 5_000


@dataclass(frozen=True)
class Problem:
    """One disagreement. `repairable` by projecting the log again; a gap in the log is not."""

    room_id: ObjectId
    text: str
    repairable: bool = True


def problems_of(room: dict[str, Any]) -> Iterator[Problem]:
    """What is wrong with one room, given as its document."""
    room_id = room["_id"]
    db = database()
    members: dict[str, str] = {}
    joined: dict[str, int] = {}
    messages: dict[int, dict[str, Any]] = {}
    deleted = False
    shown = {**room, "is_public": room.get("is_public", False)}
    expected = {name: shown[name] for name in ("name", "description", "is_public")}
    reactions: dict[int, dict[str, list[str]]] = {}
    seq = count = 0
    cursor = db[Entry._meta.db_table].find({"room_id": room_id}, batch_size=BATCH).sort("seq", 1)
    for entry in cursor:
        seq += 1
        if entry["seq"] != seq:
            yield Problem(room_id, f"number {seq} is missing: {entry['seq']} follows", False)
            seq = entry["seq"]
        data = entry.get("data") or {}
        match entry["kind"]:
            case "message":
                count += 1
                if entry["number"] != count:
                    text = f"message {entry['seq']} says it is the {entry['number']}., not {count}."
                    yield Problem(room_id, text, False)
                messages[entry["seq"]] = entry
            case "edit" if (message := messages.get(data["target"])) is not None:
                if entry["seq"] > message["rev"]:
                    yield Problem(room_id, f"edit {entry['seq']} is not shown")
            case "delete" if (message := messages.get(data["target"])) is not None:
                if message.get("deleted_at") is None:
                    yield Problem(room_id, f"deletion {entry['seq']} is not shown")
                reactions.pop(data["target"], None)
            case "reaction" if (message := messages.get(data["target"])) is not None:
                react(reactions.setdefault(data["target"], {}), entry)
            case "member":
                for person in data["removed"]:
                    members.pop(person["id"], None)
                joined |= {person["id"]: seq for person in data["added"]}
                present = [*data["added"], *data.get("changed", ())]
                members |= {person["id"]: person["role"] for person in present}
            case "room":
                deleted = deleted or data.get("deleted", False)
                expected |= {key: data[key] for key in expected if key in data}
    if seq > room["projected_seq"]:
        yield Problem(room_id, f"projected up to {room['projected_seq']} of {seq}")
    if any(shown[key] != value for key, value in expected.items()):
        yield Problem(room_id, "name, description or publicity differ from the log")
    for number, message in messages.items():
        if (message.get("reactions") or {}) != reactions.get(number, {}):
            yield Problem(room_id, f"reactions to message {number} differ from the log")
        there = message.get("deleted_at") is None
        if (message.get("terms") or []) != (terms_of(message["content"] or "") if there else []):
            yield Problem(room_id, f"message {number} is found by other words than it has")
    if deleted != (room["deleted_at"] is not None):
        yield Problem(room_id, "deleted in one place and not in the other")
    memberships = {
        str(membership["user_id"]): membership
        for membership in db[Membership._meta.db_table].find({"room_id": room_id, "left_at": None})
    }
    if {user_id: each["role"] for user_id, each in memberships.items()} != members:
        yield Problem(room_id, f"{len(memberships)} members are stored, the log has {len(members)}")
    for user_id, membership in memberships.items():
        # An earlier version did not store it, which counts as 0.
        if membership.get("joined_seq", 0) not in (0, joined.get(user_id)):
            yield Problem(room_id, f"member {user_id} joined by another entry than is stored")


def react(reactions: dict[str, list[str]], entry: dict[str, Any]) -> None:
    """What an entry does to the reactions to a message."""
    data, user_id = entry["data"], str(entry["actor_id"])
    others = [each for each in reactions.get(data["emoji"], []) if each != user_id]
    if data["on"]:
        reactions.setdefault(data["emoji"], [])
        if user_id not in reactions[data["emoji"]]:
            reactions[data["emoji"]].append(user_id)
    elif others:
        reactions[data["emoji"]] = others
    else:
        reactions.pop(data["emoji"], None)


def room(room_id: ObjectId) -> dict[str, Any]:
    """One room's document."""
    document = database()[Room._meta.db_table].find_one({"_id": room_id})
    if document is None:
        raise Room.DoesNotExist
    return document


def rooms() -> Iterator[dict[str, Any]]:
    """All rooms, the deleted ones too."""
    yield from database()[Room._meta.db_table].find()
