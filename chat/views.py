"""The chat's pages. All of them work without JavaScript; with it, they change by themselves.

A page has three panes: the list of rooms, a conversation (or a form), and its details. `pane` says
which one of them a narrow screen shows.
"""

from typing import Any
from uuid import uuid4

from bson import ObjectId
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.portraits import display_name, hue_of, initial_of
from chatservice.errors import is_api_request
from chatservice.pages import for_people, render_page, take_written
from chatservice.realtime.loop import run
from media_upload import actions as media_actions

from . import actions, policies, reading
from .forms import (
    AddMembersForm,
    ChangeRoomForm,
    EditMessageForm,
    MessageForm,
    MuteForm,
    NewRoomForm,
    PrivateChatForm,
    ReadForm,
    RoleForm,
)
from .log import RoomState
from .models import MESSAGE_LENGTH, Entry, Membership
from .page_texts import page_texts
from .rows import quote_of, rows_of, split_content, words_of

PAGE = 50
"""Messages on a page of history."""

SUGGESTED_PEOPLE = 200
"""People whose names a form completes without a script."""

REACTIONS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👎"]
"""What one may react with on a page without a script; with it, there are all emoji."""

SHOWN_MEMBERS = 200
"""Members that the details of a room list; a room of thousands says how many others there are."""

INVALID, NOT_FOUND = 422, 404


# Reading


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The list of one's rooms; for who is not logged in, what this is."""
    if not request.user.is_authenticated:
        return render_page(request, "index.html")
    return rooms(request)


@for_people
def rooms(request: HttpRequest) -> HttpResponse:
    has_rooms = run(reading.has_rooms(reader(request)))
    return chat_page(request, "chat/no_room.html", {"has_rooms": has_rooms}, pane="rooms")


@require_safe
@for_people
def room(request: HttpRequest, room_id: str) -> HttpResponse:
    """A room with its last messages, or with those before or after a number of its log."""
    return room_page(request, room_id, pane="conversation")


@require_safe
@for_people
def message(request: HttpRequest, room_id: str, seq: str) -> HttpResponse:
    """A room with the message of this number in its place among the others, and marked."""
    return room_page(request, room_id, pane="conversation", around=int(seq))


@require_safe
@for_people
def room_details(request: HttpRequest, room_id: str) -> HttpResponse:
    """The same page; a narrow screen shows who is in the room and what can be done about it."""
    return room_page(request, room_id, pane="details")


def room_page(
    request: HttpRequest,
    room_id: str,
    *,
    pane: str,
    around: int | None = None,
    form: MessageForm | None = None,
    change_form: ChangeRoomForm | None = None,
    members_form: AddMembersForm | None = None,
) -> HttpResponse:
    person = reader(request)
    # The number first: what is stored while the rest is read is then seen twice, and not missed.
    try:
        view = run(reading.room(person, ObjectId(room_id)))
    except policies.RoomNotFound:
        if is_api_request(request):
            raise
        return chat_page(request, "chat/not_found.html", pane="conversation", status=NOT_FOUND)
    history = run(
        reading.history(
            person,
            ObjectId(room_id),
            before=number_in(request, "before"),
            after=number_in(request, "after"),
            around=around,
            limit=2 * PAGE if around else PAGE,
        )
    )
    reply_to = number_in(request, "reply_to")
    answered = run(reading.message_at(person, ObjectId(room_id), reply_to)) if reply_to else None
    forms = [each for each in (form, change_form, members_form) if each is not None]
    about = described(person, view)
    mine = view.room["membership"]
    first_new = run(
        reading.first_unread(person, ObjectId(room_id), history, read_seq=mine["read_seq"])
    )
    rows = rows_of(history.entries, history.people, person, history.quoted, first_new)
    if around and all(row.seq != around for row in rows):
        messages.warning(request, _("There is no such message in this room."))
    context = {
        **about,
        "target": around,
        # Not with every page of a room: there may be thousands to choose from.
        "known_people": known_people(person) if pane == "details" else [],
        "rows": rows,
        "first_new": first_new,
        "news_above": history.count_after(mine["read_number"])
        if first_new is not None and first_new < rows[0].seq
        else 0,
        "reply": quote_of(*answered) if answered else None,
        "older": history.older,
        "newer": history.newer,
        "client_id": uuid4(),
        "form": form or MessageForm(initial={"content": take_written(request)}),
        "change_form": change_form
        or ChangeRoomForm(
            initial={
                "name": view.room["name"],
                "description": view.room["description"],
                "is_public": view.room.get("is_public", False),
            },
            may_publish=about["can_publish"],
        ),
        "members_form": members_form or AddMembersForm(),
        "max_length": MESSAGE_LENGTH,
    }
    status = INVALID if any(each.errors for each in forms) else 200
    return chat_page(request, "chat/room.html", context, pane=pane, status=status)


def state_of(view: reading.RoomView) -> RoomState:
    """What policies go by, as far as the page knows it."""
    return RoomState(
        view.room["_id"],
        is_group_chat=view.room["is_group_chat"],
        members={member.person.pk: member.membership["role"] for member in view.members},
    )


def described(person: User, view: reading.RoomView) -> dict[str, Any]:
    """What the page says of a room, and which of its buttons there are."""
    room = view.room
    state = state_of(view)
    others = [member.person for member in view.members if member.person.pk != person.pk]
    is_private = not room["is_group_chat"]
    members = run(reading.members(person, room["_id"]))
    shown = members[:SHOWN_MEMBERS]
    return {
        "room": {
            "id": str(room["_id"]),
            "name": display_name(others[0]) if is_private and others else room["name"],
            "description": room["description"],
            "is_private": is_private,
            "is_public": room.get("is_public", False),
            "muted": room["membership"].get("muted", False),
            "other": others[0] if is_private and others else None,
            "last_seq": view.last_seq,
            "hue": hue_of(others[0].pk if is_private and others else room["_id"]),
            "initial": initial_of(display_name(others[0])) if is_private and others else "",
        },
        "members": [
            {
                "person": member.person,
                "id": str(member.person.pk),
                "name": display_name(member.person),
                "initial": initial_of(display_name(member.person)),
                "hue": hue_of(member.person.pk),
                "role": member.membership["role"],
                "is_online": member.is_online,
                "seen_seq": member.seen_seq,
                "is_me": member.person.pk == person.pk,
                "can_remove": member.person.pk != person.pk
                and policies.can_remove_member(person, state, member.person.pk),
            }
            for member in shown
        ],
        "member_count": len(members),
        "more_members": len(members) - len(shown),
        "can_change": policies.can_change_room(person, state),
        "can_publish": policies.can_publish_room(person, state),
        "can_close": policies.can_delete_room(person, state),
        "can_change_roles": policies.can_change_role(person, state),
        "roles": Membership.Role.choices,
        "can_add": policies.can_add_members(person, state),
        "can_leave": policies.can_remove_member(person, state, person.pk),
        "is_only_owner": policies.is_only_owner(person, state),
        "can_moderate": policies.can_moderate_room(person, state),
    }


def known_people(person: User) -> list[User]:
    """Whom a form may complete: some of those who share a room with the person."""
    return run(reading.acquaintances(person, limit=SUGGESTED_PEOPLE))


def chat_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    pane: str,
    status: int = 200,
) -> HttpResponse:
    """A page with the list of rooms beside it."""
    person = reader(request)
    context = {
        "rooms": [listed(each) for each in shown_rooms(request, person)],
        "pane": pane,
        "me": {"id": str(person.pk), "name": display_name(person), "hue": hue_of(person.pk)},
        "my_initial": initial_of(display_name(person)),
        "texts": page_texts(),
        **(context or {}),
    }
    return render_page(request, template, context, status=status)


def shown_rooms(request: HttpRequest, person: User) -> list[reading.ListedRoom]:
    """The list beside the page; a script that puts another page in place keeps the one it has."""
    if request.headers.get("X-Part") == "stage":
        return []
    return run(reading.room_list(person))


def listed(item: reading.ListedRoom) -> dict[str, Any]:
    """A room in the list."""
    room, message = item.room, item.last_message
    name = display_name(item.other) if item.other else room["name"]
    preview = words_of(message) if message is not None else ""
    return {
        "id": str(room["_id"]),
        "name": name,
        "initial": initial_of(name),
        "hue": hue_of(item.other.pk if item.other else room["_id"]),
        "is_private": not room["is_group_chat"],
        "other": item.other,
        "last_seq": item.last_seq,
        "last_message_seq": (message or {}).get("seq", 0),
        "read_seq": room["membership"]["read_seq"],
        "at": message["created_at"] if message else room["last_activity_at"],
        "sender": display_name(item.last_sender) if message and not item.other else "",
        "is_online": item.is_online,
        "preview": preview,
        "unread": item.unread.messages,
        "unread_mentions": item.unread.mentions,
        "muted": room["membership"].get("muted", False),
    }


def number_in(request: HttpRequest, name: str) -> int | None:
    """A number of the log in the query string; None for whatever else somebody wrote there."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def reader(request: HttpRequest) -> User:
    """The person who asks, of a page that is `for_people`."""
    assert isinstance(request.user, User)
    return request.user


def room_url(room_id: object) -> str:
    return reverse("rooms:room", args=[str(room_id)])


# Messages


@require_POST
@for_people
def post_message(request: HttpRequest, room_id: str) -> HttpResponse:
    """Say something, with a file or without."""
    person = reader(request)
    form = MessageForm(request.POST, request.FILES)
    if form.is_valid():
        fields = form.cleaned_data
        # Browsers send a text's line ends as CR LF; what is stored is what was typed.
        content = fields["content"].replace("\r\n", "\n")
        try:
            # Before anything is stored: a file that nobody gets to see would stay for ever.
            run(reading.require_room(person, ObjectId(room_id)))
            if fields["file"]:
                upload = media_actions.store_upload(actor=person, file=fields["file"])
                content = f"{content}\n{upload.file_url}" if content.strip() else upload.file_url
            posted = run(
                actions.post_message(
                    actor=person,
                    room_id=ObjectId(room_id),
                    content=content,
                    client_id=fields["client_id"] or None,
                    reply_to=fields["reply_to"],
                    via=Entry.Via.REST,
                )
            )
            # Who answers has read; without a script, nothing else would say so.
            run(actions.mark_read(actor=person, room_id=ObjectId(room_id), seq=posted.entry["seq"]))
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        else:
            return redirect(room_url(room_id))
    return room_page(request, room_id, pane="conversation", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def edit_message(request: HttpRequest, room_id: str, message_id: str) -> HttpResponse:
    """Edit a message of one's own, or delete it."""
    person = reader(request)
    ids = {"room_id": ObjectId(room_id), "message_id": ObjectId(message_id)}
    message = run(reading.message(person, *ids.values()))
    # The links to its files are not text, and stay.
    text, files = split_content(message.get("content") or "", message.get("uploads") or [])
    form = EditMessageForm(request.POST or None, initial={"content": take_written(request) or text})
    form.fields["content"].required = not files
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["content"].replace("\r\n", "\n")
        content = "\n".join([*filter(str.strip, [text]), *(file.url for file in files)])
        try:
            run(actions.edit_message(actor=person, content=content, **ids))
        except ValidationError as error:
            form.add_error(None, ValidationError(error.messages))
        except policies.MessageNotFound:
            problem = _("The message was deleted meanwhile. What you wrote is here, to be copied.")
            form.add_error(None, problem)
        else:
            return redirect(room_url(room_id))
    is_there = not message.get("deleted_at")
    view = run(reading.room(person, ids["room_id"]))
    context = {
        **described(person, view),
        "form": form,
        "message_id": message_id,
        "choices": REACTIONS if is_there else [],
        "can_delete": is_there and policies.can_delete_message(person, state_of(view), message),
        # Of what is deleted meanwhile, the text that was to be in its place must not be lost.
        "can_edit": policies.can_edit_message(person, message) and (is_there or form.errors),
    }
    status = INVALID if form.errors else 200
    return chat_page(request, "chat/edit_message.html", context, pane="conversation", status=status)


@require_POST
@for_people
def react(request: HttpRequest, room_id: str, message_id: str) -> HttpResponse:
    """React to a message with an emoji; who does so already takes it back."""
    person = reader(request)
    message = run(reading.message(person, ObjectId(room_id), ObjectId(message_id)))
    emoji = request.POST.get("emoji", "")
    reacting = (message.get("reactions") or {}).get(emoji, [])
    run(
        actions.react(
            actor=person,
            room_id=ObjectId(room_id),
            target=message["seq"],
            emoji=emoji,
            on=str(person.pk) not in reacting,
        )
    )
    return redirect("rooms:message", room_id, message["seq"])


@require_POST
@for_people
def delete_message(request: HttpRequest, room_id: str, message_id: str) -> HttpResponse:
    run(
        actions.delete_message(
            actor=reader(request), room_id=ObjectId(room_id), message_id=ObjectId(message_id)
        )
    )
    return redirect(room_url(room_id))


# Rooms


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def new_room(request: HttpRequest) -> HttpResponse:
    """Make a room, with people or without."""
    form = NewRoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = run(actions.create_room(actor=reader(request), **form.cleaned_data))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(room_url(opened.room_id))
    return new_room_page(request, room_form=form)


@require_POST
@for_people
def open_private_chat(request: HttpRequest) -> HttpResponse:
    """Go to the private chat with somebody, which is made if there is none."""
    form = PrivateChatForm(request.POST)
    if form.is_valid():
        named = [form.cleaned_data["user"].strip()]
        try:
            opened = run(actions.open_private_chat(actor=reader(request), members=named))
        except ValidationError as error:
            form.add_error("user", ValidationError(error.messages))
        else:
            return redirect(room_url(opened.room_id))
    return new_room_page(request, private_form=form)


def new_room_page(
    request: HttpRequest,
    room_form: NewRoomForm | None = None,
    private_form: PrivateChatForm | None = None,
) -> HttpResponse:
    forms = [private_form or PrivateChatForm(), room_form or NewRoomForm()]
    mistaken = [form.fields[name] for form in forms for name in form.fields if name in form.errors]
    first = next(iter(mistaken), forms[0].fields["user"])
    first.widget.attrs["autofocus"] = True
    context = {
        "private_form": forms[0],
        "room_form": forms[1],
        "known_people": known_people(reader(request)),
    }
    status = INVALID if mistaken else 200
    return chat_page(request, "chat/new_room.html", context, pane="conversation", status=status)


@require_POST
@for_people
def change_room(request: HttpRequest, room_id: str) -> HttpResponse:
    """Rename, describe or publish a room; what has not changed is not announced."""
    person = reader(request)
    view = run(reading.room(person, ObjectId(room_id)))
    form = ChangeRoomForm(request.POST, may_publish=described(person, view)["can_publish"])
    if form.is_valid():
        fields = {
            name: value.replace("\r\n", "\n") if isinstance(value, str) else value
            for name, value in form.cleaned_data.items()
        }
        old = {"is_public": False, **view.room}
        changes = {name: value for name, value in fields.items() if value != old[name]}
        try:
            if changes:
                run(actions.change_room(actor=person, room_id=ObjectId(room_id), **changes))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("rooms:details", room_id)
    return room_page(request, room_id, pane="details", change_form=form)


@require_POST
@for_people
def add_members(request: HttpRequest, room_id: str) -> HttpResponse:
    form = AddMembersForm(request.POST)
    if form.is_valid():
        people = form.cleaned_data["members"]
        try:
            run(
                actions.add_members(actor=reader(request), room_id=ObjectId(room_id), people=people)
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("rooms:details", room_id)
    return room_page(request, room_id, pane="details", members_form=form)


@require_POST
@for_people
def remove_member(request: HttpRequest, room_id: str, member_id: str) -> HttpResponse:
    run(
        actions.remove_member(
            actor=reader(request), room_id=ObjectId(room_id), member_id=ObjectId(member_id)
        )
    )
    return redirect("rooms:details", room_id)


@require_POST
@for_people
def change_role(request: HttpRequest, room_id: str, member_id: str) -> HttpResponse:
    """Make a member an owner, a moderator, or neither."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise ValidationError(form.errors["role"])
    run(
        actions.change_role(
            actor=reader(request),
            room_id=ObjectId(room_id),
            member_id=ObjectId(member_id),
            role=form.cleaned_data["role"],
        )
    )
    return redirect("rooms:details", room_id)


@require_POST
@for_people
def mark_read(request: HttpRequest, room_id: str) -> HttpResponse:
    """Note how far a room has been read, for a page without a script, which cannot see that."""
    form = ReadForm(request.POST)
    if not form.is_valid():
        raise ValidationError(form.errors["seq"])
    seq = form.cleaned_data["seq"]
    run(actions.mark_read(actor=reader(request), room_id=ObjectId(room_id), seq=seq))
    return redirect(room_url(room_id))


@require_POST
@for_people
def mute_room(request: HttpRequest, room_id: str) -> HttpResponse:
    """Hear of a room no more, or again."""
    form = MuteForm(request.POST)
    form.is_valid()
    muted = form.cleaned_data["muted"]
    run(actions.mute_room(actor=reader(request), room_id=ObjectId(room_id), muted=muted))
    return redirect("rooms:details", room_id)


@require_POST
@for_people
def close_room(request: HttpRequest, room_id: str) -> HttpResponse:
    """Close a room for everybody in it."""
    room = run(reading.require_room(reader(request), ObjectId(room_id)))
    run(actions.delete_room(actor=reader(request), room_id=ObjectId(room_id)))
    messages.success(request, _("The room is closed: %(name)s") % {"name": room["name"]})
    return redirect("index")


@require_POST
@for_people
def leave_room(request: HttpRequest, room_id: str) -> HttpResponse:
    room = run(reading.require_room(reader(request), ObjectId(room_id)))
    run(actions.leave_room(actor=reader(request), room_id=ObjectId(room_id)))
    messages.success(request, _("You have left the room: %(name)s") % {"name": room["name"]})
    return redirect("index")
