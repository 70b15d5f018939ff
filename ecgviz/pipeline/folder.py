"""A case as a folder: case.json, which a person can read, and arrays.npz, which it points into.

What is read back is built from the types of `Case` alone: a file can name no type, no path and no code.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from ecgviz.errors import CaseError, EcgvizError
from ecgviz.pipeline.codec import decode, encode
from ecgviz.records.npz_file import DAMAGED
from ecgviz.types import Case

CASE, ARRAYS = "case.json", "arrays.npz"
FORMAT = 1
STATED = ("notice", "record_sha256", "model", "model_version", "model_sha256", "method", "seed")
"""What the provenance of every case states."""


def save_case(case: Case, folder: str | Path) -> None:
    """Write a case to a new folder; it appears whole or not at all.

    Raises
    ------
    CaseError
        When the folder exists already.
    """
    folder = Path(folder)
    if folder.exists():
        raise CaseError(f"{folder} exists already; name a new folder")
    arrays: dict[str, np.ndarray] = {}
    encoded = {"format": FORMAT, "case": encode(case, "case", arrays)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        whole = Path(scratch) / folder.name
        whole.mkdir()
        (whole / CASE).write_text(json.dumps(encoded, indent=1, allow_nan=False), encoding="utf-8")
        np.savez_compressed(whole / ARRAYS, allow_pickle=False, **arrays)
        whole.rename(folder)


def load_case(folder: str | Path) -> Case:
    """Read back what `save_case` wrote.

    Raises
    ------
    CaseError
        When a file is missing, of another format, or does not hold a case.
    """
    folder = Path(folder)
    try:
        encoded = json.loads((folder / CASE).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if not isinstance(encoded, dict) or not {"format", "case"} <= encoded.keys():
            raise CaseError(f"{folder} does not hold a case: {CASE} states no format, or no case")
        if encoded["format"] != FORMAT:
            raise CaseError(f"{folder}: case format {encoded['format']} is not {FORMAT}, which this version reads")
        case: Case = decode(Case, encoded["case"], arrays)
    except OSError as error:
        absent = ARRAYS if (folder / CASE).is_file() else CASE
        raise CaseError(f"{folder} is no case folder: {absent} cannot be read") from error
    except EcgvizError:
        raise
    except (KeyError, TypeError, *DAMAGED) as error:
        raise CaseError(f"{folder} does not hold a case: {error}") from error
    missing = [name for name in STATED if name not in case.provenance]
    if missing:
        raise CaseError(f"{folder} does not hold a case: its provenance states no {missing[0]}")
    return case
