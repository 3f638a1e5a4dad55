"""Bad configuration as Django system checks: an id, what is wrong, and a hint how to mend it.

| id | what is wrong |
| --- | --- |
| chatservice.E001 | the `.env` file cannot be read |
| chatservice.E002 | a switch is neither on nor off |
| chatservice.E003 | a number is none, or out of its range |
| chatservice.E004 | a word is not one of those supported |
| chatservice.E005 | `DATA_DIR` cannot be used |
| chatservice.E006 | `SECRET_KEY` is missing on a public host |
| chatservice.E007 | `S3_BUCKET` is missing |
| chatservice.E008 | an origin is not an origin |
| chatservice.E009 | `METRICS_TOKEN` could be guessed |
"""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


@checks.register(checks.Tags.security)
def configuration(**kwargs: Any) -> list[checks.CheckMessage]:
    """Every problem that reading the settings has met."""
    return [
        checks.Error(problem.message, hint=problem.hint, id=problem.id)
        for problem in settings.ENVIRONMENT.problems
    ]


def require_sound_configuration() -> None:
    """Raise ImproperlyConfigured with every problem, where no system checks are run."""
    if problems := settings.ENVIRONMENT.problems:
        raise ImproperlyConfigured(" ".join(str(problem) for problem in problems))
