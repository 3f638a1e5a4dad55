"""Every change to a conversation. The only module here that writes, and that tells browsers.

All actions are coroutines of the home loop; synchronous doors call them through
`chatservice.realtime.loop.run`. Each takes the `actor` who is answerable for it, asks a policy and
adds an entry to the room's log. What they raise: `ValidationError` (with the field),
`RoomNotFound`, `MessageNotFound`, `MemberNotFound`, `PermissionDenied`, `StorageUnavailable`,
`RoomIsBusy`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from asgiref.sync import sync_to_async
from bson import ObjectId
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import hot_path as accounts_hot_path
from accounts.models import User
from chatservice import realtime
from chatservice.realtime.lifecycle import on_shutdown, on_startup
from chatservice.text import check_text
from media_upload.models import Upload

from . import events, hot_path, policies
from .drafts import Draft, Stored
from .hot_path import Document
from .log import RoomLogs
from .models import (
    CLIENT_ID_LENGTH,
    DESCRIPTION_LENGTH,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    Entry,
    Membership,
)
from .room_state import RoomState

MAX_MEMBERS_PER_CHANGE = 1_000
"""People that one request may add; a larger one would hold up the room for everybody."""

MAX_UPLOADS_PER_MESSAGE = 20

UPLOAD_URL = re.compile(r"/media/([0-9a-f]{24})/")

Kind = Entry.Kind
Role = Membership.Role


Via = Entry.Via


@dataclass(frozen=True)
class OpenedRoom:
    """A room that was asked for. `created` is false for a private chat that was there before."""

    room_id: ObjectId
    created: bool


# Messages


async def post_message(
    *,
    actor: User,
    room_id: ObjectId,
    content: object,
    via: Entry.Via,
    client_id: object = None,
    reply_to: object = None,
    uploads: object = None,
) -> Stored:
    """Say something in a room.

    Safe to retry: one `client_id` of one sender is stored, and announced, once in a room. `uploads`
    are ids of files that the actor may see; the room's members may then fetch them, and those that
    `content` links to. The place in the room's queue is taken before the first wait, so that one
    sender's messages keep their order although their handlers run side by side.
    """
    text = _check_content(content)
    draft = Draft(
        kind=Kind.MESSAGE,
        actor=actor,
        fields={"content": text, "reply_to": _check_reply_to(reply_to), "via": via.value},
        client_id=_check_client_id(client_id),
        permit=partial(policies.require_member, actor),
        prepare=_attaching(actor, text, uploads),
    )
    return await logs.submit(room_id, draft)


async def edit_message(
    *, actor: User, room_id: ObjectId, message_id: ObjectId, content: object
) -> Document:
    """Replace the text of one's own message. Returns the message as it is then."""
    text = _check_content(content)
    message = await _find_message(actor, room_id, message_id)
    policies.require(policies.can_edit_message(actor, message))
    if message.get("deleted_at"):
        raise policies.MessageNotFound
    attached = await _attached_uploads(actor, text, message.get("uploads") or [])
    change = {"target": message["seq"], "content": text, "uploads": attached}
    await _append(
        room_id,
        kind=Kind.EDIT,
        actor=actor,
        data=change,
        permit=partial(policies.require_member, actor),
    )
    return await _find_message(actor, room_id, message_id)


async def delete_message(*, actor: User, room_id: ObjectId, message_id: ObjectId) -> None:
    """Take a message's content away, for its sender or a moderator; its number stays.

    Deleting it again does nothing.
    """
    message = await _find_message(actor, room_id, message_id)

    def permit(room: RoomState) -> None:
        policies.require_visible(actor, room)
        policies.require(policies.can_delete_message(actor, room, message))

    if message.get("deleted_at"):
        permit(await logs.state_of(room_id))
        return
    await _append(
        room_id, kind=Kind.DELETE, actor=actor, data={"target": message["seq"]}, permit=permit
    )


async def _find_message(actor: User, room_id: ObjectId, message_id: ObjectId) -> Document:
    policies.require_visible(actor, await logs.state_of(room_id))
    message = await hot_path.find_message(room_id, message_id)
    if message is None:
        raise policies.MessageNotFound
    return message


def _check_content(content: object) -> str:
    try:
        return check_text(content, max_length=MESSAGE_LENGTH)
    except ValidationError as error:
        raise ValidationError({"content": error.messages}) from None


def _check_client_id(client_id: object) -> str | None:
    if client_id is None:
        return None
    try:
        return check_text(client_id, max_length=CLIENT_ID_LENGTH)
    except ValidationError as error:
        raise ValidationError({"client_id": error.messages}) from None


def _check_reply_to(seq: object) -> int | None:
    if seq is None or (isinstance(seq, int) and not isinstance(seq, bool) and 0 < seq < 2**53):
        return seq
    raise ValidationError({"reply_to": [_("The number of a message, or nothing.")]})


def _attaching(actor: User, text: str, uploads: object):
    """The preparation of a draft that finds the files it shows; None when it names none."""
    named = _parse_upload_ids(uploads)
    if not named and not UPLOAD_URL.search(text):
        return None

    async def attach() -> Document:
        return {"uploads": await _attached_uploads(actor, text, named)}

    return attach


def _parse_upload_ids(uploads: object) -> list[str]:
    if uploads is None:
        return []
    if not isinstance(uploads, list) or len(uploads) > MAX_UPLOADS_PER_MESSAGE:
        problem = _("A list of at most %(limit)d ids of uploads.")
        raise ValidationError({"uploads": [problem % {"limit": MAX_UPLOADS_PER_MESSAGE}]})
    return [str(_parse_upload_id(upload)) for upload in uploads]


def _parse_upload_id(upload: object) -> ObjectId:
    upload_id = hot_path.parse_id(upload)
    if upload_id is None:
        raise ValidationError({"uploads": [_("No such upload.")]})
    return upload_id


async def _attached_uploads(actor: User, text: str, named: Sequence[str]) -> list[str]:
    """The files a message shows: those named, which the actor must see, and those linked to.

    A link to a file that the actor may not see stays a text: posting it must not open the file.
    """
    linked = UPLOAD_URL.findall(text)[:MAX_UPLOADS_PER_MESSAGE]
    ids = list(dict.fromkeys([*named, *linked]))
    visible = await _visible_upload_ids(actor, ids) if ids else set()
    if not visible.issuperset(named):
        raise ValidationError({"uploads": [_("No such upload.")]})
    return [upload_id for upload_id in ids if upload_id in visible]


@sync_to_async(thread_sensitive=False)
def _visible_upload_ids(actor: User, ids: Sequence[str]) -> set[str]:
    uploads = Upload.objects.visible_to(actor, among=[ObjectId(text) for text in ids])
    return {str(pk) for pk in uploads.values_list("pk", flat=True)}


# Rooms


async def create_room(
    *, actor: User, name: object, description: object = "", members: Sequence[str] = ()
) -> OpenedRoom:
    """Make a group with the actor as owner and the people named (e-mails or user names) in it."""
    people = await _find_people(members)
    room = hot_path.room_document(
        name=_check_name(name), description=_check_description(description), created_by=actor
    )
    await hot_path.insert_room(room)
    await _open_log(actor, room, [_member(actor, Role.OWNER), *_members(people, excluding=actor)])
    return OpenedRoom(room["_id"], created=True)


async def open_private_chat(
    *, actor: User, members: Sequence[str], name: object = "", description: object = ""
) -> OpenedRoom:
    """The private chat with the one other person in `members`, made if there is none yet.

    Every two people have one: asking again, from either side or both at once, gives the same.
    """
    others = [person for person in await _find_people(members) if person.pk != actor.pk]
    if len(others) != 1:
        raise ValidationError({"members": [_("A private chat is with one other person.")]})
    [person] = others
    pair = ":".join(sorted((str(actor.pk), str(person.pk))))
    room = hot_path.room_document(
        name=_check_name(name) if name else f"{actor.username}, {person.username}"[:NAME_LENGTH],
        description=_check_description(description),
        created_by=actor,
        is_group_chat=False,
        pair=pair,
    )
    created = await hot_path.insert_room(room)
    found = room if created else await hot_path.find_private_room(pair)
    assert found is not None  # a private chat is never deleted
    # Not only after `created`: who was first may have died before the log was opened.
    if found["last_seq"] == 0:
        await _open_log(actor, found, [_member(actor), _member(person)])
    return OpenedRoom(found["_id"], created=created)


class AlreadyOpen(Exception):
    """Somebody else, asking for the same private chat, was faster."""


async def _open_log(actor: User, room: Document, members: list[Document]) -> None:
    """The first two entries of a room: that it was made, and who is in it."""
    made = {"name": room["name"], "description": room["description"], "created": True}
    beginning = ((Kind.ROOM, made), (Kind.MEMBER, {"added": members, "removed": []}))
    for seq, (kind, data) in enumerate(beginning, start=1):
        with suppress(AlreadyOpen):
            permit = partial(_permit_as_number, seq)
            await _append(room["_id"], kind=kind, actor=actor, data=data, permit=permit)


def _permit_as_number(seq: int, room: RoomState) -> None:
    if room.seq != seq - 1:
        raise AlreadyOpen


async def change_room(
    *, actor: User, room_id: ObjectId, name: object = None, description: object = None
) -> None:
    """Rename or describe a group. What is None stays."""
    change: Document = {}
    if name is not None:
        change["name"] = _check_name(name)
    if description is not None:
        change["description"] = _check_description(description)
    await _append_permitted(
        actor, room_id, Kind.ROOM, change, lambda room: policies.can_change_room(actor, room)
    )


async def delete_room(*, actor: User, room_id: ObjectId) -> None:
    """Close a room for everybody. Its log is kept, out of sight."""
    await _append_permitted(
        actor,
        room_id,
        Kind.ROOM,
        {"deleted": True},
        lambda room: policies.can_delete_room(actor, room),
    )


async def add_members(*, actor: User, room_id: ObjectId, people: Sequence[str]) -> None:
    """Let people (e-mails or user names) into a group. Those who are in it stay as they are."""
    found = await _find_people(people)
    room = await logs.state_of(room_id)
    policies.require_visible(actor, room)
    policies.require(policies.can_add_members(actor, room))
    added = [_member(person) for person in found if person.pk not in room.members]
    if added:
        await _append_permitted(
            actor,
            room_id,
            Kind.MEMBER,
            {"added": added, "removed": []},
            lambda room: policies.can_add_members(actor, room),
        )


async def remove_member(*, actor: User, room_id: ObjectId, member_id: ObjectId) -> None:
    """Put somebody out of a group, or leave it. From then on nothing of it reaches them."""
    people = await accounts_hot_path.load_users([member_id])
    if member_id not in people:
        raise policies.MemberNotFound

    def permit(room: RoomState) -> None:
        policies.require_visible(actor, room)
        if member_id not in room.members:
            raise policies.MemberNotFound
        policies.require(policies.can_remove_member(actor, room, member_id))

    data = {"added": [], "removed": [_named(people[member_id])]}
    await _append(room_id, kind=Kind.MEMBER, actor=actor, data=data, permit=permit)


async def leave_room(*, actor: User, room_id: ObjectId) -> None:
    """Leave a group. From then on nothing of it reaches the actor."""

    def permit(room: RoomState) -> None:
        policies.require_member(actor, room)
        policies.require(policies.can_remove_member(actor, room, actor.pk))

    data = {"added": [], "removed": [_named(actor)]}
    await _append(room_id, kind=Kind.MEMBER, actor=actor, data=data, permit=permit)


async def change_role(*, actor: User, room_id: ObjectId, member_id: ObjectId, role: str) -> None:
    """Make a member of a group an owner, a moderator or a plain member (a value of `Role`)."""
    people = await accounts_hot_path.load_users([member_id])

    def permit(room: RoomState) -> None:
        policies.require_visible(actor, room)
        if member_id not in people or member_id not in room.members:
            raise policies.MemberNotFound
        policies.require(policies.can_change_role(actor, room))

    added = [_member(people[member_id], Role(role))] if member_id in people else []
    await _append(
        room_id,
        kind=Kind.MEMBER,
        actor=actor,
        data={"added": added, "removed": []},
        permit=permit,
    )


async def reproject_room(*, room_id: ObjectId) -> None:
    """Bring what is shown of a room in line with its log, which nobody can change.

    The one action without an actor: it adds no entry and announces nothing.
    """
    await logs.reproject(room_id)


async def _find_people(names: Sequence[str]) -> list[User]:
    """The active people with these e-mails or user names, each once.

    Raises ValidationError on `members` that names those whom nobody knows.
    """
    if len(names) > MAX_MEMBERS_PER_CHANGE:
        problem = _("At most %(limit)d people at a time.")
        raise ValidationError({"members": [problem % {"limit": MAX_MEMBERS_PER_CHANGE}]})
    found = await accounts_hot_path.find_people(names)
    unknown = [name for name in names if name not in found]
    if unknown:
        problem = _("Nobody is known by: %(names)s")
        raise ValidationError({"members": [problem % {"names": ", ".join(unknown[:20])}]})
    return list({person.pk: person for person in found.values()}.values())


def _named(person: User) -> Document:
    return {"id": str(person.pk), "email": person.email, "username": person.username}


def _member(person: User, role: Membership.Role = Role.MEMBER) -> Document:
    return _named(person) | {"role": role.value}


def _members(people: Iterable[User], *, excluding: User) -> list[Document]:
    return [_member(person) for person in people if person.pk != excluding.pk]


def _check_name(name: object) -> str:
    try:
        return check_text(name, max_length=NAME_LENGTH, trim=True)
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from None


def _check_description(description: object) -> str:
    try:
        return check_text(description, max_length=DESCRIPTION_LENGTH, min_length=0)
    except ValidationError as error:
        raise ValidationError({"description": error.messages}) from None


# The log


async def _append_permitted(
    actor: User,
    room_id: ObjectId,
    kind: Entry.Kind,
    data: Document,
    allowed: Callable[[RoomState], bool],
) -> None:
    def permit(room: RoomState) -> None:
        policies.require_visible(actor, room)
        policies.require(allowed(room))

    await _append(room_id, kind=kind, actor=actor, data=data, permit=permit)


async def _append(
    room_id: ObjectId,
    *,
    kind: Entry.Kind,
    actor: User,
    data: Document,
    permit: Callable[[RoomState], None],
) -> Document:
    draft = Draft(kind=kind, actor=actor, fields={"data": data}, permit=permit)
    return (await logs.submit(room_id, draft)).entry


async def _announce(entries: list[Document], audience: frozenset[ObjectId]) -> None:
    """Tell the devices of the people concerned, each in the protocol that it speaks."""
    for entry in entries:
        await realtime.publish("room_event", events.room_event(entry), to=audience, protocol=2)
        if (event := events.contract_event(entry)) is not None:
            await realtime.publish(*event, to=audience, protocol=1)


logs = RoomLogs(_announce)
"""The logs of this process. Their queues are written before the process stops."""

on_shutdown(logs.drain)


@on_startup
async def recover() -> None:
    """Finish what a process that was killed had stored and not yet projected."""
    for room_id in await hot_path.rooms_behind_their_log():
        await logs.roll_forward(room_id)
