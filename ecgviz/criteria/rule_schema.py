"""What a rule may say: limits, conditions on leads, sums, patterns. Data only, never code."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ecgviz.criteria.vocabulary import INVERTED_AVR, MEASURES, OF_BEATS, OF_RHYTHM, TOLERANCES, Measure, expand

Role = Literal["required", "alternative", "supporting", "excluding", "note"]
"""Supporting rules and notes decide nothing: the former are told where they hold, the latter where they do not."""
DECIDING: tuple[Role, ...] = ("required", "excluding", "alternative")
"""The others, in the order in which they are asked."""
Verification = Literal["primary", "secondary", "unverified", "proposal"]
"""primary: read in the cited document; secondary: read in a human-written text that quotes it; unverified: still to
be read in the original; proposal: no published number exists, ours."""
Sex = Literal["male", "female"]
Op = Literal[">=", ">", "<=", "<"]
Kind = Literal["normal", "premature_ventricular", "premature_atrial", "paced", "unsure"]
Count = Literal["any", "all", "contiguous"] | Annotated[int, Field(ge=1)]


def _lead_list(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError("write leads as a list of names, such as [II, III, aVF]")
    return expand(value)


Leads = Annotated[tuple[str, ...], BeforeValidator(_lead_list), Field(min_length=1)]


class Strict(BaseModel):
    """A frozen part of a catalogue file; a field it does not know is an error, and so is a number that is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


ANY_AGE = (0.0, 200.0)
"""Years from which, and below which, a row holds that asks for no age."""


class Row(Strict):
    """One row of a limit table: for this sex, from ``age_from`` (inclusive) to ``age_to`` years (exclusive)."""

    value: float
    sex: Sex | None = None
    age_from: float = ANY_AGE[0]
    age_to: float = ANY_AGE[1]

    def fits(self, age_years: float | None, sex: str | None) -> bool:
        """Return whether the row may hold; what is unknown rules nothing out."""
        right_sex = self.sex is None or sex is None or sex == self.sex
        return right_sex and (age_years is None or self.age_from <= age_years < self.age_to)


class Table(Strict):
    """A limit that depends on sex and age: exactly one row for everybody."""

    rows: Annotated[tuple[Row, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _one_row_for_everybody(self) -> "Table":
        ages = {row.age_from for row in self.rows} | {0.0}
        for sex in ("male", "female"):
            for age in sorted(ages):
                fitting = sum(row.fits(age, sex) for row in self.rows)
                if fitting != 1:
                    raise ValueError(f"{fitting} rows hold for a {sex} of {age:g} years; exactly one must")
        return self


Limit = float | Table


class Comparison(Strict):
    """A value on one side, a limit on the other; ``tolerance`` defaults to that of the unit."""

    op: Op
    value: Limit
    unit: str
    tolerance: Annotated[float, Field(ge=0)] | None = None

    @cached_property
    def slack(self) -> float:
        """Return how near to the limit is borderline."""
        return TOLERANCES[self.unit] if self.tolerance is None else self.tolerance


def _unit_of(measure: str, per_lead: bool) -> str:
    if not per_lead and measure in OF_RHYTHM:
        return OF_RHYTHM[measure].unit
    found = _named(measure, MEASURES)
    if found.per_lead != per_lead:
        raise ValueError(f"{measure} is measured {'once a record' if per_lead else 'in each lead'}")
    return found.unit


def _named(measure: str, among: Mapping[str, Measure]) -> Measure:
    if measure not in among:
        raise ValueError(f"there is no measurement {measure!r}; known are {', '.join(among)}")
    return among[measure]


def _same_unit(given: str, measured: str, name: str) -> None:
    if given != measured:
        raise ValueError(f"unit {given!r} is not that of {name}, which is {measured!r}")


class Condition(Comparison):
    """A measurement of one lead against a limit, or how it compares with another one of the same lead.

    With ``minus`` their difference, with ``over`` their ratio is held against the limit.
    """

    measure: str
    minus: str | None = None
    over: str | None = None

    @property
    def other(self) -> str | None:
        """Return the measurement that is subtracted or divided by."""
        return self.minus or self.over

    @model_validator(mode="after")
    def _units_agree(self) -> "Condition":
        if self.minus and self.over:
            raise ValueError("a condition has a difference (minus) or a ratio (over), not both")
        own = _unit_of(self.measure, per_lead=True)
        if self.other is not None:
            _same_unit(own, _unit_of(self.other, per_lead=True), self.other)
        _same_unit(self.unit, "1" if self.over else own, self.measure)
        return self


class BeatCondition(Comparison):
    """A number of one beat against a limit."""

    measure: str

    @model_validator(mode="after")
    def _unit_agrees(self) -> "BeatCondition":
        _same_unit(self.unit, _named(self.measure, OF_BEATS).unit, self.measure)
        return self


class Case(Strict):
    """What is asked of ``leads``: each list of ``any_of`` holds conditions that must all hold; one list is enough."""

    leads: Leads
    any_of: Annotated[tuple[Annotated[tuple[Condition, ...], Field(min_length=1)], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _only_signed_upside_down(self) -> "Case":
        names = {name for group in self.any_of for c in group for name in (c.measure, c.other) if name}
        unsigned = sorted(name for name in names if not MEASURES[name].signed)
        if INVERTED_AVR in self.leads and unsigned:
            raise ValueError(f"{unsigned[0]} has no meaning in {INVERTED_AVR}")
        return self


class Stated(Strict):
    """What every rule states: its text for the reader, its role, and how well it is known.

    ``points`` is what an alternative counts for, in definitions that add up points.
    """

    role: Role
    text: str
    points: Annotated[int, Field(ge=1)] = 1
    verification: Verification
    source: str | None = None


class ValueRule(Stated, Comparison):
    """A measurement of the whole record against a limit."""

    form: Literal["value"]
    measure: str

    @model_validator(mode="after")
    def _unit_agrees(self) -> "ValueRule":
        _same_unit(self.unit, _unit_of(self.measure, per_lead=False), self.measure)
        return self


class LeadsRule(Stated):
    """Conditions on single leads, and in how many leads they must hold (``contiguous``: in two that are neighbours)."""

    form: Literal["leads"]
    count: Count
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]

    @property
    def leads(self) -> tuple[str, ...]:
        """Return every lead asked, in order."""
        return tuple(lead for case in self.cases for lead in case.leads)

    @model_validator(mode="after")
    def _each_lead_once(self) -> "LeadsRule":
        if len(set(self.leads)) != len(self.leads):
            raise ValueError("a lead stands in two cases")
        if isinstance(self.count, int) and self.count > len(self.leads):
            raise ValueError(f"{self.count} of {len(self.leads)} leads can never hold")
        return self


class Term(Strict):
    """The largest value of a measurement over ``leads``, ``factor`` times (-1: subtracted)."""

    measure: str
    leads: Leads
    factor: float = 1.0


class SumRule(Stated, Comparison):
    """A sum of wave sizes against a limit.

    ``add`` is added to it; it is multiplied by ``times``, or divided by the sum ``over``, where given.
    """

    form: Literal["sum"]
    terms: Annotated[tuple[Term, ...], Field(min_length=1)]
    add: Table | None = None
    times: str | None = None
    over: tuple[Term, ...] = ()

    @model_validator(mode="after")
    def _units_agree(self) -> "SumRule":
        if self.times and self.over:
            raise ValueError("a sum is multiplied (times) or divided (over), not both")
        for term in (*self.terms, *self.over):
            own = _unit_of(term.measure, per_lead=True)
            if self.over:
                _same_unit(own, _unit_of(self.terms[0].measure, per_lead=True), term.measure)
                own = "1"
            product = own if self.times is None else f"{own}*{_unit_of(self.times, per_lead=False)}"
            _same_unit(self.unit, product, self.text)
        return self


class BeatsRule(Stated):
    """Conditions on single beats of some ``kinds`` (none named: of all), and in how many beats they must all hold.

    With ``within_s`` these beats must lie within so many seconds: a count in 10 s is none of a longer recording.
    """

    form: Literal["beats"]
    kinds: tuple[Kind, ...] = ()
    count: Annotated[int, Field(ge=1)] = 1
    within_s: Annotated[float, Field(gt=0)] | None = None
    all_of: tuple[BeatCondition, ...] = ()


class UnmeasuredRule(Stated):
    """A rule that a recording or our measurements cannot decide: it is never evaluable, and ``why`` says so."""

    form: Literal["unmeasured"]
    why: str


class PatternRule(Stated):
    """QRS patterns such as qR or rsR', capitals for large waves, and in how many leads one of them must be seen."""

    form: Literal["pattern"]
    leads: Leads
    count: Count
    patterns: Annotated[tuple[str, ...], Field(min_length=1)]


class FindingRule(Stated):
    """Another entry of the catalogue: the definition named, or any of its definitions that are not ``broad``."""

    form: Literal["finding"]
    finding: str
    definition: str | None = None


class AnyAbnormalRule(Stated):
    """Any entry of the catalogue that makes an ECG abnormal (`Entry.makes_abnormal`), by any of its definitions.

    It holds when one of them is met; those that are borderline or not evaluable decide nothing.
    """

    form: Literal["any_abnormal"]


class UseRule(Strict):
    """A shared rule by name, in some of its leads where it is one on leads; the other fields replace its own."""

    form: Literal["use"]
    use: str
    role: Role
    leads: Leads | None = None
    count: Count | None = None
    text: str | None = None
    source: str | None = None
    verification: Verification | None = None


Evaluable = ValueRule | LeadsRule | SumRule | PatternRule | FindingRule | AnyAbnormalRule | BeatsRule | UnmeasuredRule
Rule = Annotated[Evaluable | UseRule, Field(discriminator="form")]


def restrict(rule: LeadsRule, leads: Iterable[str]) -> tuple[Case, ...]:
    """Return the cases of a rule for ``leads`` only; raises ValueError when the rule does not ask one of them."""
    wanted = tuple(leads)
    missing = [lead for lead in wanted if lead not in rule.leads]
    if missing:
        raise ValueError(f"the shared rule asks nothing of {missing[0]}")
    kept = (case.model_copy(update={"leads": tuple(x for x in case.leads if x in wanted)}) for case in rule.cases)
    return tuple(case for case in kept if case.leads)
