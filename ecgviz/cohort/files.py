"""How a store lies on disk: Parquet files that appear whole or not at all, and what is in them already.

    STORE/cohort.json                                          format, settings behind each digest, folder of file- ids
    STORE/records/<batch>.parquet                              one row a recording
    STORE/rows/model=<name>/method=<name>/<settings>-<batch>.parquet    one row a recording x label

A batch is a digest of the recordings and labels in the file, so that the same work done twice is the same file.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecgviz import NOTICE, __version__
from ecgviz.cohort.schema import FORMAT, RECORDS, ROWS, Column, schema
from ecgviz.errors import CohortError

if TYPE_CHECKING:
    from ecgviz.cohort.settings import Settings

ABOUT, LOCK = "cohort.json", ".lock"
UNFINISHED = ".part-"
PARQUET = "[!.]*.parquet"
"""Files of a table, for Python's and DuckDB's globs: none that is hidden, since it may not be whole."""
GROUP_ROWS = 256
"""Rows that are packed together: a reader skips groups that hold nothing of what it asks for."""


def rows_folder(store: Path, model: str, method: str) -> Path:
    """Return the folder of one network's and method's rows."""
    return store / "rows" / f"model={model}" / f"method={method}"


def write_rows(store: Path, settings: "Settings", rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows of one network and method as one file, label by label, so that a question reads few of its groups."""
    told = [{**row, "settings": settings.digest} for row in sorted(rows, key=itemgetter("label"))]
    folder = rows_folder(store, settings.model, settings.method)
    return _write(folder / rows_file(settings, [(row["record"], row["label"]) for row in rows]), ROWS, told)


def write_records(store: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows of recordings as one file."""
    return _write(store / "records" / f"{_digest([row['record'] for row in rows])}.parquet", RECORDS, rows)


def rows_file(settings: "Settings", pairs: Sequence[tuple[str, str]]) -> str:
    """Return the name of the file that holds these recordings and labels, in this order."""
    return f"{settings.digest}-{_digest([list(pair) for pair in pairs])}.parquet"


def done_rows(store: Path, settings: "Settings", planned: Iterable[Sequence[tuple[str, str]]]) -> dict[str, set[str]]:
    """Return the labels that are done of each recording, for one network and method.

    A file that holds just what is ``planned`` for a chunk is known by its name; only others are read.
    """
    known = {rows_file(settings, pairs): pairs for pairs in planned}
    done: dict[str, set[str]] = {}
    for file in sorted(rows_folder(store, settings.model, settings.method).glob(PARQUET)):
        for record, label in known.get(file.name) or _read(file, "record", "label"):
            done.setdefault(record, set()).add(label)
    return done


def held_keys(store: Path) -> dict[str, str | None]:
    """Return the ``record_key`` of each recording that has its row; None of one that failed."""
    return dict(pair for file in (store / "records").glob(PARQUET) for pair in _read(file, "record", "record_key"))


def _read(file: Path, *columns: str) -> list[tuple[Any, ...]]:
    with _named(file):
        table = pq.read_table(file, columns=list(columns), partitioning=None)
        return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Turn what Arrow says of a broken file into a sentence that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError) as broken:
        raise CohortError(
            f"{file} is broken or no table of a store: take it away, and the next run works out what was in it"
        ) from broken


def _tables(store: Path) -> Iterator[Path]:
    yield from store.glob(f"records/{PARQUET}")
    yield from store.glob(f"rows/*/*/{PARQUET}")


@contextmanager
def opened_to_write(store: Path, asked: "Sequence[Settings]", folder: Path | None = None) -> Iterator[None]:
    """Hold a store for one run, new or old; what an earlier run left unfinished is taken away.

    Parameters
    ----------
    store : Path
    asked : sequence of Settings
    folder : Path or None
        The folder without which the ids of its recordings mean nothing; None for published ones.

    Raises
    ------
    CohortError
        When another run holds it, it is of another format, one of its files is broken, it already answers one of the
        settings' network and method with other weights, parameters, seeds or another version of ecgviz, or it holds
        PTB-XL at another rate or the recordings of another folder.
    """
    _check_place(store)
    store.mkdir(parents=True, exist_ok=True)
    with (store / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go by the system when the process ends, however
        except BlockingIOError as held:
            raise CohortError(f"another run is writing to {store}") from held
        _check_place(store)
        before = _held(store)
        known = dict(before["settings"])
        for settings in asked:
            _check_same(store, settings, known)
        place = _same_folder(store, folder, before.get("folder"))
        known |= {settings.digest: asdict(settings) for settings in asked}
        about = {"format": FORMAT, "ecgviz": __version__, "notice": NOTICE, "settings": known} | place
        with _whole(store / ABOUT) as part:
            part.write_text(json.dumps(about, indent=1), encoding="utf-8")
        for left in store.rglob(f"{UNFINISHED}*"):
            left.unlink(missing_ok=True)
        yield


def check_store(store: Path) -> None:
    """Raise CohortError for what is no store of this format, or one without rows."""
    read_about(store)
    if next(store.glob(f"rows/*/*/{PARQUET}"), None) is None:
        raise CohortError(f"{store} holds no rows yet: ecgviz cohort run fills it")


def read_about(store: Path) -> dict[str, Any]:
    """Return what cohort.json says.

    Raises
    ------
    CohortError
        When there is none, or it is of another format.
    """
    try:
        about = json.loads((store / ABOUT).read_text(encoding="utf-8"))
        found, settings = about["format"], about["settings"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CohortError(f"{store} is no store of a cohort: {ABOUT} cannot be read") from error
    if found != FORMAT or not isinstance(settings, dict):
        raise CohortError(f"{store}: store format {found} is not {FORMAT}, which this version reads: fill a new one")
    return dict(about)


def _check_place(store: Path) -> None:
    """Raise CohortError for a folder that holds something else than a store; a lock alone is nothing."""
    if store.is_dir() and not (store / ABOUT).is_file() and any(path.name != LOCK for path in store.iterdir()):
        raise CohortError(f"{store} is not empty and no store of a cohort: name a new folder")


def _held(store: Path) -> dict[str, Any]:
    """Return what cohort.json says; where no table was written yet, there is nothing that a run must keep to."""
    about = read_about(store) if (store / ABOUT).is_file() else {}
    tables = list(_tables(store))
    for file in tables:
        with _named(file):
            pq.read_metadata(file)
    return about if about and tables else {"settings": {}}


def _check_same(store: Path, settings: "Settings", known: Mapping[str, Mapping[str, Any]]) -> None:
    for digest, other in known.items():
        # Of any network and method: all share the table of recordings, which has one row for both rates of one.
        if None not in (other.get("fs"), settings.fs) and other["fs"] != settings.fs:
            raise CohortError(f"the store holds PTB-XL at {other['fs']} Hz, not at {settings.fs} Hz: name a new store")
        if (other["model"], other["method"]) != (settings.model, settings.method):
            continue
        if not any(rows_folder(store, settings.model, settings.method).glob(f"{digest}-{PARQUET}")):
            continue
        told = json.loads(json.dumps(asdict(settings)))
        differ = [name for name, value in told.items() if name != "fs" and other.get(name) != value]
        if differ:
            raise CohortError(
                f"the store holds {settings.method} of {settings.model} with another {differ[0].replace('_', ' ')} "
                f"({other.get(differ[0])}, not {getattr(settings, differ[0])}): name a new store"
            )


def _same_folder(store: Path, folder: Path | None, held: Any) -> dict[str, str]:
    """Return what cohort.json says of the folder that ids of files are told apart by; nothing where none was read."""
    if folder is not None and held not in (None, str(folder)):
        raise CohortError(
            f"{store} holds recordings of {held}, whose ids those of {folder} may have too: name a new store"
        )
    found = held if folder is None else str(folder)
    return {} if found is None else {"folder": found}


def _write(path: Path, columns: tuple[Column, ...], rows: Sequence[Mapping[str, Any]]) -> Path:
    full = [{each.name: row.get(each.name) for each in columns} for row in rows]
    table = pa.Table.from_pylist(full, schema=schema(columns))
    with _whole(path) as part:
        pq.write_table(table, part, compression="zstd", compression_level=6, row_group_size=GROUP_ROWS)
    return path


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yield a name to write to; the file takes its real name only once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{UNFINISHED}{os.getpid()}-{path.name}.tmp")  # no reader's *.parquet takes it for whole
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
