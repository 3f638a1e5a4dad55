"""The regression check: `make bench-check`, in less than a minute and on any machine.

It counts instead of timing: how many functions the event loop calls for each delivery, how often
a message is encoded, what MongoDB is asked, what is left to the garbage collector, how many tasks
and how much memory an idle socket keeps. The bounds are wide: they are passed when something is
done again for each recipient, for each member or for each entry, not when the machine is busy.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect

from . import workspace
from .processes import Service, memory_bytes, python
from .results import Verdict
from .workspace import CHECKOUT, environment

MEMBERS = 100
MESSAGES = 20
IDLE = 400
PATIENCE = 60.0

BACKGROUND = {
    "update chat_room",  # how far the rooms have come, once a second
    "find accounts_session",  # whether the sessions of open sockets still live
    "find accounts_user",
    "distinct chat_membership",  # presence
    "distinct accounts_presencelease",
    "delete accounts_presencelease",
    "findAndModify accounts_presencelease",
    "update accounts_presencelease",
}
"""What MongoDB is asked from time to time, however much is written and read."""


@dataclass(frozen=True)
class Counts:
    """What the service has counted since it was told to begin."""

    calls: int
    encodings: int
    commands: dict[str, int]
    garbage: int
    requests: int
    tasks: int

    @property
    def round_trips(self) -> int:
        return sum(count for what, count in self.commands.items() if what not in BACKGROUND)


class Counted:
    """A service with counters (`counting`), on an empty database of its own."""

    def __init__(self, directory: Path, **changes: str) -> None:
        self.file = directory / "counts.json"
        changes = {
            "DATA_DIR": str(directory),
            "COUNTS": str(self.file),
            "PING_INTERVAL": "300",  # the devices here do not read all the time
            **changes,
        }
        command = python("-m", "benchmarks.counting")
        self.service = Service(command, environment(**changes), CHECKOUT)

    def begin(self) -> None:
        self.service.process.send_signal(signal.SIGUSR1)

    async def counts(self) -> Counts:
        self.file.unlink(missing_ok=True)
        self.service.process.send_signal(signal.SIGUSR2)
        deadline = time.monotonic() + PATIENCE
        while not self.file.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the service has not written what it counted")
            await asyncio.sleep(0.02)
        return Counts(**json.loads(self.file.read_text()))


class Device:
    """A WebSocket of a member, as raw frames: a client library would only cost time."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    @classmethod
    async def open(cls, stack: AsyncExitStack, port: int, token: str) -> "Device":
        address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        connection = await stack.enter_async_context(connect(address, compression=None))
        device = cls(connection)
        await device.until("0")
        await connection.send("40" + json.dumps({"token": token, "protocol": 2}))
        await device.until("40")
        return device

    async def until(self, beginning: str, count: int = 1) -> None:
        """Read until so many packets with this beginning have come."""
        async with asyncio.timeout(PATIENCE):
            while count:
                packet = await self.connection.recv()
                assert isinstance(packet, str)
                if packet.startswith("44"):
                    raise RuntimeError(f"a client was refused: {packet}")
                if packet == "2":
                    await self.connection.send("3")
                count -= packet.startswith(beginning)

    async def say(self, room_id: str) -> None:
        """Post a message and wait for its acknowledgement."""
        message = {"room": room_id, "message": "A message of an ordinary length, as people write."}
        await self.connection.send(f"421{json.dumps(['chat_message', message])}")
        await self.until("431")


async def fan_out(
    counted: Counted, tokens: Sequence[str], room_id: str
) -> tuple[Counts, Counts, float]:
    """What messages to a room of `MEMBERS` cost, what one alone costs, and an idle socket's KiB."""
    port = counted.service.port
    async with AsyncExitStack() as stack:
        devices = [await Device.open(stack, port, token) for token in tokens[:MEMBERS]]
        # Presence is told a second after the last has come: that is no part of a message.
        await devices[-1].until('42["presence"')
        await devices[0].say(room_id)
        counted.begin()
        for _ in range(MESSAGES):
            await devices[0].say(room_id)
        await asyncio.gather(*(each.until('42["room_event"', MESSAGES + 1) for each in devices[1:]))
        many = await counted.counts()
        before = memory_bytes(counted.service.pids())
        rest = [tokens[number % MEMBERS] for number in range(IDLE)]
        for token in rest:
            await Device.open(stack, port, token)
        kib = (memory_bytes(counted.service.pids()) - before) / IDLE / 1024
        idle = await counted.counts()
    return many, idle, kib


async def over_rest(counted: Counted, token: str, room_id: str) -> tuple[Counts, Counts]:
    """What a message by REST asks of MongoDB, and what a page of history does."""
    address = f"http://127.0.0.1:{counted.service.port}/chat/chat_rooms/{room_id}/messages"
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False) as client:
        await client.post(address, json={"content": "First"})
        counted.begin()
        for _ in range(MESSAGES):
            (await client.post(address, json={"content": "Again"})).raise_for_status()
        posting = await counted.counts()
        counted.begin()
        for _ in range(MESSAGES):
            (await client.get(address, params={"limit": 50})).raise_for_status()
        return posting, await counted.counts()


async def verdicts(
    directory: Path, fanout: str, tokens: Sequence[str], room_id: str
) -> list[Verdict]:
    counted = Counted(directory, FANOUT=fanout)
    with counted.service:
        posting, reading = await over_rest(counted, tokens[0], room_id)
        many, idle, kib = await fan_out(counted, tokens, room_id)
    deliveries = MESSAGES * MEMBERS
    found: list[tuple[str, float, float]] = [
        ("calls of functions for each delivery", many.calls / deliveries, 150),
        ("encodings of a message and its acknowledgement", many.encodings / MESSAGES, 4),
        ("round trips to MongoDB for a message by Socket.IO", many.round_trips / MESSAGES, 1.5),
        ("round trips to MongoDB for a message by REST", posting.round_trips / MESSAGES, 2.5),
        ("round trips to MongoDB for a page of history", reading.round_trips / MESSAGES, 3.5),
        ("objects left to the garbage collector for a message", posting.garbage / MESSAGES, 20),
        ("requests that are kept after their answer", posting.requests, 5),
        ("tasks for each idle socket", idle.tasks / (MEMBERS + IDLE), 2.5),
        ("KiB for each idle socket", kib, 30),
    ]
    return [Verdict(demand, value, bound, at_least=False) for demand, value, bound in found]


def people_in_a_room() -> tuple[list[str], str]:
    """Tokens of `MEMBERS` people and the id of the room they are in."""
    from django.core.management import call_command

    from chatservice.mongo.client import database

    from .seed import Seeding

    call_command("migrate", verbosity=0, interactive=False)
    seeding = Seeding(database())
    people = seeding.people(MEMBERS)
    return [token for _person, token in people], seeding.room("Room", people, messages=60)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("--fanout", choices=["direct", "library"], default="direct")
    options = parser.parse_args(arguments)
    directory = Path(tempfile.mkdtemp(prefix="chat-bench-check-"))
    workspace.set_up_django(DATA_DIR=str(directory))
    from chatservice.mongo import embedded

    try:
        found = asyncio.run(verdicts(directory, options.fanout, *people_in_a_room()))
    finally:
        embedded.release(directory / "mongodb")
        shutil.rmtree(directory, ignore_errors=True)
    for each in found:
        outcome = "ok" if each.passed else "TOO MUCH"
        print(f"{each.value:8.1f} {each.demand} (at most {each.bound:g}): {outcome}")
    return 0 if all(each.passed for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
