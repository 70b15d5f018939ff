"""How validation counts, on waves and values whose errors are known by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from ecgviz.teach.answers import Score, score
from ecgviz.teach.flaw import p_of_guessing
from ecgviz.types import Finding
from ecgviz.types.arrays import FloatArray
from ecgviz.validate.criteria import ANY, _Judged, _row
from ecgviz.validate.delineation import GLOBAL
from ecgviz.validate.delineation import _row as mark_row
from ecgviz.validate.matching import match
from ecgviz.validate.measurements import _row as value_row
from ecgviz.validate.measurements import marked_intervals_ms, snr_db


def waves(*at_s: float, half_s: float = 0.05) -> FloatArray:
    return np.array([[at - half_s, at, at + half_s] for at in at_s]).reshape(-1, 3)


def test_waves_are_one_up_to_150_ms_apart() -> None:
    marked = waves(1.0, 3.0)
    near, far = (match(waves(1.0 + off, 3.0), marked, (0.5, 3.5)) for off in (0.149, 0.151))
    assert (near.errors_s.shape[0], near.missed_s.size, near.extra_s.size) == (2, 0, 0)
    assert (far.errors_s.shape[0], far.missed_s.tolist(), far.extra_s.tolist()) == (1, [1.0], [1.151])
    np.testing.assert_allclose(near.errors_s, [[0, 0, 0], [0.149] * 3] if near.at_s[0] == 3 else [[0.149] * 3, [0] * 3])


def test_waves_beyond_either_end_of_what_was_annotated_are_no_extra_ones() -> None:
    found = match(waves(0.2, 1.0, 2.0, 4.0), waves(1.0), (0.9, 3.0))
    assert (found.missed_s.size, found.extra_s.tolist()) == (0, [2.0])


def test_a_row_counts_errors_found_minus_marked() -> None:
    marked = waves(*np.arange(1.0, 22.0))
    found = marked.copy()
    found[:, 0] += np.arange(21) / 1000  # onsets 0 to 20 ms late
    found[:, 2] -= 0.004
    found[10, 2] = np.nan  # one wave is found without its end
    matches = match(np.concatenate([found[1:], waves(1.5, 2.5)]), marked, (0.5, 22.0))
    on, off = (mark_row([matches], (GLOBAL, "it", "T", "onset"), column) for column in (0, 2))
    late = np.arange(1.0, 21.0)
    told = (on.mean_ms, on.sd_ms, on.mae_ms, on.p95_ms)
    assert told == pytest.approx((10.5, np.sqrt(np.square(late - 10.5).sum() / 19), 10.5, 19.05))
    assert (off.mean_ms, off.mae_ms) == pytest.approx((-4.0, 4.0))
    assert (on.n, on.n_marked, on.n_extra) == (20, 21, 2)
    assert (off.n, off.se_percent, off.ppv_percent) == (19, on.se_percent, on.ppv_percent)
    assert (on.se_percent, on.ppv_percent) == pytest.approx((100 * 20 / 21, 100 * 20 / 22))


def test_errors_of_measurements_are_counted_by_what_is_on_which_side() -> None:
    true = np.array([100.0, 100.0, 100.0, np.nan, np.nan, 100.0])
    found = np.array([104.0, 98.0, np.nan, 50.0, np.nan, 999.0])
    row = value_row("pr_ms", 500.0, "found marks", [(true, found, np.array([True] * 5 + [False]))], 20.0)
    assert (row.n, row.n_missing, row.n_extra, row.n_left_out) == (2, 1, 1, 1)
    assert (row.bias, row.mae, row.p95, row.unit) == (1.0, 3.0, pytest.approx(3.9), "ms")
    axis = (np.array([170.0, -175.0]), np.array([-178.0, 179.0]), np.ones(2, dtype=bool))
    turned = value_row("qrs_axis_deg", 500.0, "found marks", [axis], 20.0)
    assert (turned.bias, turned.mae) == (3.0, 9.0)  # 12 degrees one way, 6 the other


def test_noise_a_tenth_as_high_is_twenty_decibels_below() -> None:
    clean = np.tile([1.0, -1.0], (12, 50))
    case = SimpleNamespace(clean=SimpleNamespace(signal=clean), record=SimpleNamespace(signal=1.1 * clean))
    assert snr_db(case) == pytest.approx(20.0)  # type: ignore[arg-type]


def test_marked_intervals_are_of_waves_that_belong_to_the_beat() -> None:
    qrs = waves(1.0, 2.0, 3.0, 4.0)
    marked = {"QRS": qrs, "P": waves(0.8, 1.8, 2.8, 3.8), "T": waves(1.3, 2.3, 3.3)}
    assert marked_intervals_ms(marked)["qt_ms"] == pytest.approx(400)
    late = marked | {"T": waves(1.8, 2.8, half_s=0.01)}  # ends 860 ms after QRS onset: no T wave of these beats
    assert np.isnan(marked_intervals_ms(late)["qt_ms"])
    few = marked | {"P": waves(0.8), "T": waves(1.3, 2.3)}  # P of one beat in four, T of two
    told = marked_intervals_ms(few)
    assert (np.isnan(told["pr_ms"]), told["qt_ms"]) == (True, pytest.approx(400))
    fast = {"QRS": waves(1.0, 1.4, 1.8), "P": waves(0.95, half_s=0.02), "T": waves(1.2)}
    assert np.isnan(marked_intervals_ms(fast)["pr_ms"])  # a P wave before the QRS complex before is not theirs


def judged(stated: bool, state: str) -> _Judged:
    finding = Finding("AFIB", "atrial fibrillation", "d", state, "why", "source", ())
    return _Judged("it", {"AFIB": stated}, (finding,), "one")


def test_what_is_borderline_is_not_met_on_either_side() -> None:
    cases = [judged(False, state) for state in ("met", "not_met", "borderline", "borderline", "not_evaluable")]
    cases += [judged(True, state) for state in ("met", "borderline", "not_met", "met", "not_evaluable")]
    row = _row("AFIB", ANY, cases, 1)
    assert (row.specificity, row.sensitivity) == (3 / 4, 2 / 4)
    assert (row.open_negative, row.open_positive) == (1, 1)


def lessons(**excludes: tuple[str, ...]) -> dict:
    return {name: SimpleNamespace(excludes=tuple(others)) for name, others in excludes.items()}


@pytest.mark.parametrize(
    ("answered", "met", "outcome", "passed"),
    [
        (("a", "b"), (), "right", True),
        (("a", "b", "d"), ("d",), "right", True),
        (("a",), (), "partly right", False),
        (("a", "b", "d"), (), "partly right", False),
        (("d",), ("d",), "wrong", False),
        (("d",), (), "wrong", False),
        (("c",), (), "contradictory", False),
        ((), (), "missed", False),
    ],
)
def test_an_answer_is_what_it_holds(
    answered: tuple[str, ...], met: tuple[str, ...], outcome: str, passed: bool
) -> None:
    told = score(answered, ("a", "b"), met, lessons(a=("c",), b=(), c=("a",), d=()))
    assert (told.outcome, told.passed) == (outcome, passed)
    assert isinstance(told, Score)


def test_guessing_gets_nine_or_ten_of_ten_right_in_eleven_of_1024() -> None:
    assert p_of_guessing(9, 10) == pytest.approx(11 / 1024)
    assert p_of_guessing(0, 10) == 1.0
    assert p_of_guessing(1, 10) == pytest.approx(1023 / 1024)
