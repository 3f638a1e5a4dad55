"""Sending a file: its headers, parts of it, and its bytes without holding them in memory.

What people upload is hostile: a page that gets a browser to run it, under our origin, is signed in
as whoever looks at it. So nothing is sniffed, nothing runs, and only what cannot run is shown in
place.
"""

import asyncio
import re
from collections.abc import AsyncIterator

from django.core.files import File
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from .models import Upload

CHUNK_BYTES = 256 * 1024
PRESIGNED_SECONDS = 60

RANGE = re.compile(r"bytes=(\d*)-(\d*)")

# What the browser's own viewers need, and nothing for a script. The sandbox takes the page's
# origin away; a player keeps it, for it fetches its own address again and needs the cookie to.
VIEWER_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; sandbox"
)
PLAYER_POLICY = f"{VIEWER_POLICY} allow-same-origin"


def respond(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    """The answer to a GET or HEAD of `upload` by somebody who may see it.

    200, 206 or 416 for a Range, 304 or 412 for a condition; its bytes are streamed. Raises
    FileNotFoundError when the store has lost them.
    """
    headers = headers_of(upload)
    if response := get_conditional_response(request, etag=headers["ETag"]):
        return with_headers(response, headers, without=("Content-Type", "Content-Disposition"))

    part = requested_range(request, upload, headers["ETag"])
    if part is None:
        status, start, length = 200, 0, upload.size
    elif part:
        status, start, length = 206, part.start, len(part)
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{upload.size}"
    else:
        headers["Content-Range"] = f"bytes */{upload.size}"
        return with_headers(HttpResponse(status=416), headers, without=("Content-Disposition",))

    headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        return with_headers(HttpResponse(status=status), headers)
    content = FilePart(upload.open(), start, length)
    return with_headers(StreamingHttpResponse(content, status=status), headers)


def redirect(request: HttpRequest, upload: Upload) -> HttpResponse:
    """The answer when the bytes are in an object store: a signed address, good for a minute."""
    address = default_storage.url(
        upload.storage_name,
        parameters={
            "ResponseContentType": upload.served_type,
            "ResponseContentDisposition": disposition_of(upload),
            "ResponseCacheControl": "private, no-cache",
        },
        expire=PRESIGNED_SECONDS,
        http_method=request.method,
    )
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = "private, no-store"
    return response


def headers_of(upload: Upload) -> dict[str, str]:
    is_player = upload.content_type.startswith(("audio/", "video/"))
    return {
        "Content-Type": upload.served_type,
        "Content-Disposition": disposition_of(upload),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": PLAYER_POLICY if is_player else VIEWER_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        # Kept by browsers, and asked for again each time: the right to see it may have gone.
        "Cache-Control": "private, no-cache",
        "ETag": f'"{upload.sha256}"',
        "Accept-Ranges": "bytes",
    }


def disposition_of(upload: Upload) -> str:
    return content_disposition_header(not upload.is_inline, upload.name) or "attachment"


def with_headers(
    response: HttpResponseBase, headers: dict[str, str], without: tuple[str, ...] = ()
) -> HttpResponseBase:
    for name, value in headers.items():
        if name not in without:
            response[name] = value
    return response


def requested_range(request: HttpRequest, upload: Upload, etag: str) -> range | None:
    """The bytes that are asked for: None for all of them, an empty range for none there are.

    Several ranges at once, other units and what cannot be read are answered with the whole file,
    as RFC 9110 allows; so is a range of another version (If-Range).
    """
    match = RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or not match or match[0] == "bytes=-":
        return None
    if request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:
        return range(max(upload.size - int(last), 0), upload.size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1 if last else upload.size, upload.size))


class FilePart:
    """`length` bytes of a file from `start` on, as an asynchronous iterable.

    Django's ASGI handler reads a synchronous iterable, and so a FileResponse, into memory whole.
    Each chunk is read in a thread: a slow disk must not stop the event loop.
    """

    def __init__(self, file: "File[bytes]", start: int, length: int) -> None:
        self.file = file
        self.start = start
        self.length = length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            await asyncio.to_thread(self.file.seek, self.start)
            left = self.length
            while left and (
                chunk := await asyncio.to_thread(self.file.read, min(left, CHUNK_BYTES))
            ):
                left -= len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Called by Django for a response that was never sent, too."""
        self.file.close()
