"""A Socket.IO server for the tests of what reaches clients packet by packet; run by a real server.

It has the engine and the client manager of the service and no chat: whoever asks it to `play` makes
it send everybody, as fast as it can, all kinds of packets that Socket.IO knows, in one fixed order.
"""

import os

import socketio

from chatservice.realtime import engine
from chatservice.realtime.fanout import FanoutManager

ROUNDS = 12
ALONE = 4
EVERYBODY = "everybody"


class PacketServer(socketio.AsyncServer):
    def _engineio_server_class(self):
        return engine.EngineServer


engine.install()
manager = FanoutManager()
manager.is_direct = os.environ["FANOUT"] == "direct"
sio = PacketServer(
    async_mode="asgi",
    client_manager=manager,
    cors_allowed_origins="*",
    http_compression=True,
    compression_threshold=100,
)
sio.eio.is_direct = manager.is_direct and engine.knows_library()
application = engine.serving_websockets(socketio.ASGIApp(sio))


def packets():
    """The events to everybody, as `(name, arguments)`, in the order in which they are sent.

    No binary part is empty: Daphne 4.2 drops such a message, whoever sends it through ASGI.
    """
    for number in range(ROUNDS):
        yield "text", [f"{number} سلام 😀"]
        yield "nothing", []
        yield "several", [number, {"a": [True, None, 1.5]}, "ok"]
        yield "binary", [bytes([number]) * 200]
        yield "nested", [{"number": number, "parts": [b"one", {"two": b"\x00\xff"}]}]
        for length in (100, 124, 125, 126, 65_530, 65_536):
            yield "long", [number, "x" * length]


@sio.event
async def connect(sid, environ, auth):
    await sio.enter_room(sid, EVERYBODY)
    engine_id = manager.eio_sid_from_sid(sid, "/")
    manager.listeners.add(sid, sio.eio.sockets[engine_id], [EVERYBODY])


@sio.event
async def say(sid, text):
    await sio.emit("said", text, room=EVERYBODY)


@sio.event
async def play(sid, count):
    """Send everything to everybody, and ask each of them in between; answer what they answered."""
    members = [member for member, _engine_id in manager.get_participants("/", EVERYBODY)]
    assert len(members) == count
    answers = []
    waiting = []
    for position, (name, arguments) in enumerate(packets()):
        waiting.append((name, tuple(arguments) if len(arguments) != 1 else arguments[0]))
        if position % 10 < ALONE:  # each for itself; the others in one piece
            await sio.emit(*waiting.pop(), room=EVERYBODY)
        elif position % 10 == 9:
            await manager.emit_together(waiting, "/", [EVERYBODY])
            waiting.clear()
        if position % 10 == 0:
            for member in members:
                await sio.emit("ask", position, to=member, callback=answers.append)
    await manager.emit_together(waiting, "/", [EVERYBODY])
    await sio.emit("end", room=EVERYBODY)
    while len(answers) < sum(1 for at, _each in enumerate(packets()) if at % 10 == 0) * count:
        await sio.sleep(0.01)
    return sorted(answers)


@sio.event
async def leave(sid):
    await sio.disconnect(sid)
