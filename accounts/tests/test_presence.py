"""Who is online, by the leases of the processes."""

from datetime import timedelta

import pytest

from accounts import presence
from accounts.models import PresenceLease
from chat.sockets import PresenceFeed
from chatservice.realtime.loop import run
from chatservice.timestamps import now


def online(*people):
    return run(presence.online(person.user.pk for person in people))


@pytest.fixture
def pass_time(monkeypatch):
    """Lets time pass for this process. A server on the same database has its own."""
    passed = timedelta()

    def pass_time(duration):
        nonlocal passed
        passed += duration
        monkeypatch.setattr(presence, "now", lambda: now() + passed)

    return pass_time


def test_is_online_from_the_first_arrival_to_the_last_departure(alice, bob):
    assert online(alice, bob) == set()
    for process in ("one", "two"):
        run(presence.arrive(process, alice.user.pk))
        run(presence.arrive(process, alice.user.pk))
    assert online(alice, bob) == {alice.user.pk}

    run(presence.leave("one", alice.user.pk))
    assert online(alice, bob) == {alice.user.pk}
    run(presence.leave("two", alice.user.pk))
    assert online(alice, bob) == set()


def test_a_killed_process_loses_its_people_and_the_others_keep_theirs(alice, bob, pass_time):
    run(presence.arrive("killed", alice.user.pk))
    run(presence.arrive("living", bob.user.pk))
    pass_time(presence.LEASE_LIFE - timedelta(seconds=1))
    assert run(presence.renew("living", [bob.user.pk])) == set()
    assert online(alice, bob) == {alice.user.pk, bob.user.pk}

    pass_time(timedelta(seconds=1))
    # The documents are still there: MongoDB deletes them up to a minute late.
    assert PresenceLease.objects.count() == 2
    assert online(alice, bob) == {bob.user.pk}


def test_two_renewals_may_fail(alice):
    run(presence.arrive("one", alice.user.pk))
    assert 2 * presence.RENEW_INTERVAL < presence.LEASE_LIFE


def test_a_minute_is_enough_for_everybody_to_hear_of_a_killed_process():
    until_told = presence.LEASE_LIFE + presence.COLLECT_INTERVAL
    assert until_told.total_seconds() + 5 * PresenceFeed.INTERVAL < 60


def test_a_lease_that_was_lost_is_taken_again(alice, bob):
    run(presence.arrive("one", alice.user.pk))
    PresenceLease.objects.all().delete()
    taken = run(presence.renew("one", [alice.user.pk, bob.user.pk]))

    assert online(alice, bob) == taken == {alice.user.pk, bob.user.pk}


def test_a_lease_that_ran_out_while_all_stood_still_is_announced_anew(alice, bob, pass_time):
    for person in (alice, bob):
        run(presence.arrive("one", person.user.pk))
    pass_time(presence.LEASE_LIFE / 2)
    run(presence.arrive("two", bob.user.pk))
    pass_time(presence.LEASE_LIFE / 2)
    assert run(presence.collect_expired()) == {alice.user.pk}

    assert run(presence.renew("one", [alice.user.pk, bob.user.pk])) == {alice.user.pk}
    assert online(alice, bob) == {alice.user.pk, bob.user.pk}


def test_a_departure_that_could_not_be_written_is_noticed_all_the_same(alice, bob, pass_time):
    run(presence.arrive("one", alice.user.pk))
    run(presence.arrive("one", bob.user.pk))
    pass_time(presence.LEASE_LIFE - timedelta(seconds=1))
    run(presence.renew("one", [alice.user.pk]))  # Bob has gone
    pass_time(timedelta(seconds=1))

    assert run(presence.collect_expired()) == {bob.user.pk}
    assert online(alice, bob) == {alice.user.pk}


def test_the_people_of_a_process_that_stops_have_some_seconds_to_come_back(
    alice, bob, carol, pass_time
):
    for process, person in (("one", alice), ("one", bob), ("two", carol)):
        run(presence.arrive(process, person.user.pk))
    run(presence.hand_over("one"))

    assert run(presence.arrive("three", bob.user.pk)) is True  # and nobody is told
    pass_time(presence.RETURN_TIME)
    assert online(alice, bob, carol) == {bob.user.pk, carol.user.pk}
    assert run(presence.collect_expired()) == {alice.user.pk}
