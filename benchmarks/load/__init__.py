"""The load generator: compiled once from `load.c`, and run for each measurement.

It must cost less than what it measures. A run in which it did not is no measurement.
"""

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import cpu_seconds
from benchmarks.workspace import WORKSPACE

SOURCE = Path(__file__).with_name("load.c")
CONNECT_SECONDS = 150.0
RUN_SECONDS = 150.0

LARGEST_SHARE = 0.8
"""Of one processor. Who needs more to make the load may be what limits it."""


class LoadFailed(Exception):
    """The load generator met what it did not expect; the message is its own."""


@dataclass(frozen=True)
class Result:
    """What a run has found. `load_cpu` and `server_cpu` are shares of one processor."""

    found: dict[str, Any]
    load_cpu: float
    server_cpu: float

    @property
    def refusal(self) -> str | None:
        """Why this says nothing about the server; None if it does."""
        if self.load_cpu > LARGEST_SHARE:
            return f"the load generator used {self.load_cpu:.0%} of a processor"
        if self.load_cpu > self.server_cpu:
            return (
                f"the load generator used more ({self.load_cpu:.0%} of a processor) "
                f"than the server ({self.server_cpu:.0%})"
            )
        return None


def build() -> Path:
    """The compiled generator."""
    program = WORKSPACE / "load"
    if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise LoadFailed("There is no C compiler: install gcc (Debian: apt-get install gcc).")
        subprocess.run([compiler, "-O2", "-std=gnu11", "-o", str(program), str(SOURCE)], check=True)
    return program


class Load:
    """One run of the generator. A context manager; the run ends with it."""

    def __init__(self, mode: str, port: int, people: Path, **options: object) -> None:
        given = [f"{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen(
            [str(build()), mode, f"port={port}", f"people={people}", *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read_lines, daemon=True).start()

    def _read_lines(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())
        self._lines.put("")

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        self.process.wait()

    def wait_until_ready(self) -> None:
        self._read("ready", CONNECT_SECONDS)

    def go_on(self) -> None:
        """Let it do what it waits with until it is told to."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self, pids: Sequence[int]) -> Result:
        """Wait for the run; `pids` are the server's processes."""
        self._read("begin", RUN_SECONDS)
        before = cpu_seconds(pids)
        self._read("end", RUN_SECONDS)
        used = cpu_seconds(pids) - before
        found = json.loads(self._line(RUN_SECONDS))
        return Result(found, found["cpu"], used / found["seconds"])

    def _read(self, phase: str, within: float) -> None:
        if (line := self._line(within)) != phase:
            raise LoadFailed(f"The load generator said {line!r} instead of {phase!r}.")

    def _line(self, within: float) -> str:
        try:
            line = self._lines.get(timeout=within)
        except queue.Empty:
            raise LoadFailed(f"The load generator has said nothing for {within:.0f} s.") from None
        if not line:
            assert self.process.stderr is not None
            raise LoadFailed(self.process.stderr.read().strip()[:2_000])
        return line
