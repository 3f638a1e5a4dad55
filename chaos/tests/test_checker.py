"""The checker: silent about a run in which all went well, loud about each thing that did not."""

from datetime import UTC, datetime

import pytest
from bson import ObjectId

from chaos.checker import ROWS, ClientJournal, check
from chatservice.mongo.client import database

ROOM = ObjectId()
ALICE, BOB = str(ObjectId()), str(ObjectId())
BEGIN = 1_700_000_000.0


class Story:
    """A small run in which all is well, to be spoiled: Bob is removed by 4, and let in by 6."""

    def __init__(self):
        self.log = [
            self.member(1, added=[ALICE, BOB]),
            self.message(2, "a-1", "one"),
            self.message(3, "a-2", "two"),
            self.member(4, removed=[BOB]),
            self.message(5, "a-3", "three"),
            self.member(6, added=[BOB]),
            self.message(7, None, "four"),
            self.entry(8, "edit", data={"target": 2, "content": "won"}),
            self.entry(9, "delete", data={"target": 3}),
        ]
        shown = {2: "won", 3: None, 5: "three", 7: "four"}
        self.room = {"number": 9, "since": 0, "messages": {}}
        for seq, content in shown.items():
            self.room["messages"][str(seq)] = [content or "", content is None]
        self.alice = [self.line(0, "is", person=ALICE, sequential=True)]
        for seq in (2, 3, 5):
            self.alice.append(self.acknowledged(seq))
        self.alice += [self.line(seq, "applied", seq=seq) for seq in range(1, 10)]
        self.alice.append(self.line(20, "final", rooms={str(ROOM): dict(self.room)}))
        self.bob = [self.line(0, "is", person=BOB, sequential=True)]
        for seq in (1, 2, 3, 4):
            self.bob.append(self.line(seq, "received", seq=seq, connection=1))
            self.bob.append(self.line(seq, "applied", seq=seq))
        for seq in (5, 6, 7, 8, 9):  # what he was not there for is told when he is back
            self.bob.append(self.line(max(seq, 6.1), "applied", seq=seq))
        fresh = {str(ROOM): self.room}
        self.notes = [self.line(21, "fresh", person=p, rooms=fresh) for p in (ALICE, BOB)]

    def entry(self, seq, kind, **fields):
        moment = datetime.fromtimestamp(BEGIN + seq, UTC)
        return {
            "_id": ObjectId(),
            "room_id": ROOM,
            "seq": seq,
            "kind": kind,
            "actor_id": ObjectId(ALICE),
            "created_at": moment,
            **fields,
        }

    def message(self, seq, client_id, content):
        return self.entry(seq, "message", client_id=client_id, content=content)

    def member(self, seq, added=(), removed=()):
        data = {"added": [{"id": i} for i in added], "removed": [{"id": i} for i in removed]}
        return self.entry(seq, "member", data=data)

    def line(self, at, what, **fields):
        return {"at": BEGIN + at, "what": what, "room": str(ROOM), **fields}

    def acknowledged(self, seq):
        entry = self.log[seq - 1]
        fields = {"id": str(entry["_id"]), "seq": seq, "client_id": entry["client_id"]}
        return self.line(seq, "acknowledged", text=entry["content"], **fields)

    def check(self):
        collection = database().client["chaos_checker"]
        collection["chat_entry"].drop()
        collection["chat_entry"].insert_many(self.log)
        journals = [
            ClientJournal("alice", self.alice),
            ClientJournal("bob", self.bob),
            ClientJournal("run", self.notes),
        ]
        try:
            return check(journals, collection)
        finally:
            database().client.drop_database("chaos_checker")


def found(story):
    return {row for row, problems in story.check().problems.items() if problems}


@pytest.fixture
def story(db):
    return Story()


def test_a_run_in_which_all_went_well_is_clean(story):
    report = story.check()
    assert report.is_clean, report.table()
    assert report.acknowledged == 3
    assert all(row in report.table() for row in ROWS)


def test_a_run_in_which_nothing_happened_is_not(story):
    story.alice = [line for line in story.alice if line["what"] != "acknowledged"]
    assert not story.check().is_clean


def test_an_acknowledged_message_that_is_not_in_the_log_is_lost(story):
    del story.log[4]
    assert "lost" in found(story)


def test_an_acknowledged_message_that_is_stored_as_another_is_lost(story):
    story.alice[1]["id"], story.alice[2]["id"] = story.alice[2]["id"], story.alice[1]["id"]
    assert found(story) == {"lost"}


def test_an_acknowledged_message_that_nobody_gets_to_read_is_lost(story):
    del story.room["messages"]["5"]
    assert "lost" in found(story)


def test_a_message_that_is_stored_twice_is_doubled(story):
    story.log[6]["client_id"] = "a-1"
    assert found(story) == {"doubled"}


def test_an_entry_that_is_shown_twice_is_doubled(story):
    story.bob.insert(3, story.line(2.5, "applied", seq=1))
    assert "doubled" in found(story)


def test_an_entry_that_comes_live_twice_is_doubled(story):
    story.bob.append(dict(story.bob[1]))
    assert found(story) == {"doubled"}


def test_an_entry_by_two_connections_is_not(story):
    story.bob.append(story.bob[1] | {"connection": 2})
    assert found(story) == set()


def test_entries_that_are_shown_with_one_left_out_are_reordered(story):
    story.alice.remove(story.line(5, "applied", seq=5))
    assert found(story) == {"reordered"}


def test_messages_of_one_sender_in_another_order_are_reordered(story):
    story.alice[1], story.alice[2] = story.alice[2], story.alice[1]
    assert found(story) == {"reordered"}


@pytest.mark.parametrize("number", [8, 10])
def test_numbers_that_skip_or_repeat_are_gaps(story, number):
    story.log[8]["seq"] = number
    assert "gaps" in found(story)


@pytest.mark.parametrize("what", ["received", "applied"])
def test_what_reaches_a_removed_member_is_noticed(story, what):
    story.bob.append(story.line(5.5, what, seq=5, connection=1))
    assert "seen after removal" in found(story)


def test_a_client_that_shows_something_else_than_what_is_read_has_diverged(story):
    other = story.room["messages"] | {"2": ["one", False]}
    story.alice[-1]["rooms"][str(ROOM)] = story.room | {"messages": other}
    assert found(story) == {"diverged"}


def test_a_client_that_stays_behind_has_diverged(story):
    story.alice[-1]["rooms"][str(ROOM)] = story.room | {"number": 8}
    assert found(story) == {"diverged"}


def test_a_client_that_shows_another_room_has_diverged(story):
    story.alice[-1]["rooms"] = {}
    assert found(story) == {"diverged"}


def test_what_is_read_must_be_what_the_log_adds_up_to(story):
    story.log[7]["data"]["content"] = "two thirds"
    assert found(story) == {"diverged"}


def test_what_did_not_come_to_an_end_is_told(story):
    story.notes.append(story.line(30, "unfinished", problem="no answer"))
    assert found(story) == {"unfinished"}
