"""Django's aggregates as accumulators of a $group stage."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import NotSupportedError
from django.db.models import aggregates
from django.db.models.expressions import Star, Subquery
from django.db.models.sql.query import Query

from .conditions import condition, known
from .kinds import NUMBERS, kind_of

if TYPE_CHECKING:
    from .expressions import Scope

ACCUMULATORS = {
    aggregates.Avg: "$avg",
    aggregates.Count: "$sum",
    aggregates.Max: "$max",
    aggregates.Min: "$min",
    aggregates.Sum: "$sum",
}


@dataclass(frozen=True)
class Accumulator:
    """How a group's value is gathered, and what is made of it.

    `gathered` are the accumulators by a suffix for the field's name; `result` is the expression for
    the value with `{}` where the name goes; `empty` are the gathered values of no rows at all.
    """

    gathered: dict[str, Any]
    shape: str
    empty: dict[str, Any]

    def result(self, name: str) -> Any:
        """The aggregate's value, once it was gathered in fields that begin with `name`."""
        field = f"${name}"
        match self.shape:
            case "size":  # of a set, in which null does not count
                return {"$size": {"$setDifference": [field, [None]]}}
            case "sum":  # of nothing is null in SQL and 0 in MongoDB
                return {"$cond": [{"$gt": [f"{field}_count", 0]}, field, None]}
            case "sum of set":
                values = {"$setDifference": [field, [None]]}
                return {"$cond": [{"$eq": [values, []]}, None, {"$sum": values}]}
            case "average of set":
                return {"$avg": field}
        return field


def accumulator(node: aggregates.Aggregate, scope: "Scope") -> Accumulator:
    """The accumulator for an aggregate. Refuses those whose answer would differ from SQL's."""
    operator = ACCUMULATORS.get(type(node))
    if operator is None or getattr(node, "order_by", None):
        raise NotSupportedError(
            f"{type(node).__name__} has no translation to MongoDB. Count, Sum, Avg, Min and Max do."
        )
    [source] = node.get_source_expressions()[:1]
    kind = kind_of(source) if not isinstance(source, Star) else "unknown"
    if type(node) in (aggregates.Sum, aggregates.Avg) and kind not in NUMBERS | {"duration"}:
        raise NotSupportedError(f"{type(node).__name__} needs numbers; this is {kind}.")
    if type(node) in (aggregates.Min, aggregates.Max) and kind in ("binary", "json", "unknown"):
        raise NotSupportedError(f"{type(node).__name__} needs a kind that has an order.")

    value = {"$literal": True} if isinstance(source, Star) else scope.value(source)
    if node.filter is not None:
        value = {"$cond": [condition(node.filter, scope).expression, value, None]}
    one_if_known = {"$sum": {"$cond": [known(value), 1, 0]}}
    as_set = {"": {"$addToSet": {"$ifNull": [value, None]}}}
    match node:
        case aggregates.Count(distinct=True):
            return Accumulator(as_set, "size", {"": []})
        case aggregates.Count():
            return Accumulator({"": one_if_known}, "plain", {"": 0})
        case aggregates.Sum(distinct=True):
            return Accumulator(as_set, "sum of set", {"": []})
        case aggregates.Avg(distinct=True):
            return Accumulator(as_set, "average of set", {"": []})
        case aggregates.Sum():
            gathered = {"": {operator: value}, "_count": one_if_known}
            return Accumulator(gathered, "sum", {"": None, "_count": 0})
    return Accumulator({"": {operator: value}}, "plain", {"": None})


class Gathering:
    """All the aggregates of a query's expressions: what to gather, and where it is found then."""

    def __init__(
        self, nodes: Iterable[Any], scope: "Scope", places: dict[str, Any] | None = None
    ) -> None:
        self.gathered: dict[str, Any] = {}
        self.empty: dict[str, Any] = {}
        self.places = places or {}
        for node in nodes:
            for aggregate in aggregates_in(node):
                self._gather(aggregate, scope)

    def _gather(self, aggregate: aggregates.Aggregate, scope: "Scope") -> None:
        key = scope.key(aggregate)
        if key in self.places:
            return
        name = f"a{len(self.places)}"
        parts = accumulator(aggregate, scope)
        self.gathered |= {name + suffix: part for suffix, part in parts.gathered.items()}
        self.empty |= {name + suffix: value for suffix, value in parts.empty.items()}
        self.places[key] = parts.result(name)

    def stages_for_one_row(self) -> list[dict[str, Any]]:
        """Aggregate all rows into one, which is there even where there are no rows, as in SQL."""
        only = {"$ifNull": [{"$first": "$rows"}, {"$literal": self.empty}]}
        return [
            {"$facet": {"rows": [{"$group": {"_id": None, **self.gathered}}]}},
            {"$replaceWith": only},
        ]


def aggregates_in(node: Any) -> Iterator[aggregates.Aggregate]:
    """Every aggregate of this query that `node` contains."""
    if isinstance(node, aggregates.Aggregate):
        yield node
    elif node is not None and not isinstance(node, Subquery | Query):
        for source in getattr(node, "get_source_expressions", list)():
            yield from aggregates_in(source)
        for child in getattr(node, "children", []):
            yield from aggregates_in(child)


def contains_aggregate(node: Any) -> bool:
    return any(True for _ in aggregates_in(node))
