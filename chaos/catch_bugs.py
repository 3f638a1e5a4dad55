"""`make chaos-bugs`: plants each bug in turn, and fails unless the checker notices every one."""

import asyncio
import random
import sys
from dataclasses import dataclass

from chaos import faults
from chaos.faults import Fault, Outcome, Scene
from chaos.planted_bugs import BUGS
from chaos.run import Options, play
from chaos.scratch import scratch_directory

SECONDS = 20
ROUNDS = 4
"""How long a hunt takes, and how often its fault comes, at least."""

ATTEMPTS = 3
"""Hunts for one bug: a fault has to come at the right moment, which nobody can make sure of."""

MESSAGES = 40
MESSAGES_SECONDS = 60.0
"""Messages that are stored, or seconds that pass, before a process is killed amid others."""


def amid_messages(fault: Fault) -> Fault:
    """A fault that waits until messages are being stored again after the one before."""

    async def wait_and_do(scene: Scene, chance: random.Random) -> Outcome:
        def stored() -> int:
            return sum(participant.acknowledged for participant in scene.participants)

        enough = stored() + MESSAGES
        await faults.wait_until(lambda: stored() >= enough, MESSAGES_SECONDS)
        return await fault(scene, chance)

    return wait_and_do


kill_a_service = amid_messages(faults.kill_a_service)
kill_mongodb = amid_messages(faults.kill_mongodb)


@dataclass(frozen=True)
class Hunt:
    """How to find a bug: what brings it to light, and the rows of which one must then count."""

    rows: set[str]
    on_processes: tuple[Fault, ...] = ()
    on_connections: tuple[Fault, ...] = ()
    pace: float = 0.5
    seconds: float = SECONDS


HUNTS = {
    "acknowledged-before-stored": Hunt({"lost"}, on_processes=(kill_a_service,), pace=0.2),
    "not-journaled": Hunt({"lost", "gaps"}, on_processes=(kill_mongodb,), pace=0.05),
    "no-unique-index": Hunt({"gaps", "doubled"}),
    "resume-off-by-one": Hunt({"diverged", "unfinished"}, on_connections=(faults.cut_everybody,)),
    "sent-twice": Hunt({"doubled"}),
    "removed-members-still-hear": Hunt(
        {"seen after removal"}, on_connections=(faults.remove_and_readd_members,)
    ),
    "removed-members-still-write": Hunt(
        {"seen after removal"}, on_connections=(faults.remove_and_readd_members,), pace=0.2
    ),
    "banned-people-are-not-cut-off": Hunt(
        {"seen after removal"}, on_connections=(faults.ban_somebody,)
    ),
    "tokens-never-end": Hunt({"seen after removal"}, seconds=100),
    "dates-of-senders-are-believed": Hunt({"diverged"}),
    "edits-are-forgotten": Hunt({"diverged"}),
}
"""Where nothing has to break, the bug shows in any run."""


def enumerated(pack: tuple[Fault, ...]) -> dict[str, Fault]:
    return {f"fault {number}": fault for number, fault in enumerate(pack, 1)}


def main() -> int:
    wanted = sys.argv[1:] or list(BUGS)
    print(f"{'planted bug':30}caught as")
    missed = [
        bug for bug in wanted if not any(caught_as(bug, attempt) for attempt in range(ATTEMPTS))
    ]
    for bug in missed:
        print(f"{bug} was not noticed.")
    return 1 if missed else 0


def caught_as(bug: str, attempt: int) -> dict[str, int]:
    """The rows in which a planted bug shows, of those in which it must, and how often."""
    hunt = HUNTS[bug]
    options = Options(
        seed=f"{bug} {attempt}",
        rounds=ROUNDS,
        seconds=hunt.seconds,
        clients=20,
        crowd=0,
        pace=hunt.pace,
        bug=bug,
        on_processes=enumerated(hunt.on_processes),
        on_connections=enumerated(hunt.on_connections),
        shows_progress=False,
    )
    with scratch_directory() as scratch:
        report, _ = asyncio.run(play(options, scratch.path))
    found = {row: len(problems) for row, problems in report.problems.items() if problems}
    print(f"{bug:30}{', '.join(f'{row} {count}' for row, count in found.items())}", flush=True)
    return {row: count for row, count in found.items() if row in hunt.rows}


if __name__ == "__main__":
    sys.exit(main())
