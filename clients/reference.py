"""The reference client of protocol 2: nothing missed, nothing twice, nothing out of order.

Written to be read by who writes a client in another language; docs/protocol.md has the events. It
needs python-socketio and aiohttp. The rules, each of which is a few lines below:

1. A room is a log. Its entries are numbered 1, 2, 3, ... and a client keeps one number for each
   room: the last entry that it has applied, with none missing before it.
2. An entry whose number comes next is applied. One that was applied before is ignored. One that
   skips numbers waits, and `resume` fetches what is missing.
3. On every connection, send all numbers; the answer is all that was missed. Do so every half
   minute, too: nothing comes after the last entry of all to show that it was lost on the way.
4. Too far behind, or new in a room: take a fresh page by REST, up to the number that the answer
   names, and go on from that number.
5. Send each message with a `client_id`, and again with the same one until it is acknowledged. It
   is stored once. Send the next one after that, where the order of your own matters.
6. A server that does not answer is not there: hang up and connect anew. Come back after a random
   pause that grows, for all the others come back as well.
7. Tokens end. Get a new one for each connection, and when `auth_expiring` says so.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import socketio

ANSWER_TIMEOUT = 10.0
"""Seconds of silence after which a connection counts as dead."""

GOODBYE_TIMEOUT = 1.0
"""Seconds that are spent on closing a connection in good order."""

CHECK_INTERVAL = 30.0
"""Seconds between questions whether anything was missed, when nothing hints at it."""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds before connecting again; doubled with every failure."""

PAGE = 50
"""Messages fetched of a room that is new, or whose log has gone on for too long without us."""

MAX_WAITING = 1_000
"""Entries of a room kept until those before them are there; without them, they are asked for."""

TRY_AGAIN = ("busy", "throttled", "unavailable")
"""Codes that ask for patience. With any other, sending again will not help."""

FAILURES = (
    aiohttp.ClientError,
    socketio.exceptions.SocketIOError,
    OSError,  # ConnectionError and TimeoutError are two of them
    ValueError,  # an answer that is no JSON: a proxy's page, say
)

Json = dict[str, Any]


def apply(entry: Json, message: Json) -> None:
    """Change a message, as REST or a `room_event` gave it, by an entry whose `target` it is.

    Nothing is done by an entry that the message had already when it was fetched, or of a kind that
    is not known here.
    """
    if entry["seq"] <= message["rev"] or message["deleted"]:
        return
    if entry["kind"] == "edit":
        message["edited_at"] = entry["created_at"]
        for name in ("content", "uploads", "mentions", "mentions_all"):
            message[name] = entry[name]
    elif entry["kind"] == "delete":
        nothing: Json = {"content": "", "uploads": [], "mentions": [], "mentions_all": False}
        message.update(nothing, reactions={}, deleted=True)
    elif entry["kind"] == "reaction":
        reactions = message["reactions"]
        others = [one for one in reactions.get(entry["emoji"], []) if one != entry["actor"]["id"]]
        if entry["on"]:
            already = reactions.setdefault(entry["emoji"], [])
            if entry["actor"]["id"] not in already:
                already.append(entry["actor"]["id"])
        elif others:
            reactions[entry["emoji"]] = others
        else:
            reactions.pop(entry["emoji"], None)
    else:
        return
    message["rev"] = entry["seq"]


class Refused(Exception):
    """The server said no, and will say so again; `code` is one of the protocol's."""

    def __init__(self, answer: Json) -> None:
        super().__init__(answer.get("message"))
        self.code: str | None = answer.get("code")


class Client:
    """One device of a person, connected again and again until the `async with` block ends.

    `url` is the service's. `token` is awaited before each connection and must return an access
    token that counts for some time yet. `rooms` are the numbers that were kept from last time, by
    room id. What is called, in order and never twice for one thing:

    * `on_entry(entry)`: a `room_event`. An edit, a deletion or a reaction changes the message
      `target`, as `apply` does.
    * `on_page(room_id, messages)`: these replace whatever was known of the room.
    * `on_gone(room_id)`: the room is none of ours (any more).

    They must not block, and `rooms` is then up to date with what they are told.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], Awaitable[str]],
        *,
        on_entry: Callable[[Json], None],
        on_page: Callable[[str, list[Json]], None] = lambda room_id, messages: None,
        on_gone: Callable[[str], None] = lambda room_id: None,
        rooms: dict[str, int] | None = None,
        transports: Sequence[str] = ("websocket",),
    ) -> None:
        self.url = url
        self.token = token
        self.on_entry, self.on_page, self.on_gone = on_entry, on_page, on_gone
        self.rooms = dict(rooms or {})
        self.transports = list(transports)
        self.connected = asyncio.Event()
        self._waiting: dict[str, dict[int, Json]] = {}
        self._unanswered: set[asyncio.Future[Json]] = set()
        self._behind = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Client":
        self._start(self._stay_connected())
        self._start(self._keep_up())
        return self

    async def __aexit__(self, *exception: object) -> None:
        while self._tasks:  # more than once: libraries swallow a cancellation at times
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=GOODBYE_TIMEOUT)

    # Writing

    async def send(self, room_id: str, text: str, **fields: Any) -> Json:
        """Say something, and return `{id, seq, timestamp, duplicate}` once it is stored.

        `fields` may have `client_id`, to go on with a message that an earlier life of this program
        sent, `reply_to` and `uploads`. Waits as long as it takes; raises Refused.
        """
        message = {"room": room_id, "message": text, "client_id": uuid.uuid4().hex} | fields
        while True:
            try:
                return await self.ask("chat_message", message)
            except FAILURES:
                await asyncio.sleep(FIRST_PAUSE)  # whether it is stored is unknown: send it again
            except Refused as refusal:
                if refusal.code not in TRY_AGAIN:
                    raise
                await asyncio.sleep(random.uniform(0.5, 1.5))

    async def ask(self, event: str, data: Json) -> Json:
        """Send an event, when there is a connection, and return its acknowledgement.

        Raises Refused, or ConnectionError when the connection ends without one.
        """
        await self.connected.wait()
        answered = asyncio.get_running_loop().create_future()
        self._unanswered.add(answered)
        try:
            await self._socket.emit(event, data, callback=lambda answer: _settle(answered, answer))
            async with asyncio.timeout(ANSWER_TIMEOUT):
                answer = await answered
        except TimeoutError:
            self._lost.set()
            raise ConnectionError(f"no answer to {event}") from None
        finally:
            self._unanswered.discard(answered)
        if answer.get("ok") is not True:
            raise Refused(answer)
        return answer

    # Reading

    def received(self, entry: Json) -> None:
        """What comes live: apply it if it is the next one; if numbers are missing, ask for them."""
        room_id, seq = entry["room_id"], entry["seq"]
        if seq <= self.rooms.get(room_id, 0):
            return
        waiting = self._waiting.setdefault(room_id, {})
        if len(waiting) < MAX_WAITING:
            waiting[seq] = entry
        self._apply_what_follows(room_id)
        if self._waiting.get(room_id):
            self._behind.set()

    def _apply_what_follows(self, room_id: str) -> None:
        waiting = self._waiting.pop(room_id, {})
        number = self.rooms.get(room_id)
        if number is not None:
            while entry := waiting.pop(number + 1, None):
                number = self.rooms[room_id] = entry["seq"]
                self.on_entry(entry)
        if still := {seq: entry for seq, entry in waiting.items() if seq > (number or 0)}:
            self._waiting[room_id] = still

    async def catch_up(self) -> None:
        """Fetch all that is missing in all rooms. Raises Refused, or one of FAILURES."""
        async with self._one_at_a_time:
            more = True
            while more:
                numbers = dict(self.rooms)
                answer = await self.ask("resume", {"rooms": numbers})
                more = await self._take(numbers, answer["rooms"])

    async def _take(self, numbers: dict[str, int], rooms: dict[str, Json]) -> bool:
        """Apply an answer to `resume` with these numbers; returns whether there is more."""
        more = False
        for room_id, news in rooms.items():
            if news.get("gone"):
                if self.rooms.get(room_id) != numbers.get(room_id):
                    self._behind.set()  # something came live meanwhile: we are back in it
                else:
                    self._forget(room_id)
            elif not news["recovered"]:
                await self._start_over(room_id, news["last_seq"])
            else:
                for entry in news["entries"]:
                    if entry["seq"] == self.rooms.get(room_id, 0) + 1:
                        self.rooms[room_id] = entry["seq"]
                        self.on_entry(entry)
                self._apply_what_follows(room_id)
                more = more or news["more"]
        return more

    async def _start_over(self, room_id: str, last_seq: int) -> None:
        """Take a fresh page of a room as of number `last_seq`: nothing in it comes again later."""
        path = f"/chat/chat_rooms/{room_id}/messages"
        page = await self.fetch(path, limit=PAGE, before=last_seq + 1)
        if page is None:
            self._forget(room_id)
        else:
            self.rooms[room_id] = last_seq
            self.on_page(room_id, page)
            self._apply_what_follows(room_id)

    def _forget(self, room_id: str) -> None:
        self._waiting.pop(room_id, None)
        if self.rooms.pop(room_id, None) is not None:
            self.on_gone(room_id)

    async def fetch(self, path: str, **query: Any) -> Any:
        """The JSON of a GET request; None where nothing is there for us."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout) as http,
            http.get(self.url + path, params=query) as response,
        ):
            if response.status == 404:
                return None
            response.raise_for_status()
            return await response.json()

    async def _keep_up(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self._behind.wait()
            self._behind.clear()
            try:
                await self.catch_up()
            except (*FAILURES, Refused):
                self._behind.set()
                await asyncio.sleep(random.uniform(0.5, 1.5))

    # Being connected

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            # A session of its own: closing it ends whatever hangs in this connection.
            async with aiohttp.ClientSession() as http:
                self._lost = asyncio.Event()
                self._socket = socketio.AsyncClient(
                    http_session=http, reconnection=False, handle_sigint=False
                )
                try:
                    await self.connect()
                    pause = FIRST_PAUSE
                    await self._lost.wait()
                except FAILURES:
                    pass
                finally:
                    await self._hang_up()
            await asyncio.sleep(random.uniform(0.5, 1.0) * pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def connect(self) -> None:
        """Make one connection, and say what we have."""
        # Plain functions, which are called in the order of the events.
        self._socket.on("room_event", self.received)
        self._socket.on("resumed", lambda answer: self._start(self._resumed(numbers, answer)))
        self._socket.on("resync", lambda _: self._behind.set())
        self._socket.on("auth_expiring", lambda warning: self._start(self._authenticate()))
        self._socket.on("disconnect", self._lost.set)
        async with asyncio.timeout(ANSWER_TIMEOUT):
            token = await self.token()
            numbers = dict(self.rooms)
            await self._socket.connect(
                self.url,
                auth={"token": token, "protocol": 2, "rooms": numbers},
                transports=self.transports,
                wait_timeout=ANSWER_TIMEOUT,
            )
        # Should `resumed` not come, because the server is in trouble: ask for it.
        asyncio.get_running_loop().call_later(ANSWER_TIMEOUT, self._behind.set)
        self.connected.set()

    async def _resumed(self, numbers: dict[str, int], answer: Json) -> None:
        try:
            async with self._one_at_a_time:
                more = await self._take(numbers, answer["rooms"])
        except FAILURES:
            more = True
        if more:
            self._behind.set()

    async def _authenticate(self) -> None:
        with contextlib.suppress(*FAILURES, Refused):  # then the server hangs up, and we come back
            await self.ask("authenticate", {"token": await self.token()})

    async def _hang_up(self) -> None:
        self.connected.clear()
        for answered in self._unanswered:
            if not answered.done():
                answered.set_exception(ConnectionError("the connection ended"))
        with contextlib.suppress(*FAILURES):
            async with asyncio.timeout(GOODBYE_TIMEOUT):
                await self._socket.disconnect()

    def _start(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _settle(answered: "asyncio.Future[Json]", answer: Json) -> None:
    if not answered.done():
        answered.set_result(answer)
