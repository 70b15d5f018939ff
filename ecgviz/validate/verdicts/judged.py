"""Held-out records judged: the same comparison as everywhere, on maps of networks whose reason is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ecgviz.checkpoint import model_input, predict
from ecgviz.compare import compare
from ecgviz.criteria import union_region
from ecgviz.evidence import evidence
from ecgviz.explain import explain
from ecgviz.explain.controls import RANDOM_PARAMS, trivial_maps
from ecgviz.pipeline import Examined, Explained, examine, findings_of
from ecgviz.pipeline.parts import RANDOM_SEEDS
from ecgviz.types import Agreement, EvidenceGrid, Finding, Prediction
from ecgviz.validate.explanations.audit_net import fresh_net
from ecgviz.validate.verdicts.networks import CHECKED, PATIENTS, POOLINGS, Taught, patient
from ecgviz.validate.verdicts.plants import VERSIONS, Task

METHODS: Mapping[str, Mapping[str, Any]] = {
    "integrated_gradients": {"n_steps": 16},
    "input_x_gradient": {},
    "saliency": {},
    "feature_ablation": {"cells": "lead_wave"},
}
"""The methods that are asked, with what they are asked: ablation removes a wave of a lead in all beats together."""
EVERY: Mapping[str, int] = {"feature_ablation": 8}
"""Methods that take long are asked of every eighth record only."""
RECORDS = 200
PATIENTS_PER_RECORD = 2
"""At most so many patients are simulated for each record wanted; fewer are used where the criterion is not met."""


@dataclass(frozen=True, eq=False)
class Asked:
    """One held-out record with finding and cue, whose criterion is met, and the maps of the networks that call it."""

    examined: Examined
    findings: tuple[Finding, ...]
    predictions: Mapping[str, Prediction]
    explained: Mapping[tuple[str, str], Explained]


@dataclass(frozen=True)
class Word:
    """What was said of one map: by task, pooling and kind of the network ("right", "wrong", "half"), and method."""

    task: str
    scored: bool
    pooling: str
    network: str
    method: str
    record: str
    agreement: Agreement


def ask(
    task: Task,
    taught: Sequence[Taught],
    n_records: int,
    *,
    seed: int,
    n_patients: int = PATIENTS,
    methods: Sequence[str] = tuple(METHODS),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Asked]:
    """Explain held-out records, ``n_records`` of them that every valid network calls and whose criterion is met.

    It must be met, as measured, in all leads of the finding: where it is in some, a network that reads all is right by
    what it was taught and not by the criterion, so its reason would not be known. The networks have the same pooling,
    so that random ones of that pooling are controls for all of them.
    """
    taught = [each for each in taught if each.valid]
    found = 0
    for number in range(PATIENTS_PER_RECORD * n_records):
        if found == n_records or not taught:
            return
        made = patient(task, n_patients + CHECKED + number, seed)
        examined = examine(made.records[VERSIONS.index((True, True))])
        findings = findings_of(examined, task.label)
        met = set(task.finding.leads) <= _leads_asked(findings)
        said = {each.kind: predict(each.model, examined.record, examined.beats) for each in taught}
        if not met or not all(prediction.positive(task.label) for prediction in said.values()):
            continue
        found += 1
        progress(found, n_records)
        now = [method for method in methods if found % EVERY.get(method, 1) == 0]
        yield Asked(examined, findings, said, dict(_maps(task, taught, examined, now, seed)))


def _leads_asked(findings: Sequence[Finding]) -> set[str]:
    """Return the leads in which the criteria that are met look for anything."""
    region = union_region([finding for finding in findings if finding.state == "met"])
    rows = () if region is None else zip(region.leads, region.inside, strict=True)
    return {lead for lead, row in rows if row.any()}


def _maps(
    task: Task, taught: Sequence[Taught], examined: Examined, methods: Sequence[str], seed: int
) -> Iterator[tuple[tuple[str, str], Explained]]:
    for method in methods:
        controls = _controls(taught[0], examined, method, random_seeds(seed))
        for each in taught:
            map_ = explain(each.model, examined.record, task.label, method, examined.beats, **METHODS[method])
            yield (each.kind, method), Explained(map_, evidence(map_, examined.beats), controls)


def random_seeds(seed: int) -> list[int]:
    """Return seeds of as many random networks as elsewhere, none of them that with which the training began."""
    return [each for each in range(len(RANDOM_SEEDS) + 1) if each != seed][: len(RANDOM_SEEDS)]


def _controls(
    taught: Taught, examined: Examined, method: str, seeds: Sequence[int]
) -> Mapping[str, tuple[EvidenceGrid, ...]]:
    """Return the control maps, as `explain_controls` makes them for networks that the table of networks has."""
    model, pools = taught.model, POOLINGS[taught.pooling]
    record, beats, label = examined.record, examined.beats, model.labels[0]
    params = {name: RANDOM_PARAMS.get(name, value) for name, value in METHODS[method].items()}
    random = [
        explain(replace(model, net=fresh_net(1, seed, pools)), record, label, method, beats, **params) for seed in seeds
    ]
    controls = {name: (each,) for name, each in trivial_maps(model_input(model, record, beats), random[0]).items()}
    return {
        name: tuple(evidence(each, beats) for each in maps)
        for name, maps in {**controls, "random networks": tuple(random)}.items()
    }


def judge(task: Task, pooling: str, asked: Asked, *, seed: int) -> list[Word]:
    """Hold every map of one record against its criterion."""
    beats = asked.examined.beats
    return [
        Word(
            *(task.name, task.scored, pooling, network, method, asked.examined.record.id),
            compare(
                *(explained.explanation, beats, explained.grid, asked.findings, explained.controls),
                *(asked.predictions[network], task.label),
                seed=seed,
            ),
        )
        for (network, method), explained in asked.explained.items()
    ]
