"""What happens when a server process starts and stops, whichever server it is.

Daphne has no lifespan events, the others have: `chatservice.asgi` calls `startup` and `shutdown`
from wherever the server lets it, maybe more than once, so both are idempotent.
"""

import asyncio
import atexit
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from . import loop

logger = logging.getLogger(__name__)

CALLS_TIMEOUT = 5.0
"""Seconds that requests under way have to end when the server stops."""

CANCELLATIONS, CANCEL_TIMEOUT = 5, 1.0
"""How often what runs in the background is told to end, and the seconds it has each time. Once is
not always enough: a library may swallow a cancellation, and the loop around it goes on."""

FINISH_TIMEOUT = 10.0
"""Seconds that a command waits at its end for what still runs in the background."""

Hook = Callable[[], Awaitable[None]]

_startup_hooks: list[Hook] = []
_shutdown_hooks: list[Hook] = []
_background: set[asyncio.Task[None]] = set()
_running = False


def on_startup(hook: Hook) -> Hook:
    """Register a coroutine function to be called once on the home loop of a server process."""
    _startup_hooks.append(hook)
    return hook


def on_shutdown(hook: Hook) -> Hook:
    """Register a coroutine function to be called before a process ends.

    The last to be registered is called first: what it rests on still works.
    """
    _shutdown_hooks.append(hook)
    return hook


def in_background(coroutine: Awaitable[None]) -> "asyncio.Task[None]":
    """Run a coroutine beside the rest until it ends or the process stops; log if it fails."""
    task = asyncio.ensure_future(coroutine)
    _background.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: "asyncio.Task[None]") -> None:
    _background.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("A background task failed.", exc_info=error)


async def startup() -> None:
    """Adopt the server's loop and call what the apps have registered."""
    global _running
    if _running:
        return
    _running = True
    loop.adopt_running_loop()
    for hook in _startup_hooks:
        await hook()


async def shutdown() -> None:
    """Call what the apps have registered, and end what runs in the background.

    Sockets are left to the server: a disconnect from our side would tell clients not to come back.
    """
    global _running
    if not _running:
        return
    _running = False
    await loop.finish_calls(within=CALLS_TIMEOUT)
    await _finish()


async def _finish() -> None:
    for hook in reversed(_shutdown_hooks):
        try:
            await hook()
        except Exception:
            logger.exception("A shutdown hook failed; the others still run.")
    for _ in range(CANCELLATIONS):
        if not _background:
            return
        for task in _background:
            task.cancel()
        await asyncio.wait(set(_background), timeout=CANCEL_TIMEOUT)
    logger.error("Left behind at the end: %s", ", ".join(map(_name_of, _background)))


def _name_of(task: "asyncio.Task[None]") -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())


@atexit.register
def _finish_a_command() -> None:
    """A command has no server to stop it, and its thread would be cut off in the middle."""
    if loop.is_own_thread():
        with suppress(TimeoutError):
            loop.run(_finish(), timeout=FINISH_TIMEOUT)
