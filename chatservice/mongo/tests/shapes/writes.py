"""Changes with one right outcome. `q` gives a model's queryset of one engine."""

import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from .data import ADA, BOB, CAROL, EMPTY, GENERAL, at, key
from .models import Membership, Message, Person, Profile, Room, Tag

NEW = key(9, 1)


def person(**fields):
    return Person(
        **{"id": NEW, "name": "new", "email": "n@x.org", "joined_at": at(2025, 9, 9)} | fields
    )


def save(q, instance, **options):
    instance.save(using=q(type(instance)).db, **options)
    return instance.pk


def changed(instance, **fields):
    for name, value in fields.items():
        setattr(instance, name, value)
    instance.save()


def conflict(q, write):
    """The write fails, and what comes after it in the same block does not."""
    with transaction.atomic(using=q(Person).db):
        try:
            with transaction.atomic(using=q(Person).db):
                write()
        except IntegrityError:
            return q(Person).count()


def with_tags(q, change):
    tags = q(Room).get(pk=GENERAL).tags
    change(tags)
    return sorted(tags.values_list("word", flat=True))


WRITES = {
    # Saving
    "save": lambda q: save(q, person()),
    "save everything": lambda q: save(
        q,
        person(
            name="«گفت‌وگو» 👩‍👩‍👧",
            nickname="\0nul",
            boss_id=ADA,
            born=datetime.date(1, 1, 1),
            seen_at=at(9999, 12, 31, 23, 59, 59, 999000),
            is_verified=False,
            height=-0.5,
            balance=Decimal("-1234567.89"),
        ),
    ),
    "save again": lambda q: changed(q(Person).get(pk=ADA), name="Ada L.", nickname=None),
    "save some fields": lambda q: save(
        q, Person(pk=ADA, name="x", email="y"), update_fields=["name"]
    ),
    "save some fields of nobody": lambda q: save(q, person(), update_fields=["name"]),
    "save with the key of another": lambda q: save(q, person(id=ADA), force_insert=True),
    "save with the e-mail of another": lambda q: save(q, person(email="ada@x.org")),
    "create": lambda q: q(Person).create(id=NEW, name="n", email="n", joined_at=at(2025, 1, 1)).pk,
    "create numbered": lambda q: q(Tag).create(word="more").pk > 3,
    "create with a relation": lambda q: (
        q(Person).get(pk=ADA).owned_rooms.create(id=NEW, title="t", made_at=at(2025, 1, 1)).pk
    ),
    "unique together": lambda q: q(Membership).create(
        room_id=GENERAL, person_id=ADA, joined_on=datetime.date(2025, 1, 1)
    ),
    "unique constraint": lambda q: q(Message).create(
        room_id=GENERAL, number=0, text="x", sent_at=at(2025, 1, 1)
    ),
    "conflict inside a block": lambda q: conflict(q, lambda: save(q, person(email="ada@x.org"))),
    "get_or_create new": lambda q: q(Person).get_or_create(
        email="n", defaults={"id": NEW, "name": "n", "joined_at": at(2025, 1, 1)}
    )[1],
    "get_or_create old": lambda q: q(Person).get_or_create(email="ada@x.org")[0].pk,
    "update_or_create new": lambda q: q(Person).update_or_create(
        id=NEW, defaults={"email": "n", "name": "n", "joined_at": at(2025, 1, 1)}
    )[1],
    "update_or_create old": lambda q: q(Person).update_or_create(
        email="ada@x.org", defaults={"name": "Changed"}
    )[1],
    "bulk_create": lambda q: len(
        q(Person).bulk_create([person(id=key(9, n), email=str(n)) for n in range(5)])
    ),
    "bulk_create numbered": lambda q: [
        tag.pk is not None for tag in q(Tag).bulk_create([Tag(word="x"), Tag(word="y")])
    ],
    "bulk_create ignoring conflicts": lambda q: len(
        q(Person).bulk_create(
            [person(email="ada@x.org"), person(id=key(9, 2))], ignore_conflicts=True
        )
    ),
    "bulk_create updating conflicts": lambda q: q(Person).bulk_create(
        [person(email="ada@x.org")],
        update_conflicts=True,
        update_fields=["name"],
        unique_fields=["email"],
    ),
    "bulk_update": lambda q: q(Person).bulk_update(
        [Person(pk=ADA, name="1", height=1), Person(pk=BOB, name="2", height=None)],
        ["name", "height"],
    ),
    # update()
    "update": lambda q: q(Person).filter(is_active=True).update(nickname="x"),
    "update all": lambda q: q(Person).update(height=None),
    "update nothing": lambda q: q(Person).filter(name="nobody").update(height=1),
    "update none": lambda q: q(Person).none().update(height=1),
    "update in nothing": lambda q: q(Person).filter(pk__in=[]).update(height=1),
    "update relation": lambda q: q(Room).filter(size=3).update(owner=CAROL),
    "update by object": lambda q: q(Room).filter(size=3).update(owner=Person(pk=CAROL)),
    "update with what reads as a field": lambda q: q(Room).update(title="$topic"),
    "update F": lambda q: q(Room).update(size=F("size") + 1),
    "update F of null": lambda q: q(Room).update(limit=F("limit") + 1),
    "update swap": lambda q: q(Room).exclude(limit=None).update(size=F("limit"), limit=F("size")),
    "update from another field": lambda q: q(Room).update(topic=F("title")),
    "update F and value": lambda q: q(Room).update(size=F("size") * 2, topic="$title"),
    "update Coalesce": lambda q: q(Room).update(topic=Coalesce("topic", Value("none"))),
    "update Case": lambda q: q(Room).update(
        size=Case(When(limit__gt=1, then=Value(100)), default=F("size"))
    ),
    "update with compare": lambda q: q(Room).filter(size__gt=F("limit")).update(topic="full"),
    "update over a join": lambda q: q(Room).filter(owner__name="Ada").update(topic="hers"),
    "update over M2M": lambda q: q(Room).filter(members=ADA).update(topic="hers"),
    "update excluding M2M": lambda q: q(Room).exclude(members=ADA).update(topic="not hers"),
    "update in subquery": lambda q: (
        q(Message).filter(room__in=q(Room).filter(members=BOB)).update(likes=0)
    ),
    "update Exists": lambda q: (
        q(Person)
        .filter(Exists(q(Room).filter(owner=OuterRef("pk"))), is_active=True)
        .update(nickname="owner")
    ),
    "update annotated": lambda q: (
        q(Room).annotate(n=Count("members")).filter(n__gt=2).update(topic="busy")
    ),
    "update joined F": lambda q: q(Room).update(topic=F("owner__name")),
    "update Subquery": lambda q: q(Room).update(
        topic=Subquery(q(Person).filter(pk=OuterRef("owner")).values("name")[:1])
    ),
    "update slice": lambda q: q(Room).order_by("pk")[:2].update(size=0),
    "update to a duplicate": lambda q: q(Person).filter(pk=BOB).update(email="ada@x.org"),
    "update data": lambda q: q(Message).filter(number=1).update(data={"a": [{"$b": None}]}),
    # delete()
    "delete one": lambda q: q(Profile).get(pk=key(2, 1)).delete(),
    "delete": lambda q: q(Message).filter(likes=3).delete(),
    "delete nothing": lambda q: q(Message).filter(likes=99).delete(),
    "delete all": lambda q: q(Message).all().delete(),
    "delete with cascade": lambda q: q(Person).get(pk=ADA).delete(),
    "delete with set null": lambda q: q(Person).filter(name="ann").delete(),
    "delete over a join": lambda q: q(Message).filter(room__owner__name="Ada").delete(),
    "delete over M2M": lambda q: q(Room).filter(tags__word="art").delete(),
    "delete in subquery": lambda q: (
        q(Message).filter(room__in=q(Room).filter(members=BOB)).delete()
    ),
    "delete Exists": lambda q: (
        q(Person).filter(~Exists(q(Room).filter(owner=OuterRef("pk")))).delete()
    ),
    "delete annotated": lambda q: q(Room).annotate(n=Count("members")).filter(n=0).delete(),
    "delete or": lambda q: q(Membership).filter(Q(role="guest") | Q(muted_by=ADA)).delete(),
    "delete slice": lambda q: q(Message).order_by("pk")[:2].delete(),
    # Many to many
    "add": lambda q: with_tags(q, lambda tags: tags.add(3)),
    "add twice": lambda q: with_tags(q, lambda tags: (tags.add(3), tags.add(3, 1))),
    "remove": lambda q: with_tags(q, lambda tags: tags.remove(1)),
    "set": lambda q: with_tags(q, lambda tags: tags.set([2, 3])),
    "clear": lambda q: with_tags(q, lambda tags: tags.clear()),
    "add from the other side": lambda q: q(Tag).get(pk=3).rooms.add(q(Room).get(pk=EMPTY)),
    "add with through": lambda q: (
        q(Room)
        .get(pk=EMPTY)
        .members.add(
            q(Person).get(pk=ADA), through_defaults={"joined_on": datetime.date(2025, 1, 1)}
        )
    ),
}
