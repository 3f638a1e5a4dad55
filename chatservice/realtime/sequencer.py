"""Puts back in order what several processes announce at the same time.

Two processes write entries 5 and 6 of a room: the one that wrote 6 could tell its own sockets at
once, before it hears of 5. Clients would notice and ask for 5, all of them, all day; and those of
the older protocol, which has no numbers to notice by, would show the two in the wrong order.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

HOLD = 1.0
"""Seconds that an item waits for the one before it. Another process is some milliseconds away;
only what was lost, or a process that died in between, makes anybody wait for all of it."""

FIRST_HOLD = 0.05
"""The same for the first item of a sequence that this process hears of: mostly there is none before
it that still has to come."""

MAX_HELD = 1_000
"""Items of one sequence that wait; with more, the missing one is given up."""

MAX_SEQUENCES = 10_000
"""Sequences that are remembered, the least recently used forgotten first."""


class Sequencer(Generic[T]):
    """Hands on the numbered items of many sequences, each in order of its numbers.

    An item whose predecessor does not come within `HOLD` is handed to `on_late` without it, in a
    list with those that follow. A predecessor that comes still later is handed on as it comes.
    """

    def __init__(self, on_late: Callable[[list[T]], object]) -> None:
        self._on_late = on_late
        self._sequences: OrderedDict[str, _Sequence[T]] = OrderedDict()

    def push(self, name: str, number: int, item: T, *, may_hold: bool) -> list[T]:
        """Take an item; return what is in turn now: often just this, sometimes nothing or more."""
        hold = HOLD
        sequence = self._sequences.pop(name, None)
        if sequence is None:
            hold = FIRST_HOLD
            sequence = _Sequence(max(number - 1, 1) if may_hold else number)
        self._sequences[name] = sequence
        if len(self._sequences) > MAX_SEQUENCES:
            self._forget_one()
        if number > sequence.following and may_hold and len(sequence.held) < MAX_HELD:
            sequence.held[number] = _Held(item, asyncio.get_running_loop().time() + hold)
            self._watch(sequence)
            return []
        if number >= sequence.following:
            earlier = sequence.release(below=number)
            sequence.following = number + 1
            return [*earlier, item, *sequence.release()]
        return [item]

    def _watch(self, sequence: "_Sequence[T]") -> None:
        if sequence.held and sequence.timer is None:
            until = min(held.until for held in sequence.held.values())
            loop = asyncio.get_running_loop()
            sequence.timer = loop.call_at(until, self._give_up, sequence)

    def _give_up(self, sequence: "_Sequence[T]") -> None:
        """Hand on what has waited for long enough, and what is before it; the others wait on."""
        sequence.timer = None
        now = asyncio.get_running_loop().time()
        due = [number for number, held in sequence.held.items() if held.until <= now]
        if items := sequence.release(below=max(due, default=0) + 1):
            self._on_late(items)
        self._watch(sequence)

    def _forget_one(self) -> None:
        for name, sequence in self._sequences.items():
            if not sequence.held:
                del self._sequences[name]
                return


@dataclass(slots=True)
class _Held(Generic[T]):
    item: T
    until: float
    """When it is handed on without what is before it, by the event loop's clock."""


class _Sequence(Generic[T]):
    __slots__ = ("following", "held", "timer")

    def __init__(self, first: int) -> None:
        self.following = first
        self.held: dict[int, _Held[T]] = {}
        self.timer: asyncio.TimerHandle | None = None

    def release(self, below: int = 0) -> list[T]:
        """Stop holding what is below a number, and what follows without a gap; return it."""
        items = []
        for number in sorted(self.held):
            if number >= below and number != self.following:
                break
            items.append(self.held.pop(number).item)
            self.following = number + 1
        if not self.held and self.timer is not None:
            self.timer.cancel()
            self.timer = None
        return items
