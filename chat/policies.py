"""Who may do what in a room. Seeing is `visible_to` (or membership, in the log's own state).

Each takes the acting user and the room as of the entry that would follow (`log.RoomState`). Not
being a member is never a refusal of its own: `require_member` says what it says of a room that does
not exist, so that a stranger cannot tell one from the other.
"""

from bson import ObjectId
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from accounts.models import User

from . import hot_path
from .hot_path import Document
from .models import Membership
from .room_state import RoomState

Role = Membership.Role


class RoomNotFound(NotFound):
    """There is no such room, or none that this user may know of."""

    default_detail = "Chat room not found or access denied"  # the contract's own words


class MessageNotFound(NotFound):
    """There is no such message in this room."""

    default_detail = gettext_lazy("Message not found")


class MemberNotFound(NotFound):
    """That person is not a member of this room."""

    default_detail = gettext_lazy("No such member")


def can_see_room(user: User, room: RoomState) -> bool:
    return user.pk in room.members and not room.is_deleted


def is_owner(user: User, room: RoomState) -> bool:
    """Whether the room is the user's; one that all owners have left belongs to every member."""
    if Role.OWNER.value in room.members.values():
        return room.members.get(user.pk) == Role.OWNER.value
    return user.pk in room.members


def is_only_owner(user: User, room: RoomState) -> bool:
    """Whether the room would belong to every member if the user left it."""
    owners = [pk for pk, role in room.members.items() if role == Role.OWNER.value]
    return room.is_group_chat and owners == [user.pk] and len(room.members) > 1


def can_moderate_room(user: User, room: RoomState) -> bool:
    """Staff moderate every room, also those they are not in."""
    is_moderator = room.members.get(user.pk) == Role.MODERATOR.value
    return user.is_staff or is_moderator or (room.is_group_chat and is_owner(user, room))


def can_post_message(user: User, room: RoomState) -> bool:
    return can_see_room(user, room)


def can_edit_message(user: User, message: Document) -> bool:
    return message["actor_id"] == user.pk


def can_delete_message(user: User, room: RoomState, message: Document) -> bool:
    return message["actor_id"] == user.pk or can_moderate_room(user, room)


def can_change_room(user: User, room: RoomState) -> bool:
    """Rename or describe it: any member of a group, as people expect of a small chat."""
    return room.is_group_chat and (can_see_room(user, room) or user.is_staff)


def can_publish_room(user: User, room: RoomState) -> bool:
    """Let everybody find and join it, or no more."""
    return room.is_group_chat and (user.is_staff or is_owner(user, room))


def can_join_room(user: User, room: RoomState) -> bool:
    return room.is_public and room.is_group_chat and not room.is_deleted


def can_delete_room(user: User, room: RoomState) -> bool:
    return user.is_staff or (room.is_group_chat and is_owner(user, room))


def can_add_members(user: User, room: RoomState) -> bool:
    return room.is_group_chat and (can_see_room(user, room) or user.is_staff)


def can_remove_member(user: User, room: RoomState, member_id: ObjectId) -> bool:
    """Managers remove others, but no one removes an owner except staff; anyone may leave."""
    if not room.is_group_chat:
        return False
    if user.pk == member_id or user.is_staff:
        return True
    return can_moderate_room(user, room) and room.members.get(member_id) != Role.OWNER.value


def can_change_role(user: User, room: RoomState) -> bool:
    return room.is_group_chat and (user.is_staff or is_owner(user, room))


def room_id_from(text: object) -> ObjectId:
    """The room id that a client sent; RoomNotFound for what cannot be one."""
    room_id = hot_path.parse_id(text)
    if room_id is None:
        raise RoomNotFound
    return room_id


def require_visible(user: User, room: RoomState) -> None:
    """Raise RoomNotFound unless the user is a member, or staff acting on a room that is there."""
    if room.is_deleted or not (user.pk in room.members or user.is_staff):
        raise RoomNotFound


def require_member(user: User, room: RoomState) -> None:
    """Raise RoomNotFound unless the user is a member of a room that is there."""
    if not can_see_room(user, room):
        raise RoomNotFound


def require(allowed: bool) -> None:
    """Raise PermissionDenied unless allowed."""
    if not allowed:
        raise PermissionDenied(_("You may not do this in this room."))
