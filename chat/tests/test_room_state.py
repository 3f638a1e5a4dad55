"""Room state: what the entries of a log add up to."""

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from chat.models import Entry, Membership
from chat.room_state import RoomState
from chatservice.tests.properties import quick

Kind = Entry.Kind
Role = Membership.Role

ALICE, BOB, CAROL, DAVE = (ObjectId() for _ in range(4))
OWNER, MODERATOR, MEMBER = (role.value for role in Role)


def entry(seq, kind, **data):
    return {"seq": seq, "kind": kind.value, "data": data}


def message(seq, number):
    return {"seq": seq, "kind": Kind.MESSAGE.value, "number": number}


def people(roles):
    """People as an entry names them, from a dict of roles by id."""
    return [{"id": str(pk), "email": f"{pk}@example.org", "role": roles[pk]} for pk in roles]


def members(seq, *, added=None, removed=(), changed=None):
    """An entry about members. `changed` is in no entry that is older than roles."""
    data = {
        "added": people(added or {}),
        "removed": [{"id": str(pk)} for pk in removed],
        **({"changed": people(changed)} if changed is not None else {}),
    }
    return entry(seq, Kind.MEMBER, **data)


def after(*entries, room=None):
    """The state of a room after these entries."""
    state = room or RoomState(ObjectId())
    for each in entries:
        state.apply(each)
    return state


def test_a_room_before_its_first_entry_is_an_empty_group():
    state = RoomState(ALICE)

    assert (state.room_id, state.seq, state.message_count, state.members) == (ALICE, 0, 0, {})
    assert (state.is_group_chat, state.is_public, state.is_deleted) == (True, False, False)


# Members

BEFORE = {ALICE: OWNER, BOB: MEMBER}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"added": {CAROL: MEMBER}}, {**BEFORE, CAROL: MEMBER}),
        (
            {"added": {CAROL: MEMBER, DAVE: MODERATOR}},
            {**BEFORE, CAROL: MEMBER, DAVE: MODERATOR},
        ),
        ({"added": {BOB: MEMBER}}, BEFORE),
        ({"removed": [BOB]}, {ALICE: OWNER}),
        ({"removed": [ALICE, BOB]}, {}),
        ({"removed": [CAROL]}, BEFORE),
        ({"changed": {BOB: MODERATOR}}, {ALICE: OWNER, BOB: MODERATOR}),
        ({"changed": {ALICE: MEMBER}}, {ALICE: MEMBER, BOB: MEMBER}),
        ({"changed": {}}, BEFORE),
        (
            {"added": {CAROL: MEMBER}, "removed": [ALICE], "changed": {BOB: OWNER}},
            {BOB: OWNER, CAROL: MEMBER},
        ),
        ({}, BEFORE),
    ],
    ids=[
        *("comes", "several-come", "comes-again", "goes", "all-go", "stranger-goes"),
        *("promoted", "demoted", "nobody-changed", "all-at-once", "nothing"),
    ],
)
def test_members_come_go_and_change_roles(change, expected):
    assert after(members(2, added=BEFORE), members(3, **change)).members == expected


def test_anyone_who_comes_back_has_the_role_they_come_back_with():
    state = after(
        members(2, added={ALICE: OWNER}),
        members(3, removed=[ALICE]),
        members(4, added={ALICE: MEMBER}),
    )

    assert state.members == {ALICE: MEMBER}


def test_rooms_do_not_share_their_members():
    one, other = RoomState(ALICE), RoomState(BOB)
    one.apply(members(1, added={ALICE: OWNER}))

    assert other.members == {}


roles = st.sampled_from([OWNER, MODERATOR, MEMBER])
# What an entry does to each person that it is about: a new role, or none.
fates = st.dictionaries(
    st.sampled_from([ALICE, BOB, CAROL, DAVE]),
    st.one_of(
        st.tuples(st.just("added"), roles),
        st.tuples(st.just("changed"), roles),
        st.just(("removed", None)),
    ),
)


@quick
@given(st.lists(fates, max_size=12))
def test_members_are_what_a_plain_dict_makes_of_the_entries(changes):
    state, model = RoomState(ObjectId()), {}
    for seq, change in enumerate(changes, start=1):
        chosen = {
            kind: {pk: role for pk, (what, role) in change.items() if what == kind}
            for kind in ("added", "removed", "changed")
        }
        state.apply(members(seq, **chosen))
        model = {**model, **{pk: role for pk, (_, role) in change.items()}}
        model = {pk: role for pk, role in model.items() if role is not None}

    assert state.members == model
    assert state.seq == len(changes)


# Messages and numbers


def test_messages_are_counted_by_their_own_numbers():
    state = after(entry(1, Kind.ROOM, name="Lunch", created=True), message(2, 1), message(3, 2))

    assert (state.seq, state.message_count) == (3, 2)


def test_a_state_may_skip_messages():
    assert after(message(9, 7), members(30, added={ALICE: OWNER})).seq == 30


@pytest.mark.parametrize(
    "change",
    [
        entry(8, Kind.EDIT, target=2, content="hi", uploads=[], mentions=[]),
        entry(8, Kind.DELETE, target=2),
        entry(8, Kind.REACTION, target=2, emoji="👍", on=True),
        entry(8, Kind.ROOM, name="Dinner", description="at eight"),
        entry(8, Kind.ROOM),
        members(8),
    ],
    ids=["edit", "delete", "reaction", "rename", "empty-room-change", "empty-member-change"],
)
def test_other_entries_move_the_number_and_nothing_else(change):
    before = RoomState(ALICE, seq=7, message_count=3, is_public=True, members=dict(BEFORE))

    assert after(change, room=before) == RoomState(
        ALICE, seq=8, message_count=3, is_public=True, members=BEFORE
    )


# The room itself


@pytest.mark.parametrize(
    ("changes", "is_public", "is_deleted"),
    [
        ([{"name": "Lunch", "created": True}], False, False),
        ([{"name": "Lunch", "created": True, "is_public": True}], True, False),
        ([{"is_public": True}], True, False),
        ([{"is_public": True}, {"name": "Dinner"}], True, False),
        ([{"is_public": True}, {"is_public": False}], False, False),
        ([{"deleted": True}], False, True),
        ([{"is_public": True}, {"deleted": True}], True, True),
        ([{"deleted": True}, {"name": "Dinner"}], False, True),
        ([{"deleted": True}, {"deleted": False}], False, True),
        ([{"deleted": True}, {"created": True}], False, True),
    ],
    ids=[
        *("created", "created-public", "published", "published-and-renamed", "unpublished"),
        *("closed", "closed-while-public", "renamed-after", "reopened", "created-again"),
    ],
)
def test_a_room_is_published_and_stays_closed(changes, is_public, is_deleted):
    state = after(*(entry(seq, Kind.ROOM, **data) for seq, data in enumerate(changes, start=1)))

    assert (state.is_public, state.is_deleted) == (is_public, is_deleted)
    assert state.seq == len(changes)


def test_a_closed_room_keeps_its_members():
    state = after(members(1, added={ALICE: OWNER}), entry(2, Kind.ROOM, deleted=True))

    assert state.members == {ALICE: OWNER}
