"""Read receipts, notices and muted rooms, in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from chat.tests.windows import (
    SENT,
    act,
    come_to_life,
    say,
    texts,
)

pytestmark = pytest.mark.chromium


def test_who_has_seen_the_last_message(visit, path, lunch, alice, bob):
    hers = visit(alice, path)
    say(hers, "Anybody?")
    expect(texts(hers)).to_have_count(1)
    seen = hers.locator("[data-part=seen]")
    expect(seen).to_be_empty()

    his = visit(bob, path)
    expect(seen).to_have_text("Seen by \u2068Bob\u2069")
    hers.reload()
    expect(seen).to_have_text("Seen by \u2068Bob\u2069")
    say(his, "Me")
    expect(texts(hers)).to_have_count(2)
    expect(seen).to_be_empty()
    expect(his.locator("[data-part=seen]")).to_have_text("Seen by \u2068Alice\u2069")


def test_faces_show_how_far_everybody_has_read(visit, path, lunch, alice, bob, carol):
    alice.http.post(f"{lunch.path}/members", json={"members": [carol.email]})
    hers = visit(alice, path)
    for text in ("One", "Two", "Three"):
        say(hers, text)
        expect(hers.locator(".message--pending")).to_have_count(0)
    faces = hers.locator(".message__faces:not([hidden])")
    expect(texts(hers)).to_have_count(3)
    expect(faces).to_have_count(0)

    one = lunch.messages(alice)[0]["seq"]
    for person, seq in ((bob, one), (carol, one + 1)):
        answer = person.http.post(f"{lunch.path}/read", json={"seq": seq})
        assert answer.status_code in (200, 204), answer.text
    row = hers.locator(SENT)
    expect(row.nth(0).locator(".message__faces .avatar")).to_have_text("B")
    expect(row.nth(1).locator(".message__faces .avatar")).to_have_text("C")
    both = "Seen by \u2068Bob\u2069, \u2068Carol\u2069"
    expect(row.nth(0).locator("[data-field=seen]")).to_have_text(both)
    expect(row.nth(0).get_by_role("img", name=both)).to_be_visible()
    expect(row.nth(1).locator("[data-field=seen]")).to_have_text("Seen by \u2068Carol\u2069")
    expect(row.nth(2).locator("[data-field=seen]")).to_be_empty()
    expect(hers.locator("[data-part=seen]")).to_be_empty()

    lunch.say(bob, "Four")  # who answers has read, and needs no face beside it
    expect(row.nth(2).locator("[data-field=seen]")).to_have_text("Seen by \u2068Bob\u2069")
    expect(faces).to_have_count(1)
    hers.reload()
    expect(row.nth(2).locator("[data-field=seen]")).to_have_text("Seen by \u2068Bob\u2069")
    expect(row.nth(1).locator(".message__faces .avatar")).to_have_text("C")


def test_two_rooms_read_at_once_are_both_told_of(visit, lunch, make_room, alice, bob):
    rooms = [lunch, make_room(alice, bob, name="Other")]
    for room in rooms:
        room.say(bob, "News")
    page = visit(alice)
    page.wait_for_function("document.querySelector('local-time').title")

    # As if one went through both faster than 300 ms, whatever the machine takes.
    page.evaluate(
        """(rooms) => {
            for (const room of rooms)
                document.dispatchEvent(new CustomEvent("chat:seen", { detail: { room } }))
        }""",
        [room.id for room in rooms],
    )

    expect(page.locator(".room:not([data-unread='0'])")).to_have_count(0)
    page.wait_for_function(
        """async () => {
            const rooms = await (await fetch("/chat/chat_rooms/")).json()
            return rooms.every(({ unread_count }) => unread_count === 0)
        }"""
    )


def test_a_moderator_can_delete_what_others_say(visit, path, lunch, alice, bob):
    lunch.say(bob, "Before")
    hers, his = visit(alice, path), visit(bob, path)
    lunch.say(bob, "Live")
    lunch.say(alice, "Mine")
    for page in (hers, his):
        expect(texts(page)).to_have_text(["Before", "Live", "Mine"])
    his.locator(SENT).last.hover()
    expect(his.locator(SENT).last.get_by_role("link", name="React")).to_be_visible()
    expect(his.locator(SENT).last.locator("[data-act=delete]")).to_be_hidden()

    for said in ("Before", "Live"):
        act(hers, hers.locator(SENT, has_text=said), "delete")
        hers.locator("#confirm-delete [value=delete]").click()
    expect(texts(his)).to_have_text(["Mine"])

    alice.http.patch(f"{lunch.path}/members/{bob.id}", json={"role": "moderator"})
    expect(his.locator("message-list[moderates]")).to_be_attached()
    act(his, his.locator(SENT).last, "delete")
    his.locator("#confirm-delete [value=delete]").click()
    expect(texts(hers)).to_have_count(0)


def test_a_private_chat_from_the_conversation(visit, path, lunch, alice, bob):
    lunch.say(bob, "Before")
    page = visit(alice, path)
    lunch.say(bob, "An answer", reply_to=lunch.messages(alice)[0]["seq"])  # so that it has a face
    expect(texts(page)).to_have_text(["Before", "An answer"])

    for number in (0, 1):
        page.locator(SENT).nth(number).get_by_role("button", name="Bob").click()
        expect(page.locator("h1")).to_have_text("Bob")
        page.go_back()
        expect(page.locator("h1")).to_have_text("Lunch")
    say(page, "Mine")
    expect(page.locator(SENT).last.get_by_role("button", name="Alice")).to_be_disabled()


NOTICES = """
window.notices = []
window.Notification = class {
    static permission = "default"
    static async requestPermission() {
        return (this.permission = "granted")
    }
    constructor(title, options) {
        notices.push([title, options.body])
    }
    close() {}
}
"""


@pytest.mark.parametrize("setting", ["on", "mentions", "off"])
def test_notices_of_the_browser(visit, path, lunch, make_room, alice, bob, setting):
    alice.http.patch("/auth/users/me", json={"notifications": setting})
    other, muted = make_room(alice, bob, name="Other"), make_room(alice, bob, name="Muted")
    alice.http.patch(f"{muted.path}/membership", json={"muted": True})
    page = visit(alice, path)
    page.add_init_script(NOTICES)
    page.reload()
    come_to_life(page)
    button = page.get_by_role("button", name="Turn on notifications")
    if setting == "off":
        expect(button).to_be_hidden()
    else:
        button.click()
        expect(button).to_be_hidden()

    lunch.say(bob, "Before her eyes")
    muted.say(bob, "Be quiet")
    other.say(bob, "**Elsewhere**")
    muted.say(bob, "But @alice")
    expect(page.locator(".room[data-unread='2'] .room__name")).to_have_text("Muted")

    calls = [["\u2068Bob\u2069 · Muted", "But @alice"]]
    every = [["\u2068Bob\u2069 · Other", "Elsewhere"], *calls]
    expected = {"on": every, "mentions": calls, "off": []}[setting]
    notices = page.evaluate("window.notices")
    assert [[title.strip(), body] for title, body in notices] == [
        [title.replace("\u2068", "").replace("\u2069", ""), body] for title, body in expected
    ]
    expect(page).to_have_title(re.compile(r"^\(3\) "))  # one in Other, and two that call her


def test_muting_a_room_is_quiet_at_once(visit, path, lunch, make_room, alice, bob):
    other = make_room(alice, bob, name="Other")
    page = visit(alice, f"/rooms/{other.id}")
    come_to_life(page)
    lunch.say(bob, "One")
    expect(page).to_have_title(re.compile(r"^\(1\) "))

    alice.http.patch(f"{lunch.path}/membership", json={"muted": True})

    expect(page).to_have_title(re.compile(r"^\u2068?Other"))
    expect(page.locator(".room[data-muted] .room__name")).to_have_text("Lunch")
    page.reload()
    expect(page.locator(".room[data-muted] .room__name")).to_have_text("Lunch")


def test_a_muted_room_looks_so_in_every_window(visit, path, lunch, alice, bob):
    page = visit(alice, path)
    other = page.context.new_page()
    other.goto("/")
    muted = {
        window: window.locator(".room .icon:visible + :text('muted')") for window in (page, other)
    }
    for window in (page, other):
        come_to_life(window)
        expect(muted[window]).to_have_count(0)

    page.get_by_role("button", name="Mute", exact=True).click()

    for window in (page, other):
        expect(muted[window]).to_have_count(1)
        window.reload()
        expect(muted[window]).to_have_count(1)
        come_to_life(window)
    page.get_by_role("button", name="Unmute").click()
    for window in (page, other):
        expect(muted[window]).to_have_count(0)


def test_enter_does_as_its_person_wants(visit, path, alice):
    alice.http.patch("/auth/users/me", json={"enter_sends": False})
    page = visit(alice, path)
    text = page.locator(".composer__text")

    text.press_sequentially("One")
    text.press("Enter")
    text.press_sequentially("two")
    expect(text).to_have_value("One\ntwo")
    text.press("Shift+Enter")

    expect(texts(page)).to_have_text(["One two"])
    expect(text).to_have_value("")
