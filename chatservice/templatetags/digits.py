"""Numbers in the digits of the page's language."""

from django import template

from chatservice.languages import digits

register = template.Library()
register.filter("digits", digits)
