"""What a report lists, as the head and the rows of tables; words and numbers are the same on screen and on paper."""

import math
from collections.abc import Sequence

from ecgviz.types import Case, Explanation, Finding

POOR_LEADS = "Which leads, and why, stands under Measurements and quality."
Rows = tuple[Sequence[str], list[Sequence[str]]]


def predictions(case: Case) -> Rows:
    """Return each label's probability beside its threshold."""
    said = case.prediction
    found: list[Sequence[str]] = [
        (label, number(float(p), 3), number(float(t), 3), "yes" if said.positive(label) else "no")
        for label, p, t in zip(said.labels, said.probabilities, said.thresholds, strict=True)
    ]
    return ("label", "probability", "threshold", "model calls it"), found


def shares(case: Case) -> Rows:
    """Return the shares of relevance inside the guideline's regions, and the two null tests."""
    agreement = case.agreement
    return ("relevance", "share"), [
        ("inside the primary region", percent(agreement.share)),
        ("area of that region", percent(agreement.area)),
        ("inside supporting regions", percent(agreement.support_share)),
        ("inside regions where it would hint at a shortcut", percent(agreement.contra_share)),
        ("p, circular shifts (time)", number(agreement.p_time, 2, "not assessable")),
        ("p, exchange of leads (place)", number(agreement.p_place, 2, "not assessable")),
    ]


def controls(case: Case) -> Rows:
    """Return what trivial maps and random networks get in the same region, and the excess over each."""
    return ("control map", "its share", "excess over it", "95 % interval"), [
        (c.name, percent(c.share), percent(c.excess), f"{percent(c.excess_low)} to {percent(c.excess_high)}")
        for c in case.agreement.controls
    ]


def rules(finding: Finding) -> Rows:
    """Return each rule, measured beside limit; a rule about a pattern has no number, which is a dash."""
    found: list[Sequence[str]] = [
        (
            rule.text,
            rule.role,
            number(rule.measured, 3, "not measurable" if rule.state == "not_evaluable" else "–"),
            number(rule.limit, 3, "–"),
            "" if rule.unit == "1" else rule.unit,
            number(rule.margin, 3, "–"),
            words(rule.state),
            rule.why,
            rule.source,
        )
        for rule in finding.rules
    ]
    return ("rule", "role", "measured", "limit", "unit", "margin", "state", "why", "source"), found


def measurements(case: Case) -> Rows:
    """Return every measurement, or why there is none."""
    measured = case.measurements
    return ("measurement", "value", "why not"), [
        (name, number(value, 4), measured.why(name) if math.isnan(value) else "")
        for name, value in measured.values.items()
    ]


def quality(case: Case) -> Rows:
    """Return the quality of each lead."""
    return ("lead", "quality", "why"), [(entry.lead, entry.verdict, "; ".join(entry.reasons)) for entry in case.quality]


def provenance(case: Case) -> Rows:
    """Return where the case comes from: digests, versions, seed, parameters."""
    facts = {**case.provenance, "params": dict(case.explanation.params)}
    return ("what", "value"), [(name, _fact(value)) for name, value in facts.items() if name != "notice"]


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(str(each) for each in value) or "none"
    return str(value)


def number(value: float, digits: int, missing: str = "not measurable") -> str:
    """Return a number with so many significant digits, or the words for one that is missing."""
    return f"{value:.{digits}g}" if math.isfinite(value) else missing


def percent(share: float) -> str:
    """Return a share (0 to 1) in percent."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else "not assessable"


def resolution(explanation: Explanation) -> str:
    """Return how finely a map is drawn in time and, of attention, how much signal the network saw for each weight."""
    drawn = f"Resolution in time: {number(1000 * explanation.resolution_s, 3)} ms"
    seen_s = float(explanation.params.get("receptive_field_s", math.nan))
    return f"{drawn}; for each weight the network saw {number(seen_s, 2)} s of signal." if seen_s > 0 else f"{drawn}."


def words(state: str) -> str:
    """Return a state in words."""
    return state.replace("_", " ")
