"""Noticing that a session has ended although the news of it did not get here.

Whoever ends a session cuts its sockets in every process at once, but that news travels at most
once: it may be lost, or a socket may open in the very moment. So each process also looks for
itself, in two queries for all of its sockets: at those that have just opened or sent something
within a second, at all of them every `INTERVAL` seconds, and at all of them every second while it
is cut off from the other processes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from bson import ObjectId
from pymongo.errors import PyMongoError

from . import hot_path

logger = logging.getLogger(__name__)

INTERVAL = 15.0
"""Seconds between two looks at all sessions."""

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
        self._looked_at_all = -INTERVAL

    def note_use(self, session_id: ObjectId) -> None:
        """Have a session looked at soon."""
        self._used.add(session_id)

    def hurry(self) -> None:
        """Have all sessions looked at soon."""
        self._looked_at_all = -INTERVAL

    async def run(self) -> None:
        """Look for as long as the process lives."""
        is_database_up = True
        while True:
            await asyncio.sleep(TICK)
            interval = CUT_OFF_INTERVAL if self._is_cut_off() else INTERVAL
            started = time.monotonic()
            is_time_for_all = started - self._looked_at_all >= interval
            used, self._used = self._used, set()
            due = set(self._sessions()) if is_time_for_all else used
            try:
                ended = due - await hot_path.live_sessions(due) if due else set()
            except PyMongoError as error:
                if is_database_up:
                    logger.warning("Sessions could not be looked at: %s", type(error).__name__)
                is_database_up = False
                self._used |= used
                continue
            is_database_up = True
            if is_time_for_all:
                self._looked_at_all = started
            if ended:
                self._on_ended(ended)
