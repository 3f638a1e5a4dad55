"""What waits for its place in a room's log, and what becomes of it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from bson import ObjectId
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from accounts.models import User
from chatservice.timestamps import now

from .hot_path import Document
from .models import Entry
from .room_state import RoomState

Kind = Entry.Kind


class StorageUnavailable(APIException):
    """MongoDB did not say whether the entry is stored. A retry with its `client_id` is safe."""

    status_code = 503
    default_detail = _("The message could not be stored now. Please try again in a moment.")
    default_code = "unavailable"
    wait = 5


class RoomIsBusy(APIException):
    """Too many drafts wait in this room. Nothing was stored."""

    status_code = 503
    default_detail = _("Too much is being written in this room. Please try again in a moment.")
    default_code = "busy"
    wait = 2


@dataclass(slots=True, eq=False)
class Draft:
    """An entry that asks for a number.

    `permit` is called with the state of the room that the entry would follow, right before it is
    stored, and raises if the actor may not. `prepare`, for what takes a query, is awaited after
    that with the same state, when all entries up to there have been projected, and returns fields
    to set, or raises. Both are called again if another process was faster.
    """

    kind: Entry.Kind
    actor: User
    fields: Document
    permit: Callable[[RoomState], None]
    prepare: Callable[[RoomState], Awaitable[Document]] | None = None
    client_id: str | None = None
    id: ObjectId = field(default_factory=ObjectId)
    stored: "asyncio.Future[Stored]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    settled: bool = False
    context: Context = field(default_factory=copy_context)
    """Of the actor's call, and so the language of what `permit` raises."""

    def as_entry(self, state: RoomState, seq: int, message_count: int) -> Document:
        entry: Document = {
            "_id": self.id,
            "room_id": state.room_id,
            "seq": seq,
            "kind": self.kind.value,
            "actor_id": self.actor.pk,
            "sender": self.actor.email,
            "created_at": now(),
            **self.fields,
        }
        if self.kind is Kind.MESSAGE:
            entry |= {"number": message_count + 1, "rev": seq}
        if self.kind is Kind.MEMBER:
            # For those who join, these are read.
            entry["data"] = {**entry["data"], "messages": message_count}
        if self.client_id is not None:
            entry["client_id"] = self.client_id
        return entry

    def resolve(self, entry: Document, *, duplicate: bool = False) -> None:
        self.settled = True
        if not self.stored.done():  # a sender that hung up is not waiting any more
            self.stored.set_result(Stored(entry, duplicate))

    def refuse(self, error: Exception) -> None:
        self.settled = True
        if not self.stored.done():
            self.stored.set_exception(error)

    @property
    def stands_alone(self) -> bool:
        """Whether it is decided against all that was there before: only messages are not."""
        return self.kind is not Kind.MESSAGE


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry that is safe on disk. `duplicate`: an earlier attempt had stored it already."""

    entry: Document
    duplicate: bool
