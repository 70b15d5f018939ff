"""neurokit2 behind `Beats`: it runs whatever the recording, and says what it did not find."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecgviz.beats.neurokit import METHODS, neurokit_beats
from ecgviz.errors import InputError
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Record
from ecgviz.types.beats import MARKS

CASE = simulate("normal", seed=3, fs=250.0, duration_s=10)
RECORD = condition(CASE.record)


@cache
def found(method: str) -> Beats:
    """Return the beats of the recording as it is, which several tests look at."""
    return neurokit_beats(RECORD, method)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_planted_beats(method):
    beats = found(method)
    truth = CASE.truth.beats
    inner = truth.r_s[(truth.r_s > 0.3) & (truth.r_s < 9.6)]
    assert (np.abs(inner[:, None] - beats.r_s).min(axis=1) < 0.05).all()
    assert method in beats.method
    assert "neurokit2 0." in beats.method
    assert set(beats.kind) == {"unsure"}
    has = {name for name in MARKS if np.isfinite(getattr(beats, name)).mean() > 0.7}
    assert has >= {"peak": {"p_on", "t_off"}, "cwt": {"qrs_off", "t_off"}}.get(method, set(MARKS))
    assert method != "peak" or np.isnan(beats.qrs_on).all()


@pytest.mark.parametrize("method", METHODS)
def test_marks_go_to_the_beat_that_they_belong_to(method):
    beats = found(method)
    with np.errstate(invalid="ignore"):
        for name, (low, high) in {
            "p_on": (-0.4, -0.05),
            "qrs_on": (-0.2, 0.0),
            "qrs_off": (0.0, 0.2),
            "t_off": (0.1, 0.7),
        }.items():
            away = beats.lead_marks[name] - beats.r_s
            known = away[np.isfinite(away)]
            assert ((known >= low) & (known <= high)).mean() > 0.95 if known.size else method == "peak"


def test_global_marks_are_the_median_over_leads_that_have_one():
    beats = found("prominence")
    for name in MARKS:
        has = np.isfinite(beats.lead_marks[name]).sum(axis=0) >= 4
        np.testing.assert_array_equal(np.isfinite(getattr(beats, name)), has)
        middle = np.nanmedian(beats.lead_marks[name][:, has], axis=0)
        np.testing.assert_allclose(getattr(beats, name)[has], middle)


def _changed(change):
    signal = np.array(RECORD.signal)
    change(signal)
    return replace(RECORD, signal=signal)


@pytest.mark.parametrize("method", METHODS)
def test_flat_missing_and_gappy_leads_do_not_stop_it(method):
    def spoil(signal):
        signal[0], signal[1], signal[2, 500:600] = 0.0, np.nan, np.nan

    beats = neurokit_beats(_changed(spoil), method)
    assert len(beats) >= 9
    for marks in beats.lead_marks.values():
        assert np.isnan(marks[:2]).all()


@pytest.mark.parametrize("method", METHODS)
def test_few_beats_and_beats_at_the_edges_do_not_stop_it(method):
    peak = round(found(method).r_s[2] * RECORD.fs)
    for stop in (peak + 1, peak + 600, peak + 1000):
        for start in (0, peak):
            if stop - start > 2 * RECORD.fs:
                beats = neurokit_beats(replace(RECORD, signal=RECORD.signal[:, start:stop]), method)
                assert len(beats) or beats.reason


@pytest.mark.parametrize("scale_mv", [0.0, 0.001, 0.5])
def test_without_a_heart_there_are_no_beats_and_a_reason(scale_mv):
    noise = np.random.default_rng(5).normal(0, scale_mv, (12, 2500))
    beats = neurokit_beats(Record(noise, 250.0, STANDARD_LEADS, "noise"), "dwt")
    assert len(beats) == 0
    assert beats.reason
    assert set(beats.lead_marks) == set(MARKS)
    short = neurokit_beats(replace(RECORD, signal=RECORD.signal[:, :250]), "dwt")
    assert "too short" in short.reason


def test_it_draws_p_waves_into_fibrillation():
    """What `ecgviz.beats.delineate` is there to avoid."""
    beats = neurokit_beats(condition(simulate("af", seed=1, fs=250.0, duration_s=10).record), "prominence")
    assert np.isfinite(beats.p_on).mean() > 0.5


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match="prominence"):
        neurokit_beats(RECORD, "tea_leaves")
