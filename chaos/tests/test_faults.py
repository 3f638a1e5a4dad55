"""The schedule: the same for the same seed, with everything in it, and with all that came of it."""

import asyncio
import io
import re
import time

import pytest

from chaos import faults
from chaos.__main__ import faults_on_processes, overview, parse
from chaos.catch_bugs import HUNTS
from chaos.checker import Report
from chaos.faults import IN_LONG_RUNS, ON_CONNECTIONS, ON_PROCESSES, ON_REDIS, Hand, Outcome
from chaos.planted_bugs import BUGS

ALL = ON_PROCESSES | ON_REDIS | ON_CONNECTIONS


class Hurried(Hand):
    """Deals without a pause between faults."""

    PAUSE = (0.0, 0.0)


class Notes:
    def __init__(self):
        self.lines = []

    def write(self, what, **fields):
        self.lines.append((what, fields))


def schedule(seed, seconds=60):
    """The names of the faults that were dealt, their dice, and what was noted of them."""
    log, notes, chances = io.StringIO(), Notes(), []

    async def fault(scene, chance):
        chances.append(chance.random())
        if len(chances) == 2 * len(ALL):
            hand.pack = {}
        return Outcome(2, "twice")

    hand = Hurried(dict.fromkeys(ALL, fault), seed, log, notes)
    asyncio.run(hand.deal(None, time.monotonic() + seconds))
    return re.findall(r"s  (.+) \.\.\.", log.getvalue()), chances, notes.lines


def test_a_seed_settles_what_happens_and_how():
    assert schedule("one") == schedule("one")
    assert schedule("one")[:2] != schedule("another")[:2]


def test_every_fault_comes_once_before_any_comes_again():
    names, _, _ = schedule("one")
    assert set(names[: len(ALL)]) == set(names[len(ALL) :]) == set(ALL)


def test_every_fault_comes_once_although_time_is_up():
    names, _, notes = schedule("one", seconds=-1)
    assert sorted(names) == sorted(ALL)
    assert notes == [("fault", {"name": name, "count": 2}) for name in names]


def test_a_hunt_goes_on_until_its_fault_came_often_enough():
    async def fault(scene, chance):
        return Outcome(1)

    notes = Notes()
    hand = Hurried({"fault": fault}, "one", io.StringIO(), notes, rounds=4)
    asyncio.run(hand.deal(None, time.monotonic() - 1))
    assert len(notes.lines) == 4


def test_a_fault_that_hangs_is_told(monkeypatch):
    monkeypatch.setattr(faults, "FAULT_SECONDS", 0.01)

    async def hang(scene, chance):
        await asyncio.Event().wait()

    notes = Notes()
    hand = Hurried({"hanging": hang}, "one", io.StringIO(), notes)
    asyncio.run(hand.deal(None, time.monotonic()))
    assert [what for what, _ in notes.lines] == ["unfinished", "fault"]
    assert notes.lines[1][1] == {"name": "hanging", "count": 0}


def test_there_is_a_hunt_for_every_planted_bug():
    assert HUNTS.keys() == BUGS.keys()


def test_long_runs_have_the_long_outage_too(monkeypatch):
    monkeypatch.setattr("chaos.__main__.Redis.is_installed", lambda: True)
    assert faults_on_processes(2).keys() == ON_PROCESSES.keys() | ON_REDIS.keys()
    assert faults_on_processes(30).keys() - faults_on_processes(2).keys() == IN_LONG_RUNS.keys()


def test_without_redis_there_are_no_faults_of_it(monkeypatch):
    monkeypatch.setattr("chaos.__main__.Redis.is_installed", lambda: False)
    assert faults_on_processes(30).keys() == ON_PROCESSES.keys()


def test_a_seed_is_made_where_none_is_given():
    assert parse([]).seed != parse([]).seed
    assert parse(["--seed", "one"]).seed == "one"


@pytest.mark.parametrize("row", ["lost", "untested"])
def test_the_overview_has_a_line_for_each_seed(row):
    good, bad = Report(acknowledged=7), Report(acknowledged=8)
    bad.problems[row].append("a thing")
    head, first, second = overview({"a-1": good, "a-2": bad}).splitlines()
    column = slice(head.index(row), head.index(row) + len(row))
    assert (first[column].strip(), second[column].strip()) == ("0", "1")
    assert (first.split()[:3], second.split()[:3]) == (["a-1", "0", "7"], ["a-2", "0", "8"])
