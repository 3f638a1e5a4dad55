"""Somebody is removed, and something is said, between the check of a membership and the reading."""

import pytest

from chat import actions, hot_path, policies, reading
from chat.models import Entry
from chatservice.realtime.loop import run


@pytest.fixture
def removing_while_reading(alice, bob, room, monkeypatch):
    """Reading the log removes Bob first, and then Alice says something that is not for him."""
    read = hot_path.entries_after

    async def remove_and_read(*arguments):
        await actions.remove_member(actor=alice.user, room_id=room, member_id=bob.user.pk)
        await actions.post_message(
            actor=alice.user, room_id=room, content="not for Bob", via=Entry.Via.REST
        )
        return await read(*arguments)

    async def someone_says_something():
        await actions.post_message(
            actor=alice.user, room_id=room, content="hello", via=Entry.Via.REST
        )

    run(someone_says_something())
    monkeypatch.setattr(hot_path, "entries_after", remove_and_read)


def test_resume_tells_a_removed_member_nothing_more(bob, room, removing_while_reading):
    assert run(reading.missed(bob.user, {str(room): 2})) == {str(room): {"gone": True}}


def test_the_log_tells_a_removed_member_nothing_more(bob, room, removing_while_reading):
    with pytest.raises(policies.RoomNotFound):
        run(reading.log_after(bob.user, room, seq=2, limit=100))


def test_who_stays_is_told_everything(alice, room, removing_while_reading):
    answer = run(reading.missed(alice.user, {str(room): 2}))[str(room)]
    assert [entry["kind"] for entry in answer["entries"]] == ["message", "member", "message"]
