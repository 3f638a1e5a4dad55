"""What Daphne needs so that hostile bodies and slow readers cannot use up memory and disk.

As it comes, Daphne writes a request's body to a temporary file, of any length, before the
application hears of the request; lets Twisted parse a POSTed form in memory, for nobody; and takes
whatever the application sends into memory at once, however slowly the client reads.

And what it had better not do for each answer: leave it to another round of the event loop, write
a line to a log that goes nowhere, and keep the request for up to a second after it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

from daphne import http_protocol, server
from django.conf import settings
from django.utils import translation
from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatservice.languages import asked_for

from .body_limit import LINGER_SECONDS, longest_body, no_room, refusal, too_long

REASONS = {413: b"Content Too Large", 507: b"Insufficient Storage"}
unpaced_reply = server.Server.handle_reply
STALLED_SECONDS = 60  # a client that takes nothing for so long is cut off


@contextmanager
def sent_at_once(transport: object) -> Iterator[None]:
    """Let what is written meanwhile to a plain connection go out at the end, in one piece.

    Twisted would have the event loop say first that there is room for it, which there nearly always
    is. What finds none waits for that.
    """
    if not isinstance(transport, FileDescriptor) or getattr(transport, "TLS", False):
        yield
        return
    asked: list[bool] = []
    transport.startWriting = lambda: asked.append(True)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del transport.startWriting
        # A connection that is to end then, or is lost, ends as ever.
        if asked and (transport.disconnecting or transport.doWrite() or transport.dataBuffer):
            transport.startWriting()


@implementer(IPushProducer)
class Pace:
    """Whether the client keeps up with what is sent to it; Twisted tells, by its buffer."""

    def __init__(self):
        self.keeps_up = asyncio.Event()
        self.resumeProducing()

    def pauseProducing(self):
        self.keeps_up.clear()

    def resumeProducing(self):
        self.keeps_up.set()

    def stopProducing(self):
        self.keeps_up.set()


class BoundedRequest(http_protocol.WebRequest):
    """Daphne's request, which refuses a body longer than any address takes as it comes in.

    `BodyLimit` has the limits by address; this is the bound for what gets to it.
    """

    def __init__(self, channel, *args, **kwargs):
        super().__init__(channel, *args, **kwargs, parsePOSTFormSubmission=False)
        self.received = 0
        self.is_refused = False
        self.lingering = None
        self.pace = None

    def gotLength(self, length):
        if length is not None and length > longest_body():
            self.refuse(413, lambda: too_long(longest_body()))
        else:
            super().gotLength(length)

    def handleContentChunk(self, data):
        if self.is_refused:
            return
        self.received += len(data)
        if self.received > longest_body():
            self.refuse(413, lambda: too_long(longest_body()))
            return
        try:
            super().handleContentChunk(data)
        except OSError:
            self.refuse(507, no_room)

    def requestReceived(self, command, path, version):
        if not self.is_refused:
            try:
                self.content.flush()
            except OSError:
                self.refuse(507, no_room)
        if self.is_refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def refuse(self, status, words):
        """Answer before the request is complete; its rest is read for a while and thrown away."""
        self.is_refused = True
        if self.content is not None:
            with suppress(OSError):  # what is still to be written finds no room, either
                self.content.close()
        self.content = BytesIO()
        # Twisted would invite the body after this answer.
        self.requestHeaders.removeHeader(b"Expect")
        asked = self.requestHeaders.getRawHeaders("accept-language", [""])[0]
        with translation.override(asked_for(asked) or settings.LANGUAGE_CODE):
            body = refusal(words())
        self.channel.transport.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (status, REASONS[status], len(body), body)
        )
        self.lingering = self.channel.callLater(LINGER_SECONDS, self.channel.loseConnection)

    async def drain(self):
        """Wait until the client has taken what was sent, or is gone."""
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self.pace.keeps_up.wait()
        except TimeoutError:
            if self.channel is not None:
                self.channel.forceAbortClient()

    def handle_reply(self, message):
        if message.get("more_body") and self.channel and self.pace is None:
            self.pace = Pace()
            self.registerProducer(self.pace, True)
        with sent_at_once(getattr(self.channel, "transport", None)):
            super().handle_reply(message)

    def finish(self):
        if self.producer:
            self.unregisterProducer()
        super().finish()
        self.forget_soon()

    def forget_soon(self):
        """Be gone once the application has ended, too.

        Daphne keeps what is finished, with all that hangs on it, until it looks for it: once a
        second, and then for so long that everybody else waits. What failed is left to it.
        """
        answering = self.server.connections.get(self, {}).get("application_instance")
        if answering is not None:
            answering.add_done_callback(self.forget)

    def forget(self, answering):
        if not answering.cancelled() and answering.exception() is None:
            self.server.connections.pop(self, None)

    def connectionLost(self, reason):
        if self.lingering is not None and self.lingering.active():
            self.lingering.cancel()
        if self.pace is not None:
            self.pace.stopProducing()
        super().connectionLost(reason)


async def paced_reply(self, protocol, message):
    """Daphne's `Server.handle_reply`, in which a part of a response waits for a slow client."""
    await unpaced_reply(self, protocol, message)
    if isinstance(protocol, BoundedRequest) and message.get("more_body"):
        await protocol.drain()


def install() -> None:
    """Let every Daphne server of this process use `BoundedRequest` and wait for slow clients.

    Daphne has no setting for this. Its factory looks the request class up in its module, which
    is the one seam that the `daphne` command, `runserver` and `serve` have in common.
    """
    http_protocol.WebRequest = BoundedRequest
    http_protocol.HTTPFactory.log = _log_nothing  # Daphne's own access log is another
    server.Server.handle_reply = paced_reply


def _log_nothing(factory: object, request: object) -> None:
    """In the place of Twisted's access log, of which nobody is told."""
