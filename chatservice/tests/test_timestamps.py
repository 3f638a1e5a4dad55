"""The one clock, and the one way a time is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chatservice.timestamps import now, to_wire


def test_now_is_as_exact_as_bson_keeps_it():
    moment = now()

    assert moment.utcoffset() == timedelta(0)
    assert moment.microsecond % 1000 == 0
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_a_time_on_the_wire():
    tehran = timezone(timedelta(hours=3, minutes=30))

    assert to_wire(datetime(2026, 11, 22, 20, 14, 33, 123000, UTC)) == (
        "2026-11-22T20:14:33.123+00:00"
    )
    assert to_wire(datetime(2026, 11, 22, 0, 0, 0, 0, tehran)) == "2026-11-21T20:30:00.000+00:00"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="naive"):
        to_wire(datetime(2026, 11, 22))
