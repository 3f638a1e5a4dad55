"""Order, slices, counting, columns. `q` gives a model's queryset of one engine."""

from django.db.models import (
    Count,
    F,
    Value,
)
from django.db.models.functions import (
    Coalesce,
)

from .data import ADA, BOB
from .models import Message, Person, Room, Tag

LISTINGS = {
    # Order and slices
    "order": lambda q: q(Person).order_by("name"),
    "order descending": lambda q: q(Person).order_by("-name"),
    "order nulls": lambda q: q(Person).order_by("nickname", "pk"),
    "order nulls descending": lambda q: q(Person).order_by("-nickname", "pk"),
    "order nulls last": lambda q: q(Person).order_by(F("nickname").asc(nulls_last=True), "pk"),
    "order nulls first": lambda q: q(Person).order_by(F("nickname").desc(nulls_first=True), "pk"),
    "order two": lambda q: q(Person).order_by("height", "-name"),
    "order boolean": lambda q: q(Person).order_by("is_verified", "pk"),
    "order decimal": lambda q: q(Person).order_by("-balance", "pk"),
    "order date": lambda q: q(Person).order_by("born", "pk"),
    "order uuid": lambda q: q(Message).order_by("token", "pk"),
    "order time": lambda q: q(Message).order_by("at_time", "pk"),
    "order duration": lambda q: q(Message).order_by("-took", "pk"),
    "order binary": lambda q: q(Message).order_by("raw", "pk"),
    "order json": lambda q: q(Message).order_by("data", "pk"),
    "order by foreign key": lambda q: q(Room).order_by("owner", "pk"),
    "order by foreign key's id": lambda q: q(Room).order_by("-owner_id", "pk"),
    "order by related field": lambda q: q(Room).order_by("owner__name", "pk"),
    "order by nullable related field": lambda q: q(Person).order_by("boss__name", "pk"),
    "order by two joins": lambda q: q(Message).order_by("author__boss__name", "pk"),
    "order by reverse relation": lambda q: q(Person).order_by("owned_rooms__title", "pk"),
    "order by expression": lambda q: q(Room).order_by(Coalesce("limit", Value(5)), "pk"),
    "order by annotation": lambda q: q(Room).annotate(n=F("size") * 2).order_by("-n", "pk"),
    "order by constant": lambda q: q(Room).order_by(Value(1), "pk"),
    "order at random": lambda q: q(Room).order_by("?"),
    "Meta.ordering": lambda q: q(Tag),
    "reverse order": lambda q: q(Tag).reverse(),
    "first": lambda q: q(Person).order_by("name").first(),
    "first of none": lambda q: q(Person).filter(name="x").first(),
    "last": lambda q: q(Person).order_by("name").last(),
    "latest": lambda q: q(Message).latest("sent_at"),
    "earliest": lambda q: q(Message).earliest("sent_at"),
    "slice": lambda q: q(Person).order_by("pk")[2:5],
    "slice from": lambda q: q(Person).order_by("pk")[7:],
    "slice past the end": lambda q: q(Person).order_by("pk")[100:110],
    "empty slice": lambda q: q(Person).order_by("pk")[3:3],
    "slice of slice": lambda q: q(Person).order_by("pk")[2:8][1:3],
    "slice with step": lambda q: q(Person).order_by("pk")[1:8:3],
    "negative slice": lambda q: q(Person).order_by("pk")[-2:],
    "index": lambda q: q(Person).order_by("pk")[4],
    # Counting
    "count": lambda q: q(Person).count(),
    "count filtered": lambda q: q(Person).filter(nickname="ace").count(),
    "count none": lambda q: q(Person).none().count(),
    "count of nothing": lambda q: q(Person).filter(name="x").count(),
    "count slice": lambda q: q(Person).order_by("pk")[3:].count(),
    "count short slice": lambda q: q(Person).order_by("pk")[:2].count(),
    "count distinct": lambda q: q(Person).values("nickname").distinct().count(),
    "count join": lambda q: q(Room).filter(members__is_active=True).count(),
    "count join distinct": lambda q: q(Room).filter(members__is_active=True).distinct().count(),
    "count annotated": lambda q: q(Room).annotate(n=Count("members")).filter(n__gt=1).count(),
    "exists": lambda q: q(Person).filter(name="Ada").exists(),
    "exists not": lambda q: q(Person).filter(name="x").exists(),
    "exists in nothing": lambda q: q(Person).filter(pk__in=[]).exists(),
    "exists sliced": lambda q: q(Person).order_by("pk")[20:].exists(),
    "contains": lambda q: q(Person).contains(Person(pk=ADA)),
    "in_bulk": lambda q: sorted((str(k), v.name) for k, v in q(Person).in_bulk([ADA, BOB]).items()),
    "in_bulk by field": lambda q: sorted(q(Person).in_bulk(["bob@x.org"], field_name="email")),
    "iterator": lambda q: [person.pk for person in q(Person).order_by("pk").iterator(chunk_size=2)],
    # Columns
    "values": lambda q: q(Person).values("name", "born", "balance"),
    "values all": lambda q: q(Message).order_by("pk").values(),
    "values_list": lambda q: q(Person).values_list("pk", "height"),
    "values_list flat": lambda q: q(Person).values_list("name", flat=True),
    "values_list of nulls": lambda q: q(Person).values_list("nickname", flat=True),
    "values_list named": lambda q: [
        tuple(row) for row in q(Tag).values_list("id", "word", named=True)
    ],
    "values over join": lambda q: q(Room).values("title", "owner__name"),
    "values over null join": lambda q: q(Person).values("name", "boss__name", "boss__boss__name"),
    "values over M2M": lambda q: q(Room).values("title", "tags__word"),
    "values of foreign key": lambda q: q(Room).values("owner", "owner_id"),
    "values with expression": lambda q: q(Room).values("title", twice=F("size") * 2),
    "values pk": lambda q: q(Person).values("pk"),
    "only": lambda q: [(p.name, p.email) for p in q(Person).only("name").order_by("pk")],
    "defer": lambda q: [(p.name, p.email) for p in q(Person).defer("name", "born").order_by("pk")],
    "only over join": lambda q: [
        (r.title, r.owner.name)
        for r in q(Room).select_related("owner").only("title", "owner__name").order_by("pk")
    ],
    "distinct": lambda q: q(Person).values("nickname").distinct(),
    "distinct with order": lambda q: (
        q(Person).values_list("nickname").distinct().order_by("nickname")
    ),
    "distinct, order by other": lambda q: (
        q(Person).values_list("nickname").distinct().order_by("pk")
    ),
    "distinct sliced": lambda q: q(Person).values_list("height").distinct().order_by("height")[1:3],
    "distinct objects": lambda q: q(Room).filter(members__is_active=True).distinct(),
    "distinct on field": lambda q: q(Person).distinct("nickname"),
    "duplicates of M2M": lambda q: q(Room).filter(members__is_active=True),
    "duplicates of tags": lambda q: q(Room).filter(tags__word__in=["news", "fun"]),
}
