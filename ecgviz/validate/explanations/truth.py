"""Simulated records whose evidence is known, on the samples that a network reads and on the evidence grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz.checkpoint import Model
from ecgviz.errors import SimulationError
from ecgviz.evidence import evidence, group_shares
from ecgviz.records.leads import LIMB, STANDARD_LEADS
from ecgviz.simulate import FINDINGS, Cell, simulate
from ecgviz.types import ATOMS, WAVES, Beats, EvidenceGrid, Explanation, InputSpec, Record, Region
from ecgviz.types.arrays import BoolArray, FloatArray, frozen

FIRST_PATIENT = 2**31
"""Simulated patients of a training have seeds below this one: no network has learnt from these."""
LEADING_WAVES, LEADING_GROUPS = 0.25, 0.5
"""The planted waves, or groups of leads, have at least this part of the largest density of planted evidence. Leads need
more: a dipole spreads over all of them."""


@dataclass(frozen=True, eq=False)
class PlantedCase:
    """One simulated record, its twin without the finding, and where the evidence lies.

    ``planted`` is the truth as a map: the graded difference in mV inside the smallest set of samples with 90 % of its
    energy, or 1 in the named cells of a finding of timing. ``inside`` (L, T) is where it is not 0. ``waves`` and
    ``groups`` (the limb leads, and each chest lead) are those that hold planted evidence; all or none of them is no
    place, and then they are empty, as ``groups`` are for findings of timing, which show in every lead.
    """

    finding: str
    record: Record
    beats: Beats
    twin: Record
    twin_beats: Beats
    planted: Explanation
    inside: BoolArray
    waves: tuple[str, ...]
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "inside", frozen(self.inside, np.bool_))


def without_place(finding: str) -> str:
    """Return why the evidence of a finding has no place, "" where it has one."""
    if finding == "normal":
        return "normal: nothing is planted in a healthy record, so there is no place to find"
    if FINDINGS[finding].kind == "rate":
        return f"{finding}: a heart rate has no place in the record; an edit of the rate is its evidence"
    return ""


def why_not_simulated(model: Model) -> str:
    """Return why no record can be simulated for a model, "" where it can: its leads, or its rate and length."""
    if strange := [lead for lead in model.spec.leads if lead not in STANDARD_LEADS]:
        return f"{model.name}: no heart is simulated in lead {strange[0]}"
    try:
        simulate("normal", seed=FIRST_PATIENT, fs=model.spec.fs, duration_s=model.spec.duration_s)
    except SimulationError as refusal:
        return f"{model.name}: {refusal}"
    return ""


def label_of(model: Model, finding: str) -> str | None:
    """Return the label of a model that speaks of a finding: its statement, else its superclass; None without either."""
    spec = FINDINGS[finding]
    return next((label for label in (*spec.criteria, spec.superclass) if label in model.labels), None)


def planted_case(finding: str, number: int, spec: InputSpec) -> PlantedCase:
    """Simulate patient ``number`` with a finding clearly past its limits, at the rate and length of a network's input.

    Raises
    ------
    SimulationError
        When the finding cannot be simulated at that rate and length.
    """
    made = simulate(finding, seed=FIRST_PATIENT + number, fs=spec.fs, duration_s=spec.duration_s)
    truth = made.truth
    if truth.mask is not None:
        rows = [truth.leads.index(lead) for lead in spec.leads]
        values = (truth.evidence * truth.mask)[rows]
    else:
        region = planted_region(truth.cells, truth.beats, spec.leads)
        values = on_samples(region, truth.beats, spec.fs, made.record.signal.shape[1]).astype(float)
    planted = Explanation(values, spec.fs, 0.0, spec.leads, None, "planted", False, 1 / spec.fs)
    grid = evidence(planted, truth.beats)
    return PlantedCase(
        finding=finding,
        record=made.record,
        beats=truth.beats,
        twin=made.twin,
        twin_beats=truth.twin_beats,
        planted=planted,
        inside=values > 0,
        waves=_leading(wave_density(grid), LEADING_WAVES),
        groups=() if truth.mask is None else _leading(group_density(grid), LEADING_GROUPS),
    )


def planted_region(cells: Sequence[Cell], beats: Beats, leads: tuple[str, ...]) -> Region:
    """Return named cells as a region of the evidence grid."""
    weight = np.zeros((len(leads), len(beats), len(ATOMS)))
    for cell in cells:
        rows = [row for row, lead in enumerate(leads) if lead in cell.leads]
        weight[np.ix_(rows, list(cell.beats), [ATOMS.index(atom) for atom in cell.atoms])] = 1.0
    return Region("primary", leads, weight, ", ".join(dict.fromkeys(cell.role for cell in cells)))


def on_samples(region: Region, beats: Beats, fs: float, n_samples: int) -> BoolArray:
    """Return the samples that lie in the cells of a region, (L, n_samples); a sample is in the atom at its instant."""
    at_s = np.arange(n_samples) / fs
    inside = np.zeros((len(region.leads), n_samples), dtype=bool)
    spans = beats.segments()
    for lead, b, s in np.argwhere(region.inside):
        inside[lead] |= (at_s >= spans[b, s, 0]) & (at_s < spans[b, s, 1])
    return inside


def wave_density(grid: EvidenceGrid) -> Mapping[str, float]:
    """Return the supporting mass per second of each wave, over all leads and beats; 0 for a wave that is absent."""
    mass, area = grid.pos.sum(axis=(0, 1)), grid.area.sum(axis=0)
    atoms = {wave: [ATOMS.index(atom) for atom in names] for wave, names in WAVES.items()}
    return {wave: _ratio(mass[rows].sum(), area[rows].sum()) for wave, rows in atoms.items()}


def waves_there(grid: EvidenceGrid) -> tuple[str, ...]:
    """Return the waves that the recording has, in any beat: in atrial fibrillation there is no PR segment."""
    area = grid.area.sum(axis=0)
    return tuple(wave for wave, names in WAVES.items() if area[[ATOMS.index(atom) for atom in names]].sum() > 0)


def group_density(grid: EvidenceGrid) -> Mapping[str, float]:
    """Return the supporting share per lead of the limb leads as one group and of each other lead."""
    n_limb = sum(lead in LIMB for lead in grid.leads)
    return {name: share / (n_limb if name == "limb" else 1) for name, share in group_shares(grid).items()}


def _leading(density: Mapping[str, float], part: float) -> tuple[str, ...]:
    largest = max(density.values(), default=0.0)
    leading = tuple(name for name, value in density.items() if value > 0 and value >= part * largest)
    return leading if len(leading) < len(density) else ()


def run_s(inside: BoolArray, fs: float) -> float:
    """Return the median length in seconds of the unbroken stretches of a mask (L, T); NaN for an empty one."""
    padded = np.pad(inside.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    lengths = np.nonzero(steps == -1)[1] - np.nonzero(steps == 1)[1]
    return float(np.median(lengths)) / fs if lengths.size else float("nan")


def _ratio(above: FloatArray, below: FloatArray) -> float:
    return float(above / below) if below > 0 else 0.0
