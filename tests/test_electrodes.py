"""Swapped electrodes and leads upside down are told, in what is measured and beside what the criteria find."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import evaluate_all
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.records.leads import CHEST
from ecgviz.signal import condition
from ecgviz.types import Beats, Record
from tests.criteria_subjects import beats, measurements

ARMS_MAY_BE = "lead I is upside down beside V6 and has no upright P wave: the electrodes of the arms may be swapped"


def arms_swapped(record: Record) -> Record:
    """Left arm for right arm: I is reversed, II and III change places, and so do aVR and aVL."""
    was = {lead: record.lead(lead) for lead in record.leads}
    now = was | {"I": -was["I"], "II": was["III"], "III": was["II"], "aVR": was["aVL"], "aVL": was["aVR"]}
    return replace(record, signal=np.stack([now[lead] for lead in record.leads]))


def turned(record: Record, lead: str) -> Record:
    signal = record.signal.copy()
    signal[record.leads.index(lead)] *= -1
    return replace(record, signal=signal)


def told(record: Record, found: Beats | None = None) -> str:
    """Return what is said of the electrodes, with the beats of the recording or those that are given."""
    clean = condition(record)
    return measure(clean, found or delineate(clean)).reasons.get("electrodes", "")


@pytest.fixture(scope="module")
def recordings(data_dir) -> list[Record]:
    folder = data_dir / "ptbxl" / "records100" / "00000"
    return [load_record(path) for path in sorted(folder.glob("*_lr.hea"))[::20]]


@pytest.fixture(scope="module")
def with_beats(recordings) -> list[tuple[Record, Beats]]:
    """Delineate each once: a lead that is turned over moves a beat by little (tests/test_beats_physics.py)."""
    return [(record, delineate(condition(record))) for record in recordings]


def test_nothing_is_told_of_recordings_as_they_are(recordings):
    assert len(recordings) > 15
    assert [told(record) for record in recordings] == [""] * len(recordings)


def test_swapped_arms_are_told(recordings):
    found = [told(arms_swapped(record)) for record in recordings]
    assert sum(ARMS_MAY_BE in each for each in found) >= 0.9 * len(found)


@pytest.mark.parametrize("lead", CHEST)
def test_a_chest_lead_upside_down_is_told_by_its_name(recordings, lead):
    found = [told(turned(record, lead)) for record in recordings]
    said = "swapped electrodes, or a lead that was turned over, look like this"
    assert sum(lead in each and said in each for each in found) >= 0.75 * len(found)
    assert sum(said in each and lead not in each for each in found) <= 0.05 * len(found)


@pytest.mark.parametrize("lead", ["I", "II", "III", "aVR", "aVL", "aVF"])
def test_a_limb_lead_upside_down_contradicts_the_others_and_is_told(with_beats, lead):
    found = [told(turned(record, lead), its) for record, its in with_beats]
    said = f"lead {lead} contradicts the other limb leads by up to "
    assert sum(each.startswith(said) for each in found) >= 0.9 * len(found)


def test_a_limb_lead_upside_down_is_told_of_paced_hearts_too(data_dir):
    record = load_record(data_dir / "ptbxl" / "records500" / "00000" / "00143_hr")
    assert told(turned(record, "aVL")).startswith("lead aVL contradicts the other limb leads")


def test_limb_leads_that_all_contradict_are_told_once():
    record = load_record("demo:normal")
    signal = record.signal.copy()
    signal[:6] = [np.roll(row, 300 * n) for n, row in enumerate(signal[:6])]
    assert told(replace(record, signal=signal)).count("contradict one another") == 1


def test_a_paced_heart_that_turns_lead_i_over_is_no_swap(data_dir):
    assert told(load_record(data_dir / "ptbxl" / "records500" / "00000" / "00143_hr")) == ""


def test_limb_leads_alone_tell_nothing():
    swapped = arms_swapped(load_record("demo:normal"))
    assert ARMS_MAY_BE in told(swapped)
    assert told(swapped.select(("I", "II", "III"))) == ""


def test_findings_of_a_swapped_recording_say_so(data_dir):
    record = load_record(data_dir / "ptbxl" / "records500" / "00000" / "00001_hr")
    clean = condition(arms_swapped(record))
    found = delineate(clean)
    measured = measure(clean, found)
    assert ARMS_MAY_BE in measured.remarks[0]
    met = [
        one
        for one in evaluate_all(measured, found, age_years=record.age_years, sex=record.sex)
        if one.state == "met" and one.superclass is not None
    ]
    assert met
    assert all(any(ARMS_MAY_BE in caveat for caveat in one.caveats) for one in met)


@pytest.mark.parametrize(("fs", "cautious"), [(250.0, True), (500.0, False)])
def test_wide_complexes_at_a_coarse_rate_may_be_paced(fs, cautious):
    wide = measurements({"qrs_ms": 150.0}, fs=fs)
    found = [one for one in evaluate_all(wide, beats(), age_years=60, sex="male") if one.criterion == "LVH"]
    assert found
    said = any("250 Hz pacing spikes cannot be seen" in caveat for one in found for caveat in one.caveats)
    assert said is cautious
    narrow = evaluate_all(measurements(fs=fs), beats(), age_years=60, sex="male")
    assert not any("pacing spikes" in caveat for one in narrow for caveat in one.caveats)
