"""The table of a run: printed, and with `--update` put into the documents."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .results import BARE, PEER, PRODUCT, UVICORN
from .workspace import CHECKOUT, WORKSPACE

COLUMNS = (PRODUCT, UVICORN, PEER, BARE)
DOCUMENTS = ("README.md", "docs/benchmarks.md")
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def number(value: float | None) -> str:
    if value is None:
        return "refused"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return ""
    text = number(figure["median"])
    if len(figure["values"]) > 1:
        text += f" ±{figure['spread'] / 2:.0%}"
    if figure["cost"]:
        text += f" ({number(figure['cost'])} µs)"
    return text


def verdict(each: dict[str, Any]) -> str:
    bound = f"{'at least' if each['at_least'] else 'at most'} {each['bound']:g}"
    outcome = {True: "yes", False: "**no**", None: "?"}[each["passed"]]
    return f"{number(each['value'])} {each['demand']} ({bound}): {outcome}"


def table(results: dict[str, Any]) -> str:
    """A Markdown table, with what a reader must know to judge it."""
    machine = results["machine"]
    head = (
        f"{results['at'][:10]}, {machine['processors']} processors ({machine['model']}), "
        f"{machine['memory_gib']} GiB, Python {machine['python']}; medians of "
        f"{results['repetitions']}, ± half the spread, and in brackets the server's processor time "
        f"for each; the machine itself varied by {results['noise']:.0%}, its load average was "
        f"{machine['load_average'][0]:.1f}."
    )
    lines = [
        head,
        "",
        f"| work | unit | {' | '.join(COLUMNS)} | reached |",
        f"| --- | --- |{' ---: |' * len(COLUMNS)} --- |",
    ]
    for row in results["rows"]:
        figures = row["figures"]
        others = [f"{name}: {cell(each)}" for name, each in figures.items() if name not in COLUMNS]
        cells = [cell(figures.get(column)) for column in COLUMNS]
        if others:
            cells[0] = "; ".join(others)
        title = row["title"] + (f" ({row['note']})" if row["note"] else "")
        reached = "; ".join(map(verdict, row["verdicts"]))
        lines.append(f"| {title} | {row['unit']} | {' | '.join(cells)} | {reached} |")
    refusals = {
        f"{row['title']}, {target}: {refusal}."
        for row in results["rows"]
        for target, figure in row["figures"].items()
        for refusal in figure["refusals"]
    }
    lines += [""] * bool(refusals) + [f"Refused: {each}" for each in sorted(refusals)]
    lines += [""] * bool(results["failures"]) + [f"Failed: {each}" for each in results["failures"]]
    return "\n".join(lines)


def update(path: Path, text: str) -> None:
    """Replace what is between the marks in a document."""
    document = path.read_text()
    pattern = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"{path} has no place for the table: {BEGIN} {END}")
    path.write_text(pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", document))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=WORKSPACE / "results.json")
    parser.add_argument("--update", action="store_true", help=f"write it into {DOCUMENTS}")
    options = parser.parse_args(arguments)
    text = table(json.loads(options.results.read_text()))
    print(text)
    if options.update:
        for name in DOCUMENTS:
            update(CHECKOUT / name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
