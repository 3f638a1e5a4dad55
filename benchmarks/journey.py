"""Where the time goes from a message's arrival to its deliveries: `python -m benchmarks.journey`.

Puts the work of the row `latency` on a service that notes when each message passes a station, and
prints how long it takes from one to the next. Messages that overlap with another are left out.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from acceptance.waiting import eventually

from . import lab, workspace
from .results import PRODUCT
from .rows import LATENCY_PEOPLE

STATIONS = {
    "frame": "the frame is read",
    "handler": "its event reaches the handler",
    "insert": "it is checked, has its number, and goes to MongoDB",
    "stored": "it is stored",
    "push": "its event is encoded, and who hears it is known",
    "pushed": "it is sent to all of them",
    "answered": "the sender's acknowledgement is ready",
}

Passing = tuple[str, float]
"""A station, and the moment in seconds."""


def note_stations(passings: list[Passing]) -> None:
    """Have the service of this process note each message at each station."""
    from daphne.ws_protocol import WebSocketProtocol

    from chat import hot_path
    from chat.sockets import ChatNamespace
    from chatservice.realtime.fanout import FanoutManager

    def note(station: str) -> None:
        passings.append((station, time.perf_counter()))

    def change(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        setattr(owner, name, make(getattr(owner, name)))

    def reading(read: Callable[..., None]) -> Callable[..., None]:
        def noted(self: Any, payload: bytes, is_binary: bool) -> None:
            if b'"chat_message"' in payload:
                note("frame")
            read(self, payload, is_binary)

        return noted

    def pushing(push: Callable[..., None]) -> Callable[..., None]:
        def noted(*arguments: Any) -> None:
            note("push")
            push(*arguments)
            note("pushed")

        return noted

    def waiting(before: str, after: str) -> Callable[[Any], Any]:
        def make(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            async def noted(*arguments: Any) -> Any:
                note(before)
                answer = await function(*arguments)
                note(after)
                return answer

            return noted

        return make

    change(WebSocketProtocol, "onMessage", reading)
    change(FanoutManager, "_push", pushing)
    change(hot_path, "insert_entries", waiting("insert", "stored"))
    change(ChatNamespace, "on_chat_message", waiting("handler", "answered"))


def serve(arguments: list[str]) -> None:
    """`manage.py serve` with stations; SIGUSR2 has it write what it has noted, and forget it."""
    passings: list[Passing] = []

    def write(*_: object) -> None:
        path = Path(os.environ["PASSINGS"])
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(passings))
        draft.replace(path)
        passings.clear()

    signal.signal(signal.SIGUSR2, write)
    from chatservice.event_loop import prefer_uvloop

    prefer_uvloop()
    import django

    django.setup()
    import daphne.server  # noqa: F401  (it installs the reactor that the application needs)

    import chatservice.asgi  # noqa: F401

    note_stations(passings)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *arguments])


def journeys(passings: list[Passing]) -> Iterator[dict[str, float]]:
    """The messages that had the service for themselves, with the moment of each station."""
    journey: dict[str, float] = {}
    for station, moment in passings:
        if station == "frame":
            journey = {}
        journey.setdefault(station, moment)
        if station == "answered" and list(journey) == list(STATIONS):
            yield journey


def table(found: list[dict[str, float]], total: int) -> str:
    lines = [f"{len(found):,} of {total:,} messages had no other beside them. Milliseconds:", ""]
    lines += ["| until | median | 99th percentile |", "| --- | ---: | ---: |"]
    stations = list(STATIONS)
    for before, after in zip(stations, stations[1:], strict=False):
        times = sorted(1_000 * (each[after] - each[before]) for each in found)
        median, tail = statistics.median(times), times[len(times) * 99 // 100]
        lines.append(f"| {STATIONS[after]} | {median:.2f} | {tail:.2f} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journey", description=__doc__)
    parser.add_argument("--rate", type=float, default=150.0, help="messages per second")
    options = parser.parse_args(arguments)
    workspace.set_up_django()
    with TemporaryDirectory(prefix="chat-bench-") as directory:
        written = Path(directory) / "passings.json"
        os.environ["PASSINGS"] = str(written)
        command = lab.python("-m", "benchmarks.journey", "serve", "--port", "{port}")
        lab.COMMANDS[PRODUCT] = command
        with lab.Lab(lab.Size.of(quick=False)) as laboratory:
            people = laboratory.people("crowd", count=LATENCY_PEOPLE)
            laboratory.rooms(PRODUCT, people, rate=f"{options.rate:.2f}", warm_up=2)
            for pid in laboratory.service(PRODUCT).pids():
                os.kill(pid, signal.SIGUSR2)
            eventually(written.exists, what="what the service has noted")
            passings = json.loads(written.read_text())
    total = sum(station == "frame" for station, _moment in passings)
    print(table(list(journeys(passings)), total))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[1:])
    else:
        main(sys.argv[1:])
