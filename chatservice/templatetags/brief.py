"""Moments where there is little room for them."""

from datetime import datetime

from django import template
from django.utils import formats
from django.utils.timezone import localdate

register = template.Library()


@register.filter(expects_localtime=True)
def brief(moment: datetime) -> str:
    """The time of what was today, the date of all else, in the zone of the service.

    `local-time.js` has the same, and more words, for the zone of the reader.
    """
    is_today = moment.date() == localdate()
    return formats.date_format(moment, "H:i" if is_today else "SHORT_DATE_FORMAT")
