"""A case is complete, repeatable, private, and the same after a round trip through its folder."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ecg_files import damaged_member

from ecgviz.checkpoint import Model
from ecgviz.edit import edited, marks_table, read_marks, to_csv
from ecgviz.errors import CaseError, EditError, ModelError
from ecgviz.explain.untrained import _built
from ecgviz.pipeline import analyse, load_case, save_case
from ecgviz.pipeline.verify import BITWISE, verify
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.write import save_record
from ecgviz.report import write_report
from ecgviz.simulate import simulate
from ecgviz.types import Case, Record

LABELS = ("CD", "HYP", "MI", "NORM", "STTC")


@pytest.fixture(scope="module")
def case(narrow_model: Model) -> Case:
    return analyse(load_record("demo:inferior_stemi"), narrow_model, "MI", "attention_joint", seed=3)


def leaves(value: Any, path: str = "case") -> Iterator[tuple[str, Any]]:
    """Walk every number, text and array of a case."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        for key in value:
            yield from leaves(value[key], f"{path}.{key}")
    elif isinstance(value, tuple):
        for i, each in enumerate(value):
            yield from leaves(each, f"{path}.{i}")
    else:
        yield path, value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return bool(a == b or (isinstance(a, float) and np.isnan(a) and np.isnan(b)))


def test_a_case_holds_every_room_of_the_path(case: Case) -> None:
    assert len(case.beats) > 5
    assert case.measurements.value("rate_bpm") == pytest.approx(60 / np.median(case.beats.rr_s), rel=0.05)
    assert case.prediction.labels == LABELS
    assert {finding.superclass for finding in case.findings} == {"MI"}
    assert any(f.criterion == "IMI" and f.state == "met" for f in case.findings)
    assert {tap.level for tap in case.attention} == {"beat", "rhythm", "channel", "joint"}
    assert {"|x|", "|dx/dt|", "random networks"} == set(case.controls)
    assert case.agreement.method == "attention_joint"
    assert case.agreement.label in ("both", "criteria only")


def test_mass_is_conserved_to_the_end(case: Case) -> None:
    total = case.grid.pos.sum() - case.grid.neg.sum() + case.grid.outside
    assert total == pytest.approx(case.explanation.values.sum(), rel=1e-9)
    assert total == pytest.approx(1.0, rel=1e-5)


def test_provenance_names_everything_that_made_it(case: Case, narrow_model: Model) -> None:
    assert case.provenance["record_sha256"] == case.record.key
    assert case.provenance["model_sha256"] == narrow_model.digest
    assert case.provenance["seed"] == 3
    assert "Research and teaching only" in case.provenance["notice"]
    assert {"torch", "captum", "neurokit2"} <= set(case.provenance["packages"])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["integrated_gradients", "decomposition"])
def test_same_input_same_case_whatever_the_number_of_threads(narrow_model: Model, method: str) -> None:
    record = load_record("demo:lbbb")
    threads = torch.get_num_threads()
    try:
        cases = []
        for n in (1, 1, 2):
            torch.set_num_threads(n)
            _built.cache_clear()  # each builds its own random networks
            cases.append(analyse(record, narrow_model, "CD", method, seed=0))
    finally:
        torch.set_num_threads(threads)
    first, again, parallel = cases
    assert again.provenance["evidence_sha256"] == first.provenance["evidence_sha256"]
    assert again.agreement.why == first.agreement.why
    np.testing.assert_allclose(parallel.grid.pos, first.grid.pos, rtol=1e-3, atol=1e-6)
    for one, other in zip(parallel.controls["random networks"], first.controls["random networks"], strict=True):
        np.testing.assert_allclose(one.pos, other.pos, rtol=1e-3, atol=1e-5 * other.pos.max())
    assert parallel.agreement.evidence == first.agreement.evidence


def test_a_case_on_marks_of_ones_own_and_with_a_seed_of_numpy_is_found_the_same(narrow_model: Model) -> None:
    made = simulate("lbbb", seed=4, fs=500.0, duration_s=10.0)
    case = analyse(made.record, narrow_model, "CD", "saliency", seed=np.int64(3), beats=made.truth.beats)
    found = verify(case, narrow_model)
    assert found.state == BITWISE
    assert "beats" not in [each.part for each in found.parts]  # taken from the case, so nothing is said of them


def test_round_trip_through_a_folder_changes_nothing(case: Case, tmp_path: Path) -> None:
    save_case(case, tmp_path / "case")
    before, after = list(leaves(case)), list(leaves(load_case(tmp_path / "case")))
    assert [path for path, _ in before] == [path for path, _ in after]
    different = [path for (path, a), (_, b) in zip(before, after, strict=True) if not same(a, b)]
    assert different == []
    assert sorted(path.name for path in (tmp_path / "case").iterdir()) == ["arrays.npz", "case.json"]
    json.loads((tmp_path / "case" / "case.json").read_text(), parse_constant=pytest.fail)


def test_names_of_files_do_as_well_as_paths(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_case(case, "case")
    assert load_case("case").record.key == case.record.key
    save_record(case.record, "record.npz")
    assert load_record("record.npz").key == case.record.key
    write_report(case, "report.html")
    marks = marks_table(case.beats)
    (tmp_path / "marks.csv").write_text(to_csv(marks), encoding="utf-8")
    np.testing.assert_array_equal(read_marks("marks.csv", case.beats).r_s, case.beats.r_s)
    assert {path.name for path in tmp_path.iterdir()} == {"case", "record.npz", "report.html", "marks.csv"}


def test_nothing_is_overwritten_and_nothing_half_written_stays(case: Case, tmp_path: Path) -> None:
    save_case(case, tmp_path / "case")
    with pytest.raises(CaseError, match="exists already"):
        save_case(case, tmp_path / "case")
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_folders_that_hold_no_case_are_refused(case: Case, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"is no case folder: case\.json cannot be read"):
        load_case(tmp_path / "nothing")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "case.json").write_text("{}")
    with pytest.raises(CaseError, match=r"is no case folder: arrays\.npz cannot be read"):
        load_case(tmp_path / "half")
    np.savez(tmp_path / "half" / "arrays.npz")
    for empty in ("{}", "[]", '{"format": 1}'):
        (tmp_path / "half" / "case.json").write_text(empty)
        with pytest.raises(CaseError, match=r"does not hold a case: case\.json states no format, or no case"):
            load_case(tmp_path / "half")
    save_case(case, tmp_path / "case")
    text = json.loads((tmp_path / "case" / "case.json").read_text())
    del text["case"]["beats"]["r_s"]
    (tmp_path / "case" / "case.json").write_text(json.dumps(text))
    with pytest.raises(CaseError, match="does not hold a case"):
        load_case(tmp_path / "case")


def test_a_case_with_damaged_arrays_is_refused(case: Case, tmp_path: Path) -> None:
    save_case(case, tmp_path / "case")
    arrays = tmp_path / "case" / "arrays.npz"
    arrays.write_bytes(damaged_member(arrays.read_bytes(), "case.record.signal.npy"))
    with pytest.raises(CaseError, match="does not hold a case"):
        load_case(tmp_path / "case")


@pytest.mark.parametrize("wrong", [None, 5, "word", [1]])
@pytest.mark.parametrize("place", [(), ("record",), ("beats", "lead_marks"), ("findings",), ("prediction", "labels")])
def test_a_case_in_which_something_else_stands_is_refused(
    case: Case, tmp_path: Path, place: tuple[str, ...], wrong: Any
) -> None:
    save_case(case, tmp_path / "case")
    text = json.loads((tmp_path / "case" / "case.json").read_text())
    holder, key = text, "case"
    for name in place:
        holder, key = holder[key], name
    holder[key] = wrong
    (tmp_path / "case" / "case.json").write_text(json.dumps(text))
    with pytest.raises(CaseError, match="does not hold a case"):
        load_case(tmp_path / "case")


@pytest.mark.parametrize("name", ["notice", "model", "record_sha256", "seed"])
def test_a_case_whose_provenance_is_not_whole_is_refused_by_what_it_lacks(
    case: Case, tmp_path: Path, name: str
) -> None:
    save_case(case, tmp_path / "case")
    text = json.loads((tmp_path / "case" / "case.json").read_text())
    del text["case"]["provenance"][name]
    (tmp_path / "case" / "case.json").write_text(json.dumps(text))
    with pytest.raises(CaseError, match=f"does not hold a case: its provenance states no {name}"):
        load_case(tmp_path / "case")


def test_noise_is_a_case_in_which_nothing_is_assessable(narrow_model: Model) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (12, 5000))
    case = analyse(Record(noise, 500.0, STANDARD_LEADS, "noise"), narrow_model, "MI", "attention_joint")
    assert len(case.beats) == 0
    assert case.beats.reason
    assert case.agreement.evidence == "not assessable"
    assert np.isnan(case.agreement.share)
    assert all(finding.state == "not_evaluable" for finding in case.findings)


def test_marks_that_a_reader_changed_are_used_recorded_and_read_back(
    case: Case, narrow_model: Model, tmp_path: Path
) -> None:
    table = marks_table(case.beats)
    table["qrs_on"] -= 0.006
    table.loc[0, ["p_on", "p_off"]] = np.nan
    beats = edited(case.beats, table)
    changed = analyse(case.record, narrow_model, "MI", "attention_joint", seed=3, beats=beats)
    assert changed.beats is beats
    assert changed.measurements.value("qrs_ms") - case.measurements.value("qrs_ms") == pytest.approx(6, abs=0.01)
    assert changed.grid.area[0, 0] != case.grid.area[0, 0]
    assert changed.provenance["edited_marks"] == list(beats.edits)
    assert len(beats.edits) == len(beats) + 1
    assert case.provenance["edited_marks"] == []
    save_case(changed, tmp_path / "case")
    back = load_case(tmp_path / "case")
    assert back.beats.edits == beats.edits
    assert back.provenance["edited_marks"] == list(beats.edits)
    assert back.beats.why_no_p == beats.why_no_p
    np.testing.assert_array_equal(back.beats.qrs_on, beats.qrs_on)


def test_beats_of_another_recording_are_refused(case: Case, narrow_model: Model) -> None:
    shorter = replace(case.record, signal=case.record.signal[:, :-500])
    with pytest.raises(EditError, match="belong to a recording of"):
        analyse(shorter, narrow_model, "MI", "saliency", beats=case.beats)


def test_an_unknown_label_is_refused_by_name(narrow_model: Model) -> None:
    with pytest.raises(ModelError, match="CD, HYP, MI, NORM, STTC"):
        analyse(load_record("demo:normal"), narrow_model, "AFIB", "saliency")


def test_the_age_of_the_record_reaches_the_rules(narrow_model: Model) -> None:
    child = replace(load_record("demo:inferior_stemi"), age_years=9.0)
    case = analyse(child, narrow_model, "MI", "saliency")
    assert {finding.state for finding in case.findings} == {"not_evaluable"}
    assert all("9 years old" in finding.why for finding in case.findings)


def test_a_map_finer_than_the_region_is_scored_beside_every_control(narrow_model: Model) -> None:
    case = analyse(load_record("demo:inferior_stemi"), narrow_model, "MI", "input_x_gradient")
    assert [score.name for score in case.agreement.controls] == list(case.controls)
    assert 0 < case.agreement.area < 1
    assert case.agreement.share == pytest.approx(case.agreement.area * case.agreement.density)


def test_evidence_is_held_against_the_stage_that_the_recording_tells(narrow_model: Model) -> None:
    record = load_record("demo:inferior_stemi")
    acute, old = (
        analyse(replace(record, infarct_stages=(stage,)), narrow_model, "MI", "saliency") for stage in ("I", "III")
    )
    assert "IMI" in acute.agreement.criterion
    assert "IMI" not in old.agreement.criterion
    assert [each.definition for each in old.findings] == [each.definition for each in acute.findings]
