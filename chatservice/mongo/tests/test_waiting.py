"""What waits in PyMongo: it makes no task for that, and leaves nothing locked when cancelled."""

import asyncio

import pymongo.lock
import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout

from .clients import collection

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


SLOWLY = {"$where": "sleep(3000) || true"}


@pytest.mark.django_db
def test_a_query_makes_no_tasks():
    made = []

    def make(loop, coroutine, **options):
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    async def ask():
        async with collection() as there:
            asyncio.get_running_loop().set_task_factory(make)
            for _ in range(5):
                assert await there.find_one()
            asyncio.get_running_loop().set_task_factory(None)

    asyncio.run(ask())
    # The monitors of the client have theirs.
    assert [each for each in made if "find" in repr(each) or "receive" in repr(each)] == []
    assert len(made) < 5


@pytest.mark.django_db
def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_agreed():
    async def ask():
        async with collection(socketTimeoutMS=300) as there:
            with pytest.raises(NetworkTimeout, match="timed out"):
                await there.find_one(SLOWLY)
            assert await there.find_one()

    asyncio.run(ask())


@pytest.mark.django_db
def test_what_is_under_way_ends_when_the_server_is_given_up():
    async def ask():
        async with collection() as there:
            asking = asyncio.ensure_future(there.find_one(SLOWLY))
            [server] = there.database.client._topology._servers.values()
            async with asyncio.timeout(PATIENCE):
                while not server.pool.active_contexts:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0)
            for context in server.pool.active_contexts:  # as after a heartbeat that is missing
                context.cancel()
            with pytest.raises(AutoReconnect, match="operation cancelled"):
                await asking
            assert await there.find_one()

    asyncio.run(ask())


@pytest.mark.django_db
def test_a_query_that_is_cancelled_leaves_its_answer_to_nobody():
    async def ask():
        async with collection() as there:
            asking = asyncio.ensure_future(there.find_one(SLOWLY))
            await asyncio.sleep(0.1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await there.count_documents({}) > 0

    asyncio.run(ask())
