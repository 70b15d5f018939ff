"""The first run of an exported program, in a child process: what eats memory or time, or crashes, ends there.

The operators of a program are harmless one by one, but nothing bounds how much they make, or how long they take.
"""

import json
import resource
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from ecgviz.checkpoint.exported import ExportedProgram
from ecgviz.checkpoint.inputs import noise_for
from ecgviz.checkpoint.unpickle import LIMITS
from ecgviz.errors import ModelError
from ecgviz.records import child
from ecgviz.types import InputSpec

TOLERANCE = 1e-4
"""By how many logits a program may differ between one record and two at once, or between two calls."""
_REQUEST, _PROGRAM = "request.json", "program.pt2"


def try_in_child(program: ExportedProgram, spec: InputSpec) -> None:
    """Do in a child process what `try_here` does.

    Raises
    ------
    ModelError
        As there, and when the program exceeds the child's limits.
    """
    with tempfile.TemporaryDirectory(prefix="ecgviz-import-") as name:
        folder = Path(name)
        (folder / _PROGRAM).write_bytes(program.stored)
        request = {"called": program.called, "spec": asdict(spec)}
        (folder / _REQUEST).write_text(json.dumps(request), encoding="utf-8")
        why = child.run("ecgviz.checkpoint.trial", folder, LIMITS, program.called)
        if why:
            raise ModelError(why)


def try_here(program: ExportedProgram, spec: InputSpec) -> None:
    """Refuse a program whose logits are not finite, or that answers for a record by what stands beside it.

    Raises
    ------
    ModelError
        For these, and when an operator of it fails.
    """
    x, _ = noise_for(spec)
    together, again, alone = program(x), program(x), torch.cat([program(x[:1]), program(x[1:])])
    if not torch.isfinite(together).all():
        raise ModelError(f"{program.called}: its logits for noise are not finite")
    if max((together - other).abs().max() for other in (again, alone)) > TOLERANCE:
        raise ModelError(
            f"{program.called}: its logits differ from call to call; export it in eval mode, without randomness"
        )


def _answer(folder: Path) -> None:
    """Try the program in ``folder``, under limits; leave a refusal there when it is refused."""
    child.limit(LIMITS, resource.RLIMIT_DATA)  # torch itself takes gigabytes of address space
    request = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
    try:
        program = ExportedProgram((folder / _PROGRAM).read_bytes(), request["called"])
        try_here(program, InputSpec(**request["spec"]))
    except ModelError as refusal:
        said = str(refusal)
    except MemoryError:
        said = f"{request['called']}: running it takes more than {LIMITS.memory_bytes / 1e9:.1f} GB of memory"
    else:
        return
    (folder / child.REFUSAL).write_text(said, encoding="utf-8")


if __name__ == "__main__":
    _answer(Path(sys.argv[1]))
