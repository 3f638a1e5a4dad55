"""A real service in a process of its own, with a `DATA_DIR` of its own, to be treated badly."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

from acceptance.waiting import PATIENCE, eventually

CHECKOUT = Path(__file__).resolve().parent.parent
SERVE = ("manage.py", "serve")
RUNSERVER = ("manage.py", "runserver", "--noreload", "{host}:{port}")
UVICORN = (
    "-m",
    "uvicorn",
    "chatservice.asgi:application",
    "--host={host}",
    "--port={port}",
    "--timeout-graceful-shutdown=5",  # else it waits for open long polls for ever
)
START = 90.0  # seconds to the first answer; a first start also makes the database


class Service:
    """The service on a free port, with the embedded MongoDB under `data_dir`.

    `command` is what follows the Python interpreter: one of `SERVE`, `RUNSERVER`, `UVICORN`.
    Output goes to `service.log` in `data_dir`. Start and stop it as often as needed; the port
    stays the same. As a context manager it is stopped at the end, with all it has started.
    """

    def __init__(self, data_dir, *, command=SERVE):
        self.data_dir = Path(data_dir)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.host, self.port = "127.0.0.1", free_port()
        self.url = f"http://{self.host}:{self.port}"
        self.command = command
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self):
        """Start it and return itself when it answers; `TimeoutError` with its log otherwise."""
        self._run(self.command)
        try:
            eventually(self.answers, within=START, what="an answer of the service")
        except TimeoutError as exc:
            raise TimeoutError(f"{exc}\n{self.log()}") from None
        return self

    def migrate(self):
        """Make or update the database, for the commands that do not do so by themselves."""
        self.manage("migrate", "--verbosity=0")

    def manage(self, *words):
        """Run a command of `manage.py` on its data, whether it is running or not."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=CHECKOUT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=START,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stdout)

    def answers(self):
        """Say whether it answers a request at all; it must not have ended by itself."""
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}\n{self.log()}")
        with contextlib.suppress(requests.RequestException):
            response = requests.get(f"{self.url}/auth/users/me", timeout=PATIENCE)
            return response.status_code == 401
        return False

    def kill(self):
        """End it as a crash would (SIGKILL): it gets no chance to tidy up."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def terminate(self):
        """Ask it to end (SIGTERM) and return its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)

    def stop(self):
        """End it and whatever it has started, in whatever state that is."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        try:
            eventually(lambda: not self.database_processes(), what="the end of mongod")
        except TimeoutError:
            for pid in self.database_processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise

    def log(self):
        """Return what it has printed so far."""
        return (self.data_dir / "service.log").read_text(errors="replace")

    def database_processes(self):
        """Return the pid of every mongod that works under our `data_dir`."""
        pids = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):  # it may end while we look
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                under_ours = any(str(self.data_dir.resolve()) in word for word in words)
                if Path(words[0]).name == "mongod" and under_ours:
                    pids.append(int(entry.name))
        return pids

    def _run(self, command):
        words = [word.format(host=self.host, port=self.port) for word in command]
        with (self.data_dir / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=CHECKOUT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _environment(self):
        ours = {
            "HOST": self.host,
            "PORT": str(self.port),
            "DATA_DIR": str(self.data_dir),
            "THROTTLE": "off",
            "DATABASE_URL": "",  # the embedded one, whatever the tests around us use
            "REDIS_URL": "",
        }
        return os.environ | ours


def parent_of(pid):
    """Return the pid of a process's parent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])


def free_port():
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
