"""All marks of a recording as one table, a row a beat, and a table that a reader changed back into beats."""

from typing import Any

import numpy as np
import pandas as pd

from ecgviz.edit.marks import ENDS_OF, Change, changed, marks_of, set_kind
from ecgviz.edit.order import IN_A_BEAT
from ecgviz.errors import EditError
from ecgviz.types import Beats

COLUMNS = ("beat", "kind", *IN_A_BEAT)
"""Of the table: the beat's number from 1, its kind, and its seven marks in seconds, in the order of time."""


def marks_table(beats: Beats) -> pd.DataFrame:
    """Return `COLUMNS`, a row a beat; seconds, NaN where a mark is not there."""
    table = pd.DataFrame({"beat": np.arange(1, len(beats) + 1), "kind": list(beats.kind)})
    for mark in IN_A_BEAT:
        table[mark] = np.array(marks_of(beats, mark))
    return table


def edited(beats: Beats, table: pd.DataFrame) -> Beats:
    """Return beats as a table says, with a sentence in ``edits`` for every difference.

    Parameters
    ----------
    beats : Beats
        What the table was made from.
    table : DataFrame
        `COLUMNS`; beats without a row stay as they are. An empty mark takes its wave out, an empty R peak the beat. A
        time within half a millisecond of the old one is no change. Numbers are those of ``beats``, whatever is deleted.

    Raises
    ------
    EditError
        When a column is missing, a beat has two rows or is not there, a time is no number, a kind unknown, or a mark
        cannot stand where it is put: all are judged where they end up.
    """
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise EditError(f"the table of marks has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}")
    result, changes = beats, []
    seen: set[int] = set()
    for row in table.to_dict("records"):
        beat = _number(row["beat"], len(beats))
        if beat in seen:
            raise EditError(f"beat {beat} has two rows in the table of marks")
        seen.add(beat)
        mine = [Change(beat, mark, _seconds(beat, mark, row[mark])) for mark in IN_A_BEAT]
        changes += mine
        if not any(each.mark == "r" and np.isnan(each.time_s) for each in mine):
            result = set_kind(result, beat, str(row["kind"]))
    return changed(result, changes)


def whole_waves(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of marks in which a wave that lost one of its marks has lost both, as `edited` understands it."""
    whole = table.copy()
    for ends in ENDS_OF.values():
        half = whole[list(ends)].isna().any(axis=1)
        whole.loc[half, list(ends)] = np.nan
    return whole


def _number(value: Any, n_beats: int) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number) or number % 1 or not 1 <= number <= n_beats:
        raise EditError(f"there is no beat {value!s}: the recording has {n_beats} beats, counted from 1")
    return int(number)


def _seconds(beat: int, mark: str, value: Any) -> float:
    if value is None or value is pd.NA:
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise EditError(f"beat {beat}: {value!r} is no time for {mark}; give seconds") from None
