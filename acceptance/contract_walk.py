"""Walk the whole contract against a running service, and say what held.

    python acceptance/contract_walk.py http://127.0.0.1:8000

Prints a line for each check and at the end `N passed, M failed`; exits with 1 when any failed.
Signs up some thirty fresh people, so the service should run with THROTTLE=off.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when run as a file

from acceptance.sections import (  # noqa: E402
    accounts,
    docs,
    hostile,
    messages,
    private_chats,
    rooms,
    sockets,
    uploads,
)
from acceptance.walk import Walk, name_of  # noqa: E402

SECTIONS = (docs, accounts, rooms, private_chats, messages, uploads, sockets, hostile)


def main(arguments=None):
    """Run the walk and return the exit code: 0 when every check passed, else 1."""
    sections = {name_of(section): section for section in SECTIONS}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="where the service runs, such as http://127.0.0.1:8000")
    parser.add_argument("--only", nargs="+", choices=list(sections), default=list(sections))
    parser.add_argument("--token-minutes", type=int, default=30)
    parser.add_argument("--max-upload-mb", type=int, default=25)
    options = parser.parse_args(arguments)

    walk = Walk(
        options.url,
        token_minutes=options.token_minutes,
        max_upload_mb=options.max_upload_mb,
    )
    for name in options.only:
        walk.run(sections[name])
    print(f"{walk.passed} passed, {walk.failed} failed")
    return 1 if walk.failed else 0


if __name__ == "__main__":
    sys.exit(main())
