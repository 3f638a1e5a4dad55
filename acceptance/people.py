"""People who use the service as its clients do: by REST, and with the official Python client."""

import contextlib
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import engineio
import requests
import socketio

from acceptance.waiting import PATIENCE


class Person:
    """Somebody with an account: `username`, `email`, `password`, and after `log_in` a `token`.

    Names get a random suffix, so that a walk can be repeated on one database.
    """

    def __init__(self, url, name):
        suffix = secrets.token_hex(4)
        self.url = url
        self.username = f"{name}_{suffix}"
        self.email = f"{name}.{suffix}@example.com"
        self.password = secrets.token_urlsafe(12)
        self.id = self.token = None
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc between us and the service
        self._devices = []

    def sign_up(self, **changes):
        """Ask for the account and return the response."""
        fields = {"username": self.username, "email": self.email, "password": self.password}
        response = self.anonymous("POST", "/auth/signup", json=fields | changes)
        if response.status_code == 201:
            self.id = response.json()["id"]
        return response

    def log_in(self):
        """Fetch a token, keep it for all later requests, and return it."""
        form = {"username": self.email, "password": self.password}
        response = self.anonymous("POST", "/auth/login", data=form)
        response.raise_for_status()
        self.token = response.json()["access_token"]
        return self.token

    def anonymous(self, method, path, **options):
        """Make a request without the token. A redirect is an answer, not an instruction."""
        defaults = {"timeout": PATIENCE, "allow_redirects": False}
        return self._session.request(method, self.url + path, **defaults | options)

    def request(self, method, path, *, headers=None, **options):
        """Make a request with the token and return the response."""
        headers = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        return self.anonymous(method, path, headers=headers, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def make_room(self, *members, **fields):
        """Make a room with these people in it and return it as it was answered."""
        fields = {"name": "A room", "members": [person.email for person in members]} | fields
        response = self.post("/chat/chat_rooms/", json=fields)
        response.raise_for_status()
        return response.json()

    def post_message(self, room_id, content, **fields):
        """Write to a room by REST and return the response."""
        path = f"/chat/chat_rooms/{room_id}/messages"
        return self.post(path, json={"content": content} | fields)

    def messages(self, room_id, **params):
        """Return the messages of a room as a list."""
        response = self.get(f"/chat/chat_rooms/{room_id}/messages", params=params)
        response.raise_for_status()
        return response.json()

    def connect(self, **options):
        """Open a connection of the official client, by default with the token in `auth`."""
        options.setdefault("auth", {"token": self.token})
        device = Device(self.url)
        self._devices.append(device)
        device.connect(**options)
        return device

    def disconnect(self):
        """Close all connections this person still has."""
        while self._devices:
            self._devices.pop().close()


def answer(response):
    """Return `(status, body)` of a response, the body as JSON where it is JSON, else as text."""
    try:
        return response.status_code, response.json()
    except ValueError:
        return response.status_code, response.text


class InOrder(engineio.Client):
    """Handles what comes in one thread, where the library starts a thread for each packet."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._handling = ThreadPoolExecutor(max_workers=1)

    def _trigger_event(self, event, *args, run_async=False, **options):
        if run_async:
            return self._handling.submit(super()._trigger_event, event, *args, **options)
        return super()._trigger_event(event, *args, **options)


class OrderedClient(socketio.Client):
    """python-socketio's threaded client, whose handlers are called in the order of the events."""

    def _engineio_client_class(self):
        return InOrder


class Device:
    """One connection of python-socketio's client, which remembers all that came, in order."""

    def __init__(self, url):
        self.url = url
        self.client = OrderedClient(
            reconnection=False,
            handle_sigint=False,
            # Else the WebSocket library names an origin of its own beside the one in `headers`.
            websocket_extra_options={"suppress_origin": True},
        )
        self.client.on("*", self._remember)
        self.client.on("connect_error", self._remember_refusal)
        self.client.on("disconnect", self._remember_the_end)
        self.received = []  # (event, first argument)
        self.refusal = None  # what connect_error said
        self.refused = threading.Event()
        self.ended = threading.Event()
        self._news = threading.Condition()

    def connect(self, *, auth=None, headers=None, transports=None, within=PATIENCE):
        """Connect, and return when the service let us in; `ConnectionError` when it did not."""
        self.client.connect(
            self.url,
            auth=auth,
            headers=headers or {},
            transports=transports,
            wait_timeout=within,
        )

    def close(self):
        """Leave, whatever state the connection is in."""
        with contextlib.suppress(Exception):
            self.client.disconnect()

    @property
    def transport(self):
        """The transport in use now: "polling" or "websocket"."""
        return self.client.transport()

    @property
    def connected(self):
        return self.client.connected

    def emit(self, event, *args):
        """Send an event with exactly these arguments (none at all is possible), no ack asked."""
        self.client.emit(event, tuple(args))

    def call(self, event, *args, within=PATIENCE):
        """Send an event and return its acknowledgement; `TimeoutError` when none comes."""
        return self.client.call(event, tuple(args), timeout=within)

    def wait_for(self, event, where=lambda payload: True, *, within=PATIENCE):
        """Return the first payload of `event`, also an earlier one, for which `where` holds."""
        with self._news:
            if not self._news.wait_for(lambda: self.all(event, where), timeout=within):
                raise TimeoutError(f"no such {event!r} within {within:g} s; came: {self.received}")
        return self.all(event, where)[0]

    def all(self, event, where=lambda payload: True):
        """Return every payload of `event` so far for which `where` holds."""
        return [
            payload for name, payload in list(self.received) if name == event and where(payload)
        ]

    def forget(self):
        """Forget what came so far."""
        with self._news:
            self.received.clear()

    def _remember(self, event, *args):
        with self._news:
            self.received.append((event, args[0] if args else None))
            self._news.notify_all()

    def _remember_refusal(self, *args):
        self.refusal = args[0] if args else None
        self.refused.set()

    def _remember_the_end(self, *args):
        self.ended.set()


def try_to_connect(url, *, within, **options):
    """Try to connect as `Device.connect` does, where a refusal is expected.

    Returns `(refusal, ended)`: what `connect_error` said (`{"message": …}`), or None when no
    such event came within so many seconds; and whether the client's `connect` ended by then.
    """
    device = Device(url)

    def attempt():
        try:
            device.connect(within=within, **options)
        except socketio.exceptions.ConnectionError:
            pass
        else:
            device.close()

    # A thread of its own: after a refusal over long-polling this client waits for the server to
    # end the open poll, which can take a whole ping interval.
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(within)
    return device.refusal, not thread.is_alive()
