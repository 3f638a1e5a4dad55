"""Where the time goes from a message's arrival to its deliveries: `python -m benchmarks.journey`.

Puts the work of the row `latency` on a service that notes when each message passes a station, and
prints how long it takes from one to the next: for all messages, and for the slowest hundredth, with
the processor time that the event loop used meanwhile, for them or for others.
"""

import argparse
import json
import os
import re
import signal
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
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

WARM_UP = 2.0
"""Seconds that are not counted."""

MARKED = re.compile(r"@@(\d+)")
"""How the load generator numbers its messages, in their text."""

Passing = tuple[int, str, float, float]
"""A message's number, a station, the moment, and the loop's processor time until then; seconds."""

Moments = dict[str, tuple[float, float]]
"""Of one message: for each station, the moment and the processor time."""


def note_stations(passings: list[Passing]) -> None:
    """Have the service of this process note each message at each station."""
    from daphne.ws_protocol import WebSocketProtocol

    from chat import hot_path
    from chat.log import RoomLogs
    from chat.sockets import ChatNamespace
    from chatservice.realtime.fanout import FanoutManager

    announced: list[str] = []

    def note(station: str, texts: Iterable[str]) -> None:
        moment = time.perf_counter(), time.thread_time()
        for text in texts:
            if marked := MARKED.search(text):
                passings.append((int(marked[1]), station, *moment))

    def change(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        setattr(owner, name, make(getattr(owner, name)))

    def reading(read: Callable[..., None]) -> Callable[..., None]:
        def noted(self: Any, payload: bytes, is_binary: bool) -> None:
            note("frame", [payload.decode(errors="replace")])
            read(self, payload, is_binary)

        return noted

    def handling(handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noted(self: Any, sid: str, data: Any) -> Any:
            note("handler", [data["message"]])
            answer = await handle(self, sid, data)
            note("answered", [data["message"]])
            return answer

        return noted

    def inserting(insert: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noted(documents: Sequence[dict[str, Any]]) -> Any:
            note("insert", _texts(documents))
            refusal = await insert(documents)
            note("stored", _texts(documents))
            return refusal

        return noted

    def announcing(announce: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def noted(self: Any, entries: Sequence[dict[str, Any]], to: Any) -> None:
            announced[:] = _texts(entries)  # nothing is awaited between here and the push
            await announce(self, entries, to)

        return noted

    def pushing(push: Callable[..., None]) -> Callable[..., None]:
        def noted(*arguments: Any) -> None:
            note("push", announced)
            push(*arguments)
            note("pushed", announced)
            announced.clear()

        return noted

    change(WebSocketProtocol, "onMessage", reading)
    change(ChatNamespace, "on_chat_message", handling)
    change(hot_path, "insert_entries", inserting)
    change(RoomLogs, "announce", announcing)
    change(FanoutManager, "_push", pushing)


def _texts(entries: Sequence[dict[str, Any]]) -> list[str]:
    return [entry.get("content", "") for entry in entries]


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


def journeys(passings: Iterable[Passing]) -> list[Moments]:
    """The messages that have passed all stations, but for those of the warm-up."""
    found: dict[int, Moments] = {}
    for number, station, moment, processor in passings:
        found.setdefault(number, {}).setdefault(station, (moment, processor))
    whole = [each for each in found.values() if each.keys() == STATIONS.keys()]
    begin = min(each["frame"][0] for each in whole) + WARM_UP
    return [each for each in whole if each["frame"][0] >= begin]


def table(found: list[Moments]) -> str:
    first, *_, last = STATIONS
    slowest = sorted(found, key=lambda each: each["pushed"][0] - each["frame"][0])
    slowest = slowest[-max(len(found) // 100, 1) :]
    ends = [min(found, key=lambda each: each[first]), max(found, key=lambda each: each[last])]
    busy = (ends[1][last][1] - ends[0][first][1]) / (ends[1][last][0] - ends[0][first][0])
    lines = [f"{len(found):,} messages; the event loop was busy for {busy:.0%} of the time.", ""]
    lines += [
        "Milliseconds; of the slowest hundredth, the mean, and how long the loop was busy then:"
    ]
    lines += ["", "| until | median | 99th percentile | slowest | loop busy |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    stations = list(STATIONS)
    for before, after in zip(stations, stations[1:], strict=False):

        def spent(of: list[Moments], clock: int, before: str = before, after: str = after) -> Any:
            return sorted(1_000 * (each[after][clock] - each[before][clock]) for each in of)

        times = spent(found, 0)
        columns = [statistics.median(times), times[len(times) * 99 // 100]]
        columns += [statistics.mean(spent(slowest, clock)) for clock in (0, 1)]
        lines.append(f"| {STATIONS[after]} | " + " | ".join(f"{n:.2f}" for n in columns) + " |")
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
            laboratory.rooms(PRODUCT, people, rate=f"{options.rate:.2f}", warm_up=WARM_UP)
            for pid in laboratory.service(PRODUCT).pids():
                os.kill(pid, signal.SIGUSR2)
            eventually(written.exists, what="what the service has noted")
            passings = json.loads(written.read_text())
    print(table(journeys(passings)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[1:])
    else:
        main(sys.argv[1:])
