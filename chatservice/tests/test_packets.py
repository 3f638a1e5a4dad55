"""Our own way to sockets beside python-socketio's: every packet, to official clients, in order.

All of it runs with our way on and off, and under servers with and without direct writing.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys

import pytest
import socketio

from acceptance.service import START, free_port
from acceptance.waiting import PATIENCE, eventually
from conftest import ROOT, STOP_SECONDS

from . import packet_server

TRANSPORTS = ("websocket", "polling", "polling,websocket")
WITHOUT_POLLING = ("websocket", "polling,websocket")
"""python-engineio 4.15 keeps what it encoded for the first of a room: binary parts, encoded for a
WebSocket, then break the answer to a polling client in the same room."""

DAPHNE = ("-m", "daphne", "-v", "0", "-p", "{port}", "chatservice.tests.packet_server:application")
UVICORN = (
    *("-m", "uvicorn", "--port", "{port}", "--log-level", "warning"),
    *("--timeout-graceful-shutdown", "1", "chatservice.tests.packet_server:application"),
)


def plain(value):
    """A value as the JavaScript client writes it down."""
    match value:
        case bytes():
            return {"bytes": value.hex()}
        case list():
            return [plain(each) for each in value]
        case dict():
            return {name: plain(each) for name, each in value.items()}
    return value


def expected():
    for position, (name, arguments) in enumerate(packet_server.packets()):
        yield [name, *map(plain, arguments)]
        if position % 10 == 0:
            yield ["ask", position]
    yield ["end"]


class PythonClient:
    """python-socketio's own client, which keeps the order."""

    def __init__(self):
        self.told = []
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._note)
        self.client.on("ask", self._answer)
        self.client.on("disconnect", self._leave)

    async def connect(self, url, transports):
        await self.client.connect(url, transports=transports.split(","), wait_timeout=PATIENCE)
        if transports == "polling,websocket":
            await until(lambda: self.client.transport() == "websocket", "the upgrade")

    async def leave(self):
        await self.client.disconnect()

    async def _note(self, name, *arguments):
        self.told.append([name, *map(plain, arguments)])

    async def _answer(self, position):
        self.told.append(["ask", position])
        return position

    async def _leave(self, reason):
        self.told.append(["disconnect"])


class JavaScriptClient:
    """The official JavaScript client, in a process of its own."""

    def __init__(self):
        self.told = []

    async def connect(self, url, transports):
        self.process = await asyncio.create_subprocess_exec(
            *("node", "chatservice/tests/packet_client.mjs", url, transports),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
        )
        async with asyncio.timeout(PATIENCE):
            line = json.loads(await self.process.stdout.readline())
        assert line[0] == "ready", line
        self.reading = asyncio.ensure_future(self._read())

    async def leave(self):
        self.process.terminate()
        await self.process.wait()

    async def _read(self):
        async for line in self.process.stdout:
            told = json.loads(line)
            self.told.append(told[:1] if told[0] == "disconnect" else told)


async def until(condition, what):
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come"
        await asyncio.sleep(0.01)


@pytest.fixture
def serve():
    """Start a packet server, `serve(DAPHNE, FANOUT="direct")`; answers its address."""
    with contextlib.ExitStack() as stack:

        def start(command, stderr=subprocess.PIPE, **environment):
            port = free_port()
            process = subprocess.Popen(
                [sys.executable, *(part.format(port=port) for part in command)],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                text=True,
            )
            stack.callback(end, process)
            eventually(lambda: is_listening(port, process), what="the packet server", within=START)
            return f"http://127.0.0.1:{port}"

        yield start


def is_listening(port, process):
    assert process.poll() is None, process.stderr and process.stderr.read()
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        return True
    return False


def end(process):
    process.terminate()
    try:
        return process.communicate(timeout=STOP_SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[1]


@pytest.mark.parametrize("fanout", ["direct", "library"])
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(DAPHNE, id="daphne"),
        pytest.param(UVICORN, id="uvicorn", marks=pytest.mark.faults),
    ],
)
def test_every_client_gets_every_packet_in_order(serve, command, fanout):
    url = serve(command, FANOUT=fanout)

    async def walk():
        clients = [
            (kind(), transports)
            for kind in (PythonClient, JavaScriptClient)
            for transports in (TRANSPORTS if fanout == "direct" else WITHOUT_POLLING)
        ]
        for client, transports in clients:
            await client.connect(url, transports)
        first = clients[0][0].client
        answers = await first.call("play", len(clients), timeout=PATIENCE)
        for client, transports in clients:
            await until(lambda c=client: ["end"] in c.told, f"the end, over {transports}")
        told = [(type(each).__name__, way, list(each.told)) for each, way in clients]
        for client, _transports in clients:
            await client.leave()
        return told, answers

    told, answers = asyncio.run(walk())
    wanted = list(expected())
    asked = [each[1] for each in wanted if each[0] == "ask"]
    assert answers == sorted(asked * len(told))
    for kind, transports, events in told:
        assert events == wanted, (kind, transports)


def test_who_is_disconnected_has_got_what_came_before(serve):
    """The end of a connection does not overtake what is still to be sent, on any transport."""
    url = serve(DAPHNE, FANOUT="direct")

    async def walk():
        clients = [(PythonClient(), way) for way in TRANSPORTS]
        for client, transports in clients:
            await client.connect(url, transports)
            await client.client.emit("say", "x" * 100_000)
            await client.client.emit("leave")
            await until(lambda c=client: ["disconnect"] in c.told, "the end of the connection")
        return [client.told for client, _transports in clients]

    for told in asyncio.run(walk()):
        assert told == [["said", "x" * 100_000], ["disconnect"]]


def test_a_library_that_has_changed_is_left_to_do_it_itself(serve, tmp_path):
    """What we rely on is looked for at the start; without it, the slower way, and one line."""
    altered = """
import engineio.async_socket as it
it.AsyncSocket.schedule_ping = lambda self, after=None: None
"""
    (tmp_path / "sitecustomize.py").write_text(altered)
    log = tmp_path / "log"
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    with log.open("w") as file:
        url = serve(DAPHNE, stderr=file, FANOUT="direct", PYTHONPATH=path)

        async def walk():
            clients = [PythonClient() for _ in range(3)]
            for client in clients:
                await client.connect(url, "websocket")
            await clients[0].client.call("play", len(clients), timeout=PATIENCE)
            for client in clients:
                await until(lambda c=client: ["end"] in c.told, "the end")
                await client.leave()
            return [each[: each.index(["end"]) + 1] for each in (c.told for c in clients)]

        assert asyncio.run(walk()) == [list(expected())] * 3
    assert log.read_text().count("python-engineio's sockets have another schedule_ping") == 1
