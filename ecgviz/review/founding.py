"""A study is founded: its database, its readers and their codes."""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecgviz import __version__
from ecgviz.errors import ReviewError
from ecgviz.review import audit
from ecgviz.review.database import connected, writing
from ecgviz.review.design import Item
from ecgviz.review.store import Person, item_row
from ecgviz.review.study import Reader, Study

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without letters and digits that are taken for one another."""
CODE_LENGTH = 12
"""60 random bits: nobody guesses them, so a plain salted digest keeps them (a slow one is for chosen passwords)."""


def found(folder: Path, study: Study, items: Sequence[Item], turns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Make the database of a study in a folder that has none.

    Parameters
    ----------
    folder : Path
        An existing folder on a local disk.
    study : Study
    items : sequence of Item
    turns : mapping of reader to item ids in their order

    Returns
    -------
    dict of pseudonym to code
        With its code a reader opens the study; only digests of the codes are kept.

    Raises
    ------
    ReviewError
        When there is a study already, or the folder lies on a network drive.
    """
    with connected(folder, new=True) as connection, writing(connection, durable=True):
        connection.execute(
            "INSERT INTO study VALUES (1, ?, ?, ?, ?)", (study.id, study.model_dump_json(), audit.now(), __version__)
        )
        for reader in study.readers:
            _insert_reader(connection, reader)
        for item in items:
            row = item_row(item)
            names = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO items ({', '.join(row)}) VALUES ({names})", row)  # noqa: S608
        for reader_id, order in turns.items():
            places = [(reader_id, position, item_id) for position, item_id in enumerate(order, start=1)]
            connection.executemany("INSERT INTO turns VALUES (?, ?, ?)", places)
        audit.append(connection, "owner", "create", study.id, audit.founding(connection))
        return {reader.pseudonym: _enrol(connection, reader.pseudonym) for reader in study.readers}


def new_code(folder: Path, reader_id: str) -> str:
    """Give a reader a new code; the one before it opens nothing any more.

    Raises
    ------
    ReviewError
        For somebody who is not enrolled.
    """
    with connected(folder) as connection, writing(connection, durable=True):
        if not connection.execute("SELECT 1 FROM readers WHERE reader_id = ?", (reader_id,)).fetchone():
            raise ReviewError(f"nobody is enrolled as {reader_id!r}")
        return _enrol(connection, reader_id)


def signed_in(folder: Path, code: str) -> Person:
    """Return who opens a study with a code; case, spaces and hyphens do not matter.

    Raises
    ------
    ReviewError
        When the code is nobody's, or was replaced by a newer one.
    """
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    with connected(folder) as connection:
        newest = connection.execute(
            "SELECT readers.*, salt, hash FROM codes JOIN readers USING (reader_id) "
            "WHERE number IN (SELECT MAX(number) FROM codes GROUP BY reader_id)"
        ).fetchall()
    for row in newest:
        if hmac.compare_digest(_hashed(typed, row["salt"]), row["hash"]):
            return Person(row["reader_id"], row["role"], row["qualification"], row["years"])
    raise ReviewError("this code opens no study here; the study's owner can give a new one")


def _insert_reader(connection: sqlite3.Connection, reader: Reader) -> None:
    connection.execute(
        "INSERT INTO readers VALUES (?, ?, ?, ?)",
        (reader.pseudonym, reader.role, reader.qualification, reader.years),
    )


def _enrol(connection: sqlite3.Connection, reader_id: str) -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    salt = secrets.token_hex(16)
    connection.execute(
        "INSERT INTO codes (reader_id, salt, hash, issued_utc) VALUES (?, ?, ?, ?)",
        (reader_id, salt, _hashed(code, salt), audit.now()),
    )
    reader = connection.execute("SELECT * FROM readers WHERE reader_id = ?", (reader_id,)).fetchone()
    audit.append(connection, "owner", "enrol", reader_id, dict(reader))
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def _hashed(code: str, salt: str) -> str:
    return hashlib.sha256(bytes.fromhex(salt) + code.encode()).hexdigest()
