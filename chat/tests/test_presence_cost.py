"""A crowd that comes back at once costs one event for each listener, and one payload a room."""

import pytest

from chat import actions
from chat.actions import live
from chatservice.realtime.loop import run


@pytest.fixture
def published(monkeypatch):
    """What is told to whom: `(names of the people who changed, ids of the listeners)`."""
    told = []

    async def publish(event, *, to):
        changes = event.payload["changes"]
        told.append((sorted(change["user"]["email"] for change in changes), sorted(to)))

    monkeypatch.setattr(live.realtime, "publish", publish)
    return told


def come_back(*people):
    run(actions.announce_presence(changes={person.user.pk: True for person in people}))


def test_all_in_one_room_get_the_same_one_event(alice, bob, carol, moira, make_room, published):
    people = [alice, bob, carol, moira]
    make_room(alice, bob, carol, moira)
    come_back(*people)

    everybody = sorted(person.email for person in people)
    assert published == [(everybody, sorted(person.user.pk for person in people))]


def test_who_shares_several_rooms_is_told_once(alice, bob, carol, moira, make_room, published):
    make_room(alice, bob)
    make_room(alice, bob, carol)
    come_back(alice, moira)

    assert [changed for changed, _to in published] == [[alice.email], [alice.email]]
    listeners = [user_id for _changed, to in published for user_id in to]
    assert sorted(listeners) == sorted(person.user.pk for person in (bob, carol))


def test_a_room_that_was_deleted_is_shared_by_nobody(alice, bob, make_room, published):
    room = make_room(alice, bob)
    assert alice.http.delete(room.path).status_code == 204
    come_back(alice)

    assert published == []
