"""What the simulator promises of its records, and how validation counts patients: numbers worked out beside them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgviz.checkpoint import Model
from ecgviz.cli import main
from ecgviz.edit import remove_p
from ecgviz.errors import SimulationError
from ecgviz.simulate import Simulation, simulate
from ecgviz.types import Finding, Record
from ecgviz.types.calibration import wilson
from ecgviz.validate import criteria
from ecgviz.validate.criteria import ANY, CriteriaScore, _Judged, _row, rate_of
from ecgviz.validate.explanations import run_bench
from tests.toys import LEADS, SPEC, Linear, even_beats, toy_model

METHOD = ("input_x_gradient",)


@pytest.fixture(scope="module")
def af() -> Simulation:
    return simulate("af", seed=15, fs=500.0, duration_s=10.0)


def cv(made: Simulation) -> float:
    rr = np.diff(made.truth.beats.qrs_on)
    return float(rr.std() / rr.mean())


# Patients whose first draw of RR intervals is regular; the shorter the record, the more there are.
@pytest.mark.parametrize(
    ("duration_s", "seeds"),
    [(2.0, range(12)), (2.5, range(12)), (3.0, (6, 9, 11, 16)), (4.0, (64, 78, 97)), (5.0, (30, 92))],
)
def test_the_shortest_fibrillation_is_irregular_too(duration_s: float, seeds: Iterable[int]) -> None:
    for seed in seeds:
        made = simulate("af", seed=seed, fs=100.0, duration_s=duration_s)
        assert made.truth.meets
        assert len(made.truth.beats) >= 3
        assert cv(made) >= 0.10


def test_slow_fibrillation_is_irregular_too() -> None:
    made = [simulate("af", seed=seed, fs=100.0, duration_s=6.0, heart_rate_bpm=45.0) for seed in range(20)]
    assert all(each.truth.meets for each in made)
    assert min(cv(each) for each in made) >= 0.10


def test_no_fibrillation_is_simulated_where_one_interval_is_all_there_is_room_for() -> None:
    # At 62 bpm two intervals are 1.94 s, and the last QRS complex does not end within 2 s.
    with pytest.raises(SimulationError, match="2 s at 62 beats a minute are too short for two RR intervals"):
        simulate("af", seed=1, fs=100.0, duration_s=2.0, heart_rate_bpm=62.0)
    assert simulate("af", seed=1, fs=100.0, duration_s=2.0, heart_rate_bpm=70.0).truth.meets


def test_the_corrected_qt_of_fibrillation_goes_by_the_records_own_rate(af: Simulation) -> None:
    values = af.truth.values
    rr_s = np.diff(af.truth.beats.r_s).mean()
    assert values["rr_mean_ms"] == pytest.approx(1000 * rr_s)
    assert values["qtc_bazett_ms"] == pytest.approx(values["qt_ms"] / rr_s**0.5)
    assert values["qtc_fridericia_ms"] == pytest.approx(values["qt_ms"] / rr_s ** (1 / 3))


def test_fibrillation_has_no_p_wave_to_measure_and_its_twin_has(af: Simulation) -> None:
    truth = af.truth
    for name in ("p_ms", "pr_ms", "p_axis_deg", "ptf_v1_mv_ms"):
        assert np.isnan(truth.values[name]), name
        assert np.isfinite(truth.twin_values[name]), name
    assert np.isnan(truth.per_lead["p_mv"]).all()
    assert np.isfinite(truth.twin_per_lead["p_mv"]).all()
    assert np.isfinite(truth.per_lead["r_mv"]).all()


def test_what_is_written_below_its_limits_is_said_to_be(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def told(severity: str) -> str:
        asked = ["simulate", "lvh", "--fs", "100", "--severity", severity, "--out", str(tmp_path / "x.npz")]
        assert main(asked) == 0
        return capsys.readouterr().out

    below = "stays below the published limits of lvh"
    assert below in told("0.4")
    assert below not in told("1")


@pytest.mark.parametrize(
    ("n_lone", "ends"), [(0, " beats"), (1, "; 1 without a QRS complex stays"), (2, "2 without a QRS complex stay")]
)
def test_p_waves_without_a_qrs_complex_stay_and_are_counted(n_lone: int, ends: str) -> None:
    record = Record(np.tile(0.5 * np.sin(np.arange(1000) / 70), (12, 1)), 100.0, LEADS, id="slow")
    lone_s = np.array([8.5, 9.3])[:n_lone]
    edited = remove_p(record, replace(even_beats(8), extra_p_s=lone_s))
    assert edited.sentence.startswith("altered: P waves removed in 8 of 8 beats")
    assert edited.sentence.endswith(ends)
    np.testing.assert_array_equal(edited.beats.extra_p_s, lone_s)


def judged(patient: str, stated: bool, state: str) -> _Judged:
    finding = Finding("AFLT", "atrial flutter", "d", state, "why", "source", ())
    return _Judged("it", {"AFLT": stated}, (finding,), patient)


def test_recordings_of_one_patient_are_one_witness() -> None:
    fives = [f"p{k}" for k in range(6) for _ in range(5)]
    assert rate_of(15, fives) == pytest.approx((0.5, *wilson(3, 6)))  # as six recordings, not thirty
    alone = [f"p{k}" for k in range(30)]
    assert rate_of(15, alone) == pytest.approx((0.5, *wilson(15, 30)))
    # Nine recordings of one and one of another: 10^2 / (9^2 + 1^2) recordings.
    rate, low, high = rate_of(10, ["a"] * 9 + ["b"])
    assert (rate, low, high) == pytest.approx((1.0, wilson(100 / 82, 100 / 82)[0], 1.0))


def test_no_rate_is_told_of_five_recordings_of_one_patient() -> None:
    flutter = [judged("one", True, "met") for _ in range(5)]
    others = [judged(f"p{k}", False, "not_met") for k in range(5)]
    row = _row("AFLT", ANY, [*flutter, *others], 5)
    assert (row.n_positive, row.patients_positive, row.n_negative, row.patients_negative) == (5, 1, 5, 5)
    assert np.isnan([row.sensitivity, row.sensitivity_low, row.sensitivity_high]).all()
    assert (row.specificity, row.specificity_low) == (1.0, wilson(5, 5)[0])
    undecided = [judged(f"q{k}", True, "not_evaluable") for k in range(4)]  # who could not be judged tells no rate
    row = _row("AFLT", ANY, [*flutter, *undecided, *others], 5)
    assert (row.patients_positive, row.open_positive, np.isnan(row.sensitivity)) == (5, 4, True)
    few = _row("AFLT", ANY, [judged(f"q{k}", True, "met") for k in range(5)] + others[:4], 5)
    assert (few.sensitivity, np.isnan(few.specificity)) == (1.0, True)


@pytest.mark.data
def test_a_statement_of_one_patient_of_ptb_xl_is_not_scored(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = criteria.ptbxl.read_table(data_dir / "ptbxl")
    flutter = [row for row in table.values() if "AFLT" in row.scp_codes]
    assert (len(flutter), len({row.patient_id for row in flutter})) == (5, 1)
    normal = [row for row in table.values() if row.scp_codes.get("NORM") == 100.0][:6]
    rows = {row.ecg_id: row for row in (*flutter, *normal)}
    monkeypatch.setattr(criteria.ptbxl, "read_table", lambda folder: rows)
    found = criteria.score([data_dir / "ptbxl"])
    assert found.n_records == 11
    scored = {row.criterion for row in found.rows}
    assert "AFLT" not in scored
    assert "NORM" in scored


def test_the_table_of_criteria_shows_patients(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    row = _row("AFLT", ANY, [judged(f"p{k // 2}", k < 14, "met") for k in range(37)], 5)
    monkeypatch.setattr(criteria, "score", lambda *asked, **more: CriteriaScore(37, (row,), ()))
    assert main(["validate", "criteria", "anywhere"]) == 0
    out = capsys.readouterr().out
    cells = [cell.strip() for line in out.splitlines() if "AFLT" in line for cell in line.split("│")][1:-1]
    assert cells[:6] == ["AFLT", ANY, "14", "7", "0", "1.00"]
    assert cells[7:10] == ["23", "12", "0"]  # recordings 15 to 37; of patients 8 to 19


def reads(leads: tuple[str, ...], fs: float, duration_s: float, *labels: str) -> Model:
    """Return a linear network of such an input."""
    spec = replace(SPEC, leads=leads, fs=fs, duration_s=duration_s)
    net = Linear(np.full((len(labels), len(leads), spec.n_samples), 1e-3), (0.0,) * len(labels))
    return toy_model(net, labels=labels, spec=spec, net_name="toy_linear")


def benched(tmp_path: Path, *models: Model, findings: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    parts, left_out = run_bench(models, tmp_path, methods=METHOD, findings=findings, records=1)
    return [part.finding for part in parts], left_out


def test_a_network_of_other_leads_is_left_out_and_the_rest_is_scored(tmp_path: Path) -> None:
    models = reads(("MLII", "V5"), 100.0, 10.0, "CLBBB"), reads(("II", "V5"), 100.0, 10.0, "CLBBB")
    found, left_out = benched(tmp_path, *models, findings=("lbbb",))
    assert (found, left_out) == (["lbbb"], ["toy: no heart is simulated in lead MLII"])


def test_a_network_whose_rate_is_not_simulated_is_left_out_once(tmp_path: Path) -> None:
    found, left_out = benched(tmp_path, reads(LEADS, 50.0, 10.0, "CLBBB", "PVC"), findings=("lbbb", "pvc"))
    assert found == []
    assert left_out == ["toy: simulate normal: a rate in Hz of 50 is outside 100 to 1000"]


def test_a_finding_that_is_too_long_for_a_network_costs_no_other(tmp_path: Path) -> None:
    model = reads(LEADS, 100.0, 2.5, "PVC", "CLBBB")
    found, left_out = benched(tmp_path, model, findings=("pvc", "lbbb"))
    assert found == ["lbbb"]
    assert left_out == ["toy: simulate pvc: 2.5 s at this heart rate are too short for an ectopic beat"]


def test_the_command_ends_with_one_line_where_no_network_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecgviz.checkpoint.load_model", lambda name: reads(("MLII", "V5"), 100.0, 10.0, "CLBBB"))
    arguments = ["--model", "holter", "--method", METHOD[0], "--finding", "lbbb", "--out", str(tmp_path)]
    assert main(["validate", "explanations", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.endswith("nothing is left to score: toy: no heart is simulated in lead MLII")
