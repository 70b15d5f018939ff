"""The logits of altered records are those of the network itself, however few of its parts are run."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model, model_input, network_logits, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain import coalitions
from ecgviz.explain.cells import Cells, cells_by
from ecgviz.explain.coalitions import coalition_logits, distinct, removal_curve
from ecgviz.nets import build
from ecgviz.types import Beats, InputSpec, ModelInput
from tests.toys import LEADS, Linear, Step, even_beats, noise_record, toy_model

LABELS = ("CD", "MI", "NORM")
NARROW = {"width": 0.25}
BEATS = even_beats(9)
RNG = np.random.default_rng(0)


def trained(name: str) -> nn.Module:
    """Return a narrow network whose batch normalisation has seen data."""
    net = build(name, len(LABELS), seed=3, config=NARROW).train()
    torch.manual_seed(0)
    r_s = torch.tensor(BEATS.r_s, dtype=torch.float32).expand(4, -1)
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(4, 12, 1000), r_s=r_s)
    return net.eval()


@pytest.fixture(scope="module", params=["imle_net", "imle_net_beats"])
def model(request: pytest.FixtureRequest) -> Model:
    needs = ("r_peaks",) if request.param == "imle_net_beats" else ()
    spec = InputSpec(LEADS, 100.0, 10.0, 0.0, 0.25, pads=bool(needs), needs=needs)
    return toy_model(trained(request.param), labels=LABELS, spec=spec, net_name=request.param, **NARROW)


def some(n: int, cells: Cells) -> np.ndarray:
    """Return coalitions of every size, the whole and the empty one among them."""
    return RNG.random((n, len(cells))) < np.linspace(0, 1, n)[:, None]


@pytest.mark.parametrize("kind", ["window", "lead_beat_wave", "lead_wave", "beat"])
def test_windows_and_leads_read_once_give_the_same_logits(model: Model, kind: str) -> None:
    inputs = model_input(model, noise_record(1), BEATS)
    cells = cells_by(kind, model, inputs, BEATS)
    reference = RNG.normal(size=inputs.x.shape).astype(np.float32)
    present = some(25, cells)
    fast = coalition_logits(model, inputs, cells, reference, present)
    assert fast.dtype == np.float64
    np.testing.assert_allclose(
        fast, coalition_logits(model, inputs, cells, reference, present, generic=True), rtol=0, atol=1e-5
    )
    assert np.ptp(fast, axis=0).min() > 1e-3


def test_cells_need_not_lie_along_windows(model: Model) -> None:
    """Cells of 7 samples, some leads together, some in no cell; more of them in a window than a machine word counts."""
    inputs = model_input(model, noise_record(2), BEATS)
    owner = np.arange(1000)[None] // 7 + 143 * (np.arange(12)[:, None] // 3)
    owner[:, 300:342] = -1
    single = np.tile(np.arange(1000), (12, 1))
    for raw in (owner, single):
        found, owner = np.unique(raw, return_inverse=True)
        owner = owner.reshape(12, 1000) - (found[0] == -1)
        cells = Cells(owner, tuple(str(k) for k in range(owner.max() + 1)))
        present = some(12, cells)
        reference = np.zeros((12, 1000))
        np.testing.assert_allclose(
            coalition_logits(model, inputs, cells, reference, present),
            coalition_logits(model, inputs, cells, reference, present, generic=True),
            rtol=0,
            atol=1e-5,
        )


def test_padding_stays_padding() -> None:
    spec = InputSpec(LEADS, 100.0, 10.0, 0.0, 0.25, pads=True, needs=("r_peaks",))
    model = toy_model(trained("imle_net_beats"), labels=LABELS, spec=spec)
    beats = even_beats(6, duration_s=6.5)
    inputs = model_input(model, noise_record(3, duration_s=6.5), beats)
    assert not inputs.mask.all()
    cells = cells_by("lead_beat_wave", model, inputs, beats)
    present = some(20, cells)
    fast, slow = (
        coalition_logits(model, inputs, cells, np.ones((12, 1000)), present, generic=generic)
        for generic in (False, True)
    )
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-5)


def test_two_r_peaks_of_one_beat_leave_the_other_windows_where_they_are() -> None:
    """The network takes peaks within 50 ms as one, and has a window without samples for the second."""
    spec = InputSpec(LEADS, 100.0, 10.0, 0.0, 0.25, pads=True, needs=("r_peaks",))
    model = toy_model(trained("imle_net_beats"), labels=LABELS, spec=spec)
    inputs = model_input(model, noise_record(3), BEATS)
    inputs = replace(inputs, r_s=np.sort(np.append(BEATS.r_s, BEATS.r_s[4] + 0.03)))
    cells = cells_by("window", model, inputs, BEATS)
    assert len(cells) == 12 * 9
    present = some(8, cells)
    fast, slow = (
        coalition_logits(model, inputs, cells, np.ones((12, 1000)), present, generic=generic)
        for generic in (False, True)
    )
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-5)


def test_the_whole_coalition_is_the_record_and_the_empty_one_the_reference(model: Model) -> None:
    inputs = model_input(model, noise_record(4), BEATS)
    cells = cells_by("lead", model, inputs, BEATS)
    reference = RNG.normal(size=inputs.x.shape).astype(np.float32)
    found = coalition_logits(model, inputs, cells, reference, np.array([[True] * 12, [False] * 12]))
    x, arguments = tensors(inputs)
    both = [network_logits(model.net, each, **arguments)[0] for each in (x, torch.from_numpy(reference)[None])]
    np.testing.assert_allclose(found, torch.stack(both).double().numpy(), rtol=0, atol=1e-5)


def test_chunks_and_repeats_change_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = model_input(model, noise_record(5), BEATS)
    cells = cells_by("lead_beat", model, inputs, BEATS)
    present = some(11, cells)[np.array([3, 0, 7, 7, 10, 3])]
    whole = coalition_logits(model, inputs, cells, np.zeros((12, 1000)), present)
    np.testing.assert_array_equal(whole[[0, 2]], whole[[5, 3]])
    limits = (("COALITIONS_AT_ONCE", 4), ("ENCODINGS_AT_ONCE", 2), ("RECORDS_AT_ONCE", 1), ("LEADS_AT_ONCE", 5))
    for limit, few in limits:
        monkeypatch.setattr(coalitions, limit, few)
    np.testing.assert_allclose(
        coalition_logits(model, inputs, cells, np.zeros((12, 1000)), present), whole, rtol=0, atol=1e-5
    )
    assert coalition_logits(model, inputs, cells, np.zeros((12, 1000)), present[:0]).shape == (0, 3)


class Counts(nn.Module):
    """A network of windows that keeps count of what it is asked."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.encoded, self.read = net, 0, 0

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.encoded += len(x)
        return self.net.encode(x)

    def read_windows(self, embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self.read += len(embeddings)
        return self.net.read_windows(embeddings)

    def classify(self, by_lead: Tensor) -> Tensor:
        return self.net.classify(by_lead)

    def spans(self, x: Tensor, **arguments) -> np.ndarray:
        return self.net.spans(x, **arguments)


def test_removing_each_window_in_turn_encodes_two_records() -> None:
    net = Counts(build("imle_net", 3, seed=0, config=NARROW))
    model = toy_model(net, labels=LABELS)
    inputs = model_input(model, noise_record())
    cells = cells_by("window", model, inputs, BEATS)
    coalition_logits(model, inputs, cells, np.zeros((12, 1000)), ~np.eye(240, dtype=bool))
    assert net.encoded == 2
    assert net.read == 240 + 12  # a lead without one of its windows, and each lead whole


class CountsWindows(Counts):
    """The same of a network whose windows share an encoder, wherever they are."""

    def encode_windows(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        self.encoded += len(windows)
        return self.net.encode_windows(windows)


def test_equal_windows_are_encoded_once() -> None:
    net = CountsWindows(build("imle_net", 3, seed=0, config=NARROW))
    model = toy_model(net, labels=LABELS)
    inputs = model_input(model, noise_record())
    cells = cells_by("window", model, inputs, BEATS)
    levels = np.arange(12.0)[:, None].repeat(1000, axis=1)
    without_each = ~np.eye(240, dtype=bool)
    found = coalition_logits(model, inputs, cells, levels, without_each)
    assert net.encoded == 240 + 12  # the recording's, and one flat window a lead
    net.encoded = 0
    coalition_logits(model, inputs, cells, np.zeros((12, 1000)), without_each)
    assert net.encoded == 240 + 1
    of_all = coalition_logits(toy_model(net.net, labels=LABELS), inputs, cells, levels, without_each, generic=True)
    np.testing.assert_allclose(found, of_all, rtol=0, atol=1e-5)


def linear() -> tuple[Model, ModelInput, Beats, np.ndarray]:
    weight = RNG.normal(size=(3, 12, 1000)) / 100
    model = toy_model(Linear(weight, (0.5, 0.0, -0.5)), labels=LABELS)
    return model, model_input(model, noise_record()), BEATS, weight


def test_a_linear_network_loses_exactly_what_a_cell_weighs() -> None:
    model, inputs, beats, weight = linear()
    cells = cells_by("lead_beat_wave", model, inputs, beats)
    reference = np.full((12, 1000), 0.25)
    found = coalition_logits(model, inputs, cells, reference, ~np.eye(len(cells), dtype=bool))
    loss = weight * (inputs.x - reference)
    whole = (weight * inputs.x).sum(axis=(1, 2)) + np.array([0.5, 0.0, -0.5])
    for k in (0, 100, len(cells) - 1):
        np.testing.assert_allclose(whole - found[k], loss[:, cells.owner == k].sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("insert", [False, True])
def test_a_curve_ends_where_the_other_begins(insert: bool) -> None:
    model, inputs, beats, weight = linear()
    cells = cells_by("lead_wave", model, inputs, beats)
    order = RNG.permutation(len(cells))
    curve = removal_curve(model, inputs, cells, order, np.zeros((12, 1000)), 1, insert=insert)
    assert curve.shape == (len(cells) + 1,)
    mass = np.array([(weight[1] * inputs.x)[cells.owner == k].sum() for k in order])
    np.testing.assert_allclose(np.diff(curve), mass if insert else -mass, atol=1e-5)
    back = removal_curve(model, inputs, cells, order[::-1], np.zeros((12, 1000)), 1, insert=not insert)
    np.testing.assert_allclose(back, curve[::-1], atol=1e-5)


def test_equal_rows_are_found_whatever_their_length() -> None:
    for width in (0, 1, 8, 63, 64, 65, 300):
        kinds = RNG.random((5, width)) < 0.5
        rows = kinds[RNG.integers(0, 5, size=40)]
        first, copies = distinct(rows)
        np.testing.assert_array_equal(rows[first][copies], rows)
        assert len(first) == len(np.unique(rows, axis=0))


def test_what_does_not_fit_is_refused() -> None:
    model, inputs, beats, _ = linear()
    cells = cells_by("lead", model, inputs, beats)
    nothing = np.zeros((12, 1000))
    with pytest.raises(ExplanationError, match=r"coalitions of shape \(1, 11\) do not fit 12 cells"):
        coalition_logits(model, inputs, cells, nothing, np.ones((1, 11)))
    with pytest.raises(ExplanationError, match=r"reference of shape \(12, 999\)"):
        coalition_logits(model, inputs, cells, nothing[:, 1:], np.ones((1, 12)))
    with pytest.raises(ExplanationError, match="each cell once"):
        removal_curve(model, inputs, cells, [0, 0], nothing, 0)
    with pytest.raises(ExplanationError, match="each cell once"):
        removal_curve(model, inputs, cells, [12], nothing, 0)
    infinite = toy_model(Step(float("nan")))
    with pytest.raises(ExplanationError, match="no finite logit"):
        coalition_logits(infinite, inputs, cells, nothing, np.ones((1, 12)))
