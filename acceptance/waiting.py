"""Waiting with a deadline, for things that happen in another process."""

import time

PATIENCE = 60.0  # seconds; only tells "alive" from "stuck", so it is generous on purpose


def eventually(condition, within=PATIENCE, every=0.05, what=None):
    """Call `condition` until it gives something true, and return that.

    `within` and `every` are seconds. Raises `TimeoutError`, naming `what` was waited for, when
    the deadline passes. An exception of `condition` is not swallowed: it ends the wait.
    """
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{what or condition.__name__}: not within {within:g} s")
        time.sleep(every)
    return value
