"""Django's expressions as MongoDB's aggregation expressions.

What is not registered here is refused: a translation is added together with the proof that it
gives the same rows as SQL (`tests/test_shapes.py`).
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError
from django.db.models import expressions, functions, lookups
from django.db.models.aggregates import Aggregate
from django.db.models.fields import DateField, DateTimeField
from django.db.models.functions.datetime import Extract, TruncBase
from django.db.models.sql.query import Query
from django.db.models.sql.where import NothingNode, WhereNode
from django.utils import timezone

from .aggregates import accumulator
from .conditions import condition
from .kinds import NUMBERS, kind_of
from .timezones import on_the_wall

if TYPE_CHECKING:
    from .read_compilers import SQLCompiler


Stage = dict[str, Any]


class Scope:
    """What names mean while one query is translated: its joins, its outer query, its groups.

    A row is a document of the base collection; the row of a join is a subdocument of it, under the
    join's alias with two underscores before it, which no field of a model can have.
    """

    def __init__(self, compiler: "SQLCompiler", outer: "Scope | None" = None) -> None:
        self.compiler = compiler
        self.outer = outer
        self.needed: dict[str, Stage] = {}  # by what was translated since take(), by their name
        self.placed: set[str] = set()  # the names of those that are in the pipeline already
        self.aliases: set[str] = set()  # that were read since take()
        self.variables: dict[str, Any] = {}  # of the outer query that this one reads
        self._groups: dict[str, Any] | None = None  # after $group: where each expression went
        self._answers: dict[tuple[int, bool], Subanswer] = {}
        self._numbers = itertools.count()

    def take(self) -> tuple[dict[str, Stage], set[str]]:
        """The stages that the translations since the last call need, and the aliases they read."""
        needed, self.needed = self.needed, {}
        aliases, self.aliases = self.aliases, set()
        return needed, aliases

    def value(self, node: Any) -> Any:
        """The aggregation expression for the resolved expression `node`."""
        if self._groups is not None and (place := self._groups.get(self.key(node))) is not None:
            return place
        return translate(node, self)

    def key(self, node: Any) -> str:
        """A text that two expressions share if and only if they mean the same."""
        before = self._groups, self.needed, self.aliases
        self._groups, self.needed, self.aliases = None, {}, set()
        try:
            return repr(translate(node, self))
        finally:
            self._groups, self.needed, self.aliases = before

    def regroup(self, places: dict[str, Any]) -> None:
        """From here on rows are groups: `places` has an expression for each key there is."""
        self._groups = places
        self._answers = {key: answer for key, answer in self._answers.items() if not key[1]}

    def reference(self, node: expressions.Ref) -> Any:
        """The expression for something that is selected under a name."""
        return self.value(node.source)

    def column(self, alias: str, column: str) -> str:
        """The expression for a column of one of the joins, or of the outer query's."""
        query = self.compiler.query
        if alias not in query.alias_map:
            if self.outer is None:
                raise NotSupportedError(f"{alias}.{column} belongs to no table of this query.")
            # MongoDB wants variables to begin with a lower-case letter.
            name = re.sub(r"\W", "_", f"v_{alias}_{column}")
            self.variables[name] = {"$ifNull": [self.outer.column(alias, column), None]}
            return f"$${name}"
        if self._groups is not None:
            place = self._groups.get(repr(self.path(alias, column)))
            if place is None:
                raise NotSupportedError(f"{alias}.{column} is neither grouped by nor aggregated.")
            return place
        self.aliases.add(alias)
        return self.path(alias, column)

    def path(self, alias: str, column: str) -> str:
        prefix = "" if alias == self.compiler.base_alias else f"__{alias}."
        return f"${prefix}{column}"

    def exists(self, node: expressions.Exists) -> bool | str:
        """Whether the subquery has rows; if that depends on the row here, the array with them."""
        answer = self._answer(node.query, lambda: node.query.exists())
        return answer.rows if answer.rows is not None else bool(answer.values)

    def scalar(self, node: expressions.Subquery) -> Any:
        """The expression for the one value of a subquery."""
        answer = self._answer(node.query, lambda: node.query)
        if answer.rows is not None:
            return {"$first": f"${answer.rows}.c0"}
        return {"$literal": answer.values[0] if answer.values else None}

    def column_of(self, query: Query) -> list[Any]:
        """The values of a subquery that does not depend on the row here."""
        answer = self._answer(query, lambda: query)
        if answer.rows is not None:
            raise NotSupportedError(
                "`in` takes a subquery without OuterRef(). Use Exists() for one with it."
            )
        return answer.values

    def _answer(self, query: Query, wanted: Callable[[], Query]) -> "Subanswer":
        key = id(query), self._groups is not None
        if key not in self._answers:
            self._answers[key] = self._ask(query, wanted())
        answer = self._answers[key]
        if answer.rows is not None and answer.rows not in self.placed:
            self.needed[answer.rows] = answer.stage
        return answer

    def _ask(self, query: Query, wanted: Query) -> "Subanswer":
        """Answer a subquery: right away, or in the pipeline if it depends on the row here."""
        compiler = wanted.get_compiler(connection=self.compiler.connection)
        compiler.scope = Scope(compiler, outer=self)
        try:
            command, _ = compiler.as_sql()
        except EmptyResultSet:
            return Subanswer(query)
        if len(command.names) != 1:
            raise NotSupportedError("A subquery must have exactly one column.")
        if compiler.scope.variables:
            name = f"__subquery{next(self._numbers)}"
            lookup = {
                "from": command.collection,
                "let": compiler.scope.variables,
                "pipeline": command.pipeline,
                "as": name,
            }
            return Subanswer(query, rows=name, stage={"$lookup": lookup})
        with self.compiler.connection.cursor() as cursor:
            cursor.execute(command)
            return Subanswer(query, values=[row[0] for row in cursor.fetchall()])


@dataclass
class Subanswer:
    """A subquery's rows: the values themselves, or where the pipeline has them for each row."""

    query: Query  # kept, so that no other gets its id()
    values: list[Any] = field(default_factory=list)
    rows: str | None = None
    stage: Stage | None = None


class OuterScope(Scope):
    """The scope of a query that reads from another one's rows, by the names these have."""

    def reference(self, node: expressions.Ref) -> Any:
        if self._groups is not None:
            raise NotSupportedError(f"{node.refs} is not aggregated.")
        return f"${node.refs}"


@singledispatch
def translate(node: Any, scope: Scope) -> Any:
    raise NotSupportedError(
        f"{type(node).__name__} has no translation to MongoDB. Compute it in Python, or use a "
        "collection of chatservice.mongo.client.database()."
    )


@translate.register(expressions.Col)
def _(node: expressions.Col, scope: Scope) -> Any:
    return scope.column(node.alias, node.target.column)


@translate.register(expressions.Ref)
def _(node: expressions.Ref, scope: Scope) -> Any:
    return scope.reference(node)


@translate.register(expressions.OrderBy)
def _(node: expressions.OrderBy, scope: Scope) -> Any:
    return scope.value(node.expression)


@translate.register(expressions.Value)
def _(node: expressions.Value, scope: Scope) -> Any:
    value = node.value
    output = node._output_field_or_none
    if value is not None and output is not None:
        prepare = output.get_db_prep_save if node.for_save else output.get_db_prep_value
        value = prepare(value, connection=scope.compiler.connection)
    return {"$literal": value}


@translate.register(expressions.ExpressionWrapper)
def _(node: expressions.ExpressionWrapper, scope: Scope) -> Any:
    return scope.value(node.expression)


@translate.register(expressions.RawSQL)
def _(node: expressions.RawSQL, scope: Scope) -> Any:
    # prefetch_related() asks in this way for the other side of a many-to-many relation.
    column = re.fullmatch(r'\(?"(\w+)"\."(\w+)"\)?', node.sql)
    if not column or node.params or not scope.compiler.query.alias_refcount.get(column[1]):
        raise NotSupportedError(
            "Raw SQL is not supported. Use the ORM, or a collection of "
            "chatservice.mongo.client.database()."
        )
    return scope.column(*column.groups())


ARITHMETIC = {"+": "$add", "-": "$subtract", "*": "$multiply"}


@translate.register(expressions.CombinedExpression)
def _(node: expressions.CombinedExpression, scope: Scope) -> Any:
    operator = ARITHMETIC.get(node.connector)
    if operator is None or not {kind_of(node.lhs), kind_of(node.rhs)} <= NUMBERS:
        raise NotSupportedError(
            f"{kind_of(node.lhs)} {node.connector} {kind_of(node.rhs)} has no translation to "
            "MongoDB: only +, - and * on numbers. Compute it in Python."
        )
    return {operator: [scope.value(node.lhs), scope.value(node.rhs)]}


@translate.register(expressions.DurationExpression)
@translate.register(expressions.TemporalSubtraction)
def _(node: expressions.CombinedExpression, scope: Scope) -> Any:
    raise NotSupportedError("Moments are added and subtracted in Python, before the query.")


@translate.register(functions.Coalesce)
def _(node: functions.Coalesce, scope: Scope) -> Any:
    return {"$ifNull": [*map(scope.value, node.get_source_expressions()), None]}


@translate.register(functions.Now)
def _(node: functions.Now, scope: Scope) -> Any:
    return "$$NOW"


@translate.register(expressions.Case)
def _(node: expressions.Case, scope: Scope) -> Any:
    default = scope.value(node.default)
    if not node.cases:
        return default
    branches = [
        {
            "case": condition(case.condition, scope).expression,
            "then": scope.value(case.result),
        }
        for case in node.cases
    ]
    return {"$switch": {"branches": branches, "default": default}}


@translate.register(expressions.Exists)
@translate.register(NothingNode)
def _(node: Any, scope: Scope) -> Any:
    return condition(node, scope).expression


@translate.register(lookups.Lookup)
@translate.register(expressions.NegatedExpression)
@translate.register(WhereNode)
def _(node: Any, scope: Scope) -> Any:
    """A condition as a value: true, false or null."""
    true, false = condition(node, scope), condition(node, scope, negated=True)
    return {"$cond": [true.expression, True, {"$cond": [false.expression, False, None]}]}


@translate.register(expressions.Subquery)
def _(node: expressions.Subquery, scope: Scope) -> Any:
    return scope.scalar(node)


@translate.register(Aggregate)
def _(node: Aggregate, scope: Scope) -> Any:
    # Only ever a key: where rows are groups, the aggregate's place is found before it comes here.
    return {"$aggregate": repr(accumulator(node, scope))}


# Dates and times

PARTS = {
    "year": "$year",
    "month": "$month",
    "day": "$dayOfMonth",
    "hour": "$hour",
    "minute": "$minute",
    "second": "$second",
    "week": "$isoWeek",
    "iso_year": "$isoWeekYear",
    "week_day": "$dayOfWeek",
    "iso_week_day": "$isoDayOfWeek",
}


@translate.register(Extract)
def _(node: Extract, scope: Scope) -> Any:
    moment = clock_of(node, scope)
    if node.lookup_name == "quarter":
        return {"$ceil": {"$divide": [{"$month": moment}, 3]}}
    if node.lookup_name not in PARTS:
        raise NotSupportedError(f"{node.lookup_name!r} is not a part of a date that MongoDB knows.")
    return {PARTS[node.lookup_name]: moment}


@translate.register(TruncBase)
def _(node: TruncBase, scope: Scope) -> Any:
    moment = clock_of(node, scope)
    if node.kind == "time":
        return {"$dateToString": {"date": moment, "format": "%H:%M:%S.%L000"}}
    if not isinstance(node.output_field, DateField):
        raise NotSupportedError("Truncating to a time has no translation to MongoDB.")
    unit = "day" if node.kind == "date" else node.kind
    truncated = {"$dateTrunc": {"date": moment, "unit": unit, "startOfWeek": "monday"}}
    if isinstance(node.output_field, DateTimeField):
        return truncated
    return {"$dateTrunc": {"date": truncated, "unit": "day"}}


def clock_of(node: Any, scope: Scope) -> Any:
    """The date or moment that `node` is about, the latter as clocks in the node's zone show it."""
    field = node.lhs.output_field
    if not isinstance(field, DateField):
        raise NotSupportedError("Only dates and datetimes have parts that MongoDB knows.")
    moment = scope.value(node.lhs)
    if isinstance(field, DateTimeField):
        if not settings.USE_TZ:
            return moment
        return on_the_wall(moment, node.tzinfo or timezone.get_current_timezone())
    if node.tzinfo is not None:
        raise ValueError("tzinfo can only be used with DateTimeField.")
    return moment
