"""One record under evaluation: every published definition, in the order in which entries block each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

from ecgviz.beats.spikes import LOWEST_HZ
from ecgviz.criteria import wording
from ecgviz.criteria.judged import Outcome, Patient, Shown
from ecgviz.criteria.load import Catalogue
from ecgviz.criteria.logic import definition_state, some
from ecgviz.criteria.regions import Canvas, Regions
from ecgviz.criteria.rule_schema import DECIDING, AnyAbnormalRule, Evaluable, FindingRule, LeadsRule, PatternRule
from ecgviz.criteria.rules import outcome, result
from ecgviz.criteria.schema import Definition, Entry
from ecgviz.types import Beats, Finding, RuleResult

BARRED = "not evaluable: "
"""Begins the sentence of a finding that does not apply to a record, whatever was measured."""
WIDE_QRS_MS = 120.0
"""Paced ventricles give complexes of this width and more."""
OPEN = ("borderline", "not_evaluable")
"""States of an entry of which it is open whether it holds: beside a block that is missed by a millisecond, ST and T are
no more to be read than beside one that is there."""


@dataclass
class Session:
    """One record under evaluation; what was settled once is not settled again.

    Only states are worked out here, each definition's as far as it is open. Sentences, numbers to show and regions
    follow when a reader asks a `JudgedFinding` for them: of all the definitions of a record that is a handful.
    """

    known: Catalogue
    patient: Patient
    beats: Beats
    canvas: Canvas
    settled: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    states: dict[tuple[str, str | None], str] = field(default_factory=dict)
    asked: dict[int, Outcome] = field(default_factory=dict)

    @cached_property
    def paced(self) -> bool:
        """Return whether the dominant beats are paced."""
        return {kind for kind, most in zip(self.beats.kind, self.beats.dominant, strict=True) if most} == {"paced"}

    def findings(self, one: Entry) -> tuple[Finding, ...]:
        """Return the findings of one entry, evaluated at most once."""
        if one.id not in self.settled:
            barred, cautions = self._barred(one), self._cautions(one)
            self.settled[one.id] = tuple(
                self._finding(one, d, barred or self._blocked(d.blocked_by), cautions) for d in one.definitions
            )
        return self.settled[one.id]

    def state(self, name: str, definition: str | None = None) -> str:
        """Return the state of another entry: one of its definitions that are not broad holds, or the one named."""
        key = name, definition
        if key not in self.states:
            other = self.known.entries[name]
            findings = self._resting(other) if definition is None else self.findings(other)
            self.states[key] = some([f.state for f in findings if definition in (None, f.definition)])
        return self.states[key]

    def _resting(self, other: Entry) -> tuple[Finding, ...]:
        """Return the findings of an entry on which others may rest: not those of broad definitions."""
        found = zip(self.findings(other), other.definitions, strict=True)
        return tuple(finding for finding, definition in found if not definition.broad)

    def _barred(self, one: Entry) -> Callable[[], str] | None:
        """Return what says why an entry does not apply to this record, or None where it does."""
        age = self.patient.age_years
        if self.beats.reason:
            return lambda: f"no beats: {self.beats.reason}"
        if age is not None and age < one.gates.age_from:
            return lambda: f"the limits are for adults, and the patient is {age:g} years old"
        if self.paced and not one.gates.paced:
            return lambda: "the rhythm is paced"
        return self._blocked(one.blocked_by, one.blocked_if_met)

    def _blocked(self, by: Sequence[str], if_met: Sequence[str] = ()) -> Callable[[], str] | None:
        """Return what says beside which entry something is not judged, or None: one met, or of ``by`` an open one."""
        for name in (*by, *if_met):
            state = self.state(name)
            if state == "met" or (state in OPEN and name in by):
                return lambda: self._beside(self.known.entries[name], state)
        return None

    def _beside(self, other: Entry, state: str) -> str:
        """Return why an entry is not judged beside another one that is met, or of which it is open whether it is."""
        findings = [found for found in self._resting(other) if found.state == state]
        if state == "met":
            return f"there is {wording.there(other.name, [found.definition for found in findings])}"
        reasons = dict.fromkeys(r.why for f in findings for r in f.rules if r.state == state and r.role in DECIDING)
        return f"it is open whether there is {other.name}: {'; '.join(reasons) or findings[0].why}"

    def _finding(
        self, one: Entry, definition: Definition, barred: Callable[[], str] | None, cautions: tuple[str, ...]
    ) -> Finding:
        state = "not_evaluable"
        if barred is None:
            rules, roles, points = definition.deciding
            state = definition_state(roles, (self.outcome(r).state for r in rules), definition.at_least, points)
        mirrored = self._mirrored(definition) if state == "met" else ""
        return JudgedFinding.of(
            Judgement(self, one, definition, barred),
            criterion=one.id,
            name=one.name,
            definition=definition.key,
            state=state,
            source=self.known.sources[definition.source].full,
            superclass=one.maps.superclass,
            caveats=(*((f"there is {mirrored}",) if mirrored else ()), *cautions, *definition.caveats, *one.caveats),
            stages=definition.stages,
            explained_by=mirrored,
        )

    def _mirrored(self, definition: Definition) -> str:
        """Return of which other sign, that is there too, the sign of a definition may be the mirror image, or ""."""
        if definition.mirror_of is None or self.state(definition.mirror_of) != "met":
            return ""
        other = self.known.entries[definition.mirror_of]
        met = next(found for found in self._resting(other) if found.state == "met")
        shown = dict.fromkeys(lead for rule in met.rules if rule.role == "required" for lead in rule.leads)
        return f"{other.name} in {', '.join(shown)}, of which this may be the mirror image"

    def outcome(self, rule: Evaluable) -> Outcome:
        """Return what a rule comes to; rules that ask the same are asked once."""
        question = self.known.questions[id(rule)]
        found = self.asked.get(question)
        if found is None:
            if isinstance(rule, AnyAbnormalRule):
                found = self._any_abnormal()
            elif isinstance(rule, FindingRule):
                found = self._another(rule)
            else:
                found = outcome(rule, self.patient, self._of_finding)
            self.asked[question] = found
        return found

    def _another(self, rule: FindingRule) -> Outcome:
        """Return whether another entry is met, and by which definitions it is on which nothing rests."""
        state = self._of_finding(rule)

        def show() -> Shown:
            if rule.definition:
                return Shown((), (), wording.finding(rule.finding, (rule.definition,), state))
            other = self.known.entries[rule.finding]
            met = [found.definition for found in self.findings(other) if found.state == "met"]
            resting = [found.definition for found in self._resting(other) if found.state == "met"]
            return Shown((), (), wording.finding(rule.finding, resting, state, [d for d in met if d not in resting]))

        return Outcome(state, show)

    def _any_abnormal(self) -> Outcome:
        """Return whether any entry that makes an ECG abnormal is met, and which."""
        asked = [one for one in self.known.entries.values() if one.makes_abnormal]
        met = [found for one in asked for found in self.findings(one) if found.state == "met"]
        return Outcome("met" if met else "not_met", lambda: Shown((), (), wording.abnormal(met)))

    def _of_finding(self, rule: FindingRule) -> str:
        return self.state(rule.finding, rule.definition)

    def _cautions(self, one: Entry) -> tuple[str, ...]:
        cautions = []
        if self.patient.age_years is None and one.gates.age_from > 0:
            cautions.append(f"the age is unknown: read with the limits for {one.gates.age_from:g} years and older")
        measured = self.patient.measured
        if one.maps.superclass is not None and "electrodes" in measured.reasons:
            cautions.append(measured.reasons["electrodes"])
        if not one.gates.paced and measured.fs < LOWEST_HZ and measured.value("qrs_ms") >= WIDE_QRS_MS:
            cautions.append(
                f"at {measured.fs:g} Hz pacing spikes cannot be seen: where these wide complexes are paced, this is "
                "not to be judged"
            )
        for name in one.blocked_if_met:
            if self.state(name) in OPEN:
                other = self.known.entries[name].name
                cautions.append(f"it is open whether there is {other}, beside which this is not judged")
        return tuple(cautions)


class Judgement(NamedTuple):
    """What a finding was concluded from, and what puts it into words."""

    session: Session
    entry: Entry
    definition: Definition
    barred: Callable[[], str] | None

    def rules(self) -> tuple[RuleResult, ...]:
        """Return each rule with its numbers and its sentence."""
        sources, own = self.session.known.sources, self.definition.source
        rules = self.definition.resolved
        return tuple(result(rule, self.session.outcome(rule), sources[rule.source or own].short) for rule in rules)

    def why(self, finding: Finding) -> str:
        """Return the sentence of a finding."""
        short = self.session.known.sources[self.definition.source].short
        if self.barred is not None:
            return f"{BARRED}{self.barred()} ({short})"
        phrases = [*_score(self.definition, finding.rules), *_decisive(self.definition, finding.rules, finding.state)]
        return wording.conclusion(phrases, finding.state, short)

    def regions(self) -> Regions:
        """Return where a reader looks."""
        return Regions(self.definition.roi or self.entry.roi, self.session.canvas, self._met_leads())

    def _met_leads(self) -> tuple[str, ...]:
        """Return the leads in which the deciding rules hold, or all leads they ask when none does."""
        rules = self.definition.resolved
        deciding = [self.session.outcome(rule) for rule in rules if rule.role in ("required", "alternative")]
        met = [lead for found in deciding if found.state == "met" for lead in found.shown.leads]
        asked = [lead for rule in rules if isinstance(rule, LeadsRule | PatternRule) for lead in rule.leads]
        return tuple(dict.fromkeys(met or asked))


class JudgedFinding(Finding):
    """A finding whose rules, sentence and regions are worked out when they are first asked for."""

    @classmethod
    def of(cls, judgement: Judgement, **known: Any) -> "JudgedFinding":
        """Return the finding with the fields that are ``known``; the others come from ``judgement`` when asked for."""
        finding = cls.__new__(cls)
        finding.__dict__.update(known, _judgement=judgement)
        return finding

    def __getattr__(self, name: str) -> Any:
        """Work out a field that nobody asked for yet."""
        if name not in ("rules", "why", "regions"):
            raise AttributeError(f"a finding has no {name!r}")
        judgement: Judgement = self._judgement
        value = judgement.why(self) if name == "why" else getattr(judgement, name)()
        self.__dict__[name] = value
        return value

    def __reduce__(self) -> tuple[type[Finding], tuple[Any, ...]]:
        """Travel to another process, or to a copy, as a plain finding with every field worked out."""
        return Finding, tuple(getattr(self, one.name) for one in fields(self))


def _score(definition: Definition, results: Sequence[RuleResult]) -> list[str]:
    """Return the phrase of a point score; nothing for definitions whose alternatives count the same."""
    worth = [rule.points for rule in definition.resolved]
    if max(worth) == 1:
        return []
    scored = [(point, r.state) for point, r in zip(worth, results, strict=True) if r.role == "alternative"]
    met = sum(point for point, state in scored if state == "met")
    unknown = sum(point for point, state in scored if state == "not_evaluable")
    return [wording.points(met, unknown, definition.at_least)]


def _decisive(definition: Definition, results: Sequence[RuleResult], state: str) -> list[str]:
    """Return the phrases that explain a state: what holds, supports and is of note when met; else what hinders.

    Alternatives that do not hold stand in the way only where those that do are not enough.
    """
    if state == "met":
        holding = [r.why for r in results if r.role in ("required", "alternative", "supporting") and r.state == "met"]
        return [*holding, *(f"of note: {r.why}" for r in results if r.role == "note" and r.state == "not_met")]
    opposing = {"not_met": "met", "borderline": "borderline", "not_evaluable": "not_evaluable"}[state]
    worth = zip((rule.points for rule in definition.resolved), results, strict=True)
    enough = sum(p for p, r in worth if r.role == "alternative" and r.state == "met") >= definition.at_least
    asked = ("required",) if enough else ("required", "alternative")
    deciding = [r for r in results if r.role in asked and r.state == state]
    excluding = [r for r in results if r.role == "excluding" and r.state == opposing]
    since = "excluded, since " if state == "not_met" else ""
    return [*(r.why for r in deciding), *(f"{since}{r.why}" for r in excluding)]
