"""Findings: every published definition of an entry on one record, in the order in which entries block each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ecgviz.criteria import wording
from ecgviz.criteria.judged import Patient
from ecgviz.criteria.load import Catalogue, load
from ecgviz.criteria.logic import definition_state, some
from ecgviz.criteria.regions import Canvas, Regions, canvas
from ecgviz.criteria.rule_schema import FindingRule, LeadsRule, PatternRule, UseRule
from ecgviz.criteria.rules import evaluate_rule
from ecgviz.criteria.schema import Definition, Entry
from ecgviz.errors import CriteriaError
from ecgviz.types import Beats, Finding, Measurements, RuleResult


def catalogue(folder: Path | None = None) -> tuple[Entry, ...]:
    """Return every entry: the shipped ones, then those of a user's own ``folder``.

    Raises
    ------
    CriteriaError
        When a file is malformed; the message names file, entry and field.
    """
    return tuple(load(folder).entries.values())


def entry(name: str, folder: Path | None = None) -> Entry:
    """Return one entry by its id.

    Raises
    ------
    CriteriaError
        When there is none; the message lists the ids there are.
    """
    entries = load(folder).entries
    if name not in entries:
        raise CriteriaError(f"there is no criterion {name!r}; known are {', '.join(entries)}")
    return entries[name]


def for_label(label: str, folder: Path | None = None) -> tuple[Entry, ...]:
    """Return the entries that speak of a label.

    A label is an SCP statement, a CPSC class, a SNOMED CT code or abbreviation of the PhysioNet challenges, an entry's
    id, or a superclass. A superclass (CD, HYP, MI, NORM, STTC) stands for all its entries. A label of which the
    catalogue knows nothing gets none.
    """
    return tuple(one for one in load(folder).entries.values() if label in _labels(one))


def _labels(one: Entry) -> set[str | None]:
    maps = one.maps
    return {one.id, maps.cpsc, maps.superclass, *maps.scp, *maps.cinc, *map(str, maps.snomed)}


def evaluate(
    label: str,
    measured: Measurements,
    beats: Beats,
    *,
    age_years: float | None,
    sex: str | None,
    folder: Path | None = None,
) -> tuple[Finding, ...]:
    """Return one finding for each published definition of each entry that speaks of ``label`` (see `for_label`).

    Parameters
    ----------
    label : str
        What a network calls it: an SCP statement or a superclass.
    measured, beats
        Of one record; regions are drawn on ``measured.leads`` x beats x atoms.
    age_years, sex
        None when unknown: then limits that depend on them decide only where all rows of their table agree. ``sex``
        is "male" or "female".
    folder
        A user's own criteria, used beside ours.

    Raises
    ------
    CriteriaError
        For a sex or age that is none, or a malformed catalogue.
    """
    return _findings(for_label(label, folder), load(folder), measured, beats, age_years, sex)


def evaluate_all(
    measured: Measurements, beats: Beats, *, age_years: float | None, sex: str | None, folder: Path | None = None
) -> tuple[Finding, ...]:
    """Return the findings of every entry of the catalogue; parameters and errors as in `evaluate`."""
    known = load(folder)
    return _findings(tuple(known.entries.values()), known, measured, beats, age_years, sex)


def _findings(
    entries: Sequence[Entry], known: Catalogue, measured: Measurements, beats: Beats, age: float | None, sex: str | None
) -> tuple[Finding, ...]:
    if sex not in (None, "male", "female"):
        raise CriteriaError(f"sex {sex!r} is not 'male', 'female' or unknown (None)")
    if age is not None and not 0 <= age <= 120:
        raise CriteriaError(f"an age of {age} years is not plausible; unknown is None")
    session = _Session(known, Patient(measured, age, sex, beats), beats, canvas(measured.leads, beats))
    return tuple(finding for one in entries for finding in session.findings(one))


@dataclass
class _Session:
    """One record under evaluation; what was settled once is not settled again."""

    known: Catalogue
    patient: Patient
    beats: Beats
    canvas: Canvas
    settled: dict[str, tuple[Finding, ...]] = field(default_factory=dict)

    @cached_property
    def paced(self) -> bool:
        """Return whether the dominant beats are paced."""
        return {kind for kind, most in zip(self.beats.kind, self.beats.dominant, strict=True) if most} == {"paced"}

    def findings(self, one: Entry) -> tuple[Finding, ...]:
        """Return the findings of one entry, evaluated at most once."""
        if one.id not in self.settled:
            barred = self._barred(one)
            self.settled[one.id] = tuple(self._finding(one, d, barred) for d in one.definitions)
        return self.settled[one.id]

    def state(self, name: str, definition: str | None = None) -> str:
        """Return the state of another entry: one of its definitions holds, or the one named."""
        findings = self.findings(self.known.entries[name])
        return some([f.state for f in findings if definition in (None, f.definition)])

    def _barred(self, one: Entry) -> str:
        """Return why an entry does not apply to this record, or ""."""
        age = self.patient.age_years
        if self.beats.reason:
            return f"no beats: {self.beats.reason}"
        if age is not None and age < one.gates.age_from:
            return f"the limits are for adults, and the patient is {age:g} years old"
        if self.paced and not one.gates.paced:
            return "the rhythm is paced"
        for name in (*one.blocked_by, *one.blocked_if_met):
            other = self.known.entries[name]
            state = self.state(name)
            if state == "met" or (state == "not_evaluable" and name in one.blocked_by):
                return _beside(other, state, [f for f in self.findings(other) if f.state == state])
        return ""

    def _finding(self, one: Entry, definition: Definition, barred: str) -> Finding:
        source = self.known.sources[definition.source]
        results = tuple(self._result(rule_index, definition) for rule_index in range(len(definition.rules)))
        roles, states = [r.role for r in results], [r.state for r in results]
        points = [getattr(rule, "points", 1) for rule in definition.rules]
        state = definition_state(roles, states, definition.at_least, points)
        phrases = [*_score(definition, points, states), *_decisive(results, state)]
        why = wording.conclusion(phrases, state, source.short)
        if barred:
            state, why = "not_evaluable", f"not evaluable: {barred} ({source.short})"
        drawn = Regions(definition.roi or one.roi, self.canvas, _met_leads(definition, results))
        return Finding(
            criterion=one.id,
            name=one.name,
            definition=definition.key,
            state=state,
            why=why,
            source=source.full,
            rules=results,
            regions=drawn,
            superclass=one.maps.superclass,
            caveats=(*self._cautions(one), *definition.caveats, *one.caveats),
            stages=definition.stages,
        )

    def _result(self, index: int, definition: Definition) -> RuleResult:
        rule = definition.rules[index]
        if isinstance(rule, UseRule):
            raise TypeError("a shared rule was not resolved")
        source = self.known.sources[rule.source or definition.source].short
        return evaluate_rule(rule, self.patient, source, self._asked)

    def _asked(self, rule: FindingRule) -> str:
        return self.state(rule.finding, rule.definition)

    def _cautions(self, one: Entry) -> tuple[str, ...]:
        cautions = []
        if self.patient.age_years is None and one.gates.age_from > 0:
            cautions.append(f"the age is unknown: read with the limits for {one.gates.age_from:g} years and older")
        for name in one.blocked_if_met:
            if self.state(name) == "not_evaluable":
                other = self.known.entries[name].name
                cautions.append(f"it is open whether there is {other}, beside which this is not judged")
        return tuple(cautions)


def _beside(other: Entry, state: str, findings: Sequence[Finding]) -> str:
    """Return why an entry is not judged beside another one that is met, or of which it is open whether it is."""
    if state == "met":
        return f"there is {other.name} by {' and '.join(f.definition for f in findings)}"
    reasons = dict.fromkeys(r.why for f in findings for r in f.rules if r.state == state and r.role != "supporting")
    return f"it is open whether there is {other.name}: {'; '.join(reasons) or findings[0].why}"


def _score(definition: Definition, points: Sequence[int], states: Sequence[str]) -> list[str]:
    """Return the phrase of a point score; nothing for definitions whose alternatives count the same."""
    if max(points) == 1:
        return []
    scored = [
        (point, state)
        for rule, point, state in zip(definition.rules, points, states, strict=True)
        if rule.role == "alternative"
    ]
    met = sum(point for point, state in scored if state == "met")
    unknown = sum(point for point, state in scored if state == "not_evaluable")
    return [wording.points(met, unknown, definition.at_least)]


def _decisive(results: Sequence[RuleResult], state: str) -> list[str]:
    """Return the phrases that explain a state: what holds and supports when met, else only what stands in the way."""
    if state == "met":
        holding = ("required", "alternative", "supporting")
        return [r.why for r in results if r.role in holding and r.state == "met"]
    opposing = {"not_met": "met", "borderline": "borderline", "not_evaluable": "not_evaluable"}[state]
    return [
        r.why for r in results if r.role != "supporting" and r.state == (opposing if r.role == "excluding" else state)
    ]


def _met_leads(definition: Definition, results: Sequence[RuleResult]) -> tuple[str, ...]:
    """Return the leads in which the deciding rules hold, or all leads they ask when none does."""
    deciding = [r for r in results if r.role in ("required", "alternative")]
    met = [lead for r in deciding if r.state == "met" for lead in r.leads]
    if not met:
        asked = [rule for rule in definition.rules if isinstance(rule, LeadsRule | PatternRule)]
        met = [lead for rule in asked for lead in rule.leads]
    return tuple(dict.fromkeys(met))
