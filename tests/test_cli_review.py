"""``ecgviz review`` from a study's file to its report, and that nothing of who the patients are gets anywhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from review_studies import AFTER, BEFORE, TOKENS, answer, definition, founded, planted, read_all

from ecgviz.checkpoint import Model
from ecgviz.cli import main
from ecgviz.evidence import evidence, share
from ecgviz.review import create as creating
from ecgviz.review import material, store
from ecgviz.review.marks import region_of_cells
from ecgviz.review.study import read_study

ROOT = Path(__file__).resolve().parents[1]
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> dict[str, Any]:
        code = main(["review", *map(str, arguments), "--json"])
        told = capsys.readouterr()
        assert (code, told.err) == (0, "")
        return json.loads(told.out)

    return run


@pytest.fixture
def file(tmp_path: Path, narrow_model: Model, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(creating, "load_model", lambda name: narrow_model)
    assert len(TOKENS) == 25
    content = yaml.safe_load((ROOT / "docs" / "study.yaml").read_text())
    content["models"], content["methods"], content["arms"] = ["narrow"], ["saliency"], ["attribution"]
    content["records"] = [{"source": path.name, "patient": f"P{i}"} for i, path in enumerate(planted(tmp_path), 1)]
    content["records"][0]["reference"] = "MI"
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "study.yaml"


def test_a_study_from_its_file_to_its_report_tells_nothing_of_the_patients(file: Path, run: Run, memory: Path):
    studies = memory / "studies"
    made = run("create", file, "--out", studies)
    folder = Path(made["study"])
    assert set(made["codes"]) == {"R1", "R2", "A1", "O1"}
    assert (made["items"], made["maps"]) == (3 + 2, 3)
    for name in ("R1", "R2"):
        read_all(folder, name)
    for turn in store.turns(folder, "A1"):
        answer(folder, "A1", turn.item.item_id, "reference", replace(BEFORE, label="NORM"))
    (listed,) = run("list", studies)
    assert listed["done"] == [["A1", 2, 2], ["R1", 6, 6], ["R2", 6, 6]]
    head = run("verify", folder)["audit_head_sha256"]
    exported = run("export", folder, "--out", memory / "out", "--recordings")
    assert run("verify", folder, "--head", head)["audit_head_sha256"] == exported["audit_head_sha256"]
    restored = Path(run("import", memory / "out", "--out", memory / "elsewhere", "--form", "csv")["study"])
    report = run("report", restored, "--draws", 20, "--out", memory / "report.md")
    assert report["audit_head_sha256"] == exported["audit_head_sha256"]
    values = {(each["name"], each["of"]): each["value"] for each in report["results"]}
    assert values["Accuracy before", "attribution"] == pytest.approx(1 / 3)
    assert values["Dice of cells", "pairs of readers"] == 1
    assert values["Share of the map in the marks", "attribution: saliency"] == pytest.approx(
        np.mean([_share(folder, turn.item) for turn in store.turns(folder, "R1")])
    )
    written = [
        path for path in (*studies.rglob("*"), *(memory / "out").rglob("*"), *memory.glob("*.md")) if path.is_file()
    ]
    assert len(written) > 20
    for path in written:
        content = path.name.encode() + (_unpacked(path) if path.suffix == ".npz" else path.read_bytes())
        assert [token for token in TOKENS if token.encode() in content] == []
    assert [token for token in TOKENS if token in json.dumps(report)] == []


def test_a_report_appears_whole_or_not_at_all(memory: Path, monkeypatch: pytest.MonkeyPatch):
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    founded(memory / "pilot", definition())
    monkeypatch.setattr("ecgviz.records.write.os.replace", ended)
    asked = ["report", str(memory / "pilot"), "--draws", "2", "--out", str(memory / "report.md")]
    assert main(["review", *asked]) == 130
    assert [path.name for path in memory.iterdir()] == ["pilot"]


def _share(folder: Path, item: Any) -> float:
    """Return the share of an item's map in the marks of `BEFORE`, as a guideline's region would get it."""
    reading = material.reading(folder, item.record_sha256)
    (shown,) = material.maps_of(folder, item)
    region = region_of_cells(BEFORE.cells, reading.beats, reading.record.leads)
    return share(evidence(shown.explanation, reading.beats), region)[0]


def _unpacked(path: Path) -> bytes:
    with np.load(path) as stored:
        return b"".join(stored[name].tobytes() for name in stored.files)


def test_a_refusal_is_one_line_that_names_no_patient(file: Path, memory: Path, capsys: pytest.CaptureFixture[str]):
    content = yaml.safe_load(file.read_text())
    content["readers"][0]["pseudonym"] = "Anna"
    file.write_text(yaml.safe_dump(content))
    assert main(["review", "create", str(file), "--out", str(memory / "studies")]) == 2
    assert capsys.readouterr().err == (
        "ecgviz: study.yaml, field readers.0.pseudonym: a pseudonym is one to three capitals and up to four digits, "
        "as R1: never a name\n"
    )
    assert not (memory / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "nowhere"), "nowhere is no study's folder"),
        (("list", "nowhere"), "there is no folder nowhere"),
        (("report", "nowhere"), "nowhere is no study's folder"),
        (("export", "nowhere", "--out", "there"), "nowhere is no study's folder"),
        (("import", "nowhere"), "nowhere is no export of a study"),
        (("import", "nowhere", "--form", "xml"), "'xml' is neither json nor csv"),
        (("create", "nowhere.yaml"), "nowhere.yaml cannot be read"),
        (("code", "nowhere", "R1"), "nowhere is no study's folder"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert main(["review", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_verify_says_what_was_tampered_with(memory: Path, capsys: pytest.CaptureFixture[str]):
    import sqlite3

    from review_studies import definition, founded

    founded(memory / "pilot", definition())
    read_all(memory / "pilot", "R1")
    with sqlite3.connect(memory / "pilot" / "review.sqlite") as opened:
        opened.execute("DROP TRIGGER no_update_answers")
        opened.execute("UPDATE answers SET comment = 'changed' WHERE rowid = 1")
    assert main(["review", "verify", str(memory / "pilot")]) == 2
    assert "is not what its audit trail tells: answer" in capsys.readouterr().err
    assert main(["review", "verify", str(memory / "pilot"), "--head", "0" * 64]) == 2


def test_the_example_of_the_documents_is_a_study():
    study = read_study(ROOT / "docs" / "study.yaml")
    assert {reader.role for reader in study.readers} == {"reader", "adjudicator", "owner"}
    assert AFTER.label in study.answers
