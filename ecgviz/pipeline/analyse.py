"""The one path of data, from a record to an explained case held against the guideline."""

import hashlib
import platform
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from ecgviz import NOTICE, __version__
from ecgviz.checkpoint import Model, predict
from ecgviz.explain import attention
from ecgviz.pipeline.parts import examine, explain_beside_controls, findings_of, hold_against
from ecgviz.types import Beats, Case, EvidenceGrid, Record

PACKAGES = ("torch", "captum", "numpy", "scipy", "neurokit2", "wfdb")


def analyse(
    record: Record, model: Model, label: str, method: str, *, seed: int = 0, beats: Beats | None = None
) -> Case:
    """Predict, explain and compare one record; everything the command line, the pages and the report show.

    Parameters
    ----------
    record : Record
    model : Model
    label : str
        One of the model's labels.
    method : str
        A name in `ecgviz.explain.METHODS`.
    seed : int
        Seeds every draw (null tests, bootstrap); random networks of the controls have fixed seeds of their own.
    beats : Beats or None
        Marks to use instead of automatic ones, such as those that a reader changed (`ecgviz.edit`). Everything that
        needs beats uses them; their ``edits`` are in the case and in its provenance.

    Raises
    ------
    EcgvizError
        When the record does not meet the model's input contract, label or method are unknown or do not apply, or
        ``beats`` belong to another recording.
        A record without beats is no error: its case says so, and nothing in it is assessable. Where the recording tells
        the stage of an infarct, evidence is held against the definitions of that stage; all findings are kept.
    """
    started = time.perf_counter()
    examined = examine(record, beats)
    prediction = predict(model, record, examined.beats)
    explained = explain_beside_controls(model, examined, label, method, seed=seed)
    findings = findings_of(examined, label)
    return Case(
        record=record,
        quality=examined.quality,
        beats=examined.beats,
        measurements=examined.measurements,
        prediction=prediction,
        label=label,
        explanation=explained.explanation,
        grid=explained.grid,
        controls=explained.controls,
        attention=attention(model, record, examined.beats),
        findings=findings,
        agreement=hold_against(examined, explained, findings, prediction, label, seed=seed),
        provenance=_provenance(
            record, model, method, seed, examined.beats, explained.grid, 1000 * (time.perf_counter() - started)
        ),
    )


def told_sha256(record: Record) -> str:
    """Return a digest of what a record tells of itself and `Record.key` leaves out.

    That is its id, the statements and infarct stages that came with it, what was assumed, and whether it was simulated.
    """
    told = (record.id, record.codes, record.infarct_stages, record.assumptions, record.simulated)
    return hashlib.sha256(repr(told).encode()).hexdigest()


def evidence_sha256(grid: EvidenceGrid) -> str:
    """Return a digest of the relevance on an evidence grid."""
    mass = np.ascontiguousarray(grid.pos).tobytes() + np.ascontiguousarray(grid.neg).tobytes()
    return hashlib.sha256(mass).hexdigest()


def _provenance(
    record: Record, model: Model, method: str, seed: int, beats: Beats, grid: EvidenceGrid, duration_ms: float
) -> dict[str, Any]:
    return {
        "notice": NOTICE,
        "ecgviz": __version__,
        "record_sha256": record.key,
        "told_sha256": told_sha256(record),
        "model": model.name,
        "model_version": model.version,
        "model_sha256": model.digest,
        "method": method,
        "seed": int(seed),
        "edited_marks": list(beats.edits),
        "evidence_sha256": evidence_sha256(grid),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "platform": platform.platform(terse=True),
        "threads": torch.get_num_threads(),
        "duration_ms": round(duration_ms),
    }
