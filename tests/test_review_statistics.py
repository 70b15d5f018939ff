"""Statistics of readers against published values, and against what can be counted by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from ecgviz.review.counted import Counting, Result, against_maps
from ecgviz.review.marks import Span
from ecgviz.review.scores import MarkedAgainst
from ecgviz.review.statistics import agreement, change, overlap
from ecgviz.review.statistics.change import Pair
from ecgviz.review.statistics.intervals import by_patient
from ecgviz.types.arrays import FloatArray
from ecgviz.types.verdict import ControlScore, Held

N = np.nan
KRIPPENDORFF_2011 = np.array(
    [
        *([1, 1, N, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4], [4, 4, 4, 4]),
        *([1, 1, 2, 1], [2, 2, 2, 2], [N, 5, 5, 5], [N, N, 1, 1], [N, N, 3, N]),
    ]
)
"""Units x readers; Krippendorff 2011, section C, and the example ``cac.raw4raters`` of Gwet's package irrCAC."""
SHROUT_FLEISS_1979 = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0]])
FLEISS_1971 = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]
"""How many of 14 readers gave each of five categories to each of ten units."""


def table(yes_yes: int, yes_no: int, no_yes: int, no_no: int) -> FloatArray:
    return np.repeat([[0.0, 0], [0, 1], [1, 0], [1, 1]], [yes_yes, yes_no, no_yes, no_no], axis=0)


def test_kappa_falls_and_ac1_stands_where_one_category_is_rare():
    ratings = table(90, 5, 4, 1)
    assert agreement.cohen_kappa(ratings, 2) == pytest.approx(0.135, abs=0.0005)
    assert agreement.gwet_ac(ratings, 2) == pytest.approx(0.900, abs=0.0005)


def test_weighted_kappa_counts_far_disagreements_more():
    """By hand: 3 categories, of 10 units 6 agree, 3 differ by one step and 1 by two."""
    ratings = np.array([[0, 0], [0, 0], [1, 1], [1, 1], [2, 2], [2, 2], [0, 1], [1, 2], [2, 1], [0, 2]], dtype=float)
    rows, columns = np.array([4, 3, 3]) / 10, np.array([2, 4, 4]) / 10
    distance = np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    for weights, cost in (("none", distance > 0), ("linear", distance), ("quadratic", distance**2)):
        observed = np.mean([cost[int(a), int(b)] for a, b in ratings])
        expected = (np.outer(rows, columns) * cost).sum()
        assert agreement.cohen_kappa(ratings, 3, weights) == pytest.approx(1 - observed / expected)


def test_fleiss_kappa_of_the_published_example():
    ratings = np.array([np.repeat(range(5), unit) for unit in FLEISS_1971], dtype=float)
    assert agreement.fleiss_kappa(ratings, 5) == pytest.approx(0.210, abs=0.0005)


@pytest.mark.parametrize(("weights", "value"), [("none", 0.77544), ("linear", 0.85874), ("quadratic", 0.91400)])
def test_ac1_and_ac2_with_missing_ratings_are_those_of_gwets_package(weights: agreement.Weights, value: float):
    assert agreement.gwet_ac(KRIPPENDORFF_2011 - 1, 5, weights) == pytest.approx(value, abs=5e-6)


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_alpha_of_the_published_matrix(level, value: float):
    assert agreement.krippendorff_alpha(KRIPPENDORFF_2011, level) == pytest.approx(value, abs=0.0005)


def test_icc_of_the_published_table():
    assert agreement.icc(SHROUT_FLEISS_1979) == pytest.approx(0.29, abs=0.005)


def test_perfect_agreement_is_one_and_what_is_not_defined_is_nan():
    same = np.array([[0, 0], [1, 1], [1, 1.0]])
    assert agreement.cohen_kappa(same, 2) == agreement.fleiss_kappa(same, 2) == agreement.gwet_ac(same, 2) == 1
    assert agreement.krippendorff_alpha(same, "nominal") == 1
    one = np.zeros((3, 2))
    assert np.isnan([agreement.cohen_kappa(one, 2), agreement.fleiss_kappa(one, 2)]).all()
    assert np.isnan(agreement.krippendorff_alpha(one, "nominal"))
    assert agreement.gwet_ac(one, 2) == 1  # all of one category: agreement, and AC1 can say so
    alone = np.array([[0.0], [1.0]])
    assert np.isnan([agreement.fleiss_kappa(alone, 2), agreement.gwet_ac(alone, 2), agreement.icc(alone)]).all()
    missing = np.array([[0, N], [N, 1], [1, 1], [0, 0]])
    assert agreement.cohen_kappa(missing, 2) == 1


def test_labels_are_coded_in_the_order_of_the_study():
    coded = agreement.codes([["NORM", None], ["MI", "NORM"]], ("MI", "NORM"))
    np.testing.assert_array_equal(coded, [[1, N], [0, 1]])


def test_overlap_of_cells_and_spans_is_counted_by_hand():
    assert overlap.cell_dice([("II", "ST"), ("V1", "T")], [("II", "ST")]) == pytest.approx(2 / 3)
    assert np.isnan(overlap.cell_dice([], []))
    one = [Span("V1", 1.0, 2.0), Span("V1", 1.5, 3.0)]  # together 1 to 3 s
    other = [Span("V1", 2.0, 5.0), Span("V2", 1.0, 2.0)]
    assert overlap.span_iou(one, other) == pytest.approx(1 / (2 + 4 - 1))
    assert overlap.span_iou(one, one) == 1
    assert overlap.span_iou(one, []) == 0
    near, far = [Span("V1", 3.04, 3.1)], [Span("V1", 3.06, 3.1)]
    assert overlap.hits(near, [Span("V1", 2.0, 3.0)]) == 1
    assert overlap.hits(far, [Span("V1", 2.0, 3.0)]) == 0
    assert overlap.mean_hits([*near, *far], [Span("V1", 2.0, 3.0)]) == pytest.approx((1 / 2 + 1) / 2)
    assert overlap.mean_hits(near, []) == overlap.mean_hits([], near) == 0
    assert np.isnan(overlap.mean_hits([], []))


def pair(before: str, after: str, model: str = "MI", reference: str | None = "MI", **more) -> Pair:
    fixed = {"reader_id": "R1", "item_id": "i", "patient_id": "P", "arm": "both"}
    return Pair(
        **fixed | {"confidence_before": 50, "confidence_after": 70} | more,
        reference=reference,
        model=model,
        before=before,
        after=after,
    )


def test_switches_and_whom_readers_followed():
    pairs = [
        *[pair("NORM", "MI")] * 6,  # right after seeing a model that was right
        pair("MI", "NORM", model="NORM"),  # misled
        pair("MI", "MI", model="NORM"),  # not misled
        pair("NORM", "NORM"),  # not convinced
        pair("MI", "MI"),
        pair("NORM", "MI", reference=None),
    ]
    seen = change.switches(pairs)
    assert (seen.to_right, seen.to_wrong) == (6, 1)
    assert seen.p == pytest.approx(2 * (1 + 7) / 2**7)  # two-sided sign test of 1 in 7
    assert np.nanmean(change.accuracy(pairs, "before")) == pytest.approx(3 / 10)
    assert np.nanmean(change.accuracy(pairs, "after")) == pytest.approx(8 / 10)
    assert np.nanmean(change.followed(pairs, model_right=True)) == pytest.approx(6 / 7)
    assert np.nanmean(change.followed(pairs, model_right=False)) == pytest.approx(1 / 2)
    assert (change.confidence_change(pairs) == 20).all()


def test_the_bootstrap_draws_patients_not_rows():
    """Ten patients with 20 equal rows each are ten observations: the interval is that of ten."""
    rng = np.random.default_rng(0)
    of_patient = rng.normal(size=10)
    rows = np.repeat(of_patient, 20)
    patients = np.repeat([f"P{i}" for i in range(10)], 20)
    clustered = by_patient(patients, lambda i: float(rows[i].mean()), draws=400, seed=1)
    single = by_patient([f"P{i}" for i in range(10)], lambda i: float(of_patient[i].mean()), draws=400, seed=1)
    assert (clustered.low, clustered.high) == pytest.approx((single.low, single.high))
    assert clustered == by_patient(patients, lambda i: float(rows[i].mean()), draws=400, seed=1)
    assert clustered.low < of_patient.mean() < clustered.high
    assert clustered.n_patients == 10


def test_an_interval_that_cannot_be_told_has_a_reason():
    few = by_patient(["P1", "P2"], lambda i: 1.0, draws=10, seed=0)
    assert (few.value, few.why) == (1.0, "an interval needs 5 patients or more")
    assert np.isnan([few.low, few.high]).all()
    patients = [f"P{i}" for i in range(6)]
    assert by_patient(patients, lambda i: np.nan, draws=10, seed=0).why == "not defined on these answers"
    rare = by_patient(patients, lambda i: 1.0 if len(set(i.tolist())) == 6 else np.nan, draws=50, seed=0)
    assert "undefined in most resamples" in rare.why


def above(*excess: float) -> Held:
    names = ("|x|", "|dx/dt|", "random networks")
    controls = tuple(ControlScore(name, 0.0, one, np.nan, np.nan) for name, one in zip(names, excess, strict=True))
    return Held("partly", "", 0.3, 0.2, controls)


def excess_of(held: Sequence[Held], draws: int = 200) -> Result:
    marked = [MarkedAgainst("R1", f"i{i}", f"P{i}", "both", "saliency", each) for i, each in enumerate(held)]
    found = {each.name: each for each in against_maps(Counting(draws, 0), marked)}
    return found["Excess over the best control"]


def test_the_best_control_is_one_control_of_all_maps():
    """By hand: means 0 and 0.1; the smaller of each map's two is -0.3 and would be their mean."""
    one = excess_of([above(0.3, -0.3, np.nan), above(-0.3, 0.5, np.nan)] * 5)
    assert one.estimate.value == pytest.approx(0.0)
    assert (one.n, one.estimate.n_patients) == (10, 10)


def test_a_map_that_is_as_good_as_its_controls_is_not_below_them():
    """Shares of map and controls are drawn alike: the mean of each map's own minimum lies far below 0."""
    shares = np.random.default_rng(0).normal(0.3, 0.1, (200, 4))
    apart = shares[:, :1] - shares[:, 1:]
    one = excess_of([above(*each) for each in apart])
    assert one.estimate.value == pytest.approx(apart.mean(axis=0).min())
    assert one.estimate.low < one.estimate.value < one.estimate.high
    assert one.estimate.high > 0 > apart.min(axis=1).mean() + 0.05


def test_the_best_control_is_chosen_anew_in_each_draw():
    """Both controls are as good as the map on average; in a draw one of them is better, as far as draws differ."""
    one = excess_of([above(1.0, -1.0, np.nan), above(-1.0, 1.0, np.nan)] * 20)
    assert one.estimate.value == one.estimate.high == 0
    assert one.estimate.low < -0.2


def test_a_map_without_controls_has_no_excess():
    one = excess_of([above(np.nan, np.nan, np.nan), Held("not assessable", "no cells")])
    assert (np.isnan(one.estimate.value), one.n) == (True, 0)
    assert excess_of([above(0.2, np.nan, np.nan), above(np.nan, np.nan, np.nan)]).n == 1
