"""Messages through REST: what is kept, what is refused, and how history is paged."""

import pytest

from chatservice.mongo.client import database

FAMILY = "👩\u200d👩\u200d👧"
PERSIAN = "می\u200cخواهم سلام بگویم"


@pytest.mark.parametrize(
    "text",
    ["x", "  spaced  ", FAMILY, PERSIAN, "\u202eevil", "a\nb\tc", "<script>alert(1)</script>"],
)
def test_text_is_stored_and_returned_as_it_was_sent(alice, bob, lunch, text):
    said = lunch.say(alice, text)

    assert said["content"] == text
    assert lunch.messages(bob)[0]["content"] == text


def test_a_message_is_the_same_wherever_it_appears(alice, bob, lunch):
    said = lunch.say(alice, "hello")

    assert said["sender"] == alice.email
    assert lunch.messages(bob) == [said]
    assert bob.http.get(lunch.path).json()["messages"] == [said]
    assert bob.http.get(f"{lunch.path}/messages/{said['id']}").json() == said


def test_sender_and_timestamp_of_a_client_are_never_believed(alice, bob, lunch):
    said = lunch.say(alice, "hi", sender=bob.email, timestamp="1999-01-01T00:00:00Z", seq=99)

    assert said["sender"] == alice.email
    assert not said["timestamp"].startswith("1999")
    assert said["seq"] == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": ""},
        {"content": " \n\t\u200b"},
        {"content": "a\0b"},
        {"content": 5},
        {"content": None},
        {"content": ["x"]},
        {"content": "x" * 8_001},
    ],
)
def test_bad_content_is_refused_by_name(alice, lunch, body):
    answer = alice.http.post(f"{lunch.path}/messages", json=body)

    assert answer.status_code == 422
    assert "content" in answer.json()["errors"]
    assert lunch.messages(alice) == []


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"content": "\\ud800"}', 422),
        (b'{"content": "x"', 400),
        (b"[" * 100_000, 400),
        (b'"content"', 422),
        (b'{"content": "\xff"}', 400),
        (b'{"content": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
)
def test_a_body_that_is_no_message_is_a_clear_error(alice, lunch, raw, code):
    answer = alice.http.post(
        f"{lunch.path}/messages", data=raw, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == code
    assert answer.json()["detail"]


def test_the_longest_message_is_kept_whole(alice, lunch):
    text = "😀" * 8_000

    assert lunch.say(alice, text)["content"] == text


def test_a_retry_with_the_same_client_id_is_the_same_message(alice, bob, lunch):
    first = lunch.say(alice, "hello", client_id="c1")
    answer = alice.http.post(f"{lunch.path}/messages", json={"content": "hello", "client_id": "c1"})

    assert answer.status_code == 200
    assert answer.json() == first
    assert lunch.say(bob, "hello", client_id="c1")["id"] != first["id"]
    assert len(lunch.messages(alice)) == 2


def test_history_is_paged_by_number(alice, lunch):
    said = [lunch.say(alice, f"message {number}") for number in range(10)]

    newest = alice.http.get(f"{lunch.path}/messages", params={"limit": 4})
    assert newest.json() == said[6:]
    older = alice.http.get(page_link(newest, "prev"))
    assert older.json() == said[2:6]
    assert alice.http.get(page_link(older, "next")).json() == said[6:]
    assert lunch.messages(alice, after=said[2]["seq"], limit=3) == said[3:6]
    assert lunch.messages(alice, after=said[2]["seq"], before=said[5]["seq"]) == said[3:5]
    assert lunch.messages(alice) == said


def page_link(answer, relation):
    """The path of another page, from the Link header."""
    url = answer.links[relation]["url"]
    assert url.startswith(answer.request.url.split("/chat/")[0])
    return "/chat/" + url.split("/chat/", 1)[1]


@pytest.mark.parametrize(
    "page",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "x"},
        {"before": -1},
        {"after": "1.5"},
        {"after": 10**26},
    ],
)
def test_a_page_that_cannot_be_is_refused_by_name(alice, lunch, page):
    answer = alice.http.get(f"{lunch.path}/messages", params=page)

    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == set(page)


def test_one_edits_ones_own_messages_only(alice, bob, lunch):
    said = lunch.say(alice, "helo")
    path = f"{lunch.path}/messages/{said['id']}"

    assert bob.http.patch(path, json={"content": "bye"}).status_code == 403
    edited = alice.http.patch(path, json={"content": "hello"})
    assert edited.status_code == 200
    assert edited.json()["content"] == "hello"
    assert edited.json()["edited_at"] is not None
    assert lunch.messages(bob) == [edited.json()]
    assert lunch.entries(bob)[-1]["content"] == "hello"


def test_deleting_leaves_the_number_and_takes_the_text_everywhere(alice, bob, carol, lunch):
    said = lunch.say(bob, "my first secret")
    path = f"{lunch.path}/messages/{said['id']}"
    bob.http.patch(path, json={"content": "my second secret"})

    assert alice.http.delete(path).status_code == 204  # the owner moderates
    [left] = lunch.messages(bob)
    assert (left["seq"], left["content"], left["deleted"]) == (said["seq"], "", True)
    assert bob.http.patch(path, json={"content": "back"}).status_code == 404
    assert bob.http.delete(path).status_code == 204
    numbers = [entry["seq"] for entry in lunch.entries(alice)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert not list(database()["chat_entry"].find({"content": {"$regex": "secret"}}))
    assert not list(database()["chat_entry"].find({"data.content": {"$regex": "secret"}}))


def upload(person, name):
    file = (name, b"hello", "text/plain")
    return person.http.post("/chat/upload_media/", files={"file": file}).json()


def test_a_file_opens_for_the_room_it_is_posted_in(alice, bob, carol, lunch):
    linked, named = upload(alice, "linked.txt"), upload(alice, "named.txt")
    assert bob.http.get(linked["file_url"]).status_code == 404

    lunch.say(alice, f"look: {linked['file_url']}")
    said = lunch.say(alice, "and this", uploads=[named["id"]])
    for file in (linked, named):
        assert bob.http.get(file["file_url"]).content == b"hello"
        assert carol.http.get(file["file_url"]).status_code == 404

    alice.http.delete(f"{lunch.path}/messages/{said['id']}")
    assert bob.http.get(named["file_url"]).status_code == 404


def test_many_files_in_one_message(alice, bob, lunch):
    files = [upload(alice, f"photo {number}.txt") for number in range(60)]

    said = lunch.say(alice, "\n".join(file["file_url"] for file in files))

    assert said["uploads"] == [file["id"] for file in files]
    assert bob.http.get(files[-1]["file_url"]).content == b"hello"


def test_linking_to_a_file_of_others_does_not_open_it(alice, bob, carol, lunch, make_room):
    secret = upload(alice, "secret.txt")
    carols = make_room(carol)
    carols.say(carol, f"{secret['file_url']}")

    assert carol.http.get(secret["file_url"]).status_code == 404
    answer = carol.http.post(
        f"{carols.path}/messages", json={"content": "x", "uploads": [secret["id"]]}
    )
    assert answer.status_code == 422
    assert "uploads" in answer.json()["errors"]


@pytest.mark.parametrize(("language", "number"), [("en", "8000"), ("fa", "۸۰۰۰")])
def test_a_limit_is_told_in_the_digits_of_the_language(alice, lunch, language, number):
    answer = alice.http.post(
        f"{lunch.path}/messages",
        json={"content": "x" * 8_001},
        headers={"Accept-Language": language},
    )

    assert answer.status_code == 422
    assert f" {number} " in answer.json()["detail"]
