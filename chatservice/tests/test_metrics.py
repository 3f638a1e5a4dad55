"""What `/metrics` says, and to whom."""

import re

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from acceptance.people import Device
from acceptance.waiting import eventually
from chatservice import limits, metrics
from conftest import ROOT, Http

TOKEN = "a token of the tests"


@pytest.fixture
def service(shared_server):
    return shared_server(METRICS_TOKEN=TOKEN, THROTTLE="on")


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


def fetch(server, path="/metrics", token=TOKEN):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(server.url + path, headers=headers, timeout=30)


class Samples(dict):
    """From a sample's name and its labels' values, in the order of their names, to its value."""

    def __init__(self, server, path="/metrics"):
        answer = fetch(server, path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        self.labels = set()
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                values = [value for _name, value in sorted(sample.labels.items())]
                self.labels.update(values)
                self[(sample.name.removeprefix("chat_"), *values)] = sample.value


def make_room(creator, server, *members):
    fields = {"name": "Lunch", "members": [member.email for member in members]}
    answer = creator.at(server).post("/chat/chat_rooms/", json=fields)
    assert answer.status_code == 201
    return answer.json()["id"]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/0"])
def test_nobody_reads_them_without_the_token(service, server, alice, path):
    assert fetch(server, path).status_code == 404  # this one has no token
    for token in (None, "", "wrong", TOKEN + "x", alice.token, "\u00e4".encode()):
        answer = fetch(service, path, token)
        assert answer.status_code == 401
        assert answer.json() == {"detail": "Not authenticated"}
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert Http(service.url).post(path).status_code in (403, 405)
    assert fetch(service, path).status_code == 200
    assert fetch(service, "/metrics/1").status_code == 404
    assert "Traceback" not in service.output()


def test_what_happens_is_counted(alice, bob, service, open_device):
    before = Samples(service)
    room = make_room(alice, service, bob)
    speaker, listener = open_device(alice, service), open_device(bob, service)
    older = open_device(bob, service, protocol=1)
    for text in ("one", "two"):
        speaker.call("chat_message", {"room": room, "message": text})
    listener.wait_for("room_event", lambda event: event.get("content") == "two")
    older.wait_for("broadcast_message", lambda message: message["content"] == "two")
    listener.call("resume", {"rooms": {room: 2, "0" * 24: 5}})
    listener.call("resume", {"rooms": {room: 4}})
    listener.call("resume", {"rooms": {}})
    assert alice.at(service).get(f"/chat/chat_rooms/{room}/messages").status_code == 200
    assert alice.at(service).get(f"/no/such/{room}").status_code == 404

    now = eventually(
        lambda: (found := Samples(service)).get(("people_online",)) == 2 and found,
        what="two people online",
    )

    def since(*key):
        return now.get(key, 0) - before.get(key, 0)

    assert since("entries_total", "message") == 2
    assert since("entries_total", "member") == 1
    assert since("batch_entries_sum") == 4
    assert since("batch_seconds_count") >= 3
    assert since("deliveries_total", "broadcast_message") == 2
    assert since("deliveries_total", "room_event") == 4
    assert since("emissions_total", "room_event") == 2
    assert now["sockets", "2", "websocket"] == 2
    assert now["sockets", "1", "websocket"] == 1
    assert now["people_connected",] == now["presence_leases",] == 2
    assert since("presence_lease_writes_total", "arrival") >= 2
    assert since("presence_changes_total") >= 1
    assert since("resumed_rooms_total", "recovered") == 1
    assert since("resumed_rooms_total", "no_news") == 1
    assert since("resumed_rooms_total", "not_recovered") == 1
    assert since("resumed_rooms_total", "gone") == 1
    assert since("resumed_entries_total") == 2
    assert since("http_request_seconds_count", "GET", "message-list", "200") == 1
    assert since("http_request_seconds_count", "GET", "none", "404") == 1
    assert now["backplane_up",] == 1
    assert now["loop_lag_seconds_count",] > 0
    assert now["process_resident_memory_bytes",] > 0


def test_what_is_refused_and_who_does_not_read_is_counted(alice, service, open_device):
    def refusals():
        return Samples(service).get(("refusals_total", "socket_events"), 0)

    before = refusals()
    device = open_device(alice, service)
    for _ in range(limits.SOCKET_EVENTS.burst + 200):
        device.client.emit("nonsense", {})
    eventually(lambda: refusals() > before, what="a refusal")


def test_no_label_names_anybody(alice, bob, service, open_device):
    room = make_room(alice, service, bob)
    open_device(alice, service).call("chat_message", {"room": room, "message": "psst"})
    door = alice.at(service)
    assert door.get(f"/chat/chat_rooms/{room}").status_code == 200
    assert door.get("/media/" + "1" * 24 + "/secret.txt").status_code == 404
    assert door.request("BREW", "/health").status_code in (403, 405)

    labels = Samples(service).labels
    assert "other" in labels
    for label in labels:
        assert not re.search(r"[0-9a-f]{24}|@|/|secret|psst|BREW|alice", label, re.I), label


def test_every_metric_is_documented_and_none_is_made_up():
    documented = set(re.findall(r"`(chat_\w+)`", (ROOT / "docs/metrics.md").read_text()))
    there = set()
    for family in metrics.REGISTRY.collect():
        if family.name.startswith("chat_"):
            there.add(family.name + ("_total" if family.type == "counter" else ""))
    assert documented == there
