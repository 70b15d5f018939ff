"""Edits of the signal on simulated recordings without noise, whose beats are known exactly."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ecgviz import edit
from ecgviz.beats import delineate
from ecgviz.edit.relay import bodies
from ecgviz.edit.waves import p_stretches, wave_spans
from ecgviz.errors import EditError, RecordError
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.records.leads import IN_TERMS_OF_I_AND_II
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import MARKS, Beats, Record

FS = 500.0


@cache
def known(finding="normal", *, seed=3, bpm=62.0, fs=FS, noise=0.0, duration_s=10.0) -> tuple[Record, Beats]:
    made = simulate(finding, seed=seed, fs=fs, duration_s=duration_s, noise=noise, heart_rate_bpm=bpm)
    return made.record, made.truth.beats


RECORD, BEATS = known()
EVERY_EDIT = {
    "regular_rr": edit.regular_rr,
    "slower": lambda r, b: edit.change_rate(r, b, 45),
    "faster": lambda r, b: edit.change_rate(r, b, 80),
    "start_later": lambda r, b: edit.start_later(r, b, 0.6),
    "shift_pr": lambda r, b: edit.shift_pr(r, b, 30),
    "move_beats": lambda r, b: edit.move_beats(r, b, np.resize((0.02, -0.02), len(b))),
    "remove_p": edit.remove_p,
    "scale_wave": lambda r, b: edit.scale_wave(r, b, "T", r.leads, 1.5),
    "shift_st": lambda r, b: edit.shift_st(r, b, 0.1, ("V2", "V3")),
    "widen_qrs": lambda r, b: edit.widen_qrs(r, b, 1.3),
}


def spans_ms(beats: Beats, start: str, end: str) -> np.ndarray:
    lengths = 1000 * (getattr(beats, end) - getattr(beats, start))
    return lengths[np.isfinite(lengths)]


def bodies_of(record: Record, beats: Beats) -> list[np.ndarray]:
    """Return the samples of each whole beat, from P onset to T offset."""
    whole = np.flatnonzero(np.isfinite(beats.p_on) & np.isfinite(beats.t_off))
    edges = [(int(np.ceil(beats.p_on[b] * FS)), int(beats.t_off[b] * FS) - 1) for b in whole]
    return [record.signal[:, first:last] for first, last in edges]


@pytest.mark.parametrize("name", EVERY_EDIT)
def test_an_edit_is_told_keeps_the_length_and_limb_leads_that_follow_from_one_another(name):
    done = EVERY_EDIT[name](RECORD, BEATS)
    assert done.record.signal.shape == RECORD.signal.shape
    assert np.isfinite(done.record.signal).all()
    assert done.record.altered == (done.sentence.removeprefix("altered: "),)
    assert done.record.id.startswith(f"{RECORD.id}+")
    assert done.record.key != RECORD.key
    one, two = (done.record.lead(lead).astype(float) for lead in ("I", "II"))
    for lead, (a, b) in IN_TERMS_OF_I_AND_II.items():
        np.testing.assert_allclose(done.record.lead(lead), a * one + b * two, atol=1e-6)


@pytest.mark.parametrize("name", EVERY_EDIT)
def test_no_edit_leaves_a_step(name):
    steepest = np.abs(np.diff(RECORD.signal, axis=1)).max()
    assert np.abs(np.diff(EVERY_EDIT[name](RECORD, BEATS).record.signal, axis=1)).max() <= 1.01 * steepest


@pytest.mark.parametrize("name", EVERY_EDIT)
def test_an_edit_changes_neither_recording_nor_beats_that_it_is_given_and_answers_the_same_twice(name):
    signal, r_s = RECORD.signal.copy(), BEATS.r_s.copy()
    first, second = (EVERY_EDIT[name](RECORD, BEATS) for _ in range(2))
    np.testing.assert_array_equal(RECORD.signal, signal)
    np.testing.assert_array_equal(BEATS.r_s, r_s)
    assert first.record.key == second.record.key


@pytest.mark.parametrize("bpm", [40, 55, 70, 85])
@pytest.mark.parametrize("finding", ["normal", "first_degree_av_block"])
def test_the_rate_becomes_the_one_asked_for_and_beats_stay_as_they_were(finding, bpm):
    record, beats = known(finding)
    done = edit.change_rate(record, beats, bpm)
    assert measure(done.record, done.beats).values["rate_bpm"] == pytest.approx(bpm, rel=1e-3)
    for start, end in (("p_on", "qrs_on"), ("qrs_on", "qrs_off"), ("qrs_on", "t_off")):
        originals = spans_ms(beats, start, end)
        assert all(np.abs(originals - length).min() < 1e-6 for length in spans_ms(done.beats, start, end))
    recorded = bodies_of(record, beats)
    assert len(recorded) >= 6
    for body in bodies_of(done.record, done.beats):
        assert any(body.shape == each.shape and np.array_equal(body, each) for each in recorded)


def test_a_rhythm_at_its_own_rate_is_the_recording_itself():
    done = edit.change_rate(RECORD, BEATS, 60 / BEATS.rr_s.mean())
    np.testing.assert_array_equal(done.record.signal, RECORD.signal)


def test_faster_beats_fill_the_recording_and_it_says_so():
    done = edit.change_rate(RECORD, BEATS, 85)
    assert done.beats.r_s[-1] > RECORD.duration_s - 60 / 85
    assert "beats repeated" in done.sentence
    assert len(done.beats) > len(BEATS)


def test_irregularity_scales_with_the_rate():
    record, beats = known("af", bpm=80)
    done = edit.change_rate(record, beats, 50)
    kept = done.beats.rr_s.size
    shares = beats.rr_s[:kept] / beats.rr_s[:kept].mean()
    np.testing.assert_allclose(done.beats.rr_s / done.beats.rr_s.mean(), shares, atol=2 / FS)


@pytest.mark.parametrize(("finding", "bpm"), [("normal", 62.0), ("af", 80.0)])
def test_regular_rr_has_no_spread_beyond_half_a_sample(finding, bpm):
    record, beats = known(finding, bpm=bpm)
    done = edit.regular_rr(record, beats)
    assert done.beats.rr_s.std() < 1 / FS
    assert done.beats.rr_s.mean() == pytest.approx(beats.rr_s.mean(), abs=0.1 / FS)
    assert done.beats.r_s[[0, -1]] == pytest.approx(beats.r_s[[0, -1]], abs=1e-9)
    for moved, recorded in zip(bodies_of(done.record, done.beats), bodies_of(record, beats), strict=True):
        np.testing.assert_array_equal(moved, recorded)


def test_rr_intervals_are_those_given():
    wanted = BEATS.rr_s[::-1]
    done = edit.set_rr(RECORD, BEATS, wanted)
    np.testing.assert_allclose(done.beats.rr_s, wanted, atol=1.01 / FS)


@pytest.mark.parametrize("ms", [40, 20, -20])
def test_pr_changes_by_as_much_as_asked_and_qrs_and_t_stay(ms):
    done = edit.shift_pr(RECORD, BEATS, ms)
    changes = spans_ms(done.beats, "p_on", "qrs_on") - spans_ms(BEATS, "p_on", "qrs_on")
    np.testing.assert_allclose(changes, ms, atol=1e-6)
    for mark in ("r_s", "qrs_on", "qrs_off", "t_off"):
        np.testing.assert_allclose(getattr(done.beats, mark), getattr(BEATS, mark), atol=1e-9)
    for b in np.flatnonzero(np.isfinite(BEATS.p_on)):
        p, qrst = (
            slice(int(np.ceil(BEATS.p_on[b] * FS)), int(BEATS.p_off[b] * FS)),
            slice(int(np.ceil(BEATS.qrs_on[b] * FS)), int(np.nan_to_num(BEATS.t_off[b], nan=10.0) * FS) - 1),
        )
        by = round(ms / 1000 * FS)
        np.testing.assert_array_equal(done.record.signal[:, p.start - by : p.stop - by], RECORD.signal[:, p])
        np.testing.assert_array_equal(done.record.signal[:, qrst], RECORD.signal[:, qrst])


def test_a_pr_interval_lengthened_and_shortened_again_gives_the_recording_back():
    record, beats = known(noise=1.0)
    there = edit.shift_pr(record, beats, 20)
    back = edit.shift_pr(there.record, there.beats, -20)
    np.testing.assert_allclose(back.beats.p_on, beats.p_on, atol=1e-9)
    away = np.abs(back.record.signal - record.signal)
    assert np.quantile(away, 0.99) < 0.03
    assert len(back.record.altered) == 2
    quiet = edit.shift_pr(RECORD, BEATS, 20)
    returned = edit.shift_pr(quiet.record, quiet.beats, -20).record.signal
    np.testing.assert_allclose(returned, RECORD.signal, atol=0.002)


def test_a_coarse_grid_shifts_by_whole_samples_and_says_by_how_much():
    record, beats = known(fs=100.0)
    assert "20 ms longer" in edit.shift_pr(record, beats, 22).sentence
    with pytest.raises(EditError, match="at 100 Hz a sample lasts 10 ms"):
        edit.shift_pr(record, beats, 4)


def test_without_p_no_p_wave_is_left_and_nothing_else_is_touched():
    done = edit.remove_p(RECORD, BEATS)
    inside = np.zeros(RECORD.signal.shape[1], dtype=bool)
    for b, first, last in wave_spans(RECORD, BEATS, "P"):
        # A P wave rises before its marks, and repolarises up to the QRS complex.
        inside[max(first - round(0.040 * FS), 0) : int(BEATS.qrs_on[b] * FS) + 1] = True
        part = done.record.signal[:, first : last + 1]
        line = np.linspace(part[:, 0], part[:, -1], part.shape[1], axis=1)
        assert np.abs(part - line).max() < 0.02
    np.testing.assert_array_equal(done.record.signal[:, ~inside], RECORD.signal[:, ~inside])
    assert np.abs(done.record.signal - RECORD.signal).max() > 0.05
    assert np.isnan(done.beats.p_on).all()
    assert measure(done.record, done.beats).values["p_fraction"] == 0
    levels = measure(done.record, BEATS).per_lead["p_mv"]  # measured where the P waves were
    assert np.abs(levels).max() < 0.02


def p_found(record: Record) -> int:
    return int(np.isfinite(delineate(condition(record)).p_on).sum())


@pytest.mark.parametrize("finding", ["normal", "old_anterior_mi", "sinus_bradycardia", "lbbb", "inferior_stemi"])
@pytest.mark.parametrize("fs", [100.0, 500.0])
def test_no_p_wave_is_found_where_it_was_removed(finding, fs):
    record = simulate(finding, seed=7, fs=fs, duration_s=10.0).record
    beats = delineate(condition(record))
    assert np.isfinite(beats.p_on).sum() >= 0.8 * len(beats)
    assert p_found(edit.remove_p(record, beats).record) == 0


@pytest.mark.data
@pytest.mark.slow
def test_in_nearly_all_real_recordings_no_p_wave_is_found_where_it_was_removed(data_dir):
    had, left = [], []
    for path in sorted(data_dir.glob("ptbxl/records100/*/*.hea"))[4::18]:
        record = load_record(path)
        beats = delineate(condition(record))
        if np.isfinite(beats.p_on).sum() >= 0.5 * max(len(beats), 1):
            had.append(int(np.isfinite(beats.p_on).sum()))
            left.append(p_found(edit.remove_p(record, beats).record))
    assert len(had) > 12
    assert np.mean(np.array(left) == 0) >= 0.85
    assert sum(left) <= 0.1 * sum(had)


@pytest.mark.parametrize("wave", ["P", "QRS", "T"])
def test_a_wave_that_is_taken_out_has_no_marks(wave):
    record, _ = known(noise=1.0)
    beats = delineate(condition(record))
    on, off = edit.ENDS_OF[wave]
    gone = edit.scale_wave(record, beats, wave, record.leads, 0.0).beats
    assert np.isnan([getattr(gone, on), getattr(gone, off)]).all()
    assert np.isnan(gone.lead_marks[on]).all()
    others = [mark for mark in beats.lead_marks if mark not in (on, off)]
    assert all(np.array_equal(gone.lead_marks[mark], beats.lead_marks[mark], equal_nan=True) for mark in others)
    assert any("removed by an edit" in why for why in gone.why_no_p) == (wave == "P")

    rows = [record.leads.index(lead) for lead in ("II", "V2")]
    some = edit.scale_wave(record, beats, wave, ("II", "V2"), 0.0).beats
    np.testing.assert_array_equal(getattr(some, on), getattr(beats, on))
    assert np.isnan(some.lead_marks[off][rows]).all()
    rest = np.delete(np.arange(len(record.leads)), rows)
    np.testing.assert_array_equal(some.lead_marks[off][rest], beats.lead_marks[off][rest])
    kept = edit.scale_wave(record, beats, wave, record.leads, 0.5).beats
    np.testing.assert_array_equal(getattr(kept, on), getattr(beats, on))


def test_a_removed_wave_is_not_measured_any_more():
    beats = delineate(condition(RECORD))
    done = edit.scale_wave(RECORD, beats, "T", RECORD.leads, 0.0)
    measured = measure(condition(done.record), done.beats)
    assert np.isnan(measured.value("qt_ms"))
    assert "a T wave was found in 0 of" in measured.why("qt_ms")
    assert np.isnan(measured.per_lead["t_mv"]).all()


def test_a_p_wave_that_one_lead_has_in_the_t_wave_before_is_removed_from_the_end_of_t_on():
    record, beats = known(bpm=100.0)
    b = int(np.flatnonzero(beats.p_on[1:] > beats.t_off[:-1] + 0.01)[0]) + 1
    onsets = np.tile(beats.p_on, (12, 1))
    onsets[0, b] = beats.t_off[b - 1] - 0.030
    early = replace(beats, lead_marks={"p_on": onsets, "p_off": np.tile(beats.p_off, (12, 1))})
    first = {beat: first for beat, first, _ in p_stretches(record, early)}[b]
    assert first == np.ceil(beats.t_off[b - 1] * FS)
    change = edit.remove_p(record, early).record.signal - record.signal
    t_wave = slice(int(beats.t_on[b - 1] * FS), int(beats.t_off[b - 1] * FS) + 1)
    assert not change[:, t_wave].any()
    assert change[:, first : int(beats.qrs_on[b] * FS)].any()


def test_a_t_wave_that_ends_with_the_recording_is_scaled_as_any_other():
    short = replace(RECORD, signal=RECORD.signal[:, : int(BEATS.t_off[-2] * FS)])
    kept = {name: getattr(BEATS, name)[:-1] for name in ("r_s", *MARKS)}
    beats = Beats(**kept, kind=BEATS.kind[:-1], duration_s=short.duration_s, leads=short.leads)
    beats = edit.move_mark(beats, len(beats), "t_off", short.duration_s)
    done = edit.scale_wave(short, beats, "T", short.leads, 0.0)
    assert wave_spans(short, beats, "T")[-1][2] == short.signal.shape[1] - 1
    change = np.abs(done.record.signal - short.signal)[:, int(beats.t_on[-1] * FS) :]
    assert change.max() > 0.1
    assert np.isnan(done.beats.t_off).all()


def test_the_noise_on_a_removed_p_wave_stays():
    record, beats = known(noise=1.0)
    rough = replace(record, signal=record.signal + 0.02 * np.random.default_rng(0).normal(size=record.signal.shape))
    done = edit.remove_p(rough, beats)
    inside = np.concatenate([np.arange(f + 8, t - 8) for _, f, t in wave_spans(record, beats, "P")])

    def roughness(signal: np.ndarray) -> float:
        return float(np.std(np.diff(signal, n=3, axis=1)[:, inside]))

    assert roughness(done.record.signal) > 0.85 * roughness(rough.signal)


def test_a_p_wave_is_put_where_none_was():
    record, beats = known("af", bpm=60)
    done = edit.insert_p(record, beats)
    placed = np.isfinite(done.beats.p_on)
    assert placed.sum() >= len(beats) / 2
    np.testing.assert_allclose(spans_ms(done.beats, "p_on", "qrs_on"), 160, atol=1000 / FS)
    added = done.record.signal.astype(float) - record.signal
    at = (np.arange(added.shape[1]) / FS)[np.abs(added).max(axis=0) > 1e-4]
    assert all(((done.beats.p_on[placed] <= t) & (t <= done.beats.p_off[placed])).any() for t in at)
    assert 0.05 < added[record.leads.index("II")].max() < 0.25
    assert "simulated healthy adult" in done.sentence
    assert "mV in" in done.sentence
    assert all(not why for why, there in zip(done.beats.why_no_p, placed, strict=True) if there)


def test_a_recording_with_p_waves_lends_its_own():
    gone = np.arange(len(BEATS)) % 2 == 1
    bare = edit.remove_p(RECORD, BEATS)
    some = replace(BEATS, p_on=np.where(gone, np.nan, BEATS.p_on), p_off=np.where(gone, np.nan, BEATS.p_off))
    half = np.array(RECORD.signal)
    for b, first, last in wave_spans(RECORD, BEATS, "P"):
        half[:, first : last + 1] = bare.record.signal[:, first : last + 1] if gone[b] else half[:, first : last + 1]
    done = edit.insert_p(replace(RECORD, signal=half), some)
    assert "of the recording" in done.sentence
    np.testing.assert_allclose(done.record.signal, RECORD.signal, atol=0.03)
    again = edit.remove_p(done.record, done.beats)
    np.testing.assert_allclose(again.record.signal, bare.record.signal, atol=0.02)


@pytest.mark.parametrize("wave", ["P", "QRS", "T"])
def test_a_scaled_wave_is_scaled_in_the_named_leads_only(wave):
    done = edit.scale_wave(RECORD, BEATS, wave, ("V2", "V5"), 2.0)
    change = done.record.signal.astype(float) - RECORD.signal
    touched = {lead for lead, row in zip(RECORD.leads, change, strict=True) if row.any()}
    assert touched == {"V2", "V5"}
    spans = wave_spans(RECORD, BEATS, wave)
    _, first, last = spans[len(spans) // 2]
    row = RECORD.leads.index("V2")
    part = RECORD.signal[row, first : last + 1].astype(float)
    above = part - np.linspace(part[0], part[-1], part.size)
    top = int(np.abs(above).argmax())
    assert change[row, first + top] == pytest.approx(above[top], abs=0.01)
    outside = np.ones(change.shape[1], dtype=bool)
    for _, first, last in spans:
        outside[first : last + 1] = False
    assert not change[:, outside].any()


@pytest.mark.parametrize("lead", ["II", "III", "aVF", "V1"])
def test_one_lead_by_its_name_is_that_lead(lead):
    for make in (
        lambda of: edit.shift_st(RECORD, BEATS, 0.2, of),
        lambda of: edit.scale_wave(RECORD, BEATS, "T", of, 2),
    ):
        by_name, listed = make(lead), make((lead,))
        np.testing.assert_array_equal(by_name.record.signal, listed.record.signal)
        assert by_name.sentence == listed.sentence
    assert RECORD.select(lead).leads == (lead,)


@pytest.mark.parametrize("bpm", [50.0, 80.0])
def test_a_beat_whose_qrs_marks_were_taken_out_cannot_be_moved(bpm):
    without = edit.delete_mark(BEATS, 1, "qrs_on")
    with pytest.raises(EditError, match="beat 1 has no QRS marks, so it cannot be moved as a whole"):
        edit.change_rate(RECORD, without, bpm)


def test_st_is_shifted_by_as_much_as_asked():
    before, done = measure(RECORD, BEATS), edit.shift_st(RECORD, BEATS, 0.2, ("II", "III", "aVF"))
    after = measure(done.record, done.beats)
    for lead, was, now in zip(RECORD.leads, before.per_lead["st60_mv"], after.per_lead["st60_mv"], strict=True):
        assert now - was == pytest.approx(0.2 if lead in ("II", "III", "aVF") else 0.0, abs=0.005)
    assert "limb leads no longer follow" in done.sentence
    assert "no longer" not in edit.shift_st(RECORD, BEATS, 0.2, ("V1",)).sentence


SIX = ("I", "II", "III", "aVR", "aVL", "aVF")


@pytest.mark.parametrize(
    ("has", "shifted", "follow"),
    [
        (RECORD.leads, RECORD.leads, False),
        (RECORD.leads, SIX, False),
        (RECORD.leads, ("II",), False),
        (RECORD.leads, ("V1", "V2"), True),
        (("I", "II", "V1"), ("I", "II"), True),
        (("I", "II", "III"), ("I", "II", "III"), False),
        (("I", "II", "III"), ("II", "III"), True),
        (("V1", "V2"), ("V1", "V2"), True),
    ],
)
def test_an_st_shift_after_which_limb_leads_do_not_follow_from_one_another_says_so(has, shifted, follow):
    record = RECORD.select(has)
    done = edit.shift_st(record, replace(BEATS, leads=tuple(has)), 0.2, shifted)
    assert ("limb leads no longer follow" in done.sentence) != follow
    if {"I", "II", "III"} <= set(has):
        one, two, three = (done.record.lead(lead).astype(float) for lead in ("I", "II", "III"))
        assert (np.abs(one + three - two).max() < 1e-3) == follow


def test_a_factor_keeps_what_limb_leads_follow_from_in_all_of_them():
    for leads in (RECORD.leads, SIX, ("V1",)):
        assert "no longer" not in edit.scale_wave(RECORD, BEATS, "T", leads, 2.0).sentence
    some = edit.scale_wave(RECORD, BEATS, "T", ("I", "V1"), 2.0).sentence
    assert some.endswith("T multiplied by 2 in I, V1; limb leads no longer follow from one another")


@pytest.mark.parametrize("factor", [0.8, 1.4])
def test_qrs_becomes_as_long_as_asked_and_t_keeps_its_shape(factor):
    done = edit.widen_qrs(RECORD, BEATS, factor)
    widths = spans_ms(BEATS, "qrs_on", "qrs_off")
    np.testing.assert_allclose(spans_ms(done.beats, "qrs_on", "qrs_off"), factor * widths, atol=3000 / FS)
    np.testing.assert_allclose(spans_ms(done.beats, "t_on", "t_off"), spans_ms(BEATS, "t_on", "t_off"), atol=1e-6)
    highest = np.abs(RECORD.signal).max(axis=1)
    np.testing.assert_allclose(np.abs(done.record.signal).max(axis=1), highest, rtol=0.03)


def test_leads_are_exchanged():
    done = edit.swap_leads(RECORD, BEATS, "V1", "V6")
    np.testing.assert_array_equal(done.record.lead("V1"), RECORD.lead("V6"))
    np.testing.assert_array_equal(done.record.lead("V6"), RECORD.lead("V1"))
    np.testing.assert_array_equal(done.record.lead("V3"), RECORD.lead("V3"))
    assert edit.swap_leads(done.record, done.beats, "V1", "V6").record.signal.tobytes() == RECORD.signal.tobytes()
    with pytest.raises(RecordError, match="V9"):
        edit.swap_leads(RECORD, BEATS, "V1", "V9")


def test_at_a_fast_rate_the_end_of_t_gives_room_and_its_mark_moves_with_it():
    done = edit.change_rate(RECORD, BEATS, 102)
    lengths, recorded = (spans_ms(beats, "qrs_on", "t_off") for beats in (done.beats, BEATS))
    shorter = np.array([min(recorded - length, key=abs) for length in lengths])
    assert shorter.max() > 2
    assert f"the end of T up to {shorter.max():.0f} ms shorter" in done.sentence
    assert shorter.max() < np.nanmax(1000 * (BEATS.t_off - BEATS.t_on)) / 4
    for start, end in (("p_on", "qrs_on"), ("qrs_on", "t_on")):
        originals = spans_ms(BEATS, start, end)
        assert all(np.abs(originals - length).min() < 1e-6 for length in spans_ms(done.beats, start, end))


@pytest.mark.parametrize("make", [edit.regular_rr, lambda r, b: edit.change_rate(r, b, 75)])
def test_p_waves_that_lie_on_t_do_not_hinder_a_slower_or_regular_rhythm(make):
    record, beats = known(bpm=120.0)
    assert beats.fused.any()
    done = make(record, beats)
    assert np.isfinite(done.record.signal).all()
    lengths, recorded = (spans_ms(each, "t_on", "t_off") for each in (done.beats, beats))
    assert all(np.abs(recorded - length).min() < 1e-6 for length in lengths)


def test_marks_of_single_leads_and_p_waves_without_qrs_move_along():
    leads = {mark: np.stack([getattr(BEATS, mark)] * 12) for mark in MARKS}
    after_first = (BEATS.t_off[0] + BEATS.p_on[1]) / 2
    beats = replace(BEATS, lead_marks=leads, extra_p_s=np.array([after_first]))
    done = edit.regular_rr(RECORD, beats)
    for mark in MARKS:
        np.testing.assert_allclose(done.beats.lead_marks[mark][4], getattr(done.beats, mark), atol=1e-9)
    assert done.beats.t_off[0] < done.beats.extra_p_s[0] < done.beats.p_on[1]


@pytest.mark.parametrize("by_s", [0.0, 0.02, -0.02])
def test_p_waves_without_qrs_move_with_their_samples_wherever_they_lie(by_s):
    first, last, _ = bodies(RECORD, BEATS)
    in_lead_in, in_tp = first[0] / FS / 2, (last[2] + first[3]) / FS / 2
    after_last = (last[-1] / FS + RECORD.duration_s) / 2
    in_t, in_st = BEATS.t_off[1] - 0.05, BEATS.qrs_off[4] + 0.03
    extra = np.array([in_lead_in, in_t, in_tp, in_st, after_last])
    done = edit.move_beats(RECORD, replace(BEATS, extra_p_s=extra), np.full(len(BEATS), by_s))
    moved = done.beats.extra_p_s - extra
    np.testing.assert_allclose(moved[1:4], by_s, atol=1e-9)
    assert all(min(0.0, by_s) - 1e-9 <= each <= max(0.0, by_s) + 1e-9 for each in moved[[0, 4]])


def test_p_waves_in_ectopic_beats_keep_their_marks():
    record, beats = known("pvc", seed=0, bpm=70.0)
    assert beats.extra_p_s.size
    by_s = np.where(np.arange(len(beats)) % 2, 0.01, 0.0)
    done = edit.move_beats(record, beats, by_s)
    inside = [np.flatnonzero((beats.qrs_on <= p) & (p <= beats.t_off)) for p in beats.extra_p_s]
    assert all(each.size == 1 for each in inside)
    np.testing.assert_allclose(done.beats.extra_p_s, beats.extra_p_s + [by_s[each[0]] for each in inside], atol=1e-9)


def paced(before_s: float, *, bpm=62.0) -> tuple[Record, Beats]:
    """Return beats without P, each started by a spike so long before its QRS complex."""
    bare = edit.remove_p(*known(bpm=bpm))
    signal = bare.record.signal.copy()
    at = np.round((bare.beats.qrs_on - before_s) * FS).astype(int)
    signal[:, at[at > 0]] += np.arange(1, 13)[:, None] / 12
    return replace(bare.record, signal=signal), replace(bare.beats, kind=("paced",) * len(bare.beats))


@pytest.mark.parametrize("before_s", [0.024, 0.036, 0.060])
@pytest.mark.parametrize("name", ["regular_rr", "slower", "faster", "start_later", "move_beats", "widen_qrs"])
def test_a_pacing_spike_moves_with_its_beat_as_it_was_recorded(name, before_s):
    record, beats = paced(before_s)
    done = EVERY_EDIT[name](record, beats)

    def before_qrs(signal: np.ndarray, each: Beats) -> list[np.ndarray]:
        ends = np.round(each.qrs_on * FS).astype(int)
        return [signal[:, end - 33 : end] for end in ends if end >= 33]

    recorded = before_qrs(record.signal, beats)
    laid = before_qrs(done.record.signal, done.beats)
    assert len(laid) >= 6
    assert all(min(np.abs(was - now).max() for was in recorded) < 1e-6 for now in laid)


def test_a_paced_beat_begins_later_where_the_t_wave_before_it_leaves_no_room_for_a_spike():
    record, beats = paced(0.03)
    late = replace(beats, t_off=np.append(beats.qrs_on[1:] - 0.050, np.nan))
    first, last, _ = bodies(record, late)
    np.testing.assert_array_less(last[:-1], first[1:])
    np.testing.assert_allclose(first[1:] / FS, beats.qrs_on[1:] - 0.030, atol=1.01 / FS)
    still = edit.move_beats(record, late, np.zeros(len(late)))
    np.testing.assert_array_equal(still.record.signal, record.signal)


def test_missing_samples_stay_missing_and_few():
    signal = np.array(RECORD.signal)
    signal[7, 2000:2010] = np.nan
    done = edit.regular_rr(replace(RECORD, signal=signal), BEATS)
    assert 5 <= np.isnan(done.record.signal[7]).sum() <= 15
    assert np.isfinite(np.delete(done.record.signal, 7, axis=0)).all()


def test_a_first_p_wave_at_the_start_of_the_recording_keeps_its_pr_interval():
    made = simulate("normal", seed=1, fs=500.0, duration_s=10.0)
    first = made.truth.beats.p_on[1] - 0.045
    record = replace(made.record, signal=made.record.signal[:, round(first * 500) :])
    beats = delineate(condition(record))
    assert beats.p_on[0] < 0.1
    found = edit.shift_pr(record, beats, 100.0)
    pr = found.beats.qrs_on - found.beats.p_on
    np.testing.assert_allclose(pr[1:-1] - (beats.qrs_on - beats.p_on)[1:-1], 0.1, atol=0.004)
    assert pr[0] == pytest.approx(beats.qrs_on[0] - beats.p_on[0], abs=0.004)
    assert f"in {int(np.isfinite(beats.p_on).sum()) - 1} beats" in found.record.altered[-1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r, b: edit.change_rate(r, b, 29), "29 bpm is out of range: 30 to 200"),
        (lambda r, b: edit.change_rate(r, b, 150), "ms too long"),
        (lambda r, b: edit.set_rr(r, b, (0.8, 0.8)), "RR intervals"),
        (lambda r, b: edit.set_rr(r, b, 2 * b.rr_s), "change the rate"),
        (lambda r, b: edit.start_later(r, b, 9.0), "too few"),
        (lambda r, b: edit.shift_pr(r, b, 600), "on the T wave before it"),
        (lambda r, b: edit.shift_pr(r, b, -120), "on its QRS complex"),
        (lambda r, b: edit.move_beats(r, b, (0.1,)), "finite times to move by"),
        (lambda r, b: edit.insert_p(r, b), "no place for a P wave"),
        (lambda r, b: edit.scale_wave(r, b, "U", ("I",), 2), "'U' is no wave"),
        (lambda r, b: edit.scale_wave(r, b, "T", ("I",), 50), "cannot be multiplied by 50"),
        (lambda r, b: edit.scale_wave(r, b, "T", (), 2), "no lead was named"),
        (lambda r, b: edit.shift_st(r, b, 3.0, ("I",)), "3 mV is out of range"),
        (lambda r, b: edit.widen_qrs(r, b, 3.0), "cannot be stretched by 3"),
        (lambda r, b: edit.scale_wave(r, b, "T", r.leads, 1.0), "T multiplied by 1 is as it was"),
        (lambda r, b: edit.shift_st(r, b, 0.0, ("V2",)), "ST shifted by 0 mV is as it was"),
        (lambda r, b: edit.widen_qrs(r, b, 1.0), "stretched by 1 are as they were"),
        (lambda r, b: edit.swap_leads(r, b, "V1", "V1"), "V1 cannot be exchanged with itself, so nothing would be"),
    ],
)
def test_what_cannot_be_edited_is_refused_in_a_sentence(make, words):
    with pytest.raises(EditError, match=words):
        make(RECORD, BEATS)


@pytest.mark.parametrize("name", [name for name in EVERY_EDIT if name != "shift_st"])
def test_a_recording_without_beats_is_refused(name):
    nothing = Beats.none(RECORD.leads, RECORD.duration_s, "", "all leads are flat")
    with pytest.raises(EditError):
        EVERY_EDIT[name](RECORD, nothing)


def test_a_p_wave_that_no_lead_is_known_for_is_refused():
    record, beats = known("af", bpm=60)
    odd = replace(record, leads=(*record.leads[:11], "V7"))
    with pytest.raises(EditError, match="none is simulated for lead V7"):
        edit.insert_p(odd, replace(beats, leads=odd.leads))
