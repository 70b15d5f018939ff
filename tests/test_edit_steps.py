"""What-if edits by name: what each takes, that they follow one another, and that age and sex are edits too."""

import inspect
import math

import numpy as np
import pytest

from ecgviz import edit
from ecgviz.beats import delineate
from ecgviz.criteria import evaluate
from ecgviz.edit import CHANGES, apply_steps, change_person, step
from ecgviz.errors import EditError, RecordError
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.types import Beats, Record


@pytest.fixture(scope="module")
def record() -> Record:
    return load_record("demo:normal")


@pytest.fixture(scope="module")
def beats(record: Record) -> Beats:
    return delineate(condition(record))


@pytest.mark.parametrize("name", CHANGES)
def test_every_edit_takes_what_its_function_takes_and_starts_within_its_limits(name: str) -> None:
    change = CHANGES[name]
    assert getattr(edit, name) is change.run
    assert [each.name for each in change.takes] == list(inspect.signature(change.run).parameters)[2:]
    for takes in change.takes:
        if takes.kind == "number" and not math.isnan(float(takes.start)):
            assert takes.low <= float(takes.start) <= takes.high
        if takes.kind == "choice":
            assert takes.start in takes.choices


def test_steps_follow_one_another_and_each_is_told(record: Record, beats: Beats) -> None:
    steps = [step("shift_st", mv=0.2, leads=("V2", "V3")), step("change_rate", bpm=90.0)]
    edited = apply_steps(record, beats, steps)
    by_hand = edit.change_rate(*_pair(edit.shift_st(record, beats, 0.2, ("V2", "V3"))), 90.0)
    np.testing.assert_array_equal(edited.record.signal, by_hand.record.signal)
    np.testing.assert_array_equal(edited.beats.r_s, by_hand.beats.r_s)
    assert len(edited.record.altered) == 2
    assert edited.sentence.startswith("altered: ST segment shifted by +0.2 mV in V2, V3; then ")


def _pair(edited: edit.Edited) -> tuple[Record, Beats]:
    return edited.record, edited.beats


def test_a_step_reads_as_the_python_that_makes_it(record: Record, beats: Beats) -> None:
    wanted = step("scale_wave", wave="T", leads=("V5", "V6"), factor=-1.0)
    made = eval(str(wanted), {"scale_wave": edit.scale_wave, "record": record, "beats": beats})  # noqa: S307
    np.testing.assert_array_equal(made.record.signal, apply_steps(record, beats, [wanted]).record.signal)


def test_what_stays_as_it_is_is_no_part_of_a_step(record: Record, beats: Beats) -> None:
    wanted = step("change_person", age_years=80.0, sex=CHANGES["change_person"].takes[1].start)
    assert wanted == step("change_person", age_years=80.0)
    assert apply_steps(record, beats, [wanted]).record.sex == record.sex == "female"


def test_a_step_that_cannot_be_made_is_told_by_its_number(record: Record, beats: Beats) -> None:
    with pytest.raises(EditError, match=r"^step 2, remove p waves: no beat of .* has a P wave to remove$"):
        apply_steps(record, beats, [step("remove_p"), step("remove_p")])
    with pytest.raises(EditError, match="there is no edit 'invert'"):
        step("invert")
    with pytest.raises(EditError, match="widen_qrs does not take ms; it takes factor"):
        step("widen_qrs", ms=20.0)
    with pytest.raises(EditError, match=r"widen_qrs needs factor$"):
        step("widen_qrs")
    with pytest.raises(EditError, match="no edit to make"):
        apply_steps(record, beats, [])


def test_another_sex_changes_no_sample_and_the_limits_that_depend_on_it() -> None:
    """QTc of the long-QT demo is held against 450 ms in men and 460 ms in women (AHA 2009)."""
    record = load_record("demo:long_qt")
    beats = delineate(condition(record))
    measured = measure(condition(record), beats)
    limits = {}
    for sex in ("male", "female"):
        as_stated = record if record.sex == sex else change_person(record, beats, sex=sex).record
        np.testing.assert_array_equal(as_stated.signal, record.signal)
        findings = evaluate("LNGQT", measured, beats, age_years=as_stated.age_years, sex=as_stated.sex)
        limits[sex] = {rule.limit for finding in findings for rule in finding.rules if rule.unit == "ms"}
    assert 450.0 in limits["male"] - limits["female"]
    assert 460.0 in limits["female"] - limits["male"]


def test_age_and_sex_are_told_as_alterations(record: Record, beats: Beats) -> None:
    edited = change_person(record, beats, age_years=80.0, sex="male")
    assert (edited.record.age_years, edited.record.sex) == (80.0, "male")
    assert edited.record.altered == ("age 33 years stated as 80 years and sex female stated as male",)
    assert edited.record.key != record.key
    assert change_person(record, beats, sex="unknown").record.sex is None
    with pytest.raises(EditError, match="states this age and sex already"):
        change_person(record, beats, age_years=33.0, sex="female")
    with pytest.raises(RecordError, match="not plausible"):
        change_person(record, beats, age_years=200.0)
