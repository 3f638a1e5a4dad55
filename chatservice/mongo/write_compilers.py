"""INSERT, UPDATE and DELETE."""

from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError
from django.db import NotSupportedError
from django.db.models import AutoField
from django.db.models.constants import OnConflict
from django.db.models.sql import compiler
from django.db.models.sql.constants import MULTI
from django.db.models.sql.query import Query

from .aggregates import contains_aggregate
from .commands import Command, Delete, Insert, Update
from .conditions import ALWAYS, NEVER, Filter, is_literal
from .kinds import kind_of_field
from .pipeline import split
from .read_compilers import SQLCompiler


class SQLInsertCompiler(SQLCompiler, compiler.SQLInsertCompiler):
    """INSERT, one document for each object; numbers the keys of models without one of their own."""

    def as_sql(self) -> list[tuple[Command, tuple[()]]]:
        if self.query.on_conflict not in (None, OnConflict.IGNORE):
            raise NotSupportedError("MongoDB has no bulk upsert here. Use update_or_create().")
        columns = [(field, field.column) for field in self.query.fields]
        documents = [
            {
                column: self._bson(self.prepare_value(field, self.pre_save_val(field, obj)), field)
                for field, column in columns
            }
            for obj in self.query.objs
        ]
        key = self.query.get_meta().pk
        command = Insert(
            self.query.get_meta().db_table,
            documents,
            counter=key.column if isinstance(key, AutoField) else None,
            returning=[field.column for field in self.returning_fields or []],
            ignore_conflicts=self.query.on_conflict == OnConflict.IGNORE,
        )
        return [(command, ())]

    def _bson(self, value: Any, field: Any) -> Any:
        kind_of_field(field)  # refuses a kind that MongoDB does not keep
        if not hasattr(value, "as_sql"):
            return value
        translated = self.scope.value(value)
        if not is_literal(translated):
            raise NotSupportedError(
                f"{field.name} can only be inserted as a value. Compute it in Python."
            )
        return translated["$literal"]


class FilteredWrite(SQLCompiler):
    """What UPDATE and DELETE share: which documents they are about."""

    def filter(self) -> Filter:
        """The filter for the documents of this query.

        What a filter cannot say (joins, subqueries that depend on the document) is asked first;
        what it can say is said again in the write, so it still holds when that happens.
        """
        query = self.query
        query.get_initial_alias()
        early = ALWAYS
        if not query.group_by and not contains_aggregate(query.where):
            early, (late, _) = split(query.where, self.scope)
            if NEVER in (early, late):
                raise EmptyResultSet
            if late is ALWAYS and query.count_active_tables() == 1:
                return early.filter
        key = query.get_meta().pk
        keys = query.clone()
        keys.__class__ = Query
        keys.clear_select_clause()
        keys.clear_ordering(force=True)
        keys.select = (key.get_col(keys.get_initial_alias()),)
        rows = keys.get_compiler(connection=self.connection).execute_sql(MULTI)
        among = {key.column: {"$in": [row[0] for chunk in rows for row in chunk]}}
        return among if early is ALWAYS else {"$and": [early.filter, among]}


class SQLDeleteCompiler(FilteredWrite, compiler.SQLDeleteCompiler):
    """DELETE."""

    def as_sql(self) -> tuple[Command, tuple[()]]:
        return Delete(self.query.get_meta().db_table, self.filter()), ()


class SQLUpdateCompiler(FilteredWrite, compiler.SQLUpdateCompiler):
    """UPDATE. Each document changes atomically, so F("n") + 1 counts right under any load."""

    def as_sql(self) -> tuple[Command | str, tuple[()]]:
        if self.query.related_updates:
            raise NotSupportedError(
                "Fields of a parent model are updated through the parent model's own manager."
            )
        if not self.query.values:
            return "", ()
        change: dict[str, Any] = {}
        computed = False
        for field, _, value in self.query.values:
            value = self._prepared(field, value)
            if hasattr(value, "as_sql"):
                computed = True
                change[field.column] = self.scope.value(value)
            else:
                change[field.column] = {"$literal": value}
        needed, _ = self.scope.take()
        if needed:
            raise NotSupportedError(
                "update() cannot read other collections. Fetch the values first."
            )
        if not computed:
            change = {column: value["$literal"] for column, value in change.items()}
        update = [{"$set": change}] if computed else {"$set": change}
        return Update(self.query.get_meta().db_table, self.filter(), update), ()

    def pre_sql_setup(self, with_col_aliases: bool = False) -> Any:
        """Skip Django's, which rewrites joins as a subquery; `filter` sees to them."""

    def _prepared(self, field: Any, value: Any) -> Any:
        """`value` as the database takes it, or as a resolved expression."""
        kind_of_field(field)
        if hasattr(value, "resolve_expression"):
            value = value.resolve_expression(self.query, allow_joins=False, for_save=True)
            if value.contains_aggregate or value.contains_over_clause:
                raise FieldError(
                    f"Aggregates are not allowed in an update ({field.name}={value!r})."
                )
        elif hasattr(value, "prepare_database_save"):
            if not field.remote_field:
                raise TypeError(
                    f"{field} takes no model instance: {value!r}. Give it a value of its own type."
                )
            value = value.prepare_database_save(field)
        return field.get_db_prep_save(value, connection=self.connection)
