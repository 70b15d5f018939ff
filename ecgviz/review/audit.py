"""The audit trail: one row an action, each carrying the digest of the row before it.

A changed, removed or inserted row breaks the chain. Whoever can rewrite the whole file can rewrite the whole chain, so
the last digest (`head`) stands in every export and report: kept elsewhere, it pins everything before it.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

START = "0" * 64
"""What the first row carries as the digest of the row before it."""
ACTIONS = ("create", "enrol", "open", "lock", "submit", "correct", "adjudicate", "export", "import")
ANSWERING = ("lock", "submit", "correct", "adjudicate")
"""Actions whose content is a row of answers."""


@dataclass(frozen=True)
class Verified:
    """What a check of the trail found: rows checked, the digest of the last one, and every fault in a sentence."""

    n_rows: int
    head: str
    faults: tuple[str, ...]


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest(content: Any) -> str:
    """Return the SHA-256 of a value in its one JSON form."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def append(connection: sqlite3.Connection, actor: str, action: str, subject: str, content: Any) -> None:
    """Add a row to the trail; the caller holds the right to write and keeps ``content`` itself."""
    last = connection.execute("SELECT number, sha256 FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (last["number"] + 1, last["sha256"]) if last else (1, START)
    row = {
        "number": number,
        "utc": now(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "content_sha256": digest(content),
        "previous_sha256": previous,
    }
    connection.execute(
        "INSERT INTO audit VALUES (:number, :utc, :actor, :action, :subject, :content_sha256, :previous_sha256, "
        ":sha256)",
        row | {"sha256": digest(row)},
    )


def head(connection: sqlite3.Connection) -> str:
    """Return the digest of the last row."""
    last = connection.execute("SELECT sha256 FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    return str(last["sha256"]) if last else START


def founding(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return what a study was created with: the content of the trail's first row."""
    return {
        name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")]  # noqa: S608
        for name in ("study", "items", "turns")
    }


def verify(connection: sqlite3.Connection) -> Verified:
    """Check the database, the chain, and that every answer and the study's design are those that the trail tells of."""
    faults = [f"SQLite: {row[0]}" for row in connection.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
    rows = [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY number")]
    faults += list(_chain(rows))
    faults += list(_contents(connection, rows))
    return Verified(len(rows), rows[-1]["sha256"] if rows else START, tuple(faults))


def _chain(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "the audit trail is empty"
    previous = START
    for number, row in enumerate(rows, start=1):
        if row["number"] != number:
            yield f"audit row {number} is missing"
            return
        if row["previous_sha256"] != previous:
            yield f"audit row {number} does not follow from the row before it"
        if digest({key: value for key, value in row.items() if key != "sha256"}) != row["sha256"]:
            yield f"audit row {number} ({row['action']} by {row['actor']}) was changed"
        previous = row["sha256"]


def _contents(connection: sqlite3.Connection, rows: list[dict[str, Any]]) -> Iterator[str]:
    answers: dict[str, Mapping[str, Any]] = {
        row["review_id"]: dict(row) for row in connection.execute("SELECT * FROM answers")
    }
    told = {row["subject"]: row["content_sha256"] for row in rows if row["action"] in ANSWERING}
    for review_id, sha256 in told.items():
        if review_id not in answers:
            yield f"answer {review_id} is in the audit trail and not among the answers"
        elif digest(answers[review_id]) != sha256:
            yield f"answer {review_id} was changed"
    yield from (f"answer {review_id} is not in the audit trail" for review_id in answers if review_id not in told)
    if rows and rows[0]["action"] in ("create", "import") and rows[0]["content_sha256"] != digest(founding(connection)):
        yield "the study's design (definition, items or turns) was changed"
    enrolled = {row["subject"]: row["content_sha256"] for row in rows if row["action"] == "enrol"}
    for reader in connection.execute("SELECT * FROM readers"):
        if enrolled.get(reader["reader_id"]) != digest(dict(reader)):
            yield f"reader {reader['reader_id']} was changed or never enrolled"
