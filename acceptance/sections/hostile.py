"""Requests nobody sends by accident: a 4xx that says why, never a 5xx, and the service lives."""

import json

import requests

from acceptance.people import answer
from acceptance.shapes import ClientError, OneOf, Shape
from acceptance.walk import step

JSON = {"Content-Type": "application/json"}
CUT_OFF = "cut off"  # what a server may do with a request line or a header beyond all measure
NO_5XX = Shape("no 5xx", lambda status: status == CUT_OFF or status < 500)


def bodies():
    """Return name → (headers, body) of what is no JSON object we could want."""
    return {
        "nothing": (JSON, b""),
        "white space": (JSON, b"  \n"),
        "no JSON": (JSON, b"hello"),
        "JSON that breaks off": (JSON, b'{"content": "hel'),
        "two JSON texts": (JSON, b'{"content": "a"}{"content": "b"}'),
        "a list": (JSON, b"[]"),
        "a list of objects": (JSON, b'[{"content": "a"}]'),
        "a text": (JSON, b'"content"'),
        "a number": (JSON, b"7"),
        "null": (JSON, b"null"),
        "true": (JSON, b"true"),
        "no UTF-8": (JSON, b'{"content": "\xff\xfe"}'),
        "half a character": (JSON, b'{"content": "\xf0\x9f"}'),
        "UTF-16": (JSON, '{"content": "a"}'.encode("utf-16")[:-1]),
        "NaN": (JSON, b'{"content": NaN, "name": NaN}'),
        "a number of 10,000 digits": (JSON, b'{"content": ' + b"7" * 10_000 + b"}"),
        "a number without end": (JSON, b'{"content": 1e999, "name": -1e999}'),
        "lists 100,000 deep": (JSON, b"[" * 100_000),
        "closed lists 100,000 deep": (JSON, b"[" * 100_000 + b"]" * 100_000),
        "objects 100,000 deep": (JSON, b'{"a":' * 100_000),
        "a field 5,000 deep": (JSON, b'{"content": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        "100,000 fields": (JSON, json.dumps({str(n): n for n in range(100_000)}).encode()),
        "3 MB": (JSON, b'{"content": "' + b"x" * 3_000_000 + b'"}'),
        "30 MB": (JSON, b'{"content": "' + b"x" * 30_000_000 + b'"}'),
        "a content type of nonsense": ({"Content-Type": "/;;;="}, b"{}"),
        "a charset of nonsense": ({"Content-Type": "application/json; charset=bogus"}, b"{}"),
        "an encoding of nonsense": ({**JSON, "Content-Encoding": "br"}, b"{}"),
        "XML": ({"Content-Type": "application/xml"}, b"<a/>"),
        "a form without a boundary": ({"Content-Type": "multipart/form-data"}, b"--x"),
    }


@step
def bodies_that_are_no_json_object(walk):
    alice = walk.alice
    room = alice.make_room()
    for path in (
        "/auth/signup",
        "/auth/login",
        "/auth/token",
        "/chat/chat_rooms/",
        f"/chat/chat_rooms/{room['id']}/messages",
    ):
        for name, (headers, body) in bodies().items():
            response = alice.post(path, data=body, headers=headers)
            walk.check(f"POST {path} with {name}", answer(response), ClientError())
    walk.check("nothing of that was stored", alice.messages(room["id"]), [])


def status_of(person, method, path, **options):
    try:
        return person.request(method, path, **options).status_code
    except requests.ConnectionError:
        return CUT_OFF


@step
def methods_and_paths_that_are_none(walk):
    alice = walk.alice
    room = alice.make_room()
    for method, path in (
        ("DELETE", "/auth/signup"),
        ("GET", "/auth/signup"),
        ("PUT", "/auth/login"),
        ("POST", "/auth/users/me"),
        ("GET", "/chat/upload_media/"),
        ("PUT", f"/chat/chat_rooms/{room['id']}/messages"),
        ("BREW", "/auth/users/me"),
    ):
        walk.check(f"{method} {path}", answer(alice.request(method, path)), ClientError(404, 405))
    for path in ("/auth/nothing", "/chat/nothing", "/chat/", "/auth/", "/chat/chat_rooms/x/y/z"):
        walk.check(f"GET {path}", answer(alice.get(path)), ClientError(404))
    for path in (
        "/auth/%00",
        "/chat/%ff%fe",
        "/chat/chat_rooms/%2e%2e/%2e%2e/etc/passwd",
        "/media/../manage.py",
        "/media/%2e%2e/%2e%2e/manage.py",
        "/static/../manage.py",
        "/static/%2e%2e/manage.py",
        "/static/%00",
        "//evil.example/",
        "/" + "a" * 10_000,
        "/;/%",
    ):
        response = alice.get(path)
        walk.check(f"GET {path:.50} is no 5xx", response.status_code, NO_5XX)
        walk.check(
            f"GET {path:.50} gives no source away", "DJANGO_SETTINGS_MODULE" in response.text, False
        )
    status = status_of(alice, "GET", "/?" + "a" * 20_000)
    walk.check("GET of 20,000 characters is no 5xx", status, NO_5XX)
    for method in ("HEAD", "OPTIONS"):
        for path in ("/auth/users/me", "/chat/chat_rooms/", "/docs", "/auth/signup"):
            status = alice.request(method, path).status_code
            walk.check(f"{method} {path} is no 5xx", status, NO_5XX)


@step
def headers_that_are_none(walk):
    alice = walk.alice
    for name, headers in {
        "a foreign host": {"Host": "evil.example"},
        "a host of nonsense": {"Host": "..:99999"},
        "an Authorization of 60,000 characters": {"Authorization": "Bearer " + "x" * 60_000},
        "a cookie of nonsense": {"Cookie": "sessionid=\x01\u00ff; csrftoken==;=;"},
        "an Accept of nonsense": {"Accept": "no/such;q=banana"},
        "a language of nonsense": {"Accept-Language": "x" * 5_000 + ";q=\x01"},
        "a range of nonsense": {"Range": "bytes=9-1,-0,x"},
        "a length that lies": {"Content-Length": "-1"},
    }.items():
        headers = {name: value.encode("latin-1") for name, value in headers.items()}
        status = status_of(alice, "GET", "/auth/users/me", headers=headers)
        walk.check(f"{name} is no 5xx", status, NO_5XX)


@step
def the_service_lives(walk):
    walk.check("after all this one logs in", walk.alice.log_in() != "", True)
    room = walk.alice.make_room(walk.bob)
    walk.check(
        "and writes",
        answer(walk.alice.post_message(room["id"], "still here"))[0],
        OneOf(201),
    )
