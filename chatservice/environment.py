"""Typed reading of the configuration variables, from the process environment and the `.env` file.

A value that cannot be used is not an exception: it is noted as a `Problem`, the reader answers the
default, and `chatservice.checks` reports the problem as a Django system check with its hint. So a
typing mistake shows as one line and never as a traceback.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
ORIGIN = re.compile(r"https?://[^/?#\s@]+", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """One setting that cannot be used as it is: what is wrong, and what would be right."""

    id: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


class Environment:
    """Reads variables by type and remembers which were asked for and which were wrong.

    A variable that is empty counts as not set, so that `PORT= make run` means the default.
    Values are never part of a problem's text: one of them may be a secret.
    """

    def __init__(self, variables: Mapping[str, str | None]):
        self.variables = variables
        self.names: set[str] = set()
        self.problems: list[Problem] = []

    @classmethod
    def load(cls, env_file: Path) -> "Environment":
        """Read `env_file`, if there is one, and let the process environment win over it."""
        try:
            from_file = dotenv_values(env_file, interpolate=False, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            environment = cls(dict(os.environ))
            environment.report(
                "E001", f"{env_file} cannot be read: {error}.", "Make it a readable UTF-8 file."
            )
            return environment
        return cls({**from_file, **os.environ})

    def report(self, id: str, message: str, hint: str) -> None:
        """Note that the configuration is wrong; `id` is the system check's, without its app."""
        self.problems.append(Problem(f"chatservice.{id}", message, hint))

    def text(self, name: str, default: str = "") -> str:
        """The variable's text without surrounding white space, or `default` when it is empty."""
        self.names.add(name)
        return (self.variables.get(name) or "").strip() or default

    def boolean(self, name: str, default: bool) -> bool:
        """`on/true/yes/1` or `off/false/no/0`, in any case."""
        value = self.text(name).lower()
        if value in TRUE or value in FALSE:
            return value in TRUE
        if value:
            self.report("E002", f"{name} is neither on nor off.", f"Write {name}=on or {name}=off.")
        return default

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number from `minimum` to `maximum`, both included."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            number = minimum - 1
        if minimum <= number <= maximum:
            return number
        self.report(
            "E003",
            f"{name} is not a whole number from {minimum} to {maximum}.",
            f"Write for example {name}={default}.",
        )
        return default

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        """One of `choices`, written exactly so."""
        value = self.text(name, default)
        choices = list(choices)
        if value in choices:
            return value
        self.report("E004", f"{name} is not supported.", f"Choose one of {', '.join(choices)}.")
        return default

    def words(self, name: str, default: Iterable[str] = ()) -> list[str]:
        """A list written with commas between its members; empty members are dropped."""
        value = self.text(name)
        return [word for part in value.split(",") if (word := part.strip())] or list(default)

    def origins(self, name: str) -> list[str]:
        """A list of origins, each `scheme://host[:port]` without a path; wrong ones are dropped."""
        origins = self.words(name)
        sound = [origin for origin in origins if ORIGIN.fullmatch(origin)]
        if sound != origins:
            self.report(
                "E008",
                f"{name} has a member that is not an origin.",
                f"Write for example {name}=https://chat.example.org (no path, no final slash).",
            )
        return sound

    def path(self, name: str, default: str, *, base: Path) -> Path:
        """A path; a relative one starts at `base`, and `~` is the home directory."""
        return base / Path(self.text(name, default)).expanduser()
