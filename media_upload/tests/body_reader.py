"""A small ASGI application behind the body limit, served by the tests as `daphne` and uvicorn do.

POST answers with the number of bytes it read; GET with as many megabytes as the path says, and
counts in `sent` how far it got. `/whole/...` has them in one piece.
"""

import asyncio
import tempfile

from django.conf import settings

settings.configure(MAX_UPLOAD_MB=2, MAX_UPLOAD_BYTES=2 * 1024 * 1024, USE_I18N=False)

import daphne.server  # noqa: E402, F401 - first, for it chooses Twisted's reactor

from media_upload import daphne_request  # noqa: E402
from media_upload.body_limit import BodyLimit  # noqa: E402

daphne_request.install()

MEGABYTE = b"x" * 1024 * 1024
sent = 0


async def read_body(scope, receive, send):
    global sent
    if scope["path"] == "/sent":
        await answer(send, str(sent).encode())
    elif scope["path"].startswith("/whole/"):
        await answer(send, MEGABYTE * int(scope["path"].removeprefix("/whole/")))
    elif scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(int(scope["path"].strip("/"))):
            await send({"type": "http.response.body", "body": MEGABYTE, "more_body": True})
            sent += 1
            await asyncio.sleep(0)
        await send({"type": "http.response.body"})
    else:
        with tempfile.TemporaryFile(buffering=0) as file:  # as Django does
            more = True
            while more:
                message = await receive()
                file.write(message.get("body", b""))
                more = message.get("more_body")
            await answer(send, str(file.tell()).encode())


async def answer(send, body):
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = BodyLimit(read_body)
