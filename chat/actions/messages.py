"""Saying something, and taking it back."""

import re
from collections.abc import Sequence
from functools import partial

from asgiref.sync import sync_to_async
from bson import ObjectId
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from chat import hot_path, policies
from chat.drafts import Draft, Stored
from chat.hot_path import Document
from chat.models import CLIENT_ID_LENGTH, MESSAGE_LENGTH, Entry
from chat.room_state import RoomState
from chatservice import limits
from chatservice.text import check_text
from media_upload.models import Upload

from .appending import append, logs

MAX_UPLOADS_PER_MESSAGE = 20

UPLOAD_URL = re.compile(r"/media/([0-9a-f]{24})/")

Kind = Entry.Kind


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
    limits.take(limits.MESSAGES, actor.pk)
    text = _check_content(content)
    draft = Draft(
        kind=Kind.MESSAGE,
        actor=actor,
        fields={"content": text, "reply_to": _check_reply_to(reply_to), "via": via.value},
        client_id=_check_client_id(client_id),
        permit=partial(_permit_message, actor),
        prepare=_attaching(actor, text, uploads),
    )
    return await logs.submit(room_id, draft)


def _permit_message(actor: User, room: RoomState) -> None:
    policies.require_member(actor, room)
    # Here and not before: a stranger must not use up what the members may say.
    limits.take(limits.ROOM_MESSAGES, room.room_id)


async def edit_message(
    *, actor: User, room_id: ObjectId, message_id: ObjectId, content: object
) -> Document:
    """Replace the text of one's own message. Returns the message as it is then."""
    limits.take(limits.MESSAGES, actor.pk)
    text = _check_content(content)
    message = await _find_message(actor, room_id, message_id)
    policies.require(policies.can_edit_message(actor, message))
    if message.get("deleted_at"):
        raise policies.MessageNotFound
    attached = await _attached_uploads(actor, text, message.get("uploads") or [])
    change = {"target": message["seq"], "content": text, "uploads": attached}
    await append(
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
    await append(
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
