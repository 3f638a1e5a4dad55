"""Making and changing rooms, and who is in them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from bson import ObjectId
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import hot_path as accounts_hot_path
from accounts.models import User
from chat import hot_path, policies
from chat.hot_path import Document
from chat.models import DESCRIPTION_LENGTH, NAME_LENGTH, Entry, Membership
from chat.room_state import RoomState
from chatservice import limits
from chatservice.complaints import Complaints
from chatservice.languages import digits
from chatservice.text import check_text

from .appending import append, append_permitted, logs

MAX_MEMBERS_PER_CHANGE = 1_000
"""People that one request may add; a larger one would hold up the room for everybody."""

NAMED_UNKNOWN = 20
"""Names of nobody that a refusal repeats."""

Kind = Entry.Kind
Role = Membership.Role


@dataclass(frozen=True)
class OpenedRoom:
    """A room that was asked for. `created` is false for a private chat that was there before."""

    room_id: ObjectId
    created: bool


async def create_room(
    *,
    actor: User,
    name: object,
    description: object = "",
    members: Sequence[str] = (),
    is_public: bool = False,
) -> OpenedRoom:
    """Make a group with the actor as owner and the people named (e-mails or user names) in it.

    A public one is found in the directory, and joined, by everybody who has an account.
    """
    limits.take(limits.NEW_ROOMS, actor.pk)
    complaints = Complaints()
    with complaints.gathered():
        name = _check_name(name)
    with complaints.gathered():
        description = _check_description(description)
    with complaints.gathered():
        people = await _find_people(members)
    complaints.raise_all()
    room = hot_path.room_document(
        name=name, description=description, is_public=is_public, created_by=actor
    )
    await hot_path.insert_room(room)
    await _open_log(actor, room, [_member(actor, Role.OWNER), *_members(people, excluding=actor)])
    return OpenedRoom(room["_id"], created=True)


async def open_private_chat(
    *,
    actor: User,
    members: Sequence[str],
    name: object = "",
    description: object = "",
    is_public: bool = False,
) -> OpenedRoom:
    """The private chat with the one other person in `members`, made if there is none yet.

    Every two people have one: asking again, from either side or both at once, gives the same.
    """
    limits.take(limits.NEW_ROOMS, actor.pk)
    if is_public:
        raise ValidationError({"is_public": [_("A private chat cannot be public.")]})
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
    if room["is_public"]:
        made["is_public"] = True
    if not room["is_group_chat"]:
        made["is_group_chat"] = False
    beginning = ((Kind.ROOM, made), (Kind.MEMBER, {"added": members, "removed": []}))
    for seq, (kind, data) in enumerate(beginning, start=1):
        with suppress(AlreadyOpen):
            permit = partial(_permit_as_number, seq)
            await append(room["_id"], kind=kind, actor=actor, data=data, permit=permit)


def _permit_as_number(seq: int, room: RoomState) -> None:
    if room.seq != seq - 1:
        raise AlreadyOpen


async def change_room(
    *,
    actor: User,
    room_id: ObjectId,
    name: object = None,
    description: object = None,
    is_public: bool | None = None,
) -> None:
    """Rename or describe a group, or make it public or no more. What is None stays."""
    change: Document = {}
    complaints = Complaints()
    with complaints.gathered():
        if name is not None:
            change["name"] = _check_name(name)
    with complaints.gathered():
        if description is not None:
            change["description"] = _check_description(description)
    complaints.raise_all()
    if is_public is not None:
        change["is_public"] = is_public

    def is_allowed(room: RoomState) -> bool:
        may_publish = is_public is None or policies.can_publish_room(actor, room)
        return may_publish and policies.can_change_room(actor, room)

    if not change:
        policies.require_visible(actor, await logs.state_of(room_id))
        return
    await append_permitted(actor, room_id, Kind.ROOM, change, is_allowed)


async def delete_room(*, actor: User, room_id: ObjectId) -> None:
    """Close a room for everybody. Its log is kept, out of sight."""
    await append_permitted(
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
        await append_permitted(
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
    await append(room_id, kind=Kind.MEMBER, actor=actor, data=data, permit=permit)


async def join_room(*, actor: User, room_id: ObjectId) -> None:
    """Go into a public room. Who is in it stays as they are."""

    def permit(room: RoomState) -> None:
        if actor.pk in room.members and not room.is_deleted:
            raise AlreadyIn
        if not policies.can_join_room(actor, room):
            raise policies.RoomNotFound

    data = {"added": [_member(actor)], "removed": []}
    with suppress(AlreadyIn):
        await append(room_id, kind=Kind.MEMBER, actor=actor, data=data, permit=permit)


class AlreadyIn(Exception):
    """Who wants to join a room is a member of it."""


async def leave_room(*, actor: User, room_id: ObjectId) -> None:
    """Leave a group. From then on nothing of it reaches the actor."""

    def permit(room: RoomState) -> None:
        policies.require_member(actor, room)
        policies.require(policies.can_remove_member(actor, room, actor.pk))

    data = {"added": [], "removed": [_named(actor)]}
    await append(room_id, kind=Kind.MEMBER, actor=actor, data=data, permit=permit)


async def change_role(*, actor: User, room_id: ObjectId, member_id: ObjectId, role: str) -> None:
    """Make a member of a group an owner, a moderator or a plain member (a value of `Role`)."""
    people = await accounts_hot_path.load_users([member_id])

    def permit(room: RoomState) -> None:
        policies.require_visible(actor, room)
        if member_id not in people or member_id not in room.members:
            raise policies.MemberNotFound
        policies.require(policies.can_change_role(actor, room))

    changed = [_member(people[member_id], Role(role))] if member_id in people else []
    data = {"added": [], "removed": [], "changed": changed}
    await append(room_id, kind=Kind.MEMBER, actor=actor, data=data, permit=permit)


async def reproject_room(*, room_id: ObjectId) -> None:
    """Bring what is shown of a room in line with its log, which nobody can change.

    The one action without an actor: it adds no entry and announces nothing.
    """
    await logs.reproject(room_id)


async def _find_people(names: Sequence[str]) -> list[User]:
    """The active people with these e-mails or user names, each once.

    Raises ValidationError on `members` that names those whom nobody knows; they are its parameter
    `unknown`.
    """
    if len(names) > MAX_MEMBERS_PER_CHANGE:
        problem = _("At most %(limit)s people at a time.")
        raise ValidationError({"members": [problem % {"limit": digits(MAX_MEMBERS_PER_CHANGE)}]})
    found = await accounts_hot_path.find_people(names)
    unknown = [name for name in names if name not in found]
    if unknown:
        quoted = [_("“%(name)s”") % {"name": name} for name in unknown[:NAMED_UNKNOWN]]
        params = {"names": _(", ").join(quoted), "unknown": unknown}
        refusal = ValidationError(_("Nobody is known by: %(names)s"), params=params)
        raise ValidationError({"members": [refusal]})
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
