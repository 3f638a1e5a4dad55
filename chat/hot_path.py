"""The chat's collections through PyMongo's native asynchronous driver: reading, and projections.

An ORM query costs ten times as much here (docs/decisions/0001). Whatever happens for each message
or each page of history is in this module; it shares its collections with the models, and every
query is covered by an index of theirs. All coroutines run on the home loop.
"""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
)

from chatservice.mongo import direct
from chatservice.mongo.client import async_collection, database
from chatservice.shared_questions import SharedQuestion

from .mentions import ALL
from .models import Entry, Membership, Room
from .words import terms_of

Document = dict[str, Any]
"""A document as MongoDB has it; its fields are the columns of the model of its collection."""

MESSAGE = Entry.Kind.MESSAGE.value
DUPLICATE_KEY = 11000
"""MongoDB's code of an error."""

WITHOUT_TERMS = {"terms": False}
"""What is read of messages that are shown: all but what only search needs."""

OUTLINE = {"content": False, "terms": False}
"""What is read of entries that somebody else has written, and only their effects matter."""

PLACE = {"_id": False, "room_id": True, "seq": True}
TERMS_INDEX, MENTIONS_INDEX = "chat_entry_terms", "chat_entry_mentions"

MERGED_ROOMS = 200
"""Rooms that one query of a search walks in step; MongoDB merges so many and no more."""

MAX_LISTS = 20
"""People, lists of rooms or pages of logs in one question: each may be about a thousand rooms."""

MAX_INSERT = 200
"""Entries of several rooms in one insert; what one room has to store at once may be as many."""

INSERT_TIMEOUT = 3.0
"""Seconds that an insert may take before it counts as lost: all rooms wait behind it, and those who
send wait 4.5 (`log.GIVE_UP_AFTER`), which leaves time for another attempt."""

PROGRESS_PIECE = 10
"""Rooms whose progress is noted in one command: it takes MongoDB a millisecond or two."""

NOTICES = [Entry.Kind.MEMBER.value, Entry.Kind.ROOM.value]
"""Kinds of entries that are neither messages nor about one."""


def parse_id(text: object) -> ObjectId | None:
    """The id that 24 hex digits stand for; None for anything else, which names nothing."""
    if isinstance(text, ObjectId):
        return text
    try:
        return ObjectId(text) if isinstance(text, str) else None
    except InvalidId:
        return None


def entries() -> AsyncCollection[Document]:
    return async_collection(Entry._meta.db_table)


def rooms() -> AsyncCollection[Document]:
    return async_collection(Room._meta.db_table)


def memberships() -> AsyncCollection[Document]:
    return async_collection(Membership._meta.db_table)


# Rooms


async def find_room(room_id: ObjectId) -> Document | None:
    """The room, whoever asks and deleted or not."""
    return await rooms().find_one({"_id": room_id})


async def find_private_room(pair: str) -> Document | None:
    return await rooms().find_one({"pair": pair})


def room_document(**fields: Any) -> Document:
    """The document of a new room, with every column of the model."""
    room = Room(**fields)
    return {
        str(field.column): field.value_from_object(room) for field in Room._meta.concrete_fields
    }


async def insert_room(room: Document) -> bool:
    """Insert a room's document; False if its pair of people has one already."""
    try:
        await rooms().insert_one(room)
    except DuplicateKeyError as error:
        if "pair" not in (error.details or {}).get("keyPattern", {}):
            raise
        return False
    return True


async def rooms_of(user_id: ObjectId, *, group_chats: bool | None = None) -> list[Document]:
    """The rooms a user is a member of, the most recently active first.

    Each has the user's own membership under `membership`. `group_chats` true leaves out the private
    chats, false all others.
    """
    found = await _rooms_of_people.answer(user_id) or []
    # Copies: whoever asked for the same at this moment has the same list.
    return [
        {**room} for room in found if group_chats is None or room["is_group_chat"] is group_chats
    ]


async def _ask_for_rooms_of_people(user_ids: list[ObjectId]) -> dict[ObjectId, list[Document]]:
    pipeline: Sequence[Mapping[str, Any]] = [
        {"$match": {"user_id": {"$in": user_ids}, "left_at": None}},
        {
            "$lookup": {
                "from": Room._meta.db_table,
                "localField": "room_id",
                "foreignField": "_id",
                "as": "room",
                "pipeline": [{"$match": {"deleted_at": None}}],
            }
        },
        {"$unwind": "$room"},
    ]
    found: dict[ObjectId, list[Document]] = {}
    for membership in await direct.aggregate(memberships(), pipeline):
        room = membership.pop("room")
        found.setdefault(membership["user_id"], []).append({**room, "membership": membership})
    for listed in found.values():
        listed.sort(key=lambda room: (room["last_activity_at"], room["_id"]), reverse=True)
    return found


_rooms_of_people = SharedQuestion(_ask_for_rooms_of_people, max_keys=MAX_LISTS)


async def find_room_of(user_id: ObjectId, room_id: ObjectId) -> Document | None:
    """A room with the user's own membership under `membership`; None unless a member of it.

    Those who look at the same moment share a question.
    """
    found = await _rooms_of_members.answer((room_id, user_id))
    return {**found["room"], "membership": found} if found else None


Member = tuple[ObjectId, ObjectId]
"""A room, and a person who may be in it."""


async def _ask_for_rooms_of_members(members: list[Member]) -> dict[Member, Document]:
    pipeline: Sequence[Mapping[str, Any]] = [
        {
            "$match": {
                "$or": [
                    {"room_id": room_id, "user_id": user_id, "left_at": None}
                    for room_id, user_id in members
                ]
            }
        },
        {
            "$lookup": {
                "from": Room._meta.db_table,
                "localField": "room_id",
                "foreignField": "_id",
                "as": "room",
                "pipeline": [{"$match": {"deleted_at": None}}],
            }
        },
        {"$unwind": "$room"},
    ]
    found = await direct.aggregate(memberships(), pipeline)
    return {(each["room_id"], each["user_id"]): each for each in found}


_rooms_of_members = SharedQuestion(_ask_for_rooms_of_members)


async def members_of(room_ids: Iterable[ObjectId]) -> dict[ObjectId, list[Document]]:
    """The present memberships of each of the rooms, the first to join first."""
    found: dict[ObjectId, list[Document]] = {room_id: [] for room_id in room_ids}
    query = {"room_id": {"$in": list(found)}, "left_at": None}
    for membership in await direct.find(memberships(), query):
        found[membership["room_id"]].append(membership)
    for group in found.values():
        group.sort(key=lambda membership: (membership["joined_at"], membership["_id"]))
    return found


async def room_ids_of(user_id: ObjectId) -> frozenset[ObjectId]:
    """The rooms a user is a member of, those that were deleted included."""
    return await _room_ids_of_people.answer(user_id) or frozenset()


async def _ask_for_room_ids_of_people(
    user_ids: list[ObjectId],
) -> dict[ObjectId, frozenset[ObjectId]]:
    query = {"user_id": {"$in": user_ids}, "left_at": None}
    found: dict[ObjectId, set[ObjectId]] = {}
    fields = {"_id": 0, "user_id": 1, "room_id": 1}
    for membership in await direct.find(memberships(), query, fields):
        found.setdefault(membership["user_id"], set()).add(membership["room_id"])
    return {user_id: frozenset(room_ids) for user_id, room_ids in found.items()}


_room_ids_of_people = SharedQuestion(_ask_for_room_ids_of_people, max_keys=MAX_LISTS)


async def user_ids_sharing_a_room_with(user_id: ObjectId) -> set[ObjectId]:
    """The people who are in some room with the user, the user included if in any room."""
    room_ids = await _room_ids_alive([user_id])
    return set(
        await memberships().distinct("user_id", {"room_id": {"$in": room_ids}, "left_at": None})
    )


async def member_ids_of_rooms_with(user_ids: Iterable[ObjectId]) -> dict[ObjectId, set[ObjectId]]:
    """Who is in each of the rooms that some of the people are in."""
    query = {"room_id": {"$in": await _room_ids_alive(user_ids)}, "left_at": None}
    found: dict[ObjectId, set[ObjectId]] = {}
    async for membership in memberships().find(query, {"room_id": 1, "user_id": 1}):
        found.setdefault(membership["room_id"], set()).add(membership["user_id"])
    return found


async def _room_ids_alive(user_ids: Iterable[ObjectId]) -> list[ObjectId]:
    """The rooms that some of the people are in, without those that were deleted."""
    query = {"user_id": {"$in": list(user_ids)}, "left_at": None}
    room_ids = await memberships().distinct("room_id", query)
    return await rooms().distinct("_id", {"_id": {"$in": room_ids}, "deleted_at": None})


async def public_rooms(
    words: Sequence[str],
    prefix: str | None,
    *,
    after: tuple[datetime, ObjectId] | None,
    limit: int,
) -> list[Document]:
    """Rooms that everybody may join, the most recently active first, with their `member_count`.

    Only those that have all the words, and one that begins with `prefix`, in their names and
    descriptions. `after` is the place of the last one on the page before.
    """
    query: Document = {"is_public": True, "deleted_at": None, "is_group_chat": True}
    conditions: list[Document] = []
    tests: list[Any] = [*words]
    if prefix is not None:
        tests.append({"$regex": f"^{re.escape(prefix)}"})
    for test in tests:
        conditions.append({"$or": [{"name_terms": test}, {"description_terms": test}]})
    if after is not None:
        moment, room_id = after
        earlier = {"last_activity_at": {"$lt": moment}}
        conditions.append({"$or": [earlier, {"last_activity_at": moment, "_id": {"$lt": room_id}}]})
        query["last_activity_at"] = {"$lte": moment}
    if conditions:
        query["$and"] = conditions
    order = [("last_activity_at", -1), ("_id", -1)]
    found = await rooms().find(query, hint="chat_room_directory").sort(order).limit(limit).to_list()
    pipeline: Sequence[Mapping[str, Any]] = [
        {"$match": {"room_id": {"$in": [room["_id"] for room in found]}, "left_at": None}},
        {"$group": {"_id": "$room_id", "count": {"$sum": 1}}},
    ]
    counts = {one["_id"]: one["count"] async for one in await memberships().aggregate(pipeline)}
    return [{**room, "member_count": counts.get(room["_id"], 0)} for room in found]


# The log

# MongoDB makes one step in the index for each room of exactly these two stages; with "the last of
# the ascending", it goes through every entry.
ENDS_OF_LOGS: Sequence[Mapping[str, Any]] = (
    {"$sort": {"room_id": -1, "seq": -1}},
    {"$group": {"_id": "$room_id", "seq": {"$first": "$seq"}}},
)


async def last_entry(room_id: ObjectId) -> Document | None:
    return await entries().find_one({"room_id": room_id}, sort=[("seq", -1)])


async def ends_of_logs(room_ids: Iterable[ObjectId]) -> Mapping[ObjectId, int]:
    """The number of the last entry of each of the rooms, as stored at this moment."""
    return await _ends_of_logs.answer(frozenset(room_ids)) or {}


async def _ask_for_ends_of_logs(
    lists: list[frozenset[ObjectId]],
) -> dict[frozenset[ObjectId], Mapping[ObjectId, int]]:
    """The same answer for all: with the rooms that others asked for in it."""
    pipeline: Sequence[Mapping[str, Any]] = [
        {"$match": {"room_id": {"$in": list(frozenset().union(*lists))}}},
        *ENDS_OF_LOGS,
    ]
    ends = {end["_id"]: end["seq"] for end in await direct.aggregate(entries(), pipeline)}
    return dict.fromkeys(lists, ends)


_ends_of_logs = SharedQuestion(_ask_for_ends_of_logs, max_keys=MAX_LISTS)


async def last_message_number(room_id: ObjectId, up_to_seq: int) -> int:
    """The ordinal of the last message among the entries up to `up_to_seq`; 0 without any."""
    message = await entries().find_one(
        {"room_id": room_id, "kind": MESSAGE, "seq": {"$lte": up_to_seq}},
        projection={"number": 1},
        sort=[("seq", -1)],
    )
    return message["number"] if message else 0


async def last_messages_of(room_ids: Sequence[ObjectId]) -> dict[ObjectId, Document]:
    """The last message of each of the rooms, as it is now; rooms without one are left out."""
    last_one = [
        {"$match": {"kind": MESSAGE}},
        {"$sort": {"seq": -1}},
        {"$limit": 1},
        {"$project": WITHOUT_TERMS},
    ]
    pipeline: Sequence[Mapping[str, Any]] = [
        {"$match": {"_id": {"$in": list(room_ids)}}},
        {"$project": {"_id": 1}},
        {
            "$lookup": {
                "from": Entry._meta.db_table,
                "localField": "_id",
                "foreignField": "room_id",
                "as": "message",
                "pipeline": last_one,
            }
        },
        {"$unwind": "$message"},
    ]
    return {room["_id"]: room["message"] async for room in await rooms().aggregate(pipeline)}


async def notices_between(
    room_id: ObjectId, after: int, up_to: int | None, limit: int
) -> list[Document]:
    """What happened to the room and its members after `after`, at most the newest `limit`."""
    query: Document = {"room_id": room_id, "kind": {"$in": NOTICES}, "seq": {"$gt": after}}
    if up_to is not None:
        query["seq"]["$lte"] = up_to
    newest = await entries().find(query).sort("seq", -1).limit(limit).to_list()
    return newest[::-1]


async def changes_between(room_id: ObjectId, after: int, up_to: int) -> list[Document]:
    """The entries with `after` < seq <= `up_to` that are not messages, in order."""
    others = [kind for kind in Entry.Kind.values if kind != MESSAGE]
    query = {"room_id": room_id, "kind": {"$in": others}, "seq": {"$gt": after, "$lte": up_to}}
    return await entries().find(query).sort("seq", 1).to_list()


async def outlines_after(room_id: ObjectId, seq: int, limit: int) -> list[Document]:
    """At most `limit` entries with numbers above `seq`, in order, messages without their content.

    With what the log and the projections need of all kinds.
    """
    query = {"room_id": room_id, "seq": {"$gt": seq}}
    return await direct.find(entries(), query, OUTLINE, sort={"seq": 1}, limit=limit)


async def entries_after(room_id: ObjectId, seq: int, limit: int) -> list[Document]:
    """At most `limit` entries of any kind with numbers above `seq`, in order.

    A room's members who all missed the same share a question.
    """
    return list(await _entries_after.answer((room_id, seq, limit)) or ())


LogPlace = tuple[ObjectId, int, int]
"""A room, the number before the first entry that is wanted, and how many are."""


async def _ask_for_entries_after(places: list[LogPlace]) -> dict[LogPlace, list[Document]]:
    questions = [
        direct.find(
            entries(),
            {"room_id": room_id, "seq": {"$gt": seq}},
            WITHOUT_TERMS,
            sort={"seq": 1},
            limit=limit,
        )
        for room_id, seq, limit in places
    ]
    pages = await asyncio.gather(*questions)
    return dict(zip(places, pages, strict=True))


_entries_after = SharedQuestion(_ask_for_entries_after, max_keys=MAX_LISTS)


@dataclass(eq=False, slots=True, frozen=True)
class _Batch:
    """What one room has to store, in the order of its numbers."""

    documents: Sequence[Document]


async def insert_entries(documents: Sequence[Document]) -> Document | None:
    """Store entries of a room, in order, up to the first that MongoDB refuses.

    Returns that refusal (`index`, `keyPattern`, ...), or None when all are stored as durably as the
    client's write concern asks; a PyMongoError leaves open which are. What other rooms have to
    store meanwhile goes into the next insert together, so that a crowd does not queue for MongoDB.
    """
    batch = _Batch(documents)
    try:
        outcome = await _stored.answer(batch)
    except asyncio.CancelledError:
        _stored.forget(batch)  # its senders are told that it may not be stored: be it so, if it can
        raise
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def _store(batches: list[_Batch]) -> dict[_Batch, Document | Exception]:
    """Store batches of several rooms; what is to be told of those that are not stored whole."""
    told: dict[_Batch, Document | Exception] = {}
    waiting = deque(batches)
    together = MAX_INSERT
    while waiting:
        piece = _next_piece(waiting, together)
        documents = [*chain.from_iterable(batch.documents for batch in piece)]
        try:
            async with asyncio.timeout(INSERT_TIMEOUT):
                refusals = await direct.write(
                    entries(), "insert", documents=documents, ordered=True
                )
        except (ConnectionFailure, TimeoutError) as error:
            told |= dict.fromkeys([*piece, *waiting], error)
            break
        except Exception as error:
            if len(piece) == 1:
                told[piece[0]] = error
            else:  # one of them may be what cannot be stored: the others are not to suffer for it
                waiting.extendleft(reversed(piece))
                together = 0
            continue
        if refusals:  # nothing that came after it was tried
            index = refusals[0]["index"]
            while index >= len(piece[0].documents):
                index -= len(piece.pop(0).documents)
            told[piece.pop(0)] = {**refusals[0], "index": index}
            waiting.extendleft(reversed(piece))
    return told


def _next_piece(waiting: deque[_Batch], most: int) -> list[_Batch]:
    """Take off the first batch, and those after it with which it has at most so many entries."""
    piece = [waiting.popleft()]
    count = len(piece[0].documents)
    while waiting and (count := count + len(waiting[0].documents)) <= most:
        piece.append(waiting.popleft())
    return piece


_stored = SharedQuestion(_store)


async def find_message(room_id: ObjectId, message_id: ObjectId) -> Document | None:
    return await entries().find_one({"_id": message_id, "room_id": room_id, "kind": MESSAGE})


async def find_message_at(room_id: ObjectId, seq: int) -> Document | None:
    """The message with this number; None if the entry is another, or not there."""
    return await entries().find_one({"room_id": room_id, "seq": seq, "kind": MESSAGE})


async def messages_at(room_id: ObjectId, numbers: Collection[int]) -> dict[int, Document]:
    """The messages that have these numbers, by number."""
    if not numbers:
        return {}
    query = {"room_id": room_id, "seq": {"$in": list(numbers)}, "kind": MESSAGE}
    return {message["seq"]: message async for message in entries().find(query, WITHOUT_TERMS)}


async def find_message_by_client_id(
    room_id: ObjectId, actor_id: ObjectId, client_id: str
) -> Document | None:
    query = {"room_id": room_id, "actor_id": actor_id, "client_id": client_id}
    return await entries().find_one(query)


async def find_entries(ids: Sequence[ObjectId]) -> dict[ObjectId, Document]:
    """Those of the entries that are stored."""
    found = await entries().find({"_id": {"$in": list(ids)}}).to_list()
    return {entry["_id"]: entry for entry in found}


async def messages_page(
    room_id: ObjectId, *, before: int | None = None, after: int | None = None, limit: int | None
) -> list[Document]:
    """Messages of a room, oldest first.

    `before` and `after` are numbers of the log and not part of the page. With `limit`, the oldest
    of those after `after` if it is given, else the newest. An index finds the first one, so the
    cost is that of the page, whatever the length of the history.
    """
    query: Document = {"room_id": room_id, "kind": MESSAGE}
    if bounds := {
        operator: seq for operator, seq in (("$lt", before), ("$gt", after)) if seq is not None
    }:
        query["seq"] = bounds
    newest_first = limit is not None and after is None
    order = {"seq": -1 if newest_first else 1}
    page = await direct.find(entries(), query, WITHOUT_TERMS, sort=order, limit=limit or 0)
    if newest_first:
        page.reverse()
    return page


async def messages_around(room_id: ObjectId, seq: int, limit: int) -> list[Document]:
    """The messages before and after a number, and the one that has it, oldest first."""
    older = await messages_page(room_id, before=seq + 1, limit=(limit + 1) // 2)
    if len(older) == limit:
        return older
    return older + await messages_page(room_id, after=seq, limit=limit - len(older))


async def unread_mentions_of(user_id: ObjectId, read: Mapping[ObjectId, int]) -> Counter[ObjectId]:
    """How many messages of others that call the user each room has, after a number in each.

    The index has all that is asked for: no message is fetched.
    """
    counts: Counter[ObjectId] = Counter()
    if not read:
        return counts
    query = mentioning(user_id, list(read), after=min(read.values()))
    seen = set()
    async for message in entries().find(query, PLACE, hint=MENTIONS_INDEX):
        place = message["room_id"], message["seq"]
        if message["seq"] > read[message["room_id"]] and place not in seen:
            seen.add(place)  # one that calls the user and everybody is there twice
            counts[message["room_id"]] += 1
    return counts


def mentioning(user_id: ObjectId, room_ids: Sequence[ObjectId], *, after: int) -> Document:
    """The filter for messages of others that call a user, with numbers above `after`."""
    return {
        "mentions": {"$in": [str(user_id), ALL]},
        "room_id": {"$in": list(room_ids)},
        "seq": {"$gt": after},
        "actor_id": {"$ne": user_id},
    }


async def find_messages_by_terms(
    room_ids: Sequence[ObjectId],
    words: Sequence[str],
    prefix: str | None,
    *,
    before: ObjectId | None,
    limit: int,
    max_seconds: float,
) -> list[Document]:
    """The newest messages of these rooms that have all the words, the newest first.

    And one that begins with `prefix`, if it is given. `before` is the id of a message and not part
    of the page. Raises ExecutionTimeout.
    """
    found: list[Document] = []
    for start in range(0, len(room_ids), MERGED_ROOMS):
        query = with_terms(room_ids[start : start + MERGED_ROOMS], words, prefix, before)
        cursor = entries().find(query, {"_id": 1}, hint=TERMS_INDEX).sort("_id", -1)
        found += await cursor.limit(limit).max_time_ms(round(max_seconds * 1000)).to_list()
    ids = sorted((message["_id"] for message in found), reverse=True)[:limit]
    messages = await find_entries(ids)
    return [messages[message_id] for message_id in ids if message_id in messages]


def with_terms(
    room_ids: Sequence[ObjectId],
    words: Sequence[str],
    prefix: str | None,
    before: ObjectId | None = None,
) -> Document:
    """The filter for messages of a few rooms with all the words and the beginning of one.

    By a whole word, the index is walked from the newest message on, all rooms in step, and no
    further than the page needs. By a prefix alone, all that begins so is looked at, in the index.
    """
    conditions: list[Document] = [{"terms": word} for word in sorted(words, key=len, reverse=True)]
    if prefix is not None:
        conditions.append({"terms": {"$regex": f"^{re.escape(prefix)}"}})
    query: Document = {"kind": MESSAGE, "room_id": {"$in": list(room_ids)}, "$and": conditions}
    if before is not None:
        query["_id"] = {"$lt": before}
    return query


def uploads_visible_to(user: Any, upload_ids: Iterable[ObjectId]) -> set[ObjectId]:
    """Those of the uploads that a message in one of the user's rooms shows. Synchronous.

    The rule that `media_upload` asks, beside its own, for who may fetch a file.
    """
    wanted = {str(upload_id): upload_id for upload_id in upload_ids}
    db = database()
    shown: dict[ObjectId, set[ObjectId]] = {}
    for entry in db[Entry._meta.db_table].find(
        {"uploads": {"$in": list(wanted)}}, projection={"room_id": 1, "uploads": 1}
    ):
        ids = {wanted[text] for text in entry["uploads"] if text in wanted}
        shown.setdefault(entry["room_id"], set()).update(ids)
    query = {"user_id": user.pk, "room_id": {"$in": list(shown)}, "left_at": None}
    joined = db[Membership._meta.db_table].distinct("room_id", query)
    alive = db[Room._meta.db_table].distinct("_id", {"_id": {"$in": joined}, "deleted_at": None})
    return set().union(*(shown[room_id] for room_id in alive))


# Projections: each is idempotent and goes only forward, by `rev`. Several processes may apply the
# same entry, an old one maybe after a newer one.


async def project_memberships(
    room_id: ObjectId, changes: Iterable[tuple[ObjectId, Document, Document]], *, seq: int
) -> None:
    """Bring memberships up to entry `seq`: of each user, set some fields and raise others.

    Made if there is none. All in one request: a thousand people may come in at once.
    """
    updates = [
        UpdateOne(
            {"room_id": room_id, "user_id": user_id, "rev": {"$lt": seq}},
            {"$set": {**change, "rev": seq}, "$max": at_least},
            upsert=True,
        )
        for user_id, change, at_least in changes
    ]
    if not updates:
        return
    try:
        await memberships().bulk_write(updates, ordered=False)
    except BulkWriteError as error:
        # A duplicate is a membership that has seen this entry, or a later one.
        if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise


async def project_read(room_id: ObjectId, user_id: ObjectId, *, seq: int, number: int) -> bool:
    """Move a member's read marker forward to `seq`, the room's message `number`; false if it is
    there already."""
    result = await memberships().update_one(
        {"room_id": room_id, "user_id": user_id, "left_at": None, "read_seq": {"$lt": seq}},
        {"$set": {"read_seq": seq, "read_number": number}},
    )
    return result.modified_count == 1


async def project_muted(room_id: ObjectId, user_id: ObjectId, *, muted: bool) -> bool:
    """Note whether a member wants to hear of a room; false if it is so already."""
    result = await memberships().update_one(
        {"room_id": room_id, "user_id": user_id, "left_at": None, "muted": {"$ne": muted}},
        {"$set": {"muted": muted}},
    )
    return result.modified_count == 1


async def project_room(room_id: ObjectId, *, seq: int, fields: Document) -> None:
    await rooms().update_one(
        {"_id": room_id, "rev": {"$lt": seq}}, {"$set": {**fields, "rev": seq}}
    )


async def project_message(
    room_id: ObjectId, target: int, *, seq: int, fields: Document, erase: Sequence[str] = ()
) -> None:
    """Bring message `target` up to entry `seq`. A deleted message stays as it is."""
    update: Document = {"$set": {**fields, "rev": seq}}
    if erase:
        update["$unset"] = dict.fromkeys(erase, "")
    query = {"room_id": room_id, "seq": target, "kind": MESSAGE, "deleted_at": None}
    await entries().update_one({**query, "rev": {"$lt": seq}}, update)


async def erase_edits(room_id: ObjectId, target: int, up_to: int) -> None:
    """Take the text out of the edits of a deleted message: the log must not keep it."""
    await entries().update_many(
        {
            "room_id": room_id,
            "kind": Entry.Kind.EDIT.value,
            "seq": {"$gt": target, "$lt": up_to},
            "data.target": target,
        },
        {"$set": {"data.content": None, "data.mentions": None}},
    )


async def project_reaction(
    room_id: ObjectId, target: int, *, seq: int, emoji: str, user_id: ObjectId, on: bool
) -> None:
    """Bring message `target` up to entry `seq`, by which somebody reacted or took it back.

    A reaction that nobody has any more leaves no trace: who is the first to use it again, comes
    last among the reactions, as in the log.
    """
    path, user = f"reactions.{emoji}", str(user_id)
    query = {"room_id": room_id, "seq": target, "kind": MESSAGE, "deleted_at": None}
    change: Document = {"$addToSet": {path: user}} if on else {"$pull": {path: user}}
    await entries().update_one({**query, "rev": {"$lt": seq}}, {**change, "$set": {"rev": seq}})
    if not on:
        await entries().update_one({**query, "rev": seq, path: []}, {"$unset": {path: ""}})


async def refresh_terms(room_id: ObjectId) -> None:
    """Make anew what the messages of a room are found by, from their present texts."""
    there = {"room_id": room_id, "kind": MESSAGE, "deleted_at": None}
    updates = []
    async for message in entries().find(there, {"content": 1, "terms": 1}):
        terms = terms_of(message.get("content") or "")
        if terms != message.get("terms"):
            # Not if it is edited at this moment: the edit brings its own.
            same = {"_id": message["_id"], "content": message.get("content")}
            updates.append(UpdateOne(same, {"$set": {"terms": terms}}))
        if len(updates) >= 1_000:
            await entries().bulk_write(updates, ordered=False)
            updates = []
    if updates:
        await entries().bulk_write(updates, ordered=False)


async def record_progress(progress: Mapping[ObjectId, tuple[int, int, datetime]]) -> None:
    """Note on each room how far its log and its projections have come.

    From room id to (last number, messages, time of the last entry). Only ever forward.
    """
    updates = [
        {
            "q": {"_id": room_id},
            "u": {
                "$max": {
                    "last_seq": seq,
                    "projected_seq": seq,
                    "message_count": messages,
                    "last_activity_at": moment,
                }
            },
        }
        for room_id, (seq, messages, moment) in progress.items()
    ]
    # A message that comes meanwhile waits for a piece and not for all.
    for start in range(0, len(updates), PROGRESS_PIECE):
        piece = updates[start : start + PROGRESS_PIECE]
        if refusals := await direct.write(rooms(), "update", updates=piece, ordered=False):
            raise OperationFailure(refusals[0]["errmsg"], refusals[0]["code"])


async def forget_projections(room_id: ObjectId) -> None:
    """Let every projection of a room be applied again, from the first entry on."""
    reacted = {"room_id": room_id, "kind": MESSAGE, "reactions": {"$exists": True}}
    await entries().update_many(reacted, {"$unset": {"reactions": ""}})
    await rooms().update_one({"_id": room_id}, {"$set": {"rev": 0}})
    await memberships().update_many({"room_id": room_id}, {"$set": {"rev": 0}})
    changed = {"room_id": room_id, "kind": MESSAGE, "$expr": {"$gt": ["$rev", "$seq"]}}
    await entries().update_many(changed, [{"$set": {"rev": "$seq"}}])


async def end_unfounded_memberships(room_id: ObjectId, moment: datetime) -> None:
    """After projecting a whole log: those it knows nothing of are no members."""
    unfounded = {"room_id": room_id, "rev": 0, "left_at": None}
    await memberships().update_many(unfounded, {"$set": {"left_at": moment}})


async def rooms_behind_their_log() -> list[ObjectId]:
    """Rooms whose log goes on after what has been projected: a process died in between.

    It costs two steps in indexes for each room, however much was said there.
    """
    pipeline: Sequence[Mapping[str, Any]] = [
        *ENDS_OF_LOGS,
        {
            "$lookup": {
                "from": Room._meta.db_table,
                "localField": "_id",
                "foreignField": "_id",
                "as": "room",
            }
        },
        {"$unwind": "$room"},
        {"$match": {"$expr": {"$lt": ["$room.projected_seq", "$seq"]}}},
        {"$project": {"_id": 1}},
    ]
    return [room["_id"] async for room in await entries().aggregate(pipeline)]
