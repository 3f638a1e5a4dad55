"""Clients that write as fast as they are allowed to, and a ledger of what they were promised."""

import itertools
import threading
from dataclasses import dataclass

import requests
import socketio

from acceptance.people import Device
from acceptance.waiting import PATIENCE

IN_FLIGHT = 10  # messages a socket writer has sent and not yet had acknowledged
PAUSE = 0.2  # seconds before trying again what the service could not do


@dataclass
class Sent:
    """One message that was sent: what it said, and what the service promised about it.

    `id` and `seq` are None until it is acknowledged; `client_id` is None for clients of the
    older protocol, which cannot retry.
    """

    room_id: str
    text: str
    client_id: str | None
    id: str | None = None
    seq: int | None = None

    @property
    def acknowledged(self):
        return self.id is not None


class Ledger:
    """What all writers together have sent, and how it was answered."""

    def __init__(self):
        self.sent = []
        self.refusals = []  # (status or code, body) of everything that was not acknowledged
        self._lock = threading.Lock()
        self._answered = 0

    def send(self, room_id, text, client_id=None):
        """Note a message about to be sent and return its entry."""
        entry = Sent(room_id, text, client_id)
        with self._lock:
            self.sent.append(entry)
        return entry

    def acknowledge(self, entry, message):
        """Note that the service took a message; `message` has its `id`, perhaps its `seq`."""
        with self._lock:
            entry.id, entry.seq = message["id"], message.get("seq")
            self._answered += 1

    def refuse(self, entry, status, body):
        """Note that the service said it could not take a message."""
        with self._lock:
            self.refusals.append((status, body))
            self._answered += 1

    @property
    def acknowledged(self):
        with self._lock:
            return [entry for entry in self.sent if entry.acknowledged]

    @property
    def in_flight(self):
        """How many messages wait for an answer right now."""
        with self._lock:
            return len(self.sent) - self._answered


class Writer(threading.Thread):
    """One client that writes to several rooms in turn, until `stop` or until it is cut off.

    Some `person` writes by it under a name of its own, which keeps all texts apart. A writer
    that is `persistent` goes on after the service answered that it cannot right now.
    """

    def __init__(self, name, person, rooms, ledger, *, persistent=False):
        super().__init__(name=name, daemon=True)
        self.person, self.rooms, self.ledger = person, rooms, ledger
        self.persistent = persistent
        self.stopping = threading.Event()

    def stop(self):
        self.stopping.set()

    def run(self):
        for number in itertools.count():
            if self.stopping.is_set():
                break
            room_id = self.rooms[number % len(self.rooms)]
            self.write(room_id, f"{self.name} says {number}")
        self.finish()

    def write(self, room_id, text):
        raise NotImplementedError

    def finish(self):
        """Wait for the answers that are still to come."""


class RestWriter(Writer):
    """Writes by REST, one message at a time, and never sends one twice."""

    def run(self):
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.person.token}"
        super().run()

    def write(self, room_id, text):
        entry = self.ledger.send(room_id, text)
        url = f"{self.person.url}/chat/chat_rooms/{room_id}/messages"
        try:
            response = self.session.post(url, json={"content": text}, timeout=PATIENCE)
        except requests.RequestException:
            self.stop()
            return
        if response.status_code == 201:
            self.ledger.acknowledge(entry, response.json())
        else:
            self.ledger.refuse(entry, response.status_code, response.text)
            self.stopping.wait(PAUSE)
            if not self.persistent:
                self.stop()


class SocketWriter(Writer):
    """Writes by Socket.IO with `IN_FLIGHT` messages under way.

    With `protocol` 2 every message has a `client_id`, and one the service could not take is
    sent again, by a persistent writer, until it is taken.
    """

    def __init__(self, *args, protocol=None, **options):
        super().__init__(*args, **options)
        self.protocol = protocol
        self.places = threading.Semaphore(IN_FLIGHT)
        auth = {"token": self.person.token} | ({"protocol": protocol} if protocol else {})
        self.device = Device(self.person.url)
        self.device.connect(auth=auth, transports=["websocket"])

    def write(self, room_id, text):
        while not self.places.acquire(timeout=PAUSE):
            if self.stopping.is_set() or self.device.ended.is_set():
                self.stop()
                return
        client_id = f"{self.person.username} {text}" if self.protocol else None
        self.emit(self.ledger.send(room_id, text, client_id))

    def emit(self, entry):
        payload = {"room": entry.room_id, "message": entry.text}
        if entry.client_id:
            payload["client_id"] = entry.client_id
        try:
            self.device.client.emit(
                "chat_message", payload, callback=lambda ack=None: self.answered(entry, ack)
            )
        except (socketio.exceptions.SocketIOError, OSError):
            self.stop()

    def answered(self, entry, ack):
        """Runs in the client's own thread, for each acknowledgement."""
        if isinstance(ack, dict) and ack.get("ok") is True:
            self.ledger.acknowledge(entry, ack)
            self.places.release()
            return
        self.ledger.refuse(entry, ack.get("code") if isinstance(ack, dict) else None, ack)
        if not self.persistent:
            self.stop()
            self.places.release()
        elif entry.client_id:
            again = self.ledger.send(entry.room_id, entry.text, entry.client_id)
            threading.Timer(PAUSE, self.emit, [again]).start()
        else:
            threading.Timer(PAUSE, self.places.release).start()

    def finish(self):
        for _ in range(IN_FLIGHT):
            while not self.places.acquire(timeout=PAUSE):
                if self.device.ended.is_set():
                    return
        self.device.close()
