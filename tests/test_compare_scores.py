"""Scores beside the share: ranks of cells, the limb leads as one group, and false discoveries over criteria."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from ecgviz.compare import compare, hold_against
from ecgviz.compare.discovery import q_values
from ecgviz.compare.nulls import time_null
from ecgviz.compare.ranks import rank_scores
from ecgviz.compare.region import Place
from ecgviz.evidence import area_in, evidence
from ecgviz.types import ATOMS, Region
from tests.test_compare import BEATS, INFERIOR, LEADS, A, a_map, finding, judged, painted, predicted, region, smooth
from tests.toys import even_beats


def cells_in(leads, atoms):
    return region(BEATS, leads, atoms).inside


def test_an_even_map_has_the_area_in_every_rank_score():
    grid = evidence(a_map(np.ones((12, 1000))), BEATS)
    for inside in (cells_in(INFERIOR, ("ST",)), cells_in(("V1",), ("P", "T1"))):
        assert rank_scores(grid, inside) == pytest.approx((area_in(grid, inside),) * 3)


def test_a_map_of_the_region_alone_ranks_it_first():
    grid = evidence(a_map(painted(BEATS, INFERIOR, ("ST",)) + 0.01), BEATS)
    assert rank_scores(grid, cells_in(INFERIOR, ("ST",))) == pytest.approx((1, 1, 1))
    elsewhere = rank_scores(grid, cells_in(("V1",), ("P",)))
    assert elsewhere.pointing == elsewhere.rank_accuracy == 0
    assert elsewhere.auprc < 0.05


def test_order_of_leads_decides_no_tie():
    """A map that is the same in all leads points at leads I and II as often as at V5 and V6."""
    grid = evidence(a_map(painted(BEATS, LEADS, ("ST",))), BEATS)
    first, last = (rank_scores(grid, cells_in(leads, ("ST",))) for leads in (("I", "II"), ("V5", "V6")))
    assert first == pytest.approx(last)
    assert first.pointing == pytest.approx(2 / 12)
    assert first.rank_accuracy == pytest.approx(2 / 12)


def test_average_precision_is_that_of_scikit_learn():
    grid = evidence(a_map(np.abs(smooth(4))), BEATS)
    inside = cells_in(("II", "V2", "V3"), ("QRSm", "ST"))
    area = np.broadcast_to(grid.area, grid.pos.shape)
    there = area > 0
    expected = average_precision_score(inside[there], grid.pos[there] / area[there], sample_weight=area[there])
    assert rank_scores(grid, inside).auprc == pytest.approx(expected, abs=1e-9)


def test_a_map_without_mass_has_no_ranks():
    assert np.isnan(rank_scores(evidence(a_map(np.zeros((12, 1000))), BEATS), cells_in(INFERIOR, ("ST",)))).all()


def test_rank_scores_and_the_limb_group_are_in_the_agreement():
    where = (finding("met", region(BEATS, INFERIOR, ("ST",))),)
    result = judged(painted(BEATS, ("I", "II"), ("ST",)) + 0.001, where)
    assert result.pointing == pytest.approx(1 / 2)
    assert 0.3 < result.rank_accuracy < 0.5
    assert result.auprc > result.area
    assert result.share == pytest.approx(0.5, abs=0.03)
    assert result.limb_share == pytest.approx(1.0, abs=0.06)
    assert result.limb_area == pytest.approx(2 * result.area)
    chest = judged(painted(BEATS, ("V1",), ("ST",)) + 0.001, (finding("met", region(BEATS, ("V1",), ("ST",))),))
    assert np.isnan([chest.limb_share, chest.limb_area]).all()
    assert chest.pointing == 1


def test_q_values_are_those_of_benjamini_and_hochberg():
    assert q_values([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(q_values([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])
    assert q_values([]).size == 0
    assert np.isnan(q_values([np.nan])).all()


def test_each_of_several_criteria_is_held_by_itself():
    findings = (
        finding("met", region(BEATS, ("V1", "V2", "V3"), ("ST",)), criterion="ASMI"),
        finding("met", region(BEATS, INFERIOR, ("ST",)), criterion="IMI"),
        finding("not_met", region(BEATS, ("I",), ("P",)), criterion="LMI"),
    )
    result = judged(painted(BEATS, INFERIOR, ("ST",)) + 0.001, findings)
    anterior, inferior = result.criteria
    assert (anterior.criterion, inferior.criterion) == ("ASMI", "IMI")
    assert anterior.share < anterior.area < inferior.share
    assert anterior.share + inferior.share == pytest.approx(result.share)
    assert inferior.q_time == pytest.approx(2 * inferior.p_phase)
    assert inferior.q_place == pytest.approx(2 / 220)
    assert anterior.q_time >= anterior.p_phase > 0.05
    alone = judged(painted(BEATS, INFERIOR, ("ST",)) + 0.001, findings[1:])
    assert (alone.criteria[0].q_time, alone.criteria[0].q_place) == (alone.p_phase, alone.p_place)


def test_a_regular_rhythm_hides_no_wave():
    """Shifts by whole beats leave a map where it was; they are no part of the null, at any rate."""
    for n in (10, 16):
        beats = even_beats(10) if n == 10 else squeezed(16)
        late = np.roll(painted(beats, INFERIOR, ("ST",)), 2, axis=1)
        grid = evidence(a_map(late), beats)
        where = Place(region(beats, INFERIOR, ("ST",)).inside & (grid.area > 0), np.zeros(grid.area.shape, dtype=bool))
        assert time_null(a_map(late), beats, where).p < 0.02


def squeezed(n):
    """Beats of a perfectly regular rhythm of ``n`` beats in 10 s."""
    beats = even_beats(10)
    on = beats.qrs_on[0] + 10 / n * np.arange(n)
    parts = {name: on + (getattr(beats, name)[0] - beats.qrs_on[0]) for name in ("r_s", "p_on", "p_off", "qrs_on")}
    parts |= {name: on + (getattr(beats, name)[0] - beats.qrs_on[0]) for name in ("qrs_off", "t_on")}
    return replace(beats, **parts, t_off=parts["t_on"] + 0.15, kind=("normal",) * n, edge=np.zeros(n, dtype=bool))


def test_a_map_that_is_locked_to_another_wave_fails_the_test_of_time():
    for atom in ("P", "QRSm", "T2"):
        values = painted(BEATS, INFERIOR, (atom,)) + 0.2
        result = judged(values, (finding("met", region(BEATS, INFERIOR, ("ST",))),))
        assert result.p_time > 0.05, atom


def test_smooth_maps_seldom_pass_the_test_of_time_on_a_regular_rhythm():
    wide = region(BEATS, LEADS, ("ST", "T1")).inside
    place = Place(wide, np.zeros((len(BEATS), len(ATOMS)), dtype=bool))
    nulls = [time_null(a_map(smooth(seed, 8.0)), BEATS, place) for seed in range(100)]
    assert np.mean([null.p <= 0.05 for null in nulls]) <= 0.10


@pytest.mark.parametrize("n", [10, 16])
def test_a_map_at_any_phase_of_the_beats_passes_as_often_as_the_level_says(n):
    """Of a map that follows the beats, rolled through all phases, at most 5 % have a ``p_phase`` of 0.05 or less."""
    beats = even_beats(10) if n == 10 else squeezed(16)
    inside = region(beats, INFERIOR, ("ST",)).inside & (evidence(a_map(np.ones((12, 1000))), beats).area > 0)
    place = Place(inside, np.zeros((len(beats), len(ATOMS)), dtype=bool))
    locked = painted(beats, INFERIOR, ("ST",)) + 0.05 * np.abs(smooth(0, 8.0))
    p = np.array(
        [time_null(a_map(np.roll(locked, shift, axis=1)), beats, place).p_phase for shift in range(0, 1000, 7)]
    )
    for level in (0.02, 0.05, 0.1):
        assert np.mean(p <= level) <= level + 0.01  # every seventh shift is looked at
    assert p[0] <= 0.05


def test_what_lies_in_fused_waves_counts_neither_for_nor_against():
    marks = [np.array(getattr(BEATS, name)) for name in ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")]
    marks[5][3] = marks[0][4] + 0.02
    beats = type(BEATS)(BEATS.r_s, *marks, kind=BEATS.kind, duration_s=10.0, leads=LEADS)
    values = painted(beats, ("II",), ("P",)) + 0.001
    loud = values.copy()
    first, last = np.round(beats.segments()[3, A["T2"]] * 100).astype(int)
    loud[:, first + 2 : last - 2] += 5.0
    where = (finding("met", region(beats, ("II",), ("P",))),)
    even = evidence(a_map(np.ones((12, 1000))), beats)
    quiet, noisy = (
        compare(a_map(v), beats, evidence(a_map(v), beats), where, {"even": (even,)}, predicted(), "MI")
        for v in (values, loud)
    )
    assert noisy.share == pytest.approx(quiet.share, abs=0.02)


def of_the_sure(leads, atoms, unsure=4):
    """Return the beats, one of them of unsure kind, and a region of all others."""
    kinds = list(BEATS.kind)
    kinds[unsure] = "unsure"
    weight = np.array(region(BEATS, leads, atoms).weight)
    weight[:, unsure] = 0
    return replace(BEATS, kind=tuple(kinds)), Region("primary", LEADS, weight, f"{', '.join(leads)}: {atoms[0]}")


def on_one_beat(beat, elsewhere=0.0):
    """Return a map of 1 on the QRS complex of one beat."""
    values = np.full((12, 1000), elsewhere)
    at = round(100 * BEATS.r_s[beat])
    values[:, at - 2 : at + 3] = 1.0
    return values


def held(values, beats, of_dominant):
    controls = {"even": (evidence(a_map(np.ones((12, 1000))), beats),)}
    return hold_against(a_map(values), beats, evidence(a_map(values), beats), of_dominant, controls)


def test_a_map_with_all_its_mass_in_what_is_left_out_cannot_be_judged():
    beats, of_dominant = of_the_sure(("II",), ("P",))
    found = held(on_one_beat(4), beats, of_dominant)
    assert found.evidence == "not assessable"
    assert "all supporting mass of the map on beats lies on those of unsure kind" in found.why
    assert np.isnan([found.share, found.area, found.p_time]).all()
    compared = judged(
        on_one_beat(4), (finding("met", of_dominant), finding("met", of_dominant, criterion="AMI")), beats
    )
    assert compared.evidence == "not assessable"
    nothing = held(np.zeros((12, 1000)), beats, of_dominant)
    assert nothing.why == "the map holds no supporting mass on any beat"
    assert held(on_one_beat(5), beats, of_dominant).evidence == "disagrees"


def test_what_is_left_out_does_not_hide_that_a_map_lies_outside_of_beats():
    beats, of_dominant = of_the_sure(("II",), ("P",))
    outside = on_one_beat(4)
    outside[:, -40:] = 0.05  # behind the last beat: a third of all, nearly all of what counts
    outside[0, round(100 * BEATS.r_s[5])] = 1.0
    found = held(outside, beats, of_dominant)
    assert found.evidence == "not assessable"
    assert "% of what counts of the map lies outside all delineated beats" in found.why
    assert evidence(a_map(outside), beats).outside_abs < 0.5 * outside.sum()


def test_a_beat_of_unknown_kind_counts_neither_for_nor_against():
    """A region of the dominant beats; the same waves of a beat that nobody could classify are held against no map."""
    beats, of_dominant = of_the_sure(("II",), ("P",))
    values = painted(BEATS, ("II",), ("P",)) + 0.001
    sure, unsure = (judged(values, (finding("met", of_dominant),), each) for each in (BEATS, beats))
    assert unsure.share > sure.share + 0.05
    of_all = judged(values, (finding("met", region(BEATS, ("II",), ("P",))),), beats)
    assert of_all.share == pytest.approx(judged(values, (finding("met", region(BEATS, ("II",), ("P",))),)).share)
