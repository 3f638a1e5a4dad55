"""The limits for each address, before Django or anybody else hears of a request."""

import io
import re

from django.core.handlers.asgi import ASGIRequest
from django.utils import translation

from accounts.addresses import network_of
from media_upload.body_limit import Application, Receive, Scope, Send, refusal

from . import limits
from .errors import is_api_request

NARROWER = (
    (re.compile(r"/(auth/)?signup/?"), limits.SIGN_UPS),
    (re.compile(r"/(auth/(login|token)|login|admin/login)/?"), limits.LOG_INS),
)
"""Addresses whose POST requests have a limit besides, with and without the pages."""


def network_of_client(scope: Scope) -> str:
    """What the other end counts as; empty where the server sees no address."""
    client = scope.get("client")
    return network_of(client[0]) if client else ""


class AddressLimits:
    """ASGI middleware: 429 for an address that asks too often, in JSON or, for a browser, in words.

    Leaves what an address counts as under `network` in the scope, for the limits on sockets.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        network = scope["network"] = network_of_client(scope)
        try:
            if scope["type"] == "http" and network:
                limits.take(limits.HTTP_REQUESTS, network)
                if scope["method"] == "POST":
                    for path, limit in NARROWER:
                        if path.fullmatch(scope["path"]):
                            limits.take(limit, network)
        except limits.TooMany as error:
            await refuse(scope, error.wait, send)
        else:
            await self.application(scope, receive, send)


async def refuse(scope: Scope, wait: float, send: Send) -> None:
    request = ASGIRequest({"query_string": b"", **scope}, io.BytesIO())
    with translation.override(translation.get_language_from_request(request)):
        error = limits.TooMany(wait)
    if is_api_request(request):
        content_type, body = b"application/json", refusal(str(error.detail))
    else:  # no page: it would cost more than what is refused
        content_type, body = b"text/plain; charset=utf-8", str(error.detail).encode()
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(error.wait).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
