"""Checks of explanations whose number follows by hand: the largest of draws, a map turned round, a level of a map."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ecgviz.checkpoint import Model
from ecgviz.compare.region import RESOLUTION_PER_WIDTH, assessable
from ecgviz.evidence import evidence
from ecgviz.explain import attention, checks
from ecgviz.explain.checks.question import Question
from ecgviz.explain.controls import trivial_maps
from ecgviz.explain.method import Method
from ecgviz.nets import NETS, build
from ecgviz.types import ATOMS, Beats, Explanation, ModelInput, Region
from tests.toys import LEADS, Linear, Pooled, Small, even_beats, noise_record, toy_model

RECORD = noise_record()
BEATS = even_beats(9)
ONES = np.ones((12, 1000))


def a_map(values: np.ndarray, **more: Any) -> Explanation:
    keys = {"leads": LEADS, "label": "MI", "method": "toy", "signed": True, "resolution_s": 0.01} | more
    return Explanation(values=values, fs=100.0, start_s=0.0, **keys)


def asked(monkeypatch: pytest.MonkeyPatch, model: Model, *answers: np.ndarray) -> tuple[Question, Explanation]:
    """Put a question to a method that gives these maps one after the other, and return its first answer."""
    given: Iterator[np.ndarray] = iter(answers)

    def toy(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
        return a_map(next(given), label=model.labels[label_index])

    monkeypatch.setattr(
        "ecgviz.explain.methods.METHODS", {"toy": Method(toy, "perturbation", "toy", "given by hand", "none")}
    )
    question = checks.question(model, RECORD, model.labels[0], "toy", BEATS)
    return question, question.explain()


def reads_v2() -> Model:
    """Return a network that adds up lead V2 and reads nothing else."""
    weight = np.zeros((1, 12, 1000))
    weight[0, LEADS.index("V2")] = 1.0
    return toy_model(Linear(weight))


# max-sensitivity


@pytest.mark.parametrize(
    ("sizes", "largest"), [((1.1, 1.5, 1.2), 0.5), ((1.4, 1.0, 0.7), 0.4), ((1.0, 0.2, 1.1), 0.8), ((1.0,) * 3, 0.0)]
)
def test_max_sensitivity_is_that_of_the_draw_that_moves_the_map_most(
    monkeypatch: pytest.MonkeyPatch, sizes: Sequence[float], largest: float
) -> None:
    question, explanation = asked(monkeypatch, reads_v2(), ONES, *(size * ONES for size in sizes))
    found = checks.max_sensitivity(question, explanation, n_draws=len(sizes))
    assert found.value == pytest.approx(largest)
    assert found.excess == pytest.approx(found.beside["|x|"] - largest)
    assert found.higher_is_better is False


def test_no_draw_that_is_added_makes_the_largest_change_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = []
    for n in range(1, 9):
        question, explanation = asked(monkeypatch, reads_v2(), *[ONES] * (n + 1))
        beside.append(checks.max_sensitivity(question, explanation, n_draws=n).beside["|x|"])
    assert beside == sorted(beside)
    assert beside[0] < beside[-1]


# deletion and insertion


def test_a_map_turned_round_is_worse_than_orders_of_equal_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network reads is removed last and brought back last, and every excess has the sign of that."""
    lit = np.zeros((12, 1000))
    lit[LEADS.index("V2")] = 1.0
    record = replace(RECORD, signal=np.abs(RECORD.signal) + 0.1)
    for turned, sign in ((1.0, 1), (-1.0, -1)):
        _, explanation = asked(monkeypatch, reads_v2(), turned * lit)
        question = checks.question(reads_v2(), record, "MI", "toy", BEATS)
        found = checks.removal_checks(checks.removal(question, explanation, baseline="zero"))
        for each in found:
            assert sign * each.excess > 0.2, each.name
            (control,) = each.beside.values()
            assert each.excess == pytest.approx((each.value - control) * (1 if each.higher_is_better else -1))
        assert [each.higher_is_better for each in found] == [False, True, True]


# randomised weights


def shuffled(values: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(values.ravel()).reshape(values.shape)


def small() -> Model:
    return toy_model(build("toy_small", 2, seed=0, config={}), labels=("MI", "NORM"), net_name="toy_small")


def test_each_number_of_randomised_weights_is_of_its_own_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first map again, its opposite, and noise: as they are, without signs, and by cells of the grid."""
    monkeypatch.setitem(NETS, "toy_small", lambda n_labels: Small(n_labels))
    own, noise = np.random.default_rng(0).normal(size=(2, 12, 1000))
    steps = checks.randomisation(*asked(monkeypatch, small(), own, own, -own, noise))
    assert steps.stages == ("output", "norm", "conv")
    assert steps.signed == pytest.approx([1, -1, 0], abs=0.05)
    assert steps.absolute == pytest.approx([1, 1, 0], abs=0.05)
    assert steps.grid == pytest.approx([1, -1, 0], abs=0.15)
    assert checks.randomisation_check(steps).value == steps.absolute[-1]


def test_maps_that_are_alike_by_lead_and_not_by_sample_are_so_on_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fifth of what differs between samples is the lead; noise of a cell's samples averages out."""
    monkeypatch.setitem(NETS, "toy_small", lambda n_labels: Small(n_labels))
    rng = np.random.default_rng(0)
    by_lead = np.linspace(-1.7, 1.7, 12)[:, None]
    own, other = by_lead + 2.0 * rng.normal(size=(2, 12, 1000))
    steps = checks.randomisation(*asked(monkeypatch, small(), own, *[other] * 3))
    assert steps.signed == pytest.approx([0.2] * 3, abs=0.05)
    assert (steps.grid > 0.4).all()


@pytest.mark.parametrize(("turned", "like"), [(1.0, 1.0), (-1.0, 1.0), (None, 0.0)])
def test_how_far_a_map_follows_the_amplitude_does_not_depend_on_its_sign(
    monkeypatch: pytest.MonkeyPatch, turned: float | None, like: float
) -> None:
    monkeypatch.setitem(NETS, "toy_small", lambda n_labels: Small(n_labels))
    inputs = checks.question(small(), RECORD, "MI", "saliency", BEATS).inputs
    amplitude = trivial_maps(inputs, a_map(np.zeros((12, 1000))))["|x|"].values
    signs = np.where(np.random.default_rng(1).random((12, 1000)) < 0.5, -1.0, 1.0)
    own = shuffled(amplitude, 2) if turned is None else turned * signs * amplitude
    steps = checks.randomisation(*asked(monkeypatch, small(), own, *[shuffled(own, 3 + n) for n in range(3)]))
    assert steps.amplitude == pytest.approx(like, abs=0.05)


# attention and attribution


def agreements(values: np.ndarray) -> dict[str, float]:
    """Return how an attribution agrees with the attention of `Pooled`: lead II pools most, and later windows more."""
    maps = [each for each in attention(toy_model(Pooled()), RECORD, BEATS) if each.level in ("rhythm", "channel")]
    return {each.name.split()[1]: each.value for each in checks.attention_agreement(maps, a_map(values))}


OF_LEADS = np.repeat(np.where(np.arange(12) == 1, 0.5, 0.5 / 11)[:, None], 1000, axis=1)
OF_WINDOWS = np.tile(np.repeat(np.arange(1.0, 21.0), 50), (12, 1))


def test_an_attribution_agrees_with_attention_level_by_level() -> None:
    """Of 12 leads, 11 of which pool alike, the first and not the second stands out: -1 / 11."""
    for leads, channel in ((OF_LEADS, 1), (np.roll(OF_LEADS, -1, axis=0), -1 / 11)):
        for windows, rhythm in ((OF_WINDOWS, 1), (OF_WINDOWS[:, ::-1], -1)):
            assert agreements(leads * windows) == pytest.approx({"rhythm": rhythm, "channel": channel})


@pytest.mark.parametrize(
    ("values", "rhythm", "channel"),
    [(OF_WINDOWS, 1, np.nan), (OF_LEADS, np.nan, 1)],
    ids=["even over leads", "even over windows"],
)
def test_an_attribution_that_is_even_at_a_level_agrees_with_no_attention_there(
    values: np.ndarray, rhythm: float, channel: float
) -> None:
    assert agreements(values) == pytest.approx({"rhythm": rhythm, "channel": channel}, nan_ok=True)


# where a map can be judged


@pytest.mark.parametrize(("share_of_width", "judged"), [(0.98, True), (1.02, False)])
def test_how_fine_a_map_must_be_follows_from_the_median_width_of_its_region(
    share_of_width: float, judged: bool
) -> None:
    """ST lasts 80, 80, 100, 300 and 300 ms: half of 100 ms is asked for, whatever the mean and the extremes are."""
    st_s = np.array([0.08, 0.08, 0.10, 0.30, 0.30])
    even = even_beats(5, rr_s=1.5)
    beats = replace(even, t_on=even.qrs_off + st_s, t_off=even.qrs_off + st_s + 0.2)
    weight = np.zeros((12, 5, len(ATOMS)))
    weight[LEADS.index("V2"), :, ATOMS.index("ST")] = 1
    region = Region("primary", LEADS, weight, "V2: ST")
    resolution_s = share_of_width * RESOLUTION_PER_WIDTH * 0.100
    place, why = assessable(evidence(a_map(ONES, resolution_s=resolution_s), beats), region, beats)
    assert (place is not None) == judged
    assert why == (
        ""
        if judged
        else "the map tells nothing finer than 51 ms, and V2: ST is 100 ms wide: only leads and beats can be compared"
    )
