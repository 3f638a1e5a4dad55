"""How long a request's body may be, on every ASGI server.

Django writes a body of any length to disk before it looks at the address, and Daphne does so before
that (`daphne_request`). `BodyLimit` goes round the whole HTTP application and refuses by the
Content-Length before a byte is read, and by counting where there is none or it lies.
"""

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.utils import translation
from django.utils.translation import gettext as _

from chatservice.languages import digits

from .errors import DISK_FULL, file_too_large

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Each twice: the API's address, and that of the pages' form, which works without a script.
UPLOAD_PATH = re.compile(
    r"/chat/upload_media/?|/rooms/[0-9a-f]{24}/messages/?"
    r"|/auth/users/me/avatar/?|/settings/avatar/?"
)
FORM_BYTES = 64 * 1024  # of a multipart form, round the file in it
OTHER_BYTES = 1024 * 1024  # of everything that is not an upload

# A connection that is closed while its client still writes loses the answer, too. So a refused body
# is read on, and thrown away, for a while.
LINGER_SECONDS = 5


def longest_body() -> int:
    """The limit of the longest body that any address takes, in bytes."""
    return max(settings.MAX_UPLOAD_BYTES + FORM_BYTES, OTHER_BYTES)


def limit_for(path: str) -> int:
    """How many bytes a request's body may have at `path`."""
    return longest_body() if UPLOAD_PATH.fullmatch(path) else OTHER_BYTES


class BodyTooLong(Exception):
    """Raised out of `receive`, to unwind the application that reads."""


class BodyLimit:
    """ASGI middleware: 413 for a body over `limit_for` its path, 507 when there is no room for it.

    Both are JSON with a `detail`. Other scopes than http pass untouched.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return

        limit = limit_for(scope["path"])
        if declared_length(scope) > limit:
            with speaking(scope):
                await refuse(413, too_long(limit), receive, send)
            return

        received = 0
        is_answered = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLong
            return message

        async def watched(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self.application(scope, counted, watched)
        except BodyTooLong:
            if not is_answered:
                with speaking(scope):
                    await refuse(413, too_long(limit), receive, send)
        except OSError as error:
            if is_answered or error.errno not in DISK_FULL:
                raise
            with speaking(scope):
                await refuse(507, no_room(), receive, send)


def speaking(scope: Scope) -> AbstractContextManager[None]:
    """The language for who sends a request, before anybody knows who that is."""
    request = ASGIRequest({"query_string": b"", **scope}, io.BytesIO())
    return translation.override(translation.get_language_from_request(request))


def declared_length(scope: Scope) -> int:
    """The Content-Length of a request, 0 without a readable one: the bytes are counted anyway."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def too_long(limit: int) -> str:
    """What is said of a body over `limit`; only a file makes it longer than the longest one."""
    if limit == longest_body():
        return file_too_large()
    return _("The request's body is too long: at most %(limit)s KiB are taken here.") % {
        "limit": digits(limit // 1024)
    }


def no_room() -> str:
    return _("There is no space left for the request. Nothing was kept.")


def refusal(detail: str) -> bytes:
    """The body of an error, as every error of the service has it."""
    return json.dumps({"detail": detail}, ensure_ascii=False).encode()


async def refuse(status: int, detail: str, receive: Receive, send: Send) -> None:
    """Answer at once, then read the rest of the body for a while and throw it away."""
    body = refusal(detail)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body"})
