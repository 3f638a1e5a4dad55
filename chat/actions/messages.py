"""Saying something, and taking it back."""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from asgiref.sync import sync_to_async
from bson import ObjectId
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import hot_path as accounts_hot_path
from accounts.models import User
from chat import hot_path, policies
from chat.drafts import Draft, Stored
from chat.emoji import check_emoji
from chat.hot_path import Document
from chat.mentions import mentions_in, resolve
from chat.models import CLIENT_ID_LENGTH, MESSAGE_LENGTH, Entry
from chat.room_state import RoomState
from chat.words import terms_of
from chatservice import limits
from chatservice.languages import digits
from chatservice.text import check_text
from media_upload.models import Upload

from .appending import append, logs

MAX_UPLOADS_PER_MESSAGE = 100
"""More than `MESSAGE_LENGTH` has room for as links, with names of an ordinary length."""

MAX_REACTIONS = 20
"""Different emoji on one message."""

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
    `content` links to. `reply_to` is the number of a message that was there before. The place in
    the room's queue is taken before the first wait, so that one sender's messages keep their order
    although their handlers run side by side.
    """
    limits.take(limits.MESSAGES, actor.pk)
    text = _check_content(content)
    answered = _check_reply_to(reply_to)
    fields = {"content": text, "terms": terms_of(text), "reply_to": answered, "via": via.value}
    draft = Draft(
        kind=Kind.MESSAGE,
        actor=actor,
        fields=fields,
        client_id=_check_client_id(client_id),
        permit=partial(_permit_message, actor),
        prepare=_completing(actor, text, _parse_upload_ids(uploads), answered),
    )
    return await logs.submit(room_id, draft)


def _permit_message(actor: User, room: RoomState) -> None:
    policies.require_member(actor, room)
    # Here and not before: a stranger must not use up what the members may say.
    limits.take(limits.ROOM_ENTRIES, room.room_id)


async def edit_message(
    *, actor: User, room_id: ObjectId, message_id: ObjectId, content: object
) -> Document:
    """Replace the text of one's own message. Returns the message as it is then."""
    limits.take(limits.MESSAGES, actor.pk)
    text = _check_content(content)
    message = await _find_message(actor, room_id, message_id)
    policies.require(policies.can_edit_message(actor, message))

    async def prepare(room: RoomState) -> Document:
        present = await hot_path.find_message(room_id, message_id)
        if present is None or present.get("deleted_at"):
            raise policies.MessageNotFound
        change = {
            "target": present["seq"],
            "content": text,
            "uploads": await _attached_uploads(actor, text, present.get("uploads") or []),
            "mentions": await _mentioned(text, room),
        }
        return {"data": change}

    permit = partial(policies.require_member, actor)
    await append(room_id, kind=Kind.EDIT, actor=actor, permit=permit, prepare=prepare)
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


async def react(*, actor: User, room_id: ObjectId, target: int, emoji: object, on: bool) -> int:
    """React to message `target` with an emoji, or take that back.

    Returns the number of the entry; if it is so already, there is none, and the number is that of
    the last one that changed the message.
    """
    limits.take(limits.MESSAGES, actor.pk)
    reaction = check_emoji(emoji)

    async def prepare(room: RoomState) -> Document:
        message = await hot_path.find_message_at(room_id, target) if 0 < target < 2**63 else None
        if message is None or message.get("deleted_at"):
            raise policies.MessageNotFound
        reactions = message.get("reactions") or {}
        if (str(actor.pk) in reactions.get(reaction, ())) is on:
            raise AlreadySo(message["rev"])
        if on and reaction not in reactions and len(reactions) >= MAX_REACTIONS:
            problem = _("A message has at most %(limit)s different reactions.")
            raise ValidationError({"emoji": [problem % {"limit": digits(MAX_REACTIONS)}]})
        return {"data": {"target": target, "emoji": reaction, "on": on}}

    permit = partial(policies.require_member, actor)
    try:
        entry = await append(
            room_id, kind=Kind.REACTION, actor=actor, permit=permit, prepare=prepare
        )
    except AlreadySo as found:
        return found.rev
    return entry["seq"]


class AlreadySo(Exception):
    """Nothing is to be done: a message is, as of entry `rev`, as somebody wants it."""

    def __init__(self, rev: int) -> None:
        super().__init__(rev)
        self.rev = rev


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


def _completing(
    actor: User, text: str, uploads: Sequence[str], reply_to: int | None
) -> Callable[[RoomState], Awaitable[Document]] | None:
    """The preparation of a draft that looks at what it names; None when it names nothing."""
    if not uploads and reply_to is None and "@" not in text and not UPLOAD_URL.search(text):
        return None

    async def complete(room: RoomState) -> Document:
        fields: Document = {}
        if reply_to is not None and not await hot_path.find_message_at(room.room_id, reply_to):
            raise ValidationError({"reply_to": [_("There is no such message in this room.")]})
        if attached := await _attached_uploads(actor, text, uploads):
            fields["uploads"] = attached
        if mentioned := await _mentioned(text, room):
            fields["mentions"] = mentioned
        return fields

    return complete


async def _mentioned(text: str, room: RoomState) -> list[str]:
    """The ids (hex) of the members that a text calls, and `mentions.ALL` if it calls everybody."""
    mentions = mentions_in(text)
    if not mentions:
        return []
    keys = {key for names in mentions for key in names}
    found = await accounts_hot_path.find_ids_by_username_key(keys)
    people = {key: str(user_id) for key, user_id in found.items() if user_id in room.members}
    return resolve(mentions, people)


def _parse_upload_ids(uploads: object) -> list[str]:
    if uploads is None:
        return []
    if not isinstance(uploads, list) or len(uploads) > MAX_UPLOADS_PER_MESSAGE:
        problem = _("A list of at most %(limit)s ids of uploads.")
        raise ValidationError({"uploads": [problem % {"limit": digits(MAX_UPLOADS_PER_MESSAGE)}]})
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
