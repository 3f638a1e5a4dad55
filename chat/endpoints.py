"""The chat's hot addresses, for the viewsets of `api` and the fast lane alike."""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

from bson import ObjectId

from accounts.models import User
from chatservice.endpoints import Call, Reply, checked

from . import actions, events, policies, reading, serializers
from .hot_path import Document
from .models import Entry


async def list_rooms(call: Call) -> Reply:
    """All rooms of the person, the most recently active first."""
    views = await reading.rooms(call.user)
    return Reply([serializers.room_summary(view) for view in views])


async def read_log(call: Call) -> Reply:
    """Everything that happened in a room after a number, in order."""
    page = checked(serializers.EntryPage, call.query)
    room_id = policies.room_id_from(call.path["pk"])
    log = await reading.log_after(call.user, room_id, seq=page["after"], limit=page["limit"])
    return Reply(
        {
            "entries": [events.room_event(entry) for entry in log.entries],
            "last_seq": log.last_seq,
            "more": log.more,
        }
    )


async def list_messages(call: Call) -> Reply:
    """A room's messages, all of them or a page, which has links to those before and after."""
    page = checked(serializers.MessagePage, call.query)
    room_id = policies.room_id_from(call.path["pk"])
    if "limit" not in page:
        history = await reading.all_messages(call.user, room_id, **page)
        return Reply(_messages(history.first), more=_following(history))
    messages = await reading.messages(call.user, room_id, **page)
    links = {"Link": _page_links(call.address, page["limit"], messages)} if messages else {}
    return Reply(_messages(messages), headers=links)


async def show_room(call: Call) -> Reply:
    """A room with its members and its messages, all of them or the last ones."""
    limit = checked(serializers.LastMessages, call.query)["messages"]
    return await room(call.user, policies.room_id_from(call.path["pk"]), limit=limit)


async def room(user: User, room_id: ObjectId, *, limit: int | None = None, status=200) -> Reply:
    summary = serializers.room_summary(await reading.room(user, room_id))
    if limit is not None:
        messages = await reading.messages(user, room_id, limit=limit) if limit else []
        return Reply(summary | {"messages": _messages(messages)}, status)
    history = await reading.all_messages(user, room_id)
    payload = summary | {"messages": _messages(history.first)}
    return Reply(payload, status, more=_following(history))


def _messages(entries: Sequence[Document]) -> list[events.Payload]:
    return [events.message(entry) for entry in entries]


def _following(history: reading.WholeHistory) -> AsyncIterator[list[events.Payload]] | None:
    return _pages(history.following) if history.following is not None else None


async def _pages(following: AsyncIterator[list[Document]]) -> AsyncIterator[list[events.Payload]]:
    async for entries in following:
        yield _messages(entries)


async def post_message(call: Call) -> Reply:
    """Store a message and announce it; one that was sent before is answered again, with 200."""
    fields = checked(serializers.PostMessage, call.data)
    stored = await actions.post_message(
        actor=call.user,
        room_id=policies.room_id_from(call.path["pk"]),
        via=Entry.Via.REST,
        **fields,
    )
    return Reply(events.message(stored.entry), status=200 if stored.duplicate else 201)


def _page_links(address: str, limit: int, messages: Sequence[Document]) -> str:
    """A Link header (RFC 8288) to the messages before and after a page."""
    older = urlencode({"before": messages[0]["seq"], "limit": limit})
    newer = urlencode({"after": messages[-1]["seq"], "limit": limit})
    return f'<{address}?{older}>; rel="prev", <{address}?{newer}>; rel="next"'
