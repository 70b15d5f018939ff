"""The Criteria page as a cardiologist's reasoning, and the guideline library: every entry, found, linked and shown."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import on_page
import pytest
from streamlit.testing.v1 import AppTest

from ecgviz.beats import delineate
from ecgviz.cli import main
from ecgviz.criteria import Source, catalogue, entry, evaluate
from ecgviz.figures.verdict_tables import criteria_table, order_words
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.simulate import FINDINGS
from ecgviz.types import Agreement, ControlScore, CriterionScore
from ecgviz.ui import against_guideline, citations, reasoning, words
from ecgviz.ui.guideline import entry_view, examples, find, look_alikes
from ecgviz.ui.state import criteria
from ecgviz.ui.state import entry as address
from ecgviz.ui.state.examples import example

IDS = [one.id for one in catalogue()]
AWAITING = "awaiting review by a cardiologist"


def texts(app: AppTest) -> str:
    said = "\n".join(each.value for each in (*app.markdown, *app.info, *app.warning, *app.error))
    return said.replace("\\", "")


def table(app: AppTest, column: str):
    """Return the first table of the page that has a column, as its reader sees it."""
    found = next(each.value for each in app.table if column in each.value.columns)
    return found.map(lambda cell: re.sub(r"\\(.)", r"\1", str(cell)).replace("\N{NO-BREAK SPACE}", " "))


def library(app: AppTest, name: str = "") -> AppTest:
    """Open the guideline library at an entry, as its address does."""
    app.switch_page("pages/guideline_library.py")
    if name:
        app.query_params[address.PARAMETER] = name
    return app.run()


def opened(app: AppTest) -> str:
    return app.selectbox(key=address.PICKER).value


def pick_label(app: AppTest, label: str) -> AppTest:
    (picker,) = [box for box in app.selectbox if box.label == "Label"]
    return picker.set_value(label).run()


def diagnoses(app: AppTest):
    """Return the picker of the diagnoses that a superclass stands for."""
    (picker,) = [box for box in app.selectbox if "stands for" in box.label]
    return picker


def test_the_criteria_of_a_recording_read_as_a_reasoning(app: AppTest):
    app.selectbox(key="demo").set_value("inferior_stemi").run()
    app.switch_page("pages/criteria.py").run()
    pick_label(app, "MI")
    assert not app.exception
    diagnosis = diagnoses(app)
    assert diagnosis.options[0].startswith("✓ IMI, inferior myocardial infarction: 1 met, ")
    assert all(option.startswith("✓") for option in diagnosis.options[:3])
    diagnosis.set_value("INJLA").run()
    assert "may be the mirror image" in table(app, "published definition")["measured beside limit"][0]
    diagnoses(app).set_value("IMI").run()
    assert AWAITING in texts(app)
    side_by_side = table(app, "published definition")
    assert list(side_by_side["published definition"]) == [
        "acute udmi2018", "q with t udmi2018", "prior udmi2018", "prior udmi2018 with iii", "minnesota 1 1",
    ]  # fmt: skip
    assert list(side_by_side["verdict"]) == ["✓ met", *["✗ not met"] * 4]
    assert "aVF +0.29 mV >= 0.10 mV" in side_by_side["measured beside limit"][0]
    assert side_by_side["source"][0].endswith("(https://doi.org/10.1016/j.jacc.2018.08.1038)")
    rules = table(app, "rule is")
    assert list(rules["rule is"]) == ["✓ met", "✓ met"]
    assert rules["margin"][0] == "+0.23 mV"
    assert "read in a text that quotes it" in rules["source, and how it is known"][0]
    (definition,) = [each for each in app.segmented_control if each.label.startswith("Definition")]
    definition.set_value("minnesota_1_1").run()
    assert set(table(app, "rule is")["rule is"]) == {"✗ not met"}
    assert "Minnesota Code manual" in texts(app)
    assert len(on_page.figures(app)) == 3


def test_what_keeps_an_entry_from_being_judged_is_said(app: AppTest):
    app.selectbox(key="demo").set_value("lbbb").run()
    app.switch_page("pages/criteria.py").run()
    pick_label(app, "HYP")
    diagnoses(app).set_value("LVH").run()
    assert "not evaluable: there is complete left bundle branch block by aha2009" in texts(app).lower()
    assert set(table(app, "published definition")["verdict"]) == {"? not evaluable"}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("not evaluable: the rhythm is paced (A 2009)", ["Not evaluable: the rhythm is paced (A 2009)."]),
        ("V1 not measurable, LVH not evaluable: not evaluable (A 2009)", []),
    ],
)
def test_only_what_keeps_all_rules_from_being_judged_stands_above_them(
    monkeypatch: pytest.MonkeyPatch, why: str, said: list[str]
):
    notes: list[str] = []
    monkeypatch.setattr(reasoning.widgets, "note", notes.append)
    monkeypatch.setattr(reasoning.widgets, "show_table", lambda *_: None)
    clean = condition(load_record("demo:normal"))
    beats = delineate(clean)
    finding = evaluate("CLBBB", measure(clean, beats), beats, age_years=40, sex="male")[0]
    reasoning.rules(dataclasses.replace(finding, state="not_evaluable", why=why))
    assert notes == said


def verdict(method: str, evidence: str) -> Agreement:
    control = ControlScore("|x|", 0.1, 0.2, 0.1, 0.3)
    shares = {"share": 0.3, "area": 0.05, "controls": (control,), "p_time": 0.01, "p_place": 0.02}
    return Agreement(evidence, "why", **shares, criterion="IMI", method=method, label="both")


def test_the_area_of_a_region_is_told_as_part_of_what_the_map_covers():
    told = words.nulls(verdict("saliency", "agrees"))
    assert told.endswith("The region covers 5.0 % of the lead-seconds that the map covers.")


OWN = """
schema_version: 1
entries:
  - id: OURS
    name: wide complexes of our own
    maps: {superclass: MI}
    level: [beat]
    definitions:
      - key: ours
        source: proposal
        rules:
          - form: value
            role: required
            text: QRS of 60 ms or more
            measure: qrs_ms
            op: ">="
            value: 60
            unit: ms
            verification: proposal
    roi: {primary: [{leads: [V1], segments: [QRS]}]}
"""


def test_criteria_of_ones_own_stand_beside_the_shipped_ones_until_they_are_switched_off(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    monkeypatch.setenv(criteria.VARIABLE, str(tmp_path))
    assert "OURS" in opened_entries(library(app))
    app.query_params[address.PARAMETER] = "OURS"
    app.run()
    assert "of your own folder, own.yaml" in texts(app)
    assert "This is an entry of your own folder, so there is no example of it here." in texts(app)
    app.selectbox(key="demo").set_value("inferior_stemi").run()
    pick_label(app.switch_page("pages/criteria.py").run(), "MI")
    diagnoses(app).set_value("OURS").run()
    assert list(table(app, "rule is")["rule is"]) == ["✓ met"]
    assert "the verdict above is about the shipped criteria alone" in texts(app)
    app.toggle(key=criteria.SWITCH).set_value(False).run()
    assert "OURS" not in texts(app)
    assert "OURS" not in opened_entries(library(app))


def test_a_fault_in_criteria_of_ones_own_is_a_sentence_and_the_shipped_ones_stand(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "own.yaml").write_text(OWN.replace(">=", "=>"), encoding="utf-8")
    monkeypatch.setenv(criteria.VARIABLE, str(tmp_path))
    library(app)
    (error,) = app.error
    assert "own.yaml: entry OURS, field definitions.0.rules.0.op" in error.value.replace("\\", "")
    assert opened_entries(app) == IDS


def test_the_dashboard_is_started_with_criteria_of_ones_own_or_refuses_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    assert main(["app", "--criteria", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["criteria"] == [str(tmp_path.resolve())]
    assert main(["app", "--criteria", str(tmp_path / "nowhere"), "--json"]) == 2
    assert "there is no folder with criteria" in capsys.readouterr().err


def opened_entries(app: AppTest) -> list[str]:
    return [option.partition(": ")[0] for option in app.selectbox(key=address.PICKER).options]


def test_methods_that_differ_are_said_to_disagree():
    same = [verdict("saliency", "agrees"), verdict("input_x_gradient", "agrees")]
    assert against_guideline.together(same) == "2 of 2 methods can be judged, and come to one verdict: agrees."
    other = [*same, verdict("integrated_gradients", "partly")]
    assert against_guideline.together(other).startswith("Methods disagree: Saliency agrees, ")
    blind = [verdict("saliency", "not assessable"), verdict("input_x_gradient", "not assessable")]
    assert against_guideline.together(blind) == "None of these methods can be judged on this record."
    rows = against_guideline.verdict_table(other)
    assert list(rows["verdict"]) == ["agrees", "agrees", "partly"]
    assert rows["above the best control, points"][0] == "20.0"


def test_each_criterion_has_its_own_share_and_controlled_p_values_and_the_order_of_cells_is_told():
    scores = (
        CriterionScore("IMI", 0.3, 0.05, 0.01, 0.02, 0.02, 0.04),
        CriterionScore("INJLA"),
    )
    scored = dataclasses.replace(
        verdict("saliency", "agrees"), criteria=scores, pointing=1.0, rank_accuracy=0.4, auprc=0.35
    )
    rows = criteria_table(scored)
    assert list(rows["p in time (q)"]) == ["0.010 (0.020)", "not tested"]
    assert list(rows["p in place (q)"]) == ["0.020 (0.040)", "not tested"]
    assert list(rows["share in its region"]) == ["30 %", "–"]
    told = order_words(scored)
    assert "100 % of the densest cell and 40 % of the densest cells as large as the region" in told
    assert told.endswith("An even map has 5.0 % in each.")
    assert order_words(verdict("saliency", "agrees")) == ""


def test_an_address_opens_an_entry_with_its_sign_off_rules_and_place(app: AppTest):
    for name in ("CLBBB", "LAO/LAE", "BRADY", "PRC(S)", "ABQRS"):
        library(app, name)
        assert not app.exception
        assert not app.error
        assert opened(app) == name
        assert AWAITING in texts(app)
        assert f"### {entry(name).name[0].upper()}{entry(name).name[1:]} ({name})" in texts(app)
        rules = table(app, "measured how, and limit")
        assert list(rules["rule"]) == [rule.text for rule in entry(name).definitions[0].rules]
        has_place = bool(entry_view.roi_maps(entry(name).definitions[0].roi or entry(name).roi, ()))
        has_example = bool(examples.findings_for(name))
        assert len(on_page.figures(app)) == has_place + has_example
        assert ("names no leads and waves" in texts(app)) == (not has_place)
        assert ("The simulator cannot plant this finding" in texts(app)) == (not has_example)


def test_names_keep_the_capitals_of_leads_and_waves(app: AppTest):
    assert "### ST depression (STD_)" in texts(library(app, "STD_"))
    assert "### Inverted T waves (INVT)" in texts(library(app, "INVT"))


def test_an_address_that_names_no_entry_and_words_that_match_none_are_told_in_a_sentence(app: AppTest):
    library(app, "![x](http://evil.example)")
    (warning,) = app.warning
    assert "which the catalogue does not have" in warning.value
    assert "![" not in warning.value
    assert opened(app) == IDS[0]
    app.text_input(key=address.FILTERS[0]).set_value("no such words").run()
    assert not app.exception
    assert "No entry matches" in texts(app)


def test_a_link_to_an_entry_opens_it_although_a_filter_hides_it(app: AppTest):
    library(app)
    app.text_input(key=address.FILTERS[0]).set_value("bundle").run()
    assert set(app.selectbox(key=address.PICKER).options) < {f"{one.id}: {one.name}" for one in catalogue()}
    app.query_params[address.PARAMETER] = "AFIB"
    app.run()
    assert opened(app) == "AFIB"
    assert app.text_input(key=address.FILTERS[0]).value == ""
    app.selectbox(key=address.PICKER).set_value("WPW").run()
    assert opened(app) == "WPW"
    assert "Where it looks" in json.dumps(on_page.figures(app)[0])


def test_the_example_is_shown_with_and_without_its_finding(app: AppTest):
    library(app, "CLBBB")
    both = table(app, "without it")
    assert len(both) == len(entry("CLBBB").definitions)
    assert "✓ met" in set(both["with the finding"])
    assert set(both["without it"]) == {"✗ not met"}
    with_it = on_page.figures(app)[-1]
    app.segmented_control(key="twin").set_value("without it").run()
    without = on_page.figures(app)[-1]
    assert "simulated:lbbb:" in json.dumps(with_it)
    assert "simulated:normal:" in json.dumps(without)
    assert "primary" in {shape.get("name") for shape in with_it["layout"]["shapes"]}
    assert "primary" not in {shape.get("name") for shape in without["layout"]["shapes"]}


def test_entries_are_found_by_words_code_group_and_level():
    def ids(*args, **more) -> list[str]:
        return [one.id for one in find.matching(catalogue(), *args, **more)]

    assert ids() == IDS
    assert ids("Left BUNDLE branch") == [name for name in IDS if name in ids("bundle") and name in ids("left branch")]
    assert "CLBBB" in ids("left bundle branch")
    assert ids(code="164909002") == ["CLBBB"]
    assert set(ids(code="MI")) == {"ALMI", "ASMI", "ILMI", "IMI", "IPLMI", "IPMI", "LMI", "PMI"}
    assert set(ids(groups=["hypertrophy"])) == {one.id for one in catalogue() if one.maps.superclass == "HYP"}
    assert set(ids(levels=["rhythm"])) == {one.id for one in catalogue() if "rhythm" in one.level}
    assert ids("pr longer than 120", groups=["hypertrophy"], levels=["rhythm"]) == []
    groups = [find.group(one) for one in catalogue()]
    assert all(groups)
    assert len(set(groups)) == 6


def test_look_alikes_are_entries_and_every_pair_stands_once():
    pairs = look_alikes.pairs()
    assert len({frozenset(pair.entries) for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert set(pair.entries) <= set(IDS)
        assert pair.entries[0] != pair.entries[1]
        assert pair.apart.endswith(".")
    one = next(pair for pair in pairs if "CLBBB" in pair.entries)
    assert one.beside("CLBBB") != "CLBBB"
    assert one.beside(one.beside("CLBBB")) == "CLBBB"


@pytest.mark.parametrize("name", ["MI_LBBB", "LNGQT", "STD_", "ABQRS"])
def test_what_an_entry_is_not_judged_beside_is_listed_with_when(app: AppTest, name: str):
    library(app, name)
    said, one = texts(app), entry(name)
    open_too = "**Not judged beside** (when it is there, or while it is open whether it is)"
    only_met = "**Not judged beside** (when it is there; while that is open, a caution says so)"
    assert (open_too in said, only_met in said) == (bool(one.blocked_by), bool(one.blocked_if_met))
    linked = {each.proto.label for each in app.get("page_link")}
    for other in (*one.blocked_by, *one.blocked_if_met):
        assert any(other in label for label in linked), other


def test_an_example_that_is_not_named_after_its_entry_meets_it_and_its_healthy_twin_does_not():
    assert {name for spec in FINDINGS.values() for name in spec.criteria} <= set(filter(examples.findings_for, IDS))
    assert set(examples.ALSO) <= set(IDS)
    made = {
        finding: example.__wrapped__(finding) for finding in {each for some in examples.ALSO.values() for each in some}
    }
    for name, findings in examples.ALSO.items():
        for finding in findings:
            assert name in made[finding].shown.met(), (name, finding)
            assert finding == examples.NORMAL or name not in made[finding].twin.met(), (name, finding)


def test_sources_link_to_their_publication_and_show_their_text_letter_by_letter():
    cited = Source(short="A [b](c) 2020", citation="Smith J. *Title*.", doi="10.1000/x(1)")
    assert citations.source(cited) == r"[A \[b\]\(c\) 2020](https://doi.org/10.1000/x%281%29)"
    assert citations.citation(cited).startswith(r"Smith J\. \*Title\*\. [doi:")
    assert citations.source(Source(short="texts", citation="Texts.")) == "texts"


def test_where_a_definition_looks_in_the_leads_that_are_met_all_that_it_asks_are_shown():
    asked = entry_view.asked_leads(entry("INVT").definition("udmi2018"))
    assert "V4" in asked
    assert np.isin(asked, ["I", "II", "III", "-aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]).all()
