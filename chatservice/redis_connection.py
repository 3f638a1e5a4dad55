"""How the channel layer talks to Redis."""

import socket
from typing import Any

TIMEOUT = 2.0
"""Seconds that Redis may take to answer."""

KEEP_ALIVE = {"TCP_KEEPIDLE": 6, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
"""A connection whose other end vanished without a word is found dead within 12 seconds."""


def connection_options(url: str) -> dict[str, Any]:
    """A member of `hosts` in the configuration of channels_redis' layers.

    Each attempt fails at once: `realtime.backplane` repeats them, and redis-py's own repetitions
    would keep it waiting for up to ten seconds after Redis is back.
    """
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    options: dict[str, Any] = {
        "address": url,
        "socket_connect_timeout": TIMEOUT,
        "socket_timeout": TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
    if not url.startswith("unix:"):
        options["socket_keepalive"] = True
        options["socket_keepalive_options"] = {
            getattr(socket, name): value
            for name, value in KEEP_ALIVE.items()
            if hasattr(socket, name)
        }
    return options
