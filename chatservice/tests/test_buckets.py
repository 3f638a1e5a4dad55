"""Rate limits: the token buckets of one process, and what a refusal says."""

from types import SimpleNamespace

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from chatservice import limits, metrics
from chatservice.limits import Buckets, Limit, TooMany
from chatservice.tests.properties import quick

SLOW = Limit("slow", per_second=0.5, burst=4)
FAST = Limit("fast", per_second=8, burst=2)


class Clock:
    """`time`, as `chatservice.limits` sees it: it stands still until a test sets it."""

    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


@pytest.fixture
def buckets(settings):
    settings.THROTTLE = True
    return serving_buckets()


def serving_buckets():
    made = Buckets()
    made.is_serving = made.is_shared = True
    return made


def taken(buckets, limit, subject, at_most=10_000):
    """Return the number of tokens given before the first refusal, and its wait."""
    for count in range(at_most):
        try:
            buckets.take(limit, subject)
        except TooMany as error:
            return count, error.wait
    raise AssertionError("nothing was refused")


def test_a_bucket_gives_its_burst_and_then_says_how_long_to_wait(buckets):
    assert taken(buckets, limits.SIGN_UPS, "here") == (limits.SIGN_UPS.burst, 2)
    assert taken(buckets, limits.SIGN_UPS, "there") == (limits.SIGN_UPS.burst, 2)
    assert taken(buckets, limits.NEW_ROOMS, "here") == (limits.NEW_ROOMS.burst, 1)


@pytest.mark.parametrize("limit", limits.LIMITS, ids=lambda limit: limit.name)
def test_every_limit_gives_its_burst_and_what_is_refilled(buckets, clock, limit):
    count, wait = taken(buckets, limit, "here")
    assert limit.burst - 1 <= count <= limit.burst  # rounding may cost one
    assert wait == max(1, 1 / limit.per_second)

    clock.now += 10 / limit.per_second
    refilled = min(10, limit.burst)
    assert refilled <= taken(buckets, limit, "here")[0] <= refilled + 1


# Refilling


@pytest.mark.parametrize(
    ("seconds", "given"),
    [(0, 0), (1.75, 0), (2, 1), (3.75, 1), (4, 2), (7.75, 3), (8, 4), (1_000_000, 4)],
)
def test_an_empty_bucket_fills_over_time_up_to_its_burst(buckets, clock, seconds, given):
    taken(buckets, SLOW, "here")
    clock.now += seconds

    assert taken(buckets, SLOW, "here")[0] == given


def test_a_full_bucket_does_not_overflow(buckets, clock):
    clock.now += 1_000_000

    assert taken(buckets, SLOW, "here")[0] == SLOW.burst


@pytest.mark.parametrize(
    ("seconds", "wait"), [(0, 2), (0.5, 2), (1, 1), (1.25, 1), (1.999, 1)], ids=str
)
def test_the_wait_is_in_whole_seconds_after_which_there_is_a_token(buckets, clock, seconds, wait):
    taken(buckets, SLOW, "here")
    clock.now += seconds
    assert taken(buckets, SLOW, "here") == (0, wait)

    clock.now += wait
    buckets.take(SLOW, "here")


def test_a_refusal_takes_nothing(buckets, clock):
    taken(buckets, SLOW, "here")
    for _ in range(100):
        assert taken(buckets, SLOW, "here") == (0, 2)

    clock.now += 2
    assert taken(buckets, SLOW, "here")[0] == 1
    assert buckets.collect_spent() == [("slow", "here", SLOW.burst + 1)]


def test_a_limit_fills_in_the_time_for_its_burst():
    assert SLOW.fills_in == 8
    assert FAST.fills_in == 0.25


# What is apart


def test_subjects_and_limits_have_buckets_of_their_own(buckets):
    taken(buckets, SLOW, "here")

    assert taken(buckets, SLOW, "there")[0] == SLOW.burst
    assert taken(buckets, FAST, "here")[0] == FAST.burst
    assert taken(serving_buckets(), SLOW, "here")[0] == SLOW.burst


def test_a_subject_is_what_it_is_as_text(buckets):
    taken(buckets, SLOW, 7)

    assert taken(buckets, SLOW, "7")[0] == 0


# Where there are no limits


def test_commands_have_no_limits(buckets):
    buckets.is_serving = False
    for _ in range(2 * SLOW.burst):
        buckets.take(SLOW, "here")

    buckets.is_serving = True
    assert taken(buckets, SLOW, "here")[0] == SLOW.burst
    assert buckets.collect_spent() == [("slow", "here", SLOW.burst)]


def test_with_throttle_off_there_are_no_limits(buckets, settings):
    settings.THROTTLE = False
    for _ in range(2 * SLOW.burst):
        buckets.take(SLOW, "here")

    settings.THROTTLE = True
    assert taken(buckets, SLOW, "here")[0] == SLOW.burst


def test_buckets_serve_nobody_until_they_are_told_to(settings):
    settings.THROTTLE = True

    assert (Buckets().is_serving, Buckets().is_shared) == (False, False)


# Several processes


def test_what_others_report_is_gone_and_not_reported_again(buckets):
    buckets.note_spent([["sign_ups", "here", limits.SIGN_UPS.burst - 10], ["unknown", "x", 1]])
    assert taken(buckets, limits.SIGN_UPS, "here")[0] == 10
    assert buckets.collect_spent() == [("sign_ups", "here", 10)]
    assert buckets.collect_spent() == []


def test_nobody_waits_for_ever_for_what_others_report(buckets):
    for _ in range(100):
        buckets.note_spent([["sign_ups", "here", limits.SIGN_UPS.burst]])
    count, wait = taken(buckets, limits.SIGN_UPS, "here")
    assert count == 0
    assert wait <= limits.SIGN_UPS.fills_in + 2


def test_what_others_report_fills_again(buckets, clock):
    buckets.note_spent([["sign_ups", "here", limits.SIGN_UPS.burst]])
    assert taken(buckets, limits.SIGN_UPS, "here") == (0, 2)

    clock.now += 20
    assert taken(buckets, limits.SIGN_UPS, "here")[0] == 10


def test_one_process_reports_nothing(buckets):
    buckets.is_shared = False
    buckets.take(SLOW, "here")

    assert buckets.collect_spent() == []


def test_each_bucket_is_reported_apart(buckets):
    for limit, subject in [(SLOW, "here"), (FAST, "here"), (SLOW, "there"), (SLOW, "here")]:
        buckets.take(limit, subject)

    assert sorted(buckets.collect_spent()) == [
        ("fast", "here", 1),
        ("slow", "here", 2),
        ("slow", "there", 1),
    ]


# Memory


def test_buckets_that_are_full_again_are_forgotten(buckets, clock, monkeypatch):
    monkeypatch.setattr(limits, "PURGE_AT", 100)
    buckets._purge_at = 100
    for number in range(1_000):
        buckets.take(FAST, number)
        clock.now += 1 / FAST.per_second
    assert len(buckets._full_at) <= 101


def test_forgetting_gives_nobody_a_token(buckets, clock, monkeypatch):
    monkeypatch.setattr(limits, "PURGE_AT", 10)
    buckets._purge_at = 10
    taken(buckets, SLOW, "here")
    buckets.take(SLOW, "there")
    for number in range(100):
        buckets.take(SLOW, number)

    assert taken(buckets, SLOW, "there")[0] == SLOW.burst - 1
    assert taken(buckets, SLOW, "here") == (0, 2)
    clock.now += 2
    for number in range(200, 400):
        buckets.take(SLOW, number)
    assert taken(buckets, SLOW, "here")[0] == 1


# What a refusal says


@pytest.mark.parametrize(
    ("wait", "seconds", "text"),
    [
        (0.000_1, 1, "in 1 second."),
        (1, 1, "in 1 second."),
        (1.000_1, 2, "in 2 seconds."),
        (59.5, 60, "in 60 seconds."),
        (3_600, 3_600, "in 3600 seconds."),
    ],
)
def test_a_refusal_names_a_wait_of_whole_seconds_and_at_least_one(wait, seconds, text):
    refusal = TooMany(wait)

    assert (refusal.status_code, refusal.wait) == (429, seconds)
    assert str(refusal.detail).endswith(text)


def test_refusals_are_counted(buckets):
    def refusals():
        return metrics.REGISTRY.get_sample_value("chat_refusals_total", {"limit": "slow"}) or 0

    before = refusals()
    taken(buckets, SLOW, "here")

    assert refusals() == before + 1


@pytest.mark.parametrize(
    ("is_authenticated", "expected"), [(True, [(limits.API_REQUESTS, "alice")]), (False, [])]
)
def test_the_api_counts_requests_of_people_who_are_logged_in(
    monkeypatch, is_authenticated, expected
):
    asked = []
    monkeypatch.setattr(limits, "take", lambda limit, subject: asked.append((limit, subject)))
    request = SimpleNamespace(user=SimpleNamespace(is_authenticated=is_authenticated, pk="alice"))

    assert limits.ApiThrottle().allow_request(request, view=None) is True
    assert asked == expected


# Any sequence of requests

# Powers of two: with them, floating point is exact, and so are the comparisons.
any_limit = st.builds(
    Limit,
    name=st.just("any"),
    per_second=st.sampled_from([0.25, 0.5, 1, 2, 8]),
    burst=st.integers(1, 6),
)
pauses = st.lists(st.integers(0, 40).map(lambda eighths: eighths / 8), max_size=40)


@quick
@given(any_limit, pauses)
def test_no_more_is_given_than_the_burst_and_what_was_refilled(limit, pauses):
    moments, refused = given_at(limit, pauses)

    assert len(moments) + len(refused) == len(pauses)
    for index, first in enumerate(moments):
        for count, last in enumerate(moments[index:], start=1):
            assert count <= limit.burst + limit.per_second * (last - first)


@quick
@given(any_limit, pauses)
def test_whatever_a_plain_count_of_tokens_gives_is_given(limit, pauses):
    moments, tokens, before = [], limit.burst, None
    now = 0.0
    for pause in pauses:
        now += pause
        passed = 0 if before is None else now - before
        tokens, before = min(limit.burst, tokens + passed * limit.per_second), now
        if tokens >= 1:
            tokens -= 1
            moments.append(now)

    assert given_at(limit, pauses)[0] == moments


def given_at(limit, pauses):
    """When a bucket gives a token, and when it refuses, to somebody who asks after each pause."""
    buckets, moments, refused = serving_buckets(), [], []
    clock = Clock()
    clock.now = 0.0
    with override_settings(THROTTLE=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "time", clock)
        for pause in pauses:
            clock.now += pause
            try:
                buckets.take(limit, "here")
            except TooMany:
                refused.append(clock.now)
            else:
                moments.append(clock.now)
    return moments, refused
