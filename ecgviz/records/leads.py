"""Lead names, their order, their groups, and the limb leads that follow from one another."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ecgviz.types import Record

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
STANDARD_LEADS = (*LIMB, *CHEST)
"""The twelve leads in the order of PTB-XL, which every shipped network uses."""

CABRERA = ("aVL", "I", "-aVR", "II", "aVF", "III")
"""The frontal plane from left to right, in steps of 30 degrees; "-aVR" is aVR turned upside down."""

EXTRA_LEADS = (
    *(f"V{n}" for n in (7, 8, 9)),
    *(f"V{n}R" for n in (1, 2, 3, 4, 5, 6)),
    *("vx", "vy", "vz"),
    *("MLI", "MLII", "MLIII", "CM5"),
)
"""Leads that load under their own name: posterior, right-sided, Frank's, and modified ones (MLII is not II)."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "limb": LIMB,
    "chest": CHEST,
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "high lateral": ("I", "aVL"),
    "septal": ("V1", "V2"),
    "anterior": ("V3", "V4"),
    "anteroseptal": ("V1", "V2", "V3", "V4"),
}

CONTIGUOUS: tuple[tuple[str, ...], ...] = (("I", "aVL"), ("II", "III", "aVF"), CHEST)
"""Lead sets of the Fourth Universal Definition of Myocardial Infarction (Thygesen 2018,
doi:10.1161/CIR.0000000000000617); within the chest set only neighbours are contiguous."""

IN_TERMS_OF_I_AND_II: Mapping[str, tuple[float, float]] = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
"""Einthoven and Goldberger: each limb lead is a sum of I and II with these weights."""

_PREFIX = re.compile(r"^(mdc|ecg|lead)+")
_NAMES = {
    **{name.casefold(): name for name in (*STANDARD_LEADS, *EXTRA_LEADS)},
    **{"1": "I", "2": "II", "3": "III", "d1": "I", "d2": "II", "d3": "III", "di": "I", "dii": "II", "diii": "III"},
    **{f"c{n}": f"V{n}" for n in range(1, 10)},
    **{f"rv{n}": f"V{n}R" for n in range(1, 7)},
    **{"x": "vx", "y": "vy", "z": "vz", "frankx": "vx", "franky": "vy", "frankz": "vz"},
}


def canonical(name: str) -> str | None:
    """Return the name that ecgviz uses for a lead, or None when ``name`` is no lead it knows.

    Case, spaces, "Lead", "ECG" and the codes of IEEE 11073 (``MDC_ECG_LEAD_AVR``) do not matter; D1 is I, C1 is V1 (IEC
    60601-2-25 names the chest electrodes C). A bare digit counts only after "Lead": "ECG1" is the first channel of a
    Holter, whatever lead that is. A reversed lead ("-aVR") and a modified one ("mV1") are not the lead they resemble.
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    text = re.sub(r"\((einthoven|goldberger|wilson)\)", "", text)
    text = re.sub(r"[\s_]+", "", text)
    bare = _PREFIX.sub("", text)
    if bare.isdigit() and not text.removesuffix(bare).endswith("lead"):
        return None
    return _NAMES.get(bare)


def complete_leads(record: Record) -> Record:
    """Return the record with every limb lead that two others determine exactly, and say so in its assumptions.

    Any two limb leads give the other four (`IN_TERMS_OF_I_AND_II`): they are solved for I and II first. A limb lead
    without a single sample is as one that is not there. Standard leads come first, in their order, then the others.
    With fewer than two limb leads the record comes back as it is.
    """
    have = tuple(lead for lead in LIMB if lead in record.leads and np.isfinite(record.lead(lead)).any())
    missing = tuple(lead for lead in LIMB if lead not in have)
    if len(have) < 2 or not missing:
        return record
    pair = have[:2]
    weights = np.array([IN_TERMS_OF_I_AND_II[lead] for lead in pair])
    given = np.stack([record.lead(lead) for lead in pair]).astype(np.float64)
    first_two = np.linalg.solve(weights, given)
    rows = {lead: record.lead(lead) for lead in record.leads}
    rows |= {lead: np.array(IN_TERMS_OF_I_AND_II[lead]) @ first_two for lead in missing}
    order = tuple(lead for lead in STANDARD_LEADS if lead in rows)
    order += tuple(lead for lead in record.leads if lead not in STANDARD_LEADS)
    said = f"{', '.join(missing)} derived from {pair[0]} and {pair[1]} (Einthoven, Goldberger)"
    return replace(
        record,
        signal=np.stack([rows[lead] for lead in order]),
        leads=order,
        assumptions=(*record.assumptions, said),
    )
