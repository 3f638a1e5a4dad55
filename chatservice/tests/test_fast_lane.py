"""The fast lane answers as Django does: each request is sent both ways, and the answers compared.

The lane's own mark is that it writes `Content-Length` after what it has learnt from Django; whether
a request went through it is part of what is expected.
"""

import asyncio
import http.client
import json
import re
import threading
import time
from urllib.parse import urlsplit

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from acceptance.tokens import bad_tokens
from acceptance.waiting import eventually
from accounts import actions as accounts_actions
from accounts import hot_path as accounts_hot_path
from accounts import tokens
from chat import actions
from chat.models import Entry
from chatservice import limits, metrics
from chatservice.fast_lane import FastLane, Route
from chatservice.fast_routes import ROUTES
from chatservice.handler import ThreadHandler
from chatservice.mongo.client import database
from chatservice.realtime import loop
from chatservice.realtime.loop import run
from conftest import HTTP_SECONDS

ORIGIN = "https://pages.example.org"
JSON = {"Content-Type": "application/json"}
FAMILY = "👩\u200d👩\u200d👧"


@pytest.fixture
def both(shared_server):
    """Two servers on one database: one with the lane, one without."""
    servers = [
        shared_server(FAST_LANE=value, CORS_ALLOWED_ORIGINS=ORIGIN) for value in ("on", "off")
    ]
    yield servers
    for server in servers:
        assert "Traceback" not in server.output()


class Answer:
    """What a server said, byte for byte."""

    def __init__(self, response):
        self.status = response.status
        self.raw_headers = response.getheaders()
        self.body = response.read()

    @property
    def was_in_the_lane(self):
        names = [name.lower() for name, _ in self.raw_headers]
        return (
            "content-language" in names
            and "content-length" in names
            and names.index("content-length") > names.index("content-language")
        )

    @property
    def headers(self):
        return sorted((name.lower(), value) for name, value in self.raw_headers)


def send(server, method, path, headers=(), body=None):
    """One request as it is, without a header of a library's own."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=HTTP_SECONDS)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": address.netloc, **dict(headers)}
        if body is not None:
            sent.setdefault("Content-Length", str(len(body)))
        for name, value in sent.items():
            for each in value if isinstance(value, list) else [value]:
                connection.putheader(name, each)
        connection.endheaders(body or None)
        return Answer(connection.getresponse())
    finally:
        connection.close()


class Sides:
    """The same request to both servers, each in a room of its own, and how they differ."""

    def __init__(self, servers, rooms):
        self.servers = servers
        self.rooms = rooms

    def compare(self, method, path, headers=(), body=None):
        """Send it; what comes from the lane is compared with Django's, and returned."""
        lane, django = (
            send(server, method, path.replace("<room>", str(room)), headers, body)
            for server, room in zip(self.servers, self.rooms, strict=True)
        )
        asked = (method, path, headers, (body or b"")[:80])
        assert not django.was_in_the_lane, asked
        assert self._comparable(lane, 0) == self._comparable(django, 1), asked
        return lane

    def learn(self, method, path, headers, body=None):
        """Have a request of this kind answered by Django first."""
        assert self.compare(method, path, headers, body).status in (200, 201)

    def _comparable(self, answer, side):
        def neutral(text):
            text = text.replace(str(self.rooms[side]), "<room>")
            text = text.replace(self.servers[side].url, "<url>")
            text = re.sub(r"(?<=\"id\":\")[0-9a-f]{24}", "<id>", text)
            return re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+", "<time>", text)

        headers = [(name, neutral(value)) for name, value in answer.headers]
        return answer.status, headers, neutral(answer.body.decode())


@pytest.fixture
def sides(both, alice, bob):
    """Two rooms of Alice's with Bob in them, and the same said in both."""

    async def make_room():
        opened = await actions.create_room(actor=alice.user, name="A room", members=[bob.email])
        for person, content in ((alice, "hello"), (bob, FAMILY), (alice, "سلام \u2028 </script>")):
            await actions.post_message(
                actor=person.user, room_id=opened.room_id, content=content, via=Entry.Via.REST
            )
        return opened.room_id

    return Sides(both, [run(make_room()), run(make_room())])


def bearer(person, scheme="Bearer"):
    return {"Authorization": f"{scheme} {person.token}"}


GETS = [
    "/auth/users/me",
    "/auth/users/me/",
    "/chat/chat_rooms/<room>/messages",
    "/chat/chat_rooms/<room>/messages/",
    "/chat/chat_rooms/<room>/messages?limit=2",
    "/chat/chat_rooms/<room>/messages/?limit=2",
    "/chat/chat_rooms/<room>/messages?limit=1&before=4",
    "/chat/chat_rooms/<room>/messages?after=4&limit=1000",
    "/chat/chat_rooms/<room>/messages?after=9007199254740991&limit=5",
    "/chat/chat_rooms/<room>/messages?limit=%32",
    "/chat/chat_rooms/<room>/messages?limit=2&limit=1",
    "/chat/chat_rooms/<room>/messages?limit=",
    "/chat/chat_rooms/<room>/messages?limit=0",
    "/chat/chat_rooms/<room>/messages?limit=1001",
    "/chat/chat_rooms/<room>/messages?limit=-1&before=x&after=%00",
    "/chat/chat_rooms/<room>/messages?limit=99999999999999999999999999999",
    "/chat/chat_rooms/<room>/messages?limit=%D9%A3",
    "/chat/chat_rooms/<room>/messages?limit=%ff",
    "/chat/chat_rooms/<room>/messages?before=2.0",
    "/chat/chat_rooms/<room>/messages?unknown=1",
    "/chat/chat_rooms/<room>/events",
    "/chat/chat_rooms/<room>/events/?after=2&limit=1",
    "/chat/chat_rooms/<room>/events?after=5",
    "/chat/chat_rooms/<room>/events?after=500",
    "/chat/chat_rooms/<room>/events?after=x&limit=",
    "/chat/chat_rooms/ffffffffffffffffffffffff/messages?limit=2",
    "/chat/chat_rooms/ffffffffffffffffffffffff/events",
]


def test_reading_is_the_same_in_the_lane(sides, alice):
    for path in GETS:
        if "?" not in path and "fff" not in path:
            sides.learn("GET", path, bearer(alice))
        assert sides.compare("GET", path, bearer(alice)).was_in_the_lane, path


def test_the_list_of_rooms_is_the_same_in_the_lane(both, sides, alice):
    written = {"projected_seq": 5}  # `last_activity_at` is noted a moment after the message
    eventually(
        lambda: database()["chat_room"].count_documents(written) == 2, what="the rooms' progress"
    )
    answers = [send(both[0], "GET", "/chat/chat_rooms", bearer(alice)) for _ in range(2)]
    django = send(both[1], "GET", "/chat/chat_rooms", bearer(alice))

    assert [answer.was_in_the_lane for answer in answers] == [False, True]
    assert {answer.body for answer in answers} == {django.body}
    assert answers[1].headers == django.headers
    assert len(json.loads(django.body)) == 2


BODIES = [
    b'{"content": "hello"}',
    b'  {"content":"hello","sender":"x","timestamp":1,"id":"0"}\n',
    json.dumps({"content": f" \u202e{FAMILY} \ud83d\ude00 سلام </script> "}).encode(),
    b'{"content": "caf\xc3\xa9", "client_id": "one", "reply_to": 3, "uploads": null}',
    b'{"content": "first", "content": "second"}',
    b'{"content": "' + b"x" * 8_000 + b'"}',
    b'{"content": "' + b"x" * 8_001 + b'"}',
    b'{"content": ""}',
    b'{"content": " \\n\\u200b"}',
    b'{"content": "a\\u0000b"}',
    b'{"content": "\\ud800"}',
    b'{"content": 5}',
    b'{"content": null}',
    b'{"content": ["x"], "client_id": 5, "reply_to": true, "uploads": "x"}',
    b'{"content": {"$gt": ""}}',
    b'{"content": "x", "reply_to": 9007199254740992}',
    b'{"content": "x", "reply_to": -1}',
    b'{"content": "x", "reply_to": 1e400}',
    b'{"content": "x", "reply_to": "3"}',
    b'{"content": "x", "reply_to": 3.0}',
    b'{"content": "x", "client_id": ""}',
    b'{"content": "x", "client_id": "' + b"y" * 65 + b'"}',
    b'{"content": "x", "uploads": ["ffffffffffffffffffffffff"]}',
    b'{"content": "x", "uploads": ["no id"]}',
    b'{"content": "x", "uploads": [1, null, {}]}',
    b'{"content": "a link to /media/ffffffffffffffffffffffff/cat.png"}',
    b"{}",
    b"[]",
    b"null",
    b"7",
    b'"text"',
    b"{",
    b"nonsense",
    b'{"content": NaN}',
    b'{"content": "\xff\xfe"}',
    b"\xef\xbb\xbf" + b'{"content": "with a mark"}',
    b'{"content": "x"}{"content": "y"}',
    b"1" * 5_000,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"content": "x", "padding": "' + b"x" * 500_000 + b'"}',
    b'{"content": "x", "padding": "' + b"x" * 1_100_000 + b'"}',
]


def test_posting_is_the_same_in_the_lane(sides, alice):
    path, headers = "/chat/chat_rooms/<room>/messages", bearer(alice) | JSON
    sides.learn("POST", path, headers, b'{"content": "the first of its kind"}')

    for body in BODIES:
        answer = sides.compare("POST", path, headers, body)
        # What is longer than any body gets an answer before either way begins.
        assert answer.was_in_the_lane == (len(body) <= 1024 * 1024), body[:80]
    sides.compare("GET", path, headers)


def test_a_retry_is_the_same_in_the_lane(sides, alice, bob):
    path, headers = "/chat/chat_rooms/<room>/messages/", bearer(alice) | JSON
    said = b'{"content": "hello", "client_id": "one"}'
    sides.learn("POST", path, headers, said)

    assert sides.compare("POST", path, headers, said).status == 200
    assert sides.compare("POST", path, bearer(bob) | JSON, said).status == 201
    assert sides.compare("GET", path, bearer(bob)).status == 200


ODD = {
    "HEAD": ("HEAD", {}, None),
    "OPTIONS": ("OPTIONS", {}, None),
    "a CORS preflight": (
        "OPTIONS",
        {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        },
        None,
    ),
    "PUT": ("PUT", JSON, b"{}"),
    "PATCH": ("PATCH", JSON, b"{}"),
    "DELETE": ("DELETE", {}, None),
    "a method that is none": ("BREW", {}, None),
    "JSON by its weight": ("GET", {"Accept": "text/html;q=0.1, application/json;q=0.9"}, None),
    "nothing that there is": ("GET", {"Accept": "image/png"}, None),
    "an Accept that is none": ("GET", {"Accept": "no/such;q=banana"}, None),
    "a foreign host": ("GET", {"Host": "evil.example"}, None),
    "a host that is none": ("GET", {"Host": "..:99999"}, None),
    "a cookie": ("GET", {"Cookie": "sessionid=x; django_language=fa"}, None),
    "a form": ("POST", {"Content-Type": "application/x-www-form-urlencoded"}, b"content=hello"),
    "a multipart form": (
        "POST",
        {"Content-Type": "multipart/form-data; boundary=b"},
        b'--b\r\nContent-Disposition: form-data; name="content"\r\n\r\nhello\r\n--b--\r\n',
    ),
    "XML": ("POST", {"Content-Type": "application/xml"}, b"<a/>"),
    "no type": ("POST", {}, b'{"content": "x"}'),
    "another charset": (
        "POST",
        {"Content-Type": "application/json; charset=utf-16"},
        '{"content": "x"}'.encode("utf-16"),
    ),
    "a charset that is none": (
        "POST",
        {"Content-Type": "application/json; charset=klingon"},
        b'{"content": "x"}',
    ),
    "an empty body": ("POST", JSON, b""),
    "no body": ("POST", {**JSON, "Content-Length": "0"}, None),
    "a compressed body": ("POST", {**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b"),
    "a body in parts": (
        "POST",
        {**JSON, "Transfer-Encoding": "chunked", "Content-Length": []},
        b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
    ),
    "two tokens": ("GET", {"Authorization": ["Bearer x", "Bearer y"]}, None),
}


def test_what_is_not_plain_is_left_to_django(sides, alice):
    path = "/chat/chat_rooms/<room>/messages"
    sides.learn("GET", path, bearer(alice))
    sides.learn("POST", path, bearer(alice) | JSON, b'{"content": "x"}')

    for case, (method, headers, body) in ODD.items():
        for _ in range(2):
            answer = sides.compare(method, path, bearer(alice) | headers, body)
            assert not answer.was_in_the_lane, case


def test_other_forms_of_an_answer_are_left_to_django(sides, alice):
    path = "/chat/chat_rooms/<room>/messages"
    sides.learn("GET", path, bearer(alice) | {"Accept": "*/*"})

    for accept, query, start in (
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", b"\n\n<!DOCTYPE html>"),
        ("*/*", "?format=api", b"\n\n<!DOCTYPE html>"),
        ("application/json; indent=4", "", b"[\n    {"),
    ):
        for _ in range(2):
            address = path.replace("<room>", str(sides.rooms[0])) + query
            answer = send(sides.servers[0], "GET", address, bearer(alice) | {"Accept": accept})
            assert (answer.status, answer.was_in_the_lane) == (200, False)
            assert answer.body.lstrip().startswith(start.lstrip())


def test_an_odd_address_is_left_to_django(sides, alice):
    room = "/chat/chat_rooms/<room>/messages"
    for path in (
        room + "?format=json",
        room + "?limit=5&padding=" + "x" * 500,
        room + "//",
        room + "%00",
        room + "%0a",
        room.upper().replace("<ROOM>", "<room>"),
        "/chat//chat_rooms/<room>/messages",
        "/chat/chat_rooms/%2e%2e/messages",
        "/chat/chat_rooms/x/messages",
        "/chat/chat_rooms/FFFFFFFFFFFFFFFFFFFFFFFF/messages",
        "/chat/chat_rooms/%ff/messages",
    ):
        for _ in range(2):
            assert not sides.compare("GET", path, bearer(alice)).was_in_the_lane, path


def test_an_address_written_in_percents_is_the_same(sides, alice):
    sides.learn("GET", "/chat/chat_rooms/<room>/messages", bearer(alice))

    path = "/%63hat/chat_rooms/<room>/%6dessages?limit=1"
    assert sides.compare("GET", path, bearer(alice)).was_in_the_lane


KINDS = {
    "Persian": {"Accept-Language": "fa"},
    "Persian or English": {"Accept-Language": "fa-IR,fa;q=0.9,en;q=0.8"},
    "a language of nonsense": {"Accept-Language": "x" * 5_000 + ";q=\x01"},
    "JSON": {"Accept": "application/json"},
    "JSON or anything": {"Accept": "application/json, text/plain, */*"},
    "anything": {"Accept": "*/*"},
    "a page of another site": {"Origin": ORIGIN},
    "a page of a site that may not": {"Origin": "https://evil.example"},
    "a proxy": {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1"},
    "a compressing client": {"Accept-Encoding": "gzip, br"},
    "a caching client": {"If-None-Match": '"x"', "If-Modified-Since": "Wed, 25 Nov 2026 00:00:00"},
    "another name of the host": {"Host": "chat.localhost"},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_kind_of_request_has_the_headers_that_django_gives_it(sides, alice, carol, kind):
    path, post = "/chat/chat_rooms/<room>/messages", kind | JSON
    sides.learn("GET", path, bearer(alice) | kind)
    sides.learn("POST", path, bearer(alice) | post, b'{"content": "x"}')

    answers = [
        sides.compare("GET", path + "?limit=2", bearer(alice) | kind),
        sides.compare("GET", path + "?limit=x", bearer(alice) | kind),
        sides.compare("GET", path, bearer(carol) | kind),
        sides.compare("POST", path, bearer(alice) | post, b'{"content": "y"}'),
        sides.compare("POST", path, bearer(alice) | post, b'{"content": ""}'),
        sides.compare("POST", path, bearer(carol) | post, b'{"content": "y"}'),
        sides.compare("POST", path, {"Authorization": "Bearer x"} | post, b'{"content": "y"}'),
    ]

    assert all(answer.was_in_the_lane for answer in answers)
    assert [answer.status for answer in answers] == [200, 422, 404, 201, 422, 404, 401]


def test_the_lane_speaks_the_language_that_is_asked_for(sides, alice):
    path, headers = "/chat/chat_rooms/<room>/messages", bearer(alice) | JSON
    texts = set()
    for language in ("en", "fa"):
        kind = headers | {"Accept-Language": language}
        sides.learn("POST", path, kind, b'{"content": "x"}')
        answer = sides.compare("POST", path, kind, b'{"content": " "}')
        assert answer.was_in_the_lane
        texts.add(json.loads(answer.body)["detail"])
    assert len(texts) == 2


def test_who_may_not_is_refused_the_same(sides, alice, carol):
    good = bearer(alice)
    ended = tokens.issue(session := accounts_actions.open_session(user=alice.user))
    accounts_actions.log_out(actor=alice.user, session_id=session.pk)
    expired = tokens.AccessToken(alice.token)
    expired["exp"] = int(time.time()) - 5
    refused = {
        "an ended session": ended["access_token"],
        "an expired one": str(expired),
        "a refresh token": ended["refresh_token"],
        **bad_tokens(alice.token),
        "a long one": "x" * 6_000,
        "one that is not ASCII": "\u00e9",
    }
    paths = ["/auth/users/me", "/chat/chat_rooms/<room>/messages", "/chat/chat_rooms/<room>/events"]
    for path in paths:
        sides.learn("GET", path, good)
        for name, token in refused.items():
            headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
            answer = sides.compare("GET", path, headers)
            assert (name, answer.status, answer.was_in_the_lane) == (name, 401, True)
            assert ("www-authenticate", "Bearer") in answer.headers
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"}):
            answer = sides.compare("GET", path, headers)
            assert (answer.status, answer.was_in_the_lane) == (401, False)
        for scheme in ("bearer", "BEARER"):
            assert sides.compare("GET", path, bearer(alice, scheme)).status == 200
        if "<room>" in path:
            answer = sides.compare("GET", path, bearer(carol))
            assert (answer.status, answer.was_in_the_lane) == (404, True)


def test_a_token_counts_for_no_moment_longer_than_its_session(sides, alice):
    path, headers = "/auth/users/me", bearer(alice)
    sides.learn("GET", path, headers)
    assert sides.compare("GET", path, headers).was_in_the_lane

    accounts_actions.log_out_everywhere(actor=alice.user)

    assert sides.compare("GET", path, headers).status == 401


def test_a_deactivated_person_is_refused_the_same(sides, alice, moira):
    path, headers = "/auth/users/me", bearer(alice)
    sides.learn("GET", path, headers)

    type(alice.user).objects.filter(pk=alice.user.pk).update(is_active=False)

    answer = sides.compare("GET", path, headers)
    assert (answer.status, answer.was_in_the_lane) == (401, True)


def test_many_at_once_each_get_their_own(both, sides, alice, bob):
    server, path = both[0], "/auth/users/me"
    sides.learn("GET", path, bearer(alice))
    wrong = []

    def ask(headers, expected):
        for _ in range(20):
            answer = send(server, "GET", path, headers)
            if not answer.was_in_the_lane or json.loads(answer.body).get("id") != expected:
                wrong.append((expected, answer.status, answer.body))

    askers = [
        threading.Thread(target=ask, args=(headers, expected))
        for headers, expected in [
            (bearer(alice), alice.id),
            (bearer(bob), bob.id),
            ({"Authorization": "Bearer nonsense"}, None),
        ]
        * 3
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert wrong == []


# Without a server: what no request of a client can bring about


async def ask(application, path="/auth/users/me", headers=()):
    """One request to an ASGI application; its status, headers and body."""
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }
    sent = []
    received = iter([{"type": "http.request", "body": b""}])

    async def receive():
        return next(received, None) or await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return (
        sent[0]["status"],
        sorted((name.lower(), value) for name, value in sent[0]["headers"]),
        b"".join(message["body"] for message in sent[1:]),
    )


@pytest.fixture
def django():
    """Django as the lane sees it, which counts what is left to it."""
    handler = ThreadHandler()

    async def django(scope, receive, send):
        django.asked += 1
        await handler(scope, receive, send)

    django.asked = 0
    return django


def token_of(person):
    return [(b"authorization", b"Bearer " + person.token.encode())]


def test_a_request_in_the_lane_is_measured_under_the_route_that_django_found(
    alice, django, monkeypatch
):
    application = metrics.MeasureRequests(FastLane(django, ROUTES))
    labels = {"route": "me", "method": "GET", "status": "200"}

    def measured():
        return metrics.REGISTRY.get_sample_value("chat_http_request_seconds_count", labels) or 0

    assert run(ask(application, headers=token_of(alice)))[0] == 200
    before = measured()
    monkeypatch.delattr(metrics, "resolve")  # which costs more than the rest of a short answer
    assert run(ask(application, headers=token_of(alice)))[0] == 200

    assert django.asked == 1
    assert measured() == before + 1


def test_the_limits_are_the_same_in_the_lane(alice, django, monkeypatch):
    lane = FastLane(django, ROUTES)
    assert run(ask(lane, headers=token_of(alice)))[0] == 200

    def refuse(limit, subject):
        assert (limit, subject) == (limits.API_REQUESTS, alice.user.pk)
        raise limits.TooMany(3.2)

    monkeypatch.setattr(limits, "take", refuse)
    refused = run(ask(lane, headers=token_of(alice)))

    assert django.asked == 1
    assert refused[0] == 429
    assert (b"retry-after", b"4") in refused[1]
    assert refused == run(ask(django, headers=token_of(alice)))


def test_a_database_that_is_down_is_the_same_503_in_the_lane(alice, django, monkeypatch):
    lane = FastLane(django, ROUTES)
    assert run(ask(lane, headers=token_of(alice)))[0] == 200

    def fail(*args):
        raise ServerSelectionTimeoutError

    monkeypatch.setattr(accounts_hot_path, "_people_of", fail)
    refused = run(ask(lane, headers=token_of(alice)))

    assert django.asked == 1
    assert refused[0] == 503
    assert refused == run(ask(django, headers=token_of(alice)))


def test_a_mistake_of_ours_is_a_500_that_says_nothing_of_it(alice, django, caplog):
    async def fail(call):
        raise RuntimeError("a secret")

    route = Route("GET", re.compile(r"/auth/users/me"), fail)
    lane = FastLane(django, [route])
    assert run(ask(lane, headers=token_of(alice)))[0] == 200

    status, _, body = run(ask(lane, headers=token_of(alice)))

    assert (status, json.loads(body)) == (500, {"detail": "Something went wrong on our side."})
    assert django.asked == 1
    assert "Internal Server Error: /auth/users/me" in caplog.text
    assert "a secret" in caplog.text  # in the traceback


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (200, (b"Set-Cookie", b"a=b")),
        (200, (b"Content-Encoding", b"gzip")),
        (200, (b"Content-Type", b"text/plain")),
        (404, (b"Vary", b"Accept")),
    ],
)
def test_nothing_is_learnt_from_an_answer_that_is_not_like_the_others(alice, status, header):
    asked = []

    async def django(scope, receive, send):
        asked.append(scope)
        headers = {b"Content-Type": b"application/json", b"Content-Language": b"en"}
        headers = list((headers | dict([header])).items())
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    lane = FastLane(django, ROUTES)
    for _ in range(3):
        run(ask(lane, headers=token_of(alice)))
    assert len(asked) == 3


def test_a_stopping_server_lets_the_lane_end_too(alice, django, monkeypatch):
    lane = FastLane(django, ROUTES)
    assert run(ask(lane, headers=token_of(alice)))[0] == 200

    monkeypatch.setattr(loop, "_stopping", True)
    status, headers, body = asyncio.run_coroutine_threadsafe(
        ask(lane, headers=token_of(alice)), loop.home_loop()
    ).result(HTTP_SECONDS)

    assert status == 503
    assert (b"retry-after", b"2") in headers
    assert "restarting" in json.loads(body)["detail"]


def test_on_another_loop_than_the_home_loop_nothing_is_answered(alice, django):
    lane = FastLane(django, ROUTES)
    for _ in range(2):
        assert asyncio.run(ask(lane, headers=token_of(alice)))[0] == 200
    assert django.asked == 2
