# ruff: noqa: E501, SIM905  (tables)
"""The same rows for both engines: nulls, ties, other scripts, edges of days and years."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bson import ObjectId
from django.db import transaction

from .models import MODELS, Membership, Message, Person, Profile, Room, Tag


def key(kind, number):
    """The same key on every engine and in every run."""
    return ObjectId(f"{kind:012x}{number:012x}")


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


ADA, BOB, CAROL, ANN, DOT, QUOTE, SARA, ZOFIE, BOB2 = (key(1, number) for number in range(1, 10))
GENERAL, GENERAL2, EMPTY, PERSIAN, SURE = (key(3, number) for number in range(1, 6))
TEHRAN = ZoneInfo("Asia/Tehran")


PEOPLE = [
    # name, email, nickname, boss, born, joined, seen, active, verified, height, balance
    ("Ada", "ada@x.org", "ace", None, date(1990, 1, 1), at(2024, 1, 1), at(2025, 6, 1, 12), True, True, 1.70, "10.50"),
    ("bob", "bob@x.org", None, 1, date(1985, 12, 31), at(2024, 1, 31, 23, 59, 59, 999000), None, True, False, 1.80, "0.00"),
    ("Carol", "carol@x.org", "", 1, None, at(2024, 2, 29), at(2025, 6, 1, 12), False, None, None, None),
    ("ann", "ann@x.org", "a.n", 2, date(2000, 2, 29), at(2024, 12, 31, 20, 30), at(2025, 1, 1), True, True, 1.65, "99.99"),
    ("a.n", "dot@x.org", "50%", 2, date(1990, 1, 1), at(2025, 1, 1), None, False, False, 1.65, "-3.10"),
    ("O'Neil_\\", "quote@x.org", 'say "hi"', None, None, at(2025, 1, 5, 12), at(2025, 6, 2), True, None, 2.0, "0.10"),
    ("سارا", "sara@x.org", "گل", 3, date(1999, 3, 20), at(2025, 3, 20, 20, 29, 59), None, True, True, None, "7.00"),
    ("Žofie", "zofie@x.org", "ŽO", 7, date(1970, 1, 1), at(2025, 3, 20, 20, 30), at(1969, 7, 20, 20, 17), True, False, 1.5, None),
    ("Bob", "bob2@x.org", "ace", None, date(2038, 1, 20), at(2025, 7, 1, 0, 30), None, False, True, 1.7, "10.50"),
]  # fmt: skip
ROOMS = [
    # title, topic, owner, tags, size, limit, made
    ("General", "all", 1, [1, 2], 3, None, at(2024, 1, 1)),
    ("general", None, 1, [2], 3, 10, at(2024, 5, 5, 5, 5, 5)),
    ("Empty", None, 2, [], 0, 0, at(2025, 1, 1)),
    ("اتاق", "فارسی", 7, [1, 3], 1, 1, at(2025, 3, 21)),
    ("100%_sure", "", 4, [3], 2, 2, at(2025, 3, 21)),
]
MEMBERSHIPS = [
    # room, person, role, joined, muted by
    (1, 1, "owner", date(2024, 1, 1), None),
    (1, 2, "member", date(2024, 1, 2), None),
    (1, 3, "member", date(2024, 1, 2), 1),
    (1, 4, "member", date(2024, 1, 3), 2),
    (2, 1, "owner", date(2024, 5, 5), None),
    (2, 2, "member", date(2024, 5, 5), None),
    (4, 7, "owner", date(2025, 3, 21), None),
    (4, 1, "member", date(2025, 3, 22), 7),
    (5, 4, "owner", date(2025, 3, 21), None),
    (5, 3, "guest", date(2025, 3, 23), None),
]
TEXTS = [
    "hello",
    "Hello",
    "50% off",
    "a_b",
    "سلام دنیا",
    "",
    "line\nbreak",
    "back\\slash",
    "(.*)+$",
]

DATA = [{"n": 0, "list": [1, None, "x"], "deep": {"a.b": True}}, [None], [], {}, "text", 0, False]


def rows():
    """Unsaved objects of every model, in an order in which they can be stored."""
    people = [
        Person(
            id=key(1, number),
            boss_id=boss and key(1, boss),
            balance=None if balance is None else Decimal(balance),
            **dict(zip(
                "name email nickname born joined_at seen_at is_active is_verified height".split(),
                [name, email, nickname, *rest],
                strict=True,
            )),
        )
        for number, (name, email, nickname, boss, *rest, balance) in enumerate(PEOPLE, start=1)
    ]  # fmt: skip
    profiles = [
        Profile(id=key(2, number), person_id=key(1, number), about=f"about {number}")
        for number in (1, 2, 7)
    ]
    tags = [
        Tag(id=number, word=word) for number, word in enumerate(["news", "fun", "art"], start=1)
    ]
    rooms = [
        Room(
            id=key(3, number),
            title=title,
            topic=topic,
            owner_id=key(1, owner),
            size=size,
            limit=limit,
            made_at=made_at,
        )
        for number, (title, topic, owner, _, size, limit, made_at) in enumerate(ROOMS, start=1)
    ]
    memberships = [
        Membership(
            id=key(4, number),
            room_id=key(3, room),
            person_id=key(1, person),
            role=role,
            joined_on=joined_on,
            muted_by_id=muted_by and key(1, muted_by),
        )
        for number, (room, person, role, joined_on, muted_by) in enumerate(MEMBERSHIPS, start=1)
    ]
    return [people, profiles, tags, rooms, memberships, list(messages())]


def messages():
    for number in range(24):
        sent_at = at(2024, 12, 30) + timedelta(hours=7 * number, milliseconds=number)
        some = number % 3 == 0
        yield Message(
            id=key(5, number),
            room_id=key(3, [1, 2, 4][number % 3]),
            author_id=None if number % 5 == 4 else key(1, 1 + number % 4),
            reply_to_id=key(5, number - 3) if number in (6, 9, 12, 13) else None,
            number=number,
            text=TEXTS[number % len(TEXTS)],
            likes=[0, 3, 1, 3][number % 4],
            sent_at=sent_at,
            edited_at=sent_at + timedelta(minutes=1) if some else None,
            at_time=time(number, 59 - number, 1, 5) if some else None,
            took=timedelta(days=number, microseconds=number) if some else None,
            token=uuid.UUID(int=number << 100) if some else None,
            raw=bytes([number, 0, 255]) if some else None,
            data=DATA[number // 3 % len(DATA)] if some else None,
            big=number * 2**55 if some else None,
        )


def load(alias):
    """Make the data of one engine what it was."""
    through = Room.tags.through
    with transaction.atomic(using=alias):  # SQLite checks foreign keys at its end
        for model in [through, *MODELS]:
            model.objects.using(alias).all()._raw_delete(alias)
        for objects in rows():
            type(objects[0]).objects.using(alias).bulk_create(objects)
        through.objects.using(alias).bulk_create(
            through(room_id=key(3, number), tag_id=tag)
            for number, room in enumerate(ROOMS, start=1)
            for tag in room[3]
        )
