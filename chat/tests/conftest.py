"""What the tests of the chat share: rooms, and devices that remember what they were told."""

import asyncio
import contextlib
import shutil
import signal
import subprocess

import pytest
from bson import ObjectId

from acceptance.waiting import PATIENCE
from conftest import unavailable

from .live_contract import JudgedDevice, LiveContract


class Conversation:
    """A room and how people act in it over REST."""

    def __init__(self, room):
        self.id = room["id"]
        self.path = f"/chat/chat_rooms/{self.id}"

    def say(self, person, content, **fields):
        """Post a message and return it."""
        answer = person.http.post(f"{self.path}/messages", json={"content": content, **fields})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def fill(self, person, texts):
        """Post messages in this order, in this process and without a request for each."""
        from chat import actions  # not before Django is set up
        from chat.models import Entry
        from chatservice.realtime.loop import run

        async def post():
            stored = [
                actions.post_message(
                    actor=person.user,
                    room_id=ObjectId(self.id),
                    content=text,
                    via=Entry.Via.REST,
                )
                for text in texts
            ]
            await asyncio.gather(*stored)

        run(post())

    def messages(self, person, **page):
        answer = person.http.get(f"{self.path}/messages", params=page)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def entries(self, person, after=0, limit=1000):
        answer = person.http.get(f"{self.path}/events", params={"after": after, "limit": limit})
        assert answer.status_code == 200, answer.text
        return answer.json()["entries"]


@pytest.fixture
def make_room():
    """Make a room: `make_room(creator, *members, **fields)`."""

    def make(creator, *members, **fields):
        emails = [member.email for member in members]
        answer = creator.http.post(
            "/chat/chat_rooms/", json={"name": "Lunch", "members": emails, **fields}
        )
        assert answer.status_code in (200, 201), answer.text
        return Conversation(answer.json())

    return make


@pytest.fixture
def lunch(make_room, alice, bob):
    """Alice's room with Bob in it."""
    return make_room(alice, bob)


@pytest.fixture
def long_history(lunch, alice):
    """420 messages in `lunch`, of which a page shows the last hundred."""
    lunch.fill(alice, [f"Message {number}" for number in range(1, 421)])


@pytest.fixture
def path(lunch):
    """The address of the page of `lunch`."""
    return f"/rooms/{lunch.id}"


@pytest.fixture
def connect(server):
    """Connect a device of a person: `connect(person, protocol=2, rooms={...})`.

    Whatever it is told must be as docs/asyncapi.yaml says.
    """
    contract = LiveContract()
    with contextlib.ExitStack() as devices:

        def connect(person, *, transports=("websocket",), **auth):
            device = JudgedDevice(server.url, contract)
            devices.callback(device.close)
            device.connect(auth={"token": person.token, **auth}, transports=list(transports))
            return device

        yield connect
    assert contract.problems == []


# A Redis that fails


class Redis:
    """A Redis server that can be killed, started again and paused."""

    def __init__(self, directory):
        if not shutil.which("redis-server"):
            unavailable("There is no redis-server on the PATH")
        self.directory = directory
        self.url = f"unix://{directory}/redis.sock"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [
                *("redis-server", "--port", "0", "--save", ""),
                *("--unixsocket", f"{self.directory}/redis.sock", "--dir", str(self.directory)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if "eady to accept connections" in line:
                return
        pytest.fail("Redis has not started.")

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def own_redis(tmp_path):
    redis = Redis(tmp_path)
    yield redis
    redis.kill()
