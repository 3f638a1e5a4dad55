"""Wire shapes of the REST API: what comes in, what goes out. No logic and no queries."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from chatservice.text import PlainTextField
from chatservice.timestamps import to_wire

from . import events, words
from .events import Payload
from .models import (
    CLIENT_ID_LENGTH,
    DESCRIPTION_LENGTH,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    Entry,
    Membership,
)
from .reading import Directory, Hits, MemberView, PrivateChatView, RoomView

MAX_PAGE = 1_000
"""Messages or entries in one page."""

MAX_FOUND = 100
"""Messages in one page of a search, or rooms in one of the directory."""

QUERY_LENGTH = 200

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
    is_public = serializers.BooleanField(
        required=False,
        default=False,
        help_text=_("Whether everybody finds it in the directory and may join."),
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
    is_public = serializers.BooleanField(
        required=False,
        help_text=_("Whether everybody finds it and may join. Only an owner may change it."),
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


class ChangeMembership(serializers.Serializer):
    muted = serializers.BooleanField(
        help_text=_("Whether your devices should keep quiet about the room.")
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
    around = serializers.IntegerField(
        min_value=0,
        max_value=MAX_SEQ,
        required=False,
        help_text=_("A `seq` in the middle of the page; not with the other two."),
    )
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MAX_PAGE,
        required=False,
        help_text=_(
            "At most so many: the newest of them, or with `after` the oldest. 50 with `around`."
        ),
    )

    def validate(self, attrs):
        if "around" in attrs:
            if "before" in attrs or "after" in attrs:
                problem = _("Not together with `before` or `after`.")
                raise serializers.ValidationError({"around": [problem]})
            attrs.setdefault("limit", 50)
        return attrs


class LastMessages(serializers.Serializer):
    """Query parameter of a room: how many of its messages to include."""

    messages = serializers.IntegerField(
        min_value=0, max_value=MAX_PAGE, required=False, default=None, allow_null=True
    )


class FoundPage(serializers.Serializer):
    """Query parameters of the search."""

    q = PlainTextField(
        max_length=QUERY_LENGTH,
        help_text=_("Words that a message must have; the last may be the beginning of one."),
    )
    room = serializers.CharField(
        required=False, max_length=24, help_text=_("The one room to look in.")
    )
    before = serializers.RegexField(
        "^[0-9a-fA-F]{24}$", required=False, help_text=_("The `next` of the page before.")
    )
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MAX_FOUND,
        required=False,
        default=20,
        help_text=_("At most so many."),
    )


class DirectoryPage(serializers.Serializer):
    """Query parameters of the directory of public rooms."""

    q = PlainTextField(
        max_length=QUERY_LENGTH,
        min_length=0,
        required=False,
        default="",
        help_text=_("Words of names or descriptions; the last may be the beginning of one."),
    )
    after = serializers.RegexField(
        r"^\d{1,15}-[0-9a-f]{24}$", required=False, help_text=_("The `next` of the page before.")
    )
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MAX_FOUND,
        required=False,
        default=50,
        help_text=_("At most so many."),
    )


class PeopleQuery(serializers.Serializer):
    """Query parameter of the completion of people's names."""

    q = PlainTextField(
        max_length=254, min_length=0, help_text=_("The beginning of a name, or a whole one.")
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
    mentions = serializers.ListField(
        child=serializers.CharField(), help_text=_("User ids of the members that it calls.")
    )
    mentions_all = serializers.BooleanField(help_text=_("Whether it calls everybody."))
    reactions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text=_("User ids by emoji, in the order in which people reacted."),
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
    is_public = serializers.BooleanField(help_text=_("Whether everybody may join it."))
    created_at = serializers.DateTimeField(help_text=_("When it was made."))
    last_seq = serializers.IntegerField(help_text=_("The number of the log's last entry."))
    last_activity_at = serializers.DateTimeField(help_text=_("When that entry was stored."))
    role = serializers.ChoiceField(
        choices=Membership.Role.choices, help_text=_("What you are in it.")
    )
    read_seq = serializers.IntegerField(help_text=_("The number up to which you have read it."))
    unread = serializers.IntegerField(help_text=_("Messages after that."))
    unread_count = serializers.IntegerField(help_text=_("The same as `unread`."))
    unread_mentions = serializers.IntegerField(help_text=_("Those of them that call you."))
    muted = serializers.BooleanField(help_text=_("Whether you want to hear nothing of it."))


class Room(RoomSummary):
    messages = Message(many=True, help_text=_("Oldest first; `messages=N` gives the last N."))


class PrivateChat(serializers.Serializer):
    id = serializers.CharField(help_text=_("24 hex digits; a room like any other."))
    other_user_email = serializers.EmailField(help_text=_("The other one of you two."))
    is_online = serializers.BooleanField(help_text=_("Whether any device of theirs is connected."))
    avatar_url = serializers.CharField(
        allow_null=True, help_text=_("Where their picture is; null without one.")
    )


class Member(serializers.Serializer):
    id = serializers.CharField(help_text=_("The user id."))
    email = serializers.EmailField(help_text=_("The e-mail address."))
    username = serializers.CharField(help_text=_("The user name."))
    full_name = serializers.CharField(help_text=_("The full name; may be empty."))
    avatar_url = serializers.CharField(
        allow_null=True, help_text=_("Where their picture is; null without one.")
    )
    role = serializers.ChoiceField(
        choices=Membership.Role.choices, help_text=_("What the member may do.")
    )
    joined_at = serializers.DateTimeField(help_text=_("Since when."))
    read_seq = serializers.IntegerField(
        help_text=_(
            "The number up to which the member has read the room; 0 if nothing since they joined."
        )
    )
    is_online = serializers.BooleanField(help_text=_("Whether any device is connected."))


class Muted(serializers.Serializer):
    room_id = serializers.CharField(help_text=_("The room."))
    muted = serializers.BooleanField(help_text=_("Whether your devices keep quiet about it."))


class FoundMessage(Message):
    room_name = serializers.CharField(help_text=_("What the room is called."))
    highlights = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text=_("Start and end of each place in `content`, in UTF-16 code units."),
    )


class Found(serializers.Serializer):
    results = FoundMessage(many=True, help_text=_("The newest first."))
    more = serializers.BooleanField(help_text=_("Whether there are older ones."))
    next = serializers.CharField(allow_null=True, help_text=_("For `before`, if there are more."))


class PublicRoom(serializers.Serializer):
    id = serializers.CharField(help_text=_("24 hex digits."))
    name = serializers.CharField(help_text=_("What it is called."))
    description = serializers.CharField(help_text=_("What it is about; may be empty."))
    member_count = serializers.IntegerField(help_text=_("How many people are in it."))
    is_member = serializers.BooleanField(help_text=_("Whether you are one of them."))
    last_activity_at = serializers.DateTimeField(help_text=_("When something last happened there."))


class PublicRooms(serializers.Serializer):
    results = PublicRoom(many=True, help_text=_("The most recently active first."))
    more = serializers.BooleanField(help_text=_("Whether there are others."))
    next = serializers.CharField(allow_null=True, help_text=_("For `after`, if there are more."))


class FoundPerson(serializers.Serializer):
    id = serializers.CharField(help_text=_("The user id."))
    email = serializers.EmailField(help_text=_("The e-mail address."))
    username = serializers.CharField(help_text=_("The user name."))
    full_name = serializers.CharField(help_text=_("The full name; may be empty."))


def room_summary(view: RoomView) -> Payload:
    room = view.room
    return {
        "id": str(room["_id"]),
        "name": room["name"],
        "description": room["description"],
        "members": [member.person.email for member in view.members],
        "is_group_chat": room["is_group_chat"],
        "is_public": room.get("is_public", False),
        "created_at": to_wire(room["created_at"]),
        "last_seq": view.last_seq,
        "last_activity_at": to_wire(room["last_activity_at"]),
        "role": room["membership"]["role"],
        "read_seq": room["membership"]["read_seq"],
        "unread": view.unread.messages,
        "unread_count": view.unread.messages,
        "unread_mentions": view.unread.mentions,
        "muted": room["membership"].get("muted", False),
    }


def private_chat(chat: PrivateChatView) -> Payload:
    return {
        "id": str(chat.room["_id"]),
        "other_user_email": chat.other.email,
        "is_online": chat.is_online,
        "avatar_url": chat.other.avatar_url,
    }


def member(view: MemberView) -> Payload:
    return {
        "id": str(view.person.pk),
        "email": view.person.email,
        "username": view.person.username,
        "full_name": view.person.full_name,
        "avatar_url": view.person.avatar_url,
        "role": view.membership["role"],
        "joined_at": to_wire(view.membership["joined_at"]),
        "read_seq": view.seen_seq,
        "is_online": view.is_online,
    }


def found(page: Hits) -> Payload:
    results = [
        {
            **events.message(hit.message),
            "room_name": hit.room["name"],
            "highlights": words.in_utf_16(hit.message["content"], hit.highlights),
        }
        for hit in page.hits
    ]
    return {"results": results, "more": page.more, "next": page.next}


def public_rooms(page: Directory) -> Payload:
    results = [
        {
            "id": str(view.room["_id"]),
            "name": view.room["name"],
            "description": view.room["description"],
            "member_count": view.room["member_count"],
            "is_member": view.is_member,
            "last_activity_at": to_wire(view.room["last_activity_at"]),
        }
        for view in page.rooms
    ]
    return {"results": results, "more": page.next is not None, "next": page.next}


def found_person(person: User) -> Payload:
    return {
        "id": str(person.pk),
        "email": person.email,
        "username": person.username,
        "full_name": person.full_name,
    }
