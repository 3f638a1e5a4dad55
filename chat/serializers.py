"""Wire shapes of the REST API: what comes in, what goes out. No logic and no queries."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from chatservice.text import PlainTextField
from chatservice.timestamps import to_wire

from .events import Payload
from .models import (
    CLIENT_ID_LENGTH,
    DESCRIPTION_LENGTH,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    Entry,
    Membership,
)
from .reading import MemberView, PrivateChatView, RoomView

MAX_PAGE = 1_000
"""Messages or entries in one page."""

MAX_SEQ = 2**53 - 1
"""The largest number that every client can write: JavaScript's `Number.MAX_SAFE_INTEGER`."""


class PersonNameField(serializers.CharField):
    """An e-mail address or a user name, as somebody typed it."""

    def __init__(self, **options):
        super().__init__(max_length=254, help_text=_("An e-mail address or user name."), **options)


# In


class CreateRoom(serializers.Serializer):
    name = PlainTextField(
        max_length=NAME_LENGTH, trim=True, help_text=_("What the room is called.")
    )
    description = PlainTextField(
        max_length=DESCRIPTION_LENGTH,
        min_length=0,
        required=False,
        default="",
        help_text=_("What it is about."),
    )
    members = serializers.ListField(
        child=PersonNameField(),
        required=False,
        default=list,
        help_text=_("E-mail addresses or user names of who is in it, beside yourself."),
    )
    is_group_chat = serializers.BooleanField(
        required=False,
        default=True,
        help_text=_("False, with one other member: the private chat of you two."),
    )


class OpenPrivateChat(serializers.Serializer):
    user = PersonNameField()


class ChangeRoom(serializers.Serializer):
    name = PlainTextField(
        max_length=NAME_LENGTH, trim=True, required=False, help_text=_("The new name.")
    )
    description = PlainTextField(
        max_length=DESCRIPTION_LENGTH,
        min_length=0,
        required=False,
        help_text=_("The new description."),
    )


class AddMembers(serializers.Serializer):
    members = serializers.ListField(
        child=PersonNameField(),
        allow_empty=False,
        help_text=_("E-mail addresses or user names of who is to be let in."),
    )


class ChangeRole(serializers.Serializer):
    role = serializers.ChoiceField(
        choices=Membership.Role.choices, help_text=_("What the member may do from now on.")
    )


class MarkRead(serializers.Serializer):
    seq = serializers.IntegerField(
        min_value=0, max_value=MAX_SEQ, help_text=_("The number of the last entry you have seen.")
    )


class PostMessage(serializers.Serializer):
    content = PlainTextField(
        max_length=MESSAGE_LENGTH, help_text=_("The text, kept exactly as it is sent.")
    )
    client_id = PlainTextField(
        max_length=CLIENT_ID_LENGTH,
        required=False,
        allow_null=True,
        default=None,
        help_text=_("Chosen by you, unique for each message: repeating it repeats nothing."),
    )
    reply_to = serializers.IntegerField(
        min_value=1,
        max_value=MAX_SEQ,
        required=False,
        allow_null=True,
        default=None,
        help_text=_("The number (`seq`) of the message that this one answers."),
    )
    uploads = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        allow_null=True,
        default=None,
        help_text=_("Ids of files to show; the members of the room may then fetch them."),
    )


class EditMessage(serializers.Serializer):
    content = PlainTextField(max_length=MESSAGE_LENGTH, help_text=_("The new text."))


class MessagePage(serializers.Serializer):
    """Query parameters of the list of messages; none of them means all messages."""

    before = serializers.IntegerField(
        min_value=0,
        max_value=MAX_SEQ,
        required=False,
        help_text=_("Only messages with a smaller `seq`."),
    )
    after = serializers.IntegerField(
        min_value=0,
        max_value=MAX_SEQ,
        required=False,
        help_text=_("Only messages with a greater `seq`."),
    )
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MAX_PAGE,
        required=False,
        help_text=_("At most so many: the newest of them, or with `after` the oldest."),
    )


class LastMessages(serializers.Serializer):
    """Query parameter of a room: how many of its messages to include."""

    messages = serializers.IntegerField(
        min_value=0, max_value=MAX_PAGE, required=False, default=None, allow_null=True
    )


class EntryPage(serializers.Serializer):
    """Query parameters of the room's log."""

    after = serializers.IntegerField(
        min_value=0,
        max_value=MAX_SEQ,
        required=False,
        default=0,
        help_text=_("Only entries with a greater `seq`."),
    )
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MAX_PAGE,
        required=False,
        default=200,
        help_text=_("At most so many."),
    )


# Out: the serializers describe for OpenAPI what the functions below them build from documents


class Message(serializers.Serializer):
    id = serializers.CharField(help_text=_("24 hex digits."))
    room_id = serializers.CharField(help_text=_("The room it was said in."))
    seq = serializers.IntegerField(help_text=_("Its number in the room's log, without gaps."))
    sender = serializers.EmailField(help_text=_("Who said it."))
    sender_id = serializers.CharField(help_text=_("The sender's user id."))
    content = serializers.CharField(help_text=_("The text as it is now; empty once deleted."))
    timestamp = serializers.DateTimeField(help_text=_("When it was stored, in UTC."))
    client_id = serializers.CharField(
        allow_null=True, help_text=_("The sender's own name for it, if it sent one.")
    )
    reply_to = serializers.IntegerField(
        allow_null=True, help_text=_("The number of the message it answers.")
    )
    uploads = serializers.ListField(
        child=serializers.CharField(), help_text=_("Ids of the files it shows.")
    )
    edited_at = serializers.DateTimeField(allow_null=True, help_text=_("When it was last edited."))
    deleted = serializers.BooleanField(help_text=_("Whether its content was taken away."))
    rev = serializers.IntegerField(help_text=_("The last entry of the log that changed it."))


class LogEntry(serializers.Serializer):
    """One entry of the log. Further fields depend on `kind`: docs/protocol.md has them all."""

    room_id = serializers.CharField(help_text=_("The room it happened in."))
    seq = serializers.IntegerField(help_text=_("Its number, without gaps."))
    kind = serializers.ChoiceField(choices=Entry.Kind.choices, help_text=_("What happened."))
    actor = serializers.DictField(
        child=serializers.CharField(), help_text=_("Who did it: `id` and `email`.")
    )
    created_at = serializers.DateTimeField(help_text=_("When it was stored, in UTC."))


class LogPage(serializers.Serializer):
    entries = LogEntry(many=True, help_text=_("In order, without gaps."))
    last_seq = serializers.IntegerField(help_text=_("The number of the log's last entry."))
    more = serializers.BooleanField(help_text=_("Whether there are others after these."))


class RoomSummary(serializers.Serializer):
    id = serializers.CharField(help_text=_("24 hex digits."))
    name = serializers.CharField(help_text=_("What it is called."))
    description = serializers.CharField(help_text=_("What it is about; may be empty."))
    members = serializers.ListField(
        child=serializers.EmailField(), help_text=_("Who is in it, the first to join first.")
    )
    is_group_chat = serializers.BooleanField(help_text=_("False for a private chat."))
    created_at = serializers.DateTimeField(help_text=_("When it was made."))
    last_seq = serializers.IntegerField(help_text=_("The number of the log's last entry."))
    last_activity_at = serializers.DateTimeField(help_text=_("When that entry was stored."))
    role = serializers.ChoiceField(
        choices=Membership.Role.choices, help_text=_("What you are in it.")
    )
    read_seq = serializers.IntegerField(help_text=_("The number up to which you have read it."))
    unread_count = serializers.IntegerField(help_text=_("Messages after that."))


class Room(RoomSummary):
    messages = Message(many=True, help_text=_("Oldest first; `messages=N` gives the last N."))


class PrivateChat(serializers.Serializer):
    id = serializers.CharField(help_text=_("24 hex digits; a room like any other."))
    other_user_email = serializers.EmailField(help_text=_("The other one of you two."))
    is_online = serializers.BooleanField(help_text=_("Whether any device of theirs is connected."))


class Member(serializers.Serializer):
    id = serializers.CharField(help_text=_("The user id."))
    email = serializers.EmailField(help_text=_("The e-mail address."))
    username = serializers.CharField(help_text=_("The user name."))
    full_name = serializers.CharField(help_text=_("The full name; may be empty."))
    role = serializers.ChoiceField(
        choices=Membership.Role.choices, help_text=_("What the member may do.")
    )
    joined_at = serializers.DateTimeField(help_text=_("Since when."))
    is_online = serializers.BooleanField(help_text=_("Whether any device is connected."))


def room_summary(view: RoomView) -> Payload:
    room = view.room
    return {
        "id": str(room["_id"]),
        "name": room["name"],
        "description": room["description"],
        "members": [member.person.email for member in view.members],
        "is_group_chat": room["is_group_chat"],
        "created_at": to_wire(room["created_at"]),
        "last_seq": view.last_seq,
        "last_activity_at": to_wire(room["last_activity_at"]),
        "role": room["membership"]["role"],
        "read_seq": room["membership"]["read_seq"],
        "unread_count": view.unread_count,
    }


def private_chat(chat: PrivateChatView) -> Payload:
    return {
        "id": str(chat.room["_id"]),
        "other_user_email": chat.other.email,
        "is_online": chat.is_online,
    }


def member(view: MemberView) -> Payload:
    return {
        "id": str(view.person.pk),
        "email": view.person.email,
        "username": view.person.username,
        "full_name": view.person.full_name,
        "role": view.membership["role"],
        "joined_at": to_wire(view.membership["joined_at"]),
        "is_online": view.is_online,
    }
