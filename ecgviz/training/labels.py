"""What networks are taught to say: PTB-XL's superclasses, and statements that cardiologists' criteria speak of.

A target is 1 (stated, or planted), 0 (not), or NaN where nobody knows; NaN is neither learnt from nor scored.
"""

from collections.abc import Sequence

import numpy as np

from ecgviz.records.ptbxl import SUPERCLASSES, Entry
from ecgviz.simulate import FINDINGS, Simulation
from ecgviz.types.arrays import FloatArray

STATEMENTS = (
    "AFIB",
    "1AVB",
    "CLBBB",
    "CRBBB",
    "LAFB",
    "LVH",
    "IMI",
    "ASMI",
    "ISC_",
    "LNGQT",
    "PVC",
    "STACH",
    "SBRAD",
)
"""SCP-ECG statements that the shipped networks predict beside the superclasses."""
LABELS = (*SUPERCLASSES, *STATEMENTS)

FAST_BPM, SLOW_BPM, RATE_MARGIN_BPM = 100.0, 60.0, 2.0
LONG_PR_MS, PR_MARGIN_MS = 200.0, 5.0
"""Limits of sinus tachycardia, sinus bradycardia and first-degree AV block; nearer than the margin, nobody knows."""
PLAIN_NORMAL_BPM = (50.0, 105.0)
"""A healthy heart outside these rates may or may not be called normal."""
MAY_GO_WITH = {
    "lvh": ("STTC", "ISC_", "STD_", "INVT"),
    "rvh": ("STTC", "ISC_", "STD_", "INVT"),
    "inferior_stemi": ("ISC_", "STD_", "INVT"),
    "anterior_stemi": ("ISC_", "STD_", "INVT"),
    "lateral_stemi": ("ISC_", "STD_", "INVT"),
    "old_inferior_mi": ("INVT",),
    "old_anterior_mi": ("AMI", "INVT"),
    "old_lateral_mi": ("INVT",),
    "lbbb": ("STD_", "INVT"),
    "rbbb": ("STD_", "INVT"),
    "wpw": ("STD_", "INVT"),
}
"""What a reader may state of a planted finding too: strain and injury currents are ST-T changes of their own."""
SPOKEN_OF = {*SUPERCLASSES, *(name for each in FINDINGS.values() for name in (*each.statements, *each.criteria))}
"""What the simulator plants, and so knows to be absent where it planted something else."""


def stated(entry: Entry, labels: Sequence[str]) -> FloatArray:
    """Return the targets (C,) of a row of PTB-XL: its superclasses, and its statements whatever their likelihood.

    A record without any superclass says nothing about superclasses: NaN.
    """
    return np.array(
        [
            float(label in entry.scp_codes)
            if label not in SUPERCLASSES
            else (float(label in entry.superclasses) if entry.superclasses else np.nan)
            for label in labels
        ]
    )


def planted(made: Simulation, labels: Sequence[str]) -> FloatArray:
    """Return the targets (C,) of a simulated record.

    A finding that does not reach its own published limits is not there (a just-not case): then no statement and no
    superclass holds, and whether a reader would call the record normal is not known. Of a statement that no finding
    speaks of nothing is known. Sinus rhythm is there whatever the shape of the waves; where its rate has a statement of
    its own, a reader may leave it out.
    """
    finding, truth = FINDINGS[made.truth.finding], made.truth
    meets = truth.meets
    known = dict.fromkeys(labels, np.nan) | dict.fromkeys(SPOKEN_OF, 0.0)
    known |= dict.fromkeys((*finding.criteria, *MAY_GO_WITH.get(finding.name, ())), np.nan if meets else 0.0)
    if meets:
        known |= dict.fromkeys(finding.statements, 1.0)
    known["NORM"] = np.nan
    if finding.superclass and meets:
        known |= {"NORM": 0.0, finding.superclass: 1.0}
    rate, pr_ms = truth.values["rate_bpm"], truth.values["pr_ms"]
    if finding.name == "normal" and not PLAIN_NORMAL_BPM[0] <= rate <= PLAIN_NORMAL_BPM[1]:
        known["NORM"] = np.nan
    if finding.name != "af":
        known["STACH"] = _beyond(rate - FAST_BPM, RATE_MARGIN_BPM)
        known["SBRAD"] = _beyond(SLOW_BPM - rate, RATE_MARGIN_BPM)
        known["1AVB"] = _beyond(pr_ms - LONG_PR_MS, PR_MARGIN_MS)
        known["SR"] = 1.0 if known["STACH"] == known["SBRAD"] == 0 else np.nan
    else:
        known["SR"] = 0.0 if meets else np.nan
    return np.array([known[label] for label in labels])


def _beyond(excess: float, margin: float) -> float:
    """Return 1 past a limit, 0 before it, NaN within the margin, or where there is nothing to hold against it."""
    return np.nan if not abs(excess) > margin else float(excess > 0)
