"""Who takes part in a run: people with accounts and rooms, and how they reach the service."""

import asyncio
import random
import secrets
from dataclasses import dataclass, field
from typing import Any

import aiohttp

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=10)
PASSWORD = secrets.token_urlsafe(12)

Json = dict[str, Any]


class Unavailable(ConnectionError):
    """The service could not do it now; whether it is done is unknown."""


class Doors:
    """The addresses of the service's processes, as clients see them: one is as good as another."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls

    def one(self) -> str:
        return random.choice(self.urls)

    async def request(
        self, method: str, path: str, *, token: str | None = None, **options: Any
    ) -> tuple[int, Any]:
        """Make one request at one of the doors; returns status and JSON. Raises Unavailable."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=REQUEST_TIMEOUT) as http,
                http.request(method, self.one() + path, **options) as answer,
            ):
                if answer.status in (429, 502, 503, 504):
                    raise Unavailable(f"{method} {path}: {answer.status}")
                is_json = answer.content_type == "application/json"
                return answer.status, await answer.json() if is_json else await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{method} {path}: {error!r}") from error


@dataclass
class Person:
    name: str
    doors: Doors
    email: str = ""
    id: str = ""
    rooms: list[str] = field(default_factory=list)

    async def sign_up(self) -> None:
        self.email = f"{self.name}@example.org"
        account = {"username": self.name, "email": self.email, "password": PASSWORD}
        _, answer = await self.doors.request("POST", "/auth/signup", json=account)
        self.id = answer["id"]

    async def log_in(self) -> str:
        """A new session's access token. Raises Unavailable."""
        form = {"username": self.email, "password": PASSWORD}
        status, answer = await self.doors.request("POST", "/auth/login", data=form)
        if status != 200:
            raise Unavailable(f"log-in: {status} {answer}")
        return answer["access_token"]


class Host(Person):
    """Makes the rooms and decides who is in them. Never removed, and very patient."""

    token: str | None = None

    async def insist(self, method: str, path: str, *, done: tuple[int, ...], **options: Any) -> Any:
        """Make a request until it is answered with one of the statuses in `done`."""
        while True:
            try:
                self.token = self.token or await self.log_in()
                status, answer = await self.doors.request(method, path, token=self.token, **options)
                if status in done:
                    return answer
                if status != 401:
                    raise AssertionError(f"{method} {path}: {status} {answer}")
                self.token = None
            except Unavailable:
                await asyncio.sleep(0.3)

    async def make_room(self, name: str, members: list[Person]) -> str:
        fields = {"name": name, "members": [person.email for person in members]}
        room = await self.insist("POST", "/chat/chat_rooms/", done=(201,), json=fields)
        for person in members:
            person.rooms.append(room["id"])
        return room["id"]

    async def remove(self, room_id: str, person: Person) -> None:
        path = f"/chat/chat_rooms/{room_id}/members/{person.id}"
        await self.insist("DELETE", path, done=(204, 404))  # 404: it was done the time before

    async def add(self, room_id: str, person: Person) -> None:
        path = f"/chat/chat_rooms/{room_id}/members"
        await self.insist("POST", path, done=(201,), json={"members": [person.email]})
