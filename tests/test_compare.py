"""Verdicts on maps whose right answer is known, and null tests that neither cry wolf nor sleep."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from ecgviz.compare import compare
from ecgviz.evidence import evidence
from ecgviz.types import ATOMS, Beats, Explanation, Finding, Prediction, Region
from tests.toys import LEADS, even_beats, no_beats

A = {atom: s for s, atom in enumerate(ATOMS)}
INFERIOR = ("II", "III", "aVF")
BEATS = even_beats(10)


def jittered(seed, n=9, duration_s=10.0):
    """Beats with 8 % RR variability, as sinus rhythm has."""
    rng = np.random.default_rng(seed)
    on = 0.3 + np.cumsum(1.0 + 0.08 * rng.normal(size=n)) - 1.0
    marks = (on + 0.05, on - 0.16, on - 0.06, on, on + 0.1, on + 0.2, on + 0.4)
    return Beats(*marks, ("normal",) * n, duration_s=duration_s, leads=LEADS)


def region(beats, leads, atoms, role="primary"):
    weight = np.zeros((12, len(beats), len(ATOMS)))
    weight[np.ix_([LEADS.index(x) for x in leads], range(len(beats)), [A[a] for a in atoms])] = 1
    return Region(role, LEADS, weight, f"{', '.join(leads)}: {', '.join(atoms)}")


def finding(state="met", *regions, criterion="IMI"):
    return Finding(criterion, f"{criterion} by name", "test", state, "", "", (), {r.role: r for r in regions})


def predicted(positive=True):
    return Prediction(("MI",), np.array([0.0]), np.array([0.9 if positive else 0.1]), np.array([0.5]))


def a_map(values, **more):
    keys = {"leads": LEADS, "label": "MI", "method": "toy", "signed": True, "resolution_s": 0.01} | more
    return Explanation(values=values, fs=100.0, start_s=0.0, **keys)


def painted(beats, leads, atoms, background=0.0):
    """Return a map of 1 in some waves of some leads."""
    values = np.full((12, 1000), background)
    rows = [LEADS.index(x) for x in leads]
    for b in range(len(beats)):
        for atom in atoms:
            first, last = np.round(beats.segments()[b, A[atom]] * 100 + 0.5).astype(int).clip(0, 1000)
            values[np.ix_(rows, range(first, last))] += 1.0
    return values


def smooth(seed, sd_samples=5.0):
    noise = np.random.default_rng(seed).normal(size=(12, 1000))
    return gaussian_filter1d(noise, sd_samples, axis=1, mode="wrap")


def judged(values, findings, beats=BEATS, *, controls=None, positive=True, explanation=None, seed=0):
    explanation = a_map(values) if explanation is None else explanation
    grid = evidence(explanation, beats)
    even = evidence(a_map(np.ones((12, 1000))), beats)
    controls = {"|x|": (even,), "random networks": (even, even)} if controls is None else controls
    return compare(explanation, beats, grid, findings, controls, predicted(positive), "MI", seed=seed)


def inferior_st(beats=BEATS):
    return (finding("met", region(beats, INFERIOR, ("ST",))),)


def test_the_right_waves_in_the_right_leads_agree():
    values = painted(BEATS, INFERIOR, ("ST",)) + 0.01
    result = judged(values, inferior_st())
    assert result.evidence == "agrees", result.why
    assert result.share == pytest.approx(303 / 417, abs=0.01)
    assert result.area == pytest.approx(0.0256, abs=0.002)
    assert result.density == pytest.approx(result.share / result.area)
    assert result.p_time < 0.02
    assert result.p_place == pytest.approx(1 / 220)  # 220 ways to choose three of twelve leads
    assert {score.name for score in result.controls} == {"|x|", "random networks"}
    for score in result.controls:
        assert score.excess == pytest.approx(result.share - score.share)
        assert score.excess_low <= score.excess <= score.excess_high
    assert result.criterion == "IMI"
    assert "II, III, aVF: ST" in result.why


def test_the_wrong_wave_disagrees():
    result = judged(painted(BEATS, ("V5", "V6"), ("P",)), inferior_st())
    assert result.evidence == "disagrees"
    assert result.share < result.area
    assert "no more than an even spread" in result.why


def test_the_right_wave_in_every_lead_never_agrees():
    for where in (inferior_st(), (finding("met", region(BEATS, ("V1",), ("ST",))),)):
        result = judged(painted(BEATS, LEADS, ("ST",)), where)
        assert result.share > result.area
        assert result.p_time < 0.05  # the time test alone would have believed it
        assert result.p_place == 1.0
        assert result.evidence == "partly"
        assert "not tied to these leads" in result.why


def test_a_beat_locked_map_that_is_blind_to_leads_seldom_agrees():
    beats = jittered(3)
    where = inferior_st(beats)
    agreed = 0
    for seed in range(60):
        noise = 0.3 * np.abs(smooth(seed)) / np.abs(smooth(seed)).mean()
        agreed += judged(painted(beats, LEADS, ("ST",)) + noise, where, beats).evidence == "agrees"
    assert agreed <= 6


def test_the_right_leads_at_any_time_do_not_agree():
    values = np.full((12, 1000), 0.01)
    values[[LEADS.index(x) for x in INFERIOR]] = 1.0
    result = judged(values, inferior_st())
    assert result.p_place == pytest.approx(1 / 220)
    assert result.p_time > 0.05
    assert result.evidence == "partly"
    assert "not tied to these waves in time" in result.why


@pytest.mark.parametrize("sd_samples", [3.0, 10.0])
def test_maps_that_have_nothing_to_do_with_the_record_are_seldom_believed(sd_samples):
    """Under the null each test rejects about one map in twenty, although neighbouring samples depend on each other."""
    beats, n = jittered(1), 60
    wide = (finding("met", region(beats, ("I", "II", "III", "V2", "V4", "V5"), ("ST", "T1"))),)
    results = [judged(smooth(seed, sd_samples), wide, beats) for seed in range(n)]
    assert np.mean([r.p_time <= 0.05 for r in results]) <= 0.10
    assert np.mean([r.p_place <= 0.05 for r in results]) <= 0.10
    assert np.mean([r.evidence == "agrees" for r in results]) <= 0.05


def test_what_a_trivial_map_has_as_well_is_no_merit():
    values = painted(BEATS, INFERIOR, ("ST",), 0.02)
    same = evidence(a_map(values), BEATS)
    result = judged(values, inferior_st(), controls={"|x|": (same,)})
    assert result.p_time < 0.05
    assert result.controls[0].excess == 0
    assert result.evidence == "partly"
    assert "not clearly more than a control" in result.why


def test_a_few_points_more_than_a_control_are_no_agreement():
    """A network that reads a little ST among much else: time and place are right, and it is not its reason."""
    result = judged(2 * painted(BEATS, INFERIOR, ("ST",)) + 1, inferior_st())
    assert result.controls[0].excess_low > 0
    assert 0.01 < result.controls[0].excess < 0.1
    assert result.p_time < 0.05
    assert result.p_place < 0.05
    assert result.evidence == "partly"
    assert "less than 10 points more than a control" in result.why


def test_the_best_control_counts():
    values = painted(BEATS, INFERIOR, ("ST",), 0.02)
    even, same = evidence(a_map(np.ones((12, 1000))), BEATS), evidence(a_map(values), BEATS)
    for controls in ({"|x|": (even,), "|dx/dt|": (same,)}, {"|dx/dt|": (same,), "|x|": (even,)}):
        result = judged(values, inferior_st(), controls=controls)
        assert result.evidence == "partly"
        assert "against the best control, |dx/dt|" in result.why


def test_a_map_of_one_beat_is_where_it_was_once_that_beat_lies_on_another():
    """Where RR varies no shift lays most beats onto others, and those of the one beat would pass for chance."""
    beats, leads = jittered(3), ("V2", "V3", "V4")
    start, end = (round(100 * at) for at in (beats.qrs_on[4] - 0.1, beats.t_off[4] + 0.1))
    values = np.full((12, 1000), 0.002)
    values[:, start:end] += painted(beats, leads, ("T1", "T2"))[:, start:end]
    result = judged(values, (finding("met", region(beats, leads, ("T1", "T2"))),), beats)
    assert result.p_time < 0.002
    assert result.evidence == "agrees"
    elsewhere = judged(values, (finding("met", region(beats, leads, ("P",))),), beats)
    assert elsewhere.p_time > 0.05


def test_padding_takes_no_part_in_the_shifts():
    beats = even_beats(6, duration_s=6.0)
    bare, loud = painted(beats, INFERIOR, ("ST",)), painted(beats, INFERIOR, ("ST",))
    loud[:, 600:] = 0.03
    assert judged(loud, inferior_st(beats), beats).p_time == judged(bare, inferior_st(beats), beats).p_time


def test_beats_beyond_the_window_of_a_map_take_no_part_in_the_shifts():
    """An hour's beats, wrapped around ten seconds, would lie everywhere, and no shift would be one against them."""
    found = []
    for n, duration_s in ((13, 13.5), (300, 310.0)):
        beats = jittered(3, n, duration_s)
        found.append(judged(painted(beats, INFERIOR, ("ST",)), inferior_st(beats), beats).p_time)
    assert found[0] == found[1] < 0.02


def test_less_than_a_trivial_map_disagrees():
    strong = evidence(a_map(painted(BEATS, INFERIOR, ("ST",), 0.001)), BEATS)
    values = painted(BEATS, INFERIOR, ("ST",), 0.2)
    result = judged(values, inferior_st(), controls={"|dx/dt|": (strong,)})
    assert result.controls[0].excess_high < 0
    assert result.evidence == "disagrees"
    assert "knows nothing of the training" in result.why


def test_the_interval_of_random_networks_holds_their_spread():
    values = painted(BEATS, INFERIOR, ("ST",), 0.02)
    spread = tuple(evidence(a_map(painted(BEATS, INFERIOR, ("ST",), b)), BEATS) for b in (0.01, 0.1, 1.0))
    one = judged(values, inferior_st(), controls={"random networks": (spread[1],)}).controls[0]
    three = judged(values, inferior_st(), controls={"random networks": spread}).controls[0]
    assert three.excess_high - three.excess_low > 5 * (one.excess_high - one.excess_low)


def test_controls_without_mass_are_left_out():
    zero = evidence(a_map(np.zeros((12, 1000))), BEATS)
    even = evidence(a_map(np.ones((12, 1000))), BEATS)
    values = painted(BEATS, INFERIOR, ("ST",)) + 0.01
    result = judged(values, inferior_st(), controls={"random networks": (zero, even), "|x|": (zero,)})
    assert np.isnan(result.controls[1].share)
    assert result.evidence == "agrees"
    nothing = judged(values, inferior_st(), controls={"|x|": (zero,)})
    assert nothing.evidence == "not assessable"
    assert "no control map has a share" in nothing.why


def test_how_the_limb_leads_share_relevance_is_no_disagreement():
    """I and aVR carry II, III and aVF between them: I + III = II, so a network may read the one for the other."""
    right_wave = judged(painted(BEATS, ("I", "aVR", "aVL"), ("ST",)), inferior_st())
    assert right_wave.share == pytest.approx(0, abs=1e-6)
    assert right_wave.evidence == "partly"
    assert "limb leads as one group" in right_wave.why
    wrong_wave = judged(painted(BEATS, ("I", "aVR", "aVL"), ("P",)), inferior_st())
    assert wrong_wave.evidence == "disagrees"


def test_group_shares_are_given_even_where_waves_cannot_be_judged():
    channel = a_map(np.arange(1.0, 13.0)[:, None], resolution_s=10.0)
    result = judged(None, inferior_st(), explanation=channel)
    assert result.evidence == "not assessable"
    assert "no time axis" in result.why
    assert result.group_shares["limb"] == pytest.approx(21 / 78)
    assert np.isnan(result.share)


def test_a_map_coarser_than_half_the_region_cannot_be_judged():
    values = painted(BEATS, INFERIOR, ("ST",)) + 0.01
    for resolution_s, assessable in ((0.5, False), (0.06, False), (0.04, True)):  # ST is 100 ms
        result = judged(None, inferior_st(), explanation=a_map(values, resolution_s=resolution_s))
        assert (result.evidence != "not assessable") == assessable
    coarse = judged(None, inferior_st(), explanation=a_map(values, resolution_s=0.5))
    assert "nothing finer than 500 ms" in coarse.why
    assert coarse.group_shares["limb"] > 0.5


def test_a_region_of_all_leads_makes_no_claim_about_leads():
    where = (finding("met", region(BEATS, LEADS, ("P",)), criterion="AFIB"),)
    by_lead = judged(painted(BEATS, LEADS, ("P",)) + 0.01, where)
    one_row = a_map(painted(BEATS, LEADS, ("P",))[:1] + 0.01, leads=())
    even = evidence(a_map(np.ones((1, 1000)), leads=()), BEATS)
    without_leads = judged(None, where, explanation=one_row, controls={"|x|": (even,)})
    for result in (by_lead, without_leads):
        assert np.isnan(result.p_place)
        assert result.evidence == "agrees"
        assert "no claim about leads" in result.why


def test_a_region_of_one_lead_must_rank_first():
    where = (finding("met", region(BEATS, ("V1",), ("ST",))),)
    right = judged(painted(BEATS, ("V1",), ("ST",), 0.01), where)
    assert right.p_place == pytest.approx(1 / 12)
    assert right.evidence == "agrees"
    assert "first of 12 choices of leads" in right.why
    beside = judged(painted(BEATS, ("V1",), ("ST",), 0.01) + painted(BEATS, ("V2",), ("ST",)), where)
    assert beside.p_place == pytest.approx(2 / 12)
    assert beside.evidence == "partly"


@pytest.mark.parametrize(
    ("asked", "read", "p", "evidence"),
    [
        (("V1", "V2", "V3", "V4"), ("V1", "V2", "V3", "V4"), 1 / 495, "agrees"),
        (("V1", "V2", "V3", "V4"), ("V2", "V3", "V4", "V5"), 33 / 495, "partly"),
        (("V1", "V2", "V3", "V4"), ("V3",), 165 / 495, "partly"),  # one lead in three choices of four
        (INFERIOR, ("II", "III"), 10 / 220, "agrees"),  # two leads of three are more than chance
        (INFERIOR, ("II",), 55 / 220, "partly"),
        (("V3", "V4"), ("V2", "V3", "V4"), 3 / 66, "agrees"),
    ],
)
def test_p_of_place_counts_the_choices_of_leads_that_hold_as_much(asked, read, p, evidence):
    result = judged(painted(BEATS, read, ("ST",), 0.001), (finding("met", region(BEATS, asked, ("ST",))),))
    assert result.p_place == pytest.approx(p)
    assert result.evidence == evidence, result.why


def test_a_map_that_only_tells_chest_from_limb_leads_is_not_tied_to_some_chest_leads():
    where = (finding("met", region(BEATS, ("V1", "V2", "V3", "V4"), ("ST",))),)
    chest = judged(painted(BEATS, LEADS[6:], ("ST",), 0.01), where)
    assert chest.p_place == pytest.approx(15 / 495)  # below 5 %: chest leads are told from limb leads
    assert chest.evidence == "partly"
    assert "not tied to these leads (not clearly more than in others of the limb or chest leads)" in chest.why
    all_six = (finding("met", region(BEATS, LEADS[6:], ("ST",))),)
    assert judged(painted(BEATS, LEADS[6:], ("ST",), 0.01), all_six).evidence == "agrees"
    assert judged(painted(BEATS, LEADS, ("ST",), 0.01), all_six).evidence == "partly"


def test_of_several_definitions_of_a_criterion_one_is_enough():
    """As Sokolow's voltage criterion is met in V1, V5 and V6, and another of LVH in V1 to V4."""
    sokolow = finding("met", region(BEATS, ("V1", "V5", "V6"), ("QRSm",)), criterion="LVH")
    other = finding("met", region(BEATS, ("V1", "V2", "V3", "V4"), ("QRSm",)), criterion="LVH")
    values = painted(BEATS, ("V1", "V5", "V6"), ("QRSm",), 0.001)
    both = judged(values, (sokolow, other))
    assert both.p_place == pytest.approx(84 / 924)  # of both together, all chest leads
    assert both.evidence == "agrees"
    assert "one of 2 definitions is enough" in both.why
    assert "0.0091 in place" in both.why  # twice 1 / 220
    assert judged(values, (other,)).evidence == "partly"
    assert judged(painted(BEATS, ("V5", "V6"), ("QRSm",), 0.001), (sokolow, other)).evidence == "partly"
    elsewhere = finding("met", region(BEATS, ("V1", "V2", "V3", "V4"), ("QRSm",)), criterion="RVH")
    assert judged(values, (sokolow, elsewhere)).evidence == "partly"  # two criteria are no two definitions


@pytest.mark.parametrize(
    ("states", "positive", "expected"),
    [
        (("met", "not_met"), True, "both"),
        (("met",), False, "criteria only"),
        (("not_met", "borderline"), True, "model only"),
        (("not_met", "not_evaluable"), False, "neither"),
        (("not_evaluable",), True, "not assessable"),
        ((), True, "not assessable"),
    ],
)
def test_who_calls_the_label(states, positive, expected):
    findings = tuple(finding(state, region(BEATS, INFERIOR, ("ST",))) for state in states)
    result = judged(np.ones((12, 1000)), findings, positive=positive)
    assert result.label == expected
    if "met" not in states:
        assert result.evidence == "not assessable"
        assert result.why.startswith("the catalogue has no criteria" if not states else "no criterion of MI")
        assert ("can be evaluated" in result.why) == (states == ("not_evaluable",))
        assert ("(of 2 definitions 1 too near to a limit to tell)" in result.why) == ("borderline" in states)
        assert ("(of 2 definitions 1 could not be evaluated)" in result.why) == (states[1:] == ("not_evaluable",))


def test_a_superclass_uses_the_union_of_its_met_regions():
    findings = (
        finding("met", region(BEATS, INFERIOR, ("ST",)), criterion="IMI"),
        finding("met", region(BEATS, ("V1", "V2"), ("QRSi",)), criterion="ASMI"),
        finding("not_met", region(BEATS, ("I",), ("P",)), criterion="LMI"),
    )
    values = painted(BEATS, INFERIOR, ("ST",)) + painted(BEATS, ("V1", "V2"), ("QRSi",))
    result = judged(values, findings)
    assert result.criterion == "IMI + ASMI"
    assert result.share == pytest.approx(1.0)
    assert result.evidence == "agrees"


def test_a_criterion_without_a_place_has_no_share():
    result = judged(np.ones((12, 1000)), (finding("met", criterion="STACH"),))
    assert result.label == "both"
    assert result.evidence == "not assessable"
    assert "STACH by name: this criterion names no leads and waves" in result.why


def test_support_and_contra_are_numbers_of_their_own():
    regions = (
        region(BEATS, INFERIOR, ("ST",)),
        region(BEATS, INFERIOR, ("T1",), "support"),
        region(BEATS, ("V1",), ("P",), "contra"),
    )
    values = painted(BEATS, INFERIOR, ("ST", "T1")) + painted(BEATS, ("V1",), ("P",))
    result = judged(values, (finding("met", *regions),))
    assert result.share == pytest.approx(3 / 7)
    assert result.support_share == pytest.approx(3 / 7)
    assert result.contra_share == pytest.approx(1 / 7)


def test_what_is_primary_to_one_criterion_is_no_shortcut_for_another():
    """ST of V1 is the place of the first, and where the second would see a shortcut: shares are of cells once."""
    one = (region(BEATS, ("V1",), ("ST",)), region(BEATS, INFERIOR, ("ST", "T1"), "contra"))
    other = (
        region(BEATS, INFERIOR, ("ST",)),
        region(BEATS, ("V1",), ("ST", "T1"), "support"),
        region(BEATS, ("V1", "V2"), ("ST", "T1"), "contra"),
    )
    values = painted(BEATS, ("V1", "V2", *INFERIOR), ("ST", "T1"))
    result = judged(values, (finding("met", *one), finding("met", *other, criterion="LMI")))
    assert result.share == pytest.approx(4 / 10)
    assert result.support_share == pytest.approx(1 / 10)  # T1 of V1
    assert result.contra_share == pytest.approx(5 / 10)  # T1 of the inferior leads, ST and T1 of V2


def test_waves_that_run_together_cannot_be_judged():
    on = 0.3 + 0.4 * np.arange(20)
    fused = Beats(on, on - 0.16, on - 0.06, on, on + 0.1, on + 0.15, on + 0.3, ("normal",) * 20, 10.0, LEADS)
    assert fused.fused[:-1].all()
    result = judged(np.ones((12, 1000)), (finding("met", region(fused, LEADS, ("P",))),), fused)
    assert result.evidence == "not assessable"
    assert "run into each other" in result.why


def test_one_fused_pair_costs_one_t_and_the_next_p():
    marks = [np.array(getattr(BEATS, name)) for name in ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")]
    marks[5][3] = marks[0][4] + 0.02  # the T wave of beat 3 ends in the P wave of beat 4
    beats = Beats(BEATS.r_s, *marks, kind=BEATS.kind, duration_s=10.0, leads=LEADS)
    assert np.flatnonzero(beats.fused).tolist() == [3]
    for atom, beat in (("P", 4), ("T1", 3)):
        where = (finding("met", region(beats, LEADS, (atom,))),)
        grid = evidence(a_map(np.ones((12, 1000))), beats)
        kept = np.delete(grid.area[:, A[atom]], beat).sum()
        fused = grid.area[4, A["P"]] + grid.area[3, [A["T1"], A["T2"]]].sum()
        result = judged(np.ones((12, 1000)), where, beats)
        assert result.area == pytest.approx(kept / (grid.area.sum() - fused))
        assert result.share == pytest.approx(result.area)  # what may be of either wave counts neither for nor against
    apart = (finding("met", region(beats, LEADS, ("ST",))),)
    st = grid.area[:, A["ST"]].sum() / grid.area.sum()
    assert judged(np.ones((12, 1000)), apart, beats).area == pytest.approx(st)


def test_too_little_to_judge_is_said():
    ones = np.ones((12, 1000))
    two = even_beats(2)
    assert "only 2 beats" in judged(np.r_[[painted(two, LEADS, ("P", "ST"))]][0], inferior_st(two), two).why
    assert "lies outside all delineated beats" in judged(ones, inferior_st(even_beats(4)), even_beats(4)).why
    assert "no supporting mass" in judged(-ones, inferior_st()).why
    nobody = no_beats()
    assert "no beat was delineated" in judged(ones, (finding("met", region(nobody, INFERIOR, ("ST",))),), nobody).why


def test_same_seed_same_numbers():
    values = painted(BEATS, INFERIOR, ("ST",)) + np.abs(smooth(0))
    wide = (finding("met", region(BEATS, ("I", "II", "III", "V2", "V4", "V5"), ("ST",))),)
    first, second, other = (judged(values, wide, seed=seed) for seed in (4, 4, 5))
    assert first.controls == second.controls
    assert first.p_place == second.p_place
    assert first.controls != other.controls
    assert first.p_time == other.p_time
