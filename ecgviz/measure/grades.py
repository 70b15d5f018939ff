"""How far each measurement of a 10 s recording can be trusted: robust, fair or fragile, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

GRADES = ("robust", "fair", "fragile")
COARSE_HZ = 250.0
"""Below this rate a reader is told how fine a duration is, and durations are graded one step lower."""

PLAN = "graded by this project, from what readers and programs disagree on; no published scale"
"""Where a grade comes from when no measured number stands behind it."""

_WHY: Mapping[str, tuple[str, str]] = {
    "beats": ("robust", "rests on R peaks, or on the size and width of QRS, the largest wave"),
    "regularity": ("fair", "8 to 15 beats of one recording"),
    "bounds": ("fair", "rests on where a low wave begins or ends: careful readers differ by 10 to 30 ms (CSE)"),
    "level": ("fair", "a level of a few hundredths of a millivolt, which baseline wander moves"),
    "small": ("fragile", "rests on a deflection near the size of noise, or on few samples"),
    "shape": ("fragile", "a shape that filters, noise and the choice of wave bounds change"),
    "between": ("fragile", "what is left when the beats are taken off, in seconds of signal"),
}
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "beats": (
        *("rate_bpm", "rr_mean_ms", "n_beats", "n_measured", "qrs_ms", "qrs_axis_deg", "r_mv", "s_mv", "qrs_pp_mv"),
        *("qrs_area_mv_ms",),
    ),
    "regularity": (
        *("rr_sd_ms", "rr_cv", "rr_range_fraction", "nrmssd", "prr50"),
        *("n_ectopic", "coupling_ms", "p_fraction"),
    ),
    "bounds": (
        *("pr_ms", "qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "qtc_framingham_ms", "qtc_hodges_ms"),
        *("jt_ms", "jtc_bazett_ms", "t_axis_deg", "qrs_width_ms", "r_ms", "s_ms"),
    ),
    "level": ("j_mv", "st60_mv", "st80_mv", "t_mv", "p_mv", "q_mv", "qs"),
    "small": (
        *("q_ms", "r2_mv", "r2_ms", "s2_mv", "s2_ms"),
        *("p_ms", "p_width_ms", "t_width_ms", "p_axis_deg", "ptf_v1_mv_ms", "p_end_mv", "p_end_ms"),
    ),
    "shape": ("r_peak_ms", "notch", "delta_fraction", "st_slope_mv_per_s", "t_symmetry"),
    "between": ("f_rate_hz", "f_regularity", "f_mv"),
}
GRADED: Mapping[str, tuple[str, str]] = {name: _WHY[group] for group, names in _GROUPS.items() for name in names}
"""Grade and reason of every measurement by name, at 500 Hz."""
_AVERAGED = ("rr_mean_ms", "rr_sd_ms", "coupling_ms", "qrs_area_mv_ms")
"""Names with milliseconds that a coarse rate does not coarsen: R peaks and areas are found between samples."""


@dataclass(frozen=True)
class Grade:
    """How far to trust a measurement: ``word`` of `GRADES`, and ``why``."""

    word: str
    why: str


def grade(name: str, fs: float) -> Grade:
    """Return the grade of a measurement of a 10 s recording at ``fs`` Hz.

    The three steps and most places in them follow the planning table of this project (`PLAN`); durations fall one step
    below 250 Hz, where a sample is 4 ms or longer.

    Raises
    ------
    KeyError
        For a name that is no measurement.
    """
    word, why = GRADED[name]
    if grain_ms(name, fs) == grain_ms(name, fs):
        word = GRADES[min(GRADES.index(word) + 1, len(GRADES) - 1)]
        why = f"{why}; at {fs:.0f} Hz a sample is {1000 / fs:.0f} ms"
    return Grade(word, why)


def grain_ms(name: str, fs: float) -> float:
    """Return how fine a duration or a shape is known at a coarse rate: one sample, in ms; NaN where none matters."""
    timed = name.endswith(("_ms", "notch", "delta_fraction")) and name not in _AVERAGED
    return 1000 / fs if timed and fs < COARSE_HZ else float("nan")
