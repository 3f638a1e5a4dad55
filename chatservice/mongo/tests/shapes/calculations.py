"""Aggregates, expressions, and what neither MongoDB nor we have. `q` gives an engine's queryset."""

from django.db.models import (
    Avg,
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Min,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import (
    Coalesce,
    TruncDay,
)

from .models import Message, Person, Room, Tag

CALCULATIONS = {
    # Aggregates
    "aggregate": lambda q: q(Message).aggregate(
        Max("likes"), Min("likes"), Count("pk"), Sum("likes"), Avg("likes")
    ),
    "aggregate dates": lambda q: q(Person).aggregate(Max("born"), Min("joined_at"), Max("seen_at")),
    "aggregate nothing": lambda q: (
        q(Message).filter(number=99).aggregate(Sum("likes"), Count("pk"), Max("likes"))
    ),
    "aggregate none": lambda q: q(Message).none().aggregate(Sum("likes"), n=Count("pk")),
    "aggregate default": lambda q: q(Message).none().aggregate(n=Sum("likes", default=7)),
    "aggregate default of nothing": lambda q: (
        q(Message).filter(number=99).aggregate(n=Sum("likes", default=7))
    ),
    "aggregate nulls": lambda q: q(Room).aggregate(
        Count("limit"), Sum("limit"), Avg("limit"), Min("limit")
    ),
    "aggregate only nulls": lambda q: (
        q(Room).filter(limit=None).aggregate(Count("limit"), Sum("limit"), Avg("limit"))
    ),
    "aggregate decimal": lambda q: q(Person).aggregate(Sum("balance"), Max("balance")),
    "aggregate float": lambda q: q(Person).aggregate(Sum("height"), Avg("height")),
    "aggregate duration": lambda q: q(Message).aggregate(Sum("took")),
    "aggregate text": lambda q: q(Person).aggregate(Max("name"), Min("nickname")),
    "aggregate distinct": lambda q: q(Message).aggregate(
        Count("likes", distinct=True), Sum("likes", distinct=True), Avg("likes", distinct=True)
    ),
    "aggregate filter": lambda q: q(Message).aggregate(
        n=Count("pk", filter=Q(likes=3)), s=Sum("likes", filter=~Q(author=None))
    ),
    "aggregate join": lambda q: q(Room).aggregate(
        n=Count("members"), d=Count("members", distinct=True)
    ),
    "aggregate expression": lambda q: q(Message).aggregate(n=Sum(F("likes") * 2 + 1)),
    "arithmetic of aggregates": lambda q: q(Message).aggregate(n=Sum("likes") + Count("pk")),
    "aggregate of annotation": lambda q: (
        q(Room).annotate(n=Count("members")).aggregate(Max("n"), Avg("n"))
    ),
    "aggregate of slice": lambda q: q(Message).order_by("number")[:5].aggregate(Sum("likes")),
    "aggregate of distinct": lambda q: (
        q(Message).values("likes").distinct().aggregate(Sum("likes"))
    ),
    "sum of booleans": lambda q: q(Person).aggregate(Sum("is_active")),
    "annotate count": lambda q: q(Room).annotate(n=Count("members")).values_list("title", "n"),
    "annotate count of objects": lambda q: [
        (r.pk, r.n) for r in q(Room).annotate(n=Count("members")).order_by("pk")
    ],
    "annotate two counts": lambda q: (
        q(Room)
        .annotate(m=Count("members", distinct=True), t=Count("tags", distinct=True))
        .values_list("title", "m", "t")
    ),
    "annotate two counts, multiplied": lambda q: (
        q(Room).annotate(m=Count("members"), t=Count("tags")).values_list("title", "m", "t")
    ),
    "annotate count filter": lambda q: (
        q(Room)
        .annotate(n=Count("members", filter=Q(members__is_active=True)))
        .values_list("title", "n")
    ),
    "annotate max of join": lambda q: (
        q(Room).annotate(last=Max("messages__sent_at")).values_list("title", "last")
    ),
    "annotate sum of join": lambda q: (
        q(Room).annotate(n=Sum("messages__likes")).values_list("title", "n")
    ),
    "annotate, filter": lambda q: q(Room).annotate(n=Count("members")).filter(n__gte=2),
    "annotate, exclude": lambda q: q(Room).annotate(n=Count("members")).exclude(n=2),
    "annotate, filter, or": lambda q: (
        q(Room).annotate(n=Count("members")).filter(Q(n=0) | Q(title="General"))
    ),
    "filter, annotate": lambda q: (
        q(Room)
        .filter(members__is_active=True)
        .annotate(n=Count("members"))
        .values_list("title", "n")
    ),
    "annotate, filter join": lambda q: (
        q(Room).annotate(n=Count("members")).filter(tags__word="fun").values_list("title", "n")
    ),
    "annotate, order": lambda q: q(Room).annotate(n=Count("members")).order_by("-n", "title"),
    "annotate, slice": lambda q: q(Room).annotate(n=Count("members")).order_by("-n", "title")[1:3],
    "values, annotate": lambda q: q(Message).values("author").annotate(n=Count("pk")),
    "values, annotate null group": lambda q: q(Person).values("nickname").annotate(n=Count("pk")),
    "values, annotate join": lambda q: (
        q(Message).values("author__name").annotate(n=Count("pk"), s=Sum("likes"))
    ),
    "values, annotate, order": lambda q: (
        q(Message).values("author__name").annotate(n=Count("pk")).order_by("-n", "author__name")
    ),
    "values, annotate, filter": lambda q: (
        q(Message).values("room").annotate(n=Count("pk")).filter(n__gt=7)
    ),
    "values, annotate, values": lambda q: (
        q(Message).values("room", "author").annotate(n=Count("pk")).values("n")
    ),
    "values_list, annotate": lambda q: (
        q(Message).values_list("likes").annotate(n=Count("pk")).order_by("likes")
    ),
    "values, annotate by month": lambda q: (
        q(Message)
        .annotate(day=TruncDay("sent_at"))
        .values("day")
        .annotate(n=Count("pk"))
        .order_by("day")
    ),
    "values, annotate by year": lambda q: (
        q(Person).values("joined_at__year").annotate(n=Count("pk")).order_by("joined_at__year")
    ),
    "two values, annotate": lambda q: (
        q(Message).values("room__title", "author__name").annotate(n=Count("pk"))
    ),
    "group by expression": lambda q: q(Room).values(twice=F("size") * 2).annotate(n=Count("pk")),
    "count of groups": lambda q: q(Message).values("author").annotate(n=Count("pk")).count(),
    "alias": lambda q: q(Room).alias(n=Count("members")).filter(n=2),
    "max of F": lambda q: (
        q(Room).annotate(x=Max(F("messages__likes") + F("size"))).values_list("title", "x")
    ),
    "distinct groups": lambda q: (
        q(Message).values("author").annotate(n=Count("pk")).values_list("n").distinct()
    ),
    "Meta.ordering is not for groups": lambda q: q(Tag).values("rooms").annotate(n=Count("pk")),
    "Meta.ordering, annotate": lambda q: q(Tag).annotate(n=Count("rooms")).values_list("word", "n"),
    "Meta.ordering, distinct": lambda q: q(Tag).values("word").distinct(),
    "Meta.ordering, aggregate": lambda q: q(Tag).annotate(n=Count("rooms")).aggregate(Max("n")),
    "order by aggregate": lambda q: q(Room).order_by(Count("members"), "pk"),
    "order groups by aggregate": lambda q: (
        q(Message).values("author").annotate(n=Count("pk")).order_by(Sum("likes"), "author")
    ),
    "having over a join": lambda q: (
        q(Person).annotate(n=Count("owned_rooms")).filter(n__gt=0, boss__isnull=True)
    ),
    "having with F": lambda q: q(Room).annotate(n=Count("members")).filter(n__gt=F("size")),
    "aggregate of aggregate filter": lambda q: (
        q(Room).annotate(n=Count("members")).filter(n__gt=1).aggregate(Sum("n"), Count("pk"))
    ),
    "count of a distinct slice": lambda q: q(Person).values("height").distinct()[:3].count(),
    "exists of groups": lambda q: (
        q(Message).values("author").annotate(n=Count("pk")).filter(n=99).exists()
    ),
    "in groups": lambda q: q(Person).filter(
        pk__in=q(Message).values("author").annotate(n=Count("pk")).filter(n__gt=4).values("author")
    ),
    "count over null join": lambda q: (
        q(Person).values("boss__name").annotate(n=Count("boss"), m=Count("pk"))
    ),
    "sum over multiplied join": lambda q: (
        q(Room).filter(tags__word__in=["news", "fun"]).annotate(s=Sum("size")).values("pk", "s")
    ),
    "annotate after slice": lambda q: q(Room).order_by("pk")[:2].annotate(n=Count("members")),
    # Expressions
    "annotate F": lambda q: (
        q(Room).annotate(owner_name=F("owner__name")).values_list("title", "owner_name")
    ),
    "annotate Value": lambda q: q(Room).annotate(one=Value(1)).values_list("title", "one"),
    "annotate text Value": lambda q: (
        q(Room).annotate(word=Value("$title")).values_list("title", "word")
    ),
    "annotate arithmetic": lambda q: (
        q(Room).annotate(x=F("size") + F("limit") - 1).values_list("title", "x")
    ),
    "filter F": lambda q: q(Room).filter(size=F("limit")),
    "filter F gt": lambda q: q(Room).filter(size__gt=F("limit")),
    "not filter F": lambda q: q(Room).exclude(size=F("limit")),
    "filter F arithmetic": lambda q: q(Room).filter(limit__gt=F("size") + 1),
    "filter F of other type": lambda q: q(Room).filter(title=F("size")),
    "division": lambda q: q(Room).annotate(x=F("size") / 2).values_list("title", "x"),
    "Coalesce": lambda q: q(Person).annotate(n=Coalesce("nickname", "name")).values_list("pk", "n"),
    "filter Coalesce": lambda q: q(Person).annotate(n=Coalesce("nickname", "name")).filter(n="ace"),
    "Case": lambda q: (
        q(Person)
        .annotate(
            k=Case(
                When(nickname="ace", then=Value("A")),
                When(~Q(is_verified=True), then=Value("B")),
                default=Value("C"),
            )
        )
        .values_list("pk", "k")
    ),
    "Case without default": lambda q: (
        q(Person).annotate(k=Case(When(height__gt=1.66, then=F("height")))).values_list("pk", "k")
    ),
    "order by Case": lambda q: q(Person).order_by(
        Case(
            When(name__in=["Carol"], then=Value(0)), default=Value(1), output_field=IntegerField()
        ),
        "pk",
    ),
    "sum of Case": lambda q: q(Person).aggregate(
        n=Sum(Case(When(is_active=True, then=1), default=0))
    ),
    "condition as a value": lambda q: (
        q(Person)
        .annotate(x=ExpressionWrapper(Q(nickname="ace"), output_field=BooleanField()))
        .values_list("pk", "x")
    ),
    "moment minus moment": lambda q: (
        q(Message).annotate(x=F("edited_at") - F("sent_at")).values_list("pk", "x")
    ),
    "filter boolean F": lambda q: q(Person).filter(F("is_active")),
    # Things MongoDB or we do not have
    "union": lambda q: q(Person).filter(name="Ada").union(q(Person).filter(name="bob")),
    "difference": lambda q: q(Person).difference(q(Person).filter(name="bob")),
    "extra": lambda q: q(Room).extra(where=["size > 2"]),
    "extra select": lambda q: q(Room).extra(select={"x": "size + 1"}).values_list("x"),
    "raw": lambda q: [
        p.pk for p in Person.objects.using(q(Person).db).raw("SELECT * FROM shapes_person")
    ],
}
