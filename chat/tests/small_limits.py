"""`manage.py` of a service whose buckets are small and fill slowly.

What a test counts then depends on how fast the machine is no more than it has to.
"""

import os
import sys

SMALLER = 10
SLOWER = 20


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatservice.settings")
    import django

    django.setup()
    from django.core.management import execute_from_command_line

    from chatservice import limits

    for limit in limits.LIMITS:
        object.__setattr__(limit, "burst", limit.burst // SMALLER)
        object.__setattr__(limit, "per_second", limit.per_second / SLOWER)
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
