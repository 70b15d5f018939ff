"""Evaluation scores what was asked for, on the same records for every model, and says what it left out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ecg_files import beats_mv, write_wfdb
from sklearn.metrics import roc_auc_score
from toys import Linear, even_beats, toy_model

from ecgviz import NOTICE
from ecgviz.checkpoint import Model, available_models, load_model, predict
from ecgviz.cli import main
from ecgviz.errors import RecordError
from ecgviz.figures.reliability import reliability_page, reliability_panels
from ecgviz.records import load_record
from ecgviz.records.ptbxl import read_table
from ecgviz.training import metrics
from ecgviz.training.compared import grouped, score_group
from ecgviz.training.evaluate import Answers, ask, fold_warning, truths

STATEMENTS = ",description,diagnostic,diagnostic_class\nNORM,,1.0,NORM\nIMI,,1.0,MI\nCLBBB,,1.0,CD\nAFIB,,,\n"
HEAD = "ecg_id,patient_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr\n"
CODES = ("{'NORM': 100.0}", "{'IMI': 0.0}", "{'IMI': 50.0, 'CLBBB': 0.0, 'AFIB': 0.0}", "{'AFIB': 0.0}")


def table(rows: list[tuple[int, int, str, int]]) -> str:
    """Return ptbxl_database.csv of (id, patient, codes, fold)."""
    name = "records{rate}/00000/{id:05d}_{kind}"
    return HEAD + "".join(
        f'{n},{patient},60,0,"{codes}",{fold},{name.format(rate=100, id=n, kind="lr")},'
        f"{name.format(rate=500, id=n, kind='hr')}\n"
        for n, patient, codes, fold in rows
    )


@pytest.fixture
def ptbxl(tmp_path: Path) -> Path:
    """Return a PTB-XL of 17 records in fold 9, of which one is a duplicate and one has no file, and one in fold 8."""
    folder = tmp_path / "ptb-xl"
    (folder / "records100" / "00000").mkdir(parents=True)
    rows = [(n, n // 2, CODES[n % 4], 9) for n in range(1, 16)]
    rows += [(137, 90, CODES[0], 9), (138, 91, CODES[0], 9), (200, 92, CODES[0], 8)]
    (folder / "scp_statements.csv").write_text(STATEMENTS)
    (folder / "ptbxl_database.csv").write_text(table(rows))
    for n, *_ in rows:
        if n != 138:
            signal = beats_mv(100.0, rate_bpm=55 + 2 * (n % 20)) * (1 + (n % 7) / 10)
            write_wfdb(folder / "records100" / "00000", signal, name=f"{n:05d}_lr", first="{name} {n} 100 {samples}")
    return folder


def model(seed: int, labels: tuple[str, ...], **spec: object) -> Model:
    """Return a linear network of random weights."""
    rng = np.random.default_rng(seed)
    made = toy_model(Linear(rng.normal(0, 0.01, (len(labels), 12, 1000)), (0.0,) * len(labels)), labels=labels)
    return replace(made, name=f"toy{seed}", spec=replace(made.spec, **spec), training={"folds": [1, 2, 8]})


ALL = ("CD", "HYP", "MI", "NORM", "STTC", "IMI", "AFIB", "HICCUPS")


@pytest.fixture
def delineated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the records that are delineated, which then have even beats."""
    seen: list[str] = []
    monkeypatch.setattr("ecgviz.training.evaluate.delineate", lambda record: seen.append(record.id) or even_beats(8))
    return seen


def test_every_model_answers_for_the_same_records(ptbxl: Path, delineated: list[str]) -> None:
    counted: list[tuple[int, int]] = []
    models = [model(0, ALL), model(1, ("MI",))]
    answers = ask(models, ptbxl, (9,), lambda done, total: counted.append((done, total)))
    assert [entry.ecg_id for entry in answers.entries] == list(range(1, 16))
    assert [each.shape for each in answers.probabilities] == [(15, 8), (15, 1)]
    wanted = predict(models[1], load_record(ptbxl / "records100" / "00000" / "00003_lr.hea")).probabilities
    np.testing.assert_array_equal(answers.probabilities[1][2], wanted)
    assert answers.duplicates == 1
    assert len(answers.refused) == 1
    assert answers.refused[0].startswith("record 138: ")
    assert "00138_lr" in answers.refused[0]
    assert counted[-1] == (16, 16)
    assert delineated == []


def test_a_record_is_delineated_once_and_for_models_that_need_r_peaks_alone(ptbxl: Path, delineated: list[str]) -> None:
    beating = [model(seed, ALL, needs=("r_peaks",)) for seed in (1, 2)]
    assert len(ask([model(0, ALL), *beating], ptbxl, (8,)).entries) == 1
    assert delineated == ["ptbxl-00200"]


def test_a_fast_model_is_fed_from_the_fast_files(ptbxl: Path) -> None:
    with pytest.raises(RecordError, match=r"has no records500, from which models faster than 100 Hz are scored"):
        ask([model(0, ALL), model(0, ALL, fs=250.0)], ptbxl, (8,))


def test_folds_without_records_and_other_folders_are_refused(ptbxl: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no record of fold 3, 4 can be scored"):
        ask([model(0, ALL)], ptbxl, (4, 3))
    with pytest.raises(RecordError, match="PTB-XL"):
        ask([model(0, ALL)], tmp_path, (9,))


def test_statements_count_whatever_their_likelihood_and_no_superclass_is_not_known(ptbxl: Path) -> None:
    y = truths(list(read_table(ptbxl).values())[:4], ("CD", "MI", "NORM", "IMI", "AFIB"))
    np.testing.assert_array_equal(y, [[0, 1, 0, 1, 0], [1, 1, 0, 1, 1], [np.nan] * 3 + [0, 1], [0, 0, 1, 0, 0]])


def test_labels_are_sorted_into_groups(ptbxl: Path) -> None:
    sorted_ = grouped(ALL, list(read_table(ptbxl).values()))
    assert sorted_ == {"superclasses": ALL[:5], "statements": ("IMI", "AFIB"), "unknown": ("HICCUPS",)}


def test_scores_are_those_of_the_records_that_have_a_superclass(ptbxl: Path) -> None:
    models = [model(0, ALL), model(1, ("AFIB",)), model(2, ("MI", "NORM", "IMI"))]
    answers = ask(models, ptbxl, (9,))
    first, second, third, average = score_group(models, answers, "superclasses", seed=1, draws=50)
    assert second is None
    assert average is None  # no label that all three have
    assert (first.n, first.n_patients) == (11, 8)
    assert {each.label: (each.n, each.positives) for each in first.labels} == {
        "CD": (11, 4),
        "HYP": (11, 0),
        "MI": (11, 8),
        "NORM": (11, 3),
        "STTC": (11, 0),
    }
    kept = [n for n, entry in enumerate(answers.entries) if entry.superclasses]
    y = truths([answers.entries[n] for n in kept], ("MI", "NORM"))
    ours, theirs = answers.probabilities[2][kept], answers.probabilities[0][kept]
    areas = [roc_auc_score(y[:, c], ours[:, c]) for c in (0, 1)]
    assert [each.scores["auc"].value for each in third.labels] == pytest.approx(areas)
    assert third.macro["auc"].value == pytest.approx(np.mean(areas))
    others = [roc_auc_score(y[:, c], theirs[:, c + 2]) for c in (0, 1)]
    assert third.difference.value == pytest.approx(np.mean(areas) - np.mean(others))
    assert third.difference.low <= third.difference.value <= third.difference.high
    assert first.difference is None
    assert sum(point.n for point in third.labels[0].curve) == 11


def test_differences_are_drawn_in_pairs(ptbxl: Path) -> None:
    twins = [model(0, ALL), model(0, ALL)]
    first, second, average = score_group(twins, ask(twins, ptbxl, (9,)), "statements", seed=0, draws=50)
    assert (second.n, second.difference) == (15, metrics.Interval(0.0, 0.0, 0.0))
    assert average == second  # of two that say the same
    assert average.macro == first.macro


def test_the_average_is_that_of_the_probabilities_of_labels_that_all_models_have(ptbxl: Path) -> None:
    models = [model(0, ALL), model(1, ("MI", "AFIB", "NORM")), model(2, ("NORM", "IMI", "MI"))]
    answers = ask(models, ptbxl, (9,))
    *_, average = score_group(models, answers, "superclasses", seed=1, draws=50)
    kept = [n for n, entry in enumerate(answers.entries) if entry.superclasses]
    y = truths([answers.entries[n] for n in kept], ("MI", "NORM"))
    places = ((2, 3), (0, 2), (2, 0))
    p = sum(each[kept][:, at] for each, at in zip(answers.probabilities, places, strict=True)) / 3
    assert [each.label for each in average.labels] == ["MI", "NORM"]
    areas = [roc_auc_score(y[:, c], p[:, c]) for c in (0, 1)]
    assert [each.scores["auc"].value for each in average.labels] == pytest.approx(areas)
    assert average.difference.low <= average.difference.value <= average.difference.high


def test_intervals_are_those_of_the_draws_of_patients(ptbxl: Path) -> None:
    models = [model(0, ALL)]
    answers = ask(models, ptbxl, (9,))
    (found,) = score_group(models, answers, "statements", seed=3, draws=200)
    weights = metrics.patient_weights([str(entry.patient_id) for entry in answers.entries], seed=3, draws=200)
    y, p = truths(answers.entries, ("IMI", "AFIB")), answers.probabilities[0][:, 5:7]
    low, high = np.percentile(metrics.macro(metrics.by_label(metrics.brier, y, p, weights)), [2.5, 97.5])
    assert (found.macro["brier"].low, found.macro["brier"].high) == pytest.approx((low, high))


def test_no_records_with_a_superclass_leave_nothing_to_score() -> None:
    assert score_group([model(0, ALL)], Answers((), (np.empty((0, 8)),), 0, ()), "superclasses", seed=0) == (None,)


@pytest.mark.parametrize(
    ("training", "folds", "says"),
    [
        ({"plan": {}}, [10], None),
        ({"plan": {}}, [9], "chosen on fold 9: there its scores are too good"),
        ({"plan": {}}, [10, 8, 2, 9], "trained on fold 2, 8: there its scores say what it remembers"),
        ({"plan": {}, "folds": [1, 2]}, [9], None),
        ({"plan": {}, "folds": [1, 2, 9]}, [9, 10], "trained on fold 9"),
        ({}, [10], "does not say which folds"),
    ],
)
def test_a_fold_that_a_model_has_seen_is_told(training: dict, folds: list[int], says: str | None) -> None:
    told = fold_warning(replace(model(0, ALL), training=training), folds)
    assert told == says or (says is not None and told is not None and told.startswith("toy0 ") and says in told)


def test_lines_of_all_shipped_models_and_their_average_differ() -> None:
    names = [*available_models(), "average of all"]
    curves = {"MI": dict.fromkeys(names, ((0.2, 0.3, 0.1, 0.4, 20), (0.8, 0.7, 0.5, 0.9, 20)))}
    lines = [each for each in reliability_panels(curves, title="t").data if each.name in names]
    assert len({(each.line.color, each.marker.symbol) for each in lines}) == len(names)


def test_a_folder_of_one_rate_alone_is_refused_with_what_fetches_the_other(ptbxl: Path, tmp_path: Path) -> None:
    slow = tmp_path / "fast_only"
    shutil.copytree(ptbxl, slow)
    shutil.rmtree(slow / "records100")
    with pytest.raises(RecordError, match=r"fast_only has no records100, .* up to 100 Hz .* fetch ptb-xl --rate 100"):
        ask([load_model("resnet1d")], slow, (9,))


def test_reliability_panels_carry_every_curve_their_intervals_and_the_notice() -> None:
    point = (0.25, 0.5, 0.3, 0.8, 12)
    curves = {"MI": {"a": [point, (0.9, 1.0, 0.7, 1.0, 8)]}, "CD": {"a": [point], "<b>": [point]}, "HYP": {"a": []}}
    figure = reliability_panels(curves, title="Reliability, fold 9")
    assert [each.text for each in figure.layout.annotations] == ["MI", "CD", "HYP", NOTICE]
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [(trace.name, trace.showlegend) for trace in lines] == [
        ("a", True),
        ("a", False),
        ("&lt;b&gt;", True),
        ("a", False),
    ]
    assert (lines[0].x, lines[0].y) == ((0.25, 0.9), (0.5, 1.0))
    assert lines[0].error_y.array == pytest.approx((0.3, 0.0))
    assert lines[0].error_y.arrayminus == pytest.approx((0.2, 0.3))
    assert lines[0].customdata == (12, 8)
    assert "MI, CD, HYP" in figure.layout.meta["alt"]
    page = reliability_page(figure, ["a <script> remembers"])
    assert "a &lt;script&gt; remembers" in page
    assert NOTICE in page
    assert 'src="http' not in page


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command on toy models: "a" and "b" know all labels, "c" statements only."""
    known = {"a": model(0, ALL), "b": model(1, ALL), "c": model(2, ("AFIB",))}
    monkeypatch.setattr("ecgviz.checkpoint.load_model", known.__getitem__)

    def _told(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _told


def test_the_command_prints_models_side_by_side_with_counts_and_warnings(ptbxl: Path, told: Callable) -> None:
    code, shown, _ = told("evaluate", "a", "b", "c", "--data", ptbxl, "--fold", 9, "--fold", 8)
    assert code == 0
    assert "folds 8, 9 of PTB-XL, 12 records of 9 patients" in " ".join(shown.split())
    assert "macro AUC minus that of a" in shown
    assert "average of all" in " ".join(shown.split())
    assert "16 records were scored; left out: 1 duplicates, 1 refused, and 4 without a superclass" in shown
    assert "Warning: toy1 was trained on fold 8" in shown
    assert "HICCUPS not scored" in shown
    said = " ".join(shown.split())
    assert "The models have different superclasses: the average of all is not there, since no label is of all" in said
    assert "different statements: the average of all is over those that all have (AFIB), each macro" in said
    assert "and a difference over those that it has in common with a." in said
    assert "record 138: " in shown
    assert NOTICE in shown
    assert shown.index("Superclasses:") < shown.index("Statements:")


def test_the_command_speaks_json_and_draws_on_request(ptbxl: Path, told: Callable, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "reliability.html"
    code, shown, _ = told("evaluate", "c", "a", "--data", ptbxl, "--fold", 9, "--seed", 4, "--out", out, "--json")
    assert code == 0
    found = json.loads(shown, parse_constant=pytest.fail)
    assert any("in common with a." in each for each in found["sentences"])  # of superclasses "c" has none
    first, second = found["models"]
    assert found["average"]["superclasses"] is None
    assert [each["label"] for each in found["average"]["statements"]["labels"]] == ["AFIB"]
    assert (first["model"], first["superclasses"]) == ("c", None)
    macro = second["statements"]["macro"]
    assert set(macro) == {"auc", "auprc", "accuracy", "ece", "brier", "fmax"}
    assert all(each["low"] <= each["high"] for each in macro.values())
    assert second["statements"]["difference"]["low"] <= second["statements"]["difference"]["high"]
    assert second["superclasses"]["labels"][1]["scores"]["auc"]["value"] is None
    assert "AFIB" in out.read_text(encoding="utf-8")
    assert [path.name for path in out.parent.iterdir()] == ["reliability.html"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("a", "a"), "a is named twice"), (("a", "--out", "x.png"), "ends in .html"), (("a", "--fold", 11), "--fold")],
)
def test_the_command_refuses_before_the_work(ptbxl: Path, told: Callable, arguments: tuple, says: str) -> None:
    code, shown, refusal = told("evaluate", *arguments, "--data", ptbxl, "--fold", 9)
    assert (code, shown) == (2, "")
    assert says in refusal


@pytest.mark.data
def test_a_shipped_model_knows_the_folds_that_taught_it(data_dir: Path) -> None:
    models = [load_model("imle_net")]
    (found,) = score_group(models, ask(models, data_dir / "ptbxl", (9,)), "superclasses", seed=0)
    assert (found.n, found.n_patients) == (70, 63)
    out_of_fold = models[0].metrics["out of fold"]["superclasses"]["macro_auc"]["value"]
    assert found.macro["auc"].value > out_of_fold  # it has learnt from these records, as it says
    assert "9" in (fold_warning(models[0], [9]) or "")
