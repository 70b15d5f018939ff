"""Scores are those of scikit-learn and of hand calculation, and their bootstrap is that of a plain loop."""

from dataclasses import asdict

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from ecgviz.training import metrics
from ecgviz.training.evaluate import report
from ecgviz.types.calibration import ScoreTable, how_often, wilson


def drawn(n: int, seed: int, *, labels: int = 3, digits: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return truths and probabilities that know something of them; few digits make many ties."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, labels)) < 0.3).astype(float)
    return y, np.round(np.clip(0.3 * y + 0.7 * rng.random((n, labels)), 0, 1), digits)


def plain_ece(y: np.ndarray, p: np.ndarray) -> float:
    total = 0.0
    for k in range(10):
        inside = [i for i in range(len(p)) if min(int(p[i] * 10), 9) == k]
        if inside:
            total += abs(sum(p[i] for i in inside) - sum(y[i] for i in inside))
    return total / len(p)


def plain_fmax(y: np.ndarray, p: np.ndarray) -> float:
    """Return the benchmark's F1 record by record, as its definition reads."""
    best = 0.0
    for threshold in (k / 9 for k in range(10)):
        precision, recall = [], []
        for truth, score in zip(y, p, strict=True):
            called, true = {*np.flatnonzero(score >= threshold)}, {*np.flatnonzero(truth)}
            if called:
                precision.append(len(called & true) / len(called))
            if true:
                recall.append(len(called & true) / len(true))
        if precision and np.mean(precision) + np.mean(recall) > 0:
            best = max(best, 2 * np.mean(precision) * np.mean(recall) / (np.mean(precision) + np.mean(recall)))
    return best


REFERENCE = {
    "auc": roc_auc_score,
    "auprc": average_precision_score,
    "accuracy": lambda y, p: float(((p >= 0.5) == (y > 0)).mean()),
    "ece": plain_ece,
    "brier": brier_score_loss,
}


@pytest.mark.parametrize("name", metrics.PER_LABEL)
@pytest.mark.parametrize("digits", [1, 12])
def test_scores_of_a_label_are_those_of_their_definition(name: str, digits: int) -> None:
    y, p = drawn(83, 1, digits=digits)
    found = metrics.by_label(metrics.PER_LABEL[name], y, p, np.ones((1, 83)))
    wanted = [REFERENCE[name](y[:, c], p[:, c]) for c in range(3)]
    np.testing.assert_allclose(found, [wanted], rtol=0, atol=1e-12)
    assert metrics.macro(found) == pytest.approx(np.mean(wanted))


@pytest.mark.parametrize("name", [*metrics.PER_LABEL, "fmax"])
def test_the_bootstrap_is_that_of_a_plain_loop_over_patients(name: str) -> None:
    y, p = drawn(60, 2)
    patient = [f"patient {i // 3}" if i < 30 else f"patient {i}" for i in range(60)]
    weights = metrics.patient_weights(patient, seed=5, draws=20)
    rng = np.random.default_rng(5)
    names = list(dict.fromkeys(patient))
    for draw in range(20):
        chosen = [i for k in rng.integers(40, size=40) for i in range(60) if patient[i] == names[k]]
        if name == "fmax":
            assert metrics.joint(y, p, weights)[draw] == pytest.approx(plain_fmax(y[chosen], p[chosen]), abs=1e-12)
            continue
        found = metrics.by_label(metrics.PER_LABEL[name], y, p, weights)[draw]
        wanted = [REFERENCE[name](y[chosen, c], p[chosen, c]) for c in range(3)]
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


def test_records_of_one_patient_are_drawn_together_and_patients_as_often_as_there_are() -> None:
    weights = metrics.patient_weights(["a", "b", "a", "c", "d", "e"], seed=0)
    assert weights.shape == (1000, 6)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, [0, 1, 3, 4, 5]].sum(axis=1), 5)
    assert weights.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("patient", [["a"] * 8, [*"aabbccdd"]])
def test_of_a_few_patients_there_is_a_score_and_no_interval(patient: list[str]) -> None:
    y, p = np.array([[0.0], [1.0]] * 4), np.array([[0.1], [0.8], [0.3], [0.2]] * 2)
    weights = metrics.patient_weights(patient, seed=0)
    assert weights.shape == (0, 8)
    assert metrics.joint(y, p, weights).shape == (0,)
    told = report(y, p, ("MI",), tuple(patient), seed=0)
    assert told["macro_auc"]["value"] == 0.75
    assert told["macro_auc"]["low"] is told["auc"]["MI"]["high"] is None


def test_areas_of_a_known_ranking() -> None:
    y, p = np.array([0.0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    weights = np.ones((1, 4))
    assert metrics.auc(y, p, weights) == pytest.approx(0.75)
    assert metrics.auprc(y, p, weights) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert metrics.auc(y, np.full(4, 0.3), weights) == 0.5
    assert metrics.auprc(y, np.full(4, 0.3), weights) == 0.5
    assert metrics.auc(y, 1 - y, weights) == 0


def test_fmax_of_a_known_case() -> None:
    # called from 2/9 on: {A, B} of {A}, {A} of {A}, nothing of {B}: precision (1/2 + 1) / 2, recall (1 + 1 + 0) / 3;
    # from 4/9 on: {A}, {A}, nothing: precision 1, recall 2/3, F1 0.8; at 0 everything is called: 2 * 0.5 / 1.5
    y = np.array([[1.0, 0], [1, 0], [0, 1]])
    p = np.array([[0.9, 0.3], [0.9, 0.0], [0.05, 0.1]])
    assert metrics.joint(y, p, np.ones((1, 3))) == pytest.approx(0.8)
    assert plain_fmax(y, p) == pytest.approx(0.8)


def test_a_draw_without_anybody_who_has_a_label_has_no_macro_score() -> None:
    """A mean over the labels that are left would be of another quantity than the one whose interval is asked."""
    y, p = drawn(40, 3)
    y[:, 1] = np.arange(40) == 5
    areas = metrics.by_label(metrics.auc, y, p, metrics.patient_weights(list(map(str, range(40))), seed=0, draws=200))
    absent = np.isnan(areas[:, 1])
    assert 0.2 < absent.mean() < 0.6
    means = metrics.macro(areas)
    assert (np.isnan(means) == absent).all()
    np.testing.assert_allclose(means[~absent], areas[~absent].mean(axis=1))


def test_one_class_alone_has_no_area() -> None:
    y, p = drawn(20, 3)
    y[:, 1] = 0
    weights = metrics.patient_weights(list(map(str, range(20))), seed=0, draws=30)
    areas = metrics.by_label(metrics.auc, y, p, weights)
    assert np.isnan(areas[:, 1]).all()
    assert np.isnan(metrics.by_label(metrics.auprc, y, p, weights)[:, 1]).all()
    np.testing.assert_allclose(metrics.macro(areas), areas[:, [0, 2]].mean(axis=1))
    absent = metrics.interval(np.nan, areas[:, 1])
    assert np.isnan([absent.value, absent.low, absent.high]).all()


@pytest.mark.parametrize("name", metrics.PER_LABEL)
def test_a_record_whose_label_is_not_known_counts_for_the_other_labels_only(name: str) -> None:
    y, p = drawn(50, 4)
    gaps = y.copy()
    gaps[:20, 1] = np.nan
    weights = metrics.patient_weights(list(map(str, range(50))), seed=1, draws=10)
    score = metrics.PER_LABEL[name]
    found, whole = metrics.by_label(score, gaps, p, weights), metrics.by_label(score, y, p, weights)
    np.testing.assert_array_equal(found[:, [0, 2]], whole[:, [0, 2]])
    np.testing.assert_array_equal(found[:, 1], score(y[20:, 1], p[20:, 1], weights[:, 20:].astype(float)))


def test_a_record_without_any_known_label_leaves_fmax_as_it_is() -> None:
    y, p = drawn(30, 5)
    more_y, more_p = np.vstack([y, np.full((5, 3), np.nan)]), np.vstack([p, np.ones((5, 3))])
    assert metrics.joint(more_y, more_p, np.ones((1, 35))) == metrics.joint(y, p, np.ones((1, 30)))


def test_intervals_hold_the_middle_95_percent() -> None:
    found = metrics.interval(0.5, np.r_[np.arange(1001) / 1000, np.nan])
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.025, 0.975))


def test_a_calibrated_network_has_a_small_error_and_a_boastful_one_a_large_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(float)
    weights = np.ones((1, 20_000))
    assert metrics.ece(y, p, weights) < 0.02
    assert metrics.ece(y, np.where(p > 0.5, 0.99, 0.01), weights) == pytest.approx(0.24, abs=0.01)
    for point in metrics.reliability(y, p):
        assert point.found == pytest.approx(point.promised, abs=0.05)
        assert point.low < point.found < point.high


def test_points_of_a_reliability_curve_are_counted_by_hand() -> None:
    curve = metrics.reliability(np.array([0.0, 1, np.nan, 1, 1]), np.array([0.12, 0.18, 0.15, 1.0, 0.95]))
    assert [(round(point.promised, 3), point.found, point.n) for point in curve] == [(0.15, 0.5, 2), (0.975, 1.0, 2)]
    assert (curve[1].low, curve[1].high) == wilson(2, 2)


def test_wilson_intervals_are_the_published_ones() -> None:
    # Newcombe, Stat Med 17:857 (1998), table I, method 3
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson(29, 29)[1] == 1
    assert wilson(0, 0) == (0, 1)


def test_a_table_of_scores_counts_what_lies_in_its_bins_and_survives_json() -> None:
    y, p = drawn(200, 6, labels=1, digits=12)
    table = metrics.score_table(p[:, 0], y[:, 0])
    assert table is not None
    assert table.n == (12, 13, 25, 50, 50, 25, 13, 12)
    assert sum(table.positives) == y.sum()
    for score in p[:, 0]:
        found = how_often(table, float(score))
        k = int(np.searchsorted(table.edges, score, side="right")) - 1
        inside = (p[:, 0] >= table.edges[k]) & (p[:, 0] < table.edges[k + 1])
        assert (found.rate, found.n) == (y[inside, 0].mean(), inside.sum())
        assert found.low < found.rate < found.high or found.rate in (0, 1)
    assert ScoreTable(**{name: list(part) for name, part in asdict(table).items()}) == table


def test_bins_hold_ten_records_or_more_and_no_tie_is_cut() -> None:
    rng = np.random.default_rng(7)
    for n in (10, 19, 25, 60, 85, 300):
        score = np.round(rng.random(n) ** 3, 1)
        table = metrics.score_table(score, (rng.random(n) < score).astype(float))
        assert sum(table.n) == n
        assert min(table.n) >= 10
        assert len(table.n) <= 10
        assert not set(table.edges[1:-1]) & set(score)
    touching = np.r_[np.linspace(0.1, 0.2, 20), np.full(11, np.nextafter(1, 0)), np.ones(12)]
    found = metrics.score_table(touching, np.ones(43))
    assert found is not None
    assert sum(found.n) == 43
    assert found.edges[-2] < np.nextafter(1, 0)
    same = metrics.score_table(np.full(40, 0.5), np.ones(40))
    assert (same.edges, same.n, same.positives) == ((0, 1), (40,), (40,))


def test_too_few_known_truths_make_no_table() -> None:
    assert metrics.score_table(np.linspace(0, 1, 9), np.ones(9)) is None
    y = np.r_[np.ones(9), np.full(30, np.nan)]
    assert metrics.score_table(np.linspace(0, 1, 39), y) is None


def test_the_ends_belong_to_the_table_and_nothing_else_does() -> None:
    table = ScoreTable((0, 0.4, 1), (10, 20), (1, 15))
    assert [how_often(table, p).rate for p in (0.0, 0.39, 0.4, 1.0)] == [0.1, 0.1, 0.75, 0.75]
    assert [how_often(table, p) for p in (-0.01, 1.01, float("nan"))] == [None] * 3


@pytest.mark.parametrize(
    ("edges", "n", "positives"),
    [((0, 1), (), ()), ((0, 0.5), (9,), (1,)), ((0, 0.6, 0.5, 1), (9, 9, 9), (1, 1, 1)), ((0, 1), (9,), (10,))],
)
def test_a_table_whose_parts_do_not_fit_is_refused(edges: tuple, n: tuple, positives: tuple) -> None:
    with pytest.raises(ValueError, match="score table"):
        ScoreTable(edges, n, positives)
