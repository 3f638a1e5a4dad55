"""Broadcasts by our own short way and by python-socketio's: to every client the same."""

import contextlib
import threading

import pytest
import websocket

from acceptance.people import Device
from acceptance.waiting import eventually
from conftest import Http

from .ordered_device import OrderedDevice

EVERY_TRANSPORT = (["websocket"], ["polling"], ["polling", "websocket"])


@pytest.fixture(params=["direct", "library"])
def fanout_server(request, start_server):
    return start_server(FANOUT=request.param)


def post(server, person, room, content):
    answer = Http(server.url).post(
        f"{room.path}/messages",
        json={"content": content},
        headers={"Authorization": f"Bearer {person.token}"},
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture
def listen(fanout_server):
    """Connect devices that keep the order: `listen(person, transports)`."""
    with contextlib.ExitStack() as devices:

        def listen(person, transports):
            device = OrderedDevice(fanout_server.url, person, transports)
            devices.callback(device.close)
            return device

        yield listen


def numbers(device):
    return [event["seq"] for event in device.events]


def test_all_transports_get_all_of_it_in_order(alice, bob, lunch, listen):
    devices = [listen(bob, transports) for transports in EVERY_TRANSPORT * 3]
    for number in range(200):
        text = f"{number} " + "😀" * (number % 50 * 10)
        devices[0].emit("chat_message", {"room": lunch.id, "message": text})

    for device in devices:
        device.wait_for(lambda events: len(events) >= 200)
        assert numbers(device) == list(range(3, 203))
        said = [event["content"].split()[0] for event in device.events]
        assert said == [f"{number}" for number in range(200)]


def test_events_during_the_upgrade_are_not_lost(alice, bob, lunch, fanout_server, listen):
    stop = threading.Event()

    def talk():
        while not stop.is_set():
            post(fanout_server, alice, lunch, "and on")

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        for _ in range(8):
            device = listen(bob, ["polling", "websocket"])
            eventually(lambda d=device: d.transport == "websocket", what="the upgrade")
            seen = len(device.events)
            device.wait_for(lambda events, seen=seen: len(events) >= seen + 5)
            told = numbers(device)
            assert told == list(range(told[0], told[0] + len(told)))
    finally:
        stop.set()
        talking.join()


@pytest.mark.faults
def test_a_client_that_does_not_read_is_cut_off_and_harms_nobody(alice, bob, lunch, start_server):
    server = start_server()
    address = f"{server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    sleeper = websocket.create_connection(address, timeout=30, suppress_origin=True)
    sleeper.send('40{"token":"' + bob.token + '","protocol":2}')
    reader = Device(server.url)
    reader.connect(auth={"token": alice.token, "protocol": 2}, transports=["websocket"])
    large = "😀" * 8_000  # some 96 KB on the wire

    count = 300
    for _ in range(count):
        answer = reader.call("chat_message", {"room": lunch.id, "message": large})
        assert answer["ok"] is True
    reader.wait_for("room_event", lambda event: event["seq"] == count + 2)
    reader.close()

    received = 0
    with contextlib.suppress(websocket.WebSocketException, OSError):
        while sleeper.recv():
            received += 1
    assert 0 < received < count, "everything fitted into buffers: nothing was shown"
