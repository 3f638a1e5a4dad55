"""Answers of MongoDB are the same however their bytes come."""

import asyncio
from types import SimpleNamespace

import pytest
from bson import encode
from pymongo.message import _UNPACK_REPLY

from chatservice.mongo.network import BUFFER_SIZE, Answers


def answer(number, size):
    """The bytes of an answer to a request with this number."""
    body = b"\0\0\0\0\0" + encode({"ok": 1, "text": "x" * size})
    head = (16 + len(body), 7, number, 2013)  # OP_MSG
    return b"".join(value.to_bytes(4, "little") for value in head) + body


def feed(answers, data, piece):
    """Give bytes to a connection as an event loop does, at most `piece` at a time."""
    while data:
        room = answers.get_buffer(-1)
        taken = min(len(room), len(data), piece)
        room[:taken] = data[:taken]
        answers.buffer_updated(taken)
        data = data[taken:]


@pytest.mark.parametrize("piece", [1, 15, 16, 17, 100, BUFFER_SIZE, 10**9])
def test_they_may_come_in_any_pieces_and_several_at_once(piece):
    sizes = [3, BUFFER_SIZE - 60, 3, 5 * BUFFER_SIZE if piece > 1 else 200, 0, 40]

    async def read():
        answers = Answers()
        answers.transport = SimpleNamespace(is_closing=lambda: False, resume_reading=lambda: None)
        first = asyncio.ensure_future(answers.read(0, 10**8))
        await asyncio.sleep(0)  # it waits; the others are asked for when they are there
        feed(answers, b"".join(answer(n, size) for n, size in enumerate(sizes)), piece)
        replies = [await first]
        replies += [await answers.read(number, 10**8) for number in range(1, len(sizes))]
        assert len(answers._buffer) == BUFFER_SIZE
        return [_UNPACK_REPLY[code](data).unpack_response()[0] for data, code in replies]

    assert [len(reply["text"]) for reply in asyncio.run(read())] == sizes


def test_what_is_no_answer_ends_the_connection():
    async def read():
        aborted = []
        answers = Answers()
        answers.transport = SimpleNamespace(abort=lambda: aborted.append(True))
        feed(answers, b"HTTP/1.1 400 Bad Request\r\n", 100)
        assert aborted

    asyncio.run(read())
