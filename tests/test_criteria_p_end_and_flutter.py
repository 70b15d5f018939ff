"""The negative end of P, a pure R in V1, and flutter in step with the beats: what each source asks for."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate
from ecgviz.measure import measure
from ecgviz.measure.atrial_activity import in_step
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.types import Finding
from tests.criteria_subjects import beats, measurements
from tests.toys import even_beats


def _find(criterion: str, definition: str, measured, **patient) -> Finding:
    asked = {"age_years": 60, "sex": "male"} | patient
    found = evaluate(criterion, measured, beats(), **asked)
    return next(each for each in found if each.definition == definition)


@pytest.mark.parametrize(
    ("depth_mv", "lasts_ms", "state"),
    [(0.12, 50, "met"), (0.08, 80, "not_met"), (0.2, 25, "not_met"), (0.05, 120, "not_met"), (0.105, 60, "borderline")],
)
def test_the_negative_end_of_p_needs_its_depth_and_its_duration(depth_mv, lasts_ms, state):
    end = {"p_end_mv": {"V1": depth_mv}, "p_end_ms": {"V1": float(lasts_ms)}}
    force = {"ptf_v1_mv_ms": depth_mv * lasts_ms}
    wide = {"p_width_ms": {"I": 140.0, "II": 140.0}}
    assert _find("LAO/LAE", "athletes2017", measurements(force, end | wide)).state == state
    assert _find("LAO/LAE", "athletes2017", measurements(force, end)).state == "not_met"
    by_force = _find("LAO/LAE", "p_terminal_force", measurements(force, end)).state
    assert by_force == ("met" if depth_mv * lasts_ms > 4.5 else "not_met")
    points = measurements({"qrs_ms": 95.1} | force, end | {"r_mv": {"V5": 3.4}})
    definite = _find("LVH", "romhilt_estes", points).state
    assert (definite == "met") == (state == "met")
    assert (definite == "not_met") == (state == "not_met")


@pytest.mark.parametrize(("definition", "qrs_ms"), [("CRBBB", 140.0), ("IRBBB", 115.0)])
def test_a_pure_r_in_v1_is_right_bundle_branch_block_only_when_it_peaks_late(definition, qrs_ms):
    late_s = {"s_ms": {"I": 60.0, "V6": 60.0}}
    pure = {"r_mv": {"V1": 0.8}, "q_mv": {"V1": 0.0}, "s_mv": {"V1": 0.0}}

    def state(r_peak_ms: float, shape: str = "R", **more) -> str:
        table = late_s | pure | {"r_peak_ms": {"V1": r_peak_ms}} | more
        return _find(definition, "aha2009", measurements({"qrs_ms": qrs_ms}, table, patterns={"V1": shape})).state

    assert state(70.0) == "met"
    assert state(35.0) == "not_met"
    assert state(35.0, "qR", q_mv={"V1": 0.1}) == "met"
    assert state(35.0, "rsR'", s_mv={"V1": 0.3}, r2_mv={"V1": 0.5}) == "met"


def _even(bpm: float, spread_ms: float = 0.0, without_p: bool = False):
    made = even_beats(9, rr_s=60 / bpm, qrs_s=0.08, without_p=range(9) if without_p else ())
    shift = spread_ms / 1000 * np.resize([1, -1], 9)
    marks = {name: getattr(made, name) + shift for name in ("r_s", "p_on", "p_off", "qrs_on", "qrs_off")}
    return replace(made, **marks)


def test_waves_in_step_with_the_beats_are_not_said_to_be_absent():
    assert "2 to 1" in in_step(_even(150))
    assert "no P wave" in in_step(_even(75, without_p=True))
    assert in_step(_even(75)) == ""
    assert in_step(_even(150, spread_ms=20)) == ""
    hidden = measurements({"f_mv": np.nan, "f_rate_hz": np.nan, "f_regularity": np.nan})
    assert _find("AFLT", "acc2015", hidden).state == "not_evaluable"
    assert _find("AFLT", "acc2015", measurements()).state == "not_met"


@pytest.mark.data
@pytest.mark.parametrize("record_id", [20, 23, 34])
def test_real_flutter_with_2_to_1_conduction_is_not_said_to_be_absent(data_dir, record_id):
    (path,) = (data_dir / "ptbxl" / "records500").glob(f"*/{record_id:05d}_hr.hea")
    record = condition(load_record(path))
    found = delineate(record)
    flutter = evaluate("AFLT", measure(record, found), found, age_years=record.age_years, sex=record.sex)
    assert {one.definition for one in flutter} == {"acc2015", "acc2015_up_to_300"}
    assert {one.state for one in flutter} == {"not_evaluable"}
    assert all("in step with the beats" in one.why for one in flutter)


WAVES = {"f_mv": 0.12, "f_regularity": 0.7, "f_rate_hz": 4.6, "nrmssd": 0.25, "p_fraction": 0.0}
"""Regular atrial waves at 276 a minute, with an irregular pulse."""


def test_flutter_with_an_irregular_pulse_is_no_fibrillation():
    found = _find("AFIB", "esc2020", measurements(WAVES))
    assert _find("AFLT", "acc2015", measurements(WAVES)).state == "met"
    assert found.state == "not_evaluable"
    assert "there is atrial flutter by acc2015_up_to_300" in found.why


@pytest.mark.parametrize(
    "change",
    [
        {"f_regularity": 0.4},
        {"f_mv": 0.02, "f_rate_hz": np.nan, "f_regularity": np.nan},
        {"f_mv": np.nan, "f_rate_hz": np.nan, "f_regularity": np.nan},
        {"f_rate_hz": 6.6},
        {"f_rate_hz": 5.4},
        {"f_rate_hz": 5.0},
    ],
    ids=["irregular waves", "none seen", "no lead to see them in", "too fast", "in the overlap", "at its end"],
)
def test_fibrillation_stays_where_flutter_is_not_sure(change):
    assert _find("AFIB", "esc2020", measurements(WAVES | change)).state == "met"


def test_the_overlap_of_flutter_and_fibrillation_meets_both_and_is_told():
    both = measurements(WAVES | {"f_rate_hz": 5.4})
    assert _find("AFLT", "acc2015", both).state == "met"
    assert _find("AFLT", "acc2015_up_to_300", both).state == "not_met"
    open_one = _find("AFIB", "esc2020", measurements(WAVES | {"f_rate_hz": 5.0}))
    assert any("open whether there is atrial flutter" in caveat for caveat in open_one.caveats)


TERRITORIES = {
    **{"AMI": "V3 V4", "ASMI": "V1 V2", "ALMI": "V4 V5", "LMI": "I aVL", "IMI": "II III aVF"},
    **{"ILMI": "II III aVF V6", "IPMI": "II III aVF", "IPLMI": "II III aVF V6"},
}


@pytest.mark.parametrize("name", [*TERRITORIES, "PMI"])
def test_st_is_not_read_in_flutter_and_q_waves_are(name):
    leads = TERRITORIES.get(name, "").split()
    table = {
        "j_mv": dict.fromkeys(leads, 0.4)
        | ({} if name in ("AMI", "ASMI") else dict.fromkeys(("V1", "V2", "V3"), -0.2)),
        "q_ms": dict.fromkeys(("II", "aVF", "V3", "V4", "V5", "V6", "I", "aVL"), 60.0),
        "q_mv": dict.fromkeys(("II", "aVF", "V3", "V4", "V5", "V6", "I", "aVL"), 0.5),
        "r_ms": {"V1": 48.0, "V2": 48.0},
        "r_mv": {"V1": 0.9, "V2": 0.9},
        "s_mv": {"V1": 0.4, "V2": 0.4},
        "t_mv": {"V1": 0.4, "V2": 0.4},
    }
    acute = "acute_acc2022" if name == "PMI" else "acute_udmi2018"
    hidden = {"f_mv": np.nan, "f_rate_hz": np.nan, "f_regularity": np.nan}
    assert _find(name, acute, measurements(per_lead=table)).state == "met"
    assert _find(name, acute, measurements(WAVES | {"f_rate_hz": 6.6}, table)).state == "met"
    for values, said in ((WAVES, "there is atrial flutter"), (hidden, "it is open whether there is atrial flutter")):
        found = _find(name, acute, measurements(values, table))
        assert found.state == "not_evaluable"
        assert said in found.why
        assert _find(name, "prior_udmi2018", measurements(values, table)).state == "met"
