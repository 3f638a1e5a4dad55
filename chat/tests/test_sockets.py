"""Socket.IO with the official Python client: what is sent, to whom, in which protocol."""

import contextlib
import json
import threading
import time
from datetime import timedelta

import pytest
import requests
import websocket

from acceptance.people import Device, try_to_connect
from acceptance.waiting import eventually
from accounts import actions as account_actions
from accounts.models import PresenceLease, User
from accounts.tests.visitor import Visitor
from accounts.tokens import AccessToken
from chatservice.timestamps import now

QUIET = 0.7  # seconds in which nothing more arrives, once what must arrive has arrived


def numbers(device, room):
    return [event["seq"] for event in device.all("room_event", lambda e: e["room_id"] == room.id)]


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_a_message_reaches_every_device_of_every_member_once(
    alice, bob, carol, lunch, connect, transports
):
    devices = [connect(person, transports=transports) for person in (alice, bob, bob)]
    stranger = connect(carol)

    answer = devices[0].call("chat_message", {"room": lunch.id, "message": "hello"})
    assert answer["ok"] is True
    assert answer["seq"] == 3

    for device in devices:
        device.wait_for("broadcast_message")
    lunch.say(bob, "by REST")
    for device in devices:
        device.wait_for("chat_response", lambda told: "message" in told and "room_id" in told)
    time.sleep(QUIET)
    for device in devices:
        [told] = device.all("broadcast_message")
        assert (told["sender"], told["content"]) == (alice.email, "hello")
        [told] = device.all("chat_response", lambda told: "room_id" in told)
        assert told["message"]["content"] == "by REST"
    assert devices[0].all("chat_response", lambda told: "status" in told) == [
        {"status": "received", "message": "hello"}
    ]
    assert stranger.received == []


def test_protocol_2_gets_one_event_for_every_entry_and_no_other(alice, bob, lunch, connect):
    device = connect(bob, protocol=2)
    said = lunch.say(alice, "helo")
    alice.http.patch(f"{lunch.path}/messages/{said['id']}", json={"content": "hello"})
    alice.http.delete(f"{lunch.path}/messages/{said['id']}")
    alice.http.patch(lunch.path, json={"name": "Dinner"})

    device.wait_for("room_event", lambda event: event["kind"] == "room")
    time.sleep(QUIET)
    assert {name for name, _ in device.received} == {"room_event"}
    told = [event for _, event in device.received]
    assert [event["kind"] for event in told] == ["message", "edit", "delete", "room"]
    assert [event["seq"] for event in told] == [3, 4, 5, 6]
    assert told[0]["content"] == "helo"
    assert told[1]["target"] == told[2]["target"] == 3
    assert told[1]["content"] == "hello"


def test_a_member_hears_of_a_room_made_while_connected(alice, bob, make_room, connect):
    device = connect(bob)
    room = make_room(alice, bob)
    room.say(alice, "hello")

    assert device.wait_for("chat_response")["room_id"] == room.id


def test_a_removed_member_hears_of_that_and_of_nothing_after(alice, bob, lunch, connect):
    device = connect(bob, protocol=2)
    lunch.say(alice, "before")
    alice.http.delete(f"{lunch.path}/members/{bob.user.pk}")
    lunch.say(alice, "after")
    device.wait_for("room_event", lambda event: event["kind"] == "member")
    time.sleep(QUIET)

    assert [event["kind"] for _, event in device.received] == ["message", "member"]
    answer = device.call("chat_message", {"room": lunch.id, "message": "me too"})
    assert answer["code"] == "not_found"
    assert device.call("resume", {"rooms": {lunch.id: 3}})["rooms"] == {lunch.id: {"gone": True}}


def test_one_senders_messages_keep_their_order(alice, bob, lunch, connect):
    sender = connect(alice, protocol=2)
    acknowledged = threading.Semaphore(0)
    for number in range(300):
        message = {"room": lunch.id, "message": f"{number}", "client_id": f"c{number}"}
        sender.client.emit("chat_message", message, callback=lambda *_: acknowledged.release())
    for _ in range(300):
        assert acknowledged.acquire(timeout=60)

    entries = lunch.entries(bob, after=2)
    assert [entry["content"] for entry in entries] == [f"{number}" for number in range(300)]
    assert [entry["client_id"] for entry in entries] == [f"c{number}" for number in range(300)]


def test_a_retry_is_told_that_it_is_one_and_announces_nothing(alice, bob, lunch, connect):
    sender, reader = connect(alice, protocol=2), connect(bob, protocol=2)
    message = {"room": lunch.id, "message": "hello", "client_id": "c1"}
    first, again = sender.call("chat_message", message), sender.call("chat_message", message)

    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert {**first, "duplicate": True} == again
    lunch.say(alice, "the end")
    reader.wait_for("room_event", lambda event: event["content"] == "the end")
    assert numbers(reader, lunch) == [3, 4]


def test_resume_gives_what_was_missed_in_order(alice, bob, lunch, connect, make_room):
    for number in range(5):
        lunch.say(alice, f"{number}")
    other = make_room(alice, bob)

    device = connect(bob, protocol=2, rooms={lunch.id: 4, "0" * 24: 7})
    rooms = device.wait_for("resumed")["rooms"]
    assert [entry["seq"] for entry in rooms[lunch.id]["entries"]] == [5, 6, 7]
    assert rooms[lunch.id]["recovered"] is True
    assert rooms[lunch.id]["more"] is False
    assert rooms[other.id] == {"recovered": False, "last_seq": 2}
    assert rooms["0" * 24] == {"gone": True}

    again = device.call("resume", {"rooms": {lunch.id: 7}})["rooms"][lunch.id]
    assert (again["recovered"], again["entries"], again["last_seq"]) == (True, [], 7)
    assert device.call("resume", {"rooms": {lunch.id: 8}})["rooms"][lunch.id] == {
        "recovered": False,
        "last_seq": 7,
    }


@pytest.mark.parametrize(
    "payload",
    [None, 5, "text", [], {}, {"room": 5, "message": "x"}, {"message": "x"}, {"room": "x"}, b"\0"],
)
def test_malformed_events_are_answered_and_the_connection_lives(alice, lunch, connect, payload):
    device = connect(alice)
    answer = device.call("chat_message", payload)

    assert answer == {"ok": False, "code": "invalid", "message": "Invalid data"}
    assert device.wait_for("error") == {"message": "Invalid data"}
    assert device.call("chat_message", {"room": lunch.id, "message": "still here"})["ok"] is True


@pytest.mark.parametrize(
    "event", ["nonsense", "trigger_event", "connections", "_connect", "", "connect", "disconnect"]
)
def test_events_that_are_not_for_clients_are_answered(alice, bob, lunch, connect, event):
    device = connect(alice, protocol=2)

    answer = device.call(event, {"HTTP_AUTHORIZATION": f"Bearer {bob.token}"}, {"protocol": 1})
    assert answer["code"] == "invalid"
    assert device.wait_for("error")["code"] == "invalid"
    device.call("chat_message", {"room": lunch.id, "message": "still Alice, in protocol 2"})
    assert device.wait_for("room_event")["sender"] == alice.email


UNREADABLE = (
    *("4", "4x", "42", "42[]", "42[5]", '42{"a":1}', "43[]", "49", "451-[]", "x", "9", ""),
    "42" + "[" * 5000,
)


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("packet", UNREADABLE)
def test_packets_that_no_library_sends_harm_nobody(
    alice, bob, lunch, connect, server, packet, transport
):
    logged = len(server.output())
    witness = connect(bob)

    sid = send_raw(server.url, transport, '40{"token":"' + alice.token + '"}', packet)

    lunch.say(alice, "the others hear")
    witness.wait_for("chat_response")
    assert "Traceback" not in server.output()[logged:]
    assert sid not in server.output()[logged:]


def send_raw(url, transport, *packets):
    """Open a connection and send packets as they are; answer its Engine.IO id."""
    if transport == "websocket":
        address = f"{url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
        connection = websocket.create_connection(address, timeout=60, suppress_origin=True)
        hello = connection.recv()
        for packet in packets:
            connection.send(packet)
        with contextlib.suppress(websocket.WebSocketException, OSError):
            connection.recv()
        connection.close()
    else:
        address = f"{url}/socket.io/?EIO=4&transport=polling"
        hello = requests.get(address, timeout=60).text
        for packet in packets:
            requests.post(f"{address}&sid={sid_in(hello)}", data=packet, timeout=60)
    return sid_in(hello)


def sid_in(hello):
    return json.loads(hello[1:])["sid"]


def test_what_comes_by_polling_after_the_end_of_a_session_is_refused(alice, server):
    address = f"{server.url}/socket.io/?EIO=4&transport=polling"
    sid = sid_in(requests.get(address, timeout=60).text)

    def post(packet):
        return requests.post(f"{address}&sid={sid}", data=packet, timeout=60)

    assert post('40{"token":"' + alice.token + '"}').status_code == 200
    assert alice.http.post("/auth/logout").status_code == 204
    eventually(lambda: post('42["get_online_users"]').status_code != 200, what="the end")
    answer = post('42["get_online_users"]')
    assert (answer.status_code, "ession" in answer.text) == (400, True)
    assert "Traceback" not in server.output()


class RawSocket:
    """A connection on which one says the packets oneself."""

    def __init__(self, url, transport, headers):
        address = f"{url}/socket.io/?EIO=4&transport={transport}"
        self._read = []
        if transport == "websocket":
            origin = headers.get("Origin")
            rest = {name: value for name, value in headers.items() if name != "Origin"}
            connection = websocket.create_connection(
                address.replace("http", "ws"), timeout=60, origin=origin, header=rest
            )
            self.send, self._more = connection.send, lambda: [connection.recv()]
            self._more()
        else:
            hello = requests.get(address, headers=headers, timeout=60).text
            address = f"{address}&sid={sid_in(hello)}"
            self.send = lambda packet: requests.post(address, data=packet, timeout=60)
            self._more = lambda: requests.get(address, timeout=60).text.split("\x1e")

    def receive(self, beginning):
        """The next packet that begins so; the others are thrown away."""
        while True:
            self._read = self._read or self._more()
            packet = self._read.pop(0)
            if packet.startswith(beginning):
                return packet


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("shown", ["token", "cookie"])
def test_who_says_goodbye_may_say_hello_again_with_what_the_transport_brought(
    alice, lunch, server, transport, shown
):
    headers = {"Accept-Language": "fa", "Origin": server.url}
    if shown == "token":
        headers["Authorization"] = f"Bearer {alice.token}"
    else:
        cookies = Visitor(server, alice).cookies
        headers["Cookie"] = f"sessionid={cookies['sessionid']}"

    raw = RawSocket(server.url, transport, headers)

    for number in range(2):
        raw.send("40")
        assert "sid" in raw.receive("4")
        raw.send(f'42{number}["chat_message",{{"room":"{lunch.id}","message":"\\u0000"}}]')
        assert "نویسهٔ NUL مجاز نیست" in json.loads(raw.receive(f"43{number}")[3:])[0]["message"]
        raw.send("41")


def test_a_refused_handshake_says_why_at_once(server, alice):
    for transports in (["websocket"], ["polling"]):
        for auth, message in (
            (None, "Not authenticated"),
            ({"token": "garbage"}, "Could not validate credentials"),
        ):
            refusal, ended = try_to_connect(server.url, within=10, auth=auth, transports=transports)
            assert refusal["message"] == message
            assert ended, transports


def test_a_person_is_online_from_the_first_device_to_the_last(alice, bob, carol, lunch, connect):
    asker = connect(alice)
    connect(carol)

    def online():
        asker.forget()
        asker.call("get_online_users")
        return asker.wait_for("online_users")

    assert online() == [alice.email]
    first, second = connect(bob), connect(bob, transports=["polling"])
    assert online() == [alice.email, bob.email]
    first.close()
    assert online() == [alice.email, bob.email]
    second.close()
    eventually(lambda: online() == [alice.email], what="Bob's leaving")


def test_a_session_that_ends_takes_its_sockets_with_it(alice, connect, anyone):
    phone_token, laptop = alice.log_in()["access_token"], connect(alice)
    phone = connect_with(connect, alice, phone_token)

    answer = anyone.post("/auth/logout", headers={"Authorization": f"Bearer {phone_token}"})
    assert answer.status_code == 204
    assert phone.wait_for("error")["message"]
    assert phone.ended.wait(60)
    assert laptop.connected

    account_actions.log_out_everywhere(actor=alice.user)
    # From another process, and without Redis: the sockets of the server's own are not reached, but
    # nothing is accepted from them either.
    assert alice.http.get("/auth/users/me").status_code == 401


def connect_with(connect, person, token, **options):
    person.__dict__["token"], before = token, person.token
    try:
        return connect(person, **options)
    finally:
        person.__dict__["token"] = before


def test_a_token_that_expires_is_announced_can_be_renewed_and_cuts(alice, connect):
    def token_for(seconds):
        token = AccessToken(alice.token)
        token["exp"] = int(time.time()) + seconds
        return str(token)

    stayed, *left = (
        connect_with(connect, alice, token_for(3), transports=[transport])
        for transport in ("websocket", "websocket", "polling")
    )
    for device in (stayed, *left):
        assert 0 <= device.wait_for("auth_expiring")["expires_in"] <= 3
    assert stayed.call("authenticate", {"token": "garbage"})["code"] == "unauthenticated"
    renewed = stayed.call("authenticate", {"token": alice.token})
    assert renewed["ok"] is True
    assert renewed["expires_in"] > 60

    for device in left:
        assert device.ended.wait(30)
        assert device.all("error")
    assert stayed.connected


def test_typing_is_told_to_the_other_members_only(alice, bob, carol, lunch, connect):
    typist, reader, stranger = (connect(person, protocol=2) for person in (alice, bob, carol))

    assert typist.call("typing", {"room": lunch.id}) == {"ok": True}
    assert reader.wait_for("typing") == {
        "room_id": lunch.id,
        "user": {"id": alice.id, "email": alice.email},
    }
    assert stranger.call("typing", {"room": lunch.id})["code"] == "not_found"
    assert stranger.all("typing") == typist.all("typing") == []


def test_reading_moves_a_marker_that_never_goes_back(alice, bob, lunch, connect):
    for number in range(5):
        lunch.say(alice, f"{number}")

    def unread():
        return bob.http.get(lunch.path).json()["unread_count"]

    eventually(lambda: unread() == 5, what="five unread messages")
    reader, witness = connect(bob, protocol=2), connect(alice, protocol=2)
    assert reader.call("read", {"room": lunch.id, "seq": 5}) == {"ok": True}
    assert witness.wait_for("read") == {
        "room_id": lunch.id,
        "user": {"id": bob.id, "email": bob.email},
        "seq": 5,
    }
    assert unread() == 2
    assert bob.http.post(f"{lunch.path}/read", json={"seq": 3}).status_code == 204
    assert unread() == 2
    assert bob.http.post(f"{lunch.path}/read", json={"seq": 10**6}).status_code == 204
    assert unread() == 0
    assert bob.http.get(lunch.path).json()["read_seq"] == 7
    assert len(witness.all("read")) == 2


def test_who_joins_later_has_nothing_unread(alice, carol, lunch):
    lunch.say(alice, "old news")
    alice.http.post(f"{lunch.path}/members", json={"members": [carol.email]})
    lunch.say(alice, "welcome")

    def unread():
        return carol.http.get(lunch.path).json()["unread_count"]

    eventually(lambda: unread() == 1, what="the one message since")


def test_presence_is_told_to_who_shares_a_room(alice, bob, carol, lunch, connect):
    witness, stranger = connect(alice, protocol=2), connect(carol, protocol=2)

    def told(online):
        change = {"user": {"id": bob.id, "email": bob.email}, "online": online}
        return lambda event: change in event["changes"]

    first, second = connect(bob), connect(bob, protocol=2)
    witness.wait_for("presence", told(True))
    first.close()
    second.close()
    witness.wait_for("presence", told(False))
    assert stranger.all("presence") == []
    assert len(witness.all("presence", told(True))) == 1


@pytest.mark.faults
def test_the_people_of_a_killed_process_go_offline(
    alice, bob, lunch, server, connect, start_server, halt_shared_servers
):
    halt_shared_servers(but=server)
    witness, doomed = connect(alice, protocol=2), start_server()
    device = Device(doomed.url)
    device.connect(auth={"token": bob.token}, transports=["websocket"])
    eventually(PresenceLease.objects.filter(user=bob.user).exists, what="Bob's lease")
    doomed.kill()
    # The lease of the killed process, as if its life were over.
    past = now() - timedelta(seconds=1)
    PresenceLease.objects.filter(user=bob.user).update(expires_at=past)

    witness.wait_for("presence", lambda event: not event["changes"][0]["online"])
    device.close()


@pytest.mark.parametrize(
    ("chosen", "asked", "complaint"),
    [
        ("", "", "The NUL character is not allowed."),
        ("fa", "", "نویسهٔ NUL مجاز نیست."),
        ("fa", "en", "The NUL character is not allowed."),
    ],
)
def test_complaints_are_in_the_persons_language_but_for_the_contracts(
    server, alice, lunch, chosen, asked, complaint
):
    User.objects.filter(pk=alice.user.pk).update(language=chosen)
    device = Device(server.url)
    headers = {"Accept-Language": asked} if asked else {}
    device.connect(auth={"token": alice.token, "protocol": 2}, headers=headers)

    answers = [
        device.call("chat_message", {"room": lunch.id, "message": text}) for text in ("\0", 7)
    ]
    device.close()

    assert [answer["message"] for answer in answers] == [complaint, "Invalid data"]
