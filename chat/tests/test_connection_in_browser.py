"""A connection that comes and goes, in a real Chromium: nothing lost, nothing twice."""

import pytest
from bson import ObjectId
from playwright.sync_api import expect

from acceptance.waiting import eventually
from chat import actions
from chat.models import Entry
from chat.tests.windows import (
    come_to_life,
    say,
    texts,
)
from chatservice.realtime.loop import run

pytestmark = pytest.mark.chromium


@pytest.mark.faults
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
