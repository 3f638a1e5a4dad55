"""The checker: silent about a run in which all went well, loud about each thing that did not."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from bson import ObjectId

from chaos.checker import BAN_GRACE, EXPIRY_GRACE, ROWS, ClientJournal, check
from chaos.parts import CHECKOUT
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
            self.room["messages"][str(seq)] = [content or "", content is None, self.date(seq)]
        self.alice = [self.line(0, "is", person=ALICE, sequential=True)]
        for seq in (2, 3, 5):
            self.alice.append(self.acknowledged(seq))
        for seq in (2, 3, 5):
            self.alice.append(self.acknowledged(seq) | {"what": "sending"})
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

    def date(self, seq):
        return datetime.fromtimestamp(BEGIN + seq, UTC).isoformat()

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
        fields |= {"timestamp": self.date(seq), "duplicate": False}
        return self.line(seq, "acknowledged", text=entry["content"], **fields)

    def check(self):
        # Beside the tests' own, of which each worker has one.
        collection = database().client[f"{database().name}_checker"]
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
            collection.client.drop_database(collection.name)


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


def test_too_few_messages_and_faults_that_came_to_nothing_are_told(story):
    expected = {"acknowledged": 3, "faults": ["flood", "fire"], "expiries": 1, "repeats": 0}
    story.notes.append(story.line(0, "expected", **expected))
    story.notes.append(story.line(1, "fault", name="flood", count=0))
    story.notes.append(story.line(2, "fault", name="flood", count=2))
    story.notes.append(story.line(3, "fault", name="fire", count=1))
    story.alice.append(story.line(4, "expired"))
    report = story.check()
    assert report.is_clean, report.table()
    assert report.happened["flood"] == (2, 2)
    assert report.faults == 3

    story.notes[-1]["count"] = 0
    story.alice.pop()
    expected = next(line for line in story.notes if line["what"] == "expected")
    expected |= {"acknowledged": 4, "repeats": 1}
    problems = story.check().problems["untested"]
    assert [problem.split()[0] for problem in problems] == ["'fire'", "tokens", "messages", "3"]


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


def test_who_is_removed_and_goes_on_writing_is_noticed(story):
    story.log[4]["actor_id"] = ObjectId(BOB)
    assert found(story) == {"seen after removal"}


def banned(story, grace):
    """Bob is banned so long before entry 3, and let in right before 4."""
    story.notes.append(story.line(3 - grace, "banned", person=BOB))
    story.notes.append(story.line(3.9, "let in", person=BOB))
    return found(story)


def test_what_reaches_somebody_who_was_banned_is_noticed(story):
    assert banned(story, BAN_GRACE + 0.5) == {"seen after removal"}


def test_to_cut_off_somebody_who_is_banned_may_take_a_moment(story):
    assert banned(story, BAN_GRACE - 0.5) == set()


def test_who_is_banned_and_goes_on_writing_is_noticed(story):
    story.bob = story.bob[:1]
    story.log[2]["actor_id"] = ObjectId(BOB)
    assert banned(story, BAN_GRACE + 0.5) == {"seen after removal"}


@pytest.mark.parametrize(("late", "rows"), [(-0.5, set()), (0.5, {"seen after removal"})])
def test_what_comes_after_the_end_of_the_last_token_is_noticed(story, late, rows):
    expires = BEGIN + 4 - EXPIRY_GRACE - late
    story.bob.insert(1, story.line(0, "token", expires=expires))
    assert found(story) == rows


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_message_with_the_date_of_its_senders_clock_is_noticed(story, hours):
    date = datetime.fromtimestamp(BEGIN + 5 + hours * 3600, UTC)
    story.log[4]["created_at"] = date
    for line in story.alice:
        if line.get("seq") == 5 and "timestamp" in line:
            line["timestamp"] = date.isoformat()
    assert found(story) == {"diverged"}


def test_an_acknowledgement_with_another_date_is_noticed(story):
    story.alice[1]["timestamp"] = story.date(2.5)
    assert found(story) == {"diverged"}


def test_a_client_that_shows_something_else_than_what_is_read_has_diverged(story):
    other = story.room["messages"] | {"2": ["one", False, story.date(2)]}
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


def test_the_checker_uses_nothing_of_the_product():
    code = "import sys, chaos.checker; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    own = {path.name for path in CHECKOUT.iterdir() if (path / "__init__.py").exists()}
    assert {"chat", "accounts", "chatservice", "chaos"} <= own
    assert own.intersection(run.stdout.split()) == {"chaos"}
