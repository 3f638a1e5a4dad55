"""The processes of a run: MongoDB, Redis and the service, to be killed, paused and restarted."""

import asyncio
import contextlib
import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from chatservice.mongo.embedded import _find_mongod

CHECKOUT = Path(__file__).resolve().parent.parent
START_SECONDS = 180.0
STOP_SECONDS = 90.0
"""Far longer than it takes: they tell what hangs from what is slow on a busy machine."""

POLL_SECONDS = 0.05
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


class Part:
    """One process, which is meant to run from `start` until `kill` or `terminate`.

    Output goes to `<name>.log` in the run's directory. It ends with us, however we end.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self.log = directory / f"{name}.log"
        self.died_by_itself: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    async def is_ready(self) -> bool:
        raise NotImplementedError

    async def start(self) -> None:
        """Start it, again and again if it ends, until it answers; `TimeoutError` if it does not."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                self._spawn()
                while self._process is not None and self._process.poll() is None:
                    if await self.is_ready():
                        return
                    await asyncio.sleep(POLL_SECONDS)
                await asyncio.sleep(0.5)  # as a supervisor would

    async def kill(self) -> bool:
        """`kill -9`; returns whether that is what it died of."""
        self.notice_death()
        return await self._end(signal.SIGKILL) == -signal.SIGKILL

    async def terminate(self) -> bool:
        """SIGTERM, as in a deployment; `TimeoutError` if it does not end.

        Returns whether it was there to be told.
        """
        self.notice_death()
        return await self._end(signal.SIGTERM) is not None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> bool:
        """Returns whether it did stand still."""
        was_paused = self._state() == "T"
        self._signal(signal.SIGCONT)
        return was_paused

    def notice_death(self) -> None:
        """Remember the exit code if it ended although nobody had told it to."""
        if self._process is not None and self._process.poll() is not None:
            self.died_by_itself.append(self._process.returncode)
            self._process = None

    def stop_now(self) -> None:
        """End it in whatever state it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=CHECKOUT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, and we end it
                preexec_fn=_end_with(os.getpid()),
            )

    async def _end(self, number: int) -> int | None:
        """Send a signal and wait; returns the exit code, None if nothing ran."""
        if self._process is None:
            return None
        self._signal(number)
        async with asyncio.timeout(STOP_SECONDS):
            while (code := self._process.poll()) is None:
                await asyncio.sleep(POLL_SECONDS)
        self._process = None
        return code

    def _state(self) -> str:
        """A letter, as in `ps`; empty where the system does not tell."""
        with contextlib.suppress(OSError, AttributeError, IndexError):
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()  # type: ignore[union-attr]
            return stat.rpartition(") ")[2][0]
        return ""

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class MongoDB(Part):
    """A journaled single node on a Unix socket, as the embedded one is, but our own child."""

    def __init__(self, directory: Path) -> None:
        super().__init__("mongod", directory)
        self.data = directory / "mongodb"
        self.data.mkdir()
        self.socket = directory / "mongod.sock"
        self.url = f"mongodb://{quote(str(self.socket), safe='')}/?directConnection=true"

    def command(self) -> Sequence[str]:
        return [
            _find_mongod(),
            *("--dbpath", str(self.data)),
            *("--bind_ip", str(self.socket), "--nounixsocket"),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--journalCommitInterval", "500"),  # what is not journaled is in danger for longer
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    async def is_ready(self) -> bool:
        return _listens(self.socket)


class Redis(Part):
    """Redis without a disk: what it forgets when it is killed is part of the test."""

    def __init__(self, directory: Path) -> None:
        super().__init__("redis", directory)
        self.socket = directory / "redis.sock"
        self.url = f"unix://{self.socket}"

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("redis-server") is not None

    def command(self) -> Sequence[str]:
        return [
            *("redis-server", "--port", "0", "--unixsocket", str(self.socket)),
            *("--save", "", "--dir", str(self.directory)),
        ]

    async def is_ready(self) -> bool:
        return _listens(self.socket)


class Service(Part):
    """One `manage.py serve`, on the same port each time; with a planted bug if `bug` names one."""

    def __init__(
        self, name: str, directory: Path, *, database_url: str, redis_url: str, bug: str | None
    ) -> None:
        super().__init__(name, directory)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.bug = bug
        self._settings = {
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "THROTTLE": "off",
            "ACCESS_TOKEN_EXPIRE_MINUTES": "1",  # so that tokens end in the middle of a run
        }

    async def manage(self, *command: str, **environment: str) -> None:
        """Run a command of `manage.py` with this service's settings; raises if it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", *command),
            cwd=CHECKOUT,
            env=self.environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with(os.getpid()),
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:  # we were interrupted
                process.kill()
                await process.wait()
        if process.returncode:
            raise RuntimeError(f"manage.py {command[0]} failed: {output.decode()[-2000:]}")

    def command(self) -> Sequence[str]:
        program = ["-m", "chaos.planted_bugs", self.bug] if self.bug else ["manage.py"]
        return [sys.executable, *program, "serve", "--host", "127.0.0.1", "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        # What the shell or `.env` say is not for this run.
        example = (CHECKOUT / ".env.example").read_text()
        defaults = dict.fromkeys(re.findall(r"^([A-Z0-9_]+)=", example, re.MULTILINE), "")
        return os.environ | defaults | self._settings

    async def is_ready(self) -> bool:
        return await asyncio.to_thread(self._is_healthy)

    def _is_healthy(self) -> bool:
        with contextlib.suppress(OSError):
            request = urllib.request.Request(f"{self.url}/health")
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=5) as answer:
                return answer.status == 200
        return False


def _end_with(parent: int) -> Callable[[], None]:
    """What a child does first, so that it is killed when its parent ends."""

    def end_with_parent() -> None:
        if sys.platform == "linux":
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)  # it ended before the line above

    return end_with_parent


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def _free_port() -> int:
    """A free port that the kernel does not give to outgoing connections while we are restarting."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
