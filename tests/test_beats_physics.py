"""What must not depend on how a heart was recorded: rate, gain, order of leads, start, polarity, one bad lead.

A tolerance is a sample of the slower recording, or what one lead of twelve may move a mark that is fused over leads.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgviz.beats import delineate
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition, resample
from ecgviz.simulate import simulate
from ecgviz.types.beats import MARKS

RATES = (100.0, 250.0, 1000.0)
FINDINGS = ("normal", "inferior_stemi", "lbbb", "pvc")
LUDB = (2, 14, 63)
ONE_LEAD_S = 0.010
"""So much may one lead of twelve that is missing, flat or upside down move a global mark of a beat."""
NOISE_S = 0.020
"""So much a lead of noise as strong as the heart."""
UPSIDE_DOWN_S = 0.020
"""So much may all leads upside down: no wave is where it was not."""
T_ON_SOFTER = 2
"""T begins without an edge: on LUDB leads lie 21.5 ms from their median (mean size) in T onset, 10.7 ms in P onset."""
FEW = settings(max_examples=6, deadline=None, derandomize=True)


@cache
def conditioned(finding, seed=0, fs=500.0):
    return condition(simulate(finding, seed=seed, fs=fs, duration_s=10).record)


@cache
def beats_of(finding, seed=0, fs=500.0):
    return delineate(conditioned(finding, seed, fs))


def with_signal(record, change):
    signal = np.array(record.signal)
    change(signal)
    return replace(record, signal=signal)


def assert_same_marks(other, beats, atol_s, names=("r_s", *MARKS)):
    """Hold beats to be the same, with the same waves, and every mark within ``atol_s``."""
    assert len(other) == len(beats) > 5
    for name in names:
        np.testing.assert_allclose(getattr(other, name), getattr(beats, name), atol=atol_s, err_msg=name)


def assert_near_marks(other, beats, atol_s):
    """Hold beats to be the same, nine of ten marks within ``atol_s`` (T onsets twice that), few waves to come or go."""
    assert len(other) == len(beats) > 2
    np.testing.assert_allclose(other.r_s, beats.r_s, atol=atol_s + 0.002)
    for name in MARKS:
        mine, theirs = getattr(other, name), getattr(beats, name)
        both = np.isfinite(mine) & np.isfinite(theirs)
        assert (np.isfinite(mine) == np.isfinite(theirs)).mean() >= 0.9, name
        limit_s = T_ON_SOFTER * atol_s if name == "t_on" else atol_s
        assert not both.any() or (np.abs(mine - theirs)[both] <= limit_s).mean() >= 0.9, name


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("finding", FINDINGS)
def test_the_rate_of_a_simulated_heart_changes_little(finding, fs):
    assert_near_marks(beats_of(finding, 4, fs), beats_of(finding, 4), max(0.012, 1.5 / fs))


@pytest.mark.data
@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("number", LUDB)
def test_the_rate_of_a_recording_changes_little(data_dir, number, fs):
    record = load_record(data_dir / "ludb" / "data" / f"{number}.hea")
    other = replace(record, signal=resample(record.signal, record.fs, fs), fs=fs)
    assert_near_marks(delineate(condition(other)), delineate(condition(record)), max(0.012, 1.5 / fs))


@given(st.floats(0.1, 10.0))
@FEW
def test_the_gain_changes_no_mark_and_no_kind(gain):
    record, beats = conditioned("pvc"), beats_of("pvc")
    other = delineate(replace(record, signal=record.signal * gain))
    assert_same_marks(other, beats, 0.002)
    assert other.kind == beats.kind
    assert other.why_no_p == beats.why_no_p


@given(st.permutations(STANDARD_LEADS))
@FEW
def test_the_order_of_leads_changes_no_mark(order):
    beats = beats_of("inferior_stemi")
    other = delineate(conditioned("inferior_stemi").select(tuple(order)))
    assert_same_marks(other, beats, 1e-6)
    assert other.kind == beats.kind
    rows = [other.leads.index(lead) for lead in beats.leads]
    for name in MARKS:
        np.testing.assert_allclose(other.lead_marks[name][rows], beats.lead_marks[name], atol=1e-6, err_msg=name)


@given(st.integers(1, 900))
@FEW
def test_a_later_start_moves_every_mark_by_as_much(samples):
    record, beats = conditioned("normal"), beats_of("normal")
    other = delineate(replace(record, signal=record.signal[:, samples:]))
    shift_s = samples / record.fs
    inner = np.flatnonzero((beats.r_s > shift_s + 0.6) & (beats.r_s < beats.duration_s - 0.6))
    index = np.abs(other.r_s[:, None] + shift_s - beats.r_s[inner]).argmin(axis=0)
    assert inner.size > 5
    for name in ("r_s", *MARKS):
        moved = getattr(other, name)[index] + shift_s
        np.testing.assert_allclose(moved, getattr(beats, name)[inner], atol=0.012, err_msg=name)


def _flat(row):
    row[:] = 0.0


def _missing(row):
    row[:] = np.nan


def _noise(row):
    row[:] = np.random.default_rng(2).normal(0, 0.3, row.size)


@pytest.mark.parametrize("spoil", [_flat, _missing, _noise])
@pytest.mark.parametrize("lead", ["II", "aVL", "V3"])
def test_one_bad_lead_of_twelve_moves_global_marks_by_little(spoil, lead):
    record, beats = conditioned("normal"), beats_of("normal")
    row = record.leads.index(lead)
    other = delineate(with_signal(record, lambda signal: spoil(signal[row])))
    assert_near_marks(other, beats, NOISE_S if spoil is _noise else ONE_LEAD_S)
    assert other.kind == beats.kind
    if spoil is not _noise:
        assert all(np.isnan(marks[row]).all() for marks in other.lead_marks.values())


@pytest.mark.parametrize("after_s", [0.2, 0.5])
@pytest.mark.parametrize("swing_mv", [-8.0])
def test_a_loose_electrode_hides_no_beat(swing_mv, after_s):
    record, beats = conditioned("normal"), beats_of("normal")

    def swing(signal):
        start = round((beats.r_s[3] + after_s) * record.fs)
        length = round(0.15 * record.fs)
        changed = signal.copy()
        changed[record.leads.index("V4"), start : start + length] += swing_mv * np.sin(
            np.pi * np.arange(length) / length
        )
        return changed

    found = delineate(with_signal(record, swing))
    assert len(found) == len(beats)
    np.testing.assert_allclose(found.r_s, beats.r_s, atol=ONE_LEAD_S)


def loose(record, lead, start_s):
    """Return a recording of which one lead wanders about by 4 mV for a second, and shows no heart meanwhile."""
    changed = np.array(record.signal)
    start, n = round(start_s * record.fs), round(record.fs)
    walk = np.cumsum(np.random.default_rng(1).normal(size=n))
    walk -= np.linspace(walk[0], walk[-1], n)
    changed[record.leads.index(lead), start : start + n] = 4 * walk / np.abs(walk).max()
    return replace(record, signal=changed)


@pytest.mark.parametrize("lead", ["II", "V3", "V6"])
@pytest.mark.parametrize("finding", ["normal", "lbbb", "pvc"])
def test_a_lead_that_is_loose_for_a_second_changes_no_kind_of_beat(finding, lead):
    record = simulate(finding, seed=0, fs=500.0, duration_s=10).record
    assert delineate(condition(loose(record, lead, 4.0))).kind == beats_of(finding).kind


@pytest.mark.data
@pytest.mark.parametrize("number", LUDB)
def test_a_lead_that_is_loose_for_a_second_changes_no_kind_of_beat_of_a_recording(data_dir, number):
    record = load_record(data_dir / "ludb" / "data" / str(number))
    assert delineate(condition(loose(record, "V3", 4.0))).kind == delineate(condition(record)).kind


@pytest.mark.parametrize("before_s", [0.2, 0.28])
@pytest.mark.parametrize("finding", ["normal", "lbbb", "first_degree_av_block"])
def test_a_spike_in_one_lead_ahead_of_a_beat_hides_it_not(finding, before_s):
    record, beats = conditioned(finding), beats_of(finding)
    first = round((beats.qrs_on[4] - before_s) * record.fs)

    def spike(signal):
        changed = signal.copy()
        changed[record.leads.index("V3"), first : first + 3] += 5.0
        return changed

    found = delineate(with_signal(record, spike))
    assert len(found) == len(beats)
    np.testing.assert_allclose(found.r_s, beats.r_s, atol=ONE_LEAD_S)
    assert found.extra_p_s.size == 0


@pytest.mark.parametrize(("number", "n_beats", "at_s"), [(351, 27, (7.40,)), (352, 12, (0.46,)), (500, 29, (9.0, 9.7))])
def test_complexes_that_the_peak_detector_overlooks_are_beats(data_dir, number, n_beats, at_s):
    found = delineate(condition(load_record(data_dir / "ptbxl" / "records100" / "00000" / f"{number:05d}_lr")))
    assert len(found) == n_beats
    assert all(np.abs(found.r_s - each).min() < 0.03 for each in at_s)


@pytest.mark.parametrize("noise_mv", [0.01, 0.04])
def test_pacing_is_seen_in_noise(data_dir, noise_mv):
    record = load_record(data_dir / "ptbxl" / "records500" / "00000" / "00498_hr")
    noise = np.random.default_rng(0).normal(0, noise_mv, record.signal.shape)
    found = delineate(condition(replace(record, signal=record.signal + noise)))
    assert found.kind.count("paced") >= 9


def test_no_beat_of_a_recording_hides_behind_the_swing_of_one_lead(data_dir):
    record = load_record(data_dir / "ptbxl" / "records100" / "00000" / "00304_lr")
    signal = record.signal.copy()
    v3, v4, v5 = (record.leads.index(lead) for lead in ("V3", "V4", "V5"))
    signal[v4] = (signal[v3] + signal[v5]) / 2
    found, calm = (delineate(condition(each)) for each in (record, replace(record, signal=signal)))
    assert len(found) == len(calm) == 12
    np.testing.assert_allclose(found.r_s, calm.r_s, atol=NOISE_S)
    assert found.extra_p_s.size == 0


def test_gaps_are_bridged():
    record, beats = conditioned("normal"), beats_of("normal")

    def cut(signal):
        signal[8, 1000:1100] = np.nan
        signal[4] = np.nan

    other = delineate(with_signal(record, cut))
    assert_near_marks(other, beats, ONE_LEAD_S)
    assert np.isfinite(other.lead_marks["t_off"][8]).any()


def test_two_leads_are_enough():
    beats = beats_of("normal")
    other = delineate(conditioned("normal").select(("II", "V5")))
    assert len(other) == len(beats)
    np.testing.assert_allclose(other.r_s, beats.r_s, atol=0.03)


@pytest.mark.parametrize("lead", ["II", "aVR", "V2"])
def test_the_polarity_of_one_lead_moves_global_marks_by_little(lead):
    record, beats = conditioned("normal"), beats_of("normal")
    row = record.leads.index(lead)

    def flip(signal):
        signal[row] *= -1

    other = delineate(with_signal(record, flip))
    assert_near_marks(other, beats, ONE_LEAD_S)
    assert other.kind == beats.kind


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_polarity_of_all_leads_moves_no_beat_and_marks_by_little(finding):
    record, beats = conditioned(finding), beats_of(finding)
    other = delineate(replace(record, signal=-record.signal))
    assert_near_marks(other, beats, UPSIDE_DOWN_S)
    assert other.kind == beats.kind


@pytest.mark.parametrize("after_s", [0.05, 0.15])
def test_a_beat_that_an_end_cuts_is_marked(after_s):
    record, beats = conditioned("normal"), beats_of("normal")
    end = round((beats.r_s[6] + after_s) * record.fs)
    start = round((beats.r_s[1] - after_s) * record.fs)
    cut = delineate(replace(record, signal=record.signal[:, start:end]))
    assert np.abs(cut.r_s[-1] - (cut.duration_s - after_s)) < 0.03
    assert cut.edge[-1]
    assert not cut.edge[1:-1].any()
    assert cut.r_s[0] > 0.3 or cut.edge[0]
    assert set(cut.kind[1:-1]) == {"normal"}
    assert not cut.dominant[-1]


def test_a_whole_beat_is_at_no_edge():
    beats = beats_of("normal")
    whole = (beats.r_s > 0.6) & (beats.r_s < beats.duration_s - 0.8)
    assert whole.sum() > 5
    assert not beats.edge[whole].any()


@pytest.fixture(scope="module")
def mit_bih_100(data_dir):
    """Return our beats of MIT-BIH 100 (two leads, 360 Hz, 30 min), and time and symbol of each annotated one."""
    path = data_dir / "formats" / "100"
    record = condition(load_record(path.with_suffix(".hea")))
    notes = wfdb.rdann(str(path), "atr")
    beat = np.isin(notes.symbol, list("NAV"))
    return delineate(record), notes.sample[beat] / record.fs, np.array(notes.symbol)[beat]


@pytest.mark.data
def test_the_beats_of_mit_bih_100(mit_bih_100):
    beats, true_s, _ = mit_bih_100
    distance = np.abs(beats.r_s[:, None] - true_s)
    assert true_s.size == 2273
    assert (distance.min(axis=0) < 0.05).mean() > 0.999
    assert (distance.min(axis=1) < 0.05).mean() > 0.999


@pytest.mark.data
def test_the_premature_atrial_beats_of_mit_bih_100(mit_bih_100):
    beats, true_s, symbols = mit_bih_100
    premature_s = true_s[symbols == "A"]
    found_s = beats.r_s[np.array(beats.kind) == "premature_atrial"]
    assert premature_s.size == 33
    assert found_s.size > 0
    distance = np.abs(found_s[:, None] - premature_s)
    assert (distance.min(axis=0) < 0.05).mean() > 0.9
    assert (distance.min(axis=1) < 0.05).mean() > 0.9


@pytest.mark.parametrize("fs", RATES)
def test_the_rate_leans_no_mark_to_one_side(fs):
    fine, other = beats_of("normal", 4), beats_of("normal", 4, fs)
    for name in ("qrs_on", "qrs_off", "p_on", "t_off"):
        assert abs(np.nanmedian(getattr(other, name) - getattr(fine, name))) < max(0.010, 1.2 / fs), name


def test_two_flat_leads_leave_every_qrs_onset_within_six_milliseconds():
    record, beats = conditioned("normal"), beats_of("normal")

    def flatten(signal):
        signal[[2, 7]] = 0.0

    other = delineate(with_signal(record, flatten))
    assert len(other) == len(beats)
    assert all(np.isnan(marks[[2, 7]]).all() for marks in other.lead_marks.values())
    np.testing.assert_allclose(other.qrs_on, beats.qrs_on, atol=0.006)
