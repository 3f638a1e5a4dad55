"""Socket.IO with the official Python client: who is let in, and who hears what, once."""

import json
import secrets

import socketio
import websocket

from acceptance import tokens
from acceptance.people import try_to_connect
from acceptance.shapes import (
    AtLeast,
    InAnyOrder,
    OneOf,
    Shape,
    a_message,
    a_text,
    a_timestamp,
)
from acceptance.waiting import PATIENCE, eventually
from acceptance.walk import step

TRANSPORTS = {
    "websocket only": ["websocket"],
    "polling only": ["polling"],
    "polling and upgrade": None,
}
AT_ONCE = 15.0  # seconds: less than a ping interval of 25, which is when a silent refusal ends
UNKNOWN_EVENTS = (
    "no_such_event",
    "join",
    "connection",
    "connect",  # these two are the server's own handlers in python-socketio
    "disconnect",
    "connect_error",
    "*",
    "",
    "on_connect",
    "__class__",
)
INVALID_DATA = AtLeast(message="Invalid data")
REFUSAL = AtLeast(message=a_text)


def about(text):
    """Return a test for any event that carries this text as its message or content."""

    def test(payload):
        if not isinstance(payload, dict):
            return False
        message = payload.get("message")
        return text in (
            payload.get("content"),
            message.get("content") if isinstance(message, dict) else message,
        )

    return test


def news_of(device, text):
    """Return (event, payload) of all that `device` heard about a message, its receipt included."""
    return [(event, payload) for event, payload in device.received if about(text)(payload)]


def fence(sender, room_id, *devices):
    """Wait until a message sent now has reached every device.

    One socket's events arrive in order, so what has not come by then was not sent before.
    """
    text = f"fence {secrets.token_hex(4)}"
    sender.post_message(room_id, text).raise_for_status()
    for device in devices:
        device.wait_for("chat_response", about(text))


def still_there(device):
    """Say whether the connection is alive: connected, and answered when it asks."""
    device.forget()
    try:
        device.emit("get_online_users")
        device.wait_for("online_users", within=AT_ONCE)
    except (TimeoutError, socketio.exceptions.SocketIOError):
        return False
    return device.connected


@step
def being_let_in(walk):
    alice = walk.alice
    ways = {"auth {token}": {"auth": {"token": alice.token}}}
    for scheme in ("Bearer", "bearer", "BEARER"):
        header = {"Authorization": f"{scheme} {alice.token}"}
        ways[f"header {scheme}"] = {"auth": None, "headers": header}
    ways["header authorization, all small"] = {
        "auth": None,
        "headers": {"authorization": f"bearer {alice.token}"},
    }
    for transport, transports in TRANSPORTS.items():
        for name, options in ways.items():
            device = alice.connect(transports=transports, **options)
            expected = "polling" if transports == ["polling"] else "websocket"
            eventually(lambda: device.transport == expected, what=f"transport {expected}")  # noqa: B023
            walk.check(f"{transport}, {name}: let in", still_there(device), True)
            device.close()


@step
def being_refused(walk):
    alice = walk.alice
    cases = {
        "nothing": {},
        "an empty token": {"auth": {"token": ""}},
        "a token of null": {"auth": {"token": None}},
        "a token of a wrong type": {"auth": {"token": {"$ne": ""}}},
        "auth that is a list": {"auth": [alice.token]},
        "auth that is a text": {"auth": alice.token},
        "auth that is a number": {"auth": 7},
        "a token of 100,000 characters": {"auth": {"token": "x" * 100_000}},
        "a token with NUL": {"auth": {"token": "a\0b"}},
        "a token with half a surrogate pair": {"auth": {"token": "a\ud800b"}},
        "a header without a token": {"headers": {"Authorization": "Bearer"}},
        "a header of another scheme": {"headers": {"Authorization": f"Token {alice.token}"}},
        "a bad token in the header": {"headers": {"Authorization": "Bearer garbage"}},
    }
    for name, token in tokens.bad_tokens(alice.token).items():
        cases[f"a token {name}"] = {"auth": {"token": token}}
    for transport, transports in TRANSPORTS.items():
        for name, options in cases.items():
            refusal, ended = try_to_connect(
                walk.url, within=AT_ONCE, transports=transports, **options
            )
            walk.check(f"{transport}, {name}: refused with a message, at once", refusal, REFUSAL)
            walk.check(f"{transport}, {name}: the client's connect() ends", ended, True)


@step
def foreign_origins(walk):
    alice = walk.alice
    for transport, transports in TRANSPORTS.items():
        refusal, _ = try_to_connect(
            walk.url,
            within=AT_ONCE,
            transports=transports,
            auth={"token": alice.token},
            headers={"Origin": "https://evil.example"},
        )
        refused = Shape("refused", lambda refusal: refusal is not None)
        walk.check(f"{transport}, from a foreign origin", refusal, refused)
        own = alice.connect(transports=transports, headers={"Origin": walk.url})
        walk.check(f"{transport}, from our own origin", still_there(own), True)


@step
def a_message_by_socket(walk):
    alice, bob, carol = walk.alice, walk.bob, walk.carol
    room = alice.make_room(bob)
    theirs = carol.make_room()
    for transport, transports in TRANSPORTS.items():
        sender = alice.connect(transports=transports)
        phone = alice.connect(transports=["websocket"])
        members = {name: bob.connect(transports=ways) for name, ways in TRANSPORTS.items()}
        stranger = carol.connect()
        text = f"hello سلام 👩‍👩‍👧 {secrets.token_hex(4)}"

        ack = sender.call("chat_message", {"room": room["id"], "message": text})
        walk.check(f"{transport}: who asks gets an acknowledgement", ack, AtLeast(ok=True))

        sender.wait_for("chat_response", about(text))
        everybody = {"sender": sender, "sender's phone": phone, **members}
        for device in everybody.values():
            device.wait_for("broadcast_message", about(text))
        fence(alice, room["id"], *everybody.values())
        fence(carol, theirs["id"], stranger)

        [stored] = [m for m in bob.messages(room["id"]) if m["content"] == text]
        receipt = ("chat_response", {"status": "received", "message": text})
        broadcast = (
            "broadcast_message",
            AtLeast(
                id=stored["id"],
                room_id=room["id"],
                sender=alice.email,
                content=text,
                timestamp=stored["timestamp"],
            ),
        )
        walk.check(
            f"{transport}: the sender gets one receipt of exactly two keys, and the broadcast",
            news_of(sender, text),
            OneOf([receipt, broadcast], [broadcast, receipt]),
        )
        for name, device in [("sender's phone", phone), *members.items()]:
            walk.check(
                f"{transport}: a member ({name}) gets one broadcast_message, as it is stored",
                news_of(device, text),
                [broadcast],
            )
        walk.check(f"{transport}: a stranger hears nothing", news_of(stranger, text), [])
        walk.disconnect_everybody()

    device = alice.connect()
    text = f"no ack {secrets.token_hex(4)}"
    device.emit("chat_message", {"room": room["id"], "message": text})
    device.wait_for("broadcast_message", about(text))
    stored = [message for message in alice.messages(room["id"]) if message["content"] == text]
    walk.check("without an acknowledgement it is stored just so", stored, [a_message(content=text)])
    text = f"sender {secrets.token_hex(4)}"
    forged = {"room": room["id"], "message": text, "sender": bob.email, "timestamp": "1999-01-01"}
    device.call("chat_message", forged)
    walk.check(
        "a sender in the payload is not believed",
        device.wait_for("broadcast_message", about(text)),
        AtLeast(sender=alice.email, content=text, timestamp=a_timestamp),
    )


@step
def a_message_by_rest(walk):
    alice, bob, carol = walk.alice, walk.bob, walk.carol
    room = alice.make_room(bob)
    theirs = carol.make_room()
    own = alice.connect()
    members = {name: bob.connect(transports=ways) for name, ways in TRANSPORTS.items()}
    stranger = carol.connect()
    text = f"by REST {secrets.token_hex(4)}"

    posted = alice.post_message(room["id"], text).json()
    for device in (own, *members.values()):
        device.wait_for("chat_response", about(text))
    fence(alice, room["id"], own, *members.values())
    fence(carol, theirs["id"], stranger)

    message = {name: posted[name] for name in ("id", "sender", "content", "timestamp")}
    expected = ("chat_response", AtLeast(room_id=room["id"], message=AtLeast(**message)))
    for name, device in [("sender's own device", own), *members.items()]:
        walk.check(
            f"{name} gets one chat_response, as it is stored", news_of(device, text), [expected]
        )
    walk.check("a stranger hears nothing", news_of(stranger, text), [])


@step
def rooms_made_while_connected(walk):
    alice, bob = walk.alice, walk.bob
    for transport, transports in TRANSPORTS.items():
        writer, reader = alice.connect(transports=transports), bob.connect(transports=transports)
        for kind, fields in (("room", {}), ("private chat", {"is_group_chat": False})):
            room = alice.make_room(bob, **fields)
            text = f"welcome {secrets.token_hex(4)}"
            ack = writer.call("chat_message", {"room": room["id"], "message": text})
            walk.check(f"{transport}: one can write to a new {kind}", ack, AtLeast(ok=True))
            walk.check(
                f"{transport}: and is heard there by who was connected before it was",
                reader.wait_for("broadcast_message", about(text)),
                AtLeast(room_id=room["id"], content=text),
            )
            text = f"by REST {secrets.token_hex(4)}"
            alice.post_message(room["id"], text)
            walk.check(
                f"{transport}: by REST too",
                reader.wait_for("chat_response", about(text)),
                AtLeast(room_id=room["id"]),
            )
        walk.disconnect_everybody()


@step
def order_of_one_sender(walk):
    alice, bob = walk.alice, walk.bob
    room = alice.make_room(bob)
    texts = [f"number {number}" for number in range(60)]
    for transport, transports in TRANSPORTS.items():
        writer, reader = alice.connect(transports=transports), bob.connect(transports=transports)
        start = len(alice.messages(room["id"]))
        for text in texts:
            writer.emit("chat_message", {"room": room["id"], "message": text})
        reader.wait_for("broadcast_message", about(texts[-1]))
        writer.wait_for("chat_response", about(texts[-1]))
        fence(alice, room["id"], reader, writer)
        heard = [payload["content"] for payload in reader.all("broadcast_message")]
        walk.check(f"{transport}: 60 messages in a row are heard in order, once", heard, texts)
        receipts = [payload.get("message") for payload in writer.all("chat_response", _is_receipt)]
        walk.check(f"{transport}: their receipts come in order, once", receipts, texts)
        stored = [message["content"] for message in alice.messages(room["id"])[start:]]
        walk.check(f"{transport}: and they are stored in order, once", stored[: len(texts)], texts)
        walk.disconnect_everybody()


def _is_receipt(payload):
    return "status" in payload


@step
def who_is_online(walk):
    ann, ben, cid = map(walk.newcomer, ("ann", "ben", "cid"))
    ann.make_room(ben)
    ann.make_room(ben, cid)
    ben.make_room(cid)
    stranger = walk.carol.connect()
    asker = ann.connect()

    def online(device=asker, *payload):
        device.forget()
        device.emit("get_online_users", *payload)
        return device.wait_for("online_users")

    def others(emails):  # the contract leaves open whether the asker is in the list
        return [email for email in emails if email != ann.email]

    walk.check("nobody else at first", others(online()), [])
    phone, tablet = ben.connect(transports=["websocket"]), ben.connect(transports=["polling"])
    cid.connect()
    eventually(lambda: len(others(online())) == 2, what="two people online")
    everybody = InAnyOrder(ben.email, cid.email)
    walk.check("everybody once, however many devices and rooms", others(online()), everybody)
    walk.check("an asker is there at most once", online().count(ann.email) <= 1, True)
    for payload in (None, {}, [], "x", 7, {"room": "x"}, b"\0\1"):
        walk.check(f"asked with {payload!r}", others(online(asker, payload)), everybody)
    walk.check("asked with two arguments", others(online(asker, 1, 2)), everybody)
    walk.check("a stranger is told of nobody", set(online(stranger)) <= {walk.carol.email}, True)

    phone.forget()
    online()
    phone.emit("get_online_users")
    phone.wait_for("online_users")
    walk.check("only who asked is answered", len(phone.all("online_users")), 1)

    phone.close()
    walk.check("one device of two gone: online", others(online()), everybody)
    tablet.close()
    eventually(lambda: len(others(online())) == 1, what="one person online")
    walk.check("the last one gone: offline", others(online()), [cid.email])
    cid.disconnect()
    eventually(lambda: others(online()) == [], what="nobody online")
    again = ben.connect()
    eventually(lambda: others(online()) == [ben.email], what="back online")
    walk.check("back again: online", others(online()), [ben.email])
    again.close()


@step
def malformed_events(walk):
    alice, bob = walk.alice, walk.bob
    room = alice.make_room(bob)
    theirs = walk.carol.make_room()
    id = room["id"]
    deep = value = {}
    for _ in range(200):
        value["message"] = value = {}
    malformed = {
        "nothing": (),
        "null": (None,),
        "a list": ([id, "hello"],),
        "an empty list": ([],),
        "a number": (7,),
        "a text": ("hello",),
        "true": (True,),
        "bytes": (b"\0\1\2",),
        "an empty object": ({},),
        "no room": ({"message": "hello"},),
        "no message": ({"room": id},),
        "a room of null": ({"room": None, "message": "hello"},),
        "a room that is a number": ({"room": 7, "message": "hello"},),
        "a room that is a list": ({"room": [id], "message": "hello"},),
        "a room that is an operator": ({"room": {"$ne": ""}, "message": "hello"},),
        "a room of bytes": ({"room": b"\0" * 12, "message": "hello"},),
        "a message of null": ({"room": id, "message": None},),
        "a message that is a number": ({"room": id, "message": 7},),
        "a message that is a list": ({"room": id, "message": ["hello"]},),
        "a message that is an object": ({"room": id, "message": {"$gt": ""}},),
        "a message of bytes": ({"room": id, "message": b"hello"},),
        "a message nested 200 deep": ({"room": id, "message": deep},),
    }
    refused = {
        "an empty message": {"room": id, "message": ""},
        "only white space": {"room": id, "message": " \n\t\u00a0"},
        "NUL": {"room": id, "message": "a\0b"},
        "half a surrogate pair": {"room": id, "message": "a\ud800b"},
        "8,001 characters": {"room": id, "message": "x" * 8_001},
        "900 kB": {"room": id, "message": "x" * 900_000},
        "1 MB": {"room": id, "message": "x" * 1_000_000},
        "the room of others": {"room": theirs["id"], "message": "hello"},
        "a room that does not exist": {"room": "0123456789abcdef01234567", "message": "hello"},
        "an id too short": {"room": id[:-1], "message": "hello"},
        "an id too long": {"room": id + "0", "message": "hello"},
        "an id not of hex digits": {"room": "z" * 24, "message": "hello"},
        "an id with NUL": {"room": "\0" * 24, "message": "hello"},
        "an id of 100,000 characters": {"room": "a" * 100_000, "message": "hello"},
    }
    for transport, transports in TRANSPORTS.items():
        device = alice.connect(transports=transports)
        cases = [(name, args, INVALID_DATA) for name, args in malformed.items()]
        cases += [(name, (payload,), AtLeast(message=a_text)) for name, payload in refused.items()]
        errors = {}
        for name, args, expected in cases:
            device.forget()
            device.emit("chat_message", *args)
            try:
                errors[name] = device.wait_for("error", within=AT_ONCE)
            except TimeoutError as exc:
                errors[name] = str(exc)
            case = f"{transport}, chat_message with {name}"
            walk.check(f"{case}: error", errors[name], expected)
            walk.check(f"{case}: no receipt", device.all("chat_response"), [])
            if not walk.check(f"{case}: the connection lives", still_there(device), True):
                device = alice.connect(transports=transports)
        walk.check(
            f"{transport}: a room of others and none get the same error",
            errors["the room of others"],
            errors["a room that does not exist"],
        )
        try:
            ack = device.call("chat_message", {"room": theirs["id"], "message": "hello"})
        except TimeoutError as exc:
            ack = str(exc)
        walk.check(
            f"{transport}: who asks for an acknowledgement is refused in it",
            ack,
            AtLeast(ok=False, message=a_text),
        )
        for event in UNKNOWN_EVENTS:
            device.emit(event)
            device.emit(event, {"room": id})
            if not walk.check(
                f"{transport}: an event {event!r} does no harm", still_there(device), True
            ):
                device = alice.connect(transports=transports)
        observer = bob.connect()
        observer.emit("get_online_users")
        online = observer.wait_for("online_users")
        walk.check(f"{transport}: nobody looks offline by that", alice.email in online, True)
        walk.disconnect_everybody()
    walk.check("nothing of that was stored", alice.messages(id), [])
    walk.check("nor in the room of others", walk.carol.messages(theirs["id"]), [])


class Frames:
    """A bare WebSocket that speaks Engine.IO by hand, to say what no client would."""

    def __init__(self, walk, token):
        address = walk.url.replace("http", "ws", 1)
        self.socket = websocket.create_connection(
            f"{address}/socket.io/?EIO=4&transport=websocket", timeout=PATIENCE
        )
        self.socket.recv()
        self.socket.send("40" + json.dumps({"token": token}))
        self.welcome = self.socket.recv()

    def send(self, frame):
        if isinstance(frame, bytes):
            self.socket.send_binary(frame)
        else:
            self.socket.send(frame)

    def close(self):
        self.socket.close()


@step
def frames_that_are_no_protocol(walk):
    alice, bob = walk.alice, walk.bob
    room = alice.make_room(bob)
    witness = bob.connect()
    for name, frame in {
        "nothing": "",
        "noise": "garbage",
        "an unknown packet type": "9",
        "an empty message": "4",
        "an unknown Socket.IO type": "49",
        "an event of nothing": "42",
        "an event that breaks off": '42["chat_message",{"room":',
        "an event that is an object": '42{"room":"x"}',
        "an event that is a number": "427",
        "an event without a name": "42[]",
        "an event whose name is an object": '42[{"$ne":1},1]',
        "an event whose name is null": "42[null]",
        "an event nested 50,000 deep": "42" + "[" * 50_000,
        "a number of 10,000 digits": '42["chat_message",' + "7" * 10_000 + "]",
        "a number without end": '42["chat_message",1e999]',
        "an acknowledgement nobody asked for": "4312345[1]",
        "an acknowledgement id of 500 digits": "42" + "1" * 500 + '["get_online_users"]',
        "another namespace": '40/admin,{"token":"x"}',
        "an event in another namespace": '42/admin,["chat_message",{}]',
        "a second connect": "40" + json.dumps({"token": alice.token}),
        "a reserved event": '42["connect",{}]',
        "another reserved event": '42["disconnect"]',
        "an attachment that never comes": '451-["chat_message",{"_placeholder":true,"num":0}]',
        "999 million attachments": '45999999999-["chat_message",{"_placeholder":true,"num":0}]',
        "an attachment of a wrong number": '451-["chat_message",{"_placeholder":true,"num":-7}]',
        "bytes nobody announced": b"\0\1\2\3",
        "an upgrade of what is upgraded": "5",
        "a probe": "2probe",
        "two million characters": "42" + "x" * 2_000_000,
        "a goodbye": "41",
    }.items():
        raw = Frames(walk, alice.token)
        walk.check(f"a frame of {name}: a bare WebSocket is let in", raw.welcome[:2], "40")
        try:
            raw.send(frame)
            raw.send(b"\0")
        except (OSError, websocket.WebSocketException):
            pass  # cutting off who does not speak the protocol is fine
        text = f"after {name}"
        walk.check(
            f"a frame of {name}: the service works on",
            alice.post_message(room["id"], text).status_code,
            201,
        )
        witness.wait_for("chat_response", about(text))
        heard = len(news_of(witness, text))
        walk.check(f"a frame of {name}: others hear what follows, once", heard, 1)
        raw.close()


@step
def polling_that_is_no_protocol(walk):
    alice = walk.alice
    for name, (method, query, body) in {
        "no Engine.IO version": ("GET", "?transport=polling", None),
        "an old Engine.IO version": ("GET", "?EIO=3&transport=polling", None),
        "an unknown transport": ("GET", "?EIO=4&transport=pigeon", None),
        "a session that is not there": ("GET", "?EIO=4&transport=polling&sid=nobody", None),
        "a message to a session not there": ("POST", "?EIO=4&transport=polling&sid=x", b"4"),
        "a message to no session": ("POST", "?EIO=4&transport=polling", b"40"),
        "a method that is none": ("DELETE", "?EIO=4&transport=polling", None),
        "a websocket transport over plain HTTP": ("GET", "?EIO=4&transport=websocket", None),
        "an odd index for JSONP": ("GET", "?EIO=4&transport=polling&j=%00", None),
    }.items():
        response = alice.request(method, f"/socket.io/{query}", data=body)
        walk.check(
            f"polling with {name} is a 4xx",
            response.status_code,
            Shape("4xx", lambda status: 400 <= status < 500),
        )
    walk.check("the service works on", still_there(alice.connect()), True)
