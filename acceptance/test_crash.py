"""What was acknowledged is stored once and in order, whatever dies while twenty clients write."""

import os
import signal
import time
from collections import Counter

import pytest

from acceptance.people import Person
from acceptance.service import Service, parent_of
from acceptance.waiting import PATIENCE, eventually
from acceptance.writers import Ledger, RestWriter, SocketWriter

pytestmark = pytest.mark.faults

CLIENTS = 20
ROOMS = 4
ENOUGH = 300  # acknowledged messages before anything is killed
WRITING = 120.0  # seconds to get there; a machine may be slow
RETRIED = 100  # acknowledged messages that are sent again after a restart


class Crowd:
    """Five people in four rooms, who write with four clients each."""

    def __init__(self, service):
        self.people = [Person(service.url, name) for name in ("ann", "ben", "cid", "dora", "erin")]
        for person in self.people:
            person.sign_up().raise_for_status()
            person.log_in()
        first, *others = self.people
        self.rooms = [first.make_room(*others)["id"] for _ in range(ROOMS)]
        self.ledger = Ledger()
        self.writers = []

    def start_writing(self, *, persistent=False):
        """Start twenty writers: ten of protocol 2, five of the older one, five by REST."""
        for number in range(CLIENTS):
            person, kind = self.people[number % 5], number // 5
            rooms = self.rooms[kind:] + self.rooms[:kind]
            setting = (f"writer {number}", person, rooms, self.ledger)
            if kind == 0:
                writer = RestWriter(*setting, persistent=persistent)
            else:
                protocol = None if kind == 1 else 2
                writer = SocketWriter(*setting, protocol=protocol, persistent=persistent)
            self.writers.append(writer)
        for writer in self.writers:
            writer.start()

    def wait_until_busy(self):
        """Return when much is acknowledged, from everybody, and much is under way."""
        goal = len(self.ledger.acknowledged) + ENOUGH

        def busy():
            acknowledged = self.ledger.acknowledged
            by_writer = Counter(entry.text.partition(" says ")[0] for entry in acknowledged)
            return (
                len(acknowledged) >= goal
                and len(by_writer) == CLIENTS
                and self.ledger.in_flight >= 10
            )

        eventually(busy, within=WRITING, what="twenty clients writing")

    def stop_writing(self):
        """Let every writer finish what it is at, and fail if one of them cannot."""
        for writer in self.writers:
            writer.stop()
        deadline = time.monotonic() + 2 * PATIENCE
        for writer in self.writers:
            writer.join(max(0, deadline - time.monotonic()))
        stuck = [writer.name for writer in self.writers if writer.is_alive()]
        assert stuck == [], f"no answer to what they sent: {stuck}"

    def retry(self):
        """Send again, by new connections, what was sent with a `client_id`; return the acks.

        All that was not acknowledged, and some of what was; gives (entry, acknowledgement).
        """
        reader = {person.username: person for person in self.people}
        retriable = [entry for entry in self.ledger.sent if entry.client_id]
        promised = [entry for entry in retriable if entry.acknowledged][-RETRIED:]
        unknown = [entry for entry in retriable if not entry.acknowledged]
        devices, answers = {}, []
        for entry in promised + unknown:
            name = entry.client_id.partition(" ")[0]
            if name not in devices:
                person = reader[name]
                auth = {"token": person.token, "protocol": 2}
                devices[name] = person.connect(auth=auth, transports=["websocket"])
            payload = {"room": entry.room_id, "message": entry.text, "client_id": entry.client_id}
            answers.append((entry, devices[name].call("chat_message", payload)))
        for person in self.people:
            person.disconnect()
        return answers


def entries_of(person, room_id):
    """Return a room's whole log, page by page."""
    entries, after = [], 0
    while True:
        response = person.get(
            f"/chat/chat_rooms/{room_id}/events", params={"after": after, "limit": 100}
        )
        response.raise_for_status()
        page = response.json()
        entries += page["entries"]
        if not page["more"]:
            return entries
        assert page["entries"], "a page that is empty and not the last"
        after = page["entries"][-1]["seq"]


def broken_promises(crowd):
    """Return, in words, everything that is wrong with what is stored. Hopefully nothing."""
    reader = crowd.people[-1]
    wrong = []
    for room_id in crowd.rooms:
        entries = entries_of(reader, room_id)
        numbers = [entry["seq"] for entry in entries]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append(f"room {room_id} is not numbered 1..{len(numbers)}: {numbers}")

        stored = reader.messages(room_id)
        in_log = [(e["id"], e["seq"], e["content"]) for e in entries if e["kind"] == "message"]
        in_list = [(m["id"], m["seq"], m["content"]) for m in stored]
        if in_log != in_list:
            wrong.append(f"room {room_id}: the log and the list of messages differ")

        sent = [entry for entry in crowd.ledger.sent if entry.room_id == room_id]
        copies = Counter(message["content"] for message in stored)
        wrong += [f"stored {n} times: {text!r}" for text, n in copies.items() if n > 1]
        wrong += [f"never sent: {text!r}" for text in copies.keys() - {e.text for e in sent}]
        by_text = {message["content"]: message for message in stored}
        for entry in sent:
            if not entry.acknowledged:
                continue
            message = by_text.get(entry.text)
            if message is None:
                wrong.append(f"acknowledged and lost: {entry}")
            elif (message["id"], message["seq"]) != (entry.id, entry.seq or message["seq"]):
                wrong.append(f"acknowledged as {entry}, stored as {message}")
    return wrong


def assert_retries_are_safe(crowd):
    """Assert that sending again stores what was not, and nothing twice."""
    answers = crowd.retry()
    assert answers, "need messages with a client_id to send again"
    for entry, ack in answers:
        assert ack["ok"] is True
        if entry.acknowledged:
            assert (ack["duplicate"], ack["id"], ack["seq"]) == (True, entry.id, entry.seq)
        else:
            crowd.ledger.acknowledge(entry, ack)
    assert broken_promises(crowd) == []


@pytest.fixture
def service(tmp_path):
    with Service(tmp_path / "data") as service:
        yield service.start()


def test_kill_of_the_service_loses_nothing_acknowledged(service):
    crowd = Crowd(service)
    crowd.start_writing()
    crowd.wait_until_busy()

    service.kill()
    crowd.stop_writing()
    assert crowd.ledger.in_flight, "need messages whose fate is unknown"
    service.start()

    assert broken_promises(crowd) == []
    assert_retries_are_safe(crowd)
    assert service.terminate() == 0
    eventually(lambda: not service.database_processes(), what="the end of mongod")


def test_a_service_killed_and_not_restarted_leaves_no_database_running(service):
    assert service.database_processes(), "need a mongod to be left behind"

    service.kill()

    eventually(lambda: not service.database_processes(), what="the end of mongod")


def test_termination_loses_nothing_acknowledged(service):
    crowd = Crowd(service)
    crowd.start_writing()
    crowd.wait_until_busy()

    exit_code = service.terminate()

    crowd.stop_writing()
    assert exit_code == 0
    assert "Traceback" not in service.log()
    eventually(lambda: not service.database_processes(), what="the end of mongod")
    service.start()
    assert broken_promises(crowd) == []
    assert_retries_are_safe(crowd)


def test_kill_of_the_database_loses_nothing_acknowledged(service):
    crowd = Crowd(service)
    crowd.start_writing(persistent=True)
    crowd.wait_until_busy()

    for pid in service.database_processes():
        os.kill(pid, signal.SIGKILL)
    crowd.wait_until_busy()

    crowd.stop_writing()
    assert crowd.ledger.in_flight == 0, "everything got an answer"
    assert {status for status, _ in crowd.ledger.refusals if isinstance(status, int)} <= {503}
    assert broken_promises(crowd) == []
    assert_retries_are_safe(crowd)


def test_a_database_that_stays_away_is_a_503_until_it_is_back(service):
    crowd = Crowd(service)
    ann, room_id = crowd.people[0], crowd.rooms[0]
    device = ann.connect(auth={"token": ann.token, "protocol": 2})
    [mongod] = service.database_processes()
    keeper = parent_of(mongod)  # it would start another at once

    os.kill(keeper, signal.SIGSTOP)
    try:
        os.kill(mongod, signal.SIGKILL)
        written = ann.post_message(room_id, "lost?")
        read = ann.get(f"/chat/chat_rooms/{room_id}")
        payload = {"room": room_id, "message": "later", "client_id": "later"}
        spoken = device.call("chat_message", payload)
    finally:
        os.kill(keeper, signal.SIGCONT)

    for response in (written, read):
        assert response.status_code == 503
        assert response.json()["detail"]
        assert int(response.headers["Retry-After"]) >= 0
    assert spoken["ok"] is False
    assert spoken["message"]
    eventually(
        lambda: ann.post_message(room_id, "back").status_code == 201, what="a recovered service"
    )
    assert device.call("chat_message", payload)["ok"] is True
    contents = [message["content"] for message in ann.messages(room_id)]
    assert contents.count("later") == 1
    assert contents.count("lost?") <= 1
    ann.disconnect()
