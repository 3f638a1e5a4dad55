"""Who is calling, and who people are: the reading that happens with every request and event.

Through PyMongo on the collections of `accounts.models`, because a query of the ORM costs ten times
as much (docs/decisions/0001). What comes back are `User` instances all the same, made without SQL.
Coroutines run on the home loop; the rest is for synchronous doors.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from bson import ObjectId
from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Field
from django.utils.crypto import constant_time_compare

from chatservice.mongo import direct
from chatservice.mongo.client import async_collection, database
from chatservice.shared_questions import SharedQuestion

from . import tokens
from .models import Session, User
from .names import key_of

WEB_SESSION_KEY = "session_id"
"""Where a browser's cookie session keeps the id of the `Session` it belongs to."""

USERS = User._meta.db_table
SESSIONS = Session._meta.db_table


class Caller(NamedTuple):
    """Somebody who has shown who they are.

    `exp`, in seconds since 1970, is when what they showed ends by itself; ending the session ends
    it sooner.
    """

    user: User
    session_id: ObjectId
    exp: int


def authenticate(raw: object) -> Caller | None:
    """Who calls with this access token, given as text; None if it does not count (any more)."""
    claims = tokens.access_claims(raw)
    if claims is None:
        return None
    found = _active_user(claims.session_id, claims.user_id)
    return Caller(user_from(found), claims.session_id, claims.exp) if found else None


async def authenticate_async(raw: object) -> Caller | None:
    """The same as `authenticate`, on the home loop; those who call at once share a question."""
    claims = tokens.access_claims(raw)
    if claims is None:
        return None
    found = await _active_users.answer((claims.session_id, claims.user_id))
    return Caller(user_from(found), claims.session_id, claims.exp) if found else None


def is_live(session_id: ObjectId, user_id: ObjectId) -> bool:
    """Whether a session has not ended and the person it belongs to is active."""
    return _active_user(session_id, user_id) is not None


async def live_sessions(session_ids: Iterable[ObjectId]) -> set[ObjectId]:
    """Those of the sessions that have not ended and whose people are active."""
    query: dict[str, Any] = {"_id": {"$in": list(session_ids)}, "ended_at": None}
    found = async_collection(SESSIONS).find(query, {"user_id": True})
    users = {document["_id"]: document["user_id"] async for document in found}
    query = {"_id": {"$in": list(set(users.values()))}, "is_active": True}
    active = {document["_id"] async for document in async_collection(USERS).find(query, {"_id": 1})}
    return {session_id for session_id, user_id in users.items() if user_id in active}


def caller_of_web_session(session: SessionBase) -> Caller | None:
    """Who is logged in with this session of Django's; None if nobody is (any more).

    As in Django itself, a change of the password ends it through the hash that it carries.
    """
    user_id, session_id = session.get(auth.SESSION_KEY), session.get(WEB_SESSION_KEY)
    if not (ObjectId.is_valid(user_id or "") and ObjectId.is_valid(session_id or "")):
        return None
    session_id = ObjectId(session_id)
    found = _active_user(session_id, ObjectId(user_id))
    if found is None:
        return None
    user = user_from(found)
    shown = session.get(auth.HASH_SESSION_KEY) or ""
    expected = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    if not any(constant_time_compare(shown, valid) for valid in expected):
        return None
    return Caller(user, session_id, int(session.get_expiry_date().timestamp()))


async def user_for_web_session(session_key: str | None) -> Caller | None:
    """Who is logged in with the session cookie of a browser; None if nobody is (any more).

    For handshakes outside Django's request cycle, which must have checked the origin: a browser
    sends its cookies along with what any page asks for.
    """
    if not session_key:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return await sync_to_async(caller_of_web_session, thread_sensitive=False)(store)


async def load_users(ids: Iterable[ObjectId]) -> dict[ObjectId, User]:
    """The people with these ids, the deactivated included. Ids of nobody are left out."""
    found = async_collection(USERS).find({"_id": {"$in": list(set(ids))}})
    return {document["_id"]: user_from(document) async for document in found}


async def find_people(names: Iterable[str]) -> dict[str, User]:
    """The active people who go by these e-mail addresses or user names, under the name as given.

    The spelling is that of `names.key_of`. An e-mail address goes before a user name; names of
    nobody are left out.
    """
    keys = {name: key_of(name) for name in names}
    wanted = {"$in": list(set(keys.values()))}
    query = {"is_active": True, "$or": [{"email_key": wanted}, {"username_key": wanted}]}
    people = [user_from(document) async for document in async_collection(USERS).find(query)]
    by_key = {user.username_key: user for user in people}
    by_key |= {user.email_key: user for user in people}
    return {name: by_key[key] for name, key in keys.items() if key in by_key}


async def find_ids_by_username_key(keys: Iterable[str]) -> dict[str, ObjectId]:
    """The ids of the active people whose user names have these keys (`names.key_of`)."""
    query = {"is_active": True, "username_key": {"$in": list(set(keys))}}
    found = async_collection(USERS).find(query, {"username_key": 1})
    return {document["username_key"]: document["_id"] async for document in found}


async def find_people_called(
    beginning: str, *, among: Iterable[ObjectId], limit: int
) -> list[User]:
    """The active people of those `among` whose user name, or a word of whose full name, begins so.

    By user name; at most `limit`.
    """
    key = re.escape(key_of(beginning))
    query = {
        "_id": {"$in": list(among)},
        "is_active": True,
        "$or": [
            {"username_key": {"$regex": f"^{key}"}},
            {"full_name": {"$regex": rf"(^|\s){re.escape(beginning)}", "$options": "i"}},
        ],
    }
    found = async_collection(USERS).find(query).sort("username_key", 1).limit(limit)
    return [user_from(document) async for document in found]


def user_from(document: dict[str, Any]) -> User:
    """The `User` that a document of its collection stands for, without asking the database."""
    names, columns = _fields_of_users()
    values = [
        # Another version of the service may have stored it without a newer field.
        document[column] if column in document else field.get_default()
        for column, field in columns
    ]
    return User.from_db(DEFAULT_DB_ALIAS, names, values)


@cache
def _fields_of_users() -> tuple[list[str], list[tuple[str, Field]]]:
    """The attributes of a `User`, and the columns that they come from."""
    fields = User._meta.concrete_fields
    return [field.attname for field in fields], [(str(field.column), field) for field in fields]


Login = tuple[ObjectId, ObjectId]
"""A session, and the person that it is said to belong to."""


def _active_user(session_id: ObjectId, user_id: ObjectId) -> dict[str, Any] | None:
    """The document of the person of a session; None if either does not count (any more)."""
    found = database()[SESSIONS].aggregate(_people_of([session_id]))
    return _by_login(found).get((session_id, user_id))


async def _ask_for_active_users(logins: list[Login]) -> dict[Login, dict[str, Any]]:
    pipeline = _people_of([session_id for session_id, _user_id in logins])
    return _by_login(await direct.aggregate(async_collection(SESSIONS), pipeline))


_active_users = SharedQuestion(_ask_for_active_users)


def _by_login(found: Iterable[dict[str, Any]]) -> dict[Login, dict[str, Any]]:
    return {(each["_id"], each["user"]["_id"]): each["user"] for each in found}


def _people_of(session_ids: Sequence[ObjectId]) -> list[dict[str, Any]]:
    """The one question of every authentication: all documents are found by their `_id`."""
    return [
        {"$match": {"_id": {"$in": session_ids}, "ended_at": None}},
        {
            "$lookup": {
                "from": USERS,
                "localField": "user_id",
                "foreignField": "_id",
                "as": "user",
                "pipeline": [{"$match": {"is_active": True}}],
            }
        },
        {"$unwind": "$user"},
        {"$project": {"user": 1}},
    ]
