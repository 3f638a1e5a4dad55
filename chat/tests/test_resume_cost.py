"""`resume` asks the database one indexed question for each room that has news, and no more."""

import pytest

from acceptance.waiting import eventually
from chat.models import Entry, Membership, Room
from chatservice.mongo.client import database

ENTRIES = Entry._meta.db_table


@pytest.fixture
def profiler(db):
    """Has MongoDB note every operation on the chat's collections; call it for those since."""
    profile = database()["system.profile"]
    database().command("profile", 0)
    profile.drop()
    database().command("profile", 2)

    def operations():
        names = [f"{database().name}.{each._meta.db_table}" for each in (Room, Membership, Entry)]
        return list(profile.find({"ns": {"$in": names}, "op": {"$in": ["query", "command"]}}))

    yield operations
    database().command("profile", 0)
    profile.drop()


def test_resume_asks_once_for_each_room_that_has_news(alice, bob, make_room, connect, profiler):
    quiet = [make_room(alice, bob, name=f"quiet {number}") for number in range(5)]
    lively = [make_room(alice, bob, name=f"lively {number}") for number in range(3)]
    for room in [*quiet, *lively]:
        for number in range(20):
            room.say(alice, f"{number}")
    device = connect(bob, protocol=2)

    def costs(known, questions):
        """What is asked, once it is as many questions: MongoDB notes them a moment later."""
        asked = []

        def is_as_many():
            before = len(profiler())
            rooms = device.call("resume", {"rooms": known})["rooms"]
            asked[:] = rooms, profiler()[before:]
            return len(asked[1]) == questions

        eventually(is_as_many, what=f"{questions} questions for {known}")
        return asked

    nothing_new = {room.id: 22 for room in [*quiet, *lively]}
    _rooms, basic = costs(nothing_new, 2)  # one finds the rooms, one the ends of their logs
    news = {room.id: 22 for room in quiet} | {room.id: 17 for room in lively}
    # One for each room that has news, and one looks whether one is still a member.
    rooms, asked = costs(news, 2 + len(lively) + 1)
    assert [len(rooms[room.id]["entries"]) for room in lively] == [5, 5, 5]
    assert [rooms[room.id]["entries"] for room in quiet] == [[]] * 5

    pages = [each for each in asked if each["ns"].endswith(ENTRIES) and each["op"] == "query"]
    assert len(pages) == len(lively)
    for each in asked:
        assert "COLLSCAN" not in each["planSummary"]
    for each in pages:
        assert each["docsExamined"] == each["nreturned"] == 5
    # The end of a log is found without reading the log.
    [ends] = [each for each in basic if each["ns"].endswith(ENTRIES)]
    assert ends["keysExamined"] <= 3 * len(nothing_new)
    assert ends["docsExamined"] == 0
