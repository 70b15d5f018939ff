"""Infarction, ischaemia, ST and T on constructed patients: which territory, which stage, which look-alike."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from ecgviz.criteria import at_stage, catalogue, entry, evaluate, evaluate_all
from ecgviz.records.ptbxl import read_table
from ecgviz.types import ATOMS, Beats, Finding, Measurements
from tests.criteria_subjects import beats, measurements

TERRITORIES = {
    "AMI": "V3 V4",
    "ASMI": "V1 V2 V3 V4",
    "LMI": "I aVL V5 V6",
    "IMI": "II III aVF",
    "ALMI": "V3 V4 V5 V6 I aVL",
    "ILMI": "II III aVF V5 V6",
}
LBBB = {
    "notch": dict.fromkeys(("I", "aVL", "V5", "V6"), 1.0),
    "r_peak_ms": dict.fromkeys(("V5", "V6"), 84.0),
    "qrs_area_mv_ms": dict.fromkeys(("I", "II", "aVL", "V5", "V6"), 60.0)
    | dict.fromkeys(("III", "aVR", "aVF", "V1", "V2", "V3", "V4"), -60.0),
    "s_mv": {"V1": 1.2, "V2": 2.4, "V3": 2.0},
}
FOUR = beats()


def met(measured: Measurements, on: Beats = FOUR, sex: str = "male") -> set[str]:
    """Return which definitions hold, as "ID/key"."""
    findings = evaluate_all(measured, on, age_years=60, sex=sex)
    return {f"{f.criterion}/{f.definition}" for f in findings if f.state == "met"}


def entries_met(measured: Measurements) -> set[str]:
    return {name.split("/")[0] for name in met(measured)}


def find(label: str, definition: str, measured: Measurements, sex: str = "male") -> Finding:
    findings = evaluate(label, measured, FOUR, age_years=60, sex=sex)
    return next(f for f in findings if (f.criterion, f.definition) == (label, definition))


def in_leads(leads: str, **values: float) -> dict[str, dict[str, float]]:
    return {name: dict.fromkeys(leads.split(), value) for name, value in values.items()}


def beside_lbbb(**per_lead: Mapping[str, float]) -> Measurements:
    table = {name: dict(row) for name, row in LBBB.items()}
    for name, row in per_lead.items():
        table[name] = table.get(name, {}) | dict(row)
    return measurements({"qrs_ms": 150.0}, table, patterns={"V1": "rS", "V2": "rS"})


def test_every_statement_of_infarction_ischaemia_st_and_t_has_an_entry() -> None:
    known = {scp for one in catalogue() for scp in one.maps.scp}
    infarction = "AMI ASMI ALMI LMI IMI ILMI IPMI IPLMI PMI QWAVE INJAS INJAL INJLA INJIN INJIL"
    ischaemia = "ISC_ ISCAN ISCAS ISCAL ISCLA ISCIN ISCIL"
    shapes = "NDT NST_ DIG LNGQT ANEUR EL STD_ STE_ INVT LOWT NT_ TAB_"
    assert known >= {"NORM", *infarction.split(), *ischaemia.split(), *shapes.split()}
    assert entry("ERE").maps.snomed == (428417006,)


@pytest.mark.parametrize("territory", TERRITORIES)
def test_elevation_and_q_waves_are_infarcts_of_their_territory(territory: str) -> None:
    leads = TERRITORIES[territory]
    elevated, with_q = measurements(per_lead=in_leads(leads, j_mv=0.4)), in_leads(leads, q_ms=60.0, q_mv=0.5)
    assert find(territory, "acute_udmi2018", elevated).state == "met"
    assert find(territory, "prior_udmi2018", elevated).state == "not_met"
    assert find(territory, "prior_udmi2018", measurements(per_lead=with_q)).state == "met"
    assert find(territory, "acute_udmi2018", measurements(per_lead=with_q)).state == "not_met"
    apart = {name for name in TERRITORIES if not set(TERRITORIES[name].split()) & set(leads.split())}
    assert not apart & entries_met(elevated)
    assert not apart & entries_met(measurements(per_lead=with_q))


def test_a_territory_of_two_parts_needs_both() -> None:
    inferior, lateral = in_leads("II III aVF", j_mv=0.3), in_leads("V5 V6", j_mv=0.3)
    assert "ILMI" not in entries_met(measurements(per_lead=inferior))
    assert "ILMI" not in entries_met(measurements(per_lead=lateral))
    assert "ILMI" in entries_met(measurements(per_lead=in_leads("II III aVF V6", j_mv=0.3)))
    assert "ALMI" in entries_met(measurements(per_lead=in_leads("V4 V5", j_mv=0.3)))
    assert "ALMI" not in entries_met(measurements(per_lead=in_leads("I aVL V5 V6", j_mv=0.3)))
    for statement in ("INJAL", "ISCAL"):
        assert statement in entries_met(measurements(per_lead=in_leads("V4 V5", j_mv=-0.2)))
        assert statement not in entries_met(measurements(per_lead=in_leads("V5 V6", j_mv=-0.2)))


def test_depression_on_the_other_side_supports_an_acute_infarct_and_decides_nothing() -> None:
    alone = measurements(per_lead=in_leads("II III aVF", j_mv=0.3))
    both = measurements(per_lead={"j_mv": in_leads("II III aVF", j_mv=0.3)["j_mv"] | {"aVL": -0.2}})
    assert find("IMI", "acute_udmi2018", alone).state == find("IMI", "acute_udmi2018", both).state == "met"
    assert "aVL -0.20 mV" in find("IMI", "acute_udmi2018", both).why
    only = measurements(per_lead={"j_mv": {"aVL": -0.2}})
    assert find("IMI", "acute_udmi2018", only).state == "not_met"


def test_a_smaller_q_counts_beside_an_inverted_t() -> None:
    q = in_leads("II III aVF", q_ms=26.0, q_mv=0.3)
    assert find("IMI", "prior_udmi2018", measurements(per_lead=q)).state == "not_met"
    assert find("IMI", "q_with_t_udmi2018", measurements(per_lead=q)).state == "not_met"
    inverted = q | in_leads("II III aVF", t_mv=-0.3)
    assert find("IMI", "q_with_t_udmi2018", measurements(per_lead=inverted)).state == "met"


def test_the_minnesota_code_reads_single_leads_by_duration_or_by_share_of_r() -> None:
    def state(leads: str, label: str = "IMI", **values: float) -> str:
        return find(label, "minnesota_1_1", measurements(per_lead=in_leads(leads, **values))).state

    assert state("II", q_ms=46.0, q_mv=0.2) == "met"
    assert state("II", q_ms=36.0, q_mv=0.2, r_mv=0.5) == "met"
    assert state("II", q_ms=36.0, q_mv=0.2, r_mv=1.5) == "not_met"
    assert state("aVF", q_ms=47.0, q_mv=0.2) == "borderline"
    assert state("III", q_ms=60.0, q_mv=0.4) == "not_met"
    assert state("III aVF", q_ms=60.0, q_mv=0.4) == "met"
    assert state("aVL", "LMI", q_ms=46.0, q_mv=0.2, r_mv=0.5) == "met"
    assert state("aVL", "LMI", q_ms=46.0, q_mv=0.2, r_mv=0.2) == "not_met"
    assert state("V2", "ASMI", q_ms=80.0, q_mv=0.9, qs=1.0) == "not_met"
    assert state("III aVF", q_ms=80.0, q_mv=0.9, qs=1.0) == "not_met"  # code 1-3-6
    assert state("aVF", q_ms=80.0, q_mv=0.9, qs=1.0) == "not_met"
    small = {"q_ms": {"III": 60.0, "aVF": 20.0}, "q_mv": {"III": 0.06, "aVF": 0.2}}
    assert find("IMI", "minnesota_1_1", measurements(per_lead=small)).state == "not_met"


def test_a_qs_complex_that_a_code_leaves_out_is_told_once_and_as_what_it_does_not_count() -> None:
    qs = in_leads("II", q_ms=60, q_mv=0.5, r_mv=0.0, qs=1.0)
    found = find("IMI", "minnesota_1_1", measurements(per_lead=qs))
    assert found.state == "not_met"
    assert found.why.startswith("II QS complex, which this definition counts as no Q wave; Q duration ")
    assert found.why.count("QS complex") == 1


def test_the_posterior_wall_is_read_in_the_mirror() -> None:
    tall = in_leads("V1 V2", r_mv=0.9, s_mv=0.4, r_ms=48.0, t_mv=0.4)
    assert "PMI/prior_udmi2018" in met(measurements(per_lead=tall))
    flipped = tall | in_leads("V1 V2", t_mv=-0.2)
    assert "PMI/prior_udmi2018" not in met(measurements(per_lead=flipped))
    depressed = in_leads("V1 V2 V3", j_mv=-0.15)
    assert "PMI/acute_acc2022" in met(measurements(per_lead=depressed))
    both = {"j_mv": depressed["j_mv"] | in_leads("II III aVF", j_mv=0.3)["j_mv"]}
    assert {"IPMI/acute_udmi2018", "IMI/acute_udmi2018"} <= met(measurements(per_lead=both))
    assert "IPMI/acute_udmi2018" not in met(measurements(per_lead=in_leads("II III aVF", j_mv=0.3)))
    old = tall | in_leads("II III aVF", q_ms=60.0, q_mv=0.5)
    assert "IPMI/prior_udmi2018" in met(measurements(per_lead=old))


def test_right_bundle_branch_block_voids_the_mirror_but_not_the_q_wave() -> None:
    block = in_leads("I V6", s_ms=60.0) | in_leads("II aVF", q_ms=60.0, q_mv=0.5)
    measured = measurements({"qrs_ms": 140.0}, block, patterns={"V1": "rsR'"})
    assert "right bundle branch block" in find("PMI", "prior_udmi2018", measured).why
    assert find("IMI", "prior_udmi2018", measured).state == "met"


def test_beside_left_bundle_branch_block_elevation_counts_by_the_side_of_qrs() -> None:
    plain = beside_lbbb(j_mv={"V1": 0.2, "V2": 0.35, "V3": 0.3, "V5": -0.1, "V6": -0.1, "I": -0.05})
    assert not {name for name in met(plain) if name.startswith("MI_LBBB")}
    assert find("MI_LBBB", "sgarbossa_acc2022", plain).state == "not_met"
    concordant = beside_lbbb(j_mv={"V5": 0.2, "V6": 0.2})
    found = find("MI_LBBB", "sgarbossa_acc2022", concordant)
    assert found.state == "met"
    assert "5 points (3 are needed)" in found.why
    assert find("IMI", "acute_udmi2018", concordant).state == "not_evaluable"


def test_depression_in_v1_to_v3_scores_three_points_and_large_elevation_two() -> None:
    depressed = find("MI_LBBB", "sgarbossa_acc2022", beside_lbbb(j_mv={"V2": -0.2}))
    assert depressed.state == "met"
    assert "3 points" in depressed.why
    large = beside_lbbb(j_mv={"V2": 0.7})
    assert find("MI_LBBB", "sgarbossa_acc2022", large).state == "not_met"
    assert find("MI_LBBB", "modified_acc2022", large).state == "met"
    in_proportion = beside_lbbb(j_mv={"V2": 0.55}, s_mv={"V2": 4.0})
    assert find("MI_LBBB", "modified_acc2022", in_proportion).state == "not_met"


def test_the_barcelona_rules_ask_for_small_complexes_or_the_side_of_qrs() -> None:
    small = {"r_mv": {"V6": 0.4}, "s_mv": {"V6": 0.2}}
    assert find("MI_LBBB", "barcelona2020", beside_lbbb(j_mv={"V6": -0.15}, **small)).state == "met"
    assert find("MI_LBBB", "barcelona2020", beside_lbbb(j_mv={"V6": -0.15})).state == "not_met"
    assert find("MI_LBBB", "barcelona2020", beside_lbbb(j_mv={"V6": 0.2})).state == "met"
    assert find("MI_LBBB", "barcelona2020", beside_lbbb(j_mv={"V4": -0.2})).state == "met"


def test_beside_ventricular_pacing_the_same_rules_hold() -> None:
    paced, concordant = beats(("paced",) * 4), beside_lbbb(j_mv={"V5": 0.2, "V6": 0.2})
    assert {"MI_LBBB/sgarbossa_paced_acc2022", "MI_LBBB/modified_paced_acc2022"} <= met(concordant, paced)
    assert not {name for name in met(beside_lbbb(), paced) if name.startswith("MI_LBBB")}
    assert not {name for name in met(concordant, FOUR) if "paced" in name}


def test_without_the_block_its_rules_do_not_hold() -> None:
    elevated = measurements(per_lead=in_leads("V5 V6", j_mv=0.3, qrs_area_mv_ms=60.0))
    assert not {name for name in met(elevated) if name.startswith("MI_LBBB")}


def test_the_same_depression_is_ischaemia_and_injury_of_its_territory() -> None:
    found = entries_met(measurements(per_lead=in_leads("II III aVF", j_mv=-0.2)))
    assert {"ISC_", "ISCIN", "INJIN", "STD_"} <= found
    assert not {"ISCLA", "INJLA", "ISCAS", "INJAS", "ISCIL", "INJIL", "STE_"} & found
    assert {"ISCAN", "ISCAS", "INVT"} <= entries_met(measurements(per_lead=in_leads("V3 V4", t_mv=-0.4)))


def test_deep_and_giant_inversion_are_said() -> None:
    def why(t_mv: float) -> str:
        return find("ISCLA", "t_inversion_udmi2018", measurements(per_lead=in_leads("V5 V6", t_mv=t_mv))).why

    assert "-0.50" not in why(-0.3)
    assert "<= -0.50 mV" in why(-0.7)
    assert "< -1.00 mV" not in why(-0.7)
    assert "< -1.00 mV" in why(-1.2)


def test_elevation_in_avr_beside_depression_in_six_leads_is_diffuse_ischaemia() -> None:
    leads = "I II aVF V3 V4 V5 V6"
    both = {"j_mv": in_leads(leads, j_mv=-0.2)["j_mv"] | {"aVR": 0.2}}
    assert find("ISC_", "diffuse_acc2022", measurements(per_lead=both)).state == "met"
    without = measurements(per_lead=in_leads(leads, j_mv=-0.2))
    assert find("ISC_", "diffuse_acc2022", without).state == "not_met"


def test_low_flat_and_negative_t_waves_have_their_own_verdicts() -> None:
    low = measurements(per_lead=in_leads("V4 V5", t_mv=0.12, r_mv=1.8))
    assert met(low) >= {"NDT/low_aha2009", "LOWT/aha2009", "NT_/low_flat_or_negative", "TAB_/any_kind"}
    assert "NDT/flat_aha2009" not in met(low)
    flat = measurements(per_lead=in_leads("I V6", t_mv=0.03, r_mv=0.2))
    assert "NDT/flat_aha2009" in met(flat)
    assert "LOWT/aha2009" not in met(flat)
    assert find("LOWT", "aha2009", low).why.startswith("T / R V4 0.07, V5 0.07 < 0.10")
    without_r = measurements(per_lead=in_leads("II V4 V5", t_mv=0.3, r_mv=0.0))
    assert find("LOWT", "aha2009", without_r).state == "not_met"  # no lead without R has a T of less than a tenth of it
    small_r = measurements(per_lead=in_leads("V5 V6", t_mv=-0.3, r_mv=0.1, s_mv=0.9))
    assert "NDT/negative_without_ischaemia" in met(small_r)
    ischaemic = measurements(per_lead=in_leads("V5 V6", t_mv=-0.3))
    assert not {"NDT/negative_without_ischaemia", "NT_/low_flat_or_negative"} & met(ischaemic)
    assert "TAB_/any_kind" in met(ischaemic)


def test_tall_t_waves_need_the_sex() -> None:
    tall = measurements(per_lead=in_leads("V2 V3", t_mv=1.2))
    assert find("EL", "high_potassium", tall).state == "not_met"
    assert "TAB_/any_kind" in met(tall, sex="female")


def test_an_aneurysm_is_elevation_with_q_and_small_t() -> None:
    q_and_st = in_leads("V1 V2 V3 V4", j_mv=0.3, q_ms=60.0, q_mv=1.5, qrs_pp_mv=2.0)
    flat_t = measurements(per_lead=q_and_st | in_leads("V1 V2 V3 V4", t_mv=0.3))
    assert {"ANEUR/largest_ratio_klein2015", "ANEUR/sum_of_t_klein2015"} <= met(flat_t)
    tall_t = measurements(per_lead=q_and_st | in_leads("V1 V2 V3 V4", t_mv=1.4))
    assert "ANEUR" not in entries_met(tall_t)
    mixed = q_and_st | {"t_mv": {"V1": 0.1, "V2": 0.1, "V3": 0.1, "V4": 0.9}}
    assert met(measurements(per_lead=mixed)) & {"ANEUR/largest_ratio_klein2015", "ANEUR/sum_of_t_klein2015"} == {
        "ANEUR/sum_of_t_klein2015"
    }


@pytest.mark.parametrize(
    ("label", "definition", "values", "per_lead", "reason"),
    [
        ("NST_", "small_shift", {}, {}, "not told from none"),
        ("ERE", "consensus2015", {}, in_leads("V5 V6", j_mv=0.2), "not at its end"),
        ("DIG", "sagging_st", {}, in_leads("V5 V6", j_mv=-0.2), "treatment"),
        ("EL", "low_potassium", {}, in_leads("V5 V6", j_mv=-0.2, t_mv=0.06), "U waves are not measured"),
        ("EL", "high_calcium", {"qtc_fridericia_ms": 350.0}, {}, "no limit is published"),
        ("EL", "low_calcium", {"qtc_fridericia_ms": 500.0}, {}, "no limit is published"),
    ],
)
def test_what_a_recording_cannot_decide_is_said_when_all_else_holds(
    label: str, definition: str, values: dict[str, float], per_lead: dict[str, dict[str, float]], reason: str
) -> None:
    found = find(label, definition, measurements(values, per_lead))
    assert found.state == "not_evaluable"
    assert reason in found.why


def test_a_tall_t_wave_alone_is_no_high_potassium() -> None:
    found = find("EL", "high_potassium", measurements(per_lead=in_leads("V2 V3", t_mv=1.2)), sex="female")
    assert found.state == "not_evaluable"
    assert "no limits are published for its width and symmetry" in found.why


@pytest.mark.parametrize(("qrs_ms", "state"), [(96.0, "met"), (134.0, "not_met")])
def test_a_conduction_defect_voids_the_mirror_of_a_posterior_q_wave(qrs_ms: float, state: str) -> None:
    tall = in_leads("V1 V2", r_mv=0.9, s_mv=0.4, r_ms=48.0, t_mv=0.4)
    q = in_leads("II III aVF V5 V6", q_ms=60.0, q_mv=0.5)
    for label in ("PMI", "IPMI", "IPLMI"):
        assert find(label, "prior_udmi2018", measurements({"qrs_ms": qrs_ms}, tall | q)).state == state


def test_qt_is_not_judged_beside_a_wide_qrs_without_a_shape() -> None:
    found = find("LNGQT", "aha2009", measurements({"qrs_ms": 136.0, "qtc_fridericia_ms": 500.0}))
    assert found.state == "not_evaluable"
    assert "nonspecific intraventricular conduction delay" in found.why


def test_q_waves_of_an_anterior_infarct_are_no_septal_hypertrophy() -> None:
    infarct = measurements(per_lead=in_leads("V2 V3 V4", q_ms=60.0, q_mv=0.8))
    assert {"QWAVE/athletes2017", "ASMI/prior_udmi2018"} <= met(infarct)
    assert "SEHYP" not in entries_met(infarct)


@pytest.mark.parametrize(
    ("label", "definition"), [("DIG", "sagging_st"), ("EL", "low_calcium"), ("EL", "low_potassium")]
)
def test_and_what_is_measured_rules_it_out(label: str, definition: str) -> None:
    assert find(label, definition, measurements()).state == "not_met"


def test_elevation_is_not_a_non_specific_change() -> None:
    assert find("NST_", "small_shift", measurements(per_lead=in_leads("V5 V6", j_mv=0.3))).state == "not_met"
    assert "STE_/udmi2018" in met(measurements(per_lead=in_leads("V5 V6", j_mv=0.3)))


def test_q_waves_anywhere_are_read_by_two_texts() -> None:
    wide = met(measurements(per_lead=in_leads("I aVL", q_ms=46.0, q_mv=0.4)))
    assert {"QWAVE/udmi2018", "QWAVE/athletes2017"} <= wide
    deep = met(measurements(per_lead=in_leads("II V6", q_ms=20.0, q_mv=0.5)))
    assert "QWAVE/athletes2017" in deep
    assert "QWAVE/udmi2018" not in deep
    assert "QWAVE/athletes2017" not in met(measurements(per_lead=in_leads("III aVR", q_ms=60.0, q_mv=0.5)))


@pytest.mark.parametrize("one", [one for one in catalogue() if one.maps.superclass == "MI"], ids=lambda one: one.id)
def test_at_stage_one_a_reader_looks_at_st_and_at_stage_three_at_the_first_part_of_qrs(one: object) -> None:
    atoms_of = {"I": {"ST"}, "III": {"QRSi"}}
    staged = [d for d in one.definitions if d.stages]  # type: ignore[attr-defined]
    for finding in evaluate(one.id, measurements(), FOUR, age_years=60, sex="male"):  # type: ignore[attr-defined]
        for stage, atoms in atoms_of.items():
            if stage in finding.stages:
                weight = finding.regions["primary"].weight
                assert atoms <= {ATOMS[k] for k in np.flatnonzero(weight.any(axis=(0, 1)))}
                assert ("ST" in atoms) == bool(weight[:, :, ATOMS.index("ST")].any())
    if one.id not in ("MI_LBBB",) and not one.id.startswith("INJ"):  # type: ignore[attr-defined]
        assert {stage for d in staged for stage in d.stages} == {"I", "II", "III"}


def test_where_the_stage_is_known_only_its_definitions_stay() -> None:
    findings = evaluate("IMI", measurements(), FOUR, age_years=60, sex="male")
    assert {f.definition for f in at_stage(findings, ("I",))} == {"acute_udmi2018"}
    old = {"prior_udmi2018", "prior_udmi2018_with_iii", "minnesota_1_1"}
    assert {f.definition for f in at_stage(findings, ("III",))} == old
    assert {f.definition for f in at_stage(findings, ("II", "III"))} == old | {"q_with_t_udmi2018"}
    assert at_stage(findings, ()) == findings
    without_stage = evaluate("INVT", measurements(), FOUR, age_years=60, sex="male")
    assert at_stage(without_stage, ("I",)) == without_stage


def test_ptbxl_knows_the_stage_of_some_infarcts(tmp_path: Path) -> None:
    stated = (("Stadium III", ""), ("Stadium II-III", ""), ("Stadium I", "Stadium I"), ("unknown", ""), ("", ""))
    head = (
        "ecg_id,patient_id,age,sex,scp_codes,strat_fold,infarction_stadium1,infarction_stadium2,filename_lr,filename_hr"
    )
    rows = [f"{n},{n},60,0,\"{{'IMI': 100.0}}\",1,{a},{b},lr{n},hr{n}" for n, (a, b) in enumerate(stated)]
    (tmp_path / "ptbxl_database.csv").write_text("\n".join((head, *rows)))
    (tmp_path / "scp_statements.csv").write_text(",diagnostic,diagnostic_class\nIMI,1.0,MI\n")
    found = [entry.infarct_stages for entry in read_table(tmp_path).values()]
    assert found == [("III",), ("II", "III"), ("I",), (), ()]
