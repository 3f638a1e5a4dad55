"""Who is online: a lease in MongoDB for each process and person, which runs out by itself.

A process takes one when a person's first socket opens and gives it back after the last one, and
renews those of the people who are there. The leases of a process that was killed run out within
`LEASE_LIFE`, with nobody to clean up after it; some other process notices and tells. Coroutines of
the home loop.
"""

from collections.abc import Iterable
from datetime import timedelta

from bson import ObjectId
from pymongo import DeleteOne, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection

from chatservice import metrics
from chatservice.mongo.client import async_collection
from chatservice.shared_questions import SharedQuestion
from chatservice.timestamps import now

from .models import PresenceLease

LEASE_LIFE = timedelta(seconds=45)
RENEW_INTERVAL = timedelta(seconds=15)
"""Two renewals may fail before anybody is taken for gone."""

COLLECT_INTERVAL = timedelta(seconds=5)
"""How often each process looks for leases that have run out: somebody has to tell."""

RETURN_TIME = timedelta(seconds=15)
"""How long the people of a process that stops may take to come back, to another or the next one,
before they are taken for gone."""

QUICK = WriteConcern(w=1, j=False)
"""A lease that a crash of the database forgets is back with the next renewal."""


async def arrive(process_id: str, user_id: ObjectId) -> bool:
    """Note that this process has a socket of the person. Repeating it renews the lease.

    Returns whether the person was online before, in whichever process.
    """
    return bool(await _arrivals.answer((process_id, user_id)))


async def leave(process_id: str, user_id: ObjectId) -> bool:
    """Note that this process has no socket of the person any more.

    Returns whether the person is still online, in another process.
    """
    return bool(await _departures.answer((process_id, user_id)))


Holder = tuple[str, ObjectId]
"""A process, and a person who has sockets in it."""


async def _arrive_together(holders: list[Holder]) -> dict[Holder, bool]:
    were_online = await online(user_id for _process_id, user_id in holders)
    expires_at = now() + LEASE_LIFE
    await _leases().bulk_write(
        [
            UpdateOne(
                {"process_id": process_id, "user_id": user_id},
                {"$set": {"expires_at": expires_at}},
                upsert=True,
            )
            for process_id, user_id in holders
        ],
        ordered=False,
    )
    metrics.lease_writes.labels("arrival").inc(len(holders))
    return {holder: holder[1] in were_online for holder in holders}


async def _leave_together(holders: list[Holder]) -> dict[Holder, bool]:
    await _leases().bulk_write(
        [
            DeleteOne({"process_id": process_id, "user_id": user_id})
            for process_id, user_id in holders
        ],
        ordered=False,
    )
    metrics.lease_writes.labels("departure").inc(len(holders))
    still_online = await online(user_id for _process_id, user_id in holders)
    return {holder: holder[1] in still_online for holder in holders}


# A crowd that comes back, or is cut off, at once.
_arrivals = SharedQuestion(_arrive_together)
_departures = SharedQuestion(_leave_together)


async def collect_expired() -> set[ObjectId]:
    """The people who went offline because their process did not renew, each found by one caller.

    MongoDB itself deletes a lease only ten minutes after its end, so that somebody gets to tell.
    """
    gone = set()
    while lease := await _leases().find_one_and_delete({"expires_at": {"$lte": now()}}):
        gone.add(lease["user_id"])
        metrics.lease_writes.labels("expiry").inc()
    return gone - await online(gone)


async def renew(process_id: str, user_ids: Iterable[ObjectId]) -> set[ObjectId]:
    """Extend the leases of the people this process has sockets of, every `RENEW_INTERVAL`.

    One that ran out meanwhile, because the process or the database stood still, is taken again;
    returns those who had been taken for gone. A lease of somebody else is left to run out: that
    its person has gone could not be written.
    """
    present = set(user_ids)
    mine = {"process_id": process_id, "user_id": {"$in": list(present)}}
    renewed = await _leases().update_many(mine, {"$set": {"expires_at": now() + LEASE_LIFE}})
    metrics.lease_writes.labels("renewal").inc(renewed.modified_count)
    if renewed.matched_count == len(present):
        return set()
    held = set(await _leases().distinct("user_id", mine))
    return {user_id for user_id in present - held if not await arrive(process_id, user_id)}


async def hand_over(process_id: str) -> None:
    """Let the leases of a process that stops run out soon.

    Not at once: most of its people come back within seconds, and have then not been away. Who does
    not is found by `collect_expired`, in whichever process is there then.
    """
    await _leases().update_many(
        {"process_id": process_id}, {"$set": {"expires_at": now() + RETURN_TIME}}
    )


async def count_online() -> int:
    """How many people are online, in all processes together."""
    return len(await _leases().distinct("user_id", {"expires_at": {"$gt": now()}}))


async def online(user_ids: Iterable[ObjectId]) -> set[ObjectId]:
    """Those of the people who are online, in whichever process."""
    # By the time in the lease: MongoDB deletes what has run out up to a minute late.
    query = {"user_id": {"$in": list(set(user_ids))}, "expires_at": {"$gt": now()}}
    return set(await _leases().distinct("user_id", query))


def _leases() -> AsyncCollection:
    collection = async_collection(PresenceLease._meta.db_table)
    return collection.with_options(write_concern=QUICK)
