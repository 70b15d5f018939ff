"""Cells: the pieces of a record that perturbation methods remove as one, such as one wave of one beat of one lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgviz.checkpoint import Model, tensors
from ecgviz.errors import ExplanationError
from ecgviz.types import ATOMS, WAVES, Beats, ModelInput
from ecgviz.types.arrays import FloatArray, frozen

IntArray = NDArray[np.intp]

KINDS: Mapping[str, tuple[str, ...]] = {
    "lead_beat_wave": ("lead", "beat", "wave"),
    "lead_beat": ("lead", "beat"),
    "lead_wave": ("lead", "wave"),
    "beat_wave": ("beat", "wave"),
    "lead": ("lead",),
    "wave": ("wave",),
    "beat": ("beat",),
    "window": ("lead", "window"),
}
"""What tells the cells of each kind apart: "lead_wave" is one wave of one lead in all beats together."""
WINDOW_S = 0.5
"""Length of the windows of kind "window", for networks that have none of their own."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Which cell each sample belongs to.

    ``owner`` (L, T) counts cells from 0, in the order of ``names``; -1 marks samples of no cell, which are never
    removed: those outside of every delineated beat, and padding. Each cell has at least one sample.
    """

    owner: IntArray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "owner", frozen(self.owner, np.intp))
        found = np.unique(self.owner)
        if not np.array_equal(found[found >= 0], np.arange(len(self.names))) or (found < -1).any():
            raise ValueError(f"{len(self.names)} names do not fit cells {found}")

    def __len__(self) -> int:
        return len(self.names)


def cells_by(kind: str, model: Model, inputs: ModelInput, beats: Beats) -> Cells:
    """Cut a record into cells of one kind of `KINDS`.

    Waves tile the delineated time: P, PR, QRS, ST, T and TP of `ecgviz.types.WAVES`, from the marks over all leads. A
    sample stands for the interval +- 1 / (2 fs) around it and belongs whole to what covers most of it, unlike on the
    evidence grid, where it is shared. A wave that covers most of no sample has no cell. Cells of kind "lead" hold the
    whole lead, those of kind "window" a window of the network itself (`spans`), else half a second; other kinds
    hold nothing outside of beats. Beats are counted from 1.

    Raises
    ------
    ExplanationError
        For an unknown kind, or where a kind needs beats and none lies inside the window that the network reads.
    """
    if kind not in KINDS:
        raise ExplanationError(f"there are no cells {kind!r}; known are {', '.join(KINDS)}")
    n_samples = inputs.x.shape[1]
    if "window" in KINDS[kind]:
        windows = owner_of(_windows_s(model, inputs), inputs)
        n_windows = int(windows.max(initial=-1)) + 1
        axes = {"window": (windows, tuple(f"window {w + 1}" for w in range(n_windows)))}
    elif kind == "lead":
        axes = {}
    else:
        axes = _waves(inputs, beats)
    axes["lead"] = (np.arange(len(inputs.leads))[:, None], inputs.leads)
    owner, names = np.zeros((1, 1), dtype=np.intp), [""]
    for axis in KINDS[kind]:
        place, parts = axes[axis]
        owner = np.where((owner < 0) | (place < 0), -1, owner * len(parts) + place)
        names = [f"{name}, {part}" if name else part for name in names for part in parts]
    owner = np.where(inputs.mask, np.broadcast_to(owner, (len(inputs.leads), n_samples)), -1)
    if not (owner >= 0).any():
        why = beats.reason or "no beat was delineated inside the window that the network reads"
        raise ExplanationError(f"cells of kind {kind} need delineated beats: {why}; take kind lead or window")
    return numbered(owner, names)[0]


def numbered(owner: IntArray, names: Sequence[str]) -> tuple[Cells, IntArray]:
    """Return the cells that have samples, counted anew, and which of the given ones they are."""
    kept = np.unique(owner[owner >= 0])
    renumbered = np.where(owner < 0, -1, np.searchsorted(kept, owner))
    return Cells(renumbered, tuple(names[k] for k in kept)), kept


def _windows_s(model: Model, inputs: ModelInput) -> FloatArray:
    """Return where the windows of a network begin and end, seconds, (W, 2); half a second each where it has none."""
    net: Any = model.net
    if hasattr(net, "spans"):
        x, arguments = tensors(inputs)
        spans: FloatArray = net.spans(x, fs=inputs.fs, start_s=inputs.start_s, **arguments)
        return spans
    n_samples = inputs.x.shape[1]
    edges = np.append(np.arange(0, n_samples, max(round(WINDOW_S * inputs.fs), 1)), n_samples)
    edges = inputs.start_s + (edges - 0.5) / inputs.fs
    return np.stack([edges[:-1], edges[1:]], axis=1)


def owner_of(spans_s: FloatArray, inputs: ModelInput) -> IntArray:
    """Return which of some spans (K, 2) covers most of each sample, (T,); -1 where most of it is covered by none.

    The earlier of two that cover as much has the sample. A span of NaN covers nothing.
    """
    edges = np.nan_to_num((spans_s - inputs.start_s) * inputs.fs + 0.5)
    left = np.arange(inputs.x.shape[1])
    overlap = np.minimum(edges[:, 1:], left + 1) - np.maximum(edges[:, :1], left)  # (K, T)
    overlap = np.maximum(overlap, 0).round(9)  # marks that lie between two samples must not decide by their last digit
    rest = 1 - overlap.sum(axis=0)
    most = overlap.argmax(axis=0) if len(edges) else np.zeros(left.size, dtype=np.intp)
    covered = overlap.max(axis=0, initial=0)
    return np.where((covered > 0) & (covered >= rest), most, -1)


def _waves(inputs: ModelInput, beats: Beats) -> dict[str, tuple[IntArray, tuple[str, ...]]]:
    """Which beat, and which wave, each sample belongs to, as axes of the cells."""
    segments = beats.segments()  # (B, S, 2)
    spans = np.full((len(beats), len(WAVES), 2), np.nan)
    for w, atoms in enumerate(WAVES.values()):
        parts = segments[:, [ATOMS.index(atom) for atom in atoms]]
        spans[:, w, 0] = np.fmin.reduce(parts[:, :, 0], axis=1)
        spans[:, w, 1] = np.fmax.reduce(parts[:, :, 1], axis=1)
    owner = owner_of(spans.reshape(-1, 2), inputs)
    beat = np.where(owner < 0, -1, owner // len(WAVES))
    wave = np.where(owner < 0, -1, owner % len(WAVES))
    return {"beat": (beat, tuple(f"beat {b + 1}" for b in range(len(beats)))), "wave": (wave, tuple(WAVES))}
