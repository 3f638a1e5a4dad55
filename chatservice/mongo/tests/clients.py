"""A client of a test's own, and a collection to try it on."""

from contextlib import asynccontextmanager

from django.db import connections
from pymongo import AsyncMongoClient

from chatservice.mongo.client import client_options


@asynccontextmanager
async def collection(**options):
    """A collection with one document, of a client of its own that has a connection already."""
    settings = connections.settings["default"]
    options = {**client_options(settings), "retryReads": False, **options}
    async with AsyncMongoClient(**options) as client:
        there = client[settings["NAME"]]["waiting"]
        await there.insert_one({})
        yield there
