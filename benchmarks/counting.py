"""The service with counters: `python -m benchmarks.counting`, a process that `check` starts.

SIGUSR1 sets the counters to zero, SIGUSR2 writes them to the file that `COUNTS` names. They count
what does not depend on the machine: calls of functions on the event loop, encodings, tasks, the
commands that MongoDB gets, objects that only the garbage collector frees, and requests that stay.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from pymongo import monitoring
from twisted.web.http import Request

NOT_WORK = {"hello", "ismaster", "ping", "endSessions"}
"""What the driver says to keep its connections."""


class Counts(monitoring.CommandListener):
    """Counters of this process."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, *_: object) -> None:
        self.calls = 0
        self.encodings = 0
        self.commands: Counter[str] = Counter()
        gc.collect()
        gc.disable()
        sys.setprofile(self._profile)

    def write(self, *_: object) -> None:
        sys.setprofile(None)
        counts = {
            "calls": self.calls,
            "encodings": self.encodings,
            "commands": self.commands,
            "garbage": gc.collect(),
            "requests": sum(isinstance(each, Request) for each in gc.get_objects()),
            "tasks": len(asyncio.all_tasks(asyncio.get_event_loop())),
        }
        path = Path(os.environ["COUNTS"])
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(counts))
        draft.replace(path)

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" or event == "c_call":
            self.calls += 1
            if event == "call" and frame.f_code is self.encode:
                self.encodings += 1

    @property
    def encode(self) -> CodeType:
        from socketio.packet import Packet

        return Packet.encode.__code__

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in NOT_WORK:
            self.commands[f"{event.command_name} {event.command[event.command_name]}"] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def main() -> None:
    counts = Counts()
    sys.setprofile(None)
    monitoring.register(counts)
    signal.signal(signal.SIGUSR1, counts.reset)
    signal.signal(signal.SIGUSR2, counts.write)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "serve"])


if __name__ == "__main__":
    main()
