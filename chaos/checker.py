"""Counts what went wrong in a run, from the database and the clients' journals.

Nothing of the product's code is used here: documents are read with PyMongo, as they are stored,
and journals are read line by line (`journal` has the format). What a room's log must add up to is
worked out once more.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from pymongo.database import Database

Json = dict[str, Any]

ROWS = {
    "acknowledged": "messages that the service said are stored",
    "lost": "acknowledged, and not in the log or not in the history that people read",
    "doubled": "one message stored twice, or one entry shown, or sent live, twice",
    "reordered": "entries shown out of order, or a sender's own messages in another order",
    "gaps": "numbers of a room that are not 1, 2, 3, ...",
    "seen after removal": "entries that reached somebody put out of the room before",
    "diverged": "what is shown in the end, and what a fresh fetch or the log itself says",
    "unfinished": "what did not come to an end although everything was well again",
}


@dataclass
class Report:
    """What was found: `problems` by row, in words, and the number of acknowledged messages."""

    acknowledged: int = 0
    problems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def is_clean(self) -> bool:
        return self.acknowledged > 0 and not any(self.problems.values())

    def table(self) -> str:
        lines = []
        for row, meaning in ROWS.items():
            count = self.acknowledged if row == "acknowledged" else len(self.problems[row])
            lines.append(f"{row:20}{count:8}  {meaning}")
        for row, problems in self.problems.items():
            lines += [f"  {row}: {problem}" for problem in problems[:5]]
            if len(problems) > 5:
                lines.append(f"  {row}: and {len(problems) - 5} more")
        return "\n".join(lines)


@dataclass
class ClientJournal:
    name: str
    lines: list[Json]

    @property
    def person(self) -> str:
        return self.lines[0]["person"]

    @property
    def sequential(self) -> bool:
        return self.lines[0]["sequential"]

    def all(self, *what: str) -> Iterator[Json]:
        return (line for line in self.lines if line["what"] in what)


def read_journals(directory: Path) -> list[ClientJournal]:
    journals = []
    for path in sorted(directory.glob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        journals.append(ClientJournal(path.stem, lines))
    return journals


def check(journals: list[ClientJournal], database: Database) -> Report:
    """Compare what the clients were promised and shown with what is stored."""
    logs: dict[str, list[Json]] = defaultdict(list)
    for entry in database["chat_entry"].find().sort([("room_id", 1), ("seq", 1)]):
        logs[str(entry["room_id"])].append(entry)
    clients = [journal for journal in journals if next(journal.all("is"), None)]
    fresh: dict[str, Json] = {}
    for journal in journals:
        for line in journal.all("fresh"):
            fresh[line["person"]] = line["rooms"]

    report = Report()
    for journal in journals:
        report.problems["unfinished"] += [
            f"{journal.name}: {line['problem']}" for line in journal.all("unfinished")
        ]
    _check_numbers(logs, report)
    _check_copies(logs, report)
    for client in clients:
        _check_promises(client, logs, fresh, report)
        _check_own_order(client, report)
        _check_what_was_shown(client, report)
        _check_what_came_live(client, report)
        _check_removals(client, logs, report)
        _check_the_end(client, fresh, report)
    _check_projections(logs, fresh, report)
    return report


def _check_numbers(logs: dict[str, list[Json]], report: Report) -> None:
    for room_id, log in logs.items():
        for expected, entry in enumerate(log, 1):
            if entry["seq"] != expected:
                report.problems["gaps"].append(f"room {room_id}: {entry['seq']} is no. {expected}")
                break


def _check_copies(logs: dict[str, list[Json]], report: Report) -> None:
    for room_id, log in logs.items():
        ids = Counter((str(e["actor_id"]), e["client_id"]) for e in log if e.get("client_id"))
        report.problems["doubled"] += [
            f"room {room_id}: {client_id} of {actor} is stored {count} times"
            for (actor, client_id), count in ids.items()
            if count > 1
        ]


def _check_promises(
    client: ClientJournal, logs: dict[str, list[Json]], fresh: dict[str, Json], report: Report
) -> None:
    for line in client.all("acknowledged"):
        report.acknowledged += 1
        what = f"{client.name}: {line['text']!r}, acknowledged as {line['seq']}"
        stored = [entry for entry in logs[line["room"]] if str(entry["_id"]) == line["id"]]
        if not stored:
            report.problems["lost"].append(f"{what}, is not in the log")
        elif (stored[0]["seq"], stored[0].get("client_id")) != (line["seq"], line["client_id"]):
            report.problems["lost"].append(f"{what}, is stored as another: {stored[0]['seq']}")
        for person, rooms in fresh.items():
            if line["room"] in rooms and str(line["seq"]) not in rooms[line["room"]]["messages"]:
                report.problems["lost"].append(f"{what}, is not in what {person} reads")
                break


def _check_own_order(client: ClientJournal, report: Report) -> None:
    """Who waits for each acknowledgement must find its messages in the order of sending."""
    if not client.sequential:
        return
    last: dict[str, int] = {}
    for line in client.all("acknowledged"):
        if line["seq"] <= last.get(line["room"], 0):
            report.problems["reordered"].append(
                f"{client.name}: {line['text']!r} is {line['seq']}, after {last[line['room']]}"
            )
        last[line["room"]] = line["seq"]


def _check_what_was_shown(client: ClientJournal, report: Report) -> None:
    last: dict[str, int] = {}
    for line in client.all("applied", "page", "gone"):
        room_id = line["room"]
        if line["what"] == "gone":
            last.pop(room_id, None)
        elif line["what"] == "page":
            last[room_id] = line["seq"]
        else:
            seen, seq = last.get(room_id, 0), line["seq"]
            if seq <= seen:
                report.problems["doubled"].append(f"{client.name}: showed {seq} after {seen}")
            elif seq != seen + 1:
                report.problems["reordered"].append(f"{client.name}: showed {seq} after {seen}")
            last[room_id] = max(seq, seen)


def _check_what_came_live(client: ClientJournal, report: Report) -> None:
    came = Counter((e["connection"], e["room"], e["seq"]) for e in client.all("received"))
    report.problems["doubled"] += [
        f"{client.name}: {seq} of {room_id} came {count} times by connection {connection}"
        for (connection, room_id, seq), count in came.items()
        if count > 1
    ]


def _check_removals(client: ClientJournal, logs: dict[str, list[Json]], report: Report) -> None:
    """Entries after somebody's removal must not reach them before they are let in again."""
    absences: dict[str, list[tuple[int, float]]] = {}
    for room_id, log in logs.items():
        absences[room_id] = list(_absences(client.person, log))
    for line in client.all("received", "applied"):
        for removal, readmission in absences.get(line["room"], []):
            if line["seq"] > removal and line["at"] < readmission:
                report.problems["seen after removal"].append(
                    f"{client.name}: {line['what']} {line['seq']} of {line['room']}, "
                    f"removed by {removal}"
                )
                break


def _absences(person: str, log: list[Json]) -> Iterator[tuple[int, float]]:
    """For each removal of a person: its number, and when they were let in again."""
    removal = None
    for entry in log:
        if entry["kind"] != "member":
            continue
        if any(one["id"] == person for one in entry["data"]["removed"]):
            removal = entry["seq"]
        if removal is not None and any(one["id"] == person for one in entry["data"]["added"]):
            yield removal, _timestamp(entry)
            removal = None
    if removal is not None:
        yield removal, float("inf")


def _timestamp(entry: Json) -> float:
    """When an entry was made: a moment before it was stored."""
    return entry["created_at"].replace(tzinfo=UTC).timestamp()


def _check_the_end(client: ClientJournal, fresh: dict[str, Json], report: Report) -> None:
    """What a client shows in the end must be what somebody reads who has just come."""
    final = next(client.all("final"), None)
    if final is None:
        return
    truth = fresh.get(client.person, {})
    if final["rooms"].keys() != truth.keys():
        report.problems["diverged"].append(
            f"{client.name}: shows {len(final['rooms'])} rooms of {len(truth)}, or others"
        )
    for room_id in final["rooms"].keys() & truth.keys():
        shown, there = final["rooms"][room_id], truth[room_id]
        if shown["number"] != there["number"]:
            report.problems["diverged"].append(
                f"{client.name}: is at {shown['number']} of {room_id} and not {there['number']}"
            )
        expected = {
            seq: message for seq, message in there["messages"].items() if int(seq) >= shown["since"]
        }
        report.problems["diverged"] += [
            f"{client.name}: shows {seq} of {room_id} as {shown['messages'].get(seq)}, "
            f"and it is {expected.get(seq)}"
            for seq in sorted(shown["messages"].keys() | expected.keys(), key=int)
            if shown["messages"].get(seq) != expected.get(seq)
        ]


def _check_projections(logs: dict[str, list[Json]], fresh: dict[str, Json], report: Report) -> None:
    """What people read must be what the log adds up to."""
    for room_id, log in logs.items():
        edits: dict[int, str] = {}
        deleted = set()
        for entry in log:
            if entry["kind"] == "edit" and entry["data"]["target"] not in deleted:
                edits[entry["data"]["target"]] = entry["data"]["content"]
            elif entry["kind"] == "delete":
                deleted.add(entry["data"]["target"])
        read = next((rooms[room_id] for rooms in fresh.values() if room_id in rooms), None)
        if read is None:
            continue
        for seq, (content, is_deleted) in read["messages"].items():
            number = int(seq)
            if is_deleted is not (number in deleted):
                wrong = f"{seq} of {room_id}: deleted is {is_deleted}"
            elif not is_deleted and edits.get(number, content) != content:
                wrong = f"{seq} of {room_id}: is {content!r} and should be {edits[number]!r}"
            else:
                continue
            report.problems["diverged"].append(f"log and history: {wrong}")
