"""The short way to MongoDB: it answers as PyMongo's own methods do, also when something breaks."""

import asyncio

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from chatservice.mongo import direct

from .clients import collection


def run(work, **options):
    """Await `work` with a collection of ten numbered documents, of a client of its own."""

    async def with_collection():
        async with collection(**options) as there:
            await there.delete_many({})
            await there.insert_many([{"_id": number, "text": "x" * 5_000} for number in range(10)])
            return await work(there)

    return asyncio.run(with_collection())


def cut(there):
    """Break the connections that wait to be used, as when the server has been started anew."""
    [server] = there.database.client._topology._servers.values()
    assert server.pool.conns
    for connection in server.pool.conns:
        connection.conn.get_conn.transport.abort()


@pytest.mark.django_db
@pytest.mark.parametrize("compressors", ["", "zlib"])
@pytest.mark.parametrize("first_batch", [1_000, 3])  # in one piece, and in several
def test_it_finds_what_pymongo_finds(monkeypatch, first_batch, compressors):
    monkeypatch.setattr(direct, "FIRST_BATCH", first_batch)
    query, fields = {"_id": {"$gt": 1}}, {"text": True}

    async def ask(there):
        expected = await there.find(query, fields).sort("_id", -1).limit(7).to_list()
        found = await direct.find(there, query, fields, sort={"_id": -1}, limit=7)
        assert found == expected
        assert [each["_id"] for each in found] == [9, 8, 7, 6, 5, 4, 3]
        assert await direct.find(there, {}) == await there.find().to_list()
        pipeline = [{"$match": query}, {"$project": fields}]
        assert await direct.aggregate(there, pipeline) == await there.find(query, fields).to_list()
        assert await direct.find(there, {"_id": -1}) == []

    run(ask, **({"compressors": compressors} if compressors else {}))


@pytest.mark.django_db
def test_a_question_is_put_again_when_its_connection_is_gone():
    async def ask(there):
        cut(there)
        assert len(await direct.find(there, {})) == 10

    run(ask, retryReads=True)


@pytest.mark.django_db
def test_it_is_not_where_the_settings_say_so_and_a_write_never_is():
    async def ask(there):
        cut(there)
        with pytest.raises(AutoReconnect):
            await direct.find(there, {})
        assert len(await direct.find(there, {})) == 10
        cut(there)
        with pytest.raises(AutoReconnect):
            await direct.write(there, "insert", documents=[{"_id": 10}])
        assert await direct.write(there, "insert", documents=[{"_id": 10}]) == []

    run(ask, retryReads=False)


@pytest.mark.django_db
def test_what_is_refused_is_said():
    async def ask(there):
        documents = [{"_id": 10}, {"_id": 3}, {"_id": 11}]
        [refusal] = await direct.write(there, "insert", documents=documents, ordered=True)
        assert (refusal["index"], refusal["keyPattern"]) == (1, {"_id": 1})
        assert len(await direct.find(there, {})) == 11
        with pytest.raises(OperationFailure, match="unknown operator"):
            await direct.find(there, {"_id": {"$nonsense": 1}})

    run(ask)


@pytest.mark.django_db
def test_a_question_that_is_cancelled_leaves_its_answer_to_nobody():
    async def ask(there):
        slowly = asyncio.ensure_future(direct.find(there, {"$where": "sleep(300) || true"}))
        [server] = there.database.client._topology._servers.values()
        async with asyncio.timeout(30):
            while not server.pool.active_contexts:
                await asyncio.sleep(0.01)
        slowly.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slowly
        assert await direct.find(there, {"_id": 1}, {"_id": True}) == [{"_id": 1}]

    run(ask)
