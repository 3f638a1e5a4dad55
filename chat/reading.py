"""What people get to read: their rooms, who is in them, what was said, and what they missed.

Coroutines of the home loop, for the REST API, the pages and the sockets alike. Each takes the
`user` who reads, and finds nothing that the user is not a member of: `RoomNotFound` is raised for
such a room as for one that does not exist. Payloads and pages are made from what is returned.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pymongo.errors import ExecutionTimeout

from accounts import hot_path as accounts_hot_path
from accounts import presence
from accounts.models import User
from chatservice import metrics

from . import events, hot_path, words
from .hot_path import MESSAGE, Document
from .policies import MessageNotFound, RoomNotFound

RESUME_PAGE = 200
"""Entries of one room in one answer to `resume`; `more` says that there are others."""

HISTORY_PAGE = 500
"""Messages that are read at once of a whole history; each page holds the event loop for some ms."""

RESUME_CHARACTERS = 500_000
"""Of messages in one answer to `resume`, in all rooms together; the rest has to be asked for.
Somebody in a thousand rooms could otherwise have a gigabyte put together."""

NAMED_WITH_REACTION = 10
"""People whose names are shown with an emoji under a message; the others are a number."""

TOO_FAR_BEHIND = 2_000
"""Entries behind which a client had better take a fresh page than replay."""


SEARCH_SECONDS = 3.0
"""How long the database may look for messages before the question is refused as too wide."""

PEOPLE_FOUND = 10
"""People whose names somebody may have meant."""

CURSOR = re.compile(r"(\d{1,15})-([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Unread:
    """What a member has not read of a room: messages, and those of them that call the member."""

    messages: int
    mentions: int


@dataclass(frozen=True, slots=True)
class MemberView:
    membership: Document
    person: User
    is_online: bool = False

    @property
    def seen_seq(self) -> int:
        """The number up to which they have read themselves; 0 if nothing since they joined."""
        read_seq: int = self.membership["read_seq"]
        return read_seq if read_seq > self.membership.get("joined_seq", 0) else 0


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as one of its members sees it; `room["membership"]` is that member's own."""

    room: Document
    members: Sequence[MemberView]
    last_seq: int
    unread: Unread
    """Without the messages of the last moments."""


@dataclass(frozen=True, slots=True)
class PrivateChatView:
    room: Document
    other: User
    is_online: bool


@dataclass(frozen=True, slots=True)
class ListedRoom:
    """A room as a list of one's rooms shows it; `other` is the other one of a private chat."""

    room: Document
    other: User | None
    last_seq: int
    last_message: Document | None
    last_sender: User | None
    is_online: bool
    """Whether the other one of a private chat is."""
    unread: Unread


@dataclass(frozen=True, slots=True)
class PublicRoomView:
    """A room that everybody may join, with its `member_count`."""

    room: Document
    is_member: bool


@dataclass(frozen=True, slots=True)
class Directory:
    """A page of public rooms; `next` goes on after it, None at the end."""

    rooms: Sequence[PublicRoomView]
    next: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was looked for, its room, and the places (in code points) of what was."""

    message: Document
    room: Document
    highlights: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of hits, the newest first; with `more`, `next` goes on after it."""

    hits: Sequence[Hit]
    people: Mapping[ObjectId, User]
    more: bool

    @property
    def next(self) -> str | None:
        return str(self.hits[-1].message["_id"]) if self.more else None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Messages and notices (what happened to the room and its members), oldest first.

    `people` has everybody that the entries name, also those who have left, and `quoted` the
    messages that they answer, by number. The next pages are those before `older` and after
    `newer`, which are None where the log ends.
    """

    entries: Sequence[Document]
    people: Mapping[ObjectId, User]
    quoted: Mapping[int, Document]
    older: int | None
    newer: int | None

    def count_after(self, number: int) -> int:
        """How many messages there are up to the end of the page after the room's message `number`.

        0 for a page that has none.
        """
        numbers = (each["number"] for each in reversed(self.entries) if each["kind"] == MESSAGE)
        return int(next(numbers, number)) - number


@dataclass(frozen=True, slots=True)
class WholeHistory:
    """All messages of a room, oldest first; `following` are those after the `first`, if any.

    They are read page by page, when each is asked for, up to what was the end at the beginning.
    """

    first: Sequence[Document]
    following: AsyncIterator[list[Document]] | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries in order; `last_seq` is the number of the log's last one."""

    entries: Sequence[Document]
    last_seq: int
    more: bool


async def rooms(user: User) -> list[RoomView]:
    """All rooms of the user, private chats too, the most recently active first."""
    found = await hot_path.rooms_of(user.pk)
    room_ids = [room["_id"] for room in found]
    members = await _members(room_ids)
    ends = await hot_path.ends_of_logs(room_ids)
    unread = await _unread(user, found)
    return [
        RoomView(room, members[room["_id"]], ends.get(room["_id"], 0), unread[room["_id"]])
        for room in found
    ]


async def has_rooms(user: User) -> bool:
    """Whether the user is in any room, or has any private chat."""
    return bool(await hot_path.room_ids_of(user.pk))


async def room(user: User, room_id: ObjectId) -> RoomView:
    """One room of the user's."""
    found = await require_room(user, room_id)
    members = await _members([room_id])
    ends = await hot_path.ends_of_logs([room_id])
    unread = await _unread(user, [found])
    return RoomView(found, members[room_id], ends.get(room_id, 0), unread[room_id])


async def _unread(user: User, found: Sequence[Document]) -> dict[ObjectId, Unread]:
    """What the user has not read, by room, of rooms as `hot_path.rooms_of` gives them.

    One query for all of them, and none when everything is read.
    """
    counts = {
        room["_id"]: max(0, room["message_count"] - room["membership"]["read_number"])
        for room in found
    }
    behind = {room["_id"]: room["membership"]["read_seq"] for room in found if counts[room["_id"]]}
    mentions = await hot_path.unread_mentions_of(user.pk, behind)
    return {room_id: Unread(count, mentions[room_id]) for room_id, count in counts.items()}


async def room_list(user: User) -> list[ListedRoom]:
    """All rooms of the user, the most recently active first, with the last message of each.

    It costs seven queries, however many rooms and members there are.
    """
    found = await hot_path.rooms_of(user.pk)
    room_ids = [room["_id"] for room in found]
    ends = await hot_path.ends_of_logs(room_ids)
    last_messages = await hot_path.last_messages_of(room_ids)
    members = await hot_path.members_of(
        [room["_id"] for room in found if not room["is_group_chat"]]
    )
    other_ids = {
        room_id: membership["user_id"]
        for room_id, memberships in members.items()
        for membership in memberships
        if membership["user_id"] != user.pk
    }
    sender_ids = {message["actor_id"] for message in last_messages.values()}
    people = await accounts_hot_path.load_users(sender_ids.union(other_ids.values()))
    online = await presence.online(other_ids.values())
    for room in found:  # noted a moment after the message
        if (last := last_messages.get(room["_id"])) is not None:
            room["message_count"] = max(room["message_count"], last["number"])
    unread = await _unread(user, found)
    listed = []
    for room in found:
        room_id = room["_id"]
        message = last_messages.get(room_id)
        listed.append(
            ListedRoom(
                room,
                people.get(other_ids[room_id]) if room_id in other_ids else None,
                ends.get(room_id, 0),
                message,
                people.get(message["actor_id"]) if message else None,
                other_ids.get(room_id) in online,
                unread[room_id],
            )
        )
    # Not by `last_activity_at` alone, which is noted a moment after the message.
    return sorted(listed, key=_last_news, reverse=True)


def _last_news(item: ListedRoom) -> datetime:
    message = item.last_message
    return message["created_at"] if message else item.room["last_activity_at"]


async def history(
    user: User,
    room_id: ObjectId,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int,
) -> HistoryPage:
    """A page of what a person reads of a room: at most `limit` messages, and what came between.

    `before` and `after` are numbers of the log and not part of the page; `around` is in its middle.
    With none of them, it is the last page.
    """
    await require_room(user, room_id)
    if around is not None:
        # As a page `after` the number right before the first message that is shown.
        half = (limit + 1) // 2
        earlier = await hot_path.messages_page(room_id, before=around, limit=half)
        after = earlier[0]["seq"] - 1 if len(earlier) == half else 0
    messages = await hot_path.messages_page(room_id, before=before, after=after, limit=limit + 1)
    has_more = len(messages) > limit
    if after is not None:
        messages = messages[:limit]
        low, older = after, after + 1 if after else None
        newer = messages[-1]["seq"] if has_more else None
        high = newer
    else:
        messages = messages[-limit:]
        older = messages[0]["seq"] if has_more else None
        low = older - 1 if older else 0
        high = before - 1 if before is not None else None
        newer = high
    notices = await hot_path.notices_between(room_id, low, high, limit)
    entries = sorted([*messages, *notices], key=lambda entry: entry["seq"])
    quoted = await hot_path.messages_at(room_id, _answered_in(entries))
    people = await accounts_hot_path.load_users(_people_named_in([*entries, *quoted.values()]))
    return HistoryPage(entries, people, quoted, older, newer)


async def first_unread(
    user: User, room_id: ObjectId, page: HistoryPage, *, read_seq: int
) -> int | None:
    """The number of the first message that the user, who has read up to `read_seq`, has not.

    On the page it is the first of somebody else's. The last page of a history may have nothing but
    news: then, and only then, one question finds out whether they begin further up, whoever wrote
    the first of them. None if there is none, or if it is not on a page from the middle.
    """
    start = page.entries[0]["seq"] if page.entries else 0
    if page.older is not None and start > read_seq:
        if page.newer is not None:
            return None
        first = await hot_path.messages_page(room_id, after=read_seq, limit=1)
        if first and first[0]["seq"] < start:
            return int(first[0]["seq"])
    for entry in page.entries:
        if entry["kind"] == MESSAGE and entry["seq"] > read_seq and entry["actor_id"] != user.pk:
            return int(entry["seq"])
    return None


def _answered_in(entries: Sequence[Document]) -> set[int]:
    return {entry["reply_to"] for entry in entries if entry.get("reply_to")}


def _people_named_in(entries: Sequence[Document]) -> set[ObjectId]:
    named = {entry["actor_id"] for entry in entries}
    for entry in entries:
        data = entry.get("data") or {}
        ids = [person["id"] for person in [*data.get("added", []), *data.get("removed", [])]]
        for reacting in (entry.get("reactions") or {}).values():
            ids += reacting[:NAMED_WITH_REACTION]
        ids += filter(ObjectId.is_valid, entry.get("mentions") or [])  # not what means everybody
        named.update(map(ObjectId, ids))
    return named


async def require_room(user: User, room_id: ObjectId) -> Document:
    """The room's document with the user's membership in it; RoomNotFound unless a member."""
    found = await hot_path.find_room_of(user.pk, room_id)
    if found is None:
        raise RoomNotFound
    return found


async def private_chats(user: User) -> list[PrivateChatView]:
    """The user's private chats, the most recently active first, and who of the others is online."""
    return await _private_chats(user, await hot_path.rooms_of(user.pk, group_chats=False))


async def private_chat(user: User, room_id: ObjectId) -> PrivateChatView:
    """One private chat of the user's."""
    [chat] = await _private_chats(user, [await require_room(user, room_id)])
    return chat


async def _private_chats(user: User, found: Sequence[Document]) -> list[PrivateChatView]:
    members = await _members([room["_id"] for room in found])
    others = {
        room_id: next(view.person for view in views if view.person.pk != user.pk)
        for room_id, views in members.items()
    }
    online = await presence.online(person.pk for person in others.values())
    return [
        PrivateChatView(room, others[room["_id"]], others[room["_id"]].pk in online)
        for room in found
    ]


async def members(user: User, room_id: ObjectId) -> list[MemberView]:
    """Who is in a room of the user's, the first to join first, and who of them is online."""
    await require_room(user, room_id)
    views = (await _members([room_id]))[room_id]
    online = await presence.online(view.person.pk for view in views)
    return [MemberView(view.membership, view.person, view.person.pk in online) for view in views]


async def messages(
    user: User,
    room_id: ObjectId,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int | None = None,
) -> list[Document]:
    """A page of a room's messages, oldest first; see `hot_path.messages_page`.

    `around` is a number in the middle of the page, and needs a `limit`.
    """
    await require_room(user, room_id)
    if around is not None and limit is not None:
        return await hot_path.messages_around(room_id, around, limit)
    return await hot_path.messages_page(room_id, before=before, after=after, limit=limit)


async def all_messages(
    user: User, room_id: ObjectId, *, before: int | None = None, after: int = 0
) -> WholeHistory:
    """The messages of a room, all of them or those between two numbers of its log."""
    end = (await hot_path.ends_of_logs([room_id])).get(room_id, 0)
    await require_room(user, room_id)  # of the room as it was when it ended there
    before = end + 1 if before is None else min(before, end + 1)
    first = await hot_path.messages_page(room_id, before=before, after=after, limit=HISTORY_PAGE)
    if len(first) < HISTORY_PAGE:
        return WholeHistory(first, None)
    return WholeHistory(first, _following(room_id, before, first[-1]["seq"]))


async def _following(room_id: ObjectId, before: int, seq: int) -> AsyncIterator[list[Document]]:
    while page := await hot_path.messages_page(
        room_id, before=before, after=seq, limit=HISTORY_PAGE
    ):
        yield page
        seq = page[-1]["seq"]


async def message_at(
    user: User, room_id: ObjectId, seq: int
) -> tuple[Document, Mapping[ObjectId, User]] | None:
    """The message that has a number in a room of the user's, if there is one, and its author."""
    await require_room(user, room_id)
    found = await hot_path.find_message_at(room_id, seq)
    if found is None:
        return None
    return found, await accounts_hot_path.load_users([found["actor_id"]])


async def message(user: User, room_id: ObjectId, message_id: ObjectId) -> Document:
    """One message of a room of the user's; MessageNotFound if there is no such one."""
    await require_room(user, room_id)
    found = await hot_path.find_message(room_id, message_id)
    if found is None:
        raise MessageNotFound
    return found


async def search(
    user: User,
    text: str,
    *,
    room_id: ObjectId | None = None,
    before: ObjectId | None = None,
    limit: int,
) -> Hits:
    """The messages of the user's rooms, or of one of them, that have the words of a text.

    The newest first; all words are required, and the last may be the beginning of one. Nothing is
    found of a text without words. Raises ValidationError when it takes too long.
    """
    if room_id is not None:
        await require_room(user, room_id)
    found = {room["_id"]: room for room in await hot_path.rooms_of(user.pk)}
    room_ids = list(found) if room_id is None else [room_id]
    queries = words.queries_of(text)
    messages: dict[ObjectId, Document] = {}
    try:
        for query in queries:
            matches = await hot_path.find_messages_by_terms(
                room_ids,
                query.words,
                query.prefix,
                before=before,
                limit=limit + 1,
                max_seconds=SEARCH_SECONDS,
            )
            messages |= {message["_id"]: message for message in matches}
    except ExecutionTimeout:
        problem = _("Too much has these words. Add another one.")
        raise ValidationError({"q": [problem]}) from None
    # Asked after reading: who was removed meanwhile must not be shown what came after that. And
    # what was changed meanwhile may have the words no more.
    still_in = await hot_path.room_ids_of(user.pk)
    hits = []
    for message_id in sorted(messages, reverse=True):
        message = messages[message_id]
        spans = words.highlights(message.get("content") or "", queries)
        if message["room_id"] in still_in and message["room_id"] in found and spans:
            hits.append(Hit(message, found[message["room_id"]], spans))
    shown = hits[:limit]
    people = await accounts_hot_path.load_users(hit.message["actor_id"] for hit in shown)
    return Hits(shown, people, more=len(hits) > limit)


async def public_rooms(user: User, text: str, *, after: str | None = None, limit: int) -> Directory:
    """A page of the rooms that everybody may join, the most recently active first.

    With a text, those that have its words in their names or descriptions. `after` is the `next` of
    the page before; whatever else goes from the start.
    """
    place = None
    if after and (match := CURSOR.fullmatch(after)):
        moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(match[1]))
        place = moment, ObjectId(match[2])
    [query] = words.queries_of(text.replace(words.HALF_SPACE, " ")) or [words.Query((), None)]
    found = await hot_path.public_rooms(query.words, query.prefix, after=place, limit=limit + 1)
    mine = await hot_path.room_ids_of(user.pk) if found else frozenset()
    shown = [PublicRoomView(room, room["_id"] in mine) for room in found[:limit]]
    cursor = None
    if len(found) > limit:
        last = found[limit - 1]
        since = last["last_activity_at"] - datetime.fromtimestamp(0, UTC)
        cursor = f"{since // timedelta(milliseconds=1)}-{last['_id']}"
    return Directory(shown, cursor)


async def people(user: User, text: str) -> list[User]:
    """Whom somebody may mean who has typed the beginning of a name.

    People who share a room with the user; and whoever goes by exactly this user name or e-mail
    address, whom the user knows then already. Nobody else: a list of all accounts is nobody's
    business. The user is not one of them.
    """
    text = text.strip()
    if not text:
        return []
    exact = await accounts_hot_path.find_people([text])
    known = await hot_path.user_ids_sharing_a_room_with(user.pk)
    called = await accounts_hot_path.find_people_called(
        text, among=known - {user.pk}, limit=PEOPLE_FOUND
    )
    found = {person.pk: person for person in [*exact.values(), *called] if person.pk != user.pk}
    return list(found.values())[:PEOPLE_FOUND]


async def acquaintances(user: User, *, limit: int) -> list[User]:
    """Some of the people who share a room with the user, by user name."""
    known = await hot_path.user_ids_sharing_a_room_with(user.pk) - {user.pk}
    return await accounts_hot_path.find_people_called("", among=known, limit=limit)


async def log_after(user: User, room_id: ObjectId, *, seq: int, limit: int) -> LogPage:
    """A page of a room's log: at most `limit` entries with numbers above `seq`."""
    entries = await hot_path.entries_after(room_id, seq, limit)
    last_read = last_seq = entries[-1]["seq"] if entries else seq
    if not 0 < len(entries) < limit:  # else these are the last ones
        last_seq = (await hot_path.ends_of_logs([room_id])).get(room_id, 0)
    # Asked after reading: who was removed meanwhile must not be shown what came after that.
    await require_room(user, room_id)
    return LogPage(entries, last_seq, more=last_read < last_seq)


async def missed(user: User, known: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """For each room, by its id, what its log has after the number that a client knows.

    Rooms that the user is in but did not name are part of the answer, to be fetched; named ones
    that the user is not in (any more) are `{"gone": true}`. One query finds the ends of all logs,
    one more runs for each room that has news, and one looks whether one is still a member then.
    Call it when the socket already listens: what is stored meanwhile arrives live or is in the
    answer, or both, never neither.
    """
    found = await hot_path.rooms_of(user.pk)
    ends = await hot_path.ends_of_logs([room["_id"] for room in found])
    answer: dict[str, dict[str, Any]] = {}
    budget = RESUME_CHARACTERS
    for document in found:
        room_id = str(document["_id"])
        last_seq = ends.get(document["_id"], 0)
        seq = known.get(room_id)
        if seq is None or seq > last_seq or last_seq - seq > TOO_FAR_BEHIND:
            answer[room_id] = {"recovered": False, "last_seq": last_seq}
            continue
        page = await _log_page(document["_id"], seq, last_seq, RESUME_PAGE if budget > 0 else 0)
        budget -= sum(_length(entry) for entry in page.entries)
        answer[room_id] = {
            "recovered": True,
            "entries": [events.room_event(entry) for entry in page.entries],
            "last_seq": page.last_seq,
            "more": page.more,
        }
    for room_id in known:
        answer.setdefault(room_id, {"gone": True})
    if any(news.get("entries") for news in answer.values()):
        # Asked after reading: who was removed meanwhile must not be told what came after that.
        still_in = {str(room_id) for room_id in await hot_path.room_ids_of(user.pk)}
        answer |= {room_id: {"gone": True} for room_id in answer.keys() - still_in}
    _count_missed(answer)
    return answer


def _count_missed(answer: Mapping[str, Mapping[str, Any]]) -> None:
    for news in answer.values():
        if news.get("gone"):
            kind = "gone"
        elif not news["recovered"]:
            kind = "not_recovered"
        else:
            kind = "recovered" if news["entries"] else "no_news"
            metrics.resumed_entries.inc(len(news["entries"]))
        metrics.resumed_rooms.labels(kind).inc()


async def acquaintances_online(user: User) -> list[User]:
    """The people online, by e-mail, who share a room with the user; the user is one of them."""
    ids = await hot_path.user_ids_sharing_a_room_with(user.pk)
    people = await accounts_hot_path.load_users(await presence.online(ids))
    return sorted(people.values(), key=lambda person: person.email)


def _length(entry: Document) -> int:
    """About how many characters an entry takes in an answer."""
    return 200 + len(entry.get("content") or (entry.get("data") or {}).get("content") or "")


async def _log_page(room_id: ObjectId, seq: int, last_seq: int, limit: int) -> LogPage:
    entries = []
    if seq < last_seq and limit:
        entries = await hot_path.entries_after(room_id, seq, limit)
    last_read = entries[-1]["seq"] if entries else seq
    # The log may have grown between the two queries.
    return LogPage(entries, last_seq=max(last_seq, last_read), more=last_read < last_seq)


async def _members(room_ids: Sequence[ObjectId]) -> dict[ObjectId, list[MemberView]]:
    memberships = await hot_path.members_of(room_ids)
    people = await accounts_hot_path.load_users(
        membership["user_id"] for group in memberships.values() for membership in group
    )
    return {
        room_id: [MemberView(membership, people[membership["user_id"]]) for membership in group]
        for room_id, group in memberships.items()
    }
