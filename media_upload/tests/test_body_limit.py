"""Bodies that are too long, as they come over a real connection to the servers people run."""

import json
import resource
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path

import pytest
import requests

LIMIT = 2 * 1024 * 1024 + 64 * 1024
UPLOAD = "/chat/upload_media/"
SERVERS = {
    "daphne": ["-m", "daphne", "--fd", "{fd}"],
    "uvicorn": ["-m", "uvicorn", "--fd", "{fd}", "--log-level", "warning"],
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request):
    """A server process with `body_reader`, and where it listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        command = [word.format(fd=listener.fileno()) for word in SERVERS[request.param]]
        server = subprocess.Popen(
            [sys.executable, *command, "media_upload.tests.body_reader:application"],
            pass_fds=[listener.fileno()],
            cwd=Path(__file__).resolve().parents[2],
            stderr=subprocess.DEVNULL,
        )
        yield server, listener.getsockname()
        server.terminate()
        server.wait()


@pytest.fixture
def address(server):
    return server[1]


def url(address, path):
    return f"http://{address[0]}:{address[1]}{path}"


def send(address, head, *parts):
    """Write a raw request; return the status and the JSON of what comes back."""
    with socket.create_connection(address) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        for part in parts:
            connection.sendall(part)
        response = HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


def chunks(size, count):
    chunk = b"%x\r\n%s\r\n" % (size, b"x" * size)
    return [chunk] * count


def test_a_body_up_to_the_limit_arrives(address):
    response = requests.post(url(address, UPLOAD), data=b"x" * LIMIT)

    assert (response.status_code, response.json()) == (200, LIMIT)


def test_one_byte_more_is_refused(address):
    response = requests.post(url(address, UPLOAD), data=b"x" * (LIMIT + 1))

    assert response.status_code == 413
    assert response.headers["Content-Type"] == "application/json"
    assert "at most 2 MB" in response.json()["detail"]


def test_a_refused_client_that_writes_on_still_gets_its_answer(address):
    response = requests.post(url(address, UPLOAD), data=b"x" * (20 * LIMIT))

    assert response.status_code == 413


def test_content_length_is_refused_before_the_body_comes(address):
    status, error = send(address, f"POST {UPLOAD} HTTP/1.1\nHost: x\nContent-Length: {10**12}\n\n")

    assert status == 413
    assert "detail" in error


def test_a_client_that_asks_first_is_not_invited(address):
    with socket.create_connection(address) as connection:
        connection.sendall(
            f"POST {UPLOAD} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            f"Content-Length: {10**12}\r\n\r\n".encode()
        )
        answer = connection.recv(65536)
        while b"}" not in answer:
            answer += connection.recv(65536)
        connection.shutdown(socket.SHUT_WR)
        answer += b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_a_chunked_body_is_counted_as_it_comes(address):
    """It never ends: only counting can refuse it."""
    status, error = send(
        address,
        f"POST {UPLOAD} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n",
        *chunks(LIMIT // 4, 5),
    )

    assert status == 413
    assert "detail" in error


def test_a_chunked_body_up_to_the_limit_arrives(address):
    response = requests.post(url(address, UPLOAD), data=iter([b"x" * (LIMIT // 2)] * 2))

    assert (response.status_code, response.json()) == (200, LIMIT)


def test_other_paths_take_a_megabyte(address):
    megabyte = b"x" * 1024 * 1024

    assert requests.post(url(address, "/auth/signup"), data=megabyte).status_code == 200
    assert requests.post(url(address, "/auth/signup"), data=megabyte + b"x").status_code == 413
    assert requests.post(url(address, UPLOAD + "more"), data=megabyte + b"x").status_code == 413


def test_a_full_disk_is_said_to_be_full(server):
    """A limit on the length of the process's files is as good as a disk without space."""
    process, address = server
    unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1024 * 1024, unlimited[1]))
    try:
        response = requests.post(url(address, UPLOAD), data=b"x" * LIMIT)
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)

    assert response.status_code == 507
    assert "no space" in response.json()["detail"]
    assert requests.post(url(address, UPLOAD), data=b"x" * LIMIT).json() == LIMIT


def test_the_connection_serves_on_after_a_body_in_bounds(address):
    with requests.Session() as session:
        for length in (1, LIMIT, 0, 5):
            assert session.post(url(address, UPLOAD), data=b"x" * length).json() == length


def test_a_client_that_reads_slowly_does_not_fill_the_memory(address):
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /200 HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1)
        sent = [requests.get(url(address, "/sent")).json() for _ in range(20)][-1]

    assert sent < 100


def test_a_long_answer_comes_whole_to_a_client_that_reads_slowly(address):
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /whole/20 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        connection.recv(1)
        assert requests.get(url(address, "/sent")).status_code == 200  # nobody else waits for it
        received = sum(map(len, iter(lambda: connection.recv(2**20), b"")))

    assert received > 20 * 2**20


def test_requests_that_come_at_once_are_answered_in_order_and_the_connection_is_closed(address):
    lengths = [5, 0, 70_000]
    requests_ = [
        f"POST {UPLOAD} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{last}\r\n".encode()
        + b"x" * length
        for length, last in zip(lengths, ["", "", "Connection: close\r\n"], strict=True)
    ]
    with socket.create_connection(address) as connection:
        connection.sendall(b"".join(requests_))
        received = b"".join(iter(lambda: connection.recv(65536), b""))

    answers = [each.rpartition(b"\r\n\r\n")[2] for each in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert [int(answer) for answer in answers] == lengths
