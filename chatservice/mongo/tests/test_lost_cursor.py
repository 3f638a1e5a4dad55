"""A server that forgets what it was asked: it was restarted between two batches of an answer."""

import pytest
from pymongo.errors import CursorNotFound

from chatservice.errors import answer_for
from chatservice.mongo.client import database


@pytest.fixture
def collection(db):
    collection = database()["lost_cursor"]
    collection.insert_many([{"number": number} for number in range(10)])
    yield collection
    collection.drop()


def test_a_cursor_that_the_server_forgot_is_an_outage(collection):
    cursor = collection.find(batch_size=2)
    next(cursor)
    database().command("killCursors", collection.name, cursors=[cursor.cursor_id])
    with pytest.raises(CursorNotFound) as lost:
        list(cursor)

    answer = answer_for(lost.value)
    assert answer.status == 503
    assert answer.retry_after > 0
