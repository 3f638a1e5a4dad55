"""The event loop: uvloop's, which takes less of the processor for each round trip to MongoDB."""

import asyncio

try:
    import uvloop
except ImportError:  # it is not made for Windows
    uvloop = None


def prefer_uvloop() -> None:
    """Have loops made from now on be uvloop's, where there is one.

    Before anything else is imported: Daphne makes its loop when it is. Servers that are started
    otherwise choose for themselves; uvicorn takes uvloop.
    """
    if uvloop is not None:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
