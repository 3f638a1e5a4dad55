"""`manage.py` with a bug in it, to see that the checker notices: `python -m chaos.planted_bugs BUG
serve ...`. Each is a mistake that a change to the product could make; none of them is in it.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any


def acknowledged_before_stored() -> None:
    """Senders of messages are told that all is well a moment before it is."""
    from chat import log as room_log
    from chat.log import RoomLog
    from chat.models import Entry

    attempt = RoomLog._attempt

    async def acknowledge_and_attempt(log: Any, pending: list[Any]) -> None:
        if pending and pending[0].kind is Entry.Kind.MESSAGE:
            drafts = [draft for draft in pending if room_log._is_permitted(draft, log._state)]
            for draft, entry in zip(drafts, room_log._number(drafts, log._state), strict=True):
                draft.resolve(entry)
            await asyncio.sleep(0.05)
        await attempt(log, pending)

    RoomLog._attempt = acknowledge_and_attempt


def not_journaled() -> None:
    """MongoDB says that it has something while that is only in its memory."""
    from chatservice.mongo import client

    client.DEFAULT_OPTIONS["journal"] = False
    client.DEFAULT_OPTIONS["w"] = 1


def no_unique_index() -> None:
    """Nothing decides between two writers who take the same number, or repeat a message."""
    from chat import hot_path
    from chatservice.realtime.lifecycle import on_startup

    @on_startup
    async def drop_unique_indexes() -> None:
        for name, index in (await hot_path.entries().index_information()).items():
            if index.get("unique"):
                await hot_path.entries().drop_index(name)


def resume_off_by_one() -> None:
    """The first of the missed entries is taken for one that was not."""
    from chat import hot_path

    entries_after = hot_path.entries_after

    async def entries_after_the_next(room_id: Any, seq: int, limit: int) -> Any:
        return await entries_after(room_id, seq + 1, limit)

    hot_path.entries_after = entries_after_the_next


def sent_twice() -> None:
    """A live event goes out again every now and then."""
    from chat.log import RoomLogs

    announce = RoomLogs.announce

    async def announce_again(logs: Any, entries: list[Any], to: frozenset[Any]) -> None:
        await announce(logs, entries, to)
        if entries[-1]["seq"] % 10 == 0:
            await announce(logs, entries, to)

    RoomLogs.announce = announce_again


def removed_members_still_hear() -> None:
    """Whoever was in a room once goes on being told what happens there."""
    from chat.log import RoomLogs

    announce = RoomLogs.announce
    heard: dict[Any, frozenset[Any]] = defaultdict(frozenset)

    async def announce_to_all(logs: Any, entries: list[Any], to: frozenset[Any]) -> None:
        room_id = entries[0]["room_id"]
        heard[room_id] |= to
        await announce(logs, entries, heard[room_id])

    RoomLogs.announce = announce_to_all


def removed_members_still_write() -> None:
    """Whoever knows a room's id may say something in it."""
    from chat import policies

    policies.require_member = lambda user, room: None


def banned_people_are_not_cut_off() -> None:
    """An account is shut, and the sockets that are open stay so."""
    from accounts import hot_path
    from chatservice.realtime.channel_manager import ChannelLayerManager  # noqa: TID251

    async def all_of_them(session_ids: Any) -> set[Any]:
        return set(session_ids)

    async def end_none(manager: Any, addresses: Any, complaint: Any) -> None:
        pass

    hot_path.live_sessions = all_of_them
    ChannelLayerManager.end = end_none


def tokens_never_end() -> None:
    """A token is looked at when a socket opens, and never again."""
    from chat.sockets import ChatNamespace

    ChatNamespace._cut = lambda namespace, connection: None


def dates_of_senders_are_believed() -> None:
    """A message is of the moment that its sender says."""
    from chat.actions import messages
    from chat.sockets import ChatNamespace

    said: ContextVar[datetime | None] = ContextVar("said", default=None)
    on_chat_message, draft = ChatNamespace.on_chat_message, messages.Draft

    async def remember_what_is_said(namespace: Any, connection: Any, data: Any) -> Any:
        if "timestamp" in data:
            said.set(datetime.fromisoformat(data["timestamp"]))
        return await on_chat_message(namespace, connection, data)

    def draft_as_said(**options: Any) -> Any:
        if (moment := said.get()) is not None:
            options["fields"]["created_at"] = moment
        return draft(**options)

    ChatNamespace.on_chat_message = remember_what_is_said
    messages.Draft = draft_as_said


def edits_are_forgotten() -> None:
    """An edit is announced, and what people read stays as it was."""
    from chat import log
    from chat.models import Entry

    project = log.project

    async def project_no_edits(entry: Any) -> None:
        if entry["kind"] != Entry.Kind.EDIT.value:
            await project(entry)

    log.project = project_no_edits


BUGS: dict[str, Callable[[], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        acknowledged_before_stored,
        not_journaled,
        no_unique_index,
        resume_off_by_one,
        sent_twice,
        removed_members_still_hear,
        removed_members_still_write,
        banned_people_are_not_cut_off,
        tokens_never_end,
        dates_of_senders_are_believed,
        edits_are_forgotten,
    )
}

if __name__ == "__main__":
    import django
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatservice.settings")
    django.setup()
    BUGS[sys.argv[1]]()
    execute_from_command_line(["manage.py", *sys.argv[2:]])
