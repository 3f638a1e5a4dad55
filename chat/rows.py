"""The lines of a conversation, as the pages show the log's entries.

`static/js/models/rows.js` does the same for messages that arrive live; what differs by reader or
by time zone is decided in the browser alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from bson import ObjectId
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.portraits import display_name, hue_of, initial_of
from chatservice.languages import digits
from media_upload.models import Upload

from .formatting import formatted, plain
from .hot_path import MESSAGE, Document
from .mentions import ALL
from .models import Entry, Membership
from .reading import NAMED_WITH_REACTION

GROUPING = timedelta(minutes=5)
"""Messages of one person that follow each other so closely show their name once."""

NAMED_PEOPLE = 5
"""Names that a notice lists before it counts the others."""

ONE_LINE = 120
"""Characters of a message where there is but one line for it."""

FILE_LINE = re.compile(r"^/media/([0-9a-f]{24})/(\S+)$", re.MULTILINE)
IMAGE_NAME = re.compile(r"\.(png|jpe?g|gif|webp|avif|bmp)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    url: str
    name: str

    @property
    def is_image(self) -> bool:
        return bool(IMAGE_NAME.search(self.name))


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji under a message, and who reacts with it."""

    emoji: str
    people: Sequence[str]
    names: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What is shown of a message above an answer to it."""

    seq: int
    name: str
    words: str


@dataclass(slots=True)
class Row:
    """One line: a message, or (`notice`) what happened to the room."""

    seq: int
    at: datetime
    sender_id: str
    sender: str
    """Their e-mail address."""
    name: str
    avatar_url: str | None = None
    notice: str = ""
    id: str = ""
    rev: int = 0
    client_id: str = ""
    text: str = ""
    """As it was written, but for the links to its files, to be edited."""
    html: SafeString | None = None
    files: Sequence[Attachment] = field(default_factory=list)
    reactions: Sequence[Reaction] = field(default_factory=list)
    reply_to: int | None = None
    quote: Quote | None = None
    is_to_me: bool = False
    is_edited: bool = False
    is_deleted: bool = False
    is_mine: bool = False
    is_continued: bool = False
    starts_day: bool = False
    is_first_new: bool = False

    @property
    def initial(self) -> str:
        return initial_of(self.name)

    @property
    def hue(self) -> int:
        return hue_of(self.sender_id)


def isolated(name: str) -> str:
    """A name that keeps its direction to itself, in the middle of a sentence."""
    return f"\u2068{name}\u2069"


def rows_of(
    entries: Sequence[Document],
    people: Mapping[ObjectId, User],
    reader: User,
    quoted: Mapping[int, Document] | None = None,
    first_new: int | None = None,
) -> list[Row]:
    """The lines of entries that follow each other, the oldest first.

    `quoted` has the messages that are answered, by number. `first_new` is the number of the first
    message that the reader has not read: a line stands above it, so it says again whose it is.
    """
    names = _names_of_unlinked_uploads(entries)
    rows: list[Row] = []
    for entry in entries:
        row = _row(entry, people, reader, names)
        if (answered := (quoted or {}).get(row.reply_to or 0)) is not None:
            row.quote = quote_of(answered, people)
        before = rows[-1] if rows else None
        row.starts_day = before is None or before.at.date() != row.at.date()
        row.is_first_new = row.seq == first_new
        row.is_continued = (
            before is not None
            and not (row.starts_day or row.is_first_new)
            and not (row.notice or before.notice or row.reply_to)
            and before.sender_id == row.sender_id
            and row.at - before.at < GROUPING
        )
        rows.append(row)
    return rows


def _row(
    entry: Document,
    people: Mapping[ObjectId, User],
    reader: User,
    names: Mapping[str, str],
) -> Row:
    row = Row(
        seq=entry["seq"],
        at=entry["created_at"],
        sender_id=str(entry["actor_id"]),
        sender=entry["sender"],
        name=display_name(people.get(entry["actor_id"]), entry["sender"]),
    )
    if entry["kind"] != MESSAGE:
        row.notice = notice_of(entry, people)
        return row
    if author := people.get(entry["actor_id"]):
        row.avatar_url = author.avatar_url
        row.sender = author.email
    row.id = str(entry["_id"])
    row.rev = entry["rev"]
    row.client_id = entry.get("client_id") or ""
    row.is_mine = entry["actor_id"] == reader.pk
    row.is_edited = entry.get("edited_at") is not None
    row.is_deleted = entry.get("deleted_at") is not None
    row.reply_to = entry.get("reply_to")
    if row.is_deleted:
        return row
    content, uploads = entry.get("content") or "", entry.get("uploads") or []
    row.text, row.files = split_content(content, uploads, names)
    mentions = entry.get("mentions") or []
    row.html = formatted(row.text, _names_of_mentioned(mentions, people)) if row.text else None
    row.is_to_me = not row.is_mine and not {str(reader.pk), ALL}.isdisjoint(mentions)
    row.reactions = [
        Reaction(emoji, ids, _names_of(ids, people), str(reader.pk) in ids)
        for emoji, ids in (entry.get("reactions") or {}).items()
        if ids
    ]
    return row


def _names_of_mentioned(mentions: Sequence[str], people: Mapping[ObjectId, User]) -> list[str]:
    ids = (ObjectId(user_id) for user_id in mentions if user_id != ALL)
    names = [people[user_id].username for user_id in ids if user_id in people]
    return [*names, ALL] if ALL in mentions else names


def _names_of(ids: Sequence[str], people: Mapping[ObjectId, User]) -> str:
    """Who reacts, in one line; those who are too many, or known no more, as a number."""
    known = [people[pk] for user_id in ids if (pk := ObjectId(user_id)) in people]
    names = [isolated(display_name(person)) for person in known[:NAMED_WITH_REACTION]]
    if more := len(ids) - len(names):
        names.append(others(more))
    return _(", ").join(names)


def quote_of(message: Document, people: Mapping[ObjectId, User]) -> Quote:
    name = display_name(people.get(message["actor_id"]), message["sender"])
    return Quote(message["seq"], name, words_of(message))


def words_of(message: Document) -> str:
    """What a message says in one line, without formatting; of files alone, their names."""
    if message.get("deleted_at"):
        return _("This message was deleted.")
    text, files = split_content(message.get("content") or "", message.get("uploads") or [])
    words = " ".join(plain(text).split())[:ONE_LINE]
    return words or _(", ").join(isolated(file.name) for file in files)


def split_content(
    content: str, uploads: Sequence[str], names: Mapping[str, str] | None = None
) -> tuple[str, list[Attachment]]:
    """A message's text and the files it shows: the lines that are links to its own uploads.

    `names` has the names of uploads that no line links to. A link to a file that the message does
    not show stays a text: nobody but its owner could open it.
    """
    files = []
    linked = set()

    def take(line: re.Match[str]) -> str:
        if line[1] not in uploads:
            return line[0]
        linked.add(line[1])
        files.append(Attachment(line[0], unquote(line[2])))
        return ""

    text = FILE_LINE.sub(take, content).strip("\n") if uploads else content
    for upload_id in uploads:
        if upload_id not in linked and (name := (names or {}).get(upload_id)):
            files.append(Attachment(f"/media/{upload_id}/{quote(name, safe='')}", name))
    return text, files


def _names_of_unlinked_uploads(entries: Sequence[Document]) -> dict[str, str]:
    unlinked = {
        upload_id
        for entry in entries
        for upload_id in entry.get("uploads") or []
        if f"/media/{upload_id}/" not in (entry.get("content") or "")
    }
    if not unlinked:
        return {}
    found = Upload.objects.filter(pk__in=[ObjectId(text) for text in unlinked])
    return {str(pk): name for pk, name in found.values_list("pk", "name")}


def notice_of(entry: Document, people: Mapping[ObjectId, User]) -> str:
    """What happened to the room or its members, as a sentence."""
    data: dict[str, Any] = entry.get("data") or {}
    words = {"actor": isolated(display_name(people.get(entry["actor_id"]), entry["sender"]))}
    if entry["kind"] == Entry.Kind.ROOM.value:
        if data.get("created"):
            if data.get("is_group_chat") is False:
                return _("%(actor)s started this private chat.") % words
            return _("%(actor)s made the room.") % words
        if data.get("deleted"):
            return _("%(actor)s closed the room.") % words
        if data.get("name") is not None:
            words["name"] = isolated(data["name"])
            return _("%(actor)s renamed the room: %(name)s") % words
        if data.get("description") is None and "is_public" in data:
            if data["is_public"]:
                return _("%(actor)s made the room public.") % words
            return _("%(actor)s made the room no longer public.") % words
        return _("%(actor)s changed the description.") % words
    return _membership_notice(entry, data, people, words)


def _membership_notice(
    entry: Document, data: dict[str, Any], people: Mapping[ObjectId, User], words: dict[str, str]
) -> str:
    actor_id = str(entry["actor_id"])
    added = [person for person in data.get("added", []) if person["id"] != actor_id]
    removed = data.get("removed", [])
    if removed:
        if [person["id"] for person in removed] == [actor_id]:
            return _("%(actor)s left the room.") % words
        words["people"] = _listed(removed, people)
        return _("%(actor)s removed %(people)s.") % words
    if not added:
        return _("%(actor)s joined the room.") % words
    words["people"] = _listed(added, people)
    roles = {person.get("role") for person in added}
    if roles == {Membership.Role.MODERATOR.value}:
        return _("%(actor)s made %(people)s a moderator.") % words
    if roles == {Membership.Role.OWNER.value}:
        return _("%(actor)s made %(people)s an owner.") % words
    return _("%(actor)s added %(people)s.") % words


def _listed(named: Sequence[dict[str, str]], people: Mapping[ObjectId, User]) -> str:
    names = [
        isolated(display_name(people.get(ObjectId(person["id"])), person["username"]))
        for person in named[:NAMED_PEOPLE]
    ]
    if more := len(named) - len(names):
        names.append(others(more))
    return _(", ").join(names)


def others(number: int) -> str:
    return ngettext("%(count)s other", "%(count)s others", number) % {"count": digits(number)}
