"""The command line: what each command prints for programs and for people, and how it refuses."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from ecgviz import NOTICE, __version__
from ecgviz.checkpoint import available_models, load_model
from ecgviz.cli import COMMANDS, GROUPS, main
from ecgviz.cli.console import plain
from ecgviz.cohort.folder import recordings
from ecgviz.errors import RecordError
from ecgviz.explain import METHODS, applicable
from ecgviz.explain.methods import all_methods
from ecgviz.pipeline import load_case
from ecgviz.records import load_record
from ecgviz.records.isolate import load_upload
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.library import open_library
from ecgviz.records.write import save_record
from ecgviz.simulate import simulate
from ecgviz.types import Record

HEAVY = {"torch", "captum", "neurokit2", "plotly", "matplotlib", "streamlit", "pandas", "scipy", "sklearn", "wfdb"}

Run = Callable[..., Any]

EVERY = [[name] for name in COMMANDS] + [[name, second] for name in GROUPS for second in GROUPS[name]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must succeed, and return what it printed."""

    def _run(*arguments: object) -> str:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return captured.out

    return _run


@pytest.fixture
def json_of(run: Run) -> Run:
    """Run a command with --json, and return what it printed as data; NaN is no JSON."""
    return lambda *arguments: json.loads(run(*arguments, "--json"), parse_constant=pytest.fail)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must be refused with exit code 2, and return its one line."""

    def _refused(*arguments: object) -> str:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert code == 2
        assert captured.out == ""
        assert captured.err.startswith("ecgviz: ")
        assert captured.err.count("\n") == 1
        return captured.err

    return _refused


def two_leads() -> Record:
    return simulate("normal", seed=2, fs=250, duration_s=10).record.select(("II", "V1"))


ASKED = [[], ["--help"], *([*names, "--help"] for names in EVERY)]
ASK_ALL = """
import contextlib, io, json, sys
from ecgviz.cli import main

for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as told:
        main(arguments)
    print(json.dumps([told.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.fixture(scope="module")
def help_of() -> dict[str, tuple[str, list[str]]]:
    """Ask for each help in one new process: what it says, and all packages that were imported up to then."""
    asked = [sys.executable, "-c", ASK_ALL, json.dumps(ASKED)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return dict(zip(map(" ".join, ASKED), map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("arguments", ASKED, ids=" ".join)
def test_help_imports_nothing_heavy(help_of: dict[str, tuple[str, list[str]]], arguments: list[str]) -> None:
    said, imported = help_of[" ".join(arguments)]
    assert "Usage: ecgviz" in said
    assert "ecgviz" in imported
    assert not HEAVY & set(imported)


def test_every_command_says_what_it_is_for_and_speaks_json(run: Run) -> None:
    everything = run("--help")
    for names in EVERY:
        assert f" {names[0]} " in everything
        told = run(*names, "--help")
        assert "--json" in told or "JSON schema" in told


def test_version_carries_the_notice(run: Run) -> None:
    assert run("--version") == f"ecgviz {__version__}\n{NOTICE}\n"


def test_it_also_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "ecgviz", "frobnicate"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("ecgviz: No such command 'frobnicate'")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["info"], "RECORD"),
        (["info", "demo:none"], "there is no demo record 'none'"),
        (["info", "nowhere.npz"], "there is no file 'nowhere.npz'"),
        (["info", "demo:normal", "--fs", "fast"], "--fs"),
        (["info", "demo:normal", "--fs", "500"], "states its own rate"),
        (["info", "demo:normal", "--age", "400"], "an age of 400"),
        (["info", "demo:normal", "--sex", "cat"], "'cat'"),
        (["measure", "demo:normal", "--frobnicate"], "--frobnicate"),
        (["measure", "demo:normal", "--marks", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["beats", "demo:normal", "--out", "/proc/nowhere/x.csv"], "/proc/nowhere"),
        (["criteria", "demo:normal", "--label", "HICCUPS"], "HICCUPS"),
        (["predict", "demo:normal", "--model", "nowhere"], "there is no model 'nowhere'"),
        (["models", "nowhere"], "there is no model 'nowhere'"),
        (["explain", "demo:normal", "--method", "tea_leaves"], "integrated_gradients"),
        (["explain", "demo:normal", "--label", "HICCUPS"], "does not predict 'HICCUPS'"),
        (["report", "demo:normal"], "--out"),
        (["simulate", "normal", "--out", "x.npz"], "--fs"),
        (["simulate", "hiccups", "--fs", "500", "--out", "x.npz"], "inferior_stemi"),
        (["simulate", "normal", "--fs", "-5", "--out", "x.npz"], "-5"),
        (["simulate", "normal", "--fs", "500", "--out", "x.edf"], ".edf"),
        (["simulate", "normal", "--fs", "500", "--out", "/proc/nowhere/x.npz"], "/proc/nowhere"),
        (["validate", "frobnicate"], "frobnicate"),
        (["validate", "delineation", "nowhere"], "nowhere: this is no folder of LUDB"),
        (["validate", "measurements", "--ludb", "nowhere"], "nowhere: this is no folder of LUDB"),
        (["validate", "measurements", "--seeds", "0"], "--seeds"),
        (["validate", "measurements", "--seeds", "1", "--fs", "-5"], "-5"),
        (["evaluate", "imle_net", "--fold", "9"], "--data"),
        (["evaluate", "nowhere", "--data", ".", "--fold", "9"], "there is no model 'nowhere'"),
        (["evaluate", "imle_net", "--data", ".", "--fold", "9"], "is it the top folder of PTB-XL"),
        (["fetch", "ptb-xl"], "--out"),
        (["fetch", "ptb-xl", "--out", "x", "--rate", "250"], "250"),
        (["app", "--port", "0"], "--port"),
        (["explain", "demo:normal", "--seed", "-1"], "--seed"),
        (["check", "demo:normal", "--seed", str(2**64)], "--seed"),
        (["validate", "audits", "--seed", "-1"], "--seed"),
        (["info", "demo:normal", "--fs", "nan"], "'--fs': nan is no number"),
        (["predict", "demo:normal", "--model", ""], "the name is empty"),
        (["evaluate", "", "--data", ".", "--fold", "9"], "there is no model ''"),
        (["validate", "audits", "--method", "tea_leaves"], "there is no 'tea_leaves' here"),
        (["validate", "verdicts", "--method", "tea_leaves"], "known are integrated_gradients"),
        (["validate", "explanations", "--model", "imle_net", "--method", "tea_leaves", "--out", "x"], "'tea_leaves'"),
        (["check", "demo:normal", "--method", "saliency", "--method", "tea_leaves"], "there is no 'tea_leaves' here"),
        (["check", "demo:normal", "--method", "saliency", "--method", "deep_lift"], "miss the change of the logit"),
        (["train", "--data", ".", "--out", "mine", "--config", "breadth=1"], "imle_net cannot be built with"),
        (["train", "--data", ".", "--out", "mine", "--config", "width=nan"], "imle_net cannot be built with"),
        (["review", "report", "nowhere", "--out", "report.docx"], "name a file that ends in .md"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(
    refused: Run, arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in refused(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_info_tells_what_a_recording_holds(json_of: Run, run: Run) -> None:
    told = json_of("info", "demo:inferior_stemi", "--age", 54, "--sex", "female")
    record = load_record("demo:inferior_stemi")
    assert told["leads"] == list(STANDARD_LEADS)
    assert (told["fs"], told["duration_s"], told["simulated"]) == (record.fs, record.duration_s, True)
    assert (told["age_years"], told["sex"]) == (54, "female")
    assert any("54" in sentence and "entered" in sentence for sentence in told["assumptions"])
    assert {entry["lead"]: entry["verdict"] for entry in told["quality"]} == dict.fromkeys(STANDARD_LEADS, "good")
    shown = run("info", "demo:inferior_stemi", "--age", 54)
    assert f"{record.fs:g} Hz" in shown
    assert "Assumed: age of 54 years entered by the user." in shown


def test_a_file_without_a_rate_needs_one(refused: Run, json_of: Run, tmp_path: Path) -> None:
    made = two_leads()
    rows = "\n".join(",".join(f"{value:.4f}" for value in sample) for sample in made.signal.T)
    (tmp_path / "bare.csv").write_text("II,V1\n" + rows + "\n")
    assert "rate" in refused("info", tmp_path / "bare.csv", "--unit", "mV")
    assert "unit" in refused("info", tmp_path / "bare.csv", "--fs", 250)
    assert json_of("info", tmp_path / "bare.csv", "--fs", 250, "--unit", "mV")["duration_s"] == pytest.approx(10)


def test_marks_go_out_and_come_back(json_of: Run, run: Run, refused: Run, tmp_path: Path) -> None:
    told = json_of("beats", "demo:pvc", "--out", tmp_path / "marks.csv")
    assert {"beat", "kind", "r", "p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off"} <= set(told["beats"][0])
    ectopic = [each for each in told["beats"] if each["kind"] == "premature_ventricular"]
    assert ectopic
    assert all(each["p_on"] is None and each["why_no_p"] for each in ectopic)
    before = json_of("measure", "demo:pvc")
    assert json_of("measure", "demo:pvc", "--marks", tmp_path / "marks.csv") == before
    assert before["edited_marks"] == []
    lines = (tmp_path / "marks.csv").read_text().splitlines()
    assert lines[0].startswith("beat,mark,time_s")
    moved = [
        f"{beat},{mark},{float(at) - 0.01 if mark == 'qrs_on' else at},{kind}"
        for beat, mark, at, kind in (line.split(",") for line in lines[1:])
    ]
    (tmp_path / "mine.csv").write_text("\n".join((lines[0], *moved)))
    after = json_of("measure", "demo:pvc", "--marks", tmp_path / "mine.csv")
    assert after["values"]["qrs_ms"] - before["values"]["qrs_ms"] == pytest.approx(10, abs=0.01)
    assert after["values"]["pr_ms"] - before["values"]["pr_ms"] == pytest.approx(-10, abs=0.01)
    assert len(after["edited_marks"]) == len(told["beats"])
    assert "beat 1: QRS onset moved from" in run("measure", "demo:pvc", "--marks", tmp_path / "mine.csv")
    (tmp_path / "mine.csv").write_text("beat,mark,time_s\n1,qrs_on,9\n")
    assert "beat 1: QRS onset at 9.000 s must come before" in refused(
        "criteria", "demo:pvc", "--marks", tmp_path / "mine.csv"
    )


def test_marks_that_name_another_recording_are_refused(refused: Run, run: Run, tmp_path: Path) -> None:
    run("beats", "demo:pvc", "--out", tmp_path / "marks.csv")
    lines = (tmp_path / "marks.csv").read_text()
    for recording, taken in ((load_record("demo:pvc").key, True), ("0" * 64, False)):
        (tmp_path / "named.csv").write_text(f"# recording: demo:pvc ({recording[:12]})\n{lines}")
        for command in (["measure", "demo:pvc"], ["beats", "demo:pvc"]):
            told = (run if taken else refused)(*command, "--marks", tmp_path / "named.csv")
            assert ("holds the marks of another recording" in told) != taken


def test_marks_that_a_reader_changed_are_not_written_over(refused: Run, tmp_path: Path) -> None:
    (tmp_path / "marks.csv").write_text("beat,mark,time_s\n2,r,\n")
    said = refused("beats", "demo:pvc", "--out", tmp_path / "marks.csv")
    assert "marks.csv exists already, and may hold marks that a reader changed; name a new file" in said
    assert (tmp_path / "marks.csv").read_text() == "beat,mark,time_s\n2,r,\n"


def test_marks_appear_whole_or_not_at_all(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("ecgviz.records.write.os.replace", stopped)
        assert main(["beats", "demo:pvc", "--out", str(tmp_path / "new" / "marks.csv")]) == 130
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    run("beats", "demo:pvc", "--out", tmp_path / "new" / "marks.csv")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["marks.csv"]


def stopped(*_: object) -> None:
    """Stand for a program that is ended just before its file is whole."""
    raise KeyboardInterrupt


def test_a_file_of_marks_written_from_a_changed_one_is_read_the_same(json_of: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("beat,mark,time_s\n2,r,\n4,t_on,\n")
    told = json_of("beats", "demo:pvc", "--marks", tmp_path / "a.csv", "--out", tmp_path / "b.csv")
    again = json_of("beats", "demo:pvc", "--marks", tmp_path / "b.csv")
    assert told["beats"] == again["beats"]
    assert again["edited_marks"] == told["edited_marks"]
    assert len(told["edited_marks"]) == 2


def test_measure_gives_null_and_a_reason_where_there_is_nothing(json_of: Run, run: Run) -> None:
    told = json_of("measure", "demo:af")
    assert told["values"]["pr_ms"] is None
    assert told["reasons"]["pr_ms"]
    assert told["values"]["rate_bpm"] > 0
    assert set(told["per_lead"]["r_mv"]) == set(STANDARD_LEADS)
    assert set(told["grades"]) == {*told["values"], *told["per_lead"]}
    assert told["grades"]["rate_bpm"]["word"] == "robust"
    assert "not measurable" in run("measure", "demo:af")


def test_measure_finds_the_planted_qrs(json_of: Run, tmp_path: Path) -> None:
    planted = json_of("simulate", "lbbb", "--fs", 500, "--seed", 4, "--out", tmp_path / "lbbb.npz")["truth"]
    found = json_of("measure", tmp_path / "lbbb.npz")
    assert found["values"]["qrs_ms"] == pytest.approx(planted["values"]["qrs_ms"], abs=20)
    assert planted["values"]["qrs_ms"] > 120 > planted["twin_values"]["qrs_ms"]


def test_measure_says_why_there_are_no_beats(json_of: Run, run: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (12, 5000))
    save_record(Record(noise, 500.0, STANDARD_LEADS, "noise"), tmp_path / "noise.npz")
    told = json_of("measure", tmp_path / "noise.npz")
    assert told["n_beats"] == 0
    assert told["no_beats_because"]
    assert told["no_beats_because"] in run("measure", tmp_path / "noise.npz")


@pytest.mark.parametrize("command", [["measure"], ["criteria"], ["criteria", "--label", "2AVB"]])
def test_measurements_and_criteria_tell_of_leads_and_assumptions(
    json_of: Run, run: Run, tmp_path: Path, command: list[str]
) -> None:
    record = load_record("demo:normal").select(("I", "II", "V1", "V5"))
    signal = record.signal.copy()
    signal[:, 1200:2300] = signal[:, 1200:1201]
    save_record(replace(record, signal=signal, altered=("the line was pulled",)), tmp_path / "held.npz")
    told = json_of(command[0], tmp_path / "held.npz", *command[1:])
    assert {lead["verdict"] for lead in told["quality"]} == {"doubtful"}
    assert told["altered"] == ["the line was pulled"]
    printed = " ".join(run(command[0], tmp_path / "held.npz", *command[1:]).split())
    assert "Leads that are not good" in printed
    assert "interruption" in printed
    assert "Altered: the line was pulled." in printed
    assert "Assumed: III, aVR, aVL, aVF derived from I and II (Einthoven, Goldberger)." in printed


@pytest.mark.parametrize(("demo", "met"), [("demo:inferior_stemi", True), ("demo:normal", False)])
def test_criteria_stand_beside_what_was_measured(json_of: Run, run: Run, demo: str, met: bool) -> None:
    findings = json_of("criteria", demo, "--label", "IMI")["findings"]
    assert {finding["criterion"] for finding in findings} == {"IMI"}
    assert any(finding["state"] == "met" for finding in findings) is met
    rules = [rule for finding in findings for rule in finding["rules"]]
    assert all(rule["source"] and rule["why"] for rule in rules)
    assert findings[0]["source"] in run("criteria", demo, "--label", "IMI").replace("\n", " ")


def test_criteria_without_a_label_are_all_of_the_catalogue(json_of: Run) -> None:
    found = {finding["criterion"] for finding in json_of("criteria", "demo:normal")["findings"]}
    assert {"IMI", "AMI", "ASMI", "LMI", "CLBBB", "CRBBB", "LAFB", "1AVB", "LVH", "RVH", "AFIB", "WPW"} <= found


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_simulate_writes_what_load_record_reads(json_of: Run, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"wpw.{suffix}"
    told = json_of("simulate", "wpw", "--fs", 250, "--duration", 8, "--severity", 1.2, "--seed", 7, "--out", file)
    made = simulate("wpw", seed=7, fs=250, duration_s=8, severity=1.2).record
    read = load_record(file)
    assert (read.fs, read.leads, read.sex) == (made.fs, made.leads, made.sex)
    assert read.age_years == pytest.approx(made.age_years)
    np.testing.assert_allclose(read.signal, made.signal, atol=1e-6)
    assert told["record"]["key"] == made.key
    assert told["truth"]["meets"] is True
    assert len(told["truth"]["beats"]["r_s"]) == len(told["truth"]["beats"]["qrs_on"])


def test_missing_samples_survive_both_formats(tmp_path: Path) -> None:
    signal = np.array(two_leads().signal)
    signal[1, 100:120] = np.nan
    record = Record(signal, 250.0, ("II", "V1"), "gap", age_years=40, sex="male")
    for name in ("gap.npz", "gap.csv"):
        save_record(record, tmp_path / name)
        read = load_record(tmp_path / name)
        np.testing.assert_array_equal(np.isnan(read.signal), np.isnan(signal))
        assert (read.age_years, read.sex) == (40, "male")


def test_models_lists_what_ships_and_shows_its_card(json_of: Run, run: Run) -> None:
    shipped, listed = json_of("models"), run("models")
    assert shipped
    for model in shipped:
        assert len(model["digest"]) == 64
        assert model["name"] in listed
        assert "PTB-XL" in run("models", model["name"])
        assert json_of("models", model["name"])["digest"] == model["digest"]


def test_predict_stands_beside_its_thresholds(json_of: Run, run: Run) -> None:
    told, shown = json_of("predict", "demo:inferior_stemi"), run("predict", "demo:inferior_stemi")
    for line in told["outcome"]:
        assert line["probability"] == pytest.approx(1 / (1 + np.exp(-line["logit"])))
        assert line["positive"] is (line["probability"] >= line["threshold"])
        assert line["label"] in shown


def test_predict_names_the_leads_that_it_lacks(refused: Run, tmp_path: Path) -> None:
    save_record(two_leads(), tmp_path / "two.npz")
    assert "I, III, aVR, aVL, aVF, V2" in refused("predict", tmp_path / "two.npz")


@pytest.fixture(scope="module")
def case_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained") / "case"
    command = ["explain", "demo:inferior_stemi", "--label", "MI", "--method", "attention_joint", "--out", str(folder)]
    assert main(command) == 0
    return folder


def test_explain_writes_a_case_that_loads(case_folder: Path) -> None:
    assert sorted(path.name for path in case_folder.iterdir()) == ["arrays.npz", "case.json"]
    case = load_case(case_folder)
    assert (case.record.id, case.label, case.explanation.method) == ("demo:inferior_stemi", "MI", "attention_joint")
    assert [path.name for path in case_folder.parent.iterdir()] == ["case"]


def test_explain_names_the_folder_after_the_case(json_of: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = json_of("explain", "demo:lbbb", "--method", "attention_channel")
    assert told["folder"] == f"demo-lbbb-{told['label']}-attention_channel"
    assert sum(told["share_by_lead"].values()) == pytest.approx(1)
    assert load_case(tmp_path / told["folder"]).label == told["label"]
    most_probable = max(json_of("predict", "demo:lbbb")["outcome"], key=lambda line: line["probability"])
    assert told["label"] == most_probable["label"]


def test_explain_replaces_a_case_only_when_told_to(refused: Run, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    command = ("explain", "demo:normal", "--method", "attention_beat", "--out", folder)
    run(*command)
    assert "is not empty" in refused(*command)
    before = load_case(folder)
    run(*command, "--force", "--seed", 5)
    assert (before.provenance["seed"], load_case(folder).provenance["seed"]) == (0, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_force_never_removes_what_is_no_case(refused: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "thesis.tex" in refused("explain", "demo:normal", "--out", tmp_path, "--force")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert "is a file" in refused("explain", "demo:normal", "--out", tmp_path / "thesis.tex", "--force")


def test_a_failed_write_leaves_the_old_case(
    refused: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("explain", "demo:normal", "--method", "attention_beat", "--out", tmp_path / "case")
    run(*command)
    old = (tmp_path / "case" / "case.json").read_bytes()

    def full_disk(case: object, folder: Path) -> None:
        folder.mkdir()
        (folder / "case.json").write_text("{")
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr("ecgviz.pipeline.save_case", full_disk)
    assert "No space left" in refused(*command, "--force")
    assert (tmp_path / "case" / "case.json").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


@pytest.mark.slow
def test_report_takes_a_case_folder_or_a_recording(case_folder: Path, json_of: Run, tmp_path: Path) -> None:
    told = json_of("report", case_folder, "--out", tmp_path / "deep" / "report.html")
    assert told["label"] == "MI"
    text = (tmp_path / "deep" / "report.html").read_text(encoding="utf-8")
    assert "demo:inferior_stemi" in text
    json_of("report", "demo:rbbb", "--method", "attention_channel", "--out", tmp_path / "other.html")
    assert "demo:rbbb" in (tmp_path / "other.html").read_text(encoding="utf-8")


def test_train_is_a_thin_shell(json_of: Run, refused: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgviz.checkpoint import available_models
    from ecgviz.registry import shipped

    asked = {}

    def remembered(plan: Any, data: Path, out: Path, *, device: str, n_jobs: int, progress: Any) -> None:
        asked.update(net=plan.net, config=plan.config, seed=plan.seed, labels=plan.labels, data=data, n_jobs=n_jobs)
        asked.update(protocol=plan.protocol, n_simulated=plan.n_simulated, device=device)
        progress("fold 1", 0.5)
        out.symlink_to(shipped("models") / available_models()[0])

    monkeypatch.setattr("ecgviz.training.train", remembered)
    options = ("--config", "width=0.25", "--seed", 9, "--labels", "superclasses", "--simulate", 0)
    more = ("--protocol", "paper", "--device", "cpu", "--jobs", 2)
    told = json_of("train", "--data", tmp_path, "--out", tmp_path / "mine", *options, *more)
    assert asked == {
        "net": "imle_net",
        "config": {"width": 0.25},
        "seed": 9,
        "labels": ("CD", "HYP", "MI", "NORM", "STTC"),
        "data": tmp_path,
        "n_jobs": 2,
        "protocol": "paper",
        "n_simulated": 0,
        "device": "cpu",
    }
    assert told["labels"]
    monkeypatch.undo()
    assert "exists" in refused("train", "--data", tmp_path, "--out", tmp_path)
    assert "no device 'tpu'" in refused("train", "--data", tmp_path, "--out", tmp_path / "x", "--device", "tpu")
    assert "width=0.5" in refused("train", "--data", tmp_path, "--out", tmp_path / "x", "--config", "width")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.4", "example.org", "127.0.0.1.example.org", ""])  # noqa: S104
def test_the_app_refuses_addresses_that_others_can_reach(refused: Run, address: str) -> None:
    assert "no loopback address" in refused("app", "--address", address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_the_app_serves_this_machine_without_statistics(json_of: Run, address: str) -> None:
    told = json_of("app", "--address", address, "--port", 8600)
    assert f"--server.address={address}" in told["command"]
    assert "--server.port=8600" in told["command"]
    assert "--browser.gatherUsageStats=false" in told["command"]
    assert Path(told["command"][4]).name == "app.py"


def test_the_app_stands_in_an_address_as_browsers_read_it_and_lets_them_in_by_it(json_of: Run) -> None:
    told = json_of("app", "--address", "::1", "--port", 8600)
    assert told["url"] == "http://[::1]:8600"
    assert "--browser.serverAddress=[::1]" in told["command"]
    assert "--server.allowedHosts=::1" in told["command"]
    assert json_of("app", "--address", "127.0.0.1")["url"] == "http://127.0.0.1:8501"


@pytest.mark.parametrize(
    "arguments",
    [["info", "demo:normal"], ["measure", "demo:normal"], ["predict", "demo:normal"], ["methods"], ["teach", "list"]],
    ids=" ".join,
)
def test_an_object_of_json_carries_the_notice(json_of: Run, arguments: list[str]) -> None:
    assert json_of(*arguments)["notice"] == NOTICE


def test_a_list_of_json_holds_its_rows_alone(json_of: Run) -> None:
    assert [row["name"] for row in json_of("models")] == list(available_models())


def test_the_notice_stands_beside_files_that_cannot_hold_it(run: Run, tmp_path: Path) -> None:
    assert NOTICE in run("beats", "demo:normal", "--out", tmp_path / "marks.csv")
    assert NOTICE in run("simulate", "normal", "--fs", 100, "--out", tmp_path / "normal.csv")


def _no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(
    refused: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.npz").write_bytes(b"what was there")
    monkeypatch.setattr("ecgviz.records.write._write_npz", _no_room)
    said = refused("simulate", "normal", "--fs", 100, "--out", tmp_path / "x.npz")
    assert "No space left on device" in said
    assert "nothing was left half-written" in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"x.npz": b"what was there"}


def test_a_file_that_cannot_be_written_is_named_as_it_was_asked_for(refused: Run, tmp_path: Path) -> None:
    (tmp_path / "taken.npz").mkdir()
    said = refused("simulate", "normal", "--fs", 100, "--out", tmp_path / "taken.npz")
    assert said.strip() == f"ecgviz: {tmp_path / 'taken.npz'}: Is a directory"


def test_a_fault_without_a_reason_of_the_system_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> None:
        raise OSError("no number")

    monkeypatch.setattr("ecgviz.records.write._write_npz", faulty)
    with pytest.raises(OSError, match="no number"):
        main(["simulate", "normal", "--fs", "100", "--out", str(tmp_path / "x.npz")])


def test_a_package_that_cannot_be_loaded_is_named_and_stops_only_what_needs_it(
    refused: Run, json_of: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_package.py").write_text("raise RuntimeError('built for another world')", encoding="utf-8")
    points = {
        "ecgviz.readers": EntryPoint(".odd", "broken_package:read", "ecgviz.readers"),
        "ecgviz.methods": EntryPoint("odd", "broken_package:method", "ecgviz.methods"),
    }
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: [points[group]] if group in points else [])
    (tmp_path / "a.odd").write_text("x", encoding="utf-8")
    for said in (refused("info", tmp_path / "a.odd"), refused("explain", "demo:normal", "--method", "odd")):
        assert "package broken_package cannot be loaded (RuntimeError: built for another world)" in said
    assert json_of("predict", "demo:normal")["outcome"]
    assert "saliency" in [row["name"] for row in json_of("methods", "--model", "imle_net")["methods"]]
    assert "odd" not in applicable(load_model("imle_net"))
    methods, faults = all_methods()
    assert list(methods) == list(METHODS)
    assert [fault.startswith("'odd' (ecgviz.methods) of the installed package broken_package") for fault in faults] == [
        True
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise KeyError('no header')", "the installed reader for .odd files failed (KeyError: 'no header')"),
        ("return 3", "the installed reader for .odd files made no recording of it"),
        ("raise EcgvizError('it is of another day')", "it is of another day"),
        (
            "import numpy; from ecgviz.types import Record; return Record(numpy.ones((2, 9)), 100, ('I', 'P1'), 'x')",
            "'a.odd': 'P1' is no lead known here",
        ),
    ],
)
def test_what_a_reader_of_an_installed_package_raises_is_one_refusal(
    refused: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, why: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"their_reader_{len(body)}"
    source = f"from ecgviz.errors import EcgvizError\ndef read(path, fs, unit):\n    {body}\n"
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    point = EntryPoint(".odd", f"{name}:read", "ecgviz.readers")
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: [point] if group == "ecgviz.readers" else [])
    (tmp_path / "a.odd").write_text("x", encoding="utf-8")
    assert why in refused("info", tmp_path / "a.odd")


def test_recordings_of_an_installed_reader_are_read_wherever_recordings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    source = """
from dataclasses import replace
from ecgviz.records import load_record
def read(path, fs, unit):
    demo = load_record("demo:normal")
    return replace(demo, leads=tuple(lead.upper() for lead in demo.leads))
"""
    (tmp_path / "their_odd_reader.py").write_text(source, encoding="utf-8")
    point = EntryPoint(".odd", "their_odd_reader:read", "ecgviz.readers")
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: [point] if group == "ecgviz.readers" else [])
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "a.odd").write_text("x", encoding="utf-8")
    assert load_record(folder / "a.odd").leads == STANDARD_LEADS
    (entry,) = open_library([folder]).entries.values()
    assert entry.path == folder / "a.odd"
    assert [each.file for each in recordings(folder)] == ["a.odd"]
    with pytest.raises(RecordError, match="upload one recording: a header"):
        load_upload({"a.odd": b"x", "b.odd": b"x"})  # the child that reads one does not see this test's package


def test_a_method_of_an_installed_package_is_offered_and_explains(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    source = """
from dataclasses import replace
from ecgviz.explain import METHODS
theirs = replace(METHODS["saliency"], title="Theirs")
attention = replace(theirs, why_not=lambda model: f"{model.name} is not for it")
"""
    (tmp_path / "their_package.py").write_text(source, encoding="utf-8")
    points = [EntryPoint(name, f"their_package:{name}", "ecgviz.methods") for name in ("theirs", "attention")]
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: points if group == "ecgviz.methods" else [])
    offered = applicable(load_model("resnet1d"))
    assert offered[-1] == "theirs"
    assert "attention" not in offered
    assert list(all_methods()[0]) == [*METHODS, "theirs", "attention"]
    asked = ("explain", "demo:normal", "--model", "resnet1d", "--method", "theirs", "--out", tmp_path / "case")
    assert "Written to" in run(*asked)


def test_json_has_no_nan_at_any_depth() -> None:
    value = {"a": np.array([1.0, np.nan]), 2: (np.float32("inf"), {"x": float("nan")}), "p": Path("x")}
    assert plain(value) == {"a": [1.0, None], "2": [None, {"x": None}], "p": "x"}


def test_json_has_text_for_dates_times_and_bytes() -> None:
    days = np.array(["2020-01-01", "NaT"], dtype="M8[ns]")
    value = (days, np.timedelta64(90, "s"), date(2020, 1, 2), time(12), Decimal("1.50"), UUID(int=1), b"ab", pd.NaT)
    assert json.dumps(plain(value), allow_nan=False) == (
        '[["2020-01-01 00:00:00", null], "0:01:30", "2020-01-02", "12:00:00", 1.5, '
        '"00000000-0000-0000-0000-000000000001", "6162", null]'
    )


def test_methods_tell_what_they_show_and_for_which_network(run: Run, json_of: Run) -> None:
    told = {row["name"]: row for row in json_of("methods", "--model", "imle_net")["methods"]}
    assert told["saliency"]["why_not"] == ""
    assert "miss the change of the logit by" in told["deep_lift"]["why_not"]
    assert told["deep_lift"]["source"].endswith("arXiv:1704.02685")
    without = json_of("methods")
    assert without["model"] is None
    assert [row["name"] for row in without["methods"]] == list(told)
    assert not any("why_not" in row for row in without["methods"])
    assert "Conv1d" in run("methods")


def standing(tmp_path: Path, *, offset_mv: float = 0.0, noise: bool = False, fs: float = 500.0) -> Path:
    """Write a simulated recording that is offset, noise alone, or of another rate, and return its path."""
    record = simulate("normal", seed=4, fs=max(fs, 100.0), duration_s=10).record
    signal = np.array(record.signal)[:, :: round(max(fs, 100.0) / fs)] + offset_mv
    if noise:
        signal = 0.3 * np.random.default_rng(0).standard_normal(signal.shape)
    save_record(replace(record, signal=signal, fs=fs), tmp_path / "standing.npz")
    return tmp_path / "standing.npz"


@pytest.mark.parametrize("command", [("predict",), ("explain", "--method", "attention_channel", "--out")])
def test_leads_that_are_not_good_and_assumptions_stand_beside_every_score(
    run: Run, json_of: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    def told(path: Path, name: str) -> tuple[str, dict[str, Any]]:
        given = [command[0], path, *command[1:]]
        text = run(*given, *([tmp_path / name] if command[-1] == "--out" else []))
        return text, json_of(*given, *([tmp_path / f"{name}-json"] if command[-1] == "--out" else []))

    text, data = told(standing(tmp_path, offset_mv=0.5), "offset")
    assert "mV off 0 as a whole" in text
    assert {each["verdict"] for each in data["quality"]} == {"doubtful"}
    assert data["reliance"] == "The network was fed these leads as they are: read its scores with care."
    text, data = told(standing(tmp_path, noise=True), "noise")
    assert "No score of this recording can be relied on: 12 of its 12 leads" in text
    assert data["reliance"].startswith("No score of this recording can be relied on")
    text, data = told(standing(tmp_path, fs=50.0), "slow")
    assert "Assumed: upsampled from 50 Hz to the 100 Hz that the network is fed" in text
    assert data["assumptions"][-1].startswith("upsampled from 50 Hz to the 100 Hz")
    text, data = told(standing(tmp_path), "good")
    assert "Leads that are not good" not in text
    assert (data["reliance"], {each["verdict"] for each in data["quality"]}) == (None, {"good"})


def test_a_share_that_is_not_measurable_has_no_unit(run: Run, tmp_path: Path) -> None:
    text = run("explain", standing(tmp_path, noise=True), "--out", tmp_path / "case", "--label", "MI")
    assert "not measurable" in text
    assert "not measurable %" not in text


@pytest.mark.parametrize(
    "option",
    [
        "--label MI",
        "--model res_lstm",
        "--method saliency",
        "--seed 0",
        "--fs 500",
        "--unit mV",
        "--age 60",
        "--sex male",
    ],
)
def test_a_report_of_a_case_refuses_what_the_case_has_answered(
    case_folder: Path, refused: Run, tmp_path: Path, option: str
) -> None:
    name = option.split()[0].removeprefix("--")
    said = refused("report", case_folder, "--out", tmp_path / "r.html", *option.split())
    assert f"is a case already, with its own {name}; give --{name} and the recording" in said
    assert list(tmp_path.iterdir()) == []


def test_a_report_of_an_unknown_kind_is_refused_before_anything_is_read(refused: Run, tmp_path: Path) -> None:
    said = refused("report", tmp_path / "nothing.npz", "--out", tmp_path / "report.docx")
    assert "report.docx: a report is written as .html or .pdf" in said
