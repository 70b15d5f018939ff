"""What the teaching files may say: lessons, cases and look-alikes. Data only, never code and never a path."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

GROUPS = ("normal", "infarction", "ischaemia", "conduction", "chambers", "rhythm", "intervals")
LEVELS = {1: "plain", 2: "moderate", 3: "subtle or misleading"}
AWAITING = "awaiting review by a cardiologist"

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Sentence = Annotated[str, Field(min_length=10, max_length=600)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class CriteriaRef(_Strict):
    """An entry of the criteria catalogue by its id; ``definitions`` are the keys that count, empty for all."""

    entry: str
    definitions: tuple[str, ...] = ()


class Lesson(_Strict):
    """One finding to be learnt, in five parts: what it is, criteria, where to look, causes, references.

    ``references`` are keys of the catalogue's sources. ``finding`` is the name under which `ecgviz.simulate` plants it;
    ``statements`` are the SCP codes, and ``stages`` the stages of an infarct, with which readers of PTB-XL state it.
    ``outputs`` are the labels that speak of it at a network's output, the most exact first. ``excludes`` are lessons
    that cannot be true beside this one. ``stated_name`` is its name where readers state less than `ecgviz.simulate`
    plants. The criteria's values are the engine's: no limit is written here.
    """

    id: Name
    name: Annotated[str, Field(min_length=3, max_length=60)]
    stated_name: Annotated[str, Field(max_length=60)] = ""
    group: Literal["normal", "infarction", "ischaemia", "conduction", "chambers", "rhythm", "intervals"]
    what: Sentence
    criteria: Annotated[tuple[CriteriaRef, ...], Field(min_length=1)]
    look: Sentence
    causes: Sentence
    references: Annotated[tuple[str, ...], Field(min_length=1)]
    finding: str
    statements: Annotated[tuple[str, ...], Field(min_length=1)]
    stages: tuple[Literal["I", "II", "III"], ...] = ()
    outputs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    review: Literal["awaiting review by a cardiologist", "reviewed"] = "awaiting review by a cardiologist"


class Simulated(_Strict):
    """A recording that `ecgviz.simulate` makes: the same numbers make the same recording, sample for sample."""

    severity: Annotated[float, Field(gt=0, le=3)]
    seed: Annotated[int, Field(ge=0)]
    age_years: Annotated[float, Field(ge=16, le=110)]
    sex: Literal["female", "male"]
    heart_rate_bpm: Annotated[float, Field(ge=30, le=180)] | None = None


class Case(_Strict):
    """One recording to be read: ``lesson`` is the answer, ``also`` further lessons that are true of it.

    ``id`` says nothing of the answer. ``history`` is what a reader would be told, ``point`` what the case teaches. The
    recording is simulated, or ``record`` names one in the folder of the case file (a name in its listing, no path).
    ``unsettled`` are lessons of which its readers state one or more without saying which: they are neither true nor
    wrong. ``stated`` are the labels that readers gave it, statements and superclasses; None where the lessons alone say
    what is there.
    """

    id: Name
    lesson: Name
    also: tuple[Name, ...] = ()
    level: Literal[1, 2, 3]
    history: Annotated[str, Field(max_length=200)] = ""
    point: Annotated[str, Field(max_length=400)] = ""
    simulate: Simulated | None = None
    record: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")] | None = None
    unsettled: tuple[Name, ...] = ()
    stated: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_recording(self) -> "Case":
        if (self.simulate is None) == (self.record is None):
            raise ValueError("a case has either `simulate` or `record`")
        return self

    @model_validator(mode="after")
    def _each_answer_once(self) -> "Case":
        if len(set(self.answers)) < len(self.answers):
            raise ValueError("an answer is given twice")
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """Lessons that are true of this case."""
        return (self.lesson, *self.also)

    def states(self, label: str) -> bool:
        """Return whether a label that speaks of the answer was stated, or none was and the lesson implies it."""
        return self.stated is None or label in self.stated


class LookAlike(_Strict):
    """Two cases that resemble each other: in what, and what tells them apart."""

    cases: tuple[Name, Name]
    alike: Sentence
    apart: Sentence


class LessonFile(_Strict):
    """One YAML file of lessons."""

    schema_version: Literal[1]
    lessons: Annotated[tuple[Lesson, ...], Field(min_length=1)]


class CaseFile(_Strict):
    """One YAML file of cases, in the order in which they are taught; ``licence`` is that of its recordings."""

    schema_version: Literal[1]
    licence: Annotated[str, Field(min_length=3, max_length=200)]
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    look_alikes: tuple[LookAlike, ...] = ()
