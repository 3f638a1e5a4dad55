"""`GET /media/<id>/<name>`: who gets a file, and how it is sent."""

import pytest
import requests
from bson import ObjectId

from chat import actions as chat_actions
from chatservice.realtime.loop import run
from media_upload import visibility
from media_upload.models import Upload

from . import samples
from .conftest import UPLOADS

CONTENT = bytes(range(256)) * 40
NOT_FOUND = {"detail": "File not found or access denied"}


@pytest.fixture
def upload(alice):
    """Upload `content` as Alice; returns the server's answer."""

    def post(content=CONTENT, name="data.bin"):
        response = alice.http.post("/chat/upload_media/", files={"file": (name, content)})
        assert response.status_code == 201
        return response.json()

    return post


# Who


def test_the_owner_fetches_it(alice, upload):
    response = alice.http.get(upload()["file_url"])

    assert (response.status_code, response.content) == (200, CONTENT)


def test_strangers_cannot_tell_it_from_none(alice, carol, upload):
    url = upload()["file_url"]
    absent = url.replace(url.split("/")[2], str(ObjectId()))

    refused, missing = carol.http.get(url), carol.http.get(absent)

    assert (refused.status_code, refused.json()) == (404, NOT_FOUND)
    assert (missing.status_code, missing.json()) == (404, NOT_FOUND)
    assert set(refused.headers) == set(missing.headers)


def test_people_who_are_logged_out_get_nothing(server, upload):
    response = requests.get(server.url + upload()["file_url"], headers={"Accept": "image/*"})

    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})


def test_a_token_that_is_bad_is_said_to_be(server, upload):
    response = requests.get(
        server.url + upload()["file_url"], headers={"Authorization": "Bearer x.y.z"}
    )

    assert response.status_code == 401
    assert response.json() == {"detail": "Could not validate credentials"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url + "x",
        lambda url: url[:-1],
        lambda url: url.replace("data", "DATA"),
        lambda url: url.rpartition("/")[0] + "/",
        lambda url: url.rpartition("/")[0] + "/..%2fdata.bin",
        lambda url: "/media/../" + url.split("/")[2] + "/data.bin",
        lambda url: "/media/1/data.bin",
        lambda url: "/media/" + "z" * 24 + "/data.bin",
        lambda url: "/media/..%2f..%2fsecret_key",
    ],
)
def test_other_names_are_not_found(alice, upload, spoil):
    assert alice.http.get(spoil(upload()["file_url"])).status_code == 404


def test_a_rule_shows_uploads_to_others(alice, bob, carol, upload, monkeypatch):
    """Chat registers such a rule; `chat` has the tests of its own."""
    first, second = ObjectId(upload()["id"]), ObjectId(upload()["id"])
    monkeypatch.setattr(visibility, "rules", [])
    visibility.register(lambda user, ids: {first} & set(ids) if user == bob.user else set())

    def seen_by(person):
        visible = Upload.objects.visible_to(person.user, among=[first, second])
        return set(visible.values_list("pk", flat=True))

    assert seen_by(alice) == {first, second}
    assert seen_by(bob) == {first}
    assert seen_by(carol) == set()
    assert not Upload.objects.visible_to(bob.user, among=[second]).exists()
    assert not Upload.objects.visible_to(alice.user, among=[]).exists()


# How


def test_nothing_is_sniffed_nothing_runs_and_the_right_is_asked_for_each_time(alice, upload):
    headers = alice.http.get(upload()["file_url"]).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert headers["Content-Security-Policy"].endswith("; sandbox")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("content", "name", "content_type", "disposition"),
    [
        (samples.image("PNG"), "a.html", "image/png", "inline"),
        (samples.image("GIF") + samples.SCRIPT, "a.gif", "image/gif", "inline"),
        (b"ID3\x04" + bytes(60), "a.mp3", "audio/mpeg", "inline"),
        (b"alert(1)", "a.js", "text/plain; charset=utf-8", "inline"),
        (samples.SCRIPT, "a.png", "application/octet-stream", "attachment"),
        (b"<svg onload='alert(1)'/>", "a.svg", "application/octet-stream", "attachment"),
        (b"<?xml version='1.0'?><a/>", "a.txt", "application/octet-stream", "attachment"),
        (b"%PDF-1.7\n%abc", "a.pdf", "application/pdf", "attachment"),
        (b"\0\1\2", "a.png", "application/octet-stream", "attachment"),
    ],
)
def test_only_what_cannot_run_is_shown(alice, upload, content, name, content_type, disposition):
    headers = alice.http.get(upload(content, name)["file_url"]).headers

    assert headers["Content-Type"] == content_type
    assert headers["Content-Disposition"] == f'{disposition}; filename="{name}"'


def test_a_name_in_another_script_is_sent_as_the_standard_says(alice, upload):
    headers = alice.http.get(upload(name="عکس.bin")["file_url"]).headers

    assert headers["Content-Disposition"] == ("attachment; filename*=utf-8''%D8%B9%DA%A9%D8%B3.bin")


def test_head_has_the_headers_of_get_and_no_body(alice, upload):
    url = upload()["file_url"]
    get, head = alice.http.get(url), alice.http.head(url)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(CONTENT))
    differing = {"Date"}
    assert dict(
        head.headers.items() - {(n, head.headers[n]) for n in differing & set(head.headers)}
    ) == dict(get.headers.items() - {(n, get.headers[n]) for n in differing & set(get.headers)})


def test_other_methods_are_not_allowed(alice, upload):
    url = upload()["file_url"]

    assert {alice.http.request(verb, url).status_code for verb in ("POST", "PUT", "DELETE")} == {
        405
    }


def test_what_a_browser_has_already_is_not_sent_again(alice, upload):
    answer = upload()
    etag = alice.http.get(answer["file_url"]).headers["ETag"]

    again = alice.http.get(answer["file_url"], headers={"If-None-Match": etag})
    other = alice.http.get(answer["file_url"], headers={"If-None-Match": '"other"'})

    assert etag == f'"{answer["sha256"]}"'
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert other.status_code == 200


def test_a_stranger_with_the_etag_learns_nothing(carol, upload):
    answer = upload()

    response = carol.http.get(
        answer["file_url"], headers={"If-None-Match": f'"{answer["sha256"]}"'}
    )

    assert response.status_code == 404


SIZE = len(CONTENT)
RANGES = {
    "bytes=0-99": (0, 100),
    "bytes=100-": (100, SIZE),
    "bytes=-100": (SIZE - 100, SIZE),
    "bytes=0-0": (0, 1),
    f"bytes={SIZE - 1}-": (SIZE - 1, SIZE),
    f"bytes=0-{10**30}": (0, SIZE),
    f"bytes=-{10**30}": (0, SIZE),
}


@pytest.mark.parametrize(("asked", "part"), RANGES.items())
def test_a_part_is_sent(alice, upload, asked, part):
    response = alice.http.get(upload()["file_url"], headers={"Range": asked})

    start, stop = part
    assert response.status_code == 206
    assert response.content == CONTENT[start:stop]
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={10**30}-", "bytes=-0"])
def test_a_part_that_is_not_there_is_said_not_to_be(alice, upload, asked):
    response = alice.http.get(upload()["file_url"], headers={"Range": asked})

    assert (response.status_code, response.content) == (416, b"")
    assert response.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=٠-٩", ""]
)
def test_a_range_that_cannot_be_read_is_ignored(alice, upload, asked):
    response = alice.http.get(upload()["file_url"], headers={"Range": asked.encode()})

    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["Accept-Ranges"] == "bytes"


def test_a_part_of_another_version_is_not_mixed_in(alice, upload):
    answer = upload()
    url, etag = answer["file_url"], f'"{answer["sha256"]}"'

    same = alice.http.get(url, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = alice.http.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})

    assert (same.status_code, len(same.content)) == (206, 10)
    assert (other.status_code, len(other.content)) == (200, SIZE)


def test_bytes_that_the_store_lost_are_not_found(alice, upload):
    answer = upload()
    [path] = UPLOADS.rglob(f"{answer['id']}-*")
    path.unlink()

    response = alice.http.get(answer["file_url"])

    assert (response.status_code, response.json()) == (404, NOT_FOUND)


def test_people_who_read_slowly_cost_no_memory(alice, server, upload):
    """Each would have 20 MB of it in the server's memory if it were sent without waiting."""
    url = upload(bytes(20_000_000))["file_url"]
    before = memory_of(server.process.pid)

    responses = [alice.http.get(url, stream=True) for _ in range(10)]
    try:
        assert alice.http.head(url).status_code == 200
        assert memory_of(server.process.pid) - before < 50_000_000
        assert len(responses[0].content) == 20_000_000
    finally:
        for response in responses:
            response.close()


def memory_of(pid):
    """The resident memory of a process, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        [line] = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def test_room_mates_fetch_what_was_posted_from_then_on(alice, bob, carol, room, upload):
    url, upload_id = (answer := upload())["file_url"], answer["id"]
    assert bob.http.get(url).status_code == 404

    alice.http.post(
        f"/chat/chat_rooms/{room}/messages", json={"content": "Look", "uploads": [upload_id]}
    )

    assert bob.http.get(url).content == CONTENT
    assert carol.http.get(url).status_code == 404


def test_people_who_left_the_room_fetch_nothing_more(alice, bob, room, upload):
    answer = upload()
    alice.http.post(
        f"/chat/chat_rooms/{room}/messages", json={"content": "Look", "uploads": [answer["id"]]}
    )
    etag = bob.http.get(answer["file_url"]).headers["ETag"]

    run(chat_actions.leave_room(actor=bob.user, room_id=room))

    response = bob.http.get(answer["file_url"], headers={"If-None-Match": etag})
    assert (response.status_code, response.json()) == (404, NOT_FOUND)
