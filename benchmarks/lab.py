"""The place where measurements are made: the database, the services, and the size of the run."""

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from . import seed
from .load import Load, LoadFailed, Result
from .processes import Service, python, settle
from .results import BARE, PEER, PRODUCT, UVICORN, Figure
from .workspace import CHECKOUT, DATA_DIR, PEER_DATABASE, PEER_DIR, WORKSPACE, environment

DAPHNE_OPTIONS = ("--verbosity", "0", "--ping-interval", "3600", "--websocket_timeout", "-1")
COMMANDS = {
    PRODUCT: python("manage.py", "serve", "--port", "{port}"),
    UVICORN: python(
        *("-m", "uvicorn", "chatservice.asgi:application", "--port", "{port}"),
        *("--backlog", "1024", "--log-level", "warning", "--timeout-graceful-shutdown", "5"),
    ),
    PEER: ["node", str(PEER_DIR / "server.mjs")],
    BARE: python(
        *("-m", "daphne", "--port", "{port}", *DAPHNE_OPTIONS),
        "benchmarks.bare_socketio:application",
    ),
}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    repetitions: int
    seconds: float
    sockets: int

    @classmethod
    def of(cls, *, quick: bool) -> "Size":
        return cls(1, 2.0, 2_000) if quick else cls(3, 4.0, 10_000)


class Lab:
    """A context manager: what it has started ends with it."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._running: dict[str, Service] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @cached_property
    def made(self) -> dict[str, Any]:
        """What `seed` has put into the databases."""
        say("Filling the databases, unless an earlier run has")
        return seed.seed_once()

    @cached_property
    def mongodb_uri(self) -> str:
        from chatservice.mongo.embedded import ensure_running

        return ensure_running(DATA_DIR / "mongodb")

    def service(self, target: str) -> Service:
        """The running service of a target; the same one until `stop_all`."""
        if target not in self._running:
            self._running[target] = self._stack.enter_context(self.start(target))
        return self._running[target]

    def stop_all(self) -> None:
        self._stack.close()
        self._running.clear()

    def start(self, target: str, **changes: str) -> Service:
        """A new service; for the caller to stop."""
        from django.conf import settings

        assert self.made
        changes = {"DATABASE_URL": self.mongodb_uri, "SECRET_KEY": settings.SECRET_KEY, **changes}
        if target == PEER:
            changes["DATABASE_NAME"] = PEER_DATABASE
        return Service(COMMANDS[target], environment(**changes), CHECKOUT)

    def people(self, name: str, *, skip: int = 0, count: int | None = None) -> Path:
        """A file of people for the load generator: all of a name, or some of them."""
        path = WORKSPACE / "people" / f"{name}.txt"
        assert self.made
        if not skip and count is None:
            return path
        lines = path.read_text().splitlines(keepends=True)[skip:]
        part = path.with_name(f"{name}-{skip}-{count}.txt")
        part.write_text("".join(lines[:count]))
        return part

    @contextmanager
    def connected(
        self, mode: str, service: Service, people: Path, *, idle: float = 0.1, **options: Any
    ) -> Iterator[Load]:
        """A load whose clients are connected, and a server that has digested that.

        It then uses less than `idle` of a processor; pings and leases cost something, too.
        """
        with Load(mode, service.port, people, **options) as load:
            load.wait_until_ready()
            settle(service.pids(), below=idle)
            yield load
        settle(service.pids(), below=0.3)

    def rooms(self, target: str, people: Path, **options: Any) -> Result:
        """Messages in rooms, as `load.c` has it; options are the generator's."""
        service = self.service(target)
        with self.connected("rooms", service, people, seconds=self.size.seconds, **options) as load:
            load.go_on()
            result = load.result(service.pids())
        if missing := result.found["missing"]:
            raise LoadFailed(f"{missing} deliveries were missing at {target}")
        return result

    def http(self, target: str, people: Path, path: str, **options: object) -> Result:
        """HTTP requests, one after the other on a connection for each of the people."""
        service = self.service(target)
        options = {"seconds": self.size.seconds, **options}
        with Load("http", service.port, people, path=path, **options) as load:
            result = load.result(service.pids())
        settle(service.pids(), below=0.3)
        return result


def take_rate(figure: Figure, result: Result, counted: str) -> None:
    """Add a repetition to a figure, so many a second; or why it is none."""
    rate = result.found[counted] / result.found["seconds"]
    if result.refusal:
        figure.refusals.append(result.refusal)
    else:
        take(figure, result, rate)
        figure.costs.append(1e6 * result.server_cpu / rate if rate else 0.0)


def take(figure: Figure, result: Result, value: float) -> None:
    """Add a repetition whatever the load generator used, which is idle most of the time here."""
    figure.values.append(value)
    figure.load_cpu.append(round(result.load_cpu, 3))
    figure.server_cpu.append(round(result.server_cpu, 3))


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def last_seqs(room_ids: list[str], database_name: str) -> dict[str, int]:
    """The number of the last entry of each of the rooms."""
    from bson import ObjectId

    from chatservice.mongo.client import database

    entries = database().client[database_name]["chat_entry"]
    found = {}
    for room_id in room_ids:
        last = entries.find_one({"room_id": ObjectId(room_id)}, sort=[("seq", -1)])
        found[room_id] = last["seq"] if last else 0
    return found


def machine() -> dict[str, Any]:
    """What it was measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024**2
    return {
        "processors": os.cpu_count(),
        "model": model,
        "memory_gib": memory,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average": list(os.getloadavg()),
    }
