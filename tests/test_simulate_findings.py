"""Each planted finding shows the published numbers of its diagnosis, over 20 seeds, and its healthy twin does not."""

import numpy as np
import pytest

from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.types import ATOMS

SEEDS = range(20)
INFERIOR, LATERAL = ("II", "III", "aVF"), ("I", "aVL", "V5", "V6")


class Version:
    """One side of a simulation, read by the names of the measurements."""

    def __init__(self, values, per_lead, record):
        self.values, self.per_lead, self.sex, self.age = values, per_lead, record.sex, record.age_years

    def __call__(self, name, *leads):
        return self.per_lead[name][[STANDARD_LEADS.index(lead) for lead in leads]] if leads else self.values[name]


def pairs(finding):
    for seed in SEEDS:
        sim = simulate(finding, seed=seed, fs=100.0, duration_s=10.0, noise=0.0)
        truth = sim.truth
        yield (
            sim,
            Version(truth.values, truth.per_lead, sim.record),
            Version(truth.twin_values, truth.twin_per_lead, sim.twin),
        )


def st_limit(version, lead):
    if lead not in ("V2", "V3"):
        return 0.1
    return 0.15 if version.sex == "female" else 0.2 if version.age >= 40 else 0.25


def leads_elevated(version, leads):
    return sum(bool(version("j_mv", lead)[0] >= st_limit(version, lead)) for lead in leads)


def leads_with_q(version, leads):
    count = 0
    for lead in leads:
        mv, ms, qs = (float(version(name, lead)[0]) for name in ("q_mv", "q_ms", "qs"))
        count += bool(qs) or (ms > 20 if lead in ("V2", "V3") else ms >= 30 and mv >= 0.1)
    return count


def inferior_stemi(v):
    return leads_elevated(v, INFERIOR) >= 2


def anterior_stemi(v):
    return leads_elevated(v, ("V2", "V3")) == 2 or leads_elevated(v, ("V3", "V4")) == 2


def lateral_stemi(v):
    return leads_elevated(v, ("I", "aVL")) == 2


def old_inferior_mi(v):
    return leads_with_q(v, INFERIOR) >= 2


def old_anterior_mi(v):
    return leads_with_q(v, ("V2", "V3", "V4")) >= 2


def old_lateral_mi(v):
    return leads_with_q(v, ("I", "aVL")) == 2


def st_depression(v):
    return (v("j_mv", "V4", "V5") <= -0.05).all() or (v("j_mv", "V5", "V6") <= -0.05).all()


def t_inversion(v):
    def down(lead):
        return v("t_mv", lead)[0] <= -0.1 and v("r_mv", lead)[0] > v("s_mv", lead)[0]

    neighbours = [("I", "aVL"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6"), ("II", "aVF")]
    return any(down(a) and down(b) for a, b in neighbours)


def lbbb(v):
    down = (v("s_mv", "V1", "V2") + v("q_mv", "V1", "V2") * v("qs", "V1", "V2") > 2 * v("r_mv", "V1", "V2")).all()
    no_q = (v("q_mv", "I", "V5", "V6") < 0.05).all()
    return v("qrs_ms") >= 130 and down and no_q and (v("r_peak_ms", "V5", "V6") > 60).all()


def rbbb(v):
    wide_s = (v("s_ms", "I", "V6") > 40).all()
    return v("qrs_ms") >= 120 and v("r2_mv", "V1")[0] > v("r_mv", "V1")[0] > 0 and wide_s


def lafb(v):
    qr = v("q_mv", "aVL")[0] > 0.02 and v("r_mv", "aVL")[0] > v("s_mv", "aVL")[0]
    return -90 <= v("qrs_axis_deg") <= -45 and qr and v("r_peak_ms", "aVL")[0] >= 45 and v("qrs_ms") < 120


def lvh(v):
    return v("s_mv", "V1")[0] + v("q_mv", "V1")[0] * v("qs", "V1")[0] + v("r_mv", "V5", "V6").max() >= 3.5


def rvh(v):
    return v("r_mv", "V1")[0] >= 0.7 and v("qrs_axis_deg") > 90


def long_qt(v):
    return v("qtc_fridericia_ms") >= (450 if v.sex == "male" else 460)


def wpw(v):
    return v("pr_ms") < 120 and v("qrs_ms") >= 120


RULES = {
    "inferior_stemi": inferior_stemi,
    "anterior_stemi": anterior_stemi,
    "lateral_stemi": lateral_stemi,
    "old_inferior_mi": old_inferior_mi,
    "old_anterior_mi": old_anterior_mi,
    "old_lateral_mi": old_lateral_mi,
    "st_depression": st_depression,
    "t_inversion": t_inversion,
    "lbbb": lbbb,
    "rbbb": rbbb,
    "lafb": lafb,
    "first_degree_av_block": lambda v: v("pr_ms") > 200,
    "lvh": lvh,
    "rvh": rvh,
    "af": lambda v: np.isnan(v("pr_ms")) and v("rr_cv") >= 0.1,
    "sinus_tachycardia": lambda v: v("rate_bpm") > 100,
    "sinus_bradycardia": lambda v: v("rate_bpm") < 60,
    "pvc": lambda v: v("n_ectopic") >= 1,
    "long_qt": long_qt,
    "wpw": wpw,
}


def test_every_finding_has_a_rule_here():
    assert set(RULES) == set(FINDINGS) - {"normal"}


@pytest.mark.parametrize("finding", RULES)
def test_finding_meets_its_criterion_and_the_twin_does_not(finding):
    for sim, planted, twin in pairs(finding):
        if finding == "sinus_bradycardia":
            assert planted("rate_bpm") < twin("rate_bpm")
        assert sim.truth.meets
        assert RULES[finding](planted), sim.truth.seed
        if finding != "sinus_bradycardia" or twin("rate_bpm") >= 60:
            assert not RULES[finding](twin), sim.truth.seed


def test_normal_meets_no_rule_at_all():
    for _, planted, _ in pairs("normal"):
        met = [name for name, rule in RULES.items() if name != "sinus_bradycardia" and rule(planted)]
        assert met == []
        assert 120 <= planted("pr_ms") <= 200
        assert planted("qrs_ms") <= 110
        assert -30 <= planted("qrs_axis_deg") <= 90


@pytest.mark.parametrize(
    "finding", ["normal", "inferior_stemi", "old_anterior_mi", "lbbb", "rbbb", "lafb", "lvh", "rvh"]
)
def test_planted_values_are_found_in_the_record(finding):
    """R, S, J and T read off the noise-free samples at the true marks, median over beats, agree with the truth."""
    sim = simulate(finding, seed=7, fs=1000.0, duration_s=10.0, noise=0.0, heart_rate_bpm=60.0)
    beats, truth = sim.truth.beats, sim.truth
    whole = [b for b in range(len(beats)) if not np.isnan(beats.t_off[b])]
    found = {"up": [], "down": [], "j_mv": [], "t_mv": []}
    for b in whole:
        on, off, t_on, t_off = (round(1000 * getattr(beats, m)[b]) for m in ("qrs_on", "qrs_off", "t_on", "t_off"))
        level = sim.clean.signal[:, on - 1]
        qrs, t = sim.clean.signal[:, on:off].T - level, sim.clean.signal[:, t_on:t_off].T - level
        found["up"].append(qrs.max(axis=0))
        found["down"].append(-qrs.min(axis=0))
        found["j_mv"].append(sim.clean.signal[:, off] - level)
        found["t_mv"].append(np.take_along_axis(t, np.abs(t).argmax(axis=0)[None], axis=0)[0])
    median = {name: np.median(rows, axis=0) for name, rows in found.items()}
    tallest = np.maximum(truth.per_lead["r_mv"], truth.per_lead["r2_mv"])
    deepest = np.maximum(truth.per_lead["s_mv"], truth.per_lead["q_mv"])
    upright, downward = tallest > 0.15, deepest > 0.15
    assert median["up"][upright] == pytest.approx(tallest[upright], rel=0.08, abs=0.04)
    assert median["down"][downward] == pytest.approx(deepest[downward], rel=0.08, abs=0.04)
    assert median["j_mv"] == pytest.approx(truth.per_lead["j_mv"], abs=0.04)
    large = np.abs(truth.per_lead["t_mv"]) > 0.1
    assert median["t_mv"][large] == pytest.approx(truth.per_lead["t_mv"][large], rel=0.12, abs=0.03)


def test_marks_agree_with_the_planted_intervals():
    sim = simulate("first_degree_av_block", seed=2, fs=500.0, duration_s=10.0)
    beats, values = sim.truth.beats, sim.truth.values
    known = ~np.isnan(beats.p_on)
    assert 1000 * (beats.qrs_on - beats.p_on)[known] == pytest.approx(values["pr_ms"])
    assert 1000 * (beats.qrs_off - beats.qrs_on) == pytest.approx(values["qrs_ms"])
    qt = 1000 * (beats.t_off - beats.qrs_on)
    assert np.nanmedian(qt) == pytest.approx(values["qt_ms"], rel=0.05)
    assert values["rate_bpm"] == pytest.approx(60 / np.diff(beats.r_s).mean())
    inside = (beats.r_s > beats.qrs_on) & (beats.r_s < beats.qrs_off)
    assert inside.all()


def test_one_atrium_late_leaves_every_r_peak_in_place():
    truth = simulate("first_degree_av_block", seed=3, fs=250.0, duration_s=10.0).truth
    assert np.array_equal(truth.beats.r_s, truth.twin_beats.r_s)
    assert set(truth.layers) == {"p"}
    assert truth.mask is None
    assert [(c.role, c.atoms) for c in truth.cells] == [("interval", ("P", "PR"))]


def test_fibrillation_has_no_p_and_irregular_rr_and_its_twin_the_same_r_times():
    for seed in SEEDS:
        truth = simulate("af", seed=seed, fs=100.0, duration_s=10.0).truth
        beats = truth.beats
        assert np.isnan(beats.p_on).all()
        assert set(beats.why_no_p) == {"atrial fibrillation"}
        assert np.std(beats.rr_s) / np.mean(beats.rr_s) >= 0.10
        assert np.array_equal(beats.r_s, truth.twin_beats.r_s)
        assert (~np.isnan(truth.twin_beats.p_on)).sum() >= len(beats) - 1
        assert set(truth.layers) == {"p", "f_waves"}
        assert {c.role for c in truth.cells} == {"absent_p", "f_waves"}


def test_f_waves_are_four_to_nine_hertz_and_largest_in_v1():
    f_waves = simulate("af", seed=4, fs=250.0, duration_s=30.0).truth.layers["f_waves"]
    v1 = f_waves[STANDARD_LEADS.index("V1")]
    spectrum = np.abs(np.fft.rfft(v1 * np.hanning(v1.size)))
    peak = np.fft.rfftfreq(v1.size, 1 / 250)[spectrum.argmax()]
    assert 4 <= peak <= 9
    chest = f_waves[6:].std(axis=1)
    assert chest.argmax() == 0
    assert 0.02 < v1.std() < 0.15


def test_ectopic_beats_are_early_wide_and_followed_by_a_full_pause():
    for seed in SEEDS:
        sim = simulate("pvc", seed=seed, fs=250.0, duration_s=12.0)
        beats = sim.truth.beats
        early = [b for b in range(1, len(beats) - 1) if beats.kind[b] == "premature_ventricular"]
        assert early
        usual = float(np.median(sim.truth.twin_beats.rr_s))
        for b in early:
            before, after = (beats.qrs_on[b] - beats.qrs_on[b - 1]), (beats.qrs_on[b + 1] - beats.qrs_on[b])
            assert before < 0.8 * usual
            assert before + after == pytest.approx(2 * usual, rel=0.2)
            assert beats.qrs_off[b] - beats.qrs_on[b] >= 0.12
            assert np.isnan(beats.p_on[b])
            assert beats.qrs_on[b] > beats.t_on[b - 1]
        assert sim.truth.cells[0].role == "ectopic"
        assert all(beats.kind[b] == "premature_ventricular" for b in sim.truth.cells[0].beats)
        assert beats.extra_p_s.size >= len(early) - 1


def test_preexcitation_starts_qrs_early_and_leaves_the_p_wave():
    truth = simulate("wpw", seed=5, fs=500.0, duration_s=8.0).truth
    assert truth.beats.p_on[1:] == pytest.approx(truth.twin_beats.p_on[1:])
    lead_in = truth.twin_beats.qrs_on[1:-1] - truth.beats.qrs_on[1:-1]
    assert lead_in == pytest.approx(0.048)
    assert "p" not in truth.layers


def test_rate_findings_have_no_place():
    for finding in ("sinus_tachycardia", "sinus_bradycardia"):
        truth = simulate(finding, seed=1, fs=100.0, duration_s=10.0).truth
        assert not truth.evidence.any()
        assert truth.mask is None
        assert truth.cells == ()
        assert np.isnan(truth.share_in(("II",)))


def test_named_cells_point_at_atoms_and_beats_that_exist():
    for finding in FINDINGS:
        truth = simulate(finding, seed=9, fs=100.0, duration_s=10.0).truth
        for cell in truth.cells:
            assert set(cell.atoms) <= set(ATOMS)
            assert set(cell.leads) <= set(STANDARD_LEADS)
            assert cell.beats
            assert all(0 <= b < len(truth.beats) for b in cell.beats)


@pytest.mark.parametrize(
    ("finding", "name", "lead"),
    [
        ("inferior_stemi", "j_mv", "III"),
        ("anterior_stemi", "j_mv", "V2"),
        ("lateral_stemi", "j_mv", "aVL"),
        ("old_inferior_mi", "q_mv", "III"),
    ],
)
def test_severity_grows_the_finding(finding, name, lead):
    at = STANDARD_LEADS.index(lead)
    sizes = []
    for severity in (0.4, 1.0, 1.5):
        truths = [simulate(finding, seed=s, fs=100.0, duration_s=3.0, severity=severity).truth for s in range(8)]
        sizes.append(np.mean([t.per_lead[name][at] for t in truths]))
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ("finding", "floor"),
    [
        ("inferior_stemi", 0.4),
        ("anterior_stemi", 0.5),
        ("lateral_stemi", 0.35),
        ("old_inferior_mi", 0.4),
        ("old_anterior_mi", 0.5),
    ],
)
def test_most_planted_mass_lies_in_the_guidelines_leads(finding, floor):
    """A dipole spreads over all leads: well above the leads' number over twelve, well below one."""
    shares = []
    for seed in range(8):
        truth = simulate(finding, seed=seed, fs=100.0, duration_s=5.0).truth
        shares.append(truth.share_in(truth.guideline_leads))
    assert floor < np.mean(shares) < 0.85


def test_injury_is_planted_in_st_and_t_and_block_in_qrs():
    for finding, atoms in (("inferior_stemi", ("ST", "T1", "T2")), ("lafb", ("QRSi", "QRSm", "QRSt"))):
        truth = simulate(finding, seed=3, fs=500.0, duration_s=8.0, heart_rate_bpm=60.0).truth
        t = (np.arange(truth.evidence.shape[1]) + 0.5) / 500
        spans = truth.beats.segments()
        inside = np.zeros(t.size, dtype=bool)
        for start, end in spans[:, [ATOMS.index(a) for a in atoms]].reshape(-1, 2):
            inside |= (t >= start) & (t < end)
        energy = np.square(truth.evidence)
        assert energy[:, inside].sum() > 0.75 * energy.sum()
