"""Open a study's database: SQLite on a local disk, with a write-ahead log, brought to this version's tables.

One connection serves one piece of work and is closed: readers in many threads and processes then share nothing but the
file. A write-ahead log needs memory that all its processes share, so a network drive is refused
(https://www.sqlite.org/wal.html).
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from ecgviz.errors import ReviewError
from ecgviz.review.tables import MIGRATIONS

DATABASE = "review.sqlite"
APPLICATION = 0x65636776
"""Marks the file as ours (``PRAGMA application_id``): the letters ecgv."""
BUSY_S = 30.0
"""A writer waits this long for the writers before it."""
NETWORK_KINDS = (
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "afs", "9p", "ncpfs", "webdav", "davfs"),
    *("ceph", "glusterfs", "lustre", "gpfs", "beegfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs"),
)


def network_drive(path: Path) -> str:
    """Return the kind of network drive that a path lies on, "" for a local one."""
    resolved = path.resolve()
    if str(resolved).startswith("\\\\"):
        return "network share"
    drives = [each for each in psutil.disk_partitions(all=True) if resolved.is_relative_to(each.mountpoint)]
    if not drives:
        return ""
    drive = max(drives, key=lambda each: len(Path(each.mountpoint).parts))
    remote = drive.fstype.lower() in NETWORK_KINDS or "remote" in drive.opts.split(",")
    return (drive.fstype or "network share") if remote else ""


@contextmanager
def connected(folder: Path, *, new: bool = False) -> Iterator[sqlite3.Connection]:
    """Yield a connection to the database of a study's folder; rows are read by name.

    Raises
    ------
    ReviewError
        When there is none (or, with ``new``, already one), it is not ours or of a newer version, it lies on a network
        drive, cannot be written to, is damaged, or stays busy.
    """
    path = folder / DATABASE
    if path.is_file() == new:
        raise ReviewError(f"{folder.name} holds a study already" if new else f"{folder.name} is no study's folder")
    kind = network_drive(path)
    if kind:
        raise ReviewError(
            f"{folder} lies on a network drive ({kind}), where several readers can damage the database; put the study "
            "on a disk of this machine"
        )
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            if not new:
                _check_ours(connection, path)
            for setting in ("foreign_keys = ON", "journal_mode = WAL", "synchronous = NORMAL"):
                connection.execute(f"PRAGMA {setting}")
            _migrate(connection, path, new=new)
            yield connection
    except sqlite3.DatabaseError as error:
        raise ReviewError(f"the database of {folder.name}: {_plainly(error)}") from error


@contextmanager
def writing(connection: sqlite3.Connection, *, durable: bool = False) -> Iterator[None]:
    """Hold the one right to write: what is written inside is kept whole, or not at all.

    What is ``durable`` outlives a power cut too; that costs a wait for the disk, which drafts are spared.
    """
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise ReviewError(f"{path.name} in {path.parent.name} is a database of something else")
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise ReviewError(
            f"the study {path.parent.name} was written by a newer version of ecgviz (tables of version {version}, this "
            f"one knows {len(MIGRATIONS)}); update ecgviz"
        )


def _migrate(connection: sqlite3.Connection, path: Path, *, new: bool) -> None:
    version = _version(connection)
    if version == len(MIGRATIONS):
        return
    if not new:
        with closing(sqlite3.connect(path.with_suffix(f".version-{version}.sqlite"))) as backup:
            connection.backup(backup)
    with writing(connection):
        for step in MIGRATIONS[_version(connection) :]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script: ``executescript`` would commit between them."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


FAULTS: Mapping[str, str] = {
    "SQLITE_BUSY": f"other readers were still writing after {BUSY_S:g} s; try again",
    "SQLITE_READONLY": "it cannot be written to; check the folder's permissions",
    "SQLITE_CANTOPEN": "it cannot be opened; check the folder's permissions",
    "SQLITE_FULL": "the disk is full; nothing was kept",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a copy or from an export",
    "SQLITE_NOTADB": "the file is damaged; restore it from a copy or from an export",
}


def _plainly(error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "")
    return next((said for fault, said in FAULTS.items() if name.startswith(fault)), str(error))
