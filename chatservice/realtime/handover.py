"""Taking a client's connection to the worker that knows its Engine.IO session.

Several workers accept connections on one port, and the kernel does not know that the next poll of a
session belongs to the worker that opened it. Session ids start with the number of their worker. One
that gets a request with the id of another passes the whole connection on: the descriptor, and what
it has read of it. No byte goes through a proxy, whatever the connection becomes (long-polling, the
upgrade to a WebSocket), and it stays where it was taken until it asks for a third worker's session.
"""

import logging
import os
import re
import socket
import tempfile
from collections.abc import Sequence
from typing import Any

from daphne import http_protocol
from daphne.server import Server
from twisted.internet import error, interfaces, reactor
from twisted.python.failure import Failure
from zope.interface import implementer

from .engine import EngineServer

logger = logging.getLogger(__name__)

FOR_A_WORKER = re.compile(
    rb"/socket\.io/[^?]*\?(?:[^&]*&)*?sid=(\d{1,4})(?:\.|%2E)|/metrics/(\d{1,4})(?:[/?]|$)", re.I
)


def install(server: Server, *, worker: int, inbox: socket.socket, outboxes: Sequence[int]) -> None:
    """Let this process be worker `worker` of those that share a port; before the server runs.

    `inbox` is where others pass it connections, `outboxes` has the descriptors of the other ends of
    everybody's inbox, by the number of the worker.
    """
    EngineServer.worker = worker
    peers = [socket.socket(fileno=descriptor) for descriptor in outboxes]
    for peer in peers:
        peer.setblocking(False)

    class PassedOnRequest(http_protocol.WebRequest):
        """A request that is passed on, with its connection, if it is meant for another worker."""

        def process(self) -> Any:
            found = FOR_A_WORKER.match(self.uri)
            owner = int(found[1] or found[2]) if found else worker
            if owner == worker or owner >= len(peers):
                return super().process()
            # Once what called this is done with the channel, and nothing more is read here.
            self.transport.stopReading()
            reactor.callLater(0, self.pass_on, peers[owner])

        def pass_on(self, peer: socket.socket) -> None:
            transport = self.transport
            if self.channel is None or not transport.connected:
                return  # the client has gone
            # What came after the request, should a client send the next one before the answer.
            following = b"".join(self.channel._dataBuffer)
            with tempfile.TemporaryFile() as file:
                file.write(self.as_sent() + following)
                file.flush()
                try:
                    socket.send_fds(peer, [b"x"], [transport.fileno(), file.fileno()])
                except OSError as problem:
                    logger.warning("A connection could not be passed on: %s", problem)
                    transport.abortConnection()
                    return
            # The connection itself lives on: only this process is done with it.
            transport._shouldShutdown = False
            transport.connectionLost(Failure(error.ConnectionDone()))
            server.connections.pop(self, None)

        def as_sent(self) -> bytes:
            """The request as it would be read from the client."""
            self.content.seek(0)
            body = self.content.read()
            lines = [b"%s %s %s" % (self.method, self.uri, self.clientproto)]
            for name, values in self.requestHeaders.getAllRawHeaders():
                if name.lower() not in (b"content-length", b"transfer-encoding"):
                    lines += [b"%s: %s" % (name, value) for value in values]
            if body or self.method == b"POST":
                lines.append(b"Content-Length: %d" % len(body))
            return b"\r\n".join(lines) + b"\r\n\r\n" + body

    http_protocol.WebRequest = PassedOnRequest
    reactor.addReader(Inbox(inbox, server))


@implementer(interfaces.IReadDescriptor)
class Inbox:
    """Takes in the connections that other workers pass on."""

    def __init__(self, inbox: socket.socket, server: Server) -> None:
        inbox.setblocking(False)
        self._inbox = inbox
        self._server = server

    def fileno(self) -> int:
        return self._inbox.fileno()

    def logPrefix(self) -> str:
        return "handover"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops."""

    def doRead(self) -> None:
        try:
            _data, descriptors, _flags, _address = socket.recv_fds(self._inbox, 1, 2)
        except BlockingIOError:
            return
        if len(descriptors) != 2:
            return
        connection, file = descriptors
        try:
            with os.fdopen(file, "rb") as received:
                received.seek(0)
                self._take(connection, received.read())
        except OSError as problem:  # the client has gone
            logger.debug("A connection was passed on too late: %s", problem)
        finally:
            os.close(connection)

    def _take(self, connection: int, received: bytes) -> None:
        with socket.socket(fileno=os.dup(connection)) as probe:
            family = probe.family
            probe.getpeername()  # raises if there is none any more
        transport = reactor.adoptStreamConnection(connection, family, self._server.http_factory)
        transport.protocol.dataReceived(received)
