"""The simulator's truth: published limits on beats made by hand, masks and cells counted, planted times on samples."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.simulate import FINDINGS, Simulation, limits, simulate
from ecgviz.simulate.heart import Heart, draw_heart
from ecgviz.simulate.planted import PER_LEAD, Planted
from ecgviz.simulate.truth import named_cells, rhythm_values, smallest_mask
from tests.toys import even_beats


def heart(sex: str = "male", age_years: float = 55.0) -> Heart:
    drawn = (np.random.default_rng(1), np.random.default_rng(2))
    return draw_heart(*drawn, ages=(40, 60), rates=(60, 80), alpha=1.0, sex=sex, age_years=age_years, rate_bpm=70.0)


def beat(values: Mapping[str, float] | None = None, **waves: Mapping[str, float]) -> Planted:
    """Return a beat of nothing but what is named: measurement -> lead -> value."""
    rows = {name: np.zeros(12) for name in PER_LEAD}
    for name, of_leads in waves.items():
        for lead, value in of_leads.items():
            rows[name][LEADS.index(lead)] = value
    return Planted(dict(values or {}), rows)


@pytest.fixture(scope="module")
def pvc() -> Simulation:
    return simulate("pvc", seed=2, fs=1000.0, duration_s=10.0, noise=0.0, heart_rate_bpm=70.0)


@pytest.mark.parametrize(
    ("sex", "age_years", "v2_mv"),
    [("male", 39, 0.25), ("male", 40, 0.20), ("male", 80, 0.20), ("female", 39, 0.15), ("female", 80, 0.15)],
)
def test_st_elevation_is_that_of_the_fourth_universal_definition(sex: str, age_years: float, v2_mv: float) -> None:
    for lead, limit_mv in (("V2", v2_mv), ("V3", v2_mv), ("V1", 0.1), ("V4", 0.1), ("II", 0.1), ("aVL", 0.1)):
        assert limits.elevation_limit_mv(lead, sex, age_years) == limit_mv
    of = heart(sex, age_years)
    assert limits.elevated(beat(j_mv={"V2": v2_mv + 0.01, "V3": v2_mv + 0.01}), of)
    assert not limits.elevated(beat(j_mv={"V2": v2_mv - 0.01, "V3": v2_mv - 0.01}), of)
    assert not limits.elevated(beat(j_mv={"V2": 0.5, "V5": 0.5, "aVR": 0.5}), of)  # no two that are contiguous


def test_st_depression_is_horizontal_or_falls() -> None:
    for later, is_it in ((-0.06, True), (-0.1, True), (0.02, False)):
        down = beat(j_mv={"V4": -0.06, "V5": -0.06}, st80_mv={"V4": later, "V5": later})
        assert limits.depressed(down) is is_it
    assert not limits.depressed(beat(j_mv={"V4": -0.04, "V5": -0.04}, st80_mv={"V4": -0.1, "V5": -0.1}))


def test_a_q_wave_of_v2_and_v3_is_pathological_from_20_ms_on_and_elsewhere_from_30() -> None:
    def counted(ms: float, mv: float, *leads: str) -> int:
        made = beat(q_ms=dict.fromkeys(leads, ms), q_mv=dict.fromkeys(leads, mv))
        return limits.q_waves(made, share=1.0)

    assert [counted(ms, 0.05, "V2", "V3") for ms in (19, 21)] == [0, 2]
    assert [counted(ms, 0.15, "II", "III", "aVF") for ms in (29, 31)] == [0, 3]
    assert [counted(31, mv, "I", "aVL") for mv in (0.09, 0.11)] == [0, 2]
    assert limits.q_waves(beat(qs={"V1": 1, "V2": 1, "V3": 1})) == 2  # QS of V1 alone is normal


def test_voltages_are_summed_from_their_own_leads() -> None:
    made = beat(s_mv={"V1": 1.1, "V3": 0.7, "V2": 9}, r_mv={"V5": 1.4, "V6": 1.6, "aVL": 0.5, "V4": 9})
    assert limits.sokolow_mv(made) == pytest.approx(2.7)
    assert limits.cornell_mv(made) == pytest.approx(1.2)
    qs = beat(q_mv={"V1": 1.3, "V3": 0.8}, qs={"V1": 1, "V3": 1}, r_mv={"V5": 1.0, "aVL": 0.4})
    assert (limits.sokolow_mv(qs), limits.cornell_mv(qs)) == pytest.approx((2.3, 1.2))


def strain(sum_mv: float) -> Planted:
    t = {"V5": -0.2, "V6": -0.2}
    return beat({"qrs_ms": 100, "qrs_axis_deg": 10}, s_mv={"V1": 1.5}, r_mv={"V5": sum_mv - 1.5}, t_mv=t)


def block(qrs_ms: float) -> Planted:
    lateral = ("I", "aVL", "V5", "V6")
    return beat(
        {"qrs_ms": qrs_ms},
        r_mv={**dict.fromkeys(lateral, 1.0), "V1": 0.1, "V2": 0.2},
        s_mv={"V1": 1.0, "V2": 1.5},
        r_peak_ms={"V5": 80, "V6": 80},
        notch=dict.fromkeys(lateral, 1),
    )


@pytest.mark.parametrize(
    ("finding", "short", "past", "sex"),
    [
        ("first_degree_av_block", beat({"pr_ms": 200}), beat({"pr_ms": 215}), "male"),
        ("sinus_tachycardia", beat({"rate_bpm": 100}), beat({"rate_bpm": 105}), "male"),
        ("sinus_bradycardia", beat({"rate_bpm": 60}), beat({"rate_bpm": 55}), "male"),
        ("lvh", strain(3.5), strain(3.7), "male"),
        ("lbbb", block(139), block(145), "male"),
        ("lbbb", block(129), block(135), "female"),
        ("long_qt", *[beat({"qtc_fridericia_ms": q, "qtc_bazett_ms": 520}) for q in (450, 480)], "male"),
        ("long_qt", *[beat({"qtc_fridericia_ms": q, "qtc_bazett_ms": 520}) for q in (460, 490)], "female"),
        ("wpw", beat({"pr_ms": 120, "qrs_ms": 140}), beat({"pr_ms": 100, "qrs_ms": 140}), "male"),
        ("wpw", beat({"pr_ms": 100, "qrs_ms": 110}), beat({"pr_ms": 100, "qrs_ms": 135}), "male"),
    ],
)
def test_what_is_just_not_there_does_not_meet_its_limits(finding: str, short: Planted, past: Planted, sex: str) -> None:
    meets = limits.LIMITS[finding]
    assert [bool(meets(one, heart(sex))) for one in (short, past)] == [False, True]


def test_the_mask_is_the_fewest_samples_with_nine_tenths_of_the_energy() -> None:
    evidence = np.sqrt(np.array([[5.0, 0.0, 35.0, 0.0], [0.0, 50.0, 0.0, 10.0]]))
    np.testing.assert_array_equal(smallest_mask(evidence), [[0, 0, 1, 0], [0, 1, 0, 1]])
    assert not smallest_mask(np.zeros((2, 3))).any()


def test_cells_of_a_rhythm_lie_on_the_beats_that_it_is_about() -> None:
    kind = ("normal", "normal", "normal", "premature_ventricular", "normal", "normal")
    cells = {cell.role: cell for cell in named_cells("pvc", replace(even_beats(6), kind=kind))}
    assert {role: cell.beats for role, cell in cells.items()} == {"ectopic": (3,), "coupling": (2,), "pause": (3,)}
    assert cells["coupling"].atoms == cells["pause"].atoms == ("TP",)
    absent, waves = named_cells("af", even_beats(3, without_p=range(3)))
    assert (absent.role, absent.leads, absent.atoms, absent.beats) == ("absent_p", LEADS, ("P",), (0, 1, 2))
    assert (waves.role, waves.leads, waves.atoms) == ("f_waves", ("II", "III", "aVF", "V1"), ("P", "TP"))
    assert named_cells("lvh", even_beats(3)) == ()


def test_the_values_of_a_rhythm_are_those_of_its_beats() -> None:
    beats = replace(even_beats(4, without_p=(1,)), r_s=np.array([1.0, 1.8, 3.0, 4.0]))
    values = rhythm_values({"p_ms": 100.0, "pr_ms": 160.0, "qt_ms": 400.0}, beats)
    told = {name: values[name] for name in ("rr_mean_ms", "rate_bpm", "rr_sd_ms", "rr_cv", "rr_range_fraction")}
    assert told == pytest.approx(
        {"rr_mean_ms": 1000, "rate_bpm": 60, "rr_sd_ms": 400 / 6**0.5, "rr_cv": 0.4 / 6**0.5, "rr_range_fraction": 0.4}
    )
    assert (values["p_fraction"], values["n_beats"], values["n_ectopic"], values["p_ms"]) == (0.75, 4, 0, 100.0)
    assert np.isnan(rhythm_values({"p_ms": 100.0, "qt_ms": 400.0}, even_beats(4, without_p=range(4)))["p_ms"])


def test_planted_intervals_are_those_between_the_marks(pvc: Simulation) -> None:
    values, beats = pvc.truth.twin_values, pvc.truth.twin_beats
    rr_s = np.diff(beats.r_s).mean()
    np.testing.assert_allclose(1000 * (beats.p_off - beats.p_on), values["p_ms"], atol=1e-6)
    np.testing.assert_allclose(1000 * (beats.qrs_on - beats.p_on), values["pr_ms"], atol=1e-6)
    np.testing.assert_allclose(1000 * (beats.qrs_off - beats.qrs_on), values["qrs_ms"], atol=1e-6)
    assert values["qtc_bazett_ms"] == pytest.approx(values["qt_ms"] / rr_s**0.5)
    assert values["qtc_fridericia_ms"] == pytest.approx(values["qt_ms"] / rr_s ** (1 / 3))


def test_the_p_wave_of_a_beat_that_never_came_stands_where_the_twin_has_it(pvc: Simulation) -> None:
    truth = pvc.truth
    assert truth.beats.extra_p_s.size == truth.beats.ectopic.sum() > 0
    middles = (truth.twin_beats.p_on + truth.twin_beats.p_off) / 2
    assert np.abs(truth.beats.extra_p_s[:, None] - middles).min(axis=1) == pytest.approx(0, abs=1e-9)


def test_st_and_axis_are_read_off_the_beat_at_their_own_places() -> None:
    made = simulate("inferior_stemi", seed=4, fs=1000.0, duration_s=4.0, noise=0.0, heart_rate_bpm=60.0)
    clean, truth = np.asarray(made.clean.signal, dtype=float), made.truth
    for name, later_s in (("j_mv", 0.0), ("st60_mv", 0.06), ("st80_mv", 0.08)):
        at = np.rint(1000 * (truth.beats.qrs_off + later_s)).astype(int)
        np.testing.assert_allclose(clean[:, at].mean(axis=1), truth.per_lead[name], atol=0.012)
    area = dict(zip(LEADS, truth.per_lead["qrs_area_mv_ms"], strict=True))
    i_axis = np.array([area["I"], (area["II"] + area["III"]) / np.sqrt(3)])  # orthogonal parts of the frontal plane
    assert truth.values["qrs_axis_deg"] == pytest.approx(np.degrees(np.arctan2(i_axis[1], i_axis[0])), abs=0.01)
    assert FINDINGS["inferior_stemi"].leads == ("II", "III", "aVF")
