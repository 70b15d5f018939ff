"""Answers as they come in: each is kept whole, once, and never changed."""

import json
import sqlite3
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from ecgviz import __version__
from ecgviz.errors import ReviewError
from ecgviz.review import audit
from ecgviz.review.answers import Answer, from_row, to_row
from ecgviz.review.database import connected, writing
from ecgviz.review.design import ALONE, REFERENCE, Item
from ecgviz.review.study import Study
from ecgviz.review.tables import EXPORTED


@dataclass(frozen=True)
class Person:
    """A reader of a study, as they were enrolled."""

    reader_id: str
    role: str
    qualification: str
    years: int | None


@dataclass(frozen=True)
class Turn:
    """An item at a reader's position (from 1), and what it waits for: "before", "after", "reference" or "done"."""

    position: int
    item: Item
    waits_for: str


@dataclass(frozen=True)
class Draft:
    """An answer in the making. ``review_id`` is the one that it will have: sent twice, it is still one answer."""

    review_id: str
    answer: Answer
    t_open_utc: str


def study(folder: Path) -> Study:
    """Return a study as its owner defined it."""
    with connected(folder) as connection:
        row = connection.execute("SELECT definition FROM study").fetchone()
    return Study.model_validate_json(row["definition"])


def people(folder: Path) -> tuple[Person, ...]:
    """Return everybody who was enrolled, by pseudonym."""
    with connected(folder) as connection:
        rows = connection.execute("SELECT * FROM readers ORDER BY reader_id").fetchall()
    return tuple(Person(**dict(row)) for row in rows)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Return a table that is exported, in the order of its rows."""
    if table not in EXPORTED:
        raise ReviewError(f"there is no table {table!r} to read")
    with connected(folder) as connection:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]  # noqa: S608


def items(folder: Path) -> dict[str, Item]:
    """Return every item of a study by its name."""
    return {row["item_id"]: _item(row) for row in rows(folder, "items")}


def turns(folder: Path, reader_id: str) -> tuple[Turn, ...]:
    """Return a reader's items in their order, each with what it waits for."""
    with connected(folder) as connection:
        found = connection.execute(
            "SELECT turns.position, items.* FROM turns JOIN items USING (item_id) WHERE reader_id = ? "
            "ORDER BY position",
            (reader_id,),
        ).fetchall()
        given = {
            (row["item_id"], row["phase"])
            for row in connection.execute("SELECT item_id, phase FROM answers WHERE reader_id = ?", (reader_id,))
        }
    return tuple(_turn(dict(row), given) for row in found)


def current(folder: Path) -> list[dict[str, Any]]:
    """Return the answers that count, those that no other supersedes, in the order of the first answers.

    A correction stands where the answer stood that it corrects: it does not make the meeting a later one. Its own
    ``active_seconds`` began at 0; ``question_seconds`` adds those of the answers before it.
    """
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows(folder, "answers"):
        asked = (row["reader_id"], row["item_id"], row["phase"])
        before = last[asked]["question_seconds"] if asked in last else 0.0
        last[asked] = row | {"question_seconds": before + row["active_seconds"]}
    return list(last.values())


def standing(folder: Path, reader_id: str, item_id: str, phase: str) -> dict[str, Any] | None:
    """Return the answer of a reader that counts for one question, as a row; None before it was given."""
    asked = (reader_id, item_id, phase)
    found = [row for row in current(folder) if (row["reader_id"], row["item_id"], row["phase"]) == asked]
    return found[0] if found else None


def open_question(folder: Path, reader_id: str, item_id: str, phase: str) -> Draft:
    """Return the draft of an answer; the first call notes when the question was opened.

    Raises
    ------
    ReviewError
        When the item is none of this reader's.
    """
    asked = (reader_id, item_id)
    with connected(folder) as connection:
        kept = _draft(connection, *asked, phase)
        if kept is not None:
            return kept
        if not connection.execute("SELECT 1 FROM turns WHERE reader_id = ? AND item_id = ?", asked).fetchone():
            raise ReviewError(f"{item_id} is none of {reader_id}'s")
        made = Draft(uuid4().hex, Answer(), audit.now())
        with writing(connection):
            new = connection.execute(
                "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING",
                (*asked, phase, made.review_id, json.dumps(to_row(made.answer)), made.t_open_utc, made.t_open_utc),
            )
            if new.rowcount:
                audit.append(connection, reader_id, "open", item_id, {"phase": phase, "t_open_utc": made.t_open_utc})
            return _draft(connection, *asked, phase) or made


def keep_draft(folder: Path, reader_id: str, item_id: str, phase: str, answer: Answer) -> None:
    """Keep an answer in the making; nothing happens once it was submitted."""
    with connected(folder) as connection, writing(connection):
        connection.execute(
            "UPDATE drafts SET answer = ?, active_seconds = ?, t_kept_utc = ? "
            "WHERE reader_id = ? AND item_id = ? AND phase = ?",
            (json.dumps(to_row(answer)), answer.active_seconds, audit.now(), reader_id, item_id, phase),
        )


def submit(
    folder: Path, reader_id: str, item_id: str, phase: str, draft: Draft, *, supersedes: str | None = None
) -> None:
    """Keep an answer for good; the draft's own answer is what is kept, as `checked` returned it.

    Sending the same draft again changes nothing. A first answer to a question that has one already is refused, as is
    a correction that the protocol does not allow.

    Raises
    ------
    ReviewError
        With the reason why the answer was not taken.
    """
    with connected(folder) as connection, writing(connection, durable=True):
        row = _answer_row(connection, reader_id, item_id, phase, draft) | {"supersedes": supersedes}
        if connection.execute("SELECT 1 FROM answers WHERE review_id = ?", (draft.review_id,)).fetchone():
            return
        _allow(connection, row)
        names = ", ".join(f":{name}" for name in row)
        try:
            connection.execute(f"INSERT INTO answers ({', '.join(row)}) VALUES ({names})", row)  # noqa: S608
        except sqlite3.IntegrityError as error:
            if "UNIQUE" in str(error):
                raise ReviewError(
                    "this question was answered meanwhile, perhaps in another window; the first answer stands"
                ) from error
            raise
        kept = connection.execute("SELECT * FROM answers WHERE review_id = ?", (draft.review_id,)).fetchone()
        action = "correct" if supersedes else {"before": "lock", "after": "submit", "reference": "adjudicate"}[phase]
        audit.append(connection, reader_id, action, draft.review_id, dict(kept))
        connection.execute(
            "DELETE FROM drafts WHERE reader_id = ? AND item_id = ? AND phase = ?", (reader_id, item_id, phase)
        )


def verify(folder: Path) -> audit.Verified:
    """Check a study's database, its audit trail, and that every answer is the one that the trail tells of."""
    with connected(folder) as connection:
        return audit.verify(connection)


def note(folder: Path, actor: str, action: str, subject: str, content: Any) -> str:
    """Add a row to a study's audit trail, and return its digest."""
    with connected(folder) as connection, writing(connection, durable=True):
        audit.append(connection, actor, action, subject, content)
        return audit.head(connection)


def _draft(connection: sqlite3.Connection, reader_id: str, item_id: str, phase: str) -> Draft | None:
    row = connection.execute(
        "SELECT * FROM drafts WHERE reader_id = ? AND item_id = ? AND phase = ?", (reader_id, item_id, phase)
    ).fetchone()
    if row is None:
        return None
    answer = replace(from_row(json.loads(row["answer"])), active_seconds=row["active_seconds"])
    return Draft(row["review_id"], answer, row["t_open_utc"])


def _answer_row(
    connection: sqlite3.Connection, reader_id: str, item_id: str, phase: str, draft: Draft
) -> dict[str, Any]:
    found = connection.execute(
        "SELECT items.*, readers.role, study.study_id FROM turns JOIN items USING (item_id) "
        "JOIN readers USING (reader_id), study WHERE reader_id = ? AND item_id = ?",
        (reader_id, item_id),
    ).fetchone()
    if found is None:
        raise ReviewError(f"{item_id} is none of {reader_id}'s")
    return {
        "review_id": draft.review_id,
        "study_id": found["study_id"],
        "item_id": item_id,
        "record_sha256": found["record_sha256"],
        "model_sha256": found["model_sha256"],
        "reader_id": reader_id,
        "role": found["role"],
        "blinded": int(found["arm"] != ALONE),
        "phase": phase,
        **to_row(draft.answer),
        "t_open_utc": draft.t_open_utc,
        "t_submit_utc": audit.now(),
        "app_version": __version__,
    }


def _allow(connection: sqlite3.Connection, row: dict[str, Any]) -> None:
    """Raise ReviewError when the protocol does not allow an answer at this point."""
    definition = connection.execute("SELECT definition FROM study").fetchone()["definition"]
    protocol = Study.model_validate_json(definition).protocol
    if row["supersedes"] is not None and not protocol.revise:
        raise ReviewError("the study's protocol allows no corrections")
    if (row["phase"] == "reference") != (row["role"] == "adjudicator"):
        raise ReviewError(f"one with the role {row['role']} gives no answer of phase {row['phase']}")
    earlier = connection.execute(
        "SELECT COUNT(*) FROM turns AS mine JOIN turns AS before USING (reader_id) "
        "WHERE mine.reader_id = :reader_id AND mine.item_id = :item_id AND before.position < mine.position "
        "AND NOT EXISTS (SELECT 1 FROM answers WHERE answers.reader_id = before.reader_id "
        "AND answers.item_id = before.item_id AND answers.phase IN ('after', 'reference'))",
        row,
    ).fetchone()[0]
    if earlier and not protocol.skip:
        raise ReviewError(f"{earlier} recordings before this one are not answered; the protocol keeps the order")


def _item(row: dict[str, Any]) -> Item:
    return Item(**{**row, "methods": tuple(json.loads(row["methods"]))})


def _turn(row: dict[str, Any], given: set[tuple[str, str]]) -> Turn:
    position = row.pop("position")
    item = _item(row)
    phases = ("reference",) if item.arm == REFERENCE else ("before", "after")
    waits = next((phase for phase in phases if (item.item_id, phase) not in given), "done")
    return Turn(position, item, waits)


def item_row(item: Item) -> dict[str, Any]:
    """Return an item as the columns of its table."""
    return {**asdict(item), "methods": json.dumps(list(item.methods))}
