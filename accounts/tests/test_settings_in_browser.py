"""What people choose of themselves, in a real Chromium: with scripts, and live for the others."""

import pytest
from playwright.sync_api import expect

from acceptance.people import Device
from media_upload.tests import samples

pytestmark = pytest.mark.chromium


@pytest.fixture
def path(alice, bob):
    """The page of a room of Alice and Bob, in which she has said something."""
    answer = alice.http.post("/chat/chat_rooms/", json={"name": "x", "members": [bob.email]})
    room = answer.json()["id"]
    alice.http.post(f"/chat/chat_rooms/{room}/messages", json={"content": "Hello"})
    return f"/rooms/{room}"


def test_what_enter_does(visit, path, alice):
    alice.http.patch("/auth/users/me", json={"enter_sends": False})
    page = visit(alice, path)
    writing = page.locator(".composer__text")
    writing.fill("Good")
    writing.press("Enter")
    writing.press_sequentially("day")
    expect(writing).to_have_value("Good\nday")

    writing.press("Shift+Enter")

    expect(page.locator(".message[data-seq] .message__text").last).to_have_text("Good\nday")
    expect(writing).to_have_value("")


def test_a_changed_picture_and_name_reach_open_windows(visit, path, alice, bob):
    private = {"name": "x", "members": [bob.email], "is_group_chat": False}
    assert alice.http.post("/chat/chat_rooms/", json=private).status_code == 201
    his = visit(bob, path)
    page_of_members = his.locator(".member", has_text=alice.email)
    rows = his.locator(".message[data-seq]")
    places = [page_of_members, rows.first, his.locator(".room[data-private]")]
    for place in places:
        expect(place.locator(".avatar")).to_have_text("A")

    file = {"file": ("me.png", samples.image("PNG"))}
    url = alice.http.put("/auth/users/me/avatar", files=file).json()["avatar_url"]
    alice.http.patch("/auth/users/me", json={"full_name": "Zoe <b>N."})

    for place in places:
        expect(place.locator(".avatar img")).to_have_attribute("src", url)
        expect(place.locator("[data-field=name]")).to_have_text("Zoe <b>N.")
        assert place.locator(".avatar img").evaluate("image => image.naturalWidth") == 256
    alice.http.post(f"/chat{path.replace('rooms', 'chat_rooms')}/messages", json={"content": "2"})
    expect(rows).to_have_count(2)
    expect(rows.last.locator("[data-field=name]")).to_have_text("Zoe <b>N.")
    assert rows.last.locator(".avatar img").get_attribute("src").endswith(url)

    alice.http.delete("/auth/users/me/avatar")

    for place in [*places, rows.last]:
        expect(place.locator(".avatar img")).to_have_count(0)
        expect(place.locator(".avatar")).to_have_text("Z")


def test_the_light_that_tells_who_is_online_outlives_a_change(visit, server, path, alice, bob):
    device = Device(server.url)
    device.connect(auth={"token": alice.token})
    his = visit(bob, path)
    dot = his.locator(f".member [data-presence='{alice.email}']")
    expect(dot).to_be_visible()

    file = {"file": ("me.png", samples.image("PNG"))}
    alice.http.put("/auth/users/me/avatar", files=file)

    expect(his.locator(".member .avatar img")).to_be_visible()
    expect(dot).to_be_visible()
    device.close()
