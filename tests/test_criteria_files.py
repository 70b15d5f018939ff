"""Catalogue files: what a user may add, and what is refused, by file, entry and field."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import ecgviz
from ecgviz import yaml_text
from ecgviz.criteria import catalogue, evaluate, evaluate_all, for_label, load
from ecgviz.errors import CriteriaError
from tests.criteria_subjects import beats, measurements

SHORT_PR = {
    "form": "value",
    "role": "required",
    "text": "PR shorter than 110 ms",
    "measure": "pr_ms",
    "op": "<",
    "value": 110,
    "unit": "ms",
    "verification": "proposal",
}


OWN = {"key": "ours", "source": "svt2015", "rules": [SHORT_PR]}


def write(folder: Path, *, rule: dict[str, Any] | None = None, top: dict[str, Any] | None = None, **entry: Any) -> Path:
    """Write a folder with one file, "own.yaml", that holds one entry; the arguments replace parts of it."""
    definition = {"key": "ours", "source": "svt2015", "rules": [SHORT_PR | (rule or {})]}
    made = {"id": "SHORT_PR", "name": "short PR interval", "maps": {}, "level": ["beat"], "definitions": [definition]}
    content = {"schema_version": 1, "entries": [made | entry], **(top or {})}
    (folder / "own.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_a_users_own_folder_is_used_beside_ours(tmp_path: Path) -> None:
    folder = write(tmp_path, maps={"scp": ["SPR"], "superclass": "CD"})
    assert {one.id for one in catalogue(folder)} == {one.id for one in catalogue()} | {"SHORT_PR"}
    assert "SHORT_PR" in {one.id for one in for_label("CD", folder)}
    measured = measurements({"pr_ms": 95.0})
    (found,) = evaluate("SPR", measured, beats(), age_years=50, sex="male", folder=folder)
    assert found.state == "met"
    assert found.why == "PR 95 ms < 110 ms (+15): met (ACC/AHA/HRS 2015)"
    assert evaluate("SPR", measured, beats(), age_years=50, sex="male") == ()


def test_a_users_file_may_use_our_shared_rules_and_bring_sources(tmp_path: Path) -> None:
    source = {
        "short": "We 2026",
        "citation": "We. Our own limits. Journal of Our Own 2026;1:1-2.",
        "doi": "10.1000/own",
    }
    rule = {"form": "use", "use": "st_elevation", "role": "required", "leads": ["V5", "V6"]}
    definition = {"key": "ours", "source": "we", "rules": [rule]}
    folder = write(tmp_path, definitions=[definition], top={"sources": {"we": source}})
    measured = measurements(per_lead={"j_mv": {"V5": 0.2, "V6": 0.2}})
    (found,) = evaluate("SHORT_PR", measured, beats(), age_years=50, sex="male", folder=folder)
    assert found.state == "met"
    assert "We 2026" in found.why
    assert "10.1000/own" in found.source


def test_a_definition_may_be_kept_from_being_judged_alone(tmp_path: Path) -> None:
    folder = write(tmp_path, definitions=[OWN, OWN | {"key": "without_delay", "blocked_by": ["IVCD"]}])

    def states(qrs_ms: float) -> list[str]:
        measured = measurements({"pr_ms": 95.0, "qrs_ms": qrs_ms})
        found = evaluate("SHORT_PR", measured, beats(), age_years=50, sex="male", folder=folder)
        return [one.state for one in found]

    assert states(90.0) == ["met", "met"]
    assert states(115.0) == ["met", "not_evaluable"]  # it is open whether there is a delay
    assert states(140.0) == ["met", "not_evaluable"]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert load(write(tmp_path)).entries["SHORT_PR"].name == "short PR interval"
    folder = write(tmp_path, name="another name for it")
    import os

    os.utime(folder / "own.yaml", (1, 1))
    assert load(folder).entries["SHORT_PR"].name == "another name for it"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"rule": {"unit": "mV"}},
            r"own.yaml: entry SHORT_PR, field .*rules.0.*: unit 'mV' is not that of pr_ms.*'ms'",
        ),
        ({"rule": {"measure": "pr"}}, r"own.yaml: entry SHORT_PR, field .*: there is no measurement 'pr'; known are"),
        ({"rule": {"measure": "r_mv"}}, r"entry SHORT_PR, field .*: r_mv is measured in each lead"),
        ({"rule": {"op": "=="}}, r"entry SHORT_PR, field definitions.0.rules.0.op: .*given '=='"),
        ({"rule": {"role": "must"}}, r"entry SHORT_PR, field definitions.0.rules.0.role"),
        ({"rule": {"form": "python"}}, r"entry SHORT_PR, field definitions.0.rules.0: .*'python'"),
        ({"rule": {"source": "nobody"}}, r"entry SHORT_PR, field definitions.0.rules.0.source: there is no source"),
        ({"rule": {"role": "supporting"}}, r"entry SHORT_PR, field definitions.0.rules: all rules are supporting"),
        ({"rule": {"colour": "red"}}, r"entry SHORT_PR, field .*colour: Extra inputs are not permitted"),
        ({"level": []}, r"entry SHORT_PR, field level"),
        ({"maps": {"superclass": "HEART"}}, r"entry SHORT_PR, field maps.superclass: .*given 'HEART'"),
        ({"id": "IMI"}, r"own.yaml: entry IMI, field id: the catalogue has an entry of that id already"),
        ({"rule": {"value": float("nan")}}, r"rules.0.value: Input should be a finite number \(given nan\)"),
        ({"rule": {"value": float("inf")}}, r"rules.0.value: Input should be a finite number \(given inf\)"),
        ({"rule": {"tolerance": float("inf")}}, r"rules.0.tolerance: Input should be a finite number \(given inf\)"),
        ({"rule": {"points": float("nan")}}, r"rules.0.points: .*finite number"),
        ({"gates": {"age_from": float("nan")}}, r"field gates.age_from: Input should be a finite number"),
        ({"blocked_by": ["XYZ"]}, r"entry SHORT_PR, field blocked_by: there is no entry 'XYZ'"),
        ({"definitions": [OWN | {"blocked_by": ["XYZ"]}]}, r"field definitions.0.blocked_by: there is no entry 'XYZ'"),
        ({"definitions": [OWN | {"blocked_by": ["SHORT_PR"]}]}, r"wait for each other: SHORT_PR -> SHORT_PR"),
        ({"blocked_by": ["SHORT_PR"]}, r"entry SHORT_PR, .* wait for each other: SHORT_PR -> SHORT_PR"),
        ({"roi": {"primary": [{"leads": ["V9"], "segments": ["P"]}]}}, r"field roi.primary.0.*: 'V9' is no lead"),
        ({"roi": {"primary": [{"leads": ["II"], "segments": ["U"]}]}}, r"field roi.primary.0: there is no segment 'U'"),
        ({"top": {"schema_version": 2}}, r"own.yaml, field schema_version: .*given 2"),
        ({"top": {"sources": {"udmi2018": {"short": "x", "citation": "y", "doi": "10.1000/1"}}}}, r"source udmi2018"),
        ({"top": {"sources": {"we": {"short": "x", "citation": "y", "doi": "none"}}}}, r"field sources.we.doi"),
    ],
)
def test_a_broken_entry_is_refused_by_file_entry_and_field(tmp_path: Path, change: dict[str, Any], match: str) -> None:
    with pytest.raises(CriteriaError, match=match):
        load(write(tmp_path, **change))


LEADS_RULE = {
    "form": "leads",
    "role": "required",
    "text": "some leads",
    "verification": "proposal",
    "count": "any",
    "cases": [{"leads": ["V1"], "any_of": [[{"measure": "t_mv", "op": "<", "value": 0, "unit": "mV"}]]}],
}
SUM_RULE = {
    "form": "sum",
    "role": "required",
    "text": "a sum",
    "verification": "proposal",
    "terms": [{"measure": "r_mv", "leads": ["V1"], "factor": float("-inf")}],
    "op": ">",
    "value": 1,
    "unit": "mV",
}
ENDLESS = {"rows": [{"sex": "male", "value": float("nan")}, {"sex": "female", "value": 2.0, "age_from": float("-inf")}]}
NO_NUMBER = {"measure": "t_mv", "op": "<", "value": float("nan"), "unit": "mV"}
TABLE = {"rows": [{"sex": "male", "value": 1.0}, {"sex": "female", "age_from": 40, "value": 2.0}]}


@pytest.mark.parametrize(
    ("rule", "match"),
    [
        (SUM_RULE, r"rules.0.terms.0.factor: Input should be a finite number \(given -inf\)"),
        ({**SHORT_PR, "value": ENDLESS}, r"rules.0.value.rows.0.value: .*finite number \(given nan\)"),
        ({**LEADS_RULE, "cases": [{"leads": ["V1"], "any_of": [[NO_NUMBER]]}]}, r"any_of.0.0.value: .*finite number"),
        ({**SHORT_PR, "value": TABLE}, r"0 rows hold for a female of 0 years; exactly one must"),
        ({**LEADS_RULE, "count": 3}, r"3 of 1 leads can never hold"),
        ({**LEADS_RULE, "cases": LEADS_RULE["cases"] * 2}, r"a lead stands in two cases"),
        (
            {
                **LEADS_RULE,
                "cases": [{"leads": ["-aVR"], "any_of": [[{"measure": "r_mv", "op": "<", "value": 0, "unit": "mV"}]]}],
            },
            r"r_mv has no meaning in -aVR",
        ),
        ({"form": "use", "use": "q_waves", "role": "required"}, r"rules.0.use: there is no shared rule 'q_waves'"),
        ({"form": "use", "use": "q_wave", "role": "required", "leads": ["V1"]}, r"the shared rule asks nothing of V1"),
        (
            {
                "form": "finding",
                "finding": "LVH",
                "definition": "ours",
                "role": "excluding",
                "text": "t",
                "verification": "proposal",
            },
            r"rules.1.finding: there is no finding 'LVH ours'",
        ),
        (
            {
                "form": "sum",
                "terms": [{"measure": "s_mv", "leads": ["V1"]}],
                "op": ">",
                "value": 1,
                "unit": "ms",
                "role": "required",
                "text": "S in V1",
                "verification": "proposal",
            },
            r"unit 'ms' is not that of S in V1, which is 'mV'",
        ),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_refused(tmp_path: Path, rule: dict[str, Any], match: str) -> None:
    rules = [SHORT_PR, rule] if rule["form"] == "finding" else [rule]
    definition = {"key": "ours", "source": "svt2015", "rules": rules}
    with pytest.raises(CriteriaError, match=match):
        load(write(tmp_path, definitions=[definition]))


def test_a_broad_definition_does_not_stand_for_its_entry_unless_it_is_named(tmp_path: Path) -> None:
    short, shorter = SHORT_PR, SHORT_PR | {"value": 80}
    asking = {
        "form": "finding",
        "role": "required",
        "finding": "SHORT_PR",
        "text": "a short PR",
        "verification": "proposal",
    }
    entries = [
        {"id": "SHORT_PR", "definitions": [("wide", True, [short]), ("narrow", False, [shorter])]},
        {
            "id": "ASKING",
            "definitions": [("any", False, [asking]), ("named", False, [asking | {"definition": "wide"}])],
        },
        {"id": "BARRED", "blocked_by": ["SHORT_PR"], "definitions": [("ours", False, [short])]},
    ]
    made = [
        {"name": "one of ours", "maps": {}, "level": ["beat"]}
        | one
        | {
            "definitions": [
                {"key": key, "source": "svt2015", "broad": broad, "rules": rules}
                for key, broad, rules in one["definitions"]
            ]
        }
        for one in entries
    ]
    folder = write(tmp_path, top={"entries": made})

    def states(pr_ms: float) -> dict[str, str]:
        findings = evaluate_all(measurements({"pr_ms": pr_ms}), beats(), age_years=50, sex="male", folder=folder)
        return {f"{f.criterion}/{f.definition}": f.state for f in findings if f.criterion in ("ASKING", "BARRED")}

    assert states(98.0) == {"ASKING/any": "not_met", "ASKING/named": "met", "BARRED/ours": "met"}
    assert states(85.0) == {"ASKING/any": "borderline", "ASKING/named": "met", "BARRED/ours": "not_evaluable"}
    assert states(65.0) == {"ASKING/any": "met", "ASKING/named": "met", "BARRED/ours": "not_evaluable"}
    with pytest.raises(CriteriaError, match=r"entry SHORT_PR, field definitions: all are broad"):
        load(write(tmp_path, definitions=[{"key": "ours", "source": "svt2015", "broad": True, "rules": [SHORT_PR]}]))


def test_two_definitions_of_one_key_and_alternatives_that_are_not_there_are_refused(tmp_path: Path) -> None:
    definition = {"key": "ours", "source": "svt2015", "rules": [SHORT_PR]}
    with pytest.raises(CriteriaError, match=r"the keys ours, ours are not all different"):
        load(write(tmp_path, definitions=[definition, definition]))
    with pytest.raises(CriteriaError, match=r"at_least: 2 of 0 alternatives can never hold"):
        load(write(tmp_path, definitions=[definition | {"at_least": 2}]))


def test_a_folder_without_criteria_and_a_file_that_is_no_yaml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CriteriaError, match=r"no folder with criteria"):
        load(tmp_path / "nowhere")
    (tmp_path / "own.yaml").write_text("entries: [a: b: c", encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"own.yaml: this is not YAML"):
        load(tmp_path)
    (tmp_path / "own.yaml").write_text("[" * 10**5, encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"own.yaml: this is not YAML: it is nested too deep"):
        load(tmp_path)
    (tmp_path / "own.yaml").write_text("sources: {}\nentries: []\nsources: {}\n", encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"own.yaml: this is not YAML: 'sources' is given twice .*line 3"):
        load(tmp_path)
    (tmp_path / "own.yaml").write_text("schema_version: 1\nentries: [5]\n", encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"own.yaml: entry number 1, field "):
        load(tmp_path)
    (tmp_path / "own.yaml").write_text("- just\n- a list\n", encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"own.yaml, field top"):
        load(tmp_path)


def test_a_small_file_that_names_one_list_a_billion_times_is_refused_as_fast_as_any(tmp_path: Path) -> None:
    lists = [f"&a [{', '.join(9 * ['ha'])}]"]
    lists += [f"&{name} [{', '.join(9 * [f'*{of}'])}]" for of, name in pairwise("abcdefghi")]
    (tmp_path / "own.yaml").write_text(f"schema_version: 1\nentries: [{', '.join(lists)}]\n", encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"own.yaml: entry number 1") as refusal:
        load(tmp_path)
    assert len(str(refusal.value)) < 300


def test_tables_that_ship_say_the_same_to_the_fast_reader_and_to_the_one_for_users() -> None:
    shipped = sorted(Path(ecgviz.__file__).parent.rglob("*.yaml"))
    assert len(shipped) > 19
    for path in shipped:
        text = path.read_text(encoding="utf-8")
        assert yaml_text.ours(text) == yaml_text.theirs(text), path.name


@pytest.mark.parametrize("text", ["just words", "- a list", "7"])
def test_a_file_that_holds_no_fields_is_refused_without_names_of_the_program(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CriteriaError, match=r"mine\.yaml, field top: fields with their values are wanted here"):
        load(tmp_path)
