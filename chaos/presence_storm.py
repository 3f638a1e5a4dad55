"""What it costs when everybody comes back at once: `python -m chaos.presence_storm`.

Starts the service on data of its own, makes so many people, connects them all as fast as they can,
and then closes half of the sockets: once with all of them in one room, and once with every two in a
room of their own. Prints how many presence events were sent, in all and for each person, with their
bytes, and how many leases were written, by `/metrics`. It ends what it has started.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 50
"""Handshakes under way at the same time."""

ATTEMPTS = 10
"""To be let in. On a machine that does much else a handshake may take longer than it may."""

QUIET = 4.0
"""Seconds without a presence event after which all is told; changes are gathered for one."""

PATIENCE = 300.0

MAKE_PEOPLE = """
import json, sys
from accounts import actions as accounts, tokens
from accounts.models import User
from chat import actions
from chatservice.realtime.loop import run
people, in_each = map(int, sys.argv[-1].split(","))
users = [User(email=f"p{n}@example.org", username=f"p{n}", password="!") for n in range(people)]
for user in users:
    user.save(force_insert=True)
for first in range(0, people, in_each):
    owner, *others = users[first:first + in_each]
    room = run(actions.create_room(actor=owner, name=f"Room {first}"))
    for next in range(0, len(others), 50):
        emails = [user.email for user in others[next:next + 50]]
        run(actions.add_members(actor=owner, room_id=room.room_id, people=emails))
told = [tokens.issue(accounts.open_session(user=user))["access_token"] for user in users]
print("TOKENS" + json.dumps(told))
"""


class Storm:
    """A service with so many people, `in_each` of them in each room."""

    def __init__(self, people: int, in_each: int) -> None:
        self.people, self.in_each = people, in_each
        self.events = self.bytes = self.tried_again = 0
        self.last_event = time.monotonic()
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def run(self, directory: str) -> dict[str, str]:
        token = secrets.token_hex(16)
        environment = os.environ | {
            **{"DATA_DIR": directory, "DATABASE_URL": "", "REDIS_URL": "", "WORKERS": "1"},
            **{"THROTTLE": "off", "METRICS_TOKEN": token, "DJANGO_SETTINGS_MODULE": ""},
        }
        del environment["DJANGO_SETTINGS_MODULE"]
        service = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert service.stdout is not None
            found = re.search(r"http://\S+", service.stdout.readline())
            if not found:
                raise SystemExit("The service has not started.")
            url = found[0]
            tokens = await asyncio.to_thread(self.make_people, environment)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                return await self.measure(http, url, token, tokens)
        finally:
            service.terminate()
            service.wait(60)

    def make_people(self, environment: dict[str, str]) -> list[str]:
        """Through the actions, but without a password each: hashing those is slow on purpose."""
        code = f"import sys; sys.argv.append('{self.people},{self.in_each}')\n{MAKE_PEOPLE}"
        made = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(made.stdout.partition("TOKENS")[2])

    async def measure(
        self, http: aiohttp.ClientSession, url: str, token: str, tokens: list[str]
    ) -> dict[str, str]:
        gate = asyncio.Semaphore(AT_ONCE)
        started = time.monotonic()
        readers = [
            asyncio.create_task(each)
            for each in await asyncio.gather(*(self.connect(http, gate, url, t) for t in tokens))
        ]
        connected = time.monotonic() - started
        await self.wait_until_quiet()
        metrics = await self.fetch_metrics(http, url, token)
        row = {
            "people": f"{self.people}",
            "in each room": f"{self.in_each}",
            "connected in s": f"{connected:.1f}",
            "tried again": f"{self.tried_again}",
            "events": f"{self.events}",
            "events/person": f"{self.events / self.people:.2f}",
            "encoded": f"{metrics['chat_emissions_total', 'presence']:.0f}",
            "MB": f"{self.bytes / 1e6:.2f}",
            "leases written/person": f"{metrics['leases'] / self.people:.2f}",
            "loop late by at most s": f"{metrics['lag']}",
        }
        # Half of them go at once; the others are told.
        self.events = 0
        leaving = self.sockets[::2]
        await asyncio.gather(*(socket.close() for socket in leaving))
        await self.wait_until_quiet()
        row["events/person as half go"] = f"{self.events / (self.people - len(leaving)):.2f}"
        for socket in self.sockets:
            await socket.close()
        await asyncio.gather(*readers)
        return row

    async def connect(self, http, gate, url, token):
        """Connect, and return the coroutine that reads what comes."""
        async with gate:
            for _attempt in range(ATTEMPTS):
                try:
                    socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket")
                    await socket.receive_str()
                    await socket.send_str("40" + json.dumps({"token": token, "protocol": 2}))
                    while not (text := await socket.receive_str()).startswith("40"):
                        self.note(text)
                except (aiohttp.ClientError, TypeError):  # cut off: it took too long
                    self.tried_again += 1
                    await asyncio.sleep(1)
                else:
                    self.sockets.append(socket)
                    return self.read(socket)
        raise SystemExit("Somebody is not let in.")

    async def read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.data == "2":
                with contextlib.suppress(aiohttp.ClientError):  # the server has just cut it off
                    await socket.send_str("3")
            else:
                self.note(message.data)

    def note(self, text: str) -> None:
        if text.startswith('42["presence"'):
            self.events += 1
            self.bytes += len(text)
            self.last_event = time.monotonic()

    async def wait_until_quiet(self) -> None:
        """Wait for the first event since `self.events` was 0, and until no more come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.events and time.monotonic() > self.last_event + QUIET:
                return
            await asyncio.sleep(0.1)
        raise SystemExit("The presence events do not come, or do not end.")

    async def fetch_metrics(self, http, url, token):
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get(f"{url}/metrics", headers=headers) as answer:
            text = await answer.text()
        found = {
            (name, label): float(value)
            for name, label, value in re.findall(r'^(\w+)\{\w+="([^"]+)"\} (\S+)$', text, re.M)
        }
        late = [
            (float(bound), count)
            for (name, bound), count in found.items()
            if name == "chat_loop_lag_seconds_bucket"
        ]
        most = max(count for _bound, count in late)
        return found | {
            "leases": sum(
                n for (name, _), n in found.items() if name == "chat_presence_lease_writes_total"
            ),
            "lag": min(bound for bound, count in late if count == most),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, nargs="+", default=[200, 500, 1_000])
    arguments = parser.parse_args()
    heading_printed = False
    for people, in_pairs in itertools.product(arguments.people, (False, True)):
        with tempfile.TemporaryDirectory(
            prefix="chat-presence-storm-", ignore_cleanup_errors=True
        ) as directory:
            row = asyncio.run(Storm(people, 2 if in_pairs else people).run(directory))
        if not heading_printed:
            print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
            heading_printed = True
        print("| " + " | ".join(row.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
