"""What members are told at once and the log does not keep: who types, reads, comes and goes.

Only protocol 2 knows these events. They are lost on whoever is away, and that is all right. So is
what somebody wants for themselves: that a room is muted.
"""

from collections.abc import Mapping
from functools import partial

from bson import ObjectId

from accounts import hot_path as accounts_hot_path
from accounts.models import User
from chat import events, hot_path, policies
from chatservice import limits, realtime

from .appending import logs


async def announce_typing(*, actor: User, room_id: ObjectId) -> None:
    """Tell the other members that the actor is writing something. Good for some seconds."""
    room = await logs.state_of(room_id)
    policies.require_member(actor, room)
    try:
        limits.take(limits.TYPING, f"{room_id}:{actor.pk}")
    except limits.TooMany:
        return  # it has been told a moment ago
    others = [user_id for user_id in room.members if user_id != actor.pk]
    event = realtime.Event("typing", partial(events.typing, actor, room_id), protocol=2)
    await realtime.publish(event, to=others)


async def mark_read(*, actor: User, room_id: ObjectId, seq: int) -> None:
    """Note that the actor has read a room up to entry `seq`, and tell the members.

    It only ever moves forward, and not beyond the end of the log.
    """
    room = await logs.state_of(room_id)
    policies.require_member(actor, room)
    seq = min(seq, room.seq)
    if seq == room.seq:  # nearly always
        number = room.message_count
    else:
        number = await hot_path.last_message_number(room_id, seq)
    if await hot_path.project_read(room_id, actor.pk, seq=seq, number=number):
        event = realtime.Event("read", partial(events.read, actor, room_id, seq), protocol=2)
        await realtime.publish(event, to=room.members)


async def mute_room(*, actor: User, room_id: ObjectId, muted: bool) -> None:
    """Note whether the actor wants to hear of a room, and tell the actor's own devices.

    Doing it again does nothing.
    """
    policies.require_member(actor, await logs.state_of(room_id))
    if await hot_path.project_muted(room_id, actor.pk, muted=muted):
        make = partial(events.membership, room_id, muted=muted)
        await realtime.publish(realtime.Event("membership", make, protocol=2), to=[actor.pk])


async def announce_presence(*, changes: Mapping[ObjectId, bool]) -> None:
    """Tell who shares a room with them that people came online (true) or went offline.

    One event for each listener, however many people have changed, and one payload for all who share
    the same rooms with them: a thousand who reconnect at once cost a thousand events and not a
    million. So a listener may be told of itself as well, beside others.
    """
    people = await accounts_hot_path.load_users(changes)
    members = await hot_path.member_ids_of_rooms_with(people)
    shared: dict[ObjectId, set[ObjectId]] = {}
    for room_id, member_ids in members.items():
        for user_id in member_ids:
            shared.setdefault(user_id, set()).add(room_id)
    listeners: dict[frozenset[ObjectId], list[ObjectId]] = {}
    for user_id, rooms in shared.items():
        listeners.setdefault(frozenset(rooms), []).append(user_id)
    for room_ids, group in listeners.items():
        changed = {pk for room_id in room_ids for pk in members[room_id] if pk in people}
        to = [listener for listener in group if changed != {listener}]
        if to:
            told = [(people[pk], changes[pk]) for pk in sorted(changed)]
            event = realtime.Event("presence", partial(events.presence, told), protocol=2)
            await realtime.publish(event, to=to)
