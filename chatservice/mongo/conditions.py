"""Django's filters in MongoDB's two languages: query filters and aggregation expressions.

SQL knows true, false and unknown, MongoDB only true and false, and to MongoDB null is a value like
any other. So a condition is asked for in one of two ways: where it is true, or (`negated`) where
it is false. Neither includes the rows where it is unknown, and what is negated is always a single
comparison, never a group: NOT (a AND b) is asked as "a is false or b is false".
"""

import re
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import NotSupportedError
from django.db.models import lookups
from django.db.models.expressions import Exists, NegatedExpression
from django.db.models.fields import related_lookups
from django.db.models.sql.query import Query
from django.db.models.sql.where import AND, OR, NothingNode, WhereNode

from .kinds import kind_of, same_kind

if TYPE_CHECKING:
    from .expressions import Scope

Filter = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """One condition: as an aggregation expression, and as a query filter that can use an index."""

    expression: Any
    filter: Filter

    @classmethod
    def computed(cls, expression: Any) -> "Condition":
        """A condition on more than a field and constants: no index helps with it."""
        return cls(expression, {"$expr": expression})


ALWAYS = Condition({"$literal": True}, {})
NEVER = Condition({"$literal": False}, {"_id": {"$in": []}})

OPPOSITE = {"$eq": "$ne", "$gt": "$lte", "$gte": "$lt", "$lt": "$gte", "$lte": "$gt"}
COMPARISONS = {"exact": "$eq", "gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte"}


@singledispatch
def condition(node: Any, scope: "Scope", negated: bool = False) -> Condition:
    """Where `node` is true; with `negated`, where it is false."""
    if getattr(node, "conditional", False):
        return compare("$eq", scope.value(node), {"$literal": not negated})
    raise NotSupportedError(
        f"{type(node).__name__} has no translation to MongoDB. Filter by other lookups, or use a "
        "collection of chatservice.mongo.client.database()."
    )


def conjunction(conditions: list[Condition]) -> Condition:
    """Where all of the conditions hold."""
    if NEVER in conditions:
        return NEVER
    return joined("$and", [one for one in conditions if one is not ALWAYS], ALWAYS)


def disjunction(conditions: list[Condition]) -> Condition:
    """Where one of the conditions holds."""
    if ALWAYS in conditions:
        return ALWAYS
    return joined("$or", [one for one in conditions if one is not NEVER], NEVER)


def joined(operator: str, conditions: list[Condition], nothing: Condition) -> Condition:
    if len(conditions) < 2:
        return conditions[0] if conditions else nothing
    return Condition(
        {operator: [one.expression for one in conditions]},
        {operator: [one.filter for one in conditions]},
    )


@condition.register(WhereNode)
def _(node: WhereNode, scope: "Scope", negated: bool = False) -> Condition:
    if node.connector not in (AND, OR):
        raise NotSupportedError("XOR has no translation to MongoDB. Write it with &, | and ~.")
    negated ^= node.negated
    if not node.children:
        return NEVER if negated else ALWAYS
    parts = [condition(child, scope, negated) for child in node.children]
    all_of = (node.connector == AND) != negated
    return conjunction(parts) if all_of else disjunction(parts)


@condition.register(NothingNode)
def _(node: NothingNode, scope: "Scope", negated: bool = False) -> Condition:
    return ALWAYS if negated else NEVER


@condition.register(NegatedExpression)
def _(node: NegatedExpression, scope: "Scope", negated: bool = False) -> Condition:
    return condition(node.expression, scope, not negated)


@condition.register(Exists)
def _(node: Exists, scope: "Scope", negated: bool = False) -> Condition:
    found = scope.exists(node)
    if isinstance(found, bool):
        return ALWAYS if found != negated else NEVER
    operator = "$eq" if negated else "$ne"
    return Condition({operator: [f"${found}", []]}, {found: {operator: []}})


@condition.register(lookups.Lookup)
def _(lookup: lookups.Lookup, scope: "Scope", negated: bool = False) -> Condition:
    test = TESTS.get(lookup.lookup_name)
    if not isinstance(lookup, KNOWN_LOOKUPS) or test is None:
        raise NotSupportedError(
            f"The lookup {lookup.lookup_name!r} has no translation to MongoDB. Filter by other "
            "lookups, or use a collection of chatservice.mongo.client.database()."
        )
    if getattr(lookup, "bilateral_transforms", None):
        raise NotSupportedError("Bilateral transforms have no translation to MongoDB.")
    if kind_of(lookup.lhs) == "json" and lookup.lookup_name != "isnull":
        raise NotSupportedError(
            "Lookups into a JSONField are not supported, except isnull. Give what is searched for "
            "a field of its own."
        )
    try:
        return test(lookup, scope, negated)
    except EmptyResultSet:
        return ALWAYS if negated else NEVER
    except FullResultSet:
        return NEVER if negated else ALWAYS


def comparison(lookup: lookups.Lookup, scope: "Scope", negated: bool) -> Condition:
    operator = COMPARISONS[lookup.lookup_name]
    if operator not in ("$eq", "$ne") and kind_of(lookup.lhs) in ("binary", "json"):
        raise NotSupportedError("MongoDB does not order bytes as SQL does.")
    if isinstance(lookup.rhs, bool) and isinstance(
        lookup.lhs, WhereNode | lookups.Lookup | Exists | NegatedExpression
    ):
        return condition(lookup.lhs, scope, negated != (not lookup.rhs))
    if negated:
        operator = OPPOSITE[operator]
    return compare(operator, scope.value(lookup.lhs), right_side(lookup, scope))


def compare(operator: str, left: Any, right: Any) -> Condition:
    """Where both sides are known and stand to each other like that."""
    if right == {"$literal": None}:
        return NEVER
    expression = {"$and": [known(left), known(right), {operator: [left, right]}]}
    path = path_of(left)
    if path is None or not is_literal(right):
        return Condition.computed(expression)
    value = right["$literal"]
    filters = {"$ne": {"$nin": [value, None]}}
    return Condition(expression, {path: filters.get(operator, {operator: value})})


def right_side(lookup: lookups.Lookup, scope: "Scope") -> Any:
    """What the left side is compared with, as an expression."""
    if isinstance(lookup.rhs, Query):
        values = scope.column_of(lookup.rhs)
        if len(values) > 1:
            raise NotSupportedError("A subquery compared with = must be sliced to one row.")
        return {"$literal": values[0] if values else None}
    if not lookup.rhs_is_direct_value():
        if not same_kind(lookup.lhs, lookup.rhs):
            raise NotSupportedError(
                "Only values of one type are compared with each other. Compare them in Python."
            )
        return scope.value(lookup.rhs)
    _, [value] = lookup.process_rhs(scope.compiler, scope.compiler.connection)
    return {"$literal": value}


def membership(lookup: lookups.Lookup, scope: "Scope", negated: bool) -> Condition:
    if isinstance(lookup.rhs, Query):
        values = scope.column_of(lookup.rhs)
        if not values:
            raise EmptyResultSet
        if negated and None in values:  # unknown whether it is among them: never false
            return NEVER
        values = [value for value in values if value is not None]
    else:
        if not lookup.rhs_is_direct_value() or any(
            hasattr(value, "resolve_expression") for value in lookup.rhs
        ):
            raise NotSupportedError("`in` takes values or a queryset. Write F() with Q() and |.")
        _, values = lookup.process_rhs(scope.compiler, scope.compiler.connection)
        values = list(values)
    left = scope.value(lookup.lhs)
    contained = {"$in": [left, {"$literal": values}]}
    expression = {"$and": [known(left), {"$not": [contained]} if negated else contained]}
    path = path_of(left)
    if path is None:
        return Condition.computed(expression)
    return Condition(expression, {path: {"$nin": [*values, None]} if negated else {"$in": values}})


def between(lookup: lookups.Lookup, scope: "Scope", negated: bool) -> Condition:
    if not lookup.rhs_is_direct_value() or any(
        hasattr(value, "resolve_expression") for value in lookup.rhs
    ):
        raise NotSupportedError("`range` takes two values. Write F() with __gte and __lte.")
    if kind_of(lookup.lhs) == "binary":
        raise NotSupportedError("MongoDB does not order bytes as SQL does.")
    _, params = lookup.process_rhs(scope.compiler, scope.compiler.connection)
    low, high = ({"$literal": value} for value in params)
    left = scope.value(lookup.lhs)
    if negated:
        return disjunction([compare("$lt", left, low), compare("$gt", left, high)])
    return conjunction([compare("$gte", left, low), compare("$lte", left, high)])


def is_null(lookup: lookups.Lookup, scope: "Scope", negated: bool) -> Condition:
    if not isinstance(lookup.rhs, bool):
        raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
    left = scope.value(lookup.lhs)
    null = lookup.rhs != negated
    expression = unknown(left) if null else known(left)
    path = path_of(left)
    if path is None or kind_of(lookup.lhs) == "json":  # a filter would look into a list for null
        return Condition.computed(expression)
    return Condition(expression, {path: {"$eq" if null else "$ne": None}})


def text_match(lookup: lookups.Lookup, scope: "Scope", negated: bool) -> Condition:
    """`contains` and its kin: letter for letter, or ignoring case as Unicode has it."""
    if not lookup.rhs_is_direct_value():
        raise NotSupportedError(f"`{lookup.lookup_name}` takes a text, not an expression.")
    name = lookup.lookup_name
    options = "i" if name.startswith("i") else ""
    pattern = PATTERNS[name.removeprefix("i")].format(escaped(str(lookup.rhs)))
    left = scope.value(lookup.lhs)
    kind = kind_of(lookup.lhs)
    path = path_of(left)
    if kind in ("integer", "objectid"):
        left, path = {"$toString": left}, None
    elif kind != "text":
        raise NotSupportedError(f"`{name}` needs a text field; this one holds {kind}.")
    found = {"$regexMatch": {"input": left, "regex": pattern, "options": options}}
    expression = {"$and": [known(left), {"$not": [found]} if negated else found]}
    if path is None:
        return Condition.computed(expression)
    regex = {"$regex": pattern, "$options": options}
    return Condition(expression, {path: {"$not": regex, "$ne": None} if negated else regex})


PATTERNS = {"contains": "{}", "startswith": "^{}", "endswith": r"{}\z", "exact": r"^{}\z"}

TESTS = {
    **dict.fromkeys(COMPARISONS, comparison),
    "in": membership,
    "range": between,
    "isnull": is_null,
    **dict.fromkeys(
        ["contains", "startswith", "endswith", "iexact", "icontains", "istartswith", "iendswith"],
        text_match,
    ),
}

# Anything else that calls itself "exact" or "contains", a JSONField's for one, means another thing.
KNOWN_LOOKUPS = (
    lookups.BuiltinLookup,
    related_lookups.RelatedIn,
    related_lookups.RelatedLookupMixin,
)


def escaped(text: str) -> str:
    """`text` as a regular expression that matches it and nothing else."""
    return re.escape(text).replace("\0", r"\x00")  # BSON ends a pattern at NUL


def known(value: Any) -> Any:
    """Whether a value is there and not null. (What is missing sorts before null.)"""
    return (
        {"$literal": value["$literal"] is not None} if is_literal(value) else {"$gt": [value, None]}
    )


def unknown(value: Any) -> Any:
    return {"$lte": [value, None]}


def is_literal(value: Any) -> bool:
    return isinstance(value, dict) and "$literal" in value


def path_of(value: Any) -> str | None:
    """The field's path, where an expression is nothing but a field of the document."""
    if isinstance(value, str) and value.startswith("$") and not value.startswith("$$"):
        return value[1:]
    return None
