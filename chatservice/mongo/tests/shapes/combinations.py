"""Several things at once. Nobody asks like this; a translator that gets it right gets all right.

`q` gives a model's queryset of one engine.
"""

from datetime import date

from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, ExtractYear, Now

from .data import ADA, GENERAL, PERSIAN
from .models import Membership, Message, Person, Profile, Room, Tag

QUESTIONS = [
    lambda q: q(Room).filter(
        size__lt=Subquery(
            q(Message)
            .filter(room=OuterRef("pk"))
            .order_by()
            .values("room")
            .annotate(n=Count("pk"))
            .values("n")
        )
    ),
    lambda q: q(Room).filter(
        size=Subquery(q(Message).filter(room=OuterRef("pk")).order_by("number").values("likes")[:1])
    ),
    lambda q: q(Person).exclude(owned_rooms__messages__likes=3),
    lambda q: q(Person).exclude(owned_rooms__messages__likes=3, owned_rooms__size=3),
    lambda q: q(Person).filter(~Q(owned_rooms__title="General") | Q(name="Ada")),
    lambda q: q(Person).filter(~(Q(owned_rooms__title="General") | Q(rooms__title="general"))),
    lambda q: q(Person).filter(Q(owned_rooms__title="General") & ~Q(owned_rooms__topic=None)),
    lambda q: (
        q(Person).annotate(n=Count("owned_rooms__messages", distinct=True)).values_list("pk", "n")
    ),
    lambda q: (
        q(Person)
        .annotate(n=Count("owned_rooms__messages", distinct=True))
        .filter(n__gt=0)
        .order_by("-n", "boss__name", "pk")
    ),
    lambda q: q(Person).annotate(n=Coalesce("boss__name", "name")).values_list("pk", "n"),
    lambda q: (
        q(Person)
        .annotate(
            n=Case(
                When(boss__name="Ada", then=Value(1)),
                When(owned_rooms__title="General", then=Value(2)),
                default=Value(3),
            )
        )
        .values_list("pk", "n")
    ),
    lambda q: q(Person).annotate(n=Value(None, output_field=IntegerField())).values_list("pk", "n"),
    lambda q: q(Person).annotate(n=Value(None, output_field=IntegerField())).filter(n=None).count(),
    lambda q: (
        q(Room)
        .annotate(c=Count(Case(When(members__is_active=True, then=1))))
        .values_list("pk", "c")
    ),
    lambda q: q(Room).annotate(m=Max("messages__sent_at")).filter(m__year=2025),
    lambda q: (
        q(Room).annotate(m=Max("messages__sent_at")).order_by(F("m").desc(nulls_last=True), "pk")
    ),
    lambda q: list(q(Message).dates("sent_at", "month", order="DESC")),
    lambda q: list(q(Message).datetimes("edited_at", "hour"))[:3],
    lambda q: (
        q(Person)
        .values("is_active")
        .annotate(n=Count("pk"), m=Max("joined_at"), a=Avg("height"))
        .order_by("is_active")
    ),
    lambda q: q(Person).values("born__year").annotate(n=Count("pk")).order_by("born__year"),
    lambda q: (
        q(Person)
        .annotate(y=ExtractYear("born"))
        .values("y")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
    ),
    lambda q: (
        q(Room)
        .values("owner")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .values_list("owner__name", "n")
    ),
    lambda q: (
        q(Room).annotate(n=Count("members")).values("n").annotate(k=Count("pk")).order_by("n")
    ),
    lambda q: q(Room).annotate(n=Count("members")).values("n").distinct().count(),
    lambda q: q(Room).filter(members__in=q(Person).filter(boss__isnull=True)).distinct(),
    lambda q: q(Room).filter(Q(members__name="Ada"), Q(members__is_active=True)),
    lambda q: q(Message).filter(reply_to__reply_to__isnull=False),
    lambda q: q(Message).filter(replies__isnull=True).count(),
    lambda q: q(Message).filter(replies__author__boss__name="Ada"),
    lambda q: q(Message).exclude(replies__author__boss__name="Ada").count(),
    lambda q: q(Message).exclude(author__boss__name="Ada").count(),
    lambda q: q(Message).exclude(author__boss=None).count(),
    lambda q: q(Message).filter(~Q(author__boss__isnull=True)).count(),
    lambda q: q(Message).filter(author__boss__isnull=True).count(),
    lambda q: q(Message).filter(~Q(author__name="Ada", likes=0)).count(),
    lambda q: q(Message).filter(~Q(author__nickname="ace") | ~Q(likes=3)).count(),
    lambda q: (
        q(Person)
        .annotate(s=Sum("messages__likes", filter=Q(messages__room__title="General"), default=0))
        .values_list("pk", "s")
    ),
    lambda q: (
        q(Person)
        .annotate(e=Exists(q(Message).filter(author=OuterRef("pk"), likes=3)))
        .filter(Q(e=True) | Q(boss=None))
        .order_by("-e", "name")
    ),
    lambda q: (
        q(Person)
        .annotate(e=Exists(q(Message).filter(author=OuterRef("pk"), likes=3)))
        .aggregate(n=Count("pk", filter=Q(e=True)))
    ),
    lambda q: (
        q(Person)
        .annotate(
            c=Subquery(
                q(Message)
                .filter(author=OuterRef("pk"))
                .values("author")
                .annotate(n=Count("pk"))
                .values("n")
            )
        )
        .order_by(F("c").desc(nulls_last=True), "pk")[:3]
    ),
    lambda q: (
        q(Person)
        .annotate(
            c=Subquery(
                q(Message)
                .filter(author=OuterRef("pk"))
                .values("author")
                .annotate(n=Count("pk"))
                .values("n")
            )
        )
        .aggregate(Sum("c"))
    ),
    lambda q: (
        q(Person)
        .annotate(
            c=Subquery(
                q(Message)
                .filter(author=OuterRef("pk"))
                .values("author")
                .annotate(n=Count("pk"))
                .values("n")
            )
        )
        .values("c")
        .annotate(k=Count("pk"))
    ),
    lambda q: (
        q(Person).filter(messages__likes=3).annotate(n=Count("messages")).values_list("pk", "n")
    ),
    lambda q: (
        q(Person).annotate(n=Count("messages")).filter(messages__likes=3).values_list("pk", "n")
    ),
    lambda q: q(Person).filter(messages__likes=F("owned_rooms__size")).distinct(),
    lambda q: q(Person).order_by("-boss__boss__name", "-pk"),
    lambda q: q(Person).order_by("boss__owned_rooms__title", "pk"),
    lambda q: q(Room).select_related("owner__boss__boss").order_by("owner__boss__name", "pk")[:3],
    lambda q: (
        q(Membership).select_related("room", "person__profile", "muted_by").order_by("pk")[1:4]
    ),
    lambda q: [
        (m.pk, m.muted_by and m.muted_by.name, m.person.name)
        for m in q(Membership).select_related("person", "muted_by").order_by("pk")
    ],
    lambda q: q(Person).filter(profile__about__contains="1").values("profile__about"),
    lambda q: q(Profile).filter(pk__in=q(Profile).values("pk")[:2]).count(),
    lambda q: q(Profile).filter(person__in=q(Person).filter(profile__isnull=False)).count(),
    lambda q: q(Person).values_list("pk", "owned_rooms__messages__text").count(),
    lambda q: q(Person).values("name").annotate(t=Max("owned_rooms__title")).order_by("t", "name"),
    lambda q: q(Tag).annotate(n=Count("rooms__members", distinct=True)).values_list("word", "n"),
    lambda q: q(Room).filter(tags__in=q(Tag).filter(word__startswith="n")),
    lambda q: q(Room).filter(tags__word__gt="b").exclude(tags__word="news").distinct(),
    lambda q: q(Room).annotate(t=F("tags__word")).filter(t="fun").values_list("title", "t"),
    lambda q: q(Room).annotate(a=F("owner__boss__name")).filter(a__isnull=False),
    lambda q: q(Room).filter(size__gt=F("owner__height")),
    lambda q: q(Room).filter(size__in=[1, 2.5, "3"]),
    lambda q: q(Room).filter(size__range=("1", "2")),
    lambda q: q(Room).filter(limit__in=[None, 1]),
    lambda q: (
        q(Room).annotate(x=F("limit") * F("size") - F("owner__height")).values_list("pk", "x")
    ),
    lambda q: (
        q(Room)
        .annotate(x=ExpressionWrapper(F("limit") * 1.5, output_field=FloatField()))
        .filter(x__gt=1)
    ),
    lambda q: q(Person).annotate(x=F("balance") * 2).values_list("pk", "x"),
    lambda q: q(Person).filter(balance__gt=F("height")),
    lambda q: q(Person).filter(seen_at__gt=F("joined_at")),
    lambda q: q(Person).filter(seen_at__date=F("born")),
    lambda q: q(Person).filter(joined_at__date__in=[date(2025, 1, 1)]),
    lambda q: q(Person).filter(joined_at__date__range=(date(2024, 1, 31), date(2025, 1, 1))),
    lambda q: q(Person).filter(joined_at__hour__isnull=False).count(),
    lambda q: q(Person).filter(seen_at__month__gte=6).exclude(seen_at__day=2),
    lambda q: q(Person).filter(joined_at__gt=Now()),
    lambda q: q(Person).filter(joined_at__year__in=[2024, 2026]),
    lambda q: q(Person).filter(born__week=1),
    lambda q: q(Person).filter(born__quarter=1),
    lambda q: q(Person).filter(born__iso_year=1999),
    lambda q: q(Person).filter(name__exact=Value("Ada")),
    lambda q: q(Person).filter(Exists(q(Room).filter(owner=OuterRef("boss")))),
    lambda q: q(Person).filter(Exists(q(Room).filter(owner__boss=OuterRef("boss")))),
    lambda q: q(Person).filter(
        Exists(q(Room).filter(members=OuterRef("pk")).exclude(tags__word="fun"))
    ),
    lambda q: q(Person).exclude(Exists(q(Room).filter(owner=OuterRef("pk")))),
    lambda q: q(Person).filter(Q(name="Ada") | ~Exists(q(Message).filter(author=OuterRef("pk")))),
    lambda q: q(Person).filter(
        Exists(
            q(Message)
            .filter(author=OuterRef("pk"))
            .values("room")
            .annotate(n=Count("pk"))
            .filter(n__gt=2)
        )
    ),
    lambda q: q(Person).filter(
        Exists(q(Message).filter(author=OuterRef("pk")).order_by("-number")[1:])
    ),
    lambda q: (
        q(Message)
        .order_by("room__title", "author__name", "-number")
        .values_list("room__title", "author__name", "number")[3:9]
    ),
    lambda q: (
        q(Message)
        .values("room__title", "room__owner__name")
        .annotate(n=Count("author", distinct=True), last=Max("number"))
        .order_by("-last")
    ),
    lambda q: q(Person).only("pk").values_list("pk").distinct().count(),
    lambda q: (
        q(Person)
        .filter(rooms__in=[Room(pk=GENERAL), Room(pk=PERSIAN)])
        .values("pk")
        .annotate(n=Count("pk"))
        .order_by("-n", "pk")
    ),
    lambda q: q(Person).filter(muted_memberships__isnull=False).distinct(),
    lambda q: q(Person).filter(muted_memberships__room__title="General"),
    lambda q: (
        q(Person)
        .annotate(m=Min("memberships__joined_on"), x=Max("memberships__joined_on"))
        .filter(m__lt=F("x"))
    ),
    lambda q: (
        q(Person)
        .annotate(cnt=Count("memberships"))
        .filter(
            cnt=q(Membership)
            .filter(person=ADA)
            .values("person")
            .annotate(n=Count("pk"))
            .values("n")
        )
    ),
    lambda q: q(Person).aggregate(a=Count("boss"), b=Count("boss", distinct=True), c=Count("*")),
    lambda q: q(Person).aggregate(a=Max("boss__name"), b=Min("is_verified"), c=Max("pk")),
    lambda q: q(Person).filter(boss__in=q(Person).filter(boss=None)).aggregate(n=Count("pk")),
    lambda q: q(Person)[:3].aggregate(n=Count("pk")),
    lambda q: q(Person).order_by("name")[2:6].aggregate(m=Max("name")),
    lambda q: (
        q(Person)
        .annotate(b=F("boss__name"))
        .values("b")
        .annotate(n=Count("pk"))
        .order_by("-n", "b")[:1]
    ),
    lambda q: q(Room).filter(members__name__startswith="A", members__boss=None).count(),
    lambda q: q(Room).filter(memberships__muted_by__isnull=True).distinct().count(),
    lambda q: q(Room).exclude(memberships__muted_by__isnull=True),
    lambda q: q(Room).exclude(memberships__muted_by=None, memberships__role="owner"),
    lambda q: q(Room).exclude(memberships__muted_by__name="Ada"),
    lambda q: q(Room).exclude(Q(members__name="Ada") | Q(size=0)),
    lambda q: q(Room).exclude(~Q(members__name="Ada")),
    lambda q: q(Room).filter(~Q(~Q(members__name="Ada"))).distinct(),
    lambda q: (
        q(Room).annotate(n=Count("members")).exclude(members__name="Ada").values_list("pk", "n")
    ),
    lambda q: (
        q(Room)
        .annotate(first=Min("messages__number"))
        .filter(Q(first=0) | Q(first=None))
        .values_list("pk", "first")
    ),
    lambda q: (
        q(Room)
        .annotate(
            x=Case(
                When(Exists(q(Message).filter(room=OuterRef("pk"))), then=Value(1)),
                default=Value(0),
            )
        )
        .values_list("pk", "x")
    ),
    lambda q: (
        q(Room)
        .annotate(x=Count("messages"))
        .annotate(y=Case(When(x__gt=7, then=Value("big")), default=Value("small")))
        .values_list("pk", "y")
    ),
    lambda q: (
        q(Room)
        .annotate(x=Count("messages"))
        .annotate(y=Case(When(x__gt=7, then=Value("big")), default=Value("small")))
        .values("y")
        .annotate(n=Count("pk"))
    ),
    lambda q: q(Room).annotate(x=Count("messages"), y=F("x") + 1).values_list("pk", "y"),
    lambda q: (
        q(Room)
        .annotate(x=Coalesce(Sum("messages__likes"), 0))
        .order_by("-x", "pk")
        .values_list("x")
    ),
    lambda q: q(Room).annotate(x=Count("messages")).aggregate(a=Sum("x"), b=Sum(F("x") + 1)),
]
COMBINATIONS = {f"combination {number}": one for number, one in enumerate(QUESTIONS, start=1)}
