"""What networks are taught, and what is measured of them, on a few records whose numbers are known by hand."""

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ecgviz.checkpoint import tensors
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import prepare
from ecgviz.simulate import simulate
from ecgviz.training import augment as augmenting
from ecgviz.training import metrics
from ecgviz.training.augment import Batch, augment
from ecgviz.training.card import _rare, model_card
from ecgviz.training.data import Examples, from_simulation
from ecgviz.training.fit import Scaling, masked_loss
from ecgviz.training.labels import planted
from ecgviz.training.scores import both_rates, by_margin, reached, score_tables, scored, thresholds
from ecgviz.types import InputSpec

SPEC = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 1.0)


def examples(y: list[list[float]], labels: tuple[str, ...], **more: Any) -> Examples:
    n = len(y)
    names = tuple(map(str, range(n)))
    made = Examples(
        x=np.zeros((n, 12, 10), np.float32),
        y=np.array(y, dtype=float),
        r_s=np.full((n, 3), np.nan),
        meta=np.zeros((n, 2)),
        labels=labels,
        patient=names,
        record=names,
        finding=("",) * n,
        fold=np.ones(n),
        again=np.zeros(n, dtype=bool),
        severity=np.full(n, np.nan),
        left_out={},
    )
    return replace(made, **more)


def test_a_network_learns_age_and_sex_in_the_code_in_which_it_is_told_them() -> None:
    spec = replace(SPEC, needs=("r_peaks",))
    made = from_simulation(6, seed=1, spec=spec, labels=("NORM",))
    assert set(made.meta[:, 1]) == {0.0, 1.0}
    for finding, sex in (("normal", "male"), ("normal", "female")):
        record = simulate(finding, seed=1, fs=100.0, duration_s=10.0, sex=sex, age_years=61.0).record
        meta = tensors(prepare(record, SPEC))[1]["meta"]
        assert meta is not None
        assert meta.tolist() == [[61.0, {"male": 0.0, "female": 1.0}[sex]]]
    assert np.isnan(made.severity[[name == "normal" for name in made.finding]]).all()
    assert np.isfinite(made.severity[[name != "normal" for name in made.finding]]).all()


@pytest.mark.parametrize(("sex", "code"), [("male", 0.0), ("female", 1.0)])
def test_the_sex_of_a_simulated_example_is_that_of_its_record(
    sex: str, code: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = simulate("normal", seed=4, fs=100.0, duration_s=10.0, sex=sex, age_years=44.0)
    monkeypatch.setattr("ecgviz.training.data._draw", lambda rng, spec: made)
    assert from_simulation(1, seed=1, spec=SPEC, labels=("NORM",)).meta.tolist() == [[44.0, code]]


def target(label: str, finding: str = "normal", *, meets: bool = True, **values: float) -> float | None:
    truth = SimpleNamespace(finding=finding, meets=meets, values={"rate_bpm": 75.0, "pr_ms": 160.0} | values)
    (told,) = planted(SimpleNamespace(truth=truth), (label,))  # type: ignore[arg-type]
    return None if np.isnan(told) else float(told)


def test_rates_and_pr_intervals_are_told_on_either_side_of_their_limits() -> None:
    assert [target("STACH", rate_bpm=bpm) for bpm in (60, 97, 99, 101, 103)] == [0, 0, None, None, 1]
    assert [target("SBRAD", rate_bpm=bpm) for bpm in (100, 63, 61, 59, 57)] == [0, 0, None, None, 1]
    assert [target("1AVB", pr_ms=ms) for ms in (120, 194, 197, 203, 206)] == [0, 0, None, None, 1]
    assert [target("NORM", rate_bpm=bpm) for bpm in (45, 51, 75, 104, 120)] == [None, 1, 1, 1, None]
    assert [target("SR", rate_bpm=bpm) for bpm in (40, 75, 130)] == [None, 1, None]


def test_of_a_just_not_case_no_statement_holds_and_normal_is_not_known() -> None:
    short = [target(label, "lvh", meets=False) for label in ("LVH", "HYP", "ISC_", "STTC", "NORM", "MI")]
    assert short == [0, 0, 0, 0, None, 0]
    past = [target(label, "lvh") for label in ("LVH", "HYP", "ISC_", "STTC", "NORM", "MI")]
    assert past == [1, 1, None, None, 0, 0]


def test_r_peaks_and_samples_roll_by_as_much_and_targets_are_mixed_by_the_larger_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still = ("GAIN", "LEAD_GAIN", "NOISE_MV", "WANDER_MV", "DROPPED_LEAD", "MASKED", "TURN_RAD", "STRETCH", "HIDDEN")
    for name in (*still, "R_JITTER_S"):
        monkeypatch.setattr(augmenting, name, 0.0)
    monkeypatch.setattr(augmenting, "MIXED", 1.0)
    x = torch.zeros(8, 12, 1000)
    peaks = torch.arange(8) * 100 + 30
    x[torch.arange(8), :, peaks] = 1.0
    y = torch.eye(8)
    batch = Batch(x, y, (peaks / 100.0)[:, None], torch.zeros(8, 2))
    made = augment(batch, fs=100.0, generator=torch.Generator().manual_seed(2))
    at = (100 * made.r_s[:, 0]).round().long() % 1000
    shares = made.x[torch.arange(8), 0, at]
    assert (shares >= 0.5).all()
    assert (shares < 1).any()
    torch.testing.assert_close(made.y.diagonal(), shares)
    torch.testing.assert_close(made.y.sum(dim=1), torch.ones(8))


def test_the_loss_is_a_mean_over_what_is_known_of_each_group() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0], [1.0, 0.5, 3.0]])
    y = torch.tensor([[1.0, np.nan, 0.0], [np.nan, np.nan, 1.0]])
    one, two = np.log(2.0), (np.log1p(np.exp(-1.0)) + np.log1p(np.exp(-3.0))) / 2
    told = masked_loss(logits, y, torch.tensor([True, True, False]))
    assert float(told) == pytest.approx(one + two, rel=1e-6)


def test_samples_are_standardised_by_mean_and_deviation() -> None:
    x = np.array([[[1.0, 3.0]], [[5.0, 7.0]]], np.float32)
    scaling = Scaling.fit(replace(examples([[0], [1]], ("MI",)), x=x))
    assert (scaling.mean_mv, scaling.std_mv) == (4.0, round(5**0.5, 6))
    torch.testing.assert_close(scaling.apply(torch.tensor([4.0, 4.0 + 5**0.5])), torch.tensor([0.0, 1.0]))


def test_ten_files_of_nine_records_are_too_few_for_a_threshold_and_a_score() -> None:
    again = np.arange(20) == 9
    real = examples([[1.0]] * 10 + [[0.0]] * 10, ("LVH",), again=again)
    simulated = examples([[1.0], [0.0]], ("LVH",))
    p_real, p_simulated = np.where(np.arange(20) < 10, 0.7, 0.1)[:, None], np.array([[0.9], [0.2]])
    assert thresholds(real, p_real, simulated, p_simulated) == ((0.9,), ("simulated",))
    assert scored(real, p_real, seed=1) == {}
    once = replace(real, again=np.zeros(20, dtype=bool))
    assert thresholds(once, p_real, simulated, p_simulated) == ((0.7,), ("real",))
    assert scored(once, p_real, seed=1)["statements"]["auc"]["LVH"]["positives"] == 10
    assert score_tables(once, p_real)["LVH"]["n"] == (10, 10)


@pytest.mark.parametrize(("n_with", "n_without"), [(9, 100), (0, 100), (9, 50)])
def test_a_rare_statement_is_called_in_a_fiftieth_of_the_records_without_it(n_with: int, n_without: int) -> None:
    p = np.linspace(0.1, 0.9, n_without + n_with)[:, None]
    y = (np.arange(len(p)) >= n_without).astype(float)[:, None]
    unknown, again = np.full((40, 1), np.nan), np.arange(len(p) + 80) >= len(p) + 40
    real = examples(np.r_[y, unknown, np.zeros((40, 1))].tolist(), ("LVH",), again=again)
    p_real = np.r_[p, np.full((80, 1), 0.95)]  # not asked: of unknown label, and second files
    (limit,), where = thresholds(real, p_real, examples([[1.0], [0.0]], ("LVH",)), np.array([[0.99], [0.2]]))
    assert where == ("real without it",)
    assert (p[y == 0] >= limit).sum() == n_without // 50
    assert limit < p[n_without - 1, 0]


def test_of_fewer_than_fifty_records_a_fiftieth_is_not_told() -> None:
    real, simulated = examples([[1.0]] * 9 + [[0.0]] * 49, ("LVH",)), examples([[1.0], [0.0]], ("LVH",))
    p_real = np.linspace(0.1, 0.9, 58)[:, None]
    assert thresholds(real, p_real, simulated, np.array([[0.99], [0.2]])) == ((0.99,), ("simulated",))


def test_severities_fall_into_bins_that_begin_at_their_lower_end() -> None:
    severity = np.array([0.5, 0.9, 1.0, 1.1, 1.6, np.nan])
    made = examples([[1]] * 5 + [[0]], ("LVH",), finding=("lvh",) * 5 + ("normal",), severity=severity)
    table = by_margin(made, np.arange(6.0)[:, None] / 10)["LVH"]
    assert [each["positives"] for each in table.values()] == [1, 2, 2]


def test_the_change_between_two_files_is_told_by_its_median_and_95th_percentile() -> None:
    change = np.arange(101) / 100
    logits = np.concatenate([np.zeros(101), change])
    names = tuple(f"r{k % 101}" for k in range(202))
    pairs = examples([[0.0]] * 202, ("MI",), record=names, again=np.arange(202) >= 101)
    told = both_rates(pairs, 1 / (1 + np.exp(-logits))[:, None])
    assert told == {"pairs": 101, "median": 0.5, "p95": 0.95, "logit_sd": 0.0}


def test_whom_thresholds_call_is_counted_once_a_record_and_not_where_the_label_is_unknown() -> None:
    y = [[1.0, np.nan], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    p = np.array([[0.5, 0.9], [0.4, 0.9], [0.6, 0.1], [0.2, 0.7], [0.9, 0.9]])
    again = np.array([False, False, False, False, True])
    assert reached(examples(y, ("MI", "PVC"), again=again), p, (0.5, 0.7)) == {
        "MI": {"with": 1, "of": 2, "without": 1},
        "PVC": {"with": 1, "of": 1, "without": 1},
    }


def test_an_interval_leaves_out_a_fortieth_at_either_end() -> None:
    told = metrics.interval(0.5, np.append(np.arange(1001.0), np.nan))
    assert (told.value, told.low, told.high) == (0.5, 25.0, 975.0)


def test_a_card_repeats_the_numbers_that_were_measured() -> None:
    one = {"value": 0.811, "low": 0.722, "high": 0.933}
    report = {"n": 90, "n_patients": 80, "macro_auc": one, "auc": {"LVH": {**one, "value": 0.844, "positives": 17}}}
    plan = {"config": {}, "labels": ("MI", "LVH"), "protocol": "paper", "seed": 5, "copies": 2, "pretraining": None}
    plan["finetuning"] = {"epochs": 11, "n_simulated": 222, "real_passes": 3}
    history = {"plan": plan, "positives_real": {"MI": 31, "LVH": 17}, "left_out": {"refused": 4}, "folds": (1, 8)}
    history |= {"n_real": 640, "n_again": 55, "n_simulated": 777, "chosen_on": (9,), "n_chosen_on": 66}
    history |= {"precision": "float32", "minutes": 12.5, "device": "cpu", "thresholds_set_on": ("real", "simulated")}
    margin = {"just past": {"auc": 0.651, "positives": 19}, "far past": {"auc": None, "positives": 0}}
    measured: dict[str, Any] = {"past scores": {"on": "fold 9"}, "fold 9": {"statements": report}}
    measured |= {"unseen simulated": {"statements": report}, "by margin": {"LVH": margin}}
    measured["reached"] = {"MI": {"with": 5, "of": 31, "without": 2}, "LVH": {"with": 3, "of": 17, "without": 8}}
    measured["both rates"] = {"pairs": 44, "median": 0.123, "p95": 0.456, "logit_sd": 1.789}
    told = re.sub(r"\s+", " ", model_card("it", "resnet1d", nn.Linear(3, 4), measured, history))
    for sentence in (
        "| macro | 0.811 | 0.722 to 0.933 | |",
        "| LVH | 0.844 | 0.722 to 0.933 | 17 |",
        "90 records of 80 patients",
        "16 parameters",
        "640 real records of PTB-XL, folds 1 to 8 (MI 31, LVH 17; left out: 4 refused; 55 of them were shown from",
        "and 777 simulated records. 66 more of fold 9 taught nothing",
        "11 epochs of 222 simulated and 3 x the real records",
        "shown with 2 altered copies",
        "80 % of a target, of an edited copy all of it,",
        "same 44 records: superclass logits differ by 0.12 (median), 0.46 (95th percentile)",
        "they vary by 1.79 (SD)",
        "| LVH | 0.651 (19) | none |",
        "have LVH: theirs were set on simulated records, and real ones may seldom reach them. On fold 9",
        "On fold 9 these thresholds call 3 of 17 with LVH and 8 without. Patients",
    ):
        assert sentence in told


def test_a_card_tells_how_thresholds_of_rare_labels_came_about_and_whom_they_call() -> None:
    """Of those that nobody has, only whom they call without it."""
    reached_by = {"MI": {"with": 5, "of": 31, "without": 2}, "LVH": {"with": 3, "of": 17, "without": 8}}
    measured = {"past scores": {"on": "fold 9"}, "reached": reached_by}
    told = "".join(_rare(("MI", "LVH"), ("simulated", "real without it"), measured))
    assert "have LVH: theirs are what 2 % of the records without the statement reach" in told
    assert "may not reach them. On fold 9 these thresholds call 3 of 17 with LVH and 8 without. Too few" in told
    assert "have MI: theirs were set on simulated records, and real ones may seldom reach them. On fold 9" in told
    assert told.endswith("these thresholds call 5 of 31 with MI and 2 without.")
    assert list(_rare(("MI", "LVH"), ("real", "real"), measured)) == []
    nobody = {"past scores": {"on": "out of fold"}, "reached": {"LVH": {"with": 0, "of": 0, "without": 8}}}
    told = "".join(_rare(("LVH",), ("real without it",), nobody))
    assert told.endswith("Out of fold these thresholds call 8 without LVH, which none has.")
