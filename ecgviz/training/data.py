"""Training examples: PTB-XL as published, and simulated records, prepared exactly as at prediction."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ecgviz.beats import delineate
from ecgviz.errors import EcgvizError, ModelError, RecordError, SimulationError
from ecgviz.records import load_record, ptbxl
from ecgviz.records.ptbxl import SUPERCLASSES, Entry
from ecgviz.signal import condition, prepare
from ecgviz.simulate import FINDINGS, Simulation, simulate
from ecgviz.training.labels import planted, stated
from ecgviz.types import InputSpec, Record
from ecgviz.types.arrays import BoolArray, FloatArray

NORMAL_SHARE = 0.2
FREE_RATE_SHARE = 0.35
"""This share of simulated records has any rate, so that no finding goes with its usual rate alone."""
SLOWEST_BPM, FASTEST_BPM = 45.0, 140.0
NOISE = (0.5, 2.0)
"""Noise is drawn log-uniformly from this range; 1 is that of routine recordings."""
MOST_BEATS = 40
"""R peaks of a 10 s window that are kept: 240 a minute."""
CHUNK = 20


@dataclass(frozen=True, eq=False)
class Examples:
    """Records to learn from, or to be scored on.

    ``x`` (n, L, T) float32 mV, ``y`` (n, C) 1, 0 or NaN (not known), ``r_s`` (n, K) R peaks in seconds from the
    window's start, NaN after the last, ``meta`` (n, 2) age in years and sex (0 male, 1 female), NaN where unknown,
    ``patient`` (n,) to resample by, ``record`` (n,) its name, ``finding`` (n,) that was planted ("" in real records),
    ``fold`` (n,) of PTB-XL, 0 for simulated ones, ``again`` (n,) True where an example is a second file of a record,
    ``severity`` (n,) of the finding, NaN for real and healthy ones; ``left_out`` counts records by the reason they are
    not here.
    """

    x: FloatArray
    y: FloatArray
    r_s: FloatArray
    meta: FloatArray
    labels: tuple[str, ...]
    patient: tuple[str, ...]
    record: tuple[str, ...]
    finding: tuple[str, ...]
    fold: FloatArray
    again: BoolArray
    severity: FloatArray
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def where(self, chosen: BoolArray) -> "Examples":
        """Return the examples of a mask (n,)."""
        rows = np.flatnonzero(chosen)
        kept: dict[str, Any] = {}
        for name in (field.name for field in fields(self) if field.name not in ("labels", "left_out")):
            values = getattr(self, name)
            kept[name] = tuple(values[i] for i in rows) if isinstance(values, tuple) else values[rows]
        return replace(self, **kept)


@dataclass(frozen=True, eq=False)
class _Row:
    """One example, before they are stacked."""

    x: FloatArray
    y: FloatArray
    r_s: FloatArray
    meta: tuple[float, float]
    patient: str
    record: str
    fold: int = 0
    again: bool = False
    finding: str = ""
    severity: float = float("nan")


def in_millivolts(spec: InputSpec) -> InputSpec:
    """Return the same input contract without standardisation, so that the standardisation can be fitted."""
    return replace(spec, mean_mv=0.0, std_mv=1.0)


def from_ptbxl(
    folder: Path,
    folds: Sequence[int],
    spec: InputSpec,
    labels: tuple[str, ...],
    *,
    both_rates: bool,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> Examples:
    """Read the records of some folds of PTB-XL with their superclasses and statements.

    A record has every superclass of its diagnostic statements, whatever their likelihood (the protocol of IMLE-Net).
    Duplicates that PTB-XL 1.0.3 dropped are left out, and counted. So are records without a superclass, when
    superclasses are all that is asked for; else these teach their statements alone. With ``both_rates`` the 500 Hz
    file of a record, where it is there, is one more example: resampled, it differs from the 100 Hz file by the
    filter that made that one. R peaks are found as at prediction when ``spec`` needs them.

    Raises
    ------
    ModelError
        When a label is neither a superclass nor a statement of the folder's table.
    RecordError
        When the folder is not PTB-XL as published, or no record of these folds is there.
    """
    known = {*SUPERCLASSES, *ptbxl.read_codes(folder)}
    if strange := [label for label in labels if label not in known]:
        raise ModelError(f"{', '.join(strange)}: neither a superclass nor an SCP statement of {ptbxl.STATEMENTS}")
    left_out = {"duplicates": 0, "without superclass": 0, "refused": 0}
    wanted: list[tuple[Entry, str]] = []
    for entry in ptbxl.read_table(folder).values():
        if entry.strat_fold not in folds:
            continue
        unlabelled = not entry.superclasses and set(labels) <= set(SUPERCLASSES)
        if entry.duplicate or unlabelled:
            left_out["duplicates" if entry.duplicate else "without superclass"] += 1
            continue
        wanted.append((entry, entry.filename_lr))
        if both_rates and (folder / entry.filename_hr).with_suffix(".hea").is_file():
            wanted.append((entry, entry.filename_hr))
    progress(f"reading {len(wanted)} files of PTB-XL")
    rows = parallel(n_jobs, _real, [(folder, entry, stem, spec, labels) for entry, stem in wanted])
    kept = _once([row for row in rows if row is not None])
    left_out["refused"] = len({entry.ecg_id for entry, _ in wanted}) - sum(not row.again for row in kept)
    if not kept:
        raise RecordError(f"{folder.name}: no labelled record of fold {', '.join(map(str, folds))} was found")
    return _stacked(kept, labels, left_out)


def _once(rows: list[_Row]) -> list[_Row]:
    """Tell the first file of each record that could be read from a second one."""
    first = {row.record: row for row in reversed(rows)}
    return [replace(row, again=row is not first[row.record]) for row in rows]


def _real(folder: Path, entry: Entry, stem: str, spec: InputSpec, labels: tuple[str, ...]) -> _Row | None:
    try:
        record = load_record((folder / stem).with_suffix(".hea"))
        peaks = delineate(condition(record)).r_s if "r_peaks" in spec.needs else np.empty(0)
        inputs = prepare(record, in_millivolts(spec), r_s=peaks)
    except EcgvizError:
        return None
    found = np.empty(0) if inputs.r_s is None else inputs.r_s
    if "r_peaks" in spec.needs and not found.size:
        return None
    names = str(entry.patient_id), str(entry.ecg_id)
    return _Row(inputs.x, stated(entry, labels), found, _meta(entry), *names, fold=entry.strat_fold)


def from_simulation(
    n: int,
    *,
    seed: int,
    spec: InputSpec,
    labels: tuple[str, ...],
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> Examples:
    """Simulate n records: `NORMAL_SHARE` healthy ones, the rest spread evenly over all other findings.

    Severities cover each finding's whole range, so that cases just past their limit and just not are among them. R
    peaks are the planted ones. The same n, seed and spec give the same records, whatever ``n_jobs``.
    """
    progress(f"simulating {n} records")
    rows = parallel(n_jobs, _simulated, [(seed, i, spec, labels) for i in range(n)])
    return _stacked(rows, labels, {})


def _simulated(seed: int, i: int, spec: InputSpec, labels: tuple[str, ...]) -> _Row:
    made = _draw(np.random.default_rng([seed, i]), spec)
    inputs = prepare(made.record, in_millivolts(spec), r_s=made.truth.beats.r_s)
    r_s = np.empty(0) if inputs.r_s is None else inputs.r_s
    name, finding = f"simulated-{seed}-{i}", made.truth.finding
    severity = np.nan if finding == "normal" else made.truth.severity
    target = planted(made, labels)
    return _Row(inputs.x, target, r_s, _meta(made.record), name, name, finding=finding, severity=severity)


def _draw(rng: np.random.Generator, spec: InputSpec) -> Simulation:
    others = [name for name in FINDINGS if name != "normal"]
    finding = "normal" if rng.random() < NORMAL_SHARE else str(rng.choice(others))
    low, high = FINDINGS[finding].severity_range
    asked: dict[str, Any] = {
        "seed": int(rng.integers(2**31)),
        "severity": float(rng.uniform(low, high)),
        "noise": float(np.exp(rng.uniform(*np.log(NOISE)))),
    }
    free, rate = rng.random() < FREE_RATE_SHARE, float(rng.uniform(SLOWEST_BPM, FASTEST_BPM))
    if free and FINDINGS[finding].kind != "rate":
        try:
            return simulate(finding, fs=spec.fs, duration_s=spec.duration_s, heart_rate_bpm=rate, **asked)
        except SimulationError:  # no patient shows the finding at that rate; its own rates remain
            pass
    return simulate(finding, fs=spec.fs, duration_s=spec.duration_s, **asked)


def _meta(record: Record | Entry) -> tuple[float, float]:
    age = np.nan if record.age_years is None else record.age_years
    return age, {"male": 0.0, "female": 1.0}.get(record.sex or "", np.nan)


def parallel(n_jobs: int, make: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return ``make(*each)`` in order, by so many processes."""
    if n_jobs == 1 or not arguments:
        return [make(*each) for each in arguments]
    with ProcessPoolExecutor(n_jobs, get_context("spawn")) as pool:
        return list(pool.map(make, *zip(*arguments, strict=True), chunksize=CHUNK))


def _stacked(rows: Sequence[_Row], labels: tuple[str, ...], left_out: Mapping[str, int]) -> Examples:
    r_s = np.full((len(rows), MOST_BEATS), np.nan, np.float32)
    for kept, row in zip(r_s, rows, strict=True):
        peaks = row.r_s[:MOST_BEATS]
        kept[: peaks.size] = peaks
    return Examples(
        x=np.stack([row.x for row in rows]),
        y=np.stack([row.y for row in rows]).astype(np.float32),
        r_s=r_s,
        meta=np.array([row.meta for row in rows], np.float32),
        labels=labels,
        patient=tuple(row.patient for row in rows),
        record=tuple(row.record for row in rows),
        finding=tuple(row.finding for row in rows),
        fold=np.array([row.fold for row in rows]),
        again=np.array([row.again for row in rows]),
        severity=np.array([row.severity for row in rows]),
        left_out=left_out,
    )
