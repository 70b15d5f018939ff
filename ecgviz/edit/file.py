"""Marks as a CSV file: a row a mark, so that a reader's changes travel between dashboard, command line and scripts."""

import csv
import io
import re
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd

from ecgviz.edit.order import IN_A_BEAT
from ecgviz.edit.table import edited, marks_table
from ecgviz.errors import EditError
from ecgviz.types import Beats

HEADER = ("beat", "mark", "time_s", "kind")
NEEDED = HEADER[:3]
LARGEST_BYTES = 20_000_000
"""A day of beats at 100 a minute is below this."""


def to_csv(table: pd.DataFrame) -> str:
    """Return a table of marks (`marks_table`) as CSV: beat, mark, time in seconds (empty = not there), kind of beat."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in table.to_dict("records"):
        for mark in IN_A_BEAT:
            at = float(row[mark])
            writer.writerow((row["beat"], mark, "" if np.isnan(at) else f"{at:.6f}".rstrip("0"), row["kind"]))
    return out.getvalue()


def read_marks(path: str | Path, beats: Beats, recording: str = "") -> Beats:
    """Return the beats of a recording with the changes of a file: `read_table`, then `edited`.

    Raises
    ------
    EditError
        When the file cannot be read, is no such table, or holds a mark that cannot stand where it is put.
    """
    return edited(beats, read_table(path, beats, recording))


def read_table(path: str | Path, beats: Beats, recording: str = "") -> pd.DataFrame:
    """Return the table of a recording's marks with what a CSV file says put in: see `from_csv`.

    Raises
    ------
    EditError
        When the file cannot be read or is no such table.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise EditError(f"{path.name} is larger than {LARGEST_BYTES // 1_000_000} MB: that is no table of marks")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise EditError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EditError(f"{path.name} is no text in UTF-8, so it is no table of marks") from error
    return from_csv(text, beats, path.name, recording)


def from_csv(text: str, beats: Beats, name: str = "the file", recording: str = "") -> pd.DataFrame:
    """Return the table of a recording's marks (`marks_table`) with what a CSV file says put in.

    Parameters
    ----------
    text : str
        Columns ``beat`` (counted from 1), ``mark`` (r, p_on, p_off, qrs_on, qrs_off, t_on, t_off) and ``time_s``
        (seconds; empty takes the mark out), and ``kind`` if wanted, in any order. What has no row stays as it is.
        Lines above them that begin with "#" say where the file comes from.
    beats : Beats
        What the file was made from.
    name : str
        Stands in refusals.
    recording : str, optional
        Digest of the recording (`Record.key`): a file that names another one is refused.

    Raises
    ------
    EditError
        With the line, for a missing column, an unknown beat or mark, a mark given twice, or a time that is no number.
    """
    table = marks_table(beats)
    above = list(takewhile(_is_comment, io.StringIO(text)))
    _check(above, name, recording)
    reader = csv.DictReader(io.StringIO(text[len("".join(above)) :]), skipinitialspace=True)
    missing = [column for column in NEEDED if column not in (reader.fieldnames or ())]
    if missing:
        raise EditError(f"{name} has no column {missing[0]!r}; a table of marks has {', '.join(NEEDED)}")
    seen: set[tuple[int, str]] = set()
    kinds: dict[int, str] = {}
    try:
        for row in reader:
            where = f"{name}, line {len(above) + reader.line_num}"
            beat, mark = _beat(where, row["beat"], len(beats)), (row["mark"] or "").strip()
            if mark not in IN_A_BEAT:
                raise EditError(f"{where}: {mark!r} is no mark; known are {', '.join(IN_A_BEAT)}")
            if (beat, mark) in seen:
                raise EditError(f"{where}: {mark} of beat {beat} is given twice")
            seen.add((beat, mark))
            table.loc[beat - 1, mark] = _seconds(where, row["time_s"])
            kind = (row.get("kind") or "").strip()
            if kind and kinds.setdefault(beat, kind) != kind:
                raise EditError(f"{where}: beat {beat} is said to be {kind}, and {kinds[beat]} before")
    except csv.Error as error:
        raise EditError(f"{name}, line {len(above) + reader.line_num}: this is no CSV ({error})") from error
    for beat, kind in kinds.items():
        table.loc[beat - 1, "kind"] = kind
    return table


def _is_comment(line: str) -> bool:
    return line.removeprefix('"').startswith("#")  # a spreadsheet puts quotes around what has a comma in it


def _check(comments: list[str], name: str, recording: str) -> None:
    """Refuse a file that says it was made from another recording than the one with this digest."""
    named = re.search(r"# recording: .*\(([0-9a-f]{12,64})\)", "".join(comments))
    if recording and named and not recording.startswith(named[1]):
        raise EditError(
            f"{name} holds the marks of another recording ({named[1]}), or of this one with another rate, age or sex: "
            f"the one asked about is {recording[: len(named[1])]}"
        )


def _beat(where: str, text: str | None, n_beats: int) -> int:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= n_beats):
        raise EditError(f"{where}: there is no beat {text!r}; the recording has {n_beats}, counted from 1")
    return int(text)


def _seconds(where: str, text: str | None) -> float:
    text = (text or "").strip()
    if not text:
        return float("nan")
    try:
        at = float(text)
    except ValueError:
        at = float("nan")
    if not np.isfinite(at):
        raise EditError(f"{where}: {text!r} is no time; give seconds, or leave it empty to take the mark out")
    return at
