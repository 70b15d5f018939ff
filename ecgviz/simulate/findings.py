"""The table of findings: what can be planted, which criteria speak of it, and which patients have it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.simulate import recipes
from ecgviz.simulate import recipes_conduction as conduction
from ecgviz.simulate.heart import Heart

Recipe = Callable[[Heart, np.random.Generator, float], Heart]
Names = tuple[str, ...]


@dataclass(frozen=True)
class FindingSpec:
    """One row of `FINDINGS`.

    ``criteria`` are catalogue ids, ``statements`` the SCP codes a reader would write, ``superclass`` the PTB-XL
    superclass or None (rhythms). ``leads`` and ``waves`` are where the guideline looks. ``kind`` is "morphology"
    (fixed timing: the truth is a graded difference to the twin), "interval" or "rhythm" (the truth is named cells),
    or "rate" (no place). ``severity_range`` is what can be asked for; 1 is clearly past the criterion.
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
    faster = max(heart.pr_ms - 0.5 * (rate - heart.rate_bpm), 128.0)
    return replace(heart, rate_bpm=rate, sdrr_s=0.35 * heart.sdrr_s, pr_ms=faster)


def _bradycardia(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    return replace(heart, rate_bpm=60 - severity * (4 + 12 * rng.random()))


def _pathway_pr(heart: Heart) -> Heart:
    """Give a PR that leaves room for the delta wave, so that the P wave of the twin stays in its place."""
    return replace(heart, pr_ms=float(np.clip(heart.pr_ms, 144, 155)), p_ms=min(heart.p_ms, 94.0))


_INF, _ANT, _LAT = ("II", "III", "aVF"), ("V1", "V2", "V3", "V4"), ("I", "aVL", "V5", "V6")
_OLDER = (42.0, 88.0)


def _infarct(
    name: str, description: str, criteria: tuple[str, ...], leads: tuple[str, ...], recipe: Recipe
) -> FindingSpec:
    waves = ("ST", "T") if name.endswith("stemi") else ("QRS", "T")
    codes = (criteria[0], "SR")
    return FindingSpec(name, description, criteria, codes, "MI", "morphology", leads, waves, recipe, ages=_OLDER)


_INFARCTS = (
    _infarct("inferior_stemi", "acute inferior infarction, ST elevation", ("IMI",), _INF, recipes.inferior_stemi),
    _infarct(
        "anterior_stemi", "acute anterior infarction, ST elevation", ("AMI", "ASMI"), _ANT, recipes.anterior_stemi
    ),
    _infarct("lateral_stemi", "acute lateral infarction, ST elevation", ("LMI",), _LAT, recipes.lateral_stemi),
    _infarct("old_inferior_mi", "old inferior infarction with Q waves", ("IMI",), _INF, recipes.old_inferior_mi),
    _infarct("old_anterior_mi", "old anterior infarction with Q waves", ("ASMI",), _ANT, recipes.old_anterior_mi),
    _infarct("old_lateral_mi", "old lateral infarction with Q waves", ("LMI",), _LAT, recipes.old_lateral_mi),
)


def _block(name: str, description: str, code: str, leads: tuple[str, ...], recipe: Recipe, alpha: float) -> FindingSpec:
    waves = ("QRS",) if name == "lafb" else ("QRS", "ST", "T")
    limits = {"lbbb": (0.5, 2.0), "rbbb": (0.5, 1.5), "lafb": (0.7, 1.4)}[name]
    codes = (code, "SR")
    return FindingSpec(
        name, description, (code,), codes, "CD", "morphology", leads, waves, recipe, limits, _OLDER, alpha=alpha
    )


_BLOCKS = (
    _block("lbbb", "complete left bundle branch block", "CLBBB", (*_LAT, "V1", "V2"), conduction.lbbb, 0.4),
    _block("rbbb", "complete right bundle branch block", "CRBBB", ("V1", "V2", "I", "V6"), conduction.rbbb, 0.6),
    _block("lafb", "left anterior fascicular block", "LAFB", ("I", "aVL", *_INF), conduction.lafb, 0.4),
)


def _row(
    name: str, description: str, codes: tuple[str, ...], superclass: str | None, kind: str, **more: Any
) -> FindingSpec:
    """Return a row whose SCP statements are its criteria, with sinus rhythm unless it is a rhythm of its own."""
    leads, waves = more.pop("leads", ()), more.pop("waves", ())
    criteria = more.pop("criteria", codes)
    own_rhythm = kind == "rate" or name == "af"
    return FindingSpec(
        name, description, criteria, codes if own_rhythm else (*codes, "SR"), superclass, kind, leads, waves, **more
    )


_ROWS = (
    _row("normal", "normal sinus rhythm", ("NORM",), "NORM", "morphology", leads=LEADS),
    *_INFARCTS,
    _row(
        "st_depression",
        "subendocardial ST depression",
        ("ISC_", "STD_"),
        "STTC",
        "morphology",
        leads=("I", "II", "V4", "V5", "V6"),
        waves=("ST",),
        recipe=recipes.st_depression,
        ages=_OLDER,
    ),
    _row(
        "t_inversion",
        "symmetric T inversion",
        ("ISC_", "INVT"),
        "STTC",
        "morphology",
        criteria=("INVT", "ISC_"),
        leads=("I", "aVL", "V2", "V3", "V4", "V5", "V6"),
        waves=("T",),
        recipe=recipes.t_inversion,
        ages=_OLDER,
    ),
    *_BLOCKS,
    _row(
        "first_degree_av_block",
        "first-degree AV block",
        ("1AVB",),
        "CD",
        "interval",
        leads=("II", "V1"),
        waves=("P", "PR"),
        recipe=conduction.first_degree_av_block,
        severity_range=(0.2, 2.0),
        ages=(30.0, 88.0),
        rates=(57.0, 80.0),
    ),
    _row(
        "lvh",
        "left ventricular hypertrophy with strain",
        ("LVH",),
        "HYP",
        "morphology",
        leads=("I", "aVL", "V1", "V2", "V3", "V5", "V6"),
        waves=("QRS", "ST", "T"),
        recipe=recipes.lvh,
        severity_range=(0.4, 1.6),
        ages=_OLDER,
    ),
    _row(
        "rvh",
        "right ventricular hypertrophy with strain",
        ("RVH",),
        "HYP",
        "morphology",
        leads=("I", "V1", "V2", "V5", "V6"),
        waves=("QRS", "ST", "T"),
        recipe=recipes.rvh,
        severity_range=(0.5, 1.4),
        alpha=0.4,
    ),
    _row(
        "af",
        "atrial fibrillation",
        ("AFIB",),
        None,
        "rhythm",
        leads=("II", "III", "aVF", "V1"),
        waves=("P", "TP"),
        severity_range=(0.6, 1.6),
        ages=(50.0, 90.0),
        rates=(70.0, 112.0),
    ),
    _row(
        "sinus_tachycardia",
        "sinus tachycardia",
        ("STACH",),
        None,
        "rate",
        recipe=_tachycardia,
        severity_range=(0.5, 1.2),
    ),
    _row(
        "sinus_bradycardia",
        "sinus bradycardia",
        ("SBRAD",),
        None,
        "rate",
        recipe=_bradycardia,
        severity_range=(0.5, 1.4),
    ),
    _row(
        "pvc",
        "ventricular ectopic beats with compensatory pause",
        ("PVC",),
        None,
        "rhythm",
        leads=LEADS,
        waves=("QRS", "ST", "T"),
        severity_range=(0.6, 1.5),
        alpha=0.6,
    ),
    _row(
        "long_qt",
        "long QT interval",
        ("LNGQT",),
        "STTC",
        "interval",
        leads=LEADS,
        waves=("ST", "T"),
        recipe=recipes.long_qt,
        rates=(57.0, 82.0),
    ),
    _row(
        "wpw",
        "ventricular pre-excitation (WPW pattern)",
        ("WPW",),
        "CD",
        "morphology",
        leads=LEADS,
        waves=("PR", "QRS"),
        recipe=conduction.wpw,
        severity_range=(0.5, 1.4),
        ages=(16.0, 65.0),
        alpha=0.6,
        prepare=_pathway_pr,
    ),
)

FINDINGS: Mapping[str, FindingSpec] = {row.name: row for row in _ROWS}
"""Every finding that `simulate` can plant, by name."""
