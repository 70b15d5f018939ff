"""Tables of rules: what a published definition asks, and what it found on one record."""

from collections.abc import Mapping, Sequence

import pandas as pd

from ecgviz.criteria import Source
from ecgviz.criteria.rule_schema import UseRule
from ecgviz.criteria.schema import Definition, Entry
from ecgviz.figures.rule_words import VERIFICATIONS, limit_words
from ecgviz.figures.tables import amount
from ecgviz.types import Finding, RuleResult

MARKS: Mapping[str, str] = {"met": "✓", "borderline": "≈", "not_met": "✗", "not_evaluable": "?"}
"""A sign for each state of a definition or rule, which stands beside the word for it."""
NO_BREAK = "\N{NO-BREAK SPACE}"
ROLES: Mapping[str, str] = {
    "required": f"must{NO_BREAK}hold",
    "alternative": "one way to hold",
    "supporting": "supports",
    "excluding": f"must{NO_BREAK}not{NO_BREAK}hold",
    "note": "a note where it does not hold",
}


def state_words(state: str) -> str:
    """Return a state with its sign, on one line: "✗ not met"."""
    return f"{MARKS[state]} {state.replace('_', ' ')}".replace(" ", NO_BREAK)


def rule_state_words(rule: RuleResult) -> str:
    """Return the state of a rule with its sign; of one that must not hold, ✓ where it does not."""
    if rule.role == "excluding" and rule.state in ("met", "not_met"):
        return (f"{MARKS['met']} absent" if rule.state == "not_met" else f"{MARKS['not_met']} present").replace(
            " ", NO_BREAK
        )
    return state_words(rule.state)


def reasoning_table(finding: Finding) -> pd.DataFrame:
    """Return the rules of one definition as they were read on a record, in the catalogue's order."""
    rows = [
        (
            rule_state_words(rule),
            f"{rule.text} ({ROLES[rule.role]})",
            rule.why,
            amount(rule.margin, rule.unit, sign="+").replace(" ", NO_BREAK),
            f"{rule.source}; {VERIFICATIONS[rule.verification]}",
        )
        for rule in finding.rules
    ]
    columns = ["rule is", "rule", "measured beside limit", "margin", "source, and how it is known"]
    return pd.DataFrame(rows, columns=columns)


def definition_table(definition: Definition, sources: Mapping[str, Source]) -> pd.DataFrame:
    """Return the rules of one definition as published: words, limits, role, how they are known."""
    rows = [
        (
            ROLES[rule.role] + (f", {rule.points} points" if rule.points > 1 else ""),
            rule.text,
            limit_words(rule),
            f"{sources[rule.source or definition.source].short}; {VERIFICATIONS[rule.verification]}",
        )
        for rule in definition.rules
        if not isinstance(rule, UseRule)
    ]
    return pd.DataFrame(rows, columns=["role", "rule", "measured how, and limit", "source, and how it is known"])


def entries_table(entries: Sequence[Entry], sources: Mapping[str, Source]) -> pd.DataFrame:
    """Return a row an entry: names, codes, levels, definitions with their sources, sign-off."""
    rows = [
        (
            one.id,
            one.name,
            one.maps.superclass or "",
            ", ".join(one.maps.scp),
            one.maps.cpsc or "",
            ", ".join(one.maps.cinc),
            ", ".join(map(str, one.maps.snomed)),
            ", ".join(one.level),
            "; ".join(f"{each.key} ({sources[each.source].short})" for each in one.definitions),
            one.review.status,
        )
        for one in entries
    ]
    columns = ["id", "name", "superclass", "SCP", "CPSC 2018", "CinC 2021", "SNOMED CT", "level", "definitions"]
    return pd.DataFrame(rows, columns=[*columns, "sign-off"])


def how_known(rules: Sequence[RuleResult]) -> str:
    """Return how many rules of a definition are known how well: "3 read in the cited document, 1 unverified, ..."."""
    tags = [rule.verification for rule in rules]
    counts = [f"{tags.count(tag)} {words}" for tag, words in VERIFICATIONS.items() if tag in tags]
    return f"{len(tags)} rule{'s' if len(tags) != 1 else ''}: {'; '.join(counts)}"
