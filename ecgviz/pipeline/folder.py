"""A case as a folder: case.json, which a person can read, and arrays.npz, which it points into.

What is read back is built from the types of `Case` alone: a file can name no type, no path and no code.
"""

import json
import tempfile
import types
import zipfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from ecgviz.errors import CaseError, EcgvizError
from ecgviz.types import Case

CASE, ARRAYS = "case.json", "arrays.npz"
FORMAT = 1


def save_case(case: Case, folder: Path) -> None:
    """Write a case to a new folder; it appears whole or not at all.

    Raises
    ------
    CaseError
        When the folder exists already.
    """
    if folder.exists():
        raise CaseError(f"{folder} exists already; name a new folder")
    arrays: dict[str, np.ndarray] = {}
    encoded = {"format": FORMAT, "case": _encode(case, "case", arrays)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        whole = Path(scratch) / folder.name
        whole.mkdir()
        (whole / CASE).write_text(json.dumps(encoded, indent=1, allow_nan=False), encoding="utf-8")
        np.savez_compressed(whole / ARRAYS, allow_pickle=False, **arrays)
        whole.rename(folder)


def load_case(folder: Path) -> Case:
    """Read back what `save_case` wrote.

    Raises
    ------
    CaseError
        When a file is missing, of another format, or does not hold a case.
    """
    try:
        encoded = json.loads((folder / CASE).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        if encoded["format"] != FORMAT:
            raise CaseError(f"{folder}: case format {encoded['format']} is not {FORMAT}, which this version reads")
        case: Case = _decode(Case, encoded["case"], arrays)
    except OSError as error:
        raise CaseError(f"{folder} is no case folder: {CASE} or {ARRAYS} cannot be read") from error
    except EcgvizError:
        raise
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise CaseError(f"{folder} does not hold a case: {error}") from error
    return case


def _encode(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """Turn a value into JSON; arrays go to ``arrays`` under their path, NaN becomes null."""
    if isinstance(value, np.ndarray):
        arrays[path] = value
        return {"array": path, "shape": list(value.shape)}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _encode(getattr(value, f.name), f"{path}.{f.name}", arrays) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _encode(each, f"{path}.{key}", arrays) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(each, f"{path}.{i}", arrays) for i, each in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _decode(hint: Any, value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Turn JSON back into what ``hint`` says; null is NaN where a float is wanted."""
    if isinstance(value, dict) and value.keys() == {"array", "shape"}:
        return arrays[value["array"]]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _decode(next(a for a in args if a is not types.NoneType), value, arrays)
    if origin is tuple:
        return tuple(_decode(args[0], each, arrays) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _decode(args[1], each, arrays) for key, each in value.items()}
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: _decode(hints[name], each, arrays) for name, each in value.items()})  # type: ignore[operator]
    if hint is float:
        return float("nan") if value is None else float(value)
    return value
