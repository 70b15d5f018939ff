"""What a catalogue file may say: entries, published definitions, sources, regions. Data only, never code."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from ecgviz.criteria.rule_schema import DECIDING, Evaluable, Leads, Rule, Strict, UseRule
from ecgviz.criteria.vocabulary import SEGMENTS
from ecgviz.errors import CriteriaError


class Source(Strict):
    """A publication: ``short`` stands in verdicts, ``citation`` and ``doi`` where the reader asks for more.

    What no publication defines has a source without ``doi``, whose ``citation`` says so.
    """

    short: str
    citation: str
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None

    @cached_property
    def full(self) -> str:
        """Return the citation with its address."""
        return self.citation if self.doi is None else f"{self.citation} https://doi.org/{self.doi}"


class RoiPart(Strict):
    """Segments in leads; "met": the leads in which the definition's rules hold, or all it asks when none does."""

    leads: Leads | Literal["met"]
    segments: Annotated[tuple[str, ...], Field(min_length=1)]
    beats: Literal["dominant", "ectopic", "premature_ventricular", "premature_atrial", "paced", "all"] = "dominant"

    @model_validator(mode="after")
    def _known_segments(self) -> "RoiPart":
        unknown = [name for name in self.segments if name not in SEGMENTS]
        if unknown:
            raise ValueError(f"there is no segment {unknown[0]!r}; known are {', '.join(SEGMENTS)}")
        return self


class Roi(Strict):
    """Where a reader looks.

    For evidence (primary, support, context), for something missing (absence), where what is seen speaks against the
    finding, so that opposing evidence belongs there (opposing: a visible P wave against fibrillation), and where
    evidence would suggest a shortcut (contra).
    """

    primary: tuple[RoiPart, ...] = ()
    support: tuple[RoiPart, ...] = ()
    context: tuple[RoiPart, ...] = ()
    absence: tuple[RoiPart, ...] = ()
    opposing: tuple[RoiPart, ...] = ()
    contra: tuple[RoiPart, ...] = ()


class Definition(Strict):
    """One published definition: all required rules, ``at_least`` so many alternatives (if any), no excluding rule.

    ``stages``: of an infarct, the stages of PTB-XL (``infarction_stadium``) at which this is what a reader looks for.
    ``mirror_of``: an entry whose mirror image this sign may be, where that entry is met too.
    ``blocked_by``: entries beside which this definition alone is not judged, as with `Entry.blocked_by`.
    ``broad``: a verdict of its own, too broad for other entries to rest on: where they ask for its entry
    (``blocked_by``, a rule on a finding) it is passed over, unless they name it.
    """

    key: str
    source: str
    stages: tuple[Literal["I", "II", "III"], ...] = ()
    mirror_of: str | None = None
    blocked_by: tuple[str, ...] = ()
    broad: bool = False
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    at_least: Annotated[int, Field(ge=1)] = 1
    roi: Roi | None = None
    caveats: tuple[str, ...] = ()

    @cached_property
    def resolved(self) -> tuple[Evaluable, ...]:
        """Return the rules of a loaded catalogue, shared ones in their places; raises TypeError before that."""
        found = tuple(rule for rule in self.rules if not isinstance(rule, UseRule))
        if len(found) < len(self.rules):
            raise TypeError("a shared rule was not resolved")
        return found

    @cached_property
    def deciding(self) -> "Deciding":
        """Return the rules that decide, those that must hold, or must not, before alternatives."""
        rules = sorted((r for r in self.resolved if r.role in DECIDING), key=lambda rule: DECIDING.index(rule.role))
        return Deciding(tuple(rules), tuple(r.role for r in rules), tuple(r.points for r in rules))


class Deciding(NamedTuple):
    """Rules of a definition that decide, with their roles and what each counts for."""

    rules: tuple[Evaluable, ...]
    roles: tuple[str, ...]
    points: tuple[int, ...]


class Maps(Strict):
    """Names of the same thing elsewhere.

    SCP-ECG statements, PTB-XL superclass, SNOMED CT codes and abbreviations of the PhysioNet challenges, CPSC 2018
    class.
    """

    scp: tuple[str, ...] = ()
    superclass: Literal["CD", "HYP", "MI", "NORM", "STTC"] | None = None
    snomed: tuple[int, ...] = ()
    cinc: tuple[str, ...] = ()
    cpsc: str | None = None


class Gates(Strict):
    """For whom the entry is meant: from this age, and whether it may be read in paced rhythm."""

    age_from: float = 16.0
    paced: bool = False


class Review(Strict):
    """Who signed the entry off."""

    status: Literal["awaiting review by a cardiologist", "reviewed"] = "awaiting review by a cardiologist"
    reviewer: str | None = None
    date: str | None = None


class Entry(Strict):
    """One diagnosis with its published definitions, each a verdict of its own.

    It is not judged beside the entries of ``blocked_by`` when they are met, nor while it is open whether they are;
    beside those of ``blocked_if_met``, which are rare, only when they are met: while that is open, a caution says so.

    ``abnormal`` says whether it makes an ECG abnormal when it is met (`AnyAbnormalRule`). Left out, an entry with a
    superclass of PTB-XL other than NORM does, and one without, a word for a shape or a rhythm, does not.

    ``places`` gives names to leads, so that a definition written once (a YAML anchor) serves several territories: a
    list of leads may say ``[territory]``.
    """

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    maps: Maps
    level: Annotated[tuple[Literal["beat", "rhythm", "lead"], ...], Field(min_length=1)]
    gates: Gates = Gates()
    blocked_by: tuple[str, ...] = ()
    blocked_if_met: tuple[str, ...] = ()
    abnormal: bool | None = None
    definitions: Annotated[tuple[Definition, ...], Field(min_length=1)]
    roi: Roi = Roi()
    caveats: tuple[str, ...] = ()
    review: Review = Review()
    places: dict[str, Leads] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _put_places(cls, given: Any) -> Any:
        places = given.get("places") if isinstance(given, dict) else None
        if not isinstance(places, dict):
            return given
        return {key: value if key == "places" else _placed(value, places) for key, value in given.items()}

    @property
    def makes_abnormal(self) -> bool:
        """Return whether an ECG in which the entry is met is no normal one."""
        return self.maps.superclass not in (None, "NORM") if self.abnormal is None else self.abnormal

    def definition(self, key: str) -> Definition:
        """Return one definition by its key; raises CriteriaError for one that the entry does not have."""
        for one in self.definitions:
            if one.key == key:
                return one
        raise CriteriaError(f"{self.id} has no definition {key!r}; it has {', '.join(d.key for d in self.definitions)}")


def _placed(given: Any, places: Mapping[str, Any]) -> Any:
    """Return a part of an entry with the names of places in lists replaced by their leads."""
    if isinstance(given, dict):
        return {key: _placed(value, places) for key, value in given.items()}
    if isinstance(given, list):
        named = {name: leads for name, leads in places.items() if isinstance(leads, list)}
        parts = [named[x] if isinstance(x, str) and x in named else [_placed(x, places)] for x in given]
        return [x for part in parts for x in part]
    return given


class CatalogueFile(Strict):
    """One YAML file: any of sources, shared rules and entries."""

    schema_version: Literal[1]
    sources: dict[str, Source] = Field(default_factory=dict)
    shared_rules: dict[str, Annotated[Evaluable, Field(discriminator="form")]] = Field(default_factory=dict)
    entries: tuple[Entry, ...] = ()


def schema_json() -> str:
    """Return the JSON schema of a catalogue file, for editors and for other programs."""
    return json.dumps(CatalogueFile.model_json_schema(), indent=2)
