"""The tables that published data sets lie beside: where the one of a recording is, and its rows, whole or refused."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecgviz.errors import RecordError
from ecgviz.records import fields


def above(stem: Path, name: str, levels: int) -> tuple[Path, str] | None:
    """Return the table called ``name`` in one of the folders above a recording, and the recording's place below it.

    It is looked for where the path leads to, past links and "..", then where it is written: a folder of recordings may
    itself be a link to another disk.
    """
    try:
        leads_to = stem.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a ring, or no path at all: the reader says so
        leads_to = stem.absolute()
    for place in dict.fromkeys((leads_to, stem.absolute())):
        for folder in place.parents[:levels]:
            if (folder / name).is_file():
                return folder / name, place.relative_to(folder).as_posix()
    return None


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Return every row of a CSV table with its number, counted from 1 below the header.

    Raises
    ------
    RecordError
        Naming the file and the line or row, when it is not UTF-8, lacks one of ``columns``, or has a row that is longer
        or shorter than the header or holds an endless cell.
    """
    source, n = fields.shown(path.name), 0
    reader = csv.DictReader(io.StringIO(_text(path, source), newline=""))
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise RecordError(
                f"{source}: has no column {fields.shown(missing[0])}: was it saved with other separators than commas?"
            )
        for n, row in enumerate(reader, start=1):
            if None in row or None in row.values():
                raise RecordError(f"{source}: row {n} has not as many cells as the header: was the file cut or edited?")
            yield n, row
    except csv.Error as error:
        raise RecordError(f"{source}: row {n + 1} cannot be read ({error}): is a quote not closed?") from error


def _text(path: Path, source: str) -> str:
    """Return the text of a table; spreadsheets put a byte order mark before it."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecordError(
            f"{source}: line {line} is not UTF-8: was the table saved again by another program? Save it as UTF-8, or "
            "take the published file"
        ) from error
