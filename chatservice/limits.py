"""How often one may ask: a token bucket for each limit and subject (a person, an address, a room).

A bucket holds `burst` tokens and gets `per_second` new ones; each request takes one, and who finds
none is told how long to wait. docs/limits.md explains the numbers. The buckets are in memory, so
that asking costs a microsecond and waits for nothing, not for Redis and not for the database;
several processes tell each other twice a second what was taken (`chatservice.limit_sharing`). All
of it holds in server processes only, and with `THROTTLE=off` not at all.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import ngettext
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from . import metrics
from .languages import digits

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    per_second: float
    burst: int

    @property
    def fills_in(self) -> float:
        """Seconds in which an empty bucket is full again."""
        return self.burst / self.per_second


# For each address (an IPv4 address, or an IPv6 network of /64). A whole school may be behind one.
HTTP_REQUESTS = Limit("http_requests", 100, 2_000)
SIGN_UPS = Limit("sign_ups", 0.5, 500)
LOG_INS = Limit("log_ins", 5, 500)
HANDSHAKES = Limit("handshakes", 50, 2_000)

# For each person, on all devices together.
API_REQUESTS = Limit("api_requests", 50, 500)
SOCKET_EVENTS = Limit("socket_events", 50, 500)
MESSAGES = Limit("messages", 20, 300)
NEW_ROOMS = Limit("new_rooms", 1, 60)
UPLOADS = Limit("uploads", 2, 60)
LOOK_UPS = Limit("look_ups", 20, 500)  # what answers with much, or asks the database much

# For each person in each room. What is above it is not refused, it just is no news.
TYPING = Limit("typing", 1, 3)

# For each room: what is added to its log.
ROOM_ENTRIES = Limit("room_entries", 200, 2_000)

# For each socket: what was refused for any of the above. Whoever goes on gets cut.
REFUSALS = Limit("refusals", 10, 200)

LIMITS = (
    *(HTTP_REQUESTS, SIGN_UPS, LOG_INS, HANDSHAKES),
    *(API_REQUESTS, SOCKET_EVENTS, MESSAGES, NEW_ROOMS, UPLOADS, LOOK_UPS),
    *(TYPING, ROOM_ENTRIES, REFUSALS),
)

SOCKETS_PER_PERSON = 50
SOCKETS_PER_ADDRESS = 2_000
"""Open at the same time in one process."""

PURGE_AT = 10_000
"""Buckets beyond which those that are full again are looked for and forgotten."""

Spent = tuple[str, str, int]
"""The name of a limit, a subject, and how many tokens."""


class TooMany(Throttled):
    """429 with `Retry-After`; `wait` is in seconds."""

    def __init__(self, wait: float) -> None:
        seconds = max(math.ceil(wait), 1)
        text = ngettext(
            "This is more than is taken here. Try again in %(seconds)s second.",
            "This is more than is taken here. Try again in %(seconds)s seconds.",
            seconds,
        )
        super().__init__(detail=text % {"seconds": digits(seconds)})
        self.wait = seconds


class Buckets:
    """All buckets of this process; safe to use from any thread.

    Of each, one number is kept: the moment at which it will be full again. It is full at first, so
    nothing is kept of those that are.
    """

    def __init__(self) -> None:
        self.is_serving = False
        """Whether this is a server. Commands are nobody's requests, and may do what they like."""
        self.is_shared = False
        self._limits = {limit.name: limit for limit in LIMITS}
        self._full_at: dict[tuple[str, str], float] = {}
        self._purge_at = PURGE_AT
        self._spent: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def take(self, limit: Limit, subject: object) -> None:
        """Take a token, or raise TooMany."""
        if not (self.is_serving and settings.THROTTLE):
            return
        key = (limit.name, str(subject))
        moment = time.monotonic()
        with self._lock:
            full_at = max(self._full_at.get(key, 0.0), moment) + 1 / limit.per_second
            if (wait := full_at - moment - limit.fills_in) > 0:
                metrics.refusals.labels(limit.name).inc()
                raise TooMany(wait)
            self._full_at[key] = full_at
            if self.is_shared:
                self._spent[key] += 1
            if len(self._full_at) > self._purge_at:
                self._purge(moment)

    def collect_spent(self) -> list[Spent]:
        """What was taken here since the last call."""
        with self._lock:
            spent, self._spent = self._spent, Counter()
        return [(name, subject, count) for (name, subject), count in spent.items()]

    def note_spent(self, spent: Iterable[Spent]) -> None:
        """Take as many as another process has. A bucket may so be more than empty for a while."""
        moment = time.monotonic()
        with self._lock:
            for name, subject, count in spent:
                if (limit := self._limits.get(name)) is None:
                    continue  # of another version of the service
                full_at = max(self._full_at.get((name, subject), 0.0), moment)
                # No longer than twice: who was served by several processes waits no week for it.
                latest = moment + 2 * limit.fills_in
                self._full_at[name, subject] = min(full_at + count / limit.per_second, latest)

    def _purge(self, moment: float) -> None:
        self._full_at = {key: full for key, full in self._full_at.items() if full > moment}
        self._purge_at = max(PURGE_AT, 2 * len(self._full_at))


buckets = Buckets()
take = buckets.take


def take_api_request(user: "User | AnonymousUser") -> None:
    """Count a request to the API, or raise TooMany.

    Who has not logged in is counted by address, before Django hears of the request.
    """
    if user.is_authenticated:
        take(API_REQUESTS, user.pk)


class ApiThrottle(BaseThrottle):
    """DRF's throttle for every view."""

    def allow_request(self, request: Request, view: object) -> bool:
        take_api_request(request.user)
        return True
