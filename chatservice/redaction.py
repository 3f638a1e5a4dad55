"""What must not reach a log although a library writes it there."""

import logging
import re

SESSION_ID = re.compile(r"(\bsid=)[\w-]+")
"""An Engine.IO session id: whoever has it can read and write a polling client's connection."""


class HideSessionIds(logging.Filter):
    """A log filter that takes Engine.IO session ids out of the addresses that Daphne logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "sid=" in message:
            record.msg, record.args = SESSION_ID.sub(r"\1...", message), None
        return True
