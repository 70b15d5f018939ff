"""How well one map finds what was planted: each score of one map on one record, and what chance would get.

All scores are of the supporting mass, the positive part of a map: what opposes the finding is no claim to have found
it. Of a map of slopes it is the size, since the sign of a slope says where the logit goes when the voltage rises, and
not whether the sample speaks for the finding: under an inverted T wave a slope that supports is negative. A map of no
mass claims nothing, and all its scores are NaN, as are those that a map without lead or time axis cannot answer.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from sklearn.metrics import average_precision_score

from ecgviz.errors import ExplanationError
from ecgviz.evidence import evidence
from ecgviz.types import Explanation
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.validate.explanations.truth import PlantedCase, group_density, run_s, wave_density, waves_there

SCORES: Mapping[str, str] = {
    "mass": "relevance mass accuracy: part of the supporting mass that lies on planted evidence",
    "rank": "relevance rank accuracy: part of the strongest samples, as many as were planted, that were planted",
    "pointing": "pointing game: the strongest sample lies on planted evidence, or within 30 ms of it in its lead",
    "auprc": "area under the precision-recall curve of all samples of the record",
    "lead_group": "the group of leads with the most mass per lead (limb leads, each chest lead) holds planted evidence",
    "wave": "the wave with the most mass per second holds planted evidence",
}
"""Every score by name, with what it is."""
SLOPES = frozenset({"saliency", "smooth_grad", "guided_backprop"})
"""Methods whose map is a slope: its size is scored."""
TOLERANCE_S = 0.030
RESOLUTION_PER_WIDTH = 0.5
"""A map coarser than this part of the width of the planted evidence cannot say on which wave it looked."""


def score_map(explanation: Explanation, case: PlantedCase) -> dict[str, float]:
    """Score one map on one record.

    Mass and rank accuracy are those of Arras, Osman and Samek, Information Fusion 2022, arXiv:2003.07258, and the
    pointing game that of Zhang et al. 2016, arXiv:1608.00507; precision and recall on a mask as in Crabbe and van der
    Schaar 2021 (Dynamask, arXiv:2106.05303), here for each record alone. Departures: supporting mass only; ties count
    by what they would give on average in random order, so that a map that says the same in many samples gets neither
    all nor nothing for it; an empty mask gives NaN.

    Parameters
    ----------
    explanation : Explanation
        A map on the samples of the case.
    case : PlantedCase

    Returns
    -------
    dict of str to float
        One value, 0 to 1 or NaN, for each of `SCORES`.

    Raises
    ------
    ExplanationError
        When the map is not on the case's samples.
    """
    found = dict.fromkeys(SCORES, float("nan"))
    explanation = supporting(explanation)
    mass = explanation.values
    if not mass.any():
        return found
    inside = answerable(explanation, case)
    if inside is not None:
        found |= {
            "mass": float(mass[inside].sum() / mass.sum()),
            "rank": rank_accuracy(mass, inside),
            "pointing": pointing_game(mass, inside, explanation.fs),
            "auprc": float(average_precision_score(inside.ravel(), mass.ravel())),
        }
    grid = evidence(explanation, case.beats)
    if explanation.has_leads and case.groups:
        found["lead_group"] = _hit(group_density(grid), case.groups)
    if tells_waves(explanation, case):
        found["wave"] = _hit(wave_density(grid), case.waves)
    return found


def supporting(explanation: Explanation) -> Explanation:
    """Return the mass of a map that is scored: its positive part, and of slopes their size."""
    slope = explanation.method in SLOPES
    mass = np.abs(explanation.values) if slope else np.maximum(explanation.values, 0.0)
    return replace(explanation, values=mass, signed=False)


def chance(explanation: Explanation, case: PlantedCase) -> dict[str, float]:
    """Return what a map that is the same everywhere would get, NaN where `score_map` has no answer for such axes."""
    got = dict.fromkeys(SCORES, float("nan"))
    inside = answerable(explanation, case)
    if inside is not None:
        base = float(inside.mean())
        got |= {"mass": base, "rank": base, "auprc": base}
        got["pointing"] = float(widened(inside, explanation.fs).mean())
    if explanation.has_leads and case.groups:
        got["lead_group"] = len(case.groups) / len(group_density(evidence(case.planted, case.beats)))
    if tells_waves(explanation, case):
        got["wave"] = len(case.waves) / len(waves_there(evidence(case.planted, case.beats)))
    return got


def answerable(explanation: Explanation, case: PlantedCase) -> BoolArray | None:
    """Return the planted samples on the axes of a map, or None where the map cannot answer, or nothing was planted.

    A map without lead axis can answer only where the evidence is the same in every lead, one without time axis never.
    """
    if not explanation.has_time or not case.inside.any():
        return None
    if explanation.values.shape[1] != case.inside.shape[1] or (explanation.fs, explanation.start_s) != (
        case.planted.fs,
        case.planted.start_s,
    ):
        raise ExplanationError(
            f"the {explanation.method} map has {explanation.values.shape[1]} samples from {explanation.start_s:g} s at "
            f"{explanation.fs:g} Hz, the planted record {case.inside.shape[1]} from 0 s at {case.planted.fs:g} Hz"
        )
    if explanation.has_leads:
        return case.inside[[case.planted.leads.index(lead) for lead in explanation.leads]]
    return case.inside[:1] if (case.inside == case.inside[:1]).all() else None


def tells_waves(explanation: Explanation, case: PlantedCase) -> bool:
    """Tell whether a map is fine enough in time to say on which wave it looked, and the evidence is on some waves."""
    fine = explanation.resolution_s <= RESOLUTION_PER_WIDTH * run_s(case.inside, case.planted.fs)
    return explanation.has_time and bool(case.waves) and fine


def rank_accuracy(mass: FloatArray, inside: BoolArray) -> float:
    """Return the part of the n strongest samples that lie inside, n as many as inside; ties by expectation."""
    n = int(inside.sum())
    if n == 0:
        return float("nan")
    last = np.partition(mass.ravel(), -n)[-n]
    above, tied = mass > last, mass == last
    hits = inside[above].sum() + (n - above.sum()) * inside[tied].mean()
    return float(hits / n)


def pointing_game(mass: FloatArray, inside: BoolArray, fs: float) -> float:
    """Return 1 when the strongest sample lies inside or within 30 ms of it in its lead, else 0; ties share the hit."""
    if not inside.any():
        return float("nan")
    return float(widened(inside, fs)[mass == mass.max()].mean())


def widened(inside: BoolArray, fs: float) -> BoolArray:
    """Return a mask (L, T) widened by the tolerance of the pointing game on both sides."""
    wide = inside.copy()
    for step in range(1, int(TOLERANCE_S * fs + 1e-9) + 1):
        wide[:, step:] |= inside[:, :-step]
        wide[:, :-step] |= inside[:, step:]
    return wide


def _hit(density: Mapping[str, float], asked: tuple[str, ...]) -> float:
    """Return whether the densest place is one that is asked for; places that tie share the hit, none is NaN."""
    largest = max(density.values(), default=0.0)
    if not largest > 0:
        return float("nan")
    densest = [name for name, value in density.items() if value >= largest * (1 - 1e-9)]
    return float(np.mean([name in asked for name in densest]))
