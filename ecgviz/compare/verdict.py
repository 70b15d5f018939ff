"""The comparison of one explanation with the guideline, and the words for it.

The clauses follow from what is asked, with the usual levels of tests; one number was fitted (`MIN_EXCESS`). What the
words are worth is measured on networks whose reason is known, right or wrong by a planted cue
(`ecgviz.validate.verdicts`); docs/verdicts.md has the table: *agrees* can be believed, the other words prove no wrong
reason. It is no measure of how much: a network that reads the right place with half of its weight may agree, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from ecgviz.compare.discovery import with_q_values
from ecgviz.compare.nulls import P_LIMIT, PlaceNull, place_null, time_null
from ecgviz.compare.ranks import rank_scores
from ecgviz.compare.region import assessable, mass_name, region_of
from ecgviz.compare.scores import Beside, limb_widened
from ecgviz.criteria import union_region
from ecgviz.evidence import area_in, cells, group_shares, share_in
from ecgviz.types import (
    Agreement,
    Beats,
    ControlScore,
    CriterionScore,
    EvidenceGrid,
    Explanation,
    Finding,
    Held,
    Prediction,
    Region,
)

MIN_EXCESS = 0.10
"""*Agrees* asks for so much more than the best control has. It lies in a gap between what networks of known reason hold
for the findings that fix the rules: of 800 maps of wrong ones at most 3 points, of 99 in 100 right ones 24 or more
(`ecgviz validate verdicts --seed 2`)."""


def compare(
    explanation: Explanation,
    beats: Beats,
    grid: EvidenceGrid,
    findings: Sequence[Finding],
    controls: Mapping[str, Sequence[EvidenceGrid]],
    prediction: Prediction,
    label: str,
    *,
    seed: int = 0,
) -> Agreement:
    """Compare one explanation of one label with the region of that label's criteria.

    The region is the union of the primary regions of all findings that are met. ``share`` is the part of the
    supporting mass inside it, ``area`` the part of the grid's lead-seconds that it covers. A control's share is the
    mean over its maps (several for random networks); the interval of the excess draws beats, each as often as map or
    control holds mass on it, and a control's maps. ``p_time`` is over all circular shifts of the map against the beats,
    the same in all leads; ``p_place`` over exchanges of leads; both are (b + 1) / (m + 1) (Phipson and Smyth 2010,
    doi:10.2202/1544-6115.1585). The word is about the union, which is one test; ``criteria`` holds each criterion of
    it, with the false discovery rate over them controlled.

    *Agrees*: share above area, the excess over the best control 10 points or more and above 0 with its whole interval,
    and both nulls reject; to reject in place, the region's leads must also hold more than the others of the limb and of
    the chest leads. *Disagrees*: share not above area, or the whole interval of the excess below 0. *Partly*: in
    between. A region of one lead has 12 arrangements, too few for 5 %: then it must rank first among them. Of several
    definitions of a criterion, each with a region of its own, one is enough, at p times their number. The limb leads
    hold two independent signals, so how relevance splits among them is not identifiable: a map that would disagree over
    a region in some limb leads, and does not when they count as one group, agrees *partly*.

    Parameters
    ----------
    explanation, grid
        The same map, on the samples and on the grid.
    beats : Beats
        The beats that ``grid`` and the regions of ``findings`` are built on.
    findings : sequence of Finding
        All findings of the label's criteria.
    controls : mapping of str to sequence of EvidenceGrid
        Control maps by name, with the axes of ``grid``.
    prediction : Prediction
        Must hold ``label``.
    seed : int
        Of the resamples and of the arrangements drawn.

    Returns
    -------
    Agreement
        With NaN scores and a sentence where the evidence is not assessable: no criterion met, one that has no place (a
        rate), absent waves, a map too coarse or without that axis, no mass, too few beats.
    """
    met = [finding for finding in findings if finding.state == "met"]
    for_itself = [finding for finding in met if not finding.explained_by] or met
    region, why = region_of(findings, met, label)
    held = Held("not assessable", why)
    if region is not None:
        held = hold_against(explanation, beats, grid, region, controls, seed=seed)
    agreement = Agreement(
        **{each.name: getattr(held, each.name) for each in fields(held)},
        criterion=" + ".join(dict.fromkeys(finding.criterion for finding in for_itself)) or label,
        method=explanation.method,
        label=_who(findings, met, positive=prediction.positive(label)),
        group_shares=group_shares(grid),
    )
    if held.evidence == "not assessable":
        return agreement
    word, why = held.evidence, held.why
    if word == "partly" and (found := _by_one_definition(explanation, beats, grid, met, controls, seed)):
        word, why = "agrees", f"{why}; {found}"
    return replace(
        agreement,
        evidence=word,
        why=why,
        density=held.share / held.area,
        support_share=_role_share(grid, met, "support"),
        contra_share=_role_share(grid, met, "contra"),
        criteria=_by_criterion(explanation, beats, grid, met, held, seed),
    )


def hold_against(
    explanation: Explanation,
    beats: Beats,
    grid: EvidenceGrid,
    region: Region,
    controls: Mapping[str, Sequence[EvidenceGrid]],
    *,
    seed: int = 0,
    n_regions: int = 1,
) -> Held:
    """Hold a map against one region, whoever drew it: a guideline, or a reader who marked cells.

    Parameters, words and limits are those of `compare`; where the region is one of ``n_regions`` of which one is
    enough, both p are multiplied by their number (Bonferroni).

    Returns
    -------
    Held
        "not assessable" with NaN scores and a sentence where the map cannot answer for the region.
    """
    where, why = assessable(grid, region, beats)
    if where is None:
        return Held("not assessable", why)
    rng = np.random.default_rng(seed)
    grid, inside = where.of(grid), where.inside
    controls = {name: [where.of(each) for each in maps] for name, maps in controls.items()}
    beside = Beside(grid, controls, rng)
    scores = beside.scores(inside)
    known = [score for score in scores if np.isfinite(score.excess)]
    if not known:
        return Held("not assessable", "no control map has a share in the region, so nothing shows what it is worth")
    share, area = share_in(grid, inside), area_in(grid, inside)
    p_time, p_phase = np.minimum(n_regions * np.array(time_null(explanation, beats, where)), 1).tolist()
    place = place_null(grid, inside, rng).of_several(n_regions)
    verdict, why = _verdict(share, area, min(known, key=lambda score: score.excess), p_time, place)
    widened = limb_widened(grid, inside)
    if verdict == "disagrees" and widened is not None and beside.stands(widened):
        verdict = "partly"
        why += "; with the limb leads as one group, which is all that they can tell, its mass does lie in the region"
    placed = f"{100 * share:.0f} % of the {mass_name(grid)} lies in {region.text} ({100 * area:.0f} % of the area)"
    ranks = rank_scores(grid, inside)._asdict()
    held = Held(verdict, f"{placed}: {why}", share, area, scores, p_time, p_phase, place.p, **ranks)
    if widened is None:
        return held
    return replace(held, limb_share=share_in(grid, widened), limb_area=area_in(grid, widened))


def _by_one_definition(
    explanation: Explanation,
    beats: Beats,
    grid: EvidenceGrid,
    met: Sequence[Finding],
    controls: Mapping[str, Sequence[EvidenceGrid]],
    seed: int,
) -> str:
    """Return how the map agrees with one of several definitions of the only criterion that is met, or ""."""
    if len({finding.criterion for finding in met}) > 1:
        return ""
    regions: list[Region] = []
    for region in (union_region([finding]) for finding in met):
        if region is not None and not any(np.array_equal(region.inside, other.inside) for other in regions):
            regions.append(region)
    if len(regions) < 2:
        return ""
    for region in regions:
        alone = hold_against(explanation, beats, grid, region, controls, seed=seed, n_regions=len(regions))
        if alone.evidence == "agrees":
            return f"one of {len(regions)} definitions is enough: {alone.why}"
    return ""


def _who(findings: Sequence[Finding], met: Sequence[Finding], *, positive: bool) -> str:
    if all(finding.state == "not_evaluable" for finding in findings):
        return "not assessable"
    if met:
        return "both" if positive else "criteria only"
    return "model only" if positive else "neither"


def _by_criterion(
    explanation: Explanation, beats: Beats, grid: EvidenceGrid, met: Sequence[Finding], held: Held, seed: int
) -> tuple[CriterionScore, ...]:
    """Hold the map against each criterion that is met by itself; of one alone the scores are those of the union."""
    names = tuple(dict.fromkeys(finding.criterion for finding in met))
    if len(names) == 1:
        alone = CriterionScore(names[0], held.share, held.area, held.p_phase, held.p_place)
        return with_q_values([alone])
    scores = []
    for index, name in enumerate(names):
        region = union_region([finding for finding in met if finding.criterion == name])
        where = None if region is None else assessable(grid, region, beats)[0]
        if where is None:
            scores.append(CriterionScore(name))
            continue
        judged = where.of(grid)
        place = place_null(judged, where.inside, np.random.default_rng([seed, index]))
        p_phase = time_null(explanation, beats, where).p_phase
        share, area = share_in(judged, where.inside), area_in(judged, where.inside)
        scores.append(CriterionScore(name, share, area, p_phase, place.p))
    return with_q_values(scores)


def _role_share(grid: EvidenceGrid, findings: Sequence[Finding], role: str) -> float:
    region = union_region(findings, role)
    inside = None if region is None else cells(grid, region)[0]
    return np.nan if inside is None else share_in(grid, inside)


def _verdict(share: float, area: float, best: ControlScore, p_time: float, place: PlaceNull) -> tuple[str, str]:
    excess = (
        f"{100 * best.excess:+.1f} points against the best control, {best.name} "
        f"(95 % interval {100 * best.excess_low:+.1f} to {100 * best.excess_high:+.1f})"
    )
    if share <= area:
        return "disagrees", f"no more than an even spread; {excess}"
    if best.excess_high < 0:
        return "disagrees", f"less than a map that knows nothing of the training; {excess}"
    doubts = []
    if not best.excess_low > 0:
        doubts.append("not clearly more than a control")
    elif best.excess < MIN_EXCESS:
        doubts.append(f"less than {round(100 * MIN_EXCESS)} points more than a control")
    if not p_time <= P_LIMIT:
        doubts.append(f"not tied to these waves in time (p {p_time:.2g})")
    if not place.passed:
        doubts.append(f"not tied to these leads ({place.doubt})")
    if doubts:
        return "partly", f"{' and '.join(doubts)}; {excess}"
    tests = f"p {p_time:.2g} in time"
    if place.n_arrangements == 1:
        tests += ", no claim about leads"
    elif place.limit > P_LIMIT:
        tests += f", first of {place.n_arrangements} choices of leads"
    else:
        tests += f", {place.p:.2g} in place"
    return "agrees", f"{excess}; {tests}"
