"""The logs that this process writes to, and how what they store is announced."""

from collections.abc import Awaitable, Callable
from functools import partial

from bson import ObjectId

from accounts.models import User
from chat import events, hot_path, policies
from chat.drafts import Draft
from chat.hot_path import Document
from chat.log import RoomLogs
from chat.models import Entry
from chat.room_state import RoomState
from chatservice import limits, metrics, realtime
from chatservice.realtime.lifecycle import on_shutdown, on_startup


async def append_permitted(
    actor: User,
    room_id: ObjectId,
    kind: Entry.Kind,
    data: Document,
    allowed: Callable[[RoomState], bool],
) -> None:
    def permit(room: RoomState) -> None:
        policies.require_visible(actor, room)
        policies.require(allowed(room))

    await append(room_id, kind=kind, actor=actor, data=data, permit=permit)


async def append(
    room_id: ObjectId,
    *,
    kind: Entry.Kind,
    actor: User,
    data: Document | None = None,
    permit: Callable[[RoomState], None],
    prepare: Callable[[RoomState], Awaitable[Document]] | None = None,
) -> Document:
    def permit_so_many(room: RoomState) -> None:
        permit(room)
        limits.take(limits.ROOM_ENTRIES, room_id)

    fields = {"data": data or {}}
    draft = Draft(kind=kind, actor=actor, fields=fields, permit=permit_so_many, prepare=prepare)
    return (await logs.submit(room_id, draft)).entry


async def _announce(entries: list[Document], audience: frozenset[ObjectId]) -> None:
    """Tell the devices of the people concerned, each in the protocol that it speaks."""
    told = [(entry["seq"], _events_of(entry)) for entry in entries]
    await realtime.publish_entries(entries[0]["room_id"], told, to=audience)


def _events_of(entry: Document) -> list[realtime.Event]:
    told = [realtime.Event("room_event", partial(events.room_event, entry), protocol=2)]
    if (name := events.contract_name(entry)) is not None:
        told.append(realtime.Event(name, partial(events.contract_payload, entry), protocol=1))
    return told


logs = RoomLogs(_announce)
"""The logs of this process. Their queues are written before the process stops."""

on_shutdown(logs.drain)
metrics.on_scrape(logs.look_at_queues)


@on_startup
async def recover() -> None:
    """Finish what a process that was killed had stored and not yet projected."""
    for room_id in await hot_path.rooms_behind_their_log():
        await logs.roll_forward(room_id)
