"""The words of a comparison and its intervals, and what maps are held against, on numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.checkpoint import model_input
from ecgviz.compare.nulls import PlaceNull, place_null
from ecgviz.compare.scores import Beside
from ecgviz.compare.verdict import _verdict
from ecgviz.explain.attention.prior import AttentionPrior, without_diagnosis
from ecgviz.explain.baselines import baseline
from ecgviz.explain.controls import trivial_maps
from ecgviz.types import ATOMS, ControlScore, EvidenceGrid, Explanation, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from tests.toys import LEADS, SPEC, Linear, even_beats, toy_model

MODEL = toy_model(Linear(np.zeros((1, 12, 1000))))


def grid(pos: FloatArray) -> EvidenceGrid:
    area = np.full(pos.shape[1:], 0.1)
    kind = ("normal",) * pos.shape[1]
    return EvidenceGrid(pos, np.zeros(pos.shape), 0.0, 0.0, area, LEADS, kind, True, True, 0.01)


def in_half_of_16_beats() -> tuple[EvidenceGrid, BoolArray]:
    """All mass in V1's ST, which is the region, in half of the beats, and in V2's in the others."""
    pos, inside = np.zeros((12, 16, len(ATOMS))), np.zeros((12, 16, len(ATOMS)), dtype=bool)
    st, v1, v2 = ATOMS.index("ST"), LEADS.index("V1"), LEADS.index("V2")
    pos[v1, ::2, st], pos[v2, 1::2, st] = 1.0, 1.0
    inside[v1, :, st] = True
    return grid(pos), inside


def test_the_interval_of_an_excess_is_that_of_so_many_beats_drawn() -> None:
    known, inside = in_half_of_16_beats()
    even = grid(np.ones(known.pos.shape))
    (score,) = Beside(known, {"even": [even]}, np.random.default_rng(0)).scores(inside)
    of_even = 1 / (12 * len(ATOMS))
    # of 16 beats drawn, 8 in 16 of which are inside: binomial(16, 1/2) has its 2.5th percentile at 4, its 97.5th at 12
    wanted = (of_even, 0.5 - of_even, 4 / 16 - of_even, 12 / 16 - of_even)
    assert (score.share, score.excess, score.excess_low, score.excess_high) == pytest.approx(wanted)


def test_a_region_is_ahead_in_place_by_the_lower_end_of_its_interval() -> None:
    null = place_null(*in_half_of_16_beats(), np.random.default_rng(0))
    assert null.ahead_low == pytest.approx(4 / 16 - 1 / 6)  # V1 is one of six chest leads
    assert (null.n_arrangements, null.p) == (12, pytest.approx(2 / 12))  # V1 and V2 hold as much


HELD = PlaceNull(0.01, 220, 0.2)


@pytest.mark.parametrize(
    ("share", "excess", "low", "high", "p_time", "place", "word"),
    [
        (0.50, 0.30, 0.20, 0.40, 0.01, HELD, "agrees"),
        (0.50, 0.30, 0.20, 0.40, 0.05, PlaceNull(0.05, 220, 0.2), "agrees"),
        (0.50, 0.10, 0.02, 0.40, 0.01, HELD, "agrees"),
        (0.50, 0.09, 0.02, 0.40, 0.01, HELD, "partly"),
        (0.50, 0.30, -0.01, 0.60, 0.01, HELD, "partly"),
        (0.50, 0.30, 0.20, 0.40, 0.06, HELD, "partly"),
        (0.50, 0.30, 0.20, 0.40, np.nan, HELD, "partly"),
        (0.50, 0.30, 0.20, 0.40, 0.01, PlaceNull(0.06, 220, 0.2), "partly"),
        (0.50, 0.30, 0.20, 0.40, 0.01, PlaceNull(0.01, 220, -0.1), "partly"),
        (0.50, 0.30, 0.20, 0.40, 0.01, PlaceNull(1 / 12, 12, 0.2), "agrees"),
        (0.50, 0.30, 0.20, 0.40, 0.01, PlaceNull(2 / 12, 12, 0.2), "partly"),
        (0.50, 0.30, 0.20, 0.40, 0.01, PlaceNull(np.nan, 1), "agrees"),
        (0.50, -0.10, -0.30, 0.10, 0.01, HELD, "partly"),
        (0.50, -0.10, -0.30, 0.00, 0.01, HELD, "partly"),
        (0.50, -0.10, -0.30, -0.01, 0.01, HELD, "disagrees"),
        (0.10, 0.30, 0.20, 0.40, 0.01, HELD, "disagrees"),
        (0.09, 0.30, 0.20, 0.40, 0.01, HELD, "disagrees"),
    ],
)
def test_each_word_asks_for_what_the_handbook_says(
    share: float, excess: float, low: float, high: float, p_time: float, place: PlaceNull, word: str
) -> None:
    best = ControlScore("|x|", share - excess, excess, low, high)
    assert _verdict(share, 0.10, best, p_time, place)[0] == word


def test_the_isoelectric_level_is_that_of_pr_where_tp_is_shorter() -> None:
    beats = even_beats(15, rr_s=0.6)  # TP of 40 ms, PR of 60
    at_s = np.arange(1000) / 100
    signal = np.tile(np.where(np.arange(1000) % 2, 0.9, -0.9), (12, 1))
    for b in range(15):
        signal[:, (at_s >= beats.p_off[b]) & (at_s <= beats.qrs_on[b])] = 0.2
        if b < 14:
            signal[:, (at_s >= beats.t_off[b]) & (at_s <= beats.p_on[b + 1])] = -0.3
    inputs = model_input(MODEL, Record(signal, 100.0, LEADS, id="it"), beats)
    level = baseline("isoelectric", MODEL, inputs, beats, seed=0)
    np.testing.assert_allclose(level * SPEC.std_mv, 0.2, atol=1e-6)


def test_a_healthy_beat_is_one_of_this_sex_and_of_this_age_where_it_is_an_adults() -> None:
    beats, signal = even_beats(9), np.random.default_rng(0).normal(0, 0.2, (12, 1000))

    def healthy(**person: object) -> FloatArray:
        record = Record(signal, 100.0, LEADS, id="it", **person)  # type: ignore[arg-type]
        return baseline("healthy", MODEL, model_input(MODEL, record, beats), beats, seed=3)

    assert np.abs(healthy(sex="male") - healthy(sex="female")).max() > 0.05
    assert np.abs(healthy(sex="male", age_years=20.0) - healthy(sex="male", age_years=80.0)).max() > 0.05
    assert np.abs(healthy(sex="male", age_years=17.0) - healthy(sex="male")).max() > 1e-3
    np.testing.assert_array_equal(healthy(sex="male", age_years=9.0), healthy(sex="male"))


def test_the_distance_of_a_sample_is_from_the_median_and_its_slope_is_a_second() -> None:
    signal = np.tile(np.concatenate([np.zeros(800), np.linspace(0, 2.0, 200)]), (12, 1))
    beats = even_beats(9)
    inputs = model_input(MODEL, Record(signal, 100.0, LEADS, id="it"), beats)
    like = Explanation(np.zeros((12, 1000)), 100.0, 0.0, LEADS, "MI", "saliency", True, 0.01)
    maps = trivial_maps(inputs, like)
    np.testing.assert_allclose(maps["|x|"].values * SPEC.std_mv, signal, atol=1e-6)
    np.testing.assert_allclose(maps["|dx/dt|"].values[:, 850:990] * SPEC.std_mv, 2.0 / 1.99, rtol=1e-4)
    summed = trivial_maps(inputs, replace(like, values=np.zeros((1, 1000)), leads=()))
    np.testing.assert_allclose(summed["|x|"].values * SPEC.std_mv, 12 * signal[:1], atol=1e-5)


def test_noise_without_a_diagnosis_has_the_deviation_of_the_training_data() -> None:
    beats = even_beats(9)
    record = Record(np.random.default_rng(0).normal(0, 0.2, (12, 1000)), 100.0, LEADS, id="it")
    kinds = without_diagnosis(MODEL, model_input(MODEL, record, beats), beats, seed=1)
    assert kinds["noise"].std() == pytest.approx(1.0, abs=0.02)
    assert kinds["noise"].mean() == pytest.approx(0.0, abs=0.02)
    assert {kind: len(signals) for kind, signals in kinds.items()} == {"flat": 1, "noise": 4, "data": 4}


def test_the_overlap_with_a_prior_is_what_both_have() -> None:
    prior = AttentionPrior({"flat": np.array([[2.0, 2.0]]), "noise": np.array([[0.0, 4.0]])})
    np.testing.assert_array_equal(prior.mean, [[1.0, 3.0]])
    assert prior.overlap(np.array([[3.0, 1.0]])) == pytest.approx({"flat": 0.75, "noise": 0.25, "mean": 0.5})
