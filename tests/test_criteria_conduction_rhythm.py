"""Conduction, hypertrophy, rhythm and premature beats on constructed patients, and the names other data sets use."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.criteria import evaluate, for_label, load
from ecgviz.criteria.beatwise import beat_numbers, longest_chain, rhythm_numbers
from ecgviz.measure import measure
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Finding, Measurements
from tests.criteria_subjects import beats, measurements

PTBXL = (
    *("NORM", "AMI", "ASMI", "ALMI", "LMI", "IMI", "ILMI", "IPMI", "IPLMI", "PMI"),
    *("INJAS", "INJAL", "INJLA", "INJIN", "INJIL", "NDT", "NST_", "DIG", "LNGQT", "ANEUR", "EL"),
    *("ISC_", "ISCAL", "ISCAS", "ISCLA", "ISCAN", "ISCIN", "ISCIL"),
    *("LAFB", "LPFB", "1AVB", "2AVB", "3AVB", "CRBBB", "IRBBB", "CLBBB", "ILBBB", "IVCD", "WPW"),
    *("LVH", "RVH", "LAO/LAE", "RAO/RAE", "SEHYP"),
    *("ABQRS", "PVC", "STD_", "VCLVH", "QWAVE", "LOWT", "NT_", "PAC", "LPR", "INVT", "LVOLT", "HVOLT"),
    *("TAB_", "STE_", "PRC(S)"),
    *("SR", "AFIB", "STACH", "SARRH", "SBRAD", "PACE", "SVARR", "BIGU", "AFLT", "SVTAC", "PSVT", "TRIGU"),
)
"""All statements of PTB-XL."""
CPSC2018 = ("Normal", "AF", "I-AVB", "LBBB", "RBBB", "PAC", "PVC", "STD", "STE")
CINC2021 = {
    **{
        164889003: "AFIB",
        164890007: "AFLT",
        6374002: "BBB",
        426627000: "BRADY",
        733534002: "CLBBB",
        164909002: "CLBBB",
    },
    **{713427006: "CRBBB", 59118001: "CRBBB", 270492004: "1AVB", 713426002: "IRBBB", 39732003: "LAD"},
    **{445118002: "LAFB", 251146004: "LVOLT", 698252002: "IVCD", 426783006: "SR", 284470004: "PAC", 63593006: "PAC"},
    **{10370003: "PACE", 365413008: "PRWP", 427172004: "PVC", 17338001: "PVC", 164947007: "LPR", 111975006: "LNGQT"},
    **{164917005: "QWAVE", 47665007: "RAD", 427393009: "SARRH", 426177001: "SBRAD", 427084000: "STACH"},
    **{164934002: "TAB_", 59931005: "INVT"},
}
"""The 30 codes scored in the PhysioNet challenge 2021, and the statement that each stands for."""
ECTOPIC = "premature_ventricular"


def find(label: str, key: str, measured: Measurements, on: Beats | None = None) -> Finding:
    findings = evaluate(label, measured, beats() if on is None else on, age_years=60, sex="male")
    return next(f for f in findings if f.definition == key and f.criterion == label)


def rhythm(kinds: str, rr_s: dict[str, float], qrs_s: dict[str, float], without_p: str = "V") -> Beats:
    """Return beats N (normal), V or A (premature) with the RR interval before each kind, in seconds."""
    names = {"N": "normal", "V": ECTOPIC, "A": "premature_atrial"}
    steps = [rr_s.get(kind, 1.0) for kind in kinds]
    pauses = [1.0 + (1.0 - rr_s.get(before, 1.0)) for before in "N" + kinds[:-1]]
    steps = [pause if kind == "N" else step for kind, step, pause in zip(kinds, steps, pauses, strict=True)]
    r = np.cumsum(steps)
    half = np.array([qrs_s.get(kind, 0.09) / 2 for kind in kinds])
    p_on = np.where([kind in without_p for kind in kinds], np.nan, r - 0.2)
    return Beats(
        r_s=r,
        p_on=p_on,
        p_off=p_on + 0.1,
        qrs_on=r - half,
        qrs_off=r + half,
        t_on=r + 0.16,
        t_off=r + 0.36,
        kind=tuple(names[kind] for kind in kinds),
        duration_s=float(r[-1] + 1),
        leads=measurements().leads,
    )


def test_every_statement_of_ptbxl_cpsc_and_the_2021_challenge_has_its_entry() -> None:
    assert len(PTBXL) == 71
    assert {label: for_label(label) for label in (*PTBXL, *CPSC2018) if not for_label(label)} == {}
    for code, wanted in CINC2021.items():
        assert wanted in {one.id for one in for_label(str(code))}, code
    for name in PTBXL:
        assert name in {one.id for one in for_label(name)}


def test_no_text_of_the_catalogue_names_a_program() -> None:
    for one in load().entries.values():
        assert not any(word in one.model_dump_json() for word in ("12SL", "GE ", "Glasgow", "Uni-G", "Schiller"))


@pytest.mark.parametrize(
    ("qrs_ms", "complete", "incomplete"), [(104, "not_met", "not_met"), (115, "borderline", "met")]
)
def test_right_bundle_branch_block_is_incomplete_below_120_ms(qrs_ms: float, complete: str, incomplete: str) -> None:
    late_s = {"s_ms": {"I": 60.0, "V6": 55.0}}
    measured = measurements({"qrs_ms": float(qrs_ms)}, late_s, patterns={"V1": "rsR'"})
    assert find("CRBBB", "aha2009", measured).state == complete
    assert find("IRBBB", "aha2009", measured).state == incomplete
    assert find("IRBBB", "from_100_ms", measured).state == "met"


def test_a_wide_complex_without_a_shape_is_an_unspecific_delay() -> None:
    assert find("IVCD", "aha2009", measurements({"qrs_ms": 135.0})).state == "met"
    late_s = {"s_ms": {"I": 60.0, "V6": 55.0}}
    blocked = measurements({"qrs_ms": 135.0}, late_s, patterns={"V1": "rsR'"})
    assert find("IVCD", "aha2009", blocked).state == "not_met"
    assert find("BBB", "either_side", blocked).state == "met"


def test_a_small_s_behind_the_r_leaves_a_fascicular_block() -> None:
    shapes = {"I": "rS", "aVL": "rS", "III": "qRs", "aVF": "qRs"}
    assert find("LPFB", "aha2009", measurements({"qrs_axis_deg": 110.0}, patterns=shapes)).state == "met"
    without_q = shapes | {"III": "Rs"}
    assert find("LPFB", "aha2009", measurements({"qrs_axis_deg": 110.0}, patterns=without_q)).state == "not_met"


def test_r_prime_in_v1_has_a_limit_of_its_own() -> None:
    def states(r2_mv: float) -> dict[str, str]:
        shape = {"r_mv": {"V1": 0.2}, "s_mv": {"V1": 0.4}, "r2_mv": {"V1": r2_mv}}
        measured = measurements({"qrs_axis_deg": 115.0}, shape)
        return {f.definition: f.state for f in evaluate("RVH", measured, beats(), age_years=60, sex="male")}

    assert states(1.2) | {"r_prime_v1": "met", "r_v1": "not_met"} == states(1.2)
    assert states(0.8) | {"r_prime_v1": "not_met", "r_v1": "not_met"} == states(0.8)


def test_limits_are_cited_from_where_they_were_published() -> None:
    known = load()
    cited = {f"{e.id}/{d.key}": known.sources[d.source].doi for e in known.entries.values() for d in e.definitions}
    voltages = ("r_v1", "r_over_s_v1", "sokolow_lyon_rv", "s_v5_v6", "r_over_s_v5_v6")
    assert {cited[f"RVH/{key}"] for key in voltages} == {"10.1016/0002-8703(49)91335-6"}
    assert cited["RVH/seattle2013"] == "10.1136/bjsports-2012-092069"
    assert cited["HVOLT/esc2005"] == "10.1093/eurheartj/ehi108"
    assert cited["SVTAC/acc2015"] == "10.1016/j.jacc.2015.08.856"
    assert cited["NORM/adult"] is None  # a sum of rules that have sources of their own
    rules = {
        rule.text: rule.source for name in ("1AVB", "AFIB") for rule in known.entries[name].definitions[0].resolved
    }
    assert rules["PR above 300 ms, marked"] is None
    assert known.sources[known.entries["1AVB"].definitions[0].source].doi == "10.1016/j.jacc.2018.10.044"
    assert rules["PR of 400 ms or more, profound"] == "athletes2017"
    cycle = next(source for text, source in rules.items() if "every 200 ms" in text)
    assert known.sources[cycle or ""].doi == "10.1093/eurheartj/ehq278"
    tenth = next(r for r in known.entries["SARRH"].definitions[0].resolved if "tenth" in r.text)
    assert "a definition of this project" in tenth.text


def test_left_posterior_block_is_not_told_beside_right_ventricular_hypertrophy() -> None:
    shapes = {"I": "rS", "aVL": "rS", "III": "qR", "aVF": "qR"}
    assert find("LPFB", "aha2009", measurements({"qrs_axis_deg": 110.0}, patterns=shapes)).state == "met"
    tall = measurements({"qrs_axis_deg": 110.0}, {"r_mv": {"V1": 1.2}}, patterns=shapes)
    assert find("LPFB", "aha2009", tall).state == "not_met"


def test_points_are_added_up_and_an_open_point_may_leave_the_sum_open() -> None:
    table = {"r_mv": {"V5": 3.4}, "r_peak_ms": {"V5": 58.0}}
    four = measurements({"qrs_ms": 82.0}, table)
    assert find("LVH", "romhilt_estes_probable", four).state == "met"
    assert find("LVH", "romhilt_estes_probable", four).why.startswith("4 points (4 are needed); R V5 3.40 mV")
    assert find("LVH", "romhilt_estes", four).state == "not_met"
    assert find("LVH", "romhilt_estes", measurements({"qrs_ms": 99.0}, table)).state == "met"
    unseen = {"p_end_mv": {"V1": np.nan}, "p_end_ms": {"V1": np.nan}}
    no_p = find("LVH", "romhilt_estes", measurements({"qrs_ms": 82.0}, table | unseen))
    assert no_p.state == "not_evaluable"
    assert "4 points and 3 that are not evaluable (5 are needed)" in no_p.why


def test_an_axis_to_the_right_may_turn_over() -> None:
    assert find("RAD", "minnesota_2_2", measurements({"qrs_axis_deg": -165.0})).state == "met"
    assert find("RAD", "aha2009", measurements({"qrs_axis_deg": 100.0})).state == "met"
    assert find("LAD", "aha2009", measurements({"qrs_axis_deg": -50.0})).state == "met"
    assert find("LAD", "aha2009", measurements({"qrs_axis_deg": -120.0})).state == "not_met"


@pytest.mark.parametrize(
    ("axis_deg", "definition", "label"), [(-50.0, "2_1", "LAD"), (150.0, "2_2", "RAD"), (105.0, "2_3", "RAD")]
)
def test_the_minnesota_code_gives_no_axis_beside_a_delay_pre_excitation_or_low_voltage(
    axis_deg: float, definition: str, label: str
) -> None:
    def state(values: dict[str, float], table: dict[str, dict[str, float]], other: bool = False) -> str:
        key = "aha2009" if other else f"minnesota_{definition}"
        return find(label, key, measurements({"qrs_axis_deg": axis_deg} | values, table)).state

    slow = {"delta_fraction": dict.fromkeys(("I", "II", "V2", "V3", "V4", "V5"), 0.8)}
    low = {"qrs_pp_mv": dict.fromkeys(("I", "II", "III", "aVR", "aVL", "aVF"), 0.3)}
    assert state({}, {}) == "met"
    for values, table in (({"qrs_ms": 145.0}, {}), ({"qrs_ms": 125.0, "pr_ms": 90.0}, slow), ({}, low)):
        assert state(values, table) == "not_met"
        assert state(values, table, other=True) == "met"


@pytest.mark.parametrize(("axis_deg", "state"), [(-60.0, "met"), (-150.0, "not_met"), (40.0, "not_met")])
def test_only_a_left_axis_earns_its_points(axis_deg: float, state: str) -> None:
    table = {"r_mv": {"V5": 3.4}}
    assert find("LVH", "romhilt_estes", measurements({"qrs_axis_deg": axis_deg, "qrs_ms": 82.0}, table)).state == state


@pytest.mark.parametrize("qrs_ms", [113.0, 117.0])
def test_a_notched_r_leaves_incomplete_left_bundle_branch_block_to_be_found(qrs_ms: float) -> None:
    lateral = ("I", "aVL", "V5", "V6")
    shape = {"notch": dict.fromkeys(lateral, 1.0), "r_peak_ms": dict.fromkeys(("V4", "V5", "V6"), 72.0)}
    voltage = {"s_mv": {"V1": 2.4}, "r_mv": {"V5": 2.2}}
    block = measurements({"qrs_ms": qrs_ms}, shape | voltage, patterns={"V1": "rS"})
    assert find("CLBBB", "aha2009", block).state == "borderline"
    found = find("ILBBB", "aha2009", block)
    assert found.state == "met"
    assert "S V1 2.40 + R V5 2.20 = 4.60 mV" in found.why
    assert find("LVH", "sokolow_lyon", block).state == "not_evaluable"
    small = measurements({"qrs_ms": qrs_ms}, shape, patterns={"V1": "rS"})
    assert find("ILBBB", "aha2009", small).state == "not_met"


def test_r_that_does_not_grow_is_poor_progression() -> None:
    flat = {"r_mv": {"V1": 0.25, "V2": 0.15, "V3": 0.1, "V4": 0.1}}
    found = find("PRWP", "no_growth", measurements(per_lead=flat))
    assert found.state == "met"
    assert "R V2 0.15 - R V1 0.25 = -0.10 mV <= 0.00 mV" in found.why


def test_sinus_rates_have_their_statements_and_a_rhythm_without_p_none() -> None:
    assert find("SBRAD", "below_60", measurements({"rate_bpm": 48.0})).state == "met"
    assert find("SBRAD", "acc2018", measurements({"rate_bpm": 55.0})).state == "not_met"
    assert find("STACH", "acc2015", measurements({"rate_bpm": 120.0})).state == "met"
    assert find("SR", "rate_60_100", measurements({"rate_bpm": 120.0})).state == "not_met"
    assert find("STACH", "acc2015", measurements({"rate_bpm": 120.0, "p_fraction": 0.1})).state == "not_met"
    assert find("BRADY", "below_60", measurements({"rate_bpm": 48.0, "p_fraction": 0.0})).state == "met"


def test_flutter_needs_atrial_waves_of_its_rate() -> None:
    waves = {"f_mv": 0.12, "f_regularity": 0.7}
    assert find("AFLT", "acc2015", measurements(waves | {"f_rate_hz": 5.0})).state == "met"
    assert find("AFLT", "acc2015", measurements(waves | {"f_rate_hz": 7.5})).state == "not_met"
    assert find("AFLT", "acc2015", measurements()).state == "not_met"
    fast = measurements({"rate_bpm": 170.0, "p_fraction": 0.0})
    assert find("SVTAC", "acc2015", fast).state == "met"
    assert "seldom lies inside 10 s" in find("PSVT", "acc2015", fast).why
    assert find("PSVT", "acc2015", measurements()).state == "not_met"


def test_a_premature_wide_beat_without_p_is_ventricular_and_one_is_not_two() -> None:
    one = rhythm("NNNNVNNN", {"V": 0.6}, {"V": 0.15})
    found = find("PVC", "premature_wide", measurements(), one)
    assert found.state == "met"
    assert found.why.startswith(
        "1 premature ventricular beat, one of them (RR before / usual RR 0.60 < 0.90 (+0.30), "
        "QRS of the beat 150 ms >= 120 ms (+30), no P wave before the beat)"
    )
    assert [rule.state for rule in found.rules] == ["met", "met"]
    assert find("PVC", "athletes2017", measurements(), one).state == "not_met"
    assert find("PVC", "athletes2017", measurements(), rhythm("NNVNNNVN", {"V": 0.6}, {"V": 0.15})).state == "met"
    far = rhythm("NV" + 12 * "N" + "VN", {"V": 0.6}, {"V": 0.15})
    assert find("PVC", "athletes2017", measurements(), far).state == "not_met"  # 13 s from one to the other
    near = rhythm("NV" + 12 * "N" + "VNNNVN", {"V": 0.6}, {"V": 0.15})
    assert find("PVC", "athletes2017", measurements(), near).state == "met"
    assert find("PVC", "premature_wide", measurements(), rhythm("NNNNVNNN", {"V": 0.6}, {"V": 0.1})).state == "not_met"
    assert find("PVC", "premature_wide", measurements()).why.startswith("no premature ventricular beats: not met")
    assert find("PRC(S)", "any_origin", measurements(), one).state == "met"
    assert find("PAC", "premature_narrow", measurements(), one).state == "not_met"


def test_a_p_wave_that_is_there_by_chance_denies_no_premature_ventricular_beat() -> None:
    one = rhythm("NNNNVNNN", {"V": 0.6}, {"V": 0.15})
    usual = float(np.nanmedian(one.qrs_on - one.p_on))
    assert np.isnan(one.p_on[4])
    for apart_s, state in ((0.055, "not_met"), (0.065, "met")):
        on = one.p_on.copy()
        on[4] = one.qrs_on[4] - usual + apart_s
        assert find("PVC", "premature_wide", measurements(), replace(one, p_on=on, p_off=on + 0.03)).state == state


def test_of_a_beat_that_the_recording_cuts_neither_width_nor_prematurity_is_known() -> None:
    beats = rhythm("NNNNNNNV", {"V": 0.6}, {"V": 0.15})
    ends_s = float(beats.qrs_on[-1]) + 0.07
    cut = replace(beats, qrs_off=np.minimum(beats.qrs_off, ends_s), duration_s=ends_s)
    assert cut.cut_qrs.tolist() == [False] * 7 + [True]
    found = find("PVC", "premature_wide", measurements(), cut)
    assert found.state == "not_evaluable"
    assert found.why.startswith("1 premature ventricular beat (RR before / usual RR not measurable")
    assert "QRS of the beat not measurable" in found.why
    assert "one of them" not in found.why


def test_a_premature_narrow_beat_is_atrial() -> None:
    found = find("PAC", "premature_narrow", measurements(), rhythm("NNNANNNN", {"A": 0.65}, {}))
    assert found.state == "met"
    assert found.rules[1].state == "met"


def test_bigeminy_and_trigeminy_are_chains_of_premature_beats() -> None:
    two = rhythm("NVNVNVNV", {"V": 0.6}, {"V": 0.15})
    assert find("BIGU", "three_cycles", measurements(), two).state == "met"
    assert find("TRIGU", "three_cycles", measurements(), two).state == "not_met"
    three = rhythm("NNVNNVNNV", {"V": 0.6}, {"V": 0.15})
    assert find("TRIGU", "three_cycles", measurements(), three).state == "met"
    by_chance = rhythm("NNVNNVNNNN", {"V": 0.6}, {"V": 0.15})  # of many premature beats two are three apart somewhere
    assert find("TRIGU", "three_cycles", measurements(), by_chance).state == "not_met"
    assert find("BIGU", "three_cycles", measurements(), three).state == "not_met"
    assert [longest_chain(np.array([c == "V" for c in "VNVNNVNVNV"]), n) for n in (2, 3)] == [3, 2]
    assert longest_chain(np.zeros(4, dtype=bool), 2) == 0


def test_a_p_wave_without_qrs_is_second_degree_block_and_its_pr_tells_the_type() -> None:
    def with_block(prolonging_s: float) -> Beats:
        r = np.array([1.0, 2.0, 3.0, 5.0, 6.0, 7.0])
        pr = 0.2 + prolonging_s * np.array([0, 1, 2, 0, 1, 2])
        made = rhythm("N" * 6, {}, {})
        marks = {"p_on": r - 0.045 - pr, "qrs_on": r - 0.045, "qrs_off": r + 0.045, "t_on": r + 0.2, "t_off": r + 0.4}
        kept = {"kind": made.kind, "duration_s": 8.0, "leads": made.leads, "extra_p_s": np.array([4.0])}
        return Beats(r_s=r, p_off=r - 0.045 - pr + 0.1, **marks, **kept)

    numbers, _ = rhythm_numbers(with_block(0.04))
    assert numbers["blocked_pr_change_ms"] == pytest.approx(80)
    assert numbers["p_per_qrs"] == pytest.approx(7 / 6)
    assert numbers["longest_rr_ms"] == pytest.approx(2000)
    paused, keys = measurements({"rr_range_fraction": 0.7}), ("any_type", "type_1", "type_2")
    states = {key: find("2AVB", key, paused, with_block(0.04)).state for key in keys}
    assert states == {"any_type": "met", "type_1": "met", "type_2": "not_met"}
    assert find("2AVB", "type_2", paused, with_block(0.0)).state in ("met", "borderline")
    even = measurements({"rr_range_fraction": 0.03})  # ventricles that no blocked P wave stops are on their own
    assert {find("2AVB", key, even, with_block(0.04)).state for key in keys[1:]} == {"not_met"}
    assert find("2AVB", "high_grade", measurements(), with_block(0.0)).state == "not_met"
    assert find("2AVB", "any_type", measurements()).state == "not_met"
    assert find("2AVB", "any_type", paused, with_block(0.04)).why.startswith("P waves without QRS 1 >= 1 (+0): met")


def _blocked(conducted: str, pr_s: tuple[float, ...] = (0.16,)) -> Beats:
    """Return a P wave a second, each with a QRS where ``conducted`` says so ("x"), PR as in ``pr_s`` over and over."""
    p = 0.5 + np.arange(len(conducted), dtype=float)
    led = np.array([one == "x" for one in conducted])
    on = p[led] + np.resize(pr_s, int(led.sum()))
    marks = {"qrs_on": on, "qrs_off": on + 0.09, "t_on": on + 0.2, "t_off": on + 0.4}
    kept = {"kind": ("normal",) * len(on), "duration_s": len(conducted) + 1.0, "leads": measurements().leads}
    return Beats(r_s=on + 0.045, p_on=p[led], p_off=p[led] + 0.1, **marks, **kept, extra_p_s=p[~led] + 0.05)


@pytest.mark.parametrize(
    ("conducted", "run", "met"),
    [
        ("x.x.x.x.x.", 1, {"any_type"}),
        ("x..x..x..x", 1, {"any_type", "high_grade"}),
        ("xx.xx.xx.x", 2, {"any_type", "type_2"}),
        ("xxxx.xxxxx", 5, {"any_type", "type_2"}),
        ("xxx..xxxxx", 5, {"any_type", "high_grade"}),
    ],
)
def test_block_has_a_type_only_where_two_p_waves_in_a_row_are_conducted(
    conducted: str, run: int, met: set[str]
) -> None:
    on = _blocked(conducted)
    assert rhythm_numbers(on)[0]["conducted_p_run"] == run
    keys, paused = ("any_type", "type_1", "type_2", "high_grade"), measurements({"rr_range_fraction": 0.7})
    assert {key for key in keys if find("2AVB", key, paused, on).state == "met"} == met


WENCKEBACH = _blocked("xxx.xxx.xxx.", (0.16, 0.24, 0.30))
"""PP even, RR not: PR grows until a P wave is blocked."""


def test_the_rate_of_the_ventricles_is_not_that_of_the_sinus_node_in_block() -> None:
    half, slow = _blocked("x.x.x.x.x."), measurements({"rate_bpm": 30.0})
    for name, rate in (("SBRAD", 48.0), ("SR", 72.0), ("STACH", 120.0)):
        key = load().entries[name].definitions[0].key
        assert find(name, key, measurements({"rate_bpm": rate})).state == "met"
        assert find(name, key, measurements({"rate_bpm": rate}), half).state == "not_evaluable"
    assert "there is second-degree atrioventricular block" in find("SBRAD", "below_60", slow, half).why
    assert find("BRADY", "below_60", slow, half).state == "met"


def test_uneven_rr_with_even_pp_is_no_sinus_arrhythmia() -> None:
    uneven = measurements({"rr_range_fraction": 0.6, "rr_cv": 0.25, "nrmssd": 0.4})
    assert find("2AVB", "type_1", uneven, WENCKEBACH).state == "met"
    assert rhythm_numbers(WENCKEBACH)[0]["pp_range_ms"] == pytest.approx(0)
    assert find("SARRH", "pp_120_ms", uneven, WENCKEBACH).state == "not_evaluable"
    assert find("SARRH", "pp_120_ms", uneven).state == "met"


@pytest.mark.parametrize("after", [0.35, -0.15])
def test_a_p_wave_that_a_premature_ventricular_beat_forestalls_is_not_blocked(after: float) -> None:
    """The sinus node goes on: its P wave falls on the premature beat, whose ventricle cannot answer it."""
    made = rhythm("NNNVNNN", {"V": 0.7}, {"V": 0.15})
    hidden = replace(made, extra_p_s=np.array([made.r_s[3] + after]))
    assert rhythm_numbers(hidden)[0]["blocked_p"] == rhythm_numbers(hidden)[0]["blocked_p_run"] == 0
    for key in ("any_type", "type_1", "type_2", "high_grade"):
        assert find("2AVB", key, measurements(), hidden).state == "not_met"
    blocked = replace(made, extra_p_s=np.array([made.r_s[0] + 0.5, made.r_s[3] + after]))
    assert rhythm_numbers(blocked)[0]["blocked_p"] == 1
    assert find("2AVB", "any_type", measurements(), blocked).state == "met"


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_simulated_premature_ventricular_beat_is_no_block_on_its_true_marks(seed: int) -> None:
    made = simulate("pvc", seed=seed, fs=500.0, duration_s=10.0)
    assert made.truth.beats.extra_p_s.size
    measured = measure(condition(made.record), made.truth.beats)
    assert find("PVC", "premature_wide", measured, made.truth.beats).state == "met"
    assert find("2AVB", "any_type", measured, made.truth.beats).state == "not_met"


def test_numbers_of_beats_are_missing_where_a_beat_has_no_neighbour() -> None:
    rows = beat_numbers(rhythm("NNNVN", {"V": 0.6}, {"V": 0.15}))
    assert np.isnan(rows["beat_coupling"][0])
    assert np.isnan(rows["beat_pause"][-1])
    assert rows["beat_pause"][3] == pytest.approx(2.0)
    nothing, why = rhythm_numbers(beats((), reason="all leads are flat"))
    assert np.isnan(list(nothing.values())).all()
    assert set(why.values()) == {"all leads are flat"}


def test_spikes_are_not_looked_for_at_a_coarse_rate() -> None:
    paced = beats(("paced",) * 4)
    assert find("PACE", "spikes", measurements(), paced).state == "met"
    assert find("PACE", "spikes", measurements()).state == "not_met"
    coarse = find("PACE", "spikes", measurements(fs=100.0))
    assert coarse.state == "not_evaluable"
    assert "100 Hz is too coarse" in coarse.why


def test_a_wide_p_wave_alone_leaves_its_notch_open() -> None:
    wide = measurements({"p_ms": 140.0})
    assert find("LAO/LAE", "wide_notched_p", wide).state == "not_evaluable"
    assert "notched P wave are not measured" in find("LAO/LAE", "wide_notched_p", wide).why
    assert find("LAO/LAE", "partial_interatrial_block", wide).state == "met"
    assert find("LAO/LAE", "p_terminal_force", measurements({"ptf_v1_mv_ms": 6.0})).state == "met"


WIDE = {"qrs_width_ms": dict.fromkeys(("I", "II", "aVL"), 138.0)}


def test_left_bundle_branch_block_of_esc_needs_one_notched_lateral_lead() -> None:
    shape = {"V1": "rS", "V2": "rS"}
    one = measurements({"qrs_ms": 136.0}, {"notch": {"V6": 1.0}}, patterns=shape)
    assert find("CLBBB", "esc2013", one).state == "met"
    assert find("CLBBB", "aha2009", one).state == "not_met"
    assert find("CLBBB", "esc2013", measurements({"qrs_ms": 136.0}, patterns=shape)).state == "not_met"
    with_q = {"notch": {"V6": 1.0}, "q_mv": {"V5": 0.2}}
    assert find("CLBBB", "esc2013", measurements({"qrs_ms": 136.0}, with_q, patterns=shape)).state == "not_met"


def test_the_minnesota_code_reads_left_bundle_branch_block_at_100_hz() -> None:
    late = WIDE | {"r_peak_ms": {"aVL": 75.0}}
    for fs in (500.0, 100.0):
        found = find("CLBBB", "minnesota_7_1", measurements({"qrs_ms": 133.0}, late, patterns={"V1": "QS"}, fs=fs))
        assert found.state == "met", found.why
    narrow = measurements({"qrs_ms": 133.0}, late | {"qrs_width_ms": {"I": 105.0}}, patterns={"V1": "QS"})
    assert find("CLBBB", "minnesota_7_1", narrow).state == "not_met"
    assert (
        find("CLBBB", "minnesota_7_1", measurements({"qrs_ms": 133.0}, late, patterns={"V1": "qR"})).state == "not_met"
    )


def test_a_lead_without_r_wave_has_no_late_one() -> None:
    """QS in II, as in old inferior infarction: it leaves nothing open, or every entry that CLBBB bars would be open."""
    no_r = WIDE | {"r_mv": {"II": 0.0}, "q_mv": {"II": 0.9}, "r_peak_ms": {"II": np.nan}}
    found = find("CLBBB", "minnesota_7_1", measurements({"qrs_ms": 133.0}, no_r, patterns={"II": "QS"}))
    assert found.state == "not_met"


def test_the_minnesota_code_reads_right_bundle_branch_block_in_one_lead() -> None:
    in_v1 = {"r_mv": {"V1": 0.2}, "r2_mv": {"V1": 0.6}}
    wide = {"qrs_ms": 133.0}
    shape = {"V1": "rsR'"}
    assert find("CRBBB", "minnesota_7_2", measurements(wide, WIDE | in_v1, patterns=shape)).state == "met"
    late_s = {"r_ms": {"I": 40.0}, "s_ms": {"I": 60.0}}
    assert find("CRBBB", "minnesota_7_2", measurements(wide, WIDE | late_s, patterns=shape)).state == "met"
    assert find("CRBBB", "minnesota_7_2", measurements(wide, WIDE, patterns=shape)).state == "not_met"
    left = WIDE | late_s | {"r_peak_ms": {"aVL": 75.0}}
    assert find("CRBBB", "minnesota_7_2", measurements(wide, left, patterns={"V1": "QS"})).state == "not_met"


def test_a_block_is_judged_with_a_caution_while_pre_excitation_is_open() -> None:
    no_p = measurements({"qrs_ms": 140.0, "pr_ms": np.nan}, fs=100.0)
    found = find("CRBBB", "aha2009", no_p)
    assert find("WPW", "athletes2017", no_p).state == "not_evaluable"
    assert found.state == "not_met"
    assert any("open whether there is ventricular pre-excitation" in caveat for caveat in found.caveats)
