"""The fast lane: hot addresses of the API without Django's request cycle, which costs a thread.

`FastLane` stands in front of Django. A *plain* request to one of its routes (a bearer token, JSON,
no cookie) it answers itself, on the event loop; everything else is Django's. What is validated,
done and answered is the same code (`chatservice.endpoints`), and so is who may ask (`accounts`),
how often (`limits`), and what a refusal says (`errors`).

What Django's middleware and REST framework add to a response, the lane learns from them: Django
answers the first request of each *kind*, and its headers are those of all answers that follow.
docs/decisions/0019 says why, and what must not be built on it.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import hot_path
from accounts.authentication import rejected, token_in
from accounts.hot_path import Caller
from media_upload.body_limit import Application, Message, Receive, Scope, Send

from . import limits
from .endpoints import Call, Endpoint, Reply, render
from .errors import Answer, answer_and_log
from .parsers import JSONParser
from .realtime import loop

logger = logging.getLogger("django.request")

JSON_ACCEPTED = re.compile(rb"(?:\*/\*|application/json(?:, ?[\w*/+.-]+)*)?")
"""For which REST framework renders JSON: no parameters, and JSON or anything named first."""

JSON_SENT = re.compile(rb"application/json(?:; ?charset=utf-8)?", re.IGNORECASE)

LONGEST_QUERY = 200
"""Bytes; what is longer has something else than a page's parameters in it."""

MAX_KINDS = 1_000
"""Kinds of requests that are remembered; beyond, all are forgotten and learnt again."""

OF_A_KIND = (b"host", b"accept", b"accept-language", b"origin", b"x-forwarded-proto")
"""The request headers by which the headers of an answer may differ."""

READ = {*OF_A_KIND, b"authorization", b"content-type", b"content-length"}

NOT_PLAIN = {b"cookie", b"transfer-encoding", b"content-encoding"}

OF_ONE_ANSWER = {b"content-length", b"link"}
"""Headers of Django's answer that are made anew for each; others like these cannot be learnt."""

NEVER_LEARNT = {
    *(b"content-encoding", b"content-range", b"etag", b"expires", b"last-modified"),
    *(b"location", b"retry-after", b"set-cookie", b"www-authenticate"),
}


@dataclass(frozen=True, slots=True)
class Route:
    """An address, as a regular expression, and who answers it."""

    method: str
    path: re.Pattern[str]
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Kind:
    """What all requests of one kind have in common: what Django adds to their answers."""

    headers: list[tuple[bytes, bytes]]
    language: str
    route: str
    """The name of the route as Django has found it, which takes it longer than most else here."""
    origin: str
    """Of the service's own addresses: scheme and host."""


class FastLane:
    """ASGI middleware in front of `django`, within whatever limits addresses and bodies."""

    def __init__(self, django: Application, routes: Iterable[Route]) -> None:
        self._django = django
        self._routes = list(routes)
        self._kinds: dict[tuple[Any, ...], Kind] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (found := self._route_of(scope)) is None or (plain := _plain_headers(scope)) is None:
            await self._django(scope, receive, send)
            return
        route, path = found
        sender = await _sender_of(plain)
        key = (
            *(route.method, route.path, scope.get("scheme")),
            *map(plain.get, OF_A_KIND),
            # Who asks for no language is answered in their own.
            sender.user.language if isinstance(sender, Caller) else "",
        )
        kind = self._kinds.get(key)
        if kind is None:
            await self._learn(key, scope, receive, send)
            return
        scope.get("measured", {})["route"] = kind.route
        if (body := await _body_of(receive)) is not None:
            translation.activate(kind.language)  # of this request's own task, which ends with it
            await _send(send, kind, await _reply(route, path, kind, sender, scope, body))

    def _route_of(self, scope: Scope) -> tuple[Route, dict[str, str]] | None:
        # A server that has not said that it runs (`lifecycle`) has its home loop elsewhere.
        if scope["type"] == "http" and loop.is_home():
            for route in self._routes:
                if scope["method"] == route.method and (
                    match := route.path.fullmatch(scope["path"])
                ):
                    return route, match.groupdict()
        return None

    async def _learn(
        self, key: tuple[Any, ...], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let Django answer, and note how it answers this kind of request if it succeeds."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 201):
                kind = _kind_of(scope, message["headers"])
                if kind is not None:
                    if len(self._kinds) >= MAX_KINDS:
                        self._kinds.clear()
                    self._kinds[key] = kind
            await send(message)

        await self._django(scope, receive, noting)


def _plain_headers(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers of a plain request that are looked at; None of any other request."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in NOT_PLAIN or name in found:
            return None
        if name in READ:
            found[name] = value
    query = scope.get("query_string", b"")
    if len(query) > LONGEST_QUERY or not query.isascii() or b"format=" in query:
        return None
    if not JSON_ACCEPTED.fullmatch(found.get(b"accept", b"")):
        return None
    if not token_in(found.get(b"authorization", b"").decode("latin-1")):
        return None
    if scope["method"] == "POST":
        length = found.get(b"content-length", b"")
        if not (length.isdigit() and int(length)):
            return None
        if not JSON_SENT.fullmatch(found.get(b"content-type", b"")):
            return None
    return found


def _kind_of(scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> Kind | None:
    """What there is to learn from the headers of Django's answer; None if there is nothing."""
    answered = [(bytes(name), bytes(value)) for name, value in headers]
    by_name = {name.lower(): value for name, value in answered}
    if by_name.get(b"content-type") != b"application/json" or by_name.keys() & NEVER_LEARNT:
        return None
    return Kind(
        [(name, value) for name, value in answered if name.lower() not in OF_ONE_ANSWER],
        language=by_name[b"content-language"].decode("ascii"),
        route=scope.get("measured", {}).get("route", ""),
        origin=ASGIRequest(scope, BytesIO()).build_absolute_uri("/").rstrip("/"),
    )


async def _sender_of(plain: dict[bytes, bytes]) -> Caller | Exception:
    """Who asks; or what is to be raised instead, when it is known in which language."""
    try:
        with loop.answering():
            token = token_in(plain[b"authorization"].decode("latin-1"))
            return await hot_path.authenticate_async(token) or rejected()
    except Exception as error:
        return error


async def _body_of(receive: Receive) -> bytes | None:
    """The whole body of a request; None if its client is gone."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _reply(
    route: Route,
    path: dict[str, str],
    kind: Kind,
    sender: Caller | Exception,
    scope: Scope,
    body: bytes,
) -> Reply:
    try:
        with loop.answering():
            if isinstance(sender, Exception):
                raise sender
            limits.take_api_request(sender.user)
            call = Call(
                user=sender.user,
                address=kind.origin + scope["path"],
                path=path,
                query=_query_of(scope.get("query_string", b"")),
                data=_json.parse(BytesIO(body)) if route.method == "POST" else None,
            )
            return await route.endpoint(call)
    except Exception as error:
        answer = answer_and_log(error)
        if answer is None:
            logger.error("Internal Server Error: %s", scope["path"], exc_info=error)
            answer = Answer(
                HTTPStatus.INTERNAL_SERVER_ERROR, _("Something went wrong on our side.")
            )
        return Reply(answer.body(), answer.status, answer.headers())


NO_QUERY = QueryDict()


def _query_of(query_string: bytes) -> QueryDict:
    return QueryDict(query_string.decode("ascii")) if query_string else NO_QUERY


async def _send(send: Send, kind: Kind, reply: Reply) -> None:
    headers = [
        *kind.headers,
        *((name.encode("ascii"), value.encode("latin-1")) for name, value in reply.headers.items()),
    ]
    start = {"type": "http.response.start", "status": reply.status, "headers": headers}
    if reply.more is None:
        body = render(reply.payload)
        headers.append((b"Content-Length", b"%d" % len(body)))
        await send(start)
    else:
        body = b""
        await send(start)
        async for piece in reply.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": body})


_json = JSONParser()
