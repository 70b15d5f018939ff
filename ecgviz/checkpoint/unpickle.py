"""PyTorch checkpoints (``.pt``) are opened in a child process, as tensors only; what crosses back is safetensors.

``torch.load(weights_only=True)`` builds nothing but tensors and plain containers; the child's limits end what eats
memory or time all the same. The parent never unpickles.
"""

import json
import pickle
import re
import resource
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ecgviz.errors import ModelError
from ecgviz.records import child

MAX_BYTES = 500_000_000
"""Checkpoints larger than this, packed or unpacked, are refused."""
LIMITS = child.Limits(memory_bytes=2_500_000_000, processor_s=60, wall_s=120.0, file_bytes=MAX_BYTES + 10_000_000)
LONGEST_KEY = 1000
"""Letters; what stands before a key is taken off word by word, and no network has names that long."""
NESTED = ("state_dict", "model_state_dict", "model")
"""Entries under which trainers keep the weights, the first that is there counts."""
_REQUEST, _CHECKPOINT, _ANSWER = "request.json", "checkpoint.pt", "answer.safetensors"


def checkpoint_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a PyTorch checkpoint by their keys, as they are named there.

    Raises
    ------
    ModelError
        When the file is no checkpoint, is too large, holds anything but tensors, or exceeds the child's limits.
    """
    if not path.is_file():
        raise ModelError(f"there is no file {str(path)!r}")
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{path.name} has {path.stat().st_size / 1e6:.0f} MB (limit {MAX_BYTES / 1e6:.0f} MB)")
    with tempfile.TemporaryDirectory(prefix="ecgviz-import-") as name:
        folder = Path(name)
        shutil.copyfile(path, folder / _CHECKPOINT)
        (folder / _REQUEST).write_text(json.dumps({"called": path.name}), encoding="utf-8")
        why = child.run("ecgviz.checkpoint.unpickle", folder, LIMITS, path.name)
        if why:
            raise ModelError(why)
        found: dict[str, Tensor] = load_file(folder / _ANSWER)
        return found


def read_weights(path: Path, called: str) -> dict[str, Tensor]:
    """Return the weights in a file by their keys; this is what the child does.

    Raises
    ------
    ModelError
        When the file is no checkpoint, is too large, or holds anything but tensors.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise ModelError(f"{called} unpacks to {size / 1e6:.0f} MB (limit {MAX_BYTES / 1e6:.0f} MB)")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        holds = f" ({named[1]})" if named else ""
        raise ModelError(
            f"weights_only refused: {called} holds objects other than tensors{holds}, or is no checkpoint; save "
            f"net.state_dict() instead of the whole network"
        ) from error
    except (RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, OSError) as error:
        if "memory" in str(error).lower():
            raise MemoryError from error
        raise ModelError(f"{called} is no PyTorch checkpoint, or a damaged one") from error
    return _weights(loaded, called)


def _weights(loaded: Any, called: str) -> dict[str, Tensor]:
    """Return the state dict inside what was loaded, every tensor with storage of its own."""
    for key in NESTED:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            break
    if not isinstance(loaded, Mapping) or not loaded:
        raise ModelError(f"{called} holds no weights by name (a state dict), but {type(loaded).__name__}")
    for key, value in loaded.items():
        if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
            raise ModelError(
                f"{called}: {str(key)!r} is {type(value).__name__}, no plain tensor; weights are looked for under "
                f"{', '.join(NESTED)} or at the top"
            )
        if len(key) > LONGEST_KEY:
            raise ModelError(f"{called}: {key[:20]!r}... is a name of {len(key)} letters (limit {LONGEST_KEY})")
    size = sum(value.numel() * value.element_size() for value in loaded.values())
    if size > MAX_BYTES:
        raise ModelError(f"{called} unpacks to {size / 1e6:.0f} MB (limit {MAX_BYTES / 1e6:.0f} MB)")
    return {key: value.detach().contiguous().clone() for key, value in loaded.items()}


def convert_in_child(folder: Path) -> None:
    """Turn the checkpoint in ``folder`` into safetensors, under limits, or leave a refusal there."""
    child.limit(LIMITS, resource.RLIMIT_DATA)  # torch itself takes gigabytes of address space
    called = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))["called"]
    try:
        save_file(read_weights(folder / _CHECKPOINT, called), folder / _ANSWER)
    except ModelError as refusal:
        said = str(refusal)
    except (MemoryError, RecursionError):
        said = f"{called}: reading it takes more than {LIMITS.memory_bytes / 1e9:.1f} GB of memory"
    else:
        return
    (folder / child.REFUSAL).write_text(said, encoding="utf-8")


if __name__ == "__main__":
    convert_in_child(Path(sys.argv[1]))
