"""The pages on which people find things: public rooms to join, and what was said.

Forms and links only: each page is complete without JavaScript.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from chatservice import limits
from chatservice.pages import for_people
from chatservice.realtime.loop import run

from . import actions, hot_path, reading
from .formatting import plain
from .forms import SearchForm
from .rows import display_name, hue_of, split_content
from .views import INVALID, chat_page, reader, room_url
from .words import highlights, queries_of

FOUND = 20
"""Hits on one page."""

LISTED = 30
"""Public rooms on one page."""

BEFORE_HIT, EXCERPT = 60, 300
"""Characters of a message that are shown before its first hit, and in all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an excerpt; `is_hit` if it is what was looked for."""

    text: str
    is_hit: bool = False


@require_safe
@for_people
def directory(request: HttpRequest) -> HttpResponse:
    """Rooms that everybody may join, the most recently active first."""
    person = reader(request)
    limits.take(limits.LOOK_UPS, person.pk)
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    page = run(reading.public_rooms(person, text, after=request.GET.get("after"), limit=LISTED))
    context: dict[str, Any] = {
        "form": form,
        "public_rooms": [
            {
                "id": str(view.room["_id"]),
                "name": view.room["name"],
                "description": view.room["description"],
                "hue": hue_of(view.room["_id"]),
                "member_count": view.room["member_count"],
                "is_member": view.is_member,
            }
            for view in page.rooms
        ],
        "next": page.next and urlencode({"q": text, "after": page.next}),
    }
    status = INVALID if form.errors else 200
    return chat_page(request, "chat/directory.html", context, pane="conversation", status=status)


@require_POST
@for_people
def join(request: HttpRequest, room_id: str) -> HttpResponse:
    """Go into a public room, and see it."""
    run(actions.join_room(actor=reader(request), room_id=ObjectId(room_id)))
    return redirect(room_url(room_id))


@require_safe
@for_people
def search(request: HttpRequest) -> HttpResponse:
    """Messages with the words that somebody looks for, marked, each a link to its place."""
    person = reader(request)
    form = SearchForm(request.GET)
    room_id = hot_path.parse_id(request.GET.get("room"))
    text = form.cleaned_data["q"] if form.is_valid() else ""
    page = reading.Hits([], {}, more=False)
    room = run(reading.require_room(person, room_id)) if room_id else None
    if text:
        limits.take(limits.LOOK_UPS, person.pk)
        before = hot_path.parse_id(request.GET.get("before"))
        try:
            page = run(reading.search(person, text, room_id=room_id, before=before, limit=FOUND))
        except ValidationError as error:
            form.add_error("q", ValidationError(error.messages))
    here = {"room": str(room_id)} if room_id else {}
    context: dict[str, Any] = {
        "form": form,
        "q": text,
        "searched": room,
        "hits": [described_hit(hit, page, text) for hit in page.hits],
        "next": page.next and urlencode({"q": text, **here, "before": page.next}),
    }
    status = INVALID if form.errors else 200
    return chat_page(request, "chat/search.html", context, pane="conversation", status=status)


def described_hit(hit: reading.Hit, page: reading.Hits, looked_for: str) -> dict[str, Any]:
    message = hit.message
    return {
        "room_id": str(message["room_id"]),
        "room_name": hit.room["name"],
        "seq": message["seq"],
        "sender": display_name(page.people.get(message["actor_id"]), message["sender"]),
        "hue": hue_of(message["actor_id"]),
        "at": message["created_at"],
        "parts": excerpt(*marked(hit, looked_for)),
    }


def marked(hit: reading.Hit, looked_for: str) -> tuple[str, Sequence[tuple[int, int]]]:
    """What a hit shows of its message, and where that has what was looked for.

    It is the text without formatting; what only an address or the name of a file has is shown as it
    was written.
    """
    content = hit.message["content"]
    text, _files = split_content(content, hit.message.get("uploads") or [])
    words_alone = plain(text).strip()
    spans = highlights(words_alone, queries_of(looked_for))
    return (words_alone, spans) if spans else (content, hit.highlights)


def excerpt(text: str, hits: Any) -> list[Part]:
    """A text around its first hit, in pieces. Of a long one, the rest is left out."""
    start = max(0, hits[0][0] - BEFORE_HIT)
    end = min(len(text), start + EXCERPT)
    parts = [Part("…")] if start else []
    for hit_start, hit_end in hits:
        if hit_start >= end:
            break
        parts += [Part(text[start:hit_start]), Part(text[hit_start:hit_end], is_hit=True)]
        start = hit_end
    parts.append(Part(text[start:end] + ("…" if end < len(text) else "")))
    return [part for part in parts if part.text]
