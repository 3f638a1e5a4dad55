"""What clients get to see of everything that goes wrong, through a running service."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from chatservice.tests.test_embedded_mongodb import USER

ROOT = Path(__file__).resolve().parent.parent.parent
SIGN_UP = "/auth/signup"
JSON, FORM = "application/json", "multipart/form-data"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PATIENCE_SECONDS = 30


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", {400, 422}),
        (b"{", "application/json", {400}),
        (b"nonsense", "application/json", {400}),
        (b'{"email": NaN}', "application/json", {400}),
        (b'{"email": "\xff\xfe"}', "application/json", {400}),
        (b"[" * 100_000 + b"]" * 100_000, "application/json", {400}),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json", {400}),
        (b"1" * 5_000, "application/json", {400}),
        (b"[]", "application/json", {422}),
        (b'"text"', "application/json", {422}),
        (b"null", "application/json", {422}),
        (b'{"email": {"$gt": ""}, "username": [], "password": 1}', "application/json", {422}),
        (b'{"email": "\\ud800@example.org"}', "application/json", {422}),
        (b'{"username": "a\\u0000b"}', "application/json", {422}),
        (b"a=1&" * 5_000, "application/x-www-form-urlencoded", {400, 413}),
        (b"\xff\xfe=\xff", "application/x-www-form-urlencoded", {400, 422}),
        (b"no boundary", "multipart/form-data", {400}),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b", {400, 422}),
        (b"<a/>", "application/xml", {415}),
        (b"{}", "application/json; charset=klingon", {400, 415, 422}),
        (b"{}", "", {400, 415, 422}),
    ],
)
def test_a_body_of_any_kind_is_refused_with_a_detail(anyone, body, content_type, status):
    answer = anyone.post(SIGN_UP, data=body, headers={"Content-Type": content_type})

    assert answer.status_code in status, answer.text
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(("language", "words"), [("en", "1024 KiB"), ("fa", "۱۰۲۴ کیلوبایت")])
def test_a_body_that_is_too_large_is_refused(anyone, language, words):
    headers = {"Accept-Language": language}
    answer = anyone.post(SIGN_UP, json={"email": "x" * 2_000_000}, headers=headers)

    assert answer.status_code == 413
    assert words in answer.json()["detail"]


def test_json_with_a_mistake_in_it_is_refused_with_the_place(anyone):
    answer = anyone.post(SIGN_UP, data='{"email":\n }', headers={"Content-Type": JSON})

    assert answer.status_code == 400
    assert "a mistake in line 2 at character 2" in answer.json()["detail"]


SAID_AS_IT_IS = re.compile(
    r"JSON|UTF-8|RFC 8259|multipart/form-data|boundary|Content-Type|Accept|application/json"
    r"|null|true|false|`file`|text/plain|DELETE|klingon|dict|str"
)


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", "/chat/chat_rooms", {"data": b"{", "headers": {"Content-Type": JSON}}),
        ("POST", "/chat/chat_rooms", {"data": b'{"name": NaN}', "headers": {"Content-Type": JSON}}),
        ("POST", "/chat/chat_rooms", {"data": b"\xff", "headers": {"Content-Type": JSON}}),
        ("POST", "/chat/chat_rooms", {"json": ["name"]}),
        ("POST", "/chat/chat_rooms", {"data": b"null", "headers": {"Content-Type": JSON}}),
        (
            "POST",
            "/chat/chat_rooms",
            {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        ),
        ("POST", "/chat/chat_rooms", {"data": b"x", "headers": {"Content-Type": "text/plain"}}),
        (
            "POST",
            "/chat/chat_rooms",
            {"json": {"name": None, "members": {}, "is_public": "klingon"}},
        ),
        (
            "POST",
            "/chat/chat_rooms/{id}/messages",
            {"data": b"{", "headers": {"Content-Type": JSON}},
        ),
        ("POST", "/chat/chat_rooms/{id}/messages", {"json": {"content": "x", "reply_to": 2**60}}),
        ("GET", "/chat/chat_rooms/{id}/messages?limit=0&before=x", {}),
        ("GET", "/chat/chat_rooms/{id}/messages?limit=5000", {}),
        ("GET", "/chat/chat_rooms/{id}/events?after=-1", {}),
        ("GET", "/chat/search?q=x&before=x", {}),
        ("GET", "/chat/search?q=", {}),
        ("GET", "/chat/chat_rooms/{id}", {"headers": {"Accept": "application/klingon"}}),
        ("DELETE", "/chat/chat_rooms", {}),
        ("POST", "/chat/upload_media", {"json": {}}),
        ("POST", "/chat/upload_media", {"data": b"x", "headers": {"Content-Type": FORM}}),
        ("DELETE", "/auth/sessions/" + "0" * 24, {}),
        ("PATCH", "/auth/users/me", {"json": {"theme": "klingon", "enter_sends": "klingon"}}),
    ],
)
def test_a_persian_client_is_told_in_persian(alice, room, method, path, options):
    alice.http.headers["Accept-Language"] = "fa"
    answer = alice.http.request(method, path.format(id=room), **options)

    assert 400 <= answer.status_code < 500
    told = [answer.json()["detail"], *chain(*answer.json().get("errors", {}).values())]
    for sentence in told:
        assert re.search("[ا-ی]", sentence)
        assert not re.search("[A-Za-z0-9]", SAID_AS_IT_IS.sub("", sentence)), sentence


def test_a_refusal_is_in_the_language_of_whoever_asks_not_of_who_asked_first(alice, room):
    """REST framework's fields keep the sentence about a bound as it was worded first."""
    told = []
    for language in ["en", "fa", "en"]:
        alice.http.headers["Accept-Language"] = language
        answer = alice.http.get(f"/chat/chat_rooms/{room}/messages?limit=5000")
        told += answer.json()["errors"]["limit"]

    english, persian, again = told
    assert english == again == "Ensure this value is less than or equal to 1000."
    assert persian == "باید حداکثر ۱۰۰۰ باشد."


@pytest.mark.parametrize("declared", [10, 100_000])
def test_a_content_length_that_lies(server, declared):
    address = urlsplit(server.url)
    body = b'{"username": "someone", "email": "a@example.org"}'
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(
            b"POST /auth/signup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (declared, body)
        )
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 422"))
    assert "Traceback" not in server.output()


def test_invalid_input_names_the_fields(anyone):
    answer = anyone.post(SIGN_UP, json={"username": "someone"})

    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == {"email", "password"}
    assert answer.json()["detail"] == "This field is required."


@pytest.mark.parametrize("path", ["/auth/nothing", "/chat/nothing/", "/nothing"])
def test_an_address_that_leads_nowhere(anyone, path):
    for_programs = anyone.get(path, headers={"Accept": "application/json"})

    assert for_programs.status_code == 404
    assert for_programs.json() == {"detail": "Not found."}


def test_a_browser_gets_a_page(anyone):
    answer = anyone.get("/nothing", headers=PAGE)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>Not found.</h1>" in answer.text
    assert 'lang="en" dir="ltr"' in answer.text
    in_persian = anyone.get("/nothing", headers={**PAGE, "Accept-Language": "fa"}).text
    assert ">404<" in answer.text
    assert ">۴۰۴<" in in_persian


def test_the_api_answers_json_to_a_browser_too(anyone):
    assert anyone.get("/chat/nothing", headers=PAGE).json() == {"detail": "Not found."}


def test_a_method_that_is_not_there_is_named(anyone):
    answer = anyone.delete(SIGN_UP)

    assert answer.status_code == 405
    assert answer.json() == {"detail": 'Method "DELETE" not allowed.'}


def test_a_form_without_its_csrf_token(anyone):
    page = anyone.post("/admin/login/", data={"username": "x"}, headers=PAGE)
    program = anyone.post("/admin/login/", data={}, headers={"Accept": "application/json"})

    assert (page.status_code, program.status_code) == (403, 403)
    assert "<h1>This form is out of date" in page.text
    assert program.json()["code"] == "csrf_failed"


def test_pages_and_answers_carry_what_protects_browsers(anyone):
    for path in ("/", "/docs", "/admin/login/", "/health", "/nothing"):
        headers = anyone.get(path).headers
        policy = directives(headers["Content-Security-Policy"])
        assert policy["default-src"] in ("'none'", "'self'")
        assert policy["frame-ancestors"] == "'none'"
        scripts = policy.get("script-src", policy["default-src"])
        assert "unsafe" not in scripts
        assert "//" not in scripts, "scripts come from nowhere else"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def directives(policy):
    """A Content-Security-Policy as {directive: its sources}."""
    parts = (part.strip().partition(" ") for part in policy.split(";"))
    return {name: sources for name, _, sources in parts if name}


def test_every_address_answers_with_and_without_its_final_slash(anyone):
    for path in ("/health", "/docs"):
        assert anyone.get(path).status_code == anyone.get(path + "/").status_code == 200
    assert anyone.get("/health/").json() == {"status": "ok"}


def test_static_files_come_with_a_long_life_and_compressed(anyone):
    [path] = re.findall(r'href="(/static/css/app\.[0-9a-f]+\.css)"', anyone.get("/").text)
    answer = anyone.get(path, headers={"Accept-Encoding": "gzip"})

    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "@layer" in answer.text
    again = anyone.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_socket_io_client_of_the_pages_is_served(anyone):
    answer = anyone.get("/static/vendor/socket.io-client/socket.io.esm.min.js")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")


class Mongod:
    """An embedded server that a process of its own keeps up; the service knows only its address."""

    def __init__(self, directory):
        self.directory = directory
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(self.directory)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.uri = self.process.stdout.readline().strip()

    def stop(self):
        self.process.communicate(timeout=PATIENCE_SECONDS)
        while (self.directory / "mongod.sock").exists():
            threading.Event().wait(0.05)


@pytest.fixture
def mongod(tmp_path):
    server = Mongod(tmp_path / "mongodb")
    yield server
    if server.process.returncode is None:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()


@pytest.mark.faults
def test_a_database_that_is_down_is_a_503_and_comes_back_by_itself(mongod, start_server, tmp_path):
    server = start_server(DATABASE_URL=mongod.uri, DATA_DIR=str(tmp_path / "data"))
    person = {"username": "eve", "email": "eve@example.org", "password": "a fine long word"}
    assert requests.post(server.url + SIGN_UP, json=person, timeout=30).status_code == 201

    mongod.stop()

    refused = requests.post(server.url + SIGN_UP, json=person | {"username": "x"}, timeout=30)
    for answer in (refused, requests.get(server.url + "/health", timeout=30)):
        assert answer.status_code == 503, answer.text
        assert answer.json()["detail"].startswith("The database does not answer.")
        assert int(answer.headers["Retry-After"]) > 0
    page = requests.get(
        server.url + "/admin/", cookies={"sessionid": "x" * 32}, headers=PAGE, timeout=30
    )
    assert page.status_code == 503
    assert "<h1>The database does not answer." in page.text
    assert "Traceback" not in server.output()

    mongod.start()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while requests.get(server.url + "/health", timeout=30).status_code != 200:
        assert time.monotonic() < deadline, "the service has not found its database again"
    answer = requests.post(server.url + SIGN_UP, json=person, timeout=30)
    assert answer.json() == {"detail": "Email already registered"}


def test_json_of_any_depth_is_answered(anyone):
    for depth in (500, 900, 1_100, 5_000):
        answer = anyone.post(
            SIGN_UP,
            data=f'{{"username": {"[" * depth}{"]" * depth}}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in (400, 422), (depth, answer.text)
