"""What ``torch.export.save`` wrote, read as data: a ZIP with the graph as JSON and each weight as its raw bytes.

``torch.export.load`` is never called: it unpickles whatever a file marks as pickled, evaluates its symbolic sizes as
Python and resolves operators to any function that ``torch`` can reach, so that a file could run code. Here a weight is
raw numbers with a shape, and a file that needs more than that is refused.
"""

import io
import json
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ecgviz.errors import ModelError

MAX_BYTES = 500_000_000
"""Archives that unpack to more are refused."""
GRAPH, WEIGHTS, CONSTANTS = "models/model.json", "data/weights/", "data/constants/"
DTYPES: Mapping[int, torch.dtype] = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
"""Number types by their code in the format (``torch._export.serde.schema.ScalarType``)."""
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError),
)
"""What a damaged file, member of it or table in one raises."""


@dataclass(frozen=True, eq=False)
class Archive:
    """The parts of an exported program: ``graph``, ``signature`` and ``ranges`` of sizes as JSON, ``stored`` tensors.

    Tensors go by the name they had in the module that was exported.
    """

    graph: Mapping[str, Any]
    signature: Mapping[str, Any]
    stored: Mapping[str, Tensor]
    ranges: Mapping[str, Any]


def read_archive(data: bytes, called: str) -> Archive:
    """Read an exported program.

    Raises
    ------
    ModelError
        When the bytes are no such archive, unpack to more than `MAX_BYTES`, or hold what only a pickle or a library
        could be read from.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_BYTES:
                raise ModelError(f"{called} unpacks to {size / 1e6:.0f} MB (limit {MAX_BYTES / 1e6:.0f} MB)")
            members = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        if GRAPH not in members:
            raise ModelError(
                f"{called} holds no {GRAPH}: it was not written by torch.export.save of torch 2.9 or newer"
            )
        program = json.loads(members[GRAPH])
        module = program["graph_module"]
        stored = _payloads(members, WEIGHTS, "model_weights_config.json", called)
        stored |= _payloads(members, CONSTANTS, "model_constants_config.json", called)
        return Archive(module["graph"], module["signature"], stored, program.get("range_constraints") or {})
    except ModelError:
        raise
    except _DAMAGED as error:
        raise ModelError(f"{called} is no exported program, or a damaged one ({_first_line(error)})") from error


def _payloads(members: Mapping[str, bytes], folder: str, table: str, called: str) -> dict[str, Tensor]:
    """Return the tensors that a table of the archive lists, by name."""
    listed = json.loads(members[folder + table])["config"]
    found: dict[str, Tensor] = {}
    for name, entry in listed.items():
        found[name] = _tensor(name, entry, members, folder, called)
        if sum(tensor.nbytes for tensor in found.values()) > MAX_BYTES:
            raise ModelError(f"{called}: its tensors take more than {MAX_BYTES / 1e6:.0f} MB together, from {name} on")
    return found


def _tensor(name: str, entry: Mapping[str, Any], members: Mapping[str, bytes], folder: str, called: str) -> Tensor:
    if entry["use_pickle"] or entry["tensor_meta"] is None:
        raise ModelError(f"{called}: {name} is stored as a pickle, which is never opened; export plain tensors only")
    meta = entry["tensor_meta"]
    if meta["dtype"] not in DTYPES:
        raise ModelError(f"{called}: {name} has a number type (code {meta['dtype']}) that is not read")
    raw, dtype = members[folder + entry["path_name"]], DTYPES[meta["dtype"]]
    shape, stride = (tuple(size["as_int"] for size in meta[key]) for key in ("sizes", "strides"))
    # A stride of 0 tells a few bytes to be a tensor of any size, so its size is asked before it is laid out.
    if math.prod(shape) * dtype.itemsize > MAX_BYTES:
        raise ModelError(f"{called}: {name} of shape {shape} is larger than {MAX_BYTES / 1e6:.0f} MB")
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.zeros(0, dtype=dtype)
    tensor = flat.as_strided(shape, stride, meta["storage_offset"]["as_int"]).contiguous()
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise ModelError(f"{called}: {name} holds values that are not finite")
    return tensor


def fixed_or_most(size: Mapping[str, Any], ranges: Mapping[str, Any]) -> int | None:
    """Return the largest value of a size: itself where it is fixed, the end of its range, None without an end."""
    if "as_int" in size:
        return int(size["as_int"])
    symbol = re.search(r"\w+", size["as_expr"]["expr_str"].removeprefix("Symbol("))
    most = ranges.get(symbol[0] if symbol else "", {}).get("max_val")
    return most if isinstance(most, int) else None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
