"""`manage.py serve` and `asgi.py`: starting, refusing to start, stopping."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest
import requests
import websocket

from conftest import ROOT, manage


def refusal(*arguments, **environment):
    """Standard error of a `serve` that does not get to serve."""
    result = manage("serve", *arguments, **environment)
    assert result.returncode == 1
    assert result.stdout == ""
    return result.stderr


def test_a_taken_port_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        complaint = refusal(PORT=str(port))

    assert complaint == (
        f"CommandError: Cannot listen on 127.0.0.1, port {port}: Address already in use. "
        "Choose another HOST or PORT, for example PORT=8001.\n"
    )


def test_a_host_that_is_not_here_is_one_clear_line():
    complaint = refusal("--port", "0", HOST="192.0.2.1")

    assert complaint.startswith("CommandError: Cannot listen on 192.0.2.1, port 0: Cannot assign")
    assert complaint.count("\n") == 1


def test_a_database_that_is_not_there_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    complaint = refusal("--port", "0", DATABASE_URL=f"mongodb://127.0.0.1:{port}/")

    assert complaint.startswith("CommandError: The database cannot be used: 127.0.0.1")
    assert complaint.count("\n") == 1


def test_a_database_url_that_is_none_is_one_clear_line():
    complaint = refusal("--port", "0", DATABASE_URL="postgres://127.0.0.1/")

    assert complaint.startswith("CommandError: The database cannot be used: ")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_exit_code_0_whatever_clients_have_open(start_server, number):
    server = start_server(PING_INTERVAL="300")  # so long is a poll that nobody answers
    address = urlsplit(server.url)
    kept_alive = http.client.HTTPConnection(address.hostname, address.port)
    kept_alive.request("GET", "/health")
    assert kept_alive.getresponse().read()
    half_sent = socket.create_connection((address.hostname, address.port))
    half_sent.sendall(
        b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab"
    )
    live = websocket.create_connection(
        f"ws://{address.netloc}/socket.io/?EIO=4&transport=websocket"
    )
    assert live.recv().startswith("0{")
    session = requests.get(f"{server.url}/socket.io/?EIO=4&transport=polling", timeout=60)
    sid = re.search(r'"sid":"([^"]+)"', session.text)[1]
    poll = threading.Thread(
        target=lambda: pytest.raises(
            requests.RequestException,
            requests.get,
            f"{server.url}/socket.io/?EIO=4&transport=polling&sid={sid}",
            timeout=30,
        )
    )
    poll.start()

    server.process.send_signal(number)

    assert server.process.wait(60) == 0
    poll.join(60)
    assert not poll.is_alive()
    assert "Traceback" not in server.output()
    assert sid not in server.output()  # it would let who reads the log poll in the client's place


def test_two_that_start_at_once_on_an_empty_database_migrate_it_once(start_server, tmp_path):
    command = [sys.executable, "-u", "manage.py", "serve", "--port", "0"]
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data")}
    both = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        urls = [re.search(r"http://\S+", process.stdout.readline())[0] for process in both]
        person = {"username": "eve", "email": "eve@example.org", "password": "a fine long word"}
        answer = requests.post(f"{urls[0]}/auth/signup", json=person, timeout=30)
        assert answer.status_code == 201
        answer = requests.post(f"{urls[1]}/auth/signup", json=person, timeout=30)
        assert answer.json() == {"detail": "Email already registered"}
    finally:
        for process in both:
            process.terminate()
        outputs = [process.communicate(timeout=60) for process in both]
    assert outputs == [("", "")] * 2
    assert [process.returncode for process in both] == [0, 0]


def test_another_host_name_is_refused(anyone):
    assert anyone.get("/health", headers={"Host": "evil.example"}).status_code == 400


def test_a_websocket_to_nowhere_is_refused(server):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(server.url.replace("http", "ws") + "/nowhere")

    assert refused.value.status_code == 403


def test_every_server_that_knows_lifespan_is_told_when_all_is_ready():
    script = """
import asyncio
from chatservice.asgi import application
async def main():
    incoming, outgoing = asyncio.Queue(), []
    async def send(event):
        outgoing.append(event["type"])
    for event in ("startup", "shutdown"):
        incoming.put_nowait({"type": f"lifespan.{event}"})
    await application({"type": "lifespan"}, incoming.get, send)
    print(*outgoing)
asyncio.run(main())
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert result.stdout == "lifespan.startup.complete lifespan.shutdown.complete\n", result.stderr


def test_a_client_that_leaves_when_the_server_ends_is_no_traceback():
    script = """
import asyncio, gc
from chatservice.asgi import application
complaints = []
async def main():
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    leaves, incoming = asyncio.Event(), [{"type": "http.request", "body": b""}]
    async def receive():
        if incoming:
            return incoming.pop()
        await leaves.wait()
        return {"type": "http.disconnect"}
    async def send(event):
        leaves.set()
        await asyncio.Event().wait()
    scope = {"type": "http", "method": "GET", "path": "/health", "query_string": b"",
             "headers": [(b"host", b"localhost")]}
    request = asyncio.create_task(application(scope, receive, send))
    await leaves.wait()
    await asyncio.sleep(0)  # the request's tasks learn of it, and the request itself does not yet
    request.cancel()
    await asyncio.wait([request])
    del request
asyncio.run(main())
gc.collect()
print(complaints)
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert (result.stdout, result.stderr) == ("[]\n", "")
