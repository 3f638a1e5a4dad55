"""Noticing that a session has ended although the news of it did not get here.

Whoever ends a session cuts its sockets in every process at once, but that news travels at most
once: it may be lost, or a socket may open in the very moment. So each process also looks for
itself, in two queries for many sockets: at those that have just opened or sent something within a
second, at all others in turn within `INTERVAL` seconds, and at all of them every second while it is
cut off from the other processes.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable

from bson import ObjectId
from pymongo.errors import PyMongoError

from . import hot_path

logger = logging.getLogger(__name__)

INTERVAL = 15.0
"""Seconds within which every session is looked at. Some at a time: at ten thousand in one go, all
else would wait for a tenth of a second."""

TICK = 0.5
"""Seconds within which a session that was used is looked at."""

CUT_OFF_INTERVAL = 1.0
"""Seconds between two looks at all sessions while other processes cannot be heard."""


class SessionWatch:
    """Looks after the sessions that sockets of this process belong to; on the home loop.

    `sessions` answers their ids, `is_cut_off` whether other processes cannot be heard, and
    `on_ended` is called with those that have ended.
    """

    def __init__(
        self,
        *,
        sessions: Callable[[], Iterable[ObjectId]],
        is_cut_off: Callable[[], bool],
        on_ended: Callable[[set[ObjectId]], None],
    ) -> None:
        self._sessions = sessions
        self._is_cut_off = is_cut_off
        self._on_ended = on_ended
        self._used: set[ObjectId] = set()
        self._in_turn: list[ObjectId] = []
        self._share = 0
        self._looked_at_all = -math.inf

    def note_use(self, session_id: ObjectId) -> None:
        """Have a session looked at soon."""
        self._used.add(session_id)

    def hurry(self) -> None:
        """Have all sessions looked at soon."""
        self._looked_at_all = -math.inf

    async def run(self) -> None:
        """Look for as long as the process lives."""
        is_database_up = True
        while True:
            await asyncio.sleep(TICK)
            started = time.monotonic()
            interval = CUT_OFF_INTERVAL if self._is_cut_off() else math.inf
            is_time_for_all = started - self._looked_at_all >= interval
            used, self._used = self._used, set()
            due = set(self._sessions()) if is_time_for_all else used.union(self._next_in_turn())
            try:
                ended = due - await hot_path.live_sessions(due) if due else set()
            except PyMongoError as error:
                if is_database_up:
                    logger.warning("Sessions could not be looked at: %s", type(error).__name__)
                is_database_up = False
                self._used |= due
                continue
            is_database_up = True
            if is_time_for_all:
                self._looked_at_all = started
            if ended:
                self._on_ended(ended)

    def _next_in_turn(self) -> list[ObjectId]:
        if not self._in_turn:
            self._in_turn = list(self._sessions())
            self._share = math.ceil(len(self._in_turn) * TICK / INTERVAL)
        due, self._in_turn = self._in_turn[: self._share], self._in_turn[self._share :]
        return due
