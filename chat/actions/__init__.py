"""Every change to a conversation. The only package here that writes, and that tells browsers.

All actions are coroutines of the home loop; synchronous doors call them through
`chatservice.realtime.loop.run`. Each takes the `actor` who is answerable for it, asks a policy and
adds an entry to the room's log. What they raise: `ValidationError` (with the field),
`RoomNotFound`, `MessageNotFound`, `MemberNotFound`, `PermissionDenied`, `StorageUnavailable`,
`RoomIsBusy`, and `limits.TooMany` where somebody does too much.
"""

from .live import announce_presence, announce_typing, mark_read, mute_room
from .messages import delete_message, edit_message, post_message, react
from .rooms import (
    OpenedRoom,
    add_members,
    change_role,
    change_room,
    create_room,
    delete_room,
    join_room,
    leave_room,
    open_private_chat,
    remove_member,
    reproject_room,
)

__all__ = [
    "OpenedRoom",
    "add_members",
    "announce_presence",
    "announce_typing",
    "change_role",
    "change_room",
    "create_room",
    "delete_message",
    "delete_room",
    "edit_message",
    "join_room",
    "leave_room",
    "mark_read",
    "mute_room",
    "open_private_chat",
    "post_message",
    "react",
    "remove_member",
    "reproject_room",
]
