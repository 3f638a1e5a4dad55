"""What the entries of a log do to the documents that people read.

Each entry is applied after it is stored, in order, maybe several times and by several processes:
applying is idempotent and only ever goes forward (see `chat.log`).
"""

from collections.abc import Iterator
from datetime import datetime

from bson import ObjectId

from . import hot_path
from .hot_path import Document
from .models import Entry
from .words import terms_of

Kind = Entry.Kind

ROOM_FIELDS = ("name", "description", "is_public")
"""What an entry of the kind `room` may say anew."""


async def project(entry: Document) -> None:
    """Bring the documents that an entry is about up to date. Idempotent, and only ever forward."""
    room_id, seq, moment = entry["room_id"], entry["seq"], entry["created_at"]
    data = entry.get("data") or {}
    match entry["kind"]:
        case Kind.EDIT.value:
            await hot_path.project_message(
                room_id,
                data["target"],
                seq=seq,
                fields={
                    "content": data["content"],
                    "uploads": data["uploads"],
                    "edited_at": moment,
                    "terms": terms_of(data["content"] or ""),
                    **({"mentions": data["mentions"]} if data.get("mentions") else {}),
                },
                erase=[] if data.get("mentions") else ["mentions"],
            )
        case Kind.DELETE.value:
            await hot_path.project_message(
                room_id,
                data["target"],
                seq=seq,
                fields={"content": None, "deleted_at": moment},
                erase=["uploads", "mentions", "reactions", "terms"],
            )
            await hot_path.erase_edits(room_id, data["target"], seq)
        case Kind.REACTION.value:
            await hot_path.project_reaction(
                room_id,
                data["target"],
                seq=seq,
                emoji=data["emoji"],
                user_id=entry["actor_id"],
                on=data["on"],
            )
        case Kind.MEMBER.value:
            changes = _membership_changes(data, seq, moment)
            await hot_path.project_memberships(room_id, changes, seq=seq)
        case Kind.ROOM.value:
            fields = {name: data[name] for name in ROOM_FIELDS if name in data}
            for name in ("name", "description"):
                if name in fields:
                    fields[f"{name}_terms"] = terms_of(fields[name])
            if data.get("deleted"):
                fields["deleted_at"] = moment
            await hot_path.project_room(room_id, seq=seq, fields=fields)


def _membership_changes(
    data: Document, seq: int, moment: datetime
) -> Iterator[tuple[ObjectId, Document, Document]]:
    """For everybody whom a membership entry is about: what is set, and what is raised."""
    nothing_read = {"read_seq": 0, "read_number": 0}
    # Who joins has nothing to read of what was said before; `joined_seq` tells that from reading.
    all_read = {"read_seq": seq, "read_number": data.get("messages", 0)}
    for person in data["removed"]:
        yield ObjectId(person["id"]), {"left_at": moment}, nothing_read
    for person in data["added"]:
        joined = {
            "left_at": None,
            "joined_at": moment,
            "joined_seq": seq,
            "role": person["role"],
        }
        yield ObjectId(person["id"]), joined, all_read
    for person in data.get("changed", ()):
        yield ObjectId(person["id"]), {"role": person["role"]}, nothing_read
