"""The limits for each address, before Django or anybody else hears of a request."""

import math
import re

from accounts.addresses import network_of
from media_upload.body_limit import Application, Receive, Scope, Send, refusal

from . import limits

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
    """ASGI middleware: 429, as JSON with a `detail`, for an address that asks too often.

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
            await refuse(error, send)
        else:
            await self.application(scope, receive, send)


async def refuse(error: limits.TooMany, send: Send) -> None:
    body = refusal(str(error.detail))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(math.ceil(error.wait)).encode()),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
