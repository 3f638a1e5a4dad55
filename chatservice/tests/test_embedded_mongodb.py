"""The embedded MongoDB as processes see it: real ones, killed in every way there is."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pymongo
import pytest

from chatservice.mongo import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 60

# What a process of ours does: say the URI, then live until its standard input ends.
USER = """
import sys
from pathlib import Path
from chatservice.mongo.embedded import EmbeddedMongoDBError, ensure_running
try:
    print(ensure_running(Path(sys.argv[1])), flush=True)
    sys.stdin.read()
except EmbeddedMongoDBError as error:
    sys.exit(f"refused: {error}")
"""


class User:
    """A process that needs the server in `directory`."""

    def __init__(self, directory, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(directory)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def uri(self):
        return self.process.stdout.readline().strip() or pytest.fail(self.process.stderr.read())

    def refusal(self):
        _, stderr = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 1, stderr
        return stderr.strip()

    def leave(self):
        _, stderr = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, stderr

    def end(self, number):
        self.process.send_signal(number)
        self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def directory(tmp_path_factory):
    # A short name, for the socket to lie in the directory itself.
    path = tmp_path_factory.mktemp("its") / "a data directory" / "mongodb"
    yield path
    eventually(lambda: not processes(path), f"a process of {path} is left over")


@pytest.fixture
def user(directory):
    started = []

    def start(path=directory, **environment):
        started.append(User(path, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.process.kill()
            one.process.communicate()


def processes(directory):
    """The ids of the guardian and the mongod of `directory`, by the role they play."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_text(errors="replace").split("\0")
        except OSError:
            continue  # it has ended meanwhile
        if any(argument.startswith(str(directory)) for argument in arguments):
            if Path(arguments[0]).name == "mongod":
                found["mongod"] = int(entry.name)
            elif embedded.__file__ in arguments:
                found["guardian"] = int(entry.name)
    return found


def eventually(condition, complaint):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, complaint
        threading.Event().wait(0.05)
    return result


def answers(uri):
    client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=500)
    try:
        return client.admin.command("ping")["ok"] == 1
    except pymongo.errors.ConnectionFailure:
        return False
    finally:
        client.close()


def collection(uri):
    return (
        pymongo.MongoClient(uri)
        .get_database("kept")
        .get_collection("things", write_concern=pymongo.WriteConcern("majority", j=True))
    )


@pytest.mark.faults
def test_a_server_runs_while_a_process_needs_it_and_no_longer(user, directory):
    one = user()
    uri = one.uri()

    assert answers(uri)
    assert set(processes(directory)) == {"guardian", "mongod"}
    one.leave()
    eventually(lambda: not processes(directory), "the server has outlived its user")


@pytest.mark.faults
def test_it_listens_on_no_network_and_only_its_owner_can_reach_it(user, directory):
    user().uri()

    mongod = processes(directory)["mongod"]
    inodes = set()
    for file in Path(f"/proc/{mongod}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            inodes.add(os.readlink(file))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            assert f"socket:[{line.split()[9]}]" not in inodes
    assert directory.stat().st_mode & 0o077 == 0
    assert (directory / "mongod.sock").stat().st_mode & 0o077 == 0


@pytest.mark.faults
def test_no_secret_of_the_environment_reaches_the_server(user, directory):
    user(SECRET_KEY="do not tell").uri()

    for process in processes(directory).values():
        assert "do not tell" not in Path(f"/proc/{process}/environ").read_text()


@pytest.mark.faults
def test_processes_that_start_at_once_share_one_server(user, directory):
    many = [user() for _ in range(4)]

    [uri] = {one.uri() for one in many}
    mongod = processes(directory)["mongod"]
    for one in many[1:]:
        one.leave()
    assert processes(directory)["mongod"] == mongod
    assert answers(uri)


@pytest.mark.faults
def test_directories_side_by_side_have_servers_of_their_own(user, directory, tmp_path):
    here, there = user(), user(tmp_path / "other")

    assert here.uri() != there.uri()
    assert processes(directory)["mongod"] != processes(tmp_path / "other")["mongod"]
    there.leave()
    eventually(lambda: not processes(tmp_path / "other"), "the other server is left over")


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_the_process_ends_no_server_is_left_and_the_data_is_there(user, directory, number):
    one = user()
    collection(one.uri()).insert_one({"_id": "kept"})

    one.end(number)

    eventually(lambda: not processes(directory), f"a server is left after {number.name}")
    assert collection(user().uri()).find_one() == {"_id": "kept"}


@pytest.mark.faults
def test_a_server_that_is_killed_is_started_again(user, directory):
    uri = user().uri()
    collection(uri).insert_one({"_id": "kept"})
    killed = processes(directory)["mongod"]

    os.kill(killed, signal.SIGKILL)

    eventually(lambda: processes(directory).get("mongod", killed) != killed, "no new mongod")
    eventually(lambda: answers(uri), "the new mongod does not answer at the old address")
    assert collection(uri).find_one() == {"_id": "kept"}


@pytest.mark.faults
def test_a_guardian_that_is_killed_takes_its_server_along_and_is_replaced(user, directory):
    uri = user().uri()
    killed = processes(directory)

    os.kill(killed["guardian"], signal.SIGKILL)

    eventually(
        lambda: (
            set(processes(directory).values()).isdisjoint(killed.values())
            and len(processes(directory)) == 2
        ),
        "the old pair has not been replaced",
    )
    eventually(lambda: answers(uri), "the new mongod does not answer at the old address")


@pytest.mark.faults
def test_everything_killed_at_once_leaves_nothing_that_hinders_the_next(user, directory):
    one = user()
    collection(one.uri()).insert_one({"_id": "kept"})
    assert (directory / "data" / "mongod.lock").read_text().strip()

    for process in [one.process.pid, *processes(directory).values()]:
        os.kill(process, signal.SIGKILL)

    assert collection(user().uri()).find_one() == {"_id": "kept"}


@pytest.mark.faults
def test_a_path_too_long_for_a_socket(user, tmp_path):
    long = tmp_path / ("a" * 100) / "b, c"
    one = user(long)
    uri = one.uri()

    assert answers(uri)
    socket = Path((long / "socket").read_text())
    assert socket.parent.stat().st_mode & 0o077 == 0
    one.leave()
    eventually(lambda: not socket.parent.exists(), "its directory is left over")


@pytest.mark.faults
def test_a_directory_that_cannot_be_written_to_is_one_clear_line(user, tmp_path):
    (tmp_path / "file").touch()

    refusal = user(tmp_path / "file" / "mongodb").refusal()

    assert refusal.startswith("refused: The embedded MongoDB cannot use")
    assert "Set DATA_DIR" in refusal
    assert "\n" not in refusal


@pytest.mark.faults
def test_data_that_cannot_be_read_is_one_clear_line(user, directory):
    first = user()
    first.uri()
    first.leave()
    eventually(lambda: not processes(directory), "the first server is left over")
    shutil.copy(directory / "mongod.log", directory / "data" / "WiredTiger.wt")
    (directory / "data" / "WiredTiger.turtle").write_text("nonsense")

    refusal = user().refusal()

    assert refusal.startswith("refused: The embedded MongoDB does not start: ")
    assert str(directory / "mongod.log") in refusal
    assert "\n" not in refusal


def fake_mongod(path, script):
    path.mkdir()
    (path / "mongod").write_text(f"#!/bin/sh\n{script}\n")
    (path / "mongod").chmod(0o755)
    return str(path)


@pytest.mark.faults
def test_a_full_disk_is_one_clear_line(user, tmp_path):
    entry = {"s": "E", "msg": "WiredTiger error", "attr": {"message": "No space left on device"}}
    full = fake_mongod(
        tmp_path / "bin",
        'if [ "$1" = --version ]; then echo "db version v7.0.1"; exit; fi\n'
        'for word; do [ "$previous" = --logpath ] && log=$word; previous=$word; done\n'
        f"echo '{json.dumps(entry)}' >> \"$log\"; exit 14",
    )

    refusal = user(PATH=f"{full}:{os.environ['PATH']}").refusal()

    assert "does not start: no space is left for" in refusal
    assert "\n" not in refusal


@pytest.mark.faults
def test_an_old_mongod_on_the_path_is_passed_over(user, directory, tmp_path):
    old = fake_mongod(tmp_path / "bin", 'echo "db version v4.4.1"')

    assert answers(user(PATH=f"{old}:{os.environ['PATH']}").uri())


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        ("mongod: error while loading shared libraries: libcurl.so.4: cannot open", "libcurl4"),
        ("Illegal instruction", "install `mongod` 6 or newer"),
    ],
)
def test_where_no_mongod_runs_one_line_says_what_to_install(
    monkeypatch, tmp_path, complaint, remedy
):
    broken = fake_mongod(tmp_path / "bin", f"echo '{complaint}' >&2; exit 127")
    monkeypatch.setenv("PATH", f"{broken}:{os.environ['PATH']}")
    monkeypatch.setattr(embedded, "_mongod_of_wheel", lambda: None)
    embedded._find_mongod.cache_clear()

    with pytest.raises(embedded.EmbeddedMongoDBError) as refused:
        embedded._find_mongod()

    assert complaint in str(refused.value)
    assert remedy in str(refused.value)
    assert "DATABASE_URL" in str(refused.value)
