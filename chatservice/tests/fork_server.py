"""A fork server: starts Python programs without importing the libraries again.

A server of ours spends most of its start on imports of libraries. This process imports them once
and forks for each program. It loads neither settings nor code of ours, and opens nothing that a
child could share, so a forked program does all that a new interpreter does from there on.

`start` starts one, `Program` asks it for a program. It ends when its standard input does.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

LIBRARIES = (
    *("PIL.ImageOps", "PIL.WebPImagePlugin", "argon2", "autobahn.websocket.protocol"),
    *("botocore.exceptions", "channels.layers", "channels.routing", "channels_redis.pubsub"),
    *("corsheaders.conf", "cryptography.hazmat.primitives.kdf.pbkdf2"),
    *("django.contrib.admin.sites", "django.core.cache.backends.redis", "django.core.management"),
    *("django.db.migrations", "django.forms", "django.template.backends.django"),
    *("django.views.debug", "djongo.base", "dotenv", "filetype", "jwt", "linkify_it"),
    *("markdown_it", "nh3", "orjson", "persiantools.jdatetime", "polib", "prometheus_client"),
    *("pymongo", "redis.asyncio", "regex", "rest_framework.fields", "rest_framework.relations"),
    *("socketio", "sqlparse", "twisted.internet.asyncioreactor", "twisted.internet.endpoints"),
    *("twisted.web.http", "uvloop", "whitenoise.base"),
)
"""Modules that a server imports and that need no settings. `daphne` would install a reactor."""

REQUEST_BYTES = 2**18
WAITING_REQUESTS = 100
ROOT = Path(__file__).resolve().parent.parent.parent


def start(path: str) -> subprocess.Popen[bytes]:
    """Start a fork server that listens on a Unix socket at `path`; close its `stdin` to end it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(WAITING_REQUESTS)  # they wait in the kernel until the libraries are there
        return subprocess.Popen(
            [sys.executable, "-u", "-m", __name__, str(listener.fileno())],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
        )


def serve(listener: socket.socket) -> None:
    """Import the libraries, then fork for each request until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the programs
    for name in LIBRARIES:
        importlib.import_module(name)
    assert "twisted.internet.reactor" not in sys.modules
    gc.freeze()  # the children's collections then leave the shared pages alone
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            watch(connection)
            return  # in the program, at its end
        connection.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def watch(connection: socket.socket) -> None:
    """Fork the program that is asked for; report its process id and then its exit code."""
    message, descriptors, _, _ = socket.recv_fds(connection, REQUEST_BYTES, 2)
    request = json.loads(message)
    if pid := os.fork():
        connection.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    connection.close()
    run(request["arguments"], request["environment"], *descriptors)


def run(arguments: list[str], environment: dict[str, str], stdout: int, stderr: int) -> None:
    """Become `python -u` with these arguments: a script and its own, or `-m` and a module."""
    stdin = os.open(os.devnull, os.O_RDONLY)
    for standard, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


class Program:
    """A program of a fork server, with what tests need of `subprocess.Popen`.

    `path` is the fork server's socket, `arguments` what would follow `python -u`, `stdout` and
    `stderr` are files to write to.
    """

    def __init__(
        self,
        path: str,
        arguments: Sequence[str],
        environment: dict[str, str],
        *,
        stdout: IO[str],
        stderr: IO[str],
    ) -> None:
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(path)
        request = {"arguments": list(arguments), "environment": environment}
        descriptors = [stdout.fileno(), stderr.fileno()]
        socket.send_fds(self._connection, [json.dumps(request).encode()], descriptors)
        self._reports = self._connection.makefile()
        self.pid = int(self._reports.readline())

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; the exit code. Raises TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._reports.readline())
            self._reports.close()
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
