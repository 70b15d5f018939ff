"""What a learner read, kept on this machine: one SQLite file in the user's data folder, without a name in it.

A learner is a code that the program draws: consonants and digits, so that it spells nobody's name.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from ecgviz.errors import TeachingError
from ecgviz.teach.answers import Score
from ecgviz.teach.load import OURS, Library
from ecgviz.teach.spacing import Reading

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
CODE = re.compile(f"[{ALPHABET}]{{6}}")
FILE = "teaching.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    learner TEXT NOT NULL,
    case_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    outcome TEXT NOT NULL,
    n_right INTEGER NOT NULL,
    n_missed INTEGER NOT NULL,
    n_wrong INTEGER NOT NULL,
    n_contradictory INTEGER NOT NULL,
    seconds REAL NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_of_learner ON attempts (learner, case_id);
"""
_COLUMNS = "case_id, mode, outcome, n_right, n_missed, n_wrong, n_contradictory, seconds, at"


@dataclass(frozen=True)
class Attempt:
    """One answer: to which case, in which mode, how it was scored, how long it took, and when (UTC)."""

    case: str
    mode: str
    outcome: str
    n_right: int
    n_missed: int
    n_wrong: int
    n_contradictory: int
    seconds: float
    at: datetime


def attempt(case: str, mode: str, scored: Score, seconds: float, at: datetime) -> Attempt:
    """Return what is kept of a scored answer."""
    return Attempt(
        case=case,
        mode=mode,
        outcome=scored.outcome,
        n_right=len(scored.right),
        n_missed=len(scored.missed),
        n_wrong=len(scored.wrong),
        n_contradictory=len(scored.contradictory),
        seconds=seconds,
        at=at,
    )


def kept_as(library: Library, case: str) -> str:
    """Return how a history names a case: those of a teacher's own library bear its title, as ids repeat."""
    return f"{_prefix(library)}{case}"


def case_of(library: Library, kept: str) -> str | None:
    """Return the id of the case that a history names, as `kept_as` does; None where it is none of this library."""
    name = kept.removeprefix(_prefix(library))
    return name if name in library.cases and kept_as(library, name) == kept else None


def _prefix(library: Library) -> str:
    return "" if library.folder == OURS else f"{library.title}: "


def default_path() -> Path:
    """Return where the history of this user lies."""
    return Path(platformdirs.user_data_dir("ecgviz", appauthor=False)) / FILE


def new_code() -> str:
    """Return a fresh learner's code: the one draw of this program that is meant to be different every time."""
    drawn = np.random.default_rng().integers(len(ALPHABET), size=6)
    return "".join(ALPHABET[i] for i in drawn)


def learner_code(text: str) -> str:
    """Return a typed code in capitals.

    Raises
    ------
    TeachingError
        When it cannot be one of ours; a name is never kept.
    """
    code = text.strip().upper()
    if not CODE.fullmatch(code):
        raise TeachingError("a learner's code has six consonants or digits, as this page draws it (names are not kept)")
    return code


def keep(path: Path, learner: str, one: Attempt) -> None:
    """Add one attempt to a learner's history.

    Raises
    ------
    TeachingError
        When the file cannot be written.
    """
    row = (one.case, one.mode, one.outcome, one.n_right, one.n_missed, one.n_wrong, one.n_contradictory)
    with _opened(path) as database:
        database.execute(
            f"INSERT INTO attempts (learner, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own
            (learner_code(learner), *row, one.seconds, one.at.astimezone(UTC).isoformat()),
        )


def attempts(path: Path, learner: str) -> tuple[Attempt, ...]:
    """Return a learner's attempts, oldest first; none when there is no file yet.

    Raises
    ------
    TeachingError
        When the file cannot be read.
    """
    if not path.is_file():
        return ()
    with _opened(path) as database:
        rows = database.execute(
            f"SELECT {_COLUMNS} FROM attempts WHERE learner = ? ORDER BY id",  # noqa: S608 - our own columns
            (learner_code(learner),),
        ).fetchall()
    names = [each.strip() for each in _COLUMNS.split(",")]
    return tuple(_attempt(dict(zip(names, row, strict=True))) for row in rows)


def _attempt(row: dict[str, Any]) -> Attempt:
    case, at = row.pop("case_id"), datetime.fromisoformat(row.pop("at"))
    return Attempt(case=case, at=at, **row)


def readings(kept: tuple[Attempt, ...]) -> tuple[Reading, ...]:
    """Return attempts as what decides when a case is due again."""
    return tuple(Reading(one.case, one.at, one.outcome == "right") for one in kept)


def forget(path: Path, learner: str) -> None:
    """Delete a learner's history; raises TeachingError as `keep`."""
    if path.is_file():
        with _opened(path) as database:
            database.execute("DELETE FROM attempts WHERE learner = ?", (learner_code(learner),))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the database with its table, and commit; a fault of the file becomes a sentence."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=5)) as database, database:
            database.executescript(_SCHEMA)
            yield database
    except (sqlite3.Error, OSError) as fault:
        raise TeachingError(f"the history {path.name} cannot be used: {fault}") from fault
