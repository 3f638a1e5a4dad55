"""Account policies: who may do what to whose account."""

from dataclasses import dataclass

import pytest
from django.core.exceptions import PermissionDenied

from accounts import policies
from accounts.policies import MANAGED_FIELDS, OWN_FIELDS, PRIVILEGE_FIELDS, PROFILE_FIELDS


@dataclass(frozen=True)
class Person:
    """Stand-in for a user, with the attributes that policies read."""

    pk: str
    is_staff: bool = False
    is_superuser: bool = False
    permissions: frozenset[str] = frozenset()

    def has_perm(self, permission):
        return self.is_superuser or permission in self.permissions


@dataclass(frozen=True)
class Session:
    user_id: str


MANAGING = frozenset({"accounts.change_user"})

CAST = {
    person.pk: person
    for person in [
        Person("root", is_staff=True, is_superuser=True),
        Person("second root", is_staff=True, is_superuser=True),
        Person("manager", is_staff=True, permissions=MANAGING),
        Person("second manager", is_staff=True, permissions=MANAGING),
        Person("staff", is_staff=True, permissions=frozenset({"accounts.view_user"})),
        Person("ann"),
        Person("bob"),
    ]
}
ROOTS = ["root", "second root"]
MANAGERS = ["manager", "second manager"]
OTHERS = ["staff", "ann", "bob"]


def allowing(policy, *arguments):
    """The names of those people of the cast whom a policy lets through."""
    return {name for name, person in CAST.items() if policy(person, *arguments)}


@pytest.mark.parametrize("name", CAST)
def test_managers_manage_people_and_only_superusers_superusers(name):
    managing = {*ROOTS} if name in ROOTS else {*ROOTS, *MANAGERS}

    assert allowing(policies.can_manage_user, CAST[name]) == managing


def test_only_superusers_grant_privileges():
    assert allowing(policies.can_grant_privileges) == {*ROOTS}


@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize("fields", [{field} for field in sorted(PROFILE_FIELDS)] + [PROFILE_FIELDS])
def test_managers_change_profiles(name, fields):
    changing = allowing(policies.can_change_fields, CAST[name], fields)

    assert changing == ({*ROOTS} if name in ROOTS else {*ROOTS, *MANAGERS})


@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize(
    "fields", [{"is_staff"}, {"is_superuser"}, PRIVILEGE_FIELDS, {"username", "is_staff"}]
)
def test_superusers_change_privileges_of_others_and_never_their_own(name, fields):
    changing = allowing(policies.can_change_fields, CAST[name], fields)

    assert changing == {*ROOTS} - {name}


@pytest.mark.parametrize(
    "field", ["email", "password", "is_active", "user_permissions", "groups", "theme", "pk", ""]
)
def test_other_fields_are_changed_by_nobody_in_this_way(field):
    assert allowing(policies.can_change_fields, CAST["ann"], {field}) == set()
    assert allowing(policies.can_change_fields, CAST["ann"], {field, "username"}) == set()


def test_fields_may_come_in_any_collection():
    assert policies.can_change_fields(CAST["root"], CAST["ann"], iter(["is_staff", "username"]))
    assert not policies.can_change_fields(CAST["manager"], CAST["ann"], iter(["is_staff"]))


@pytest.mark.parametrize("name", CAST)
def test_managers_deactivate_others_and_never_themselves(name):
    deactivating = allowing(policies.can_deactivate_user, CAST[name])

    assert deactivating == ({*ROOTS} if name in ROOTS else {*ROOTS, *MANAGERS}) - {name}


def test_people_change_neither_their_user_name_nor_their_privileges():
    assert sorted(OWN_FIELDS) == ["enter_sends", "full_name", "language", "notifications", "theme"]
    assert sorted(PROFILE_FIELDS) == ["full_name", "language", "username"]
    assert sorted(PRIVILEGE_FIELDS) == ["is_staff", "is_superuser"]
    assert PROFILE_FIELDS | PRIVILEGE_FIELDS == MANAGED_FIELDS


# What needs a permission of its own

PERMITTED = {
    policies.can_manage_user: "accounts.change_user",
    policies.can_end_session: "accounts.change_session",
    policies.can_end_sessions: "accounts.change_session",
    policies.can_unlock: "accounts.delete_loginfailure",
}
ARGUMENTS = {
    policies.can_manage_user: [CAST["ann"]],
    policies.can_end_session: [Session(user_id="ann")],
}


@pytest.mark.parametrize("policy", PERMITTED, ids=lambda policy: policy.__name__)
@pytest.mark.parametrize("permission", sorted({*PERMITTED.values(), "accounts.view_session"}))
def test_staff_need_the_very_permission(policy, permission):
    actor = Person("clerk", is_staff=True, permissions=frozenset({permission}))

    assert policy(actor, *ARGUMENTS.get(policy, [])) == (permission == PERMITTED[policy])


@pytest.mark.parametrize("name", CAST)
def test_people_end_their_own_sessions_and_superusers_all(name):
    assert allowing(policies.can_end_session, Session(user_id=name)) == {*ROOTS, name}


def test_people_without_permissions_unlock_nobody():
    assert allowing(policies.can_unlock) == {*ROOTS}
    assert allowing(policies.can_end_sessions) == {*ROOTS}


def test_a_refusal_says_so():
    assert policies.require(True) is None
    with pytest.raises(PermissionDenied, match="You may not do this to this account."):
        policies.require(False)
