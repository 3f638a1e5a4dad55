"""python-socketio as it comes, for Daphne: one room, nobody asked who they are, nothing stored.

What it sends has the fields, and so the size, of what the service sends.
"""

from typing import Any

import socketio

ROOM = "everybody"
ID = "0123456789abcdef01234567"
MOMENT = "2026-01-01T12:00:00.000000Z"
SENDER = "person1000@example.org"

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[])
application = socketio.ASGIApp(sio)
_number = 0


@sio.event
async def connect(sid: str, environ: dict, auth: object) -> None:
    await sio.enter_room(sid, ROOM)


@sio.event
async def chat_message(sid: str, data: dict[str, Any]) -> dict[str, Any]:
    global _number
    _number += 1
    event = {
        "id": ID,
        "room_id": data["room"],
        "seq": _number,
        "sender": SENDER,
        "sender_id": ID,
        "content": data["message"],
        "timestamp": MOMENT,
        "client_id": None,
        "reply_to": None,
        "uploads": [],
        "edited_at": None,
        "deleted": False,
        "rev": _number,
        "kind": "message",
        "actor": {"id": ID, "email": SENDER},
        "created_at": MOMENT,
    }
    await sio.emit("room_event", event, room=ROOM)
    return {"ok": True, "id": ID, "seq": _number, "timestamp": MOMENT, "duplicate": False}
