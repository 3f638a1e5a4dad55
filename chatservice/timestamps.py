"""The one clock and the one way a time is written.

BSON keeps milliseconds. A time is cut to them when it is made, so that the value announced to
browsers and the one read back from the database a year later are the same text.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment: an aware datetime in UTC, cut to whole milliseconds."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_wire(moment: datetime) -> str:
    """`moment`, an aware datetime, as ISO 8601 in UTC: `2026-11-22T20:14:33.123+00:00`.

    Raises ValueError for a naive datetime: its zone would be a guess.
    """
    text = moment.isoformat(timespec="milliseconds")
    if text.endswith("+00:00"):  # as all of ours, and those from the database
        return text
    if moment.tzinfo is None:
        raise ValueError("A naive datetime has no place on the wire.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
