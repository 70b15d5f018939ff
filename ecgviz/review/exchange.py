"""A study's answers as files that anybody can read, and back without a difference.

Each table is written as CSV and as JSON lines, beside the data dictionary and a list of checksums. A text that a
spreadsheet would run as a formula (it begins with = + - @, a tab or a line break) gets an apostrophe in front in the
CSV, as does one that begins with an apostrophe; reading takes one away again.
"""

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from ecgviz import NOTICE, __version__
from ecgviz.errors import EcgvizError, ReviewError
from ecgviz.review import audit, store
from ecgviz.review.database import connected, writing
from ecgviz.review.dictionary import COLUMNS, Column
from ecgviz.review.material import MAPS, RECORDS
from ecgviz.review.tables import EXPORTED

DICTIONARY, CHECKSUMS, ABOUT = "dictionary.json", "SHA256SUMS", "about.json"
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
Form = Literal["json", "csv"]


def export(folder: Path, target: Path, *, actor: str = "owner", recordings: bool = False) -> str:
    """Write everything that readers answered into a new folder; it appears whole or not at all.

    Parameters
    ----------
    folder : Path
        The study's.
    target : Path
        A folder that does not exist yet.
    actor : str
        Who asks, for the audit trail.
    recordings : bool
        Also what readers were shown, without which an import can be counted but not read or scored.

    Returns
    -------
    str
        The digest of the audit trail's last row: kept elsewhere, it pins the whole trail.

    Raises
    ------
    ReviewError
        When the target exists, or the study does not hold what its audit trail tells.
    """
    if target.exists():
        raise ReviewError(f"{target} exists already; name a new folder")
    verified = store.verify(folder)
    if verified.faults:
        raise ReviewError(f"the study is not what its audit trail tells, and is not exported: {verified.faults[0]}")
    (study,) = store.rows(folder, "study")
    head = store.note(folder, actor, "export", study["study_id"], {"recordings": recordings})
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        whole = Path(scratch) / target.name
        whole.mkdir()
        for name, text in _texts(folder, head).items():
            (whole / name).write_bytes(text.encode())
        if recordings:
            for kind in (RECORDS, MAPS):
                shutil.copytree(folder / kind, whole / kind)
        (whole / CHECKSUMS).write_text(_sums(whole), encoding="utf-8")
        whole.rename(target)
    return head


def packed(folder: Path, *, actor: str = "owner") -> tuple[str, bytes]:
    """Return the audit trail's last digest and `export` as one ZIP file; raises ReviewError as that does."""
    with tempfile.TemporaryDirectory() as scratch:
        head = export(folder, Path(scratch) / "export", actor=actor)
        path = shutil.make_archive(str(Path(scratch) / "packed"), "zip", Path(scratch) / "export")
        return head, Path(path).read_bytes()


def _texts(folder: Path, head: str) -> dict[str, str]:
    """Return the files of an export by name, without checksums."""
    made = {}
    for table in EXPORTED:
        kept = store.rows(folder, table)
        made[f"{table}.csv"] = to_csv(kept, tuple(COLUMNS[table]))
        made[f"{table}.jsonl"] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    described = {table: {name: asdict(each) for name, each in columns.items()} for table, columns in COLUMNS.items()}
    made[DICTIONARY] = json.dumps(described, indent=1, ensure_ascii=False)
    about = {"notice": NOTICE, "ecgviz": __version__, "exported_utc": audit.now(), "audit_head_sha256": head}
    made[ABOUT] = json.dumps(about, indent=1)
    return made


def to_csv(kept: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Return rows as CSV in which no cell is a formula; a missing value is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    writer.writerows([[_guarded(row[name]) for name in columns] for row in kept])
    return text.getvalue()


def from_csv(text: str, table: str) -> list[dict[str, Any]]:
    """Return the rows that `to_csv` wrote, with their types.

    Raises
    ------
    ReviewError
        When the columns are not those of the table.
    """
    usual = csv.field_size_limit(len(text))  # the definition of a study of a thousand recordings is one cell
    try:
        rows = list(csv.reader(io.StringIO(text)))
    finally:
        csv.field_size_limit(usual)
    columns = COLUMNS[table]
    if not rows or rows[0] != list(columns):
        raise ReviewError(f"{table}.csv does not have the columns of this version's {table}")
    return [{name: _typed(cell, columns[name]) for name, cell in zip(columns, row, strict=True)} for row in rows[1:]]


def read_export(source: Path, form: Form) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of an export.

    Raises
    ------
    ReviewError
        When a file is missing, or is not the one that the checksums were taken of.
    """
    try:
        _check_sums(source)
        if form == "csv":
            return {
                table: from_csv((source / f"{table}.csv").read_bytes().decode(), table)
                for table in EXPORTED
            }  # fmt: skip
        lines = {table: (source / f"{table}.jsonl").read_bytes().decode().split("\n") for table in EXPORTED}
        return {table: [json.loads(line) for line in each if line] for table, each in lines.items()}
    except EcgvizError:
        raise
    except FileNotFoundError as error:
        raise ReviewError(
            f"{source.name} is no export of a study: it has no {Path(str(error.filename)).name}"
        ) from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise ReviewError(f"{source.name} holds no export that can be read: {error}") from error


def restore(source: Path, studies: Path, *, form: Form = "json") -> Path:
    """Make a study's folder from an export: the same rows, in the same order; codes must be given anew.

    Parameters
    ----------
    source : Path
        What `export` wrote.
    studies : Path
        The folder of all studies.
    form : {"json", "csv"}
        Which of the files to read.

    Returns
    -------
    Path
        The new study's folder.

    Raises
    ------
    ReviewError
        When there is a study of that name, or the export is damaged or was changed.
    """
    tables = read_export(source, form)
    name = str(tables["study"][0]["study_id"]) if tables["study"] else ""
    if not name or (studies / name).exists() or Path(name).name != name:
        raise ReviewError(f"there is a study {name!r} already, or the export names none; nothing was imported")
    studies.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=studies, prefix=".import-") as scratch:
        whole = Path(scratch) / name
        whole.mkdir()
        _fill(whole, tables)
        faults = store.verify(whole).faults
        if faults:
            raise ReviewError(f"the export is not what its audit trail tells, and is not imported: {faults[0]}")
        for kind in (RECORDS, MAPS):
            if (source / kind).is_dir():
                shutil.copytree(source / kind, whole / kind)
        whole.rename(studies / name)
    return studies / name


def _fill(folder: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    with connected(folder, new=True) as connection, writing(connection, durable=True):
        for table in EXPORTED:
            columns = tuple(COLUMNS[table])
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{c}' for c in columns)})"  # noqa: S608
            try:
                connection.executemany(statement, tables[table])
            except sqlite3.IntegrityError as error:
                raise ReviewError(f"{table} of the export contradicts itself: {error}") from error


def _guarded(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def _typed(cell: str, column: Column) -> Any:
    if cell == "" and column.may_miss:
        return None
    if column.kind == "integer":
        return int(cell)
    if column.kind == "number":
        return float(cell)
    return cell.removeprefix("'")


def _sums(folder: Path) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{_sum(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_sums(source: Path) -> None:
    listed = [line.split("  ", 1) for line in (source / CHECKSUMS).read_text(encoding="utf-8").splitlines()]
    for expected, name in listed:
        path = source / name
        if ".." in Path(name).parts or Path(name).is_absolute() or path.is_symlink():
            raise ReviewError(f"{CHECKSUMS} names {name!r}, which is outside the export")
        if _sum(path) != expected:
            raise ReviewError(f"{name} of the export was changed after it was written")
    if missing := [f"{table}.jsonl" for table in EXPORTED if f"{table}.jsonl" not in {name for _, name in listed}]:
        raise ReviewError(f"{CHECKSUMS} does not list {missing[0]}")
