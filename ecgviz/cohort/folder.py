"""The recordings of a folder, listed without reading any of them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ecgviz.errors import CohortError
from ecgviz.records import ludb, ptbxl
from ecgviz.records.library import file_id
from ecgviz.records.load import kinds

RATES_HZ = (100, 500)
"""PTB-XL keeps each recording at both."""


@dataclass(frozen=True)
class Recording:
    """One recording of a folder: where it lies, and what a table says of it that its file does not.

    ``id`` is a published one, or a digest of the place in the folder, never a file's name: the id that
    `ecgviz.records.library` gives it, so that the dashboard opens it where its library has the folder. ``patient`` is a
    number of the table, or the recording's own id where nobody tells patients apart. ``statements`` are what its
    readers stated and the superclasses of these; None where nothing is known.
    """

    id: str
    file: str
    patient: str
    device: str | None = None
    site: str | None = None
    fold: int | None = None
    statements: tuple[str, ...] | None = None


def rate_of(folder: Path, fs: int | None = None) -> int | None:
    """Return at which rate a folder is read: one of PTB-XL's two, 100 when left out; None where files have their own.

    Raises
    ------
    CohortError
        For no folder, a rate that PTB-XL does not have, or a rate for any other folder.
    """
    if not folder.is_dir():
        raise CohortError(f"{folder} is no folder of recordings")
    published = (folder / ptbxl.DATABASE).is_file()
    if fs is not None and not (published and fs in RATES_HZ):
        raise CohortError(f"--fs {fs}: only recordings of PTB-XL come at more than one rate, 100 and 500 Hz")
    return (fs or RATES_HZ[0]) if published else None


def place_of_ids(folder: Path) -> Path | None:
    """Return the folder without which an id of its recordings means nothing; None for PTB-XL and LUDB.

    Published ids mean one recording wherever it lies. Any other is a digest of a name and a path, which the files of
    another folder of that name can have too.
    """
    published = (folder / ptbxl.DATABASE).is_file() or (folder / ludb.TABLE).is_file()
    return None if published else folder.resolve()


def recordings(folder: Path, fs: int | None = None) -> tuple[Recording, ...]:
    """Return the recordings of a folder by their id; PTB-XL and LUDB by their tables, else every file of a known kind.

    Of PTB-XL, the copies that its later versions dropped are left out, as are rows whose file is not there or a
    link.

    Parameters
    ----------
    folder : Path
    fs : int or None
        100 or 500: which of PTB-XL's two files of a recording; 100 when left out.

    Raises
    ------
    CohortError
        For no folder, one without recordings, two recordings of one id, a rate that PTB-XL does not have, or a rate for
        any other folder.
    RecordError
        When the table of PTB-XL or LUDB cannot be read.
    """
    rate = rate_of(folder, fs)
    if rate is not None:
        found = _ptbxl(folder, rate)
    elif (folder / ludb.TABLE).is_file():
        found = _ludb(folder)
    else:
        found = _files(folder)
    every = tuple(sorted(found, key=lambda recording: recording.id))
    if not every:
        raise CohortError(f"{folder} holds no recording of a kind that is read here ({', '.join(kinds())})")
    for one, next_one in pairwise(every):
        if one.id == next_one.id:
            raise CohortError(f"{folder}: {one.file} and {next_one.file} both have the id {one.id}; rename one of them")
    return every


def _ptbxl(folder: Path, fs: int) -> Iterator[Recording]:
    for row in ptbxl.read_table(folder).values():
        file = row.filename_lr if fs == RATES_HZ[0] else row.filename_hr
        if row.duplicate or not _is_own_file(folder / f"{file}.hea"):
            continue
        yield Recording(
            id=f"ptbxl-{row.ecg_id:05d}",
            file=file,
            patient=f"ptbxl-patient-{row.patient_id}",
            device=row.device,
            site=row.site,
            fold=row.strat_fold,
            statements=(*row.superclasses, *row.scp_codes),
        )


def _ludb(folder: Path) -> Iterator[Recording]:
    for number in ludb.read_table(folder / ludb.TABLE):
        name = f"ludb-{number:03d}"
        if _is_own_file(folder / ludb.SIGNALS / f"{number}.hea"):
            yield Recording(id=name, file=f"{ludb.SIGNALS}/{number}", patient=name)


def _files(folder: Path) -> Iterator[Recording]:
    """Return the files of known kinds; signal files of WFDB belong to their header."""
    wanted = kinds()
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in names:
            path = Path(where, name)
            if path.suffix.lower() in wanted and not name.startswith(".") and _is_own_file(path):
                within = path.relative_to(folder).as_posix()
                known = file_id(f"{folder.resolve().name}/{within}")
                yield Recording(id=known, file=within, patient=known)


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def stated(recording: Recording, label: str) -> bool | None:
    """Return whether the readers stated a label; None where nothing, or no superclass, is known."""
    if recording.statements is None:
        return None
    if label in ptbxl.SUPERCLASSES and not set(recording.statements) & set(ptbxl.SUPERCLASSES):
        return None
    return label in recording.statements
