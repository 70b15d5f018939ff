"""The tables of a PTB-XL folder (Wagner et al., Scientific Data 7:154, 2020, doi:10.1038/s41597-020-0495-6)."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecgviz.errors import RecordError
from ecgviz.records import fields, table

DATABASE = "ptbxl_database.csv"
STATEMENTS = "scp_statements.csv"
COLUMNS = ("ecg_id", "patient_id", "age", "sex", "scp_codes", "strat_fold", "filename_lr", "filename_hr")
SUPERCLASSES = ("CD", "HYP", "MI", "NORM", "STTC")
"""In alphabetical order, as IMLE-Net has its outputs."""

DUPLICATES = frozenset({137, 139, 140, 141, 142, 143, 145, 456, 458, 459, 461, 462})
"""Of the first 500 ids: recordings that PTB-XL 1.0.3 dropped because they are copies of others."""

OLDEST_YEARS = 90.0
"""Ages above 89 are stored as 300; this stands for them."""


@dataclass(frozen=True)
class Entry:
    """One row: what PTB-XL knows of one recording.

    ``scp_codes`` maps each statement to its likelihood in percent (0 = not stated), ``superclasses`` are those of all
    diagnostic statements whatever their likelihood, in the order of `SUPERCLASSES`. ``age_clipped`` tells that the age
    is only known to be above 89. ``infarct_stages`` are those of an infarct where they are known, among "I", "II" and
    "III" (two when the readers left it open). ``filename_lr`` and ``filename_hr`` are stems within the folder (100 and
    500 Hz). ``device`` and ``site`` are where it was recorded, None where the table does not say.
    """

    ecg_id: int
    patient_id: int
    age_years: float | None
    age_clipped: bool
    sex: str | None
    strat_fold: int
    scp_codes: Mapping[str, float]
    superclasses: tuple[str, ...]
    infarct_stages: tuple[str, ...]
    filename_lr: str
    filename_hr: str
    duplicate: bool
    device: str | None = None
    site: str | None = None


def read_table(folder: str | Path) -> dict[int, Entry]:
    """Return every row of ``ptbxl_database.csv`` by its ``ecg_id``.

    Superclasses follow the protocol of IMLE-Net (Reddy et al. 2021, arXiv:2204.05116): every statement with
    ``diagnostic == 1`` in ``scp_statements.csv`` counts for its ``diagnostic_class``, whatever its likelihood.

    Raises
    ------
    RecordError
        When a table is missing, or a row does not hold what it should, such as a name that leads out of ``folder``.
    """
    folder = Path(folder)
    classes = read_statements(folder)
    entries: dict[int, Entry] = {}
    for n, row in _rows(folder / DATABASE, COLUMNS):
        try:
            entry = _entry(row, classes)
        except (ValueError, TypeError, OverflowError) as error:
            raise RecordError(f"{DATABASE}: row {n} is not one of PTB-XL ({error})") from error
        entries[entry.ecg_id] = entry
    return entries


def read_statements(folder: str | Path) -> dict[str, str]:
    """Return the superclass of every diagnostic statement, by its SCP code."""
    rows = _rows(Path(folder) / STATEMENTS, ("diagnostic", "diagnostic_class"))
    return {next(iter(row.values())): row["diagnostic_class"] for _, row in rows if row["diagnostic"] in ("1", "1.0")}


def read_codes(folder: str | Path) -> tuple[str, ...]:
    """Return the code of every SCP statement, in the order of the table."""
    return tuple(next(iter(row.values())) for _, row in _rows(Path(folder) / STATEMENTS, ()))


def find_entry(stem: Path) -> Entry | None:
    """Return the table row of the recording at ``stem`` (its path without suffix), or None outside a PTB-XL folder."""
    found = table.above(stem, DATABASE, 4)
    if found is None:
        return None
    place, within = found
    return _by_file(str(place.parent), place.stat().st_mtime_ns).get(within)


@lru_cache(maxsize=4)
def _by_file(folder: str, changed_ns: int) -> dict[str, Entry]:
    """Return the rows by file stem; ``changed_ns`` makes an edited table a new one."""
    entries = read_table(folder).values()
    return {name: entry for entry in entries for name in (entry.filename_lr, entry.filename_hr)}


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Return the rows of a table, or say that it is missing."""
    if not path.is_file():
        folder = fields.shown(path.absolute().parent.name)
        raise RecordError(f"{folder}: {fields.shown(path.name)} is not in the folder: is it the top folder of PTB-XL?")
    return table.rows(path, columns)


def _entry(row: Mapping[str, str], classes: Mapping[str, str]) -> Entry:
    """Turn one row of text into an `Entry`."""
    number = _whole(row, "ecg_id")
    codes = _codes(row["scp_codes"])
    named = {classes[code] for code in codes if code in classes}
    stored = fields.number(row["age"])
    clipped = stored > 89
    for name in (row["filename_lr"], row["filename_hr"]):
        if not re.fullmatch(r"\w+(/\w+)*", name, re.ASCII):
            raise ValueError(f"file name {fields.shown(name)}, which is no plain path within the folder")
    return Entry(
        ecg_id=number,
        patient_id=_whole(row, "patient_id"),
        age_years=OLDEST_YEARS if clipped else fields.age(row["age"]),
        age_clipped=clipped,
        sex={0.0: "male", 1.0: "female"}.get(fields.number(row["sex"])),
        strat_fold=_whole(row, "strat_fold"),
        scp_codes=codes,
        superclasses=tuple(name for name in SUPERCLASSES if name in named),
        infarct_stages=_stages(row.get("infarction_stadium1", ""), row.get("infarction_stadium2", "")),
        filename_lr=row["filename_lr"],
        filename_hr=row["filename_hr"],
        duplicate=number in DUPLICATES,
        device=_word(row.get("device")),
        site=_word((row.get("site") or "").removesuffix(".0")),
    )


def _whole(row: Mapping[str, str], column: str) -> int:
    """Return a whole number, which the table may write as 7.0."""
    number = fields.number(row[column])
    if not number.is_integer():
        raise ValueError(f"{column} {fields.shown(row[column])}, which is no whole number")
    return int(number)


def _codes(text: str) -> dict[str, float]:
    """Return the likelihood in percent of every statement of a row."""
    try:
        stated = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # the last two: brackets without end
        stated = None
    if not isinstance(stated, dict):
        raise ValueError(f"scp_codes {fields.shown(text)}, which are no statements with likelihoods")
    return {str(code): float(likelihood) for code, likelihood in stated.items()}


def _word(text: str | None) -> str | None:
    """Return a short name as the table has it, with single blanks; None for none, or for what is no name."""
    name = " ".join((text or "").split())
    return name if re.fullmatch(r"[\w .-]{1,40}", name, re.ASCII) else None


def _stages(*stated: str) -> tuple[str, ...]:
    """Return the stages named in words such as "Stadium II-III"; "unknown" names none."""
    found = {stage for text in stated for stage in re.findall(r"\bI{1,3}\b", text)}
    return tuple(sorted(found, key=len))
