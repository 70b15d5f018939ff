"""The evidence grid: nothing is lost, nothing counts twice, and what is absent stays absent."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgviz.errors import ExplanationError
from ecgviz.evidence import area_share, cells, density, evidence, group_shares, segment_edges, share
from ecgviz.types import ATOMS, Beats, Explanation, Region
from tests.toys import LEADS, even_beats, no_beats

A = {atom: s for s, atom in enumerate(ATOMS)}


def a_map(values, fs=100.0, start_s=0.0, leads=LEADS, **more):
    keys = {"label": "MI", "method": "toy", "signed": True, "resolution_s": 1 / fs} | more
    return Explanation(values=values, fs=fs, start_s=start_s, leads=leads, **keys)


def region(beats, leads, atoms, role="primary", all_leads=LEADS):
    weight = np.zeros((len(all_leads), len(beats), len(ATOMS)))
    weight[np.ix_([all_leads.index(x) for x in leads], range(len(beats)), [A[a] for a in atoms])] = 1
    return Region(role, all_leads, weight, f"{', '.join(leads)}: {', '.join(atoms)}")


def by_hand(explanation, beats):
    """Pool sample by sample with plain loops: the same definition, another computation."""
    fs, spans = explanation.fs, beats.segments()
    pos = np.zeros((explanation.values.shape[0], len(beats), len(ATOMS)))
    neg = np.zeros_like(pos)
    for t in range(explanation.values.shape[1]):
        centre = explanation.start_s + t / fs
        left, right = centre - 0.5 / fs, centre + 0.5 / fs
        for b in range(len(beats)):
            for s in range(len(ATOMS)):
                start, end = spans[b, s]
                part = max(0.0, min(end, right) - max(start, left)) * fs if end > start else 0.0
                column = explanation.values[:, t]
                pos[:, b, s] += part * np.maximum(column, 0)
                neg[:, b, s] += part * np.maximum(-column, 0)
    return pos, neg


@pytest.mark.parametrize("fs", [100.0, 500.0])
@pytest.mark.parametrize("start_s", [0.0, 1.234])
def test_pooling_equals_the_definition_computed_by_hand(fs, start_s):
    beats = even_beats(3, duration_s=4.0)
    values = np.random.default_rng(1).normal(size=(12, round(2.5 * fs)))
    grid = evidence(a_map(values, fs, start_s), beats)
    pos, neg = by_hand(a_map(values, fs, start_s), beats)
    np.testing.assert_allclose(grid.pos, pos, atol=1e-9)
    np.testing.assert_allclose(grid.neg, neg, atol=1e-9)


def test_an_even_map_gives_each_cell_its_seconds():
    beats = even_beats(10)
    grid = evidence(a_map(np.ones((12, 1000))), beats)
    spans = beats.segments()
    seconds = np.nan_to_num(spans[..., 1] - spans[..., 0])
    np.testing.assert_allclose(grid.area, seconds, atol=1e-12)
    np.testing.assert_allclose(grid.pos, np.broadcast_to(seconds * 100, grid.pos.shape), rtol=1e-9)


def test_a_cell_narrower_than_a_sample_keeps_its_mass():
    beats = even_beats(2, duration_s=2.0, qrs_s=0.012)
    grid = evidence(a_map(np.ones((12, 200))), beats)
    assert (grid.pos[:, :, A["QRSm"]] > 0).all()
    np.testing.assert_allclose(grid.pos[0, 0, A["QRSm"]], 0.4, rtol=1e-9)  # 4 ms of a 10 ms sample


def test_a_p_wave_on_the_qrs_before_it_does_not_count_twice():
    r_s, none = np.array([0.30, 0.50]), np.full(2, np.nan)
    beats = Beats(
        r_s, r_s - 0.2, r_s - 0.08, r_s - 0.05, r_s + 0.05, none, none, ("normal",) * 2, duration_s=2.0, leads=LEADS
    )
    spans = beats.segments()
    assert spans[1, A["P"], 0] < spans[0, A["QRSt"], 1]
    grid = evidence(a_map(np.ones((1, 200)), leads=()), beats)
    covered = (0.5 + 0.05 + 0.08) - 0.1  # first P onset to 80 ms after the second J point
    assert grid.total == pytest.approx(100 * covered)


@st.composite
def any_beats(draw):
    """Beats with any wave missing, any width, and marks that may collide."""
    n = draw(st.integers(0, 5))
    width = st.floats(0.005, 0.5)
    now, marks = draw(st.floats(0.0, 0.6)), []
    for _ in range(n):
        p_on = now
        p_off = p_on + draw(width)
        on = p_off + draw(st.floats(-0.05, 0.2))
        off = max(on, p_on) + draw(width)
        t_on = off + draw(st.floats(-0.02, 0.3))
        t_off = t_on + draw(width)
        marks.append([p_on, p_off, on, off, t_on, t_off])
        now = t_off + draw(st.floats(-0.3, 0.6))
    table = np.array(marks).reshape(n, 6)
    for b in range(n):
        for first in (0, 2, 4):
            if draw(st.integers(0, 4)) == 0:
                table[b, first : first + 2] = np.nan
    return Beats(table[:, 2], *table.T, kind=("normal",) * n, duration_s=5.0, leads=LEADS)


@settings(max_examples=300, deadline=None)
@given(any_beats(), st.integers(0, 2**31), st.sampled_from([100.0, 250.0, 500.0]), st.floats(0, 2), st.integers(-3, 3))
def test_nothing_is_lost_and_nothing_counts_twice(beats, seed, fs, start_s, power):
    values = np.random.default_rng(seed).normal(size=(12, round(3 * fs))) * 10.0**power
    grid = evidence(a_map(values, fs, start_s), beats)
    size = np.abs(values).sum()
    assert abs(grid.pos.sum() - grid.neg.sum() + grid.outside - values.sum()) <= 1e-9 * size
    assert abs(grid.pos.sum() + grid.neg.sum() + grid.outside_abs - size) <= 1e-9 * size
    assert grid.pos.sum() <= values.clip(0).sum() + 1e-9 * size
    assert grid.neg.sum() <= (-values).clip(0).sum() + 1e-9 * size
    assert grid.area.sum() <= 3.0 + 1e-9
    edges = segment_edges(a_map(values, fs, start_s), beats).reshape(-1, 2)
    edges = edges[edges[:, 1] > 0]
    assert (edges[1:, 0] >= edges[:-1, 1]).all()
    absent = np.isnan(beats.segments()[..., 0])
    assert (grid.area[absent] == 0).all()
    assert (grid.pos[:, absent] == 0).all()


@pytest.mark.parametrize("axes", [(12, 300), (1, 300), (12, 1), (1, 1)])
def test_a_missing_axis_stays_missing_and_mass_is_kept(axes):
    values = np.random.default_rng(0).random(axes)
    grid = evidence(
        a_map(values, leads=LEADS if axes[0] == 12 else (), resolution_s=3.0), even_beats(3, duration_s=3.0)
    )
    assert grid.pos.shape == (axes[0], *((3, len(ATOMS)) if axes[1] > 1 else (1, 1)))
    assert grid.pos.sum() + grid.outside == pytest.approx(values.sum(), rel=1e-12)
    assert (grid.channel() is None) == (axes[0] == 1)
    assert (grid.rhythm() is None) == (axes[1] == 1)


def test_a_beat_outside_of_the_map_s_window_has_no_share():
    beats = even_beats(30, duration_s=30.0)
    shares = evidence(a_map(np.ones((12, 1000)), leads=LEADS), beats).rhythm()
    seen = beats.r_s < 9.5
    assert np.isfinite(shares[seen]).all()
    assert np.isnan(shares[beats.r_s > 10.5]).all()
    assert np.nansum(shares) == pytest.approx(1)


def test_without_beats_everything_is_outside():
    grid = evidence(a_map(np.full((12, 100), -2.0)), no_beats())
    assert grid.pos.shape == (12, 0, len(ATOMS))
    assert grid.outside == pytest.approx(-2400)
    assert grid.outside_abs == pytest.approx(2400)
    part, why = share(grid, Region("primary", LEADS, np.zeros((12, 0, len(ATOMS))), "ST"))
    assert np.isnan(part)
    assert "no beat was delineated" in why


def test_padding_after_the_record_is_outside():
    values = np.zeros((12, 1000))
    values[:, 500:] = 1.0
    grid = evidence(a_map(values), even_beats(5, duration_s=5.0))
    assert grid.total == pytest.approx(0, abs=1e-9)
    assert grid.outside == pytest.approx(12 * 500)


def test_share_area_and_density_of_a_known_map():
    beats = even_beats(10)
    where = region(beats, ("II", "III", "aVF"), ("ST",))
    values = np.zeros((12, 1000))
    for b in range(10):
        start, end = beats.segments()[b, A["ST"]]
        values[[1, 2, 5], round(start * 100) + 2 : round(end * 100) - 2] = 1.0
    grid = evidence(a_map(values), beats)
    assert share(grid, where)[0] == pytest.approx(1.0)
    covered = 3 / 12 * grid.area[:, A["ST"]].sum() / grid.area.sum()
    assert area_share(grid, where) == pytest.approx(covered)
    assert density(grid, where)[0] == pytest.approx(1 / covered)
    even = evidence(a_map(np.ones((12, 1000))), beats)
    assert density(even, where)[0] == pytest.approx(1.0)


def test_st_holds_the_place_where_criteria_measure_it():
    """An elevated ST runs into T: wherever the T onset is put, J + 60 ms belongs to ST, and T keeps its second half."""
    on = np.array([0.5])
    for t_on, st_end in ((0.61, 0.68), (0.75, 0.75), (0.60, 0.68), (np.nan, 0.68)):
        t_off = np.array([1.0 if np.isfinite(t_on) else np.nan])
        beats = Beats(on, on - 0.2, on - 0.1, on, on + 0.1, np.array([t_on]), t_off, ("normal",), 2.0, LEADS)
        np.testing.assert_allclose(beats.segments()[0, A["ST"]], [0.6, st_end])
        if np.isfinite(t_on):
            np.testing.assert_allclose(beats.segments()[0, A["T1"]], [st_end, (t_on + 1.0) / 2])
            np.testing.assert_allclose(beats.segments()[0, A["T2"]], [(t_on + 1.0) / 2, 1.0])


def test_a_region_of_absent_waves_is_not_assessable():
    beats = even_beats(10, without_p=range(6))
    grid = evidence(a_map(np.ones((12, 1000))), beats)
    part, why = share(grid, region(beats, LEADS, ("PR",)))
    assert np.isnan(part)
    assert "only 48 of the 120 cells" in why
    assert np.isnan(density(grid, region(beats, LEADS, ("PR",)))[0])
    assert np.isfinite(share(grid, region(beats, LEADS, ("P",)))[0])  # where P was expected is a place


def test_beats_beyond_the_window_do_not_make_a_region_unassessable():
    beats = even_beats(100, duration_s=100.0)
    grid = evidence(a_map(np.ones((12, 1000)), start_s=40.0), beats)
    assert share(grid, region(beats, ("V1",), ("ST",)))[0] > 0


def test_a_region_of_beats_beyond_the_window_says_so():
    beats = even_beats(100, duration_s=100.0)
    grid = evidence(a_map(np.ones((12, 1000)), start_s=40.0), beats)
    late = region(beats, ("V1",), ("ST",))
    weight = np.array(late.weight)
    weight[:, :60] = 0.0
    inside, why = cells(grid, dataclasses.replace(late, weight=weight))
    assert inside is None
    assert why == f"the region ({late.text}) lies in beats with no delineated part inside the map's window"


def test_a_map_without_leads_answers_only_for_regions_of_all_leads():
    beats = even_beats(10)
    grid = evidence(a_map(np.ones((1, 1000)), leads=()), beats)
    assert share(grid, region(beats, LEADS, ("P",)))[0] == pytest.approx(0.1, abs=0.03)
    part, why = share(grid, region(beats, ("V1", "V2"), ("P",)))
    assert np.isnan(part)
    assert "no lead axis" in why


def test_a_map_without_time_answers_for_no_wave():
    beats = even_beats(10)
    grid = evidence(a_map(np.ones((12, 1)), resolution_s=10.0), beats)
    part, why = share(grid, region(beats, LEADS, ("P",)))
    assert np.isnan(part)
    assert "no time axis" in why


def test_leads_are_matched_by_name():
    beats = even_beats(10)
    other = tuple(reversed(LEADS))
    values = np.zeros((12, 1000))
    values[LEADS.index("V2")] = 1.0
    grid = evidence(a_map(values), beats)
    assert share(grid, region(beats, ("V2",), ATOMS, all_leads=other))[0] == pytest.approx(1.0)
    inside, why = cells(grid, region(beats, ("vx",), ATOMS, all_leads=("vx", "vy")))
    assert inside is None
    assert why.endswith("are in the map, which has no vx")
    part, why = share(evidence(a_map(values[:3], leads=LEADS[:3]), beats), region(beats, ("II", "V1", "V2"), ("ST",)))
    assert np.isnan(part)
    assert "only 10 of the 30 cells" in why
    assert why.endswith("are in the map, which has no V1, V2")  # the record may have them


def test_a_zero_map_has_no_share_and_says_so():
    beats = even_beats(10)
    part, why = share(evidence(a_map(np.zeros((12, 1000))), beats), region(beats, ("II",), ("ST",)))
    assert np.isnan(part)
    assert "no supporting mass" in why


def test_limb_leads_are_one_group():
    values = np.ones((12, 1))
    shares = group_shares(evidence(a_map(values, resolution_s=10.0), even_beats(10)))
    assert tuple(shares) == ("limb", "V1", "V2", "V3", "V4", "V5", "V6")
    assert shares["limb"] == pytest.approx(0.5)
    assert shares["V4"] == pytest.approx(1 / 12)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ExplanationError, match="not finite"):
        evidence(a_map(np.full((12, 10), np.nan)), even_beats(1, duration_s=1.0))
