"""The same question gets the same rows from MongoDB and from SQLite, or is refused.

Refusals are listed by name. A question that begins to work, or fails in another way, fails its
test: it is to be taken off the list, or mended.
"""

import re
from decimal import Decimal

import pytest
from bson import ObjectId
from django.db import NotSupportedError
from django.db.models import AutoField, Model, QuerySet
from django.db.models.functions import Coalesce

from .shapes.models import MODELS, Message, Person, Room
from .shapes.reads import READS
from .shapes.writes import WRITES

TEXT_LOOKUPS = {
    "contains": "{}",
    "icontains": "{}",
    "startswith": r"\A{}",
    "istartswith": r"\A{}",
    "endswith": r"{}\Z",
    "iendswith": r"{}\Z",
    "exact": r"\A{}\Z",
    "iexact": r"\A{}\Z",
}
NEEDLES = [
    "",
    "hello",
    "HELLO",
    "e.l",
    "l*",
    "0% o",
    "%",
    "_",
    "a_b",
    "^",
    "$",
    "+$",
    "(.*)+$",
    "\\",
    "k\\s",
    "'",
    '"',
    "\n",
    "line",
    "سلام",
    "دنیا",
    "\0",
    "\\E",
    "👍",
]

REFUSED_READS = {
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


REFUSED_WRITES = {
    "bulk_create updating conflicts",
    "update Subquery",
}


def answer(shape, alias):
    """What an engine answers, in a form that can be compared."""
    try:
        result = shape(question(alias))
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


def question(alias):
    return lambda model: model.objects.using(alias)


@pytest.mark.parametrize("name", READS)
def test_reading(engines, name):
    mongo, sqlite = engines
    if name in REFUSED_READS:
        with pytest.raises(NotSupportedError):
            answer(READS[name], mongo)
    else:
        assert answer(READS[name], mongo) == answer(READS[name], sqlite)


@pytest.mark.parametrize("name", WRITES)
def test_writing(writable_engines, name):
    mongo, sqlite = writable_engines
    if name in REFUSED_WRITES:
        with pytest.raises(NotSupportedError):
            answer(WRITES[name], mongo)
    else:
        assert answer(WRITES[name], mongo) == answer(WRITES[name], sqlite)
        assert everything(mongo) == everything(sqlite)


def everything(alias):
    """All rows of all models, but for the numbers and keys that each engine makes by itself."""
    rows = {}
    for model in [*MODELS, Room.tags.through]:
        columns = [
            field.attname
            for field in model._meta.concrete_fields
            if not isinstance(field, AutoField)
        ]
        found = model.objects.using(alias).values_list(*columns)
        rows[model.__name__] = sorted(
            ([anonymous(value) for value in plain(row)] for row in found), key=repr
        )
    return rows


def anonymous(value):
    made_by_the_engine = isinstance(value, ObjectId) and value.generation_time.year > 1970
    return "new" if made_by_the_engine else value


@pytest.mark.parametrize("needle", NEEDLES)
@pytest.mark.parametrize("lookup", TEXT_LOOKUPS)
def test_text_lookups(engines, lookup, needle):
    """As in PostgreSQL and Python: SQLite ignores the case of ASCII letters, and of no others."""
    mongo, _ = engines
    texts = list(Message.objects.values_list("text", flat=True))
    flags = re.IGNORECASE if lookup.startswith("i") else 0
    pattern = TEXT_LOOKUPS[lookup].format(re.escape(needle))
    expected = [text for text in texts if re.search(pattern, text, flags)]

    found = Message.objects.using(mongo).filter(**{f"text__{lookup}": needle})
    assert sorted(found.values_list("text", flat=True)) == sorted(expected)
    rest = Message.objects.using(mongo).exclude(**{f"text__{lookup}": needle})
    assert rest.count() == len(texts) - len(expected)
    folded = Message.objects.annotate(t=Coalesce("text", "text")).filter(**{f"t__{lookup}": needle})
    assert folded.count() == len(expected)


def test_text_lookups_do_not_match_null(engines):
    assert not Person.objects.filter(nickname=None, nickname__contains="").exists()
    assert Person.objects.exclude(nickname__contains="").get() == Person.objects.get(nickname=None)
