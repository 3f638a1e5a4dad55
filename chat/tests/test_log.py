"""The room log: numbers without gaps, whoever writes, and whatever dies in the middle."""

import io
import threading

import pytest
from django.core.management import CommandError, call_command

from acceptance.waiting import eventually
from accounts.models import User
from chat.models import Entry, Membership, Room
from chatservice.mongo.client import database
from chatservice.timestamps import now


def all_at_once(*calls):
    """Run the calls in threads that start together, and return when all have ended."""
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def check_rooms(**options):
    output = io.StringIO()
    call_command("check_rooms", stdout=output, **options)
    return output.getvalue()


def test_two_processes_write_one_gapless_log(alice, bob, lunch, second_server):
    doors = [alice.http, bob.http, alice.at(second_server), bob.at(second_server)]
    acknowledged = []

    def write(door, name):
        for number in range(40):
            answer = door.post(f"{lunch.path}/messages", json={"content": f"{name} {number}"})
            assert answer.status_code == 201, answer.text
            acknowledged.append((answer.json()["seq"], answer.json()["content"]))

    all_at_once(*(lambda d=door, n=n: write(d, n) for n, door in enumerate(doors)))

    entries = lunch.entries(alice)
    assert [entry["seq"] for entry in entries] == list(range(1, 163))
    assert len(acknowledged) == 160
    assert sorted(acknowledged) == [(entry["seq"], entry["content"]) for entry in entries[2:]]
    for name in range(4):
        said = [e["content"] for e in entries[2:] if e["content"].startswith(f"{name} ")]
        assert said == [f"{name} {number}" for number in range(40)]
    assert "0 problem(s)" in eventually_checked()


def test_two_processes_write_several_rooms_at_once(alice, bob, make_room, second_server):
    """Numbers are lost to the other process in the middle of what several rooms store together."""
    rooms = [make_room(alice, bob, name=f"Room {number}") for number in range(4)]
    acknowledged = {room.id: [] for room in rooms}

    def write(door, room):
        for number in range(15):
            answer = door.post(f"{room.path}/messages", json={"content": f"{number}"})
            assert answer.status_code == 201, answer.text
            acknowledged[room.id].append((answer.json()["seq"], answer.json()["id"]))

    all_at_once(
        *(
            lambda d=door, r=room: write(d, r)
            for room in rooms
            for door in (bob.http, bob.at(second_server))
        )
    )

    for room in rooms:
        entries = room.entries(alice)
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        said = [(e["seq"], e["id"]) for e in entries if e["kind"] == "message"]
        assert said == sorted(acknowledged[room.id])
        assert len(said) == 30


def eventually_checked():
    """What check_rooms says once the background note of the rooms' progress is there."""

    def clean():
        try:
            return check_rooms()
        except CommandError:
            return ""

    return eventually(clean, what="rooms that agree with their logs")


def test_a_retry_in_another_process_finds_the_first(alice, lunch, second_server):
    other = alice.at(second_server)
    body = {"content": "hello", "client_id": "c1"}
    answers = []
    all_at_once(
        *(
            lambda d=door: answers.append(d.post(f"{lunch.path}/messages", json=body))
            for door in [alice.http, other] * 4
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [entry["seq"] for entry in lunch.entries(alice)] == [1, 2, 3]


def test_no_message_slips_in_behind_its_senders_removal(alice, bob, lunch, second_server):
    bobs = bob.at(second_server)
    bobs.post(f"{lunch.path}/messages", json={"content": "the other process knows the room"})
    answers = []

    def write():
        for number in range(50):
            answer = bobs.post(f"{lunch.path}/messages", json={"content": f"{number}"})
            answers.append(answer.status_code)

    def remove():
        eventually(lambda: len(answers) >= 10, every=0.001, what="some messages")
        answer = alice.http.delete(f"{lunch.path}/members/{bob.user.pk}")
        assert answer.status_code == 204

    all_at_once(write, remove)

    entries = lunch.entries(alice)
    [removal] = [entry for entry in entries if entry["kind"] == "member" and entry["removed"]]
    assert entries[-1] == removal
    assert answers == [201] * answers.count(201) + [404] * answers.count(404)
    assert answers.count(201) >= 10
    assert answers.count(404) > 0, "the removal came too late to show anything"


def stored_but_not_projected(room, actor, kind, **data):
    """Append an entry as a process does that dies right after: nothing else knows of it."""
    last = database()["chat_entry"].find_one({"room_id": room["_id"]}, sort=[("seq", -1)])
    entry = {
        "room_id": room["_id"],
        "seq": last["seq"] + 1,
        "kind": kind,
        "actor_id": actor.pk,
        "sender": actor.email,
        "created_at": now(),
        "data": data,
    }
    database()["chat_entry"].insert_one(entry)


@pytest.fixture
def document(lunch):
    def read():
        return database()["chat_room"].find_one({"name": {"$in": ["Lunch", "Dinner"]}})

    # Until the progress of making the room is noted, which happens in the background.
    eventually(lambda: read()["projected_seq"] == 2, what="the room's progress")
    return read


def test_what_a_killed_process_left_is_finished_by_the_next_writer(
    alice, bob, carol, lunch, document
):
    gone = {"id": str(bob.user.pk), "email": bob.email, "username": bob.user.username}
    stored_but_not_projected(document(), alice.user, "room", name="Dinner")
    stored_but_not_projected(document(), alice.user, "member", added=[], removed=[gone])

    answer = bob.http.post(f"{lunch.path}/messages", json={"content": "am I still here?"})
    assert answer.status_code == 404
    assert lunch.say(alice, "hello")["seq"] == 5
    assert alice.http.get(lunch.path).json()["name"] == "Dinner"
    assert alice.http.get(lunch.path).json()["members"] == [alice.email]


@pytest.mark.faults
def test_what_a_killed_process_left_is_finished_at_the_next_start(
    alice, bob, lunch, document, start_server
):
    said = lunch.say(bob, "helo")
    stored_but_not_projected(
        document(), bob.user, "edit", target=said["seq"], content="hello", uploads=[]
    )
    with pytest.raises(CommandError):
        check_rooms()

    start_server()

    eventually(lambda: lunch.messages(alice)[0]["content"] == "hello", what="the edit")
    assert "0 problem(s)" in eventually_checked()


def test_check_rooms_finds_what_is_wrong_and_repairs_what_can_be(
    alice, bob, carol, lunch, document
):
    said = lunch.say(alice, "helo")
    alice.http.patch(f"{lunch.path}/messages/{said['id']}", json={"content": "hello"})
    eventually_checked()
    room_id = document()["_id"]
    Room.objects.filter(pk=room_id).update(name="Dinner")
    Membership.objects.filter(room=room_id, user=bob.user).delete()
    Membership.objects.create(room_id=room_id, user=User.objects.get(pk=carol.user.pk))
    Entry.objects.filter(pk=said["id"]).update(content="nonsense", rev=said["seq"])

    with pytest.raises(CommandError):
        check_rooms()
    assert "0 problem(s)" in check_rooms(repair=True)
    assert alice.http.get(lunch.path).json()["members"] == [alice.email, bob.email]
    assert alice.http.get(lunch.path).json()["name"] == "Lunch"
    assert [message["content"] for message in lunch.messages(alice)] == ["hello"]
    assert carol.http.get(lunch.path).status_code == 404


def test_check_rooms_finds_by_which_entry_somebody_joined(alice, bob, lunch, document):
    eventually_checked()
    membership = Membership.objects.filter(room=document()["_id"], user=bob.user)
    by = membership.get().joined_seq
    assert by > 0
    membership.update(joined_seq=by + 1)

    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_rooms", stdout=output)
    assert f"member {bob.user.pk} joined by another entry" in output.getvalue()
    assert "0 problem(s)" in check_rooms(repair=True)
    assert membership.get().joined_seq == by


def test_check_rooms_does_not_hide_a_missing_number(alice, lunch, document):
    for number in range(3):
        lunch.say(alice, f"{number}")
    eventually_checked()
    Entry.objects.filter(room=document()["_id"], seq=4).delete()

    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_rooms", repair=True, stdout=output)
    assert "number 4 is missing" in output.getvalue()
