"""Training reads what is published, counts what it leaves out, and makes the same weights twice, cut off or not."""

import csv
import errno
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgviz import training
from ecgviz.checkpoint import load_model, past_rate
from ecgviz.cli import main
from ecgviz.errors import ModelError, RecordError
from ecgviz.nets import build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import simulate
from ecgviz.training import default_plan, input_spec, teacher, train
from ecgviz.training.augment import Batch, augment, turned
from ecgviz.training.copies import Copies, copies_of
from ecgviz.training.data import Examples, from_ptbxl, from_simulation
from ecgviz.training.evaluate import areas, best_thresholds, report
from ecgviz.training.fit import Fitted, Scaling, fit, masked_loss, precision_of
from ecgviz.training.labels import LABELS, STATEMENTS, SUPERCLASSES, planted
from ecgviz.training.protocols import Parts, check_folds, check_labels
from ecgviz.training.scores import both_rates, by_margin, thresholds
from ecgviz.training.state import Schedule
from ecgviz.types import InputSpec

SPEC = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 1.0)
PEAKS = replace(SPEC, needs=("r_peaks",))


def examples(x: np.ndarray, y: np.ndarray, labels: tuple[str, ...], **more: object) -> Examples:
    names = tuple(map(str, range(len(x))))
    rest = {
        "r_s": np.full((len(x), 3), np.nan, np.float32),
        "meta": np.full((len(x), 2), np.nan, np.float32),
        "patient": names,
        "record": names,
        "finding": ("",) * len(x),
        "fold": np.arange(len(x)) % 9 + 1,
        "again": np.zeros(len(x), bool),
        "severity": np.full(len(x), np.nan),
        "left_out": {},
    }
    return Examples(x=x.astype(np.float32), y=y.astype(np.float32), labels=labels, **(rest | more))


def clue(n: int, seed: int) -> Examples:
    """Return noise in which lead V1 tells the label: a bump that is up or down."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.05, (n, 12, 200))
    y = (np.arange(n) % 2).astype(float)
    x[:, 6, 40:160] += np.where(y > 0, 0.5, -0.5)[:, None]
    return examples(x, y[:, None], ("UP",))


def fitted(seed: int, checkpoint: Path | None = None, stop_after: int | None = None) -> Fitted:
    real = clue(16, 0)
    heard: list[str] = []

    def progress(line: str, done: float) -> None:
        heard.append(line)
        if len(heard) == stop_after:
            raise KeyboardInterrupt

    return fit(
        build("resnet1d", 1, seed=0, config={"width": 0.25}),
        Schedule(epochs=10, n_simulated=8, real_passes=2, learning_rate=0.01, batch_size=8),
        real=real,
        simulated=clue(12, 5),
        validation=clue(16, 1),
        scaling=Scaling.fit(real),
        fs=100.0,
        seed=seed,
        device="cpu",
        checkpoint=checkpoint,
        progress=progress,
    )


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module")
def whole() -> Fitted:
    """Fit once without a break."""
    return fitted(seed=4)


def test_a_clue_is_learnt_and_the_same_seed_makes_the_same_weights(whole: Fitted) -> None:
    assert max(line.validation_auc or 0 for line in whole.curve) == 1.0
    assert same(whole.net, fitted(seed=4).net)
    assert not same(whole.net, fitted(seed=5).net)


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_fit_that_was_cut_off_goes_on_to_the_same_weights(tmp_path: Path, stop_after: int, whole: Fitted) -> None:
    with pytest.raises(KeyboardInterrupt):
        fitted(seed=4, checkpoint=tmp_path / "fit.safetensors", stop_after=stop_after)
    resumed = fitted(seed=4, checkpoint=tmp_path / "fit.safetensors")
    assert same(whole.net, resumed.net)
    assert resumed.curve == whole.curve
    with pytest.raises(ModelError, match="another plan"):
        fitted(seed=6, checkpoint=tmp_path / "fit.safetensors")


def test_a_disk_that_is_full_leaves_the_checkpoint_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "fit.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fitted(seed=4, checkpoint=checkpoint, stop_after=1)
    before = checkpoint.read_bytes()

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        fitted(seed=4, checkpoint=checkpoint)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {checkpoint.name: before}


def test_areas_are_those_of_a_known_ranking() -> None:
    y = np.array([[0, 1], [0, 1], [1, 1], [1, 1]], float)
    scores = np.array([[0.1, 0.1], [0.4, 0.2], [0.35, 0.3], [0.8, 0.4]])
    found = areas(y, scores)
    assert found[0] == pytest.approx(0.75)
    assert np.isnan(found[1])


def test_intervals_hold_the_value_and_narrow_with_n() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (60, 600):
        y = rng.integers(0, 2, (n, 1)).astype(float)
        scores = y * 0.5 + rng.random((n, 1))
        macro = report(y, scores, ("A",), tuple(map(str, range(n))), seed=1)["macro_auc"]
        assert macro["low"] <= macro["value"] <= macro["high"]
        widths.append(macro["high"] - macro["low"])
    assert widths[1] < widths[0] / 2


def test_records_of_which_no_label_is_known_are_not_counted() -> None:
    y = np.array([[1.0, 0], [0, 1], [1, 0], [0, np.nan], [np.nan, np.nan]])
    p = np.linspace(0.1, 0.9, 10).reshape(5, 2)
    found = report(y, p, ("A", "B"), ("p", "q", "q", "r", "s"), seed=1)
    assert (found["n"], found["n_patients"]) == (4, 3)
    assert found == report(y[:4], p[:4], ("A", "B"), ("p", "q", "q", "r"), seed=1)


def test_threshold_with_the_largest_f1() -> None:
    y = np.array([[0], [0], [0], [1], [1]], float)
    assert best_thresholds(y, np.array([[0.1], [0.2], [0.6], [0.5], [0.9]])) == (0.5,)


def test_what_is_not_known_teaches_nothing() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    y = torch.tensor([[1.0, torch.nan, 0.0], [0.0, torch.nan, torch.nan]])
    loss = masked_loss(logits, y, torch.tensor([True, True, False]))
    assert loss.item() == pytest.approx(2 * np.log(2))  # the mean over superclasses, plus that over statements
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[y.isnan()] == 0).all()
    assert (logits.grad[~y.isnan()] != 0).all()


def batch(n: int) -> Batch:
    """Return records with one spike a beat, which says where its R peak is."""
    x, r_s = torch.zeros(n, 12, 1000), torch.full((n, 4), torch.nan)
    for row, at in enumerate(torch.linspace(1, 8, n).tolist()):
        r_s[row, :2] = torch.tensor([at, at + 1])
        x[row, :, (r_s[row, :2] * 100).round().long()] = 1.0
    return Batch(x, torch.arange(n).float()[:, None] % 2, r_s, torch.zeros(n, 2))


def test_r_peaks_roll_with_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIXED", "NOISE_MV", "WANDER_MV", "MASKED", "DROPPED_LEAD", "HIDDEN"):
        monkeypatch.setattr(f"ecgviz.training.augment.{name}", 0.0)
    changed = augment(batch(16), fs=100.0, generator=torch.Generator().manual_seed(0))
    assert (changed.r_s.isfinite().sum(dim=1) == 2).all()
    for x, peaks in zip(changed.x, changed.r_s, strict=True):
        at_s = x.abs().sum(dim=0).nonzero().squeeze(1) / 100
        apart = (peaks[:2] - at_s.sort().values + 5) % 10 - 5
        assert apart.abs().max() < 0.06


def test_mixed_records_have_mixed_targets_and_unknown_stays_unknown() -> None:
    given = batch(64)
    given.y[:8] = torch.nan
    changed = augment(given, fs=100.0, generator=torch.Generator().manual_seed(0))
    assert changed.x.shape == given.x.shape
    assert changed.x.isfinite().all()
    assert changed.y[:8].isnan().all()
    known = changed.y[~changed.y.isnan()]
    assert ((known >= 0) & (known <= 1)).all()
    assert ((known > 0) & (known < 1)).any()


def test_a_turned_heart_keeps_the_limb_leads_consistent() -> None:
    x = torch.from_numpy(simulate("lvh", seed=3, fs=100, duration_s=4, noise=0).record.signal.copy())[None].double()
    no_turn, as_is = torch.zeros(1, 3).double(), torch.ones(1, 3).double()
    torch.testing.assert_close(turned(x, no_turn, as_is), x)
    y = turned(x, torch.tensor([[0.1, -0.2, 0.3]]).double(), as_is)
    assert (y - x).abs().max() > 0.1
    torch.testing.assert_close(y[:, 2], y[:, 1] - y[:, 0], atol=1e-6, rtol=0)  # III = II - I
    torch.testing.assert_close(y[:, 3], -(y[:, 0] + y[:, 1]) / 2, atol=1e-6, rtol=0)  # aVR


@pytest.mark.parametrize(
    ("finding", "severity", "wanted"),
    [
        ("normal", 1.0, {"NORM": 1, "CD": 0, "MI": 0, "AFIB": 0, "STACH": 0}),
        ("inferior_stemi", 1.0, {"MI": 1, "IMI": 1, "NORM": 0, "ASMI": 0, "ISC_": None}),
        ("lbbb", 1.2, {"CD": 1, "CLBBB": 1, "NORM": 0, "IMI": 0}),
        ("lvh", 1.2, {"HYP": 1, "LVH": 1, "STTC": None, "CD": 0}),
        ("af", 1.0, {"AFIB": 1, "NORM": None, "CD": 0, "STACH": 0}),
        ("pvc", 1.0, {"PVC": 1, "NORM": None, "MI": 0}),
        ("sinus_tachycardia", 1.0, {"STACH": 1, "SBRAD": 0}),
        ("first_degree_av_block", 1.5, {"CD": 1, "1AVB": 1, "NORM": 0}),
    ],
)
def test_targets_of_a_planted_finding(finding: str, severity: float, wanted: dict[str, int | None]) -> None:
    made = simulate(finding, seed=1, fs=100, duration_s=10, severity=severity)
    found = dict(zip(LABELS, planted(made, LABELS), strict=True))
    told = {label: None if np.isnan(found[label]) else int(found[label]) for label in wanted}
    assert told == wanted


def test_a_finding_short_of_its_limits_is_not_there() -> None:
    short = [simulate("lvh", seed=seed, fs=100, duration_s=10, severity=0.4) for seed in range(8)]
    made = next(each for each in short if not each.truth.meets)
    found = dict(zip(LABELS, planted(made, LABELS), strict=True))
    assert found["LVH"] == found["HYP"] == 0
    assert np.isnan(found["NORM"])


@pytest.mark.parametrize(
    ("finding", "severity", "wanted"),
    [
        ("lbbb", 1.2, {"SR": 1, "QWAVE": None, "PACE": None}),
        ("lvh", 0.4, {"SR": 1, "LVH": 0}),
        ("old_anterior_mi", 1.2, {"SR": 1, "ASMI": 1, "AMI": None, "QWAVE": None}),
        ("af", 1.0, {"SR": 0}),
        ("sinus_tachycardia", 1.0, {"SR": None}),
    ],
)
def test_of_statements_that_nothing_planted_speaks_of_nothing_is_known(
    finding: str, severity: float, wanted: dict[str, int | None]
) -> None:
    rate = {} if finding == "sinus_tachycardia" else {"heart_rate_bpm": 75.0}
    made = simulate(finding, seed=1, fs=100, duration_s=10, severity=severity, **rate)
    found = dict(zip(wanted, planted(made, tuple(wanted)), strict=True))
    assert {label: None if np.isnan(value) else int(value) for label, value in found.items()} == wanted


def test_simulated_examples_are_the_same_by_any_number_of_processes() -> None:
    one, two = (from_simulation(24, seed=0, spec=PEAKS, labels=LABELS, n_jobs=n) for n in (1, 2))
    assert one.x.shape == (24, 12, 1000)
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.r_s, two.r_s)
    assert one.finding == two.finding
    assert (np.isfinite(one.r_s).sum(axis=1) >= 5).all()
    heights = one.x.std(axis=1)  # over leads: R peaks stand where the leads differ most
    at = np.round(one.r_s[0][np.isfinite(one.r_s[0])][1:-1] * 100).astype(int)
    assert all(heights[0, i - 6 : i + 7].max() > 2 * np.median(heights[0]) for i in at)


def test_auc_by_margin_counts_only_the_findings_own_statement() -> None:
    y = np.array([[1], [1], [0], [0]])
    made = examples(np.zeros((4, 12, 10)), y, ("LVH",), finding=("lvh", "lbbb", "", "rvh"))
    made = replace(made, severity=np.array([0.8, 1.3, np.nan, 1.0]))
    table = by_margin(made, np.array([[0.9], [0.1], [0.2], [0.3]]))["LVH"]
    assert table["just past its limits"] == {"auc": 1.0, "positives": 1}
    assert table["far past"] == {"auc": None, "positives": 0}


def test_the_change_between_two_files_of_a_record() -> None:
    pairs = examples(np.zeros((3, 12, 10)), np.zeros((3, 1)), ("MI",), record=("1", "1", "2"))
    pairs = replace(pairs, again=np.array([False, True, False]))
    p = 1 / (1 + np.exp(-np.array([[1.0], [1.5], [0.0]])))
    told = both_rates(pairs, p)
    assert told is not None
    assert (told["pairs"], told["median"]) == (1, 0.5)


@pytest.mark.data
def test_ptbxl_folds_and_what_is_left_out(data_dir: Path) -> None:
    folder = data_dir / "ptbxl"
    superclasses = from_ptbxl(folder, (9,), SPEC, SUPERCLASSES, both_rates=False)
    assert superclasses.labels == ("CD", "HYP", "MI", "NORM", "STTC")
    assert len(superclasses) == 70
    assert (superclasses.y.sum(axis=1) >= 1).all()
    assert superclasses.left_out["without superclass"] == 8
    all_labels = from_ptbxl(folder, (9,), SPEC, LABELS, both_rates=False)
    assert len(all_labels) == 78
    assert np.isnan(all_labels.y[:, 0]).sum() == 8  # these teach their statements alone
    with pytest.raises(ModelError, match="NOPE"):
        from_ptbxl(folder, (9,), SPEC, ("MI", "NOPE"), both_rates=False)


@pytest.mark.data
def test_a_record_counts_once_whichever_of_its_files_can_be_read(few_of_ptbxl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ptb-xl"
    shutil.copytree(few_of_ptbxl, folder)
    both = from_ptbxl(folder, range(1, 10), SPEC, LABELS, both_rates=True)
    n, (first, second) = len(set(both.record)), [each for each in both.record if both.record.count(each) == 2][::2][:2]
    next(folder.glob(f"records100/*/{int(first):05}_lr.dat")).unlink()
    for path in folder.glob(f"records*/*/{int(second):05}_*.dat"):
        path.unlink()
    left = from_ptbxl(folder, range(1, 10), SPEC, LABELS, both_rates=True)
    assert (both.left_out["refused"], left.left_out["refused"]) == (0, 1)
    assert (~left.again).sum() == len(set(left.record)) == n - 1
    assert left.again.sum() == both.again.sum() - 2
    assert not left.again[left.record.index(first)]


def test_a_folder_that_is_not_ptbxl_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="PTB-XL"):
        from_ptbxl(tmp_path, (9,), SPEC, LABELS, both_rates=False)


def test_an_existing_folder_is_not_overwritten_and_a_plan_must_make_sense(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be written"):
        train(default_plan("imle_net", {}), tmp_path, tmp_path)
    with pytest.raises(ModelError, match="a seed is 0 or more, not -1"):
        default_plan("imle_net", {}, seed=-1)
    with pytest.raises(ModelError, match="no protocol 'papers'"):
        default_plan("imle_net", {}, protocol="papers")
    with pytest.raises(ModelError, match="each once"):
        default_plan("imle_net", {}, labels=("MI", "MI"))


def test_settings_are_checked_before_a_record_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "read_parts", lambda *_, **__: pytest.fail("records were read"))
    for config in ({"breadth": 1.0}, {"width": "wide"}):
        with pytest.raises(ModelError, match="imle_net cannot be built with"):
            train(default_plan("imle_net", config), tmp_path, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")
def test_a_network_that_answers_nothing_is_refused_before_a_record_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "read_parts", lambda *_, **__: pytest.fail("records were read"))
    for net, config in (("resnet1d", {"width": 0}), ("res_lstm", {"n_layers": 0})):
        with pytest.raises(ModelError, match=f"{net} with {config} answers nothing when it is fed noise"):
            train(default_plan(net, config), tmp_path, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("protocol", "missing", "told"),
    [
        ("paper", (9,), "no record of fold 9, which a network of the protocol paper is scored on"),
        (
            "paper",
            range(1, 9),
            "no record of fold 1, 2, 3, 4, 5, 6, 7, 8, which a network of the protocol paper learn",
        ),
        ("cross-validated", (2, 5, 8), "no record of fold 2, 5, 8, which .* cross-validated is scored on"),
    ],
)
def test_folds_that_a_protocol_cannot_do_without_are_asked_for_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, missing: tuple[int, ...], told: str
) -> None:
    real = parts_of(("MI", "NORM")).real
    check_folds(real, protocol)
    monkeypatch.setattr(training, "from_ptbxl", lambda *_, **__: real.where(~np.isin(real.fold, missing)))
    monkeypatch.setattr(training, "from_simulation", lambda *_, **__: pytest.fail("records were simulated"))
    with pytest.raises(ModelError, match=told):
        train(default_plan("resnet1d", {"width": 0.25}, protocol=protocol), tmp_path, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def parts_of(labels: tuple[str, ...], seed: int = 0) -> Parts:
    """Return noise in all nine folds, the first nine records from a second file too; measured, and no copy altered."""
    rng = np.random.default_rng(seed)
    y = np.stack([(np.arange(45) // (k + 1)) % 2 for k in range(len(labels))], axis=1)
    names = tuple(f"{seed} {n % 36}" for n in range(45))
    real = examples(rng.normal(0, 0.3, (45, 12, 200)), y, labels, again=np.arange(45) >= 36, record=names)
    copies = Copies(real.x, rng.normal(size=(45, 4)), real.r_s, np.arange(45), np.zeros(45, bool), np.zeros(45, bool))
    return Parts(real, None, examples(rng.normal(0, 0.3, (8, 12, 200)), y[:8], labels), None, copies)


def test_an_interrupted_training_of_another_plan_or_other_records_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher, "TREES", 2)
    monkeypatch.setattr(training, "read_parts", lambda plan, *_, **__: parts_of(plan.labels))
    plan = default_plan("resnet1d", {"width": 0.25}, labels=("MI", "NORM"), n_simulated=0, copies=1, epochs=1)

    def killed(line: str, done: float) -> None:
        if line.startswith("without folds 2 5 8"):
            raise KeyboardInterrupt

    train(plan, tmp_path, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(plan, tmp_path, tmp_path / "cut", progress=killed)
    others = ({"labels": ("NORM", "MI")}, {"config": {"width": 0.5}}, {"protocol": "paper"}, {"copies": 2})
    for other in (*others, {"net": "efficient_ecg", "config": {}}):
        with pytest.raises(ModelError, match=r"cut\.training holds an interrupted training of another plan"):
            train(replace(plan, **other), tmp_path, tmp_path / "cut")
    monkeypatch.setattr(training, "read_parts", lambda plan, *_, **__: parts_of(plan.labels, seed=1))
    with pytest.raises(ModelError, match="another plan"):
        train(plan, tmp_path, tmp_path / "cut")
    monkeypatch.setattr(training, "read_parts", lambda plan, *_, **__: parts_of(plan.labels))
    kept = tmp_path / "cut.training" / "plan.json"
    told = kept.read_bytes()
    kept.unlink()  # as versions did that wrote none
    with pytest.raises(ModelError, match="another plan"):
        train(plan, tmp_path, tmp_path / "cut")
    kept.write_bytes(told)
    train(plan, tmp_path, tmp_path / "cut")
    whole, cut = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "cut"))
    assert whole == cut
    cards = {name: (tmp_path / name / "CARD.md").read_text(encoding="utf-8") for name in ("whole", "cut")}
    assert re.search(r"; seed 0; [\d.]+ minutes on cpu", cards["whole"])
    assert "in several runs, whose time was not kept, on cpu" in cards["cut"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


@pytest.mark.parametrize(
    ("labels", "told", "group"),
    [
        (("AFIB", "SBRAD"), "SCP-ECG statements AFIB, SBRAD", "statement"),
        (("MI", "NORM"), "PTB-XL's diagnostic superclasses MI, NORM", "superclass"),
        (("MI", "AFIB"), "PTB-XL's diagnostic superclasses MI and SCP-ECG statements AFIB", "superclass"),
    ],
)
def test_a_network_of_statements_or_of_superclasses_alone_has_a_card_of_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: tuple[str, ...], told: str, group: str
) -> None:
    monkeypatch.setattr(teacher, "TREES", 2)
    monkeypatch.setattr(training, "read_parts", lambda plan, *_, **__: parts_of(plan.labels))
    plan = default_plan("resnet1d", {"width": 0.25}, labels=labels, n_simulated=0, copies=1, epochs=1)
    train(plan, tmp_path, tmp_path / "tiny")
    model = load_model(tmp_path / "tiny")
    assert f"**Labels** {told}; several may hold.\n" in model.card
    assert f"of the same 9 records: {group} logits differ by {model.metrics['both rates']['median']:.2f}" in model.card
    groups = {"superclasses" if label in SUPERCLASSES else "statements" for label in labels}
    trees = {name: scores["macro_auc"]["value"] for name, scores in model.metrics["trees out of fold"].items()}
    assert trees.keys() == groups
    for name, auc in trees.items():
        assert f"The trees that taught it reach a macro AUC of {auc:.3f} on {name} themselves" in model.card


def test_a_network_is_fed_what_it_says_it_needs() -> None:
    assert input_spec("imle_net_beats").needs == ("r_peaks",)
    assert input_spec("res_lstm").pads
    assert not input_spec("imle_net").pads


@pytest.fixture(scope="module")
def few_of_ptbxl(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of PTB-XL with two records a fold, and one in fold 9 and one before it of each statement.

    Four have a file at 500 Hz too.
    """
    source, folder = data_dir / "ptbxl", tmp_path_factory.mktemp("ptb-xl")
    shutil.copy(source / "scp_statements.csv", folder)
    with (source / "ptbxl_database.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    fold_of = {row["ecg_id"]: int(float(row["strat_fold"])) for row in rows}
    kept = [row for fold in range(1, 10) for row in [r for r in rows if fold_of[r["ecg_id"]] == fold][:2]]
    for statement in STATEMENTS:
        for folds in (range(1, 9), (9,)):
            having = [r for r in rows if fold_of[r["ecg_id"]] in folds and f"'{statement}'" in r["scp_codes"]]
            kept += [] if any(row in kept for row in having) else having[:1]
    with (folder / "ptbxl_database.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    for number, row in enumerate(kept):
        for name in (row["filename_lr"], row["filename_hr"])[: 2 if number < 4 else 1]:
            for path in source.glob(f"{name}.*"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, (folder / name).parent)
    return folder


@pytest.fixture(scope="module")
def read() -> dict[tuple[object, ...], object]:
    """Return what was read, simulated and altered by the tests of this module, by what was asked for."""
    return {}


@pytest.fixture
def read_once(read: dict[tuple[object, ...], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, simulate and alter the same records only once for all tests: equal questions have equal answers."""
    for name in ("from_ptbxl", "from_simulation", "copies_of"):
        make = getattr(training, name)

        def known(*asked: object, make=make, progress=None, **more: object) -> object:
            key = (make, *map(id, asked)) if make is copies_of else (make, *asked)
            key += tuple(sorted(more.items()))
            if key not in read:
                read[key] = make(*asked, progress=progress, **more)
            return read[key]

        monkeypatch.setattr(training, name, known)


@pytest.mark.parametrize(("cpu", "computed_in"), [("AVX2", "float32"), ("DEFAULT", "float32"), ("AVX512", "bfloat16")])
def test_training_takes_bfloat16_only_where_the_processor_has_it(
    cpu: str, computed_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: cpu)
    assert precision_of("cpu") == computed_in
    assert precision_of("cuda") == "bfloat16"
    seen: list[torch.dtype] = []

    net, real = build("resnet1d", 1, seed=0, config={"width": 0.25}), clue(8, 0)
    first = next(layer for layer in net.modules() if isinstance(layer, torch.nn.Conv1d))
    first.register_forward_hook(lambda layer, given, output: seen.append(output.dtype))
    once = Schedule(epochs=1, n_simulated=0, real_passes=1, learning_rate=0.01)
    fit(net, once, real=real, simulated=None, scaling=Scaling.fit(real), fs=100.0, seed=0, device="cpu")
    assert set(seen) == {getattr(torch, computed_in)}


@pytest.mark.data
def test_a_label_that_no_record_has_is_refused_by_name_before_training(
    few_of_ptbxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what nobody has, any threshold is as good as another: the lowest would call it for everybody."""
    monkeypatch.setattr(training, "N_UNSEEN", 20)
    asked = ["train", "--data", few_of_ptbxl, "--out", tmp_path / "tiny", "--net", "resnet1d", "--labels", "NORM,3AVB"]
    assert main([str(each) for each in [*asked, "--simulate", 10, "--copies", 1]]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("ecgviz: 3AVB: none of the ")
    assert "leave it out of --labels" in told
    assert list(tmp_path.iterdir()) == []


def test_what_could_set_a_threshold_is_what_the_protocol_holds_out() -> None:
    y = (np.arange(18) == 3)[:, None].astype(float)  # of fold 4
    real = examples(np.zeros((18, 12, 10)), y, ("NDT",))
    nothing = examples(np.zeros((5, 12, 10)), np.zeros((5, 1)), ("NDT",))
    check_labels(Parts(real, None, nothing, None), "cross-validated")
    with pytest.raises(ModelError, match="NDT: none of the 7 real and simulated records that could set its threshold"):
        check_labels(Parts(real, nothing, nothing, None), "paper")
    planted = replace(nothing, y=np.ones((5, 1)))
    check_labels(Parts(real, None, planted, None), "paper")
    with pytest.raises(ModelError, match="NDT: none of the 18 real and simulated records that could teach it"):
        check_labels(Parts(replace(real, y=0 * y), None, planted, None), "cross-validated")


def test_who_is_known_to_be_without_a_rare_label_sets_its_threshold_too() -> None:
    """What 2 % of those without it reach needs fifty of them, and nobody who has it."""
    fold = np.where(np.arange(60) < 50, 9, 1)
    y = (np.arange(60) == 59)[:, None].astype(float)  # one has it, of fold 1; fold 9 is fifty without
    real = examples(np.zeros((60, 12, 10)), y, ("NDT",), fold=fold)
    nothing = examples(np.zeros((5, 12, 10)), np.zeros((5, 1)), ("NDT",))
    check_labels(Parts(real, None, nothing, None), "paper")
    held, p = real.where(fold == 9), np.linspace(0.01, 0.5, 50)[:, None]
    chosen, where = thresholds(held, p, nothing, np.full((5, 1), 0.01))
    assert where == ("real without it",)
    assert (p >= chosen[0]).sum() == 1
    told = "set its threshold has the label, nor are 50 real ones known to be without it"
    unknown = np.where(np.arange(60) == 0, np.nan, y[:, 0])[:, None]
    for fewer in (replace(real, y=unknown), replace(real, again=np.arange(60) == 0)):
        with pytest.raises(ModelError, match=told):
            check_labels(Parts(fewer, None, nothing, None), "paper")
    with pytest.raises(ModelError, match="NDT: none of the 10 real and simulated records that could teach it"):
        check_labels(Parts(replace(real, y=0 * y), None, nothing, None), "paper")


def test_a_threshold_is_set_where_somebody_has_the_label() -> None:
    y = (np.arange(18) == 3)[:, None].astype(float)
    real, p = examples(np.zeros((18, 12, 10)), y, ("NDT",)), np.linspace(0.1, 0.9, 18)[:, None]
    nothing = examples(np.zeros((5, 12, 10)), np.zeros((5, 1)), ("NDT",))
    chosen, where = thresholds(real, p, nothing, np.full((5, 1), 0.01))
    assert where == ("real",)
    assert chosen[0] == pytest.approx(p[3, 0])
    assert thresholds(real, p, replace(nothing, y=np.eye(5)[:, :1]), np.full((5, 1), 0.01))[1] == ("simulated",)
    with pytest.raises(ModelError, match="no record has the label"):
        best_thresholds(nothing.y, np.full((5, 1), 0.01))


def test_a_record_of_two_files_counts_once_for_a_threshold() -> None:
    once = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    p = np.array([0.9, 0.3, 0.6, 0.5, 0.4, 0.1])
    twice = np.r_[0, 1, 2, 3, 4, 5, 1, 1, 1]
    real = examples(np.zeros((9, 12, 10)), once[twice][:, None], ("NDT",))
    real = replace(real, again=np.arange(9) >= 6)
    nothing = examples(np.zeros((5, 12, 10)), np.zeros((5, 1)), ("NDT",))
    assert thresholds(real, p[twice][:, None], nothing, np.full((5, 1), 0.01))[0] == best_thresholds(
        once[:, None], p[:, None]
    )


@pytest.mark.data
@pytest.mark.parametrize(("protocol", "held"), [("cross-validated", "out of fold"), ("paper", "fold 9")])
@pytest.mark.usefixtures("read_once")
def test_training_ends_in_a_model_that_loads_with_an_honest_card(
    few_of_ptbxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, held: str
) -> None:
    monkeypatch.setattr(training, "N_UNSEEN", 30)
    monkeypatch.setattr(teacher, "TREES", 5)
    plan = default_plan("resnet1d", {"width": 0.25}, protocol=protocol, n_simulated=20, copies=1, epochs=1)
    shares: list[float] = []
    train(plan, few_of_ptbxl, tmp_path / "tiny", progress=lambda line, done: shares.append(done))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    model = load_model(tmp_path / "tiny")
    auc = model.metrics[held]["superclasses"]["macro_auc"]
    assert f"| macro | {auc['value']:.3f} | {auc['low']:.3f} to {auc['high']:.3f} |" in model.card
    assert "CC BY 4.0" in model.card
    assert model.labels == LABELS
    assert model.metrics["past scores"]["on"] == held
    told = json.loads((tmp_path / "tiny" / "model.json").read_text())["training"]
    assert told["n_simulated"] == 20
    assert f"{told['precision']} convolutions" in model.card
    assert set(told["curve"]) >= {"pretraining"}
    past = model.metrics["past scores"]
    columns = slice(0, len(SUPERCLASSES))
    known = from_ptbxl(few_of_ptbxl, range(1, 10), SPEC, LABELS, both_rates=False)
    y = known.y[[known.record.index(name) for name in past["record"]], columns]
    assert np.nanmean(areas(y, np.array(past["probabilities"])[:, columns])) == pytest.approx(auc["value"], abs=1e-3)
    held_back = {name for name, fold in zip(known.record, known.fold, strict=True) if fold == 9 and protocol == "paper"}
    assert told["n_real"] == len(known) - len(held_back)
    assert told["n_chosen_on"] == len(held_back)
    assert f"Trained on {len(known) - len(held_back)} real records" in model.card
    assert (f"{len(held_back)} more of fold 9 taught nothing" in model.card) == (protocol == "paper")
    if protocol == "cross-validated":
        assert told["folds"] == list(range(1, 10))
        rate = past_rate(model, "NORM", 0.5)
        assert rate is not None
        assert rate.low <= rate.rate <= rate.high


@pytest.mark.data
@pytest.mark.usefixtures("read_once")
def test_a_training_that_was_cut_off_is_taken_up_by_the_same_call(
    few_of_ptbxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "N_UNSEEN", 30)
    monkeypatch.setattr(teacher, "TREES", 5)
    plan = default_plan("resnet1d", {"width": 0.25}, n_simulated=20, copies=1, epochs=1)
    parts = training.read_parts(plan, few_of_ptbxl, input_spec("resnet1d"), n_jobs=1, progress=lambda line, done: None)
    few = {
        name: replace(part, labels=SUPERCLASSES, y=part.y[:, : len(SUPERCLASSES)])
        for name, part in (("real", parts.real), ("simulated", parts.simulated), ("unseen", parts.unseen))
    }
    parts, plan = replace(parts, **few), replace(plan, labels=SUPERCLASSES)
    monkeypatch.setattr(training, "read_parts", lambda *_, **__: parts)  # what is cut off here is fitting
    train(plan, few_of_ptbxl, tmp_path / "whole")

    def killed(line: str, done: float) -> None:
        if line.startswith("without folds 2 5 8"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(plan, few_of_ptbxl, tmp_path / "cut", progress=killed)
    assert not (tmp_path / "cut").exists()
    train(plan, few_of_ptbxl, tmp_path / "cut")
    whole, cut = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "cut"))
    assert whole == cut
    cards = {name: (tmp_path / name / "CARD.md").read_text(encoding="utf-8") for name in ("whole", "cut")}
    assert re.search(r"; seed 0; [\d.]+ minutes on cpu", cards["whole"])
    assert "in several runs, whose time was not kept, on cpu" in cards["cut"]
