"""Parts of dates and moments. `q` gives a model's queryset of one engine."""

import datetime
from zoneinfo import ZoneInfo

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

from .data import at, key
from .models import Message, Person

TEHRAN = ZoneInfo("Asia/Tehran")
ADA, BOB, CAROL, ANN, DOT, QUOTE, SARA, ZOFIE, BOB2 = (key(1, number) for number in range(1, 10))
GENERAL, GENERAL2, EMPTY, PERSIAN, SURE = (key(3, number) for number in range(1, 6))

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
}
