"""Lead names, and limb leads that follow from one another."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from ecg_files import LEADS, beats_mv
from hypothesis import given
from hypothesis import strategies as st

from ecgviz.records.leads import (
    CABRERA,
    EXTRA_LEADS,
    GROUPS,
    LIMB,
    STANDARD_LEADS,
    canonical,
    complete_leads,
)
from ecgviz.types import Record

SPELLINGS = {
    "I": (
        "I",
        "i",
        " I ",
        "Lead I",
        "LEAD_I",
        "lead 1",
        "DI",
        "D1",
        "ECG I",
        "MDC_ECG_LEAD_I",
        "Ⅰ",
        "Lead I (Einthoven)",
    ),
    "II": ("ii", "Lead II", "D2", "DII", "mdc_ecg_lead_ii"),
    "III": ("III", "iii", "D3", "ECG Lead III"),
    "aVR": ("AVR", "avr", "aVR", "avR", "a VR", "Lead aVR", "MDC_ECG_LEAD_AVR"),
    "aVL": ("AVL", "avl", "ECG_aVL"),
    "aVF": ("AVF", "avf", "lead avf"),
    "V1": ("v1", "V1", "V 1", "V1 ", "C1", "Lead V1", "MDC_ECG_LEAD_V1"),
    "V6": ("v6", "V_6", "C6", "ECG V6"),
    "V4R": ("V4R", "v4r", "rV4"),
    "vx": ("vx", "VX", "X", "Frank X"),
    "MLII": ("MLII", "mlii"),
}


@pytest.mark.parametrize(("lead", "text"), [(lead, text) for lead, texts in SPELLINGS.items() for text in texts])
def test_spelling_is_understood(lead, text):
    assert canonical(text) == lead


@pytest.mark.parametrize(
    "text", ["", "-aVR", "mV1", "V0", "V10", "IV", "1", "lead", "RESP", "ABP", "ECG", "<b>II</b>", "II\x00"]
)
def test_what_is_no_lead_is_none(text):
    assert canonical(text) is None


@pytest.mark.parametrize("text", ["ECG1", "ECG 2", "ecg_3", "MDC1", "MDC_ECG_2", "Lead ECG 1"])
def test_the_number_of_a_channel_is_no_lead(text):
    assert canonical(text) is None


@pytest.mark.parametrize("text", ["Lead 2", "ECG Lead 2", "MDC_ECG_LEAD_2", "lead2"])
def test_a_digit_after_the_word_lead_is_one(text):
    assert canonical(text) == "II"


def test_own_names_are_their_own_canonical():
    assert all(canonical(lead) == lead for lead in (*STANDARD_LEADS, *EXTRA_LEADS))


@given(st.text(max_size=30))
def test_any_text_gives_a_known_lead_or_none(text):
    assert canonical(text) in (None, *STANDARD_LEADS, *EXTRA_LEADS)


def _record(leads):
    signal = dict(zip(LEADS, beats_mv(500, 2.0), strict=True))
    return Record(signal=np.stack([signal[lead] for lead in leads]), fs=500, leads=leads, id="r")


@pytest.mark.parametrize("pair", list(combinations(LIMB, 2)))
def test_any_two_limb_leads_give_the_other_four(pair):
    completed = complete_leads(_record((*pair[::-1], "V1")))
    assert completed.leads == (*LIMB, "V1")
    np.testing.assert_allclose(completed.signal, _record((*LIMB, "V1")).signal, atol=1e-6)
    others = [lead for lead in LIMB if lead not in pair]
    assert completed.assumptions == (
        f"{', '.join(others)} derived from {pair[0]} and {pair[1]} (Einthoven, Goldberger)",
    )


def test_eight_leads_become_twelve_in_standard_order():
    completed = complete_leads(_record(("V6", "V5", "V4", "V3", "V2", "V1", "II", "I")))
    assert completed.leads == STANDARD_LEADS
    np.testing.assert_allclose(completed.signal, _record(LEADS).signal, atol=1e-6)


def test_calibration_pulse_on_all_inputs_gives_the_textbook_values():
    completed = complete_leads(Record(signal=np.ones((2, 5)), fs=500, leads=("I", "II"), id="r"))
    assert completed.signal[:, 0].tolist() == [1, 1, 0, -1, 0.5, 0.5]


@pytest.mark.parametrize("leads", [LEADS, ("V1", "V2"), ("II", "V1")])
def test_nothing_is_added_where_all_is_there_or_nothing_follows(leads):
    record = _record(leads)
    assert complete_leads(record) is record


def test_an_empty_limb_lead_is_one_that_is_not_there():
    whole = _record(LEADS)
    signal = whole.signal.copy()
    signal[[0, 3]] = np.nan
    completed = complete_leads(replace(whole, signal=signal))
    assert completed.leads == STANDARD_LEADS
    np.testing.assert_allclose(completed.signal, whole.signal, atol=1e-6)
    assert completed.assumptions == ("I, aVR derived from II and III (Einthoven, Goldberger)",)
    signal[1:6] = np.nan
    assert np.isnan(complete_leads(replace(whole, signal=signal)).signal[:6]).all()


def test_missing_samples_stay_missing_in_derived_leads():
    signal = beats_mv(500, 1.0)[:2]
    signal[0, 10] = np.nan
    completed = complete_leads(Record(signal=signal, fs=500, leads=("I", "II"), id="r"))
    assert np.isnan(completed.signal[2:, 10]).all()
    assert np.isfinite(completed.signal[1:, 11]).all()


def test_cabrera_runs_down_the_frontal_plane_in_steps_of_30_degrees():
    # A dipole at angle a projects on a lead at angle b with cos(a - b): with I = cos a and II = cos(a - 60 deg) the
    # augmented leads follow at cos 30 deg of their own projection.
    for angle in np.radians([0, 45, 130]):
        first, second = np.cos(angle), np.cos(angle - np.radians(60))
        plane = {"I": first, "II": second, "III": second - first, "-aVR": (first + second) / 2}
        plane |= {"aVL": first - second / 2, "aVF": second - first / 2}
        for n, lead in enumerate(CABRERA):
            gain = 1.0 if lead in ("I", "II", "III") else np.cos(np.radians(30))
            assert plane[lead] == pytest.approx(gain * np.cos(angle - np.radians(-30 + 30 * n)), abs=1e-9)


def test_groups_hold_known_leads_only():
    assert all(set(leads) <= set(STANDARD_LEADS) for leads in GROUPS.values())
