"""Names and sentences that stand beside the figures: what a label is, what attention saw, what the comparison found."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ecgviz.criteria.verdicts import for_label
from ecgviz.figures.style import percent
from ecgviz.types import Agreement, AttentionMap, EvidenceGrid, LeadQuality, Record
from ecgviz.ui import wording

if TYPE_CHECKING:
    from ecgviz.checkpoint import Model
    from ecgviz.explain.attention import UniformAttention

LABELS: Mapping[str, str] = {
    "CD": "conduction disturbance",
    "HYP": "hypertrophy",
    "MI": "myocardial infarction",
    "NORM": "normal ECG",
    "STTC": "ST-T changes",
    "PVC": "ventricular premature complex",
    "STACH": "sinus tachycardia",
    "SBRAD": "sinus bradycardia",
}
"""PTB-XL's superclasses, and statements that no criterion of the catalogue names."""


def label_name(label: str) -> str:
    """Return what a label stands for, "" where neither `LABELS` nor the catalogue of criteria knows it."""
    named = (entry.name for entry in for_label(label) if label in (entry.id, entry.maps.cpsc, *entry.maps.scp))
    return LABELS.get(label) or next(named, "")


def label_names(labels: Sequence[str]) -> dict[str, str]:
    """Return what each label stands for."""
    return {label: label_name(label) for label in labels}


def level_sentence(model: "Model", level: str) -> str:
    """Return what a network shows at a level of attention, or why it shows nothing there."""
    return wording.sentence(getattr(model.net, "exposes", {}).get(level, "none: the network shows no attention"))


def doubt(quality: Sequence[LeadQuality]) -> str:
    """Return which leads cannot be relied on, and that what a network says rests on them too; "" where all are good."""
    bad = {verdict: [each.lead for each in quality if each.verdict == verdict] for verdict in ("unusable", "doubtful")}
    parts = [_leads(bad["unusable"], len(quality), "cannot be read"), _leads(bad["doubtful"], len(quality), "doubtful")]
    told = " and ".join(part for part in parts if part)
    if not told:
        return ""
    how = "and may mean nothing" if bad["unusable"] else "so read it with care"
    return f"{wording.capital(told)}: what a network says rests on these samples all the same, {how}."


def _leads(leads: Sequence[str], n: int, what: str) -> str:
    """Return that so many of n leads are what is said, "" for none."""
    if not leads:
        return ""
    verb = "" if what.startswith("cannot") else "is " if len(leads) == 1 else "are "
    whose = f"all {n} leads" if len(leads) == n > 1 else f"lead{'s' * (len(leads) > 1)} {', '.join(leads)}"
    return f"{whose} {verb}{what}"


def past_scores(model: "Model") -> str:
    """Return on which records past scores were counted, and what their numbers say."""
    if "past scores" not in model.metrics:
        return "This model came without past scores: how often a score like these is right is not known."
    return (
        f"Last column: of the n real records in the same group of scores, how many had the label, with its 95 % "
        f"interval ({model.metrics['past scores']['on']}: scored by networks that had not learnt from them). Groups "
        "are small at both ends and large between; of a rare label even the highest one holds low scores, too."
    )


def attention_facts(attention: AttentionMap) -> str:
    """Return for whom an attention map holds, what it sums to, and how much signal each of its weights saw."""
    whose = "The same for every label" if attention.label is None else f"For the label {attention.label}"
    width = float((attention.span_s[:, 1] - attention.span_s[:, 0]).max())
    return (
        f"{whose}. Weights sum to {attention.sums_to}. A weight is drawn over {duration(width)}, "
        f"but the network saw {duration(attention.receptive_field_s)} of signal to form it."
    )


def behind_all(model: "Model", record: Record) -> str:
    """Return, of a map without leads, which leads of a record the network never read, "" where it read them all."""
    unread = [lead for lead in record.leads if lead not in model.spec.leads]
    if not unread:
        return ""
    read = ", ".join(model.spec.leads)
    return f"The map has no lead axis: its colour stands behind all leads, and the network read {read} only."


def leaning(even: "UniformAttention", label: str) -> str:
    """Return how much a logit leans on the attention: what it would be if the network weighed everything alike."""
    levels = ", ".join(f"{level} alone {change:+.2f}" for level, change in even.change.items() if level != "all")
    told = f"With all attention made even, the logit of {label} ({even.logit:+.2f}) would move by "
    return f"{told}{even.change['all']:+.2f} ({levels}). A move near 0 means that this attention explains little of it."


def mass(grid: EvidenceGrid) -> str:
    """Return what shares of a grid are shares of."""
    return "supporting mass" if grid.signed else "the map"


def in_cells(signed: Mapping[str, bool]) -> str:
    """Return what the cells of matrices lead x wave hold, by the title of each map and whether it has signs."""
    unsigned = [title for title, has_signs in signed.items() if not has_signs]
    share, net = "share of the map, %", "supporting minus opposing mass, % of both"
    if len(unsigned) == len(signed):
        return share
    return f"{net} (of maps without signs the {share}: {'; '.join(unsigned)})" if unsigned else net


def outside(grid: EvidenceGrid) -> str:
    """Return how much of a map lies on no wave."""
    whole = float(grid.pos.sum() + grid.neg.sum()) + grid.outside_abs
    share = grid.outside_abs / whole if whole > 0 else float("nan")
    told = (
        f"{percent(share)} of the map lies outside the delineated beats (edges, or waves not found) and is not shared "
        "out."
    )
    if not grid.has_leads:
        return told
    return f"{told} The six limb leads are sums of two of them: only their total is determined, not how it splits."


def nulls(agreement: Agreement) -> str:
    """Return both null tests in words."""
    return (
        f"Chance of a share as large when the map is shifted in time against the beats: p = {_p(agreement.p_time)} (by "
        f"whole beats, too: {_p(agreement.p_phase)}); when its leads are exchanged: p = {_p(agreement.p_place)}. The "
        "first and the last must be small before a map counts as agreeing. The region covers "
        f"{percent(agreement.area)} of the lead-seconds that the map covers."
    )


def _p(value: float) -> str:
    return "not tested" if value != value else "< 0.001" if value < 0.001 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Return a time span as a reader says it: 40 ms, 1.2 s."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"
