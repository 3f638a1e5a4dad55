"""Our rooms beside python-socketio's: the same answers, without looking through all rooms."""

import asyncio
import itertools
import sys
from types import SimpleNamespace

import pytest
from socketio.async_manager import AsyncManager

from chatservice.realtime.rooms import RoomManager


def manager_of(kind):
    numbers = itertools.count(1)
    manager = kind()
    manager.server = SimpleNamespace(eio=SimpleNamespace(generate_id=lambda: f"id{next(numbers)}"))
    return manager


async def connect(manager, transport, *rooms):
    sid = await manager.pre_connect(transport, "/")
    for room in rooms:
        await manager.enter_room(sid, "/", room)
    await manager.connect(sid, "/")
    return sid


async def history_of(manager):
    """What a manager answers while three sockets come, move about and go, one of them twice."""
    first, second, third = [
        await connect(manager, transport, *rooms)
        for transport, rooms in {
            "one": ["user:alice", "session:1"],
            "two": ["user:alice", "session:2"],
            "three": ["user:bob"],
        }.items()
    ]

    def view():
        rooms = [None, first, third, "user:alice", "user:bob", "session:1", "nobody"]
        return (
            [sorted(manager.get_participants("/", room)) for room in rooms],
            sorted(manager.get_participants("/", ["user:bob", "nobody", second, "user:alice"])),
            [sorted(manager.get_rooms(sid, "/")) for sid in (first, second, third)],
            [manager.is_connected(sid, "/") for sid in (first, second, third)],
            [manager.sid_from_eio_sid(transport, "/") for transport in ("one", "two", "three")],
            sorted(map(str, manager.get_namespaces())),
        )

    yield view()
    await manager.enter_room(third, "/", "user:alice")
    await manager.enter_room(third, "/", "user:alice")
    await manager.leave_room(first, "/", "session:1")
    await manager.leave_room(first, "/", "session:1")
    yield view()
    manager.pre_disconnect(first, "/")
    yield view()
    await manager.disconnect(first, "/")
    yield view()
    await manager.close_room("user:alice", "/")
    yield view()
    for sid in (second, third):
        await manager.disconnect(sid, "/")
    yield view()
    await connect(manager, "one", "user:alice")
    yield view()


async def views_of(kind):
    return [view async for view in history_of(manager_of(kind))]


async def cost_of_leaving(*, others):
    """How many lines are run when one socket of many leaves."""
    manager = manager_of(RoomManager)
    sid = await connect(manager, "mine", "user:mine")
    for number in range(others):
        await connect(manager, f"{number}", f"user:{number}")
    lines = []

    def note(frame, event, argument):
        lines.append(event)
        return note

    before = sys.gettrace()
    sys.settrace(note)
    manager.basic_disconnect(sid, "/")
    sys.settrace(before)
    return len(lines)


def test_rooms_answer_as_the_librarys_do():
    assert asyncio.run(views_of(RoomManager)) == asyncio.run(views_of(AsyncManager))


def test_a_room_cannot_take_the_name_of_a_socket():
    async def take():
        manager = manager_of(RoomManager)
        first, second = await connect(manager, "one"), await connect(manager, "two")
        with pytest.raises(ValueError, match="sid room"):
            await manager.enter_room(first, "/", second)

    asyncio.run(take())


def test_a_socket_leaves_at_the_same_cost_however_many_there_are():
    few, many = [asyncio.run(cost_of_leaving(others=others)) for others in (10, 500)]

    assert few == many
