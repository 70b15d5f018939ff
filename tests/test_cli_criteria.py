"""``ecgviz criteria``: the catalogue listed and shown, a recording held against it, a user's own folder beside ours."""

import json
from pathlib import Path

import pytest
import yaml

from ecgviz.cli import main
from ecgviz.criteria import catalogue, entry


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["criteria", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rule = {"form": "value", "role": "required", "text": "PR shorter than 110 ms", "measure": "pr_ms", "op": "<"}
    rule |= {"value": 110, "unit": "ms", "verification": "proposal"}
    definition = {"key": "ours", "source": "svt2015", "rules": [rule]}
    made = {"id": "SHORT_PR", "name": "short PR", "maps": {}, "level": ["beat"], "definitions": [definition]}
    content = yaml.safe_dump({"schema_version": 1, "entries": [made]})
    (tmp_path / "own.yaml").write_text(content, encoding="utf-8")
    return tmp_path


def test_the_list_holds_every_diagnosis_and_a_users_own(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    found = json.loads(told(capsys, "list", "--criteria", str(folder), "--json"))["entries"]
    assert [one["id"] for one in found] == [one.id for one in catalogue(folder)]
    assert found[-1]["id"] == "SHORT_PR"
    assert found[-1]["review"]["status"] == "awaiting review by a cardiologist"
    assert "CLBBB" in told(capsys, "list")


def test_a_diagnosis_is_shown_with_rules_sources_and_regions(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(told(capsys, "show", "CLBBB", "--json"))
    assert [one["key"] for one in found["definitions"]] == [one.key for one in entry("CLBBB").definitions]
    assert set(found["sources"]) >= {one.source for one in entry("CLBBB").definitions}
    text = told(capsys, "show", "CLBBB").replace("\n", " ")
    assert "primary: QRS in I, aVL, V1, V2, V5, V6" in text
    assert "https://doi.org/10.1016/j.jacc.2008.12.013" in text


def test_a_recording_is_evaluated_with_or_without_the_word(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    asked = ("demo:normal", "--label", "SHORT_PR", "--criteria", str(folder), "--json")
    found = json.loads(told(capsys, "evaluate", *asked))
    assert [one["state"] for one in found["findings"]] == ["not_met"]
    assert json.loads(told(capsys, *asked)) == found


def test_without_a_label_a_recording_is_told_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "demo:af")
    assert len(text.splitlines()) < 60
    assert "AFIB" in text[: text.index("Not met: ")]
    assert "of 166 published definitions" in text.replace(str(sum(len(e.definitions) for e in catalogue())), "166")
    assert "Not judged, since there is atrial fibrillation by esc2020: " in text
    names = {name for line in text.splitlines() if ": " in line for name in line.split(": ")[-1].strip(".").split(", ")}
    assert {"1AVB", "CLBBB", "ABQRS"} <= names


def test_the_schema_names_every_form_of_rule(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(told(capsys, "schema"))
    assert {"Entry", "BeatsRule", "UnmeasuredRule", "SumRule"} <= set(schema["$defs"])
    assert {"schema_version", "sources", "shared_rules", "entries"} <= set(schema["properties"])


def test_an_unknown_diagnosis_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["criteria", "show", "HICCUPS"]) == 2
    assert "there is no criterion 'HICCUPS'" in capsys.readouterr().err
