"""Every second beat from the ventricles: the basic rhythm is that of the beats in time, however many there are."""

from itertools import pairwise

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate_all
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Record

FS = 500.0
CYCLE_S = 1.7


def bigeminy(first: str, n: int, seed: int) -> tuple[Record, float, float]:
    """Return ``n`` beats, normal ("n") and ventricular ("v") in turn, and QRS and QT of the normal one in ms."""
    made = simulate("pvc", seed=seed, fs=FS, duration_s=20.0, noise=0.0)
    beats, signal = made.truth.beats, made.record.signal
    v = int(np.flatnonzero(beats.ectopic)[1])
    own = v - 2
    cut = {"n": _cut(signal, beats, own), "v": _cut(signal, beats, v)}
    coupling = max(beats.r_s[v] - beats.r_s[v - 1], beats.t_off[own] - beats.r_s[own] + 0.1)
    steps = {"n": coupling, "v": CYCLE_S - coupling}
    order = [("n", "v")[(k + (first == "v")) % 2] for k in range(n)]
    at = 0.5 + np.cumsum([0.0, *(steps[kind] for kind in order)])
    out = np.random.default_rng(seed).normal(0, 0.008, (12, round((at[-1] + 0.6) * FS)))
    for r_s, kind in zip(at[:-1], order, strict=True):
        before, wave = cut[kind]
        start = round(r_s * FS) - before
        out[:, max(start, 0) : start + wave.shape[1]] += wave[:, max(-start, 0) :]
    qrs, qt = (1000 * (end[own] - beats.qrs_on[own]) for end in (beats.qrs_off, beats.t_off))
    return Record(out, FS, STANDARD_LEADS, "bigeminy"), qrs, qt


def _cut(signal, beats, b):
    """Return how many samples lie before R, and the beat (12, W) from before P to after T, from zero to zero."""
    begins = beats.p_on[b] if np.isfinite(beats.p_on[b]) else beats.qrs_on[b]
    first, last = round((begins - 0.04) * FS), round((beats.t_off[b] + 0.02) * FS)
    wave = signal[:, first:last]
    line = np.linspace(0, 1, wave.shape[1])
    return round(beats.r_s[b] * FS) - first, wave - wave[:, :1] * (1 - line) - wave[:, -1:] * line


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("first", "n"), [("n", 11), ("n", 12), ("v", 11), ("v", 12)])
def test_beats_in_time_are_the_basic_rhythm_of_bigeminy(first: str, n: int, seed: int) -> None:
    record, qrs_ms, qt_ms = bigeminy(first, n, seed)
    clean = condition(record)
    beats = delineate(clean)
    known = [kind for kind, edge in zip(beats.kind, beats.edge, strict=True) if not edge]
    assert len(beats) >= n - 1
    assert {*known} == {"normal", "premature_ventricular"}
    assert all(one != other for one, other in pairwise(known))
    found = measure(clean, beats)
    assert found.value("qrs_ms") == pytest.approx(qrs_ms, abs=20)
    assert found.value("qt_ms") == pytest.approx(qt_ms, abs=40)
    met = {each.criterion for each in evaluate_all(found, beats, age_years=50.0, sex="male") if each.state == "met"}
    assert {"BIGU", "PVC"} <= met
    assert not met & {"AFIB", "LMI", "IMI", "LNGQT"}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("sets_in_s", [4.6, 5.5, 6.4])
def test_a_block_that_sets_in_is_not_premature(sets_in_s: float, seed: int) -> None:
    """Its beats are wide and of another shape, five to seven of twelve, but in time and after P waves."""
    plain, block = (
        simulate(each, seed=seed, fs=FS, duration_s=10.0, heart_rate_bpm=70.0) for each in ("normal", "lbbb")
    )
    at = round(sets_in_s * FS)
    both = np.concatenate([plain.record.signal[:, :at], block.record.signal[:, at:]], axis=1)
    clean = condition(Record(both, FS, STANDARD_LEADS, "sets in"))
    beats = delineate(clean)
    assert len(beats) == 12
    assert not beats.ectopic.any()
    assert {beats.kind[0], beats.kind[-1]} == {"normal", "unsure"}
    found = measure(clean, beats)
    met = {each.criterion for each in evaluate_all(found, beats, age_years=60.0, sex="male") if each.state == "met"}
    assert "NORM" not in met
    assert ("CLBBB" in met) == (sets_in_s < 5)
    assert (found.value("qrs_ms") > 120) == (sets_in_s < 5)


def test_no_rate_that_qt_has_adapted_to_is_known_in_bigeminy() -> None:
    clean = condition(bigeminy("n", 12, 2)[0])
    found = measure(clean, delineate(clean))
    assert np.isnan(found.value("qtc_bazett_ms"))
    assert found.why("qtc_bazett_ms") == "nearly every RR interval begins or ends in a premature beat"
    assert np.isfinite(found.value("jt_ms"))


@pytest.mark.data
def test_a_stretch_of_real_bigeminy_is_no_noise(data_dir) -> None:
    """PTB-XL 00256, whose reader says bigeminy, where it holds as many beats of either kind."""
    record = load_record(data_dir / "ptbxl" / "records500" / "00000" / "00256_hr.hea")
    part = Record(record.signal[:, round(2.42 * 500) : round(6.74 * 500)], 500.0, record.leads, "part")
    assert delineate(condition(part)).kind[:5] == ("normal", "premature_ventricular") * 2 + ("normal",)
