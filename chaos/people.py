"""Who takes part in a run: people with accounts and rooms, and how they reach the service."""

import asyncio
import base64
import json
import random
import secrets
from dataclasses import dataclass, field
from typing import Any

import aiohttp

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=10)
PASSWORD = secrets.token_urlsafe(12)

Json = dict[str, Any]


def expiry_of(token: str) -> float:
    """When an access token ends, in seconds since 1970, as any client may read in it."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]


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


class Moderator:
    """Staff, who shut people out and let them in again in the administration's pages."""

    email = "moderator@example.org"

    def __init__(self, doors: Doors) -> None:
        self.doors = doors

    async def shut_out(self, person: Person) -> None:
        """Deactivate somebody; returns when they cannot log in any more."""
        while await self._can_log_in(person):
            await self._choose("deactivate", person)

    async def let_in(self, person: Person) -> None:
        while not await self._can_log_in(person):
            await self._choose("reactivate", person)

    async def _can_log_in(self, person: Person) -> bool:
        form = {"username": person.email, "password": PASSWORD}
        while True:
            try:
                status, _ = await self.doors.request("POST", "/auth/login", data=form)
            except Unavailable:
                await asyncio.sleep(0.3)
            else:
                return status == 200

    async def _choose(self, action: str, person: Person) -> None:
        """Log in as a browser does and choose an action for somebody, whatever comes of it."""
        url = self.doors.one()
        form = {"action": action, "_selected_action": person.id, "index": "0"}
        try:
            async with aiohttp.ClientSession(
                url, cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=REQUEST_TIMEOUT
            ) as browser:
                async with browser.get("/admin/login/"):
                    pass
                login = {"username": self.email, "password": PASSWORD}
                await self._submit(browser, "/admin/login/", login)
                await self._submit(browser, "/admin/accounts/user/", form)
        except (aiohttp.ClientError, TimeoutError, OSError):
            await asyncio.sleep(0.3)

    async def _submit(
        self, browser: aiohttp.ClientSession, path: str, form: dict[str, str]
    ) -> None:
        cookies = {cookie.key: cookie.value for cookie in browser.cookie_jar}
        token = {"csrfmiddlewaretoken": cookies.get("csrftoken", "")}
        async with browser.post(path, data=form | token, allow_redirects=False) as answer:
            if answer.status in (200, 403):  # the form again, with a complaint
                text = await answer.text()
                raise Unavailable(f"{path} of the administration: {answer.status} {text[-500:]}")
