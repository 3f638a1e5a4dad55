"""The walk itself: its steps, its cast, its tally."""

import traceback

from acceptance.people import Person
from acceptance.shapes import matches

STEPS = []
LONGEST = 400  # characters of a value in a line of the report


def step(function):
    """Register a function of a walk; steps run in the order in which they are written."""
    STEPS.append(function)
    return function


def name_of(section):
    """Return the name of a section: the last part of its module's."""
    return section.__name__.rpartition(".")[2]


class Walk:
    """One walk over the contract of the service at `url`, with a fresh cast.

    Alice and Bob share rooms, Carol is a stranger to them. `token_minutes` and `max_upload_mb`
    are how the service was configured, where that is not the default.
    """

    def __init__(self, url, *, token_minutes=30, max_upload_mb=25):
        self.url = url.rstrip("/")
        self.token_minutes, self.max_upload_mb = token_minutes, max_upload_mb
        self.passed = self.failed = 0
        self._section = "cast"
        self._people = []
        self.alice, self.bob, self.carol = map(self.newcomer, ("alice", "bob", "carol"))

    def newcomer(self, name):
        """Return a new person, signed up and logged in, whose devices the walk cleans up."""
        person = Person(self.url, name)
        self._people.append(person)
        person.sign_up()
        person.log_in()
        return person

    def check(self, name, got, expected):
        """Count and print one check; return whether it passed."""
        passed = matches(expected, got)
        if passed:
            self.passed += 1
            print(f"ok    {self._section}: {name}", flush=True)
        else:
            self.failed += 1
            line = (
                f"FAIL  {self._section}: {name} | expected {_short(expected)} | got {_short(got)}"
            )
            print(line, flush=True)
        return passed

    def run(self, section):
        """Run all steps of a section, each whatever became of the one before."""
        self._section = name_of(section)
        for function in [step for step in STEPS if step.__module__ == section.__name__]:
            try:
                function(self)
            except Exception as exc:
                where = traceback.extract_tb(exc.__traceback__)
                ours = next(frame for frame in where if frame.name == function.__name__)
                came = f"{type(exc).__name__}: {exc} (line {ours.lineno})"
                self.check(f"{function.__name__} runs to its end", came, "no exception")
            finally:
                self.disconnect_everybody()

    def disconnect_everybody(self):
        for person in self._people:
            person.disconnect()


def _short(value):
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
