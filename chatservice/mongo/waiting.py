"""A wait of PyMongo's that can be cancelled at any moment.

Its coroutines wait for conditions with `asyncio.wait_for`, which before Python 3.12 waits in a task
of its own. Whoever is cancelled while that task is being ended leaves it behind; it then takes the
condition's lock, for nobody, and every later operation of the process waits for it for ever. We do
cancel: a deadline passes, or a client hangs up. Seen with a MongoDB that came and went on a machine
that was busy: a process that answered nothing any more, until it was restarted.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
    """`asyncio.wait_for` as it is since Python 3.12: it waits in the task that calls it."""
    async with asyncio.timeout(timeout):
        return await awaitable


def install() -> None:
    """Have PyMongo's own waits done so, and those for its network where it is as we know it."""
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = wait_for
    try:
        from . import network
    except ImportError as error:
        logger.warning("PyMongo has changed, and waits in its own, slower way: %s", error)
    else:
        network.install()
