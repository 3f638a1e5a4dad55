"""Public rooms: finding and joining them. And what one wants of a room for oneself."""

import pytest

from acceptance.waiting import eventually
from accounts.tests.visitor import Visitor
from chat.tests.test_log import all_at_once, check_rooms, eventually_checked
from chatservice.mongo.client import database

DIRECTORY = "/chat/public_rooms/"
NOT_FOUND = {"detail": "Chat room not found or access denied"}


def listed(person, **query):
    answer = person.http.get(DIRECTORY, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(person, **query):
    return [room["name"] for room in listed(person, **query)["results"]]


def test_a_public_room_is_found_and_joined(alice, carol, make_room, connect):
    device = connect(alice, protocol=2)
    room = make_room(alice, name="Cooking", description="Pots", is_public=True)
    make_room(alice, name="Secret")
    room.say(alice, "before")

    [found] = listed(carol)["results"]
    assert (found["id"], found["name"], found["description"]) == (room.id, "Cooking", "Pots")
    assert (found["member_count"], found["is_member"]) == (1, False)
    assert carol.http.get(room.path).json() == NOT_FOUND  # before joining

    assert carol.http.post(f"{room.path}/join").status_code == 204
    assert [message["content"] for message in room.messages(carol)] == ["before"]
    told = device.wait_for(
        "room_event", lambda event: event.get("added", [{}])[0].get("id") == carol.id
    )
    assert told["actor"]["id"] == carol.id
    [found] = listed(carol)["results"]
    assert (found["member_count"], found["is_member"]) == (2, True)
    assert carol.http.post(f"{room.path}/join").status_code == 204
    assert len(room.entries(alice)) == 4
    assert carol.http.get(room.path).json()["unread"] == 0
    assert carol.http.get(room.path).json()["is_public"] is True


def test_what_is_not_public_is_not_there(alice, bob, carol, lunch):
    for path in (f"{lunch.path}/join", "/chat/chat_rooms/" + "0" * 24 + "/join"):
        answer = carol.http.post(path)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    private = alice.http.post("/chat/private_chats/", json={"user": bob.email}).json()
    assert carol.http.post(f"/chat/chat_rooms/{private['id']}/join").status_code == 404
    assert listed(carol)["results"] == []


def test_only_an_owner_makes_a_room_public(alice, bob, carol, lunch):
    assert bob.http.patch(lunch.path, json={"is_public": True}).status_code == 403
    assert carol.http.patch(lunch.path, json={"is_public": True}).json() == NOT_FOUND
    assert alice.http.patch(lunch.path, json={"is_public": "perhaps"}).status_code == 422

    answer = alice.http.patch(lunch.path, json={"is_public": True})
    assert answer.json()["is_public"] is True
    assert lunch.entries(bob)[-1]["is_public"] is True
    assert names(carol) == ["Lunch"]
    alice.http.patch(lunch.path, json={"is_public": False})
    assert names(carol) == []
    assert carol.http.post(f"{lunch.path}/join").status_code == 404


def test_a_private_chat_cannot_be_public(alice, bob):
    body = {"name": "x", "members": [bob.email], "is_group_chat": False, "is_public": True}
    answer = alice.http.post("/chat/chat_rooms/", json=body)
    assert (answer.status_code, set(answer.json()["errors"])) == (422, {"is_public"})
    chat = alice.http.post("/chat/private_chats/", json={"user": bob.email}).json()
    answer = alice.http.patch(f"/chat/chat_rooms/{chat['id']}", json={"is_public": True})
    assert answer.status_code == 403


def test_a_closed_room_is_gone_from_the_directory(alice, carol, make_room):
    room = make_room(alice, is_public=True)
    alice.http.delete(room.path)

    assert names(carol) == []
    assert carol.http.post(f"{room.path}/join").status_code == 404


def test_who_was_deactivated_does_not_join(alice, carol, make_room):
    room = make_room(alice, is_public=True)
    assert carol.http.get(DIRECTORY).status_code == 200
    database()["accounts_user"].update_one({"_id": carol.user.pk}, {"$set": {"is_active": False}})

    assert carol.http.post(f"{room.path}/join").status_code == 401
    assert len(room.entries(alice)) == 2


def test_the_directory_is_paged_and_filtered(alice, carol, make_room):
    for name in ("Café Tehran", "كتاب‌های خوب", "Gardens"):
        make_room(alice, name=name, is_public=True, description="about 1001 things")

    for query, expected in (
        ("cafe", "Café Tehran"),
        ("TEH", "Café Tehran"),
        ("کتابهای", "كتاب‌های خوب"),
        ("کتاب", "كتاب‌های خوب"),
        ("gardens ۱۰۰۱", "Gardens"),
    ):
        assert names(carol, q=query) == [expected], query
    assert names(carol, q="nothing") == []
    assert len(names(carol, q=".*$")) == 3  # no word in it
    page = listed(carol, limit=2)
    rest = listed(carol, limit=2, after=page["next"])
    assert (page["more"], rest["more"], rest["next"]) == (True, False, None)
    assert sorted(r["name"] for r in page["results"] + rest["results"]) == sorted(names(carol))
    for wrong in ({"limit": 0}, {"limit": 101}, {"after": "x"}, {"q": "x" * 201}):
        answer = carol.http.get(DIRECTORY, params=wrong)
        assert (answer.status_code, set(answer.json()["errors"])) == (422, set(wrong))


def test_the_most_active_room_comes_first(alice, carol, make_room):
    first = make_room(alice, name="First", is_public=True)
    make_room(alice, name="Second", is_public=True)
    first.say(alice, "hello")

    eventually(lambda: names(carol) == ["First", "Second"], what="the order of activity")


def test_two_processes_let_somebody_in_once(alice, carol, make_room, second_server):
    room = make_room(alice, is_public=True)
    doors = [carol.http, carol.at(second_server)] * 4
    answers = []
    all_at_once(
        *(lambda d=door: answers.append(d.post(f"{room.path}/join").status_code) for door in doors)
    )

    assert answers == [204] * 8
    assert len(room.entries(alice)) == 3


def test_check_rooms_repairs_what_is_public(alice, carol, make_room):
    room = make_room(alice, is_public=True)
    eventually_checked()
    database()["chat_room"].update_one({"name": "Lunch"}, {"$set": {"is_public": False}})

    with pytest.raises(Exception, match="do not agree"):
        check_rooms()
    assert "0 problem(s)" in check_rooms(repair=True)
    assert carol.http.post(f"{room.path}/join").status_code == 204


def test_muting_is_told_to_ones_own_devices_only(alice, bob, carol, lunch, connect):
    mine, others = connect(bob, protocol=2), connect(alice, protocol=2)
    path = f"{lunch.path}/membership"

    for _ in range(2):
        answer = bob.http.patch(path, json={"muted": True})
        assert (answer.status_code, answer.json()) == (200, {"room_id": lunch.id, "muted": True})
    assert bob.http.get(lunch.path).json()["muted"] is True
    assert alice.http.get(lunch.path).json()["muted"] is False
    bob.http.patch(path, json={"muted": False})
    mine.wait_for("membership", lambda told: told == {"room_id": lunch.id, "muted": False})
    assert len(mine.all("membership")) == 2
    lunch.say(alice, "the end")
    others.wait_for("room_event")
    assert others.all("membership") == []
    assert [entry["kind"] for entry in lunch.entries(bob)] == ["room", "member", "message"]
    assert carol.http.patch(path, json={"muted": True}).json() == NOT_FOUND
    assert bob.http.patch(path, json={"muted": "loud"}).status_code == 422


def test_members_say_how_far_they_have_read(alice, bob, lunch):
    said = lunch.say(alice, "hello")
    bob.http.post(f"{lunch.path}/read", json={"seq": said["seq"]})

    found = alice.http.get(f"{lunch.path}/members").json()
    assert {member["username"]: member["read_seq"] for member in found} == {"alice": 0, "bob": 3}


def test_who_was_added_has_seen_nothing_and_has_nothing_to_read(server, alice, bob, carol, lunch):
    """Also when they come back: what they saw before is seen by somebody who was gone."""

    def how_far():
        found = alice.http.get(f"{lunch.path}/members").json()
        page = Visitor(server, alice).open(f"/rooms/{lunch.id}").text
        for member in found:
            assert f'data-person="{member["id"]}" data-read="{member["read_seq"]}"' in page
        return {member["username"]: member["read_seq"] for member in found}

    def add(person):
        members = f"{lunch.path}/members"
        assert alice.http.post(members, json={"members": [person.email]}).ok

    lunch.say(alice, "hello")
    add(carol)
    assert how_far()["carol"] == 0
    assert carol.http.get(lunch.path).json()["unread"] == 0

    said = lunch.say(alice, "hello, Carol")
    carol.http.post(f"{lunch.path}/read", json={"seq": said["seq"]})
    assert how_far()["carol"] == said["seq"]

    assert alice.http.delete(f"{lunch.path}/members/{carol.id}").ok
    add(carol)
    assert how_far()["carol"] == 0


def test_people_are_found_who_share_a_room_and_strangers_by_their_whole_name(
    alice, bob, carol, lunch
):
    def found(person, q):
        answer = person.http.get("/chat/people/", params={"q": q})
        assert answer.status_code == 200, answer.text
        return [one["username"] for one in answer.json()]

    assert found(alice, "bo") == ["bob"]
    assert found(alice, "BOB") == ["bob"]
    assert found(alice, "car") == []
    assert found(alice, "carol") == found(alice, carol.email) == ["carol"]
    assert found(alice, "ali") == []
    assert found(carol, "b") == []
    for nothing in ("", " ", ".*", "$", "b.b"):
        assert found(alice, nothing) == []
    database()["accounts_user"].update_one({"_id": bob.user.pk}, {"$set": {"is_active": False}})
    assert found(alice, "bo") == found(alice, "bob") == []
