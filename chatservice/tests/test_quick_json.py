"""What orjson reads and writes means the same as with Python's `json`, or is left to that."""

import json
import math
from datetime import UTC, datetime
from io import BytesIO

import pytest
import socketio
from engineio import json as engineio_json
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as RestFrameworksParser

from chatservice.parsers import JSONParser
from chatservice.realtime.server import QuickJSON

TEXTS = [
    *('{"a": 1}', "[]", '"سلام"', "null", "1.5", "-0", "1e3", '{"a": 1, "a": 2}', ' \n{"a":[]}\t'),
    *(
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
    ),
    *(
        "1" * 60,
        "9007199254740993",
        "0.1e-5",
        '{"a": "\\ud83d\\ude00"}',
        '{"a": "\\ud800"}',
        '"\\u0000"',
    ),
    *(
        "1e400",
        "NaN",
        "[Infinity]",
        "{",
        "",
        "{'a': 1}",
        '{"a": 1} x',
        '"a\tb"',
        "[1,]",
        "\ufeff{}",
    ),
    *("[" * 2000 + "]" * 2000, "1" * 101),
]
"""Of all kinds: what both understand, what only one does, and what nobody does."""


def outcome(read, text):
    """What is read, with the kinds of its numbers; or that it is refused."""
    try:
        return repr(read(text))
    except (ValueError, RecursionError) as error:
        return f"refused: {error}"


@pytest.mark.parametrize("text", TEXTS)
def test_sockets_read_what_the_library_reads(text):
    assert outcome(QuickJSON.loads, text) == outcome(engineio_json.loads, text)


@pytest.mark.parametrize("text", [text for text in TEXTS if text.lstrip().startswith("{")])
def test_requests_are_read_as_by_rest_framework(text):
    def by(parser):
        def read(body):
            try:
                return parser.parse(BytesIO(body.encode("utf-8", "surrogatepass")))
            except ParseError:
                raise ValueError("refused") from None

        return outcome(read, text)

    assert by(JSONParser()) == by(RestFrameworksParser())


PAYLOADS = [
    *(None, [], {}, True, 0, -1, 2**53, 2**63, 2**64, -(2**70), 1.5, 1e300, "", "hello", "سلام"),
    *("\u2028\u2029</script>", "\U0001f600", "half \ud800", "\x00\x1f\x7f", {"a": [{"b": None}]}),
    *((1, 2), {1: "a", None: "b"}, [[[]]]),
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_sockets_write_means_what_the_library_writes(payload):
    written = QuickJSON.dumps(payload, separators=(",", ":"))

    assert json.loads(written) == json.loads(json.dumps(payload))


@pytest.mark.parametrize("payload", [datetime.now(UTC), {"a": object()}, {1, 2}])
def test_what_is_no_json_is_refused_as_by_the_library(payload):
    with pytest.raises(TypeError):
        QuickJSON.dumps(payload)


def test_no_number_is_written_that_browsers_cannot_read():
    assert QuickJSON.dumps([math.nan, math.inf]) == "[null,null]"


def test_persian_is_written_as_it_is():
    packet = socketio.packet.Packet(socketio.packet.EVENT, ["room_event", {"content": "سلام"}])

    assert packet.encode() == '2["room_event",{"content":"سلام"}]'
