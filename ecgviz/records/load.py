"""One door for every recording: a path or ``demo:NAME`` goes in, a `Record` or a refusal comes out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ecgviz import registry
from ecgviz.errors import EcgvizError, RecordError, said_by
from ecgviz.records import fields, ludb, ptbxl
from ecgviz.records.csv_file import read_csv
from ecgviz.records.demo import PREFIX, read_demo
from ecgviz.records.leads import complete_leads
from ecgviz.records.npz_file import read_npz
from ecgviz.records.wfdb_file import header_path, read_wfdb
from ecgviz.types import Record

Reader = Callable[[Path, float | None, str | None], Record]

GROUP = "ecgviz.readers"
"""Entry points under which installed packages offer readers."""
READERS: Mapping[str, Reader] = {
    "": read_wfdb,
    ".hea": read_wfdb,
    ".dat": read_wfdb,
    ".mat": read_wfdb,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".npz": read_npz,
}
"""Suffix -> reader; other packages add theirs through the entry-point group ``ecgviz.readers``."""

_NOT_ALONE = ("", ".dat", ".mat", ".txt")
"""What these end in belongs to a header, or may be any text: in a folder they are no recordings."""
SMALLEST_MV = 0.02
"""A recording in which no lead moves this far is flat, or its numbers are volts."""


def kinds() -> tuple[str, ...]:
    """Return the suffixes by which a folder's recordings are known, those of installed readers among them."""
    return tuple(name for name in registry.available(READERS, GROUP) if name not in _NOT_ALONE)


def load_record(
    source: str | Path,
    *,
    fs: float | None = None,
    unit: str | None = None,
    age_years: float | None = None,
    sex: str | None = None,
) -> Record:
    """Read a recording: WFDB (header, stem or signal file), CSV, NPZ, or ``demo:NAME``.

    Parameters
    ----------
    source : str or Path
        Path of the file, or "demo:NAME". Recordings inside a PTB-XL or LUDB folder take id, age, sex and codes from
        its table.
    fs : float, optional
        Sampling rate in hertz, for files that state none.
    unit : str, optional
        Unit of the samples (mV, uV, V), for files that state none.
    age_years, sex : optional
        As entered by the user; they replace what the file says, and the record's assumptions tell so.

    Returns
    -------
    Record
        Its id is a published one, ``demo:NAME``, or "record-" and the start of its digest: never the file's name.
        Limb leads that a file leaves out are there where two others determine them (`complete_leads`), so that what is
        measured and what a network is fed are the same. This, and every guess, is in its assumptions.

    Raises
    ------
    RecordError
        When the file is missing, of an unknown kind, dishonest, or holds no ECG in known units.
    """
    if isinstance(source, str) and source.startswith(PREFIX):
        if fs is not None or unit is not None:
            raise RecordError(f"{fields.shown(source)} states its own rate and unit; leave them out")
        record = read_demo(source.removeprefix(PREFIX))
    else:
        record = _from_file(Path(source), fs, unit)
    return entered(record, age_years, sex)


def entered(record: Record, age_years: float | None, sex: str | None) -> Record:
    """Return the record with the age and sex that a user typed, marked as entered."""
    notes = []
    if age_years is not None:
        notes.append(f"age of {age_years:g} years entered by the user")
    if sex is not None:
        notes.append(f"sex {fields.shown(sex)} entered by the user")
    if not notes:
        return record
    return replace(
        record,
        age_years=record.age_years if age_years is None else age_years,
        sex=record.sex if sex is None else fields.sex(sex) or sex,
        assumptions=(*record.assumptions, *notes),
    )


def _from_file(path: Path, fs: float | None, unit: str | None) -> Record:
    """Read one file and give it an id that tells nothing of its name."""
    if path.is_dir():
        raise RecordError(f"{fields.shown(path.name)} is a folder; give one recording in it")
    stem = header_path(path).with_suffix("")
    published = ludb.find_entry(stem)
    if published and path.suffix.lower() in ("", ".hea", ".dat"):
        record = ludb.read_ludb(path, published)
    else:
        record = _reader(path)(path, fs, unit)
    _check_size(record)
    record = complete_leads(record)
    row = ptbxl.find_entry(stem)
    if row:
        return _published(record, row)
    return record if published else replace(record, id=f"record-{record.key[:8]}")


def _reader(path: Path) -> Reader:
    """Return the reader for a file's suffix; a stem that is no file belongs to WFDB."""
    suffix = path.suffix.lower()
    if suffix not in registry.available(READERS, GROUP):
        if not header_path(path.with_name(path.name + ".hea")).is_file():
            known = ", ".join(name for name in registry.available(READERS, GROUP) if name)
            raise RecordError(f"{fields.shown(path.name)} is of no kind that is read here ({known})")
        suffix = ""
    if suffix not in ("", ".dat", ".mat") and not path.is_file():
        raise RecordError(f"there is no file {fields.shown(path.name)}")
    try:
        reader: Reader = registry.find(READERS, GROUP, suffix)
    except EcgvizError as fault:
        raise RecordError(f"{fields.shown(path.name)} cannot be read: {fault}") from fault
    return reader if suffix in READERS else partial(_by_package, reader)


def _by_package(reader: Reader, path: Path, fs: float | None, unit: str | None) -> Record:
    """Return what another package's reader makes of a file; whatever it raises on the way is one refusal."""
    name, kind = fields.shown(path.name), path.suffix.lower()
    try:
        record = reader(path, fs, unit)
    except EcgvizError:
        raise
    except Exception as fault:
        why = f"the installed reader for {kind} files failed ({said_by(fault)})"
        raise RecordError(f"{name} cannot be read: {why}") from fault
    if not isinstance(record, Record):
        raise RecordError(f"{name} cannot be read: the installed reader for {kind} files made no recording of it")
    return replace(record, leads=fields.lead_names(list(record.leads), name))


def _check_size(record: Record) -> None:
    """Refuse a recording that nowhere moves as an ECG does."""
    known = record.signal[~np.isnan(record.signal).all(axis=1)]
    largest = float((np.nanmax(known, axis=1) - np.nanmin(known, axis=1)).max())
    if largest < SMALLEST_MV:
        raise RecordError(
            f"{record.id}: no lead moves more than {largest:.2g} mV, which is no ECG: is it flat, or in volts?"
        )


def _published(record: Record, row: ptbxl.Entry) -> Record:
    """Return a PTB-XL recording with the id, age, sex, statements and infarct stage of its table."""
    clipped = f"age is above 89, which PTB-XL stores as 300: taken as {ptbxl.OLDEST_YEARS:g} years"
    return replace(
        record,
        id=f"ptbxl-{row.ecg_id:05d}",
        age_years=row.age_years,
        sex=row.sex,
        codes=tuple(row.scp_codes),
        infarct_stages=row.infarct_stages,
        assumptions=(*record.assumptions, clipped) if row.age_clipped else record.assumptions,
    )
