"""The report of a study: the fields of the guidelines, then every statistic, as Markdown or as JSON."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ecgviz import NOTICE, __version__
from ecgviz.review.counted import Result
from ecgviz.review.fields import fields, missing
from ecgviz.review.results import Results

PERCENT = (
    *("Accuracy before", "Accuracy after", "Change of accuracy", "Places judged relevant"),
    *("Went over to the model where it was right", "Went over to the model where it was wrong"),
    *("Share of the map in the marks", "Area of the marks", "Excess over the best control"),
    *("Maps that agree with the marks", "Spans hit within 50 ms"),
)
"""Statistics that are parts of a whole."""


def report(found: Results) -> dict[str, Any]:
    """Return all of a report as plain values; what is not defined is None."""
    return {
        "notice": NOTICE,
        "ecgviz": __version__,
        "study": found.study.id,
        "audit_head_sha256": found.head,
        "seed": found.seed,
        "draws": found.draws,
        "fields": [asdict(field) for field in fields(found)],
        "not_stated": list(missing(fields(found))),
        "results": [
            {"topic": each.topic, "name": each.name, "of": each.of, "n": each.n, **_plain(asdict(each.estimate))}
            for each in found.results
        ],
        "switches": {arm: _plain(asdict(each)) for arm, each in found.switches.items()},
        "notes": list(found.notes),
    }


def to_markdown(found: Results) -> str:
    """Return a report as Markdown; text of any origin is escaped."""
    lines = [f"# Reader study {found.study.id}", "", f"> {NOTICE}", ""]
    section = ""
    for field in fields(found):
        if field.section != section:
            section = field.section
            lines += ["", f"## {section}", "", "| asked | by | said |", "| --- | --- | --- |"]
        lines.append(_row((field.asked, field.asked_by, field.said)))
    for topic, some in found.topics().items():
        lines += ["", f"## {topic}", "", "| statistic | of | value | 95 % interval | n | patients |"]
        lines += ["| --- | --- | --- | --- | --- | --- |", *(_row(cells(each)) for each in some)]
    lines += ["", f"Intervals: {found.draws} resamples of patients, seed {found.seed}."]
    return "\n".join(lines) + "\n"


def cells(result: Result) -> tuple[str, ...]:
    """Return a result as the cells of a table row: statistic, of, value, interval or why there is none, n, patients."""
    estimate = result.estimate
    interval = f"{shown(result, estimate.low)} to {shown(result, estimate.high)}" if not estimate.why else estimate.why
    return (
        result.name,
        result.of,
        shown(result, estimate.value),
        interval,
        str(result.n),
        str(estimate.n_patients),
    )


def shown(result: Result, value: float) -> str:
    """Return a value of a result with its unit; a dash where it is not defined."""
    if math.isnan(value):
        return "–"
    return f"{round(100 * value)} %" if result.name in PERCENT else f"{value:z.2f}"


def _row(texts: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(text) for text in texts) + " |"


def _escaped(text: str) -> str:
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#!" else letter for letter in flat)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in values.items()}
