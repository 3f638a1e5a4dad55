"""Dates in Persian: by the calendar and in the digits that people use who read it.

Browsers write them so, too (`local-time.js`); this is for what they are told without a script, and
for the administration. Django has formats for each language, but one calendar for all, and nowhere
to name another: so its `formats.date_format`, which all of its templates come to, is replaced.
"""

from datetime import date, datetime
from functools import cached_property

from django.utils import dateformat, formats
from persiantools.jdatetime import MONTH_NAMES_FA, JalaliDate

from .languages import digits, is_persian

django_date_format = formats.date_format

FIRST_YEAR = 622
"""Of the Gregorian calendar; what is before it, and nobody stores, has no Persian date."""

FOR_PROGRAMS = {"c", "r", "U"}
"""Formats that are the same in all languages."""


class PersianDateFormat(dateformat.DateFormat):
    """Django's, with the day, the month and the year of the Persian calendar."""

    @cached_property
    def persian(self) -> JalaliDate:
        return JalaliDate(date(self.data.year, self.data.month, self.data.day))

    def j(self) -> int:
        return self.persian.day

    def d(self) -> str:
        return f"{self.persian.day:02}"

    def n(self) -> int:
        return self.persian.month

    def m(self) -> str:
        return f"{self.persian.month:02}"

    def F(self) -> str:
        return MONTH_NAMES_FA[self.persian.month]

    M = N = E = b = F

    def Y(self) -> str:
        return f"{self.persian.year:04}"

    def y(self) -> str:
        return self.Y()[-2:]


def date_format(
    value: date | datetime, format: str | None = None, use_l10n: bool | None = None
) -> str:
    """`django.utils.formats.date_format`, which in Persian writes what Persians write."""
    if not is_persian() or format in FOR_PROGRAMS or value.year <= FIRST_YEAR:
        return django_date_format(value, format, use_l10n)
    pattern = formats.get_format(format or "DATE_FORMAT", use_l10n=use_l10n)
    return digits(PersianDateFormat(value).format(pattern))


def install() -> None:
    """Have Django write dates with the function above."""
    formats.date_format = date_format
