"""The beats as neurokit2 alone finds them: what others use today, always runnable, to stand beside ours."""

import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from ecgviz.beats.gaps import gaps_s, without_hidden
from ecgviz.beats.peaks import SHORTEST_S, bridged, cleaned, r_peaks, usable_leads
from ecgviz.errors import InputError
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray
from ecgviz.types.beats import MARKS

METHODS = ("dwt", "prominence", "cwt", "peak")
"""neurokit2's ways to delineate a lead; "dwt" is its default."""
LISTS: Mapping[str, str] = {
    "p_on": "ECG_P_Onsets",
    "p_off": "ECG_P_Offsets",
    "qrs_on": "ECG_R_Onsets",
    "qrs_off": "ECG_R_Offsets",
    "t_on": "ECG_T_Onsets",
    "t_off": "ECG_T_Offsets",
}
FURTHEST_S: Mapping[str, tuple[float, float]] = {
    "p_on": (0.500, 0.0),
    "p_off": (0.500, 0.0),
    "qrs_on": (0.250, 0.0),
    "qrs_off": (0.0, 0.250),
    "t_on": (0.0, 0.800),
    "t_off": (0.0, 0.800),
}
"""How long before and after its R peak a mark can be: what is further off belongs to no beat."""
FEWEST = 1 / 3
"""Share of the usable leads that must have a mark for the beat to have it: 4 of 12, as for the cardiologists' marks."""
EDGE_S = (0.300, 0.400)
"""A beat with less than this before and after its R peak is cut by an end of the recording."""


def neurokit_beats(record: Record, method: str) -> Beats:
    """Find beats with neurokit2 alone: its R peaks, and its delineation of each lead by itself.

    R peaks are neurokit2's on the root mean square of the leads that its own cleaning gives. The
    global marks are the median over the leads that have the mark, at least a third of the usable ones; nothing else is
    decided. P waves are kept wherever neurokit2 draws them, atrial fibrillation included.

    Parameters
    ----------
    record : Record
        Any set of leads, any length; mV, conditioned. Flat and mostly missing leads are left out, gaps bridged.
    method : str
        One of `METHODS`. "peak" gives P onsets and T offsets only.

    Returns
    -------
    Beats
        ``kind`` is "unsure" throughout, because neurokit2 tells no kinds apart. A lead that it cannot delineate is
        NaN, and so is a beat whose R peak lies in the first 0.3 s or is the last sample. Without any beat ``reason``
        says why.

    Raises
    ------
    InputError
        For a method that neurokit2 does not have.

    Notes
    -----
    neurokit2's lists of marks are not as long as the list of R peaks when it skips a beat or drops a mark at sample 0
    (its issue 1127), so each mark is given to a beat by its time. It raises plain Python errors on flat leads, few
    beats, and beats at an edge.
    """
    if method not in METHODS:
        raise InputError(f"neurokit2 has no delineation {method!r}; there are {', '.join(METHODS)}")
    usable = usable_leads(record)
    if record.duration_s < SHORTEST_S:
        why = f"{record.duration_s:.1f} s is too short (at least {SHORTEST_S:.0f} s)"
        return Beats.none(record.leads, record.duration_s, _method(method), why)
    if not usable.any():
        why = "no lead has a signal: all are flat or mostly missing"
        return Beats.none(record.leads, record.duration_s, _method(method), why)
    clean = cleaned(bridged(record.signal[usable]), record.fs)
    peaks, reason = r_peaks(clean, record.fs)
    if reason:
        return Beats.none(record.leads, record.duration_s, _method(method), reason)
    marks = {mark: np.full((usable.size, peaks.size), np.nan) for mark in MARKS}
    for lead, row in zip(np.flatnonzero(usable), clean, strict=True):
        for mark, times in lead_marks(row, peaks, record.fs, method).items():
            marks[mark][lead] = times
    return _beats(record, method, peaks / record.fs, marks, int(np.ceil(FEWEST * usable.sum())))


def lead_marks(clean: FloatArray, peaks: np.ndarray, fs: float, method: str) -> dict[str, FloatArray]:
    """Return neurokit2's marks of one cleaned lead (N,) at R peaks (B,): seconds by mark, each (B,), NaN = none."""
    inner = peaks[(peaks > EDGE_S[0] * fs) & (peaks < clean.size - 1)]
    lists = _delineated(clean, inner, fs, method)
    return {mark: _by_beat(lists.get(name, ()), peaks / fs, fs, mark) for mark, name in LISTS.items()}


def _delineated(clean: FloatArray, peaks: np.ndarray, fs: float, method: str) -> Mapping[str, Any]:
    """Return neurokit2's lists of samples, none where it gives up."""
    import neurokit2 as nk

    with warnings.catch_warnings():
        # Its own, pandas' and scipy's, differing by version: what they warn of shows as NaN in the result.
        warnings.simplefilter("ignore")
        try:
            return dict(nk.ecg_delineate(clean, peaks, sampling_rate=fs, method=method)[1])
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return {}


def _by_beat(samples: Any, r_s: FloatArray, fs: float, mark: str) -> FloatArray:
    """Give each of the ``samples`` to the beat it can belong to; of two for one beat the one nearer to R stays."""
    before_s, after_s = FURTHEST_S[mark]
    given = np.full(r_s.size, np.nan)
    times = np.asarray(samples, dtype=np.float64) / fs
    for time in times[np.isfinite(times)]:
        b = int(np.searchsorted(r_s, time)) if before_s else int(np.searchsorted(r_s, time, side="right")) - 1
        possible = 0 <= b < r_s.size and -before_s <= time - r_s[b] <= after_s
        if possible and not abs(given[b] - r_s[b]) <= abs(time - r_s[b]):
            given[b] = time
    return given


def _over_leads(marks: FloatArray, fewest: int) -> FloatArray:
    """Return the median over leads of (L, B) marks, NaN where fewer than ``fewest`` leads have one."""
    enough = np.isfinite(marks).sum(axis=0) >= fewest
    middle = np.full(marks.shape[1], np.nan)
    middle[enough] = np.nanmedian(marks[:, enough], axis=0)
    return middle


def _method(method: str) -> str:
    return f"neurokit2 {version('neurokit2')}: R peaks over leads, {method} delineation a lead, median over leads"


def _beats(record: Record, method: str, r_s: FloatArray, marks: Mapping[str, FloatArray], fewest: int) -> Beats:
    whole = {mark: _over_leads(marks[mark], fewest) for mark in MARKS}
    beats = Beats(
        r_s=r_s,
        p_on=whole["p_on"],
        p_off=whole["p_off"],
        qrs_on=whole["qrs_on"],
        qrs_off=whole["qrs_off"],
        t_on=whole["t_on"],
        t_off=whole["t_off"],
        kind=("unsure",) * r_s.size,
        edge=(r_s < EDGE_S[0]) | (r_s > record.duration_s - EDGE_S[1]),
        duration_s=record.duration_s,
        leads=record.leads,
        lead_marks=marks,
        why_no_p=tuple("neurokit2 marks one in too few leads" if np.isnan(on) else "" for on in whole["p_on"]),
        gaps_s=gaps_s(record, usable_leads(record)),
        method=_method(method),
    )
    return without_hidden(beats)
