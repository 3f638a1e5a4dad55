"""Rooms, who is in them, and the log of what happened there.

The log is the truth: `Entry` documents are inserted once, by `chat.log`, and are numbered 1, 2, 3,
... in each room. Everything else here is a projection of it, brought up to date after the entry
and never before, and carries in `rev` or `projected_seq` the last entry it has seen.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chatservice.mongo.indexes import SparseIndex, TextListIndex
from chatservice.mongo.models import Document
from chatservice.timestamps import now

NAME_LENGTH = 100
DESCRIPTION_LENGTH = 2_000
MESSAGE_LENGTH = 8_000
CLIENT_ID_LENGTH = 64


class RoomQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The rooms that `user` is a member of now."""
        memberships = Membership.objects.filter(user=user, left_at=None)
        return self.filter(deleted_at=None, pk__in=list(memberships.values_list("room", flat=True)))

    def private_chats(self):
        return self.filter(is_group_chat=False)


class Room(Document):
    """A place to talk: a group of any size, or the private chat of two people."""

    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    description = models.CharField(
        _("description"), max_length=DESCRIPTION_LENGTH, blank=True, default=""
    )
    is_group_chat = models.BooleanField(_("group chat"), default=True)
    is_public = models.BooleanField(
        _("public"),
        default=False,
        help_text=_("Everybody with an account finds it in the directory, and may join."),
    )
    # Words of the name and the description, folded (`chat.words`): what the directory looks in.
    name_terms = models.JSONField(null=True, blank=True, editable=False)
    description_terms = models.JSONField(null=True, blank=True, editable=False)
    # "<smaller user id>:<larger user id>" of a private chat, so that each pair of people has one.
    pair = models.CharField(max_length=49, null=True, blank=True, editable=False)  # noqa: DJ001
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)
    rev = models.BigIntegerField(default=0, editable=False)
    last_seq = models.BigIntegerField(_("last entry"), default=0, editable=False)
    last_activity_at = models.DateTimeField(_("last activity"), default=now, editable=False)
    message_count = models.BigIntegerField(_("messages"), default=0, editable=False)
    projected_seq = models.BigIntegerField(default=0, editable=False)

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(
                fields=["pair"], condition=Q(pair__isnull=False), name="chat_room_pair"
            ),
        ]
        indexes = [
            models.Index(fields=["-last_activity_at"], name="chat_room_activity"),
            models.Index(
                fields=["-last_activity_at", "-id"],
                condition=Q(is_public=True),
                name="chat_room_directory",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(Document):
    """That a person is, or was, in a room. Kept after leaving: `rev` must not be forgotten."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MODERATOR = "moderator", _("moderator")
        MEMBER = "member", _("member")

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("room")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="memberships",
        db_index=False,
        verbose_name=_("person"),
    )
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(_("joined at"), default=now, editable=False)
    left_at = models.DateTimeField(_("left at"), null=True, blank=True, editable=False)
    read_seq = models.BigIntegerField(_("read up to"), default=0, editable=False)
    # The ordinal of the last message up to there: unread counts are a subtraction.
    read_number = models.BigIntegerField(default=0, editable=False)
    # The entry by which they came in: who joins has nothing to read, and has seen nothing yet.
    joined_seq = models.BigIntegerField(default=0, editable=False)
    # The member's own wish, and not part of the log: no device tells of news from there.
    muted = models.BooleanField(_("muted"), default=False, editable=False)
    rev = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="chat_membership_room_user"),
        ]
        indexes = [models.Index(fields=["user", "left_at"], name="chat_membership_user")]

    def __str__(self) -> str:
        return f"{self.user} · {self.room}"


class Entry(Document):
    """One thing that happened in a room. Inserting it is the commit; `(room, seq)` is unique."""

    class Kind(models.TextChoices):
        MESSAGE = "message", _("message")
        EDIT = "edit", _("edit")
        DELETE = "delete", _("deletion")
        REACTION = "reaction", _("reaction")
        MEMBER = "member", _("membership change")
        ROOM = "room", _("room change")

    class Via(models.TextChoices):
        REST = "rest", "REST"
        SOCKET = "socket", "Socket.IO"

    room = models.ForeignKey(
        Room, models.CASCADE, related_name="entries", db_index=False, verbose_name=_("room")
    )
    seq = models.BigIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("actor"),
    )
    # The actor's e-mail, which never changes: history is served without looking people up.
    sender = models.EmailField(_("sender"))
    created_at = models.DateTimeField(_("created at"))
    client_id = models.CharField(  # noqa: DJ001
        _("the client's own id"), max_length=CLIENT_ID_LENGTH, null=True, blank=True
    )
    # Protocol 1 announces a message by a different event according to how it came.
    via = models.CharField(  # noqa: DJ001
        _("came by"), max_length=8, choices=Via, null=True, blank=True
    )

    # The present state of a message, a projection of the later entries about it.
    content = models.TextField(_("content"), null=True, blank=True)  # noqa: DJ001
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)
    rev = models.BigIntegerField(null=True, blank=True)
    # Ids (hex) of the files a message shows; who may see the message may fetch them.
    uploads = models.JSONField(null=True, blank=True)
    reply_to = models.BigIntegerField(_("answer to number"), null=True, blank=True)
    # The ordinal among the messages of the room: unread counts are a subtraction.
    number = models.BigIntegerField(null=True, blank=True)
    # Ids (hex) of the members that the text calls, and "all"; not there when it calls nobody.
    mentions = models.JSONField(null=True, blank=True)
    # From each emoji to the ids (hex) of those who reacted with it, the first to do so first.
    reactions = models.JSONField(null=True, blank=True)
    # The words of the text, folded (`chat.words`): what search looks in.
    terms = models.JSONField(null=True, blank=True)

    # What the other kinds say: the target's number, people added and removed, the new name.
    data = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log entries")
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="chat_entry_room_seq"),
            models.UniqueConstraint(
                fields=["room", "actor", "client_id"],
                condition=Q(client_id__isnull=False),
                name="chat_entry_client_id",
            ),
        ]
        indexes = [
            models.Index(fields=["room", "kind", "seq"], name="chat_entry_room_kind_seq"),
            SparseIndex(fields=["uploads"], name="chat_entry_uploads"),
            models.Index(
                fields=["room", "terms", "-id"],
                condition=Q(kind="message"),
                name="chat_entry_terms",
            ),
            TextListIndex(fields=["mentions", "room", "seq", "actor"], name="chat_entry_mentions"),
        ]

    def __str__(self) -> str:
        return f"{self.room_id} #{self.seq}"


class MessageQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(
            room__in=list(Room.objects.visible_to(user).values_list("pk", flat=True))
        )


class MessageManager(models.Manager.from_queryset(MessageQuerySet)):
    def get_queryset(self):
        return super().get_queryset().filter(kind=Entry.Kind.MESSAGE)


class Message(Entry):
    """A log entry that says something: what moderators see of the log."""

    objects = MessageManager()

    class Meta:
        proxy = True
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return (self.content or "")[:60]
