"""djongo's cursor, which also takes commands, and says what went wrong."""

from typing import Any

from djongo import cursor as djongo_cursor

from .commands import Command, Row
from .errors import database_errors


class Cursor(djongo_cursor.Cursor):
    """Runs our commands natively and SQL text through djongo."""

    def execute(self, sql: Any, params: Any = None) -> None:
        with database_errors():
            if isinstance(sql, Command):
                self.result = sql.run(self.db_conn)
            else:
                super().execute(sql, params)

    def executemany(self, sql: Any, param_list: Any) -> None:
        for params in param_list:
            self.execute(sql, params)

    def fetchone(self) -> Row | None:
        with database_errors():
            return super().fetchone()

    def fetchmany(self, size: int = 1) -> list[Row]:
        with database_errors():
            return super().fetchmany(size)

    def fetchall(self) -> list[Row]:
        with database_errors():
            return super().fetchall()

    def __iter__(self) -> Any:
        with database_errors():
            yield from self.result
