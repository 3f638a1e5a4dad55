"""The rows of the table: what is measured, and what it must reach.

A function for each piece of work returns the rows that come out of it; `ROWS` has them by name, in
the order in which they run.
"""

import fcntl
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from .lab import Lab, last_seqs, take, take_rate
from .processes import Service, memory_bytes, python, settle
from .results import BARE, PEER, PRODUCT, UVICORN, Row, interleaved
from .workspace import CHECKOUT, PEER_DATABASE, PRODUCT_DATABASE, WORKSPACE, environment

IN_FLIGHT = 8
ROOM_SIZE = 20
LATENCY_PEOPLE = 50 * ROOM_SIZE
MISSED = 10
PAGE = "/chat/chat_rooms/%s/messages?limit=50"
POST = "/chat/chat_rooms/%s/messages"
BODY = '{"content":"%ld is a message of an ordinary length, as people write them."}'

Work = Callable[[Lab], list[Row]]


def fan_out(size: int) -> Work:
    def measure_fan_out(lab: Lab) -> list[Row]:
        row = Row(f"fan-out-{size}", f"Fan-out, {size:,} members", "deliveries/s")

        def measure(target: str) -> None:
            result = lab.rooms(target, lab.people(f"hall-{size}"), in_flight=IN_FLIGHT, warm_up=1.5)
            take_rate(row.figure(target), result, "deliveries")

        interleaved([PRODUCT, UVICORN, PEER, BARE], lab.size.repetitions, measure)
        ours = row.median(PRODUCT)
        row.demand("of Node.js", 1.0, of=ours, to=row.median(PEER))
        row.demand("of bare python-socketio", 4.0, of=ours, to=row.median(BARE))
        return [row]

    return measure_fan_out


def latency(lab: Lab) -> list[Row]:
    people = lab.people("crowd", count=LATENCY_PEOPLE)
    targets = [PRODUCT, UVICORN, PEER]
    most = Row("latency-most", "50 rooms of 20, at saturation", "messages/s")
    median_row = Row("latency-p50", "Send to delivery, p50", "ms")
    tail_row = Row("latency-p99", "Send to delivery, p99", "ms")

    def saturate(target: str) -> None:
        result = lab.rooms(target, people, in_flight=50, warm_up=1.5)
        take_rate(most.figure(target), result, "stored")

    interleaved(targets, 1, saturate)
    saturations = [most.median(target) or 0 for target in (PRODUCT, PEER)]
    rate = max(min(saturations) / 3, 1)

    def measure(target: str) -> None:
        result = lab.rooms(target, people, rate=f"{rate:.2f}", warm_up=2)
        times = result.found["delivery_ms"]
        for row, percentile in ((median_row, "p50"), (tail_row, "p99")):
            take(row.figure(target), result, times[percentile])

    interleaved(targets, lab.size.repetitions, measure)
    for row in (median_row, tail_row):
        row.note = f"at {rate:.0f} messages/s, {rate * ROOM_SIZE:.0f} deliveries/s"
        ours = row.median(PRODUCT)
        row.demand("of Node.js", 1.0, of=ours, to=row.median(PEER), at_least=False)
    return [most, median_row, tail_row]


def rest_post(lab: Lab) -> list[Row]:
    row = Row("rest-post", "REST, storing a message, 16 connections", "requests/s")
    people = lab.people("crowd", skip=2_000, count=16)

    def measure(target: str) -> None:
        result = lab.http(target, people, POST, body=BODY, expect=201)
        take_rate(row.figure(target), result, "answers")

    interleaved([PRODUCT, UVICORN, PEER], lab.size.repetitions, measure)
    row.demand("of Node.js", 0.8, of=row.median(PRODUCT), to=row.median(PEER))
    return [row]


def rest_read(lab: Lab) -> list[Row]:
    rows = {
        "short": Row("rest-read-100", "REST, last 50 of 100 messages", "requests/s"),
        "long": Row("rest-read-1000000", "REST, last 50 of 1,000,000 messages", "requests/s"),
    }

    def measure(target: str) -> None:
        for length, row in rows.items():
            people = lab.people(f"readers-{length}", count=16)
            result = lab.http(target, people, PAGE)
            take_rate(row.figure(target), result, "answers")

    interleaved([PRODUCT, UVICORN, PEER], lab.size.repetitions, measure)
    for row in rows.values():
        row.demand("of Node.js", 0.8, of=row.median(PRODUCT), to=row.median(PEER))
    long, short = rows["long"].median(PRODUCT), rows["short"].median(PRODUCT)
    rows["long"].demand("of the short room", 0.8, of=long, to=short)
    return list(rows.values())


def page(lab: Lab) -> list[Row]:
    rows = {
        "short": Row("page-100", "The room's page, first byte, 100 messages", "ms"),
        "long": Row("page-1000000", "The room's page, first byte, 1,000,000 messages", "ms"),
    }

    def measure(target: str) -> None:
        for length, row in rows.items():
            file = WORKSPACE / "people" / f"browser-{length}.txt"
            file.write_text(f"{lab.made['cookie']} {lab.made['rooms'][length]} 0\n")
            result = lab.http(target, file, "/rooms/%s/", cookie=1, at_least=10)
            take(row.figure(target), result, result.found["first_byte_ms"]["p50"])

    interleaved([PRODUCT, UVICORN], lab.size.repetitions, measure)
    long, short = rows["long"].median(PRODUCT), rows["short"].median(PRODUCT)
    rows["long"].demand("of the short room", 1.2, of=long, to=short, at_least=False)
    return list(rows.values())


def memory(lab: Lab) -> list[Row]:
    """A fresh process each time; a few sockets first, so that all code is loaded."""
    row = Row("memory", f"Memory of an idle socket, {lab.size.sockets:,} of them", "KiB")
    few, many = lab.people("crowd", count=200), lab.people("crowd", count=lab.size.sockets)

    def measure(target: str) -> None:
        with lab.start(target) as service:
            with lab.connected("idle", service, few):
                pass
            before = memory_bytes(service.pids())
            with lab.connected("idle", service, many, idle=0.5):
                time.sleep(10 if lab.size.repetitions == 1 else 30)
                settle(service.pids(), below=0.5)
                used = memory_bytes(service.pids()) - before
            row.figure(target).values.append(used / lab.size.sockets / 1024)

    lab.stop_all()
    interleaved([PRODUCT, UVICORN, PEER], 1, measure)
    ours = row.median(PRODUCT)
    row.demand("of Node.js", 1.2, of=ours, to=row.median(PEER), at_least=False)
    return [row]


def reconnect(lab: Lab) -> list[Row]:
    """1,000 clients come back at once; ours resume, the peer's only connect."""
    row = Row("reconnect", "1,000 clients reconnect at once, until the last is served", "s")
    row.note = "ours with what they missed; Node.js plainly"

    def measure(target: str) -> None:
        service = lab.service(target)
        database = PEER_DATABASE if target == PEER else PRODUCT_DATABASE
        people = with_what_they_know(lab.people("crowd", count=LATENCY_PEOPLE), database)
        resumes = int(target != PEER)
        with lab.connected("reconnect", service, people, resume=resumes) as load:
            load.go_on()
            result = load.result(service.pids())
        take(row.figure(target), result, result.found["seconds"])
        clients = result.found["clients"]
        cost = 1e6 * result.server_cpu * result.found["seconds"] / clients
        row.figure(target).costs.append(cost)

    interleaved([PRODUCT, UVICORN, PEER], lab.size.repetitions, measure)
    ours = row.median(PRODUCT)
    row.demand("of Node.js", 1.5, of=ours, to=row.median(PEER), at_least=False)
    return [row]


def with_what_they_know(people: Path, database_name: str) -> Path:
    """The same people, each of whom has missed the last few entries of their room."""
    lines = [line.split() for line in people.read_text().splitlines()]
    ends = last_seqs(list({room_id for _token, room_id, _known in lines}), database_name)
    file = people.with_name(f"{people.stem}-missing-some.txt")
    file.write_text(
        "".join(
            f"{token} {room_id} {max(ends[room_id] - MISSED, 1)}\n"
            for token, room_id, _known in lines
        )
    )
    return file


def two_processes(lab: Lab) -> list[Row]:
    """One busy room, written to through one process and through two that share it by Redis."""
    row = Row("two-processes", "One busy room, two processes writing", "messages/s")
    people = lab.people("crowd", skip=2_020, count=ROOM_SIZE)
    lab.stop_all()
    with TemporaryDirectory(prefix="chat-bench-") as directory:
        socket = f"{directory}/redis.sock"
        options = ("--unixsocket", socket, "--save", "", "--dir", directory)
        command = ["redis-server", "--port", "{port}", "--bind", "127.0.0.1", *options]
        with Service(command, environment(), CHECKOUT):
            for _ in range(lab.size.repetitions):
                for workers in (1, 2):
                    changes = {"WORKERS": str(workers), "REDIS_URL": f"unix://{socket}"}
                    with (
                        lab.start(PRODUCT, **changes) as service,
                        lab.connected(
                            *("rooms", service, people),
                            seconds=lab.size.seconds,
                            in_flight=64,
                            until="stored",
                        ) as load,
                    ):
                        load.go_on()
                        result = load.result(service.pids())
                    name = "one process" if workers == 1 else "two processes"
                    take_rate(row.figure(name), result, "stored")
    two, one = row.median("two processes"), row.median("one process")
    row.demand("of one process", 1.0, of=two, to=one)
    return [row]


def start(lab: Lab) -> list[Row]:
    row = Row("start", "Start to first answer, empty database", "s")
    for _ in range(lab.size.repetitions):
        with TemporaryDirectory(prefix="chat-bench-") as directory:
            began = time.monotonic()
            command = python("manage.py", "serve", "--port", "{port}")
            changes = environment(DATA_DIR=directory, DATABASE_NAME="chat")
            with Service(command, changes, CHECKOUT) as service:
                answer = requests.get(f"http://127.0.0.1:{service.port}/health", timeout=60)
                answer.raise_for_status()
                row.figure(PRODUCT).values.append(time.monotonic() - began)
            # The database ends by itself a moment later; its guardian has this lock until then.
            with Path(directory, "mongodb", "guardian.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
    row.demand("seconds", 5.0, of=row.median(PRODUCT), at_least=False)
    return [row]


ROWS: dict[str, Work] = {
    "fan-out-200": fan_out(200),
    "fan-out-1000": fan_out(1_000),
    "latency": latency,
    "rest-post": rest_post,
    "rest-read": rest_read,
    "page": page,
    "reconnect": reconnect,
    "memory": memory,
    "two-processes": two_processes,
    "start": start,
}
