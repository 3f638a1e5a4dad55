"""Django's indexes, constraints and unique fields as MongoDB indexes.

SQL lets any number of rows be null in a unique column, MongoDB only one. So a unique index over
fields that may be null is a partial one, over the documents in which none of them is.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import NotSupportedError, models
from django.db.models.sql.query import Query

from .conditions import Filter, condition
from .expressions import Scope
from .indexes import SparseIndex, TextListIndex, TTLIndex
from .kinds import least_of

PRIMARY_KEY = "__primary_key__"  # djongo's name for the index of a key that is not `_id`
IN_PARTIAL_INDEXES = {"$eq", "$gt", "$gte", "$lt", "$lte", "$in"}


@dataclass
class IndexModel:
    """One index: its columns with 1 or -1, and the options of `create_index`."""

    columns: list[tuple[str, int]]
    options: dict[str, Any] = field(default_factory=dict)


def index_for(index: models.Index, model: type[models.Model], connection: Any) -> IndexModel:
    """The MongoDB index for a model's `Meta.indexes` entry."""
    refuse(
        type(index) not in (models.Index, SparseIndex, TextListIndex, TTLIndex)
        or index.contains_expressions,
        index.name,
        "MongoDB indexes fields, not expressions",
    )
    refuse(index.include or index.opclasses, index.name, "include and opclasses are PostgreSQL's")
    columns = [
        (model._meta.get_field(name).column, -1 if order else 1)
        for name, order in index.fields_orders
    ]
    options: dict[str, Any] = {"name": index.name}
    if index.condition is not None:
        options["partialFilterExpression"] = partial_filter(
            index.condition, model, index.name, connection
        )
    if isinstance(index, SparseIndex):
        options["sparse"] = True
    if isinstance(index, TextListIndex):
        options["partialFilterExpression"] = {columns[0][0]: {"$gte": ""}}
    if isinstance(index, TTLIndex):
        options["expireAfterSeconds"] = index.expire_after_seconds
    return IndexModel(columns, options)


def index_for_constraint(
    constraint: models.BaseConstraint, model: type[models.Model], connection: Any
) -> IndexModel:
    """The MongoDB index that enforces a model's `Meta.constraints` entry."""
    name = constraint.name
    refuse(
        type(constraint) is not models.UniqueConstraint,
        name,
        "MongoDB enforces only UniqueConstraint; check anything else in the action that writes",
    )
    refuse(
        constraint.contains_expressions,
        name,
        "MongoDB indexes fields, not expressions; keep the expression's value in a field",
    )
    refuse(
        constraint.include or constraint.opclasses or constraint.deferrable,
        name,
        "include, opclasses and deferrable are PostgreSQL's",
    )
    fields = [model._meta.get_field(field_name) for field_name in constraint.fields]
    filters = [] if constraint.nulls_distinct is False else not_null(fields)
    if constraint.condition is not None:
        filters.append(partial_filter(constraint.condition, model, name, connection))
    return unique(fields, name, filters)


def unique_together(fields: list[models.Field], name: str) -> IndexModel:
    """The index for a `unique=True` field or a `unique_together`."""
    return unique(fields, name, not_null(fields))


def unique(fields: list[models.Field], name: str, filters: list[Filter]) -> IndexModel:
    options: dict[str, Any] = {"name": name, "unique": True}
    if filters:
        options["partialFilterExpression"] = filters[0] if len(filters) == 1 else {"$and": filters}
    return IndexModel([(one.column, 1) for one in fields], options)


def not_null(fields: list[models.Field]) -> list[Filter]:
    return [{one.column: {"$gte": least_of(one)}} for one in fields if one.null]


def partial_filter(q: models.Q, model: type[models.Model], name: str, connection: Any) -> Filter:
    """`q` as a filter of the kind that a partial index may have."""
    query = Query(model)
    where = query.build_where(q)
    query.get_initial_alias()
    scope = Scope(query.get_compiler(connection=connection))
    columns = {one.column: one for one in model._meta.concrete_fields}
    return restricted(condition(where, scope).filter, columns, name)


def restricted(one: Filter, columns: dict[str, models.Field], name: str) -> Filter:
    """The filter `one`, or an error that says that the index `name` cannot have it."""
    allowed: Filter = {}
    for key, test in one.items():
        if key == "$and":
            allowed[key] = [restricted(part, columns, name) for part in test]
        elif key in columns and test == {"$ne": None}:
            allowed[key] = {"$gte": least_of(columns[key])}
        else:
            refuse(
                key not in columns or not test.keys() <= IN_PARTIAL_INDEXES,
                name,
                "a partial index is limited to comparisons with values and isnull, joined by &",
            )
            allowed[key] = test
    return allowed


def refuse(unsupported: Any, name: str, reason: str) -> None:
    if unsupported:
        raise NotSupportedError(f"{name}: {reason}.")
