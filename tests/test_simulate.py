"""The simulated ECG itself: geometry, time, twins, noise, refusals."""

from pathlib import Path

import numpy as np
import pytest

from ecgviz.errors import SimulationError
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.simulate.demos import write_demos
from ecgviz.simulate.dipole import DOWER, INVERSE_DOWER, patient_field
from ecgviz.simulate.noise import electrode_noise
from ecgviz.simulate.patient import draw_patient
from ecgviz.simulate.recipes_conduction import ectopic
from ecgviz.simulate.request import Request

MEASURED = [STANDARD_LEADS.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]
MORPHOLOGY = [name for name, spec in FINDINGS.items() if spec.kind == "morphology" and name != "normal"]


def normal(**arguments):
    return simulate("normal", **{"seed": 3, "fs": 250.0, "duration_s": 10.0, **arguments})


def test_inverse_dower_inverts_dower_and_the_patient_keeps_that():
    assert pytest.approx(np.eye(3), abs=2e-3) == INVERSE_DOWER @ DOWER
    field = patient_field(np.random.default_rng(0), 1.0)
    assert INVERSE_DOWER @ field == pytest.approx(np.eye(3), abs=0.01)
    assert np.abs(field - DOWER).max() > 0.1


@pytest.mark.parametrize("finding", FINDINGS)
def test_limb_leads_are_exact_combinations(finding):
    sim = simulate(finding, seed=5, fs=500.0, duration_s=6.0)
    for record in (sim.record, sim.twin, sim.clean, sim.twin_clean):
        one, two, three, avr, avl, avf = record.signal[:6].astype(np.float64)
        assert three == pytest.approx(two - one, abs=1e-6)
        assert avr == pytest.approx(-(one + two) / 2, abs=1e-6)
        assert avl == pytest.approx(one - two / 2, abs=1e-6)
        assert avf == pytest.approx(two - one / 2, abs=1e-6)


@pytest.mark.parametrize("finding", ["normal", "lbbb", "af", "pvc"])
def test_same_arguments_give_the_same_record_bit_for_bit(finding):
    a, b = (simulate(finding, seed=11, fs=360.0, duration_s=8.0) for _ in range(2))
    assert np.array_equal(a.record.signal, b.record.signal)
    assert a.record.key == b.record.key
    other = simulate(finding, seed=12, fs=360.0, duration_s=8.0)
    assert not np.allclose(a.record.signal, other.record.signal, atol=0.05)


@pytest.mark.parametrize("fs", [100.0, 250.0, 500.0, 1000.0])
def test_waves_start_and_end_at_their_first_and_last_non_zero_sample(fs):
    sim = normal(fs=fs, heart_rate_bpm=55.0, noise=0.0)
    silent = ~sim.clean.signal.any(axis=0)
    t = np.arange(silent.size) / fs
    beats = sim.truth.beats
    checked = 0
    for b in range(1, len(beats)):
        pr = (t > beats.p_off[b]) & (t < beats.qrs_on[b])
        before_p = (t > beats.p_on[b] - 0.03) & (t < beats.p_on[b])
        first_p = int(np.searchsorted(t, beats.p_on[b] + 1e-9))
        first_qrs = int(np.searchsorted(t, beats.qrs_on[b] + 1e-9))
        assert silent[pr].all()
        assert silent[before_p].all()
        assert not silent[first_p]
        assert not silent[first_qrs]
        checked += 1
    assert checked >= 7


@pytest.mark.parametrize("finding", ["rbbb", "pvc"])
def test_a_wide_complex_begins_and_ends_at_its_marks(finding):
    for seed in range(40):
        request = Request(finding, seed, 500.0, 10.0, 1.0, None, 0.0, None, None)
        patient = draw_patient(request)
        heart = patient.heart
        if finding == "pvc":
            heart = ectopic(heart, request.stream("finding", patient.redraws), 1.0)
        assert (heart.qrs.start.min(), heart.qrs.end.max()) == (0, heart.qrs_ms)


@pytest.mark.parametrize("finding", ["normal", "inferior_stemi", "lbbb", "pvc", "wpw", "af"])
def test_another_rate_samples_the_same_waves(finding):
    fine = simulate(finding, seed=2, fs=1000.0, duration_s=8.0)
    for fs in (100.0, 250.0, 500.0):
        coarse = simulate(finding, seed=2, fs=fs, duration_s=8.0)
        assert coarse.clean.signal == pytest.approx(fine.clean.signal[:, :: round(1000 / fs)], abs=1e-4)
        assert np.array_equal(coarse.truth.beats.qrs_on, fine.truth.beats.qrs_on)
        assert coarse.truth.per_lead["r_mv"] == pytest.approx(fine.truth.per_lead["r_mv"])


def test_a_length_between_two_samples_changes_no_wave():
    fine, coarse = (simulate("af", seed=2, fs=fs, duration_s=8.004).clean.signal for fs in (1000.0, 100.0))
    assert coarse == pytest.approx(fine[:, :8000:10], abs=1e-4)


@pytest.mark.parametrize("finding", MORPHOLOGY)
def test_twin_is_identical_where_the_finding_does_not_act(finding):
    sim = simulate(finding, seed=8, fs=500.0, duration_s=10.0, heart_rate_bpm=62.0)
    untouched = ~sim.truth.evidence.any(axis=0)
    assert untouched.mean() > 0.15
    assert np.array_equal(sim.record.signal[:, untouched], sim.twin.signal[:, untouched])
    difference = np.abs(sim.clean.signal.astype(float) - sim.twin_clean.signal)
    assert sim.truth.evidence == pytest.approx(difference, abs=1e-5)
    assert np.array_equal(sim.truth.beats.r_s.size, sim.truth.twin_beats.r_s.size)


def test_layers_add_up_to_the_evidence():
    truth = simulate("lbbb", seed=1, fs=500.0, duration_s=6.0).truth
    assert np.abs(sum(truth.layers.values())) == pytest.approx(truth.evidence)
    assert {"qrs", "st", "t"} <= set(truth.layers)
    assert "p" not in truth.layers


@pytest.mark.parametrize("finding", MORPHOLOGY)
def test_mask_is_the_smallest_set_with_nine_tenths_of_the_energy(finding):
    truth = simulate(finding, seed=4, fs=250.0, duration_s=8.0).truth
    energy = np.square(truth.evidence)
    inside = energy[truth.mask].sum() / energy.sum()
    assert 0.90 <= inside < 0.901
    assert energy[truth.mask].min() >= energy[~truth.mask].max()


def test_noise_free_record_has_no_recorder_step_and_noise_scales():
    quiet, usual, loud = (normal(noise=k) for k in (0.0, 1.0, 3.0))
    assert np.array_equal(quiet.record.signal, quiet.clean.signal)
    assert np.array_equal(usual.clean.signal, loud.clean.signal)
    added = [(s.record.signal - s.clean.signal).std() for s in (usual, loud)]
    assert added[1] == pytest.approx(3 * added[0], rel=0.05)
    microvolts = 1000 * usual.record.signal[MEASURED].astype(float)
    assert microvolts == pytest.approx(5 * np.round(microvolts / 5), abs=0.01)


def test_noise_is_of_the_measured_size():
    """Median standard deviations in microvolts of real T-P windows and baselines, within a factor of 1.7."""
    bands = {(0.05, 0.7): (31, 44), (8, 20): (7.7, 4.3), (20, 45): (5.6, 1.85), (45, 100): (3.9, 1.15)}
    noise = [1000 * electrode_noise(np.random.default_rng(s), 5000, 500.0, 0.25) for s in range(25)]
    f = np.fft.rfftfreq(5000, 1 / 500)
    for (low, high), (limb_uv, chest_uv) in bands.items():
        spectra = [np.where((f >= low) & (f < high), np.fft.rfft(one), 0) for one in noise]
        sizes = np.median([np.fft.irfft(s).std(axis=1) for s in spectra], axis=0)
        assert limb_uv / 1.7 < sizes[0] < 1.7 * limb_uv
        assert chest_uv / 1.7 < sizes[5] < 1.7 * chest_uv


def test_a_dipole_alone_would_have_rank_three_and_this_record_has_eight():
    sim = normal(fs=500.0)
    clean = np.linalg.svd(sim.clean.signal[MEASURED].astype(float), compute_uv=False)
    noisy = np.linalg.svd(sim.record.signal[MEASURED].astype(float), compute_uv=False)
    assert clean[2] > 3 * clean[3] > 0
    assert noisy[7] > 0.005 * noisy[0]


def test_anterior_is_negative_z_so_v2_is_rs_with_an_upright_t():
    for seed in range(10):
        truth = normal(seed=seed, fs=100.0).truth
        v2 = STANDARD_LEADS.index("V2")
        assert truth.per_lead["s_mv"][v2] > 0.2
        assert truth.per_lead["r_mv"][v2] > 0.08
        assert truth.per_lead["t_mv"][v2] > 0


def test_records_say_that_they_are_simulated():
    sim = simulate("rvh", seed=6, fs=200.0, duration_s=5.0, severity=1.1)
    for record, finding in ((sim.record, "rvh"), (sim.twin, "normal")):
        assert record.simulated
        assert "simulated by ecgviz" in record.assumptions[0]
        assert f"finding {finding}, seed 6, severity 1.1" in record.assumptions[0]
    assert "twin of finding rvh" in sim.twin.assumptions[0]
    assert sim.record.codes == ("RVH", "SR")
    assert sim.twin.codes == ("NORM", "SR")


def test_rate_sex_and_age_are_as_asked():
    sim = normal(heart_rate_bpm=88.0, sex="female", age_years=33.0, duration_s=20.0)
    assert (sim.record.sex, sim.record.age_years) == ("female", 33.0)
    assert sim.truth.values["rate_bpm"] == pytest.approx(88, rel=0.04)
    fast = simulate("sinus_tachycardia", seed=1, fs=100.0, duration_s=20.0, heart_rate_bpm=130.0)
    assert fast.truth.values["rate_bpm"] == pytest.approx(130, rel=0.04)


def test_fast_fibrillation_has_the_rate_asked_for_and_stays_irregular():
    truths = [simulate("af", seed=s, fs=100.0, duration_s=60.0, heart_rate_bpm=130.0).truth for s in range(8)]
    assert np.mean([truth.values["rate_bpm"] for truth in truths]) == pytest.approx(130, rel=0.01)
    for truth in truths:
        assert truth.meets
        assert truth.beats.rr_s.min() > 0.38


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"finding": "brugada"}, "there is no finding 'brugada'"),
        ({"fs": 50.0}, "rate in Hz of 50 is outside 100 to 1000"),
        ({"fs": float("nan")}, "rate in Hz of nan"),
        ({"duration_s": 1.0}, "length in seconds of 1"),
        ({"severity": 9.0}, "severity of 9 is outside"),
        ({"noise": -1.0}, "noise .* of -1"),
        ({"seed": -1}, "seed is 0 or more"),
        ({"heart_rate_bpm": 400.0}, "heart rate in bpm of 400"),
        ({"sex": "m"}, "'male' or 'female', not 'm'"),
        ({"age_years": 3.0}, "age in years"),
        ({"finding": "pvc", "duration_s": 2.0}, "too short for an ectopic beat"),
        ({"finding": "sinus_tachycardia", "heart_rate_bpm": 60.0}, "none of 400 patients"),
        ({"finding": "af", "duration_s": 2.0, "heart_rate_bpm": 35.0, "seed": 2}, "too short for two RR intervals"),
        (
            {"finding": "af", "duration_s": 2.0, "heart_rate_bpm": 35.0, "seed": 2, "severity": 0.9},
            "too short for an RR interval",
        ),
        ({"finding": "af", "duration_s": 60.0, "heart_rate_bpm": 150.0}, "af: 150 beats a minute are too many for irr"),
        ({"finding": "af", "duration_s": 60.0, "heart_rate_bpm": 180.0, "seed": 0}, "none of them shorter than 384 ms"),
    ],
)
def test_refusals_say_what_is_wrong(change, why):
    arguments = {"finding": "normal", "seed": 1, "fs": 100.0, "duration_s": 5.0, **change}
    with pytest.raises(SimulationError, match=why):
        simulate(arguments.pop("finding"), **arguments)


def test_normals_spread_like_normal_people():
    """Medians and tails of 257 normal records: simulated medians lie near, and the 5th-95th range is not a template."""
    truths = [normal(seed=500 + s, fs=100.0, duration_s=4.0, noise=0.0).truth for s in range(80)]
    real = {
        ("r_mv", "I"): (0.30, 0.72, 1.32),
        ("r_mv", "II"): (0.48, 0.93, 1.62),
        ("r_mv", "V2"): (0.18, 0.51, 1.17),
        ("r_mv", "V4"): (0.63, 1.32, 2.58),
        ("r_mv", "V5"): (0.78, 1.37, 2.26),
        ("s_mv", "V1"): (0.18, 0.85, 1.57),
        ("s_mv", "V2"): (0.51, 1.29, 2.28),
        ("t_mv", "II"): (0.17, 0.30, 0.51),
        ("t_mv", "V2"): (0.19, 0.49, 0.99),
        ("t_mv", "V5"): (0.17, 0.34, 0.66),
        ("p_mv", "II"): (0.04, 0.11, 0.19),
        ("p_mv", "I"): (0.05, 0.08, 0.13),
    }
    for (name, lead), (low, middle, high) in real.items():
        values = [t.per_lead[name][STANDARD_LEADS.index(lead)] for t in truths]
        p5, p50, p95 = np.percentile(values, [5, 50, 95])
        assert p50 == pytest.approx(middle, rel=0.25), (name, lead)
        assert low * 0.5 <= p5 <= middle, (name, lead)
        assert middle <= p95 <= high * 1.3, (name, lead)
        assert p95 - p5 > 0.5 * (high - low), (name, lead)
    qrs = np.percentile([t.values["qrs_ms"] for t in truths], [5, 95])
    assert 72 <= qrs[0] < qrs[1] <= 110


@pytest.mark.slow
def test_demo_records_are_small_and_remake_themselves(tmp_path):
    shipped = Path(__file__).parents[1] / "ecgviz" / "records" / "demos"
    made = write_demos(tmp_path)
    assert {path.stem for path in made} == set(FINDINGS)
    for path in made:
        there = shipped / path.name
        assert there.stat().st_size < 60_000
        with np.load(path, allow_pickle=False) as new, np.load(there, allow_pickle=False) as old:
            assert set(old) == {"signal_uv", "fs", "leads", "seed", "finding", "severity", "age_years", "sex"}
            assert old["signal_uv"].dtype == np.int16
            assert np.abs(new["signal_uv"].astype(int) - old["signal_uv"]).max() <= 5
            assert str(old["finding"]) == path.stem
