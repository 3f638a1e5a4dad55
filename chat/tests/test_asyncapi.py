"""docs/asyncapi.yaml says what goes over the wire: all of it, and nothing else.

Every device that a test opens with `connect` is judged by the document, too; here is the walk that
meets everything in it.
"""

import threading
import time

import pytest

from acceptance.people import try_to_connect
from acceptance.waiting import PATIENCE
from accounts.tokens import AccessToken
from chat import drafts, sockets
from chatservice import limits, realtime
from media_upload.tests import samples

from .conftest import Conversation
from .live_contract import PATH, JudgedDevice, LiveContract

SHORT = 3  # seconds that a token lives


class Walk:
    """People at one server, whose devices are judged by one contract."""

    def __init__(self, server):
        self.server = server
        self.contract = LiveContract()
        self.devices = []

    def open(self, person, *, token=None, **auth):
        device = JudgedDevice(self.server.url, self.contract)
        self.devices.append(device)
        device.connect(auth={"token": token or person.token} | auth, transports=["websocket"])
        return device

    def room(self, creator, *members):
        fields = {"name": "Lunch", "members": [member.email for member in members]}
        answer = creator.at(self.server).post("/chat/chat_rooms/", json=fields)
        assert answer.status_code == 201, answer.text
        return Conversation(answer.json())

    def rest(self, method, person, path, **options):
        answer = person.at(self.server).request(method, path, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def walk(own_redis, start_server):
    own_redis.kill()  # it comes back during the walk, and clients are asked to look
    walk = Walk(start_server(THROTTLE="on", REDIS_URL=own_redis.url))
    yield walk
    for device in walk.devices:
        device.close()


def entry(kind, **fields):
    return lambda event: event["kind"] == kind and fields.items() <= event.items()


@pytest.mark.redis
def test_all_that_goes_over_the_wire_is_documented_and_all_that_is_documented_comes(
    alice, bob, carol, walk, own_redis
):
    newer, older = walk.open(bob, protocol=2), walk.open(bob)
    room = walk.room(alice, bob)
    newer.wait_for("room_event", entry("member"))
    speaker, older_speaker = walk.open(alice, protocol=2), walk.open(alice)
    newer.wait_for("presence")

    say_all_there_is(walk, room, alice, bob, speaker, older_speaker, newer, older)
    change_members(walk, room, alice, carol, newer)
    told_beside_the_log(walk, room, alice, bob, speaker, newer)
    resume_in_every_way(walk, room, alice, bob, newer)
    refuse(walk, room, carol, speaker, newer, older)
    let_tokens_end(walk, alice)
    ask_too_often(walk, carol)

    speaker.close()
    older_speaker.close()
    newer.wait_for("presence", lambda event: not event["changes"][0]["online"])
    walk.rest("DELETE", alice, room.path)
    newer.wait_for("room_event", entry("room", deleted=True))
    own_redis.start()
    newer.wait_for("resync")

    assert walk.contract.problems == []
    unseen = walk.contract.unseen()
    assert unseen == [], f"In {PATH}, and never met here: let the walk do it, or take it out."


def say_all_there_is(walk, room, alice, bob, speaker, older_speaker, newer, older):
    upload = walk.rest("POST", alice, "/chat/upload_media/", files={"file": ("a.txt", b"text")})
    first = speaker.call("chat_message", {"room": room.id, "message": "first"})
    message = {
        "room": room.id,
        "message": "helo @bob",
        "client_id": "mine",
        "reply_to": first["seq"],
        "uploads": [upload["file_url"].split("/")[-2]],
    }
    stored = speaker.call("chat_message", message)
    assert stored["ok"] is True
    assert older_speaker.call("chat_message", message)["duplicate"] is True
    older_speaker.call("chat_message", {"room": room.id, "message": "and so on"})
    walk.rest("POST", alice, f"{room.path}/messages", json={"content": "by REST"})
    text = {"content": "hello @bob"}
    walk.rest("PATCH", alice, f"{room.path}/messages/{stored['id']}", json=text)
    walk.rest("POST", alice, f"{room.path}/messages", json={"content": "soon gone"})
    gone = newer.wait_for("room_event", entry("message", content="soon gone"))
    walk.rest("DELETE", alice, f"{room.path}/messages/{gone['id']}")

    reaction = {"room": room.id, "target": stored["seq"], "emoji": "❤️"}
    for on in (True, True, False):
        assert speaker.call("react", reaction | {"on": on})["ok"] is True
    newer.wait_for("room_event", entry("reaction", on=False))
    newer.wait_for("room_event", entry("edit"))
    newer.wait_for("room_event", entry("delete"))
    older_speaker.wait_for("chat_response", lambda told: "status" in told)
    older.wait_for("broadcast_message", lambda told: told["reply_to"])
    older.wait_for("chat_response", lambda told: "room_id" in told)


def change_members(walk, room, alice, carol, newer):
    walk.rest(
        "PATCH",
        alice,
        room.path,
        json={"name": "Dinner", "description": "At eight", "is_public": True},
    )
    walk.rest("POST", alice, f"{room.path}/members", json={"members": [carol.email]})
    member = f"{room.path}/members/{carol.id}"
    walk.rest("PATCH", alice, member, json={"role": "moderator"})
    walk.rest("DELETE", alice, member)
    newer.wait_for("room_event", lambda event: event.get("removed"))
    newer.wait_for("room_event", lambda event: event.get("changed"))


def told_beside_the_log(walk, room, alice, bob, speaker, newer):
    walk.rest("PATCH", bob, f"{room.path}/membership", json={"muted": True})
    newer.wait_for("membership")
    assert speaker.call("typing", {"room": room.id})["ok"] is True
    assert speaker.call("read", {"room": room.id, "seq": 3})["ok"] is True
    assert len(newer.call("get_online_users")["users"]) == 2
    walk.rest("PATCH", alice, "/auth/users/me", json={"full_name": "Alice N."})
    file = {"file": ("me.png", samples.image("PNG"))}
    walk.rest("PUT", alice, "/auth/users/me/avatar", files=file)
    newer.wait_for("online_users")
    newer.wait_for("profile", lambda event: event["user"]["avatar_url"])
    newer.wait_for("typing")
    newer.wait_for("read")


def resume_in_every_way(walk, room, alice, bob, newer):
    other = walk.room(alice, bob)
    walk.rest("POST", bob, f"{other.path}/leave")
    known = {room.id: 0, other.id: 1}
    rooms = newer.call("resume", {"rooms": known})["rooms"]
    assert rooms[other.id] == {"gone": True}
    kinds = {each["kind"] for each in rooms[room.id]["entries"]}
    assert kinds == {"message", "edit", "delete", "reaction", "member", "room"}
    assert newer.call("resume", {"rooms": {}})["rooms"][room.id]["recovered"] is False
    assert walk.open(bob, protocol=2, rooms=known).wait_for("resumed")["rooms"] == rooms
    private = walk.rest("POST", alice, "/chat/private_chats/", json={"user": bob.email})
    for path in (room.path, f"/chat/chat_rooms/{private['id']}"):
        answer = walk.rest("GET", bob, f"{path}/events", params={"after": 0})
        walk.contract.judge_entries(answer["entries"])


def refuse(walk, room, carol, speaker, newer, older):
    for device in (newer, older):
        assert device.call("chat_message", {"room": room.id})["code"] == "invalid"
        assert device.call("no such event", {})["code"] == "invalid"
        device.wait_for("error")
    stranger = walk.open(carol, protocol=2)
    for event, payload in (
        ("chat_message", {"room": room.id, "message": "?"}),
        ("react", {"room": room.id, "target": 3, "emoji": "❤️", "on": True}),
        ("typing", {"room": room.id}),
        ("read", {"room": room.id, "seq": 1}),
    ):
        assert stranger.call(event, payload)["code"] == "not_found"
    assert speaker.call("authenticate", {"token": "x"})["code"] == "unauthenticated"
    auth = {"token": "x", "protocol": 2}
    refusal, _ended = try_to_connect(
        walk.server.url, within=PATIENCE, auth=auth, transports=["websocket"]
    )
    walk.contract.judge_handshake(auth, refusal)


def let_tokens_end(walk, person):
    token = AccessToken(person.token)
    token["exp"] = int(time.time()) + SHORT
    ending = [walk.open(person, token=str(token), protocol=protocol) for protocol in (1, 2)]
    for device in ending:
        device.wait_for("auth_expiring")
    staying = walk.open(person, token=str(token), protocol=2)
    assert staying.call("authenticate", {"token": person.token})["ok"] is True
    for device in ending:
        assert device.wait_for("error")["code"] == "token_expired"
    assert staying.connected
    staying.close()


def ask_too_often(walk, person):
    """Many at once: one after the other, the bucket might fill as fast as it empties."""
    room = walk.room(person)
    device = walk.open(person, protocol=2)
    message = {"room": room.id, "message": "me!"}
    refused = threading.Event()

    def judge(answer):
        walk.contract.judge_acknowledgement("chat_message", message, answer)
        if answer.get("code") == "throttled":
            refused.set()

    for _ in range(limits.MESSAGES.burst + 150):
        device.client.emit("chat_message", message, callback=judge)
    assert refused.wait(PATIENCE)
    assert device.wait_for("error")["retry_after"] >= 1


# The document itself


def test_every_reference_leads_somewhere():
    contract = LiveContract()
    references = [each for each in find_references(contract.document) if each]
    assert len(references) > 100
    for reference in references:
        assert contract.follow(reference) is not None


def find_references(part):
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for value in part.values():
                yield from find_references(value)
        case list():
            for value in part:
                yield from find_references(value)


def test_every_request_has_an_operation_and_every_handler_is_a_request():
    document = LiveContract().document
    requests = {
        document["components"]["messages"][key]["name"]
        for key in document["channels"]["requests"]["messages"]
    }
    handlers = {name[3:] for name in dir(sockets.ChatNamespace) if name.startswith("on_")}
    assert requests == handlers
    answered = {
        reference["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
        if operation["channel"]["$ref"] == "#/channels/requests"
        for reference in operation["messages"]
    }
    assert answered == set(document["channels"]["requests"]["messages"])


def test_the_error_codes_are_those_that_there_are():
    codes = {
        *sockets.CODES.values(),
        *(drafts.RoomIsBusy.default_code, drafts.StorageUnavailable.default_code),
        realtime.session_ended()["code"],
        *("token_expired", "error"),
    }
    assert set(LiveContract().document["components"]["schemas"]["ErrorCode"]["enum"]) == codes


# The judge


def test_what_is_not_in_the_document_is_a_problem():
    presence = {"changes": [{"user": {"id": "0" * 24, "email": "a@b"}, "online": True}]}
    contract = LiveContract()
    contract.judge_event(2, "presence", presence)
    assert contract.problems == []

    contract.judge_event(1, "presence", presence)
    contract.judge_event(2, "presences", presence)
    contract.judge_event(2, "presence", presence | {"more": 1})
    contract.judge_event(2, "presence", {})
    contract.judge_event(2, "presence", None)
    contract.judge_acknowledgement("typing", {"room": "0" * 24}, {"ok": True, "more": 1})
    contract.judge_acknowledgement("typing", {"room": "0" * 24}, None)
    contract.judge_acknowledgement("typing", {"room": 7}, {"ok": True})
    contract.judge_acknowledgement("other", {}, {"ok": True})
    assert len(contract.problems) == 9
    assert all(PATH in problem for problem in contract.problems)
    assert "channels/events/messages/typing" in contract.unseen()
    assert "channels/events/messages/presence" not in contract.unseen()
