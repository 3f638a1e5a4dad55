"""Numbers in the digits of the page's language."""

from django import template
from django.utils.translation import get_language

register = template.Library()

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@register.filter
def digits(number: object) -> str:
    """A whole number as people write it; scripts have Intl.NumberFormat for the same."""
    text = str(number)
    return text.translate(PERSIAN) if (get_language() or "").startswith("fa") else text
