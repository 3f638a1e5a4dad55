"""The home loop: the one event loop of a process on which real time and the hot path run.

Under a server it is the server's own loop, adopted at start-up. A process without one (a command, a
shell, a WSGI server) gets a loop in a daemon thread the first time it is asked for. One loop means
one native MongoDB client, one queue for each room and one order of events, whoever calls.
"""

import asyncio
import concurrent.futures
import os
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.utils import translation
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

T = TypeVar("T")

CALL_TIMEOUT = 30.0
"""Seconds that synchronous code waits for the loop before it gives up."""


class ServiceStops(APIException):
    """The process is ending; another one, or the next, can do it."""

    status_code = 503
    default_detail = _("The service is just restarting. Please try again in a moment.")
    default_code = "unavailable"
    wait = 2


_lock = threading.Lock()
_waiting: set[concurrent.futures.Future[Any] | asyncio.Task[Any]] = set()
_stopping = False
_home: asyncio.AbstractEventLoop | None = None
_home_pid: int | None = None
_thread: threading.Thread | None = None


def adopt_running_loop() -> None:
    """Make the running loop the home loop of this process. Called by a server's start-up."""
    global _home, _home_pid, _thread, _stopping
    with _lock:
        _home, _home_pid, _thread = asyncio.get_running_loop(), os.getpid(), None
        _stopping = False


def home_loop() -> asyncio.AbstractEventLoop:
    """The home loop, started in a daemon thread if no server has brought one."""
    global _home, _home_pid, _thread
    with _lock:
        # After a fork the parent's loop is still referenced here but its thread is gone.
        if _home is None or _home.is_closed() or _home_pid != os.getpid():
            loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=loop.run_forever, name="home-loop", daemon=True)
            _thread.start()
            _home, _home_pid = loop, os.getpid()
        return _home


def is_own_thread() -> bool:
    """Whether the home loop runs in a thread of its own, and not in a server."""
    return _thread is not None and _thread.is_alive() and _home_pid == os.getpid()


def is_home() -> bool:
    """Whether the running loop is the home loop."""
    return _home is asyncio.get_running_loop()


@contextmanager
def answering() -> Iterator[None]:
    """For what answers a request on the home loop itself: as `run`, it is let end when the server
    stops, for a while, and `ServiceStops` is raised instead of the rest."""
    if _stopping:
        raise ServiceStops
    task = asyncio.current_task()
    assert task is not None
    _waiting.add(task)
    try:
        yield
    except asyncio.CancelledError:
        if _stopping:
            raise ServiceStops from None
        raise
    finally:
        _waiting.discard(task)


def run(coroutine: Coroutine[Any, Any, T], *, timeout: float = CALL_TIMEOUT) -> T:
    """Run a coroutine on the home loop from synchronous code and return its result.

    Its exceptions are raised here, in the language of the caller. `TimeoutError` after `timeout`
    seconds; the coroutine is then cancelled, but what it has stored stays stored. `ServiceStops`
    when the server is ending. `RuntimeError` when called on the home loop itself, which would wait
    for itself for ever: await the coroutine there.
    """
    loop = home_loop()
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is loop:
        coroutine.close()
        raise RuntimeError("run() was called on the home loop: await the coroutine instead.")
    if _stopping:
        coroutine.close()
        raise ServiceStops
    speaking = _speaking(translation.get_language(), coroutine)
    future = asyncio.run_coroutine_threadsafe(speaking, loop)
    _waiting.add(future)
    try:
        return future.result(timeout)
    except concurrent.futures.CancelledError:
        raise ServiceStops from None
    except concurrent.futures.TimeoutError:
        future.cancel()
        raise
    finally:
        _waiting.discard(future)


async def _speaking(language: str | None, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run in the caller's language, which does not get from one thread to another by itself."""
    with translation.override(language):
        return await coroutine


async def finish_calls(*, within: float) -> None:
    """Refuse further calls of `run`, and let those under way end; cut them off after `within` s.

    A server whose loop has stopped would leave their threads waiting, and so would not end.
    """
    global _stopping
    _stopping = True
    deadline = time.monotonic() + within
    while _waiting and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    for future in list(_waiting):
        future.cancel()
