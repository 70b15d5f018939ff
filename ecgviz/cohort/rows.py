"""From what one record, network, label and method gave to a row of the store."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecgviz.cohort.folder import Recording
from ecgviz.cohort.schema import LEADS, VALUES
from ecgviz.criteria import at_stage, union_region
from ecgviz.evidence import area_in, cells, share_in
from ecgviz.measure import PER_LEAD
from ecgviz.pipeline import Examined, Explained
from ecgviz.records import fields
from ecgviz.types import ATOMS, Agreement, EvidenceGrid, Finding, Prediction, Region
from ecgviz.types.arrays import FloatArray

CONTROL_COLUMNS: Mapping[str, str] = {"|x|": "amplitude", "|dx/dt|": "slope", "random networks": "random"}
"""The column of each control map."""
OWN_ID = re.compile(r"\brecord-[0-9a-f]{8}\b")
"""What a recording without published id calls itself; the store calls it by its place in the folder."""
SUFFIX = r"\.[A-Za-z][\w.]*"
"""Of a file's name, which a long name shows cut off with dots; decimals are none."""
OTHER_FILE = re.compile(rf"'[^']+{SUFFIX}'")
"""A file that a recording's own names, such as a signal file of another name."""
NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?")


def record_row(recording: Recording, examined: Examined, seconds: float) -> dict[str, Any]:
    """Return the row of a recording that was examined."""
    record, beats, measured = examined.record, examined.beats, examined.measurements
    verdicts = [each.verdict for each in examined.quality]
    return _listed(recording) | {
        "record_key": record.key,
        "age_years": record.age_years,
        "sex": record.sex,
        "stages": list(record.infarct_stages),
        "simulated": record.simulated,
        "fs": record.fs,
        "duration_s": record.duration_s,
        "r_s": beats.r_s.astype(np.float32),
        "beat_kinds": list(beats.kind),
        "n_doubtful": verdicts.count("doubtful"),
        "n_unusable": verdicts.count("unusable"),
        "examine_seconds": seconds,
        **{name: _number(measured.value(name)) for name in VALUES},
        **{name: np.array([measured.value(name, lead) for lead in LEADS], np.float32) for name in PER_LEAD},
    }


def failed_record(recording: Recording, failure: str) -> dict[str, Any]:
    """Return the row of a recording that could not be examined."""
    return _listed(recording) | {"record_failure": nameless(failure, recording)}


def failed_row(recording: Recording, label: str, failure: str, stated: bool | None) -> dict[str, Any]:
    """Return the row of a recording on which a network or method failed."""
    told = nameless(failure, recording)
    return {
        "record": recording.id,
        "label": label,
        "stated": stated,
        "failure": told,
        "failure_reason": reason(told, recording.id),
    }


def nameless(failure: str, recording: Recording) -> str:
    """Return a sentence in which the recording has its id, and no name of its files, which may name a patient.

    Only whole names count, quoted or with their suffix, and whole paths: LUDB's recording "1" is not the 1 of "V1".
    """
    path = Path(recording.file)
    stem, folder = (re.escape(text) for text in (path.stem, recording.file.removesuffix(path.name)))
    quoted = re.escape(fields.shown(path.stem)[1:-1].removesuffix("..."))
    for name in (
        rf"'{quoted}({SUFFIX}|\.{{3,4}})?'",
        rf"(?<![\w.-]){folder}{stem}({SUFFIX}){'?' if folder else ''}(?![\w-])",
        rf"(?<![\w.-]){stem}{SUFFIX}(?![\w-])",
    ):
        failure = re.sub(name, recording.id, failure)
    failure = OTHER_FILE.sub("another file", failure)
    return OWN_ID.sub(recording.id, failure)


def reason(failure: str, record: str) -> str:
    """Return a sentence without the recording's name and its numbers, so that equal reasons can be counted."""
    return NUMBERS.sub("#", failure.replace(f"{record}: ", "").replace(record, "the recording"))


def row(
    recording: Recording,
    label: str,
    examined: Examined,
    prediction: Prediction,
    explained: Explained,
    findings: Sequence[Finding],
    agreement: Agreement,
    *,
    stated: bool | None,
    seconds: float,
) -> dict[str, Any]:
    """Return the row of one recording, network, label and method."""
    index = prediction.labels.index(label)
    called = prediction.positive(label)
    held = at_stage(findings, examined.record.infarct_stages)
    return {
        "record": recording.id,
        "label": label,
        "logit": float(prediction.logits[index]),
        "probability": float(prediction.probabilities[index]),
        "threshold": float(prediction.thresholds[index]),
        "called": called,
        "stated": stated,
        "correct": None if stated is None else called == stated,
        "explain_seconds": seconds,
        **_map(explained),
        "region": _region(union_region([each for each in held if each.state == "met"]), explained.grid),
        **_agreement(agreement),
        "findings": [_finding(each, explained) for each in findings],
    }


def _listed(recording: Recording) -> dict[str, Any]:
    return {
        "record": recording.id,
        "patient": recording.patient,
        "device": recording.device,
        "site": recording.site,
        "fold": recording.fold,
        "statements": None if recording.statements is None else list(recording.statements),
    }


def _map(explained: Explained) -> dict[str, Any]:
    grid, explanation = explained.grid, explained.explanation
    maps = {CONTROL_COLUMNS[name]: maps for name, maps in explained.controls.items() if name in CONTROL_COLUMNS}
    return {
        "signed": grid.signed,
        "resolution_ms": 1000 * grid.resolution_s,
        "completeness_error": _number(explanation.completeness_error),
        "support": float(grid.pos.sum()),
        "oppose": float(grid.neg.sum()),
        "outside": grid.outside,
        "outside_abs": grid.outside_abs,
        "pos": matrix(grid.pos, grid),
        "neg": matrix(grid.neg, grid),
        "atom_s": grid.area.sum(axis=0).astype(np.float32) if grid.has_time else None,
        "by_lead": None if grid.channel() is None else _of_leads(grid.channel(), grid.leads),
        "by_atom": _share(grid.pos.sum(axis=(0, 1)), grid) if grid.has_time else None,
        "by_beat": _share(grid.pos.sum(axis=(0, 2)), grid) if grid.has_time else None,
        "n_random": len(maps.get("random", ())),
        **{column: _control(each) for column, each in maps.items()},
    }


def matrix(mass: FloatArray, grid: EvidenceGrid) -> FloatArray | None:
    """Return mass (L, B, S) as the 108 numbers of a cell matrix; None for a map that lacks an axis."""
    if not (grid.has_leads and grid.has_time):
        return None
    return _of_leads(mass.sum(axis=1), grid.leads).ravel()


def _control(maps: Sequence[EvidenceGrid]) -> FloatArray | None:
    shares = [matrix(each.pos / each.total, each) for each in maps if each.total > 0]
    known = [each for each in shares if each is not None]
    return np.mean(known, axis=0).astype(np.float32) if known else None


def _of_leads(values: FloatArray | None, leads: Sequence[str]) -> FloatArray:
    """Return rows of a map in the order of `LEADS`; NaN for a lead that the map does not have."""
    given = np.asarray(values)
    found = np.full((len(LEADS), *given.shape[1:]), np.nan, np.float32)
    for index, lead in enumerate(leads):
        if lead in LEADS:
            found[LEADS.index(lead)] = given[index]
    return found


def _share(mass: FloatArray, grid: EvidenceGrid) -> FloatArray:
    return (mass / grid.total if grid.total > 0 else np.full(mass.shape, np.nan)).astype(np.float32)


def _region(region: Region | None, grid: EvidenceGrid) -> FloatArray | None:
    """Return which part of each cell, by time, a region covers; None without region or time axis."""
    if region is None or not grid.has_time:
        return None
    seconds = grid.area.sum(axis=0)
    covered = np.einsum("lbs,bs->ls", region.inside, grid.area)
    part = np.divide(covered, seconds, out=np.zeros(covered.shape), where=seconds > 0)
    return _of_leads(part, region.leads).reshape(len(LEADS) * len(ATOMS))


def _agreement(agreement: Agreement) -> dict[str, Any]:
    known = [each for each in agreement.controls if np.isfinite(each.excess)]
    best = min(known, key=lambda each: each.excess) if known else None
    names = ("share", "area", "density", "support_share", "contra_share", "p_time", "p_phase", "p_place")
    scores = ("share", "excess", "excess_low", "excess_high")
    return {
        "who": agreement.label,
        "evidence": agreement.evidence,
        "why": agreement.why,
        **{name: _number(getattr(agreement, name)) for name in names},
        "best_control": None if best is None else best.name,
        **{name: None if best is None else _number(getattr(best, name)) for name in scores[1:]},
        "controls": [
            {"name": each.name} | {name: _number(getattr(each, name)) for name in scores} for each in agreement.controls
        ],
    }


def _finding(finding: Finding, explained: Explained) -> dict[str, Any]:
    """Return one definition; where it is met and has a place, what map and controls hold there."""
    told = {"criterion": finding.criterion, "definition": finding.definition, "state": finding.state}
    region = finding.regions.get("primary") if finding.state == "met" else None
    inside = None if region is None else cells(explained.grid, region)[0]
    if inside is None or explained.grid.total == 0:
        return told | {"share": None, "area": None, "controls": None}
    return told | {
        "share": share_in(explained.grid, inside),
        "area": area_in(explained.grid, inside),
        "controls": [
            {"name": name, "share": float(np.mean([share_in(each, inside) for each in maps if each.total > 0]))}
            for name, maps in explained.controls.items()
            if any(each.total > 0 for each in maps)
        ],
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
