"""The chat's hot addresses, for the viewsets of `api` and the fast lane alike."""

from collections.abc import Sequence
from urllib.parse import urlencode

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
    messages = await reading.messages(call.user, room_id, **page)
    headers = {}
    if "limit" in page and messages:
        headers["Link"] = _page_links(call.address, page["limit"], messages)
    return Reply([events.message(entry) for entry in messages], headers=headers)


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
