"""What edits do, in numbers worked out beside them: sentences, PR intervals, ramps, and how large sham edits are."""

import re
from dataclasses import replace

import numpy as np
import pytest

from ecgviz.edit import Edited, change_rate, insert_p, regular_rr, remove_p, scale_wave, shift_pr, shift_st
from ecgviz.explain import edits
from ecgviz.explain.edits import EDITS, EditEvidence
from ecgviz.explain.shams import later, permuted_rr, size_mv
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Record
from tests.toys import LEADS, even_beats

FS = 500.0
P_MARKS = ("p_on", "p_off")


@pytest.fixture(scope="module")
def normal() -> tuple[Record, Beats]:
    made = simulate("normal", seed=3, fs=FS, duration_s=10.0, noise=0.0, heart_rate_bpm=62.0)
    return made.record, made.truth.beats


@pytest.fixture(scope="module")
def af() -> tuple[Record, Beats]:
    made = simulate("af", seed=5, fs=FS, duration_s=10.0, noise=0.0, heart_rate_bpm=75.0)
    return made.record, made.truth.beats


def flat(beats: Beats) -> Record:
    return Record(np.tile(0.5 * np.sin(np.arange(5000) / 700), (12, 1)), FS, LEADS, id="slow")


def test_the_spread_of_rr_is_told_as_that_of_a_sample(af: tuple[Record, Beats]) -> None:
    rr_ms = 1000 * np.diff(af[1].r_s)
    sd = np.sqrt(np.square(rr_ms - rr_ms.mean()).sum() / (rr_ms.size - 1))
    assert f"({rr_ms.mean():.0f} ms each; SD was {sd:.0f} ms)" in regular_rr(*af).sentence


def test_the_rate_before_is_sixty_over_the_mean_rr(af: tuple[Record, Beats]) -> None:
    before = 60 / np.diff(af[1].r_s).mean()
    assert f"rate changed from {before:.0f} to 50 bpm" in change_rate(*af, 50.0).sentence


@pytest.mark.parametrize("bpm", [75.0, 90.0])
def test_as_many_beats_are_repeated_as_the_recording_has_not_left(normal: tuple[Record, Beats], bpm: float) -> None:
    edited = change_rate(*normal, bpm)
    record, beats = normal
    lead, seen, again = record.leads.index("II"), set(), 0
    for on, off in zip(edited.beats.qrs_on, edited.beats.qrs_off, strict=True):
        first, last = int(np.ceil(on * FS)), int(np.floor(off * FS))
        piece = edited.record.signal[lead, first : last + 1]
        starts = np.rint((beats.qrs_on + first / FS - on) * FS).astype(int)
        alike = [n for n, at in enumerate(starts) if np.array_equal(record.signal[lead, at : at + piece.size], piece)]
        again += alike[0] in seen
        seen.add(alike[0])
    assert f", {again} beats repeated to fill the recording" in edited.sentence


def test_where_t_gives_room_the_most_that_any_gives_is_told(normal: tuple[Record, Beats]) -> None:
    edited = change_rate(*normal, 105.0)
    told = re.search(r"the end of T up to (\d+) ms shorter", edited.sentence)
    assert told is not None
    qt_ms = 1000 * (normal[1].t_off - normal[1].qrs_on)
    now_ms = 1000 * (edited.beats.t_off - edited.beats.qrs_on)
    most = max(min(abs(one - qt_ms[np.isfinite(qt_ms)])) for one in now_ms[np.isfinite(now_ms)])
    assert float(told[1]) == pytest.approx(most, abs=0.51)


@pytest.mark.parametrize(("ms", "word"), [(30.0, "longer"), (-30.0, "shorter")])
def test_a_pr_interval_is_told_as_it_was_changed(normal: tuple[Record, Beats], ms: float, word: str) -> None:
    edited = shift_pr(*normal, ms)
    with_p = int((np.abs(edited.beats.p_on - normal[1].p_on) > 0.01).sum())
    assert edited.sentence == f"altered: PR interval 30 ms {word} in {with_p} beats"


def test_a_p_wave_from_nowhere_stands_160_ms_before_qrs_and_its_marks_are_its_own(af: tuple[Record, Beats]) -> None:
    record, beats = af
    edited = insert_p(record, beats)
    put = np.isfinite(edited.beats.p_on)
    pr_ms = 1000 * (edited.beats.qrs_on - edited.beats.p_on)[put]
    assert (np.abs(pr_ms - 160.0) <= 1000 / FS).all()
    change = np.abs(np.asarray(edited.record.signal, dtype=float) - record.signal).max(axis=0)
    for on, off in zip(edited.beats.p_on[put], edited.beats.p_off[put], strict=True):
        first, last = round(on * FS), round(off * FS)
        assert change[first : last + 1].max() > 0.03
        assert change[last - 1] > 1e-6  # the wave goes on to the sample before its end ...
        assert change[last : last + 3].max() < 1e-6  # ... where it is 0, as it is after it


def test_a_p_wave_of_the_recordings_own_stands_at_its_median_pr(normal: tuple[Record, Beats]) -> None:
    record, beats = normal
    flat_now = remove_p(record, beats)
    some = np.arange(len(beats)) % 2 == 0
    kept = {name: np.where(some, getattr(beats, name), np.nan) for name in ("p_on", "p_off")}
    edited = insert_p(flat_now.record, replace(beats, **kept))
    pr_ms = 1000 * (edited.beats.qrs_on - edited.beats.p_on)
    usual = np.nanmedian(1000 * (beats.qrs_on - beats.p_on)[some])
    assert np.nanmax(np.abs(pr_ms - usual)) <= 1000 / FS


def test_an_st_shift_is_whole_from_j_to_t_and_fades_over_t() -> None:
    beats = even_beats(9)
    edited = shift_st(flat(beats), beats, 0.4, "V2")
    change = (np.asarray(edited.record.signal, dtype=float) - flat(beats).signal)[LEADS.index("V2")]
    at = [beats.qrs_off - 0.010, beats.qrs_off - 0.005, beats.qrs_off, beats.t_on]
    at += [beats.t_on + 0.05, beats.t_on + 0.1, beats.t_on + 0.15, beats.t_off]
    seen = [np.interp(place, np.arange(change.size) / FS, change) / 0.4 for place in at]
    wanted = [0, 0.5, 1, 1, 0.8536, 0.5, 0.1464, 0]  # cosine fades: squares of sines of 45, 67.5 and 22.5 degrees
    np.testing.assert_allclose(np.mean(seen, axis=1), wanted, atol=0.02)


@pytest.mark.parametrize("fs", [100.0, 257.0, 500.0])
def test_an_st_shift_is_the_sum_of_what_each_beat_adds_over_the_whole_recording(fs: float) -> None:
    """Also where T runs into the next beat or beyond the end, and where a beat is cut by the beginning."""
    made = simulate("normal", seed=3, fs=fs, duration_s=10.0)
    record, first = made.record, made.truth.beats
    t_off = np.append(first.t_off[:-1] + 0.4, record.duration_s + 0.3)
    beats = replace(first, qrs_off=np.append(0.004, first.qrs_off[1:]), t_off=t_off)
    at, wanted = np.arange(record.signal.shape[1]) / fs, np.zeros(record.signal.shape[1])
    for j, t_on, t_end in zip(beats.qrs_off, beats.t_on, beats.t_off, strict=True):
        rise, fall = (at - j + 0.010) / 0.010, (t_end - at) / (t_end - t_on)
        wanted += (np.sin(np.pi / 2 * np.clip(rise, 0, 1)) * np.sin(np.pi / 2 * np.clip(fall, 0, 1))) ** 2
    made_of = shift_st(record, beats, -0.3, "V2").record.signal
    by_hand = record.signal.astype(float)
    by_hand[LEADS.index("V2")] += -0.3 * wanted
    np.testing.assert_array_equal(made_of, by_hand.astype(np.float32))


def test_one_beat_is_told_as_one() -> None:
    beats = even_beats(10)
    record = Record(np.tile(0.5 * np.sin(np.arange(5000) / 700), (12, 1)), FS, LEADS, id="slow")
    one_p = replace(beats, **{name: np.where(np.arange(10) == 4, getattr(beats, name), np.nan) for name in P_MARKS})
    assert shift_pr(record, one_p, 20.0).sentence == "altered: PR interval 20 ms longer in 1 beat"
    told = {change_rate(record, beats, bpm).sentence for bpm in np.arange(60.5, 75.0, 0.5)}
    again = {found[1] for each in told if (found := re.search(r", ([^,]*) repeated to fill the recording", each))}
    assert {"1 beat", "2 beats"} <= again
    assert "1 beats" not in again


def test_the_level_before_a_removed_p_wave_lasts_until_40_ms_before_qrs() -> None:
    beats = even_beats(9)
    signal = np.zeros((12, 5000))
    for on, qrs_on in zip(beats.p_on, beats.qrs_on, strict=True):
        t = np.arange(5000) / FS
        signal[1] += 0.2 * np.exp(-(((t - on - 0.05) / 0.02) ** 2)) + 0.1 * np.clip((t - qrs_on + 0.1) / 0.05, 0, 1)
    record = Record(signal, FS, LEADS, id="steps")  # the level rises for good by 0.1 mV in the P wave of each beat
    left = np.asarray(remove_p(record, beats).record.signal, dtype=float)[1]
    for k, qrs_on in enumerate(beats.qrs_on):
        first, half, last = (round((qrs_on - before_s) * FS) for before_s in (0.042, 0.020, 0.0))
        assert left[first] == pytest.approx(0.1 * k, abs=0.004)
        assert left[half] == pytest.approx(0.1 * k + 0.05, abs=0.012)
        assert left[last] == pytest.approx(0.1 * (k + 1), abs=0.004)


def test_a_t_wave_turned_over_is_turned_about_the_line_below_it() -> None:
    beats = even_beats(9)
    t = np.arange(5000) / FS
    waves = sum(0.3 * np.exp(-(((t - on - 0.1) / 0.03) ** 2)) for on in beats.t_on)
    record = Record(np.tile(0.5 + waves, (12, 1)), FS, LEADS, id="waves")
    turned = np.asarray(scale_wave(record, beats, "T", "V5", -1.0).record.signal, dtype=float)
    np.testing.assert_allclose(turned[LEADS.index("V5")], 0.5 - waves, atol=0.008)
    np.testing.assert_array_equal(turned[0], record.signal[0])


@pytest.mark.parametrize(("pr_ms", "becomes_ms"), [(150.0, 240.0), (196.0, 240.0), (206.0, 160.0), (230.0, 160.0)])
def test_pr_is_changed_to_the_other_side_of_200_ms(pr_ms: float, becomes_ms: float) -> None:
    beats = even_beats(9)
    beats = replace(beats, p_on=beats.qrs_on - pr_ms / 1000, p_off=beats.qrs_on - pr_ms / 1000 + 0.08)
    edited = EDITS["shift_pr"].run(flat(beats), beats)
    now = 1000 * (edited.beats.qrs_on - edited.beats.p_on)[2:]
    assert (np.abs(now - becomes_ms) <= 1000 / FS).all()
    assert (edits.LONG_PR_MS, edits.NORMAL_BPM) == (200.0, (60.0, 100.0))


def test_the_numbers_of_sham_edits_are_those_of_a_sample() -> None:
    found = EditEvidence("a", "it", "MI", 0.0, -1.0, sham_changes=(-1.0, -1.5, 0.5, 1.2), size_mv=0.1, sham_size_mv=0.1)
    assert found.sham_mean == pytest.approx(-0.2)
    assert found.sham_sd == pytest.approx(np.sqrt((0.8**2 + 1.3**2 + 0.7**2 + 1.4**2) / 3))
    assert found.n_as_large == 3  # in either direction, and as much is as large
    assert found.sentence.startswith("it lowers the logit of MI by 1.00; 4 sham edits")
    assert found.sentence.endswith("3 of them by as much")


def test_the_size_of_an_edit_is_a_root_mean_square() -> None:
    record = Record(np.tile(0.5 * np.sin(np.arange(1000)), (12, 1)), 100.0, LEADS, id="it")
    signal = np.array(record.signal, dtype=float)
    signal[0, :500] += 0.6
    edited = Edited(replace(record, signal=signal), even_beats(9), "")
    assert size_mv(record, edited) == pytest.approx(0.6 * np.sqrt(500 / 12000), rel=1e-5)


def test_another_order_of_rr_moves_tp_about_as_much_as_the_edit(af: tuple[Record, Beats]) -> None:
    edited = regular_rr(*af)
    shams = permuted_rr(*af, edited, np.random.default_rng(0), 8)
    rr = af[1].rr_s
    wanted = np.abs(edited.beats.rr_s - rr).sum()
    moved = [np.abs(sham.beats.rr_s - rr).sum() for sham in shams]
    np.testing.assert_allclose(moved, wanted, rtol=0.1)
    for sham in shams:
        np.testing.assert_allclose(np.sort(sham.beats.rr_s), np.sort(rr), atol=2 / FS)


def test_a_rhythm_from_another_moment_begins_up_to_one_rr_later(normal: tuple[Record, Beats]) -> None:
    shams = later(*normal, Edited(*normal, ""), np.random.default_rng(0), 40)
    seconds = [float(re.search(r"begins ([\d.]+) s later", sham.sentence)[1]) for sham in shams]  # type: ignore[index]
    mean = normal[1].rr_s.mean()
    assert 0.1 * mean <= min(seconds) < 0.25 * mean
    assert 0.85 * mean < max(seconds) <= mean
