"""Logits of many altered copies of one record: some of its cells are there, the others are replaced by a reference.

Perturbation methods, deletion curves and checks all ask for these. A network that encodes windows alone, reads leads
alone and joins leads last (``encode``, ``read_windows``, ``classify``, ``spans``) need not be run on every copy: each
window is encoded once for each set of cells that occurs in it, each lead read once for each set that occurs in it.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, network_logits, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.cells import Cells, IntArray, owner_of
from ecgviz.explain.undisturbed import undisturbed
from ecgviz.types import ModelInput
from ecgviz.types.arrays import BoolArray, FloatArray

Arguments = dict[str, Tensor | None]

COALITIONS_AT_ONCE = 2048
"""Coalitions whose encodings are held in memory together (at most 250 MB for a network of 64 features)."""
RECORDS_AT_ONCE = 64
"""Altered records that are held in memory together."""
LEADS_AT_ONCE = 256
"""Leads read in one batch: on a CPU, the states of more leave the cache."""
STRUCTURE = ("encode", "read_windows", "classify", "spans")
"""What a network has whose windows and leads stay apart."""


def coalition_logits(
    model: Model, inputs: ModelInput, cells: Cells, reference: FloatArray, present: BoolArray, *, generic: bool = False
) -> FloatArray:
    """Return the logits of a record in which some cells are kept and the others replaced.

    Parameters
    ----------
    model : Model
    inputs : ModelInput
        The record as the network is fed it; its R peaks stay, whatever is replaced.
    cells : Cells
        Samples of no cell are kept always.
    reference : array, shape (L, T)
        What replaces a cell, standardised as ``inputs.x`` is.
    present : array of bool, shape (M, K)
        Which cells each of M coalitions keeps.
    generic : bool
        Run the whole network on every coalition, whatever its structure: slower, and the same logits to rounding.

    Returns
    -------
    array of float64, shape (M, C)

    Raises
    ------
    ExplanationError
        When shapes do not fit, or a logit is not finite.
    """
    present = np.asarray(present, dtype=bool)
    reference = np.asarray(reference, dtype=np.float32)
    if reference.shape != inputs.x.shape:
        raise ExplanationError(f"a reference of shape {reference.shape} does not fit a record of {inputs.x.shape}")
    if present.ndim != 2 or present.shape[1] != len(cells):
        raise ExplanationError(f"coalitions of shape {present.shape} do not fit {len(cells)} cells")
    first, copies = distinct(present)
    structured = not generic and all(hasattr(model.net, part) for part in STRUCTURE)
    run, at_once = (_structured, COALITIONS_AT_ONCE) if structured else (_generic, RECORDS_AT_ONCE)
    with undisturbed(model.net) as net, torch.inference_mode():
        parts = [
            run(net, inputs, cells, reference, present[first[start : start + at_once]])
            for start in range(0, len(first), at_once)
        ]
    logits = np.concatenate([part.double().numpy(force=True) for part in parts] or [np.empty((0, len(model.labels)))])
    if not np.isfinite(logits).all():
        raise ExplanationError(f"{model.name} has no finite logit once parts of this record are replaced")
    result: FloatArray = logits[copies]
    return result


def removal_curve(
    model: Model,
    inputs: ModelInput,
    cells: Cells,
    order: Sequence[int] | IntArray,
    reference: FloatArray,
    label_index: int,
    *,
    insert: bool = False,
) -> FloatArray:
    """Return one logit while the cells are removed one after the other, shape (N + 1,) for an order of N cells.

    The first value is that of the record itself. With ``insert`` it is that of the record without any cell, and the
    cells come back instead (Petsiuk et al. 2018, arXiv:1806.07421).

    Raises
    ------
    ExplanationError
        When the order names a cell that there is not, or one twice.
    """
    order = np.asarray(order, dtype=np.intp)
    if len(np.unique(order)) != len(order) or not np.isin(order, np.arange(len(cells))).all():
        raise ExplanationError(f"an order must name each cell once at the most, between 0 and {len(cells) - 1}")
    touched = np.zeros((len(order) + 1, len(cells)), dtype=bool)
    touched[:, order] = np.tri(len(order) + 1, len(order), -1, dtype=bool)
    logits = coalition_logits(model, inputs, cells, reference, touched if insert else ~touched)
    curve: FloatArray = logits[:, label_index]
    return curve


def distinct(rows: BoolArray) -> tuple[IntArray, IntArray]:
    """Return where each distinct row of (M, n) stands first, and which of them each row equals, (M,)."""
    packed = np.packbits(rows, axis=1)
    n_bytes = max(8, packed.shape[1])
    keys = np.zeros((len(rows), n_bytes), dtype=np.uint8)
    keys[:, : packed.shape[1]] = packed
    whole = np.dtype(np.uint64) if n_bytes == 8 else np.dtype((np.void, n_bytes))
    _, first, copies = np.unique(keys.view(whole)[:, 0], return_index=True, return_inverse=True)
    return first, copies


def altered(inputs: ModelInput, cells: Cells, reference: FloatArray, present: BoolArray) -> FloatArray:
    """Return the records (M, L, T) in which each coalition's absent cells are replaced by the reference."""
    kept = np.concatenate([present, np.ones((len(present), 1), dtype=bool)], axis=1)  # owner -1 is the last column
    return np.where(kept[:, cells.owner], inputs.x, reference)


def _generic(net: nn.Module, inputs: ModelInput, cells: Cells, reference: FloatArray, present: BoolArray) -> Tensor:
    """Run the whole network on every coalition."""
    x = torch.from_numpy(altered(inputs, cells, reference, present))
    _, arguments = tensors(inputs)
    return network_logits(net, x, **_repeated(arguments, len(x)))


def _structured(net: Any, inputs: ModelInput, cells: Cells, reference: FloatArray, present: BoolArray) -> Tensor:
    """Encode what occurs in each window, read what occurs in each lead, classify every coalition."""
    x, arguments = tensors(inputs)
    spans_s = net.spans(x, fs=inputs.fs, start_s=inputs.start_s, **arguments)
    window = owner_of(spans_s, inputs)
    source, code = _occurring(cells, window, len(spans_s), present)
    records = _composites(inputs, cells, reference, present, source, window)
    encoder, to_encode = _Encoder(net), _taken(net.encode, arguments)
    embeddings = torch.cat([network_logits(encoder, x, **_repeated(to_encode, len(x))) for x in records])
    lead, row, copies = _rows(cells, present)  # (N,), (N,), (M, L)
    chosen = code[row, lead]  # (N, W)
    to_read = {
        name: None if v is None else v.to(embeddings.device) for name, v in _taken(net.read_windows, arguments).items()
    }
    parts = []
    for start in range(0, len(lead), LEADS_AT_ONCE):
        some = slice(start, start + LEADS_AT_ONCE)
        of_lead = embeddings[chosen[some], lead[some, None], np.arange(chosen.shape[1])]
        parts.append(net.read_windows(of_lead, **_repeated(to_read, len(of_lead)))[0])
    logits: Tensor = net.classify(torch.cat(parts)[copies])
    return logits


def _occurring(cells: Cells, window: IntArray, n_windows: int, present: BoolArray) -> tuple[IntArray, IntArray]:
    """Find which sets of cells occur in each window of each lead.

    Returns
    -------
    source : array, shape (J, L, W)
        A coalition in which the j-th set of each window occurs; where a window has fewer sets, its last again.
    code : array, shape (M, L, W)
        Which of its sets each coalition has in each window.
    """
    n_leads = len(cells.owner)
    code = np.zeros((len(present), n_leads, n_windows), dtype=np.intp)
    firsts = {}
    for lead, w in np.ndindex(n_leads, n_windows):
        inside = np.unique(cells.owner[lead, window == w])
        firsts[lead, w], code[:, lead, w] = distinct(present[:, inside[inside >= 0]])
    source = np.zeros((max(map(len, firsts.values()), default=1), n_leads, n_windows), dtype=np.intp)
    for (lead, w), first in firsts.items():
        source[: len(first), lead, w], source[len(first) :, lead, w] = first, first[-1]
    return source, code


def _composites(
    inputs: ModelInput,
    cells: Cells,
    reference: FloatArray,
    present: BoolArray,
    source: IntArray,
    window: IntArray,
) -> Iterator[Tensor]:
    """Yield records, some at once, each window of which is cut from the coalition that ``source`` names."""
    leads = np.arange(len(cells.owner))[:, None]
    for start in range(0, len(source), RECORDS_AT_ONCE):
        coalition = source[start : start + RECORDS_AT_ONCE][:, leads, window]  # (j, L, T)
        kept = present[coalition, cells.owner] | (cells.owner < 0) | (window < 0)
        yield torch.from_numpy(np.where(kept, inputs.x, reference))


def _rows(cells: Cells, present: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Find which sets of cells occur in each lead: lead and coalition of each set (N,), and the sets in use (M, L)."""
    leads, rows, copies = [], [], np.zeros((len(present), len(cells.owner)), dtype=np.intp)
    n_before = 0
    for lead, owner in enumerate(cells.owner):
        first, copy = distinct(present[:, np.unique(owner[owner >= 0])])
        leads.append(np.full(len(first), lead))
        rows.append(first)
        copies[:, lead] = n_before + copy
        n_before += len(first)
    return np.concatenate(leads), np.concatenate(rows), copies


def _taken(part: Callable[..., Any], arguments: Arguments) -> Arguments:
    """Return those arguments that a part of a network takes."""
    takes = inspect.signature(part).parameters
    return {name: value for name, value in arguments.items() if name in takes}


def _repeated(arguments: Arguments, n: int) -> Arguments:
    """Return the arguments of one record for n records."""
    return {name: None if value is None else value.expand(n, *value.shape[1:]) for name, value in arguments.items()}


class _Encoder(nn.Module):
    """The first part of a network, to be run in batches of the size that suits its device."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, **arguments: Tensor | None) -> Tensor:
        net: Any = self.net
        embeddings: Tensor = net.encode(x, **arguments)[0]
        return embeddings
