"""`make chaos`: breaks the service for a while, and counts what its clients have lost."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from chaos.faults import ON_CONNECTIONS, ON_PROCESSES
from chaos.parts import Redis
from chaos.run import Options, play


def main() -> int:
    arguments = parse()
    options = Options(
        seed=arguments.seed,
        seconds=60 * arguments.minutes,
        clients=arguments.clients,
        crowd=arguments.crowd,
        pace=arguments.pace,
        bug=arguments.bug,
        on_processes=ON_PROCESSES,
        on_connections=ON_CONNECTIONS,
    )
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"SEED={options.seed} MINUTES={arguments.minutes:g}; {directory}/schedule.log has it all")
    if not Redis.is_installed():
        print("There is no redis-server on the PATH: one process of the service only.")
    began = time.monotonic()
    report, tracebacks = asyncio.run(play(options, directory))
    print(report.table())
    print(f"It took {time.monotonic() - began:.0f} s.")
    for error, count in tracebacks.most_common():
        print(f"{count} traceback(s) in the service's logs end with: {error[:200]}")
    if report.is_clean and not arguments.keep:
        shutil.rmtree(directory)
    else:
        print(f"Everything is kept in {directory}")
    return 0 if report.is_clean else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2, help="of faults (%(default)s)")
    parser.add_argument("--seed", default=secrets.token_hex(3), help="of the schedule of faults")
    parser.add_argument("--clients", type=int, default=20, help="that write (%(default)s)")
    parser.add_argument("--crowd", type=int, default=500, help="that comes at once (%(default)s)")
    parser.add_argument("--pace", type=float, default=0.7, help="seconds a message (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep journals, logs and database")
    parser.add_argument("--bug", help="plant a bug, to see it caught: see planted_bugs.py")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
