"""Several server processes behind one port: `manage.py serve --workers 4`.

The parent listens once and starts the workers, which accept from the same socket. It serves nobody
itself: it starts another worker where one has died, and passes on the signal to stop.
"""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

STOP_SECONDS = 25.0
"""How long workers may take to stop before they are killed; Daphne itself gives up after ten."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""Seconds until a worker that died is started again, doubling while it keeps dying."""

STABLE_SECONDS = 60.0
"""A worker that has lived as long is started again after the first pause."""

PR_SET_PDEATHSIG = 1


@dataclass
class Worker:
    """A place among the workers, and the process that has it now."""

    number: int
    inbox: socket.socket
    outbox: socket.socket
    process: subprocess.Popen | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE


class Supervisor:
    """Starts workers and keeps them alive until it is told to stop."""

    def __init__(
        self,
        listener: socket.socket,
        count: int,
        *,
        on_ready: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        """`on_ready` is called when all workers serve, `warn` with a line about one that died."""
        self._listener = listener
        self._on_ready = on_ready
        self._warn = warn
        self._workers = [Worker(number, *socket.socketpair()) for number in range(count)]
        self._ready: set[int] = set()
        self._ready_read, self._ready_write = os.pipe()
        self._wake_read, self._wake_write = socket.socketpair()
        self._is_stopping = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return the exit code."""
        self._catch_signals()
        try:
            while not self._is_stopping:
                for worker in self._workers:
                    if worker.process is None and time.monotonic() >= worker.start_at:
                        self._start(worker)
                self._wait(0.5)
                self._read_who_is_ready()
                if not self._bury_the_dead():
                    return 1
            return 0
        finally:
            self._stop_all()

    def _catch_signals(self) -> None:
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        signal.set_wakeup_fd(self._wake_write.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # to be woken

    def _stop(self, *_: object) -> None:
        self._is_stopping = True

    def _start(self, worker: Worker) -> None:
        outboxes = [each.outbox.fileno() for each in self._workers]
        inherited = [self._listener.fileno(), worker.inbox.fileno(), self._ready_write, *outboxes]
        worker.started_at = time.monotonic()
        worker.process = subprocess.Popen(
            [
                *(sys.executable, sys.argv[0], "serve"),
                *("--worker", str(worker.number), "--parent", str(os.getpid())),
                *("--descriptors", ",".join(map(str, inherited))),
            ],
            stdin=subprocess.DEVNULL,
            pass_fds=inherited,
            process_group=0,  # Ctrl-C goes to the parent, which passes it on, once
        )

    def _wait(self, seconds: float) -> None:
        """Wait for a signal, a worker that is ready, or some time."""
        select.select([self._wake_read.fileno(), self._ready_read], [], [], seconds)
        try:
            while self._wake_read.recv(1_000):
                pass
        except BlockingIOError:
            pass

    def _read_who_is_ready(self) -> None:
        while select.select([self._ready_read], [], [], 0)[0]:
            was_ready = len(self._ready) == len(self._workers)
            self._ready.update(os.read(self._ready_read, 100))
            if len(self._ready) == len(self._workers) and not was_ready:
                self._on_ready()

    def _bury_the_dead(self) -> bool:
        """Have those who died started again; false if the service cannot even start."""
        for worker in self._workers:
            if worker.process is None or (code := worker.process.poll()) is None:
                continue
            if len(self._ready) < len(self._workers):
                self._warn(f"Worker {worker.number} has not started (exit code {code}).")
                return False
            if time.monotonic() - worker.started_at > STABLE_SECONDS:
                worker.pause = FIRST_PAUSE
            self._warn(
                f"Worker {worker.number} has died (exit code {code}); "
                f"another one starts in {worker.pause:g} s."
            )
            worker.process = None
            worker.start_at = time.monotonic() + worker.pause
            worker.pause = min(worker.pause * 2, LONGEST_PAUSE)
        return True

    def _stop_all(self) -> None:
        living = [worker.process for worker in self._workers if worker.process is not None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in living:
            try:
                process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Inheritance:
    """What a worker gets from the parent, by descriptor."""

    listener: socket.socket
    inbox: socket.socket
    ready: int
    outboxes: list[int]

    @classmethod
    def parse(cls, descriptors: str) -> "Inheritance":
        listener, inbox, ready, *outboxes = map(int, descriptors.split(","))
        return cls(socket.socket(fileno=listener), socket.socket(fileno=inbox), ready, outboxes)


def end_with_parent(parent: int) -> None:
    """Have this process told to stop when its parent dies, however that happens (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)  # it died before the line above
