"""Slowing down whoever guesses passwords, without locking out who knows theirs.

Every attempt to log in is counted before the password is looked at, and uncounted when it was
right: a hundred guesses sent at once are a hundred attempts, not one. Each counts for three
subjects, and one refusal is enough:

| subject | free | then each failure means a wait of | forgotten after |
| --- | --- | --- | --- |
| an account from one address | 10 | 30 s, doubling up to 15 min | 1 hour without a failure |
| an account from anywhere | 100 | 30 s, doubling up to 5 min | 1 hour without a failure |
| an address, for any account | 100 | 30 s, doubling up to 15 min | 1 hour without a failure |

So one address gets about a hundred guesses a day at one account, and all addresses together some
four hundred. During a wait the attempts are refused (429) and count for nothing, so a wait always
ends. The second line does not hold against an address that the account has logged in from lately:
a stranger who keeps failing cannot keep its owner out of their usual places. An account is the name
as it was given, whether or not somebody goes by it: the answers do not tell. What is stored of the
name is a keyed hash, for people also type their password where the name belongs.

The state is in MongoDB, one document for each subject, changed by one atomic update: all processes
share it. `manage.py unlock` forgets it. With `settings.THROTTLE` off nothing is counted.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from rest_framework.exceptions import Throttled

from chatservice.languages import digits
from chatservice.mongo.client import database
from chatservice.timestamps import now

from .addresses import network_of
from .models import LoginFailure
from .names import key_of

Kind = LoginFailure.Kind


class TooManyFailures(Throttled):
    """429 with `Retry-After`."""

    def __init__(self, wait: timedelta) -> None:
        seconds = max(math.ceil(wait.total_seconds()), 1)
        text = ngettext(
            "Too many failed attempts to log in. Try again in %(seconds)s second.",
            "Too many failed attempts to log in. Try again in %(seconds)s seconds.",
            seconds,
        )
        super().__init__(detail=text % {"seconds": digits(seconds)})
        self.wait = seconds


@dataclass(frozen=True)
class Limit:
    free: int
    longest_wait: timedelta


FIRST_WAIT = timedelta(seconds=30)
MEMORY = timedelta(hours=1)
LIMITS = {
    Kind.ACCOUNT_AND_ADDRESS: Limit(free=10, longest_wait=timedelta(minutes=15)),
    Kind.ACCOUNT: Limit(free=100, longest_wait=timedelta(minutes=5)),
    Kind.ADDRESS: Limit(free=100, longest_wait=timedelta(minutes=15)),
}


@dataclass(frozen=True)
class Subject:
    """What failures are counted for."""

    kind: LoginFailure.Kind
    account: str = ""
    address: str = ""

    @property
    def document(self) -> dict[str, str]:
        return {"kind": self.kind.value, "account": self.account, "address": self.address}


def account_of(name: str) -> str:
    """What a name is counted under, the same for all its spellings: a hash, 64 hex digits.

    Without `SECRET_KEY` nobody can find out which name it was, not even by trying them all.
    """
    return salted_hmac("accounts.back_off", key_of(name), algorithm="sha256").hexdigest()


def count_attempt(
    *, name: str, network: str, is_usual: bool, user_id: ObjectId | None = None
) -> list[Subject]:
    """Count an attempt to log in under a name from a network; return what it was counted for.

    `is_usual`: the account has logged in from there lately. `user_id` is who goes by the name, for
    staff to see. Raises TooManyFailures, and counts nothing, if it has to wait.
    """
    if not settings.THROTTLE:
        return []
    account = account_of(name)
    subjects = [Subject(Kind.ACCOUNT_AND_ADDRESS, account, network)]
    if not is_usual:
        subjects.append(Subject(Kind.ACCOUNT, account=account))
    if network:  # a server on a Unix socket sees none
        subjects.append(Subject(Kind.ADDRESS, address=network))
    for position, subject in enumerate(subjects):
        if blocked_until := _count(subject, user_id):
            uncount(subjects[:position])
            raise TooManyFailures(blocked_until - now())
    return subjects


def forgive(subjects: list[Subject]) -> None:
    """Note that the attempt was no failure. The account's own count at this address starts anew.

    The other counts only lose this attempt: one who knows a password could otherwise guess at
    others for ever, by logging in with it now and then.
    """
    own = [subject for subject in subjects if subject.kind == Kind.ACCOUNT_AND_ADDRESS]
    for subject in own:
        _failures().delete_one(subject.document)
    uncount([subject for subject in subjects if subject not in own])


def uncount(subjects: list[Subject]) -> None:
    """Take one attempt back from each."""
    for subject in subjects:
        remaining = {"$max": [{"$subtract": ["$failures", 1]}, 0]}
        is_blocked = {"$gte": [remaining, LIMITS[subject.kind].free]}
        change = {
            "failures": remaining,
            "blocked_until": {"$cond": [is_blocked, "$blocked_until", None]},
        }
        _failures().update_one(subject.document, [{"$set": change}])


def forget(*, name: str) -> int:
    """Forget all failures of an account or an address given as text; return how many counts."""
    if not key_of(name):
        return 0
    return forget_counts(account=account_of(name)) + forget_counts(address=network_of(name.strip()))


def forget_counts(**subject: str) -> int:
    """Forget all failures under an `account` or an `address` as stored; return how many counts."""
    return _failures().delete_many(subject).deleted_count


def _count(subject: Subject, user_id: ObjectId | None) -> datetime | None:
    """Count one attempt; or return until when the subject has to wait, and count nothing."""
    limit = LIMITS[subject.kind]
    while True:
        moment = now()
        # MongoDB deletes what is to be forgotten up to a minute late, so the time is compared.
        remembered = {"$cond": [{"$gt": ["$expires_at", moment]}, "$failures", 0]}
        failures = {"$add": [remembered, 1]}
        doublings = {"$min": [{"$subtract": [failures, limit.free]}, 32]}
        wait = {"$multiply": [_milliseconds(FIRST_WAIT), {"$pow": [2, doublings]}]}
        wait = {"$min": [wait, _milliseconds(limit.longest_wait)]}
        change = {
            "user_id": user_id if subject.account else None,
            "failures": failures,
            "blocked_until": {
                "$cond": [{"$gte": [failures, limit.free]}, {"$add": [moment, wait]}, None]
            },
            "expires_at": moment + MEMORY,
        }
        # A subject that has to wait is not matched, and inserting it a second time fails.
        not_blocked = {"$or": [{"blocked_until": None}, {"blocked_until": {"$lte": moment}}]}
        try:
            _failures().update_one(
                {**subject.document, **not_blocked}, [{"$set": change}], upsert=True
            )
            return None
        except DuplicateKeyError:
            stored = _failures().find_one(subject.document)
            if stored and stored["blocked_until"] and stored["blocked_until"] > moment:
                return stored["blocked_until"]
            # Otherwise two first attempts met, or the wait has just ended: once more.


def _milliseconds(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))


def _failures() -> Collection[dict[str, Any]]:
    return database()[LoginFailure._meta.db_table]
