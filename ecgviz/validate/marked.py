"""What LUDB's cardiologists marked: the waves of each lead, and the median over leads of the waves of a beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records.ludb import TABLE, read_marks, read_table
from ecgviz.types.arrays import FloatArray

WAVES = ("P", "QRS", "T")
APART_S = 0.100
"""Waves of two leads that are further apart in time belong to two waves, unless nothing else tells them apart."""
FEWEST_LEADS = 4
"""A wave that fewer leads have is no wave of the beat, and none that a delineator may be blamed for marking."""


@dataclass(frozen=True, eq=False)
class Marked:
    """The cardiologists' marks of one recording.

    ``leads`` holds, by lead and wave, (n, 3) seconds: onset, peak and offset, NaN where a bound is not marked.
    ``median`` holds, by wave, the same over leads, of the waves that at least `FEWEST_LEADS` leads have; ``doubtful``
    the waves that fewer leads have. ``span_s`` is the first and the last mark of each lead, since what lies outside was
    not annotated; ``median_span_s`` the same of ``median``.
    """

    leads: Mapping[str, Mapping[str, FloatArray]]
    median: Mapping[str, FloatArray]
    doubtful: Mapping[str, FloatArray]
    span_s: Mapping[str, tuple[float, float]]
    median_span_s: tuple[float, float]

    @property
    def has_p(self) -> bool:
        """Whether any P wave was marked in any lead: not in atrial fibrillation or flutter, for example."""
        return any(len(waves["P"]) for waves in self.leads.values())


def place(waves: FloatArray) -> FloatArray:
    """Return where waves (n, 3) lie, seconds (n,): the middle of onset and offset.

    The middle is steadier over leads than the peak, which jumps between the two tops of a notched or biphasic wave.
    Without one of its bounds a wave lies at its peak; without a peak too, at the bound that is left.
    """
    on, peak, off = waves.T
    at_s = (on + off) / 2
    for instead in (peak, on, off):
        at_s = np.where(np.isfinite(at_s), at_s, instead)
    return at_s


def recordings(folder: str | Path) -> dict[int, Path]:
    """Return the header file of each recording of an LUDB folder by its number.

    Raises
    ------
    RecordError
        When the folder is not LUDB's, or holds no recording.
    """
    folder = Path(folder)
    if not (folder / TABLE).is_file():
        raise RecordError(f"{folder.name}: this is no folder of LUDB, which has the table {TABLE}")
    found = {number: folder / "data" / f"{number}.hea" for number in read_table(folder / TABLE)}
    found = {number: path for number, path in sorted(found.items()) if path.is_file()}
    if not found:
        raise RecordError(f"{folder.name}: LUDB's table is there, but none of its recordings in the folder data")
    return found


def read_marked(path: str | Path) -> Marked:
    """Read the marks of one LUDB recording, and bring those of its leads together wave by wave."""
    leads = read_marks(path)
    found = {wave: _over_leads(leads, wave) for wave in WAVES}
    median = {wave: rows[counts >= FEWEST_LEADS] for wave, (rows, counts) in found.items()}
    doubtful = {wave: rows[counts < FEWEST_LEADS] for wave, (rows, counts) in found.items()}
    spans = {lead: _span(waves) for lead, waves in leads.items()}
    return Marked(leads, median, doubtful, spans, _span(median))


def _span(waves: Mapping[str, FloatArray]) -> tuple[float, float]:
    """Return the first and the last mark in seconds, NaN without any mark."""
    marks = np.concatenate([rows.ravel() for rows in waves.values()])
    marks = marks[np.isfinite(marks)]
    return (float(marks.min()), float(marks.max())) if marks.size else (float("nan"), float("nan"))


def _over_leads(leads: Mapping[str, Mapping[str, FloatArray]], wave: str) -> tuple[FloatArray, np.ndarray]:
    """Return the median onset, peak and offset of each wave (n, 3), and how many leads have it (n,)."""
    rows = np.concatenate([waves[wave] for waves in leads.values()])
    owner = np.repeat(np.arange(len(leads)), [len(waves[wave]) for waves in leads.values()])
    at_s, qrs_s = place(rows), place(np.concatenate([waves["QRS"] for waves in leads.values()]))
    groups: list[np.ndarray] = []
    for near in _near(at_s):
        for group in _once_a_lead(near, at_s, owner):
            if groups and _one_wave(groups[-1], group, at_s, owner, qrs_s):
                group = np.concatenate([groups.pop(), group])
            groups.append(group)
    medians = [[_median(column) for column in rows[group].T] for group in groups]
    return np.array(medians).reshape(-1, 3), np.array([group.size for group in groups], dtype=int)


def _near(at_s: FloatArray) -> list[np.ndarray]:
    """Return the indices of ``at_s`` in groups, each in time order, cut where a gap exceeds `APART_S`."""
    order = np.argsort(at_s, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(at_s[order]) > APART_S) + 1) if order.size else []


def _once_a_lead(group: np.ndarray, at_s: FloatArray, owner: np.ndarray) -> list[np.ndarray]:
    """Cut a group at its widest gap until no lead is in it twice: a premature wave that ran into the one before."""
    if np.unique(owner[group]).size == group.size:
        return [group]
    cut = int(np.diff(at_s[group]).argmax()) + 1
    return [part for half in (group[:cut], group[cut:]) for part in _once_a_lead(half, at_s, owner)]


def _one_wave(first: np.ndarray, second: np.ndarray, at_s: FloatArray, owner: np.ndarray, qrs_s: FloatArray) -> bool:
    """Return whether two neighbouring groups are one wave on whose place the leads disagree.

    They are when no lead is in both and no QRS complex lies between them. The second P wave before a QRS complex (a
    blocked beat) is in the same leads as the first, and stays a wave of its own.
    """
    between = (qrs_s > at_s[first].max()) & (qrs_s < at_s[second].min())
    return not between.any() and not np.intersect1d(owner[first], owner[second]).size


def _median(column: FloatArray) -> float:
    """Return the median of what is marked, NaN when nothing is."""
    known = column[np.isfinite(column)]
    return float(np.median(known)) if known.size else float("nan")
