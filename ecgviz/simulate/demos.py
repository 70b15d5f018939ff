"""Write the demo records that ship with ecgviz: ``python -m ecgviz.simulate.demos [FOLDER]``."""

import sys
from pathlib import Path

import numpy as np

import ecgviz.records
from ecgviz.simulate.simulator import simulate

FS, DURATION_S = 500.0, 10.0
SEEDS = {
    "normal": 1,
    "inferior_stemi": 2,
    "anterior_stemi": 3,
    "lateral_stemi": 4,
    "old_inferior_mi": 1,
    "old_anterior_mi": 3,
    "old_lateral_mi": 4,
    "st_depression": 4,
    "t_inversion": 3,
    "lbbb": 1,
    "rbbb": 3,
    "lafb": 1,
    "first_degree_av_block": 2,
    "lvh": 4,
    "rvh": 1,
    "af": 3,
    "sinus_tachycardia": 4,
    "sinus_bradycardia": 3,
    "pvc": 2,
    "long_qt": 4,
    "wpw": 1,
}
"""One patient a finding, chosen by eye as a clear example."""


def write_demos(folder: Path) -> tuple[Path, ...]:
    """Write one compressed NPZ a finding into ``folder`` (int16 microvolts, 500 Hz, 10 s) and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, seed in SEEDS.items():
        record = simulate(name, seed=seed, fs=FS, duration_s=DURATION_S).record
        path = folder / f"{name}.npz"
        np.savez_compressed(
            path,
            signal_uv=np.round(1000 * record.signal.astype(np.float64)).astype(np.int16),
            fs=np.float64(FS),
            leads=np.array(record.leads),
            seed=np.int64(seed),
            finding=np.array(name),
            severity=np.float64(1.0),
            age_years=np.float64(np.nan if record.age_years is None else record.age_years),
            sex=np.array(record.sex or ""),
        )
        paths.append(path)
    return tuple(paths)


if __name__ == "__main__":
    write_demos(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(ecgviz.records.__file__).parent / "demos")
