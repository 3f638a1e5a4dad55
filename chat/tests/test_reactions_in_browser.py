"""Answers, mentions, emoji and reactions, in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from chat.tests.windows import (
    SENT,
    act,
    come_to_life,
    rows,
    say,
    texts,
)

pytestmark = pytest.mark.chromium


def test_an_answer_shows_what_it_answers(visit, path, lunch, alice, bob):
    lunch.say(bob, "First **line**\n\nsecond")
    hers, his = visit(alice, path), visit(bob, path)
    first = hers.locator(SENT).first

    act(hers, first, "reply")
    expect(hers.locator(".composer__about")).to_contain_text("Bob")
    expect(hers.locator(".composer__about .quote__words")).to_have_text("First line second")
    expect(hers.locator(".composer__text")).to_be_focused()
    hers.keyboard.press("Escape")
    expect(hers.locator(".composer__about")).to_be_hidden()
    act(hers, first, "reply")
    say(hers, "An answer")

    for page in (hers, his):
        expect(page.locator(".quote:visible .quote__words")).to_have_text("First line second")
        expect(page.locator(".quote:visible bdi")).to_have_text("Bob")
    expect(hers.locator(".composer__about")).to_be_hidden()
    say(hers, "No answer")
    expect(texts(his)).to_have_count(3)
    expect(his.locator(".quote:visible")).to_have_count(1)

    his.locator(".composer__text").press("ArrowUp")
    his.locator(".composer__text").fill("Something else")
    his.locator(".composer__text").press("Enter")
    expect(hers.locator(".quote:visible .quote__words")).to_have_text("Something else")
    live = rows(hers)
    hers.reload()
    expect(hers.locator(".quote:visible")).to_have_count(1)
    come_to_life(hers)
    assert rows(hers) == live

    act(his, his.locator(SENT).first, "delete")
    his.locator("#confirm-delete [value=delete]").click()
    expect(hers.locator(".quote:visible .quote__words")).to_have_text("This message was deleted.")
    hers.locator(".quote:visible").click()
    hers.wait_for_url("**/rooms/*/3")
    expect(hers.locator("#message-3")).to_be_focused()


def test_an_answer_to_what_is_far_up(visit, path, long_history, lunch, alice, bob):
    page = visit(bob, path)
    expect(texts(page).last).to_have_text("Message 420")
    old = lunch.messages(alice, limit=1, before=10)[0]

    lunch.say(alice, "Remember?", reply_to=old["seq"])

    expect(page.locator(".quote:visible .quote__words")).to_have_text(old["content"])
    page.locator(".quote:visible").click()
    expect(page.locator(f"#message-{old['seq']}")).to_be_in_viewport()
    expect(page.locator("[data-jump]")).to_be_visible()


def test_people_and_emoji_are_completed_and_mentions_marked(visit, path, make_room, alice, bob):
    other = make_room(alice, bob, name="Other")
    hers, his = visit(alice, path), visit(bob, f"/rooms/{other.id}")
    text = hers.locator(".composer__text")

    text.press_sequentially("Hi @b")
    expect(hers.locator("word-completion [role=option]:visible")).to_have_text(
        [re.compile("Bob.*@bob")]
    )
    expect(text).to_have_attribute("aria-activedescendant", re.compile("."))
    text.press("Enter")
    expect(text).to_have_value("Hi @bob ")
    expect(hers.locator("word-completion [role=option]:visible")).to_have_count(0)
    text.press_sequentially(":tada")
    expect(hers.locator("word-completion [role=option]:visible").first).to_contain_text(":tada:")
    text.press("Escape")
    expect(hers.locator("word-completion")).to_be_hidden()
    expect(text).to_have_value("Hi @bob :tada")
    text.press("Backspace")
    text.press_sequentially("a")
    expect(hers.locator("word-completion [role=option]:visible").first).to_contain_text(":tada:")
    text.press("Tab")
    expect(text).to_have_value("Hi @bob 🎉 ")
    text.press_sequentially("(:smile:")
    expect(text).to_have_value("Hi @bob 🎉 (😄")
    text.press_sequentially(") :nothing: at 10:30:00")
    expect(text).to_have_value("Hi @bob 🎉 (😄) :nothing: at 10:30:00")
    text.press("Enter")

    expect(hers.locator("mark")).to_have_text("@bob")
    item = his.locator(".room:not([data-mentions='0'])")
    expect(item.locator(".room__name")).to_have_text("Lunch")
    expect(item.locator("[data-field=unread-text]")).to_contain_text("you are mentioned")
    his.reload()
    expect(item).to_have_count(1)
    item.click()
    expect(his.locator(".message--to-me mark")).to_have_text("@bob")
    expect(item).to_have_count(0)


def test_reactions_come_and_go_for_everybody(visit, path, lunch, alice, bob):
    lunch.say(bob, "Cake!")
    hers, his = visit(alice, path), visit(bob, path)
    row = hers.locator(SENT)

    act(hers, row, "choose-reaction")
    expect(hers.locator("emoji-picker input")).to_be_focused()
    hers.keyboard.type("heart")
    expect(hers.locator(".picker__emoji").first).to_have_text("❤️")
    hers.keyboard.press("Enter")
    chip = his.locator(".chip")
    expect(chip).to_have_text("❤️ 1")
    expect(chip).to_have_attribute("title", "\u2068Alice\u2069")
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.focus()
    chip.press("Enter")
    for page in (hers, his):
        expect(page.locator(".chip")).to_have_text("❤️ 2")
        expect(page.locator(".chip")).to_have_attribute("aria-pressed", "true")
    live = rows(hers)
    hers.reload()
    come_to_life(hers)
    assert rows(hers) == live

    hers.locator(".chip").click()
    expect(chip).to_have_text("❤️ 1")
    chip.press("Enter")
    expect(chip).to_have_count(0)
    expect(his.locator("[data-act=choose-reaction]")).to_be_focused()  # not lost with the chip
    expect(hers.locator(".chip")).to_have_count(0)
    assert lunch.messages(alice)[0]["reactions"] == {}


def test_the_emoji_picker_by_keyboard(visit, path, alice):
    page = visit(alice, path)
    page.locator(".composer__text").fill("Good ")
    page.get_by_role("button", name="Emoji").click()
    cells = page.locator(".picker__emoji")
    expect(cells.first).to_be_visible()
    first, second = cells.nth(0).inner_text(), cells.nth(1).inner_text()

    page.keyboard.press("ArrowDown")
    expect(cells.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cells.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("document.activeElement.textContent")
    assert below not in (first, second)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("emoji-picker input")).to_be_focused()
    page.keyboard.type("no such emoji")
    expect(page.get_by_text("No emoji is called that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("emoji-picker")).to_be_hidden()
    page.get_by_role("button", name="Emoji").click()
    expect(cells.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".composer__text")).to_have_value(f"Good {second}")
    expect(page.locator(".composer__text")).to_be_focused()


def test_emoji_that_cannot_be_fetched(visit, path, alice):
    page = visit(alice, path)
    come_to_life(page)
    button = page.get_by_role("button", name="Emoji")

    page.context.set_offline(True)
    button.click()
    expect(page.locator("[data-part=complaint]")).to_have_text("The service does not answer.")
    expect(page.locator("emoji-picker")).to_be_hidden()
    page.context.set_offline(False)
    expect(page.locator("[data-part=complaint]")).to_have_text("")
    button.click()

    expect(page.locator(".picker__emoji").first).to_be_visible()


def test_a_reaction_while_the_connection_is_away(visit, path, lunch, alice, bob):
    lunch.say(bob, "Cake!")
    page = visit(alice, path)
    come_to_life(page)
    lunch_id = lunch.messages(bob)[0]["id"]
    alice.http.put(f"{lunch.path}/messages/{lunch_id}/reactions/👍")
    expect(page.locator(".chip")).to_have_text("👍 1")

    page.context.set_offline(True)
    page.locator(".chip").click()
    expect(page.locator(".chip")).to_have_count(0)
    bob.http.put(f"{lunch.path}/messages/{lunch_id}/reactions/🎉")
    page.context.set_offline(False)

    expect(page.locator(".chip[value='🎉']")).to_have_text("🎉 1")
    # Either it was sent in the end, or it is taken back here and said so: never something else.
    page.wait_for_function(
        """async ([path]) => {
            const answer = await (await fetch(path)).json()
            const there = Object.keys(answer[0].reactions).sort().join()
            const shown = [...document.querySelectorAll(".chip")].map((chip) => chip.value)
            return there === shown.sort().join()
        }""",
        arg=[f"{lunch.path}/messages"],
    )
