"""Limits that hold for all server processes together, as far as these can hear each other.

Twice a second each tells the others what was taken from its buckets. So somebody who asks several
processes at once may get the burst of each for half a second, and the rate is everybody's. While
the backplane is away each process limits on its own.
"""

import asyncio

from . import realtime
from .limits import buckets
from .realtime.lifecycle import in_background, on_startup

INTERVAL = 0.5
"""Seconds between two reports to the other processes."""

TOPIC = "limits"


@on_startup
async def begin_to_limit() -> None:
    buckets.is_serving = True
    if realtime.has_peers():
        buckets.is_shared = True
        realtime.on_shared(TOPIC, buckets.note_spent)
        in_background(_share())


async def _share() -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        if spent := buckets.collect_spent():
            realtime.share(TOPIC, spent)
