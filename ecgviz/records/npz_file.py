"""NPZ files: fields ``signal`` (L, N), ``fs``, ``leads``, ``unit``, and if known ``age_years`` and ``sex``.

Also what a recording tells of itself: ``simulated`` (true or not), and sentences in ``altered`` and ``assumptions``.
"""

import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ecgviz.errors import RecordError
from ecgviz.records import fields
from ecgviz.types import Record

MAX_BYTES = 400_000_000
"""Arrays larger than this once unpacked are refused: 12 leads, 24 hours at 100 Hz in float32."""


DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    OSError,
    EOFError,
    RuntimeError,
    SyntaxError,
)
"""What NumPy and zipfile raise on a file that is no NPZ, or a damaged one."""


def read_arrays(path: Path) -> Mapping[str, Any]:
    """Return all arrays of an NPZ file; pickled objects and archives that unpack to more than `MAX_BYTES` are refused.

    Raises
    ------
    RecordError
        When the file is no NPZ of plain arrays.
    """
    source = fields.shown(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_BYTES:
                raise RecordError(f"{source}: unpacks to {size} bytes (limit {MAX_BYTES})")
            for member in archive.infolist():
                _check_claim(archive, member, source)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except RecordError:
        raise
    except DAMAGED as error:
        raise RecordError(
            f"{source}: this is no NPZ file of plain arrays, or a damaged one (pickled objects are never opened)"
        ) from error


def _check_claim(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str) -> None:
    """Refuse an array that claims more bytes than its file holds, before NumPy takes memory for them."""
    with archive.open(member) as stream:
        if stream.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
            return
        stream.seek(0)
        read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
        try:
            shape, _, dtype = read(stream)
        except MemoryError as error:  # of Python's parser, at signs or brackets without end
            raise ValueError("the header of an array cannot be read") from error
    claimed = math.prod(shape) * max(dtype.itemsize, 1)  # empty texts take no bytes, and would be counted without end
    if claimed > member.file_size:
        name = fields.shown(member.filename)
        raise RecordError(
            f"{source}: {name} in it claims {claimed} bytes and holds {member.file_size}: it is cut or damaged"
        )


def read_npz(path: Path, fs: float | None, unit: str | None) -> Record:
    """Read an NPZ file; ``fs`` (Hz) and ``unit`` are taken where the file states none.

    An age that is not plausible is none, as in other files, and the record's assumptions tell so.

    Raises
    ------
    RecordError
        For missing fields, an unknown unit or lead, no rate, or arrays that are no numbers.
    """
    arrays, source = read_arrays(path), fields.shown(path.name)
    missing = [name for name in ("signal", "leads") if name not in arrays]
    if missing:
        raise RecordError(f"{source}: has no field {missing[0]!r}; needed are signal (L, N), leads, fs and unit")
    rate, rate_note = fields.agreed_rate(_number(arrays, "fs"), fs, source)
    factor, unit_note = fields.agreed_unit(_text(arrays, "unit"), unit, source)
    signal = np.asarray(arrays["signal"])
    if signal.dtype.kind not in "fiu":
        raise RecordError(f"{source}: the field 'signal' holds {signal.dtype}, not numbers")
    names = _names(arrays["leads"], source)
    age, sex = _as_text(arrays, "age_years"), _as_text(arrays, "sex")
    notes = (*rate_note, *unit_note, *fields.not_taken(age, sex))
    return Record(
        signal=signal.astype(np.float64) * factor,
        fs=rate,
        leads=fields.lead_names(names, source),
        id=source,
        age_years=fields.age(age),
        sex=fields.sex(sex),
        assumptions=(*_sentences(arrays, "assumptions"), *notes),
        altered=_sentences(arrays, "altered"),
        simulated=_number(arrays, "simulated") == 1,
    )


def _names(value: Any, source: str) -> list[str]:
    """Return the field of lead names; as bytes they are ASCII."""
    names = np.asarray(value)
    try:
        if names.dtype.kind in "US" and names.ndim == 1:
            return [str(name) for name in names.astype(np.str_)]
        why = "is no list of names"
    except UnicodeDecodeError:
        why = "holds bytes that are no ASCII text"
    raise RecordError(f"{source}: the field 'leads' {why}")


def _as_text(arrays: Mapping[str, Any], name: str) -> str:
    """Return a field that is a number or a text as text, "" where it is absent."""
    found = _number(arrays, name)
    return (_text(arrays, name) or "") if found is None else repr(found)


def _sentences(arrays: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a field of sentences, none where it is absent or holds no text."""
    value = np.asarray(arrays.get(name, ()))
    return fields.sentences(str(each) for each in value.ravel()) if value.dtype.kind == "U" else ()


def _number(arrays: Mapping[str, Any], name: str) -> float | None:
    """Return a field as a number, or None where it is absent, NaN or no single number."""
    value = np.asarray(arrays.get(name, np.nan))
    if value.size != 1 or value.dtype.kind not in "fiub" or np.isnan(value).any():
        return None
    return float(value.reshape(()))


def _text(arrays: Mapping[str, Any], name: str) -> str | None:
    """Return a field as text, or None where it is absent or empty."""
    value = np.asarray(arrays.get(name, ""))
    return (str(value.reshape(())) or None) if value.size == 1 and value.dtype.kind == "U" else None
