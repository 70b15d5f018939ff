"""What the delineating network learns from: cardiologists' marks, planted marks, rhythms with P waves or without.

Dimensions: L leads, T samples at the network's rate.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from ecgviz.beats.peaks import bridged, r_peaks, smoothed
from ecgviz.beats.scaled import NETWORK_HZ, at_network_rate
from ecgviz.errors import SimulationError
from ecgviz.nets.delineator import CLASSES
from ecgviz.records import load_record
from ecgviz.records.ludb import read_marks
from ecgviz.records.ptbxl import Entry, read_table
from ecgviz.signal import condition
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray

LOG = logging.getLogger(__name__)

IGNORED = -1
"""Class of a sample that nobody marked."""
APART_S = 0.100
"""Marks of one wave in different leads lie nearer to each other than this."""
FEWEST_LEADS = 4
"""A wave is part of the beat as a whole when this many leads have it."""
UNMARKED_S = 0.120
"""A wave whose onset or offset was not marked is ignored this far around its peak."""
SIMULATED_S = 14.0
SIMULATED_EDGE_S = 1.5
"""A simulated record's truth lacks the waves that its ends cut; so much of either end is not used."""
WITHOUT_P = ("AFIB", "AFLT")
"""PTB-XL's statements of rhythms without P waves."""
WITH_P = ("SR", "1AVB")
NOT_EACH_BEAT = (*WITHOUT_P, "PACE", "PVC", "PAC", "2AVB", "3AVB", "SVTAC", "PSVT", "SVARR", "BIGU", "TRIGU", "WPW")
"""Of PTB-XL's records with a statement of the first row and none of the second, each beat has a P wave before it."""
P_PLACE_S = (0.400, 0.060)
"""From so long before an R peak to so long before it, a P wave is somewhere ..."""
AFTER_R_S = 0.250
"""... but not earlier than this after the R peak before."""
P_PLACE_LEAST = 15
"""A place of fewer samples than this is left out."""


@dataclass(frozen=True)
class Example:
    """One record: ``signal`` (L, T) mV; ``of_lead`` (L, T) and ``whole`` (T,) int8 classes, `IGNORED` where unknown.

    ``without_p`` examples know one thing alone: no sample of theirs is part of a P wave. Those with ``p_places``
    (n, 2) know that a P wave is somewhere between each two samples. ``weight`` scales what the classes of the leads
    count; the whole always counts fully.
    """

    source: str
    signal: FloatArray
    of_lead: np.ndarray
    whole: np.ndarray
    without_p: bool = False
    p_places: np.ndarray = field(default_factory=lambda: np.empty((0, 2), dtype=int))
    weight: float = 1.0


def from_ludb(folder: Path, number: int) -> Example:
    """Return an LUDB recording with its cardiologists' marks; outside a lead's marked stretch nothing is known."""
    path = folder / "data" / f"{number}.hea"
    record = condition(load_record(path))
    signal, marks = at_network_rate(record.signal, record.fs), read_marks(path)
    n = signal.shape[1]
    of_lead = np.stack([painted(marks[lead], n) for lead in record.leads])
    return Example(f"ludb-{number}", signal, of_lead, painted(together(marks), n))


def painted(waves: Mapping[str, FloatArray], n: int) -> np.ndarray:
    """Return the class of each of ``n`` samples from (onset, peak, offset) rows by wave, `IGNORED` where unmarked."""
    every = np.concatenate([rows.ravel() for rows in waves.values()])
    classes = np.full(n, IGNORED, dtype=np.int8)
    if not np.isfinite(every).any():
        return classes
    at_s = np.arange(n) / NETWORK_HZ
    classes[(at_s >= np.nanmin(every)) & (at_s <= np.nanmax(every))] = CLASSES.index("none")
    for wave in ("T", "P", "QRS"):  # where two overlap, the later one has the claim
        for onset, peak, offset in waves[wave]:
            if np.isfinite(onset + offset):
                classes[(at_s >= onset) & (at_s <= offset)] = CLASSES.index(wave)
            else:
                classes[np.abs(at_s - peak) <= UNMARKED_S] = IGNORED
    return classes


def together(marks: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, FloatArray]:
    """Return by wave the median over leads of each onset, peak and offset, where enough leads have the wave."""
    whole = {}
    for wave in CLASSES[1:]:
        rows = np.concatenate([by_wave[wave] for by_wave in marks.values()])
        rows = rows[np.argsort(rows[:, 1])]
        groups = np.split(rows, np.flatnonzero(np.diff(rows[:, 1]) > APART_S) + 1)
        kept = [_middle(group) for group in groups if len(group) >= FEWEST_LEADS]
        whole[wave] = np.array(kept).reshape(-1, 3)
    return whole


def _middle(rows: FloatArray) -> FloatArray:
    """Return the median of each column over its known values; NaN for a column without any."""
    return np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan for c in rows.T])


def from_simulation(finding: str, seed: int) -> Example:
    """Return a simulated recording with its planted marks; rate and noise are drawn from wide ranges by the seed."""
    rng = np.random.default_rng([seed, len(finding)])
    rate = float(rng.uniform(40, 150)) if rng.random() < 0.5 else None
    noise = float(np.exp(rng.uniform(np.log(0.4), np.log(2.5))))
    made = simulate(finding, seed=seed, fs=500.0, duration_s=SIMULATED_S, noise=noise, heart_rate_bpm=rate)
    record = condition(made.record)
    signal = at_network_rate(record.signal, record.fs)
    whole = painted(_planted(made.truth.beats, made.truth.twin_values["p_ms"] / 1000), signal.shape[1])
    edge = round(SIMULATED_EDGE_S * NETWORK_HZ)
    signal, whole = signal[:, edge:-edge], whole[edge:-edge]
    return Example(f"{finding}-{seed}", signal, np.broadcast_to(whole, signal.shape), whole, weight=0.15)


def _planted(beats: Beats, p_s: float) -> dict[str, FloatArray]:
    lone = np.stack([beats.extra_p_s - p_s / 2, beats.extra_p_s, beats.extra_p_s + p_s / 2], axis=1)
    spans = {"P": (beats.p_on, beats.p_off), "QRS": (beats.qrs_on, beats.qrs_off), "T": (beats.t_on, beats.t_off)}
    waves = {name: np.stack([on, (on + off) / 2, off], axis=1) for name, (on, off) in spans.items()}
    waves["P"] = np.concatenate([waves["P"], lone])
    return {name: rows[np.isfinite(rows).all(axis=1)] for name, rows in waves.items()}


def simulated(per_finding: int) -> Iterator[Example]:
    """Yield ``per_finding`` recordings of each finding; seeds from 10,000 on, which no test uses.

    A drawn heart rate that the finding cannot have is drawn again.
    """
    for finding in FINDINGS:
        yield from islice(_possible(finding), per_finding)


def _possible(finding: str) -> Iterator[Example]:
    for seed in range(10_000, 20_000):
        try:
            yield from_simulation(finding, seed)
        except SimulationError as refusal:
            LOG.debug("seed %d: %s", seed, refusal)


def from_ptbxl(folder: Path) -> tuple[list[Example], list[Example]]:
    """Return PTB-XL's recordings of folds 1 to 8 in which each beat has a P wave, and those in which none has.

    Which is which is read from the statements of rhythm; where the waves are, nobody has marked.
    """
    with_p, without_p = [], []
    for entry in read_table(folder).values():
        codes = set(entry.scp_codes)
        if entry.strat_fold > 8 or entry.duplicate:
            continue
        if codes & set(WITHOUT_P):
            without_p.append(_rhythm(_loaded(folder, entry), without_p=True))
        elif codes & set(WITH_P) and not codes & set(NOT_EACH_BEAT):
            with_p.append(_rhythm(_loaded(folder, entry), without_p=False))
    return [example for example in with_p if len(example.p_places)], without_p


def _loaded(folder: Path, entry: Entry) -> Record:
    paths = [folder / f"{name}.hea" for name in (entry.filename_hr, entry.filename_lr)]
    return condition(load_record(next(path for path in paths if path.is_file())))


def _rhythm(record: Record, *, without_p: bool) -> Example:
    signal = at_network_rate(record.signal, record.fs)
    unknown = np.full(signal.shape, IGNORED, dtype=np.int8)
    peaks, _ = r_peaks(smoothed(bridged(record.signal), record.fs), record.fs)
    r_s = peaks / record.fs
    early = np.maximum(r_s[1:] - P_PLACE_S[0], r_s[:-1] + AFTER_R_S)
    places = np.round(np.stack([early, r_s[1:] - P_PLACE_S[1]], axis=1) * NETWORK_HZ).astype(int)
    places = np.empty((0, 2), dtype=int) if without_p else places[places[:, 1] - places[:, 0] > P_PLACE_LEAST]
    return Example(record.id, signal, unknown, unknown[0], without_p, places)
