"""Object identifiers and other values on their way through Python, JSON, forms and BSON."""

import datetime
import json
import uuid
from decimal import Decimal

import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import DataError
from django.forms import modelform_factory

from chatservice.mongo.client import database
from chatservice.mongo.rest import DocumentSerializer, ObjectIdRestField

from .shapes.data import ADA, at, key
from .shapes.models import Message, Person, Room

DIGITS = "0123456789abcdef01234567"


def test_key_is_known_before_anything_is_stored():
    assert isinstance(Person().pk, ObjectId)
    assert Person().pk != Person().pk


@pytest.mark.parametrize("value", [DIGITS, DIGITS.upper(), ObjectId(DIGITS)])
def test_digits_and_identifiers_are_the_same(value):
    assert Person._meta.pk.to_python(value) == ObjectId(DIGITS)


@pytest.mark.parametrize(
    "value", ["", "xyz", DIGITS[:-1], DIGITS + "0", 7, b"twelve bytes", [DIGITS]]
)
def test_anything_else_is_invalid(value, engines):
    with pytest.raises(ValidationError, match="is not an object identifier"):
        Person._meta.pk.to_python(value)
    if not isinstance(value, list):
        with pytest.raises(ValidationError):
            Person.objects.filter(pk=value).exists()


def test_fixtures_have_digits(alice):
    [stored] = json.loads(serializers.serialize("json", [alice.user]))
    assert stored["pk"] == alice.id
    alice.user.delete()
    [loaded] = serializers.deserialize("json", json.dumps([stored]))
    loaded.save()
    assert type(alice.user).objects.get(pk=alice.id).email == alice.email


def test_forms_take_digits(engines):
    form_class = modelform_factory(Room, fields=["title", "owner", "made_at"])
    form = form_class({"title": "t", "owner": str(ADA), "made_at": "2025-01-01"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["owner"].pk == ADA
    assert "owner" in form_class({"title": "t", "owner": "nobody"}).errors
    assert str(ADA) in str(form["owner"])


class RoomSerializer(DocumentSerializer):
    class Meta:
        model = Room
        fields = ["id", "title", "owner", "made_at"]


def test_rest_speaks_digits(engines):
    data = json.loads(json.dumps(RoomSerializer(Room.objects.get(pk=key(3, 1))).data))
    assert (data["id"], data["owner"]) == (str(key(3, 1)), str(ADA))
    serializer = RoomSerializer(data={"title": "t", "owner": str(ADA), "made_at": "2025-01-01"})
    assert serializer.is_valid(), serializer.errors
    assert serializer.validated_data["owner"].pk == ADA
    for wrong in ("nobody", 7, None, str(key(1, 99))):
        serializer = RoomSerializer(data={"title": "t", "owner": wrong, "made_at": "2025-01-01"})
        assert not serializer.is_valid()
        assert serializer.errors.keys() == {"owner"}
    assert ObjectIdRestField().run_validation(DIGITS) == ObjectId(DIGITS)


def test_what_is_stored(writable_engines):
    token, data = uuid.uuid4(), {"list": [1, 2.5, None, {"$a.b": "x"}]}
    message = Message.objects.create(
        room_id=key(3, 3),
        author_id=str(ADA),
        number=2**31 - 1,
        text="سلام",
        sent_at=datetime.datetime(2025, 6, 1, 12, 0, 0, 123999, tzinfo=datetime.UTC),
        at_time=datetime.time(23, 59, 59, 999999),
        took=datetime.timedelta(days=1, microseconds=1),
        token=token,
        raw=memoryview(b"\0\xff"),
        data=data,
        big=2**62,
    )
    assert database()["shapes_message"].find_one({"_id": message.pk}) == {
        "_id": message.pk,
        "room_id": key(3, 3),
        "author_id": ADA,
        "reply_to_id": None,
        "number": 2**31 - 1,
        "text": "سلام",
        "likes": 0,
        "sent_at": at(2025, 6, 1, 12, 0, 0, 123000),
        "edited_at": None,
        "at_time": "23:59:59.999999",
        "took": 86_400_000_001,
        "token": token,
        "raw": b"\0\xff",
        "data": data,
        "big": Int64(2**62),
    }
    message.refresh_from_db()
    assert message.at_time == datetime.time(23, 59, 59, 999999)
    assert message.took == datetime.timedelta(days=1, microseconds=1)
    assert (message.data, message.token, bytes(message.raw)) == (data, token, b"\0\xff")
    assert message.sent_at == at(2025, 6, 1, 12, 0, 0, 123000)
    # What was saved is found by what it was saved with.
    sent_at = datetime.datetime(2025, 6, 1, 12, 0, 0, 123999, tzinfo=datetime.UTC)
    assert Message.objects.get(sent_at=sent_at) == message
    assert isinstance(database()["shapes_person"].find_one({"_id": ADA})["born"], datetime.datetime)
    assert database()["shapes_person"].find_one({"_id": ADA})["balance"] == Decimal128("10.50")
    assert Person.objects.get(pk=ADA).balance == Decimal("10.50")
    assert Binary.from_uuid(token).subtype == 4


def test_what_bson_cannot_hold(writable_engines):
    with pytest.raises(DataError):
        Message.objects.filter(number=1).update(data={"n": 2**64})
    with pytest.raises(DataError):
        Message.objects.filter(number=1).update(text="x" * 17_000_000)
