"""What people get to read: their rooms, who is in them, what was said, and what they missed.

Coroutines of the home loop, for the REST API, the pages and the sockets alike. Each takes the
`user` who reads, and finds nothing that the user is not a member of: `RoomNotFound` is raised for
such a room as for one that does not exist. Payloads and pages are made from what is returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId

from accounts import hot_path as accounts_hot_path
from accounts import presence
from accounts.models import User

from . import events, hot_path
from .hot_path import Document
from .policies import MessageNotFound, RoomNotFound

RESUME_PAGE = 200
"""Entries of one room in one answer to `resume`; `more` says that there are others."""

TOO_FAR_BEHIND = 2_000
"""Entries behind which a client had better take a fresh page than replay."""


@dataclass(frozen=True, slots=True)
class MemberView:
    membership: Document
    person: User
    is_online: bool = False


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as one of its members sees it; `room["membership"]` is that member's own."""

    room: Document
    members: Sequence[MemberView]
    last_seq: int

    @property
    def unread_count(self) -> int:
        """Messages that the member has not read, without those of the last moments."""
        return max(0, self.room["message_count"] - self.room["membership"]["read_number"])


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


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Messages and notices (what happened to the room and its members), oldest first.

    `people` has everybody that the entries name, also those who have left. The next pages are
    those before `older` and after `newer`, which are None where the log ends.
    """

    entries: Sequence[Document]
    people: Mapping[ObjectId, User]
    older: int | None
    newer: int | None


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
    return [RoomView(room, members[room["_id"]], ends.get(room["_id"], 0)) for room in found]


async def room(user: User, room_id: ObjectId) -> RoomView:
    """One room of the user's."""
    found = await require_room(user, room_id)
    members = await _members([room_id])
    ends = await hot_path.ends_of_logs([room_id])
    return RoomView(found, members[room_id], ends.get(room_id, 0))


async def room_list(user: User) -> list[ListedRoom]:
    """All rooms of the user, the most recently active first, with the last message of each.

    It costs six queries, however many rooms and members there are.
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
    limit: int,
) -> HistoryPage:
    """A page of what a person reads of a room: at most `limit` messages, and what came between.

    `before` and `after` are numbers of the log and not part of the page; with neither, it is the
    last page.
    """
    await require_room(user, room_id)
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
    people = await accounts_hot_path.load_users(_people_named_in(entries))
    return HistoryPage(entries, people, older, newer)


def _people_named_in(entries: Sequence[Document]) -> set[ObjectId]:
    named = {entry["actor_id"] for entry in entries}
    for entry in entries:
        data = entry.get("data") or {}
        for person in [*data.get("added", []), *data.get("removed", [])]:
            named.add(ObjectId(person["id"]))
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
    limit: int | None = None,
) -> list[Document]:
    """A page of a room's messages, oldest first; see `hot_path.messages_page`."""
    await require_room(user, room_id)
    return await hot_path.messages_page(room_id, before=before, after=after, limit=limit)


async def message(user: User, room_id: ObjectId, message_id: ObjectId) -> Document:
    """One message of a room of the user's; MessageNotFound if there is no such one."""
    await require_room(user, room_id)
    found = await hot_path.find_message(room_id, message_id)
    if found is None:
        raise MessageNotFound
    return found


async def log_after(user: User, room_id: ObjectId, *, seq: int, limit: int) -> LogPage:
    """A page of a room's log: at most `limit` entries with numbers above `seq`."""
    await require_room(user, room_id)
    last_seq = (await hot_path.ends_of_logs([room_id])).get(room_id, 0)
    page = await _log_page(room_id, seq, last_seq, limit)
    if page.entries:  # who was removed meanwhile must not be shown what came after that
        await require_room(user, room_id)
    return page


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
    for document in found:
        room_id = str(document["_id"])
        last_seq = ends.get(document["_id"], 0)
        seq = known.get(room_id)
        if seq is None or seq > last_seq or last_seq - seq > TOO_FAR_BEHIND:
            answer[room_id] = {"recovered": False, "last_seq": last_seq}
            continue
        page = await _log_page(document["_id"], seq, last_seq, RESUME_PAGE)
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
    return answer


async def acquaintances_online(user: User) -> list[User]:
    """The people online, by e-mail, who share a room with the user; the user is one of them."""
    ids = await hot_path.user_ids_sharing_a_room_with(user.pk)
    people = await accounts_hot_path.load_users(await presence.online(ids))
    return sorted(people.values(), key=lambda person: person.email)


async def _log_page(room_id: ObjectId, seq: int, last_seq: int, limit: int) -> LogPage:
    entries = await hot_path.entries_after(room_id, seq, limit) if seq < last_seq else []
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
