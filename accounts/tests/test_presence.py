"""Who is online, by the leases of the processes."""

from datetime import timedelta

from accounts import presence
from accounts.models import PresenceLease
from chatservice.realtime.loop import run
from chatservice.timestamps import now


def online(*people):
    return run(presence.online(person.user.pk for person in people))


def pass_time(duration, **which):
    for lease in PresenceLease.objects.filter(**which):
        PresenceLease.objects.filter(pk=lease.pk).update(expires_at=lease.expires_at - duration)


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


def test_a_killed_process_loses_its_people_and_the_others_keep_theirs(alice, bob):
    run(presence.arrive("killed", alice.user.pk))
    run(presence.arrive("living", bob.user.pk))
    pass_time(presence.LEASE_LIFE - timedelta(seconds=1))
    run(presence.renew("living"))
    assert online(alice, bob) == {alice.user.pk, bob.user.pk}

    pass_time(timedelta(seconds=1))
    # The documents are still there: MongoDB deletes them up to a minute late.
    assert PresenceLease.objects.count() == 2
    assert online(alice, bob) == {bob.user.pk}


def test_two_renewals_may_fail(alice):
    run(presence.arrive("one", alice.user.pk))
    assert 2 * presence.RENEW_INTERVAL < presence.LEASE_LIFE


def test_a_lease_that_was_lost_is_taken_again(alice, bob):
    run(presence.arrive("one", alice.user.pk))
    PresenceLease.objects.all().delete()
    run(presence.renew("one", [alice.user.pk, bob.user.pk]))

    assert online(alice, bob) == {alice.user.pk, bob.user.pk}


def test_a_process_that_stops_gives_its_leases_back(alice, bob):
    run(presence.arrive("one", alice.user.pk))
    run(presence.arrive("two", bob.user.pk))
    run(presence.drop_process("one"))

    assert online(alice, bob) == {bob.user.pk}
    assert PresenceLease.objects.get().expires_at > now()
