"""The folder of the Lobachevsky University Database (Kalyakulina et al., IEEE Access 8, 2020; 10.13026/eegm-h675)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records import fields, table
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.own_span import COUNTS_PER_MV
from ecgviz.records.wfdb_file import header_path, read_counts, read_header
from ecgviz.types import Record
from ecgviz.types.arrays import FloatArray

TABLE = "ludb.csv"
COLUMNS = ("ID", "Sex", "Age", "Rhythms")
SIGNALS = "data"
MARKS_HZ = 500.0
"""All recordings of LUDB, and so the sample numbers of its marks, are at 500 Hz."""
GAIN_NOTE = (
    "LUDB: stored integers / 1000 are taken as mV, because they obey I + III = II and the header's gains "
    "(each lead scaled to its own span) do not"
)


@dataclass(frozen=True)
class Entry:
    """One row of ``ludb.csv``: id, age, sex, the rhythm in words, and every finding of the cardiologists in words.

    ``findings`` holds the statements of all columns, the rhythm among them, as they are written.
    """

    number: int
    age_years: float | None
    sex: str | None
    rhythm: str
    findings: tuple[str, ...] = ()


def read_table(path: str | Path) -> dict[int, Entry]:
    """Return every row of ``ludb.csv`` (``path`` names the file) by its id.

    Raises
    ------
    RecordError
        When the file is missing, is not the table that was published, or a row has no id.
    """
    path = Path(path)
    if not path.is_file():
        raise RecordError(f"{fields.shown(path.name)} is not there: it is the table in LUDB's top folder")
    entries = {}
    for n, row in table.rows(path, COLUMNS):
        if not row["ID"].strip().isdecimal():
            raise RecordError(f"{TABLE}: row {n} has the id {fields.shown(row['ID'])}, which is no number")
        number = int(row["ID"])
        rhythm, findings = row["Rhythms"].strip(), _findings(row)
        entries[number] = Entry(number, fields.age(row["Age"]), fields.sex(row["Sex"]), rhythm, findings)
    return entries


def _findings(row: Mapping[str, str]) -> tuple[str, ...]:
    told = (text for name, text in row.items() if name not in ("ID", "Sex", "Age"))
    return tuple(one.strip() for text in told for one in text.split(";") if one.strip())


def find_entry(stem: Path) -> Entry | None:
    """Return the table row of the recording at ``stem``, or None outside an LUDB folder."""
    if not stem.name.isdecimal():
        return None
    found = table.above(stem, TABLE, 2)
    return _cached(str(found[0]), found[0].stat().st_mtime_ns).get(int(stem.name)) if found else None


def read_ludb(path: Path, entry: Entry) -> Record:
    """Read one LUDB recording in millivolts.

    Departure from the header: its gains and baselines are not used (see `GAIN_NOTE`).
    """
    header, source = read_header(path)
    leads = fields.lead_names([channel.name for channel in header.channels], source)
    if header.fs is None or set(leads) != set(STANDARD_LEADS):
        raise RecordError(f"{source}: this lies in a folder of LUDB and is not one of its 12-lead recordings")
    return Record(
        signal=read_counts(header_path(path), header, source) / COUNTS_PER_MV,
        fs=header.fs,
        leads=leads,
        id=f"ludb-{entry.number:03d}",
        age_years=entry.age_years,
        sex=entry.sex,
        assumptions=(GAIN_NOTE,),
    )


WAVE_SYMBOLS: Mapping[str, str] = {"p": "P", "N": "QRS", "t": "T"}
"""Annotation symbols of wave peaks; "(" and ")" around them are onset and offset."""


def read_marks(path: str | Path) -> dict[str, dict[str, FloatArray]]:
    """Return the cardiologists' marks of one recording, by lead and wave ("P", "QRS", "T").

    Parameters
    ----------
    path : str or Path
        The recording with or without an extension: ``data/12.hea``. Its marks lie beside it, one file a lead.

    Returns
    -------
    dict of str to dict of str to array of shape (n, 3)
        Onset, peak and offset of each wave in seconds, in time order; NaN where a peak lacks a bound (134 do). The
        first and last beats of a lead are not marked: score between the first and the last mark of each lead only.

    Raises
    ------
    RecordError
        When the file of a lead is missing or cannot be read.
    """
    import wfdb

    stem = Path(path).with_suffix("")
    marks: dict[str, dict[str, FloatArray]] = {}
    for lead in STANDARD_LEADS:
        try:
            notes = wfdb.rdann(str(stem), lead.lower())
        except (OSError, ValueError, IndexError) as error:
            raise RecordError(
                f"{fields.shown(stem.name)}: the marks of lead {lead} cannot be read ({error})"
            ) from error
        found: dict[str, list[tuple[float, float, float]]] = {wave: [] for wave in WAVE_SYMBOLS.values()}
        symbols, at_s = [*notes.symbol, ""], [*(notes.sample / MARKS_HZ), np.nan]
        for k, symbol in enumerate(symbols):
            if symbol in WAVE_SYMBOLS:
                onset = at_s[k - 1] if k and symbols[k - 1] == "(" else np.nan
                offset = at_s[k + 1] if symbols[k + 1] == ")" else np.nan
                found[WAVE_SYMBOLS[symbol]].append((onset, at_s[k], offset))
        marks[lead] = {wave: np.array(rows, dtype=np.float64).reshape(-1, 3) for wave, rows in found.items()}
    return marks


@lru_cache(maxsize=4)
def _cached(path: str, changed_ns: int) -> dict[int, Entry]:
    """Return the table; ``changed_ns`` makes an edited table a new one."""
    return read_table(path)
