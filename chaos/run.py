"""One run: sets the scene, lets clients and faults loose on it, lets it calm down, and counts."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient

from chaos.checker import Report, check, read_journals
from chaos.clients import (
    OldParticipant,
    Participant,
    PollingParticipant,
    RestParticipant,
    SocketParticipant,
)
from chaos.faults import CLOCK_ERRORS, Fault, Hand, Scene, cut_before_the_acknowledgement
from chaos.journal import Journal
from chaos.parts import MongoDB, Part, Redis, Service
from chaos.people import PASSWORD, Doors, Host, Json, Moderator, Person
from chaos.proxy import Proxy

PEOPLE = 6
ROOMS = 4
QUIET_SECONDS = 1.0
DATABASE = "chat"

ANSWER_SECONDS = 180.0
"""In which what was sent must be answered once everything is well again: far more than it takes."""

SECONDS_A_MESSAGE = 20.0
"""A client that gets no more than one message stored in so many seconds has tested too little."""

SECONDS_TO_EXPIRE = 90.0
"""In a run as long, tokens end."""

KINDS = (
    *(SocketParticipant, SocketParticipant, PollingParticipant, RestParticipant),
    *(SocketParticipant, OldParticipant, SocketParticipant, PollingParticipant, RestParticipant),
    SocketParticipant,
)
"""Which clients there are: this list over and over."""


@dataclass
class Options:
    seed: str
    seconds: float
    clients: int
    crowd: int
    pace: float
    """Seconds between two messages of one client, on average."""
    bug: str | None
    on_processes: dict[str, Fault]
    on_connections: dict[str, Fault]
    shows_progress: bool = True
    rounds: int = 1
    """How often each fault has to come, however long that takes."""


class Run:
    """All parts of a run; `async with` starts the processes and ends them, whatever happens."""

    def __init__(self, options: Options, directory: Path) -> None:
        self.options = options
        self.directory = directory
        self.journals = directory / "journals"
        self.journals.mkdir()
        self.mongodb = MongoDB(directory)
        self.redis = Redis(directory) if Redis.is_installed() else None
        self.services = [
            Service(
                f"service-{number}",
                directory,
                database_url=self.mongodb.url,
                redis_url=self.redis.url if self.redis else "",
                bug=options.bug,
            )
            for number in range(1, 3 if self.redis else 2)
        ]
        self.proxies = [Proxy(service.port) for service in self.services]
        self.participants: list[Participant] = []
        self._notes = Journal(self.journals, "run")

    @property
    def parts(self) -> list[Part]:
        return [part for part in (self.mongodb, self.redis, *self.services) if part is not None]

    async def __aenter__(self) -> "Run":
        try:
            for part in self.parts:  # in this order: the first service migrates the database
                await part.start()
            for proxy in self.proxies:
                await proxy.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            for participant in self.participants:
                await participant.leave()
            for proxy in self.proxies:
                await proxy.stop()
        finally:
            for part in reversed(self.parts):
                part.stop_now()

    async def play(self) -> Report:
        """The whole of it, which takes some seconds longer than `seconds`."""
        await self._gather_people()
        self._note_what_is_expected()
        writing = {
            asyncio.ensure_future(participant.run(self.options.pace)): participant
            for participant in self.participants
        }
        await self._break_things()
        for participant in self.participants:
            participant.stopping.set()
        _, stuck = await asyncio.wait(writing, timeout=ANSWER_SECONDS)
        for task in stuck:
            self._unfinished(f"{writing[task].name} gets no answer to what it sent")
            task.cancel()
        for task in set(writing) - stuck:
            if (error := task.exception()) is not None:
                self._unfinished(f"{writing[task].name} broke: {error!r}")
        await self._wait_until_quiet()
        await asyncio.gather(*(self._finish(each) for each in self.participants))
        await self._read_afresh()
        for part in self.parts:
            part.notice_death()
            for code in part.died_by_itself:
                self._unfinished(f"{part.name} ended by itself with {code}")
        with MongoClient(self.mongodb.url, tz_aware=False) as client:
            return check(read_journals(self.journals), client[DATABASE])

    def tracebacks(self) -> Counter[str]:
        """The last lines of the tracebacks that the service has logged."""
        logs = "".join(service.log.read_text(errors="replace") for service in self.services)
        return Counter(re.findall(r"^Traceback .*\n(?:[ \n].*\n)*(.*)", logs, re.MULTILINE))

    async def _gather_people(self) -> None:
        direct = Doors([service.url for service in self.services])
        doors = Doors([proxy.url for proxy in self.proxies])
        self.host = Host("host", direct)
        await self.host.sign_up()
        self.people = [Person(f"person{number}", doors) for number in range(1, PEOPLE + 1)]
        for person in self.people:
            await person.sign_up()
        self.rooms = [
            await self.host.make_room(f"Room {number}", self.people)
            for number in range(1, ROOMS + 1)
        ]
        moderator = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        names = ("--email", Moderator.email, "--username", "moderator")
        await self.services[0].manage("createsuperuser", "--noinput", *names, **moderator)
        self.moderator = Moderator(direct)
        for number in range(self.options.clients):
            kind = KINDS[number % len(KINDS)]
            name = f"client{number + 1:02}"
            person = self.people[number % PEOPLE]
            journal = Journal(self.journals, name)
            participant = kind(name, person, doors, journal)
            participant.clock_error = CLOCK_ERRORS[number % len(CLOCK_ERRORS)]
            self.participants.append(participant)

    def _note_what_is_expected(self) -> None:
        """What must have happened for zeros to mean something."""
        seconds, clients = self.options.seconds, self.options.clients
        self._notes.write(
            "expected",
            acknowledged=int(clients * seconds / SECONDS_A_MESSAGE),
            faults=[*self.options.on_processes, *self.options.on_connections],
            expiries=1 if seconds >= SECONDS_TO_EXPIRE else 0,
            repeats=1
            if cut_before_the_acknowledgement in self.options.on_connections.values()
            else 0,
        )

    async def _break_things(self) -> None:
        scene = Scene(
            mongodb=self.mongodb,
            redis=self.redis,
            services=self.services,
            proxies=self.proxies,
            host=self.host,
            moderator=self.moderator,
            people=self.people,
            participants=self.participants,
            rooms=self.rooms,
            crowd=self.options.crowd,
            notes=self._notes,
        )
        seed, until = self.options.seed, time.monotonic() + self.options.seconds
        with (self.directory / "schedule.log").open("w") as log:
            hands = [
                Hand(pack, f"{seed} {name}", log, self._notes, self.options.rounds)
                for name, pack in (
                    ("processes", self.options.on_processes),
                    ("connections", self.options.on_connections),
                )
            ]
            showing = asyncio.ensure_future(self._show_progress(hands, until))
            try:
                await asyncio.gather(*(hand.deal(scene, until) for hand in hands))
                await asyncio.sleep(max(0, until - time.monotonic()))
            finally:
                showing.cancel()

    async def _show_progress(self, hands: Sequence[Hand], until: float) -> None:
        while True:
            await asyncio.sleep(10)
            acknowledged = sum(participant.acknowledged for participant in self.participants)
            faults = sum(hand.dealt for hand in hands)
            left = max(0, round(until - time.monotonic()))
            if self.options.shows_progress:
                print(f"{left:5} s left, {faults} faults, {acknowledged} acknowledged", flush=True)

    async def _wait_until_quiet(self) -> None:
        """What was sent and given up may still be on its way into the log."""
        with MongoClient(self.mongodb.url) as client:
            entries = client[DATABASE]["chat_entry"]
            before = -1
            while (count := await asyncio.to_thread(entries.count_documents, {})) != before:
                before = count
                await asyncio.sleep(QUIET_SECONDS)

    async def _finish(self, participant: Participant) -> None:
        try:
            await participant.finish()
        except TimeoutError:
            self._unfinished(f"{participant.name} does not get what it missed")

    async def _read_afresh(self) -> None:
        for person in self.people:
            rooms = {}
            visitor = Host(person.name, self.host.doors, person.email, person.id)
            for room in await visitor.insist("GET", "/chat/chat_rooms/", done=(200,)):
                path = f"/chat/chat_rooms/{room['id']}/messages"
                messages = await visitor.insist("GET", path, done=(200,))
                rooms[room["id"]] = _as_shown(room, messages)
            self._notes.write("fresh", person=person.id, rooms=rooms)

    def _unfinished(self, problem: str) -> None:
        self._notes.write("unfinished", problem=problem)


def _as_shown(room: Json, messages: list[Json]) -> Json:
    fields = ("content", "deleted", "timestamp")
    shown = {message["seq"]: [message[name] for name in fields] for message in messages}
    return {"number": room["last_seq"], "since": 0, "messages": shown}


async def play(options: Options, directory: Path) -> tuple[Report, Counter[str]]:
    """Do one run; returns what was found, and `Run.tracebacks`."""
    random.seed(options.seed)
    async with Run(options, directory) as run:
        report = await run.play()
        return report, run.tracebacks()
