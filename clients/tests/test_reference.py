"""The reference client against a real service: what it shows, and that it shows it once."""

import asyncio
import random

import pytest
from bson import ObjectId

from acceptance.waiting import PATIENCE
from chat import actions
from chat.models import Entry
from chatservice.realtime.loop import run
from clients import reference
from clients.reference import Client, Refused
from conftest import Http


class Reader:
    """What a client of a person was called back with, by room."""

    def __init__(self):
        self.entries, self.pages, self.gone = {}, {}, []

    def seen(self, room_id):
        """The numbers applied one by one, in the order in which they were."""
        return [entry["seq"] for entry in self.entries.get(room_id, [])]

    def contents(self, room_id):
        return [e["content"] for e in self.entries.get(room_id, []) if e["kind"] == "message"]

    def client_of(self, person, server, *, kind=Client, **options):
        async def token():
            return (await asyncio.to_thread(person.log_in))["access_token"]

        return kind(
            server.url,
            token,
            on_entry=lambda entry: self.entries.setdefault(entry["room_id"], []).append(entry),
            on_page=self.pages.__setitem__,
            on_gone=self.gone.append,
            **options,
        )


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


class Room:
    def __init__(self, owner, *others):
        answer = owner.http.post(
            "/chat/chat_rooms/", json={"name": "Lunch", "members": [p.email for p in others]}
        )
        self.id = answer.json()["id"]
        self.path = f"/chat/chat_rooms/{self.id}"

    def say(self, person, text):
        answer = person.http.post(f"{self.path}/messages", json={"content": text})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def remove(self, owner, person):
        assert owner.http.delete(f"{self.path}/members/{person.id}").status_code == 204

    def entries(self, person):
        return person.http.get(f"{self.path}/events", params={"limit": 1000}).json()["entries"]

    def contents(self, person):
        return [m["content"] for m in person.http.get(f"{self.path}/messages").json()]


@pytest.fixture
def lunch(server, alice, bob):
    return Room(alice, bob)


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_entries_are_applied_in_order_once(server, alice, bob, lunch, transports):
    async def talk():
        alices, bobs = Reader(), Reader()
        async with (
            alices.client_of(alice, server, transports=transports, rooms={lunch.id: 2}) as writer,
            bobs.client_of(bob, server, transports=transports, rooms={lunch.id: 2}),
        ):
            for number in range(10):
                stored = await writer.send(lunch.id, f"{number}")
                assert (stored["seq"], stored["duplicate"]) == (number + 3, False)
            await until(lambda: len(bobs.seen(lunch.id)) == len(alices.seen(lunch.id)) == 10)
        return alices, bobs

    for reader in asyncio.run(talk()):
        assert reader.seen(lunch.id) == list(range(3, 13))
        assert reader.contents(lunch.id) == [f"{number}" for number in range(10)]


def test_what_was_missed_is_fetched_page_by_page_on_connecting(server, alice, bob, lunch):
    many = 450  # more than two answers to `resume` hold

    async def talk():
        async with Reader().client_of(alice, server) as writer:
            await asyncio.gather(*(writer.send(lunch.id, f"{n}") for n in range(many)))
        reader = Reader()
        async with reader.client_of(bob, server, rooms={lunch.id: 3}):
            await until(lambda: len(reader.seen(lunch.id)) >= many - 1)
        return reader

    reader = asyncio.run(talk())
    assert reader.seen(lunch.id) == list(range(4, many + 3))
    assert reader.pages == {}


class Lossy(Client):
    """Its connection swallows the live entries with the numbers in `lost`, and doubles others."""

    lost = ()

    def received(self, entry):
        if entry["seq"] in self.lost:
            return
        super().received(entry)
        super().received(entry)


def test_a_gap_is_noticed_and_filled_before_anything_after_it_is_shown(server, alice, bob, lunch):
    async def talk():
        reader = Reader()
        async with reader.client_of(bob, server, kind=Lossy, rooms={lunch.id: 2}) as client:
            client.lost = (4, 5, 8)
            await client.connected.wait()
            for number in range(3, 10):
                await asyncio.to_thread(lunch.say, alice, f"{number}")
            await until(lambda: reader.seen(lunch.id)[-1:] == [9])
        return reader

    assert asyncio.run(talk()).seen(lunch.id) == list(range(3, 10))


def test_the_loss_of_the_last_entry_of_all_is_noticed(server, alice, bob, lunch, monkeypatch):
    monkeypatch.setattr(reference, "CHECK_INTERVAL", 0.2)

    async def talk():
        reader = Reader()
        async with reader.client_of(bob, server, kind=Lossy, rooms={lunch.id: 2}) as client:
            client.lost = (3,)
            await client.connected.wait()
            await asyncio.to_thread(lunch.say, alice, "good night")
            await until(lambda: reader.seen(lunch.id) == [3])

    asyncio.run(talk())


def test_what_a_command_wrote_that_nobody_heard_of_is_noticed(
    server, alice, bob, lunch, monkeypatch
):
    """This process is as one of `manage.py` without Redis: no server hears from it."""
    monkeypatch.setattr(reference, "CHECK_INTERVAL", 0.2)

    def write():
        room_id = ObjectId(lunch.id)
        for text in ("one", "two"):
            run(
                actions.post_message(
                    actor=alice.user, room_id=room_id, content=text, via=Entry.Via.REST
                )
            )

    async def listen():
        reader = Reader()
        async with reader.client_of(bob, server, rooms={lunch.id: 2}) as client:
            await client.connected.wait()
            await asyncio.to_thread(write)
            await until(lambda: reader.seen(lunch.id) == [3, 4])
            # Whoever writes through a server goes on after them.
            assert (await client.send(lunch.id, "three"))["seq"] == 5
            await until(lambda: reader.seen(lunch.id) == [3, 4, 5])

    asyncio.run(listen())


def test_a_room_that_is_new_to_it_is_a_page_and_then_what_follows(server, alice, bob, lunch):
    async def talk():
        lunch.say(alice, "before")
        reader = Reader()
        async with reader.client_of(bob, server) as client:
            await until(lambda: lunch.id in client.rooms)
            dinner = await asyncio.to_thread(Room, alice, bob)
            await until(lambda: dinner.id in client.rooms)
            for room in (lunch, dinner):
                await asyncio.to_thread(room.say, alice, "after")
            await until(lambda: reader.contents(lunch.id) and reader.contents(dinner.id))
        return reader, dinner

    reader, dinner = asyncio.run(talk())
    assert [message["content"] for message in reader.pages[lunch.id]] == ["before"]
    assert reader.contents(lunch.id) == reader.contents(dinner.id) == ["after"]


def test_a_room_left_is_gone_and_one_entered_again_goes_on(server, alice, bob, lunch):
    async def talk():
        reader = Reader()
        async with reader.client_of(bob, server, rooms={lunch.id: 2}) as client:
            await client.connected.wait()
            await asyncio.to_thread(lunch.remove, alice, bob)
            await until(lambda: reader.seen(lunch.id) == [3])
            await asyncio.to_thread(lunch.say, alice, "not for Bob")
            await client.catch_up()
            assert (reader.gone, reader.seen(lunch.id), client.rooms) == ([lunch.id], [3], {})
            with pytest.raises(Refused) as refused:
                await client.send(lunch.id, "am I still here?")
            assert refused.value.code == "not_found"
            again = {"members": [bob.email]}
            await asyncio.to_thread(alice.http.post, f"{lunch.path}/members", json=again)
            await until(lambda: lunch.id in client.rooms)
            await asyncio.to_thread(lunch.say, alice, "welcome back")
            await until(lambda: "welcome back" in reader.contents(lunch.id))
        return reader

    assert asyncio.run(talk()).seen(lunch.id) == [3, 6]


def test_a_message_whose_acknowledgement_was_lost_is_stored_once(server, alice, lunch, monkeypatch):
    async def talk():
        async with Reader().client_of(alice, server) as client:
            first, settle = [], reference._settle

            def lose_the_first(answered, answer):
                if first:
                    return settle(answered, answer)
                first.append(answer)
                client._lost.set()  # as if the connection broke right before the answer

            monkeypatch.setattr(reference, "_settle", lose_the_first)
            return first, await client.send(lunch.id, "hello")

    [first], second = asyncio.run(talk())
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert (first["id"], first["seq"]) == (second["id"], second["seq"])
    assert lunch.contents(alice) == ["hello"]


@pytest.mark.faults
def test_it_outlives_the_end_of_its_session_and_of_the_server(alice, bob, start_server, server):
    lunch = Room(alice, bob)
    doomed = start_server()
    same = {"Authorization": f"Bearer {bob.token}"}

    async def talk():
        reader = Reader()
        async with reader.client_of(bob, doomed, rooms={lunch.id: 2}) as client:
            await client.connected.wait()
            first = client._socket
            await asyncio.to_thread(Http(doomed.url).post, "/auth/logout_all", headers=same)
            await until(lambda: client._socket is not first and client.connected.is_set())
            doomed.kill()
            await until(lambda: not client.connected.is_set())
            await asyncio.to_thread(lunch.say, alice, "nobody listens")
            client.url = server.url
            await until(lambda: reader.contents(lunch.id) == ["nobody listens"])

    asyncio.run(talk())


def test_a_copy_of_the_log_equals_a_fresh_fetch(server, alice, bob, lunch):
    """State plus events, for every kind of entry: from the beginning, and from the middle."""

    class Copy(Reader):
        """Keeps the messages of a room by the rules."""

        def __init__(self):
            super().__init__()
            self.messages = {}

        def client_of(self, person, server, **options):
            client = super().client_of(person, server, **options)
            client.on_entry, client.on_page = self.take, self.start_over
            return client

        def start_over(self, room_id, messages):
            self.messages = {message["seq"]: message for message in messages}

        def take(self, entry):
            if entry["kind"] == "message":
                fields = entry.keys() - {"kind", "actor", "created_at"}
                self.messages[entry["seq"]] = {name: entry[name] for name in fields}
            elif entry.get("target") in self.messages:
                reference.apply(entry, self.messages[entry["target"]])
            self.entries.setdefault(entry["room_id"], []).append(entry)

    dice = random.Random(5)
    said = []

    def do_something():
        person = dice.choice([alice, bob])
        mine = [message for message in said if message["sender"] == person.email]
        match dice.randrange(5) if mine else 0:
            case 0:
                said.append(lunch.say(person, dice.choice(["hello", "@bob", "@all: `@alice`"])))
            case 1 | 2 | 3 as what:
                path = f"{lunch.path}/messages/{dice.choice(said)['id']}/reactions/"
                method = "DELETE" if what == 3 else "PUT"
                person.http.request(method, path + dice.choice(["%F0%9F%91%8D", "%E2%9D%A4"]))
            case _:
                message = dice.choice(mine)
                path = f"{lunch.path}/messages/{message['id']}"
                if dice.random() < 0.3:
                    person.http.delete(path)
                else:
                    person.http.patch(path, json={"content": dice.choice(["@alice", "bye"])})

    def do_much():
        for _ in range(60):
            do_something()
        lunch.say(alice, "the end")

    async def follow():
        first, late, page = Copy(), Copy(), Copy()
        async with first.client_of(bob, server, rooms={lunch.id: 2}) as client:
            await client.connected.wait()
            await asyncio.to_thread(do_much)
            middle = lunch.say(alice, "the middle")["seq"]
            async with page.client_of(bob, server) as other:
                await until(lambda: other.rooms.get(lunch.id) == middle)
                await asyncio.to_thread(do_much)
                end = lunch.say(alice, "the very end")["seq"]
                await until(lambda: client.rooms[lunch.id] == other.rooms[lunch.id] == end)
            async with late.client_of(bob, server, rooms={lunch.id: 2}) as other:
                await until(lambda: other.rooms[lunch.id] == end)
        return first, late, page

    copies = asyncio.run(follow())
    fresh = bob.http.get(f"{lunch.path}/messages").json()
    assert any(len(message["reactions"]) == 2 for message in fresh)
    for copy in copies:
        shown = list(copy.messages.values())
        assert shown == fresh[-len(shown) :]
        for one, other in zip(shown, fresh[-len(shown) :], strict=True):
            assert list(one["reactions"]) == list(other["reactions"])
    assert len(copies[0].messages) == len(copies[1].messages) == len(fresh)
    assert [entry["seq"] for entry in lunch.entries(bob)] == list(range(1, fresh[-1]["seq"] + 1))
