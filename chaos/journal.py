"""What a client did and saw, one JSON object a line: all that the checker knows of clients.

Each has `at`, seconds since 1970, `what`, and the fields that `what` has:

* `is`: `person` (user id), `door`, `sequential` (it waits for each answer before it goes on);
* `sending`: `room`, `client_id` (null in protocol 1), `text`;
* `acknowledged`: the same and `id`, `seq`, `timestamp`, `duplicate` (it was there before);
* `refused`: the same as `sending` and `code`;
* `token`: `expires`, seconds since 1970: it has got a new one; `expired`: one was refused or cut;
* `connected`: `connection`, a number;
* `received`: `connection`, `room`, `seq`: a live event, as it came;
* `applied`: `room`, `seq`: shown to the person;
* `page`: `room`, `seq`: a fresh page up to this number was shown instead;
* `gone`: `room`: taken out of sight;
* `final`: `rooms`, what is shown at the end: `{room: {number, since, messages}}`, `messages` being
  `{seq: [content, deleted, timestamp]}` from number `since` on;
* `fresh`: `person` and such `rooms`, by somebody who has just fetched all of it by REST;
* `fault`: `name`, `count`: one has happened, and so much came of it;
* `banned`, `let in`: `person`: since then they cannot log in; from then on they may again;
* `expected`: `acknowledged`, `faults` (names), `expiries`, `repeats`: what a run must have had;
* `unfinished`: `problem`: what did not come to its end although everything was well again.
"""

import json
import time
from pathlib import Path
from typing import Any, TextIO


class Journal:
    """The file of one client; each line is handed to the kernel at once."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._file: TextIO = (directory / f"{name}.jsonl").open("w", buffering=1)

    def write(self, what: str, **fields: Any) -> None:
        line = {"at": round(time.time(), 4), "what": what, **fields}
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._file.close()
