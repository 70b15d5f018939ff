"""Cells tile what was delineated: each sample belongs to one cell at the most, and a cell is where its name says."""

import numpy as np
import pytest

from ecgviz.checkpoint import model_input
from ecgviz.errors import ExplanationError
from ecgviz.explain.cells import KINDS, Cells, cells_by, owner_of
from ecgviz.nets import build
from ecgviz.types import WAVES, InputSpec, ModelInput
from tests.toys import LEADS, Linear, even_beats, no_beats, noise_record, toy_model

LINEAR = toy_model(Linear(np.ones((1, 12, 1000))))
INPUTS = model_input(LINEAR, noise_record())
BEATS = even_beats(9)


def cut(kind: str, inputs: ModelInput = INPUTS, beats=BEATS) -> Cells:
    return cells_by(kind, LINEAR, inputs, beats)


def samples(cells: Cells, name: str) -> tuple[set[int], np.ndarray]:
    lead, sample = np.nonzero(cells.owner == cells.names.index(name))
    return set(lead.tolist()), np.unique(sample)


def test_a_wave_lies_between_its_marks() -> None:
    """Marks lie between samples: QRS of beat 3 from 2.265 to 2.365 s, T from 2.465 to 2.665 s."""
    cells = cut("lead_beat_wave")
    assert len(cells) == 12 * (9 * 6 - 1)  # the last beat has no TP
    for wave, first, last in (("P", 211, 220), ("QRS", 227, 236), ("ST", 237, 246), ("T", 247, 266), ("TP", 267, 310)):
        leads, found = samples(cells, f"V2, beat 3, {wave}")
        assert leads == {LEADS.index("V2")}
        np.testing.assert_array_equal(found, np.arange(first, last + 1))


def test_kinds_are_coarser_views_of_the_same_cells() -> None:
    finest = cut("lead_beat_wave")
    assert set(cut("wave").names) == set(WAVES)
    assert len(cut("lead_wave")) == 72
    assert len(cut("lead_beat")) == 108
    for kind in ("lead_beat", "lead_wave", "beat_wave", "wave", "beat"):
        cells = cut(kind)
        np.testing.assert_array_equal(cells.owner < 0, finest.owner < 0)
        for name in cells.names:
            parts = set(name.split(", "))
            inside = [k for k, fine in enumerate(finest.names) if parts <= set(fine.split(", "))]
            np.testing.assert_array_equal(cells.owner == cells.names.index(name), np.isin(finest.owner, inside))


def test_what_lies_outside_of_beats_belongs_to_no_cell() -> None:
    owner = cut("lead_beat_wave").owner
    assert (owner[:, :11] == -1).all()
    assert (owner[:, 867:] == -1).all()
    assert (owner[:, 11:867] >= 0).all()


@pytest.mark.parametrize("fs", [100.0, 250.0])
def test_a_sample_belongs_to_what_covers_most_of_it(fs: float) -> None:
    spans_s = np.array([[0.1, 0.2 + 0.2 / fs], [0.2 + 0.2 / fs, 0.3 + 0.4 / fs], [np.nan, np.nan]])
    inputs = ModelInput(np.zeros((12, 100)), fs, 0.0, LEADS, np.ones(100, dtype=bool))
    owner = owner_of(spans_s, inputs)
    n = round(0.1 * fs)
    assert owner[2 * n] == 0  # 0.7 of it are the first span's
    assert owner[2 * n + 1] == 1
    assert owner[3 * n] == 1  # 0.9 of it
    assert owner[3 * n + 1] == -1
    assert owner[n - 1] == -1


def test_the_window_of_a_network_may_begin_later_than_the_record() -> None:
    later = ModelInput(INPUTS.x, 100.0, 2.0, LEADS, INPUTS.mask)
    np.testing.assert_array_equal(samples(cut("wave", later), "QRS")[1], samples(cut("wave"), "QRS")[1][20:] - 200)


def test_padding_belongs_to_no_cell() -> None:
    mask = np.arange(1000) < 500
    padded = ModelInput(INPUTS.x, 100.0, 0.0, LEADS, mask)
    for kind in KINDS:
        cells = cut(kind, padded)
        assert (cells.owner[:, 500:] == -1).all()
        assert len(np.unique(cells.owner[:, :500])) >= len(cells)


def test_windows_are_those_of_the_network_or_half_seconds() -> None:
    spec = InputSpec(LEADS, 100.0, 10.0, 0.0, 0.25, pads=True, needs=("r_peaks",))
    narrow = {"width": 0.25}
    imle = toy_model(build("imle_net", 1, seed=0, config=narrow))
    on_beats = toy_model(build("imle_net_beats", 1, seed=0, config=narrow), spec=spec)
    halves = np.repeat(np.arange(240).reshape(12, 20), 50, axis=1)
    np.testing.assert_array_equal(cells_by("window", imle, INPUTS, no_beats()).owner, halves)
    np.testing.assert_array_equal(cut("window").owner, halves)
    windows = cells_by("window", on_beats, model_input(on_beats, noise_record(), BEATS), BEATS)
    assert len(windows) == 12 * 9
    assert windows.names[-1] == "V6, window 9"
    r = np.round(100 * BEATS.r_s).astype(int)
    np.testing.assert_array_equal(windows.owner[0, r], np.arange(9))


def test_without_beats_only_leads_and_windows_can_be_cut() -> None:
    assert cut("lead", beats=no_beats()).names == LEADS
    assert len(cut("window", beats=no_beats())) == 240
    with pytest.raises(ExplanationError, match="cells of kind lead_wave need delineated beats: no QRS complex"):
        cut("lead_wave", beats=no_beats())
    early = ModelInput(INPUTS.x, 100.0, 500.0, LEADS, INPUTS.mask)
    with pytest.raises(ExplanationError, match="no beat was delineated inside the window"):
        cut("beat", early)
    with pytest.raises(ExplanationError, match="no cells 'waves'; known are lead_beat_wave"):
        cut("waves")


def test_a_name_without_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="3 names do not fit"):
        Cells(np.zeros((12, 1000)), ("I", "II", "III"))
