"""Tables of beats: intervals beside a median beat, and every beat with its marks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecgviz.figures.style import number
from ecgviz.figures.tables import MEASUREMENTS
from ecgviz.measure import MedianBeat
from ecgviz.types import MARKS, Beats, Measurements

INTERVALS = ("rate_bpm", "p_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms")
_BETWEEN = {
    "p_ms": ("p_on", "p_off"),
    "pr_ms": ("p_on", "qrs_on"),
    "qrs_ms": ("qrs_on", "qrs_off"),
    "qt_ms": ("qrs_on", "t_off"),
}


def interval_table(measured: Measurements) -> pd.DataFrame:
    """Return rate and intervals of the dominant beats with their unit; a dash where there is none."""
    rows = []
    for name in INTERVALS:
        words, unit, decimals = MEASUREMENTS[name]
        value = measured.value(name)
        rows.append((words, f"{number(value, decimals)} {unit}" if value == value else number(value)))
    return pd.DataFrame(rows, columns=["interval", "value"])


def median_interval_table(marks_s: Mapping[str, float]) -> pd.DataFrame:
    """Return the intervals between the marks of one median beat, whatever its kind."""
    rows = []
    for name, (start, end) in _BETWEEN.items():
        value = 1000 * (marks_s.get(end, np.nan) - marks_s.get(start, np.nan))
        rows.append((MEASUREMENTS[name][0], f"{number(value)} ms" if value == value else number(value)))
    return pd.DataFrame(rows, columns=["interval", "value"])


def why_not(measured: Measurements) -> tuple[str, ...]:
    """Return a sentence for each interval that could not be measured."""
    return tuple(
        f"{MEASUREMENTS[name][0]}: {measured.why(name)}"
        for name in INTERVALS
        if measured.value(name) != measured.value(name)
    )


def why_no_p(beats: Beats) -> tuple[str, ...]:
    """Return the reasons for which beats have no P wave, each once, with the numbers of its beats from 1."""
    by_reason: dict[str, list[int]] = {}
    for b in np.flatnonzero(beats.p_absent):
        by_reason.setdefault(beats.why_no_p[b] if beats.why_no_p else "", []).append(int(b) + 1)
    extra = [f"{at:.2f}" for at in beats.extra_p_s]
    told = [f"{_numbered(found)}: {reason or 'no reason is on record'}." for reason, found in by_reason.items()]
    return (*told, *([f"P waves that no QRS complex follows: at {', '.join(extra)} s."] if extra else []))


def _numbered(beats: list[int]) -> str:
    """Return "beat 3", or "beats 1 to 4, 7": runs of three and more are joined."""
    runs: list[list[int]] = []
    for beat in beats:
        if runs and beat == runs[-1][-1] + 1:
            runs[-1].append(beat)
        else:
            runs.append([beat])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"beat{'s' if len(beats) > 1 else ''} {', '.join(parts)}"


def beat_table(beats: Beats) -> pd.DataFrame:
    """Return a row a beat: number, kind, R peak and the RR interval that ends in it, its six marks, why it has no P."""
    table = pd.DataFrame(
        {
            "beat": np.arange(1, len(beats) + 1),
            "kind": [kind.replace("_", " ") for kind in beats.kind],
            "cut by the edge": ["yes" if cut else "" for cut in beats.edge],
            "R peak, s": beats.r_s,
            "RR, ms": np.append(np.nan, 1000 * beats.rr_s) if len(beats) else np.empty(0),
        }
    )
    for name in MARKS:
        wave, end = name.split("_")
        table[f"{wave.upper()} {'onset' if end == 'on' else 'offset'}, s"] = getattr(beats, name)
    table["no P because"] = list(beats.why_no_p) or [""] * len(beats)
    return table.round(4)


def median_table(median: MedianBeat, leads: tuple[str, ...]) -> pd.DataFrame:
    """Return the samples of a median beat: milliseconds from the R peak, and a column of millivolts a lead."""
    table = pd.DataFrame(median.mv.T, columns=[f"{lead}, mV" for lead in leads]).round(4)
    table.insert(0, "from R, ms", np.round(1000 * median.time_s, 1))
    return table
