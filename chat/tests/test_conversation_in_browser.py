"""Two people in a conversation, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from chat.tests.windows import (
    NARROW,
    SENT,
    come_to_life,
    say,
    texts,
)

pytestmark = pytest.mark.chromium


def test_a_conversation(visit, path, alice, bob):
    hers, his = visit(alice, path), visit(bob, path)

    say(hers, "Hello Bob")
    expect(texts(his)).to_have_text(["Hello Bob"])
    his.locator(".composer__text").fill("Hello Alice")
    his.locator(".composer__text").press("Shift+Enter")
    his.locator(".composer__text").press_sequentially("and good day")
    expect(texts(hers)).to_have_count(1)
    his.locator(".composer__text").press("Enter")

    for page in (hers, his):
        expect(texts(page)).to_have_text(["Hello Bob", "Hello Alice\nand good day"])
        expect(page.locator(".message--pending")).to_have_count(0)
    expect(hers.locator("#announcements")).to_have_text("Bob: Hello Alice and good day")
    expect(his.locator(".composer__text")).to_have_value("")


def test_what_is_said_stays_after_a_reload_the_same(visit, path, alice, bob):
    hers, his = visit(alice, path), visit(bob, path)
    for number in range(3):
        say(hers, f"Message {number}")
    say(his, "See https://example.org/a?b=c. And www")
    hers.locator(f"{SENT} >> nth=0").hover()
    hers.locator(f"{SENT} >> nth=0 >> [data-act=edit]:visible").click()
    say(hers, "Message 0, edited")
    expect(texts(his)).to_have_text(
        ["Message 0, edited", "Message 1", "Message 2", "See https://example.org/a?b=c. And www"]
    )
    expect(his.locator(".message").last).to_contain_text("Seen by")
    live = his.locator(".message, .note").all_inner_texts()
    anchors = his.locator(".message__text a")
    expect(anchors).to_have_attribute("href", "https://example.org/a?b=c")

    his.reload()

    expect(anchors).to_have_count(1)
    expect(his.locator(".message").last).to_contain_text("Seen by")
    assert his.locator(".message, .note").all_inner_texts() == live


def test_editing_and_deleting(visit, path, alice, bob):
    hers, his = visit(alice, path), visit(bob, path)
    say(hers, "Helo")
    expect(texts(his)).to_have_text(["Helo"])

    hers.locator(".composer__text").press("ArrowUp")
    expect(hers.locator(".composer__about")).to_be_visible()
    expect(hers.locator(".composer__text")).to_have_value("Helo")
    hers.locator(".composer__text").press("Escape")
    expect(hers.locator(".composer__about")).to_be_hidden()
    hers.locator(".composer__text").press("ArrowUp")
    say(hers, "Hello")
    expect(texts(his)).to_have_text(["Hello"])
    expect(his.locator("[data-field=edited]:visible")).to_have_count(1)

    hers.locator(SENT).hover()
    hers.locator("[data-act=delete]:visible").click()
    hers.locator("#confirm-delete [value='']").click()
    expect(texts(hers)).to_have_text(["Hello"])
    hers.locator("[data-act=delete]:visible").click()
    hers.locator("#confirm-delete [value=delete]").click()
    expect(his.locator(".message__gone:visible")).to_have_count(1)
    expect(texts(his)).to_have_count(0)
    expect(his.locator(".message [data-act]:visible")).to_have_count(0)


def test_the_focus_goes_to_the_pane_that_is_shown(visit, path, alice):
    page = visit(alice, path, size=NARROW)
    come_to_life(page)
    for link, pane in [
        (".pane-head__details", "details"),
        (".pane-head__back--details", "main"),
        (".conversation .pane-head__back", "rooms"),
    ]:
        page.locator(link).press("Enter")
        expect(page.locator(f"#{pane}")).to_be_visible()
        page.wait_for_function(
            "pane => document.activeElement.closest(`#${pane}`)?.checkVisibility()", arg=pane
        )
