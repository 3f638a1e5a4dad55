"""What the hot path asks of MongoDB, as its own profiler sees it: how often, and by which plan.

The requests go to a running server through its doors. What it does beside them (it notes the rooms'
progress, and looks after the sessions of open sockets) is left out of the counts.
"""

import asyncio
import json
from functools import partial

import pytest
from bson import ObjectId

from acceptance.waiting import PATIENCE, eventually
from chat import actions, hot_path
from chat.log import FAR_BEHIND
from chatservice.mongo import direct
from chatservice.mongo.client import database
from chatservice.realtime.loop import run
from chatservice.timestamps import now

SESSION = "aggregate accounts_session"
MEMBERSHIP = "aggregate chat_membership"
PAGE = "find chat_entry"
ENDS = "aggregate chat_entry"

BESIDE = {"update chat_room", "find accounts_session", "find accounts_user"}
READS = ("aggregate", "distinct", "find")


class Profiler:
    """Everything that is asked of the tests' database from `start` on."""

    def start(self):
        self.stop()
        database().command("profile", 2)

    def stop(self):
        database().command("profile", 0)
        database().drop_collection("system.profile")

    def commands(self):
        """The profiler's documents, in order, without its own and those of other tests' doing."""
        found = database()["system.profile"].find({"appName": "chatservice"}).sort("ts", 1)
        return [each for each in found if "system.profile" not in each["ns"]]

    def asked(self):
        """What was asked in the name of a request, as `find chat_entry`."""
        names = [name_of(each) for each in self.commands()]
        return [name for name in names if name not in BESIDE]


def name_of(profiled):
    collection = profiled["ns"].partition(".")[2]
    command = profiled["command"]
    verb = next((verb for verb in READS if verb in command), profiled["op"])
    return f"{verb} {collection}"


@pytest.fixture
def profiler(db):
    profiler = Profiler()
    profiler.stop()
    yield profiler
    profiler.stop()


def fill(room_id, sender, count):
    """Put messages at the end of a room's log, as if they had been said."""
    room = {"_id": room_id}
    last = database()["chat_entry"].find_one({"room_id": room_id}, sort=[("seq", -1)])["seq"]
    database()["chat_entry"].insert_many(
        {
            "_id": ObjectId(),
            "room_id": room_id,
            "seq": last + number,
            "kind": "message",
            "actor_id": sender.user.pk,
            "sender": sender.email,
            "created_at": now(),
            "content": f"message {number}",
            "via": "rest",
            "number": number,
            "rev": last + number,
        }
        for number in range(1, count + 1)
    )
    progress = {"last_seq": last + count, "projected_seq": last + count, "message_count": count}
    database()["chat_room"].update_one(room, {"$set": progress})


def assert_asked(profiler, request, questions):
    """A request asks this, once the server knows the room and the kind of the request.

    MongoDB notes a question a moment after it has answered it, so a count may lack the last of it
    or have one of the time before: it is made again until it is as expected, or it never is.
    """
    counts = []

    def is_as_expected():
        profiler.start()
        request()
        counts.append(profiler.asked())
        return counts[-1] == questions

    request()
    try:
        eventually(is_as_expected, within=PATIENCE)
    except TimeoutError:
        pytest.fail(f"{counts[-1]} and not {questions}")


def test_a_message_by_rest_is_one_question_and_one_write(alice, lunch, profiler):
    path = f"{lunch.path}/messages"

    def post():
        return alice.http.post(path, json={"content": "hello"})

    assert_asked(profiler, post, [SESSION, "insert chat_entry"])


def test_reading_is_a_question_for_each_thing_that_must_be_known(alice, lunch, profiler):
    lunch.say(alice, "hello")
    for path, questions in {
        "/auth/users/me": [SESSION],
        f"{lunch.path}/messages?limit=50": [SESSION, MEMBERSHIP, PAGE],
        f"{lunch.path}/events?after=1": [SESSION, PAGE, MEMBERSHIP],
        f"{lunch.path}/events?after=3": [SESSION, PAGE, ENDS, MEMBERSHIP],
        "/chat/chat_rooms": [
            *(SESSION, MEMBERSHIP),
            *("find chat_membership", ENDS, PAGE),
        ],
    }.items():
        assert_asked(profiler, partial(alice.http.get, path), questions)


def test_a_read_marker_is_one_question_and_one_write(alice, bob, lunch, profiler):
    def read():
        seq = lunch.say(alice, "hello")["seq"]
        bob.http.post(f"{lunch.path}/read", json={"seq": seq})

    posted = [SESSION, "insert chat_entry"]
    assert_asked(profiler, read, [*posted, SESSION, PAGE, "update chat_membership"])


def test_events_of_sockets_ask_nothing_that_is_known(alice, bob, lunch, connect, profiler):
    device = connect(alice, protocol=2)
    say = "chat_message", {"room": lunch.id, "message": "hello"}
    assert_asked(profiler, partial(device.call, *say), ["insert chat_entry"])
    seq = device.call(*say)["seq"]
    read = "read", {"room": lunch.id, "seq": seq}
    assert_asked(profiler, partial(device.call, *read), [PAGE, "update chat_membership"])
    resume = [MEMBERSHIP, ENDS]
    known = {"rooms": {lunch.id: seq}}
    assert_asked(profiler, partial(device.call, "resume", known), resume)
    for behind in (1, 2):
        known = {"rooms": {lunch.id: seq - behind}}
        questions = [*resume, PAGE, "find chat_membership"]
        assert_asked(profiler, partial(device.call, "resume", known), questions)


def test_a_connection_is_one_question_and_its_lease(alice, connect, profiler):
    lease = ["distinct accounts_presencelease", "update accounts_presencelease"]
    assert_asked(profiler, partial(connect, alice, protocol=2), [SESSION, *lease])


# Plans


def each_part_of(plan):
    """Every object in an explanation, however deep."""
    if isinstance(plan, dict):
        yield plan
        plan = [part for name, part in plan.items() if name != "rejectedPlans"]
    if isinstance(plan, list):
        for part in plan:
            yield from each_part_of(part)


def faults_of(profiled):
    """What is wrong with how a command was, and would be, carried out."""
    faults = []
    if "COLLSCAN" in profiled.get("planSummary", ""):
        faults.append("it looked at every document")
    if profiled.get("hasSortStage"):
        faults.append("it sorted in memory")
    verb = name_of(profiled).partition(" ")[0]
    if verb not in READS:
        return faults
    ours = {"filter", "sort", "limit", "projection", "pipeline", "cursor", "key", "query", verb}
    command = {verb: profiled["command"][verb]}
    command |= {key: value for key, value in profiled["command"].items() if key in ours}
    plan = database().command({"explain": command, "verbosity": "executionStats"})
    for part in each_part_of({key: plan.get(key) for key in ("queryPlanner", "stages")}):
        if part.get("stage") in ("COLLSCAN", "SORT"):
            faults.append(part["stage"])
        if "$sort" in part and "sortKey" in part["$sort"]:
            faults.append("$sort")
        if part.get("collectionScans"):
            faults.append("a $lookup looked at every document")
    return faults


def test_every_question_of_the_hot_path_has_its_index(
    alice, bob, carol, lunch, make_room, connect, profiler, client
):
    other = make_room(alice, carol)
    said = lunch.say(alice, "hello", client_id="one")
    for number in range(5):
        other.say(carol, f"message {number}")
    client.force_login(bob.user)
    profiler.start()

    device = connect(bob, protocol=2, rooms={lunch.id: 1})
    alice.http.patch(f"{lunch.path}/messages/{said['id']}", json={"content": "changed"})
    lunch.say(alice, "hello", client_id="one")
    lunch.say(alice, "to be deleted")
    alice.http.delete(f"{lunch.path}/messages/{lunch.messages(alice)[-1]['id']}")
    lunch.messages(bob, limit=2)
    lunch.messages(bob, before=4, limit=2)
    lunch.messages(bob, after=2, limit=2)
    lunch.messages(bob)
    lunch.entries(bob)
    for path in ("/chat/chat_rooms", "/chat/private_chats", lunch.path, f"{lunch.path}/members"):
        assert alice.http.get(path).status_code == 200
    assert device.call("resume", {"rooms": {lunch.id: 1}})["ok"]
    assert device.call("read", {"room": lunch.id, "seq": 3})["ok"]
    assert device.call("get_online_users", None)["ok"]
    assert client.get(f"/rooms/{lunch.id}/").status_code == 200
    run(actions.reproject_room(room_id=ObjectId(lunch.id)))

    hot = ("chat_", "accounts_")
    profiled = [each for each in profiler.commands() if name_of(each).split()[1].startswith(hot)]
    profiler.stop()
    assert len({name_of(each) for each in profiled}) > 12, "not even what was asked above"
    faulty = [
        f"{name_of(each)}: {faults}: {json.dumps(each['command'], default=str)[:300]}"
        for each in profiled
        if (faults := faults_of(each))
    ]
    assert sorted(set(faulty)) == []


# The length of a history


def effort(profiler, request):
    """How many keys of indexes and documents a request makes MongoDB look at, for each question.

    But for the leases, which the server renews and collects at any time.
    """
    profiler.start()
    assert getattr(request(), "status_code", 200) == 200
    return sorted(
        (name_of(each), each.get("keysExamined", 0), each.get("docsExamined", 0))
        for each in profiler.commands()
        if name_of(each) not in BESIDE and not name_of(each).endswith("accounts_presencelease")
    )


def are_alike(one, other):
    """Whether two efforts are the same, but for a key at the very end of an index."""
    return [name for name, *_ in one] == [name for name, *_ in other] and all(
        abs(count - other_count) <= 1
        for (_, *counts), (_, *other_counts) in zip(one, other, strict=True)
        for count, other_count in zip(counts, other_counts, strict=True)
    )


def test_reading_costs_the_same_however_long_a_history_is(
    alice, bob, make_room, profiler, client, connect
):
    rooms = [make_room(alice, bob, name=name) for name in ("short", "long")]
    for room, count in zip(rooms, (100, 3_000), strict=True):
        fill(ObjectId(room.id), alice, count)
    client.force_login(alice.user)
    device = connect(bob, protocol=2)

    ends = {room.id: alice.http.get(f"{room.path}?messages=0").json()["last_seq"] for room in rooms}

    def resume(room):
        return device.call("resume", {"rooms": ends | {room.id: ends[room.id] - 10}})

    for request in (
        lambda room: alice.http.get(f"{room.path}/messages?limit=50"),
        lambda room: alice.http.get(f"{room.path}/messages?limit=50&before={ends[room.id]}"),
        lambda room: alice.http.get(f"{room.path}/events?limit=50&after={ends[room.id] - 60}"),
        lambda room: alice.http.get(f"{room.path}?messages=10"),
        lambda room: client.get(f"/rooms/{room.id}/"),
        resume,
    ):
        for room in rooms:
            request(room)

        efforts = []

        def is_the_same(request=request, efforts=efforts):
            efforts[:] = [effort(profiler, partial(request, room)) for room in rooms]
            return are_alike(*efforts)

        try:
            eventually(is_the_same, within=PATIENCE)
        except TimeoutError:
            pytest.fail(f"{efforts[0]} and {efforts[1]}")


def test_recovery_looks_at_each_room_and_not_at_its_history(alice, bob, make_room, profiler):
    for count in (10, 2_000):
        fill(ObjectId(make_room(alice, bob).id), alice, count)
    profiler.start()

    assert run(hot_path.rooms_behind_their_log()) == []

    [asked] = [each for each in profiler.commands() if name_of(each) == ENDS]
    assert asked["keysExamined"] <= 6


def test_a_whole_history_comes_in_pieces_and_is_complete(alice, bob, make_room):
    room = make_room(alice, bob)
    fill(ObjectId(room.id), alice, 1_201)
    paged = room.messages(bob, limit=1_000)
    paged = room.messages(bob, limit=1_000, before=paged[0]["seq"]) + paged
    assert len(paged) == 1_201

    through_django = {"Cookie": "x=y"}
    for headers in ({}, through_django):
        for _ in range(2):  # the first one is Django's in any case
            answer = bob.http.get(f"{room.path}/messages", headers=headers)
            assert "Content-Length" not in answer.headers
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.json() == paged
            answer = bob.http.get(room.path, headers=headers)
            assert answer.json()["messages"] == paged
            assert answer.json()["name"] == "Lunch"

    page = {"Accept": "text/html"}
    assert "message 1201" in bob.http.get(f"{room.path}/messages", headers=page).text
    for size in (0, 1, 499, 500, 501):
        after = {"after": paged[-1]["seq"] - size}
        assert room.messages(bob, **after) == paged[len(paged) - size :]
    last = {"messages": 0}
    assert bob.http.get(room.path, params=last).json()["messages"] == []


def test_who_shares_a_room_with_another_process_looks_before_it_writes(
    alice, bob, lunch, second_server, profiler
):
    """A number that is taken is refused only when MongoDB has waited for its journal."""
    bobs, path = bob.at(second_server), f"{lunch.path}/messages"

    def post():
        alice.http.post(path, json={"content": "hello"})

    def post_in_turn():
        bobs.post(path, json={"content": "hello"})
        post()

    assert_asked(profiler, post_in_turn, [SESSION, PAGE, "insert chat_entry"] * 2)
    assert_asked(profiler, post, [SESSION, "insert chat_entry"])


@pytest.mark.parametrize("count", [5, FAR_BEHIND - 1, FAR_BEHIND, FAR_BEHIND + 100])
def test_who_has_missed_little_or_much_goes_on_at_the_end(alice, bob, lunch, count):
    seq = lunch.say(alice, "The process knows the room now.")["seq"]
    room_id = ObjectId(lunch.id)
    fill(room_id, bob, count)

    assert lunch.say(alice, "hello")["seq"] == seq + count + 1
    stored = database()["chat_entry"].find_one({"room_id": room_id}, sort=[("seq", -1)])
    assert (stored["content"], stored["number"]) == ("hello", count + 1)


class TestOneInsertForSeveralRooms:
    """What `hot_path.insert_entries` makes of batches of several rooms that come together."""

    @pytest.fixture
    def rooms(self, db):
        return [ObjectId() for _ in range(3)]

    def entry(self, room_id, seq, **fields):
        given = {"_id": ObjectId(), "kind": "message", "actor_id": ObjectId(), "via": "rest"}
        return {**given, "room_id": room_id, "seq": seq, "created_at": now(), **fields}

    def insert(self, *batches):
        async def all_together():
            inserts = map(hot_path.insert_entries, batches)
            return await asyncio.gather(*inserts, return_exceptions=True)

        return run(all_together())

    def stored(self, room_id):
        found = database()["chat_entry"].find({"room_id": room_id}).sort("seq")
        return [entry["seq"] for entry in found]

    def test_it_is_one(self, rooms, profiler):
        profiler.start()
        batches = [[self.entry(room, 1), self.entry(room, 2)] for room in rooms]

        assert self.insert(*batches) == [None, None, None]
        assert [self.stored(room) for room in rooms] == [[1, 2]] * 3
        inserts = [each for each in profiler.commands() if each["op"] == "insert"]
        assert [each["ninserted"] for each in inserts] == [6]

    def test_a_number_that_is_taken_is_told_to_its_room_alone(self, rooms):
        _, second, _ = rooms
        assert self.insert([self.entry(second, 2)]) == [None]
        batches = [[self.entry(room, 1), self.entry(room, 2)] for room in rooms]

        before, refusal, after = self.insert(*batches)

        assert (before, after) == (None, None)
        assert (refusal["index"], set(refusal["keyPattern"])) == (1, {"room_id", "seq"})
        assert [self.stored(room) for room in rooms] == [[1, 2]] * 3

    def test_what_cannot_be_stored_harms_no_other_room(self, rooms):
        first, second, third = rooms
        hopeless = self.entry(second, 1, content=2**70)

        before, error, after = self.insert(
            [self.entry(first, 1)], [hopeless], [self.entry(third, 1)]
        )

        assert (before, after) == (None, None)
        assert isinstance(error, OverflowError)
        assert [self.stored(room) for room in rooms] == [[1], [], [1]]

    def test_what_nobody_waits_for_any_more_is_not_stored(self, rooms, monkeypatch):
        first, second, _ = rooms

        async def give_up_behind_an_insert_that_hangs():
            goes_on, write = asyncio.Event(), direct.write

            async def hang(*arguments, **options):
                await goes_on.wait()
                return await write(*arguments, **options)

            monkeypatch.setattr(direct, "write", hang)
            hanging = asyncio.create_task(hot_path.insert_entries([self.entry(first, 1)]))
            await asyncio.sleep(0)
            behind = asyncio.create_task(hot_path.insert_entries([self.entry(second, 1)]))
            await asyncio.wait([behind], timeout=0.05)
            behind.cancel()
            await asyncio.wait([behind])
            goes_on.set()
            await hanging
            assert await hot_path.insert_entries([self.entry(second, 2)]) is None

        run(give_up_behind_an_insert_that_hangs())
        assert [self.stored(first), self.stored(second)] == [[1], [2]]

    def test_more_than_one_insert_should_take_is_divided_between_rooms(self, rooms, profiler):
        profiler.start()
        many = hot_path.MAX_INSERT - 1
        batches = [[self.entry(room, 1 + n) for n in range(many)] for room in rooms[:2]]

        assert self.insert(*batches, [self.entry(rooms[2], 1)]) == [None, None, None]
        assert [len(self.stored(room)) for room in rooms] == [many, many, 1]
        inserts = [each for each in profiler.commands() if each["op"] == "insert"]
        assert [each["ninserted"] for each in inserts] == [many, hot_path.MAX_INSERT]
