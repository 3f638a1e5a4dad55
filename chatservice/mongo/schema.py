"""Migrations: collections, indexes, and documents that follow their model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymongo
from django.db import NotSupportedError, models
from django.db.models import AutoField
from djongo import schema as djongo_schema
from pymongo.database import Database

from .commands import COUNTERS, Call, Command, Result
from .index_models import (
    PRIMARY_KEY,
    IndexModel,
    index_for,
    index_for_constraint,
    not_null,
    unique_together,
)
from .kinds import BSON_TYPES, NUMBERS, kind_of_field

Model = type[models.Model]

STEP_TIMEOUT = 24 * 60 * 60
"""Seconds that one step of a migration may take."""


class DatabaseSchemaEditor(djongo_schema.DatabaseSchemaEditor):
    """Changes collections the way Django changes tables.

    Every step can be repeated: nothing here is rolled back, so a migration that fails half way is
    mended and run again. `sqlmigrate` shows the steps as one would type them into mongosh.
    """

    _gathered: list[IndexModel] | None = None
    """Indexes that are to be made together, while there are any to come."""

    def run(self, command: Command) -> None:
        """Run one step, or write it down for `sqlmigrate`."""
        if self.collect_sql:
            self.collected_sql.append(f"{command};")
            return
        # An index of millions of documents takes longer than any question may, and who gives up
        # makes MongoDB begin again.
        with pymongo.timeout(STEP_TIMEOUT), self.connection.cursor() as cursor:
            cursor.execute(command)

    def call(self, collection: str, method: str, *args: Any, **options: Any) -> None:
        self.run(Call(collection, method, list(args), options))

    @property
    def database(self) -> Any:
        self.connection.ensure_connection()
        return self.connection.connection

    # Models

    def create_model(self, model: Model) -> None:
        collection = model._meta.db_table
        for field in model._meta.local_concrete_fields:
            refuse_unsupported(field)
        with self._together(collection):
            for field in model._meta.local_concrete_fields:
                self._create_field_indexes(model, field)
            for names in model._meta.unique_together:
                self._create_unique(model, names)
            for index in model._meta.indexes:
                self.add_index(model, index)
            for constraint in model._meta.constraints:
                self.add_constraint(model, constraint)
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.create_model(field.remote_field.through)

    def delete_model(self, model: Model) -> None:
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.delete_model(field.remote_field.through)
        self.call(model._meta.db_table, "drop")
        self.call(COUNTERS, "delete_one", {"name": model._meta.db_table})

    def alter_db_table(self, model: Model, old_db_table: str, new_db_table: str) -> None:
        if old_db_table == new_db_table:
            return
        if self.collect_sql or old_db_table in self.database.list_collection_names():
            self.call(old_db_table, "rename", new_db_table)
            self.call(
                COUNTERS, "update_one", {"name": old_db_table}, {"$set": {"name": new_db_table}}
            )

    def alter_db_table_comment(self, model: Model, old: str, new: str) -> None:
        """MongoDB keeps no comments; Django's check models.W046 says so."""

    # Fields

    def add_field(self, model: Model, field: models.Field) -> None:
        if field.many_to_many and field.remote_field.through._meta.auto_created:
            self.create_model(field.remote_field.through)
        if field.column is None:
            return
        refuse_unsupported(field)
        default = self.effective_default(field)
        if default is not None:
            missing = {field.column: {"$exists": False}}
            change = {"$set": {field.column: default}}
            self.call(model._meta.db_table, "update_many", missing, change)
        self._create_field_indexes(model, field)

    def remove_field(self, model: Model, field: models.Field) -> None:
        if field.many_to_many and field.remote_field.through._meta.auto_created:
            self.delete_model(field.remote_field.through)
        if field.column is None:
            return
        collection = model._meta.db_table
        for name, index in self._indexes(collection).items():
            if field.column in columns_of(index):
                self.call(collection, "drop_index", name)
        there = {field.column: {"$exists": True}}
        self.call(collection, "update_many", there, {"$unset": {field.column: ""}})

    def _alter_field(
        self,
        model: Model,
        old_field: models.Field,
        new_field: models.Field,
        *types_and_params: Any,
    ) -> None:
        refuse_unsupported(new_field)
        collection, column = model._meta.db_table, new_field.column
        if old_field.column != column:
            self._rename_column(collection, old_field.column, column)
        self._convert(model, old_field, new_field)
        default = self.effective_default(new_field)
        if old_field.null and not new_field.null and default is not None:
            self.call(collection, "update_many", {column: None}, {"$set": {column: default}})
        if requirements(old_field) != requirements(new_field):
            self._drop_field_indexes(model, old_field, column)
            self._create_field_indexes(model, new_field)
        self._follow_null(collection, old_field, new_field)

    def _rename_column(self, collection: str, old: str, new: str) -> None:
        affected = {
            name: index
            for name, index in self._indexes(collection).items()
            if old in columns_of(index) or old in str(index.get("partialFilterExpression"))
        }
        for name in affected:
            self.call(collection, "drop_index", name)
        self.call(collection, "update_many", {old: {"$exists": True}}, {"$rename": {old: new}})
        for name, index in affected.items():
            self._create_index(collection, index_model(name, renamed(index, old, new)))

    def _convert(self, model: Model, old_field: models.Field, new_field: models.Field) -> None:
        """Give the values in the documents the type that queries will look for from now on."""
        old, new = kind_of_field(old_field), kind_of_field(new_field)
        if BSON_TYPES.get(old, old) == BSON_TYPES.get(new, new) and (old, new) != (
            "datetime",
            "date",
        ):
            return
        collection, column = model._meta.db_table, new_field.column
        if not self.collect_sql and not self.database[collection].find_one({column: {"$ne": None}}):
            return
        if (old, new) == ("datetime", "date"):
            value: Any = {"$dateTrunc": {"date": f"${column}", "unit": "day"}}
        elif {old, new} <= NUMBERS | {"text"} or {old, new} == {"objectid", "text"}:
            value = {"$convert": {"input": f"${column}", "to": BSON_TYPES[new]}}
        else:
            raise NotSupportedError(
                f"{model._meta.label}.{new_field.name}: the {old} values in the documents do not "
                f"become {new} by themselves. Add a new field, and fill it with RunPython."
            )
        if model._meta.related_objects and (new_field.primary_key or new_field.unique):
            raise NotSupportedError(
                f"{model._meta.label}.{new_field.name} is referred to by other documents. Change "
                "both sides with RunPython."
            )
        self.call(collection, "update_many", {column: {"$ne": None}}, [{"$set": {column: value}}])

    def _follow_null(
        self, collection: str, old_field: models.Field, new_field: models.Field
    ) -> None:
        """Let the unique indexes that a field is part of treat its nulls as it now wants."""
        was, now = not_null([old_field]), not_null([new_field])
        if old_field.column != new_field.column:
            was = [{new_field.column: test} for one in was for test in one.values()]
        if was == now:
            return
        for name, index in self._indexes(collection).items():
            if not index.get("unique") or new_field.column not in columns_of(index):
                continue
            filters = conjuncts(index.get("partialFilterExpression"))
            wanted = [one for one in filters if one not in was]
            wanted += [one for one in now if one not in wanted]
            if wanted != filters:
                changed = index_model(name, index)
                changed.options.pop("partialFilterExpression", None)
                if wanted:
                    changed.options["partialFilterExpression"] = (
                        wanted[0] if len(wanted) == 1 else {"$and": wanted}
                    )
                self.call(collection, "drop_index", name)
                self._create_index(collection, changed)

    # Indexes

    def add_index(self, model: Model, index: models.Index) -> None:
        self._create_index(model._meta.db_table, index_for(index, model, self.connection))

    def remove_index(self, model: Model, index: models.Index) -> None:
        self._drop_index(model._meta.db_table, index.name)

    def add_constraint(self, model: Model, constraint: models.BaseConstraint) -> None:
        self._create_index(
            model._meta.db_table, index_for_constraint(constraint, model, self.connection)
        )

    def remove_constraint(self, model: Model, constraint: models.BaseConstraint) -> None:
        self._drop_index(model._meta.db_table, constraint.name)

    def alter_unique_together(
        self, model: Model, old_unique_together: Any, new_unique_together: Any
    ) -> None:
        old, new = set(map(tuple, old_unique_together)), set(map(tuple, new_unique_together))
        for names in old - new:
            columns = [model._meta.get_field(name).column for name in names]
            self._drop_indexes_on(model, columns, unique=True)
        for names in new - old:
            self._create_unique(model, names)

    def alter_index_together(
        self, model: Model, old_index_together: Any, new_index_together: Any
    ) -> None:
        old, new = set(map(tuple, old_index_together)), set(map(tuple, new_index_together))
        for names in old - new:
            columns = [model._meta.get_field(name).column for name in names]
            self._drop_indexes_on(model, columns, unique=False)
        for names in new - old:
            columns = [model._meta.get_field(name).column for name in names]
            name = self._create_index_name(model._meta.db_table, columns, suffix="_idx")
            keys = [(column, 1) for column in columns]
            self._create_index(model._meta.db_table, IndexModel(keys, {"name": name}))

    @contextmanager
    def _together(self, collection: str) -> Iterator[None]:
        """Make a collection and the indexes that are asked for meanwhile in one step.

        Each step waits for the disk.
        """
        self._gathered = gathered = []
        try:
            yield
        finally:
            self._gathered = None
        if gathered and not self.collect_sql:
            self.run(CreateIndexes(collection, gathered))
            return
        if self.collect_sql or collection not in self.database.list_collection_names():
            self.run(CreateCollection(collection))
        for index in gathered:
            self._create_index(collection, index)

    def _create_index(self, collection: str, index: IndexModel) -> None:
        if self._gathered is None:
            self.call(collection, "create_index", index.columns, **index.options)
        else:
            self._gathered.append(index)

    def _create_unique(self, model: Model, names: Any) -> None:
        fields = [model._meta.get_field(name) for name in names]
        columns = [field.column for field in fields]
        name = self._create_index_name(model._meta.db_table, columns, suffix="_uniq")
        self._create_index(model._meta.db_table, unique_together(fields, name))

    def _create_field_indexes(self, model: Model, field: models.Field) -> None:
        """The index that a field asks for by itself, and the counter of an automatic key."""
        collection, column = model._meta.db_table, field.column
        if isinstance(field, AutoField):
            self.call(COUNTERS, "create_index", "name", name="name_1", unique=True)
            start = {"$setOnInsert": {"auto": {"field_names": [column], "seq": 0}}}
            self.call(COUNTERS, "update_one", {"name": collection}, start, upsert=True)
        if field.primary_key and column != "_id":
            self._create_index(collection, unique_together([field], PRIMARY_KEY))
        elif field.unique and not field.primary_key:
            name = self._create_index_name(collection, [column], suffix="_uniq")
            self._create_index(collection, unique_together([field], name))
        elif field.db_index and not field.primary_key:
            name = self._create_index_name(collection, [column], suffix="")
            self._create_index(collection, IndexModel([(column, 1)], {"name": name}))

    def _drop_field_indexes(self, model: Model, field: models.Field, column: str) -> None:
        if field.unique or field.db_index:
            self._drop_indexes_on(model, [column], unique=field.unique)

    def _drop_indexes_on(self, model: Model, columns: list[str], unique: bool) -> None:
        """Drop the nameless kind: found by its columns, since a renamed table keeps old names."""
        named = {one.name for one in [*model._meta.indexes, *model._meta.constraints]}
        keys = [(column, 1) for column in columns]
        for name, index in self._indexes(model._meta.db_table).items():
            same = index["key"] == keys and bool(index.get("unique")) == unique
            if same and name not in named:
                self.call(model._meta.db_table, "drop_index", name)

    def _drop_index(self, collection: str, name: str) -> None:
        if self.collect_sql or name in self._indexes(collection):
            self.call(collection, "drop_index", name)

    def _indexes(self, collection: str) -> dict[str, dict[str, Any]]:
        """What indexes a collection has now, except the one that MongoDB makes by itself."""
        indexes = self.database[collection].index_information()
        return {name: index for name, index in indexes.items() if name != "_id_"}


class CreateCollection(Command):
    """Make an empty collection."""

    def run(self, database: Database) -> Result:
        database.create_collection(self.collection)
        return Result()

    def __str__(self) -> str:
        return f'db.createCollection("{self.collection}")'


@dataclass
class CreateIndexes(Command):
    """Make indexes of a collection, and the collection if there is none."""

    indexes: list[IndexModel]

    def run(self, database: Database) -> Result:
        database[self.collection].create_indexes(
            [pymongo.IndexModel(index.columns, **index.options) for index in self.indexes]
        )
        return Result()

    def __str__(self) -> str:
        names = ", ".join(index.options["name"] for index in self.indexes)
        return f'db.{self.collection}.createIndexes("{names}")'


def refuse_unsupported(field: models.Field) -> None:
    """Raise NotSupportedError for a field that MongoDB could not keep as its model says."""
    kind_of_field(field)
    reasons = {
        "db_default; use default": field.has_db_default(),
        "GeneratedField; compute it when saving": field.generated,
        "db_collation; keep a folded copy in a field of its own": getattr(
            field, "db_collation", None
        ),
    }
    for reason, present in reasons.items():
        if present:
            raise NotSupportedError(f"{field}: MongoDB has no {reason}.")


def requirements(field: models.Field) -> tuple[bool, bool, bool]:
    return field.primary_key, field.unique, field.db_index


def columns_of(index: dict[str, Any]) -> list[str]:
    return [column for column, _ in index["key"]]


def index_model(name: str, index: dict[str, Any]) -> IndexModel:
    """An index as MongoDB describes it, to be created again."""
    options = {key: value for key, value in index.items() if key not in ("key", "v", "ns")}
    return IndexModel(list(index["key"]), {**options, "name": name})


def renamed(value: Any, old: str, new: str) -> Any:
    """A description of an index with one column renamed in its keys and its filter."""
    if isinstance(value, dict):
        return {new if key == old else key: renamed(one, old, new) for key, one in value.items()}
    if isinstance(value, list):
        return [renamed(one, old, new) for one in value]
    if isinstance(value, tuple) and value and value[0] == old:
        return (new, *value[1:])
    return value


def conjuncts(partial: dict[str, Any] | None) -> list[dict[str, Any]]:
    if not partial:
        return []
    return partial["$and"] if "$and" in partial else [{key: one} for key, one in partial.items()]
