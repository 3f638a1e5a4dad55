"""The clients of a run: each writes, reads, changes its mind, and keeps a journal of all of it."""

import asyncio
import contextlib
import logging
import random
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
import socketio

from chaos.journal import Journal
from chaos.people import Doors, Json, Person, Unavailable, expiry_of
from clients.reference import FAILURES, PAGE, Client, Refused

# A client that is cut off in the middle of everything is the point here, and no news.
logging.getLogger("engineio.client").setLevel(logging.CRITICAL)
logging.getLogger("socketio.client").setLevel(logging.CRITICAL)

RENEWAL = 35.0
"""Seconds before the end of a token, by its own clock, at which a client asks for a new one."""

RENEWAL_PAUSE = 10.0
"""Seconds between two such requests: all tokens are long over for a clock that is fast."""

PATIENCE = 180.0
"""Seconds that a client may take to come to its end once everything is well again. It is far more
than it takes, also on a busy machine."""


class RoomView:
    """What a person sees of a room: the messages from number `since` on, as they are now."""

    def __init__(self, since: int, number: int, messages: list[Json]) -> None:
        self.since = since
        self.number = number
        self.messages: dict[int, Json] = {}
        for message in messages:
            self._add(message)

    def apply(self, entry: Json) -> None:
        """The rules of docs/protocol.md."""
        self.number = entry["seq"]
        if entry["kind"] == "message":
            self._add(entry)
            return
        message = self.messages.get(entry.get("target", 0))
        if message is None or entry["seq"] <= message["rev"]:
            return
        if entry["kind"] == "edit":
            message |= {"content": entry["content"], "rev": entry["seq"]}
        elif entry["kind"] == "delete":
            message |= {"content": "", "deleted": True, "rev": entry["seq"]}

    def _add(self, message: Json) -> None:
        kept = ("content", "deleted", "timestamp", "rev")
        self.messages[message["seq"]] = {name: message[name] for name in kept}

    def as_json(self) -> Json:
        shown = ("content", "deleted", "timestamp")
        messages = {
            seq: [message[name] for name in shown] for seq, message in self.messages.items()
        }
        return {"number": self.number, "since": self.since, "messages": messages}


class Participant:
    """One client of a person. Subclasses say how it writes and how it learns what is new."""

    sequential = True

    def __init__(self, name: str, person: Person, doors: Doors, journal: Journal) -> None:
        self.name, self.person, self.doors, self.journal = name, person, doors, journal
        self.views: dict[str, RoomView] = {}
        self.stopping = asyncio.Event()
        self.acknowledged = 0
        self.clock_error = 0.0
        """Seconds by which this client's clock is fast; below 0, slow."""
        self._mine: list[tuple[str, str]] = []
        self._token: str | None = None
        self._asked_at = -RENEWAL_PAUSE
        journal.write("is", person=person.id, door=type(self).__name__, sequential=self.sequential)

    @property
    def is_connected(self) -> bool:
        """Whether it has a socket open, as far as it knows."""
        return False

    def clock(self) -> float:
        return time.time() + self.clock_error

    def timestamp(self) -> str:
        """What this client takes the time for, to be sent along, and not to be believed."""
        return datetime.fromtimestamp(self.clock(), UTC).isoformat()

    async def token(self) -> str:
        """One that counts for some time yet, if this client's clock is right."""
        if self._token is None or (
            expiry_of(self._token) - self.clock() < RENEWAL
            and time.monotonic() - self._asked_at > RENEWAL_PAUSE
        ):
            token = await self.person.log_in()
            self._token, self._asked_at = token, time.monotonic()
            self.journal.write("token", expires=expiry_of(token))
        return self._token

    def forget_token(self) -> None:
        """The service does not take it any more."""
        if self._token is not None and expiry_of(self._token) < time.time():
            self.journal.write("expired")
        self._token = None

    async def end_session(self) -> bool:
        """Log this device out, behind its own back; returns whether that was done."""
        token = await self.token()
        status, _ = await self.doors.request("POST", "/auth/logout", token=token)
        if status == 401:
            self.forget_token()
        return status in (200, 204)

    async def run(self, pace: float) -> None:
        """Write about every `pace` seconds until told to stop, and come to an end then."""
        number = 0
        while not self.stopping.is_set():
            number += 1
            await self._write(random.choice(self.person.rooms), number)
            if random.random() < 0.15:
                await self._change_something()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0.3, 1.7) * pace):
                    await self.stopping.wait()

    async def _write(self, room_id: str, number: int) -> None:
        text = f"{self.name} says {number}"
        message = {"room": room_id, "client_id": f"{self.name}-{number}", "text": text}
        self.journal.write("sending", **message)
        try:
            stored = await self.send(room_id, message["client_id"], text)
        except Refused as refusal:
            self.journal.write("refused", **message, code=refusal.code)
        else:
            known = {name: stored[name] for name in ("id", "seq", "timestamp", "duplicate")}
            self.journal.write("acknowledged", **message, **known)
            self.acknowledged += 1
            self._mine.append((room_id, stored["id"]))

    async def _change_something(self) -> None:
        """Edit or delete a message of one's own, whatever comes of it."""
        if not self._mine:
            return
        room_id, message_id = random.choice(self._mine[-10:])
        path = f"/chat/chat_rooms/{room_id}/messages/{message_id}"
        with contextlib.suppress(Unavailable):
            token = await self.token()
            if random.random() < 0.7:
                body = {"content": f"{self.name} means {random.randrange(1000)}"}
                await self.doors.request("PATCH", path, token=token, json=body)
            else:
                await self.doors.request("DELETE", path, token=token)

    async def send(self, room_id: str, client_id: str, text: str) -> Json:
        """Say something until it is acknowledged. Raises Refused."""
        raise NotImplementedError

    # What it is shown

    def on_entry(self, entry: Json) -> None:
        room_id = entry["room_id"]
        self.journal.write("applied", room=room_id, seq=entry["seq"])
        if room_id not in self.views:
            self.views[room_id] = RoomView(0, 0, [])
        self.views[room_id].apply(entry)

    def on_gone(self, room_id: str) -> None:
        self.journal.write("gone", room=room_id)
        self.views.pop(room_id, None)

    async def finish(self) -> None:
        """Fetch what is missing, for the last time, and note what is shown then."""
        async with asyncio.timeout(PATIENCE):
            await self.fetch_the_rest()
        rooms = {room_id: view.as_json() for room_id, view in self.views.items()}
        self.journal.write("final", rooms=rooms)

    async def fetch_the_rest(self) -> None:
        raise NotImplementedError

    async def leave(self) -> None:
        """Close what is open."""


class Device(Client):
    """The reference client, at another door each time, with all it is sent in the journal."""

    participant: "SocketParticipant"
    connection = 0

    async def connect(self) -> None:
        self.url = self.participant.doors.one()
        self.connection += 1
        self.participant.journal.write("connected", connection=self.connection)
        self._socket.on("connect_error", self.participant.on_refusal)
        self._socket.on("error", self.participant.on_error)
        await super().connect()

    def received(self, entry: Json) -> None:
        self.participant.journal.write(
            "received", connection=self.connection, room=entry["room_id"], seq=entry["seq"]
        )
        super().received(entry)


class SocketParticipant(Participant):
    """Live by Socket.IO, with the reference client."""

    transports = ("websocket",)

    async def run(self, pace: float) -> None:
        self.device = Device(
            self.doors.one(),
            self.token,
            on_entry=self.on_entry,
            on_page=self.on_page,
            on_gone=self.on_gone,
            transports=self.transports,
        )
        self.device.participant = self
        await self.device.__aenter__()
        await super().run(pace)

    device: Device | None = None

    @property
    def is_connected(self) -> bool:
        return self.device is not None and self.device.connected.is_set()

    def on_refusal(self, complaint: Any = None) -> None:
        """It may not connect; with a code, because of its token."""
        data = complaint.get("data") if isinstance(complaint, dict) else None
        if isinstance(data, dict) and data.get("code") == "unauthenticated":
            self.forget_token()

    def on_error(self, complaint: Json) -> None:
        """It is about to be cut."""
        if complaint.get("code") in ("token_expired", "session_ended"):
            self.forget_token()

    async def send(self, room_id: str, client_id: str, text: str) -> Json:
        fields = {"client_id": client_id, "timestamp": self.timestamp()}
        return await self.device.send(room_id, text, **fields)

    def on_page(self, room_id: str, messages: list[Json]) -> None:
        number = self.device.rooms[room_id]
        self.journal.write("page", room=room_id, seq=number)
        since = messages[0]["seq"] if len(messages) == PAGE else 0
        self.views[room_id] = RoomView(since, number, messages)

    async def fetch_the_rest(self) -> None:
        while True:
            try:
                return await self.device.catch_up()
            except (*FAILURES, Refused):
                await asyncio.sleep(0.5)

    async def leave(self) -> None:
        if self.device is not None:
            await self.device.__aexit__()


class PollingParticipant(SocketParticipant):
    """The same by long-polling only."""

    transports = ("polling",)


class RestParticipant(Participant):
    """Writes by REST and asks for news every second; knows nothing of sockets."""

    async def run(self, pace: float) -> None:
        reading = asyncio.ensure_future(self._read_on())
        await super().run(pace)
        await reading

    async def send(self, room_id: str, client_id: str, text: str) -> Json:
        path = f"/chat/chat_rooms/{room_id}/messages"
        message = {"content": text, "client_id": client_id, "timestamp": self.timestamp()}
        while True:
            with contextlib.suppress(Unavailable):
                status, answer = await self._request("POST", path, json=message)
                if status in (200, 201):
                    return answer | {"duplicate": status == 200}
                if status < 500 and status != 401:
                    raise Refused({"code": str(status)})
            await asyncio.sleep(0.3)

    async def _request(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        status, answer = await self.doors.request(method, path, token=await self.token(), **options)
        if status == 401:
            self.forget_token()
        return status, answer

    async def _read_on(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(Unavailable):
                await self._read_all()
            await asyncio.sleep(1)

    async def _read_all(self) -> None:
        status, rooms = await self._request("GET", "/chat/chat_rooms/")
        if status != 200:
            raise Unavailable(f"rooms: {status}")
        present = [room["id"] for room in rooms]
        for room_id in set(self.views) - set(present):
            self.on_gone(room_id)
        for room_id in present:
            await self._read(room_id)

    async def _read(self, room_id: str) -> None:
        more = True
        while more:
            after = self.views[room_id].number if room_id in self.views else 0
            path = f"/chat/chat_rooms/{room_id}/events?after={after}"
            status, page = await self._request("GET", path)
            if status == 404:  # none of ours any more
                return
            if status != 200:  # the token may have ended since the room before
                raise Unavailable(f"events: {status}")
            for entry in page["entries"]:
                self.on_entry(entry)
            more = page["more"]

    async def fetch_the_rest(self) -> None:
        while True:
            try:
                return await self._read_all()
            except Unavailable:
                await asyncio.sleep(0.5)


class OldParticipant(Participant):
    """A client of protocol 1: no numbers, no retries; only what it is told live."""

    sequential = False
    _device: socketio.AsyncClient | None = None

    @property
    def is_connected(self) -> bool:
        return self._device is not None

    async def run(self, pace: float) -> None:
        self._connection = 0
        connecting = asyncio.ensure_future(self._stay_connected())
        await super().run(pace)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)

    async def _stay_connected(self) -> None:
        while True:
            with contextlib.suppress(*FAILURES):
                async with aiohttp.ClientSession() as http:
                    await self._connect(http)
            self._device = None
            await asyncio.sleep(random.uniform(0.3, 1.0))

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        lost = asyncio.Event()
        device = socketio.AsyncClient(http_session=http, reconnection=False, handle_sigint=False)
        device.on("broadcast_message", self._received)
        device.on("chat_response", self._received_by_rest)
        device.on("disconnect", lost.set)
        device.on("connect_error", lambda *_: self.forget_token())
        device.on("error", lambda _: self.forget_token())
        self._connection += 1
        self.journal.write("connected", connection=self._connection)
        async with asyncio.timeout(10):
            await device.connect(
                self.doors.one(), auth={"token": await self.token()}, transports=["websocket"]
            )
        self._device = device
        await lost.wait()

    def _received(self, message: Json) -> None:
        self.journal.write(
            "received", connection=self._connection, room=message["room_id"], seq=message["seq"]
        )

    def _received_by_rest(self, told: Json) -> None:
        if "room_id" in told:
            self._received(told["message"])

    async def _write(self, room_id: str, number: int) -> None:
        device, text = self._device, f"{self.name} says {number}"
        if device is None:
            return
        message = {"room": room_id, "client_id": None, "text": text}
        self.journal.write("sending", **message)
        with contextlib.suppress(*FAILURES):
            answer = await device.call(
                "chat_message", {"room": room_id, "message": text}, timeout=5
            )
            if answer.get("ok") is True:
                known = {name: answer[name] for name in ("id", "seq", "timestamp", "duplicate")}
                self.journal.write("acknowledged", **message, **known)
                self.acknowledged += 1

    async def finish(self) -> None:
        """It has nothing to compare: it keeps no state."""
