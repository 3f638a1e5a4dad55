"""What comes out of the benchmarks: figures of each target, and whether they are good enough."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

PRODUCT, UVICORN, PEER, BARE = "Daphne", "uvicorn", "Node.js", "python-socketio"


@dataclass
class Figure:
    """The repetitions of one measurement of one target; processor use in shares of one.

    `costs` is the server's processor time in microseconds for each unit: what stays the same on a
    machine that others use as well.
    """

    values: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    load_cpu: list[float] = field(default_factory=list)
    server_cpu: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @property
    def median(self) -> float | None:
        """None if most of the repetitions had to be refused."""
        return median(self.values) if len(self.values) > len(self.refusals) else None

    @property
    def spread(self) -> float:
        """How far the repetitions are apart, as a share of their median."""
        if len(self.values) < 2 or not (middle := median(self.values)):
            return 0.0
        return (max(self.values) - min(self.values)) / middle


@dataclass
class Verdict:
    """One demand: `value` must be at least, or at most, `bound`."""

    demand: str
    value: float | None
    bound: float
    at_least: bool

    @property
    def passed(self) -> bool | None:
        """None where there is no figure to judge."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass
class Row:
    """A line of the table."""

    name: str
    title: str
    unit: str
    figures: dict[str, Figure] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    note: str = ""

    def figure(self, target: str) -> Figure:
        return self.figures.setdefault(target, Figure())

    def median(self, target: str) -> float | None:
        return self.figures[target].median if target in self.figures else None

    def demand(
        self,
        demand: str,
        bound: float,
        *,
        of: "float | None",
        to: "float | None" = 1.0,
        at_least: bool = True,
    ) -> None:
        """Ask that the ratio of two figures be at least, or at most, `bound`."""
        value = of / to if of is not None and to else None
        self.verdicts.append(Verdict(demand, value, bound, at_least))

    def as_json(self) -> dict[str, Any]:
        figures = {
            target: asdict(figure)
            | {
                "median": figure.median,
                "spread": figure.spread,
                "cost": median(figure.costs) if figure.costs else None,
            }
            for target, figure in self.figures.items()
        }
        verdicts = [asdict(each) | {"passed": each.passed} for each in self.verdicts]
        return asdict(self) | {"figures": figures, "verdicts": verdicts}


def interleaved(targets: list[str], repetitions: int, measure: Callable[[str], None]) -> None:
    """Measure each target once, then each again: what drifts does so for all of them."""
    for repetition in range(repetitions):
        # Back and forth, so that none is always the first.
        for target in targets if repetition % 2 == 0 else reversed(targets):
            measure(target)
