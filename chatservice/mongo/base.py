"""The database wrapper that Django finds under `ENGINE = "chatservice.mongo"`."""

from types import SimpleNamespace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from djongo import base as djongo_base
from djongo import database as djongo_database
from pymongo.database import Database as MongoDatabase

from . import client
from .creation import DatabaseCreation
from .cursor import Cursor
from .errors import database_errors
from .features import DatabaseFeatures
from .introspection import DatabaseIntrospection
from .operations import DatabaseOperations
from .schema import DatabaseSchemaEditor
from .shell import DatabaseClient


class DatabaseWrapper(djongo_base.DatabaseWrapper):
    """djongo's wrapper on the process's one client, which outlives requests, errors and threads.

    A Django connection is here no more than a name for the pool: closing one closes nothing.
    """

    vendor = "mongodb"
    display_name = "MongoDB"
    data_types = djongo_base.DatabaseWrapper.data_types | {
        "JSONField": "object",
        "PositiveBigIntegerField": "long",
        "SmallAutoField": "int",
        "TimeField": "string",
        "UUIDField": "binData",
    }
    # djongo's DB-API module; its Binary() keeps a memoryview, which BSON does not take.
    Database = SimpleNamespace(**vars(djongo_database) | {"Binary": bytes})
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    # djongo's own versions keep a client for each thread, and one of them never yields.
    connect = BaseDatabaseWrapper.connect
    temporary_connection = BaseDatabaseWrapper.temporary_connection

    def get_connection_params(self) -> dict[str, Any]:
        return self.settings_dict

    def get_new_connection(self, conn_params: dict[str, Any]) -> MongoDatabase:
        with database_errors():
            self.client_connection = client.client_for(conn_params)
        database = self.client_connection[conn_params["NAME"]]
        self.djongo_connection = djongo_base.DjongoClient(database, enforce_schema=False)
        return database

    def init_connection_state(self) -> None:
        with database_errors():
            BaseDatabaseWrapper.init_connection_state(self)

    def get_database_version(self) -> tuple[int, ...]:
        return tuple(self.connection.client.server_info()["versionArray"][:2])

    def create_cursor(self, name: str | None = None) -> Cursor:
        if self.connection.client is not client.client_for(self.settings_dict):
            # This process is a fork: the client it knows is its parent's.
            self.connection = self.get_new_connection(self.settings_dict)
        return Cursor(self.client_connection, self.connection, self.djongo_connection)

    def is_usable(self) -> bool:
        return True  # the pool replaces broken sockets by itself

    def _close(self) -> None:
        """Leave the pool to the other threads."""

    # A standalone server has no transactions. `atomic()` still nests, and still holds back
    # `on_commit` callbacks when its block fails, but what was written stays written.

    def _commit(self) -> None:
        pass

    def _rollback(self) -> None:
        pass

    def _savepoint(self, sid: str) -> None:
        pass

    def _savepoint_commit(self, sid: str) -> None:
        pass

    def _savepoint_rollback(self, sid: str) -> None:
        pass

    def check_constraints(self, table_names: list[str] | None = None) -> None:
        """Nothing to do: foreign keys are not enforced, unique indexes always are."""
