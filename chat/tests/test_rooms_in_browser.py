"""Rooms and their list, in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from chat.tests.windows import (
    come_to_life,
    say,
    scroll_to,
    texts,
)

pytestmark = pytest.mark.chromium


def test_rooms_appear_change_and_go_by_themselves(visit, alice, bob):
    hers, his = visit(alice, "/rooms/new"), visit(bob)
    hint = his.get_by_text("You are in no room yet.")
    expect(hint).to_be_visible()

    hers.locator("#new_room_name").fill("Plans")
    hers.locator("#new_room_members").fill("bob")
    hers.get_by_role("button", name="Make the room").click()
    expect(hers.locator("h1")).to_have_text("Plans")
    expect(hers.locator(".room[data-room]")).to_have_count(1)
    expect(hint).to_be_hidden()
    his.locator(".room", has_text="Plans").click()
    expect(his.locator("h1")).to_have_text("Plans")

    his.get_by_text("Rename or describe").click()
    his.locator("#change_room_name").fill("Grand plans")
    his.locator("details[open] button").click()
    for page in (hers, his):
        expect(page.locator("h1")).to_have_text("Grand plans")
        expect(page.locator(".room__name")).to_have_text("Grand plans")
        expect(page).to_have_title(re.compile("Grand plans"))
        expect(page.locator(".note")).to_contain_text(["renamed the room"])

    hers.get_by_role("button", name="Remove Bob").click()
    expect(hers.locator(".member")).to_have_count(1)
    expect(his.locator("[data-part=complaint]")).to_have_text("You are no longer in this room.")
    expect(his.locator(".composer__text")).to_be_disabled()
    expect(his.locator(".room")).to_have_count(0)
    expect(hint).to_be_visible()


def test_who_is_removed_from_the_only_room_is_told_how_to_begin(visit, lunch, alice, bob):
    page = visit(bob)
    come_to_life(page)
    hint = page.get_by_text("You are in no room yet.")
    expect(hint).to_be_hidden()

    alice.http.delete(f"{lunch.path}/members/{bob.id}")

    expect(hint).to_be_visible()


def test_a_mistake_in_a_form_is_shown_in_place(visit, path, alice, carol):
    page = visit(alice, path)

    page.locator("#add_members_members").fill("nobody")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#add_members_members_error")).to_contain_text("nobody")
    page.locator("#add_members_members").fill("carol")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".member")).to_have_count(3)
    expect(page.locator(".note").last).to_contain_text("Carol")


def test_a_private_chat_from_a_name(visit, path, alice, bob):
    hers, his = visit(alice, path), visit(bob)

    hers.locator(".member").get_by_role("button", name="Bob", exact=True).click()
    expect(hers.locator("h1")).to_have_text("Bob")
    say(hers, "Just us")

    expect(his.locator(".room:not([data-unread='0']) .room__name")).to_have_text("Alice")
    expect(his.locator(".room:not([data-unread='0']) .room__preview")).to_contain_text("Just us")


def test_unread_messages_are_counted_and_marked(visit, path, lunch, make_room, alice, bob):
    other = make_room(alice, bob, name="Other")
    page = visit(bob, f"/rooms/{other.id}")
    expect(page.locator("message-list")).to_be_visible()
    come_to_life(page)
    for number in range(3):
        lunch.say(alice, f"News {number}")

    item = page.locator(f".room[data-room='{lunch.id}']")
    expect(item.locator("[data-field=unread]")).to_have_text("3")
    expect(page).to_have_title(re.compile(r"^\(3\) "))
    expect(page.locator(".room").first.locator(".room__name")).to_have_text("Lunch")
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("unread"))
    page.reload()
    expect(item.locator("[data-field=unread]")).to_have_text("3")

    item.click()
    expect(page.locator(".new-line + .day + .message, .new-line + .message")).to_contain_text(
        "News 0"
    )
    expect(item.locator(".room__unread")).to_be_hidden()
    expect(page).not_to_have_title(re.compile(r"\("))


def test_the_line_above_the_news_goes_when_one_answers(visit, path, lunch, alice, bob):
    lunch.fill(alice, [f"Message {number}" for number in range(30)])
    page = visit(alice, path)
    come_to_life(page)
    for news in ("News", "Later"):
        lunch.say(bob, f"Before: {news}")
        expect(texts(page).last).to_have_text(f"Before: {news}")
        scroll_to(page, -1_000_000)
        lunch.say(bob, news)
        expect(page.locator("[data-jump]")).to_contain_text("1 new message")
        lunch.say(bob, "And more")
        first = page.locator(".new-line + .message")
        expect(first.locator(".message__text")).to_have_text(news)
        expect(first).not_to_have_class(re.compile("message--continued"))

        say(page, "I see")

        expect(page.locator(".new-line")).to_have_count(0)
        expect(texts(page).last).to_have_text("I see")


def test_rooms_are_found_by_either_spelling_of_their_names(visit, path, make_room, alice, bob):
    make_room(alice, bob, name="باشگاه کتاب‌های ایرانی")
    page = visit(alice, path)
    come_to_life(page)
    names = page.locator(".room:visible .room__name")

    page.get_by_placeholder("Filter").fill("كتاب هاي ايراني")

    expect(names).to_have_text(["باشگاه کتاب‌های ایرانی"])
    page.get_by_placeholder("Filter").fill("lun")
    expect(names).to_have_text(["Lunch"])


def test_who_is_removed_is_offered_nothing_more(visit, path, lunch, alice, bob):
    lunch.say(alice, "Hello")
    page = visit(bob, path)
    come_to_life(page)
    expect(page.locator(".member")).to_have_count(2)

    assert alice.http.delete(f"{lunch.path}/members/{bob.id}").status_code == 204

    expect(page.locator("[data-part=complaint]")).to_have_text("You are no longer in this room.")
    expect(texts(page)).to_have_text(["Hello"])
    expect(page.locator(".message [data-act]:visible")).to_have_count(0)
    expect(page.locator(".details form:visible, .member:visible")).to_have_count(0)
    expect(page.locator(".composer__text")).to_be_disabled()


def test_an_address_of_no_message_says_so(visit, path, lunch, alice):
    lunch.say(alice, "Hello")
    page = visit(alice, f"{path}/99999")
    expect(page.locator(".notice--warning")).to_have_text("There is no such message in this room.")
    expect(texts(page)).to_have_text(["Hello"])
    page.goto(f"{path}/2")
    expect(texts(page)).to_have_text(["Hello"])
    expect(page.locator(".notice--warning")).to_have_count(0)


def test_going_through_rooms_faster_than_they_come(visit, path, make_room, alice, bob):
    for name in ("One", "Two", "Three"):
        make_room(alice, bob, name=name)
    page = visit(alice, path)
    come_to_life(page)
    expect(page.locator(".room__name")).to_have_text(["Three", "Two", "One", "Lunch"])
    waiting = []
    page.route(re.compile("/rooms/"), lambda route: waiting.append(route))

    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown"):
        with page.expect_request(re.compile("/rooms/")):
            page.keyboard.press(f"Alt+{key}")
    for route in waiting:
        route.continue_()

    expect(page.locator("h1")).to_have_text("Two")
    page.unroute(re.compile("/rooms/"))
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("h1")).to_have_text("One")


def test_switching_to_a_room_that_there_is_not(visit, path, alice):
    page = visit(alice, path)
    come_to_life(page)
    none = page.locator("#switcher").get_by_role("status")
    page.keyboard.press("Control+k")
    expect(page.locator("#switcher [role=option]")).to_have_count(1)
    expect(none.locator("span")).to_be_hidden()

    page.keyboard.type("nowhere")

    expect(none.get_by_text("No room is called that.")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("lun")
    expect(page.locator("#switcher [role=option]")).to_have_count(1)
    expect(none.locator("span")).to_be_hidden()
