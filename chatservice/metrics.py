"""What the service counts and measures, for Prometheus; docs/metrics.md explains each name.

Instruments are in the memory of this process and cost about a microsecond. Nothing has a label that
a stranger could make up or that stands for a person: events, kinds, routes and limits have names of
ours. What is there to be looked at anyway (who is connected, what waits) is not counted along the
way but looked at when somebody asks: by the functions registered with `on_scrape`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import sync_only_middleware
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

logger = logging.getLogger(__name__)

disable_created_metrics()  # a second series for each counter, which nobody reads
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

LAG_INTERVAL = 0.5
"""Seconds between two looks at how late the event loop is."""

_hooks: list[Callable[[], None]] = []


def counter(name: str, help: str, labels: tuple[str, ...] = ()) -> Counter:
    return Counter(f"chat_{name}", help, labels, registry=REGISTRY)


def gauge(name: str, help: str, labels: tuple[str, ...] = ()) -> Gauge:
    return Gauge(f"chat_{name}", help, labels, registry=REGISTRY)


def histogram(
    name: str, help: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
) -> Histogram:
    return Histogram(f"chat_{name}", help, labels, buckets=buckets, registry=REGISTRY)


def on_scrape(look: Callable[[], None]) -> Callable[[], None]:
    """Register a function that sets gauges. It is called in any thread, before they are read."""
    _hooks.append(look)
    return look


def exposition() -> bytes:
    """All of it in Prometheus' text format."""
    for look in _hooks:
        try:
            look()
        except Exception:
            logger.exception("A metric could not be looked at.")
    return generate_latest(REGISTRY)


worker = gauge("worker", "The number of this process among those that share a port.")

# Connections

sockets = gauge("sockets", "Sockets connected to this process.", ("protocol", "transport"))
people_connected = gauge("people_connected", "People with a socket in this process.")
people_online = gauge(
    "people_online", "People online in all processes together, as of some seconds ago."
)
socket_queue = gauge("socket_queue_packets", "Packets that wait in the queues of all sockets.")
longest_socket_queue = gauge("socket_queue_packets_max", "Packets in the longest of these queues.")
cut_offs = counter(
    "backlog_cut_offs", "Connections ended because their client does not read.", ("transport",)
)

# The log

entries = counter("entries", "Entries stored by this process.", ("kind",))
batch_size = histogram(
    "batch_entries", "Entries stored in one insert.", (1, 2, 5, 10, 20, 50, 100, 200)
)
batch_duration = histogram(
    "batch_seconds",
    "From taking a batch out of a room's queue to its being stored and announced.",
    (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
room_queue = gauge("room_queue_drafts", "Drafts that wait in the queues of all rooms.")
longest_room_queue = gauge("room_queue_drafts_max", "Drafts in the longest of these queues.")

# What clients are told

emissions = counter("emissions", "Events encoded once to be sent to some sockets.", ("event",))
deliveries = counter("deliveries", "Events sent, one for each socket.", ("event",))
resumed_rooms = counter(
    "resumed_rooms", "Rooms in answers to resume, by what was answered.", ("answer",)
)
resumed_entries = counter("resumed_entries", "Entries in answers to resume.")

# Presence

presence_leases = gauge("presence_leases", "Presence leases that this process keeps.")
lease_writes = counter("presence_lease_writes", "Presence leases written or deleted.", ("reason",))
presence_changes = counter(
    "presence_changes", "People announced by this process as online or offline."
)

# Between processes

backplane_up = gauge("backplane_up", "1 if other processes can be heard, or there are none.")
backplane_outages = counter("backplane_outages", "Times that the channel layer went away.")
backplane_missed = counter(
    "backplane_missed", "Times that messages of other processes may have been lost."
)
backplane_dropped = counter(
    "backplane_dropped", "Messages that no other process gets, because too many waited."
)
backplane_queue = gauge("backplane_queue_messages", "Messages that wait for the channel layer.")
backplane_queue_bytes = gauge("backplane_queue_bytes", "Bytes of these.")

# Refusals

refusals = counter("refusals", "Requests and events refused by a limit.", ("limit",))

# Requests

request_duration = histogram(
    "http_request_seconds",
    "Requests, until the answer begins, by the name of their route.",
    (0.005, 0.02, 0.05, 0.1, 0.25, 1, 5),
    ("route", "method", "status"),
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class MeasureRequests:
    """ASGI middleware, to be the outermost: how long requests take, whoever answers them.

    Not those of Socket.IO, of which a poll takes as long as there is nothing to say. Who knows the
    name of the route may leave it in the scope, as `scope["measured"]["route"]`.
    """

    def __init__(self, application: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/socket.io/"):
            await self._application(scope, receive, send)
            return
        started = time.perf_counter()
        measured = scope["measured"] = {}

        async def note_and_send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"]
                _duration_of(
                    measured.get("route") or _route_of(scope["path"]),
                    method if method in METHODS else "other",
                    message["status"],
                ).observe(time.perf_counter() - started)
            await send(message)

        await self._application(scope, receive, note_and_send)


@cache  # they have names of ours, and are found by their labels in three times the time
def _duration_of(route: str, method: str, status: int) -> Histogram:
    return request_duration.labels(route=route, method=method, status=status)


def _route_of(path: str) -> str:
    """The name of a path's route; never the path, which has ids in it and may be anything."""
    try:
        return _name_of(resolve(path))
    except Resolver404:
        return "none"


def _name_of(match: ResolverMatch | None) -> str:
    return (match.view_name or "unnamed") if match else "none"


@sync_only_middleware
def note_route(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Leave the route that Django has found to who measures the request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        scope: Scope = getattr(request, "scope", {})  # only ASGI has one
        if "measured" in scope:
            scope["measured"]["route"] = _name_of(request.resolver_match)
        return response

    return middleware


# The event loop

loop_lag = histogram(
    "loop_lag_seconds",
    "How much later than asked for the event loop calls back.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)


async def watch_loop() -> None:
    """Measure how late the running event loop is, for as long as it runs."""
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(LAG_INTERVAL)
        loop_lag.observe(max(time.perf_counter() - asked - LAG_INTERVAL, 0))
