"""Edits as evidence, on networks whose answer to each edit is known by hand."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, load_model
from ecgviz.cli import main
from ecgviz.edit import remove_p
from ecgviz.edit.relay import beginning
from ecgviz.errors import ExplanationError, ModelError
from ecgviz.explain.edits import EDITS, EditEvidence, edit_evidence, speaks_for
from ecgviz.explain.shams import misplaced, size_mv
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Record
from tests.toys import LEADS, SPEC, toy_model

WITH_PEAKS = replace(SPEC, needs=("r_peaks",))
LEAD_II = LEADS.index("II")


@cache
def known(finding="normal", bpm=62.0) -> tuple[Record, Beats]:
    made = simulate(finding, seed=3, fs=500.0, duration_s=10.0, noise=0.0, heart_rate_bpm=bpm)
    return made.record, made.truth.beats


class FromPeaks(nn.Module):
    """A logit that is a function of the R peaks alone, of one record (K,) in seconds."""

    levels = ()

    def read(self, r_s: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return torch.stack([self.read(row[~torch.isnan(row)]) for row in r_s])[:, None]


class Irregularity(FromPeaks):
    """Ten times the standard deviation of RR in seconds."""

    def read(self, r_s: Tensor) -> Tensor:
        return 10 * torch.diff(r_s).std()


class Rate(FromPeaks):
    """Beats a minute over ten."""

    def read(self, r_s: Tensor) -> Tensor:
        return 6 / torch.diff(r_s).mean()


class BeforeR(nn.Module):
    """Reads lead II from ``start_s`` to ``end_s`` before each R peak: the mean over beats of its highest sample."""

    levels = ()

    def __init__(self, start_s: float, end_s: float) -> None:
        super().__init__()
        self.start_s, self.end_s = start_s, end_s

    def windows(self, x: Tensor, r_s: Tensor) -> list[Tensor]:
        return [x[LEAD_II, round((r - self.start_s) * 100) : round((r - self.end_s) * 100)] for r in r_s.tolist()]

    def read(self, window: Tensor) -> Tensor:
        return window.max()

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        rows = zip(x, (row[(row > self.start_s) & ~torch.isnan(row)] for row in r_s), strict=True)
        return torch.stack([torch.stack([self.read(w) for w in self.windows(*row)]).mean() for row in rows])[:, None]


class WhereP(BeforeR):
    """Where in the window the highest sample lies, in tenths of a second before its end."""

    def read(self, window: Tensor) -> Tensor:
        return (len(window) - window.argmax()) / 10


class Level(nn.Module):
    """A thousand times the mean of lead II: any wave is as good as another."""

    levels = ()

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return 1000 * x[:, LEAD_II].mean(dim=1, keepdim=True)


class Deaf(nn.Module):
    """Always says the same."""

    levels = ()

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return torch.full((len(x), 1), 2.0)


def model_of(net: nn.Module) -> Model:
    return toy_model(net, labels=("AFIB",), spec=WITH_PEAKS)


def found_by(net: nn.Module, record: Record, beats: Beats, *edits: str, seed=0) -> dict[str, EditEvidence]:
    found = edit_evidence(model_of(net), record, beats, "AFIB", seed=seed, edits=edits or tuple(EDITS))
    return {each.edit: each for each in found}


def test_a_network_that_reads_irregularity_answers_to_regular_rr_and_not_to_another_order():
    record, beats = known("af", bpm=70.0)
    regular = found_by(Irregularity(), record, beats, "regular_rr")["regular_rr"]
    assert regular.before == pytest.approx(10 * beats.rr_s.std(ddof=1), rel=1e-4)
    assert regular.after == pytest.approx(0.0, abs=0.02)
    assert len(regular.sham_changes) == 10
    assert np.abs(regular.sham_changes).max() < 0.03
    assert regular.n_as_large == 0
    assert regular.sham_size_mv == pytest.approx(regular.size_mv, rel=0.3)
    assert "lowers the logit of AFIB" in regular.sentence


def test_a_network_that_reads_the_rate_answers_to_the_rate_alone():
    record, beats = known(bpm=120.0)
    found = found_by(Rate(), record, beats)
    assert found["change_rate"].after == pytest.approx(7.5, abs=0.01)
    assert found["change_rate"].n_as_large == 0
    assert np.abs(found["change_rate"].sham_changes).max() < 0.3
    assert found["regular_rr"].change == pytest.approx(0.0, abs=0.02)
    assert found["remove_p"].change == 0.0


@pytest.mark.parametrize(("bpm", "other"), [(45.0, 75.0), (75.0, 50.0), (115.0, 75.0)])
def test_the_rate_is_changed_to_the_other_side_of_its_limit(bpm, other):
    found = found_by(Rate(), *known(bpm=bpm), "change_rate")["change_rate"]
    assert 10 * found.after == pytest.approx(other, abs=0.1)


def test_a_network_that_reads_p_waves_answers_to_their_removal_and_not_to_the_same_change_elsewhere():
    record, beats = known()
    to_r = beats.r_s - beats.p_on
    window = float(np.nanmax(to_r)), float(np.nanmin(to_r - (beats.p_off - beats.p_on)))
    found = found_by(BeforeR(*window), record, beats)
    assert found["remove_p"].change < -0.3  # of 0.25 mV each
    assert np.abs(found["remove_p"].sham_changes).max() < 1e-3
    assert found["remove_p"].sham_size_mv == pytest.approx(found["remove_p"].size_mv, rel=0.1)
    assert found["remove_p"].n_as_large == 0
    assert found["regular_rr"].change == pytest.approx(0.0, abs=0.02)


def test_a_network_that_reads_p_waves_answers_to_an_inserted_one():
    record, beats = known("af", bpm=55.0)
    to_qrs = float(np.median(beats.r_s - beats.qrs_on))
    inserted = found_by(BeforeR(0.16 + to_qrs, 0.06 + to_qrs), record, beats, "insert_p")["insert_p"]
    assert inserted.change > 0.1
    assert inserted.n_as_large == 0


def test_a_network_for_which_any_wave_is_as_good_as_another_is_found_out_by_sham_edits():
    removed = found_by(Level(), *known(), "remove_p")["remove_p"]
    assert abs(removed.change) > 1
    assert removed.sham_mean == pytest.approx(removed.change, rel=0.15)
    assert removed.sham_sd < 0.1 * abs(removed.change)


def test_a_network_that_reads_where_p_lies_answers_to_the_pr_interval_and_not_to_whole_beats_moved():
    record, beats = known()
    pr_s = float(np.nanmedian(beats.qrs_on - beats.p_on))
    end_s = float(np.nanmax(beats.r_s - beats.p_off)) - 0.03
    shifted = found_by(WhereP(0.45, end_s), record, beats, "shift_pr")["shift_pr"]
    assert shifted.change == pytest.approx(10 * (0.240 - pr_s), abs=0.1)
    assert np.abs(shifted.sham_changes).max() < 0.1
    assert shifted.n_as_large == 0


def test_sham_edits_that_are_much_larger_than_the_edit_are_told_and_others_are_not():
    found = found_by(Level(), *known())
    ratio = found["shift_pr"].sham_size_mv / found["shift_pr"].size_mv
    assert ratio > 4  # QRS complexes move with P waves
    assert found["shift_pr"].sentence.endswith(f"; they change the samples {ratio:.2g} times as much as it does")
    removed = found["remove_p"]
    assert removed.sham_size_mv == pytest.approx(removed.size_mv, rel=0.1)
    assert "times as much" not in removed.sentence


def test_a_network_that_does_not_listen_is_not_moved_and_every_sham_is_as_large():
    found = found_by(Deaf(), *known())
    done = [each for each in found.values() if not each.why]
    assert len(done) == 4
    assert all(each.change == 0 and each.n_as_large == 10 for each in done)


def test_what_cannot_be_edited_says_why_and_has_no_numbers():
    found = found_by(Deaf(), *known("af", bpm=70.0))
    assert "no beat" in found["remove_p"].why
    assert "no PR interval" in found["shift_pr"].why
    assert np.isnan([found["remove_p"].change, found["remove_p"].sham_mean, found["remove_p"].size_mv]).all()
    assert found["remove_p"].sentence.startswith("removing P: not possible, ")


def test_a_recording_without_beats_leaves_only_the_logit():
    record, beats = known()
    nothing = Beats.none(beats.leads, beats.duration_s, "", "all leads are flat")
    model = toy_model(Level(), labels=("AFIB",))
    found = edit_evidence(model, record, nothing, "AFIB", seed=0)
    assert all("flat" in each.why or "no beat" in each.why for each in found)
    assert np.isfinite([each.before for each in found]).all()


def test_sham_edits_that_double_a_gap_beyond_what_a_network_takes_are_left_out():
    record, beats = known()
    signal = record.signal.copy()
    signal[3, 2000:2040] = np.nan  # 80 of 10000 ms; repeated, 160
    gapped = replace(record, signal=signal)
    found = edit_evidence(toy_model(Level(), labels=("AFIB",)), gapped, beats, "AFIB", seed=0)
    assert [each.edit for each in found] == list(EDITS)
    assert all(np.isfinite(each.after) or each.why for each in found)
    assert any(np.isfinite(each.after) and len(each.sham_changes) >= 8 for each in found)


@cache
def long_pr(seed: int, bpm: float) -> tuple[Record, Beats]:
    made = simulate("first_degree_av_block", seed=seed, fs=500.0, duration_s=10.0, severity=2.0, heart_rate_bpm=bpm)
    return made.record, made.truth.beats


def test_sham_edits_of_p_waves_that_have_no_room_are_none():
    found = found_by(Level(), *long_pr(0, 80.0), "remove_p")["remove_p"]
    assert found.why == "only 0 sham edits fit into this recording"
    assert np.isnan(found.change)


@pytest.mark.parametrize("bpm", [60.0, 70.0, 80.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_sham_edit_of_p_waves_has_nearly_the_size_of_the_edit_or_there_is_none(seed, bpm):
    record, beats = long_pr(seed, bpm)
    edited = remove_p(record, beats)
    shams = misplaced(record, beats, edited, np.random.default_rng(0), 8)
    assert len(shams) in (0, 8)
    assert all(size_mv(record, sham) > 0.8 * size_mv(record, edited) for sham in shams)


@cache
def known_for(duration_s: float, fs: float) -> tuple[Record, Beats]:
    made = simulate("normal", seed=3, fs=fs, duration_s=duration_s, noise=0.0, heart_rate_bpm=70.0)
    return made.record, made.truth.beats


@pytest.mark.parametrize("fs", [100.0, 500.0])
def test_of_a_longer_recording_the_window_is_edited_that_the_network_is_fed(fs):
    record, beats = known_for(40.0, fs)
    window, within = beginning(record, beats, 10.0)
    assert window.signal.shape[1] == 10 * fs
    np.testing.assert_array_equal(window.signal, record.signal[:, : window.signal.shape[1]])
    found = found_by(Irregularity(), record, beats)
    assert found == found_by(Irregularity(), window, within)
    spread_ms = 1000 * within.rr_s.std(ddof=1), 1000 * within.rr_s.mean()
    assert found["regular_rr"].done.endswith(f"({spread_ms[1]:.0f} ms each; SD was {spread_ms[0]:.0f} ms)")
    assert found["regular_rr"].before == pytest.approx(spread_ms[0] / 100, rel=1e-3)


def test_p_waves_that_lack_after_the_window_of_the_network_are_not_put_in():
    record, beats = known_for(40.0, 100.0)
    late = beats.r_s > 20
    without = replace(beats, p_on=np.where(late, np.nan, beats.p_on), p_off=np.where(late, np.nan, beats.p_off))
    inserted = found_by(Level(), record, without, "insert_p")["insert_p"]
    assert "no place for a P wave" in inserted.why
    assert np.isnan(inserted.size_mv)


def test_beats_that_the_end_of_the_window_cuts_are_as_at_the_end_of_a_recording():
    record, beats = known_for(40.0, 500.0)
    in_t = float((beats.t_on[7] + beats.t_off[7]) / 2)
    _, cut = beginning(record, beats, in_t)
    assert len(cut) == 8
    assert np.isnan([cut.t_on[7], cut.t_off[7]]).all()
    assert cut.edge[7]
    assert cut.p_on[7] == beats.p_on[7]
    in_qrs = float((beats.qrs_on[7] + beats.qrs_off[7]) / 2)
    assert len(beginning(record, beats, in_qrs)[1]) == 7
    bare = replace(beats, qrs_on=np.full(len(beats), np.nan), qrs_off=np.full(len(beats), np.nan))
    assert len(beginning(record, bare, in_t)[1]) == 8  # edits refuse these by name
    _, none = beginning(record, beats, 0.01)
    assert "none of its beats lies in its first 0.01 s" in none.reason


@pytest.mark.parametrize("duration_s", [10.0, 6.0])
def test_a_recording_that_is_not_longer_than_the_window_is_edited_as_it_is(duration_s):
    record, beats = known_for(duration_s, 500.0)
    window, within = beginning(record, beats, 10.0)
    assert window is record
    assert within is beats
    padding = toy_model(Level(), labels=("AFIB",), spec=replace(SPEC, pads=True))
    (found,) = edit_evidence(padding, record, beats, "AFIB", seed=0, edits=("remove_p",))
    assert found.size_mv == size_mv(record, remove_p(record, beats))
    assert len(found.sham_changes) == 10


def test_the_same_seed_draws_the_same_shams_and_another_seed_others():
    record, beats = known()
    drawn = (found_by(Level(), record, beats, "change_rate", seed=seed) for seed in (0, 0, 1))
    first, again, other = (each["change_rate"] for each in drawn)
    assert first == again
    assert first == found_by(Level(), record, beats)["change_rate"]  # whatever else is asked
    assert first.after == other.after
    assert first.sham_changes != other.sham_changes


def test_every_edit_speaks_for_a_kind_of_criterion():
    kinds = speaks_for()
    assert set(kinds) == {"rate", "regularity", "P waves", "PR interval"}
    assert {name for names in kinds.values() for name in names} == set(EDITS)
    assert kinds["P waves"] == ("remove_p", "insert_p")


def test_too_few_shams_unknown_labels_and_unknown_edits_are_refused():
    record, beats = known()
    with pytest.raises(ExplanationError, match="3 sham edits are too few"):
        edit_evidence(model_of(Deaf()), record, beats, "AFIB", seed=0, n_shams=3)
    with pytest.raises(ModelError, match="does not predict 'MI'"):
        edit_evidence(model_of(Deaf()), record, beats, "MI", seed=0)
    with pytest.raises(ExplanationError, match="there is no edit 'hiccup'; known are regular_rr, change_rate"):
        edit_evidence(model_of(Deaf()), record, beats, "AFIB", seed=0, edits=("hiccup",))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["res_lstm", "resnet1d"])
def test_the_shipped_networks_read_the_rate_in_sinus_tachycardia_and_pr_in_av_block(name):
    model = load_model(name)
    fast = simulate("sinus_tachycardia", seed=5, fs=500.0, duration_s=10.0)
    slow_pr = simulate("first_degree_av_block", seed=5, fs=500.0, duration_s=10.0, heart_rate_bpm=65.0)
    for made, label, edit in ((fast, "STACH", "change_rate"), (slow_pr, "1AVB", "shift_pr")):
        (asked,) = edit_evidence(model, made.record, made.truth.beats, label, seed=0, n_shams=8, edits=(edit,))
        assert asked.change < -2
        assert asked.n_as_large == 0


@pytest.mark.slow
def test_the_command_shows_the_table_and_speaks_json(capsys: pytest.CaptureFixture[str]):
    only = ["--edit", "remove_p", "--edit", "insert_p"]
    arguments = ["edits", "demo:af", "--model", "resnet1d", "--label", "AFIB", "--shams", "8", *only]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    removed, inserted = told["edits"]
    assert removed["change"] is None
    assert removed["why"] == "no beat of demo:af has a P wave to remove"
    assert inserted["change"] == pytest.approx(inserted["after"] - inserted["before"])
    assert inserted["speaks_for"] == ["P waves"]
    assert len(inserted["sham_changes"]) == 8
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "inserting P" in shown
    assert "simulated healthy adult" in shown
    assert main(["edits", "demo:af", "--model", "resnet1d", "--label", "AFIB", "--edit", "hiccup"]) == 2
    assert "there is no edit 'hiccup'" in capsys.readouterr().err
