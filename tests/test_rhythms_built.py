"""Rhythms that are rare in recordings, built from waves whose places are known: what is measured and said of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.beats.assemble import unconducted
from ecgviz.beats.kinds import after_dropped, when_due
from ecgviz.criteria import evaluate_all
from ecgviz.edit import shift_pr
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Finding, Measurements, Record
from ecgviz.types.arrays import FloatArray

DURATION_S, P_LEAD_S, QRS_LEAD_S = 10.0, 0.02, 0.01


def read(record: Record) -> tuple[Beats, Measurements, list[Finding]]:
    clean = condition(record)
    beats = delineate(clean)
    measured = measure(clean, beats)
    return beats, measured, list(evaluate_all(measured, beats, age_years=60.0, sex="male"))


def met(findings: list[Finding]) -> set[str]:
    return {f"{each.criterion}/{each.definition}" for each in findings if each.state == "met"}


def waves_of(record: Record) -> tuple[FloatArray, FloatArray]:
    """Return a recording's median P wave and median QRS with T wave, (L, n) mV, both from zero to zero."""
    clean = condition(record)
    beats = delineate(clean)
    whole = np.flatnonzero(np.isfinite(beats.p_on + beats.t_off) & (beats.p_on > 0.1))[:-1]

    def median(on_s: FloatArray, off_s: FloatArray) -> FloatArray:
        n = round(float(np.median((off_s - on_s)[whole])) * clean.fs)
        first = np.round(on_s[whole] * clean.fs).astype(int)
        wave = np.median([clean.signal[:, at : at + n] for at in first], axis=0)
        return np.asarray(wave - np.linspace(wave[:, 0], wave[:, -1], n, axis=1))

    return median(beats.p_on - P_LEAD_S, beats.p_off + 0.02), median(beats.qrs_on - QRS_LEAD_S, beats.t_off + 0.03)


def build(record: Record, p_s: Sequence[float], qrs_s: Sequence[float]) -> Record:
    """Return ten seconds with the recording's own waves, P waves beginning at ``p_s``, QRS complexes at ``qrs_s``."""
    p_wave, qrst = waves_of(record)
    signal = 0.003 * np.random.default_rng(0).standard_normal((len(record.leads), round(DURATION_S * record.fs)))
    for times_s, wave, before_s in ((p_s, p_wave, P_LEAD_S), (qrs_s, qrst, QRS_LEAD_S)):
        for at_s in times_s:
            first = round((at_s - before_s) * record.fs)
            part = slice(max(first, 0), min(first + wave.shape[1], signal.shape[1]))
            signal[:, part] += wave[:, part.start - first : part.stop - first]
    return replace(record, signal=signal)


@pytest.fixture(scope="module")
def sinus(data_dir: Path) -> Record:
    return load_record(data_dir / "ludb" / "data" / "149.hea")


@pytest.mark.data
def test_two_p_waves_of_three_without_qrs_are_high_grade_block_and_no_sinus_bradycardia(sinus: Record) -> None:
    p_s = np.arange(0.3, 9.7, 0.8)
    beats, measured, findings = read(build(sinus, list(p_s), list(p_s[::3] + 0.18)))
    assert (len(beats), beats.extra_p_s.size) == (4, 6)
    assert measured.values["rate_bpm"] == pytest.approx(25, abs=0.5)
    assert {"2AVB/any_type", "2AVB/high_grade"} <= met(findings)
    assert not {"SR", "SBRAD", "NORM", "3AVB"} & {name.partition("/")[0] for name in met(findings)}


@pytest.mark.data
def test_four_beats_beside_atria_of_their_own_are_complete_block(sinus: Record) -> None:
    p_s, qrs_s = np.arange(0.3, DURATION_S, 0.8), np.arange(0.62, DURATION_S, 2.5)
    _, _, findings = read(build(sinus, list(p_s), list(qrs_s)))
    assert "3AVB/unrelated" in met(findings)
    assert not {"SR", "SBRAD", "NORM"} & {name.partition("/")[0] for name in met(findings)}


@pytest.mark.data
def test_a_pause_is_named_and_neither_normal_nor_breathing(data_dir: Path) -> None:
    record = load_record(data_dir / "ludb" / "data" / "182.hea")
    p_s = [0.3, 1.0, 1.7, 2.4, 6.0, 6.7, 7.4, 8.1, 8.8]
    _, measured, findings = read(build(record, p_s, [at + 0.16 for at in p_s]))
    assert measured.values["rate_bpm"] > 50
    said = met(findings)
    assert "PAUSE/athletes2017" in said
    assert not {"NORM", "SARRH", "2AVB"} & {name.partition("/")[0] for name in said}
    (pause,) = [each for each in findings if each.criterion == "PAUSE"]
    assert "longest RR 3600 ms >= 3000 ms" in pause.why


@pytest.mark.data
def test_a_shorter_pause_is_no_sinus_arrhythmia_either(data_dir: Path) -> None:
    record = load_record(data_dir / "ludb" / "data" / "182.hea")
    p_s = [0.3, 1.1, 1.9, 2.7, 5.1, 5.9, 6.7, 7.5, 8.3, 9.1]
    _, measured, findings = read(build(record, p_s, [at + 0.16 for at in p_s]))
    assert measured.values["rr_range_fraction"] > 1
    assert not {"PAUSE", "SARRH"} & {name.partition("/")[0] for name in met(findings)}
    (first, _) = [each for each in findings if each.criterion == "SARRH"]
    assert "excluded, since" in first.why


@pytest.mark.data
@pytest.mark.parametrize(("rr_s", "normal"), [(2.2, False), (1.7, True)])
def test_a_rate_below_thirty_is_no_normal_ecg(data_dir: Path, rr_s: float, normal: bool) -> None:
    record = load_record(data_dir / "ludb" / "data" / "182.hea")
    p_s = np.arange(0.3, DURATION_S - 0.8, rr_s)
    _, _, findings = read(build(record, list(p_s), list(p_s + 0.16)))
    assert ("NORM/adult" in met(findings)) == normal


@pytest.mark.parametrize("pr_ms", [420.0, 480.0, 520.0, 560.0, 600.0])
def test_a_very_long_pr_is_first_degree_block_and_no_blocked_p_wave(pr_ms: float) -> None:
    made = simulate("sinus_bradycardia", seed=3, fs=500, duration_s=10.0)
    own_ms = made.truth.values["pr_ms"]
    beats, measured, findings = read(shift_pr(made.record, made.truth.beats, pr_ms - own_ms).record)
    assert measured.values["pr_ms"] == pytest.approx(pr_ms, abs=15)
    assert beats.extra_p_s.size == 0
    assert "1AVB/acc2018" in met(findings)
    assert not [name for name in met(findings) if name.startswith(("2AVB", "3AVB"))]


@pytest.mark.data
@pytest.mark.parametrize(("name", "target_ms"), [("6", 420), ("6", 470), ("134", 470), ("134", 520)])
def test_a_very_long_pr_of_real_waves_is_no_second_degree_block(data_dir: Path, name: str, target_ms: int) -> None:
    """Where the delineator sees a P wave before QRS too, which is not there, the beat's own one is not blocked."""
    clean = condition(load_record(data_dir / "ludb" / "data" / f"{name}.hea"))
    beats = delineate(clean)
    own_ms = measure(clean, beats).values["pr_ms"]
    _, measured, findings = read(shift_pr(clean, beats, target_ms - own_ms).record)
    assert measured.values["pr_ms"] == pytest.approx(target_ms, abs=15)
    assert not [said for said in met(findings) if said.startswith(("2AVB", "3AVB"))]


def test_one_p_wave_that_is_found_twice_blocks_nothing() -> None:
    p, qrs = np.array([[1.0, 1.1], [np.nan, np.nan], [3.0, 3.1]]), np.array([[1.2, 1.3], [2.2, 2.3], [3.5, 3.6]])
    extra = np.array([[0.9, 0.99], [1.6, 1.7], [2.6, 2.7], [3.3, 3.4]])  # twice, blocked, blocked, before QRS
    assert unconducted(extra, p, qrs) == pytest.approx([1.65, 2.65])


@pytest.mark.parametrize("place", [0.54, 0.58, 0.62])
@pytest.mark.parametrize("seed", [1, 4])
def test_the_sinus_beat_after_an_interpolated_premature_one_is_not_premature(seed: int, place: float) -> None:
    source = simulate("pvc", seed=seed, fs=500, duration_s=10.0)
    marks = source.truth.beats
    (early, *_) = [b for b, kind in enumerate(marks.kind) if kind == "premature_ventricular"]
    first, last = round((marks.qrs_on[early] - 0.02) * 500), round((marks.t_off[early] + 0.02) * 500)
    wave = source.record.signal[:, first:last]
    wave = wave - np.linspace(wave[:, 0], wave[:, -1], last - first, axis=1)
    slow = simulate("sinus_bradycardia", seed=seed, fs=500, duration_s=10.0)
    r_s = slow.truth.beats.r_s
    at = round((r_s[3] + place * (r_s[4] - r_s[3]) - (marks.r_s[early] - first / 500)) * 500)
    signal = slow.record.signal.copy()
    signal[:, at : at + last - first] += wave
    beats, measured, findings = read(replace(slow.record, signal=signal))
    assert [b for b, kind in enumerate(beats.kind) if kind != "normal"] == [4]
    assert beats.kind[4] == "premature_ventricular"
    assert measured.values["n_ectopic"] == 1
    assert "PAC/premature_narrow" not in met(findings)


def test_a_beat_after_a_premature_one_that_comes_before_it_is_due_is_early() -> None:
    ventricular = np.array([False, False, False, True, False, False, False])
    interpolated = np.array([1.0, 1.0, 0.55, 0.5, 1.0, 1.0])
    assert when_due(interpolated, ventricular).tolist() == [False] * 4 + [True, False, False]
    for apart in (0.25, 0.65):  # 0.80 and 1.20 after the beat before the premature one
        assert not when_due(np.where(interpolated == 0.5, apart, interpolated), ventricular).any()
    assert not when_due(np.where(interpolated == 0.5, np.nan, interpolated), ventricular).any()


@pytest.mark.data
def test_one_blocked_p_wave_beside_a_slow_regular_escape_is_complete_block_of_no_type(data_dir: Path) -> None:
    """Type 1 and type 2 leave a pause, since a QRS complex is dropped."""
    record = load_record(data_dir / "ludb" / "data" / "172.hea")
    p_s, qrs_s = np.arange(0.35, DURATION_S, 60 / 80), np.arange(0.5, DURATION_S, 60 / 35)
    _, measured, findings = read(build(record, list(p_s), list(qrs_s)))
    assert measured.values["rr_range_fraction"] < 0.05
    assert not {"2AVB/type_1", "2AVB/type_2"} & met(findings)


@pytest.mark.data
@pytest.mark.parametrize("name", ["149", "182"])
@pytest.mark.parametrize("rr_s", [0.8, 1.1])
def test_no_p_wave_is_found_where_there_is_none(data_dir: Path, name: str, rr_s: float) -> None:
    """The network expects one before each QRS complex of an even rhythm; the signal has nothing there."""
    jitter_s = 0.008 * np.random.default_rng(1).standard_normal(40)
    record = load_record(data_dir / "ludb" / "data" / f"{name}.hea")
    qrs_s = 0.5 + rr_s * np.arange(int((DURATION_S - 1.2) / rr_s)) + jitter_s[: int((DURATION_S - 1.2) / rr_s)]
    beats, _, findings = read(build(record, [], list(qrs_s)))
    assert np.isfinite(beats.p_on).mean() < 0.5
    assert not {"SR", "NORM", "1AVB"} & {said.partition("/")[0] for said in met(findings)}


@pytest.mark.data
@pytest.mark.parametrize("name", ["149", "172", "182"])
def test_every_second_beat_after_a_short_rr_is_atrial_bigeminy(data_dir: Path, name: str) -> None:
    record = load_record(data_dir / "ludb" / "data" / f"{name}.hea")
    qrs_s = 0.6 + np.cumsum(np.tile([0.95, 0.55], 6)) - 0.95
    qrs_s = qrs_s[qrs_s < DURATION_S - 0.6]
    beats, _, findings = read(build(record, list(qrs_s - 0.15), list(qrs_s)))
    inner = beats.kind[1:-1]
    assert inner.count("premature_atrial") == pytest.approx(len(inner) / 2, abs=1)
    assert {"PAC/premature_narrow", "BIGU/three_cycles"} <= met(findings)
    assert not {"NORM", "SARRH"} & {said.partition("/")[0] for said in met(findings)}


@pytest.mark.data
@pytest.mark.parametrize("name", ["149", "172"])
def test_conducted_beats_of_second_degree_block_are_not_premature(data_dir: Path, name: str) -> None:
    record = load_record(data_dir / "ludb" / "data" / f"{name}.hea")
    p_s = np.arange(0.3, DURATION_S - 0.6, 1.0)
    qrs_s = [at + 0.17 for k, at in enumerate(p_s) if k % 3 < 2]
    beats, _, findings = read(build(record, list(p_s), qrs_s))
    assert set(beats.kind) == {"normal"}
    assert {"2AVB/any_type", "2AVB/type_2"} <= met(findings)
    assert "PAC/premature_narrow" not in met(findings)


def test_a_beat_after_the_pause_of_a_blocked_p_wave_is_told_by_where_it_lies() -> None:
    r_s = np.array([1.0, 2.0, 4.0, 5.0, 6.0])
    assert after_dropped(r_s, np.array([3.2])).tolist() == [False, False, False, True, False]
    assert not after_dropped(r_s, np.empty(0)).any()
    assert [after_dropped(r_s[:n], np.array([3.2])).size for n in range(4)] == [0, 1, 2, 3]


@pytest.mark.data
@pytest.mark.parametrize("name", ["149", "182"])
def test_slow_complete_block_in_noise_is_read(data_dir: Path, name: str) -> None:
    """Most candidates are P waves then, which are no steeper than noise: QRS complexes are what must stand out."""
    record = load_record(data_dir / "ludb" / "data" / f"{name}.hea")
    built = build(record, list(np.arange(0.3, DURATION_S, 60 / 96)), list(np.arange(0.7, DURATION_S, 60 / 30)))
    noise = 0.011 * np.random.default_rng(3).standard_normal(built.signal.shape)
    beats, measured, _ = read(replace(built, signal=built.signal + noise))
    assert not beats.reason
    assert measured.values["rate_bpm"] == pytest.approx(30, abs=1)


@pytest.mark.data
def test_a_normal_reading_is_not_called_premature_atrial_beats(data_dir: Path) -> None:
    beats, _, findings = read(load_record(data_dir / "ptbxl" / "records100" / "00000" / "00292_lr.hea"))
    assert "premature_atrial" not in beats.kind
    assert "PAC/premature_narrow" not in met(findings)
