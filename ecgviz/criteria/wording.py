"""Sentences of a verdict, as a reader of ECGs would put them."""

import operator
from collections.abc import Mapping, Sequence

import numpy as np

from ecgviz.criteria.judged import Check
from ecgviz.criteria.vocabulary import FLAGS, MEASURES, OF_BEATS, OF_RHYTHM
from ecgviz.types import Finding

MOST_ENTRIES = 4
"""So many entries are named in one sentence."""
MOST_DECIMALS = 3
"""So many more decimals are printed at most, to tell a value from its limit."""
_OPERATORS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_SIGNED = {measure.label for measure in MEASURES.values() if measure.signed}
_FLAGS = {{**MEASURES, **OF_BEATS}[name].label for name in FLAGS}
_COUNTS = {
    {**MEASURES, **OF_RHYTHM}[name].label
    for name in ("n_ectopic", "blocked_p", "blocked_p_run", "conducted_p_run", "bigeminy_cycles", "trigeminy_cycles")
}
"""Whole numbers, which are told without decimals."""
_DECIMALS = {"ms": 0, "deg": 0, "bpm": 0, "mV": 2, "1": 2, "mV*ms": 0, "mV/s": 1, "Hz": 1}
_UNITS = {"ms": " ms", "deg": "°", "bpm": " bpm", "mV": " mV", "1": "", "mV*ms": " mV ms", "mV/s": " mV/s", "Hz": " Hz"}
_VERDICT = {"met": "met", "not_met": "not met", "borderline": "borderline", "not_evaluable": "not evaluable"}


def number(value: float, unit: str, *, signed: bool = False, more: int = 0) -> str:
    """Return a value with the decimals that its unit deserves and ``more``, without the unit."""
    return f"{value:{'+' if signed else ''}.{_DECIMALS[unit] + more}f}".replace("inf", "∞")


def _more(group: Sequence[Check]) -> int:
    """Return how many decimals more the values need for what is said of them to hold of the numbers as printed."""
    first = group[0]
    if first.label in _COUNTS:
        return -_DECIMALS[first.unit]
    for more in range(MOST_DECIMALS + 1):
        said = [float(f"{check.value:.{_DECIMALS[first.unit] + more}f}") for check in group]
        limit = float(f"{first.limit:.{_DECIMALS[first.unit] + more}f}")
        if all(_OPERATORS[first.op](value, limit) == (first.state == "met") for value in said):
            return more
    return 0


def checks(shown: Sequence[Check]) -> str:
    """Return one phrase for checks of one rule; leads with the same limit share it."""
    groups: dict[tuple[str, str, float, str, str], list[Check]] = {}
    for check in shown:
        groups.setdefault((check.label, check.op, check.limit, check.state, check.unknown), []).append(check)
    return ", ".join(_group(group) for group in groups.values())


def _group(group: list[Check]) -> str:
    first = group[0]
    leads = ", ".join(check.lead for check in group if check.lead)
    if first.state == "not_evaluable":
        if np.isfinite(first.value):
            return f"{first.label} {leads}".strip() + f": {first.unknown}"
        return f"{first.label} {leads}".strip() + f" not measurable: {first.unknown}"
    if first.label in _FLAGS:
        against = first.value >= 1 and first.state == "not_met" and first.label == MEASURES["qs"].label
        no_q = ", which this definition counts as no Q wave" if against else ""
        return f"{leads} {'' if first.value >= 1 else 'no '}{first.label}{no_q}".strip()
    signed = first.label in _SIGNED or first.unit == "deg"
    more = 0 if first.state == "borderline" else _more(group)
    values = ", ".join(
        f"{check.lead} {number(check.value, first.unit, signed=signed, more=more)}"
        if check.lead
        else number(check.value, first.unit, more=more)
        for check in group
    )
    limit = f"{first.op} {number(first.limit, first.unit, more=more)}{_UNITS[first.unit]}"
    said = f"{first.label} {values}{_UNITS[first.unit]}" if first.lead else _plain(first, values)
    if first.state == "borderline":
        return f"{said}, too near to the limit {limit} to tell"
    verb = "" if first.state == "met" else "not "
    margin = f" ({first.margin:+.{_DECIMALS[first.unit] + more}f})" if len(group) == 1 else ""
    return f"{said} {verb}{limit}{margin}"


def _plain(check: Check, value: str) -> str:
    joint = " = " if any(sign in check.label for sign in (" + ", " - ", ") / (")) else " "
    return f"{check.label}{joint}{value}{_UNITS[check.unit]}"


def pattern(seen: Mapping[str, str], deciding: Sequence[str], state: str, wanted: Sequence[str]) -> str:
    """Return the phrase of a pattern rule: "V1 rS, V2 rS", or what is there instead of what is wanted."""
    if state == "not_evaluable":
        return f"QRS pattern of {', '.join(lead for lead, shape in seen.items() if not shape)} not measurable"
    if state == "met":
        return ", ".join(f"{lead} {seen[lead]}" for lead in deciding)
    there = ", ".join(f"{lead} {shape or 'no QRS'}" for lead, shape in seen.items())
    return f"{there}, not {' or '.join(wanted)}"


def beats(kinds: Sequence[str], there: int, holding: int, needed: int, shown: Sequence[Check]) -> str:
    """Return the phrase of a rule on single beats: how many there are and hold, and the numbers of the best."""
    what = f"{' or '.join(kinds)} {'beat' if there == 1 else 'beats'}".replace("_", " ").strip()
    said = f"{there} {what}" if there else f"no {what}"
    if holding and (shown or holding < there):
        said += f", {holding} of them as asked" if needed > 1 or holding > 1 else ", one of them"
    return f"{said} ({checks(shown)})" if shown else said


def points(met: int, unknown: int, needed: int) -> str:
    """Return the phrase of a point score: "6 points (5 are needed)"."""
    return f"{met} points{f' and {unknown} that are not evaluable' if unknown else ''} ({needed} are needed)"


def finding(name: str, definitions: Sequence[str], state: str, broad: Sequence[str] = ()) -> str:
    """Return the phrase of a rule that asks for another entry, by the ``definitions`` that decide, if any.

    ``broad`` are definitions that are met, too, and on which nothing rests.
    """
    asked = there(name, definitions) if definitions else name
    but = f" (but by {' and '.join(broad)}, on which others do not rest)" if broad and state != "met" else ""
    return f"{asked} is {_VERDICT[state]}{but}"


def there(name: str, definitions: Sequence[str]) -> str:
    """Return the phrase of an entry that is met, with its definitions that are."""
    first, last = ", ".join(definitions[:-1]), definitions[-1]
    return f"{name} by {first} and {last}" if first else f"{name} by {last}"


def abnormal(met: Sequence[Finding]) -> str:
    """Return the phrase of a rule that asks for anything abnormal: the first entries met, with their definitions."""
    if not met:
        return "nothing that makes an ECG abnormal is met"
    by_entry: dict[str, list[str]] = {}
    for found in met:
        by_entry.setdefault(found.name, []).append(found.definition)
    listed = [there(name, definitions) for name, definitions in by_entry.items()]
    more = len(listed) - MOST_ENTRIES
    return f"there is {', '.join(listed[:MOST_ENTRIES])}{f', and {more} more' if more > 0 else ''}"


def table(value: float, unit: str, limits: Sequence[float], no_sex: bool, no_age: bool) -> str:
    """Return why a value between the limits of two sexes or ages decides nothing."""
    what = " and ".join(word for word, unknown in (("sex", no_sex), ("age", no_age)) if unknown)
    listed = " or ".join(number(limit, unit) for limit in sorted(limits))
    return f"{number(value, unit)}{_UNITS[unit]}, and the limit is {listed}{_UNITS[unit]}: {what} must be known"


def conclusion(phrases: Sequence[str], state: str, source: str) -> str:
    """Return the sentence of a finding: its phrases, each once, the verdict, the source."""
    return f"{'; '.join(dict.fromkeys(phrases))}: {_VERDICT[state]} ({source})"
