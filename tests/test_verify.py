"""A case says what it says again when it is computed once more, and tampering or change is seen."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.checkpoint import Model
from ecgviz.edit import shift_st
from ecgviz.errors import CaseError
from ecgviz.pipeline import analyse, load_case, save_case
from ecgviz.pipeline.verify import BITWISE, DIFFERENT, PARTS, WITHIN, Verification, _difference, verify
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.types import Case


@pytest.fixture(scope="module")
def case(narrow_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("cases") / "case"
    save_case(analyse(load_record("demo:inferior_stemi"), narrow_model, "MI", "decomposition", seed=4), folder)
    return load_case(folder)


def state_of(found: Verification, part: str) -> str:
    return next(each.state for each in found.parts if each.part == part)


def test_the_same_machine_gives_every_bit_again(case: Case, narrow_model: Model) -> None:
    found = verify(case, narrow_model)
    assert {each.part: each.state for each in found.parts} == dict.fromkeys(PARTS, BITWISE)
    assert (found.state, found.surroundings) == (BITWISE, ())


def test_last_digits_are_within_tolerance_and_more_is_different(case: Case, narrow_model: Model) -> None:
    nearly = replace(case.explanation, values=case.explanation.values * (1 + 1e-7))
    moved = replace(case.grid, pos=case.grid.pos * 1.01)
    told = {**case.provenance, "packages": {**case.provenance["packages"], "torch": "2.0"}}
    found = verify(replace(case, explanation=nearly, grid=moved, provenance=told), narrow_model)
    assert (state_of(found, "explanation"), state_of(found, "grid")) == (WITHIN, DIFFERENT)
    assert found.state == DIFFERENT
    (grid,) = [each for each in found.parts if each.part == "grid"]
    assert grid.where == "grid.pos"
    assert grid.difference == pytest.approx(0.01 / 1.01)
    assert found.surroundings[0].startswith("torch 2.0, now ")


@pytest.mark.parametrize(
    ("was", "is_now", "differs"),
    [
        ([np.inf, 1.0], [2.0, 1.0], None),
        ([np.inf, 1.0], [-np.inf, 1.0], None),
        ([np.nan, 1.0], [np.inf, 1.0], None),
        ([np.inf, np.nan, 1.0], [np.inf, np.nan, 1.0], 0.0),
        ([np.inf, np.nan, 1.0], [np.inf, np.nan, 2.0], 0.5),
    ],
)
def test_what_is_not_finite_equals_itself_alone(was: list[float], is_now: list[float], differs: float | None) -> None:
    assert _difference(np.array(was), np.array(is_now)) == differs
    assert _difference(np.array(is_now), np.array(was)) == differs


def test_an_infinite_value_in_a_map_is_different(case: Case, narrow_model: Model) -> None:
    values = np.array(case.explanation.values)
    values.flat[0] = np.inf
    found = verify(replace(case, explanation=replace(case.explanation, values=values)), narrow_model)
    assert state_of(found, "explanation") == DIFFERENT


def test_a_verdict_that_was_rewritten_is_different(case: Case, narrow_model: Model) -> None:
    found = verify(replace(case, agreement=replace(case.agreement, evidence="agrees, of course")), narrow_model)
    assert [each.part for each in found.parts if each.state == DIFFERENT] == ["agreement"]


def test_another_recording_or_other_weights_are_refused(case: Case, narrow_model: Model) -> None:
    signal = np.array(case.record.signal)
    signal[0, 0] += 0.001
    with pytest.raises(CaseError, match="is not the one it was made from"):
        verify(replace(case, record=replace(case.record, signal=signal)), narrow_model)
    told = {**case.provenance, "model_sha256": "0" * 64}
    with pytest.raises(CaseError, match="has other weights than the model of this case"):
        verify(replace(case, provenance=told), narrow_model)


def test_an_altered_recording_is_verified_on_the_beats_that_moved(narrow_model: Model) -> None:
    record = load_record("demo:normal")
    edited = shift_st(record, delineate(condition(record)), 0.3, ("V2",))
    case = analyse(edited.record, narrow_model, "MI", "saliency", beats=edited.beats)
    assert verify(case, narrow_model).state == BITWISE


@pytest.mark.parametrize(
    "change",
    [
        {"id": "ptbxl-00001"},
        {"simulated": False},
        {"assumptions": ()},
        {"codes": ("NORM",)},
        {"infarct_stages": ("I",)},
    ],
)
def test_what_the_recording_tells_of_itself_is_verified(case: Case, narrow_model: Model, change: dict) -> None:
    found = verify(replace(case, record=replace(case.record, **change)), narrow_model)
    assert [each.part for each in found.parts if each.state == DIFFERENT] == ["provenance"]
    assert found.parts[-1].where == "provenance.told_sha256"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notice", "A diagnosis."),
        ("model", "another"),
        ("model_version", "99"),
        ("method", "saliency"),
        ("edited_marks", ["beat 1: P wave deleted by a reader"]),
        ("evidence_sha256", "0" * 64),
    ],
)
def test_what_a_case_states_of_how_it_was_made_is_verified(
    case: Case, narrow_model: Model, name: str, value: object
) -> None:
    found = verify(replace(case, provenance={**case.provenance, name: value}), narrow_model)
    assert [each.part for each in found.parts if each.state == DIFFERENT] == ["provenance"]
    assert found.parts[-1].where.startswith(f"provenance.{name}")


def test_a_case_without_a_digest_of_what_its_recording_tells_says_that_it_was_not_verified(
    case: Case, narrow_model: Model
) -> None:
    told = {name: value for name, value in case.provenance.items() if name != "told_sha256"}
    found = verify(replace(case, provenance=told), narrow_model)
    assert found.state == BITWISE
    assert [each for each in found.surroundings if "so these were not verified" in each]


@pytest.mark.parametrize("name", ["seed", "threads"])
@pytest.mark.parametrize("value", [-1, 10**12, "four", 1.5, None, True, [1]])
def test_a_seed_or_number_of_threads_that_is_none_is_refused(
    case: Case, narrow_model: Model, name: str, value: object
) -> None:
    with pytest.raises(CaseError, match=f"this case says that its {name} is .* which is no whole number from "):
        verify(replace(case, provenance={**case.provenance, name: value}), narrow_model)


@pytest.mark.slow
def test_the_command_says_it_and_ends_with_1_where_something_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ecgviz.cli import main

    folder = str(tmp_path / "case")
    assert main(["explain", "demo:normal", "--label", "NORM", "--method", "decomposition", "--out", folder]) == 0
    capsys.readouterr()
    assert main(["verify", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == BITWISE
    path = tmp_path / "case" / "case.json"
    held = json.loads(path.read_text())
    held["case"]["agreement"]["evidence"] = "agrees"
    path.write_text(json.dumps(held))
    assert main(["verify", folder]) == 1
    assert "different" in capsys.readouterr().out
