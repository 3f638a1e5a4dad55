"""Guessing passwords, with as little patience as an attacker has."""

import threading
from datetime import timedelta

import pytest
from django.test import Client

from accounts import actions, back_off, tokens
from accounts.back_off import Kind, Limit
from accounts.models import LoginFailure
from chatservice.mongo.client import database
from chatservice.timestamps import now

HERE, THERE, ELSEWHERE = "203.0.113.1", "203.0.113.2", "198.51.100.3"
FREE = 3


@pytest.fixture(autouse=True)
def limits(settings, monkeypatch):
    """Throttling on, with fewer free attempts, for each costs a hashing. The waits are real."""
    settings.THROTTLE = True
    for kind, free in ((Kind.ACCOUNT_AND_ADDRESS, FREE), (Kind.ACCOUNT, 6), (Kind.ADDRESS, 8)):
        longest = back_off.LIMITS[kind].longest_wait
        monkeypatch.setitem(back_off.LIMITS, kind, Limit(free=free, longest_wait=longest))


@pytest.fixture
def guess(client):
    def send(name, password="a wrong guess", address=HERE):
        form = {"username": name, "password": password}
        return client.post("/auth/login", form, REMOTE_ADDR=address)

    return send


def exhaust(guess, name, address=HERE):
    for _ in range(FREE):
        assert guess(name, address=address).status_code == 401


def assert_has_to_wait(response, seconds=30):
    assert response.status_code == 429
    assert seconds / 2 < int(response["Retry-After"]) <= seconds
    assert response.json()["detail"].startswith("Too many failed attempts to log in.")


def end_waits():
    """The passing of time."""
    LoginFailure.objects.update(blocked_until=now())


def test_after_some_failures_even_the_right_password_waits(guess, alice):
    exhaust(guess, alice.email)

    assert_has_to_wait(guess(alice.email, alice.password))
    end_waits()
    assert guess(alice.email, alice.password).status_code == 200


def test_an_unknown_account_waits_like_a_known_one(guess, alice):
    exhaust(guess, "nobody@example.com")

    assert_has_to_wait(guess("nobody@example.com"))


def test_the_spelling_of_the_name_does_not_matter(guess, alice):
    for name in (alice.email, alice.email.upper(), alice.email.title()):
        assert guess(name).status_code == 401

    assert_has_to_wait(guess(f" {alice.email} "))


def test_what_was_typed_for_a_name_is_not_stored(guess, alice):
    for name in ("Her Own Secret Words", alice.email):
        assert guess(name).status_code == 401

    stored = str(list(database()[LoginFailure._meta.db_table].find()))
    assert "secret" not in stored.lower()
    assert alice.email not in stored
    people = LoginFailure.objects.filter(kind=Kind.ACCOUNT_AND_ADDRESS).values_list("user_id")
    assert set(people) == {(None,), (alice.user.pk,)}


def test_waits_double_up_to_a_bound_and_refusals_do_not_prolong_them(guess, alice):
    exhaust(guess, alice.email)
    waits = []
    for _ in range(7):
        waits.append(int(guess(alice.email)["Retry-After"]))
        assert int(guess(alice.email)["Retry-After"]) <= waits[-1]
        end_waits()
        LoginFailure.objects.exclude(kind=Kind.ACCOUNT_AND_ADDRESS).delete()
        assert guess(alice.email).status_code == 401

    expected = [30, 60, 120, 240, 480, 900, 900]
    assert all(bound - 5 < wait <= bound for wait, bound in zip(waits, expected, strict=True)), (
        waits
    )


def test_the_right_password_starts_the_count_anew(guess, alice):
    for _ in range(2):
        for _ in range(FREE - 1):
            assert guess(alice.email).status_code == 401
        assert guess(alice.email, alice.password).status_code == 200


def test_failures_are_forgotten_after_a_while(guess, alice):
    exhaust(guess, alice.email)
    [failure] = LoginFailure.objects.filter(kind=Kind.ACCOUNT_AND_ADDRESS)
    assert timedelta(minutes=59) < failure.expires_at - now() <= timedelta(hours=1)

    # MongoDB may take another minute to delete it, and by then it does not count any more.
    LoginFailure.objects.update(expires_at=now(), blocked_until=now())
    exhaust(guess, alice.email)


def test_another_account_and_another_address_are_not_affected(guess, alice, bob):
    exhaust(guess, alice.email)

    assert guess(bob.email, bob.password).status_code == 200
    assert guess(alice.email, alice.password, address=THERE).status_code == 200


def test_guesses_sent_at_once_are_counted_one_by_one(alice, monkeypatch):
    guesses, looked_at, answers = 20, [], []
    start = threading.Barrier(guesses)
    check_password = type(alice.user).check_password

    def spy(user, password):
        looked_at.append(password)
        return check_password(user, password)

    monkeypatch.setattr(type(alice.user), "check_password", spy)

    def guess(number):
        start.wait()
        form = {"username": alice.email, "password": f"guess {number}"}
        answers.append(Client().post("/auth/login", form, REMOTE_ADDR=HERE).status_code)

    threads = [threading.Thread(target=guess, args=[number]) for number in range(guesses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(looked_at) == FREE
    assert sorted(answers) == [401] * FREE + [429] * (guesses - FREE)


def test_many_accounts_from_one_address_wait(guess, alice):
    for number in range(back_off.LIMITS[Kind.ADDRESS].free):
        assert guess(f"nobody{number}@example.com").status_code == 401

    assert_has_to_wait(guess(alice.email, alice.password))
    assert guess(alice.email, alice.password, address=THERE).status_code == 200


def test_knowing_one_password_buys_no_guesses_at_others(guess, alice):
    for number in range(back_off.LIMITS[Kind.ADDRESS].free):
        assert guess(f"nobody{number}@example.com").status_code == 401
        if number < 5:
            assert guess(alice.email, alice.password).status_code == 200

    assert_has_to_wait(guess("nobody@example.com"))


def test_an_ipv6_network_is_one_address(guess, alice, bob):
    for number in range(FREE):
        assert guess(alice.email, address=f"2001:db8::{number}").status_code == 401

    assert_has_to_wait(guess(alice.email, address="2001:db8::ffff"))
    assert guess(alice.email, address="2001:db8:0:1::").status_code == 401
    exhaust(guess, bob.email, address="::ffff:198.51.100.9")
    assert_has_to_wait(guess(bob.email, address="198.51.100.9"))


def test_guessing_at_one_account_from_everywhere_waits(guess, alice):
    for number in range(back_off.LIMITS[Kind.ACCOUNT].free):
        assert guess(alice.email, address=f"192.0.2.{number}").status_code == 401

    assert_has_to_wait(guess(alice.email, address="192.0.2.99"))


def test_strangers_cannot_keep_somebody_out_of_their_usual_places(guess, alice):
    assert guess(alice.email, alice.password, address=HERE).status_code == 200
    for number in range(back_off.LIMITS[Kind.ACCOUNT].free):
        assert guess(alice.email, address=f"192.0.2.{number}").status_code == 401

    assert_has_to_wait(guess(alice.email, alice.password, address=ELSEWHERE))
    assert guess(alice.email, alice.password, address=HERE).status_code == 200


def test_a_refused_attempt_counts_for_nothing(guess, alice):
    for number in range(back_off.LIMITS[Kind.ADDRESS].free):
        assert guess(f"nobody{number}@example.com").status_code == 401
    before = LoginFailure.objects.values_list("kind", "account", "address", "failures")
    before = {tuple(subject): count for *subject, count in before}
    for name in (alice.email, alice.email, "nobody0@example.com"):
        assert guess(name).status_code == 429

    for failure in LoginFailure.objects.all():
        subject = (failure.kind, failure.account, failure.address)
        assert failure.failures == before.get(subject, 0)


@pytest.mark.parametrize(
    "who",
    [lambda alice: alice.email.upper(), lambda alice: alice.user.username, lambda alice: HERE],
)
def test_unlocking_lifts_the_wait(guess, alice, who):
    exhaust(guess, alice.email)
    assert guess(alice.email).status_code == 429

    assert actions.unlock(name=who(alice)) > 0
    assert guess(alice.email, alice.password).status_code == 200


@pytest.mark.parametrize("nobody", ["", " ", "\u200b", "bob", "192.0.2.1"])
def test_unlocking_somebody_else_lifts_nothing(guess, alice, nobody):
    exhaust(guess, alice.email)

    assert actions.unlock(name=nobody) == 0
    assert guess(alice.email).status_code == 429


def test_the_old_password_is_not_for_guessing_either(client, alice):
    pair = tokens.issue(actions.open_session(user=alice.user))
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    body = {"old_password": "a wrong guess", "new_password": "entirely other words"}
    answers = [
        client.post("/auth/change_password", body, headers=headers, REMOTE_ADDR=HERE).status_code
        for _ in range(FREE + 1)
    ]

    assert answers == [422] * FREE + [429]


def test_the_admin_says_how_long_to_wait(client, guess, moira):
    exhaust(guess, moira.email)
    form = {"username": moira.email, "password": moira.password}
    response = client.post("/admin/login/", form, REMOTE_ADDR=HERE)

    assert "Too many failed attempts to log in. Try again in" in response.content.decode()
    assert client.get("/admin/").status_code == 302


def test_a_header_does_not_change_the_address(client, alice):
    form = {"username": alice.email, "password": "a wrong guess"}
    for number in range(FREE):
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        client.post("/auth/login", form, headers=headers, REMOTE_ADDR=HERE)

    response = client.post(
        "/auth/login", form, headers={"X-Forwarded-For": "192.0.2.99"}, REMOTE_ADDR=HERE
    )
    assert_has_to_wait(response)


def test_without_throttling_nothing_is_counted(guess, alice, settings):
    settings.THROTTLE = False
    for _ in range(FREE + 1):
        assert guess(alice.email).status_code == 401

    assert not LoginFailure.objects.exists()
