"""What each column of an export means: the data dictionary that travels with it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: "text", "integer", "number" or "json"; its unit or values; what it says.

    An empty cell of CSV is a missing value where ``may_miss``, else an empty text.
    """

    kind: str
    values: str
    meaning: str
    may_miss: bool = False


_SHA = "SHA-256, 64 hexadecimal digits"
_UTC = "ISO 8601, UTC"
_LIKERT = "1 (not at all) to 5 (fully); asked after"

COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "study": {
        "one": Column("integer", "1", "a study's folder holds one study"),
        "study_id": Column("text", "", "name of the study"),
        "definition": Column("json", "", "the study as its owner defined it, all fields"),
        "created_utc": Column("text", _UTC, "when the study was made"),
        "app_version": Column("text", "", "version of ecgviz that made it"),
    },
    "readers": {
        "reader_id": Column("text", "pseudonym", "the reader; who that is is kept nowhere"),
        "role": Column("text", "reader, adjudicator, owner", "what the reader may do"),
        "qualification": Column("text", "", "profession, as the owner stated it"),
        "years": Column("integer", "years", "experience in reading ECGs", may_miss=True),
    },
    "items": {
        "item_id": Column("text", "", "a recording under a condition"),
        "record_sha256": Column("text", _SHA, "digest of samples, rate, leads, age and sex"),
        "record_id": Column("text", "", "published id, demo:NAME, or the start of the digest"),
        "patient_id": Column("text", "pseudonym", "unit of the bootstrap"),
        "reference": Column("text", "a label", "what is true, as the owner stated it", may_miss=True),
        "model": Column("text", "", "network that was shown; empty for adjudication"),
        "model_sha256": Column("text", _SHA, "digest of its weights and description"),
        "predicted": Column(
            "text", "a label or none of these", "the model's answer: its most probable label if called"
        ),
        "label": Column("text", "a label", "which label its maps explain"),
        "arm": Column("text", "alone, attention, attribution, both, randomised, reference", "what was shown"),
        "methods": Column("json", "list of names", "methods of the maps"),
    },
    "turns": {
        "reader_id": Column("text", "pseudonym", "the reader"),
        "position": Column("integer", "from 1", "place in the reader's order"),
        "item_id": Column("text", "", "what is read there"),
    },
    "answers": {
        "review_id": Column("text", "", "name of the answer"),
        "study_id": Column("text", "", "name of the study"),
        "item_id": Column("text", "", "what was read: see items"),
        "record_sha256": Column("text", _SHA, "digest of the recording"),
        "model_sha256": Column("text", _SHA, "digest of the network; empty for adjudication"),
        "reader_id": Column("text", "pseudonym", "who answered"),
        "role": Column("text", "reader, adjudicator", "as whom"),
        "blinded": Column("integer", "0, 1", "1: the reader was not told which map was shown"),
        "phase": Column("text", "before, after, reference", "before or after model and map were shown; adjudication"),
        "label": Column("text", "a label or none of these", "the answer"),
        "confidence": Column("integer", "0 to 100", "how sure the reader is"),
        "criteria": Column("json", "list of ids", "criteria ticked: ENTRY/definition/rule number"),
        "cells": Column("json", "list of [lead, wave]", "cells of the map of leads and waves that were marked"),
        "spans": Column("json", "list of [lead, start s, end s]", "stretches of the paper that were marked"),
        "agree_with_prediction": Column("integer", _LIKERT, "agreement with the model's answer", may_miss=True),
        "explanation_plausible": Column("integer", _LIKERT, "plausibility of the map", may_miss=True),
        "leads_correct": Column("integer", _LIKERT, "whether the map points at the right leads", may_miss=True),
        "span_verdicts": Column(
            "json", "list of [lead, start s, end s, verdict]", "relevant, irrelevant or unsure, for each place shown"
        ),
        "comment": Column("text", "", "free text"),
        "t_open_utc": Column("text", _UTC, "when the question was first opened"),
        "t_submit_utc": Column("text", _UTC, "when the answer was given"),
        "active_seconds": Column("number", "s", "time spent at it without idling; a correction starts at 0"),
        "app_version": Column("text", "", "version of ecgviz"),
        "supersedes": Column("text", "a review_id", "the answer that this one corrects", may_miss=True),
    },
    "audit": {
        "number": Column("integer", "from 1", "place in the trail"),
        "utc": Column("text", _UTC, "when"),
        "actor": Column("text", "pseudonym or owner", "who"),
        "action": Column("text", "create, enrol, open, lock, submit, correct, adjudicate, export", "what was done"),
        "subject": Column("text", "", "to what"),
        "content_sha256": Column("text", _SHA, "digest of what was kept"),
        "previous_sha256": Column("text", _SHA, "digest of the row before"),
        "sha256": Column("text", _SHA, "digest of this row"),
    },
}
"""Every column of every exported table, in order."""
