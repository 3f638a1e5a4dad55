"""The chat's pages in a real Chromium: people at once, faults in the middle, hostile words."""

import re

import pytest
from bson import ObjectId
from playwright.sync_api import expect

from acceptance.waiting import eventually
from chat import actions
from chat.formatting import formatted
from chat.models import Entry
from chat.tests import formatted_texts
from chat.tests.hostile_texts import HOSTILE
from chat.tests.windows import (
    NARROW,
    SENT,
    act,
    come_to_life,
    is_at_end,
    log_in,
    rows,
    say,
    scroll_to,
    texts,
)
from chatservice.realtime.loop import run
from media_upload.tests import samples

pytestmark = pytest.mark.chromium

PLAN = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"noodles"}


@pytest.fixture
def path(lunch):
    return f"/rooms/{lunch.id}"


# Two people


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


def test_the_files_of_a_message_stay_when_it_is_edited(visit, path, alice, bob):
    hers, his = visit(alice, path), visit(bob, path)
    hers.locator("input[type=file]").set_input_files([PLAN])
    expect(hers.locator(".upload[data-url]")).to_have_count(1)
    say(hers, "The plan")
    expect(his.locator(".file__name")).to_have_text("plan.txt")
    for is_reloaded in (False, True):
        if is_reloaded:
            hers.reload()
            come_to_life(hers)
        words = texts(hers).inner_text()

        hers.locator(".composer__text").press("ArrowUp")
        expect(hers.locator(".composer__text")).to_have_value(words)
        say(hers, f"{words}, edited")

        for page in (hers, his):
            expect(texts(page)).to_have_text(f"{words}, edited")
            expect(page.locator(".file__name")).to_have_text("plan.txt")


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


def test_files_with_progress_and_without_a_text(visit, path, alice, bob):
    hers, his = visit(alice, path), visit(bob, path)
    image = samples.image("PNG", (300, 200))

    hers.locator("input[type=file]").set_input_files(
        [
            {"name": "my pic.png", "mimeType": "image/png", "buffer": image},
            {"name": "یادداشت.txt", "mimeType": "text/plain", "buffer": b"a"},
            {"name": "broken.png", "mimeType": "image/png", "buffer": b"no image"},
            {"name": "not this.txt", "mimeType": "text/plain", "buffer": b"a"},
        ]
    )
    expect(hers.locator(".upload[data-url]")).to_have_count(4)
    hers.locator(".upload", has_text="not this").get_by_role("button").click()
    hers.locator(".composer__text").press("Enter")

    for page in (hers, his):
        expect(page.locator(f"{SENT} img[alt='my pic.png']")).to_have_js_property(
            "naturalWidth", 300
        )
        names = page.locator(f"{SENT} .file:not(.file--image) .file__name")
        expect(names).to_have_text(["یادداشت.txt", "broken.png"])
        expect(texts(page)).to_have_count(0)


def test_a_file_that_is_refused(visit, path, alice):
    page = visit(alice, path)

    page.locator("input[type=file]").set_input_files(
        {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""}
    )

    expect(page.locator("[data-part=complaint]")).to_contain_text("empty.txt")
    expect(page.locator("[data-part=complaint]")).to_contain_text("The file is empty.")
    expect(page.locator(".upload")).to_have_count(0)


def test_a_file_that_did_not_arrive_is_sent_again(visit, path, lunch, alice, bob):
    hers, his = visit(alice, path), visit(bob, path)
    come_to_life(hers)
    picker = hers.locator("input[type=file]")
    retry = hers.locator(".upload").get_by_role("button", name="Retry")
    hers.route("**/upload_media/", lambda route: route.abort())
    picker.set_input_files([PLAN, {**PLAN, "name": "other.txt"}])
    expect(retry).to_have_count(2)
    expect(hers.locator("[data-part=complaint]")).to_contain_text("was not uploaded")
    hers.locator(".upload", has_text="plan.txt").get_by_role("button", name="Retry").click()
    expect(retry).to_have_count(2)  # in vain
    say(hers, "The plan comes in a moment")
    expect(texts(his)).to_have_text(["The plan comes in a moment"])

    hers.unroute("**/upload_media/")
    hers.locator(".upload", has_text="plan.txt").get_by_role("button", name="Retry").press("Enter")

    expect(hers.locator(".upload[data-url]")).to_have_text("plan.txt")
    expect(hers.locator("[data-part=complaint]")).to_be_hidden()
    expect(hers.locator(".composer__text")).to_be_focused()
    hers.locator(".upload", has_text="other.txt").get_by_label("Remove the file").click()
    expect(retry).to_have_count(0)
    hers.keyboard.press("Enter")
    link = his.locator(f"{SENT} .file > a")
    expect(link).to_have_text("plan.txt")
    assert bob.http.get(link.get_attribute("href")).content == PLAN["buffer"]


# Rooms


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
    for number in range(30):
        lunch.say(alice, f"Message {number}")
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


# History


@pytest.fixture
def long_history(lunch, alice):
    for number in range(1, 421):
        lunch.say(alice, f"Message {number}")


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


# Faults


def test_a_restart_in_the_middle_loses_and_doubles_nothing(
    visit, start_server, path, alice, bob, lunch
):
    server = start_server()
    hers, his = visit(alice, path, url=server.url), visit(bob, path, url=server.url)
    say(hers, "Before")
    expect(texts(his)).to_have_text(["Before"])
    expect(hers.locator(".message--pending")).to_have_count(0)

    server.kill()
    expect(hers.locator("connection-state [data-when=offline]")).to_be_visible()
    say(hers, "During one")
    say(hers, "During two")
    expect(hers.locator(".message--pending")).to_have_count(2)
    lunch.say(bob, "By another server")
    start_server(port=server.port)

    expected = ["Before", "By another server", "During one", "During two"]
    for page in (hers, his):
        expect(texts(page)).to_have_text(expected)
        expect(page.locator("connection-state [data-when=offline]")).to_be_hidden()
    expect(hers.locator(".message--pending")).to_have_count(0)
    assert [message["content"] for message in lunch.messages(bob)] == expected


def test_an_answer_that_never_comes_says_nothing_twice(visit, path, alice, bob, lunch):
    """The message is stored, and the acknowledgement is lost with the connection."""
    page = visit(alice, path)
    expect(page.locator(".composer__text")).to_be_visible()
    come_to_life(page)
    page.context.set_offline(True)
    say(page, "Is anybody there?")
    expect(page.locator(".message--pending")).to_have_count(1)
    page.context.set_offline(False)

    expect(texts(page)).to_have_text(["Is anybody there?"])
    assert len(lunch.messages(bob)) == 1


def test_what_waited_for_the_connection_goes_before_what_is_written_then(visit, path, alice, lunch):
    page = visit(alice, path)
    page.route("**/socket.io/**", lambda route: route.abort())
    page.reload()
    say(page, "While away")
    expect(page.locator(".message--pending")).to_have_count(1)
    page.evaluate(
        """document.addEventListener("chat:connected", () => {
            document.querySelector(".composer__text").value = "At once"
            document.querySelector("form.composer").requestSubmit()
        }, { once: true })"""
    )
    page.unroute("**/socket.io/**")

    expect(texts(page)).to_have_count(2)
    said = [message["content"] for message in lunch.messages(alice)]
    assert said == ["While away", "At once"]


def test_a_message_that_is_refused_can_be_tried_again_or_dropped(visit, path, alice, bob, lunch):
    page = visit(alice, path)

    say(page, "x" * 8_001)
    failed = page.locator(".message--failed")
    expect(failed).to_contain_text("At most 8000 characters")
    failed.get_by_role("button", name="Retry").press("Enter")
    expect(failed).to_contain_text("At most 8000 characters")
    expect(failed).to_be_focused()
    page.reload()
    expect(failed).to_contain_text("At most 8000 characters")
    failed.get_by_role("button", name="Discard").click()
    expect(failed).to_have_count(0)
    page.reload()
    expect(page.locator(".composer__text")).to_be_visible()
    expect(failed).to_have_count(0)
    assert lunch.messages(bob) == []


def test_windows_of_one_person_keep_what_each_could_not_send(visit, path, alice, bob, lunch):
    page = visit(alice, path)
    other = page.context.new_page()
    other.goto(path)
    for window in (page, other):
        come_to_life(window)
    page.context.set_offline(True)
    say(page, "From one")
    say(other, "From the other")
    for window in (page, other):
        expect(window.locator(".message--pending")).to_have_count(1)
        window.close(run_before_unload=False)
    context = other.context
    context.set_offline(False)

    context.new_page().goto(path)

    eventually(lambda: len(lunch.messages(bob)) == 2)
    said = {message["content"] for message in lunch.messages(bob)}
    assert said == {"From one", "From the other"}


def test_another_room_while_the_connection_is_away(visit, path, make_room, alice, bob):
    make_room(alice, bob, name="Other")
    page = visit(alice, path)
    come_to_life(page)
    page.context.set_offline(True)
    page.locator(".composer__text").fill("Half a thou")

    page.locator(".room", has_text="Other").click()

    expect(page.locator("[data-part=complaint]")).to_have_text("The service does not answer.")
    expect(page.locator("h1")).to_have_text("Lunch")
    expect(page.locator(".composer__text")).to_have_value("Half a thou")
    page.context.set_offline(False)
    page.locator(".room", has_text="Other").click()
    expect(page.locator("h1")).to_have_text("Other")


def test_what_is_refused_can_be_written_again(visit, path, alice, lunch):
    page = visit(alice, path)
    text = page.locator(".composer__text")
    say(page, "Which one?")
    act(page, page.locator(SENT).first, "reply")
    page.locator(".composer input[type=file]").set_input_files(PLAN)
    expect(page.locator(".upload[data-url]")).to_have_count(1)
    say(page, "x" * 8_001)
    failed = page.locator(".message--failed")
    expect(failed).to_contain_text("At most 8000 characters")
    page.reload()

    failed.get_by_role("button", name="Edit").click()

    expect(failed).to_have_count(0)
    expect(text).to_be_focused()
    expect(text).to_have_value("x" * 8_001)
    expect(page.locator(".composer__about")).to_contain_text("Which one?")
    expect(page.locator(".composer .file__name")).to_have_text("plan.txt")
    say(page, "That one")
    answer = page.locator(SENT).last
    expect(texts(page)).to_have_text(["Which one?", "That one"])
    expect(answer.locator(".quote")).to_contain_text("Which one?")
    expect(answer.locator(".file__name")).to_have_text("plan.txt")
    page.reload()
    expect(page.locator(".message")).to_have_count(2)
    expect(text).to_have_value("")


def test_a_draft_survives_a_reload_and_a_change_of_rooms(visit, path, make_room, alice, bob):
    make_room(alice, bob, name="Other")
    page = visit(alice, path)
    page.locator(".composer__text").fill("Half a thou")
    page.locator(".room", has_text="Other").click()
    expect(page.locator("h1")).to_have_text("Other")
    expect(page.locator(".composer__text")).to_have_value("")
    page.go_back()
    expect(page.locator(".composer__text")).to_have_value("Half a thou")
    page.reload()
    expect(page.locator(".composer__text")).to_have_value("Half a thou")

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0


def test_rooms_are_found_by_either_spelling_of_their_names(visit, path, make_room, alice, bob):
    make_room(alice, bob, name="باشگاه کتاب‌های ایرانی")
    page = visit(alice, path)
    come_to_life(page)
    names = page.locator(".room:visible .room__name")

    page.get_by_placeholder("Filter").fill("كتاب هاي ايراني")

    expect(names).to_have_text(["باشگاه کتاب‌های ایرانی"])
    page.get_by_placeholder("Filter").fill("lun")
    expect(names).to_have_text(["Lunch"])


def test_a_window_leaves_alone_what_another_has_drafted(visit, path, make_room, alice, bob):
    make_room(alice, bob, name="Other")
    page = visit(alice, path)
    other = page.context.new_page()
    other.goto(path)
    come_to_life(other)
    page.locator(".composer__text").fill("Half a thou")

    other.locator(".room", has_text="Other").click()
    expect(other.locator("h1")).to_have_text("Other")

    page.reload()
    expect(page.locator(".composer__text")).to_have_value("Half a thou")


def test_an_upload_goes_on_when_one_looks_elsewhere(visit, path, make_room, alice, bob):
    make_room(alice, bob, name="Other")
    page = visit(alice, path)
    come_to_life(page)
    waiting = []
    page.route("**/upload_media/", lambda route: waiting.append(route))
    page.locator(".composer input[type=file]").set_input_files(PLAN)
    expect(page.locator(".upload")).to_have_count(1)
    page.locator(".room", has_text="Other").click()
    expect(page.locator("h1")).to_have_text("Other")

    with page.expect_response("**/upload_media/"):
        waiting[0].continue_()
    page.go_back()

    expect(page.locator(".composer .file__name")).to_have_text("plan.txt")


def test_a_draft_keeps_what_it_answers_and_its_files(visit, path, lunch, alice, bob):
    lunch.say(bob, "Which one?")
    page = visit(alice, path)
    text = page.locator(".composer__text")
    act(page, page.locator(SENT).first, "reply")
    text.fill("That")
    page.locator(".composer input[type=file]").set_input_files(PLAN)
    expect(page.locator(".upload[data-url]")).to_have_count(1)

    page.reload()

    expect(text).to_have_value("That")
    expect(page.locator(".composer__about")).to_contain_text("Bob Which one?")
    expect(page.locator(".composer .file__name")).to_have_text("plan.txt")
    act(page, page.locator(SENT).first, "reply")
    page.get_by_role("link", name="Cancel").click()
    expect(text).to_have_value("That")
    page.get_by_role("button", name="Remove the file").click()
    page.reload()
    expect(text).to_have_value("That")
    expect(page.locator(".composer__about")).to_be_hidden()
    expect(page.locator(".composer .file__name")).to_have_count(0)


def test_to_empty_a_message_is_to_delete_it(visit, path, lunch, alice):
    lunch.say(alice, "Never mind")
    page = visit(alice, path)
    text = page.locator(".composer__text")
    text.fill("")
    text.press("ArrowUp")
    expect(text).to_have_value("Never mind")
    say(page, "")
    expect(page.locator("#confirm-delete")).to_be_visible()
    page.keyboard.press("Escape")
    expect(texts(page)).to_have_text(["Never mind"])
    expect(text).to_have_value("")
    text.press("ArrowUp")
    say(page, "")
    page.locator("#confirm-delete").get_by_role("button", name="Delete the message").click()
    expect(page.locator(".message--deleted")).to_have_count(1)


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


def test_the_room_log_in_the_page(visit, alice):
    """Whatever arrives, twice or in any order, comes out once and in order."""
    page = visit(alice)
    page.wait_for_function("document.querySelector('connection-state') !== null")

    came_out = page.evaluate(
        """async () => {
            const { RoomLog } = await import("#live")
            const log = new RoomLog(3)
            const out = []
            const missing = []
            for (const seq of [2, 3, 5, 5, 7, 4, 4, 5, 6, 9, 1]) {
                out.push(...log.take({ seq }).map((entry) => entry.seq))
                missing.push(log.isMissing)
            }
            out.push(...log.restart(8).map((entry) => entry.seq))
            return { out, missing, seq: log.seq, isMissing: log.isMissing }
        }"""
    )

    assert came_out["out"] == [4, 5, 6, 7, 9]
    assert came_out["missing"] == [
        False,
        False,
        True,
        True,
        True,
        True,
        True,
        True,
        False,
        True,
        True,
    ]
    assert (came_out["seq"], came_out["isMissing"]) == (9, False)


def test_what_a_command_wrote_that_no_server_heard_of_is_found(visit, path, lunch, alice, bob):
    page = visit(bob, path)
    # Half minutes pass faster, from the next page on.
    page.add_init_script(
        "const start = window.setInterval; window.setInterval = (run, ms) => start(run, ms / 100)"
    )
    page.reload()
    # This process is as one of `manage.py` without Redis.
    written = actions.post_message(
        actor=alice.user, room_id=ObjectId(lunch.id), content="by a command", via=Entry.Via.REST
    )
    run(written)

    expect(texts(page)).to_have_text(["by a command"])


def test_lost_events_are_asked_for(visit, path, lunch, alice, bob):
    """The transport drops every other event; the page misses nothing."""
    page = visit(bob, path)
    come_to_life(page)
    page.evaluate(
        """() => document.addEventListener("chat:room_event", (event) => {
            if (event.detail.seq % 2) event.stopImmediatePropagation()
        }, true)"""
    )

    for number in range(10):
        lunch.say(alice, f"Message {number}")
    lunch.say(alice, "One more")  # a loss shows at the next one that arrives
    lunch.say(alice, "And another")

    said = [f"Message {number}" for number in range(10)]
    expect(texts(page)).to_contain_text([*said, "One more"])


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


# Answers, mentions, reactions


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
    for number in range(60):
        lunch.say(bob, f"Message {number}")
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
