"""How right measurements are: against what was planted in simulated records, and against LUDB's cardiologists."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ecgviz.beats import delineate
from ecgviz.criteria.vocabulary import MEASURES
from ecgviz.errors import SimulationError
from ecgviz.measure import measure
from ecgviz.measure.complexes import SMALLEST_MV
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.simulate import FINDINGS, Simulation, simulate
from ecgviz.types import Beats, Measurements
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.validate.delineation import unseen_beats
from ecgviz.validate.marked import read_marked, recordings

TRUE, FOUND = "true marks", "found marks"
SLOWEST_BPM, FASTEST_BPM = 40.0, 150.0
SPREAD = 0.618034
"""Seeds are spread evenly over heart rates by this part of the range (the golden section)."""
SECONDS = 10.0
INTERVALS = ("p_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_bazett_ms")
GLOBAL = (*INTERVALS, "qtc_fridericia_ms", "qrs_axis_deg", "p_axis_deg", "t_axis_deg", "ptf_v1_mv_ms")
QRS_WAVES = ("q_mv", "r_mv", "s_mv", "r2_mv", "q_ms", "r_ms", "s_ms", "r_peak_ms", "qs")
PER_LEAD = ("p_mv", *QRS_WAVES, "qrs_pp_mv", "qrs_area_mv_ms", "j_mv", "st60_mv", "st80_mv", "t_mv")
LIMITS: Mapping[str, float] = {"pr_ms": 5.0, "qrs_ms": 5.0, "qt_ms": 8.0, "qrs_axis_deg": 5.0}
"""What the mean error should not exceed; amplitudes: `AMPLITUDE_LIMIT_MV`."""
AMPLITUDE_LIMIT_MV = 0.02
P_BEFORE_S, T_AFTER_S = 0.5, 0.8


@dataclass(frozen=True)
class MeasurementRow:
    """Errors of one measurement, found minus true, in ``unit``.

    ``n`` values were compared, ``n_missing`` were there and not measured, ``n_extra`` were measured where there is
    nothing, ``n_left_out`` have no one truth (see `simulated_errors`). ``bias`` is the mean error, ``mae`` the mean of
    its size, ``p95`` the 95th percentile of its size; ``limit`` what ``mae`` should not exceed, NaN without one.
    ``snr_db`` is the median signal-to-noise ratio of the records, NaN where the clean signal is not known.
    """

    name: str
    unit: str
    fs: float
    marks: str
    n: int
    n_missing: int
    n_extra: int
    n_left_out: int
    bias: float
    mae: float
    p95: float
    limit: float
    snr_db: float


Pair = tuple[FloatArray, FloatArray, BoolArray]
"""True values, found values, and which of them may be compared, each (n,)."""


def simulated_errors(
    seeds: Iterable[int],
    rates_hz: Sequence[float],
    *,
    findings: Sequence[str] = tuple(FINDINGS),
    noise: float = 1.0,
    marks: Sequence[str] = (TRUE, FOUND),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[MeasurementRow]:
    """Measure simulated 10 s records of every finding at 40 to 150 bpm, and return the errors by rate and marks.

    With `TRUE` marks only measuring is judged, with `FOUND` ones delineation too. A finding that cannot be had at the
    rate its seed falls on is left out. The truth is the planted beat at the mean rate, without noise; QTc is that
    beat's QT at the record's own mean RR interval. What has no one truth is not compared: QRS waves in leads where a
    planted deflection lies between 0.02 mV, where the simulator names it, and 0.05 mV, where `measure` does; R-peak
    time where R' is lower than R (the simulator takes R, `measure` R'). SNR is the power of the clean record over that
    of all that noise added, wander included.

    Parameters
    ----------
    seeds : iterable of int
    rates_hz : sequence of float
        Sampling rates; the same patients are simulated at each.
    findings : names of `ecgviz.simulate.FINDINGS`.
    noise : float
        1 is that of routine recordings.
    marks : any of `TRUE`, `FOUND`.
    progress : called with the number of records done and to do.
    """
    seeds = list(seeds)
    total, done, rows = len(rates_hz) * len(findings) * len(seeds), 0, []
    for fs in rates_hz:
        pairs: dict[tuple[str, str], list[Pair]] = {}
        snr: list[float] = []
        for case in _cases(seeds, fs, findings, noise):
            done += 1
            progress(done, total)
            if case is None:
                continue
            snr.append(snr_db(case))
            for mark in marks:
                for name, pair in _compared(case, mark).items():
                    pairs.setdefault((mark, name), []).append(pair)
        middle = float(np.median(snr)) if snr else float("nan")
        rows += [_row(name, fs, mark, found, middle) for (mark, name), found in sorted(pairs.items(), key=_order)]
    return rows


def _cases(seeds: Sequence[int], fs: float, findings: Sequence[str], noise: float) -> Iterator[Simulation | None]:
    names = list(FINDINGS)
    for finding in findings:
        for seed in seeds:
            share = (SPREAD * seed + 0.37 * names.index(finding)) % 1
            bpm = SLOWEST_BPM + (FASTEST_BPM - SLOWEST_BPM) * share
            try:
                yield simulate(finding, seed=seed, fs=fs, duration_s=SECONDS, heart_rate_bpm=bpm, noise=noise)
            except SimulationError:
                yield None


def snr_db(case: Simulation) -> float:
    """Return the power of the clean record over that of what was added to it, over all leads, in decibels."""
    clean = np.asarray(case.clean.signal, dtype=np.float64)
    added = case.record.signal - clean
    return float(10 * np.log10(np.sum(clean**2) / np.sum(added**2))) if added.any() else float("inf")


def _compared(case: Simulation, mark: str) -> dict[str, Pair]:
    record, truth = condition(case.record), case.truth
    beats: Beats = truth.beats if mark == TRUE else delineate(record)
    found = measure(record, beats)
    pairs = {}
    for name in GLOBAL:
        true, seen = np.array([truth.values[name]]), np.array([found.value(name)])
        pairs[name] = true, seen, np.ones(1, dtype=bool)
    waves = np.stack([truth.per_lead[name] for name in ("q_mv", "r_mv", "s_mv", "r2_mv")])
    plain = ~((waves > 0) & (waves < SMALLEST_MV)).any(axis=0)
    for name in PER_LEAD:
        one_truth = np.asarray(plain if name in QRS_WAVES else np.ones(plain.size, dtype=bool))
        true = np.array(truth.per_lead[name])
        if name == "r_peak_ms":
            one_truth = np.asarray(plain & ((waves[3] == 0) | (waves[3] > waves[1])))
            true = np.where(waves[1] > 0, true, np.nan)
        pairs[name] = true, found.per_lead[name], one_truth
    return pairs


def _row(name: str, fs: float, mark: str, pairs: Sequence[Pair], snr: float) -> MeasurementRow:
    true, found, one_truth = (np.concatenate(part) for part in zip(*pairs, strict=True))
    there, seen = np.isfinite(true) & one_truth, np.isfinite(found) & one_truth
    errors = (found - true)[there & seen]
    if name.endswith("_deg"):
        errors = (errors + 180) % 360 - 180
    sizes = np.abs(errors)
    limit = LIMITS.get(name, AMPLITUDE_LIMIT_MV if name.endswith("_mv") else float("nan"))
    return MeasurementRow(
        name=name,
        unit=MEASURES[name].unit,
        fs=fs,
        marks=mark,
        n=errors.size,
        n_missing=int((there & ~seen).sum()),
        n_extra=int((seen & ~there).sum()),
        n_left_out=int((~one_truth).sum()),
        bias=float(errors.mean()) if errors.size else float("nan"),
        mae=float(sizes.mean()) if errors.size else float("nan"),
        p95=float(np.percentile(sizes, 95)) if errors.size else float("nan"),
        limit=limit,
        snr_db=snr,
    )


def _order(entry: tuple[tuple[str, str], list[Pair]]) -> tuple[bool, int]:
    mark, name = entry[0]
    return mark != TRUE, (*GLOBAL, *PER_LEAD).index(name)


def ludb_interval_errors(
    folder: str | Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[MeasurementRow]:
    """Return the errors of P, PR, QRS, QT and QTc (Bazett) on LUDB against its cardiologists' marks.

    One value a recording on each side: ours as `measure` gives it, theirs the median over the marked beats, each wave
    taken at its median over leads (`ecgviz.validate.marked`). Beats are those of `unseen_beats`: the network that marks
    the waves of a recording has not been fitted to it. No limit is set: of
    two cardiologists who mark the same beat neither is the truth to the millisecond.
    """
    paths = recordings(folder)
    pairs: dict[str, list[Pair]] = {name: [] for name in INTERVALS}
    for done, path in enumerate(paths.values(), start=1):
        record = condition(load_record(path))
        found: Measurements = measure(record, unseen_beats(record))
        true = marked_intervals_ms(read_marked(path).median)
        for name in INTERVALS:
            pairs[name].append((np.array([true[name]]), np.array([found.value(name)]), np.ones(1, dtype=bool)))
        progress(done, len(paths))
    rows = [_row(name, record.fs, FOUND, found, float("nan")) for name, found in pairs.items()]
    return [replace(row, limit=float("nan")) for row in rows]


def marked_intervals_ms(waves: Mapping[str, FloatArray]) -> dict[str, float]:
    """Return a recording's intervals in ms: medians over its beats of waves (n, 3): onset, peak, offset in seconds.

    The P wave of a beat is the last to begin within 500 ms before its QRS and after the QRS before, its T wave the
    first to end within 800 ms after QRS onset and before the next QRS. An interval that fewer than half of the beats
    have is NaN.
    """
    qrs = waves["QRS"][np.isfinite(waves["QRS"][:, 0])]
    lengths: dict[str, list[float]] = {name: [] for name in INTERVALS[:4]}
    starts = [-np.inf, *qrs[:, 0], np.inf]
    for k, (on, _, off) in enumerate(qrs):
        p = waves["P"][(waves["P"][:, 0] < on) & (waves["P"][:, 0] > max(on - P_BEFORE_S, starts[k]))]
        t = waves["T"][(waves["T"][:, 2] > on) & (waves["T"][:, 2] < min(on + T_AFTER_S, starts[k + 2]))]
        p_on, p_off = (p[-1, 0], p[-1, 2]) if len(p) else (np.nan, np.nan)
        found = (p_off - p_on, on - p_on, off - on, (t[0, 2] if len(t) else np.nan) - on)
        for name, length in zip(lengths, found, strict=True):
            lengths[name].append(1000 * length)
    result = {name: _usual(values) for name, values in lengths.items()}
    rr = np.diff(qrs[:, 0])
    result["qtc_bazett_ms"] = float(result["qt_ms"] / np.sqrt(np.median(rr))) if rr.size else float("nan")
    return result


def _usual(values: Sequence[float]) -> float:
    known = np.array(values)[np.isfinite(values)]
    return float(np.median(known)) if known.size and 2 * known.size >= len(values) else float("nan")
