"""PyMongo's and djongo's exceptions as the ones Django knows, with MongoDB's own words."""

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from djongo import database as djongo_database
from djongo.exceptions import SQLDecodeError
from pymongo import errors as pymongo_errors

DUPLICATE_KEY = (11000, 11001)

# What passes when the server is back, or less busy. The request answers 503 and may be repeated.
UNREACHABLE = (
    ConnectionError,  # what the embedded server's launcher raises
    pymongo_errors.ConnectionFailure,
    pymongo_errors.CursorNotFound,  # the server was restarted between two batches of an answer
    pymongo_errors.ExecutionTimeout,
    pymongo_errors.WaitQueueTimeoutError,
    pymongo_errors.WTimeoutError,
)

# What BSON cannot hold: a number of more than 64 bits, half of a surrogate pair, 16 MB and more.
UNSTORABLE = (BSONError, OverflowError, UnicodeEncodeError, pymongo_errors.DocumentTooLarge)


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise what goes wrong inside as an error of djongo's DB-API module.

    Django's `wrap_database_errors` makes `django.db.IntegrityError` and so on of those.
    """
    try:
        yield
    except (*UNREACHABLE, *UNSTORABLE, pymongo_errors.PyMongoError) as error:
        raise database_error(error) from error
    except djongo_database.DatabaseError as error:
        # djongo raises this one without a message; what happened is down its chain of causes.
        raise database_error(root_cause(error)) from error


def database_error(error: BaseException) -> djongo_database.DatabaseError:
    """The DB-API error that stands for `error`."""
    match error:
        case pymongo_errors.BulkWriteError():
            first, *_ = error.details["writeErrors"] or error.details["writeConcernErrors"]
            if first["code"] in DUPLICATE_KEY:
                return djongo_database.IntegrityError(first["errmsg"])
            return djongo_database.DatabaseError(first["errmsg"])
        case pymongo_errors.OperationFailure(code=code) if code in DUPLICATE_KEY:
            return djongo_database.IntegrityError(str(error))
        case _ if isinstance(error, UNREACHABLE):
            return djongo_database.OperationalError(str(error))
        case _ if isinstance(error, UNSTORABLE):
            return djongo_database.DataError(str(error))
        case SQLDecodeError():
            return djongo_database.NotSupportedError(
                f"djongo cannot read this SQL: {error.err_sql}. Use the ORM, or a collection of "
                "chatservice.mongo.client.database()."
            )
    return djongo_database.DatabaseError(str(error) or type(error).__name__)


def root_cause(error: BaseException) -> BaseException:
    """The PyMongo error that `error` was raised from; else the last one in its chain."""
    while error.__cause__ is not None:
        error = error.__cause__
        if isinstance(error, pymongo_errors.PyMongoError):
            break
    return error
