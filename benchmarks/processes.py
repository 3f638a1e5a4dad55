"""Processes under test: starting and ending them, and what they cost."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 90.0
STOP_SECONDS = 20.0


class Service:
    """A server in a process of its own, on a port of its own. A context manager."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> None:
        """`{port}` in the command is replaced by a free port."""
        self.port = free_port()
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        self.process = subprocess.Popen(
            [part.format(port=self.port) for part in command],
            cwd=directory,
            env={**environment, "PORT": str(self.port)},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        self._wait_until_it_listens()

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.process.args!r} does not listen.\n{self.log()}")

    def log(self) -> str:
        return os.pread(self.output.fileno(), 20_000, 0).decode(errors="replace")

    def pids(self) -> list[int]:
        """The process and its children: a parent of several workers has some."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, children.read_text().split())]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pids: Sequence[int]) -> float:
    """The processor time that the processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_bytes(pids: Sequence[int]) -> int:
    """The memory that is these processes' own (unique set size), without what they share."""
    total = 0
    for pid in pids:
        smaps = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += sum(int(size) for size in re.findall(r"^Private_\w+: +(\d+) kB", smaps, re.M))
    return total * 1024


def settle(pids: Sequence[int], *, below: float = 0.1, within: float = 60.0) -> None:
    """Wait until the processes use less than a share of one processor for a second."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        before = cpu_seconds(pids)
        time.sleep(1.0)
        if cpu_seconds(pids) - before < below:
            return
    raise TimeoutError(f"The server has not settled within {within:.0f} s.")
