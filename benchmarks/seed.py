"""Fill the databases: people with tokens, rooms, and one room with a million messages.

Straight into MongoDB, because ten thousand sign-ups would take longer than all benchmarks. What
comes out is what the actions would have made: `manage.py check_rooms` finds nothing wrong. The peer
gets a copy, so that both work on the same documents with the same indexes.
"""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pymongo
from bson import ObjectId
from pymongo import MongoClient, WriteConcern
from pymongo.database import Database

from .workspace import PEER_DATABASE, PRODUCT_DATABASE, TOKEN_MINUTES, WORKSPACE

VERSION = 2
"""To be raised with every change of what is made here: older databases are then made anew."""

ROOM_SIZE = 20
CROWD_ROOMS = 500
SHORT_HISTORY, LONG_HISTORY = 100, 1_000_000
SAYING = "is a message of an ordinary length, as people write them"
BATCH = 10_000
TIMEOUT = 15 * 60
"""Seconds that all of it may take; MongoDB works on the million messages for more than the ten
that any question of the service may take."""

MAXIMUM_AGE = timedelta(minutes=TOKEN_MINUTES) - timedelta(days=1)

Document = dict[str, Any]


def seed_once() -> dict[str, Any]:
    """What was made: `rooms` by name and the `cookie` of a reader. People are in files.

    Made anew if there is none, or of another version, or its tokens are about to end.
    """
    path = WORKSPACE / "seeded.json"
    version = [VERSION, *migrations()]
    if path.exists():
        made = json.loads(path.read_text())
        is_recent = time.time() - made["at"] < MAXIMUM_AGE.total_seconds()
        if made["version"] == version and is_recent:
            return made
    path.unlink(missing_ok=True)
    with pymongo.timeout(TIMEOUT):
        made = make_everything()
    made |= {"version": version, "at": time.time()}
    path.write_text(json.dumps(made))
    return made


def migrations() -> list[str]:
    """The names of all migrations there are: none is to be applied to a million messages."""
    from django.db.migrations.loader import MigrationLoader

    return sorted(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)


def make_everything() -> dict[str, Any]:
    """Both databases, from nothing."""
    from django.core.management import call_command

    from chatservice.mongo.client import database

    client = database().client
    for name in (PRODUCT_DATABASE, PEER_DATABASE):
        client.drop_database(name)
    call_command("migrate", verbosity=0, interactive=False)
    (WORKSPACE / "people").mkdir(exist_ok=True)
    seeding = Seeding(database())
    crowd: list[tuple[str, str]] = []
    for number in range(CROWD_ROOMS):
        people = seeding.people(ROOM_SIZE)
        room_id = seeding.room(f"Crowd {number}", people, messages=0)
        crowd += [(token, room_id) for _person, token in people]
    write_people("crowd", crowd)
    for size in (200, 1_000):
        people = seeding.people(size)
        room_id = seeding.room(f"Hall {size}", people, messages=0)
        write_people(f"hall-{size}", [(token, room_id) for _person, token in people])
    readers = seeding.people(ROOM_SIZE)
    rooms = {}
    for name, length in (("short", SHORT_HISTORY), ("long", LONG_HISTORY)):
        rooms[name] = seeding.room(name.title(), readers, messages=length)
        write_people(f"readers-{name}", [(token, rooms[name]) for _person, token in readers])
    cookie = seeding.web_session(readers[0][0])
    copy_for_the_peer(client)
    return {"rooms": rooms, "cookie": cookie}


def copy_for_the_peer(client: MongoClient[Document]) -> None:
    db = client[PRODUCT_DATABASE]
    for name in db.list_collection_names():
        db[name].aggregate([{"$out": {"db": PEER_DATABASE, "coll": name}}])
        for index in db[name].list_indexes():
            options = {key: index[key] for key in index if key not in ("v", "key", "ns")}
            client[PEER_DATABASE][name].create_index(list(index["key"].items()), **options)


class Seeding:
    """Makes people and rooms in a database that has been migrated."""

    def __init__(self, db: Database[Document]) -> None:
        self.db = db.with_options(write_concern=WriteConcern(w=1, j=False))
        self.people_made = 0

    def people(self, count: int) -> list[tuple[Document, str]]:
        """New people, as documents, each with an access token of a session of their own."""
        from accounts.models import Session, User
        from accounts.tokens import AccessToken
        from chatservice.timestamps import now

        users, sessions, tokens = [], [], []
        for _ in range(count):
            self.people_made += 1
            name = f"person{self.people_made}"
            user = User(email=f"{name}@example.org", username=name, full_name=name)
            user.email_key, user.username_key = user.email, name
            user.set_unusable_password()
            session = Session(user=user, expires_at=now() + timedelta(minutes=TOKEN_MINUTES))
            token = AccessToken()
            token["sub"], token["uid"], token["sid"] = user.email, str(user.pk), str(session.pk)
            users.append(document_of(user))
            sessions.append(document_of(session))
            tokens.append(str(token))
        self.db[User._meta.db_table].insert_many(users)
        self.db[Session._meta.db_table].insert_many(sessions)
        return list(zip(users, tokens, strict=True))

    def room(self, name: str, people: Sequence[tuple[Document, str]], *, messages: int) -> str:
        """A room with its log: that it was made, who is in it, and messages of theirs."""
        from chat.models import Entry, Membership, Room
        from chat.words import terms_of
        from chatservice.timestamps import now

        room = document_of(Room(name=name))
        room_id, moment = room["_id"], now() - timedelta(seconds=messages + 1)
        owner = people[0][0]
        room |= {
            "created_by_id": owner["_id"],
            "name_terms": terms_of(name),
            "description_terms": [],
            "rev": 1,
            "last_seq": messages + 2,
            "projected_seq": messages + 2,
            "message_count": messages,
            "last_activity_at": moment + timedelta(seconds=messages),
        }
        self.db[Room._meta.db_table].insert_one(room)
        members = [
            {
                "id": str(person["_id"]),
                "email": person["email"],
                "username": person["username"],
                "role": "owner" if person is owner else "member",
            }
            for person, _token in people
        ]
        memberships = []
        for (person, _token), member in zip(people, members, strict=True):
            membership = document_of(Membership(role=member["role"], joined_at=moment, rev=2))
            membership |= {"room_id": room_id, "user_id": person["_id"], "read_seq": 2}
            memberships.append(membership)
        self.db[Membership._meta.db_table].insert_many(memberships)
        first = {"name": name, "description": "", "created": True}
        second = {"added": members, "removed": [], "messages": 0}
        entries = self.db[Entry._meta.db_table]
        entries.insert_many(
            [
                {"data": data, **entry_of(owner, room_id, seq, kind, moment)}
                for seq, kind, data in ((1, "room", first), (2, "member", second))
            ]
        )
        batch: list[Document] = []
        for entry in self._messages(people, room_id, messages, moment):
            batch.append(entry)
            if len(batch) == BATCH or entry["number"] == messages:
                entries.insert_many(batch)
                batch = []
        return str(room_id)

    def _messages(
        self,
        people: Sequence[tuple[Document, str]],
        room_id: ObjectId,
        count: int,
        moment: datetime,
    ) -> Iterator[Document]:
        from chat.words import terms_of

        terms = terms_of(SAYING)
        for number in range(1, count + 1):
            author, seq = people[number % len(people)][0], number + 2
            yield {
                **entry_of(author, room_id, seq, "message", moment + timedelta(seconds=number)),
                "content": f"{number} {SAYING}.",
                "terms": [f"{number}", *terms],
                "reply_to": None,
                "via": "rest",
                "number": number,
                "rev": seq,
            }

    def web_session(self, person: Document) -> str:
        """The cookie of somebody who is logged in with a browser."""
        from django.conf import settings
        from django.contrib import auth

        from accounts.hot_path import WEB_SESSION_KEY, user_from
        from accounts.models import Session

        user = user_from(person)
        log_in = self.db[Session._meta.db_table].find_one({"user_id": user.pk})
        assert log_in is not None
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[auth.SESSION_KEY] = str(user.pk)
        session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
        session[WEB_SESSION_KEY] = str(log_in["_id"])
        session.set_expiry(timedelta(minutes=TOKEN_MINUTES))
        session.create()
        return session.session_key


def document_of(instance: Any) -> Document:
    """The document that stands for an instance of a model."""
    return {
        str(field.column): field.value_from_object(instance)
        for field in instance._meta.concrete_fields
    }


def entry_of(
    author: Document, room_id: ObjectId, seq: int, kind: str, moment: datetime
) -> Document:
    return {
        "_id": ObjectId(),
        "room_id": room_id,
        "seq": seq,
        "kind": kind,
        "actor_id": author["_id"],
        "sender": author["email"],
        "created_at": moment,
    }


def write_people(name: str, people: Sequence[tuple[str, str]]) -> None:
    """A file for the load generator: a line for each client, `token room number`."""
    lines = (f"{token} {room_id} 0\n" for token, room_id in people)
    (WORKSPACE / "people" / f"{name}.txt").write_text("".join(lines))
