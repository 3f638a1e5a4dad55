"""What a message refers to: another message, and people."""

import pytest

from acceptance.waiting import eventually
from chatservice.mongo.client import database
from clients.reference import apply

ROOMS = "/chat/chat_rooms/"


def test_a_reply_names_a_message_of_its_room(alice, bob, lunch, make_room):
    other = make_room(alice, name="Other")
    for number in range(5):
        other.say(alice, f"{number}")
    said = lunch.say(alice, "hello")

    assert lunch.say(bob, "hi", reply_to=said["seq"])["reply_to"] == said["seq"]
    for nothing in (1, 2, 5, 7, 99, 2**53 - 1):  # no messages, the reply itself, of another room
        body = {"content": "hi", "reply_to": nothing}
        answer = bob.http.post(f"{lunch.path}/messages", json=body)
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {"reply_to"}), nothing
    assert len(lunch.messages(alice)) == 2


def test_a_reply_to_a_deleted_message_is_kept(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    lunch.say(bob, "before", reply_to=said["seq"])
    alice.http.delete(f"{lunch.path}/messages/{said['id']}")
    lunch.say(bob, "after", reply_to=said["seq"])

    replies = lunch.messages(alice)[1:]
    assert [message["reply_to"] for message in replies] == [said["seq"], said["seq"]]


def test_a_stranger_learns_nothing_by_replying(alice, carol, lunch, connect):
    said = lunch.say(alice, "hello")
    device = connect(carol, protocol=2)
    for number in (said["seq"], 99):
        body = {"content": "hi", "reply_to": number}
        assert carol.http.post(f"{lunch.path}/messages", json=body).json() == {
            "detail": "Chat room not found or access denied"
        }
        event = {"room": lunch.id, "message": "hi", "reply_to": number}
        assert device.call("chat_message", event)["code"] == "not_found"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@bob hello", ["bob"]),
        ("hello @Bob, and (@ALICE)!", ["bob", "alice"]),
        ("@bob @bob", ["bob"]),
        ("@carol is a stranger, @nobody is nobody", []),
        ("bob@bob.example and @bobby and x@bob", []),
        ("`@bob` and ``a ` @bob``", []),
        ("```\n@bob\n```\n@alice", ["alice"]),
        ("~~~\n@bob", []),
        ("one ` tick @bob", ["bob"]),
        ("@\u202ebob", ["bob"]),
        ("@", []),
        ("@@bob", []),
        ("@" * 7999 + "x", []),
    ],
)
def test_members_that_a_text_calls_are_named(alice, bob, carol, lunch, text, expected):
    said = lunch.say(alice, text)

    people = {"alice": alice, "bob": bob}
    assert said["mentions"] == [people[name].id for name in expected]
    assert said["mentions_all"] is False
    assert lunch.messages(bob) == [said]
    assert lunch.entries(bob)[-1]["mentions"] == said["mentions"]


def test_names_with_spaces_signs_and_half_spaces(alice, bob, carol, lunch):
    bob.http.patch("/auth/users/me", json={"username": "mary-ann o'neil"})
    database()["accounts_user"].update_one(
        {"_id": bob.user.pk}, {"$set": {"username_key": "mary-ann o'neil"}}
    )
    database()["accounts_user"].update_one(
        {"_id": carol.user.pk}, {"$set": {"username_key": "علیرضا"}}
    )
    alice.http.post(f"{lunch.path}/members", json={"members": [carol.email]})

    assert lunch.say(alice, "@Mary-Ann O'Neil: look")["mentions"] == [bob.id]
    assert lunch.say(alice, "سلام @علی\u200cرضا!")["mentions"] == [carol.id]
    assert lunch.say(alice, "سلام @علی رضا")["mentions"] == []


def test_an_edit_calls_anew(alice, bob, lunch, connect):
    device = connect(bob, protocol=2)
    said = lunch.say(alice, "@bob")
    edited = alice.http.patch(
        f"{lunch.path}/messages/{said['id']}", json={"content": "@alice @all"}
    ).json()

    assert (edited["mentions"], edited["mentions_all"]) == ([alice.id], True)
    told = device.wait_for("room_event", lambda event: event["kind"] == "edit")
    assert (told["mentions"], told["mentions_all"]) == ([alice.id], True)
    apply(told, said)
    assert said == edited
    alice.http.patch(f"{lunch.path}/messages/{said['id']}", json={"content": "nobody"})
    assert lunch.messages(bob)[0]["mentions"] == []


def eventually_counts(person, room, expected):
    """Once it is noted how far the room has come: in the list of rooms, and in the room itself."""

    def counts():
        [listed] = [each for each in person.http.get(ROOMS).json() if each["id"] == room.id]
        detail = person.http.get(room.path, params={"messages": 0}).json()
        return [(each["unread"], each["unread_mentions"]) for each in (listed, detail)]

    eventually(lambda: counts() == [expected, expected], what=f"unread {expected}")


def test_unread_mentions_are_counted_until_they_are_read(alice, bob, lunch, make_room):
    other = make_room(alice, bob, name="Other")
    first = lunch.say(alice, "@bob one")
    second = lunch.say(alice, "@bob and @all: two")
    lunch.say(alice, "three")
    fourth = lunch.say(alice, "@all four")
    lunch.say(bob, "@bob and @all: his own")
    other.say(alice, "@bob there")

    eventually_counts(bob, lunch, (5, 3))
    eventually_counts(bob, other, (1, 1))
    bob.http.post(f"{lunch.path}/read", json={"seq": first["seq"]})
    eventually_counts(bob, lunch, (4, 2))
    alice.http.delete(f"{lunch.path}/messages/{second['id']}")
    eventually_counts(bob, lunch, (4, 1))
    alice.http.patch(f"{lunch.path}/messages/{fourth['id']}", json={"content": "nobody"})
    eventually_counts(bob, lunch, (4, 0))
    bob.http.post(f"{lunch.path}/read", json={"seq": 99})
    eventually_counts(bob, lunch, (0, 0))
    eventually_counts(alice, lunch, (5, 1))
