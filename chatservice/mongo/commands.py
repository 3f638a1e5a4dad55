"""What the compilers and the schema editor ask of MongoDB, in the place of SQL text.

A command goes through Django's cursors like a statement does, so that the query log,
`assertNumQueries` and execute wrappers see it; printed, it is what one would type into mongosh.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bson import json_util
from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from .errors import DUPLICATE_KEY

Row = tuple[Any, ...]

COUNTERS = "__schema__"  # djongo's name for it


class Result:
    """The rows of one command, and how many documents it matched or wrote."""

    def __init__(self, rows: Iterable[Row] = (), count: int = -1, cursor: Any = None) -> None:
        self._rows = iter(rows)
        self._count = count
        self._cursor = cursor

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def next(self) -> Row:
        return next(self._rows)

    def count(self) -> int:
        return self._count

    def close(self) -> None:
        if self._cursor is not None:
            self._cursor.close()


@dataclass
class Command:
    """One operation on one collection."""

    collection: str

    def run(self, database: Database) -> Result:
        raise NotImplementedError

    def arguments(self) -> tuple[str, list[Any]]:
        """The method's name in mongosh and what it is called with."""
        raise NotImplementedError

    def __str__(self) -> str:
        method, arguments = self.arguments()
        return f"db.{self.collection}.{method}({', '.join(map(json_util.dumps, arguments))})"

    def __mod__(self, params: Any) -> str:
        return str(self)  # Django fills SQL's placeholders with %; there are none here


@dataclass
class Aggregate(Command):
    """Read rows: of each document that leaves the pipeline, the `names` in their order."""

    pipeline: list[dict[str, Any]]
    names: list[str]

    def run(self, database: Database) -> Result:
        cursor = database[self.collection].aggregate(self.pipeline, allowDiskUse=True)
        rows = (tuple(map(document.get, self.names)) for document in cursor)
        return Result(rows, cursor=cursor)

    def arguments(self) -> tuple[str, list[Any]]:
        return "aggregate", [self.pipeline]


@dataclass
class Insert(Command):
    """Insert documents, numbering those without a value for the `counter` column.

    The result has a row for each document with the values of its `returning` columns.
    """

    documents: list[dict[str, Any]]
    counter: str | None = None
    returning: list[str] = field(default_factory=list)
    ignore_conflicts: bool = False

    def run(self, database: Database) -> Result:
        if self.counter:
            self._number(database)
        try:
            database[self.collection].insert_many(self.documents, ordered=not self.ignore_conflicts)
        except BulkWriteError as error:
            if not (self.ignore_conflicts and only_duplicates(error)):
                raise
        rows = [tuple(map(document.get, self.returning)) for document in self.documents]
        return Result(rows, count=len(rows))

    def _number(self, database: Database) -> None:
        chosen = [document[self.counter] for document in self.documents if self.counter in document]
        unnumbered = [document for document in self.documents if self.counter not in document]
        if chosen:  # a fixture that brings its own numbers: go on behind them
            raise_counter(database, self.collection, self.counter, max(chosen))
        if unnumbered:
            last = next_numbers(database, self.collection, self.counter, len(unnumbered))
            first = last - len(unnumbered) + 1
            for number, document in enumerate(unnumbered, start=first):
                document[self.counter] = number

    def arguments(self) -> tuple[str, list[Any]]:
        return "insertMany", [self.documents]


@dataclass
class Update(Command):
    """Change every document that the filter matches, each one atomically."""

    filter: dict[str, Any]
    change: dict[str, Any] | list[dict[str, Any]]

    def run(self, database: Database) -> Result:
        result = database[self.collection].update_many(self.filter, self.change)
        return Result(count=result.matched_count)

    def arguments(self) -> tuple[str, list[Any]]:
        return "updateMany", [self.filter, self.change]


@dataclass
class Delete(Command):
    """Delete every document that the filter matches."""

    filter: dict[str, Any]

    def run(self, database: Database) -> Result:
        return Result(count=database[self.collection].delete_many(self.filter).deleted_count)

    def arguments(self) -> tuple[str, list[Any]]:
        return "deleteMany", [self.filter]


@dataclass
class ResetCounter(Command):
    """Start the numbers of a collection at 1 again."""

    def run(self, database: Database) -> Result:
        database[COUNTERS].update_one(
            {"name": self.collection, "auto": {"$exists": True}}, {"$set": {"auto.seq": 0}}
        )
        return Result()

    def arguments(self) -> tuple[str, list[Any]]:
        return "resetCounter", []


@dataclass
class Call(Command):
    """Any other method of a collection, for schema changes."""

    method: str
    args: list[Any] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, database: Database) -> Result:
        getattr(database[self.collection], self.method)(*self.args, **self.options)
        return Result()

    def arguments(self) -> tuple[str, list[Any]]:
        head, *tail = self.method.split("_")
        name = head + "".join(map(str.capitalize, tail))
        return name, [*self.args, self.options] if self.options else self.args


def next_numbers(database: Database, collection: str, column: str, how_many: int) -> int:
    """Take `how_many` numbers that nobody else gets; return the last of them."""
    counter = database[COUNTERS].find_one_and_update(
        {"name": collection},
        {"$inc": {"auto.seq": how_many}, "$set": {"auto.field_names": [column]}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return counter["auto"]["seq"]


def raise_counter(database: Database, collection: str, column: str, number: int) -> None:
    """See to it that numbers taken from now on are greater than `number`."""
    database[COUNTERS].update_one(
        {"name": collection},
        {"$max": {"auto.seq": number}, "$set": {"auto.field_names": [column]}},
        upsert=True,
    )


def only_duplicates(error: BulkWriteError) -> bool:
    return not error.details["writeConcernErrors"] and all(
        failure["code"] in DUPLICATE_KEY for failure in error.details["writeErrors"]
    )
