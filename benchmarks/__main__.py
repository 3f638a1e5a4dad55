"""Measure: `python -m benchmarks [ROW ...]`, or `make bench ROWS="rest-post fan-out-200"`."""

import argparse
import datetime
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import workspace
from .lab import Lab, Size, machine, say
from .report import table
from .results import Row
from .rows import ROWS


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"all, or some of: {', '.join(ROWS)}"
    )
    parser.add_argument("--quick", action="store_true", help="once, and shorter: a rough idea")
    parser.add_argument("--repetitions", type=int, help="of each measurement")
    parser.add_argument("--output", type=Path, default=workspace.WORKSPACE / "results.json")
    options = parser.parse_args(arguments)
    if unknown := set(options.rows) - ROWS.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    workspace.WORKSPACE.mkdir(mode=0o700, parents=True, exist_ok=True)
    workspace.set_up_django()
    size = Size.of(quick=options.quick)
    if options.repetitions:
        size = Size(options.repetitions, size.seconds, size.sockets)
    rows: list[Row] = []
    noise: list[float] = []
    failures: list[str] = []
    with Lab(size) as lab:
        for name in options.rows or ROWS:
            say(name)
            noise += [unit_of_work() for _ in range(3)]
            try:
                rows += ROWS[name](lab)
            except Exception as error:  # the other rows are worth having all the same
                failures.append(f"{name}: {error}")
                say(failures[-1])
                lab.stop_all()
    results = {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "machine": machine(),
        "noise": max(noise) / min(noise) - 1,
        "repetitions": size.repetitions,
        "rows": [row.as_json() for row in rows],
        "failures": failures,
    }
    options.output.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))
    print(f"Written to {options.output}")
    return 1 if failures else 0


def unit_of_work() -> float:
    """Seconds that a fixed piece of work takes: by how much this varies, so do all figures."""
    began = time.perf_counter()
    digest = b""
    for _ in range(150_000):
        digest = hashlib.sha256(digest).digest()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
