"""Marks of each lead by neurokit2's prominence method, brought back to the beats they belong to by time."""

import warnings
from collections.abc import Mapping

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray

LISTS: Mapping[str, str] = {
    "p_on": "ECG_P_Onsets",
    "p_peak": "ECG_P_Peaks",
    "p_off": "ECG_P_Offsets",
    "qrs_on": "ECG_R_Onsets",
    "qrs_off": "ECG_R_Offsets",
    "t_on": "ECG_T_Onsets",
    "t_peak": "ECG_T_Peaks",
    "t_off": "ECG_T_Offsets",
}
P_BEFORE_S = (0.025, 0.250)
"""A P wave peaks between these before the QRS onset; nearer, it is part of QRS."""
MISPLACED = 0.2
INSIDE_S = 0.020
"""So long after its onset is surely inside the QRS complex."""
OUTLIER_S = 0.040
"""A lead's mark that lies further than this from the median over leads is not believed."""


def waves_of_leads(
    clean: FloatArray, peaks: np.ndarray, fs: float, qrs_on: FloatArray, chosen: BoolArray
) -> dict[str, FloatArray]:
    """Delineate cleaned leads (L, N) at R peaks (B,): seconds by mark, each of shape (L, B).

    neurokit2 looks for P before the lowest point ahead of the R peak, which in a broad notched complex lies inside it.
    When a fifth of the P peaks of the ``chosen`` beats (B,) turn out to lie there, P is looked for again from
    ``qrs_on`` (B,), in seconds, and the second answer taken when its usual P peak is at a possible place.
    """
    marks = _stacked(clean, peaks, fs)
    ahead = _before_qrs(marks, qrs_on, chosen)
    if ahead.size and np.mean(ahead < P_BEFORE_S[0]) >= MISPLACED:
        inside = np.where(np.isfinite(qrs_on), np.nan_to_num(qrs_on + INSIDE_S) * fs, peaks).round().astype(int)
        again = _stacked(clean, np.minimum(inside, peaks), fs)
        ahead = _before_qrs(again, qrs_on, chosen)
        if ahead.size and P_BEFORE_S[0] <= np.median(ahead) <= P_BEFORE_S[1]:
            marks |= {name: again[name] for name in ("p_on", "p_peak", "p_off")}
    return marks


def _before_qrs(marks: Mapping[str, FloatArray], qrs_on: FloatArray, chosen: BoolArray) -> FloatArray:
    """Return the times from P peak to QRS onset, in seconds, of all leads and chosen beats that have both."""
    ahead = (qrs_on - marks["p_peak"])[:, chosen]
    return np.asarray(ahead[np.isfinite(ahead)])


def _stacked(clean: FloatArray, peaks: np.ndarray, fs: float) -> dict[str, FloatArray]:
    rows = [lead_waves(row, peaks, fs) for row in clean]
    return {mark: np.stack([row[mark] for row in rows]) for mark in LISTS}


def lead_waves(clean: FloatArray, peaks: np.ndarray, fs: float) -> dict[str, FloatArray]:
    """Delineate one cleaned lead (N,) at its own rate.

    Returns seconds by mark, each of shape (B,), NaN where neurokit2 found nothing. neurokit2's lists may be shorter
    than the list of R peaks (a wave at sample 0 is dropped), so each value goes to the R peak nearest in time: the
    method looks no further than half an RR interval to either side. A lead that it cannot delineate is all NaN.
    """
    import neurokit2 as nk

    r_s = peaks / fs
    rows = {mark: np.full(peaks.size, np.nan) for mark in LISTS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)
        warnings.filterwarnings("ignore", module="neurokit2")
        warnings.filterwarnings("ignore", module="scipy.signal", message="some peaks have a prominence of 0")
        warnings.filterwarnings("ignore", module="scipy.signal", message="some peaks have a width of 0")
        try:
            _, found = nk.ecg_delineate(clean, peaks, sampling_rate=fs, method="prominence")
        except (IndexError, ValueError, ZeroDivisionError, TypeError):
            return rows
    for mark, name in LISTS.items():
        times = np.asarray([t for t in found[name] if np.isfinite(t)], dtype=np.float64) / fs
        if times.size:
            rows[mark][nearest(r_s, times)] = times
    return rows


def nearest(r_s: FloatArray, times: FloatArray) -> np.ndarray:
    """Return for each of ``times`` the index of the R peak nearest to it."""
    after = np.clip(np.searchsorted(r_s, times), 1, r_s.size - 1)
    nearer_before = times - r_s[after - 1] < r_s[after] - times
    index: np.ndarray = np.where(nearer_before, after - 1, after)
    return index


def without_outliers(times: FloatArray) -> FloatArray:
    """Return marks (L, B) with those further than 40 ms from the beat's median over leads set to NaN."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="All-NaN slice", category=RuntimeWarning)
        middle = np.nanmedian(times, axis=0)
    kept = np.array(times)
    kept[np.abs(times - middle) > OUTLIER_S] = np.nan
    return kept
