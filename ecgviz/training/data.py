"""Training examples: PTB-XL as published, and simulated records, prepared exactly as at prediction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgviz.errors import EcgvizError, RecordError
from ecgviz.records import load_record, ptbxl
from ecgviz.records.ptbxl import SUPERCLASSES
from ecgviz.signal import prepare
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.types import InputSpec, Record
from ecgviz.types.arrays import BoolArray, FloatArray

NORMAL_SHARE = 0.3
LOWEST_SEVERITY, HIGHEST_SEVERITY = 0.8, 1.4


@dataclass(frozen=True, eq=False)
class Examples:
    """Records to learn from, or to be scored on.

    ``x`` (n, L, T) float32 mV, ``y`` (n, C) 0 or 1, ``patient`` (n,) to resample by, ``again`` (n,) True where an
    example is a second file of a record; ``left_out`` counts records by the reason they are not here.
    """

    x: FloatArray
    y: FloatArray
    labels: tuple[str, ...]
    patient: tuple[str, ...]
    again: BoolArray
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return int(self.x.shape[0])


def in_millivolts(spec: InputSpec) -> InputSpec:
    """Return the same input contract without standardisation, so that the standardisation can be fitted."""
    return InputSpec(spec.leads, spec.fs, spec.duration_s, 0.0, 1.0, spec.pads, spec.needs)


def from_ptbxl(folder: Path, folds: Sequence[int], spec: InputSpec, *, both_rates: bool) -> Examples:
    """Read the records of some folds of PTB-XL with their superclasses.

    A record has every superclass of its diagnostic statements, whatever their likelihood (the protocol of IMLE-Net).
    Records without a superclass and the duplicates that PTB-XL 1.0.3 dropped are left out, and counted. With
    ``both_rates`` the 500 Hz file of a record, where it is there, is one more example: resampled, it differs from
    the 100 Hz file by the filter that made that one.

    Raises
    ------
    RecordError
        When the folder is not PTB-XL as published, or no record of these folds is there.
    """
    left_out = {"duplicates": 0, "without superclass": 0, "refused": 0}
    signals, targets, patients, again = [], [], [], []
    for row in ptbxl.read_table(folder).values():
        if row.strat_fold not in folds:
            continue
        if row.duplicate or not row.superclasses:
            left_out["duplicates" if row.duplicate else "without superclass"] += 1
            continue
        for stem in (row.filename_lr, row.filename_hr) if both_rates else (row.filename_lr,):
            path = (folder / stem).with_suffix(".hea")
            if stem == row.filename_hr and not path.is_file():
                continue
            try:
                signals.append(prepare(load_record(path), in_millivolts(spec)).x)
            except EcgvizError:
                left_out["refused"] += 1
                continue
            targets.append([float(label in row.superclasses) for label in SUPERCLASSES])
            patients.append(str(row.patient_id))
            again.append(stem == row.filename_hr)
    if not signals:
        raise RecordError(f"{folder.name}: no labelled record of fold {', '.join(map(str, folds))} was found")
    y = np.array(targets, np.float32)
    return Examples(np.stack(signals), y, SUPERCLASSES, tuple(patients), np.array(again), left_out)


def from_simulation(n: int, *, seed: int, spec: InputSpec, progress: Callable[[str], None]) -> Examples:
    """Simulate n records with a superclass: `NORMAL_SHARE` healthy ones, the rest spread evenly over the findings.

    Findings without a superclass (rates, atrial fibrillation, premature beats) are not used.
    """
    rng = np.random.default_rng(seed)
    findings = [name for name, finding in FINDINGS.items() if finding.superclass not in (None, "NORM")]
    healthy = [name for name, finding in FINDINGS.items() if finding.superclass == "NORM"]
    signals, targets = [], []
    for i in range(n):
        name = str(rng.choice(healthy if rng.random() < NORMAL_SHARE else findings))
        signals.append(prepare(_draw(name, rng, spec), in_millivolts(spec)).x)
        targets.append([float(label == FINDINGS[name].superclass) for label in SUPERCLASSES])
        if (i + 1) % 500 == 0:
            progress(f"simulated {i + 1} of {n} records")
    patients = tuple(f"simulated-{seed}-{i}" for i in range(n))
    y = np.array(targets, np.float32)
    return Examples(np.stack(signals), y, SUPERCLASSES, patients, np.zeros(n, dtype=bool), {})


def _draw(finding: str, rng: np.random.Generator, spec: InputSpec) -> Record:
    return simulate(
        finding,
        seed=int(rng.integers(2**31)),
        fs=spec.fs,
        duration_s=spec.duration_s,
        severity=float(rng.uniform(LOWEST_SEVERITY, HIGHEST_SEVERITY)),
    ).record
