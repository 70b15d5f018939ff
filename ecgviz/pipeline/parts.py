"""The parts of the one path of data, for those who ask many networks, labels and methods about one record.

What a record shows by itself is worked out once (`examine`), what its criteria say once a label (`findings_of`), and a
map that is the same for every label once a method (`explain_beside_controls`). `analyse` is these parts in their order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecgviz.beats import check_belongs, delineate
from ecgviz.checkpoint import Model, model_input
from ecgviz.compare import compare
from ecgviz.criteria import at_stage, evaluate
from ecgviz.evidence import evidence
from ecgviz.explain import check_has_random_twin, controls_of_many, explain_many
from ecgviz.measure import measure
from ecgviz.records.quality import assess
from ecgviz.signal import condition
from ecgviz.types import (
    Agreement,
    Beats,
    EvidenceGrid,
    Explanation,
    Finding,
    LeadQuality,
    Measurements,
    ModelInput,
    Prediction,
    Record,
)

RANDOM_SEEDS = (0, 1, 2, 3, 4)
"""Seeds of the random networks that a map is held against."""


@dataclass(frozen=True, eq=False)
class Examined:
    """A record with what it shows before any network is asked: lead quality, beats and measurements."""

    record: Record
    quality: tuple[LeadQuality, ...]
    beats: Beats
    measurements: Measurements


@dataclass(frozen=True, eq=False)
class Explained:
    """One map of a network, on samples and on the evidence grid, with the grids of the maps that it must beat."""

    explanation: Explanation
    grid: EvidenceGrid
    controls: Mapping[str, tuple[EvidenceGrid, ...]]


def examine(record: Record, beats: Beats | None = None) -> Examined:
    """Delineate, measure and assess a record; ``beats`` take the place of automatic ones.

    Raises
    ------
    EditError
        When ``beats`` belong to another recording, or have times that no beats have.
    """
    clean = condition(record)
    if beats is None:
        beats = delineate(clean)
    check_belongs(record, beats)
    return Examined(record, assess(record), beats, measure(clean, beats))


def findings_of(examined: Examined, label: str) -> tuple[Finding, ...]:
    """Return what the criteria of a label say of a record."""
    record = examined.record
    return evaluate(label, examined.measurements, examined.beats, age_years=record.age_years, sex=record.sex)


def explain_beside_controls(
    model: Model,
    examined: Examined,
    label: str,
    method: str,
    *,
    seed: int = 0,
    random_seeds: tuple[int, ...] = RANDOM_SEEDS,
    **params: Any,
) -> Explained:
    """Explain one label of one record, and make the control maps of the same method; errors as in `explain`."""
    prepared = model_input(model, examined.record, examined.beats)
    return explain_many_beside_controls(
        model, [(examined, prepared)], label, method, seed=seed, random_seeds=[random_seeds], **params
    )[0]


def explain_many_beside_controls(
    model: Model,
    examined: Sequence[tuple[Examined, ModelInput]],
    label: str,
    method: str,
    *,
    seed: int = 0,
    random_seeds: Sequence[tuple[int, ...]],
    **params: Any,
) -> list[Explained]:
    """Do the same for many records, each with what `model_input` makes of it and the seeds of its random networks.

    They are explained together where the method can; the error of one is that of all (`explain_many`).
    """
    check_has_random_twin(model)
    inputs, beats = [prepared for _, prepared in examined], [each.beats for each, _ in examined]
    maps = explain_many(model, inputs, label, method, beats, seed=seed, **params)
    controls = controls_of_many(model, inputs, label, method, beats, seeds=random_seeds, **params)
    return [_on_grids(*each) for each in zip(maps, controls, beats, strict=True)]


def _on_grids(explanation: Explanation, controls: Mapping[str, Sequence[Explanation]], beats: Beats) -> Explained:
    return Explained(
        explanation=explanation,
        grid=evidence(explanation, beats),
        controls={name: tuple(evidence(each, beats) for each in maps) for name, maps in controls.items()},
    )


def hold_against(
    examined: Examined,
    explained: Explained,
    findings: Sequence[Finding],
    prediction: Prediction,
    label: str,
    *,
    seed: int = 0,
) -> Agreement:
    """Hold a map against the criteria of a label; where the stage of an infarct is told, those of that stage."""
    held = at_stage(findings, examined.record.infarct_stages)
    return compare(
        explained.explanation, examined.beats, explained.grid, held, explained.controls, prediction, label, seed=seed
    )
