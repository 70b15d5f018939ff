"""A verdict on each lead: planted faults are found and named, clean leads are left alone."""

from dataclasses import replace

import numpy as np
import pytest
from ecg_files import LEADS, beats_mv

from ecgviz.records import load_record
from ecgviz.records.quality import as_read, assess, assumed, padded, reliance, unread
from ecgviz.types import LeadQuality, Record

FS = 500.0


def _verdicts(signal, fs=FS, leads=LEADS):
    return {found.lead: found for found in assess(Record(signal=signal, fs=fs, leads=leads, id="r"))}


def _noisy(fs=FS, seed=0):
    signal = beats_mv(fs)
    rng = np.random.default_rng(seed)
    signal[:2] += 0.005 * rng.standard_normal(signal[:2].shape)
    signal[2:6] = [
        signal[1] - signal[0],
        -(signal[0] + signal[1]) / 2,
        signal[0] - signal[1] / 2,
        signal[1] - signal[0] / 2,
    ]
    signal[6:] += 0.005 * rng.standard_normal(signal[6:].shape)
    return signal


@pytest.mark.parametrize("fs", [100.0, 250.0, 360.0, 500.0, 1000.0])
def test_clean_leads_are_good_in_the_record_s_order(fs):
    found = assess(Record(signal=_noisy(fs), fs=fs, leads=LEADS, id="r"))
    assert tuple(lead.lead for lead in found) == LEADS
    assert {lead.verdict for lead in found} == {"good"}
    assert all(lead.reasons == () for lead in found)


def test_flat_from_end_to_end_is_unusable():
    signal = _noisy()
    signal[8] = 0.7 + 0.001 * np.sin(np.arange(5000))
    verdicts = _verdicts(signal)
    assert verdicts.pop("V3").reasons == ("flat from end to end (moves less than 5 uV)",)
    assert {found.verdict for found in verdicts.values()} == {"good"}


def test_a_flat_stretch_is_doubtful_and_timed():
    signal = _noisy()
    signal[8, 1000:2250] = signal[8, 1000]
    found = _verdicts(signal)["V3"]
    assert (found.verdict, found.reasons) == ("doubtful", ("flat for 2.5 s (moves less than 5 uV)",))


def test_leads_that_are_flat_at_once_may_be_an_interruption():
    signal = _noisy()
    signal[:, 1000:2000] = signal[:, 1000:1001]
    said = "flat for 2.0 s (moves less than 5 uV), and so are all leads at once: a pause that is measured there may be"
    for found in _verdicts(signal).values():
        assert found.reasons[0] == f"{said} an interruption of the recording", found.lead
    signal[5, 1000:2000] = np.nan
    assert _verdicts(signal)["V3"].reasons[0].startswith(said)
    for n in range(12):
        signal[n] = _noisy()[n]
        signal[n, 300 * n : 300 * n + 1000] = signal[n, 300 * n]
    assert _verdicts(signal)["V3"].reasons == ("flat for 2.0 s (moves less than 5 uV)",)


@pytest.mark.parametrize("start", [0, 4400])
def test_a_lead_that_ends_flat_for_half_a_second_is_good(start):
    signal = _noisy()
    signal[8, start : start + 300] = 0.0
    assert _verdicts(signal)["V3"].reasons == ()


def test_saturation_is_doubtful():
    signal = _noisy()
    signal[9] = np.clip(signal[9] * 1.5, None, 0.6)
    found = _verdicts(signal)["V4"]
    assert found.verdict == "good"
    signal[9] = np.clip(signal[9] + 0.8 * np.sin(np.arange(5000) / 400), None, 0.6)
    found = _verdicts(signal)["V4"]
    assert found.verdict == "doubtful"
    assert found.reasons[0].startswith("saturated: rests on its extreme value for ")


@pytest.mark.parametrize("fs", [100.0, 125.0, 250.0, 500.0, 1000.0])
def test_pure_noise_is_unusable(fs):
    for seed in range(20):
        signal = _noisy(fs)
        signal[6] = np.random.default_rng(seed).standard_normal(signal.shape[1])
        found = _verdicts(signal, fs)["V1"]
        assert found.verdict == "unusable"
        assert "hides the ECG" in found.reasons[0]


def test_noise_on_an_ecg_is_doubtful():
    signal = _noisy(250.0)
    signal[10] += 0.35 * np.random.default_rng(3).standard_normal(2500)
    found = _verdicts(signal, 250.0)["V5"]
    assert found.verdict == "doubtful"
    assert found.reasons[0].startswith("noise of ")


def test_gaps_are_counted():
    signal = _noisy()
    signal[7, 100:150] = np.nan
    signal[8, :600] = np.nan
    signal[9] = np.nan
    verdicts = _verdicts(signal)
    assert (verdicts["V2"].verdict, verdicts["V2"].reasons) == ("doubtful", ("1.0 % of its samples are missing",))
    assert (verdicts["V3"].verdict, verdicts["V3"].reasons) == ("unusable", ("12.0 % of its samples are missing",))
    assert (verdicts["V4"].verdict, verdicts["V4"].reasons) == ("unusable", ("no sample of it was recorded",))


@pytest.mark.parametrize("lead", LEADS[:6])
def test_the_one_limb_lead_that_contradicts_the_others_is_named(lead):
    signal = _noisy()
    signal[LEADS.index(lead)] *= -1
    verdicts = _verdicts(signal)
    assert [name for name, found in verdicts.items() if found.verdict != "good"] == [lead]
    assert verdicts[lead].reasons[0].startswith("contradicts the other limb leads by up to ")


def test_augmented_leads_that_contradict_i_and_ii_are_all_named():
    signal = _noisy()
    t = np.arange(5000) / FS
    for n, lead in enumerate(("aVR", "aVL", "aVF")):
        signal[LEADS.index(lead)] += 5.1 * np.exp(-(((t - 4 - n) / 0.05) ** 2))
    verdicts = _verdicts(signal)
    assert [name for name, found in verdicts.items() if found.verdict != "good"] == ["aVR", "aVL", "aVF"]
    assert verdicts["aVL"].reasons == (
        "contradicts the other limb leads by up to 5.10 mV (mislabelled, reversed or damaged)",
    )


def test_offsets_are_no_contradiction():
    signal = _noisy() + np.linspace(-1, 1, 12)[:, None]
    assert not any("contradict" in reason for found in _verdicts(signal).values() for reason in found.reasons)
    assert {found.verdict for found in _verdicts(_noisy() + np.linspace(-0.1, 0.1, 12)[:, None]).values()} == {"good"}


@pytest.mark.parametrize("offset_mv", [0.3, -0.5])
def test_a_lead_that_is_offset_as_a_whole_is_doubtful_and_says_by_how_much(offset_mv):
    signal = _noisy() - np.median(_noisy(), axis=1, keepdims=True)
    signal[[1, 7]] += offset_mv
    verdicts = _verdicts(signal)
    assert [lead for lead, found in verdicts.items() if found.verdict != "good"] == ["II", "V2"]
    assert verdicts["V2"].verdict == "doubtful"
    told = float(verdicts["V2"].reasons[0].split("lies ")[1].split(" mV off 0 as a whole")[0])
    # The mean of beats above an isoelectric line at 0 is some hundredths of a millivolt.
    assert abs(told - offset_mv) < 0.05


def test_large_waves_about_a_baseline_at_zero_and_a_mean_of_zero_are_no_offset():
    signal = 4 * _noisy()
    assert {found.verdict for found in _verdicts(signal).values()} == {"good"}
    assert {found.verdict for found in _verdicts(signal - signal.mean(axis=1, keepdims=True)).values()} == {"good"}


def test_nothing_can_be_relied_on_where_most_leads_are_unusable():
    def quality(n_unusable, rest="good"):
        verdicts = ["unusable"] * n_unusable + [rest] * (12 - n_unusable)
        return [LeadQuality(lead, verdict) for lead, verdict in zip(LEADS, verdicts, strict=True)]

    assert reliance(quality(0)) == ""
    assert reliance(quality(12)).startswith("No score of this recording can be relied on: 12 of its 12 leads")
    assert reliance(quality(7)).startswith("No score of this recording can be relied on: 7 of its 12 leads")
    for some in (quality(6), quality(1), quality(0, "doubtful")):
        assert reliance(some) == "The network was fed these leads as they are: read its scores with care."


def test_a_recording_of_a_lower_rate_than_a_network_is_fed_was_upsampled():
    record = Record(signal=_noisy(50.0), fs=50.0, leads=LEADS, id="r", assumptions=("unit entered",))
    assert assumed(record, 50.0, 10.0) == ("unit entered",)
    first, second = assumed(record, 100.0, 10.0)
    assert first == "unit entered"
    assert second.startswith("upsampled from 50 Hz to the 100 Hz that the network is fed: above 25 Hz it holds nothing")


def test_unrelated_limb_leads_are_all_doubted():
    signal = _noisy()
    signal[:3] = [np.roll(signal[0], 100 * n) for n in range(3)]
    signal[3:6] = [np.roll(signal[0], -100 * n) for n in range(1, 4)]
    verdicts = _verdicts(signal)
    assert {verdicts[lead].verdict for lead in LEADS[:6]} == {"doubtful"}
    assert "which are wrong cannot be told" in verdicts["I"].reasons[-1]


@pytest.mark.data
def test_real_recordings_are_rarely_doubted(data_dir):
    found = [
        lead for path in sorted(data_dir.glob("ptbxl/records100/*/*.hea"))[::4] for lead in assess(load_record(path))
    ]
    assert len(found) > 1000
    assert sum(lead.verdict == "unusable" for lead in found) == 0
    assert sum(lead.verdict == "doubtful" for lead in found) <= 0.005 * len(found)


@pytest.mark.data
def test_no_lead_of_ptbxl_is_called_offset(data_dir):
    found = [
        reason
        for path in sorted(data_dir.glob("ptbxl/records100/*/*.hea"))[::4]
        for lead in assess(load_record(path))
        for reason in lead.reasons
    ]
    assert not [reason for reason in found if "off 0 as a whole" in reason]


def test_of_a_longer_recording_it_is_told_which_part_a_network_reads():
    record = load_record("demo:normal")
    longer = replace(record, signal=np.tile(record.signal, 4))
    assert unread(record, record.duration_s) == unread(longer, longer.duration_s) == ""
    assert unread(longer, record.duration_s).startswith("the network reads the first 10 s of these 40 s")
    assert assumed(longer, 100.0, record.duration_s) == (*longer.assumptions, unread(longer, record.duration_s))


def test_of_a_shorter_recording_it_is_told_that_the_rest_is_padding():
    record = load_record("demo:normal")
    short = replace(record, signal=record.signal[:, : round(2.5 * record.fs)])
    assert padded(record, 10.0) == ""
    (told,) = as_read(short, 100.0, 10.0)
    assert told.startswith("the network reads 10 s, of which this recording fills 2.5 s: the rest is padding")
    assert assumed(short, 100.0, 10.0) == (*short.assumptions, told)
