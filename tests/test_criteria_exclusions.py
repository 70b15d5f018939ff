"""What bars what: bundle branch block by shape and width, pre-excitation, and everything that is no normal ECG."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import catalogue, entry, evaluate, evaluate_all, load
from ecgviz.criteria.judged import Patient
from ecgviz.criteria.regions import canvas
from ecgviz.criteria.session import Session
from ecgviz.errors import CriteriaError
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Finding, Measurements
from tests.criteria_subjects import beats, measurements
from tests.test_criteria_files import write

WIDE_AND_LATE = {"qrs_width_ms": dict.fromkeys(("I", "II", "aVL"), 138.0), "r_peak_ms": {"aVL": 75.0}}
"""All that the Minnesota Code asks of left bundle branch block."""
NOTCHED = {"notch": dict.fromkeys(("I", "aVL", "V5", "V6"), 1.0)}
UPRIGHT_AND_UP = {"j_mv": {"V5": 0.2, "V6": 0.2}, "qrs_area_mv_ms": {"V5": 60.0, "V6": 60.0}}
DELTA = {"delta_fraction": dict.fromkeys(("I", "II", "V2", "V3", "V4", "V5"), 0.8)}
NEGATIVE_V1 = {"V1": "rS", "V2": "rS"}
NOTES = {
    *("SR", "SBRAD", "STACH", "SARRH", "BRADY"),
    *("LAD", "RAD", "PRWP", "HVOLT", "ERE", "QWAVE"),
    *("PVC", "PAC", "PRC(S)"),
}
"""Rates, axes, words for a shape and single premature beats, which leave an ECG normal where nothing else is met.

Of Q waves, NORM asks for those of the universal definition of infarction itself.
"""


def states(measured: Measurements, on: Beats | None = None, folder: Path | None = None) -> dict[str, str]:
    found = evaluate_all(measured, on or beats(), age_years=50, sex="male", folder=folder)
    return {f"{finding.criterion}/{finding.definition}": finding.state for finding in found}


def test_width_and_a_late_r_wave_alone_are_a_verdict_that_bars_nothing() -> None:
    table = WIDE_AND_LATE | {"j_mv": {"V2": 0.3, "V3": 0.3, "V5": 0.2, "V6": 0.2}, "r_mv": {"aVL": 1.4}}
    table |= {"qrs_area_mv_ms": UPRIGHT_AND_UP["qrs_area_mv_ms"]}
    found = states(measurements({"qrs_ms": 133.0}, table, patterns={"V1": "QS", "V2": "rS"}))
    of_block = {key: state for key, state in found.items() if key.startswith("CLBBB/")}
    assert {key for key, state in of_block.items() if state == "met"} == {"CLBBB/minnesota_7_1"}
    assert {state for key, state in found.items() if key.startswith("MI_LBBB/")} == {"not_met"}
    assert found["AMI/minnesota_1_1"] == "not_met"
    assert found["ASMI/acute_udmi2018"] == found["LVH/r_avl"] == found["IVCD/aha2009"] == "met"
    assert found["BBB/either_side"] == "not_met"


def test_width_and_shape_bar_what_does_not_hold_beside_the_block() -> None:
    table = NOTCHED | UPRIGHT_AND_UP | {"r_peak_ms": dict.fromkeys(("V5", "V6"), 84.0)}
    measured = measurements({"qrs_ms": 155.0}, table, patterns=NEGATIVE_V1)
    found = states(measured)
    assert found["ASMI/acute_udmi2018"] == found["LVH/r_avl"] == "not_evaluable"
    assert found["MI_LBBB/sgarbossa_acc2022"] == found["BBB/either_side"] == "met"
    late = states(measurements({"qrs_ms": 155.0}, table | WIDE_AND_LATE, patterns=NEGATIVE_V1))
    assert late["CLBBB/minnesota_7_1"] == "met"
    why = next(f.why for f in evaluate("LVH", measured, beats(), age_years=50, sex="male") if f.definition == "r_avl")
    assert "minnesota" not in why


@pytest.mark.parametrize("number", [34, 282, 461])
def test_recordings_that_only_the_minnesota_code_calls_blocked_are_judged(number: int, data_dir: Path) -> None:
    """Flutter, hypertrophy with an incomplete block, and pre-excitation, each with a QRS near 130 ms."""
    record = condition(load_record(data_dir / "ptbxl" / "records500" / "00000" / f"{number:05d}_hr.hea"))
    on = delineate(record)
    found = evaluate_all(measure(record, on), on, age_years=record.age_years, sex=record.sex)
    blocked = [f.definition for f in found if f.criterion == "CLBBB" and f.state == "met"]
    assert blocked == ["minnesota_7_1"]
    assert not [f.why for f in found if f.why.startswith("not evaluable: there is complete left bundle branch block")]
    assert not [f.definition for f in found if f.criterion == "MI_LBBB" and f.state == "met"]


def test_pre_excitation_bars_the_rules_beside_left_bundle_branch_block() -> None:
    table = NOTCHED | UPRIGHT_AND_UP | DELTA
    measured = measurements({"qrs_ms": 140.0, "pr_ms": 100.0}, table, patterns=NEGATIVE_V1)
    found = [f for f in evaluate("MI_LBBB", measured, beats(), age_years=50, sex="male") if f.criterion == "MI_LBBB"]
    assert {f.state for f in found} == {"not_evaluable"}
    assert all("there is ventricular pre-excitation" in f.why for f in found)


def test_a_block_that_is_missed_by_a_millisecond_bars_like_one_that_is_there() -> None:
    table = {"notch": {"V5": 1.0, "V6": 1.0}, "q_mv": {"V5": 0.1}, "j_mv": {"V2": 0.3, "V3": 0.3}, "r_mv": {"aVL": 1.4}}
    measured = measurements({"qrs_ms": 139.0}, table, patterns=NEGATIVE_V1)
    found = states(measured)
    assert found["CLBBB/strauss2011"] == "borderline"
    assert found["ASMI/acute_udmi2018"] == found["LVH/r_avl"] == found["STE_/udmi2018"] == "not_evaluable"
    why = next(f.why for f in evaluate("STE_", measured, beats(), age_years=50, sex="male"))
    assert "it is open whether there is complete left bundle branch block: QRS" in why


def test_right_bundle_branch_block_leaves_no_anterior_ischaemia_to_read() -> None:
    table = {"t_mv": dict.fromkeys(("V1", "V2", "V3"), -0.3), "r_mv": dict.fromkeys(("V1", "V2", "V3"), 1.3)}
    table |= {"s_ms": dict.fromkeys(("I", "V6"), 60.0), "r_ms": dict.fromkeys(("I", "V6"), 40.0)}
    narrow = states(measurements({}, table))
    wide = states(measurements({"qrs_ms": 150.0}, table, patterns={"V1": "rsR'", "V2": "rsR'"}))
    assert narrow["ISCAN/t_inversion_udmi2018"] == narrow["ISCAS/t_inversion_udmi2018"] == "met"
    assert wide["CRBBB/aha2009"] == "met"
    assert wide["ISCAN/t_inversion_udmi2018"] == wide["ISCAS/t_inversion_udmi2018"] == "not_evaluable"
    assert wide["INJAS/udmi2018"] == "not_evaluable"
    assert narrow["ISC_/t_inversion_udmi2018"] == "met"
    assert {state for key, state in wide.items() if key.startswith("ISC_/")} == {"not_evaluable"}
    lateral = table | {"j_mv": dict.fromkeys(("V5", "V6"), -0.2)}
    assert (
        states(measurements({"qrs_ms": 150.0}, lateral, patterns={"V1": "rsR'"}))["ISCLA/st_depression_udmi2018"]
        == "met"
    )


@pytest.mark.parametrize("name", ["ISC_", "ISCAL", "ISCLA", "ISCIL", "INJAL", "INJLA", "INJIL"])
def test_lateral_st_and_t_are_told_to_be_secondary_beside_hypertrophy_with_strain(name: str) -> None:
    assert any("without left ventricular hypertrophy" in caveat for caveat in entry(name).caveats)


@pytest.mark.parametrize("number", [20, 23])
def test_st_t_and_qt_are_not_read_where_it_is_open_whether_the_atria_flutter(number: int, data_dir: Path) -> None:
    record = condition(load_record(data_dir / "ptbxl" / "records100" / "00000" / f"{number:05d}_lr.hea"))
    on = delineate(record)
    found = evaluate_all(measure(record, on), on, age_years=record.age_years, sex=record.sex)
    read = [f for f in found if f.criterion.startswith(("ISC", "INJ", "STD_", "STE_", "INVT", "LNGQT"))]
    assert {f.state for f in read} == {"not_evaluable"}
    assert any("atrial flutter" in f.why for f in read)


def test_beside_complete_block_no_lesser_one_is_met() -> None:
    r = np.arange(0.9, 10.0, 1.5)
    p = np.arange(0.1, 10.5, 0.7)
    qrs = r - 0.045
    own = np.array([max((each for each in p if on - 0.45 < each < on - 0.06), default=np.nan) for on in qrs])
    extra = np.array([each + 0.05 for each in p if each not in own and qrs[0] < each < qrs[-1]])
    on = Beats(
        r_s=r,
        p_on=own,
        p_off=own + 0.1,
        qrs_on=qrs,
        qrs_off=r + 0.045,
        t_on=r + 0.16,
        t_off=r + 0.36,
        kind=("normal",) * len(r),
        duration_s=10.5,
        leads=STANDARD_LEADS,
        extra_p_s=extra,
    )
    values = {"rate_bpm": 40.0, "pr_ms": float(np.nanmedian(1000 * (qrs - own))), "nrmssd": 0.0}
    found = states(measurements(values | {"p_fraction": float(np.isfinite(own).mean())}), on)
    assert found["3AVB/unrelated"] == "met"
    assert {state for key, state in found.items() if key.startswith(("1AVB", "2AVB", "LPR"))} == {"not_evaluable"}


def test_the_mirror_of_a_posterior_q_wave_is_asked_of_both_leads() -> None:
    tall = {"r_mv": 1.2, "s_mv": 0.5, "r_ms": 50.0, "t_mv": 0.4}
    one = states(measurements({}, {name: {"V2": value} for name, value in tall.items()}))
    both = states(measurements({}, {name: {"V1": value, "V2": value} for name, value in tall.items()}))
    assert (one["PMI/prior_udmi2018"], both["PMI/prior_udmi2018"]) == ("not_met", "met")


def healthy_session(folder: Path | None = None) -> Session:
    on = beats()
    patient = Patient(measurements(), 50.0, "male", on)
    return Session(load(folder), patient, on, canvas(patient.measured.leads, on))


def normal_beside(name: str, definition: str) -> Finding:
    """Return the verdict on NORM of a healthy adult in whom one definition of an entry were met all the same."""
    session = healthy_session()
    findings = session.findings(session.known.entries[name])
    session = healthy_session()
    session.settled[name] = tuple(replace(f, state="met" if f.definition == definition else f.state) for f in findings)
    (found,) = session.findings(session.known.entries["NORM"])
    return found


@pytest.mark.parametrize("one", [one for one in catalogue() if one.id != "NORM"], ids=lambda one: one.id)
def test_each_definition_of_each_diagnosis_excludes_a_normal_ecg(one: Any) -> None:
    for definition in one.definitions:
        found = normal_beside(one.id, definition.key)
        excludes = one.id not in NOTES or (one.id, definition.key) == ("PVC", "athletes2017")
        assert found.state == ("not_met" if excludes else "met"), definition.key
        assert (f"there is {one.name} by {definition.key}" in found.why) == (one.id not in NOTES)


def test_a_diagnosis_of_ptbxl_makes_an_ecg_abnormal_and_every_other_entry_says_whether_it_does() -> None:
    for one in catalogue():
        if one.maps.superclass is None:
            assert one.abnormal is not None, one.id
        else:
            assert one.abnormal is None
            assert one.makes_abnormal == (one.id != "NORM")
    assert {one.id for one in catalogue() if not one.makes_abnormal} == NOTES | {"NORM"}


def test_what_is_borderline_or_open_leaves_an_ecg_normal() -> None:
    found = states(measurements(per_lead={"r_mv": {"aVL": 1.09}}))
    assert found["LVH/r_avl"] == "borderline"
    assert found["NST_/small_shift"] == "not_evaluable"
    assert found["NORM/adult"] == "met"


def test_a_rule_on_another_entry_names_the_definition_that_it_asks() -> None:
    """Not "LVH not met" of a recording in which another definition of it is."""
    strain = {"t_mv": {"V5": -0.3, "V6": -0.3}, "j_mv": {"V5": -0.15, "V6": -0.15}}
    tall = measurements(per_lead={"r_mv": {"V5": 2.6}, "s_mv": {"V1": 1.8}} | strain)
    (found,) = evaluate("VCLVH", tall, beats(), age_years=50, sex="male")
    assert found.state == "not_met"
    assert found.why.startswith("excluded, since ")
    assert "LVH by" not in found.why
    upright = measurements(per_lead={"r_mv": {"V5": 2.6}, "s_mv": {"V1": 1.8}})
    (found,) = evaluate("VCLVH", upright, beats(), age_years=50, sex="male")
    assert found.why.startswith("LVH by sokolow_lyon is met")


@pytest.mark.parametrize(
    ("change", "noted"),
    [
        ({"rate_bpm": 105.0}, "of note: rate 105 bpm not <= 100 bpm (-5)"),
        ({"rate_bpm": 52.0}, "of note: rate 52 bpm not >= 60 bpm (-8)"),
        ({}, ""),
    ],
)
def test_what_is_a_note_is_told_where_it_does_not_hold(change: dict[str, float], noted: str) -> None:
    """And the side of a two-sided limit that holds is none, beside the one that does not."""
    (found,) = evaluate("NORM", measurements(change), beats(), age_years=50, sex="male")
    assert found.state == "met"
    said = [phrase for phrase in found.why.partition(": met (")[0].split("; ") if "bpm" in phrase]
    assert said == ([noted] if noted else [])


def test_a_normal_ecg_says_what_else_was_found() -> None:
    wide_p = measurements({"p_ms": 140.0})
    (found,) = evaluate("NORM", wide_p, beats(), age_years=50, sex="male")
    assert found.why == (
        "excluded, since there is left atrial overload or enlargement by partial_interatrial_block: "
        "not met (proposal of this project)"
    )


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"maps": {"superclass": "HYP"}}, "not_met"),
        ({"maps": {}}, "met"),
        ({"maps": {}, "abnormal": True}, "not_met"),
        ({"maps": {"superclass": "HYP"}, "abnormal": False}, "met"),
    ],
)
def test_a_users_own_diagnosis_excludes_a_normal_ecg_too(tmp_path: Path, change: dict[str, Any], state: str) -> None:
    folder = write(tmp_path, rule={"op": ">", "text": "PR above 110 ms"}, **change)
    found = states(measurements(), folder=folder)
    assert found["SHORT_PR/ours"] == "met"
    assert found["NORM/adult"] == state


def test_an_own_diagnosis_that_waits_for_a_normal_ecg_is_refused_unless_it_is_no_abnormality(tmp_path: Path) -> None:
    circle = r"the entries wait for each other: NORM -> SHORT_PR -> NORM"
    with pytest.raises(CriteriaError, match=circle):
        load(write(tmp_path, maps={"superclass": "CD"}, blocked_by=["NORM"]))
    assert load(write(tmp_path, maps={"superclass": "CD"}, blocked_by=["NORM"], abnormal=False))


def test_one_premature_ventricular_beat_is_a_note_and_two_are_not() -> None:
    for seed in (1, 2):
        made = simulate("pvc", seed=seed, fs=500.0, duration_s=10.0)
        on = made.truth.beats
        found = states(measure(condition(made.record), on), on)
        assert on.kind.count("premature_ventricular") > 1
        assert found["NORM/adult"] == "not_met"
    assert entry("PVC").makes_abnormal is False


@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_a_simulated_right_ventricular_hypertrophy_is_no_normal_ecg(severity: float) -> None:
    made = simulate("rvh", seed=4, severity=severity, fs=500.0, duration_s=10.0)
    found = states(measure(condition(made.record), made.truth.beats), made.truth.beats)
    assert any(state == "met" for key, state in found.items() if key.startswith("RVH/"))
    assert found["NORM/adult"] == "not_met"
