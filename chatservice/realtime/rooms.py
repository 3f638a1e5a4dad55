"""python-socketio's rooms, at a price that ten thousand sockets can pay.

What people are told goes by `listeners`, not by rooms. There remain the room of all sockets, in
which each is found by its id, and those that a test's server makes.

The library keeps a two-way map for each room, a room for each socket, and looks through all rooms
there are when one socket leaves: ten thousand that leave together kept a process busy for most of
a minute. Here a room is a plain map, a socket needs no room to be found by its id, and it is noted
which rooms it has entered.
"""

from collections.abc import Iterator
from typing import Any

from socketio.async_manager import AsyncManager


class RoomManager(AsyncManager):
    """A client manager, without the way in which it sends."""

    def __init__(self) -> None:
        super().__init__()
        self._entered: dict[str, tuple[str, ...]] = {}
        """By socket; its ids are unique in all namespaces."""

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        if room == sid:
            return  # everybody is found by the own id: see `get_participants`
        if room is not None:
            self.rooms.get(namespace, {}).setdefault(room, {})
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        entered = self._entered.get(sid, ())
        if room is not None and room not in entered:
            self._entered[sid] = (*entered, room)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        super().basic_leave_room(sid, namespace, room)
        rest = tuple(each for each in self._entered.pop(sid, ()) if each != room)
        if rest:
            self._entered[sid] = rest

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        for room in (*self._entered.get(sid, ()), None):
            self.basic_leave_room(sid, namespace, room)
        self.callbacks.pop(sid, None)
        for waiting in (self.pending_connect, self.pending_disconnect):
            if sid in waiting.get(namespace, ()):
                waiting[namespace].remove(sid)
                if not waiting[namespace]:
                    del waiting[namespace]

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        """The sockets in a room, in any of several, or all (None); each with its transport."""
        rooms = self.rooms.get(namespace, {})
        everybody = rooms.get(None, {})
        found: dict[str, str] = {}
        for each in [room] if room is None or isinstance(room, str) else room:
            if each in rooms:
                found.update(rooms[each])
            elif each in everybody:
                found[each] = everybody[each]
        yield from found.items()

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms a socket is in; one of its own, as the library has it, among them."""
        is_in = sid in self.rooms.get(namespace, {}).get(None, {})
        return [sid, *self._entered.get(sid, ())] if is_in else []
