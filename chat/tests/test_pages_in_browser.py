"""The pages in a real Chromium: hostile words, formatted text, keys, narrow screens, no scripts."""

import re

import pytest
from playwright.sync_api import expect

from chat.formatting import formatted
from chat.tests import formatted_texts
from chat.tests.hostile_texts import HOSTILE
from chat.tests.windows import (
    NARROW,
    SENT,
    come_to_life,
    log_in,
    say,
    texts,
)
from media_upload.tests import samples

pytestmark = pytest.mark.chromium


def test_no_token_is_kept_where_scripts_reach_it(visit, path, alice):
    page = visit(None, f"/login?next={path}")
    log_in(page, alice)
    say(page, "Hello")
    expect(texts(page)).to_have_count(1)

    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")

    assert "eyJ" not in kept
    assert "sessionid" not in kept


def test_logging_out_everywhere_ends_every_window(visit, path, alice):
    page = visit(alice, path)
    expect(page.locator(".composer__text")).to_be_visible()
    come_to_life(page)

    alice.http.post("/auth/logout_all")

    page.wait_for_url("**/login?next=*")


# Hostile words


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_messages_are_text(visit, make_room, alice, bob, text):
    room = make_room(alice, bob, name=text)
    his = visit(bob, f"/rooms/{room.id}")
    come_to_life(his)
    room.say(alice, text)
    expect(texts(his)).to_have_text([text])

    his.reload()

    expect(texts(his)).to_have_text([text])
    expect(his.locator("h1")).to_have_text(text)
    expect(his.locator(".room__preview [data-field=preview]")).to_contain_text(text[-8:])
    assert his.locator(".messages [onclick], .messages [onerror], .messages script").count() == 0
    for anchor in his.locator(".message__text a").all():
        assert re.match(r"https?://", anchor.get_attribute("href"))


# Formatted text


def test_a_text_is_formatted_alike_by_the_server_and_the_browser(visit, chromium, alice):
    page = visit(alice)
    live = page.evaluate(
        """async ([texts, names]) => {
            const { format, prepare } = await import("#formatting")
            await prepare()
            const box = document.createElement("div")
            return texts.map((text) => (format(box, text, names), box.innerHTML))
        }""",
        [formatted_texts.TEXTS, formatted_texts.NAMES],
    )
    served = [formatted(text, formatted_texts.NAMES) for text in formatted_texts.TEXTS]
    context = chromium.new_context()
    as_parsed = context.new_page().evaluate(
        """(served) => {
            const box = document.createElement("div")
            return served.map((html) => ((box.innerHTML = html), box.innerHTML))
        }""",
        served,
    )
    context.close()

    for text, mine, theirs in zip(formatted_texts.TEXTS, live, as_parsed, strict=True):
        assert mine == theirs, text
        assert not re.search(
            r"<(?!/?(a|blockquote|br|code|em|li|mark|ol|p|pre|s|strong|ul)\b)", mine
        )
        for href in re.findall(r'href="([^"]*)"', mine):
            assert re.match(r"(?i)(https?://|mailto:)", href), text
    assert sum("<a " in html for html in live) > 10
    assert sum("<mark" in html for html in live) > 10


def test_what_formats_is_fetched_again_after_a_failure(visit, path, lunch, alice, bob):
    page = visit(alice, path)
    come_to_life(page)
    page.route("**/markdown-it*", lambda route: route.abort())
    lunch.say(bob, "It is *plain*")
    expect(texts(page)).to_have_text(["It is *plain*"])
    expect(texts(page).locator("em")).to_have_count(0)

    page.unroute("**/markdown-it*")
    lunch.say(bob, "It is *formatted*")

    expect(texts(page).last.locator("em")).to_have_text("formatted")


# Keys, narrow screens, no scripts


def test_keys(visit, path, make_room, alice, bob):
    for name in ("One", "Two", "Three"):
        make_room(alice, bob, name=name).say(bob, "Hello")
    page = visit(alice, path)
    come_to_life(page)

    page.keyboard.press("Control+k")
    expect(page.locator("#switcher")).to_be_visible()
    expect(page.locator("#switcher [role=option]")).to_have_count(4)
    expect(page.locator("#switcher .room__unread:visible")).to_have_count(3)
    page.keyboard.type("tw")
    expect(page.locator("#switcher [role=option] [data-field=name]")).to_have_text(["Two"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Two")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("h1")).to_have_text("Three")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("h1")).to_have_text("Two")
    expect(page.locator(".composer__text")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator("#switcher")).to_be_hidden()
    expect(page.locator(".composer__text")).to_be_focused()
    page.keyboard.type("?")
    expect(page.locator(".composer__text")).to_have_value("?")
    page.keyboard.press("Alt+Shift+ArrowUp")  # where all is read
    page.keyboard.press("Alt+Shift+ArrowDown")
    expect(page.locator("h1")).to_have_text("One")
    page.locator("message-list").focus()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    # The same key of a Persian keyboard, which Playwright does not know.
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '؟', bubbles: true}))"
    )
    expect(page.locator("#keys")).to_be_visible()


def test_one_pane_at_a_time_on_a_phone(visit, lunch, alice, path):
    page = visit(alice, size=NARROW)
    expect(page.locator("room-list")).to_be_visible()
    expect(page.locator("#main")).to_be_hidden()

    page.locator(".room").click()
    expect(page.locator("h1")).to_have_text("Lunch")
    expect(page.locator("room-list")).to_be_hidden()
    page.get_by_role("link", name="Members and details").click()
    expect(page.locator(".member")).to_have_count(2)
    expect(page.locator(".composer__text")).to_be_hidden()
    page.go_back()
    expect(page.locator(".composer__text")).to_be_visible()
    page.go_back()
    expect(page.locator("room-list")).to_be_visible()
    page.go_forward()
    expect(page.locator("h1")).to_be_visible()
    page.get_by_role("link", name="Back to the rooms").click()
    expect(page.locator("room-list")).to_be_visible()
    overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(overflow)


def test_what_can_be_done_with_a_message_on_a_phone(visit, path, lunch, alice, bob):
    lunch.say(bob, "One")
    lunch.say(bob, "Two")
    page = visit(alice, path, size=NARROW, has_touch=True, is_mobile=True)
    row, other = page.locator(SENT).first, page.locator(SENT).last
    more = row.locator("summary")
    expect(more).to_be_visible()
    size = more.bounding_box()
    assert min(size["width"], size["height"]) >= 24
    expect(row.get_by_role("link", name="Reply")).to_be_hidden()

    more.tap()
    expect(row.get_by_role("link", name="Reply")).to_be_visible()
    other.locator("summary").tap()
    expect(row.get_by_role("link", name="Reply")).to_be_hidden()
    other.get_by_role("link", name="Reply").tap()
    expect(page.locator(".composer__about .quote__words")).to_have_text("Two")
    expect(other.get_by_role("link", name="Reply")).to_be_hidden()
    more.focus()
    more.press("Enter")
    more.press("Tab")
    expect(row.get_by_role("link", name="React")).to_be_focused()


def test_with_a_mouse_there_is_no_button_for_it(visit, path, lunch, alice, bob):
    lunch.say(bob, "One")
    page = visit(alice, path)
    row = page.locator(SENT)
    expect(row.locator("summary")).to_be_hidden()
    row.get_by_role("link", name="Reply").focus()

    expect(row.locator(".message__actions")).to_have_css("opacity", "1")


def test_persian(visit, path, lunch, alice, bob):
    alice.http.patch("/auth/users/me", json={"language": "fa"})
    page = visit(alice, path)

    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    lunch.say(bob, "سلام، ساعت ۱۰")
    expect(texts(page)).to_have_text(["سلام، ساعت ۱۰"])
    expect(page.locator(".message__time")).to_have_text(re.compile("^[۰-۹]{1,2}:[۰-۹]{2}$"))
    expect(page.locator(".message__time local-time")).to_have_attribute(
        "title", re.compile("[۰-۹]{4}")
    )
    expect(page.locator(".day").first).to_have_text("امروز")
    rooms, main = page.locator("#rooms").bounding_box(), page.locator("#main").bounding_box()
    assert rooms["x"] > main["x"]


def test_emoji_by_their_persian_names(visit, path, alice):
    alice.http.patch("/auth/users/me", json={"language": "fa"})
    page = visit(alice, path)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.locator("[data-act=choose-emoji]").click()
    cells = page.locator(".picker__emoji")
    expect(cells.first).to_be_visible()
    assert any("emoji-words/fa" in url for url in fetched)

    for words, emoji, title in (("قلب قرمز", "❤️", "قلب قرمز"), ("heart", "❤️", "قلب قرمز")):
        page.locator("emoji-picker input").fill(words)
        expect(page.locator(f".picker__emoji[title='{title}']").first).to_have_text(emoji)
        expect(cells.first).to_have_text(emoji)
    page.keyboard.press("Escape")
    page.locator(".composer__text").press_sequentially(":قلب")
    options = page.locator("word-completion [role=option]:visible")
    expect(options.first).to_contain_text("قلب")
    options.first.click()
    expect(page.locator(".composer__text")).not_to_have_value(re.compile("قلب"))


def test_without_a_script(visit, path, lunch, alice, bob):
    lunch.fill(bob, [f"Message {number}" for number in range(60)])
    page = visit(alice, path, java_script_enabled=False)

    expect(texts(page).last).to_be_in_viewport()  # a page opens at its end, also so
    page.get_by_role("link", name="Older messages").click()
    expect(texts(page).first).to_have_text("Message 0")
    page.get_by_role("link", name="Latest messages").click()
    page.locator(".composer__text").fill("No script")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": samples.image("PNG", (30, 20))}
    )
    page.get_by_role("button", name="Send").click()
    expect(texts(page).last).to_have_text("No script")
    expect(page.locator(f"{SENT} img")).to_be_visible()
    page.locator(SENT).last.hover()
    page.get_by_role("link", name="Edit the message").last.click()
    page.get_by_role("textbox").fill("No script at all")
    page.get_by_role("button", name="Save").click()
    expect(texts(page).last).to_have_text("No script at all")

    page.locator(SENT).nth(-2).hover()
    page.get_by_role("link", name="Reply").nth(-2).click()
    expect(page.locator(".composer__about")).to_contain_text("Bob")
    page.locator(".composer__text").fill("An answer")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".quote:visible .quote__words")).to_have_text("Message 59")
    page.locator(SENT).last.hover()
    page.get_by_role("link", name="React").last.click()
    page.get_by_role("button", name="👍").click()
    chip = page.locator(".chip", has_text="👍")
    expect(chip).to_have_text("👍 1")
    chip.click()
    expect(chip).to_have_count(0)
    page.locator(".quote:visible").click()
    expect(page.locator(SENT, has_text="Message 59").first).to_be_in_viewport()
    page.get_by_role("button", name="Bob").first.click()
    expect(page.locator("h1")).to_have_text("Bob")
