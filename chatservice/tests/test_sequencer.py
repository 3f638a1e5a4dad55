"""What several processes announce at the same time is put back in order."""

import asyncio

from chatservice.realtime.channel_manager import (  # noqa: TID251 (it tells no browser)
    ChannelLayerManager,
    Delivery,
    Event,
)
from chatservice.realtime.sequencer import Sequencer


def handed_on(*numbers, may_hold=True):
    """What comes out, in order, when items come in with these numbers, and some time passes."""
    late = []

    async def push_all():
        sequencer = Sequencer(on_late=late.extend)
        in_turn = [
            item
            for number in numbers
            for item in sequencer.push("room", number, number, may_hold=may_hold)
        ]
        held = [len(sequence.held) for sequence in sequencer._sequences.values()]
        while any(sequence.held for sequence in sequencer._sequences.values()):
            await asyncio.sleep(0.01)
        return in_turn, sum(held)

    in_turn, held = asyncio.run(push_all())
    assert len(late) == held
    return in_turn, late


def test_the_first_that_is_heard_of_waits_a_moment_for_the_one_before():
    assert handed_on(4, 5, 3, 6) == ([3, 4, 5, 6], [])
    assert handed_on(7, 8) == ([], [7, 8])
    assert handed_on(1, 2) == ([1, 2], [])


def test_what_comes_too_early_waits_for_its_turn():
    assert handed_on(1, 3, 4, 2, 5) == ([1, 2, 3, 4, 5], [])
    assert handed_on(1, 3, 4) == ([1], [3, 4])


def test_a_gap_is_waited_for_although_what_came_first_waits_no_more():
    async def push_all():
        late = []
        sequencer = Sequencer(on_late=late.extend)
        assert sequencer.push("room", 3, 3, may_hold=True) == []
        assert sequencer.push("room", 5, 5, may_hold=True) == []
        while not late:
            await asyncio.sleep(0.01)
        return late, sequencer.push("room", 4, 4, may_hold=True)

    assert asyncio.run(push_all()) == ([3], [4, 5])


def test_nothing_is_held_while_the_others_cannot_be_heard():
    assert handed_on(4, 6, 5, may_hold=False) == ([4, 6, 5], [])


def test_what_has_waited_is_delivered_before_what_comes_at_that_moment(monkeypatch):
    manager = ChannelLayerManager(is_direct=True, namespace="/")
    delivered = []

    async def emit_together(events, namespace, addresses):
        delivered.extend(payload for _name, payload in events)

    monkeypatch.setattr(manager, "emit_together", emit_together)

    def delivery(number):
        return Delivery([Event("room_event", lambda: number, protocol=2)], ["somebody"])

    async def give_up_and_go_on():
        manager._deliver_soon([delivery(3)])
        await manager._deliver_all([delivery(4)])
        await asyncio.sleep(0)

    asyncio.run(give_up_and_go_on())
    assert delivered == [3, 4]


def test_a_payload_is_made_once_and_only_for_somebody_who_hears_it(monkeypatch):
    manager = ChannelLayerManager(is_direct=True, namespace="/")
    made = []
    events = [
        Event("heard", lambda: made.append("heard"), protocol=2),
        Event("not heard", lambda: made.append("not heard"), protocol=1),
    ]
    monkeypatch.setattr(manager, "_packets", lambda name, payload, namespace: [])
    monkeypatch.setattr(manager, "_push", lambda packets, sockets: None)
    manager.listeners.add("socket", object(), ["user:alice:2"])

    asyncio.run(manager.publish(Delivery(events, ["alice", "bob"])))
    asyncio.run(manager.publish(Delivery(events, ["alice"])))

    assert made == ["heard"]
