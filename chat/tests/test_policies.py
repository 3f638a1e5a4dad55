"""Policies: who may do what, in which kind of room."""

from dataclasses import dataclass, replace

import pytest
from bson import ObjectId
from django.core.exceptions import PermissionDenied
from hypothesis import given
from hypothesis import strategies as st

from chat import policies
from chat.models import Membership
from chat.policies import MemberNotFound, MessageNotFound, RoomNotFound
from chat.room_state import RoomState
from chatservice.tests.properties import quick, texts

Role = Membership.Role


@dataclass(frozen=True)
class Person:
    """Stand-in for a user, with the attributes that policies read."""

    pk: ObjectId
    is_staff: bool = False


CAST = {
    "owner": Person(ObjectId()),
    "moderator": Person(ObjectId()),
    "member": Person(ObjectId()),
    "stranger": Person(ObjectId()),
    "staff": Person(ObjectId(), is_staff=True),
}
OWNER, MODERATOR, MEMBER, STRANGER, STAFF = CAST.values()

GROUP = RoomState(
    ObjectId(),
    members={
        OWNER.pk: Role.OWNER.value,
        MODERATOR.pk: Role.MODERATOR.value,
        MEMBER.pk: Role.MEMBER.value,
    },
)
PLAIN_MEMBERS = {OWNER.pk: Role.MEMBER.value, MEMBER.pk: Role.MEMBER.value}

ROOMS = {
    "group": GROUP,
    "ownerless": replace(
        GROUP, members={MODERATOR.pk: Role.MODERATOR.value, MEMBER.pk: Role.MEMBER.value}
    ),
    "private": replace(GROUP, is_group_chat=False, members=PLAIN_MEMBERS),
    "public": replace(GROUP, is_public=True),
    "closed": replace(GROUP, is_deleted=True, is_public=True),
    "missing": RoomState(ObjectId(), is_deleted=True),  # as `chat.log` loads it
}
"""The owner has left the ownerless group, and is a plain member of the private chat."""

NOBODY = ""
EVERYBODY = "owner moderator member stranger staff"

# Of a closed room, policies that follow `require_visible` say what they say of an open one.
RIGHTS = {
    policies.can_see_room: {
        "group": "owner moderator member",
        "ownerless": "moderator member",
        "private": "owner member",
        "public": "owner moderator member",
        "closed": NOBODY,
        "missing": NOBODY,
    },
    policies.can_post_message: {
        "group": "owner moderator member",
        "ownerless": "moderator member",
        "private": "owner member",
        "public": "owner moderator member",
        "closed": NOBODY,
        "missing": NOBODY,
    },
    policies.is_owner: {
        "group": "owner",
        "ownerless": "moderator member",
        "private": "owner member",
        "public": "owner",
    },
    policies.is_only_owner: {
        "group": "owner",
        "ownerless": NOBODY,
        "private": NOBODY,
        "public": "owner",
    },
    policies.can_moderate_room: {
        "group": "owner moderator staff",
        "ownerless": "moderator member staff",
        "private": "staff",
        "public": "owner moderator staff",
    },
    policies.can_change_room: {
        "group": "owner moderator member staff",
        "ownerless": "moderator member staff",
        "private": NOBODY,
        "public": "owner moderator member staff",
    },
    policies.can_publish_room: {
        "group": "owner staff",
        "ownerless": "moderator member staff",
        "private": NOBODY,
        "public": "owner staff",
    },
    policies.can_join_room: {
        "group": NOBODY,
        "ownerless": NOBODY,
        "private": NOBODY,
        "public": EVERYBODY,
        "closed": NOBODY,
        "missing": NOBODY,
    },
    policies.can_delete_room: {
        "group": "owner staff",
        "ownerless": "moderator member staff",
        "private": "staff",
        "public": "owner staff",
    },
    policies.can_add_members: {
        "group": "owner moderator member staff",
        "ownerless": "moderator member staff",
        "private": NOBODY,
        "public": "owner moderator member staff",
    },
    policies.can_change_role: {
        "group": "owner staff",
        "ownerless": "moderator member staff",
        "private": NOBODY,
        "public": "owner staff",
    },
}


def names_of(is_allowed):
    """The names of those people of the cast whom a rule lets through."""
    return {name for name, person in CAST.items() if is_allowed(person)}


@pytest.mark.parametrize(
    ("policy", "kind", "allowed"),
    [
        pytest.param(policy, kind, allowed, id=f"{policy.__name__}-{kind}")
        for policy, rights in RIGHTS.items()
        for kind, allowed in rights.items()
    ],
)
def test_a_right_belongs_to_these_people_in_such_a_room(policy, kind, allowed):
    assert names_of(lambda person: policy(person, ROOMS[kind])) == set(allowed.split())


def test_the_table_has_every_policy_that_is_about_a_user_and_a_room():
    others = {"can_edit_message", "can_delete_message", "can_remove_member"}
    every = {name for name in vars(policies) if name.startswith(("can_", "is_"))}

    assert {policy.__name__ for policy in RIGHTS} == every - others


def test_a_private_chat_is_not_for_joining_even_if_it_says_it_is_public():
    room = replace(ROOMS["private"], is_public=True)

    assert names_of(lambda person: policies.can_join_room(person, room)) == set()


@pytest.mark.parametrize(
    "roles",
    [
        {OWNER.pk: Role.OWNER.value},
        {OWNER.pk: Role.OWNER.value, MEMBER.pk: Role.OWNER.value},
        {MODERATOR.pk: Role.OWNER.value, OWNER.pk: Role.MODERATOR.value},
    ],
    ids=["alone", "with-another-owner", "no-longer-owner"],
)
def test_a_room_keeps_its_owners_whoever_leaves(roles):
    assert not policies.is_only_owner(OWNER, replace(GROUP, members=roles))


# Messages


@pytest.mark.parametrize("author", CAST)
def test_only_the_author_edits_a_message(author):
    message = {"actor_id": CAST[author].pk}

    assert names_of(lambda person: policies.can_edit_message(person, message)) == {author}


@pytest.mark.parametrize("author", CAST)
@pytest.mark.parametrize(
    ("kind", "moderators"),
    [
        ("group", "owner moderator staff"),
        ("ownerless", "moderator member staff"),
        ("private", "staff"),
        ("public", "owner moderator staff"),
    ],
)
def test_the_author_and_moderators_delete_a_message(kind, moderators, author):
    message = {"actor_id": CAST[author].pk}
    deleting = names_of(lambda person: policies.can_delete_message(person, ROOMS[kind], message))

    assert deleting == {author, *moderators.split()}


# Removing people

REMOVED_BY = {
    "group": {
        "owner": "owner staff",
        "moderator": "owner moderator staff",
        "member": "owner moderator member staff",
    },
    "ownerless": {
        "moderator": "moderator member staff",
        "member": "moderator member staff",
    },
    "private": {
        "owner": NOBODY,
        "member": NOBODY,
    },
    "public": {
        "owner": "owner staff",
        "moderator": "owner moderator staff",
        "member": "owner moderator member staff",
    },
}


@pytest.mark.parametrize(
    ("kind", "member", "removers"),
    [
        pytest.param(kind, member, removers, id=f"{member}-from-{kind}")
        for kind, rights in REMOVED_BY.items()
        for member, removers in rights.items()
    ],
)
def test_a_member_is_removed_by_these_people(kind, member, removers):
    removing = names_of(
        lambda person: policies.can_remove_member(person, ROOMS[kind], CAST[member].pk)
    )

    assert removing == set(removers.split())


def test_one_owner_does_not_remove_another():
    roles = GROUP.members | {MEMBER.pk: Role.OWNER.value}
    room = replace(GROUP, members=roles)

    assert not policies.can_remove_member(OWNER, room, MEMBER.pk)
    assert policies.can_remove_member(OWNER, room, OWNER.pk)
    assert policies.can_remove_member(STAFF, room, MEMBER.pk)


def test_one_moderator_removes_another():
    roles = GROUP.members | {MEMBER.pk: Role.MODERATOR.value}

    assert policies.can_remove_member(MODERATOR, replace(GROUP, members=roles), MEMBER.pk)


# What a refusal says


def refusal_of(check, *arguments):
    """The exception that a check raises, or None."""
    try:
        return check(*arguments)
    except Exception as error:
        return error


@pytest.mark.parametrize(
    ("check", "kind", "allowed"),
    [
        (policies.require_member, "group", "owner moderator member"),
        (policies.require_member, "ownerless", "moderator member"),
        (policies.require_member, "private", "owner member"),
        (policies.require_member, "public", "owner moderator member"),
        (policies.require_member, "closed", NOBODY),
        (policies.require_member, "missing", NOBODY),
        (policies.require_visible, "group", "owner moderator member staff"),
        (policies.require_visible, "ownerless", "moderator member staff"),
        (policies.require_visible, "private", "owner member staff"),
        (policies.require_visible, "public", "owner moderator member staff"),
        (policies.require_visible, "closed", NOBODY),
        (policies.require_visible, "missing", NOBODY),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_room_is_there_for_these_people_and_not_found_by_others(check, kind, allowed):
    refusals = {name: refusal_of(check, person, ROOMS[kind]) for name, person in CAST.items()}

    assert {name for name, refusal in refusals.items() if refusal is None} == set(allowed.split())
    assert {type(refusal) for refusal in refusals.values()} <= {type(None), RoomNotFound}


@pytest.mark.parametrize("check", [policies.require_member, policies.require_visible])
@pytest.mark.parametrize("kind", ["group", "ownerless", "private", "public", "closed"])
def test_a_stranger_cannot_tell_a_room_from_a_missing_one(check, kind):
    there = refusal_of(check, STRANGER, ROOMS[kind])
    missing = refusal_of(check, STRANGER, ROOMS["missing"])
    no_id = refusal_of(policies.room_id_from, "no id")

    assert type(there) is type(missing) is type(no_id) is RoomNotFound
    assert vars(there) == vars(missing) == vars(no_id)
    assert (there.status_code, str(there)) == (404, "Chat room not found or access denied")


def test_what_is_missing_in_a_room_is_named():
    assert [(error.status_code, str(error)) for error in (MessageNotFound(), MemberNotFound())] == [
        (404, "Message not found"),
        (404, "No such member"),
    ]


def test_a_member_without_the_right_is_told_so():
    assert policies.require(True) is None
    with pytest.raises(PermissionDenied, match="You may not do this in this room."):
        policies.require(False)


# The ids of rooms

HEX = "5f1e0c3a9b8d7e6f5a4b3c2d"


@pytest.mark.parametrize("sent", [HEX, HEX.upper(), ObjectId(HEX)], ids=["hex", "upper", "id"])
def test_a_room_id_is_24_hex_digits(sent):
    assert policies.room_id_from(sent) == ObjectId(HEX)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "lunch",
        HEX[1:],
        HEX + "0",
        HEX[1:] + "g",
        HEX[2:] + "  ",
        f" {HEX} ",
        "twelve bytes",
        b"twelve bytes",
        "۱" * 24,
        "\ud800" * 24,
        "\0" * 24,
        None,
        True,
        5,
        1.5,
        [HEX],
        {"$ne": None},
    ],
    ids=repr,
)
def test_what_is_no_room_id_names_no_room(sent):
    with pytest.raises(RoomNotFound):
        policies.room_id_from(sent)


@quick
@given(
    st.one_of(
        texts(max_size=30, surrogates=True),
        st.text("0123456789abcdefABCDEF", min_size=24, max_size=24),
        st.text("09afAF g", min_size=23, max_size=25),
    )
)
def test_any_text_is_a_room_id_or_names_no_room(text):
    try:
        assert str(policies.room_id_from(text)) == text.lower()
    except RoomNotFound:
        assert len(text) != 24 or not set(text) <= set("0123456789abcdefABCDEF")
