"""Scrolling through a long history, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from chat.tests.windows import (
    SENT,
    come_to_life,
    is_at_end,
    scroll_to,
    texts,
)

pytestmark = pytest.mark.chromium


def test_scrolling_up_loads_history_without_jumping(visit, path, long_history, bob):
    page = visit(bob, path)
    expect(texts(page).last).to_have_text("Message 420")
    assert is_at_end(page)
    row = page.locator(SENT, has_text="Message 380")
    row.evaluate("row => row.scrollIntoView({ block: 'start' })")
    place = row.bounding_box()["y"]

    expect(texts(page).first).to_have_text("Message 321")

    assert abs(row.bounding_box()["y"] - place) < 2
    for first in (271, 221, 171, 121, 71, 21, 1):
        scroll_to(page, -1_000_000)
        expect(texts(page).first).to_have_text(f"Message {first}")
        assert page.locator(".messages > *").count() < 330
    expect(page.locator(".note").first).to_contain_text("made the room")

    page.locator("[data-jump]").click()
    expect(texts(page).last).to_have_text("Message 420")
    assert is_at_end(page)


def test_history_comes_after_an_attempt_without_connection(visit, path, long_history, bob):
    page = visit(bob, path)
    expect(texts(page).last).to_have_text("Message 420")
    come_to_life(page)
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        scroll_to(page, -1_000_000)
    page.context.set_offline(False)

    scroll_to(page, 0)
    scroll_to(page, -1_000_000)

    expect(texts(page).first).to_have_text("Message 321")


def test_the_latest_messages_have_the_address_of_the_room(visit, path, long_history, bob):
    page = visit(bob, f"{path}/100")
    page.locator("[data-jump]").click()
    expect(texts(page).last).to_have_text("Message 420")
    page.wait_for_url(f"**{path}")


def test_scrolling_down_again_comes_to_the_end(visit, path, long_history, bob):
    page = visit(bob, f"{path}?before=100")
    expect(texts(page).first).to_be_attached()
    while page.locator("message-list[newer]").count():
        scroll_to(page, -5)
        page.wait_for_timeout(50)
        scroll_to(page, 0)

    expect(texts(page).last).to_have_text("Message 420")
    numbers = [int(text.split()[1]) for text in texts(page).all_inner_texts()]
    assert numbers == list(range(numbers[0], 421))


def test_what_comes_while_reading_further_up(visit, path, lunch, long_history, alice, bob):
    page = visit(bob, path)
    expect(texts(page).last).to_have_text("Message 420")
    row = page.locator(SENT, has_text="Message 398")
    row.evaluate("row => row.scrollIntoView({ block: 'start' })")
    expect(page.locator("[data-jump]")).to_be_hidden()  # that near, and with nothing new
    place = row.bounding_box()["y"]

    lunch.say(alice, "One")
    lunch.say(alice, "Two")

    expect(page.locator("[data-jump]")).to_contain_text("2 new messages")
    assert abs(row.bounding_box()["y"] - place) < 2
    page.locator("[data-jump]").press("Enter")
    expect(page.locator("[data-jump]")).to_be_hidden()
    expect(page.locator(".message").last).to_be_focused()
    expect(texts(page).last).to_be_in_viewport()
    expect(texts(page).last).to_have_text("Two")


def test_a_link_to_a_message_opens_it_in_its_place(visit, path, long_history, bob):
    page = visit(bob, "/")
    page.goto(f"{path}?before=43#message-42")

    expect(page.locator("#message-42")).to_be_in_viewport()
