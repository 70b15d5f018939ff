"""One answer of one reader: its fields, and what makes it complete."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ecgviz.errors import ReviewError
from ecgviz.review.marks import Cell, Span, check_cells
from ecgviz.review.study import Study

PHASES = ("before", "after", "reference")
"""The reader's own answer; the answer after prediction and explanation were shown; an adjudicator's answer."""
LIKERT = (1, 2, 3, 4, 5)
"""From 1, not at all, to 5, fully."""
VERDICTS = ("relevant", "irrelevant", "unsure")
MAX_COMMENT = 2000


@dataclass(frozen=True)
class JudgedSpan:
    """A stretch that the model's map pointed at, and what the reader says of it (one of `VERDICTS`)."""

    lead: str
    start_s: float
    end_s: float
    verdict: str


@dataclass(frozen=True)
class Answer:
    """What a reader says; None and empty where a phase does not ask.

    Before: ``label``, ``confidence`` (0 to 100), ``criteria`` (ids), ``cells``, ``spans``. After: ``label`` and
    ``confidence`` again, ``agree_with_prediction``, ``explanation_plausible`` and ``leads_correct`` (1 to 5),
    ``span_verdicts``, ``comment``. ``active_seconds`` is the time spent at it, without idling.
    """

    label: str | None = None
    confidence: int | None = None
    criteria: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    spans: tuple[Span, ...] = ()
    agree_with_prediction: int | None = None
    explanation_plausible: int | None = None
    leads_correct: int | None = None
    span_verdicts: tuple[JudgedSpan, ...] = ()
    comment: str = ""
    active_seconds: float = 0.0


def missing(answer: Answer, phase: str, study: Study, *, n_spans: int = 0) -> tuple[str, ...]:
    """Return what an answer still lacks, in words; empty when it can be given.

    ``n_spans`` is how many stretches of the model's map wait for a verdict.
    """
    lacks = [] if answer.label else ["a label"]
    lacks += [] if answer.confidence is not None else ["a confidence"]
    marked = answer.cells or answer.spans or answer.label not in study.labels
    if phase == "before" and study.protocol.marks == "required" and not marked:
        lacks.append("marked cells or spans")
    if phase == "after":
        asked = {
            "agree_with_prediction": "whether you agree with the model",
            "explanation_plausible": "how plausible the explanation is",
            "leads_correct": "whether it points at the right leads",
        }
        lacks += [words for name, words in asked.items() if getattr(answer, name) is None]
        if len(answer.span_verdicts) < n_spans:
            lacks.append("a verdict on each place that the map points at")
    return tuple(lacks)


def checked(answer: Answer, phase: str, study: Study, leads: Sequence[str], *, n_spans: int = 0) -> Answer:
    """Return a complete answer with its marks in order.

    Raises
    ------
    ReviewError
        When something is missing or impossible; the sentence says what.
    """
    if phase not in PHASES:
        raise ReviewError(f"there is no phase {phase!r}; there are {', '.join(PHASES)}")
    lacks = missing(answer, phase, study, n_spans=n_spans)
    if lacks:
        raise ReviewError(f"the answer lacks {', '.join(lacks)}")
    if answer.label not in study.answers:
        raise ReviewError(f"the label {answer.label!r} is none of {', '.join(study.answers)}")
    if not 0 <= (answer.confidence or 0) <= 100:
        raise ReviewError(f"a confidence of {answer.confidence} is not between 0 and 100")
    for name in ("agree_with_prediction", "explanation_plausible", "leads_correct"):
        if getattr(answer, name) not in (None, *LIKERT):
            raise ReviewError(f"{name.replace('_', ' ')}: {getattr(answer, name)} is not between 1 and 5")
    strange = {each.lead for each in answer.spans} | {each.lead for each in answer.span_verdicts}
    for lead in sorted(strange - set(leads)):
        raise ReviewError(f"a span names lead {lead!r}; this recording has {', '.join(leads)}")
    if any(span.verdict not in VERDICTS for span in answer.span_verdicts):
        raise ReviewError(f"a verdict on a span is one of {', '.join(VERDICTS)}")
    if len(answer.comment) > MAX_COMMENT:
        raise ReviewError(f"the comment has {len(answer.comment)} characters; {MAX_COMMENT} are the most")
    return replace(answer, cells=check_cells(answer.cells, leads), active_seconds=round(answer.active_seconds, 1))


def to_row(answer: Answer) -> dict[str, Any]:
    """Return an answer as the columns of a table: lists become JSON."""
    row = {field.name: getattr(answer, field.name) for field in fields(Answer)}
    row["criteria"] = _json(list(answer.criteria))
    row["cells"] = _json([list(cell) for cell in answer.cells])
    row["spans"] = _json([[span.lead, span.start_s, span.end_s] for span in answer.spans])
    row["span_verdicts"] = _json([[s.lead, s.start_s, s.end_s, s.verdict] for s in answer.span_verdicts])
    return row


def from_row(row: Mapping[str, Any]) -> Answer:
    """Return the answer that `to_row` made columns of; other columns are left out."""
    known: dict[str, Any] = {field.name: row[field.name] for field in fields(Answer)}
    known["criteria"] = tuple(json.loads(row["criteria"]))
    known["cells"] = tuple((lead, wave) for lead, wave in json.loads(row["cells"]))
    known["spans"] = tuple(Span(*span) for span in json.loads(row["spans"]))
    known["span_verdicts"] = tuple(JudgedSpan(*span) for span in json.loads(row["span_verdicts"]))
    return Answer(**known)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
