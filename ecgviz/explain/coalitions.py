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
from numpy.typing import NDArray
from torch import Tensor, nn

from ecgviz.checkpoint import Model, network_logits, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.cells import Cells, IntArray, owner_of
from ecgviz.explain.undisturbed import undisturbed
from ecgviz.types import ModelInput
from ecgviz.types.arrays import BoolArray, FloatArray

Arguments = dict[str, Tensor | None]

COALITIONS_AT_ONCE = 8192
"""Coalitions that share their encodings."""
ENCODINGS_AT_ONCE = 1024
"""Records whose encodings are held in memory together (60 MB for 12 x 20 windows of 64 features)."""
RECORDS_AT_ONCE = 64
"""Altered records that are held in memory together."""
LEADS_AT_ONCE = 256
"""Leads read in one batch: on a CPU, the states of more leave the cache."""
FEW = 8
"""Cells whose sets are counted by one byte."""
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
    """Return where one of each distinct row of (M, n) stands, and which of them each row equals, (M,)."""
    packed = np.packbits(rows, axis=1)
    n_bytes = max(8, packed.shape[1])
    keys = np.zeros((len(rows), n_bytes), dtype=np.uint8)
    keys[:, : packed.shape[1]] = packed
    return _equal(keys)


def _equal(rows: NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Do what `distinct` does for rows of any type, equal in each of their bytes."""
    n_bytes = rows.shape[1] * rows.itemsize
    whole = np.dtype(np.uint64) if n_bytes == 8 else np.dtype((np.void, n_bytes))
    _, first, copies = np.unique(rows.view(whole)[:, 0], return_index=True, return_inverse=True)
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
    if len(source) > max(ENCODINGS_AT_ONCE, 2):
        return torch.cat([_structured(net, inputs, cells, reference, half) for half in np.array_split(present, 2)])
    records = _composites(inputs, cells, reference, present, source, window)
    embeddings = torch.cat([_encoded(net, arguments, x, len(spans_s)) for x in records])
    lead, row, copies = _rows(cells, present)  # (N,), (N,), (M, L)
    to_read = {
        name: None if v is None else v.to(embeddings.device) for name, v in _taken(net.read_windows, arguments).items()
    }
    n_windows = len(spans_s)
    at = (code[row, lead] * len(cells.owner) + lead[:, None]) * n_windows + np.arange(n_windows)  # (N, W)
    parts = []
    for some in torch.from_numpy(at).split(LEADS_AT_ONCE):
        of_lead = embeddings.flatten(0, 2)[some]
        parts.append(net.read_windows(of_lead, **_repeated(to_read, len(some)))[0])
    logits: Tensor = net.classify(torch.cat(parts)[torch.from_numpy(copies)])
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
    n_slots = len(cells.owner) * n_windows
    code = np.zeros((n_slots, len(present)), dtype=np.intp)
    firsts = [np.zeros(1, dtype=np.intp)] * n_slots
    inside = _inside(cells, window, n_windows)
    few = [slot for slot, its in inside.items() if len(its) <= FEW]
    of_few, code[few] = _sets_of_few([inside[slot] for slot in few], present)
    for slot, first in zip(few, of_few, strict=True):
        firsts[slot] = first
    for slot in set(inside) - set(few):
        firsts[slot], code[slot] = distinct(present[:, inside[slot]])
    source = np.empty((max(map(len, firsts)), n_slots), dtype=np.intp)
    for slot, first in enumerate(firsts):
        source[: len(first), slot], source[len(first) :, slot] = first, first[-1]
    shape = (-1, len(cells.owner), n_windows)
    return source.reshape(shape), code.T.reshape(shape)


def _sets_of_few(groups: Sequence[IntArray], present: BoolArray) -> tuple[list[IntArray], IntArray]:
    """Do what `distinct` does for many small groups of cells at once; the second array is (G, M).

    Few sets can occur, so that they are looked up in a table, which is faster than sorting.
    """
    columns = np.full((len(groups), max(map(len, groups), default=1)), present.shape[1])
    for column, group in zip(columns, groups, strict=True):
        column[: len(group)] = group
    there = np.pad(present, ((0, 0), (0, 1))).view(np.uint8)
    keys = np.zeros((len(present), len(groups)), dtype=np.uint8)  # bit k: the group's k-th cell
    for k, cell in enumerate(columns.T):
        keys |= there[:, cell] << np.uint8(k)
    each = np.arange(len(groups))
    stands = np.full((len(groups), 2 ** columns.shape[1]), -1)
    stands[each, keys] = np.arange(len(keys))[:, None]  # of the coalitions with a set, any will do
    occurs = stands >= 0
    which = (np.cumsum(occurs, axis=1) - 1)[each, keys].T
    return [row[found] for row, found in zip(stands, occurs, strict=True)], which


def _inside(cells: Cells, window: IntArray, n_windows: int) -> dict[int, IntArray]:
    """Return the cells that have samples in each window of each lead (lead * W + window), where there are any."""
    slot = np.arange(len(cells.owner))[:, None] * n_windows + window  # (L, T)
    there = (cells.owner >= 0) & (window >= 0)
    slots, owners = np.divmod(np.unique(slot[there] * len(cells) + cells.owner[there]), max(len(cells), 1))
    at, starts = np.unique(slots, return_index=True)
    return dict(zip(at.tolist(), np.split(owners, starts[1:]), strict=False))


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


def _encoded(net: Any, arguments: Arguments, x: Tensor, n_windows: int) -> Tensor:
    """Return the embeddings (j, L, W, F) of all windows of records x (j, L, T)."""
    if not hasattr(net, "encode_windows"):
        return network_logits(_Encoder(net), x, **_repeated(_taken(net.encode, arguments), len(x)))
    shape = (len(x), x.shape[1], n_windows)
    windows = x.reshape(len(x) * x.shape[1] * n_windows, -1)
    first, copies = _equal(windows.numpy())
    each, of_record = windows[torch.from_numpy(first)], x.shape[1] * n_windows
    whole = len(each) // of_record * of_record
    groups = (each[:whole].unflatten(0, (-1, of_record)), each[None, whole:])  # batches are counted in records
    parts = [network_logits(_WindowEncoder(net), group).flatten(0, 1) for group in groups if group.numel()]
    return torch.cat(parts)[torch.from_numpy(copies)].unflatten(0, shape)


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


class _WindowEncoder(_Encoder):
    """The same for groups of windows x (G, N, S): embeddings (G, N, F)."""

    def forward(self, x: Tensor, **arguments: Tensor | None) -> Tensor:
        net: Any = self.net
        embeddings: Tensor = net.encode_windows(x.flatten(0, 1), **arguments)[0]
        return embeddings.unflatten(0, x.shape[:2])
