"""Trees that read measurements as a teacher: what they may know, what they must not."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import simulate
from ecgviz.training import teacher
from ecgviz.training.copies import MEASURES, Copies, copies_of
from ecgviz.training.data import Examples
from ecgviz.training.teacher import TEACHER_SHARE, answers_of_trees, taught

N, N_COPIES = 80, 2
"""Of the two copies of a record the second is edited."""


def examples(x: np.ndarray, y: np.ndarray, patient: tuple[str, ...]) -> Examples:
    n = len(y)
    return Examples(
        x=x,
        y=y.astype(np.float32),
        r_s=np.full((n, 3), np.nan),
        meta=np.zeros((n, 2)),
        labels=("CD", "MI"),
        patient=patient,
        record=tuple(map(str, range(n))),
        finding=("",) * n,
        fold=np.arange(n) % 9 + 1,
        again=np.zeros(n, dtype=bool),
        severity=np.full(n, np.nan),
        left_out={},
    )


@pytest.fixture
def world() -> tuple[Examples, Copies]:
    """CD is what the first measurement says; MI is drawn by lot, and the second measurement names the patient."""
    rng = np.random.default_rng(0)
    told = rng.normal(size=N)
    y = np.stack([told > 0, rng.random(N) < 0.5], axis=1).astype(float)
    y[3, 0] = np.nan
    of = np.repeat(np.arange(N), N_COPIES + 1)
    measured = np.stack([told[of], of.astype(float)], axis=1) + 1e-3 * rng.normal(size=(len(of), 2))
    x = np.zeros((len(of), 12, 10), dtype=np.float32)
    kind = np.tile(np.arange(N_COPIES + 1), N)
    copies = Copies(x, measured, np.full((len(of), 3), np.nan), of, kind > 0, kind == 2)
    return examples(x[:: N_COPIES + 1], y, tuple(f"patient {i // 2}" for i in range(N))), copies


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask few trees, where it does not matter how well they answer."""
    monkeypatch.setattr(teacher, "TREES", 5)


def test_trees_say_what_a_measurement_tells(world: tuple[Examples, Copies]) -> None:
    real, copies = world
    held = np.arange(N) >= 60
    said = answers_of_trees(real, copies, ~held, held[copies.of], seed=0)[:, 0]
    truth = real.y[copies.of[held[copies.of]], 0] > 0
    assert said[truth].min() > said[~truth].max()


def test_trees_never_saw_the_patient_of_whom_they_speak(world: tuple[Examples, Copies]) -> None:
    real, copies = world
    everyone = np.ones(N, dtype=bool)
    own = answers_of_trees(real, copies, everyone, ~copies.altered, seed=0)[:, 1]
    y = real.y[:, 1] > 0
    assert own[y].mean() - own[~y].mean() > 0.15  # who saw the patients knows them again
    targets = taught(real, copies, everyone, seed=0)
    lots = real.y[copies.of, 1] > 0
    said = np.where(copies.edited, targets.y[:, 1], (targets.y[:, 1] - (1 - TEACHER_SHARE) * lots) / TEACHER_SHARE)
    assert said[lots].mean() - said[~lots].mean() < 0.05


@pytest.mark.usefixtures("few_trees")
def test_of_an_edited_copy_the_trees_alone_speak(world: tuple[Examples, Copies]) -> None:
    real, copies = world
    contrary = replace(real, y=np.where(np.arange(N)[:, None] == 7, 1 - real.y, real.y))
    targets = [
        taught(each, copies, np.arange(N) != 79, seed=0).y[copies.of[copies.of != 79] == 7] for each in (real, contrary)
    ]
    stated_anew = np.abs(targets[1] - targets[0])
    np.testing.assert_allclose(stated_anew[:2], 1 - TEACHER_SHARE, atol=1e-6)
    np.testing.assert_allclose(stated_anew[2], 0, atol=1e-6)


@pytest.mark.usefixtures("few_trees")
def test_targets_stay_unknown_and_between_no_and_yes(world: tuple[Examples, Copies]) -> None:
    real, copies = world
    teaching = np.arange(N) < 50
    targets = taught(real, copies, teaching, seed=0)
    assert len(targets) == 50 * (N_COPIES + 1)
    assert np.isnan(targets.y[copies.of[teaching[copies.of]] == 3, 0]).all()
    assert np.isnan(targets.y).sum() == N_COPIES + 1
    known = targets.y[np.isfinite(targets.y)]
    assert known.min() >= 0
    assert known.max() <= 1
    assert set(targets.patient) == {real.patient[i] for i in range(50)}
    assert (~targets.again).sum() == 50
    again = taught(real, copies, teaching, seed=0)
    np.testing.assert_array_equal(again.y, targets.y)


@pytest.mark.usefixtures("few_trees")
def test_a_label_with_one_answer_gets_that_answer(world: tuple[Examples, Copies]) -> None:
    real, copies = world
    only_yes = real.y[:, 0] == 1
    said = answers_of_trees(real, copies, only_yes, ~copies.altered, seed=0)
    np.testing.assert_array_equal(said[:, 0], 1.0)


def test_copies_are_the_record_and_altered_hearts_of_it() -> None:
    made = simulate("normal", seed=3, fs=100.0, duration_s=10.0, noise=0.3)
    x = made.record.signal.astype(np.float32)[None]
    real = replace(examples(x, np.array([[0.0, 1.0]]), ("one",)), r_s=np.array([[0.5, 1.5, np.nan]]))
    copies = copies_of(real, 12, fs=100.0, seed=1)
    np.testing.assert_array_equal(copies.x[0], x[0])
    np.testing.assert_array_equal(copies.altered, [False] + [True] * 12)
    np.testing.assert_array_equal(copies.edited, [False] + [False, True] * 6)
    row = STANDARD_LEADS.index
    for copy in copies.x[~copies.edited][1:]:
        assert 0.02 < np.abs(copy - x[0]).max() < 1.5
        correlation = np.corrcoef(copy[row("II")], x[0, row("II")])[0, 1]
        assert correlation > 0.8
    rate = list(MEASURES).index("rate_bpm")
    assert np.ptp(copies.measured[~copies.edited, rate]) < 1e-3  # the same beats
    np.testing.assert_array_equal(copies.r_s[~copies.edited], np.tile(real.r_s, (7, 1)))
    rates, intervals = copies.measured[copies.edited, rate], np.diff(copies.r_s[copies.edited], axis=1)[:, 0]
    assert np.ptp(rates) > 5  # some have another rate, and R peaks that say so
    np.testing.assert_allclose(60 / intervals, rates, rtol=0.1)
    same = copies_of(real, 12, fs=100.0, seed=1)
    np.testing.assert_array_equal(same.x, copies.x)
    np.testing.assert_array_equal(same.measured, copies.measured)
    other = copies_of(real, 12, fs=100.0, seed=2)
    assert np.abs(other.x[1:] - copies.x[1:]).max() > 0.02
