"""How a database that does not answer is recognised and logged."""

import logging

from django.db import InterfaceError, OperationalError

from .mongo.embedded import EmbeddedMongoDBError
from .mongo.errors import UNREACHABLE

DATABASE_DOWN = (*UNREACHABLE, OperationalError, InterfaceError, EmbeddedMongoDBError)
RETRY_AFTER_SECONDS = 5  # how long a client is asked to wait


class ShortenOutages(logging.Filter):
    """A log filter that makes one line of an outage: each request of it would log a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(error := record.exc_info[1], DATABASE_DOWN):
            record.msg = (
                f"{record.getMessage()}: the database does not answer ({type(error).__name__})"
            )
            record.args = None
            record.exc_info = record.exc_text = None
        return True
