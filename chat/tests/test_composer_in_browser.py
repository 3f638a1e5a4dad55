"""Writing a message, in a real Chromium: drafts, files, refusals."""

import pytest
from playwright.sync_api import expect

from chat.tests.windows import (
    PLAN,
    SENT,
    act,
    come_to_life,
    say,
    texts,
)
from media_upload.tests import samples

pytestmark = pytest.mark.chromium


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
