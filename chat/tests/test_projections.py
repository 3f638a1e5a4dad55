"""Projections: what each kind of entry writes to the documents that people read."""

import asyncio
import inspect
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from bson import ObjectId

from chat import hot_path, projections
from chat.models import Entry, Membership
from chat.projections import project

Kind = Entry.Kind
Role = Membership.Role

ROOM, ALICE, BOB, CAROL, DAVE = (ObjectId() for _ in range(5))
MOMENT = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
SEQ = 9

WRITERS = (
    "project_message",
    "project_reaction",
    "project_memberships",
    "project_room",
    "erase_edits",
)


@pytest.fixture
def written(monkeypatch):
    """Return the writes, in order: the names of functions of `hot_path` with their arguments.

    A projection that calls anything else in `hot_path`, or calls it wrongly, fails.
    """
    calls = []

    def recorder(name):
        signature = inspect.signature(getattr(hot_path, name))

        async def record(*args, **kwargs):
            arguments = signature.bind(*args, **kwargs)
            arguments.apply_defaults()
            call = dict(arguments.arguments)
            if "changes" in call:
                call["changes"] = list(call["changes"])
            if "erase" in call:
                call["erase"] = set(call["erase"])
            calls.append((name, call))

        return record

    stand_in = SimpleNamespace(**{name: recorder(name) for name in WRITERS})
    monkeypatch.setattr(projections, "hot_path", stand_in)
    return calls


def apply(kind, data=None, **fields):
    """Project entry `SEQ` of `ROOM`, which Alice made at `MOMENT`."""
    entry = {
        "room_id": ROOM,
        "seq": SEQ,
        "kind": kind.value,
        "actor_id": ALICE,
        "created_at": MOMENT,
        "data": data,
        **fields,
    }
    asyncio.run(project(entry))


def test_a_message_changes_no_other_document(written):
    apply(Kind.MESSAGE, content="hello", number=3, mentions=[str(BOB)], terms=["hello"])

    assert written == []


# Messages


@pytest.mark.parametrize(
    ("data", "mentions", "erased"),
    [
        ({"mentions": [str(BOB), "all"]}, {"mentions": [str(BOB), "all"]}, set()),
        ({"mentions": []}, {}, {"mentions"}),
        ({"mentions": None}, {}, {"mentions"}),  # as `erase_edits` leaves it
        ({}, {}, {"mentions"}),  # older than mentions
    ],
    ids=["mentions", "no-mentions", "erased-mentions", "before-mentions"],
)
def test_an_edit_replaces_what_a_message_says(written, data, mentions, erased):
    text = "Hello hello, Café"
    apply(Kind.EDIT, {"target": 4, "content": text, "uploads": ["f00d"], **data})

    fields = {
        "content": text,
        "uploads": ["f00d"],
        "edited_at": MOMENT,
        "terms": ["hello", "cafe"],
        **mentions,
    }
    assert written == [
        (
            "project_message",
            {"room_id": ROOM, "target": 4, "seq": SEQ, "fields": fields, "erase": erased},
        )
    ]


def test_an_edit_whose_text_was_erased_leaves_no_words(written):
    apply(Kind.EDIT, {"target": 4, "content": None, "uploads": [], "mentions": None})

    [(_, call)] = written
    assert call["fields"] == {"content": None, "uploads": [], "edited_at": MOMENT, "terms": []}


def test_a_deletion_erases_the_message_and_then_its_edits(written):
    apply(Kind.DELETE, {"target": 4})

    assert written == [
        (
            "project_message",
            {
                "room_id": ROOM,
                "target": 4,
                "seq": SEQ,
                "fields": {"content": None, "deleted_at": MOMENT},
                "erase": {"uploads", "mentions", "reactions", "terms"},
            },
        ),
        ("erase_edits", {"room_id": ROOM, "target": 4, "up_to": SEQ}),
    ]


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
def test_a_reaction_is_that_of_the_actor(written, on):
    apply(Kind.REACTION, {"target": 4, "emoji": "👍", "on": on})

    assert written == [
        (
            "project_reaction",
            {"room_id": ROOM, "target": 4, "seq": SEQ, "emoji": "👍", "user_id": ALICE, "on": on},
        )
    ]


# Members


def person(user_id, role=None):
    """A person as a membership entry names them."""
    named = {"id": str(user_id), "email": f"{user_id}@example.org", "username": "x"}
    return named | ({"role": role.value} if role else {})


def joined_as(role):
    return {"left_at": None, "joined_at": MOMENT, "joined_seq": SEQ, "role": role.value}


LEFT = {"left_at": MOMENT}
NOTHING_READ = {"read_seq": 0, "read_number": 0}
ALL_READ = {"read_seq": SEQ, "read_number": 6}


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (
            {"added": [person(BOB, Role.MEMBER), person(ALICE, Role.OWNER)], "removed": []},
            [(BOB, joined_as(Role.MEMBER), ALL_READ), (ALICE, joined_as(Role.OWNER), ALL_READ)],
        ),
        (
            {"added": [], "removed": [person(BOB)]},
            [(BOB, LEFT, NOTHING_READ)],
        ),
        (
            {"added": [], "removed": [], "changed": [person(BOB, Role.MODERATOR)]},
            [(BOB, {"role": "moderator"}, NOTHING_READ)],
        ),
        (
            {
                "added": [person(CAROL, Role.MEMBER)],
                "removed": [person(BOB)],
                "changed": [person(DAVE, Role.OWNER)],
            },
            [
                (BOB, LEFT, NOTHING_READ),
                (CAROL, joined_as(Role.MEMBER), ALL_READ),
                (DAVE, {"role": "owner"}, NOTHING_READ),
            ],
        ),
        ({"added": [], "removed": []}, []),
    ],
    ids=["added", "removed", "changed", "all-at-once", "nobody"],
)
def test_a_membership_entry_changes_the_memberships_that_it_names(written, data, changes):
    apply(Kind.MEMBER, {"messages": 6, **data})

    assert written == [("project_memberships", {"room_id": ROOM, "changes": changes, "seq": SEQ})]


def test_a_member_of_a_room_without_messages_has_read_none(written):
    apply(Kind.MEMBER, {"added": [person(BOB, Role.MEMBER)], "removed": []})

    [(_, call)] = written
    assert call["changes"] == [
        (BOB, joined_as(Role.MEMBER), {"read_seq": SEQ, "read_number": 0}),
    ]


# The room


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (
            {"name": "Tea & Café"},
            {"name": "Tea & Café", "name_terms": ["tea", "cafe"]},
        ),
        (
            {"description": "At eight"},
            {"description": "At eight", "description_terms": ["at", "eight"]},
        ),
        ({"description": ""}, {"description": "", "description_terms": []}),
        ({"is_public": True}, {"is_public": True}),
        ({"is_public": False}, {"is_public": False}),
        ({"deleted": True}, {"deleted_at": MOMENT}),
        (
            {"name": "Tea", "description": "", "created": True, "is_group_chat": False},
            {"name": "Tea", "name_terms": ["tea"], "description": "", "description_terms": []},
        ),
        (
            {"name": "Tea", "is_public": True, "deleted": True},
            {"name": "Tea", "name_terms": ["tea"], "is_public": True, "deleted_at": MOMENT},
        ),
        ({}, {}),
    ],
    ids=[
        *("renamed", "described", "description-emptied", "published", "unpublished", "closed"),
        *("created", "all-at-once", "nothing"),
    ],
)
def test_a_room_entry_changes_the_fields_that_it_names(written, data, fields):
    apply(Kind.ROOM, data)

    assert written == [("project_room", {"room_id": ROOM, "seq": SEQ, "fields": fields})]


# All kinds


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Kind.EDIT, {"target": 4, "content": "x", "uploads": []}),
        (Kind.DELETE, {"target": 4}),
        (Kind.REACTION, {"target": 4, "emoji": "👍", "on": True}),
        (Kind.MEMBER, {"added": [person(BOB, Role.MEMBER)], "removed": [person(CAROL)]}),
        (Kind.ROOM, {"name": "Tea", "deleted": True}),
    ],
    ids=lambda value: value.value if isinstance(value, Kind) else "",
)
def test_an_entry_that_is_applied_again_writes_the_same_again(written, kind, data):
    apply(kind, data)
    once = list(written)
    apply(kind, data)

    assert once
    assert written == once * 2
