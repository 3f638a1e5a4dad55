"""Values on their way to BSON and back."""

import datetime
import decimal
import json
from typing import Any

from bson import Decimal128
from django.conf import settings
from django.db import NotSupportedError
from django.db.models.functions.datetime import TruncBase
from django.utils import timezone
from djongo import operations as djongo_operations

from .commands import Command, Delete, ResetCounter, Row


class DatabaseOperations(djongo_operations.DatabaseOperations):
    """Moments are BSON dates, a date is its midnight in UTC, a time of day is ISO text."""

    compiler_module = "chatservice.mongo.compiler"

    def adapt_datefield_value(self, value: datetime.date | None) -> datetime.datetime | None:
        if value is None:
            return None
        return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)

    def adapt_datetimefield_value(
        self, value: datetime.datetime | None
    ) -> datetime.datetime | None:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        if timezone.is_aware(value) and not settings.USE_TZ:
            raise ValueError("An aware datetime needs USE_TZ = True.")
        if timezone.is_naive(value):
            value = value.replace(tzinfo=datetime.UTC)
        # BSON keeps milliseconds. Cut here too, so that what was stored is found again.
        milliseconds = value.microsecond // 1000
        return value.astimezone(datetime.UTC).replace(microsecond=milliseconds * 1000)

    def adapt_timefield_value(self, value: datetime.time | None) -> str | None:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        if timezone.is_aware(value):
            raise ValueError("A time of day cannot have a time zone.")
        return value.isoformat(timespec="microseconds")  # of one length, so that it sorts

    def adapt_decimalfield_value(
        self, value: Any, max_digits: int | None = None, decimal_places: int | None = None
    ) -> Decimal128 | None:
        if max_digits is not None and max_digits > 34:
            raise NotSupportedError(
                "MongoDB keeps at most 34 decimal digits. Lower max_digits, or store text."
            )
        return super().adapt_decimalfield_value(value, max_digits, decimal_places)

    def adapt_json_value(self, value: Any, encoder: type[json.JSONEncoder] | None) -> Any:
        if value is None:
            raise NotSupportedError(
                "MongoDB has one null: a JSON null cannot be told from an empty field. "
                "Store None instead of Value(None, JSONField())."
            )
        return json.loads(json.dumps(value, cls=encoder))

    def get_db_converters(self, expression: Any) -> list[Any]:
        converters = super().get_db_converters(expression)
        match expression.output_field.get_internal_type():
            case "DecimalField":
                converters.append(self.convert_decimalfield_value)
            case "JSONField":
                converters.append(self.convert_jsonfield_value)
            case "UUIDField" | "BinaryField":
                pass  # PyMongo makes uuid.UUID and bytes of them by itself
        return converters

    def convert_datefield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value.date() if isinstance(value, datetime.datetime) else value

    def convert_datetimefield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if not isinstance(value, datetime.datetime):
            return value
        if not settings.USE_TZ:
            return timezone.make_naive(value, datetime.UTC)
        if isinstance(expression, TruncBase):
            return timezone.make_naive(value, datetime.UTC)  # Django adds the zone by itself
        return value.astimezone(self.connection.timezone)

    def convert_timefield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return datetime.time.fromisoformat(value) if isinstance(value, str) else value

    def convert_decimalfield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if isinstance(value, Decimal128):
            return value.to_decimal()
        return decimal.Decimal(value) if isinstance(value, int | float) else value

    def convert_jsonfield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else json.dumps(value)  # the field itself decodes it

    def fetch_returned_insert_rows(self, cursor: Any) -> list[Row]:
        return cursor.fetchall()

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        return str(sql) if isinstance(sql, Command) else f"{sql} {params}"

    def sql_flush(
        self, style: Any, tables: list[str], reset_sequences: bool, allow_cascade: bool = False
    ) -> list[Command]:
        commands: list[Command] = [Delete(table, {}) for table in tables]
        if reset_sequences:
            commands += [ResetCounter(table) for table in tables]
        return commands

    def sequence_reset_by_name_sql(self, style: Any, sequences: list[dict]) -> list[Command]:
        return [ResetCounter(sequence["table"]) for sequence in sequences]

    def distinct_sql(self, fields: list[str], params: Any) -> Any:
        raise NotSupportedError(
            "distinct() on fields is PostgreSQL's. Use values() and distinct()."
        )
