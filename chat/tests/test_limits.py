"""How often one may ask, and what one is told who asks more often."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests
import websocket
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from acceptance.people import Device
from acceptance.waiting import PATIENCE, eventually
from accounts.models import PresenceLease
from chatservice import limits
from chatservice.address_limits import AddressLimits
from conftest import ROOT, Http

from .small_limits import SLOWER, SMALLER

LATIN_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")

STRICTER = {"THROTTLE": "on", "program": ("-m", "chat.tests.small_limits")}


@pytest.fixture
def strict(shared_server):
    """A server with its limits on."""
    return shared_server(THROTTLE="on")


@pytest.fixture
def stricter(shared_server):
    """A server with its limits on, whose buckets are small and fill slowly: those of people, whom
    no other test knows, and of rooms."""
    return shared_server(**STRICTER)


@pytest.fixture
def new_stricter(start_server):
    """The same with full buckets for our address, too."""
    return start_server(**STRICTER)


def burst(limit):
    """How much `stricter` gives away at once."""
    return limit.burst // SMALLER


@pytest.fixture
def open_device():
    devices = []

    def open_device(person, server, **auth):
        devices.append(Device(server.url))
        auth = {"token": person.token, "protocol": 2} | auth
        devices[-1].connect(auth=auth, transports=["websocket"])
        return devices[-1]

    yield open_device
    for device in devices:
        device.close()


def send_many(device, event, payload, count):
    """Send an event many times without waiting in between; return all acknowledgements."""
    answers = []
    is_complete = threading.Event()

    def remember(answer):
        answers.append(answer)
        if len(answers) == count:
            is_complete.set()

    for _ in range(count):
        device.client.emit(event, payload, callback=remember)
    assert is_complete.wait(PATIENCE), f"{len(answers)} of {count} answered"
    return answers


def test_a_flood_of_messages_is_refused_with_the_time_to_wait(
    alice, bob, lunch, stricter, open_device
):
    flooder, other = open_device(alice, stricter), open_device(bob, stricter)
    count = burst(limits.MESSAGES) + burst(limits.REFUSALS) - 5
    answers = send_many(flooder, "chat_message", {"room": lunch.id, "message": "me!"}, count)

    refused = [answer for answer in answers if not answer["ok"]]
    assert len(answers) - len(refused) >= burst(limits.MESSAGES)
    assert refused
    for answer in refused:
        assert answer["code"] == "throttled"
        assert answer["retry_after"] >= 1
        assert answer["message"]
    complaint = flooder.wait_for("error")
    assert (complaint["code"], complaint["retry_after"] >= 1) == ("throttled", True)

    # By every way, for the same person; not for another.
    answer = refused_by_rest(alice, stricter, lunch, open_device(alice, stricter))
    assert answer.status_code == 429
    assert answer.json() == {"detail": answer.json()["detail"]}
    assert int(answer.headers["Retry-After"]) >= 1
    assert other.call("chat_message", {"room": lunch.id, "message": "may I?"})["ok"] is True

    def accepted():
        return flooder.call("chat_message", {"room": lunch.id, "message": "again"})["ok"]

    eventually(accepted, every=1, what="a message after the wait")
    assert "Traceback" not in stricter.output()


def refused_by_rest(person, server, room, device):
    """The answer to a message by REST while the sockets take every token that there is."""
    is_done = threading.Event()

    def flood():
        while not is_done.wait(0.02):
            device.client.emit("chat_message", {"room": room.id, "message": "me!"})

    flooding = threading.Thread(target=flood)
    flooding.start()
    client = person.at(server)
    try:
        for _ in range(40):
            answer = client.post(f"{room.path}/messages", json={"content": "?"})
            if answer.status_code == 429:
                break
    finally:
        is_done.set()
        flooding.join()
    return answer


def test_who_goes_on_although_refused_is_cut_off(alice, lunch, stricter, open_device):
    device = open_device(alice, stricter)
    flood = burst(limits.SOCKET_EVENTS) + 2 * burst(limits.REFUSALS) + 50
    for _ in range(flood):
        device.client.emit("nonsense", {})

    assert device.ended.wait(PATIENCE)
    assert device.all("error")[-1]["code"] == "throttled"
    assert "Traceback" not in stricter.output()


def test_a_room_is_protected_from_its_members_and_not_by_strangers(
    alice, bob, carol, lunch, strict, open_device
):
    stranger = open_device(carol, strict)
    refused = send_many(stranger, "chat_message", {"room": lunch.id, "message": "!"}, 100)
    assert {answer["code"] for answer in refused} == {"not_found"}
    member = open_device(alice, strict)
    assert member.call("chat_message", {"room": lunch.id, "message": "mine"})["ok"] is True


def test_requests_of_one_person_to_the_api_are_limited(alice, bob, stricter):
    client = alice.at(stricter)
    statuses = []
    for _ in range(burst(limits.API_REQUESTS) * 3):
        answer = client.get("/auth/users/me")
        statuses.append(answer.status_code)
        if answer.status_code == 429:
            break
    assert 429 in statuses
    assert statuses.count(200) >= burst(limits.API_REQUESTS)
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["detail"]
    assert bob.at(stricter).get("/auth/users/me").status_code == 200


def test_sign_ups_from_one_address_are_limited_by_the_api_and_the_page(new_stricter, db):
    client = Http(new_stricter.url)
    answers = []
    for _ in range(burst(limits.SIGN_UPS) + 20):
        answers.append(client.post("/auth/signup", json={}))
    assert {answer.status_code for answer in answers} == {422, 429}
    assert [answer.status_code for answer in answers].index(429) >= burst(limits.SIGN_UPS)
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["detail"]
    assert client.post("/signup", data={}).status_code == 429
    assert client.get("/signup").status_code == 200
    assert client.post("/auth/login", data={"username": "x", "password": "y"}).status_code == 401


def test_all_requests_of_one_address_are_limited_before_anything_is_done_for_them(new_stricter, db):
    client = Http(new_stricter.url)
    for _ in range(4 * burst(limits.HTTP_REQUESTS)):
        answer = client.get("/socket.io/")  # answered at once: 400
        if answer.status_code == 429:
            break
        assert answer.status_code == 400
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/health").status_code in (200, 429)


def test_without_throttle_there_is_no_limit(alice, lunch, server, open_device):
    device = open_device(alice, server)
    count = limits.MESSAGES.burst + 150
    answers = send_many(device, "chat_message", {"room": lunch.id, "message": "load"}, count)
    assert all(answer["ok"] for answer in answers)


def handshake(server, token):
    """A raw connection of Socket.IO, and what it was told."""
    address = f"{server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
    connection.recv()
    connection.send('40{"token":"' + token + '"}')
    return connection, connection.recv()


def received_until_cut_off(connection):
    packets = []
    with contextlib.suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
        while packet := connection.recv():
            packets.append(packet)
    return packets


def test_one_person_has_so_many_sockets_and_no_more_however_they_come(alice, bob, strict):
    opened = []
    token = alice.token
    start = threading.Barrier(limits.SOCKETS_PER_PERSON + 10)

    def connect():
        start.wait()
        opened.append(handshake(strict, token))

    threads = [threading.Thread(target=connect) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == start.parties
    let_in = [connection for connection, told in opened if told.startswith("40")]
    refused = [told for _, told in opened if not told.startswith("40")]
    assert len(let_in) == limits.SOCKETS_PER_PERSON
    assert all('"throttled"' in told and '"retry_after"' in told for told in refused)
    assert handshake(strict, bob.token)[1].startswith("40")

    let_in[0].close()

    def is_let_in():
        connection, told = handshake(strict, token)
        return told.startswith("40") and opened.append((connection, told)) is None

    eventually(is_let_in, what="room for another one")
    for connection, _ in opened:
        connection.close()


def test_connections_that_end_while_they_are_let_in_do_not_count(alice, strict):
    address = f"{strict.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    for _ in range(2 * limits.SOCKETS_PER_PERSON):
        connection = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
        connection.send('40{"token":"' + alice.token + '"}')
        connection.sock.close()

    leases = PresenceLease.objects.filter(user=alice.user)

    def is_let_in():
        connection, told = handshake(strict, alice.token)
        connection.close()
        return told.startswith("40")

    eventually(is_let_in, what="another one")
    eventually(lambda: not leases.exists(), what="the end of the last one")
    assert "Traceback" not in strict.output()


@pytest.mark.faults
def test_a_client_that_stands_still_is_noticed_by_its_pings(alice, bob, lunch, start_server):
    server = start_server(PING_INTERVAL="1", PING_TIMEOUT="1")
    witness = Device(server.url)
    witness.connect(auth={"token": alice.token, "protocol": 2}, transports=["websocket"])
    code = """
import sys, socketio
client = socketio.Client()
client.connect(sys.argv[1], auth={"token": sys.argv[2]}, transports=["websocket"])
client.wait()
"""
    client = subprocess.Popen([sys.executable, "-c", code, server.url, bob.token], cwd=ROOT)
    try:
        witness.wait_for("presence", lambda event: event["changes"][0]["online"])
        os.kill(client.pid, signal.SIGSTOP)
        witness.wait_for("presence", lambda event: not event["changes"][0]["online"])
    finally:
        client.kill()
        client.wait()
        witness.close()
    assert not PresenceLease.objects.filter(user=bob.user).exists()


@pytest.mark.redis
def test_what_one_process_gave_away_the_others_do_not_give_again(redis, start_server, db):
    near, far = (Http(start_server(REDIS_URL=redis, **STRICTER).url) for _ in range(2))

    def is_refused_by(client):
        return client.post("/auth/signup", json={}).status_code == 429

    # Few are refilled, so what counts in the end is the burst: one of them, not one for each.
    began = time.monotonic()
    given = 0

    def refuses(client):
        nonlocal given
        is_refused = is_refused_by(client)
        given += not is_refused
        return is_refused

    eventually(lambda: refuses(near), every=0, what="a refusal by the first")
    # A report takes half a second, in which the other one gives away a few too many.
    eventually(lambda: refuses(far), every=0.2, what="a refusal by the other")
    refilled = (time.monotonic() - began) * limits.SIGN_UPS.per_second / SLOWER
    assert burst(limits.SIGN_UPS) <= given <= 1.5 * burst(limits.SIGN_UPS) + refilled


def test_the_table_in_the_documentation_is_what_holds():
    table = (ROOT / "docs" / "limits.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| ([\d.]+) \| (\d+) \|", table, re.MULTILINE)
    documented = {name: (rate, int(burst)) for name, rate, burst in rows}
    written = {limit.name: (str(limit.per_second), limit.burst) for limit in limits.LIMITS}
    assert documented == written
    assert f"sockets of a person | {limits.SOCKETS_PER_PERSON} |" in table
    assert f"sockets from an address | {limits.SOCKETS_PER_ADDRESS} |" in table


def test_long_polling_handshakes_beyond_the_limit_are_429(new_stricter, db):
    address = f"{new_stricter.url}/socket.io/?EIO=4&transport=polling"
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(4 * burst(limits.HANDSHAKES)):
            answer = session.get(address, timeout=PATIENCE)
            if answer.status_code == 429:
                break
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.fixture
def spend(db, settings, monkeypatch):
    """Let limits hold in this process, and take all that somebody has."""
    settings.THROTTLE = True
    monkeypatch.setattr(limits.buckets, "is_serving", True)

    def spend(limit, subject):
        # Twice, or the first few would be back before anybody asks.
        limits.buckets.note_spent([(limit.name, str(subject), 2 * limit.burst)])

    yield spend
    limits.buckets._full_at.clear()


def test_a_page_says_so_in_words(alice, room, spend):
    browser = Client()
    log_in = {"username": alice.email, "password": alice.password}
    assert browser.post("/login", log_in).status_code == 302
    spend(limits.MESSAGES, alice.id)

    form = {"content": "hello", "client_id": "c1"}
    answer = browser.post(f"/rooms/{room}/messages", form, headers={"Accept": "text/html"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Try again in" in answer.content.decode()


def test_whatever_is_added_to_a_room_counts(alice, bob, lunch, spend):
    client = Client(headers={"Authorization": f"Bearer {alice.token}"})
    message = client.post(
        f"{lunch.path}/messages", {"content": "one"}, content_type="application/json"
    ).json()
    spend(limits.ROOM_ENTRIES, lunch.id)

    def change(method, path, **fields):
        return getattr(client, method)(
            f"{lunch.path}{path}", fields, content_type="application/json"
        )

    answers = [
        change("post", "/messages", content="two"),
        change("patch", f"/messages/{message['id']}", content="three"),
        change("delete", f"/messages/{message['id']}"),
        change("delete", f"/members/{bob.id}"),
        change("patch", "", name="Supper"),
    ]
    assert [answer.status_code for answer in answers] == [429] * 5
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)


def test_typing_is_passed_on_now_and_then(alice, bob, lunch, strict, open_device):
    writer, reader = open_device(alice, strict), open_device(bob, strict)
    began = time.monotonic()
    answers = send_many(writer, "typing", {"room": lunch.id}, 100)
    assert all(answer["ok"] for answer in answers)
    writer.call("chat_message", {"room": lunch.id, "message": "there"})
    reader.wait_for("room_event", lambda event: event.get("content") == "there")
    told = len(reader.all("typing"))
    assert 1 <= told <= limits.TYPING.burst + time.monotonic() - began + 1


def test_who_connects_again_and_again_on_one_transport_is_cut_off(alice, new_stricter):
    connection, told = handshake(new_stricter, alice.token)
    assert told.startswith("40")
    flood = threading.Thread(target=ask_to_connect, args=(connection, 3 * burst(limits.HANDSHAKES)))
    flood.start()
    received_until_cut_off(connection)
    flood.join()
    assert "Traceback" not in new_stricter.output()


def ask_to_connect(connection, count):
    try:
        for _ in range(count):
            connection.send("40/elsewhere,")
    except (websocket.WebSocketException, OSError):
        pass  # cut off


def fill(person, room, server, characters):
    """Say so much in a room."""
    client, text = person.at(server), "x" * 8_000
    for _ in range(characters // len(text)):
        assert client.post(f"{room.path}/messages", json={"content": text}).status_code == 201


def test_who_asks_for_much_and_reads_nothing_is_cut_off(alice, lunch, strict):
    fill(alice, lunch, strict, 600_000)
    connection, _ = handshake(strict, alice.token)
    count = 60
    for number in range(count):
        connection.send(f'42{number}["resume",{{"rooms":{{"{lunch.id}":1}}}}]')
    eventually(lambda: "does not read" in strict.output(), what="the end of the connection")

    answers = [each for each in received_until_cut_off(connection) if each.startswith("43")]
    assert len(answers) < count


def test_who_asks_for_much_by_polling_and_fetches_nothing_is_cut_off(alice, lunch, strict):
    fill(alice, lunch, strict, 600_000)
    with requests.Session() as session:
        session.trust_env = False
        address = f"{strict.url}/socket.io/?EIO=4&transport=polling"
        opened = session.get(address, timeout=PATIENCE).text
        address += f"&sid={json.loads(opened[1:])['sid']}"
        session.post(address, data='40{"token":"' + alice.token + '"}', timeout=PATIENCE)
        assert session.get(address, timeout=PATIENCE).text.startswith("40{")
        for number in range(20):
            ask = f'42{number}["resume",{{"rooms":{{"{lunch.id}":1}}}}]'
            session.post(address, data=ask, timeout=PATIENCE)
        eventually(lambda: "does not read" in strict.output(), what="the end of the connection")

        def is_gone():
            return session.get(address, timeout=PATIENCE).status_code == 400

        eventually(is_gone, what="the end of the session")


def test_an_answer_to_resume_holds_only_so_much_and_then_comes_the_rest(
    alice, bob, strict, make_room, open_device
):
    rooms = [make_room(alice, bob) for _ in range(2)]
    for room in rooms:
        fill(alice, room, strict, 520_000)
    device = open_device(bob, strict)
    numbers, sizes = dict.fromkeys([room.id for room in rooms], 0), []
    more = True
    while more:
        answer = device.call("resume", {"rooms": numbers})["rooms"]
        entries = [entry for news in answer.values() for entry in news["entries"]]
        sizes.append(sum(len(entry.get("content", "")) for entry in entries))
        for entry in entries:
            assert entry["seq"] == numbers[entry["room_id"]] + 1
            numbers[entry["room_id"]] += 1
        more = any(news["more"] for news in answer.values())
    assert sizes == [520_000, 520_000]


def asked(path, query=b"", method="GET", **headers):
    """Status, headers and body of what Socket.IO answers, behind the limits, in this process."""

    async def ask():
        from chatservice.realtime.server import asgi_app

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1"), *sent],
            "client": ("192.0.2.1", 1),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
            "asgi": {"version": "3.0"},
        }
        communicator = ApplicationCommunicator(AddressLimits(asgi_app), scope)
        await communicator.send_input({"type": "http.request", "body": b""})
        return [await communicator.receive_output(PATIENCE) for _ in range(2)]

    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    start, body = asyncio.run(ask())
    told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return start["status"], told, body["body"].decode()


@pytest.mark.parametrize("path", ["/signup", "/login", "/admin/login/", "/auth/signup/"])
def test_sign_up_and_log_in_are_refused_in_words_that_fit(spend, path):
    spend(limits.SIGN_UPS, "192.0.2.1")
    spend(limits.LOG_INS, "192.0.2.1")
    status, headers, body = asked(path, method="POST", accept="text/html", accept_language="fa")
    assert status == 429
    if path.startswith("/auth/"):
        assert headers["content-type"] == "application/json"
        body = json.loads(body)["detail"]
    else:
        assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["retry-after"] in body.translate(LATIN_DIGITS)
    assert not body.isascii()
