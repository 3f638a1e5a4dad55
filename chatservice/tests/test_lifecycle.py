"""The end of a process, when not all that runs in the background wants to end."""

import subprocess
import sys

from conftest import ROOT

COMMAND = """
import asyncio, contextlib, django
django.setup()
from chatservice.realtime import lifecycle, loop

async def stubborn(times):
    while times:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            times -= 1

async def start():
    lifecycle.in_background(stubborn({times}))
    await asyncio.sleep(0)

loop.run(start())
"""


def end_of_a_command(times):
    """What a command prints whose background task swallows so many cancellations."""
    command = subprocess.run(
        [sys.executable, "-c", COMMAND.format(times=times)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert command.returncode == 0, command.stderr
    return command.stderr


def test_a_task_that_swallows_a_cancellation_is_told_again():
    assert end_of_a_command(times=2) == ""


def test_a_task_that_never_ends_is_named_and_left_behind():
    assert "Left behind at the end: stubborn" in end_of_a_command(times=1_000)
