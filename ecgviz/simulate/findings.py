"""The table of findings: what can be planted, which criteria speak of it, and which patients have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecgviz.simulate import recipes, recipes_conduction
from ecgviz.simulate.dipole import LEADS
from ecgviz.simulate.heart import Heart

Recipe = Callable[[Heart, np.random.Generator, float], Heart]


@dataclass(frozen=True)
class FindingSpec:
    """One row of `FINDINGS`.

    ``criteria`` are catalogue ids, ``statements`` the SCP codes a reader would write, ``superclass`` the PTB-XL superclass or None (rhythms).
    ``leads`` and ``waves`` are where the guideline looks. ``kind`` is "morphology" (fixed timing: the truth is a graded difference to the twin),
    "interval" or "rhythm" (the truth is named cells), or "rate" (no place). ``severity_range`` is what can be asked for; 1 is clearly past
    the criterion.
    """

    name: str
    description: str
    criteria: tuple[str, ...]
    statements: tuple[str, ...]
    superclass: str | None
    kind: str
    leads: tuple[str, ...]
    waves: tuple[str, ...]
    recipe: Recipe | None = None
    severity_range: tuple[float, float] = (0.3, 1.6)
    ages: tuple[float, float] = (18.0, 85.0)
    rates: tuple[float, float] = (57.0, 96.0)
    alpha: float = 1.0
    prepare: Callable[[Heart], Heart] | None = None


def _tachycardia(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    rate = 100 + severity * (6 + 36 * rng.random())
    faster = max(heart.pr_ms - 0.5 * (rate - heart.rate_bpm), 122.0)
    return replace(heart, rate_bpm=rate, sdrr_s=0.35 * heart.sdrr_s, pr_ms=faster)


def _bradycardia(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    return replace(heart, rate_bpm=60 - severity * (4 + 12 * rng.random()))


def _pathway_pr(heart: Heart) -> Heart:
    """A PR that leaves room for the delta wave, so that the P wave of the twin stays in its place."""
    return replace(heart, pr_ms=float(np.clip(heart.pr_ms, 132, 154)), p_ms=min(heart.p_ms, 100.0))


_INF, _ANT, _LAT = ("II", "III", "aVF"), ("V1", "V2", "V3", "V4"), ("I", "aVL", "V5", "V6")
_OLD = (42.0, 88.0)

_ROWS = (
    FindingSpec("normal", "normal sinus rhythm", ("NORM",), ("NORM", "SR"), "NORM", "morphology", LEADS, ()),
    FindingSpec(
        "inferior_stemi",
        "acute inferior infarction with ST elevation",
        ("IMI",),
        ("IMI", "SR"),
        "MI",
        "morphology",
        _INF,
        ("ST", "T"),
        recipes.inferior_stemi,
        ages=_OLD,
    ),
    FindingSpec(
        "anterior_stemi",
        "acute anterior infarction with ST elevation",
        ("AMI", "ASMI"),
        ("AMI", "SR"),
        "MI",
        "morphology",
        _ANT,
        ("ST", "T"),
        recipes.anterior_stemi,
        ages=_OLD,
    ),
    FindingSpec(
        "lateral_stemi",
        "acute lateral infarction with ST elevation",
        ("LMI",),
        ("LMI", "SR"),
        "MI",
        "morphology",
        _LAT,
        ("ST", "T"),
        recipes.lateral_stemi,
        ages=_OLD,
    ),
    FindingSpec(
        "old_inferior_mi",
        "old inferior infarction with Q waves",
        ("IMI",),
        ("IMI", "SR"),
        "MI",
        "morphology",
        _INF,
        ("QRS", "T"),
        recipes.old_inferior_mi,
        ages=_OLD,
    ),
    FindingSpec(
        "old_anterior_mi",
        "old anterior infarction with Q waves",
        ("ASMI", "AMI"),
        ("ASMI", "SR"),
        "MI",
        "morphology",
        _ANT,
        ("QRS", "T"),
        recipes.old_anterior_mi,
        ages=_OLD,
    ),
    FindingSpec(
        "old_lateral_mi",
        "old lateral infarction with Q waves",
        ("LMI",),
        ("LMI", "SR"),
        "MI",
        "morphology",
        _LAT,
        ("QRS", "T"),
        recipes.old_lateral_mi,
        ages=_OLD,
    ),
    FindingSpec(
        "st_depression",
        "subendocardial ST depression",
        ("ISC_", "STD_"),
        ("ISC_", "STD_", "SR"),
        "STTC",
        "morphology",
        ("I", "II", "V4", "V5", "V6"),
        ("ST",),
        recipes.st_depression,
        ages=_OLD,
    ),
    FindingSpec(
        "t_inversion",
        "symmetric T inversion",
        ("INVT", "ISC_"),
        ("ISC_", "INVT", "SR"),
        "STTC",
        "morphology",
        ("I", "aVL", "V2", "V3", "V4", "V5", "V6"),
        ("T",),
        recipes.t_inversion,
        ages=_OLD,
    ),
    FindingSpec(
        "lbbb",
        "complete left bundle branch block",
        ("CLBBB",),
        ("CLBBB", "SR"),
        "CD",
        "morphology",
        (*_LAT, "V1", "V2"),
        ("QRS", "ST", "T"),
        recipes_conduction.lbbb,
        (0.5, 2.0),
        _OLD,
        alpha=0.4,
    ),
    FindingSpec(
        "rbbb",
        "complete right bundle branch block",
        ("CRBBB",),
        ("CRBBB", "SR"),
        "CD",
        "morphology",
        ("V1", "V2", "I", "V6"),
        ("QRS", "ST", "T"),
        recipes_conduction.rbbb,
        (0.5, 1.5),
        _OLD,
        alpha=0.6,
    ),
    FindingSpec(
        "lafb",
        "left anterior fascicular block",
        ("LAFB",),
        ("LAFB", "SR"),
        "CD",
        "morphology",
        ("I", "aVL", *_INF),
        ("QRS",),
        recipes_conduction.lafb,
        (0.7, 1.4),
        _OLD,
        alpha=0.4,
    ),
    FindingSpec(
        "first_degree_av_block",
        "first-degree AV block",
        ("1AVB",),
        ("1AVB", "SR"),
        "CD",
        "interval",
        ("II", "V1"),
        ("P", "PR"),
        recipes_conduction.first_degree_av_block,
        (0.2, 2.0),
        (30.0, 88.0),
        (57.0, 80.0),
    ),
    FindingSpec(
        "lvh",
        "left ventricular hypertrophy with strain",
        ("LVH",),
        ("LVH", "SR"),
        "HYP",
        "morphology",
        ("I", "aVL", "V1", "V2", "V3", "V5", "V6"),
        ("QRS", "ST", "T"),
        recipes.lvh,
        (0.4, 1.6),
        _OLD,
    ),
    FindingSpec(
        "rvh",
        "right ventricular hypertrophy with strain",
        ("RVH",),
        ("RVH", "SR"),
        "HYP",
        "morphology",
        ("I", "V1", "V2", "V5", "V6"),
        ("QRS", "ST", "T"),
        recipes.rvh,
        (0.5, 1.4),
        alpha=0.4,
    ),
    FindingSpec(
        "af",
        "atrial fibrillation",
        ("AFIB",),
        ("AFIB",),
        None,
        "rhythm",
        ("II", "III", "aVF", "V1"),
        ("P", "TP"),
        None,
        (0.6, 1.6),
        (50.0, 90.0),
        (72.0, 128.0),
    ),
    FindingSpec(
        "sinus_tachycardia", "sinus tachycardia", ("STACH",), ("STACH",), None, "rate", (), (), _tachycardia, (0.5, 1.2)
    ),
    FindingSpec(
        "sinus_bradycardia", "sinus bradycardia", ("SBRAD",), ("SBRAD",), None, "rate", (), (), _bradycardia, (0.5, 1.4)
    ),
    FindingSpec(
        "pvc",
        "ventricular ectopic beats with compensatory pause",
        ("PVC",),
        ("PVC", "SR"),
        None,
        "rhythm",
        LEADS,
        ("QRS", "ST", "T"),
        None,
        (0.6, 1.5),
        alpha=0.6,
    ),
    FindingSpec(
        "long_qt",
        "long QT interval",
        ("LNGQT",),
        ("LNGQT", "SR"),
        "STTC",
        "interval",
        LEADS,
        ("ST", "T"),
        recipes.long_qt,
        (0.3, 1.6),
        rates=(57.0, 82.0),
    ),
    FindingSpec(
        "wpw",
        "ventricular pre-excitation (WPW pattern)",
        ("WPW",),
        ("WPW", "SR"),
        "CD",
        "morphology",
        LEADS,
        ("PR", "QRS"),
        recipes_conduction.wpw,
        (0.5, 1.4),
        (16.0, 65.0),
        alpha=0.6,
        prepare=_pathway_pr,
    ),
)

FINDINGS: Mapping[str, FindingSpec] = {row.name: row for row in _ROWS}
"""Every finding that `simulate` can plant, by name."""
