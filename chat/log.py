"""The room log: where an entry gets its number, and with it its place for ever.

Numbers of a room run 1, 2, 3, ... without a gap. **Inserting the entry is the commit**: the unique
index on `(room_id, seq)` lets nobody insert n + 1 twice, and a writer takes n + 1 only after it
has seen n. So there is no counter and no transaction. What follows from it:

* Who loses the race for a number reads what the others wrote and tries the next one. Having read
  it, it knows the room as of that entry: **permission is decided against the state that the entry
  follows**, and a removed member's message cannot slip in behind the removal.
* Nobody inserts n + 1 before having projected all entries up to n, so projections are applied in
  order although several processes may apply the same one; each is idempotent.
* Writers of one room in one process queue up here, and a queue is written in one insert.
* If MongoDB vanishes in the middle, the entries' ids, made by us, tell which of them are stored.

`RoomLog` knows no rights and no socket: a draft brings its own check, and what is stored is
handed to `announce`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from bson import ObjectId
from pymongo.errors import PyMongoError
from rest_framework.exceptions import APIException

from chatservice import metrics
from chatservice.realtime.lifecycle import in_background
from chatservice.timestamps import now

from . import hot_path
from .drafts import Draft, RoomIsBusy, StorageUnavailable, Stored
from .hot_path import Document
from .models import Entry
from .projections import project
from .room_state import RoomState

logger = logging.getLogger(__name__)

MAX_BATCH = 200
"""Entries stored in one insert. A thousand-member room announces each, so latency bounds it."""

MAX_QUEUE = 5_000
"""Drafts that may wait in one room; more are refused rather than kept in memory."""

GIVE_UP_AFTER = 4.5
"""Seconds of attempts after which waiting senders are told to try again."""

DRAIN_TIMEOUT = 5.0
"""Seconds that a process that stops gives its queues to be written."""

MAX_IDLE_LOGS = 2_000
"""Rooms whose state is kept in memory although nobody is writing."""

FAR_BEHIND = 500
"""Entries of others that are read one by one; of more, only those that are no messages."""

PROGRESS_INTERVAL = 1.0
"""Seconds between notes of how far rooms have come; what they say is only needed after a crash."""

Kind = Entry.Kind


Announce = Callable[[list[Document], frozenset[ObjectId]], Awaitable[None]]
"""Tells the users with these ids of entries, stored and in order."""


class RoomLogs:
    """The logs that this process writes to, one `RoomLog` for each room."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self._logs: dict[ObjectId, RoomLog] = {}
        self._progress: dict[ObjectId, tuple[int, int, datetime]] = {}
        self._noting: asyncio.Task[None] | None = None

    def submit(self, room_id: ObjectId, draft: Draft) -> "asyncio.Future[Stored]":
        """Queue a draft, at once: the order of calls is the order in the log.

        The future raises what the draft's own check raised, `RoomIsBusy` or
        `StorageUnavailable`.
        """
        log = self._logs.pop(room_id, None) or RoomLog(room_id, self)
        self._logs[room_id] = log  # at the end: the front is the least recently used
        if len(self._logs) > MAX_IDLE_LOGS:
            self._forget_idle()
        log.submit(draft)
        return draft.stored

    async def state_of(self, room_id: ObjectId) -> RoomState:
        """The room as of the end of its log, now. Not for deciding what is then written."""
        log = self._logs.get(room_id) or RoomLog(room_id, self)
        return await log.catch_up()

    async def roll_forward(self, room_id: ObjectId) -> None:
        """Apply what a process that died may have left stored but not projected."""
        await self.state_of(room_id)
        await self.note_progress()

    async def reproject(self, room_id: ObjectId) -> None:
        """Make all projections of a room again, from the first entry of its log."""
        last = await hot_path.last_entry(room_id)
        if last is None:
            return
        await hot_path.forget_projections(room_id)
        for entry in await hot_path.changes_between(room_id, 0, last["seq"]):
            await project(entry)
        await hot_path.refresh_terms(room_id)
        await hot_path.end_unfounded_memberships(room_id, now())
        count = await hot_path.last_message_number(room_id, last["seq"])
        self._progress[room_id] = (last["seq"], count, last["created_at"])
        await self.note_progress()

    def look_at_queues(self) -> None:
        """Set the metrics of what waits here."""
        waiting = [log.waiting for log in list(self._logs.values())]
        metrics.room_queue.set(sum(waiting))
        metrics.longest_room_queue.set(max(waiting, default=0))

    def _forget_idle(self) -> None:
        for room_id in [key for key, log in self._logs.items() if log.is_idle][
            : MAX_IDLE_LOGS // 10
        ]:
            del self._logs[room_id]

    async def drain(self) -> None:
        """Wait until the queues are written, for a while, and note the rooms' progress."""
        writing = [log.writing for log in self._logs.values() if log.writing is not None]
        if writing:
            await asyncio.wait(writing, timeout=DRAIN_TIMEOUT)
        await self.note_progress()

    async def announce(self, entries: list[Document], to: frozenset[ObjectId]) -> None:
        try:
            await self._announce(entries, to)
        except Exception:
            # Stored is stored: clients find the entry by its number.
            logger.exception("An entry was stored and could not be announced.")

    def progressed(self, state: RoomState, moment: datetime) -> None:
        """Remember to note, soon and in one go for all rooms, how far a room has come."""
        self._progress[state.room_id] = (state.seq, state.message_count, moment)
        if self._noting is None or self._noting.done():
            self._noting = in_background(self._note_progress_soon())

    async def _note_progress_soon(self) -> None:
        while self._progress:
            await asyncio.sleep(PROGRESS_INTERVAL)
            await self.note_progress()

    async def note_progress(self) -> None:
        """Note now how far the rooms have come; called, too, when the process stops."""
        progress, self._progress = self._progress, {}
        try:
            await hot_path.record_progress(progress)
        except PyMongoError as error:
            logger.warning("The rooms' progress could not be noted yet: %s", type(error).__name__)
            self._progress = {**progress, **self._progress}


class RoomLog:
    """The one writer of a room's log in this process."""

    def __init__(self, room_id: ObjectId, logs: RoomLogs) -> None:
        self.room_id = room_id
        self._logs = logs
        self._state: RoomState | None = None
        self._queue: deque[Draft] = deque()
        self._lock = asyncio.Lock()
        self._unannounced: list[tuple[list[Document], frozenset[ObjectId]]] = []
        self._has_rivals = False
        """Whether another process writes here, too, at this time."""
        self.writing: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return self.writing is None or self.writing.done()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def submit(self, draft: Draft) -> None:
        if len(self._queue) >= MAX_QUEUE:
            draft.refuse(RoomIsBusy())
            return
        was_idle = self.is_idle
        self._queue.append(draft)
        if was_idle:
            self.writing = in_background(self._write_queue())

    async def catch_up(self) -> RoomState:
        """The state of the room as of the end of its log, with everything up to there projected."""
        async with self._lock:
            return await self._catch_up()

    async def _write_queue(self) -> None:
        while self._queue:
            batch = self._next_batch()
            try:
                with metrics.batch_duration.time():
                    async with self._lock:
                        await self._write(batch)
            except Exception as error:
                self._state = None  # whatever it was, the database knows better
                if not isinstance(error, (APIException, PyMongoError, TimeoutError)):
                    logger.exception("A batch could not be written.")
                for draft in batch:
                    draft.refuse(StorageUnavailable())

    def _next_batch(self) -> list[Draft]:
        """Drafts that may be decided against one state: one that stands alone, or many messages."""
        batch = [self._queue.popleft()]
        while (
            self._queue
            and len(batch) < MAX_BATCH
            and not batch[0].stands_alone
            and not self._queue[0].stands_alone
        ):
            batch.append(self._queue.popleft())
        return batch

    async def _write(self, batch: list[Draft]) -> None:
        """Store the drafts, or refuse them, and announce; raise when time is up."""
        deadline = time.monotonic() + GIVE_UP_AFTER
        pending = batch
        pause = 0.05
        uncertain = False
        while pending:
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    if self._state is None or self._has_rivals:
                        await self._look_for_rivals()
                    if uncertain:
                        await self._settle(pending)
                    await self._attempt([draft for draft in pending if not draft.settled])
                uncertain = False
            except (PyMongoError, TimeoutError) as error:
                if time.monotonic() + pause > deadline:
                    raise
                logger.warning("Storing entries is retried: %s", type(error).__name__)
                self._state, uncertain = None, True
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            finally:
                await self._announce_stored()
            pending = [draft for draft in pending if not draft.settled]

    async def _attempt(self, pending: list[Draft]) -> None:
        """Insert in one go what is permitted. What is not settled then may be tried again."""
        state = self._state
        assert state is not None
        permitted = [draft for draft in pending if _is_permitted(draft, state)]
        drafts = [draft for draft in permitted if await _is_prepared(draft, state)]
        entries = _number(drafts, state)
        if not entries:
            return
        refusal = await hot_path.insert_entries(entries)
        if refusal is None:
            await self._finish(drafts, entries, state)
        else:
            stored = refusal["index"]
            await self._finish(drafts[:stored], entries[:stored], state)
            await self._after_refusal(refusal, drafts[stored])

    async def _after_refusal(self, refusal: Document, draft: Draft) -> None:
        """Find out why MongoDB refused `draft`, and settle it if it is not to be tried again."""
        key = refusal.get("keyPattern", {})
        if "seq" in key:  # another process took the number: the next attempt looks first
            self._has_rivals = True
        elif "_id" in key:  # an attempt that seemed to fail had arrived after all
            await self._catch_up()
            await self._settle([draft])
        elif "client_id" in key and draft.client_id is not None:  # the sender repeats itself
            first = await hot_path.find_message_by_client_id(
                self.room_id, draft.actor.pk, draft.client_id
            )
            if first is not None:
                draft.resolve(first, duplicate=True)
        else:
            logger.error("MongoDB refused an entry: %s", refusal.get("errmsg"))
            draft.refuse(StorageUnavailable())

    async def _settle(self, pending: list[Draft]) -> None:
        """After an attempt of unknown outcome: finish what of it is stored."""
        stored = await hot_path.find_entries([draft.id for draft in pending])
        arrived = [draft for draft in pending if draft.id in stored]
        if arrived and self._state is not None:
            # The find may have seen what a crash could still undo. This write is journalled and
            # acknowledged by a majority, and so, then, is everything before it.
            await hot_path.record_progress({self.room_id: (0, 0, now())})
            await self._finish(arrived, [stored[draft.id] for draft in arrived], self._state)

    async def _finish(self, drafts: list[Draft], entries: list[Document], state: RoomState) -> None:
        """Project what is stored, tell its senders, and keep it to be announced."""
        if not entries:
            return
        metrics.batch_size.observe(len(entries))
        removed: set[ObjectId] = set()
        for entry in entries:
            metrics.entries.labels(entry["kind"]).inc()
            if entry["seq"] > state.seq:
                state.apply(entry)
            await project(entry)
            if entry["kind"] == Kind.MEMBER.value:
                removed |= {ObjectId(person["id"]) for person in entry["data"]["removed"]}
        for draft, entry in zip(drafts, entries, strict=True):
            draft.resolve(entry)
        # Who was removed hears of that, and of nothing after it.
        self._unannounced.append((entries, frozenset(removed.union(state.members))))
        self._logs.progressed(state, entries[-1]["created_at"])

    async def _announce_stored(self) -> None:
        stored, self._unannounced = self._unannounced, []
        for entries, audience in stored:
            await self._logs.announce(entries, audience)

    async def _look_for_rivals(self) -> None:
        """Take in what others have written meanwhile, and see whether they still do.

        To look costs less than to try a number that is taken: MongoDB's refusal waits for its
        journal, as if something had been stored.
        """
        known = self._state.seq if self._state is not None else None
        state = await self._catch_up()
        self._has_rivals = known is not None and state.seq > known

    async def _catch_up(self) -> RoomState:
        state = self._state or await self._load()
        following = await hot_path.outlines_after(self.room_id, state.seq, limit=FAR_BEHIND)
        if len(following) == FAR_BEHIND:
            last = await hot_path.last_entry(self.room_id)
            assert last is not None
            end = last["seq"]
            following = await hot_path.changes_between(self.room_id, state.seq, end - 1)
            following.append(last)
            state.message_count = await hot_path.last_message_number(self.room_id, end)
        for entry in following:
            await project(entry)
            state.apply(entry)
        if following:
            self._logs.progressed(state, following[-1]["created_at"])
        self._state = state
        return state

    async def _load(self) -> RoomState:
        """The room as of what has been projected."""
        room = await hot_path.find_room(self.room_id)
        if room is None:
            return RoomState(self.room_id, is_deleted=True)
        members = (await hot_path.members_of([self.room_id]))[self.room_id]
        return RoomState(
            self.room_id,
            seq=room["projected_seq"],
            message_count=room["message_count"],
            is_group_chat=room["is_group_chat"],
            is_deleted=room["deleted_at"] is not None,
            is_public=room.get("is_public", False),
            members={member["user_id"]: member["role"] for member in members},
        )


def _is_permitted(draft: Draft, state: RoomState) -> bool:
    try:
        draft.context.run(draft.permit, state)
    except Exception as error:
        draft.refuse(error)
        return False
    return True


async def _is_prepared(draft: Draft, state: RoomState) -> bool:
    if draft.prepare is None:
        return True
    try:
        draft.fields |= await draft.prepare(state)
    except PyMongoError:
        raise  # to be tried again
    except Exception as error:
        draft.refuse(error)
        return False
    return True


def _number(drafts: list[Draft], state: RoomState) -> list[Document]:
    """The entries that the drafts would be, next to each other at the end of the log."""
    entries: list[Document] = []
    message_count = state.message_count
    for draft in drafts:
        entry = draft.as_entry(state, state.seq + len(entries) + 1, message_count)
        message_count = entry.get("number", message_count)
        entries.append(entry)
    return entries
