"""Filters on one collection. `q` gives a model's queryset of one engine."""

import datetime
import uuid
from decimal import Decimal

from django.db.models import (
    Q,
)

from .data import (
    ADA,
    ANN,
    BOB,
    CAROL,
    TEHRAN,
    at,
)
from .models import Message, Person, Room

FILTERS = {
    # One collection
    "all": lambda q: q(Person),
    "none": lambda q: q(Person).none(),
    "get by key": lambda q: q(Person).get(pk=ADA),
    "get by digits": lambda q: q(Person).get(pk=str(ADA)),
    "get by id__exact": lambda q: q(Person).get(id=ADA),
    "no such key": lambda q: q(Person).filter(pk="f" * 24),
    "invalid key": lambda q: q(Person).filter(pk="no key"),
    "invalid keys": lambda q: q(Person).filter(pk__in=[ADA, "x"]),
    "exact": lambda q: q(Person).filter(name="Bob"),
    "exact is case-sensitive": lambda q: q(Person).filter(name="bob"),
    "exact None": lambda q: q(Person).filter(nickname=None),
    "exact empty": lambda q: q(Person).filter(nickname=""),
    "exact Persian": lambda q: q(Person).filter(name="سارا"),
    "exact with quote": lambda q: q(Person).filter(name="O'Neil_\\"),
    "exact dollar": lambda q: q(Person).filter(name="$name"),
    "exact number": lambda q: q(Room).filter(size=3),
    "exact number as text": lambda q: q(Room).filter(size="3"),
    "exact number, fraction": lambda q: q(Room).filter(size=3.0),
    "number too great": lambda q: q(Room).filter(size=2**70),
    "not number too great": lambda q: q(Room).exclude(limit=2**70),
    "less than number too great": lambda q: q(Room).filter(limit__lt=2**70),
    "float": lambda q: q(Person).filter(height=1.65),
    "decimal": lambda q: q(Person).filter(balance=Decimal("10.5")),
    "decimal lt": lambda q: q(Person).filter(balance__lt=Decimal("0.10")),
    "boolean": lambda q: q(Person).filter(is_active=False),
    "nullable boolean": lambda q: q(Person).filter(is_verified=True),
    "not nullable boolean": lambda q: q(Person).exclude(is_verified=True),
    "boolean isnull": lambda q: q(Person).filter(is_verified=None),
    "uuid": lambda q: q(Message).filter(token=uuid.UUID(int=3 << 100)),
    "uuid lt": lambda q: q(Message).filter(token__lt=uuid.UUID(int=7 << 100)),
    "binary": lambda q: q(Message).filter(raw=bytes([3, 0, 255])),
    "duration gt": lambda q: q(Message).filter(took__gt=datetime.timedelta(days=9, microseconds=8)),
    "time lt": lambda q: q(Message).filter(at_time__lt=datetime.time(9)),
    "time exact": lambda q: q(Message).filter(at_time=datetime.time(3, 56, 1, 5)),
    "big integer": lambda q: q(Message).filter(big__gte=12 * 2**55),
    "date": lambda q: q(Person).filter(born=datetime.date(1990, 1, 1)),
    "date gt": lambda q: q(Person).filter(born__gt=datetime.date(1990, 1, 1)),
    "datetime": lambda q: q(Person).filter(joined_at=at(2025, 1, 1)),
    "datetime in a zone": lambda q: q(Person).filter(
        joined_at=datetime.datetime(2025, 1, 1, 3, 30, tzinfo=TEHRAN)
    ),
    "datetime range": lambda q: q(Person).filter(joined_at__range=(at(2024, 2, 1), at(2025, 1, 1))),
    "not range": lambda q: q(Person).exclude(height__range=(1.6, 1.7)),
    "before 1970": lambda q: q(Person).filter(seen_at__lt=at(1970, 1, 1)),
    "gt": lambda q: q(Room).filter(limit__gt=1),
    "not gt leaves out null": lambda q: q(Room).filter(~Q(limit__gt=1)),
    "gte": lambda q: q(Room).filter(limit__gte=1),
    "lt float": lambda q: q(Room).filter(limit__lt=1.5),
    "text lt": lambda q: q(Person).filter(name__lt="b"),
    "key gt": lambda q: q(Person).filter(pk__gt=CAROL),
    "key range": lambda q: q(Person).filter(pk__range=(BOB, ANN)),
    "in": lambda q: q(Person).filter(name__in=["Ada", "bob", "nobody"]),
    "in nothing": lambda q: q(Person).filter(name__in=[]),
    "not in nothing": lambda q: q(Person).exclude(nickname__in=[]),
    "in with None": lambda q: q(Person).filter(nickname__in=["ace", None]),
    "not in": lambda q: q(Person).exclude(nickname__in=["ace", ""]),
    "not in with None": lambda q: q(Person).exclude(nickname__in=["ace", None]),
    "in only None": lambda q: q(Person).filter(nickname__in=[None]),
    "in a set of keys": lambda q: q(Person).filter(pk__in={ADA, str(BOB)}),
    "in twice the same": lambda q: q(Person).filter(pk__in=[ADA, ADA]),
    "isnull": lambda q: q(Person).filter(nickname__isnull=True),
    "not isnull": lambda q: q(Person).filter(nickname__isnull=False),
    "exclude isnull": lambda q: q(Person).exclude(nickname__isnull=True),
    "exclude": lambda q: q(Person).exclude(name="Ada"),
    "exclude keeps null": lambda q: q(Person).exclude(nickname="ace"),
    "not Q of null": lambda q: q(Person).filter(~Q(nickname="ace")),
    "double negation": lambda q: q(Person).filter(~~Q(nickname="ace")),
    "exclude of not": lambda q: q(Person).exclude(~Q(nickname="ace")),
    "or": lambda q: q(Person).filter(Q(name="Ada") | Q(nickname=None)),
    "and or not": lambda q: q(Person).filter(
        (Q(is_active=True) & ~Q(nickname="ace")) | Q(name__in=["Bob"])
    ),
    "not (and)": lambda q: q(Person).filter(~(Q(nickname="ace") & Q(is_verified=True))),
    "not (or)": lambda q: q(Person).filter(~(Q(nickname="ace") | Q(is_verified=True))),
    "nested": lambda q: q(Person).filter(
        Q(Q(height__gt=1.6) & ~(Q(nickname="ace") | ~Q(is_verified=True)))
    ),
    "empty Q": lambda q: q(Person).filter(Q()),
    "not empty Q": lambda q: q(Person).filter(~Q()),
    "in nothing or": lambda q: q(Person).filter(Q(pk__in=[]) | Q(name="Ada")),
    "exclude with two": lambda q: q(Person).exclude(nickname="ace", is_active=True),
    "xor": lambda q: q(Person).filter(Q(is_active=True) ^ Q(is_verified=True)),
    "filter twice": lambda q: q(Person).filter(is_active=True).filter(name__gt="a"),
    "combined querysets": lambda q: q(Person).filter(name="Ada") | q(Person).filter(name="bob"),
    "intersected querysets": lambda q: (
        q(Person).filter(is_active=True) & q(Person).exclude(name="Ada")
    ),
    "json isnull": lambda q: q(Message).filter(data__isnull=False),
    "json value": lambda q: q(Message).filter(data__n=3),
    "json exact": lambda q: q(Message).filter(data={"n": 3}),
    "json contains": lambda q: q(Message).filter(data__contains={"n": 3}),
    "json has_key": lambda q: q(Message).filter(data__has_key="n"),
    "regex": lambda q: q(Person).filter(name__regex=r"^a.n$"),
    "iregex": lambda q: q(Person).filter(name__iregex=r"^A"),
    "number startswith": lambda q: q(Message).filter(number__startswith="1"),
    "key contains": lambda q: q(Person).filter(pk__contains="0002"),
    "date contains": lambda q: q(Person).filter(born__contains="1990"),
}
