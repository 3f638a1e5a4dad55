"""The schedule: the same for the same seed, and with everything in it."""

import asyncio
import io
import re
import time

from chaos.catch_bugs import HUNTS
from chaos.faults import ON_CONNECTIONS, ON_PROCESSES, Hand
from chaos.planted_bugs import BUGS


class Hurried(Hand):
    """Deals without a pause between faults."""

    PAUSE = (0.0, 0.0)


def schedule(seed, faults=24):
    log, chances = io.StringIO(), []

    async def fault(scene, chance):
        chances.append(chance.random())
        if len(chances) == faults:
            hand.pack = {}

    hand = Hurried(dict.fromkeys(ON_PROCESSES | ON_CONNECTIONS, fault), seed, log)
    asyncio.run(hand.deal(None, time.monotonic() + 60))
    return re.findall(r"s  (.+) \.\.\.", log.getvalue()), chances


def test_a_seed_settles_what_happens_and_how():
    assert schedule("one") == schedule("one")
    assert schedule("one") != schedule("another")


def test_every_fault_comes_once_before_any_comes_again():
    names, _ = schedule("one")
    assert set(names[:12]) == set(names[12:]) == set(ON_PROCESSES | ON_CONNECTIONS)


def test_there_is_a_hunt_for_every_planted_bug():
    assert HUNTS.keys() == BUGS.keys()
