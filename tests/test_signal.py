"""Resampling keeps time and amplitude, conditioning keeps ST, and a network is fed what it asked for or nothing."""

from dataclasses import replace

import numpy as np
import pytest
from ecg_files import LEADS, beats_mv
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgviz.errors import InputError
from ecgviz.signal import condition, prepare, resample
from ecgviz.types import InputSpec, Record

RATES = [(100, 250), (250, 100), (360, 100), (500, 100), (1000, 100), (100, 500), (128, 250), (977, 500), (257, 100)]
SPEC = InputSpec(leads=LEADS, fs=100.0, duration_s=10.0, mean_mv=0.1, std_mv=0.25)


def _record(fs=500.0, duration_s=10.0, **change):
    values = {"signal": beats_mv(fs, duration_s), "fs": fs, "leads": LEADS, "id": "r"} | change
    return Record(**values)


@pytest.mark.parametrize(("fs_from", "fs_to"), RATES)
def test_sines_up_to_40_hz_keep_amplitude_and_time(fs_from, fs_to):
    t, u = np.arange(10 * fs_from) / fs_from, np.arange(10 * fs_to) / fs_to
    inner = (u > 1) & (u < 9)
    for hz in (0.5, 5, 17, 25, 40):
        found = resample(np.sin(2 * np.pi * hz * t + 0.3), fs_from, fs_to)
        assert found.shape == u.shape
        fit = np.stack([np.sin(2 * np.pi * hz * u), np.cos(2 * np.pi * hz * u)], axis=1)[inner]
        (a, b), *_ = np.linalg.lstsq(fit, found[inner], rcond=None)
        assert np.hypot(a, b) == pytest.approx(1, abs=0.01)
        assert abs(np.arctan2(b, a) - 0.3) / (2 * np.pi * hz) < 0.0005


@pytest.mark.parametrize(("fs_from", "fs_to"), RATES)
def test_peaks_stay_within_2_ms(fs_from, fs_to):
    t = np.arange(10 * fs_from) / fs_from
    peaks_s = np.arange(1.0137, 9, 0.81)
    signal = sum(np.exp(-(((t - at_s) / 0.02) ** 2) / 2) for at_s in peaks_s)
    found = resample(resample(signal, fs_from, fs_to), fs_to, 1000)
    for at_s in peaks_s:
        near = slice(round((at_s - 0.05) * 1000), round((at_s + 0.05) * 1000))
        assert abs((near.start + found[near].argmax()) / 1000 - at_s) <= 0.002


@pytest.mark.parametrize(("fs_from", "fs_to"), RATES)
def test_offset_and_drift_leave_no_edges(fs_from, fs_to):
    t, u = np.arange(3 * fs_from) / fs_from, np.arange(3 * fs_to) / fs_to
    last = t[-1]
    found = resample(5 + 0.3 * t, fs_from, fs_to)
    np.testing.assert_allclose(found[u <= last], (5 + 0.3 * u)[u <= last], atol=0.002)


def test_the_same_rate_changes_nothing_and_rows_are_independent():
    signal = beats_mv(250, 4.0)
    np.testing.assert_array_equal(resample(signal, 250, 250), signal)
    np.testing.assert_allclose(resample(signal, 250, 100)[3], resample(signal[3], 250, 100), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 4000), rates=st.sampled_from(RATES))
def test_every_new_sample_lies_inside_the_old_record(n, rates):
    fs_from, fs_to = rates
    found = resample(np.zeros(n), fs_from, fs_to)
    assert (found.size - 1) / fs_to < n / fs_from
    assert found.size / fs_to >= n / fs_from - 1e-9


@pytest.mark.parametrize(
    ("signal", "fs_from", "fs_to", "match"),
    [
        ([0.0, np.nan], 500, 100, "missing samples: bridge its gaps first"),
        ([0.0, 1.0], 0, 100, "from 0 Hz to 100 Hz: rates are positive"),
        (np.zeros(200_000), 500.123457, 100, "have no simple ratio"),
    ],
)
def test_what_cannot_be_resampled_is_refused(signal, fs_from, fs_to, match):
    with pytest.raises(InputError, match=match):
        resample(np.array(signal), fs_from, fs_to)


def test_network_gets_its_leads_rate_window_and_scale():
    record = _record(duration_s=20.0)
    fed = prepare(record, SPEC, r_s=np.array([2.0, 5.5, 14.9, 15.1]), start_s=5.0)
    assert fed.x.shape == (12, 1000)
    assert fed.mask.all()
    assert (fed.fs, fed.start_s, fed.leads) == (100.0, 5.0, LEADS)
    np.testing.assert_allclose(fed.r_s, [0.5, 9.9])
    whole = resample(record.signal, 500, 100)
    np.testing.assert_allclose(fed.x, (whole[:, 500:1500] - 0.1) / 0.25, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(LEADS))
def test_lead_order_of_the_record_does_not_matter(order):
    rows = dict(zip(LEADS, beats_mv(250, 10.0), strict=True))
    shuffled = _record(250.0, signal=np.stack([rows[lead] for lead in order]), leads=tuple(order))
    np.testing.assert_array_equal(prepare(shuffled, SPEC).x, prepare(_record(250.0), SPEC).x)


def test_eight_leads_are_enough_for_twelve():
    eight = _record().select(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"))
    np.testing.assert_allclose(prepare(eight, SPEC).x, prepare(_record(), SPEC).x, atol=1e-4)


def test_start_snaps_to_the_network_s_grid():
    assert prepare(_record(duration_s=20.0), SPEC, start_s=3.004).start_s == pytest.approx(3.0)


def test_shorter_record_is_padded_behind_a_mask_only_where_the_network_allows_it():
    record = _record(duration_s=4.0)
    with pytest.raises(InputError, match=r"from 0 s on there are 4 s, the network needs 10 s"):
        prepare(record, SPEC)
    fed = prepare(record, replace(SPEC, pads=True))
    assert fed.mask.sum() == 400
    assert (fed.x[:, 400:] == 0).all()
    assert (fed.x[:, :400] != 0).any()


def test_short_gaps_are_bridged_and_long_ones_refused():
    signal = beats_mv(500, 10.0)
    signal[7, 1000:1050] = np.nan
    fed = prepare(_record(signal=signal), SPEC)
    assert np.isfinite(fed.x).all()
    signal[7, 1000:1051] = np.nan
    with pytest.raises(InputError, match=r"r: 1\.0 % of lead V2 is missing \(limit 1 %\)"):
        prepare(_record(signal=signal), SPEC)


def test_gaps_count_in_the_window_that_is_read():
    whole = beats_mv(500, 60.0)
    signal = whole.copy()
    signal[0, 10_000:20_000] = np.nan
    for start_s in (0.0, 10.0, 40.0, 50.0):
        fed, as_it_was = (prepare(_record(signal=each), SPEC, start_s=start_s).x for each in (signal, whole))
        np.testing.assert_allclose(fed, as_it_was, atol=0.001)  # the filter reaches across the window's edge
    record = _record(signal=signal)
    with pytest.raises(InputError, match=r"r: 50\.0 % of lead I is missing between 35 s and 45 s \(limit 1 %\)"):
        prepare(record, SPEC, start_s=35.0)
    with pytest.raises(InputError, match=r"r: 33\.3 % of lead I is missing \(limit 1 %\)"):
        prepare(record, replace(SPEC, duration_s=60.0))


def test_a_short_part_of_a_long_recording_is_refused_where_it_is_all_that_is_read():
    signal = np.tile(beats_mv(100, 10.0), 120)
    signal[:, 100:1090] = np.nan  # 0.8 % of 20 minutes
    with pytest.raises(InputError, match=r"90\.0 % of lead I is missing between 0 s and 10 s"):
        prepare(_record(100.0, signal=signal), SPEC)


@pytest.mark.parametrize(
    ("record", "spec", "start_s", "match"),
    [
        (
            _record().select(("II", "V1")),
            SPEC,
            0.0,
            r"needs lead I, III, aVR, aVL, aVF, V2, .* nor determines \(it has II, V1\)",
        ),
        (_record(), replace(SPEC, leads=("V7",)), 0.0, "needs lead V7"),
        (_record(), replace(SPEC, needs=("r_peaks",)), 0.0, "needs R peaks"),
        (_record(), replace(SPEC, needs=("age_sex",)), 0.0, "needs age and sex; enter them"),
        (_record(), SPEC, 10.0, "a window from 10 s lies outside its 10 s"),
        (_record(), SPEC, -1.0, "a window from -1 s lies outside"),
        (_record(), SPEC, float("nan"), "a window cannot start at nan s"),
    ],
)
def test_what_a_network_cannot_use_is_refused_by_name(record, spec, start_s, match):
    with pytest.raises(InputError, match=match):
        prepare(record, spec, start_s=start_s)


def _elevated(fs, rate_bpm, st_mv, rng):
    """Return a lead with an ST plateau, and its QRS onsets and J points in samples."""
    t = np.arange(round(10 * fs)) / fs
    signal, marks, r_s = np.zeros(t.size), [], 0.35
    while r_s < 9.4:
        on_s, j_s = r_s - 0.04, r_s + 0.05
        rr_s = 60 / rate_bpm * (1 + 0.03 * rng.standard_normal())
        end_s = j_s + min(0.3, 0.45 * rr_s - 0.05)
        signal += 0.12 * np.exp(-(((t - r_s + 0.16) / 0.022) ** 2) / 2)
        rise = np.clip((t - on_s) / (j_s - on_s), 0, 1)
        fall = np.clip((t - j_s) / (end_s - j_s), 0, 1)
        signal += np.sin(np.pi * rise) ** 3 + st_mv * np.clip((rise - 0.7) / 0.3, 0, 1) * (1 - fall**3)
        signal += (0.25 + st_mv) * np.sin(np.pi * np.clip((fall - 0.35) / 0.65, 0, 1)) ** 2
        marks.append((round(on_s * fs), round(j_s * fs)))
        r_s += rr_s
    return signal, np.array(marks)


@pytest.mark.parametrize("fs", [100.0, 500.0])
@pytest.mark.parametrize("rate_bpm", [50, 75, 100, 140])
@pytest.mark.parametrize("st_mv", [-0.2, 0.1, 0.3, 0.8])
def test_st_shift_survives_conditioning_under_wander(fs, rate_bpm, st_mv):
    rng = np.random.default_rng(1)
    signal, marks = _elevated(fs, rate_bpm, st_mv, rng)
    t = np.arange(signal.size) / fs
    wander = 0.3 * np.sin(2 * np.pi * 0.25 * t + 1) + 0.1 * t / 10 + 0.7
    clean = condition(Record(signal=[signal + wander], fs=fs, leads=("II",), id="r")).signal[0]
    planted = signal[marks[:, 1]] - signal[marks[:, 0]]
    found = clean[marks[:, 1]] - clean[marks[:, 0]]
    assert abs(np.median(found - planted)) < 0.01
    assert np.abs(found - planted).max() < 0.03


@pytest.mark.slow
def test_wander_is_taken_off():
    fs = 250.0
    t = np.arange(2500) / fs
    for hz in (0.05, 0.15, 0.3, 0.4):
        for phase in (0.0, 1.0, 2.0):
            wander = 0.5 * np.sin(2 * np.pi * hz * t + phase)
            left = condition(_record(fs, signal=beats_mv(fs) + wander)).signal - condition(_record(fs)).signal
            assert np.std(left[:, 125:-125]) < 0.15 * np.std(wander[125:-125])


@pytest.mark.parametrize("fs", [100.0, 250.0, 500.0, 1000.0])
def test_qrs_peaks_keep_their_height_and_place(fs):
    record = _record(fs)
    clean = condition(record)
    tall = record.signal.max(axis=1) > 0.3
    for r_s in np.arange(0.5, 9.6, 60 / 70):
        near = slice(round((r_s - 0.05) * fs), round((r_s + 0.05) * fs))
        found, planted = clean.signal[tall, near], record.signal[tall, near]
        np.testing.assert_allclose(found.max(axis=1), planted.max(axis=1), atol=0.01)
        assert (np.abs(found.argmax(axis=1) - planted.argmax(axis=1)) <= 1).all()


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_a_mains_line_is_notched_where_there_is_one(mains_hz):
    hum = 0.1 * np.sin(2 * np.pi * mains_hz * np.arange(5000) / 500)
    signal = beats_mv(500)
    signal[4] += hum
    clean, ideal = condition(_record(signal=signal)), condition(_record())
    inner = slice(500, -500)
    assert np.std((clean.signal - ideal.signal)[4, inner]) < 0.1 * np.std(hum)
    others = [n for n in range(12) if n != 4]
    np.testing.assert_array_equal(clean.signal[others], ideal.signal[others])


def test_missing_samples_stay_missing_and_flat_leads_stay_flat():
    signal = beats_mv(500)
    signal[0, 700:900] = np.nan
    signal[1] = np.nan
    signal[2] = 0.3
    clean = condition(_record(signal=signal))
    np.testing.assert_array_equal(np.isnan(clean.signal), np.isnan(np.float32(signal)))
    np.testing.assert_allclose(clean.signal[2], 0, atol=1e-5)


@pytest.mark.parametrize(("first", "end"), [(1107, 2607), (1321, 2821), (0, 1536), (3679, 5000)])  # at R peaks
def test_a_gap_at_an_r_peak_does_not_pull_the_level_beside_it(first, end):
    whole = beats_mv(500)
    signal = whole.copy()
    signal[:, first:end] = np.nan
    moved = condition(_record(signal=signal)).signal - condition(_record()).signal
    beside = np.r_[max(first - 300, 0) : first, end : min(end + 300, 5000)]
    assert np.abs(moved[:, beside]).max() < 0.05


def test_half_an_hour_and_a_tenth_of_a_second_are_conditioned():
    ten_seconds = beats_mv(360.0)
    for n in (1, 36, 90, 400):
        assert condition(_record(360.0, signal=ten_seconds[:, :n])).signal.shape == (12, n)
    long = np.tile(ten_seconds[:2], 180)
    assert condition(_record(360.0, signal=long, leads=LEADS[:2])).signal.shape == (2, 648_000)


def test_conditioning_leaves_the_record_s_facts_alone():
    record = _record(assumptions=("a",), codes=("NORM",), age_years=50, sex="male", simulated=True)
    assert replace(condition(record), signal=record.signal).key == record.key
