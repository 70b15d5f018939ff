"""Verdicts on constructed patients: logic of states, gates, blocking, contiguity, sentences."""

import itertools
import json

import numpy as np
import pytest

from ecgviz.criteria import (
    at_least,
    catalogue,
    definition_state,
    entry,
    evaluate,
    evaluate_all,
    for_label,
    load,
    schema_json,
)
from ecgviz.errors import CriteriaError
from ecgviz.types import Finding, Measurements
from tests.criteria_subjects import beats, measurements

FIRST = {
    *("IMI", "AMI", "ASMI", "LMI", "ISC_", "STD_", "INVT", "LNGQT", "NORM"),
    *("CLBBB", "CRBBB", "LAFB", "1AVB", "WPW", "LVH", "RVH", "AFIB"),
}
ALL_STATES = ("met", "borderline", "not_met", "not_evaluable")
UNDEFINED = ("ABQRS", "SVARR", "NST_", "ERE")
"""What no publication defines by a number, or no measurement of ours decides."""
LBBB_PATTERNS = {"V1": "rS", "V2": "rS"}
LBBB_NOTCHES = {"notch": dict.fromkeys(("I", "aVL", "V5", "V6"), 1.0), "r_peak_ms": dict.fromkeys(("V5", "V6"), 84.0)}
DELTA = {"delta_fraction": dict.fromkeys(("I", "II", "V2", "V3", "V4", "V5"), 0.8)}


def find(
    label: str,
    measured: Measurements,
    definition: str | None = None,
    *,
    age: float | None = 50,
    sex: str | None = "male",
) -> Finding:
    """Return the finding by one definition of an entry, or by its first one."""
    findings = {
        f.definition: f for f in evaluate(label, measured, beats(), age_years=age, sex=sex) if f.criterion == label
    }
    return findings[definition or entry(label).definitions[0].key]


def elevation(**leads: float) -> Measurements:
    return measurements(per_lead={"j_mv": leads})


def test_at_least_is_what_all_ways_to_settle_the_unknown_agree_on() -> None:
    rank = {"not_met": 0, "borderline": 1, "met": 2}
    for states in itertools.product(ALL_STATES, repeat=3):
        for needed in (1, 2, 3):
            ways = itertools.product(*(rank if s == "not_evaluable" else (s,) for s in states))
            settled = {sorted(way, key=rank.__getitem__, reverse=True)[needed - 1] for way in ways}
            expected = settled.pop() if len(settled) == 1 else "not_evaluable"
            assert at_least(states, needed) == expected


def test_nothing_needed_is_met_and_more_than_there_are_is_not() -> None:
    assert at_least(("not_met",), 0) == "met"
    assert at_least(("met", "met"), 3) == "not_met"


@pytest.mark.parametrize(
    ("rules", "state"),
    [
        ({"required": "met", "excluding": "not_met"}, "met"),
        ({"required": "met", "excluding": "met"}, "not_met"),
        ({"required": "met", "excluding": "not_evaluable"}, "not_evaluable"),
        ({"required": "not_met", "excluding": "not_evaluable"}, "not_met"),
        ({"required": "borderline", "alternative": "met"}, "borderline"),
        ({"required": "met", "alternative": "not_met"}, "not_met"),
        ({"required": "met", "supporting": "not_met"}, "met"),
        ({"required": "met", "supporting": "not_evaluable"}, "met"),
    ],
)
def test_rules_combine_by_their_roles(rules: dict[str, str], state: str) -> None:
    assert definition_state(list(rules), list(rules.values())) == state


def test_one_alternative_is_enough_unless_more_are_asked() -> None:
    roles, states = ["alternative"] * 3, ["met", "not_met", "met"]
    assert definition_state(roles, states) == "met"
    assert definition_state(roles, states, 2) == "met"
    assert definition_state(roles, states, 3) == "not_met"


def test_the_catalogue_holds_the_first_diagnoses_with_cited_sources() -> None:
    assert {one.id for one in catalogue()} >= FIRST
    sources = load().sources
    for one in catalogue():
        assert one.review.status == "awaiting review by a cardiologist"
        assert one.caveats
        for definition in one.definitions:
            assert definition.source in ("teaching", "proposal") or sources[definition.source].doi.startswith("10.")
            assert len(sources[definition.source].citation) > 60


def test_a_superclass_stands_for_all_its_entries_and_an_unknown_label_for_none() -> None:
    assert {one.id for one in for_label("MI")} >= {"IMI", "AMI", "ASMI", "LMI", "PMI", "INJAS", "MI_LBBB"}
    blocks = {"CLBBB", "ILBBB", "CRBBB", "IRBBB", "LAFB", "LPFB", "IVCD"}
    assert {one.id for one in for_label("CD")} == blocks | {"1AVB", "2AVB", "3AVB", "WPW"}
    assert {one.id for one in for_label("HYP")} == {"LVH", "RVH", "SEHYP", "LAO/LAE", "RAO/RAE"}
    assert {one.id for one in for_label("STTC")} >= {"ISC_", "ISCIN", "LNGQT"}
    assert [one.id for one in for_label("I-AVB")] == ["1AVB"]
    assert for_label("TREMOR") == ()
    assert evaluate("TREMOR", measurements(), beats(), age_years=50, sex="male") == ()


def test_an_unknown_criterion_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CriteriaError, match=r"no criterion 'XYZ'; known are .*IMI"):
        entry("XYZ")


def test_a_healthy_adult_is_normal_in_sinus_rhythm_and_nothing_else() -> None:
    for finding in evaluate_all(measurements(), beats(), age_years=50, sex="female"):
        open_ones = dict.fromkeys(UNDEFINED, "not_evaluable")
        state = ({"NORM": "met", "SR": "met"} | open_ones).get(finding.criterion, "not_met")
        assert finding.state == state, (finding.criterion, finding.why)


def test_inferior_elevation_is_an_inferior_infarct_and_not_normal() -> None:
    measured = elevation(II=0.21, III=0.28, aVF=0.24)
    acute = find("IMI", measured, "acute_udmi2018")
    assert acute.state == "met"
    assert acute.why == (
        "J point II +0.21, III +0.28, aVF +0.24 mV >= 0.10 mV: met (Fourth Universal Definition of MI 2018)"
    )
    assert find("IMI", measured, "prior_udmi2018").state == "not_met"
    assert find("LMI", measured).state == "not_met"
    assert find("NORM", measured).state == "not_met"


def test_elevation_in_leads_that_are_not_neighbours_is_none() -> None:
    assert find("ASMI", elevation(V1=0.2, V4=0.2)).state == "not_met"
    assert find("LMI", elevation(I=0.2, V5=0.2)).state == "not_met"
    assert find("LMI", elevation(I=0.2, aVL=0.2)).state == "met"
    assert find("ASMI", elevation(V1=0.2, V2=0.3)).state == "met"


def test_upside_down_avr_stands_between_i_and_ii() -> None:
    assert find("STD_", elevation(I=-0.2, II=-0.2), "udmi2018").state == "not_met"
    found = find("STD_", elevation(I=-0.2, aVR=0.2), "udmi2018")
    assert found.state == "met"
    assert set(found.rules[0].leads) == {"I", "-aVR"}
    assert "I, aVR: J, ST" in found.regions["primary"].text


def test_upsloping_depression_is_not_counted() -> None:
    depressed = {"j_mv": {"V4": -0.15, "V5": -0.15}}
    rising = depressed | {"st_slope_mv_per_s": {"V4": 1.5, "V5": 1.5}}
    assert find("STD_", measurements(per_lead=depressed), "udmi2018").state == "met"
    assert find("STD_", measurements(per_lead=rising), "udmi2018").state == "not_met"


@pytest.mark.parametrize(
    ("elevated_mv", "age", "sex", "state"),
    [
        (0.30, None, None, "met"),
        (0.22, 50, None, "not_evaluable"),
        (0.22, None, "female", "met"),
        (0.18, 50, "male", "borderline"),
        (0.16, 50, "male", "not_met"),
        (0.10, None, None, "not_met"),
        (0.28, None, "male", "met"),
        (0.235, None, "male", "not_evaluable"),
    ],
)
def test_unknown_sex_or_age_decides_only_where_all_limits_agree(
    elevated_mv: float, age: float | None, sex: str | None, state: str
) -> None:
    found = find("ASMI", elevation(V2=elevated_mv, V3=elevated_mv), age=age, sex=sex)
    assert found.state == state
    if state == "not_evaluable":
        assert "must be known" in found.why


def test_a_qtc_between_the_limits_of_men_and_women_needs_the_sex() -> None:
    measured = measurements({"qtc_bazett_ms": 475.0, "qtc_fridericia_ms": 465.0})
    found = find("LNGQT", measured, "aha2009", sex=None)
    assert found.state == "not_evaluable"
    assert "465 ms, and the limit is 450 or 460 ms: sex must be known" in found.why
    assert find("LNGQT", measurements({"qtc_fridericia_ms": 480.0}), "aha2009", sex=None).state == "met"


def test_the_cornell_product_needs_the_sex_for_its_sum() -> None:
    assert "sex is unknown" in find("LVH", measurements(), "cornell_product", sex=None).why


def test_left_bundle_branch_block_reads_like_a_cardiologist() -> None:
    measured = measurements({"qrs_ms": 148.0}, LBBB_NOTCHES, patterns=LBBB_PATTERNS)
    found = find("CLBBB", measured, "aha2009")
    assert found.state == "met"
    assert found.why == (
        "QRS 148 ms >= 120 ms (+28); I, aVL, V5, V6 notch or slur; Q depth I 0.00, V5 0.00, V6 0.00 mV < 0.05 mV; "
        "R peak time V5 84, V6 84 ms > 60 ms: met (AHA/ACCF/HRS 2009, part III)"
    )
    assert find("CLBBB", measured, "strauss2011").state == "borderline"
    assert "doi.org/10.1016/j.jacc.2008.12.013" in found.source


def test_left_bundle_branch_block_makes_infarction_and_hypertrophy_rules_void() -> None:
    table = LBBB_NOTCHES | {"j_mv": {"V2": 0.5, "V3": 0.5, "V4": 0.3}, "s_mv": {"V1": 3.5, "V3": 3.5}}
    measured = measurements({"qrs_ms": 165.0}, table, patterns=LBBB_PATTERNS)
    for label in ("AMI", "ASMI", "LVH", "ISC_", "INVT", "LNGQT"):
        found = find(label, measured)
        assert found.state == "not_evaluable"
        assert (
            "there is complete left bundle branch block by aha2009, strauss2011, athletes2017 and esc2013" in found.why
        )
    assert find("AMI", measured).rules[0].state == "met"


def test_an_open_question_about_bundle_branch_block_leaves_infarction_open() -> None:
    measured = measurements({"qrs_ms": 165.0}, patterns=LBBB_PATTERNS, fs=100.0)
    found = find("IMI", measured)
    assert found.state == "not_evaluable"
    assert "open whether there is complete left bundle branch block" in found.why
    assert "100 Hz is too coarse" in found.why


def test_pre_excitation_blocks_bundle_branch_block() -> None:
    measured = measurements({"qrs_ms": 140.0, "pr_ms": 100.0}, LBBB_NOTCHES | DELTA, patterns=LBBB_PATTERNS)
    assert find("WPW", measured).state == "met"
    assert "there is ventricular pre-excitation" in find("CLBBB", measured).why
    assert find("WPW", measurements({"qrs_ms": 140.0, "pr_ms": 100.0})).state == "not_met"


def test_mild_pre_excitation_is_a_verdict_of_its_own() -> None:
    measured = measurements({"qrs_ms": 121.0, "pr_ms": 100.0}, DELTA)
    assert find("WPW", measured, "athletes2017").state == "borderline"
    assert find("WPW", measured, "mild").state == "met"


def test_fine_durations_are_not_judged_at_100_hz_but_coarse_ones_are() -> None:
    wide_q = {"q_ms": {"II": 50.0, "aVF": 50.0}, "q_mv": {"II": 0.4, "aVF": 0.4}}
    assert find("IMI", measurements(per_lead=wide_q), "prior_udmi2018").state == "met"
    coarse = find("IMI", measurements(per_lead=wide_q, fs=100.0), "prior_udmi2018")
    assert coarse.state == "not_evaluable"
    assert "Q duration II, aVF not measurable: 100 Hz is too coarse for it" in coarse.why
    assert find("IMI", measurements(fs=100.0), "prior_udmi2018").state == "not_met"
    assert find("1AVB", measurements({"pr_ms": 240.0}, fs=100.0)).state == "met"
    assert find("CRBBB", measurements({"qrs_ms": 90.0}, fs=100.0)).state == "not_met"


def test_a_duration_is_not_known_better_than_one_sample() -> None:
    short_pr = measurements({"pr_ms": 113.0})
    rule = find("WPW", short_pr).rules[0]
    assert rule.state == "met"
    assert find("WPW", measurements({"pr_ms": 113.0}, fs=100.0)).rules[0].state == "borderline"


def test_a_qs_complex_counts_as_q_and_as_s() -> None:
    qs = {"qs": {"V2": 1.0, "V3": 1.0}, "q_mv": {"V2": 1.8, "V3": 2.1}, "s_mv": {"V2": 0.0, "V3": 0.0}}
    measured = measurements(per_lead=qs | {"r_mv": {"V2": 0.0, "V3": 0.0, "aVL": 1.0}})
    assert find("ASMI", measured, "prior_udmi2018").state == "met"
    assert "R aVL 1.00 + S V3 2.10 = 3.10 mV > 2.80 mV" in find("LVH", measured, "cornell_voltage").why


def test_negative_t_waves_count_only_where_the_r_wave_is_prominent() -> None:
    negative = {"t_mv": {"V1": -0.3, "V2": -0.3}}
    small_r = measurements(per_lead=negative | {"r_mv": {"V1": 0.1, "V2": 0.2}})
    assert find("INVT", small_r, "udmi2018").state == "not_met"
    lateral = measurements(per_lead={"t_mv": {"V5": -0.3, "V6": -0.2}})
    assert find("INVT", lateral, "udmi2018").state == "met"
    assert find("ISC_", lateral, "t_inversion_udmi2018").state == "met"
    assert find("ISC_", lateral, "st_depression_udmi2018").state == "not_met"


def test_right_bundle_branch_block_by_shape_and_late_s() -> None:
    late_s = {"s_ms": {"I": 60.0, "V6": 55.0}}
    measured = measurements({"qrs_ms": 140.0}, late_s, patterns={"V1": "rsR'"})
    assert find("CRBBB", measured).state == "met"
    assert "V1 rsR'; S duration I 60, V6 55 ms > 40 ms" in find("CRBBB", measured).why
    assert find("CRBBB", measurements({"qrs_ms": 140.0}, late_s)).state == "not_met"
    assert find("RVH", measured).state == "not_evaluable"


def test_left_anterior_fascicular_block_needs_axis_and_shape() -> None:
    late = {"r_peak_ms": {"aVL": 52.0}}
    measured = measurements({"qrs_axis_deg": -60.0}, late, patterns={"aVL": "qR"})
    assert find("LAFB", measured).state == "met"
    assert find("LAFB", measurements({"qrs_axis_deg": -38.0}, late, patterns={"aVL": "qR"})).state == "not_met"
    assert find("LAFB", measurements({"qrs_axis_deg": -60.0}, late, patterns={"aVL": "Rs"})).state == "not_met"


def test_each_voltage_definition_of_hypertrophy_is_a_verdict_of_its_own() -> None:
    measured = measurements(per_lead={"s_mv": {"V1": 2.4}, "r_mv": {"V5": 1.8}})
    states = {f.definition: f.state for f in evaluate("LVH", measured, beats(), age_years=60, sex="male")}
    assert states["sokolow_lyon"] == "met"
    assert states["r_avl"] == states["gubner"] == states["cornell_voltage"] == "not_met"


def test_right_ventricular_hypertrophy_needs_the_axis_beside_the_voltage() -> None:
    tall = {"r_mv": {"V1": 1.2}, "s_mv": {"V1": 0.2}}
    assert find("RVH", measurements(per_lead=tall)).state == "not_met"
    assert find("RVH", measurements({"qrs_axis_deg": 115.0}, tall)).state == "met"


def test_atrial_fibrillation_needs_both_irregularity_and_missing_p_waves() -> None:
    irregular = {"nrmssd": 0.25}
    assert find("AFIB", measurements(irregular | {"p_fraction": 0.0})).state == "met"
    assert find("AFIB", measurements(irregular)).state == "not_met"
    assert find("AFIB", measurements({"p_fraction": 0.0})).state == "not_met"
    in_fibrillation = measurements(irregular | {"p_fraction": 0.0, "pr_ms": np.nan})
    assert "there is atrial fibrillation" in find("1AVB", in_fibrillation).why


def test_a_measurement_that_is_missing_gives_its_reason() -> None:
    found = find("1AVB", measurements({"pr_ms": np.nan}))
    assert found.state == "not_evaluable"
    assert found.why == "PR not measurable: no P wave was found: not evaluable (ACC/AHA/HRS 2018)"


def test_slow_rate_and_left_axis_are_notes_and_leave_an_ecg_normal() -> None:
    found = find("NORM", measurements({"rate_bpm": 48.0, "qrs_axis_deg": -40.0}))
    assert found.state == "met"
    assert {rule.state for rule in found.rules if rule.role == "note"} >= {"met", "not_met"}
    assert "of note: rate 48 bpm not >= 60 bpm (-12); of note: QRS axis -40° not >= -30° (-10)" in found.why
    assert find("NORM", measurements({"qrs_ms": 125.0})).state == "not_met"
    assert find("NORM", measurements({"p_fraction": 0.2})).state == "not_met"


def test_adult_limits_are_not_used_on_children_and_an_unknown_age_is_said() -> None:
    measured = elevation(II=0.3, III=0.3, aVF=0.3)
    assert "the patient is 9 years old" in find("IMI", measured, age=9).why
    assert find("IMI", measured, age=9).state == "not_evaluable"
    assert find("IMI", measured, age=None).state == "met"
    assert any("age is unknown" in caveat for caveat in find("IMI", measured, age=None).caveats)


def test_paced_rhythm_and_missing_beats_make_nothing_evaluable() -> None:
    paced = evaluate_all(measurements(), beats(("paced",) * 4), age_years=50, sex="male")
    of_pacing = {f.criterion for f in paced if f.state != "not_evaluable"}
    assert of_pacing == {one.id for one in catalogue() if one.gates.paced} >= {"PACE", "BRADY"}
    assert all("paced" in f.why for f in paced if f.criterion not in of_pacing)
    nothing = evaluate_all(measurements(), beats((), reason="all leads are flat"), age_years=50, sex="male")
    assert {f.state for f in nothing} == {"not_evaluable"}
    assert all("all leads are flat" in f.why for f in nothing)


def test_a_record_of_two_leads_is_judged_as_far_as_it_goes() -> None:
    measured = measurements({"pr_ms": 240.0}, leads=("II", "V5"))
    findings = {f"{f.criterion}/{f.definition}": f for f in evaluate_all(measured, beats(), age_years=50, sex="male")}
    assert findings["1AVB/acc2018"].state == "met"
    assert findings["AMI/acute_udmi2018"].state == "not_evaluable"
    assert "lead V3 is not in this record" in findings["AMI/acute_udmi2018"].why


@pytest.mark.parametrize(("age", "sex", "match"), [(300, "male", "age of 300"), (50, "M", "sex 'M' is not")])
def test_an_impossible_age_or_sex_is_refused(age: float, sex: str, match: str) -> None:
    with pytest.raises(CriteriaError, match=match):
        evaluate("IMI", measurements(), beats(), age_years=age, sex=sex)


def test_the_same_record_gets_the_same_verdict() -> None:
    measured = elevation(II=0.21, III=0.28, aVF=0.24)
    one, two = (evaluate_all(measured, beats(), age_years=50, sex="male") for _ in range(2))
    assert [(f.state, f.why, f.rules) for f in one if "nan" not in repr(f.rules)] == [
        (f.state, f.why, f.rules) for f in two if "nan" not in repr(f.rules)
    ]


def test_the_schema_is_json_and_names_every_form_of_rule() -> None:
    schema = json.loads(schema_json())
    assert {"Entry", "ValueRule", "LeadsRule", "SumRule", "PatternRule", "FindingRule", "UseRule"} <= set(
        schema["$defs"]
    )
