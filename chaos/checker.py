"""Counts what went wrong in a run, from the database and the clients' journals.

Nothing of the product's code is used here: documents are read with PyMongo, as they are stored,
and journals are read line by line (`journal` has the format). What a room's log must add up to is
worked out once more.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo.database import Database

Json = dict[str, Any]

Logs = dict[str, list[Json]]
"""The entries of each room, by its id, in the order of their numbers."""

Stored = dict[tuple[str, int], Json]
"""The same by room and number."""

ROWS = {
    "acknowledged": "messages that the service said are stored",
    "lost": "acknowledged, and not in the log or not in the history that people read",
    "doubled": "one message stored twice, or one entry shown, or sent live, twice",
    "reordered": "entries shown out of order, or a sender's own messages in another order",
    "gaps": "numbers of a room that are not 1, 2, 3, ...",
    "seen after removal": "entries that reached, or came from, somebody who was put out before",
    "diverged": "what is shown in the end, and what a fresh fetch or the log itself says",
    "unfinished": "what did not come to an end although everything was well again",
    "untested": "what had to happen for zeros to mean something, and did not",
}

EXPIRED = "tokens ended while in use"
REPEATED = "messages stored, not answered, sent again"
OBSERVED = (EXPIRED, REPEATED)
"""What happens by itself, or because of the faults."""

BAN_GRACE = 10.0
"""Seconds after somebody's account was shut until nothing may reach them, nor come from them. The
promise is one second; this is for a machine that has other things to do."""

EXPIRY_GRACE = 30.0
"""The same after the end of the last token that a client has got. The promise is ten seconds."""

CLOCK_TOLERANCE = 2.0
"""Seconds that the machine's own clock may be set by during a run."""


@dataclass
class Report:
    """What was found: `problems` by row, in words, and the number of acknowledged messages.

    `happened` is what had its part in it, by name: how often, and how much came of it.
    """

    acknowledged: int = 0
    happened: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def faults(self) -> int:
        return sum(times for name, (times, _) in self.happened.items() if name not in OBSERVED)

    @property
    def is_clean(self) -> bool:
        return self.acknowledged > 0 and not any(self.problems.values())

    def table(self) -> str:
        lines = [
            f"{name:44}{times:5} times" + (f", {count} in all" if count > times else "")
            for name, (times, count) in self.happened.items()
        ]
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
    logs: Logs = defaultdict(list)
    for entry in database["chat_entry"].find().sort([("room_id", 1), ("seq", 1)]):
        logs[str(entry["room_id"])].append(entry)
    clients = [journal for journal in journals if next(journal.all("is"), None)]
    stored = {(room_id, entry["seq"]): entry for room_id, log in logs.items() for entry in log}
    entries = {(str(entry["room_id"]), str(entry["_id"])): entry for entry in stored.values()}
    fresh: dict[str, Json] = {}
    for journal in journals:
        for line in journal.all("fresh"):
            fresh[line["person"]] = line["rooms"]

    report = Report()
    for journal in journals:
        report.problems["unfinished"] += [
            f"{journal.name}: {line['problem']}" for line in journal.all("unfinished")
        ]
    bans = _bans(journals)
    _check_numbers(logs, report)
    _check_copies(logs, report)
    for client in clients:
        _check_promises(client, entries, fresh, report)
        _check_own_order(client, report)
        _check_what_was_shown(client, report)
        _check_what_came_live(client, report)
        _check_removals(client, logs, report)
        _check_bans(client, bans.get(client.person, []), stored, report)
        _check_expiry(client, stored, report)
        _check_the_end(client, fresh, report)
    _check_authors(logs, bans, report)
    _check_projections(logs, fresh, report)
    _check_what_happened(journals, report)
    return report


def _check_numbers(logs: Logs, report: Report) -> None:
    for room_id, log in logs.items():
        for expected, entry in enumerate(log, 1):
            if entry["seq"] != expected:
                report.problems["gaps"].append(f"room {room_id}: {entry['seq']} is no. {expected}")
                break


def _check_copies(logs: Logs, report: Report) -> None:
    for room_id, log in logs.items():
        ids = Counter((str(e["actor_id"]), e["client_id"]) for e in log if e.get("client_id"))
        report.problems["doubled"] += [
            f"room {room_id}: {client_id} of {actor} is stored {count} times"
            for (actor, client_id), count in ids.items()
            if count > 1
        ]


def _check_promises(
    client: ClientJournal,
    entries: dict[tuple[str, str], Json],
    fresh: dict[str, Json],
    report: Report,
) -> None:
    """Each acknowledged message must be in the log, and in what everybody there reads."""
    sent = {(line["client_id"], line["text"]): line["at"] for line in client.all("sending")}
    for line in client.all("acknowledged"):
        report.acknowledged += 1
        what = f"{client.name}: {line['text']!r}, acknowledged as {line['seq']}"
        entry = entries.get((line["room"], line["id"]))
        if entry is None:
            report.problems["lost"].append(f"{what}, is not in the log")
        elif (entry["seq"], entry.get("client_id")) != (line["seq"], line["client_id"]):
            report.problems["lost"].append(f"{what}, is stored as another: {entry['seq']}")
        else:
            _check_date(line, sent[line["client_id"], line["text"]], entry, what, report)
        for person, rooms in fresh.items():
            if line["room"] in rooms and str(line["seq"]) not in rooms[line["room"]]["messages"]:
                report.problems["lost"].append(f"{what}, is not in what {person} reads")
                break


def _check_date(line: Json, sent_at: float, entry: Json, what: str, report: Report) -> None:
    """A message is of the moment in which the service got it, whatever its sender's clock says."""
    stored_at = _timestamp(entry)
    if not sent_at - CLOCK_TOLERANCE <= stored_at <= line["at"] + CLOCK_TOLERANCE:
        report.problems["diverged"].append(f"{what}, is of another time: {entry['created_at']}")
    if abs(datetime.fromisoformat(line["timestamp"]).timestamp() - stored_at) > 0.001:
        report.problems["diverged"].append(f"{what}, was said to be of {line['timestamp']}")


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


def _check_removals(client: ClientJournal, logs: Logs, report: Report) -> None:
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


Ban = tuple[float, float]


def _bans(journals: list[ClientJournal]) -> dict[str, list[Ban]]:
    """For each person: when they could not log in any more, and when they were to be let in."""
    bans: dict[str, list[Ban]] = defaultdict(list)
    for journal in journals:
        since: dict[str, float] = {}
        for line in journal.all("banned", "let in"):
            if line["what"] == "banned":
                since[line["person"]] = line["at"]
            elif line["person"] in since:
                bans[line["person"]].append((since.pop(line["person"]), line["at"]))
    return bans


def _is_within(moment: float, bans: list[Ban]) -> bool:
    return any(begin + BAN_GRACE < moment < end for begin, end in bans)


def _check_bans(client: ClientJournal, bans: list[Ban], stored: Stored, report: Report) -> None:
    """What is stored after somebody was shut out must not reach them before they are let in."""
    for line in client.all("received", "applied") if bans else ():
        entry = stored.get((line["room"], line["seq"]))
        if entry and _is_within(line["at"], bans) and _is_within(_timestamp(entry), bans):
            report.problems["seen after removal"].append(
                f"{client.name}: {line['what']} {line['seq']} of {line['room']} while banned"
            )


def _check_expiry(client: ClientJournal, stored: Stored, report: Report) -> None:
    """Nothing comes live that was stored after the last of a client's tokens has ended."""
    expires = float("inf")
    for line in client.all("token", "received"):
        if line["what"] == "token":
            expires = line["expires"]
            continue
        entry = stored.get((line["room"], line["seq"]))
        if entry and min(line["at"], _timestamp(entry)) > expires + EXPIRY_GRACE:
            report.problems["seen after removal"].append(
                f"{client.name}: {line['seq']} of {line['room']} came although its token had ended"
            )


def _check_authors(logs: Logs, bans: dict[str, list[Ban]], report: Report) -> None:
    """Who was removed from a room, or shut out, says nothing there until let in again."""
    for room_id, log in logs.items():
        removed: dict[str, int] = {}
        for entry in log:
            author = str(entry["actor_id"])
            if entry["kind"] == "member":
                removed |= {one["id"]: entry["seq"] for one in entry["data"]["removed"]}
                for one in entry["data"]["added"]:
                    removed.pop(one["id"], None)
            elif author in removed:
                report.problems["seen after removal"].append(
                    f"room {room_id}: {entry['seq']} is by {author}, removed by {removed[author]}"
                )
            if _is_within(_timestamp(entry), bans.get(author, [])):
                report.problems["seen after removal"].append(
                    f"room {room_id}: {entry['seq']} is by {author}, who was banned then"
                )


def _check_what_happened(journals: list[ClientJournal], report: Report) -> None:
    """Faults that came to nothing and too few messages are failures, too."""
    counts: dict[str, list[int]] = defaultdict(list)
    for journal in journals:
        for line in journal.all("fault"):
            counts[line["name"]].append(line["count"])
        counts[EXPIRED] += [1 for _ in journal.all("expired")]
        counts[REPEATED] += [1 for line in journal.all("acknowledged") if line["duplicate"]]
    report.happened = {name: (len(each), sum(each)) for name, each in counts.items()}
    for journal in journals:
        for expected in journal.all("expected"):
            untested = [
                f"{name!r} came to nothing" for name in expected["faults"] if not sum(counts[name])
            ]
            untested += [
                f"{name}: {sum(counts[name])} of {least}"
                for name, least in (
                    (EXPIRED, expected["expiries"]),
                    (REPEATED, expected["repeats"]),
                )
                if sum(counts[name]) < least
            ]
            if report.acknowledged < expected["acknowledged"]:
                untested.append(f"{report.acknowledged} messages of {expected['acknowledged']}")
            report.problems["untested"] += untested


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


def _check_projections(logs: Logs, fresh: dict[str, Json], report: Report) -> None:
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
        for seq, (content, is_deleted, _) in read["messages"].items():
            number = int(seq)
            if is_deleted is not (number in deleted):
                wrong = f"{seq} of {room_id}: deleted is {is_deleted}"
            elif not is_deleted and edits.get(number, content) != content:
                wrong = f"{seq} of {room_id}: is {content!r} and should be {edits[number]!r}"
            else:
                continue
            report.problems["diverged"].append(f"log and history: {wrong}")
