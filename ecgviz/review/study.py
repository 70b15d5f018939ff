"""What a study is: the file that its owner writes, checked before anything is made from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ecgviz import yaml_text
from ecgviz.errors import ReviewError

PSEUDONYM = r"^[A-Z]{1,3}[0-9]{1,4}$"
"""One to three capitals and up to four digits, as R1 or ADJ2: no name of a person has this form."""
NONE = "none of these"
"""The answer of a reader who finds none of a study's labels."""
ROLES = ("reader", "adjudicator", "owner")
ARMS = ("attention", "attribution", "both", "randomised")
STUDY_ID = r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$"

Pseudonym = Annotated[str, Field(pattern=PSEUDONYM)]


class Strict(BaseModel):
    """Data without fields that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StudyRecord(Strict):
    """One recording: where it lies (used once, and not kept), whose it is, and what is true of it.

    ``patient`` is a pseudonym shared by recordings of one person; each recording is a patient of its own without it.
    ``reference`` is one of the study's labels or "none of these"; without it adjudicators give it, or nobody.
    """

    source: str
    patient: Pseudonym | None = None
    reference: str | None = None
    fs: float | None = None
    unit: Literal["mV", "uV", "V"] | None = None
    age_years: Annotated[float, Field(ge=0, le=120)] | None = None
    sex: Literal["male", "female"] | None = None


class Reader(Strict):
    """One person by pseudonym; ``qualification`` and ``years`` of reading ECGs are what reporting guidelines ask."""

    pseudonym: Pseudonym
    role: Literal["reader", "adjudicator", "owner"] = "reader"
    qualification: Literal["cardiologist", "physician", "trainee", "technician", "nurse", "student", "other"] = "other"
    years: Annotated[int, Field(ge=0, le=70)] | None = None


class Protocol(Strict):
    """What readers may do.

    ``revise``: whether the second answer to an earlier recording may be corrected; the first answer never can, since
    it was locked before the model's was shown. ``skip``: whether a recording may be left for later. ``measurements``:
    whether rate, intervals and axes stand above the paper. ``marks``: whether cells or spans must be marked.
    """

    revise: bool = False
    skip: bool = False
    measurements: bool = True
    marks: Literal["required", "optional"] = "optional"


class Statements(Strict):
    """What the owner states for the report of the study, in sentences; what is empty is reported as not stated."""

    intended_use: str = ""
    setting: str = ""
    recruitment: str = ""
    reader_training: str = ""
    record_selection: str = ""
    reference_standard: str = ""
    sample_size: str = ""
    ethics: str = ""
    safety: str = ""
    funding: str = ""
    registration: str = ""


class Study(Strict):
    """A study: records x models x methods x labels, and who reads them in which order.

    ``labels`` are the answers that readers choose from; each model must know all of them. ``explain`` says which label
    of a recording the model is asked to explain: its most probable one of these, or each in turn. Without ``arms``
    every method is shown alone. With them: "attention" shows the attention methods of ``methods``, "attribution" the
    others, "both" one of each side by side, "randomised" the attributions of a network with random weights; readers
    are not told which they see. ``rounds`` is how often a reader meets each recording, under another condition each
    time; rounds apart as many recordings as there are.
    """

    id: Annotated[str, Field(pattern=STUDY_ID)]
    question: Annotated[str, Field(min_length=1)]
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    records: Annotated[tuple[StudyRecord, ...], Field(min_length=1)]
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    methods: Annotated[tuple[str, ...], Field(min_length=1)]
    arms: tuple[Literal["attention", "attribution", "both", "randomised"], ...] = ()
    explain: Literal["most_probable", "each"] = "most_probable"
    rounds: Annotated[int, Field(ge=1)] = 1
    readers: Annotated[tuple[Reader, ...], Field(min_length=1)]
    protocol: Protocol = Protocol()
    statements: Statements = Statements()
    seed: int = 0

    @model_validator(mode="after")
    def _fits_together(self) -> "Study":
        for name in ("labels", "models", "methods", "arms"):
            _once(name, getattr(self, name))
        _once("readers", [reader.pseudonym for reader in self.readers])
        _once("records", [record.source for record in self.records])
        answers = (*self.labels, NONE)
        for record in self.records:
            if record.reference is not None and record.reference not in answers:
                raise ValueError(f"the reference {record.reference!r} is none of {', '.join(answers)}")
        if not any(reader.role == "reader" for reader in self.readers):
            raise ValueError("nobody has the role reader")
        if not any(reader.role == "owner" for reader in self.readers):
            raise ValueError("nobody has the role owner, who alone sees results")
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """What a reader can answer: the labels, then "none of these"."""
        return (*self.labels, NONE)


def _once(name: str, values: Sequence[str]) -> None:
    twice = sorted({value for value in values if list(values).count(value) > 1})
    if twice:
        raise ValueError(f"{name}: {twice[0]} is given more than once")


def read_study(path: Path) -> Study:
    """Read a study from a YAML or JSON file; sources that are no demo are paths relative to that file.

    Raises
    ------
    ReviewError
        When the file cannot be read, or a field is missing, unknown or impossible; the sentence names it.
    """
    try:
        content = yaml_text.theirs(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReviewError(f"{path.name} cannot be read as YAML: {str(error).splitlines()[0]}") from error
    return check_study(content, path.name)


def check_study(content: object, where: str) -> Study:
    """Return the study that ``content`` describes; raises ReviewError naming the first field that is wrong."""
    try:
        return Study.model_validate(content)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = yaml_text.wrong_with(first)
        if first["type"] == "string_pattern_mismatch" and first["ctx"]["pattern"] == PSEUDONYM:
            message = "a pseudonym is one to three capitals and up to four digits, as R1: never a name"
        raise ReviewError(f"{where}, {f'field {place}: ' if place else ''}{message}") from fault
