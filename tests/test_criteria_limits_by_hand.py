"""The limits that most verdicts hang on, as they are published: what is clearly short of one is not met, past it met.

Each pair of values lies just outside the tolerance within which a measurement is called borderline, on the two sides.
"""

from collections.abc import Mapping

import pytest

from ecgviz.criteria import evaluate
from tests.criteria_subjects import beats, measurements

Lead = Mapping[str, Mapping[str, float]]


def test_what_must_be_known_is_what_decides_alone() -> None:
    (found,) = [
        each
        for each in evaluate("LVH", measurements(per_lead={"r_mv": {"aVL": 1.0}}), beats(), age_years=None, sex=None)
        if "0.90 or 1.10 mV" in each.why
    ]
    assert "sex must be known" in found.why
    assert "age" not in found.why.replace("voltage", "")


def test_a_value_is_told_from_its_limit_by_as_many_decimals_as_that_takes() -> None:
    waves = {"f_mv": 0.0271, "f_regularity": 0.7, "f_rate_hz": 5.0}
    (found,) = [
        each
        for each in evaluate("AFLT", measurements(waves), beats(), age_years=60, sex="male")
        if each.definition == "acc2015"
    ]
    assert "0.027 mV not >= 0.030 mV (-0.003)" in found.why


def state(
    criterion: str,
    definition: str,
    values: Mapping[str, float] | None = None,
    per_lead: Lead | None = None,
    **who: object,
) -> str:
    person = {"age_years": 60.0, "sex": "male"} | who
    shapes = {"V1": "rsR'"} if criterion == "CRBBB" else {}
    made = measurements(values, per_lead, patterns=shapes)
    (found,) = [
        each
        for each in evaluate(criterion, made, beats(), **person)
        if each.definition == definition  # type: ignore[arg-type]
    ]
    return found.state


@pytest.mark.parametrize(
    ("criterion", "definition", "name", "short", "past", "sex"),
    [
        ("1AVB", "acc2018", "pr_ms", 189, 211, "male"),
        ("LPR", "above_200", "pr_ms", 189, 211, "female"),
        ("STACH", "acc2015", "rate_bpm", 97, 103, "male"),
        ("SBRAD", "below_60", "rate_bpm", 63, 57, "male"),
        ("LAD", "aha2009", "qrs_axis_deg", -24, -36, "male"),
        ("LNGQT", "aha2009", "qtc_fridericia_ms", 439, 461, "male"),
        ("LNGQT", "aha2009", "qtc_fridericia_ms", 449, 471, "female"),
        ("LNGQT", "athletes2017", "qtc_bazett_ms", 459, 481, "male"),
        ("LNGQT", "athletes2017", "qtc_bazett_ms", 469, 491, "female"),
    ],
)
def test_a_global_measurement_is_judged_by_its_published_limit(
    criterion: str, definition: str, name: str, short: float, past: float, sex: str
) -> None:
    found = [state(criterion, definition, {name: value}, sex=sex) for value in (short, past)]
    assert found == ["not_met", "met"]


def test_a_bundle_branch_block_is_complete_from_120_ms_on() -> None:
    late_s = {"s_ms": {"I": 60.0, "V6": 55.0}}
    assert [state("CRBBB", "aha2009", {"qrs_ms": ms}, late_s) for ms in (109, 131)] == ["not_met", "met"]


@pytest.mark.parametrize(
    ("definition", "leads", "limit_mv", "tolerance_mv", "sex"),
    [
        ("sokolow_lyon", {"s_mv": "V1", "r_mv": "V5"}, 3.5, 0.05, "male"),
        ("sokolow_lyon", {"s_mv": "V1", "r_mv": "V6"}, 3.5, 0.05, "female"),
        ("cornell_voltage", {"r_mv": "aVL", "s_mv": "V3"}, 2.8, 0.05, "male"),
        ("cornell_voltage", {"r_mv": "aVL", "s_mv": "V3"}, 2.0, 0.05, "female"),
        ("r_avl", {"r_mv": "aVL"}, 1.1, 0.025, "male"),
        ("gubner", {"r_mv": "I", "s_mv": "III"}, 2.5, 0.05, "male"),
    ],
)
def test_voltages_of_the_left_ventricle(
    definition: str, leads: Mapping[str, str], limit_mv: float, tolerance_mv: float, sex: str
) -> None:
    found = []
    for sum_mv in (limit_mv - tolerance_mv - 0.01, limit_mv + tolerance_mv + 0.01):
        tall = {name: {lead: sum_mv / len(leads)} for name, lead in leads.items()}
        if definition == "sokolow_lyon":  # the other of V5 and V6 is lower
            tall["r_mv"] |= {lead: 0.5 for lead in ("V5", "V6") if lead not in tall["r_mv"]}
        found.append(state("LVH", definition, per_lead=tall, sex=sex))
    assert found == ["not_met", "met"]


@pytest.mark.parametrize(
    ("leads", "limit_mv", "sex", "age_years"),
    [
        (("V2", "V3"), 0.20, "male", 40.0),
        (("V2", "V3"), 0.25, "male", 39.0),
        (("V2", "V3"), 0.15, "female", 39.0),
        (("V2", "V3"), 0.15, "female", 70.0),
        (("V3", "V4"), 0.20, "male", 60.0),
    ],
)
def test_st_elevation_of_an_acute_infarct_by_sex_and_age(
    leads: tuple[str, ...], limit_mv: float, sex: str, age_years: float
) -> None:
    where = "ASMI" if "V2" in leads else "AMI"
    found = [
        state(where, "acute_udmi2018", per_lead={"j_mv": dict.fromkeys(leads, mv)}, sex=sex, age_years=age_years)
        for mv in (limit_mv - 0.03, limit_mv + 0.03)
    ]
    assert found == ["not_met", "met"]


def test_st_elevation_and_q_waves_of_the_inferior_leads() -> None:
    leads = ("II", "III", "aVF")
    up = [state("IMI", "acute_udmi2018", per_lead={"j_mv": dict.fromkeys(leads, mv)}) for mv in (0.07, 0.13)]
    assert up == ["not_met", "met"]

    def q(ms: float, mv: float) -> str:
        return state(
            "IMI", "prior_udmi2018", per_lead={"q_ms": dict.fromkeys(leads, ms), "q_mv": dict.fromkeys(leads, mv)}
        )

    assert [q(ms, 0.3) for ms in (25, 35)] == ["not_met", "met"]
    assert [q(50, mv) for mv in (0.07, 0.13)] == ["not_met", "met"]


def test_a_q_wave_of_v2_and_v3_is_pathological_above_20_ms() -> None:
    q = {"q_mv": {"V2": 0.05, "V3": 0.05}}
    found = [state("ASMI", "prior_udmi2018", per_lead=q | {"q_ms": {"V2": ms, "V3": ms}}) for ms in (15, 25)]
    assert found == ["not_met", "met"]


def test_st_depression_of_half_a_millimetre_is_ischaemia() -> None:
    down = [
        state("STD_", "udmi2018", per_lead={name: {"V5": mv, "V6": mv} for name in ("j_mv", "st60_mv", "st80_mv")})
        for mv in (-0.02, -0.08)
    ]
    assert down == ["not_met", "met"]
