"""``criteria``: the catalogue of published criteria, and a recording held against it."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecgviz.cli.arguments import Age, Criteria, Fs, Json, Marks, Sex, Source, Unit, measured_on, read
from ecgviz.cli.console import number, plain, write_json, write_lines, write_table
from ecgviz.cli.trust import trust, write_trust
from ecgviz.errors import CriteriaError

if TYPE_CHECKING:
    from ecgviz.criteria import Entry
    from ecgviz.types import Finding


SAID: Mapping[str, str] = {
    "met": "met",
    "borderline": "too near to a limit to tell",
    "not_met": "not met",
    "not_evaluable": "that could not be evaluated",
}
"""What a reader is told of a state."""


def listed(folder: Criteria = None, as_json: Json = False) -> None:
    """List every diagnosis of the catalogue: its names elsewhere, its definitions, and who signed it off."""
    from ecgviz.criteria import catalogue

    entries = catalogue(folder)
    if as_json:
        return write_json({"entries": [_summary(entry) for entry in entries]})
    rows = [
        (
            *(entry.id, entry.name, entry.maps.superclass or "-", ", ".join(map(str, entry.maps.snomed)) or "-"),
            *(", ".join(one.key for one in entry.definitions), entry.review.status),
        )
        for entry in entries
    ]
    write_table(f"{len(rows)} diagnoses", ("id", "name", "superclass", "SNOMED CT", "definitions", "sign-off"), rows)
    return None


def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of an entry, as ecgviz criteria list gives it.")],
    folder: Criteria = None,
    as_json: Json = False,
) -> None:
    """Show one diagnosis: each published definition with its rules, sources and regions, and the caveats."""
    from ecgviz.criteria import entry, load
    from ecgviz.criteria.regions import WEIGHTS

    one = entry(name, folder)
    sources = load(folder).sources
    if as_json:
        cited = {d.source for d in one.definitions} | {s for d in one.definitions for s in _rule_sources(d.rules)}
        return write_json(
            one.model_dump(mode="json") | {"sources": {key: sources[key].model_dump() for key in sorted(cited)}}
        )
    write_lines(f"{one.id}: {one.name} ({one.review.status})", *(f"Caveat: {caveat}." for caveat in one.caveats))
    for definition in one.definitions:
        rows = [
            (rule.role, rule.text, rule.verification, sources[rule.source or definition.source].short)
            for rule in definition.rules
            if rule.form != "use"
        ]
        write_table(definition.key, ("role", "rule", "verification", "source"), rows)
        roi = definition.roi or one.roi
        for role in WEIGHTS:
            parts = [_part(part) for part in getattr(roi, role)]
            write_lines(*([f"{role}: {'; '.join(parts)}"] if parts else []))
        write_lines(f"Source: {sources[definition.source].full}", "")
    return None


def evaluate(
    record: Source,
    label: Annotated[
        str | None, typer.Option("--label", help="Statement (IMI) or superclass (MI); default all.")
    ] = None,
    folder: Criteria = None,
    marks: Marks = None,
    fs: Fs = None,
    unit: Unit = None,
    age: Age = None,
    sex: Sex = None,
    as_json: Json = False,
) -> None:
    """Hold a recording against the published criteria: all of them in short, or those of a label rule by rule."""
    from ecgviz.criteria import catalogue, evaluate_all, for_label, ranked
    from ecgviz.criteria import evaluate as evaluated
    from ecgviz.records.quality import assess

    loaded = read(record, fs, unit, age, sex)
    if label is not None and not for_label(label, folder):
        known = ", ".join(entry.id for entry in catalogue(folder))
        raise CriteriaError(f"no criterion speaks of {label!r}; known are {known}, and the superclasses of PTB-XL")
    beats, measured = measured_on(loaded, marks)
    patient: dict[str, Any] = {"age_years": loaded.age_years, "sex": loaded.sex, "folder": folder}
    found = evaluated(label, measured, beats, **patient) if label else evaluate_all(measured, beats, **patient)
    if as_json:
        told = {"record": loaded.id, "findings": [_finding(finding) for finding in found]}
        return write_json(told | trust(loaded, assess(loaded)))
    if label:
        _write_findings(found)
    else:
        _write_summary(loaded.id, ranked(found))
    return write_trust(loaded, assess(loaded))


def _write_findings(found: Sequence["Finding"]) -> None:
    """Write each definition rule by rule, with its source, and its caveats where they may apply."""
    for finding in found:
        title = f"{finding.criterion}, {finding.name} ({finding.definition}): {finding.state.replace('_', ' ')}"
        write_table(title, ("rule", "role", "measured", "limit", "unit", "margin", "state", "why"), _rules(finding))
        caveats = finding.caveats if finding.state in ("met", "borderline") else ()
        write_lines(f"{finding.why} Source: {finding.source}", *(f"Caveat: {caveat}." for caveat in caveats), "")


def _write_summary(record: str, found: Sequence["Finding"]) -> None:
    """Write what is met and what is near, each with its sentence, and the names of the rest."""
    from ecgviz.criteria.session import BARRED

    counts = ", ".join(f"{sum(one.state == state for one in found)} {said}" for state, said in SAID.items())
    write_lines(f"{record}: of {len(found)} published definitions {counts}.", "")
    for state in ("met", "borderline"):
        rows = [(one.criterion, one.name, one.definition, one.why) for one in found if one.state == state]
        if rows:
            write_table(SAID[state].capitalize(), ("id", "diagnosis", "definition", "why"), rows)
    told = {one.criterion for one in found if one.state in ("met", "borderline")}
    groups: dict[str, dict[str, None]] = {}
    for one in found:
        if one.criterion in told:
            continue
        if one.state == "not_met":
            reason = SAID["not_met"]
        elif one.why.startswith(BARRED):
            reason = f"not judged, since {one.why.removeprefix(BARRED).rsplit(' (', 1)[0]}"
        else:
            reason = "could not be measured"
        groups.setdefault(reason, {})[one.criterion] = None
    write_lines(*(f"{reason[0].upper()}{reason[1:]}: {', '.join(names)}." for reason, names in groups.items()))
    write_lines("", "Every rule of one diagnosis: ecgviz criteria evaluate RECORD --label ID")


def schema() -> None:
    """Print the JSON schema of a file of criteria, for editors and other programs."""
    from ecgviz.criteria import schema_json

    sys.stdout.write(f"{schema_json()}\n")


def _summary(entry: "Entry") -> dict[str, Any]:
    kept = entry.model_dump(
        mode="json", include={"id", "name", "maps", "level", "gates", "blocked_by", "blocked_if_met", "review"}
    )
    return kept | {"definitions": [one.key for one in entry.definitions]}


def _rule_sources(rules: Any) -> set[str]:
    return {rule.source for rule in rules if rule.source is not None}


def _part(part: Any) -> str:
    leads = "the leads that are met" if part.leads == "met" else ", ".join(part.leads)
    beats = "" if part.beats == "dominant" else f" of {part.beats.replace('_', ' ')} beats"
    return f"{', '.join(part.segments)}{beats} in {leads}"


def _rules(finding: "Finding") -> list[tuple[str, ...]]:
    """Return the rows of a table; a rule about a pattern has no number, which is a dash."""
    return [
        (
            rule.text,
            rule.role,
            number(rule.measured, 3) if rule.state == "not_evaluable" else _or_dash(rule.measured),
            _or_dash(rule.limit),
            "" if rule.unit == "1" else rule.unit,
            _or_dash(rule.margin),
            rule.state.replace("_", " "),
            rule.why,
        )
        for rule in finding.rules
    ]


def _or_dash(value: float) -> str:
    return number(value, 3) if math.isfinite(value) else "-"


def _finding(finding: "Finding") -> dict[str, Any]:
    """Return a finding for JSON: regions by their text, without their arrays."""
    names = (
        "criterion",
        "name",
        "definition",
        "state",
        "why",
        "source",
        "rules",
        "superclass",
        "caveats",
        "explained_by",
    )
    regions = {role: region.text for role, region in finding.regions.items()}
    return {name: plain(getattr(finding, name)) for name in names} | {"regions": regions}
