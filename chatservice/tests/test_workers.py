"""`manage.py serve --workers`: several processes behind one port."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from acceptance.people import Device
from acceptance.waiting import PATIENCE, eventually
from chat.tests.ordered_device import OrderedDevice
from chatservice.tests.test_metrics import TOKEN, Samples, fetch
from chatservice.tests.test_serve import refusal
from conftest import Http, Server

pytestmark = pytest.mark.redis

WORKERS = 3
PONG = "3"  # an Engine.IO packet that is welcome at any time


@pytest.fixture(scope="module")
def _service(django_db_setup, redis):
    service = Server(WORKERS=str(WORKERS), REDIS_URL=redis, METRICS_TOKEN=TOKEN)
    yield service
    service.stop()


@pytest.fixture
def service(_service, db):
    """Several workers that serve, for a test that leaves them as they are."""
    _service.forget_output()
    return _service


@pytest.fixture
def own_service(start_server, redis):
    """The same, for a test that ends some of them."""
    return start_server(WORKERS=str(WORKERS), REDIS_URL=redis)


def children(parent):
    return {pid for pid, state in processes() if state[1] == str(parent)}


def is_alive(pid):
    return any(pid == other and state[0] != "Z" for other, state in processes())


def processes():
    """Every process: its id and, of /proc/<id>/stat, the state, the parent, and so on."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield int(path.parent.name), path.read_text().rpartition(")")[2].split()


def post(service, person, room, content):
    answer = Http(service.url).post(
        f"{room.path}/messages",
        json={"content": content},
        headers={"Authorization": f"Bearer {person.token}"},
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture
def lunch(alice, bob, room):
    class Lunch:
        id = str(room)
        path = f"/chat/chat_rooms/{room}"

    return Lunch


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_every_transport_works_whichever_worker_takes_a_connection(
    alice, bob, lunch, service, transports
):
    devices = [OrderedDevice(service.url, bob, transports) for _ in range(3 * WORKERS)]
    for number in range(20):
        post(service, alice, lunch, f"{number}")
        devices[0].emit("chat_message", {"room": lunch.id, "message": f"{number}, by socket"})

    for device in devices:
        device.wait_for(lambda events: len(events) >= 40)
        assert [event["seq"] for event in device.events] == list(range(3, 43))
        device.close()
    assert "Traceback" not in service.output()


def test_every_worker_answers_for_every_session(service, db):
    """Connections of one's own for each request, and one that is kept, for sessions of them all."""
    address = f"{service.url}/socket.io/?EIO=4&transport=polling"
    owners = {}
    for _ in range(200):
        hello = requests.get(address, timeout=PATIENCE).text
        owners.setdefault((sid := json.loads(hello[1:])["sid"]).partition(".")[0], sid)
        if len(owners) == WORKERS:
            break
    assert len(owners) > 1, "one worker took all 200 connections: nothing was shown"

    refused = '44{"message":"Not authenticated","data":{"code":"unauthenticated"}}'
    kept = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=PATIENCE)
    for sid in owners.values():
        for _ in range(8):
            answer = requests.post(f"{address}&sid={sid}", data=PONG, timeout=PATIENCE)
            assert (answer.status_code, answer.text) == (200, "OK")
        kept.request("GET", "/health")
        assert kept.getresponse().read()
        kept.request("POST", f"/socket.io/?EIO=4&transport=polling&sid={sid}", body="40")
        assert kept.getresponse().read() == b"OK"
        kept.request("GET", f"/socket.io/?EIO=4&transport=polling&sid={sid}")
        assert refused in kept.getresponse().read().decode()


def test_requests_that_come_before_the_answer_to_the_last_are_passed_on_too(service, db):
    address = urlsplit(service.url)
    path = "/socket.io/?EIO=4&transport=polling"
    sid = json.loads(requests.get(service.url + path, timeout=PATIENCE).text[1:])["sid"]
    for _ in range(12):
        with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
            head = f"Host: {address.netloc}\r\n"
            connection.sendall(
                f"POST {path}&sid={sid} HTTP/1.1\r\n{head}Content-Length: 1\r\n\r\n{PONG}"
                f"GET /health HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode()
            )
            received = b""
            while part := connection.recv(10_000):
                received += part
        assert received.count(b"HTTP/1.1 200 OK") == 2, received


@pytest.mark.faults
def test_a_worker_that_dies_is_replaced_and_the_others_go_on(alice, bob, lunch, own_service):
    devices = [Device(own_service.url) for _ in range(3 * WORKERS)]
    for device in devices:
        device.connect(auth={"token": bob.token, "protocol": 2}, transports=["websocket"])
    before = children(own_service.process.pid)
    assert len(before) == WORKERS

    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: "has died" in own_service.output(), what="a word about it")
    post(own_service, alice, lunch, "still here")
    for device in devices:
        if device.connected:
            device.wait_for("room_event")
    after = eventually(
        lambda: (now := children(own_service.process.pid)) and len(now) == WORKERS and now,
        what="another worker",
    )
    assert victim not in after
    assert len(before & after) == WORKERS - 1
    assert re.search(r"Worker \d has died \(exit code -9\)", own_service.output())
    for device in devices:
        device.close()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_when_the_parent_is_told_to_stop(own_service, alice, number):
    workers = children(own_service.process.pid)
    device = Device(own_service.url)
    device.connect(auth={"token": alice.token}, transports=["websocket"])

    own_service.process.send_signal(number)
    assert own_service.process.wait(PATIENCE) == 0
    assert device.ended.wait(PATIENCE)
    assert not any(is_alive(pid) for pid in workers)
    assert "Traceback" not in own_service.output()


@pytest.mark.faults
def test_all_end_when_the_parent_is_killed(own_service):
    workers = children(own_service.process.pid)
    own_service.kill()

    for pid in workers:
        eventually(lambda pid=pid: not is_alive(pid), what="the end of a worker")


def test_long_polls_and_posts_of_many_clients_at_once(alice, bob, lunch, service):
    """Connections are passed on while others are, and nobody gets the answer of another."""
    failures = []

    def talk(number):
        device = Device(service.url)
        try:
            device.connect(auth={"token": alice.token, "protocol": 2}, transports=["polling"])
            for turn in range(5):
                text = f"{number}/{turn}"
                answer = device.call("chat_message", {"room": lunch.id, "message": text})
                told = device.wait_for("room_event", lambda e, seq=answer["seq"]: e["seq"] == seq)
                assert told["content"] == text
        except Exception as error:
            failures.append(error)
        finally:
            device.close()

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_each_worker_answers_for_itself_about_its_metrics(service):
    for _ in range(5):
        for number in range(WORKERS):
            assert Samples(service, f"/metrics/{number}")["worker",] == number
    assert Samples(service)["worker",] in range(WORKERS)
    assert fetch(service, f"/metrics/{WORKERS}").status_code == 404
    assert fetch(service, "/metrics/1", "wrong").status_code == 401


def test_several_workers_without_redis_are_one_clear_line():
    complaint = refusal("--port", "0", WORKERS="2")

    assert complaint == (
        "CommandError: 2 workers need REDIS_URL: through it they tell each other what happens.\n"
    )
