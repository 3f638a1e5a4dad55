"""Pictures of people: hostile files, who may see them, and that open windows hear of a change."""

import io
import struct

import pytest
from PIL import Image

from acceptance.people import Device
from acceptance.waiting import eventually
from accounts import actions
from accounts.models import Avatar, User
from chatservice import realtime
from media_upload.tests import samples

OWN = "/auth/users/me/avatar"


def put(person, content, name="me.png"):
    return person.http.put(OWN, files={"file": (name, content)})


def picture_of(person, answer=None):
    """The picture as its owner gets to see it, and the answer it came in."""
    url = (answer or person.http.get("/auth/users/me")).json()["avatar_url"]
    response = person.http.get(url)
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content)), response


@pytest.fixture
def lunch(alice, bob):
    """A room of Alice and Bob; Carol is in none."""
    answer = alice.http.post("/chat/chat_rooms/", json={"name": "Lunch", "members": [bob.email]})
    assert answer.status_code == 201
    return answer.json()


def animation():
    file = io.BytesIO()
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=50)
    return file.getvalue()


def is_red(picture, position=(128, 128)):
    red, green, blue = picture.convert("RGB").getpixel(position)
    return red > 220 and green < 40 and blue < 40


# Having one


def test_a_picture_is_made_small_and_square(alice):
    assert alice.http.get("/auth/users/me").json()["avatar_url"] is None

    answer = put(alice, samples.image("PNG", (900, 400)))

    assert answer.status_code == 200
    picture, response = picture_of(alice, answer)
    assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert is_red(picture)
    assert response.headers["Content-Type"] == "image/webp"
    assert len(response.content) < 10_000


@pytest.mark.parametrize(
    "content",
    [
        *(samples.image(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP")),
        samples.image("PNG", (1, 1)),
        samples.image("PNG", (3000, 1)),
        animation(),
    ],
    ids=["PNG", "JPEG", "GIF", "WebP", "AVIF", "BMP", "one pixel", "a line", "animation"],
)
def test_every_image_that_browsers_show_will_do(alice, content):
    answer = put(alice, content)

    assert answer.status_code == 200, answer.text
    picture, _response = picture_of(alice, answer)
    assert is_red(picture)
    assert getattr(picture, "n_frames", 1) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_every_kind_of_pixels_will_do(alice, mode):
    file = io.BytesIO()
    Image.new(mode, (300, 300)).save(file, "JPEG" if mode in ("CMYK", "YCbCr") else "PNG")

    assert put(alice, file.getvalue()).status_code == 200


def test_what_is_transparent_stays_so(alice):
    file = io.BytesIO()
    Image.new("RGBA", (300, 300), (255, 0, 0, 0)).save(file, "PNG")
    picture, _response = picture_of(alice, put(alice, file.getvalue()))

    assert picture.getpixel((128, 128))[3] == 0


def test_nothing_that_a_camera_noted_is_kept(alice):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[2] = (35.0, 41.0, 21.0)  # where it was taken
    file = io.BytesIO()
    photo = Image.new("RGB", (200, 100), "white")
    photo.paste("red", (50, 0, 150, 50))  # the upper half of the middle
    photo.save(file, "JPEG", exif=exif, comment=b"secret comment", icc_profile=b"secret profile")

    picture, response = picture_of(alice, put(alice, file.getvalue()))

    assert dict(picture.getexif()) == {}
    assert "icc_profile" not in picture.info
    assert b"ecret" not in response.content
    # A camera held upright: what was above is on the right.
    assert is_red(picture, (200, 128))
    assert not is_red(picture, (50, 128))


def test_another_picture_takes_the_place_of_the_first(alice):
    first = put(alice, samples.image("PNG")).json()["avatar_url"]
    second = put(alice, samples.image("JPEG")).json()["avatar_url"]

    assert first != second
    assert Avatar.objects.count() == 1
    assert alice.http.get("/auth/users/me").json()["avatar_url"] == second


def test_a_picture_is_removed(alice):
    url = put(alice, samples.image("PNG")).json()["avatar_url"]

    for _ in range(2):
        answer = alice.http.delete(OWN)
        assert answer.status_code == 200
        assert answer.json()["avatar_url"] is None

    assert alice.http.get(url).status_code == 404
    assert not Avatar.objects.exists()


# What is none


GIF_AND_SCRIPT = animation()[:-1] + b"<script>alert(1)</script>;"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (samples.SCRIPT, "Choose an image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "Choose an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "Choose an image"),
        (b"", "Choose an image"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "Choose an image"),
        (samples.image("PNG", (300, 300))[:-60], "damaged"),
        (samples.image("JPEG", (300, 300))[:400], "Choose an image|damaged"),
        (samples.pixel_bomb(5_001, 5_000), "25 million pixels"),
        (samples.pixel_bomb(30_000, 30_000), "million pixels"),
        (samples.pixel_bomb(4_000, 4_000), "damaged"),
    ],
    ids=["page", "SVG", "PostScript", "empty", "signature", "cut off", "head", *"123"],
)
def test_what_is_no_image_is_refused_and_changes_nothing(alice, content, complaint):
    url = put(alice, samples.image("PNG")).json()["avatar_url"]

    answer = put(alice, content)

    assert answer.status_code == 422
    [said] = answer.json()["errors"]["file"]
    assert any(words in said for words in complaint.split("|")), said
    assert alice.http.get(url).status_code == 200


def test_a_script_inside_an_image_is_gone(alice):
    _picture, response = picture_of(alice, put(alice, GIF_AND_SCRIPT))

    assert b"script" not in response.content
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_bomb_of_frames_costs_one_frame(alice):
    """A GIF whose second frame claims to be huge."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65_000, 65_000, 0)
    bomb = animation()[:-1] + frame + b"\x08\x01\x00\x00\x3b"

    assert put(alice, bomb).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"json": {"file": "x"}}, {"files": {"picture": samples.image("PNG")}}]
)
def test_a_body_without_a_file_is_refused(alice, body):
    answer = alice.http.put(OWN, **body)

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["file"]


def test_a_file_that_is_too_large_is_refused(start_server, alice):
    server = start_server(MAX_UPLOAD_MB="1")
    alice.http.base_url = server.url

    answer = put(alice, samples.image("PNG") + bytes(1024 * 1024))

    assert answer.status_code == 413
    assert "1 MB" in answer.json()["detail"]


def test_nobody_changes_the_picture_of_somebody_else(alice, bob):
    for method in ("PUT", "DELETE", "POST"):
        answer = bob.http.request(method, f"/auth/users/{alice.id}/avatar")
        assert answer.status_code == 405


# Who sees it


def test_who_shares_a_room_sees_it_with_and_without_its_version(alice, bob, lunch):
    url = put(alice, samples.image("PNG")).json()["avatar_url"]

    for address, kept in ((url, "max-age=31536000, immutable"), (url.split("?")[0], "no-cache")):
        answer = bob.http.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == f"private, {kept}"
        again = bob.http.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_for_a_stranger_it_is_not_there(alice, carol, lunch):
    put(alice, samples.image("PNG"))

    answers = [
        carol.http.get(f"/auth/users/{user_id}/avatar", params={"v": version})
        for user_id in (alice.id, "0" * 24)
        for version in ("", "x", "\0", "x" * 5000)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


def test_who_was_shown_it_in_a_room_still_sees_it(alice, bob, lunch):
    url = put(alice, samples.image("PNG")).json()["avatar_url"]
    removed = alice.http.delete(f"/chat/chat_rooms/{lunch['id']}/members/{alice.id}")
    assert removed.status_code == 204, removed.text

    assert bob.http.get(url).status_code == 200
    assert bob.http.get(url.split("?")[0]).status_code == 404


def test_who_is_not_logged_in_sees_none(alice, server):
    url = put(alice, samples.image("PNG")).json()["avatar_url"]
    token, alice.http.headers["Authorization"] = alice.http.headers["Authorization"], ""

    answer = alice.http.get(url, headers={"Accept": "image/*"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    alice.http.headers["Authorization"] = token
    assert alice.http.get(url, headers={"Accept": "image/*"}).status_code == 200


def test_lists_of_people_say_where_it_is(alice, bob, lunch):
    url = put(alice, samples.image("PNG")).json()["avatar_url"]
    private = {"name": "x", "members": [bob.email], "is_group_chat": False}
    alice.http.post("/chat/chat_rooms/", json=private)

    members = bob.http.get(f"/chat/chat_rooms/{lunch['id']}/members").json()
    assert {each["email"]: each["avatar_url"] for each in members} == {
        alice.email: url,
        bob.email: None,
    }
    [chat] = bob.http.get("/chat/private_chats/").json()
    assert chat["avatar_url"] == url


# Open windows


@pytest.fixture
def listen(server):
    """A device of a person that keeps what it hears of profiles: `device.told`."""
    devices = []

    def connect(person, protocol=2):
        device = Device(server.url)
        devices.append(device)
        device.told = []
        device.client.on("profile", device.told.append)
        device.connect(auth={"token": person.token, "protocol": protocol})
        return device

    yield connect
    for device in devices:
        device.close()


def test_a_change_reaches_who_shares_a_room_and_nobody_else(listen, alice, bob, carol, lunch):
    hers, his, strangers = listen(alice), listen(bob), listen(carol)
    older = listen(bob, protocol=1)

    url = put(alice, samples.image("PNG")).json()["avatar_url"]
    alice.http.patch("/auth/users/me", json={"full_name": "Alice N.", "theme": "dark"})
    alice.http.patch("/auth/users/me", json={"full_name": "Alice N.", "language": "fa"})
    alice.http.delete(OWN)

    profile = {"id": alice.id, "email": alice.email, "username": "alice", "full_name": "Alice"}
    expected = [
        {"user": {**profile, "avatar_url": url}},
        {"user": {**profile, "full_name": "Alice N.", "avatar_url": url}},
        {"user": {**profile, "full_name": "Alice N.", "avatar_url": None}},
    ]
    for device in (hers, his):
        eventually(lambda device=device: device.told == expected)
    # What is last heard of her comes after all that could have been told to the others.
    bob.http.patch("/auth/users/me", json={"full_name": "Robert"})
    eventually(lambda: len(his.told) == 4)
    assert strangers.told == older.told == []


def test_a_name_that_staff_change_is_told_too(monkeypatch, alice, moira):
    told = []

    async def publish(event, *, to):
        told.append((event.name, set(to)))

    monkeypatch.setattr(realtime, "publish", publish)
    actions.change_user(actor=moira.user, user=alice.user, language="fa")
    assert told == []

    actions.change_user(actor=moira.user, user=alice.user, full_name="Alice N.")

    assert told == [("profile", {alice.user.pk})]
    assert User.objects.get(pk=alice.user.pk).full_name == "Alice N."
