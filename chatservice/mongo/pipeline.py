"""A SELECT as an aggregation pipeline."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import NotSupportedError
from django.db.models.expressions import OrderBy
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.where import AND, WhereNode

from .aggregates import Gathering, contains_aggregate
from .conditions import ALWAYS, NEVER, Condition, condition, conjunction, path_of
from .expressions import Scope
from .kinds import kind_of

if TYPE_CHECKING:
    from .read_compilers import SQLCompiler

Stage = dict[str, Any]


class Pipeline:
    """The stages of one query, in SQL's order: join, filter, group, filter groups, sort, slice.

    What only concerns the base collection is moved to the front, where it can use an index.
    """

    def __init__(self, compiler: "SQLCompiler") -> None:
        self.compiler = compiler
        self.query = compiler.query
        self.scope: Scope = compiler.scope
        self.stages: list[Stage] = []

    def add(self, *stages: Stage) -> None:
        """Add stages, and before them those that their expressions need."""
        needed, _ = self.scope.take()
        self._place(needed)
        self.stages += stages

    def _place(self, needed: dict[str, Stage]) -> None:
        self.stages += needed.values()
        self.scope.placed |= needed.keys()

    def build(self, order_by: list[OrderBy], group_by: list[Any], names: dict[str, Any]) -> None:
        """Fill `stages` so that each document has the values of `names` under these names."""
        where, having = self.compiler.where, self.compiler.having
        selected = list(names.values())
        nodes = [*selected, *order_by, having]
        grouped = self.query.group_by is not None or any(map(contains_aggregate, nodes))
        if grouped and self.compiler._meta_ordering:
            order_by = []  # Django, too, keeps Meta.ordering out of a GROUP BY
        sliced_first = self._filter_and_join(
            where, order_by if not (grouped or self.query.distinct) else None
        )
        if grouped:
            self._group(group_by, nodes)
        if having:
            self._match(condition(having, self.scope))
        if self.query.distinct:
            self._distinct(selected)
        if not sliced_first:
            self._sort(order_by)
            self._slice()
        fields = {name: self.scope.value(node) for name, node in names.items()}
        self.add({"$project": {"_id": 0, **fields}})

    def _filter_and_join(self, where: WhereNode | None, order_by: list[OrderBy] | None) -> bool:
        """Filter and join; return whether the rows were already sorted and sliced on the way."""
        early, late = split(where, self.scope)
        if NEVER in (early, late[0]) and self.compiler.elide_empty:
            raise EmptyResultSet
        self._match(early)
        joins = [
            self.query.alias_map[alias]
            for alias in self.query.alias_map
            if self.query.alias_refcount[alias] and alias != self.compiler.base_alias
        ]
        sliced_first = (
            order_by is not None
            and bool(joins)
            and late[0] is ALWAYS
            and all(map(keeps_rows, joins))
            and self._sorts_on_base(order_by)
        )
        if sliced_first:
            self._sort(order_by)
            self._slice()
        for join in joins:
            self.stages += join_stages(join, self.scope)
        condition_after, needed = late
        self._place(needed)
        self._match(condition_after)
        return sliced_first

    def _sorts_on_base(self, order_by: list[OrderBy]) -> bool:
        for node in order_by:
            self.scope.value(node)
        needed, aliases = self.scope.take()
        return not needed and aliases <= {self.compiler.base_alias}

    def _match(self, one: Condition) -> None:
        if one is not ALWAYS:
            self.add({"$match": one.filter})

    def _group(self, group_by: list[Any], nodes: list[Any]) -> None:
        keys, places = self._keys(group_by)
        gathering = Gathering(nodes, self.scope, places)
        if self.query.group_by is None:
            self.add(*gathering.stages_for_one_row())
        else:
            self.add({"$group": {"_id": keys or None, **gathering.gathered}})
        self.scope.regroup(gathering.places)

    def _distinct(self, selected: list[Any]) -> None:
        keys, places = self._keys(selected)
        self.add({"$group": {"_id": keys}})
        self.scope.regroup(places)

    def _keys(self, nodes: list[Any]) -> tuple[Stage, dict[str, Any]]:
        """The `_id` that groups by `nodes`, and where each one is found after grouping."""
        keys: Stage = {}
        places: dict[str, Any] = {}
        for node in nodes:
            key = self.scope.key(node)
            if key not in places:
                name = f"k{len(keys)}"
                # A missing field and a null one are the same group.
                keys[name] = {"$ifNull": [self.scope.value(node), None]}
                places[key] = f"$_id.{name}"
        return keys, places

    def _sort(self, order_by: list[OrderBy]) -> None:
        computed: Stage = {}
        sort: dict[str, int] = {}
        for number, node in enumerate(order_by):
            if kind_of(node.expression) in ("binary", "json"):
                raise NotSupportedError("MongoDB does not order bytes and JSON as SQL does.")
            value = self.scope.value(node.expression)
            if node.nulls_first or node.nulls_last:
                null_rank = 0 if node.nulls_first else 1
                computed[f"__null{number}"] = {
                    "$cond": [{"$lte": [value, None]}, null_rank, 1 - null_rank]
                }
                sort[f"__null{number}"] = 1
            path = path_of(value)
            if path is None:
                path = f"__sort{number}"
                computed[path] = value
            sort.setdefault(path, -1 if node.descending else 1)
        if computed:
            self.add({"$set": computed})
        if sort:
            self.add({"$sort": sort})

    def _slice(self) -> None:
        low, high = self.query.low_mark, self.query.high_mark
        if low:
            self.stages.append({"$skip": low})
        if high is not None:
            self.stages.append({"$limit": high - low})


def split(
    where: WhereNode | None, scope: Scope
) -> tuple[Condition, tuple[Condition, dict[str, Stage]]]:
    """The conditions on the base collection alone, and the others with the stages these need."""
    if not where:
        return ALWAYS, (ALWAYS, {})
    parts = where.children if where.connector == AND and not where.negated else [where]
    early: list[Condition] = []
    late: list[Condition] = []
    late_stages: dict[str, Stage] = {}
    scope.take()
    for part in parts:
        translated = condition(part, scope)
        needed, aliases = scope.take()
        if needed or not aliases <= {scope.compiler.base_alias}:
            late.append(translated)
            late_stages |= needed
        else:
            early.append(translated)
    return conjunction(early), (conjunction(late), late_stages)


def join_stages(join: BaseTable | Join, scope: Scope) -> list[Stage]:
    """One document for each pair of rows, with the joined one under the join's own name."""
    field = getattr(join, "join_field", None)
    if (
        field is None
        or join.filtered_relation is not None
        or len(join.join_cols) != 1
        or field.get_extra_restriction(join.table_alias, join.parent_alias) is not None
    ):
        raise NotSupportedError(
            f"The join to {join.table_name} is of a kind that has no translation to MongoDB. "
            "Query both sides and join them in Python."
        )
    [(own_column, joined_column)] = join.join_cols
    name = f"__{join.table_alias}"
    lookup = {
        "from": join.table_name,
        "localField": scope.path(join.parent_alias, own_column)[1:],
        "foreignField": joined_column,
        "pipeline": [{"$match": {joined_column: {"$ne": None}}}],  # null joins nothing in SQL
        "as": name,
    }
    keep = join.join_type == LOUTER
    return [
        {"$lookup": lookup},
        {"$unwind": {"path": f"${name}", "preserveNullAndEmptyArrays": keep}},
    ]


def keeps_rows(join: BaseTable | Join) -> bool:
    """Whether each row comes out of the join exactly once, so that slicing may come first."""
    field = getattr(join, "join_field", None)
    if field is None or not (field.many_to_one or field.one_to_one) or not field.concrete:
        return False
    return join.join_type == LOUTER or not field.null
