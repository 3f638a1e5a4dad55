"""Which sockets of this process listen to which addresses.

python-socketio has rooms for this, made for few of them with many sockets. Here nearly every socket
is alone at its addresses: a room for each would cost half a kilobyte, a broadcast would merge as
many rooms as it has recipients, and who leaves would be looked for in the rooms of everybody else.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

S = TypeVar("S")

NOBODY: tuple[()] = ()


class Listeners(Generic[S]):
    """Sockets by address, and addresses by the id of the socket."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[S, ...]] = {}
        self._of: dict[str, tuple[S, tuple[str, ...]]] = {}

    def add(self, sid: str, socket: S, addresses: Sequence[str]) -> None:
        """Have a socket listen to addresses, and no more to those it listened to before."""
        self.discard(sid)
        self._of[sid] = socket, tuple(addresses)
        for address in addresses:
            self._at[address] = (*self._at.get(address, NOBODY), socket)

    def discard(self, sid: str) -> None:
        """Have a socket listen to nothing. Unknown ids are fine."""
        if sid not in self._of:
            return
        socket, addresses = self._of.pop(sid)
        for address in addresses:
            others = tuple(each for each in self._at[address] if each is not socket)
            if others:
                self._at[address] = others
            else:
                del self._at[address]

    def at(self, addresses: Iterable[str]) -> list[S]:
        """The sockets at the addresses; one that listens to two of them comes twice."""
        at = self._at
        return [socket for address in addresses for socket in at.get(address, NOBODY)]
