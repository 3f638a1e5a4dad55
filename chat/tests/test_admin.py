"""Moderating in Django's admin: through the same actions, so that open browsers hear of it."""

import re

import pytest
import requests

from chat.models import Membership, Message, Room


class AdminSite:
    """A browser that is logged in to the admin."""

    def __init__(self, server, person):
        self.url = server.url
        self.session = requests.Session()
        self.session.trust_env = False
        page = self.get("login/")
        answer = self.post(
            "login/", page, username=person.email, password=person.password, next="/admin/"
        )
        assert answer.url == f"{self.url}/admin/", "the log-in has failed"

    def get(self, path, **params):
        answer = self.session.get(f"{self.url}/admin/{path}", params=params, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path, page, **fields):
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        answer = self.session.post(
            f"{self.url}/admin/{path}",
            data={"csrfmiddlewaretoken": token, **fields},
            headers={"Referer": self.url},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture
def admin_site(server, moira):
    return AdminSite(server, moira)


def test_lists_find_and_filter(alice, bob, lunch, make_room, admin_site):
    make_room(bob, name="Secret plans").say(bob, "a plan")
    lunch.say(alice, "noodles")

    assert "Secret plans" in admin_site.get("chat/room/")
    found = admin_site.get("chat/room/", q="lun")
    assert "Lunch" in found
    assert "Secret plans" not in found
    found = admin_site.get("chat/message/", q="noodles")
    assert "noodles" in found
    assert "a plan" not in found
    found = admin_site.get("chat/membership/", q="alice@")
    assert "Lunch" in found
    assert "Secret plans" not in found
    assert "Lunch" not in admin_site.get("chat/room/", state="gone")


def test_deleting_a_message_reaches_open_browsers(alice, bob, lunch, connect, admin_site):
    said = lunch.say(alice, "rude words")
    device = connect(bob, protocol=2)
    path = f"chat/message/{said['id']}/delete/"
    page = admin_site.get(path)
    assert "rude words" in page

    admin_site.post(path, page, post="yes")

    told = device.wait_for("room_event", lambda event: event["kind"] == "delete")
    assert told["target"] == said["seq"]
    assert told["actor"]["email"] == "moira@example.org"
    assert lunch.messages(bob)[0]["content"] == ""


def test_several_messages_are_deleted_at_once(alice, lunch, admin_site):
    said = [lunch.say(alice, f"spam {number}") for number in range(3)]
    page = admin_site.get("chat/message/")
    chosen = {
        "action": "delete_selected",
        "_selected_action": [said[0]["id"], said[2]["id"]],
    }
    page = admin_site.post("chat/message/", page, **chosen).text
    assert "Are you sure" in page
    admin_site.post("chat/message/", page, **chosen, post="yes")

    assert [message["content"] for message in lunch.messages(alice)] == ["", "spam 1", ""]


def test_a_message_cannot_be_written_or_changed(alice, lunch, admin_site):
    said = lunch.say(alice, "hello")

    page = admin_site.get(f"chat/message/{said['id']}/change/")
    assert "hello" in page
    assert 'name="_save"' not in page
    answer = admin_site.session.get(f"{admin_site.url}/admin/chat/message/add/", timeout=30)
    assert answer.status_code == 403


def test_renaming_a_room_reaches_open_browsers(bob, lunch, connect, admin_site):
    device = connect(bob, protocol=2)
    path = f"chat/room/{lunch.id}/change/"
    answer = admin_site.post(path, admin_site.get(path), name="Dinner", description="Late")

    assert "was changed successfully" in answer.text
    told = device.wait_for("room_event", lambda event: event["kind"] == "room")
    assert (told["name"], told["description"]) == ("Dinner", "Late")
    assert bob.http.get(lunch.path).json()["name"] == "Dinner"


def test_deleting_a_room_does_not_list_its_log(alice, lunch, connect, admin_site):
    lunch.say(alice, "one of a million messages")
    device = connect(alice, protocol=2)
    path = f"chat/room/{lunch.id}/delete/"
    page = admin_site.get(path)
    assert "one of a million" not in page

    admin_site.post(path, page, post="yes")

    assert device.wait_for("room_event")["deleted"] is True
    assert alice.http.get(lunch.path).status_code == 404
    assert Room.objects.get(pk=lunch.id).deleted_at is not None
    assert Message.objects.filter(room=lunch.id).count() == 1


def test_a_room_is_made_by_who_asks_for_it(moira, admin_site):
    page = admin_site.get("chat/room/add/")
    answer = admin_site.post("chat/room/add/", page, name="Announcements", description="")

    assert "was added successfully" in answer.text
    [room] = moira.http.get("/chat/chat_rooms/").json()
    assert (room["name"], room["members"]) == ("Announcements", [moira.email])


def test_members_are_added_promoted_and_removed(alice, bob, carol, lunch, connect, admin_site):
    device = connect(alice, protocol=2)
    page = admin_site.get("chat/membership/add/")
    admin_site.post("chat/membership/add/", page, room=lunch.id, user=str(carol.user.pk))
    told = device.wait_for("room_event", lambda event: event["kind"] == "member")
    assert [person["email"] for person in told["added"]] == [carol.email]

    membership = Membership.objects.get(room=lunch.id, user=carol.user)
    path = f"chat/membership/{membership.pk}/change/"
    admin_site.post(path, admin_site.get(path), role="moderator")
    told = device.wait_for("room_event", lambda event: event["seq"] == told["seq"] + 1)
    assert (told["added"], told["changed"][0]["role"]) == ([], "moderator")

    path = f"chat/membership/{membership.pk}/delete/"
    admin_site.post(path, admin_site.get(path), post="yes")
    told = device.wait_for("room_event", lambda event: event["seq"] == told["seq"] + 1)
    assert [person["email"] for person in told["removed"]] == [carol.email]
    assert carol.http.get(lunch.path).status_code == 404


def test_what_an_action_refuses_is_said_on_the_page(alice, bob, lunch, make_room, admin_site):
    chat = make_room(alice, bob, is_group_chat=False)
    membership = Membership.objects.get(room=chat.id, user=bob.user)
    path = f"chat/membership/{membership.pk}/delete/"
    answer = admin_site.post(path, admin_site.get(path), post="yes")

    assert "You may not do this in this room." in answer.text
    assert bob.http.get(chat.path).status_code == 200
