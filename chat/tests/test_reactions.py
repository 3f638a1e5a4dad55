"""Reactions: who reacted with what, once, wherever a message appears."""

import itertools
from urllib.parse import quote

import pytest

from chat.tests.test_log import all_at_once, check_rooms, eventually_checked
from chatservice.mongo.client import database
from clients.reference import apply

THUMB, HEART, FAMILY = "👍", "❤️", "👩\u200d👩\u200d👧"
OTHER_EMOJI = "😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔"


def reaction(room, message, emoji):
    return f"{room.path}/messages/{message['id']}/reactions/{quote(emoji, safe='')}"


def react(person, room, message, emoji):
    answer = person.http.put(reaction(room, message, emoji))
    assert answer.status_code == 204, answer.text


def take_back(person, room, message, emoji):
    answer = person.http.delete(reaction(room, message, emoji))
    assert answer.status_code == 204, answer.text


def test_reactions_are_the_same_wherever_the_message_appears(alice, bob, lunch, connect):
    device = connect(bob, protocol=2)
    said = lunch.say(alice, "hello")
    assert said["reactions"] == {}

    react(bob, lunch, said, THUMB)
    react(alice, lunch, said, FAMILY)
    react(alice, lunch, said, THUMB)

    [message] = lunch.messages(alice)
    assert list(message["reactions"].items()) == [(THUMB, [bob.id, alice.id]), (FAMILY, [alice.id])]
    assert alice.http.get(f"{lunch.path}/messages/{said['id']}").json() == message
    assert lunch.entries(alice)[2]["reactions"] == message["reactions"]
    resumed = device.call("resume", {"rooms": {lunch.id: 2}})["rooms"][lunch.id]["entries"]
    assert resumed[0]["reactions"] == message["reactions"]
    told = device.wait_for("room_event", lambda event: event.get("emoji") == FAMILY)
    assert (told["kind"], told["target"], told["on"]) == ("reaction", said["seq"], True)
    assert told["actor"]["id"] == alice.id


def test_doing_what_is_done_adds_no_entry(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    take_back(bob, lunch, said, THUMB)
    for _ in range(2):
        react(bob, lunch, said, THUMB)
    assert [entry["kind"] for entry in lunch.entries(bob)[3:]] == ["reaction"]
    for _ in range(2):
        take_back(bob, lunch, said, THUMB)

    assert [entry["on"] for entry in lunch.entries(bob)[3:]] == [True, False]
    assert lunch.messages(bob)[0]["reactions"] == {}


def test_the_two_spellings_of_a_heart_are_one_reaction(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    react(alice, lunch, said, "❤")
    react(bob, lunch, said, HEART)

    assert lunch.messages(bob)[0]["reactions"] == {HEART: [alice.id, bob.id]}


@pytest.mark.parametrize(
    "emoji", ["x", "1", "👍👍", "👍x", "<b>", "$set", "a.b", "\u200d", "🇮", "%", " ", "👍" * 50]
)
def test_what_is_not_one_emoji_is_refused_by_name(alice, lunch, emoji):
    said = lunch.say(alice, "hello")
    answer = alice.http.put(reaction(lunch, said, emoji))

    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"emoji"}
    assert lunch.messages(alice) == [said]


def test_a_message_has_at_most_20_different_reactions(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    for emoji in OTHER_EMOJI[:20]:
        react(alice, lunch, said, emoji)

    assert alice.http.put(reaction(lunch, said, OTHER_EMOJI[20])).status_code == 422
    react(bob, lunch, said, OTHER_EMOJI[0])
    take_back(alice, lunch, said, OTHER_EMOJI[1])
    react(alice, lunch, said, OTHER_EMOJI[20])
    assert len(lunch.messages(alice)[0]["reactions"]) == 20


def test_deleting_a_message_takes_its_reactions_away(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    react(bob, lunch, said, THUMB)
    alice.http.delete(f"{lunch.path}/messages/{said['id']}")

    assert lunch.messages(bob)[0]["reactions"] == {}
    assert bob.http.put(reaction(lunch, said, HEART)).status_code == 404


def test_reacting_by_socket(alice, bob, carol, lunch, connect):
    said = lunch.say(alice, "hello")
    device, strangers = connect(bob, protocol=2), connect(carol, protocol=2)
    event = {"room": lunch.id, "target": said["seq"], "emoji": THUMB, "on": True}

    assert device.call("react", event) == {"ok": True, "seq": 4}
    assert device.call("react", event) == {"ok": True, "seq": 4}
    assert device.call("react", event | {"on": False}) == {"ok": True, "seq": 5}
    assert device.call("react", event | {"target": 2})["code"] == "not_found"
    assert device.call("react", event | {"target": 99})["code"] == "not_found"
    for wrong in ({"on": 1}, {"target": "3"}, {"emoji": None}, {"emoji": "x"}, {"room": 5}):
        assert device.call("react", event | wrong)["code"] == "invalid", wrong
    for target in (said["seq"], 2, 99):
        assert strangers.call("react", event | {"target": target}) == {
            "ok": False,
            "code": "not_found",
            "message": "Chat room not found or access denied",
        }


def test_two_processes_react_at_once_and_the_log_says_the_same(alice, bob, lunch, second_server):
    said = lunch.say(alice, "hello")
    doors = [alice.http, bob.http, alice.at(second_server), bob.at(second_server)]

    def turn(door, emoji):
        for method in ("put", "put", "delete", "put"):
            answer = door.request(method, reaction(lunch, said, emoji))
            assert answer.status_code == 204, answer.text

    calls = itertools.product(doors, [THUMB, HEART])
    all_at_once(*(lambda d=door, e=emoji: turn(d, e) for door, emoji in calls))

    replayed = dict(said)
    entries = lunch.entries(alice)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    state = set()
    for entry in entries[3:]:
        apply(entry, replayed)
        key = entry["actor"]["id"], entry["emoji"]
        assert (key in state) is not entry["on"], "an entry that changed nothing"
        state ^= {key}
    assert lunch.messages(bob) == [replayed]
    assert list(lunch.messages(bob)[0]["reactions"]) == list(replayed["reactions"])
    assert "0 problem(s)" in eventually_checked()


def test_entries_that_say_the_same_change_nothing_twice(alice, bob, lunch):
    """No process writes such a thing, and another version of the service might."""
    said = lunch.say(alice, "hello")
    react(bob, lunch, said, THUMB)
    eventually_checked()
    entry = database()["chat_entry"].find_one({"kind": "reaction"})
    for seq in (5, 6):
        database()["chat_entry"].insert_one(
            {**{name: value for name, value in entry.items() if name != "_id"}, "seq": seq}
        )

    lunch.say(alice, "the next writer projects them")
    assert lunch.messages(bob)[0]["reactions"] == {THUMB: [bob.id]}
    take_back(bob, lunch, said, THUMB)
    assert lunch.messages(bob)[0]["reactions"] == {}


def test_check_rooms_finds_and_repairs_reactions(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    for person in (bob, alice):
        react(person, lunch, said, THUMB)
    eventually_checked()
    right = lunch.messages(alice)
    database()["chat_entry"].update_one(
        {"seq": said["seq"]}, {"$set": {"reactions": {HEART: [bob.id], THUMB: ["x"]}}}
    )

    with pytest.raises(Exception, match="do not agree"):
        check_rooms()
    assert "0 problem(s)" in check_rooms(repair=True)
    assert lunch.messages(alice) == right
