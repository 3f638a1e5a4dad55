"""SELECT: Django's query compilers, writing commands where the others write SQL.

djongo reads the SQL that Django writes; too much is lost on that way (ADR 1). These start from the
same `Query` as Django's own compilers, reuse what those find out about it, and translate it whole
or refuse it with `NotSupportedError`.
"""

from typing import Any

from django.db import NotSupportedError
from django.db.models.expressions import Col, ColPairs, OrderBy, Ref
from django.db.models.sql import compiler

from .aggregates import Gathering
from .commands import Aggregate, Command
from .expressions import OuterScope, Scope
from .pipeline import Pipeline


class SQLCompiler(compiler.SQLCompiler):
    """SELECT."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = Scope(self)
        self._nodes: dict[str, Any] = {}

    def compile(self, node: Any) -> tuple[str, tuple[()]]:
        """A text that stands for `node`: Django compares these, as it does with SQL."""
        if isinstance(node, OrderBy):
            return f"{self.compile(node.expression)[0]} ASC", ()
        if isinstance(node, Ref):
            return self.compile(node.source)
        if isinstance(node, ColPairs):
            raise NotSupportedError("Composite primary keys are not supported.")
        if isinstance(node, Col):
            key = repr(self.scope.path(node.alias, node.target.column))
        else:
            key = self.scope.key(node)
        self._nodes[key] = node
        return key, ()

    def as_sql(
        self, with_limits: bool = True, with_col_aliases: bool = False
    ) -> tuple[Command, tuple[()]]:
        extra_select, order_by, group_by = self.pre_sql_setup(with_col_aliases=with_col_aliases)
        self.refuse_the_unsupported()
        names = {
            (alias if with_col_aliases else f"c{number}"): node
            for number, (node, _, alias) in enumerate([*self.select, *extra_select])
        }
        pipeline = Pipeline(self)
        pipeline.build(
            [node for node, _ in order_by], [self._nodes[key] for key, _ in group_by], names
        )
        return Aggregate(self.collection, pipeline.stages, list(names)), ()

    @property
    def base_alias(self) -> str:
        """The alias of the collection whose documents are the rows.

        Not always the first one there is: for `exclude()` over a relation, Django cuts the joins
        off that a subquery begins with.
        """
        query = self.query
        return next((a for a in query.alias_map if query.alias_refcount[a]), query.base_table)

    @property
    def collection(self) -> str:
        return self.query.alias_map[self.base_alias].table_name

    def refuse_the_unsupported(self) -> None:
        """Raise NotSupportedError for what would otherwise be passed over in silence."""
        query = self.query
        refusals = {
            "union(), intersection() and difference(); combine lists, or filter with Q() and |": (
                query.combinator
            ),
            "distinct() on fields; use values() and distinct()": query.distinct_fields,
            # Without options it locks nothing, as on SQLite: update_or_create() always asks for it.
            "row locks; change documents with one update(), which is atomic": (
                query.select_for_update_nowait
                or query.select_for_update_skip_locked
                or query.select_for_update_of
                or query.select_for_no_key_update
            ),
            "explain(); use .explain() of a collection's find()": query.explain_info,
            "window functions; compute them in Python": self.qualify,
            "extra(); use annotate() and filter()": query.extra_tables or query.extra_order_by,
        }
        for what, present in refusals.items():
            if present:
                raise NotSupportedError(f"MongoDB has no {what}.")


class SQLAggregateCompiler(SQLCompiler):
    """SELECT of aggregates over the rows of another SELECT."""

    def as_sql(
        self, with_limits: bool = True, with_col_aliases: bool = False
    ) -> tuple[Command, tuple[()]]:
        selected = list(self.query.annotation_select.values())
        self.col_count = len(selected)
        inner = self.query.inner_query.get_compiler(
            connection=self.connection, elide_empty=self.elide_empty
        )
        command, _ = inner.as_sql(with_col_aliases=True)
        scope = OuterScope(self)
        gathering = Gathering(selected, scope)
        stages = gathering.stages_for_one_row()
        scope.regroup(gathering.places)
        names = {f"c{number}": scope.value(node) for number, node in enumerate(selected)}
        stages.append({"$project": {"_id": 0, **names}})
        return Aggregate(command.collection, command.pipeline + stages, list(names)), ()
