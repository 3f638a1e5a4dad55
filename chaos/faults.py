"""What is done to a run, from a seeded schedule. Every fault makes good again what it broke.

Two hands work at the same time: one on the processes, one on connections and rights. Each deals
from a shuffled pack that has every fault of its own once, so that a short run has all of them. The
seed settles which, when and for how long; what the clients are doing just then, nothing can.
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
from chaos.parts import MongoDB, Redis, Service
from chaos.people import Host, Person, Unavailable
from chaos.proxy import Proxy


@dataclass
class Scene:
    """All that can be broken."""

    mongodb: MongoDB
    redis: Redis | None
    services: Sequence[Service]
    proxies: Sequence[Proxy]
    host: Host
    people: Sequence[Person]
    participants: Sequence[Participant]
    rooms: Sequence[str]
    crowd: int
    """Connections of a crowd that comes at once."""


Fault = Callable[[Scene, random.Random], Awaitable[str | None]]
"""Does its worst and repairs it; what it returns is written down, too."""


# On processes


async def kill_a_service(scene: Scene, chance: random.Random) -> str:
    service = chance.choice(scene.services)
    await service.kill()
    await asyncio.sleep(chance.uniform(0, 2))
    await service.start()
    return service.name


async def restart_services_in_turn(scene: Scene, chance: random.Random) -> None:
    """A deployment: SIGTERM, wait, start, and then the next one."""
    for service in scene.services:
        await service.terminate()
        await service.start()


async def kill_mongodb(scene: Scene, chance: random.Random) -> None:
    await scene.mongodb.kill()
    await asyncio.sleep(chance.uniform(0, 3))
    await scene.mongodb.start()


async def pause_mongodb(scene: Scene, chance: random.Random) -> str:
    seconds = chance.choice([chance.uniform(0.5, 3), chance.uniform(5, 7)])
    scene.mongodb.pause()
    await asyncio.sleep(seconds)
    scene.mongodb.go_on()
    return f"{seconds:.1f} s"


async def pause_redis(scene: Scene, chance: random.Random) -> str | None:
    if scene.redis is None:
        return "there is none"
    seconds = chance.uniform(1, 6)
    scene.redis.pause()
    await asyncio.sleep(seconds)
    scene.redis.go_on()
    return f"{seconds:.1f} s"


async def kill_redis(scene: Scene, chance: random.Random) -> str | None:
    if scene.redis is None:
        return "there is none"
    await scene.redis.kill()
    await asyncio.sleep(chance.uniform(0, 4))
    await scene.redis.start()
    return None


# On connections


async def cut_before_the_acknowledgement(scene: Scene, chance: random.Random) -> None:
    """What clients send still arrives and is stored; what they are answered never does."""
    for _ in range(4):
        some = chance.choice(scene.proxies).some(chance, 0.4)
        for connection in some:
            connection.to_client.clear()
        await asyncio.sleep(chance.uniform(0.2, 1.0))
        for connection in some:
            connection.cut()
        await asyncio.sleep(chance.uniform(0, 0.5))


async def silence_one_direction(scene: Scene, chance: random.Random) -> str:
    """Connections that stand still for a while, and then go on as if nothing had been."""
    some = chance.choice(scene.proxies).some(chance, 0.5)
    direction = chance.choice(["to_service", "to_client"])
    seconds = chance.uniform(1, 8)
    for connection in some:
        getattr(connection, direction).clear()
    await asyncio.sleep(seconds)
    for connection in some:
        connection.go_on()
    return f"{direction}, {seconds:.1f} s"


async def cut_everybody(scene: Scene, chance: random.Random) -> None:
    """All come back at once."""
    for proxy in scene.proxies:
        for connection in proxy.some(chance, 1.0):
            connection.cut()


async def bring_a_crowd(scene: Scene, chance: random.Random) -> str:
    """Many connections at once, each of which asks for what it has missed, and leaves."""
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
    return f"{sum(outcomes)} of {len(people)} resumed within {time.monotonic() - start:.1f} s"


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


# On rights


async def remove_and_readd_members(scene: Scene, chance: random.Random) -> str:
    people = chance.sample(list(scene.people), 2)
    rooms = [chance.choice(scene.rooms) for _ in people]
    for room_id, person in zip(rooms, people, strict=True):
        await scene.host.remove(room_id, person)
    await asyncio.sleep(chance.uniform(0.5, 4))
    for room_id, person in zip(rooms, people, strict=True):
        await scene.host.add(room_id, person)
    return " and ".join(person.name for person in people)


async def end_sessions(scene: Scene, chance: random.Random) -> str:
    some = chance.sample(list(scene.participants), min(3, len(scene.participants)))
    for participant in some:
        with contextlib.suppress(Unavailable):
            await participant.end_session()
    return ", ".join(participant.name for participant in some)


ON_PROCESSES: dict[str, Fault] = {
    "service killed": kill_a_service,
    "services restarted in turn": restart_services_in_turn,
    "mongod killed": kill_mongodb,
    "mongod paused": pause_mongodb,
    "redis paused": pause_redis,
    "redis killed": kill_redis,
}
ON_CONNECTIONS: dict[str, Fault] = {
    "connections cut before the acknowledgement": cut_before_the_acknowledgement,
    "one direction silent": silence_one_direction,
    "everybody cut off": cut_everybody,
    "crowd": bring_a_crowd,
    "members removed and added again": remove_and_readd_members,
    "sessions ended": end_sessions,
}


class Hand:
    """Deals faults one after the other, from a pack that is shuffled anew when it is used up."""

    PAUSE = (0.3, 1.5)  # seconds between two faults, at least and at most

    def __init__(self, pack: dict[str, Fault], seed: str, log: TextIO) -> None:
        self.pack = pack
        self.chance = random.Random(seed)
        self.log = log
        self.dealt = 0
        self._began = time.monotonic()

    async def deal(self, scene: Scene, until: float) -> None:
        """Go on until `until`, on the clock of `time.monotonic`; the last fault is repaired, too.

        A fault begins only in time, so the whole takes some seconds longer.
        """
        names: list[str] = []
        while self.pack and time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(*self.PAUSE))
            if not names:
                names = self.chance.sample(list(self.pack), len(self.pack))
            name = names.pop()
            self._write(f"{name} ...")
            self.dealt += 1
            detail = await self.pack[name](scene, random.Random(self.chance.random()))
            self._write(f"{name}: over{f' ({detail})' if detail else ''}")

    def _write(self, line: str) -> None:
        self.log.write(f"{time.monotonic() - self._began:7.2f} s  {line}\n")
        self.log.flush()
