"""The chat's pages as they work without a script, and what they must never let through."""

import gzip
import html
import re
from datetime import UTC, datetime

import pytest

from accounts.tests.visitor import Visitor
from chat.tests.hostile_texts import HOSTILE
from chatservice.mongo.client import database
from media_upload.tests import samples


@pytest.fixture
def alice_visits(server, alice):
    return Visitor(server, alice)


def texts_on(page):
    """What the messages of a page say, the oldest first."""
    page = page.partition("<template")[0]
    marked_up = re.findall(r'<div class="message__text"[^>]*>(.*?)</div>', page, re.DOTALL)
    said = [html.unescape(re.sub(r"<[^>]*>", "", text)).strip() for text in marked_up]
    return [text for text in said if text]


# Who may see what


def test_a_stranger_is_shown_what_this_is(server):
    answer = Visitor(server).open("/")

    assert answer.status_code == 200
    assert 'href="/signup"' in answer.text
    assert "room-list" not in answer.text


@pytest.mark.parametrize("tail", ["", "/details", "?before=3"])
def test_a_page_of_the_chat_asks_for_a_log_in(server, path, tail):
    answer = Visitor(server).open(path + tail)

    assert "/login?next=" in answer.url


@pytest.mark.parametrize("tail", ["", "/", "/details", f"/messages/{'0' * 24}"])
def test_a_room_of_others_is_not_there(server, carol, path, tail):
    """The same answer as for a room that does not exist, but for the tokens of its forms."""
    visitor = Visitor(server, carol)

    there, not_there = visitor.open(path + tail), visitor.open(f"/rooms/{'0' * 24}{tail}")

    assert there.status_code == not_there.status_code == 404
    token = r'name="csrfmiddlewaretoken" value="\w+"'
    assert re.sub(token, "", there.text) == re.sub(token, "", not_there.text)


@pytest.mark.parametrize("tail", ["", "/details", "/3"])
def test_who_is_in_a_room_no_more_has_the_others_beside_the_answer(
    server, bob, alice, lunch, make_room, path, tail
):
    other = make_room(alice, bob, name="Tea")
    assert alice.http.delete(f"{lunch.path}/members/{bob.id}").ok

    answer = Visitor(server, bob).open(path + tail)

    assert answer.status_code == 404
    assert "There is nothing here that you may see." in answer.text
    assert re.findall(r'data-room="(\w+)"', answer.text) == [other.id]
    as_json = Visitor(server, bob).open(path + tail, headers={"Accept": "application/json"})
    assert as_json.status_code == 404
    assert as_json.json()["detail"]


def test_a_stranger_cannot_write_or_manage(server, carol, path, lunch, alice, bob):
    visitor = Visitor(server, carol)
    forms = {
        "/messages": {"content": "Hello"},
        "/members": {"members": "carol"},
        "/change": {"name": "Mine"},
        f"/members/{bob.id}/remove": {},
        "/leave": {},
    }
    for tail, fields in forms.items():
        answer = visitor.submit(path + tail, page="/rooms/new", **fields)
        assert answer.status_code == 404, tail

    assert lunch.messages(alice) == []
    assert len(alice.http.get(f"{lunch.path}/members").json()) == 2


def test_a_form_of_another_site_is_refused(alice_visits, path, lunch, alice):
    answer = alice_visits.post(alice_visits.url + path + "/messages", data={"content": "Hello"})

    assert answer.status_code == 403
    assert lunch.messages(alice) == []


@pytest.mark.parametrize("url", ["/", "/login", "/signup", "/settings", "/rooms/new", "room"])
def test_the_policy_lets_nothing_in_the_page_run(alice_visits, server, path, url):
    visitor = Visitor(server) if url in ("/login", "/signup") else alice_visits
    answer = visitor.open(path if url == "room" else url)
    policy = answer.headers["Content-Security-Policy"]

    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'self' 'sha256-[\w+/]+=*';", policy)
    assert "require-trusted-types-for 'script'" in policy


def test_pages_of_a_person_are_not_kept_by_the_browser(alice_visits, path):
    assert "no-store" in alice_visits.open(path).headers["Cache-Control"]


# Reading


def test_a_room_shows_its_last_messages_and_pages_back(alice_visits, path, lunch, alice):
    for number in range(1, 121):
        lunch.say(alice, f"Message {number}")

    seen, page = [], alice_visits.open(path).text
    while True:
        seen = texts_on(page) + seen
        older = re.search(rf'href="({path}\?before=\d+)">Older messages', page)
        if not older or 'data-part="older" hidden' in page:
            break
        page = alice_visits.open(older[1]).text

    assert seen == [f"Message {number}" for number in range(1, 121)]


def test_the_files_of_a_message_stay_when_its_text_is_edited(alice_visits, alice, lunch, path):
    shown = alice_visits.submit(
        f"{path}/messages",
        page=path,
        files={"file": ("plan.txt", b"noodles")},
        content="The plan",
        client_id="c1",
    )
    [url] = re.findall(r'class="file"><a href="([^"]+)"', shown.text)
    [edit] = re.findall(rf'href="({path}/messages/[0-9a-f]{{24}})"', shown.text)[:1]
    form = alice_visits.open(edit)

    edited = alice_visits.submit(edit, content="The new plan")
    files_alone = alice_visits.submit(edit, content="")

    assert url not in form.text
    assert texts_on(edited.text) == ["The new plan"]
    assert url in edited.text
    assert url in files_alone.text
    assert texts_on(files_alone.text) == []
    assert lunch.messages(alice)[-1]["content"] == url


def sent_after_the_session(visitor, page, action, files=None, **fields):
    """Where a form of a page leads whose reader is logged out when they send it."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', visitor.open(page).text)[1]
    del visitor.cookies["sessionid"]
    form = {"csrfmiddlewaretoken": token, **fields}
    referer = {"Referer": visitor.url + page}
    return visitor.post(visitor.url + action, data=form, files=files, headers=referer)


@pytest.mark.parametrize("files", [None, {"file": ("notes.txt", b"Some")}])
def test_who_is_logged_out_meanwhile_comes_back_to_the_page(alice_visits, path, files):
    fields = {"content": "late"} if files else {}
    asked = sent_after_the_session(alice_visits, path, f"{path}/messages", files, **fields)

    assert asked.url == f"{alice_visits.url}/login?next={path}"


LATE = "\n</textarea><b>late & well\r\nthought of"


def test_what_was_written_meanwhile_is_kept_over_the_log_in(alice_visits, alice, path, lunch):
    asked = sent_after_the_session(alice_visits, path, f"{path}/messages", content=LATE)
    assert asked.url == f"{alice_visits.url}/login?next={path}"
    assert "What you wrote is kept" in asked.text
    assert "field__error" not in asked.text  # nobody has tried to log in

    wrong = alice_visits.log_in(alice, password="wrong", next=path, content=written_on(asked))
    back = alice_visits.log_in(alice, next=path, content=written_on(wrong))
    assert back.url == alice_visits.url + path
    assert written_on(back) == LATE.strip()
    assert written_on(alice_visits.open(path)) == ""  # once
    assert lunch.messages(alice) == []


def test_an_edit_is_kept_over_the_log_in_and_shows_nowhere_else(alice_visits, alice, path, lunch):
    edit = f"{path}/messages/{lunch.say(alice, 'Helo')['id']}"
    asked = sent_after_the_session(alice_visits, edit, edit, content="Hello")
    alice_visits.log_in(alice, next="/", content=written_on(asked))
    assert written_on(alice_visits.open(edit)) == "Helo"

    asked = sent_after_the_session(alice_visits, edit, edit, content="Hello")
    assert written_on(alice_visits.log_in(alice, next=edit, content=written_on(asked))) == "Hello"


def written_on(page):
    """The text in a page's field for one, without the white space round it."""
    [text] = re.findall(
        r'<textarea[^>]*? name="content"[^>]*>(.*?)</textarea>', page.text, re.DOTALL
    )
    return html.unescape(text).strip()


def test_the_address_of_a_form_says_that_there_is_nothing_to_read(alice_visits, path):
    answer = alice_visits.open(f"{path}/messages")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert "only forms are sent to it" in answer.text
    sent_to_a_page = alice_visits.submit(path)
    assert sent_to_a_page.status_code == 405
    assert "only forms" not in sent_to_a_page.text


def test_a_page_is_compressed_and_what_the_api_answers_is_not(alice_visits, alice, lunch, path):
    lunch.fill(alice, [f"the {number}th message" for number in range(30)])
    page = alice_visits.open(path, stream=True)
    sent = page.raw.read()

    assert page.headers["Content-Encoding"] == "gzip"
    assert len(texts_on(gzip.decompress(sent).decode())) == 30
    assert len(sent) * 5 < len(gzip.decompress(sent))
    asked_plainly = alice_visits.open(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in asked_plainly.headers
    api = alice.http.get(f"{lunch.path}/messages")
    assert "gzip" in api.request.headers["Accept-Encoding"]
    assert len(api.content) > 5_000
    assert "Content-Encoding" not in api.headers


def unread_on(page):
    """How many messages the list of rooms says are unread, in the only room there is."""
    return int(re.search(r'data-unread="(\d+)"', page)[1])


def test_news_are_marked_until_one_says_that_they_are_read(alice_visits, alice, bob, lunch, path):
    for number in range(3):
        lunch.say(bob, f"{number}")
    news = alice_visits.open(path).text
    [seq] = re.findall(r'name="seq" value="(\d+)"', news)
    lunch.say(bob, "one more, which Alice has not seen")

    after = alice_visits.submit(f"{path}/read", page=path, seq=seq)

    assert "new-line" in news
    assert unread_on(news) == 3
    assert (after.url, unread_on(after.text)) == (alice_visits.url + path, 1)
    refused = alice_visits.submit(f"{path}/read", page=path, seq="all of them")
    assert refused.status_code == 422
    assert unread_on(alice_visits.open(path).text) == 1


def test_the_news_begin_where_one_has_not_read(server, alice_visits, alice, bob, lunch, path):
    """The first of them says whose it is, though it goes on with what Bob said before."""
    read = lunch.say(bob, "read")
    alice.http.post(f"{lunch.path}/read", json={"seq": read["seq"]})
    for number in range(1, 101):
        lunch.say(bob, f"News {number}")
    first = read["seq"] + 1

    page = alice_visits.open(path).text
    [link] = re.findall(r'<p class="notice"><a href="(.*?)">100 new messages: go to', page)
    assert link == f"{path}/{first}#message-{first}"
    assert '<li class="new-line">' not in page.partition("<template")[0]
    assert "go to the first" not in alice_visits.open(f"{path}?before={first + 30}").text

    there = alice_visits.open(link).text.partition("<template")[0]
    assert "go to the first" not in there
    [row] = re.findall(r'<li class="new-line">.*?</li>\s*<li class="([^"]*)".*?id="(.*?)"', there)
    assert row == ("message", f"message-{first}")
    assert "Mark as read" not in there

    visitor = Visitor(server, alice)
    visitor.headers["Accept-Language"] = "fa"
    assert "۱۰۰ پیام تازه" in visitor.open(path).text


def test_a_page_without_messages_has_no_news(alice_visits, bob, lunch, path):
    last = lunch.say(bob, "Hello")["seq"]
    alice_visits.open(path)
    bob.http.patch(lunch.path, json={"description": "Noodles"})

    for after in (last, last + 1, 9_999):
        page = alice_visits.open(f"{path}?after={after}")
        assert page.status_code == 200
        assert "go to the first" not in page.text


@pytest.mark.parametrize("count", [49, 50])
def test_a_page_that_is_all_news_or_nearly_has_their_beginning(
    alice_visits, alice, bob, lunch, path, count
):
    read = lunch.say(bob, "read")
    alice.http.post(f"{lunch.path}/read", json={"seq": read["seq"]})
    for number in range(count):
        lunch.say(bob, f"News {number}")

    page = alice_visits.open(path).text.partition("<template")[0]

    [row] = re.findall(r'<li class="new-line">.*?</li>\s*<li class="([^"]*)".*?id="(.*?)"', page)
    assert row == ("message", f"message-{read['seq'] + 1}")
    assert "go to the first" not in page


def test_who_answers_has_read(alice_visits, bob, lunch, path):
    lunch.say(bob, "Anybody there?")

    answered = alice_visits.submit(f"{path}/messages", page=path, content="Yes", client_id="c1")

    assert texts_on(answered.text) == ["Anybody there?", "Yes"]
    assert unread_on(answered.text) == 0
    assert 'name="seq"' not in answered.text


def test_paging_forward_again_comes_to_the_end(alice_visits, path, lunch, alice):
    lunch.fill(alice, [f"Message {number}" for number in range(1, 121)])
    seen, page = [], alice_visits.open(f"{path}?after=0").text
    while True:
        seen += texts_on(page)
        if 'data-part="newer" hidden' in page:
            break
        page = alice_visits.open(re.search(rf'href="({path}\?after=\d+)"', page)[1]).text

    assert seen == [f"Message {number}" for number in range(1, 121)]


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=", "after=1e9", "before=9" + 30 * "9"]
)
def test_a_page_that_nobody_links_to(alice_visits, path, query):
    assert alice_visits.open(f"{path}?{query}").status_code == 200


def test_what_happened_to_the_room_is_told(alice_visits, path, alice, carol, lunch):
    alice.http.post(f"{lunch.path}/members", json={"members": [carol.email]})
    alice.http.patch(lunch.path, json={"name": "Dinner"})
    alice.http.delete(f"{lunch.path}/members/{carol.id}")

    page = alice_visits.open(path).text

    for sentence in ("⁨Alice⁩ made the room.", "⁨Alice⁩ added ⁨Bob⁩.", "⁨Alice⁩ added ⁨Carol⁩.",
                     "⁨Alice⁩ renamed the room: ⁨Dinner⁩", "⁨Alice⁩ removed ⁨Carol⁩."):  # fmt: skip
        assert sentence in page


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_write_is_text(server, text, make_room, alice, bob):
    alice.http.patch("/auth/users/me", json={"full_name": text[:100]})
    room = make_room(alice, bob, name=text, description=text)
    room.say(alice, text)

    visitor = Visitor(server, bob)
    for tail in ("", "/details"):
        page = visitor.open(f"/rooms/{room.id}{tail}").text
        assert text in texts_on(page)
        assert len(re.findall("<script", page)) == 3  # the import map, the module, the texts
        assert "<img" not in page.partition("<template")[0]
        assert "<svg onload" not in page
        assert "14" not in texts_on(page)


def test_the_list_has_the_most_recent_room_first(alice_visits, make_room, alice, bob):
    first, second = make_room(alice, bob, name="First"), make_room(alice, bob, name="Second")
    first.say(bob, "News")

    page = alice_visits.open("/").text

    assert re.findall(r'<li class="room[^"]*" data-room="(\w+)"', page) == [first.id, second.id]
    assert "News" in page


@pytest.mark.parametrize(
    ("language", "today", "earlier"),
    [("en", r"\d\d:\d\d", "03/21/2024"), ("fa", "[۰-۹]{2}:[۰-۹]{2}", "۱۴۰۳/۱/۲")],
)
def test_the_list_has_the_time_of_today_and_the_date_of_what_was_before(
    server, alice, bob, make_room, language, today, earlier
):
    for name in ("Old", "New"):
        make_room(alice, bob, name=name).say(alice, f"{name} said")
    long_ago = {"created_at": datetime(2024, 3, 21, 12, tzinfo=UTC)}
    database()["chat_entry"].update_one({"content": "Old said"}, {"$set": long_ago})
    visitor = Visitor(server, bob)
    visitor.headers["Accept-Language"] = language

    page = visitor.open("/").text
    new, old = re.findall(r'<local-time class="room__time"[^>]*>(.*?)</local-time>', page)

    assert re.fullmatch(today, new)
    assert old == earlier


def test_a_private_chat_is_called_by_the_other(server, alice, bob):
    alice.http.post("/chat/private_chats/", json={"user": bob.email})

    assert 'data-field="name">Bob<' in Visitor(server, alice).open("/").text
    page = Visitor(server, bob).open("/").text
    assert 'data-field="name">Alice<' in page
    room = re.search(r'data-room="(\w+)"', page)[1]
    assert "⁨Alice⁩ started this private chat." in Visitor(server, bob).open(f"/rooms/{room}").text


# Writing


def test_saying_something(alice_visits, path, lunch, bob):
    answer = alice_visits.submit(path + "/messages", page=path, content="Hello\r\n  Bob")

    assert answer.url.endswith(path)
    [message] = lunch.messages(bob)
    assert message["content"] == "Hello\n  Bob"


def test_a_form_that_is_sent_twice_says_it_once(alice_visits, path, lunch, bob):
    client_id = re.search(r'name="client_id" value="([\w-]+)"', alice_visits.open(path).text)[1]
    for _ in range(2):
        alice_visits.submit(path + "/messages", page=path, content="Hello", client_id=client_id)

    assert len(lunch.messages(bob)) == 1


@pytest.mark.parametrize(("content", "complaint"), [("  ", "blank"), ("x" * 8001, "At most 8000")])
def test_a_message_that_is_none(alice_visits, path, lunch, bob, content, complaint):
    answer = alice_visits.submit(path + "/messages", page=path, content=content)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert content in html.unescape(answer.text)
    assert lunch.messages(bob) == []


def test_an_image_and_a_file(alice_visits, server, path, bob):
    image = samples.image("PNG", (30, 20))
    alice_visits.submit(
        path + "/messages", page=path, content="Look", files={"file": ("my pic.png", image)}
    )
    alice_visits.submit(path + "/messages", page=path, files={"file": ("یادداشت.txt", b"a")})

    visitor = Visitor(server, bob)
    page = visitor.open(path).text.partition("<template")[0]

    assert texts_on(page) == ["Look"]  # not the addresses
    [source] = re.findall(r'<img src="(/media/[^"]+)" alt="my pic.png"', page)
    assert visitor.open(source).content == image
    assert "یادداشت.txt" in page


def test_a_file_over_a_megabyte(alice_visits, path, lunch, alice):
    alice_visits.submit(path + "/messages", page=path, files={"file": ("a.bin", bytes(3_000_000))})

    [message] = lunch.messages(alice)
    assert len(message["uploads"]) == 1


def test_a_file_that_an_api_client_posted_without_a_link(alice_visits, path, lunch, bob):
    upload = bob.http.post("/chat/upload_media/", files={"file": ("a.png", samples.image("PNG"))})
    lunch.say(bob, "By the API", uploads=[upload.json()["id"]])

    assert upload.json()["file_url"] in alice_visits.open(path).text


def test_editing_ones_own_message(alice_visits, path, lunch, alice):
    message = lunch.say(alice, "Helo")
    edit = f"{path}/messages/{message['id']}"

    assert "Helo" in alice_visits.open(edit).text
    alice_visits.submit(edit, content="Hello")

    page = alice_visits.open(path).text
    assert texts_on(page) == ["Hello"]
    assert re.search(r'data-field="edited">\(edited\)', page)


def test_nobody_edits_the_message_of_another(alice_visits, path, lunch, bob):
    message = lunch.say(bob, "Mine")

    answer = alice_visits.submit(f"{path}/messages/{message['id']}", content="Yours")

    assert answer.status_code == 403
    assert lunch.messages(bob)[0]["content"] == "Mine"


def test_an_edit_of_what_was_deleted_meanwhile_keeps_the_text(server, alice, bob, lunch, path):
    visitor = Visitor(server, bob)
    edit = f"{path}/messages/{lunch.say(bob, 'Mine')['id']}"
    message = visitor.open(edit)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', message.text)[1]
    Visitor(server, alice).submit(f"{edit}/delete", page=edit)

    text = {"csrfmiddlewaretoken": token, "content": "Mine, and more"}
    answer = visitor.post(server.url + edit, data=text, headers={"Referer": server.url + edit})

    assert answer.status_code == 422
    assert "The message was deleted meanwhile." in answer.text
    assert ">\nMine, and more</textarea>" in answer.text
    assert f'action="{edit}/' not in answer.text  # to delete it, or to react to it
    assert "<textarea" not in visitor.open(edit).text.partition("<template")[0]
    assert texts_on(visitor.open(path).text) == []


def test_deleting_ones_own_message(alice_visits, path, lunch, alice):
    message = lunch.say(alice, "Oh no")
    edit = f"{path}/messages/{message['id']}"

    alice_visits.submit(edit + "/delete", page=edit)

    page = alice_visits.open(path).text
    assert "Oh no" not in page
    assert re.search(r'class="message__gone[^>]*>This message was deleted', page)


# Rooms


def test_making_a_room_with_people(alice_visits, bob, carol):
    answer = alice_visits.submit(
        "/rooms/new", name="Plans", description="What next", members=["bob@example.org", "carol"]
    )

    assert answer.status_code == 200
    assert ">Plans</h1>" in answer.text
    assert "3 members" in answer.text


def test_a_room_with_people_whom_nobody_knows(alice_visits):
    answer = alice_visits.submit("/rooms/new", name="Plans", members="nobody, none@example.org")

    assert answer.status_code == 422
    assert "nobody, none@example.org" in answer.text
    assert 'id="new_room_members_error"' in answer.text
    assert 'value="Plans"' in answer.text


def test_opening_a_private_chat_twice_is_the_same_one(alice_visits, bob):
    first, again = (
        alice_visits.submit("/rooms/private", page="/rooms/new", user=name)
        for name in ("bob", "BOB@example.org")
    )

    assert first.status_code == 200
    assert first.url == again.url


def test_a_private_chat_with_nobody(alice_visits):
    answer = alice_visits.submit("/rooms/private", page="/rooms/new", user="nobody")

    assert answer.status_code == 422
    assert "Nobody is known by: “nobody”<" in answer.text


def test_renaming_and_describing(alice_visits, path, lunch, alice):
    for _ in range(2):  # the second time, nothing changes
        alice_visits.submit(path + "/change", page=path, name="Dinner", description="At eight")

    room = alice.http.get(lunch.path).json()
    assert (room["name"], room["description"]) == ("Dinner", "At eight")
    assert [entry["kind"] for entry in lunch.entries(alice)].count("room") == 2


def test_all_that_is_wrong_with_a_new_room_is_said_at_once(alice_visits):
    page = alice_visits.submit("/rooms/new", name="", members="nobody")

    assert page.status_code == 422
    assert 'id="new_room_name_error"' in page.text
    assert 'id="new_room_members_error"' in page.text


def test_members_come_and_go(alice_visits, server, path, carol):
    added = alice_visits.submit(path + "/members", page=path, members="carol")
    assert "3 members" in added.text

    removed = alice_visits.submit(f"{path}/members/{carol.id}/remove", page=path)
    assert "2 members" in removed.text
    assert Visitor(server, carol).open(path).status_code == 404


@pytest.fixture
def smith(anyone):
    """Whose user name has a comma in it, and before it the whole name of Carol."""
    fields = {"username": "carol, Smith/b", "email": "smith@example.org", "password": "two or so"}
    assert anyone.post("/auth/signup", json=fields).status_code == 201
    return fields


def names_in_room(person, room):
    return {each["username"] for each in person.http.get(f"{room.path}/members").json()}


def test_a_name_with_a_comma_is_nobody_elses(alice_visits, path, alice, lunch, carol, smith):
    alice_visits.submit(path + "/members", page=path, members=smith["username"])
    unknown = alice_visits.submit(path + "/members", page=path, members="carol, Smythe")

    assert unknown.status_code == 422
    assert "Nobody is known by: “carol, Smythe” Write one name in each field." in unknown.text
    assert names_in_room(alice, lunch) == {"alice", "bob", smith["username"]}


def test_people_are_named_one_by_one(alice_visits, path, alice, lunch, carol, smith):
    names = ["CAROL ", "", smith["email"]]
    alice_visits.submit(path + "/members", page=path, members=names)

    assert names_in_room(alice, lunch) == {"alice", "bob", "carol", smith["username"]}


@pytest.mark.parametrize("between", [", ", ";", "، ", " ", "\n"])
def test_addresses_may_come_as_a_list(alice_visits, alice, bob, carol, between):
    emails = between.join([carol.email, bob.email, ""])
    made = alice_visits.submit("/rooms/new", name="Plans", members=emails)

    assert "3 members" in made.text


def test_every_name_is_completed_and_kept_in_the_form(alice_visits, path):
    page = alice_visits.submit(path + "/members", page=path, members=["x, y", "", "bob"])

    inputs = re.findall(r'<input[^>]* name="members"[^>]*>', page.text)
    assert all('list="known-people"' in each for each in inputs)
    assert ['value="x, y"' in each for each in inputs].index(True) == 0
    assert ['value="bob"' in each for each in inputs].index(True) == 1
    assert len([each for each in inputs if "value=" not in each]) == 1  # for another one
    assert ["aria-invalid" in each for each in inputs] == [True, False, False]
    assert len(set(re.findall(r'(?<= id=")[^"]*', "".join(inputs)))) == len(inputs)


def test_the_cursor_is_in_the_field_one_came_for_or_that_is_wrong(alice_visits):
    def focused(page):
        inputs = [each for each in re.findall(r"<input[^>]*>", page) if "autofocus" in each]
        page_own = [each for each in inputs if "name=" in each]  # not in a template for scripts
        return [re.search(r' id="([^"]*)"', each)[1] for each in page_own]

    assert focused(alice_visits.open("/rooms/search").text) == ["search_q"]
    new = alice_visits.open("/rooms/new").text
    assert focused(new) == ["private_chat_user"]
    assert len(re.findall(r'name="members"', new)) == 3
    wrong = alice_visits.submit("/rooms/new", name="Plans", members=["alice", "nobody"]).text
    assert focused(wrong) == ["new_room_members_1"]
    assert len(re.findall("aria-invalid", wrong)) == 1
    nothing = alice_visits.submit("/rooms/new", name="", members=["nobody"]).text
    assert focused(nothing) == ["new_room_name"]


def test_a_plain_member_sees_no_button_for_what_is_refused(server, bob, alice, path):
    visitor = Visitor(server, bob)

    assert f"{path}/members/{alice.id}/remove" not in visitor.open(path).text
    answer = visitor.submit(f"{path}/members/{alice.id}/remove", page=path)
    assert answer.status_code == 403


def test_leaving_a_room(server, bob, path):
    visitor = Visitor(server, bob)

    answer = visitor.submit(path + "/leave", page=path)

    assert "You have left the room: Lunch" in answer.text
    assert visitor.open(path).status_code == 404


def test_the_only_owner_is_told_what_leaving_does(server, alice, bob, carol, make_room):
    warning = "You are the only owner"
    room = make_room(alice, bob)
    path = f"/rooms/{room.id}/details"

    assert warning in Visitor(server, alice).open(path).text
    assert warning not in Visitor(server, bob).open(path).text
    alone = make_room(carol)
    assert warning not in Visitor(server, carol).open(f"/rooms/{alone.id}/details").text

    visitor = Visitor(server, alice)
    visitor.submit(f"/rooms/{room.id}/members/{bob.id}/role", page=path, role="owner")
    assert warning not in visitor.open(path).text


# Languages


def test_the_page_in_persian(server, bob, path):
    visitor = Visitor(server, bob)
    visitor.headers["Accept-Language"] = "fa"

    page = visitor.open(path).text

    assert '<html lang="fa" dir="rtl"' in page
    assert "۲ عضو" in page
    assert "⁨Alice⁩ اتاق را ساخت." in page
    told = re.findall(r"<local-time [^>]*>(.*?)</local-time>", page)
    assert told
    assert not [text for text in told if re.search("[0-9A-Za-z]", text)]
