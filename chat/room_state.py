"""What a room's log adds up to: who is in it, and how far it goes."""

from dataclasses import dataclass, field

from bson import ObjectId

from .hot_path import Document
from .models import Entry

Kind = Entry.Kind


@dataclass(slots=True)
class RoomState:
    """A room as of entry `seq`: what its log up to there adds up to."""

    room_id: ObjectId
    seq: int = 0
    message_count: int = 0
    is_group_chat: bool = True
    is_deleted: bool = False
    is_public: bool = False
    members: dict[ObjectId, str] = field(default_factory=dict)
    """Role by user id."""

    def apply(self, entry: Document) -> None:
        """Advance to the entry, which must be the next one (or the next that is no message)."""
        self.seq = entry["seq"]
        match entry["kind"]:
            case Kind.MESSAGE.value:
                self.message_count = entry["number"]
            case Kind.MEMBER.value:
                for person in entry["data"]["removed"]:
                    self.members.pop(ObjectId(person["id"]), None)
                for person in [*entry["data"]["added"], *entry["data"].get("changed", ())]:
                    self.members[ObjectId(person["id"])] = person["role"]
            case Kind.ROOM.value:
                self.is_deleted = self.is_deleted or entry["data"].get("deleted", False)
                self.is_public = entry["data"].get("is_public", self.is_public)
