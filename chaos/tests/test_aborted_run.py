"""Whoever interrupts a run, or kills it, finds neither processes nor a directory left behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.waiting import eventually
from chaos.parts import CHECKOUT
from chaos.scratch import scratch_directory


def processes_of(directory):
    """The command lines of what runs with this directory in its arguments or environment."""
    needle = os.fsencode(directory)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if needle in command or needle in (process / "environ").read_bytes():
                found.append(command)
        except OSError:
            pass  # it has just ended, or is somebody else's
    return found


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, and the kernel's help")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("at_least", [3, 5])
def test_nothing_is_left_of_an_aborted_run(number, at_least):
    command = [sys.executable, "-u", "-m", "chaos", "--minutes", "5", "--crowd", "10"]
    run = subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        directory = re.search(r"(/\S+)/schedule.log", run.stdout.readline()).group(1)
        # While they are started, and when all are there.
        eventually(lambda: len(processes_of(directory)) >= at_least, within=240, what="the parts")
        run.send_signal(number)
        assert run.wait(120) != 0
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
    eventually(lambda: not processes_of(directory), within=120, what="the end of all processes")
    assert not Path(directory).exists()


START_SLOWLY = """
import sys, time
from pathlib import Path
from chaos import parts

class Slow:
    def prctl(self, *arguments):
        print("forked", flush=True)  # it has the part's output already
        time.sleep(1)
        libc.prctl(*arguments)

libc, parts._libc = parts._libc, Slow()
parts.Redis(Path(sys.argv[1]))._spawn()
"""


@pytest.mark.faults
@pytest.mark.redis
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, and the kernel's help")
def test_a_part_ends_whose_run_was_killed_before_the_two_were_bound(tmp_path):
    command = [sys.executable, "-c", START_SLOWLY, str(tmp_path)]
    log = tmp_path / "redis.log"
    with subprocess.Popen(command, cwd=CHECKOUT) as run:
        eventually(lambda: log.exists() and log.read_text(), every=0.01, what="the fork")
        run.kill()
    eventually(lambda: not processes_of(tmp_path), what="the end of the part")
    assert log.read_text() == "forked\n"


def test_a_directory_is_kept_only_if_that_is_said():
    with scratch_directory() as kept, scratch_directory() as gone:
        kept.keep()
    try:
        assert (kept.path.exists(), gone.path.exists()) == (True, False)
    finally:
        kept.path.rmdir()
