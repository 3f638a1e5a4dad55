"""Rooms and who is in them, through REST."""

import threading

from acceptance.waiting import eventually

ROOMS = "/chat/chat_rooms/"
NOWHERE = "0" * 24


def test_a_room_has_its_creator_and_the_people_named(alice, bob):
    answer = alice.http.post(
        ROOMS, json={"name": " Lunch ", "description": "Noodles", "members": [bob.email]}
    )

    assert answer.status_code == 201
    room = answer.json()
    assert room["name"] == "Lunch"
    assert room["description"] == "Noodles"
    assert room["members"] == [alice.email, bob.email]
    assert room["messages"] == []
    assert bob.http.get(ROOMS + room["id"]).json()["members"] == [alice.email, bob.email]


def test_members_can_be_named_by_user_name(alice, bob):
    room = alice.http.post(ROOMS, json={"name": "Lunch", "members": [bob.user.username]}).json()

    assert bob.email in room["members"]


def test_unknown_people_are_named_in_the_error(alice, bob):
    members = [bob.email, "nobody@example.com", "ghost"]
    answer = alice.http.post(ROOMS, json={"name": "Lunch", "members": members})

    assert answer.status_code == 422
    [complaint] = answer.json()["errors"]["members"]
    assert "nobody@example.com" in complaint
    assert "ghost" in complaint
    assert bob.email not in complaint
    assert alice.http.get(ROOMS).json() == []


def test_a_stranger_cannot_tell_a_room_of_others_from_none(alice, bob, carol, lunch):
    said = lunch.say(alice, "hello")
    message = f"messages/{said['id']}"
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", None),
        ("POST", "leave", None),
        ("GET", "events", None),
        ("GET", "messages", None),
        ("POST", "messages", {"content": "hi"}),
        ("GET", message, None),
        ("PATCH", message, {"content": "hi"}),
        ("DELETE", message, None),
        ("GET", "members", None),
        ("POST", "members", {"members": [carol.email]}),
        ("PATCH", f"members/{bob.user.pk}", {"role": "owner"}),
        ("DELETE", f"members/{bob.user.pk}", None),
    ):
        theirs = carol.http.request(method, f"{ROOMS}{lunch.id}/{path}", json=body)
        none = carol.http.request(method, f"{ROOMS}{NOWHERE}/{path}", json=body)
        assert (theirs.status_code, theirs.json()) == (none.status_code, none.json()), path
        assert theirs.status_code == 404
        assert theirs.json() == {"detail": "Chat room not found or access denied"}
    assert [room["id"] for room in carol.http.get(ROOMS).json()] == []
    assert [message["content"] for message in lunch.messages(alice)] == ["hello"]


def test_rooms_are_listed_the_most_recently_active_first(alice, bob, make_room):
    first, second = make_room(alice, bob, name="First"), make_room(alice, bob, name="Second")
    first.say(bob, "hello")

    def names():
        return [room["name"] for room in alice.http.get(ROOMS).json()]

    eventually(lambda: names() == ["First", "Second"], what="the order of activity")
    second.say(bob, "hello")
    eventually(lambda: names() == ["Second", "First"], what="the order of activity")


def test_a_change_of_nothing_is_nothing_in_the_log(alice, carol, lunch):
    before = alice.http.get(f"{lunch.path}/events").json()
    answer = alice.http.patch(lunch.path, json={})

    assert (answer.status_code, answer.json()["name"]) == (200, "Lunch")
    assert alice.http.get(f"{lunch.path}/events").json() == before
    assert carol.http.patch(lunch.path, json={}).status_code == 404


def test_a_room_can_be_renamed_by_a_member(alice, bob, lunch):
    answer = bob.http.patch(lunch.path, json={"name": "Dinner"})

    assert answer.status_code == 200
    assert answer.json()["name"] == "Dinner"
    assert alice.http.get(lunch.path).json()["name"] == "Dinner"
    assert lunch.entries(alice)[-1]["name"] == "Dinner"


def test_members_come_and_go(alice, bob, carol, lunch):
    added = bob.http.post(f"{lunch.path}/members", json={"members": [carol.email]})
    assert added.status_code == 201
    assert [member["email"] for member in added.json()] == [alice.email, bob.email, carol.email]

    assert bob.http.delete(f"{lunch.path}/members/{carol.user.pk}").status_code == 403
    assert alice.http.delete(f"{lunch.path}/members/{carol.user.pk}").status_code == 204
    assert carol.http.get(lunch.path).status_code == 404
    assert alice.http.delete(f"{lunch.path}/members/{carol.user.pk}").status_code == 404

    assert bob.http.post(f"{lunch.path}/leave").status_code == 204
    assert bob.http.get(lunch.path).status_code == 404
    assert alice.http.get(lunch.path).json()["members"] == [alice.email]


def test_only_an_owner_gives_roles_and_deletes_the_room(alice, bob, lunch):
    path = f"{lunch.path}/members/{bob.user.pk}"
    assert bob.http.patch(path, json={"role": "owner"}).status_code == 403
    assert bob.http.delete(lunch.path).status_code == 403

    assert alice.http.patch(path, json={"role": "owner"}).status_code == 204
    assert bob.http.delete(lunch.path).status_code == 204
    assert alice.http.get(lunch.path).status_code == 404
    assert alice.http.get(ROOMS).json() == []


def test_a_room_that_its_owner_has_left_belongs_to_who_stays(alice, bob, carol, lunch):
    bob.http.post(f"{lunch.path}/members", json={"members": [carol.email]})
    assert bob.http.delete(f"{lunch.path}/members/{carol.user.pk}").status_code == 403

    assert alice.http.post(f"{lunch.path}/leave").status_code == 204
    assert bob.http.delete(f"{lunch.path}/members/{carol.user.pk}").status_code == 204
    assert bob.http.delete(lunch.path).status_code == 204


def test_two_people_have_one_private_chat(alice, bob):
    made = alice.http.post(
        ROOMS, json={"name": "Bob", "members": [bob.email], "is_group_chat": False}
    )
    again = bob.http.post("/chat/private_chats/", json={"user": alice.user.username})

    assert (made.status_code, again.status_code) == (201, 200)
    assert again.json() == {
        "id": made.json()["id"],
        "other_user_email": alice.email,
        "is_online": False,
        "avatar_url": None,
    }
    assert alice.http.get("/chat/private_chats").json()[0]["other_user_email"] == bob.email


def test_two_people_have_one_private_chat_also_when_all_ask_at_once(alice, bob):
    found = []

    def ask(person, other):
        answer = person.http.post("/chat/private_chats/", json={"user": other.email})
        found.append((answer.status_code, answer.json()["id"]))

    threads = [threading.Thread(target=ask, args=pair) for pair in [(alice, bob), (bob, alice)] * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 12
    assert len({room_id for _, room_id in found}) == 1
    assert sorted(code for code, _ in found) == [200] * 11 + [201]
    [chat] = alice.http.get("/chat/private_chats/").json()
    kinds = alice.http.get(f"{ROOMS}{chat['id']}/events").json()["entries"]
    assert [entry["kind"] for entry in kinds] == ["room", "member"]


def test_a_private_chat_is_with_one_other_person(alice, bob, carol):
    for members in ([], [alice.email], [bob.email, carol.email]):
        answer = alice.http.post(
            ROOMS, json={"name": "x", "members": members, "is_group_chat": False}
        )
        assert answer.status_code == 422, members
        assert "members" in answer.json()["errors"]


def test_nobody_is_added_to_or_removed_from_a_private_chat(alice, bob, carol, make_room):
    chat = make_room(alice, bob, is_group_chat=False)

    assert (
        alice.http.post(f"{chat.path}/members", json={"members": [carol.email]}).status_code == 403
    )
    assert alice.http.delete(f"{chat.path}/members/{bob.user.pk}").status_code == 403
    assert alice.http.post(f"{chat.path}/leave").status_code == 403
    assert alice.http.delete(chat.path).status_code == 403
