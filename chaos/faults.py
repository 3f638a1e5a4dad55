"""What is done to a run, from a seeded schedule. Every fault makes good again what it broke.

Two hands work at the same time: one on the processes, one on connections and rights. Each deals
from a shuffled pack that has every fault of its own once, so that a short run has all of them. The
seed settles which, when and for how long; what the clients are doing just then, nothing can.

Each fault answers what came of it, as it was seen from outside: an exit code, a process that stood
still, a connection that was there to be cut, a log-in that was refused. A run in which one of them
came to nothing every time has shown nothing about it, and fails.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

import aiohttp

from chaos.clients import Participant
from chaos.journal import Journal
from chaos.parts import MongoDB, Part, Redis, Service
from chaos.people import Host, Moderator, Person, Unavailable
from chaos.proxy import Connection, Proxy


@dataclass
class Scene:
    """All that can be broken."""

    mongodb: MongoDB
    redis: Redis | None
    services: Sequence[Service]
    proxies: Sequence[Proxy]
    host: Host
    moderator: Moderator
    people: Sequence[Person]
    participants: Sequence[Participant]
    rooms: Sequence[str]
    crowd: int
    """Connections of a crowd that comes at once."""
    notes: Journal


@dataclass(frozen=True)
class Outcome:
    """What came of a fault: how much of it happened (0: nothing), and a few words on it."""

    count: int
    detail: str = ""


Fault = Callable[[Scene, random.Random], Awaitable[Outcome]]
"""Does its worst, repairs it, and tells what came of it."""

FAULT_SECONDS = 300.0
"""A fault that has not ended by then hangs."""


# On processes


async def kill_a_service(scene: Scene, chance: random.Random) -> Outcome:
    service = chance.choice(scene.services)
    return Outcome(await _kill(service, chance.uniform(0, 2)), service.name)


async def restart_services_in_turn(scene: Scene, chance: random.Random) -> Outcome:
    """A deployment: SIGTERM, wait, start, and then the next one."""
    restarted = 0
    for service in scene.services:
        restarted += await service.terminate()
        await service.start()
    return Outcome(restarted)


async def kill_mongodb(scene: Scene, chance: random.Random) -> Outcome:
    return Outcome(await _kill(scene.mongodb, chance.uniform(0, 3)))


async def pause_mongodb(scene: Scene, chance: random.Random) -> Outcome:
    seconds = chance.choice([chance.uniform(0.5, 3), chance.uniform(5, 7)])
    return await _pause(scene.mongodb, seconds)


async def pause_redis(scene: Scene, chance: random.Random) -> Outcome:
    assert scene.redis is not None
    return await _pause(scene.redis, chance.uniform(1, 6))


async def kill_redis(scene: Scene, chance: random.Random) -> Outcome:
    assert scene.redis is not None
    return Outcome(await _kill(scene.redis, chance.uniform(0, 4)))


async def take_redis_away(scene: Scene, chance: random.Random) -> Outcome:
    assert scene.redis is not None
    return Outcome(await _kill(scene.redis, 30))


async def _kill(part: Part, seconds: float) -> bool:
    """`kill -9`, and start it again after a while; returns whether it died of that."""
    was_killed = await part.kill()
    await asyncio.sleep(seconds)
    await part.start()
    return was_killed


async def _pause(part: Part, seconds: float) -> Outcome:
    part.pause()
    await asyncio.sleep(seconds)
    return Outcome(part.go_on(), f"{seconds:.1f} s")


# On connections


async def cut_before_the_acknowledgement(scene: Scene, chance: random.Random) -> Outcome:
    """What clients send still arrives and is stored; what they are answered never does."""
    cut = 0
    for _ in range(4):
        proxy = await _used_proxy(scene, chance)
        some = proxy.some(chance, 0.4)
        for connection in some:
            connection.to_client.clear()
        await asyncio.sleep(chance.uniform(0.2, 1.0))
        cut += _cut(some)
        await asyncio.sleep(chance.uniform(0, 0.5))
    return Outcome(cut, f"{cut} connections")


async def silence_one_direction(scene: Scene, chance: random.Random) -> Outcome:
    """Connections that stand still for a while, and then go on as if nothing had been."""
    proxy = await _used_proxy(scene, chance)
    some = proxy.some(chance, 0.5)
    direction = chance.choice(["to_service", "to_client"])
    seconds = chance.uniform(1, 8)
    for connection in some:
        getattr(connection, direction).clear()
    await asyncio.sleep(seconds)
    for connection in some:
        connection.go_on()
    return Outcome(len(some), f"{len(some)} connections, {direction}, {seconds:.1f} s")


async def cut_everybody(scene: Scene, chance: random.Random) -> Outcome:
    """All come back at once."""
    await _used_proxy(scene, chance)
    cut = sum(_cut(proxy.some(chance, 1.0)) for proxy in scene.proxies)
    return Outcome(cut, f"{cut} connections")


USED_SECONDS = 60.0
"""How long a fault on connections waits for some: all may be away because of another fault."""


async def _used_proxy(scene: Scene, chance: random.Random) -> Proxy:
    """A proxy with connections; one without, where none comes."""
    order = chance.sample(list(scene.proxies), len(scene.proxies))
    await wait_until(lambda: any(proxy.is_used for proxy in order), USED_SECONDS)
    return next((proxy for proxy in order if proxy.is_used), order[0])


def _cut(connections: Sequence[Connection]) -> int:
    return sum(connection.cut() for connection in connections)


CROWDS = 5
"""How often a crowd comes of which nobody is let in: all may be away because of another fault."""


async def bring_a_crowd(scene: Scene, chance: random.Random) -> Outcome:
    """Many connections at once, each of which asks for what it has missed, and leaves."""
    for _ in range(CROWDS):
        outcome = await _visit_at_once(scene, chance)
        if outcome.count:
            break
        await asyncio.sleep(2)
    return outcome


async def _visit_at_once(scene: Scene, chance: random.Random) -> Outcome:
    people = [chance.choice(scene.people) for _ in range(scene.crowd)]
    tokens: dict[str, str] = {}
    for person in scene.people:
        with contextlib.suppress(Unavailable):
            tokens[person.name] = await person.log_in()
    doors = [chance.choice(scene.proxies).url for _ in people]
    start = time.monotonic()
    outcomes = await asyncio.gather(
        *(
            _resume_once(door, tokens[person.name], chance.choice(person.rooms))
            for door, person in zip(doors, people, strict=True)
            if person.name in tokens
        )
    )
    resumed, seconds = sum(outcomes), time.monotonic() - start
    return Outcome(resumed, f"{resumed} of {len(people)} resumed within {seconds:.1f} s")


async def _resume_once(url: str, token: str, room_id: str) -> bool:
    """A whole visit in the protocol's own bytes: a client library would be most of the load."""
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    auth = json.dumps({"token": token, "protocol": 2, "rooms": {room_id: 1}})
    with contextlib.suppress(aiohttp.ClientError, OSError, TypeError):
        async with (
            asyncio.timeout(20),
            aiohttp.ClientSession() as http,
            http.ws_connect(address) as socket,
        ):
            await socket.receive_str()
            await socket.send_str(f"40{auth}")
            while True:
                packet = await socket.receive_str()
                if packet == "2":
                    await socket.send_str("3")
                elif packet.startswith('42["resumed"'):
                    return True
                elif packet.startswith("44"):
                    return False
    return False


# On rights, and on what clients believe


async def remove_and_readd_members(scene: Scene, chance: random.Random) -> Outcome:
    people = chance.sample(list(scene.people), 2)
    rooms = [chance.choice(scene.rooms) for _ in people]
    for room_id, person in zip(rooms, people, strict=True):
        await scene.host.remove(room_id, person)
    await asyncio.sleep(chance.uniform(0.5, 4))
    for room_id, person in zip(rooms, people, strict=True):
        await scene.host.add(room_id, person)
    return Outcome(len(people), " and ".join(person.name for person in people))


BAN_SECONDS = 20.0
"""How long somebody stays banned whose sockets are not cut; the checker counts from 10 s on."""


async def ban_somebody(scene: Scene, chance: random.Random) -> Outcome:
    """Deactivate a person in the admin, see them cut off everywhere, and let them in again."""
    person = chance.choice(scene.people)
    devices = [each for each in scene.participants if each.person is person]
    await wait_until(lambda: any(device.is_connected for device in devices), BAN_SECONDS)
    connected = sum(device.is_connected for device in devices)
    try:
        await scene.moderator.shut_out(person)
        scene.notes.write("banned", person=person.id)
        start = time.monotonic()
        await wait_until(lambda: not any(each.is_connected for each in devices), BAN_SECONDS)
        seconds = time.monotonic() - start
        await asyncio.sleep(chance.uniform(0, 3))
    finally:
        scene.notes.write("let in", person=person.id)
        await scene.moderator.let_in(person)
    return Outcome(connected, f"{person.name}, {connected} sockets, cut within {seconds:.1f} s")


async def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, but no longer than some seconds."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        await asyncio.sleep(0.05)


SESSIONS_SECONDS = 60.0
"""How long it is tried to end a session: the service may be away because of another fault."""


async def end_sessions(scene: Scene, chance: random.Random) -> Outcome:
    some = chance.sample(list(scene.participants), min(3, len(scene.participants)))
    ended, until = 0, time.monotonic() + SESSIONS_SECONDS
    while not ended and time.monotonic() < until:
        for participant in some:
            with contextlib.suppress(Unavailable):
                ended += await participant.end_session()
        await asyncio.sleep(0.3)
    return Outcome(ended, ", ".join(participant.name for participant in some))


CLOCK_ERRORS = (0.0, -86_400.0, 0.0, 86_400.0, -3_600.0, 600.0)
"""Seconds by which clients' clocks are wrong, in turn: this list over and over."""


async def set_clocks_wrong(scene: Scene, chance: random.Random) -> Outcome:
    """Turn the clocks of some clients on or back, or right; a wrong one stays so."""
    some = chance.sample(list(scene.participants), min(6, len(scene.participants)))
    for participant, error in zip(some, CLOCK_ERRORS, strict=False):
        participant.clock_error = error
    wrong = sum(participant.clock_error != 0 for participant in scene.participants)
    return Outcome(wrong, f"{wrong} are wrong")


ON_PROCESSES: dict[str, Fault] = {
    "service killed": kill_a_service,
    "services restarted in turn": restart_services_in_turn,
    "mongod killed": kill_mongodb,
    "mongod paused": pause_mongodb,
}
ON_REDIS: dict[str, Fault] = {
    "redis paused": pause_redis,
    "redis killed": kill_redis,
}
IN_LONG_RUNS: dict[str, Fault] = {
    "redis gone for 30 s": take_redis_away,
}
ON_CONNECTIONS: dict[str, Fault] = {
    "connections cut before the acknowledgement": cut_before_the_acknowledgement,
    "one direction silent": silence_one_direction,
    "everybody cut off": cut_everybody,
    "crowd": bring_a_crowd,
    "members removed and added again": remove_and_readd_members,
    "member banned and let in again": ban_somebody,
    "sessions ended": end_sessions,
    "clocks of clients set wrong": set_clocks_wrong,
}


class Hand:
    """Deals faults one after the other, from a pack that is shuffled anew when it is used up."""

    PAUSE = (0.3, 1.5)  # seconds between two faults, at least and at most

    def __init__(
        self, pack: dict[str, Fault], seed: str, log: TextIO, notes: Journal, rounds: int = 1
    ) -> None:
        """`rounds`: how often each fault of the pack has to come at least."""
        self.pack = pack
        self.rounds = rounds
        self.chance = random.Random(seed)
        self.log = log
        self.notes = notes
        self.dealt = 0
        self._began = time.monotonic()

    async def deal(self, scene: Scene, until: float) -> None:
        """Go on until `until`, on the clock of `time.monotonic`, and until each came often enough.

        The last fault is repaired, too, so the whole takes some seconds longer.
        """
        names: list[str] = []
        while self.pack and (time.monotonic() < until or self.dealt < self.rounds * len(self.pack)):
            await asyncio.sleep(self.chance.uniform(*self.PAUSE))
            if not names:
                names = self.chance.sample(list(self.pack), len(self.pack))
            name = names.pop()
            self._write(f"{name} ...")
            self.dealt += 1
            try:
                async with asyncio.timeout(FAULT_SECONDS):
                    outcome = await self.pack[name](scene, random.Random(self.chance.random()))
            except TimeoutError as error:
                outcome = Outcome(0, "hangs")
                problem = f"the fault {name!r} was not over in time {error}".rstrip()
                self.notes.write("unfinished", problem=problem)
            self.notes.write("fault", name=name, count=int(outcome.count))
            self._write(f"{name}: over{f' ({outcome.detail})' if outcome.detail else ''}")

    def _write(self, line: str) -> None:
        self.log.write(f"{time.monotonic() - self._began:7.2f} s  {line}\n")
        self.log.flush()
