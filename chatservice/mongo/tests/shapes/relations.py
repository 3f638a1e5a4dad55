"""Joins and subqueries. `q` gives a model's queryset of one engine."""

from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
)

from .data import ADA, BOB, CAROL, EMPTY, GENERAL, SARA
from .models import Membership, Message, Person, Room

RELATIONS = {
    # Joins
    "forward": lambda q: q(Room).filter(owner__name="Ada"),
    "forward twice": lambda q: q(Message).filter(author__boss__name="Ada"),
    "forward by object": lambda q: q(Room).filter(owner=Person(pk=ADA)),
    "forward by id": lambda q: q(Room).filter(owner_id=str(ADA)),
    "forward id needs no join": lambda q: q(Room).filter(owner__pk=ADA),
    "forward isnull": lambda q: q(Person).filter(boss__isnull=True),
    "forward field isnull": lambda q: q(Person).filter(boss__nickname__isnull=True),
    "forward field not isnull": lambda q: q(Person).filter(boss__nickname__isnull=False),
    "forward exclude": lambda q: q(Person).exclude(boss__name="Ada"),
    "forward exclude null field": lambda q: q(Person).exclude(boss__nickname="ace"),
    "forward or": lambda q: q(Person).filter(Q(boss__name="Ada") | Q(name="Bob")),
    "self join compare": lambda q: q(Person).filter(boss__born__lt=F("born")),
    "self join of a self join": lambda q: q(Person).filter(boss__boss__boss__name="Ada"),
    "in objects": lambda q: q(Room).filter(owner__in=[Person(pk=ADA), Person(pk=SARA)]),
    "reverse": lambda q: q(Person).filter(owned_rooms__title="General"),
    "reverse duplicates": lambda q: q(Person).filter(owned_rooms__size__gte=0),
    "reverse isnull": lambda q: q(Person).filter(owned_rooms__isnull=True),
    "reverse exclude": lambda q: q(Person).exclude(owned_rooms__title="General"),
    "reverse exclude null field": lambda q: q(Person).exclude(owned_rooms__topic="all"),
    "reverse exclude isnull": lambda q: q(Person).exclude(owned_rooms__isnull=True),
    "reverse exclude in": lambda q: q(Person).exclude(owned_rooms__in=[GENERAL, EMPTY]),
    "reverse one to one": lambda q: q(Person).filter(profile__about="about 1"),
    "no reverse one to one": lambda q: q(Person).filter(profile=None),
    "reverse two levels": lambda q: q(Person).filter(owned_rooms__messages__likes=3).distinct(),
    "staff of staff": lambda q: q(Person).filter(staff__staff__name="ann"),
    "M2M": lambda q: q(Room).filter(members=ADA),
    "M2M field": lambda q: q(Room).filter(members__name="Carol"),
    "M2M other side": lambda q: q(Person).filter(rooms__title="General"),
    "M2M plain": lambda q: q(Room).filter(tags__word="news"),
    "M2M by number": lambda q: q(Room).filter(tags=2),
    "M2M same filter": lambda q: q(Room).filter(memberships__person=ADA, memberships__role="owner"),
    "M2M two filters": lambda q: (
        q(Room).filter(memberships__person=ADA).filter(memberships__role="guest")
    ),
    "both members": lambda q: (
        q(Room).filter(memberships__person=ADA).filter(memberships__person=BOB)
    ),
    "both members, through M2M": lambda q: q(Room).filter(members=ADA).filter(members=CAROL),
    "three members": lambda q: (
        q(Room).filter(members=ADA).filter(members=BOB).filter(members=CAROL)
    ),
    "exclude M2M": lambda q: q(Room).exclude(members=ADA),
    "exclude M2M field": lambda q: q(Room).exclude(members__nickname="ace"),
    "exclude M2M null field": lambda q: q(Room).exclude(members__nickname=None),
    "exclude two M2M conditions": lambda q: q(Room).exclude(
        memberships__person=ADA, memberships__role="owner"
    ),
    "filter and exclude M2M": lambda q: q(Room).filter(members=ADA).exclude(members=CAROL),
    "not Q M2M": lambda q: q(Room).filter(~Q(members=ADA) | Q(size=3)),
    "M2M isnull": lambda q: q(Room).filter(tags__isnull=True),
    "M2M or": lambda q: q(Room).filter(Q(members__name="سارا") | Q(tags__word="art")).distinct(),
    "M2M compare F": lambda q: q(Room).filter(members=F("owner")),
    "two FKs to one model": lambda q: q(Membership).filter(
        person__name="Carol", muted_by__name="Ada"
    ),
    "two FKs compared": lambda q: q(Membership).filter(muted_by__name__lt=F("person__name")),
    "select_related": lambda q: [
        (r.title, r.owner.name) for r in q(Room).select_related("owner").order_by("pk")
    ],
    "select_related null": lambda q: [
        (p.name, p.boss and p.boss.name) for p in q(Person).select_related("boss").order_by("pk")
    ],
    "select_related deep": lambda q: [
        (m.number, m.author and m.author.boss and m.author.boss.name, m.room.owner.name)
        for m in q(Message).select_related("author__boss", "room__owner").order_by("pk")
    ],
    "select_related sliced": lambda q: [
        (m.number, m.room.title) for m in q(Message).select_related("room").order_by("-number")[2:5]
    ],
    "select_related, order by it": lambda q: [
        (m.number, m.room.title)
        for m in q(Message).select_related("room").order_by("room__title", "-number")[2:9]
    ],
    "select_related null, sliced": lambda q: [
        (m.number, m.author and m.author.name)
        for m in q(Message).select_related("author").order_by("number")[:7]
    ],
    "select_related reverse one to one": lambda q: [
        (p.name, getattr(p, "profile", None) and p.profile.about)
        for p in q(Person).select_related("profile").order_by("pk")
    ],
    "prefetch_related": lambda q: [
        (p.name, sorted(r.title for r in p.owned_rooms.all()))
        for p in q(Person).prefetch_related("owned_rooms").order_by("pk")
    ],
    "prefetch M2M": lambda q: [
        (r.title, [t.word for t in r.tags.all()])
        for r in q(Room).prefetch_related("tags").order_by("pk")
    ],
    "prefetch M2M with through": lambda q: [
        (r.title, sorted(m.name for m in r.members.all()))
        for r in q(Room).prefetch_related("members").order_by("pk")
    ],
    "prefetch deep": lambda q: [
        (p.name, sorted(t.word for r in p.rooms.all() for t in r.tags.all()))
        for p in q(Person).prefetch_related("rooms__tags").order_by("pk")
    ],
    "Prefetch with queryset": lambda q: [
        (r.title, [m.number for m in r.liked])
        for r in q(Room)
        .prefetch_related(
            Prefetch("messages", q(Message).filter(likes=3).order_by("number"), to_attr="liked")
        )
        .order_by("pk")
    ],
    "related manager": lambda q: q(Room).get(pk=GENERAL).messages.filter(likes__gt=0),
    "M2M manager": lambda q: q(Room).get(pk=GENERAL).members.order_by("name"),
    "M2M manager count": lambda q: q(Room).get(pk=GENERAL).tags.count(),
    # Subqueries
    "in subquery": lambda q: q(Message).filter(room__in=q(Room).filter(members=ADA)),
    "in subquery of values": lambda q: q(Person).filter(pk__in=q(Room).values("owner")),
    "in subquery with nulls": lambda q: q(Person).filter(pk__in=q(Person).values("boss")),
    "not in subquery with nulls": lambda q: q(Person).exclude(pk__in=q(Person).values("boss")),
    "not in subquery": lambda q: q(Person).exclude(pk__in=q(Room).values("owner")),
    "not in empty subquery": lambda q: q(Person).exclude(
        nickname__in=q(Room).filter(size=99).values("title")
    ),
    "in sliced subquery": lambda q: q(Person).filter(
        pk__in=q(Person).order_by("-name").values("pk")[:2]
    ),
    "in none": lambda q: q(Person).filter(pk__in=q(Person).none()),
    "nested in subqueries": lambda q: q(Message).filter(
        room__in=q(Room).filter(owner__in=q(Person).filter(name__in=["Ada", "سارا"]))
    ),
    "equal to subquery": lambda q: q(Room).filter(
        owner=q(Person).filter(name="Ada").values("pk")[:1]
    ),
    "Exists": lambda q: q(Person).filter(Exists(q(Room).filter(owner=OuterRef("pk")))),
    "not Exists": lambda q: q(Person).filter(~Exists(q(Room).filter(owner=OuterRef("pk")))),
    "Exists with more": lambda q: q(Person).filter(
        Exists(q(Room).filter(owner=OuterRef("pk"), size__gt=2)), is_active=True
    ),
    "Exists or": lambda q: q(Person).filter(
        Q(Exists(q(Room).filter(owner=OuterRef("pk")))) | Q(name="ann")
    ),
    "Exists uncorrelated": lambda q: q(Person).filter(Exists(q(Room).filter(size=99))),
    "not Exists uncorrelated": lambda q: q(Person).filter(~Exists(q(Room).filter(size=99))),
    "Exists of null": lambda q: q(Person).filter(
        Exists(q(Room).filter(topic=OuterRef("nickname")))
    ),
    "Exists nested": lambda q: q(Person).filter(
        Exists(
            q(Room).filter(
                Exists(q(Message).filter(room=OuterRef("pk"), author=OuterRef(OuterRef("pk"))))
            )
        )
    ),
    "Exists over join": lambda q: q(Room).filter(
        Exists(q(Membership).filter(room=OuterRef("pk"), person__name="سارا"))
    ),
    "annotate Exists": lambda q: (
        q(Person)
        .annotate(owns=Exists(q(Room).filter(owner=OuterRef("pk"))))
        .values_list("name", "owns")
    ),
    "filter annotated Exists": lambda q: (
        q(Person).annotate(owns=Exists(q(Room).filter(owner=OuterRef("pk")))).filter(owns=False)
    ),
    "order by Exists": lambda q: (
        q(Person)
        .annotate(owns=Exists(q(Room).filter(owner=OuterRef("pk"))))
        .order_by("-owns", "pk")
    ),
    "group by Exists": lambda q: (
        q(Person)
        .annotate(owns=Exists(q(Room).filter(owner=OuterRef("pk"))))
        .values("owns")
        .annotate(n=Count("pk"))
    ),
    "annotate Subquery": lambda q: (
        q(Room)
        .annotate(
            last=Subquery(
                q(Message).filter(room=OuterRef("pk")).order_by("-number").values("text")[:1]
            )
        )
        .values_list("title", "last")
    ),
    "filter Subquery": lambda q: (
        q(Room)
        .annotate(
            last=Subquery(
                q(Message).filter(room=OuterRef("pk")).order_by("-number").values("number")[:1]
            )
        )
        .filter(last__gt=21)
    ),
    "order by Subquery": lambda q: (
        q(Room)
        .annotate(
            last=Subquery(
                q(Message).filter(room=OuterRef("pk")).order_by("-number").values("sent_at")[:1]
            )
        )
        .order_by("last", "pk")
    ),
    "Subquery of a count": lambda q: (
        q(Room)
        .annotate(
            n=Subquery(
                q(Message)
                .filter(room=OuterRef("pk"))
                .order_by()
                .values("room")
                .annotate(n=Count("pk"))
                .values("n")
            )
        )
        .values_list("title", "n")
    ),
    "Subquery of a date": lambda q: (
        q(Room)
        .annotate(
            last=Subquery(
                q(Message).filter(room=OuterRef("pk")).order_by("-number").values("sent_at")[:1]
            )
        )
        .values_list("title", "last")
    ),
}
