"""What must not reach the log."""

import io
import logging

from chatservice.redaction import HideSessionIds


def logged(message, *args):
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(HideSessionIds())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning(message, *args)
    return output.getvalue().strip()


def test_session_ids_of_polling_clients_are_taken_out():
    line = "GET uri=/socket.io/?EIO=4&sid=tHu--7FOLhiwVvPpAACO&t=1 took too long"
    clean = "GET uri=/socket.io/?EIO=4&sid=...&t=1 took too long"

    assert logged(line) == clean
    assert logged("GET %s took too long", line.split()[1]) == clean
    assert logged("100%% of %s", "nothing") == "100% of nothing"


def test_the_service_uses_it(settings):
    for handler in settings.LOGGING["handlers"].values():
        assert "session_ids" in handler["filters"]
