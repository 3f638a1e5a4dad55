"""Moments on the clocks of a time zone.

MongoDB has a copy of the world's time zones built in, as old as the server: 6.0 has Mexico change
its clocks, and Egypt not, for ever. So the rules come from Python, and MongoDB only adds.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
STEP = timedelta(days=7)  # no zone has ever changed its clocks twice in less


def on_the_wall(moment: Any, zone: tzinfo) -> Any:
    """The expression for what clocks in `zone` show at `moment`, as a moment of UTC.

    Before 1900 and after 2100 clocks are taken not to change.
    """
    changes = clock_changes(zone)
    milliseconds: Any = [offset for _, offset in changes]
    if len(changes) > 1:
        passed = {
            "$filter": {
                "input": {"$literal": [change for change, _ in changes[1:]]},
                "cond": {"$lte": ["$$this", moment]},
            }
        }
        milliseconds = {"$arrayElemAt": [{"$literal": milliseconds}, {"$size": passed}]}
    elif milliseconds == [0]:
        return moment
    else:
        [milliseconds] = milliseconds
    return {"$add": [moment, milliseconds]}


@lru_cache(maxsize=32)
def clock_changes(zone: tzinfo) -> list[tuple[datetime, int]]:
    """When the clocks of `zone` change, in order, and how far they are ahead of UTC from then on.

    That is in milliseconds. The first entry is for the time before the first change.
    """

    def ahead(moment: datetime) -> int:
        return moment.astimezone(zone).utcoffset() // timedelta(milliseconds=1)

    changes = [(FIRST, ahead(FIRST))]
    before = FIRST
    while before < LAST:
        after = before + STEP
        if ahead(after) != changes[-1][1]:
            changed = moment_of_change(before, after, ahead)
            changes.append((changed, ahead(changed)))
        before = after
    return changes


def moment_of_change(before: datetime, after: datetime, ahead: Any) -> datetime:
    """The first second at which `ahead` is what it is `after`."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if ahead(middle) == ahead(before):
            before = middle
        else:
            after = middle
    return after
