"""`POST /chat/upload_media/`: what is taken, what is refused, and under which name it is kept."""

import hashlib
import json
import resource
import socket
from http.client import HTTPResponse
from urllib.parse import quote, urlsplit

import pytest
import requests

from media_upload.models import Upload

from . import samples
from .conftest import UPLOADS, stored_files

PATH = "/chat/upload_media/"
LIMIT = 25 * 1024 * 1024
BOUNDARY = "frontier"
END = f"--{BOUNDARY}--\r\n".encode()


def upload(person, content=b"Hello", name="hello.txt", **options):
    return person.http.post(PATH, files={"file": (name, content)}, **options)


def form(*parts, end=END):
    """A multipart body of `(headers, content)` parts, with the boundary `BOUNDARY`."""
    return (
        b"".join(
            b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), headers.encode(), content)
            for headers, content in parts
        )
        + end
    )


def file_part(content=b"Hello", name="hello.txt", field="file"):
    return f'Content-Disposition: form-data; name="{field}"; filename="{name}"', content


def post_form(person, body, content_type=f"multipart/form-data; boundary={BOUNDARY}"):
    return person.http.post(PATH, data=body, headers={"Content-Type": content_type})


def test_the_answer_tells_all_about_the_file(alice):
    content = samples.image("PNG")

    response = upload(alice, content, "Holiday photo.png")

    assert response.status_code == 201
    answer = response.json()
    assert answer == {
        "id": answer["id"],
        "file_url": f"/media/{answer['id']}/Holiday%20photo.png",
        "name": "Holiday photo.png",
        "content_type": "image/png",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "width": 30,
        "height": 20,
    }
    assert alice.http.get(answer["file_url"]).content == content
    assert Upload.objects.get(pk=answer["id"]).owner_id == alice.user.pk


def test_the_path_works_without_its_slash(alice):
    response = alice.http.post(PATH.rstrip("/"), files={"file": ("a.txt", b"a")})

    assert response.status_code == 201


def test_only_people_who_are_logged_in_upload(server):
    response = requests.post(server.url + PATH, files={"file": ("a.txt", b"a")})

    assert response.status_code == 401
    assert response.json() == {"detail": "Not authenticated"}
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "request_of",
    [
        {},
        {"data": {"file": "a text, not a file"}},
        {"json": {"file": "a.txt"}},
        {"files": {"other": ("a.txt", b"a")}},
        {"files": {"file": ("", b"")}},
        {"files": {"file": ("empty.txt", b"")}},
        {"data": b"just bytes", "headers": {"Content-Type": "image/png"}},
    ],
    ids=["nothing", "field", "json", "other-field", "no-choice", "empty-file", "raw"],
)
def test_without_a_file_the_field_is_named(alice, request_of):
    response = alice.http.post(PATH, **request_of)

    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["file"]
    assert not Upload.objects.exists()


def test_two_files_of_one_name_are_two_uploads(alice):
    first, second = upload(alice, b"first").json(), upload(alice, b"second").json()

    assert first["file_url"] != second["file_url"]
    assert alice.http.get(first["file_url"]).content == b"first"
    assert alice.http.get(second["file_url"]).content == b"second"


# Names

NAMES = {
    "report.pdf": "report.pdf",
    "two  spaces .txt": "two spaces .txt",
    "گزارش سال ۱۴۰۴.txt": "گزارش سال ۱۴۰۴.txt",
    "می‌خواهم.txt": "می‌خواهم.txt",
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "/etc/shadow": "shadow",
    "C:\\autoexec.bat": "autoexec.bat",
    "..": "file",
    ".": "file",
    "....": "file",
    ".htaccess": "htaccess",
    "nul": "_nul",
    "COM1.tar.gz": "_COM1.tar.gz",
    "console.txt": "console.txt",
    "zero\0byte.txt": "zerobyte.txt",
    "bell\a.txt": "bell.txt",
    "photo\u202egnp.exe": "photognp.exe",
    "\u2066isolated\u2069.txt": "isolated.txt",
    "no\u200bspace\ufeff.txt": "nospace.txt",
    "what?.txt": "what_.txt",
    "a<b>:c|d*.txt": "a_b__c_d_.txt",
    "50% & #1; it's.txt": "50% & #1; it's.txt",
    "%2e%2e%2fpasswd": "%2e%2e%2fpasswd",
    "&#46;&#46;&#47;passwd": "&#46;&#46;&#47;passwd",
    "ends in dots...": "ends in dots",
    "x" * 300 + ".jpeg": "x" * 145 + ".jpeg",
    "س" * 200 + ".txt": "س" * 73 + ".txt",
    "a." + "b" * 300: "a." + "b" * 148,
}


@pytest.mark.parametrize(("sent", "kept"), NAMES.items())
def test_names_are_cleaned_and_still_known(alice, sent, kept):
    response = post_form(alice, form(file_part(b"content", sent)))

    answer = response.json()
    assert (response.status_code, answer["name"]) == (201, kept)
    assert answer["file_url"].endswith("/" + quote(kept, safe=""))
    assert alice.http.get(answer["file_url"]).content == b"content"
    [path] = stored_files()
    assert path.parent.parent == UPLOADS
    assert path.name == f"{answer['id']}-{kept}"


def test_a_name_in_two_quotes_cannot_add_headers(alice):
    answer = post_form(alice, form(file_part(name='a\\"b; x=.txt'))).json()

    disposition = alice.http.get(answer["file_url"]).headers["Content-Disposition"]
    assert disposition.startswith("inline; filename")
    assert "\n" not in disposition


# Types

TYPES = {
    "png": (samples.image("PNG"), "image/png"),
    "jpeg": (samples.image("JPEG"), "image/jpeg"),
    "gif": (samples.image("GIF"), "image/gif"),
    "webp": (samples.image("WEBP"), "image/webp"),
    "avif": (samples.image("AVIF"), "image/avif"),
    "text": ("سلام دنیا\n".encode(), "text/plain"),
    "text-like-bitmap": (b"BMW is a make of cars", "text/plain"),
    "other-text": ("café".encode("latin-1"), "application/octet-stream"),
    "nul": (b"text\0text", "application/octet-stream"),
    "html": (b"\xef\xbb\xbf\n <!DOCTYPE html><title>x</title>", "text/html"),
    "tag": (b"<b>bold</b>", "text/html"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
    "xml-svg": (b"<?xml version='1.0'?><!-- x --><s:svg/>", "image/svg+xml"),
    "xml": (b"<?xml version='1.0'?><a/>", "application/xml"),
    "pdf": (b"%PDF-1.7\n%abc", "application/pdf"),
    "broken-png": (b"\x89PNG\r\n\x1a\n" + samples.SCRIPT, "application/octet-stream"),
    "gif-with-html": (samples.image("GIF") + samples.SCRIPT, "image/gif"),
    "mp3": (b"ID3\x04" + bytes(60), "audio/mpeg"),
    "ogg": (b"OggS" + bytes(60), "audio/ogg"),
    "zip": (b"PK\x03\x04" + bytes(60), "application/zip"),
}


@pytest.mark.parametrize(("content", "content_type"), TYPES.values(), ids=TYPES)
def test_the_type_is_what_the_content_is(alice, content, content_type):
    for name in ("claims.png", "claims.html", "claims"):
        response = alice.http.post(PATH, files={"file": (name, content, "image/png")})

        assert response.json()["content_type"] == content_type


def test_a_photo_is_as_wide_as_people_see_it(alice):
    answer = upload(alice, samples.photo_held_upright(), "photo.jpg").json()

    assert (answer["width"], answer["height"]) == (20, 30)


@pytest.mark.parametrize("size", [(10_000, 9_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_of_too_many_pixels_is_refused(alice, size):
    response = upload(alice, samples.pixel_bomb(*size), "bomb.png")

    assert response.status_code == 422
    assert "million pixels" in response.json()["errors"]["file"][0]
    assert not stored_files()


# Limits


def test_a_file_may_be_as_large_as_the_limit(alice):
    response = upload(alice, bytes(LIMIT))

    assert (response.status_code, response.json()["size"]) == (201, LIMIT)


@pytest.mark.parametrize("length", [LIMIT + 1, 3 * LIMIT])
def test_a_larger_file_is_refused_and_leaves_nothing(alice, length):
    response = upload(alice, bytes(length))

    assert response.status_code == 413
    assert response.json()["detail"]
    assert not Upload.objects.exists()
    assert not stored_files()


def raw_upload(server, person, headers, body):
    """Send an upload over a bare socket and return the status and JSON of the answer."""
    address = urlsplit(server.url)
    head = [
        f"POST {PATH} HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Bearer {person.token}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        *headers,
    ]
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        for piece in body:
            connection.sendall(piece)
        response = HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


def chunked(body, size=1024 * 1024):
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


def test_a_chunked_upload_needs_no_content_length(server, alice):
    body = [*chunked(form(file_part(b"a" * 3_000_000))), b"0\r\n\r\n"]

    status, answer = raw_upload(server, alice, ["Transfer-Encoding: chunked"], body)

    assert (status, answer["size"]) == (201, 3_000_000)


def test_a_chunked_upload_is_refused_while_it_comes(server, alice):
    """The last chunk is never sent: the answer comes in the middle of the body."""
    body = chunked(form(file_part(bytes(LIMIT + 1024 * 1024))))

    status, answer = raw_upload(server, alice, ["Transfer-Encoding: chunked"], body)

    assert status == 413
    assert answer["detail"]


def test_a_content_length_that_is_too_small_cuts_the_upload_off(server, alice):
    body = form(file_part(b"a" * 1000))

    status, answer = raw_upload(server, alice, ["Content-Length: 500"], [body[:500]])

    assert (status, answer["detail"]) == (400, "The upload stops before its end.")
    assert not Upload.objects.exists()


HOSTILE_FORMS = {
    "no boundary in the header": (400, form(file_part()), "multipart/form-data"),
    "a boundary that is not one": (400, form(file_part()), "multipart/form-data; boundary=é"),
    "another boundary": (400, form(file_part()), "multipart/form-data; boundary=other"),
    "no end": (400, form(file_part(), end=b""), None),
    "half an end": (400, form(file_part(), end=END[:5]), None),
    "no headers": (422, form(("", b"x")), None),
    "not UTF-8": (422, form(file_part()).replace(b"hello", b"\xff\xfe"), None),
    "headers without end": (400, b"--frontier\r\nX: " + b"x" * 100_000, None),
    "a very long name": (400, form(file_part(name="x" * 100_000)), None),
    "a very long field name": (400, form(file_part(field="x" * 100_000)), None),
    "a very long field": (
        413,
        form(('Content-Disposition: form-data; name="a"', b"x" * 2**21)),
        None,
    ),
    "very many fields": (
        400,
        form(*[('Content-Disposition: form-data; name="a"', b"")] * 5000),
        None,
    ),
    "very many files": (422, form(*[file_part()] * 50), None),
    "two files": (422, form(file_part(b"one"), file_part(b"two")), None),
    "broken base64": (
        400,
        form((file_part()[0] + "\r\nContent-Transfer-Encoding: base64", b"a" * 1001)),
        None,
    ),
    "noise": (400, bytes(range(256)) * 50, None),
}


@pytest.mark.parametrize(
    ("status", "body", "content_type"), HOSTILE_FORMS.values(), ids=HOSTILE_FORMS
)
def test_hostile_forms_are_refused_in_words(alice, status, body, content_type):
    response = post_form(alice, body, *[content_type] if content_type else [])

    assert response.status_code == status, response.text
    assert response.json()["detail"]
    assert not Upload.objects.exists()
    assert not stored_files()


def test_files_of_other_fields_are_read_past(alice):
    response = post_form(
        alice, form(file_part(b"x", field="a"), file_part(b"wanted"), file_part(b"y", field="b"))
    )

    assert alice.http.get(response.json()["file_url"]).content == b"wanted"


@pytest.mark.parametrize("megabytes", [1, 4], ids=["while it is stored", "while it comes"])
def test_a_full_disk_is_an_answer_and_leaves_nothing(server, alice, megabytes):
    """A limit on the length of the process's files is as good as a disk without space."""
    unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (megabytes * 500_000, unlimited[1]))
    try:
        response = upload(alice, bytes(megabytes * 1_000_000))
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)

    assert response.status_code == 507
    assert response.json()["detail"]
    assert not Upload.objects.exists()
    assert not stored_files()
    assert upload(alice).status_code == 201
