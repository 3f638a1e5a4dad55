"""`make chaos`: breaks the service for a while, and counts what its clients have lost."""

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Sequence

from chaos.checker import ROWS, Report
from chaos.faults import IN_LONG_RUNS, ON_CONNECTIONS, ON_PROCESSES, ON_REDIS
from chaos.parts import Redis
from chaos.run import Options, play
from chaos.scratch import scratch_directory

LONG = 5
"""Minutes from which on a run is a long one."""


def main() -> int:
    arguments = parse()
    if not Redis.is_installed():
        print("There is no redis-server on the PATH: one process of the service only.")
    seeds = [arguments.seed]
    if arguments.seeds > 1:
        seeds = [f"{arguments.seed}-{number}" for number in range(1, arguments.seeds + 1)]
    reports = {seed: run(seed, arguments) for seed in seeds}
    if len(reports) > 1:
        print(f"\n{overview(reports)}")
    return 0 if all(report.is_clean for report in reports.values()) else 1


def run(seed: str, arguments: argparse.Namespace) -> Report:
    """One run, and what is to be said about it."""
    options = Options(
        seed=seed,
        seconds=60 * arguments.minutes,
        clients=arguments.clients,
        crowd=arguments.crowd,
        pace=arguments.pace,
        bug=arguments.bug,
        on_processes=faults_on_processes(arguments.minutes),
        on_connections=ON_CONNECTIONS,
    )
    with scratch_directory() as scratch:
        print(f"SEED={seed} MINUTES={arguments.minutes:g}; {scratch.path}/schedule.log has it all")
        began = time.monotonic()
        report, tracebacks = asyncio.run(play(options, scratch.path))
        print(report.table())
        print(f"It took {time.monotonic() - began:.0f} s.")
        for error, count in tracebacks.most_common():
            print(f"{count} traceback(s) in the service's logs end with: {error[:200]}")
        if arguments.keep or not report.is_clean:
            scratch.keep()
            print(f"Everything is kept in {scratch.path}", flush=True)
    return report


def faults_on_processes(minutes: float) -> dict:
    faults = dict(ON_PROCESSES)
    if Redis.is_installed():
        faults |= ON_REDIS
        if minutes >= LONG:
            faults |= IN_LONG_RUNS
    return faults


def overview(reports: dict[str, Report]) -> str:
    """A line for each seed."""
    rows = [row for row in ROWS if row != "acknowledged"]
    width = max(len("seed"), *map(len, reports))
    lines = [f"{'seed':{width}}  faults  acknowledged  {'  '.join(rows)}"]
    for seed, report in reports.items():
        counts = [f"{len(report.problems[row]):{len(row)}}" for row in rows]
        lines.append(
            f"{seed:{width}}{report.faults:8}{report.acknowledged:14}  {'  '.join(counts)}"
        )
    return "\n".join(lines)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2, help="of faults (%(default)s)")
    parser.add_argument("--seed", default=secrets.token_hex(3), help="of the schedule of faults")
    parser.add_argument("--seeds", type=int, default=1, help="runs, each with a seed of its own")
    parser.add_argument("--clients", type=int, default=20, help="that write (%(default)s)")
    parser.add_argument("--crowd", type=int, default=500, help="that comes at once (%(default)s)")
    parser.add_argument("--pace", type=float, default=0.7, help="seconds a message (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep journals, logs and database")
    parser.add_argument("--bug", help="plant a bug, to see it caught: see planted_bugs.py")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
