"""The demo recordings that ship with ecgviz: simulated, and each says so."""

from functools import cache
from pathlib import Path

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records import fields
from ecgviz.records.npz_file import read_arrays
from ecgviz.types import Record

PREFIX = "demo:"
_FOLDER = Path(__file__).parent / "demos"


@cache
def demo_names() -> tuple[str, ...]:
    """Return the names of all demo recordings, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.npz")))


def read_demo(name: str) -> Record:
    """Return the demo recording ``name`` (without "demo:"); its id is ``demo:NAME`` and `Record.simulated` is true.

    Raises
    ------
    RecordError
        For a name that is none of `demo_names`.
    """
    if name not in demo_names():
        raise RecordError(f"there is no demo record {fields.shown(name)}; there are {', '.join(demo_names())}")
    arrays = read_arrays(_FOLDER / f"{name}.npz")
    seed, finding, severity = int(arrays["seed"]), str(arrays["finding"]), float(arrays["severity"])
    said = f"simulated: finding {finding}, severity {severity:g}, seed {seed}; no patient was recorded"
    return Record(
        signal=np.asarray(arrays["signal_uv"], dtype=np.float64) / 1000,
        fs=float(arrays["fs"]),
        leads=tuple(str(lead) for lead in arrays["leads"]),
        id=PREFIX + name,
        age_years=None if np.isnan(float(arrays["age_years"])) else float(arrays["age_years"]),
        sex=str(arrays["sex"]) or None,
        assumptions=(said,),
        simulated=True,
    )
