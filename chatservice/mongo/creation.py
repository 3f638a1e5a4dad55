"""The test database."""

from typing import Any

from django.db import NotSupportedError
from djongo import creation as djongo_creation

from . import client
from .errors import database_errors


class DatabaseCreation(djongo_creation.DatabaseCreation):
    """MongoDB makes a database when something is written to it; only dropping takes a command."""

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name = self._get_test_db_name()
        if not keepdb:
            self._destroy_test_db(name, verbosity)
        return name

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        with self.connection.wrap_database_errors, database_errors():
            client.client_for(self.connection.settings_dict).drop_database(test_database_name)

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> Any:
        raise NotSupportedError(
            "Test databases are not copied. Run the tests in parallel with pytest-xdist, which "
            "migrates one database for each worker."
        )
