"""`make chaos-bugs`: plants each bug in turn, and fails unless the checker notices every one."""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chaos import faults
from chaos.faults import Fault
from chaos.planted_bugs import BUGS
from chaos.run import Options, play

SECONDS = 20


@dataclass(frozen=True)
class Hunt:
    """How to find a bug: what brings it to light, and the rows of which one must then count."""

    rows: set[str]
    on_processes: tuple[Fault, ...] = ()
    on_connections: tuple[Fault, ...] = ()
    pace: float = 0.5


HUNTS = {
    "acknowledged-before-stored": Hunt({"lost"}, on_processes=(faults.kill_a_service,)),
    "not-journaled": Hunt({"lost", "gaps"}, on_processes=(faults.kill_mongodb,), pace=0.05),
    "no-unique-index": Hunt({"gaps", "doubled"}),
    "resume-off-by-one": Hunt({"diverged", "unfinished"}, on_connections=(faults.cut_everybody,)),
    "sent-twice": Hunt({"doubled"}),
    "removed-members-still-hear": Hunt(
        {"seen after removal"}, on_connections=(faults.remove_and_readd_members,)
    ),
}


def main() -> int:
    wanted = sys.argv[1:] or list(BUGS)
    print(f"{'planted bug':30}caught as")
    missed = [bug for bug in wanted if not caught_as(bug)]
    for bug in missed:
        print(f"{bug} was not noticed.")
    return 1 if missed else 0


def caught_as(bug: str) -> dict[str, int]:
    """The rows in which a planted bug shows, of those in which it must, and how often."""
    hunt = HUNTS[bug]
    options = Options(
        seed=bug,
        seconds=SECONDS,
        clients=20,
        crowd=0,
        pace=hunt.pace,
        bug=bug,
        on_processes={fault.__name__: fault for fault in hunt.on_processes},
        on_connections={fault.__name__: fault for fault in hunt.on_connections},
        shows_progress=False,
    )
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        report, _ = asyncio.run(play(options, Path(directory)))
    found = {row: len(problems) for row, problems in report.problems.items() if problems}
    print(f"{bug:30}{', '.join(f'{row} {count}' for row, count in found.items())}", flush=True)
    return {row: count for row, count in found.items() if row in hunt.rows}


if __name__ == "__main__":
    sys.exit(main())
