"""Upload policies: who may delete a file."""

from dataclasses import dataclass

import pytest
from django.core.exceptions import PermissionDenied

from media_upload import policies


@dataclass(frozen=True)
class Person:
    """Stand-in for a user, with the attributes that policies read."""

    pk: str
    is_staff: bool = False
    permissions: frozenset[str] = frozenset()

    def has_perm(self, permission):
        return permission in self.permissions


@dataclass(frozen=True)
class Upload:
    owner_id: str


@pytest.mark.parametrize(
    ("person", "is_allowed"),
    [
        (Person("owner"), True),
        (Person("other"), False),
        (Person("staff", is_staff=True), False),
        (Person("staff", permissions=frozenset({"media_upload.view_upload"})), False),
        (Person("moderator", permissions=frozenset({"media_upload.delete_upload"})), True),
    ],
    ids=["owner", "other", "staff", "viewer", "moderator"],
)
def test_the_owner_and_moderators_delete_an_upload(person, is_allowed):
    assert policies.can_delete_upload(person, Upload(owner_id="owner")) == is_allowed


def test_a_refusal_is_raised():
    assert policies.require(True) is None
    with pytest.raises(PermissionDenied):
        policies.require(False)
