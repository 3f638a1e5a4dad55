"""Journeys of two and three people at once, in a real Chromium: what one does, the others see."""

import re

import pytest
from playwright.sync_api import expect

from chat.tests.hostile_texts import HOSTILE
from chat.tests.windows import NARROW, SENT, act, come_to_life, log_in, rows, say, texts
from conftest import Person, signed_up
from media_upload.tests import samples

pytestmark = pytest.mark.chromium

PHONE = {"size": NARROW, "is_mobile": True, "has_touch": True}
PERSIAN = {"locale": "fa-IR"}
SCROLLS_SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def team(make_room, alice, bob, carol):
    """A room of three people, one of whom reads Persian."""
    speak_persian(bob)
    return make_room(alice, bob, carol, name="Team")


def speak_persian(person):
    assert person.http.patch("/auth/users/me", json={"language": "fa"}).status_code == 200


def be_connected(*pages, people):
    """Wait until every window has been told that each of the `people` of its room is there."""
    for page in pages:
        expect(page.locator(".member .dot:not([hidden])")).to_have_count(people)


def typing(page):
    return page.locator("[data-part=typing]")


def seen(page):
    return page.locator("[data-part=seen]")


def item(page, name):
    """A room in the list."""
    return page.locator(".room", has=page.locator(".room__name", has_text=name))


def ground(page):
    return page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")


def reconnecting(page):
    return page.locator("connection-state [data-when=offline]")


def tap_action(row, name):
    """Where nothing hovers, what can be done with a message is in a menu."""
    row.locator("summary").tap()
    row.locator(f"[data-act={name}]:visible").tap()


def reload(page):
    """What has come live must be as the server makes it."""
    live = rows(page), page.locator(".note").all_inner_texts(), page.title()
    page.reload()
    come_to_life(page)
    assert (rows(page), page.locator(".note").all_inner_texts(), page.title()) == live


# Three people at once


def test_three_people_see_the_same(visit, team, alice, bob, carol):
    path = f"/rooms/{team.id}"
    hers, carols = visit(alice, path), visit(carol, path, color_scheme="dark")
    his = visit(bob, path, **PHONE, **PERSIAN)
    windows = (hers, his, carols)
    be_connected(*windows, people=3)
    assert ground(carols) != ground(hers)

    his.locator(".composer__text").press_sequentially("سلام")
    expect(typing(hers)).to_contain_text("\u2068Bob\u2069")
    carols.locator(".composer__text").press_sequentially("On my way")
    expect(typing(hers)).to_contain_text("\u2068Carol\u2069")
    expect(typing(his)).to_have_text("\u2068Carol\u2069 در حال نوشتن است…")
    his.locator(".composer__send").tap()
    for page in windows:
        expect(texts(page)).to_have_text(["سلام"])
    expect(typing(hers)).not_to_contain_text("Bob")

    act(carols, carols.locator(SENT), "reply")
    say(carols, "Good @alice, morning")
    for page in windows:
        expect(texts(page)).to_have_text(["سلام", "Good @alice, morning"])
        expect(page.locator(".quote:visible .quote__words")).to_have_text("سلام")
        expect(page.locator(".message--to-me")).to_have_count(1 if page is hers else 0)

    act(hers, hers.locator(SENT).first, "choose-reaction")
    hers.keyboard.type("heart")
    expect(hers.locator(".picker__emoji").first).to_have_text("❤️")
    hers.keyboard.press("Enter")
    carols.locator(".chip").click()
    expect(his.locator(".chip")).to_have_text("❤️ ۲")
    his.locator(".chip").tap()
    for page, number, comma in ((hers, "3", ", "), (his, "۳", "، "), (carols, "3", ", ")):
        expect(page.locator(".chip")).to_have_text(f"❤️ {number}")
        expect(page.locator(".chip")).to_have_attribute("aria-pressed", "true")
        names = comma.join(f"\u2068{name}\u2069" for name in ("Alice", "Carol", "Bob"))
        expect(page.locator(".chip")).to_have_attribute("title", names)

    tap_action(his.locator(SENT).first, "edit")
    expect(his.locator(".composer__text")).to_have_value("سلام")
    his.locator(".composer__text").fill("سلام به همه")
    his.locator(".composer__send").tap()
    for page, mark in ((hers, "(edited)"), (his, "(ویرایش‌شده)"), (carols, "(edited)")):
        expect(texts(page).first).to_have_text("سلام به همه")
        expect(page.locator("[data-field=edited]:visible")).to_have_text(mark)
        expect(page.locator(".quote:visible .quote__words")).to_have_text("سلام به همه")

    act(carols, carols.locator(SENT).last, "delete")
    carols.locator("#confirm-delete [value=delete]").click()
    for page in windows:
        gone = "این پیام حذف شده است." if page is his else "This message was deleted."
        expect(page.locator(".message__gone:visible")).to_have_text(gone)
        expect(texts(page)).to_have_text(["سلام به همه"])

    say(hers, "All here?")
    expect(texts(his)).to_have_text(["سلام به همه", "All here?"])
    for name in ("Bob", "Carol"):
        expect(seen(hers)).to_contain_text(f"\u2068{name}\u2069")
    expect(seen(his)).to_be_empty()
    for page in windows:
        reload(page)
    assert not his.evaluate(SCROLLS_SIDEWAYS)


def test_windows_that_look_elsewhere_count_what_is_unread(
    visit, team, make_room, alice, bob, carol
):
    other = make_room(alice, carol, name="Other")
    hers = visit(alice, f"/rooms/{other.id}")
    hers_too = hers.context.new_page()
    hers_too.goto("/rooms/directory")
    his = visit(bob, "/", **PHONE, **PERSIAN)
    carols = visit(carol, f"/rooms/{team.id}")
    be_connected(hers, people=2)
    be_connected(carols, people=3)
    for page in (hers_too, his):
        come_to_life(page)

    say(carols, "Hello")
    say(carols, "Are you there, @alice?")

    for page in (hers, hers_too):
        expect(item(page, "Team").locator("[data-field=unread]")).to_have_text("2")
        expect(item(page, "Team")).to_have_attribute("data-mentions", "1")
        expect(page).to_have_title(re.compile(r"^\(2\) "))
        expect(page.locator(".room__name").first).to_have_text("Team")
    expect(item(his, "Team").locator("[data-field=unread]")).to_have_text("۲")
    expect(item(his, "Team").locator("[data-field=unread-text]")).to_have_text("۲ پیام خوانده‌نشده")
    expect(item(his, "Team")).to_have_attribute("data-mentions", "0")
    expect(his).to_have_title(re.compile(r"^\(۲\) "))
    expect(carols).not_to_have_title(re.compile(r"\("))

    for page in (hers, hers_too, his, carols):
        counts = page.locator(".room__unread:visible").all_inner_texts()
        title = page.title()
        page.reload()
        come_to_life(page)
        expect(page).to_have_title(title)
        assert page.locator(".room__unread:visible").all_inner_texts() == counts
    be_connected(carols, people=3)

    item(hers, "Team").click()
    expect(hers.locator(".new-line + .message")).to_contain_text("Hello")
    for page in (hers, hers_too):
        expect(item(page, "Team").locator(".room__unread")).to_be_hidden()
        expect(page).not_to_have_title(re.compile(r"\("))
    expect(seen(carols)).to_have_text("Seen by \u2068Alice\u2069")
    item(his, "Team").tap()
    expect(his.locator(".new-line")).to_have_text("پیام‌های تازه")
    expect(his).not_to_have_title(re.compile(r"\("))
    expect(seen(carols)).to_contain_text("\u2068Bob\u2069")


# On a phone, in Persian


def test_answers_reactions_and_completion_by_touch(visit, lunch, alice, bob):
    speak_persian(alice)
    said = lunch.say(bob, "ناهار؟")
    page = visit(alice, f"/rooms/{lunch.id}", **PHONE, **PERSIAN)
    be_connected(page, people=1)
    row, text = page.locator(SENT).first, page.locator(".composer__text")

    tap_action(row, "reply")
    expect(page.locator(".composer__about")).to_contain_text("پاسخ به")
    expect(page.locator(".composer__about .quote__words")).to_have_text("ناهار؟")
    text.press_sequentially("بله @b")
    option = page.locator("word-completion [role=option]:visible")
    expect(option).to_have_text([re.compile("Bob.*@bob")])
    expect(option).to_be_in_viewport(ratio=1)
    option.tap()
    expect(text).to_have_value("بله @bob ")
    page.locator(".composer__send").tap()
    expect(texts(page)).to_have_text(["ناهار؟", "بله @bob"])
    expect(page.locator(".quote:visible .quote__words")).to_have_text("ناهار؟")

    bob.http.put(f"{lunch.path}/messages/{said['id']}/reactions/❤️")
    expect(page.locator(".chip")).to_have_text("❤️ ۱")
    page.locator(".chip").tap()
    expect(page.locator(".chip")).to_have_text("❤️ ۲")

    picker = page.locator("emoji-picker")
    page.get_by_role("button", name="شکلک").tap()
    expect(picker).to_be_in_viewport(ratio=1)
    picker.locator(".picker__emoji").nth(3).tap()
    assert text.input_value() == picker.locator(".picker__emoji").nth(3).inner_text()
    assert not page.evaluate(SCROLLS_SIDEWAYS)


def test_a_reaction_by_touch(visit, lunch, alice, bob):
    lunch.say(bob, "Cake!")
    page = visit(alice, f"/rooms/{lunch.id}", **PHONE)
    be_connected(page, people=1)

    tap_action(page.locator(SENT), "choose-reaction")
    page.locator(".picker__emoji").nth(3).tap()

    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator(".message__actions")).to_be_hidden()


def test_the_picker_by_keyboard_from_right_to_left(visit, lunch, alice):
    speak_persian(alice)
    page = visit(alice, f"/rooms/{lunch.id}", **PHONE, **PERSIAN)
    come_to_life(page)
    cells = page.locator(".picker__emoji")
    page.get_by_role("button", name="شکلک").press("Enter")
    expect(page.locator("emoji-picker input")).to_be_focused()
    expect(cells.first).to_be_visible()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")

    expect(cells.nth(1)).to_be_focused()
    assert cells.nth(1).bounding_box()["x"] < cells.nth(0).bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    expect(cells.nth(0)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="شکلک")).to_be_focused()
    page.locator(".composer__text").press_sequentially(":tada")
    expect(page.locator("word-completion [role=option]:visible").first).to_contain_text(":tada:")
    page.keyboard.press("Enter")
    expect(page.locator(".composer__text")).to_have_value("🎉 ")


# Faults


@pytest.mark.faults
def test_a_restart_in_the_middle_of_everything(visit, start_server, lunch, alice, bob):
    """A message, a reaction, an edit and an upload, while the server is killed and begins anew."""
    speak_persian(bob)
    cake = lunch.say(bob, "Cake!")
    bob.http.put(f"{lunch.path}/messages/{cake['id']}/reactions/❤️")
    server = start_server()
    path = f"/rooms/{lunch.id}"
    hers = visit(alice, path, url=server.url)
    his = visit(bob, path, url=server.url, **PHONE, **PERSIAN)
    be_connected(hers, his, people=2)
    say(hers, "Helo")
    expect(texts(his)).to_have_text(["Cake!", "Helo"])

    act(hers, hers.locator(SENT).last, "edit")
    server.kill()
    for page, words in ((hers, "Reconnecting…"), (his, "در حال اتصال دوباره…")):
        expect(reconnecting(page)).to_be_visible()
        expect(reconnecting(page)).to_have_text(words)
    say(hers, "Hello")
    expect(hers.locator("[data-part=complaint]")).to_have_text("The service does not answer.")
    expect(hers.locator(".composer__text")).to_have_value("Hello")
    his.locator("input[type=file]").set_input_files(
        {"name": "note.txt", "mimeType": "text/plain", "buffer": b"note"}
    )
    expect(his.locator("[data-part=complaint]")).to_contain_text("note.txt")
    expect(his.locator("[data-part=complaint]")).to_contain_text("سرویس پاسخ نمی‌دهد.")
    expect(his.locator(".upload progress")).to_have_count(0)
    hers.locator(".chip").click()
    expect(hers.locator(".chip")).to_have_text("❤️ 2")
    say(his, "یک")
    say(his, "دو")
    expect(his.locator(".message--pending")).to_have_count(2)
    start_server(port=server.port)

    hers.locator(".composer__text").press("Enter")
    for page in (hers, his):
        expect(texts(page)).to_have_text(["Cake!", "Hello", "یک", "دو"])
        expect(page.locator(".message--pending")).to_have_count(0)
        expect(reconnecting(page)).to_be_hidden()
    expect(hers.locator("[data-part=complaint]")).to_be_hidden()
    his.locator(".upload").get_by_role("button", name="دوباره").tap()
    expect(his.locator(".upload[data-url]")).to_have_count(1)
    his.locator(".composer__send").tap()
    for page in (hers, his):
        expect(page.locator(".file__name")).to_have_text(["note.txt"])
    # Either the reaction was sent in the end, or it was taken back and said so: never half.
    hearts = len(lunch.messages(alice)[0]["reactions"]["❤️"])
    expect(hers.locator(".chip")).to_have_text(f"❤️ {hearts}")
    expect(his.locator(".chip")).to_have_text("❤️ ۱" if hearts == 1 else "❤️ ۲")
    for page in (hers, his):
        reload(page)


def test_what_happened_while_one_was_away(visit, team, alice, bob, carol):
    """Two windows lose the network; what the third did meanwhile is there, once and in order."""
    path = f"/rooms/{team.id}"
    for number in range(3):
        team.say(carol, f"Message {number}")
    hers, carols = visit(alice, path), visit(carol, path)
    his = visit(bob, path, **PHONE, **PERSIAN)
    be_connected(hers, his, carols, people=3)

    for page in (hers, his):
        page.context.set_offline(True)
        expect(reconnecting(page)).to_be_visible()
    act(carols, carols.locator(SENT).first, "delete")
    carols.locator("#confirm-delete [value=delete]").click()
    act(carols, carols.locator(SENT).nth(1), "edit")
    say(carols, "Message 1, edited")
    expect(texts(carols).first).to_have_text("Message 1, edited")
    act(carols, carols.locator(SENT).nth(1), "reply")
    say(carols, "Still here?")
    say(hers, "Hers")
    say(his, "او")
    for page in (hers, his):
        expect(page.locator(".message--pending")).to_have_count(1)
    hers.context.set_offline(False)
    expect(texts(carols)).to_have_count(4)
    his.context.set_offline(False)

    said = ["Message 1, edited", "Message 2", "Still here?", "Hers", "او"]
    for page in (hers, his, carols):
        expect(texts(page)).to_have_text(said)
        expect(page.locator(".message--pending")).to_have_count(0)
        expect(page.locator(".message__gone:visible")).to_have_count(1)
        expect(page.locator(".quote:visible .quote__words")).to_have_text("Message 1, edited")
        reload(page)


# Hostile names


@pytest.fixture
def tricksters(request, server):
    """People whose full names are the tricks that the service takes for a name."""
    people = []
    for number, name in enumerate(HOSTILE):
        person = signed_up(Person(f"Trickster{number}", request))
        answer = person.http.patch("/auth/users/me", json={"full_name": name})
        if answer.status_code == 200:
            person.name = answer.json()["full_name"]
            people.append(person)
    assert len(people) == 11
    return people


def test_hostile_names_of_people_are_text(visit, make_room, connect, alice, tricksters):
    room = make_room(alice, *tricksters)
    for person in tricksters:
        said = room.say(person, "Me")
    for person in tricksters:
        person.http.put(f"{room.path}/messages/{said['id']}/reactions/👍")
    page = visit(alice, f"/rooms/{room.id}")
    be_connected(page, people=1)
    devices = [connect(person, protocol=2) for person in tricksters]
    be_connected(page, people=1 + len(tricksters))
    text = page.locator(".composer__text")

    names = [person.name for person in tricksters]
    assert [name.inner_text() for name in page.locator(".member__name bdi").all()][1:] == names
    some = ", ".join(f"\u2068{name}\u2069" for name in names[:10])
    expect(page.locator(".chip")).to_have_attribute("title", f"{some}, {len(names) - 10} other")
    text.press_sequentially("@trickster")
    options = page.locator("word-completion [role=option]:visible [data-field=name]")
    expect(options).to_have_text(names[:6])
    text.press("Escape")
    say(page, "Seen?")
    expect(texts(page)).to_have_count(len(tricksters) + 1)
    last = room.messages(alice)[-1]["seq"]
    for device in devices:
        device.call("read", {"room": room.id, "seq": last})
    expect(seen(page)).to_have_text(f"Seen by {some}, {len(names) - 10} other")
    devices[1].call("typing", {"room": room.id})
    expect(typing(page)).to_have_text(f"\u2068{names[1]}\u2069 is writing…")
    room.say(tricksters[0], "Hello")
    expect(page.locator("#announcements")).to_contain_text(f"{names[0]}: Hello")
    act(page, page.locator(SENT).last, "reply")
    expect(page.locator(".composer__about bdi")).to_have_text(names[0])

    live = rows(page)
    page.reload()
    come_to_life(page)
    assert rows(page) == live
    assert nothing_is_armed(page)


def test_hostile_names_of_rooms_are_text(visit, make_room, alice, bob):
    rooms = [make_room(alice, bob, name=name, description=name) for name in HOSTILE]
    names = [alice.http.get(room.path).json()["name"] for room in rooms]
    for room in rooms[1:]:
        room.say(bob, "a needle")
    page = visit(alice, f"/rooms/{rooms[0].id}")
    come_to_life(page)
    expect(page.locator("h1")).to_have_text(names[0])

    page.keyboard.press("Control+k")
    options = page.locator("#switcher [role=option] [data-field=name]")
    expect(options).to_have_count(len(rooms))
    assert sorted(options.all_inner_texts()) == sorted(
        page.locator("room-list .room__name").all_inner_texts()
    )
    page.keyboard.press("Escape")
    for room, name in zip(rooms[1:], names[1:], strict=True):
        bob.http.patch(room.path, json={"name": name[::-1]})
        expect(page.locator(f"[data-room='{room.id}'] .room__name")).to_have_text(
            name[::-1].strip()
        )
        page.locator(f"[data-room='{room.id}'] a").click()
        expect(page.locator("h1")).to_have_text(name[::-1])
        expect(page.locator(".note").last).to_have_text(
            f"\u2068Bob\u2069 renamed the room: \u2068{name[::-1]}\u2069"
        )
        text = page.locator(".composer__text")
        expect(text).to_have_accessible_name(f"Message to {name[::-1]}")
        bob.http.patch(room.path, json={"name": name})
        expect(page.locator("h1")).to_have_text(name)
        expect(text).to_have_accessible_name(f"Message to {name}")
        expect(page).to_have_title(re.compile(re.escape(f"\u2068{name}\u2069 · Chat") + "$"))
    page.goto("/rooms/search?q=needle")
    expect(page.locator(".hit")).to_have_count(len(rooms) - 1)
    hits = page.locator(".hit bdi:nth-of-type(2)").all_inner_texts()
    assert hits == names[:0:-1]
    assert nothing_is_armed(page)


def test_hostile_names_of_files_are_text(visit, lunch, alice, bob):
    hers, his = visit(alice, f"/rooms/{lunch.id}"), visit(bob, f"/rooms/{lunch.id}")
    be_connected(hers, his, people=2)
    image = samples.image("PNG")
    plain = [{"name": name, "mimeType": "text/plain", "buffer": b"x"} for name in HOSTILE]
    images = [{"name": f"{name}.png", "mimeType": "image/png", "buffer": image} for name in HOSTILE]

    for files in (plain, images):
        hers.locator("input[type=file]").set_input_files(files)
        expect(hers.locator(".upload[data-url]")).to_have_count(len(files))
        hers.locator(".composer__text").press("Enter")

    for page in (hers, his):
        expect(page.locator(f"{SENT} .file")).to_have_count(len(plain + images))
        expect(page.locator(f"{SENT} .file img:visible")).to_have_count(len(HOSTILE))
    names = his.locator(f"{SENT} .file__name").all_text_contents()
    assert all(names)
    for page in (hers, his):
        page.reload()
        come_to_life(page)
        assert page.locator(f"{SENT} .file__name").all_text_contents() == names
        assert nothing_is_armed(page)


def nothing_is_armed(page):
    """No element of the page would run something; the `visit` fixture knows if something did."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body *")].every((element) =>
            element.getAttributeNames().every((name) => !name.startsWith("on"))
            && !/^\\s*javascript:/i.test(element.getAttribute("href") ?? "")
            && (element.localName !== "script" || element.type === "application/json"))"""
    )


# Doors that close


def test_a_room_that_is_closed_while_one_writes(visit, lunch, make_room, alice, bob):
    speak_persian(bob)
    make_room(alice, bob, name="Other")
    path = f"/rooms/{lunch.id}"
    hers, his = visit(alice, path), visit(bob, path, **PHONE, **PERSIAN)
    be_connected(hers, his, people=2)
    his.locator(".composer__text").fill("نیمه‌کاره")

    hers.get_by_text("Close the room").first.click()
    hers.get_by_role("button", name="Close the room").click()
    expect(hers.get_by_text("The room is closed:")).to_contain_text("Lunch")
    expect(item(hers, "Lunch")).to_have_count(0)

    expect(his.locator("[data-part=complaint]")).to_have_text("این اتاق بسته شد.")
    expect(his.locator(".composer__text")).to_be_disabled()
    expect(his.locator("body")).not_to_be_focused()
    expect(his.locator(".composer__text")).to_have_value("نیمه‌کاره")
    his.get_by_role("link", name="بازگشت به اتاق‌ها").tap()
    expect(item(his, "Other")).to_be_visible()
    expect(item(his, "Lunch")).to_have_count(0)
    his.go_back()
    expect(his.get_by_role("heading", level=1)).to_have_text(
        "اینجا چیزی نیست که اجازهٔ دیدنش را داشته باشید."
    )
    his.get_by_role("link", name="به صفحهٔ نخست").tap()
    expect(item(his, "Other")).to_be_visible()


def test_logging_out_in_one_tab_ends_the_other(visit, lunch, alice):
    page = visit(alice, f"/rooms/{lunch.id}")
    other = page.context.new_page()
    other.goto("/")
    be_connected(page, people=1)

    other.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login?next=*")
    expect(page.get_by_text("Your session has ended. Log in again.")).to_be_visible()
    log_in(page, alice)

    expect(page).to_have_url(re.compile(f"/rooms/{lunch.id}$"))
    expect(page.locator("h1")).to_have_text("Lunch")


def test_a_ban_in_the_admin_ends_the_open_page(visit, lunch, alice, bob, moira):
    his, hers = visit(bob, f"/rooms/{lunch.id}"), visit(moira, "/admin/accounts/user/")
    be_connected(his, people=1)

    hers.locator(f"tr:has-text('{bob.email}') input[type=checkbox]").check()
    hers.locator("select[name=action]").select_option("deactivate")
    hers.locator("button[name=index]").click()
    expect(hers.locator(".messagelist")).to_have_text("1 person is deactivated.")

    his.wait_for_url("**/login?next=*")
    his.locator("[name=username]").fill(bob.email)
    his.locator("[name=password]").fill(bob.password)
    his.locator("main .button--primary").click()
    expect(his.get_by_role("alert")).to_be_visible()


# Without scripts


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_day_without_scripts(visit, make_room, alice, bob, carol, language):
    if language == "fa":
        speak_persian(carol)
    page = visit(None, "/login?next=/", java_script_enabled=False, locale=language, **PHONE)
    main = page.locator("#main")
    log_in(page, carol)
    expect(page.locator("html")).to_have_attribute("lang", language)

    page.locator("header a[href='/rooms/new']").click()
    main.locator("[name=name]").fill("Plans")
    for field, name in zip(main.locator("[name=members]").all(), ("alice", "bob"), strict=False):
        field.fill(name)
    main.locator("form[action='/rooms/new'] .button").click()
    expect(page.locator("h1:visible")).to_have_text("Plans")
    room = page.url.rpartition("/")[2]
    page.locator("[href$='/details']").click()
    details = page.locator(".details")
    details.locator("details:has([name=name]) summary").click()
    details.locator("[name=name]").fill("برنامه‌ها")
    details.locator("details[open] .button").click()
    expect(details.get_by_role("heading", level=1)).to_have_text("برنامه‌ها")
    remove = details.locator(f"form[action$='/members/{bob.id}/remove'] button")
    remove.click()
    expect(details.locator(".member")).to_have_count(2)
    expect(remove).to_have_count(0)
    details.locator("[name=members]").fill("nobody at all")
    details.locator("form[action$='/members'] .button").click()
    expect(details.locator(".field__error")).to_contain_text("nobody at all")
    details.locator(".pane-head a").click()
    assert page.url.endswith(f"/rooms/{room}")
    page.locator(".composer__text").fill("سلام")
    page.locator(".composer__send").click()
    expect(texts(page)).to_have_text(["سلام"])

    page.locator(".pane-head__back:visible").click()
    page.locator("header a[href='/rooms/new']").click()
    main.locator("[name=user]").fill("alice")
    main.locator("form[action='/rooms/private'] .button").click()
    expect(page.locator("h1:visible")).to_have_text("Alice")
    page.locator(".composer__text").fill("Just us")
    page.locator(".composer__send").click()
    expect(texts(page)).to_have_text(["Just us"])
    assert not page.evaluate(SCROLLS_SIDEWAYS)
    page.goto("/rooms/search?q=" + "سلام")
    page.locator(".hit a").click()
    expect(texts(page)).to_have_text(["سلام"])

    page.locator("[href$='/details']").click()
    details.locator("details:has(form[action$='/leave']) summary").click()
    details.locator("form[action$='/leave'] .button").click()
    expect(page.locator(".notice")).to_contain_text("برنامه‌ها")
    page.goto("/")
    expect(page.locator(".room")).to_have_count(1)
    page.locator("form[data-log-out] button").click()
    expect(page.locator("[href^='/signup']")).to_be_visible()


# From room to room


@pytest.mark.parametrize("window", [{}, PHONE], ids=["wide", "narrow"])
def test_back_and_forward_between_rooms(visit, make_room, alice, bob, window):
    rooms = {name: make_room(alice, bob, name=name) for name in ("One", "Two", "Three")}
    for name, room in rooms.items():
        room.fill(bob, [f"{name} {number}" for number in range(60)])
    page = visit(alice, "/", **window)
    come_to_life(page)
    title = page.locator("h1:visible")

    for name in rooms:
        if window and page.locator("message-list").count():
            page.get_by_role("link", name="Back to the rooms").tap()
        item(page, name).locator("a").click()
        expect(title).to_have_text(name)
        expect(texts(page).last).to_have_text(f"{name} 59")
        expect(texts(page).last).to_be_in_viewport()
        expect(item(page, name).locator(".room__unread")).to_be_hidden()
    page.locator(SENT, has_text="Three 40").locator(".message__time").click()
    expect(page.locator(SENT, has_text="Three 40")).to_be_focused()
    say(page, "Mine")
    expect(texts(page).last).to_have_text("Mine")

    page.go_back()
    expect(texts(page).last).to_have_text("Mine")
    for name in ("Two", "One"):
        page.go_back()
        if window:
            expect(page.locator("room-list")).to_be_visible()
            page.go_back()
        expect(title).to_have_text(name)
        expect(texts(page).last).to_be_in_viewport()
    page.go_back()
    if window:
        expect(page.locator("room-list")).to_be_visible()
    expect(page.locator("message-list")).to_have_count(0)
    page.go_forward()
    expect(title).to_have_text("One")
    expect(page.locator(".room [aria-current]")).to_contain_text("One")
    rooms["One"].say(bob, "News")
    expect(texts(page).last).to_have_text("News")


@pytest.mark.parametrize("window", [{}, PHONE], ids=["wide", "narrow"])
def test_a_link_to_a_message_opened_cold(visit, lunch, alice, bob, window):
    lunch.fill(bob, [f"Message {number}" for number in range(150)])
    seq = lunch.messages(alice, limit=1, before=40)[0]["seq"]

    page = visit(None, f"/rooms/{lunch.id}/{seq}#message-{seq}", **window)
    log_in(page, alice)

    row = page.locator(f"#message-{seq}")
    expect(row).to_be_in_viewport(ratio=1)
    expect(row).to_be_focused()
    expect(page.locator("[data-jump]")).to_be_visible()
    expect(item(page, "Lunch").locator("[data-field=unread]")).to_have_text("150")
    lunch.say(bob, "News")
    expect(page.locator("[data-jump]")).to_contain_text("1 new message")
    page.locator("[data-jump]").click()
    expect(texts(page).last).to_have_text("News")
    expect(texts(page).last).to_be_in_viewport()
    expect(item(page, "Lunch").locator(".room__unread")).to_be_hidden()


# With the keyboard alone

REGION = """() => {
    const places = ["nav > header", "room-list", "nav > footer", "message-list",
        "message-composer", "aside"]
    return places.find((place) => document.activeElement.closest(place)) ?? "elsewhere"
}"""
SHOWS_FOCUS = """() => {
    const { activeElement: focused } = document
    const box = focused.getBoundingClientRect()
    const isSeen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
    const outlined = [focused, focused.parentElement, focused.parentElement.parentElement]
    return isSeen && focused !== document.body
        && outlined.some((each) => getComputedStyle(each).outlineStyle === "solid")
}"""


def tab_to(page, target, key="Tab", most=40):
    """Press Tab (or Shift+Tab) until the focus is there; it must be seen on the way."""
    for _ in range(most):
        page.keyboard.press(key)
        assert page.evaluate(SHOWS_FOCUS), page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("each => each === document.activeElement"):
            return
    pytest.fail(f"{target} is not reached by {key}")


def test_the_order_of_tab(visit, lunch, make_room, alice, bob):
    make_room(alice, bob, name="Other")
    for number in range(3):
        lunch.say(alice, f"Message {number}")
    page = visit(alice, f"/rooms/{lunch.id}")
    be_connected(page, people=1)

    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    regions = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # the end of the page
        assert page.evaluate(SHOWS_FOCUS), page.evaluate("document.activeElement.outerHTML")
        region = page.evaluate(REGION)
        if region not in regions[-1:]:
            regions.append(region)

    assert regions[:6] == [
        *("nav > header", "room-list", "nav > footer", "message-list", "message-composer"),
        "aside",
    ]


def test_with_the_keyboard_alone(visit, lunch, make_room, alice, bob):
    make_room(alice, bob, name="Other")
    lunch.say(bob, "Cake!")
    page = visit(alice, "/")
    be_connected(page, people=0)
    text = page.locator(".composer__text")
    link = item(page, "Lunch").locator("a")

    tab_to(page, link)
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    expect(texts(page)).to_have_text(["Cake!", "Hello"])
    expect(page.locator(".message--pending")).to_have_count(0)
    expect(text).to_be_focused()

    row = page.locator(SENT).last
    tab_to(page, row.locator("[data-act=edit]:visible"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    expect(text).to_be_focused()
    tab_to(page, row.locator("[data-act=choose-reaction]"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("emoji-picker input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.locator("[data-act=choose-reaction]")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("heart")
    expect(page.locator(".picker__emoji").first).to_have_text("❤️")
    page.keyboard.press("Enter")
    expect(row.locator("[data-act=choose-reaction]")).to_be_focused()
    tab_to(page, row.locator(".chip"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(row.locator(".chip")).to_have_count(0)
    expect(row.locator("[data-act=choose-reaction]")).to_be_focused()
    tab_to(page, row.locator("[data-act=reply]"))
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.type("An answer")
    page.keyboard.press("Enter")
    expect(texts(page)).to_have_text(["Cake!", "Hello", "An answer"])
    expect(text).to_be_focused()

    tab_to(page, row.locator("[data-act=delete]"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-delete")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row.locator("[data-act=delete]")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#confirm-delete [value=delete]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.locator(".message__gone")).to_be_visible()
    expect(row).to_be_focused()

    page.keyboard.press("Control+k")
    page.keyboard.type("oth")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Other")
    expect(text).to_be_focused()
    page.keyboard.type("x" * 20)
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("h1")).to_have_text("Lunch")
    expect(text).to_be_focused()

    first = page.locator(SENT).first
    first.focus()
    bob.http.patch(lunch.path, json={"name": "Supper"})
    expect(page.locator("h1")).to_have_text("Supper")
    expect(first).to_be_focused()
    text.fill("x" * 8001)
    page.keyboard.press("Enter")
    failed = page.locator(".message--failed")
    tab_to(page, failed.get_by_role("button", name="Discard"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(failed).to_have_count(0)
    expect(page.locator(".message").last).to_be_focused()

    tab_to(page, page.get_by_role("button", name="Remove Bob"))
    page.keyboard.press("Enter")
    expect(page.locator(".member")).to_have_count(1)
    expect(page.locator(".note").last).to_contain_text("removed")
    expect(text).to_be_focused()
