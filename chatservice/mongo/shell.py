"""`manage.py dbshell`."""

from typing import Any

from django.db.backends.base.client import BaseDatabaseClient

from .client import client_options


class DatabaseClient(BaseDatabaseClient):
    """Opens mongosh, MongoDB's own shell, on the database. Django says so if it is missing."""

    executable_name = "mongosh"

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: list[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        uri = client_options(settings_dict)["host"]
        use = f"use {settings_dict['NAME']}"
        return [cls.executable_name, uri, "--eval", use, "--shell", *parameters], None
