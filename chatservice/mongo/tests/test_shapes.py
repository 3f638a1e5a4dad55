"""The same question gets the same rows from MongoDB and from SQLite, or is refused.

Refusals are listed by name. A question that begins to work, or fails in another way, fails its
test: it is to be taken off the list, or mended.
"""

from decimal import Decimal

import pytest
from django.db import NotSupportedError
from django.db.models import Model, QuerySet

from .shapes.reads import READS

REFUSED = {
    "xor",
    "json value",
    "json exact",
    "json contains",
    "json has_key",
    "regex",
    "iregex",
    "date contains",
    "order binary",
    "order json",
    "order by constant",
    "order at random",
    "distinct on field",
    "sum of booleans",
    "filter F of other type",
    "division",
    "moment minus moment",
    "union",
    "difference",
    "extra",
    "extra select",
    "raw",
}


def answer(shape, alias):
    """What an engine answers, in a form that can be compared."""
    try:
        result = shape(lambda model: model.objects.using(alias))
        if isinstance(result, QuerySet):
            rows = [plain(row) for row in result]
            return rows if result.ordered else sorted(rows, key=repr)
        return plain(result)
    except NotSupportedError:
        raise
    except Exception as error:
        return type(error)


def plain(value):
    match value:
        case Model():
            return type(value).__name__, value.pk
        case dict():
            return [(key, plain(one)) for key, one in value.items()]
        case list() | tuple():
            return [plain(one) for one in value]
        case Decimal():
            return value.normalize()
        case float():
            return round(value, 9)
        case memoryview():
            return bytes(value)
    return value


@pytest.mark.parametrize("name", READS)
def test_reading(engines, name):
    mongo, sqlite = engines
    expected = answer_or_refusal(name, sqlite)
    if name in REFUSED:
        with pytest.raises(NotSupportedError):
            answer(READS[name], mongo)
    else:
        assert answer(READS[name], mongo) == expected


def answer_or_refusal(name, alias):
    try:
        return answer(READS[name], alias)
    except NotSupportedError:
        return NotSupportedError
