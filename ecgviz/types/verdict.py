"""What the guideline says of a record, and how the model's evidence compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecgviz.types.beats import Beats
from ecgviz.types.evidence import EvidenceGrid, Region
from ecgviz.types.measure import Measurements
from ecgviz.types.model import AttentionMap, Explanation, Prediction
from ecgviz.types.record import LeadQuality, Record

STATES = ("met", "not_met", "borderline", "not_evaluable")


@dataclass(frozen=True)
class RuleResult:
    """One rule on one record: the measured value beside its limit.

    ``margin`` is positive on the side that meets the rule. ``role`` is "required", "alternative",
    "supporting", "excluding" or "note".
    ``leads`` are those that decided. ``why`` is a sentence a cardiologist can read.
    """

    text: str
    role: str
    state: str
    measured: float
    limit: float
    unit: str
    margin: float
    leads: tuple[str, ...]
    why: str
    source: str
    verification: str


@dataclass(frozen=True, eq=False)
class Finding:
    """One published definition of one diagnosis, evaluated on one record.

    ``criterion`` is the catalogue id (for PTB-XL statements the SCP code), ``definition`` the key of the published
    definition, ``regions`` where the guideline looks, by role (empty when the criterion has no place, such as a rate),
    ``explained_by`` what else explains a sign that is there, "" where nothing is known of it (ST depression may be the
    mirror image of ST elevation; such a finding stays met, but counts for no region beside others),
    ``stages`` the stages of an infarct (I, II, III) at which this definition is the one to ask.
    """

    criterion: str
    name: str
    definition: str
    state: str
    why: str
    source: str
    rules: tuple[RuleResult, ...]
    regions: Mapping[str, Region] = field(default_factory=dict)
    superclass: str | None = None
    caveats: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    explained_by: str = ""


@dataclass(frozen=True)
class ControlScore:
    """What a trivial map gets in the same region, and by how much the explanation exceeds it (95 % interval)."""

    name: str
    share: float
    excess: float
    excess_low: float
    excess_high: float


@dataclass(frozen=True)
class CriterionScore:
    """What a map holds in the primary region of one of several criteria that are met, and both nulls there.

    ``q_time`` and ``q_place`` are ``p_phase`` and ``p_place`` with the false discovery rate over the criteria of this
    comparison controlled (Benjamini and Hochberg 1995). All is NaN where the map cannot answer for this region.
    """

    criterion: str
    share: float = np.nan
    area: float = np.nan
    p_phase: float = np.nan
    p_place: float = np.nan
    q_time: float = np.nan
    q_place: float = np.nan


@dataclass(frozen=True)
class Held:
    """One map held against one region, whoever drew it: a guideline, or a reader.

    ``evidence`` is "agrees", "partly", "disagrees" or "not assessable", and ``why`` the sentence behind it. ``share``
    is the part of the supporting mass inside the region, ``area`` the part of the grid (lead-seconds) that the region
    covers, ``p_time`` and ``p_place`` the two null tests, ``p_phase`` that of time over all shifts, also those that lay
    beats onto beats (`ecgviz.compare.nulls`). ``limb_share`` and ``limb_area`` are share and area once a
    claim on some limb leads counts for all six, which is all that these can tell; NaN where the region makes no such
    claim.

    ``pointing``, ``rank_accuracy`` and ``auprc`` rank cells by density (supporting mass a lead-second) and count them
    by their area; an even map has ``area`` in each. ``pointing`` is the part of the densest cells that lies in the
    region (ties share), ``rank_accuracy`` that of the densest cells which together are as large as the region,
    ``auprc`` the average precision.
    """

    evidence: str
    why: str
    share: float = np.nan
    area: float = np.nan
    controls: tuple[ControlScore, ...] = ()
    p_time: float = np.nan
    p_phase: float = np.nan
    p_place: float = np.nan
    limb_share: float = np.nan
    limb_area: float = np.nan
    pointing: float = np.nan
    rank_accuracy: float = np.nan
    auprc: float = np.nan


@dataclass(frozen=True, kw_only=True)
class Agreement(Held):
    """One explanation of one label held against the primary region of that label's criteria.

    ``label`` says who calls it: "both", "model only", "criteria only", "neither", or "not assessable": where some
    definitions can be evaluated, the others count as not met, and ``why`` says how many. ``density`` is share over
    area; ``support_share`` and ``contra_share`` are the mass inside the supporting region and inside the one
    where it would hint at a shortcut. ``criteria`` holds one score for each criterion that is met.
    """

    criterion: str
    method: str
    label: str
    density: float = np.nan
    support_share: float = np.nan
    contra_share: float = np.nan
    group_shares: Mapping[str, float] = field(default_factory=dict)
    criteria: tuple[CriterionScore, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """Everything about one record, one model, one label and one method, with its provenance."""

    record: Record
    quality: tuple[LeadQuality, ...]
    beats: Beats
    measurements: Measurements
    prediction: Prediction
    label: str
    explanation: Explanation
    grid: EvidenceGrid
    controls: Mapping[str, tuple[EvidenceGrid, ...]]
    attention: tuple[AttentionMap, ...]
    findings: tuple[Finding, ...]
    agreement: Agreement
    provenance: Mapping[str, Any]
