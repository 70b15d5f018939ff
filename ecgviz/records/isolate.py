"""Uploads are parsed in a child process: a file that eats memory or time, or crashes its parser, ends there.

The parent writes the bytes under fresh names into a private folder, rewrites a header's file names to those, and starts
``python -m ecgviz.records.isolate`` with limits on memory, processor time, file size and wall time. What comes back is
a plain NPZ of arrays (never a pickle), which is checked again when the `Record` is built.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from ecgviz.errors import EcgvizError, RecordError
from ecgviz.records import child, fields
from ecgviz.records.header import parse_header
from ecgviz.records.load import entered, kinds, load_record
from ecgviz.records.npz_file import read_arrays
from ecgviz.types import Record

MAX_FILES = 4
MAX_BYTES = 50_000_000
MEMORY_BYTES = 1_500_000_000
PROCESSOR_S = 10
WALL_S = 30.0
_SIGNALS = (".dat", ".mat")
_TABLES = (".csv", ".tsv", ".txt", ".npz")
_REQUEST, _ANSWER = "request.json", "answer.npz"


def load_upload(
    files: Mapping[str, bytes],
    *,
    fs: float | None = None,
    unit: str | None = None,
    age_years: float | None = None,
    sex: str | None = None,
) -> Record:
    """Read an uploaded recording, given as file name -> bytes.

    It is one CSV, NPZ or file of an installed reader, or a header with its signal files.

    Parameters
    ----------
    files : Mapping of str to bytes
        Names serve to tell the kinds apart and to find the files that a header names; none of them reaches the record.
    fs, unit, age_years, sex : optional
        As in `ecgviz.records.load_record`.

    Raises
    ------
    RecordError
        For too many or too large files, names that are paths, a header whose files are not all there, whatever
        `load_record` refuses, and files that exceed the child's memory or time.
    """
    main = _check(files)
    with tempfile.TemporaryDirectory(prefix="ecgviz-upload-") as name:
        folder = Path(name)
        path, called = _store(folder, files, main)
        request = {"file": path.name, "called": called, "fs": fs, "unit": unit}
        (folder / _REQUEST).write_text(json.dumps(request), encoding="utf-8")
        _run_child(folder, main)
        return entered(_answer(folder, main), age_years, sex)


def _check(files: Mapping[str, bytes]) -> str:
    """Return the name of the file to read, after checking number, size, names and kinds."""
    if not 1 <= len(files) <= MAX_FILES:
        raise RecordError(f"{len(files)} files were uploaded; one recording has 1 to {MAX_FILES}")
    size = sum(len(data) for data in files.values())
    if size > MAX_BYTES:
        raise RecordError(f"{size / 1e6:.0f} MB were uploaded (limit {MAX_BYTES / 1e6:.0f} MB)")
    for name in files:
        plain = PurePosixPath(name).name == name and PureWindowsPath(name).name == name
        if not plain or not re.fullmatch(r"[^\x00-\x1f]{1,255}", name):
            raise RecordError(f"{fields.shown(name)} is no plain file name")
    headers = [name for name in files if _suffix(name) == ".hea"]
    alone = {*_TABLES, *kinds()} - {".hea"}
    tables = [name for name in files if _suffix(name) in alone]
    others = [name for name in files if _suffix(name) not in (".hea", *alone)]
    if len(headers) == 1 and not tables:
        return headers[0]
    if len(tables) == 1 and not headers and not others:
        return tables[0]
    if others and not headers and not tables:
        raise RecordError(f"{fields.shown(others[0])}: upload its header (.hea) together with it")
    raise RecordError("upload one recording: a header (.hea) with its signal files, or one CSV or NPZ file")


def _suffix(name: str) -> str:
    """Return a name's suffix in lower case."""
    return PurePosixPath(name).suffix.lower()


def _store(folder: Path, files: Mapping[str, bytes], main: str) -> tuple[Path, dict[str, str]]:
    """Write the files under fresh names; return the path of the one to read, and what each is shown as."""
    path = folder / f"record{_suffix(main)}"
    called = {fields.shown(path.name): fields.shown(main)}
    if _suffix(main) != ".hea":
        path.write_bytes(files[main])
        return path, called
    header = parse_header(files[main], fields.shown(main))
    fresh = {}
    for n, name in enumerate(header.files):
        if name not in files or name == main:
            raise RecordError(f"{fields.shown(main)}: upload {fields.shown(name)} too, the header speaks of it")
        fresh[name] = f"record_{n}{_suffix(name) if _suffix(name) in _SIGNALS else '.dat'}"
        (folder / fresh[name]).write_bytes(files[name])
    path.write_text(_renamed(files[main], fresh), encoding="ascii")
    return path, called | {fields.shown(name): fields.shown(theirs) for theirs, name in fresh.items()}


def _renamed(data: bytes, fresh: Mapping[str, str]) -> str:
    """Return the text of a header that `parse_header` accepted, its record and files called by their fresh names."""
    lines, first = [], True
    for line in data.decode("ascii", errors="replace").splitlines():
        words = line.strip().split(maxsplit=1)
        if words and not words[0].startswith("#"):
            line = " ".join(["record" if first else fresh[words[0]], *words[1:]])
            first = False
        lines.append(line.encode("ascii", errors="replace").decode("ascii"))
    return "\n".join(lines) + "\n"


def _run_child(folder: Path, main: str) -> None:
    """Parse in a child process, and turn every way in which it can end into nothing or a refusal."""
    why = child.run("ecgviz.records.isolate", folder, _limits(), fields.shown(main))
    if why:
        raise RecordError(why)


def _answer(folder: Path, main: str) -> Record:
    """Build the record from what the child wrote."""
    arrays = read_arrays(folder / _ANSWER)
    told = json.loads(str(arrays["told"]))
    return Record(
        signal=arrays["signal"],
        fs=told["fs"],
        leads=tuple(told["leads"]),
        id=told["id"],
        age_years=told["age_years"],
        sex=told["sex"],
        codes=tuple(told["codes"]),
        assumptions=tuple(told["assumptions"]),
        altered=tuple(told["altered"]),
        simulated=told["simulated"],
    )


def _limits() -> child.Limits:
    return child.Limits(MEMORY_BYTES, PROCESSOR_S, WALL_S, 8 * MAX_BYTES)


def parse_in_child(folder: Path) -> None:
    """Do what the request in ``folder`` says, under limits, and leave an answer or a refusal there."""
    child.limit(_limits())
    request = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
    called: dict[str, str] = request["called"]
    try:
        record = load_record(folder / request["file"], fs=request["fs"], unit=request["unit"])
    except EcgvizError as refusal:
        fresh = re.compile("|".join(map(re.escape, called)))
        said = fresh.sub(lambda found: called[found[0]], str(refusal))
        (folder / child.REFUSAL).write_text(said, encoding="utf-8")
        return
    except (MemoryError, RecursionError):
        main = called[fields.shown(request["file"])]
        said = f"{main}: reading it takes more than {MEMORY_BYTES / 1e9:.1f} GB of memory"
        (folder / child.REFUSAL).write_text(said, encoding="utf-8")
        return
    names = ("fs", "leads", "id", "age_years", "sex", "codes", "assumptions", "altered", "simulated")
    told = json.dumps({name: getattr(record, name) for name in names})
    np.savez(folder / _ANSWER, signal=record.signal, told=np.array(told))


if __name__ == "__main__":
    parse_in_child(Path(sys.argv[1]))
