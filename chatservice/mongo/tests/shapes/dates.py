"""Parts of dates and moments. `q` gives a model's queryset of one engine."""

import datetime
from functools import partial
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import (
    ExtractHour,
    ExtractIsoWeekDay,
    ExtractIsoYear,
    ExtractQuarter,
    ExtractWeek,
    ExtractWeekDay,
    TruncDate,
    TruncDay,
    TruncHour,
    TruncMonth,
    TruncQuarter,
    TruncTime,
    TruncWeek,
    TruncYear,
)

from .data import (
    TEHRAN,
    at,
)
from .models import Message, Person

ZONES = [
    "UTC",
    "Asia/Tehran",
    "America/New_York",
    "America/Mexico_City",
    "Africa/Cairo",
    "Asia/Almaty",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
]


def clocks_of(q, zone):
    """What the clocks of a zone show when messages are sent and people join."""
    hours = q(Message).values_list("pk", ExtractHour("sent_at", tzinfo=zone), TruncYear("sent_at"))
    return [
        list(hours.order_by("pk")),
        list(
            q(Person)
            .values_list(
                "pk",
                ExtractHour("joined_at", tzinfo=zone),
                ExtractWeekDay("seen_at", tzinfo=zone),
                TruncHour("joined_at", tzinfo=zone),
                TruncYear("joined_at", tzinfo=zone),
                TruncWeek("seen_at", tzinfo=zone),
                TruncDate("seen_at", tzinfo=zone),
                TruncTime("joined_at", tzinfo=zone),
            )
            .order_by("pk")
        ),
    ]


DATES = {
    # Dates
    "__year": lambda q: q(Person).filter(joined_at__year=2024),
    "__year of date": lambda q: q(Person).filter(born__year=1990),
    "__year gt": lambda q: q(Person).filter(joined_at__year__gt=2024),
    "not __year": lambda q: q(Person).exclude(seen_at__year=2025),
    "__month": lambda q: q(Person).filter(joined_at__month=1),
    "__month in": lambda q: q(Person).filter(joined_at__month__in=[2, 3]),
    "__day": lambda q: q(Person).filter(born__day=20),
    "__hour": lambda q: q(Person).filter(joined_at__hour=20),
    "__week_day": lambda q: q(Person).filter(joined_at__week_day=1),
    "__iso_week_day": lambda q: q(Person).values("pk", d=ExtractIsoWeekDay("joined_at")),
    "__date": lambda q: q(Person).filter(joined_at__date=datetime.date(2025, 1, 1)),
    "__date lt": lambda q: q(Person).filter(seen_at__date__lt=datetime.date(2025, 6, 1)),
    "__time": lambda q: q(Person).filter(joined_at__time__gte=datetime.time(20)),
    "extract parts": lambda q: q(Message).values_list(
        "pk",
        ExtractHour("sent_at"),
        ExtractWeek("sent_at"),
        ExtractIsoYear("sent_at"),
        ExtractQuarter("sent_at"),
        ExtractWeekDay("sent_at"),
    ),
    "extract of null": lambda q: q(Message).values_list("pk", "edited_at__year"),
    "extract in a zone": lambda q: q(Person).values_list(
        "pk", ExtractHour("joined_at", tzinfo=TEHRAN)
    ),
    "trunc": lambda q: q(Person).values_list(
        "pk",
        TruncDay("joined_at"),
        TruncMonth("joined_at"),
        TruncYear("joined_at"),
        TruncQuarter("joined_at"),
        TruncWeek("joined_at"),
        TruncHour("joined_at"),
    ),
    "trunc of null": lambda q: q(Person).values_list(
        "pk", TruncDay("seen_at"), TruncDate("seen_at")
    ),
    "trunc in a zone": lambda q: q(Person).values_list(
        "pk", TruncDay("joined_at", tzinfo=TEHRAN), TruncDate("joined_at", tzinfo=TEHRAN)
    ),
    "trunc of date": lambda q: q(Person).values_list("pk", TruncMonth("born")),
    "trunc to time": lambda q: q(Person).values_list("pk", TruncTime("joined_at")),
    "dates": lambda q: list(q(Person).dates("born", "year")),
    "dates descending": lambda q: list(q(Person).dates("born", "month", order="DESC")),
    "datetimes": lambda q: list(q(Message).datetimes("sent_at", "day")),
    "datetimes in a zone": lambda q: list(q(Message).datetimes("sent_at", "day", tzinfo=TEHRAN)),
    "filter annotated day": lambda q: (
        q(Message).annotate(day=TruncDay("sent_at")).filter(day=at(2025, 1, 1))
    ),
    "filter annotated day in a zone": lambda q: (
        q(Message)
        .annotate(day=TruncDay("sent_at", tzinfo=TEHRAN))
        .filter(day__gt=at(2025, 1, 1, 1))
    ),
    "group by day in a zone": lambda q: (
        q(Message)
        .values(day=TruncDate("sent_at", tzinfo=TEHRAN))
        .annotate(n=Count("pk"))
        .order_by("day")
    ),
    "fixed offset": lambda q: clocks_of(
        q, datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
    ),
    **{f"clocks in {name}": partial(clocks_of, zone=ZoneInfo(name)) for name in ZONES},
}
