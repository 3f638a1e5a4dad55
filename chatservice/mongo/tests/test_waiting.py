"""What is cancelled while it waits in PyMongo leaves nothing locked behind."""

import asyncio

import pymongo.lock
import pytest

import chatservice.mongo.client  # noqa: F401  (which puts the wait in its place)

PATIENCE = 30.0


async def cancel_while_the_lock_is_taken_back():
    """Cancel a wait whose time is up, and which now waits for the lock that it has to take back."""
    lock = pymongo.lock._async_create_lock()
    condition = pymongo.lock._async_create_condition(lock)
    is_waiting = asyncio.Event()

    async def wait():
        async with lock:
            is_waiting.set()
            await pymongo.lock._async_cond_wait(condition, 0.01)

    waiter = asyncio.ensure_future(wait())
    await is_waiting.wait()
    async with asyncio.timeout(PATIENCE), lock:  # it is free while it is waited for
        while not lock._waiters:
            await asyncio.sleep(0.001)
        waiter.cancel()
        for _ in range(10):  # as far as it gets before the lock is free
            await asyncio.sleep(0)
        # It has to have the lock again before it goes, or it gives back what is not its own.
        assert not waiter.done()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiter, PATIENCE)
    async with asyncio.timeout(PATIENCE), lock:
        pass


def test_a_wait_that_is_cancelled_leaves_the_lock_to_others():
    asyncio.run(cancel_while_the_lock_is_taken_back())
