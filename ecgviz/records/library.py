"""A local library: folders of recordings named when ecgviz starts, each recording with an id that is no path.

Ids are what addresses and pickers hold. Those of PTB-XL and LUDB are the published ones; any other recording is known
by a digest of its place in its folder, so that a name which tells of a patient goes nowhere. Folders of one name are
told apart by those that they lie in, so that an id means one recording in whatever order they are named. Links are not
followed.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgviz.errors import RecordError
from ecgviz.records import fields, ludb, ptbxl
from ecgviz.records.load import kinds, load_record
from ecgviz.types import Record

MOST = 100_000
"""More recordings than this are no folder to look through in a browser."""


@dataclass(frozen=True)
class Entry:
    """One recording of a library: its id, where it lies, and what its folder says of it without opening it.

    ``labels`` are PTB-XL's superclasses and statements, or LUDB's findings in words; empty where a folder has no table.
    ``source`` is "PTB-XL", "LUDB", "files", or "demo" for a shipped one, which has no ``path``.
    """

    id: str
    path: Path | None
    source: str
    age_years: float | None = None
    sex: str | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """Recordings by id, in the order of their folders, and a sentence for everything that was left out."""

    entries: Mapping[str, Entry]
    left_out: tuple[str, ...] = ()

    def record(self, entry_id: str) -> Record:
        """Read one recording.

        Raises
        ------
        RecordError
            For an id that is not in the library, or a file that cannot be read.
        """
        entry = self.entries.get(entry_id)
        if entry is None or entry.path is None:
            raise RecordError(f"there is no recording {fields.shown(entry_id)} in the library")
        return load_record(entry.path)


def open_library(folders: Sequence[str | Path]) -> Library:
    """List the recordings of folders: PTB-XL, LUDB, or any folder of WFDB, CSV and NPZ files, down to the bottom.

    Parameters
    ----------
    folders : sequence of str or Path
        PTB-XL and LUDB are known by their tables, also below a folder that is named. Of PTB-XL a recording is listed
        once, at 500 Hz where that file is there.

    Raises
    ------
    RecordError
        For a folder that is not there or holds no recording, or for more than `MOST` recordings.
    """
    entries: dict[str, Entry] = {}
    left_out: list[str] = []
    named = [Path(folder) for folder in folders]
    for folder in named:
        if not folder.is_dir():
            raise RecordError(f"{folder} is no folder; name a folder of recordings")
    tops = [folder.resolve() for folder in named]
    for folder, top in zip(named, tops, strict=True):
        before = len(entries)
        for entry in _below(top, _told_apart(top, tops), left_out):
            if entry.id in entries:
                left_out.append(f"{entry.id} is there twice; the first is listed")
                continue
            entries[entry.id] = entry
            if len(entries) > MOST:
                raise RecordError(f"{folder} takes the library beyond {MOST} recordings; name a smaller folder")
        if len(entries) == before:
            raise RecordError(f"{folder} holds no recording that is not listed already ({', '.join(kinds())})")
    return Library(entries, tuple(dict.fromkeys(left_out)))


def file_id(place: str) -> str:
    """Return the id of a recording without a published one, by its place: its folder's name and its path in there.

    Of 10 million places two share one of these with a chance of 3 in a million.
    """
    return f"file-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def _told_apart(top: Path, tops: Sequence[Path]) -> str:
    """Return a folder's name, with so many of those that it lies in that no other of the folders is called the same."""
    others = [other.parts for other in tops if other != top]
    n = next(n for n in range(1, len(top.parts) + 1) if all(other[-n:] != top.parts[-n:] for other in others))
    # No place below a folder holds two strokes: what is told apart has the id of nothing that is not.
    return top.name if n == 1 else f"{'/'.join(top.parts[-n:])}/"


def _below(top: Path, called: str, left_out: list[str]) -> Iterator[Entry]:
    for name, folders, files in os.walk(top, followlinks=False):
        folder = Path(name)
        folders.sort()
        if ptbxl.DATABASE in files:
            folders.clear()
            yield from _of_ptbxl(folder, left_out)
        elif ludb.TABLE in files:
            folders.clear()
            yield from _of_ludb(folder)
        else:
            yield from _of_files(top, called, folder, files)


def _of_ptbxl(folder: Path, left_out: list[str]) -> Iterator[Entry]:
    missing = 0
    for row in ptbxl.read_table(folder).values():
        paths = [folder / f"{stem}.hea" for stem in (row.filename_hr, row.filename_lr)]
        found = [path for path in paths if _is_own_file(path)]
        if not found:
            missing += 1
            continue
        labels = tuple(dict.fromkeys((*row.superclasses, *row.scp_codes)))
        yield Entry(f"ptbxl-{row.ecg_id:05d}", found[0], "PTB-XL", row.age_years, row.sex, labels)
    if missing:
        left_out.append(f"{missing} recordings of PTB-XL's table are not in its folder")


def _of_ludb(folder: Path) -> Iterator[Entry]:
    for row in ludb.read_table(folder / ludb.TABLE).values():
        path = folder / ludb.SIGNALS / f"{row.number}.hea"
        if _is_own_file(path):
            yield Entry(f"ludb-{row.number:03d}", path, "LUDB", row.age_years, row.sex, row.findings)


def _of_files(top: Path, called: str, folder: Path, files: Sequence[str]) -> Iterator[Entry]:
    known = kinds()
    for file in sorted(files):
        path = folder / file
        if path.suffix.lower() in known and _is_own_file(path):
            yield Entry(file_id(f"{called}/{path.relative_to(top).as_posix()}"), path, "files")


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
