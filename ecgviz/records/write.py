"""Records out: NPZ and CSV files that `ecgviz.records.load_record` reads back, and files that appear whole."""

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records.fields import sentences
from ecgviz.types import Record

SUFFIXES = (".npz", ".csv")


def save_record(record: Record, path: str | Path) -> None:
    """Write a recording in millivolts, with its rate, leads, age and sex, and what it tells of itself.

    That is whether it was simulated, what was altered and what was assumed. The file appears whole or not at all.

    Parameters
    ----------
    record : Record
        Missing samples are written as NaN (NPZ) or empty cells (CSV).
    path : str or Path
        Ends in ``.npz`` or ``.csv``; a file that is there is replaced. CSV holds microvolt precision.

    Raises
    ------
    RecordError
        For another suffix.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise RecordError(f"a recording is written as {' or '.join(SUFFIXES)}, not as {path.suffix or 'no suffix'!r}")
    with written_whole(path) as part:
        if part.suffix == ".npz":
            _write_npz(record, part)
        else:
            _write_csv(record, part)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield where to write a file that then appears at ``path`` whole or not at all; one that is there is replaced.

    Raises
    ------
    OSError
        When it cannot be written; it names ``path``, not the scratch folder beside it.
    """
    scratch_prefix = f".{path.name}-"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=scratch_prefix) as scratch:
            part = Path(scratch) / f"part{path.suffix.lower()}"
            yield part
            os.replace(part, path)
    except OSError as fault:
        if scratch_prefix in str(fault.filename):
            fault.filename, fault.filename2 = str(path), None
        raise


def _write_npz(record: Record, path: Path) -> None:
    np.savez_compressed(
        path,
        signal=record.signal,
        fs=record.fs,
        leads=np.array(record.leads),
        unit="mV",
        age_years=np.nan if record.age_years is None else record.age_years,
        sex=record.sex or "",
        simulated=record.simulated,
        altered=np.array(sentences(record.altered), dtype=np.str_),
        assumptions=np.array(sentences(record.assumptions), dtype=np.str_),
    )


def _write_csv(record: Record, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# fs: {record.fs:.10g}\n# unit: mV\n")
        if record.age_years is not None:
            file.write(f"# age: {record.age_years:g}\n")
        if record.sex is not None:
            file.write(f"# sex: {record.sex}\n")
        if record.simulated:
            file.write("# simulated: yes\n")
        file.writelines(f"# altered: {sentence}\n" for sentence in sentences(record.altered))
        file.writelines(f"# assumption: {sentence}\n" for sentence in sentences(record.assumptions))
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(record.leads)
        for samples in record.signal.T:
            rows.writerow(["" if np.isnan(sample) else f"{sample:.6f}" for sample in samples])
