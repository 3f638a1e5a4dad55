"""Which collections, indexes and counters there are."""

from typing import Any

from django.db import NotSupportedError
from django.db.backends.base.introspection import TableInfo
from djongo import introspection as djongo_introspection

from .commands import COUNTERS


class DatabaseIntrospection(djongo_introspection.DatabaseIntrospection):
    """Collections and their indexes; documents have no columns to tell of."""

    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        names = cursor.db_conn.list_collection_names()
        return [
            TableInfo(name, "t")
            for name in names
            if name != COUNTERS and not name.startswith("system.")
        ]

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        constraints = super().get_constraints(cursor, table_name)
        constraints["_id_"] = {
            "columns": ["_id"],
            "primary_key": True,
            "unique": True,
            "index": True,
            "orders": ["ASC"],
            "foreign_key": None,
            "check": False,
            "type": "idx",
        }
        return constraints

    def get_sequences(
        self, cursor: Any, table_name: str, table_fields: Any = ()
    ) -> list[dict[str, Any]]:
        counter = cursor.db_conn[COUNTERS].find_one({"name": table_name, "auto": {"$exists": True}})
        names = counter["auto"]["field_names"] if counter else []
        return [{"table": table_name, "column": name} for name in names]

    def get_table_description(self, cursor: Any, table_name: str) -> Any:
        raise NotSupportedError(
            "MongoDB keeps no columns to inspect. Read the models, or look at documents with "
            f"chatservice.mongo.client.database()[{table_name!r}].find_one()."
        )
