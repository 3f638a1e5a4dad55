"""What the entries of a log do to the documents that people read.

Each entry is applied after it is stored, in order, maybe several times and by several processes:
applying is idempotent and only ever goes forward (see `chat.log`).
"""

from bson import ObjectId

from . import hot_path
from .hot_path import Document
from .models import Entry

Kind = Entry.Kind


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
                },
            )
        case Kind.DELETE.value:
            await hot_path.project_message(
                room_id,
                data["target"],
                seq=seq,
                fields={"content": None, "deleted_at": moment},
                erase=["uploads"],
            )
            await hot_path.erase_edits(room_id, data["target"], seq)
        case Kind.MEMBER.value:
            for person in data["removed"]:
                await hot_path.project_membership(
                    room_id, ObjectId(person["id"]), seq=seq, moment=moment, role=None
                )
            for person in data["added"]:
                await hot_path.project_membership(
                    room_id, ObjectId(person["id"]), seq=seq, moment=moment, role=person["role"]
                )
        case Kind.ROOM.value:
            fields = {name: data[name] for name in ("name", "description") if name in data}
            if data.get("deleted"):
                fields["deleted_at"] = moment
            await hot_path.project_room(room_id, seq=seq, fields=fields)
