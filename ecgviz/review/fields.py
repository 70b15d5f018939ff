"""What reporting guidelines ask of a study with readers, filled from what the study holds.

The fields follow the themes of DECIDE-AI (Vasey et al. 2022, doi:10.1038/s41591-022-01772-9) and of CLAIM (Tejani et
al. 2024, doi:10.1148/ryai.240300) in our own words, without their item numbers; the published lists remain what a
journal asks for. What only the owner knows comes from the study's ``statements``, and is "not stated" where empty.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgviz import NOTICE, __version__
from ecgviz.review.results import Results

NOT_STATED = "not stated"
BOTH, DECIDE, CLAIM = "DECIDE-AI, CLAIM", "DECIDE-AI", "CLAIM"


@dataclass(frozen=True)
class Field:
    """One thing that a guideline asks, and what this study says of it."""

    section: str
    asked_by: str
    asked: str
    said: str

    @property
    def stated(self) -> bool:
        """Whether anything is said."""
        return self.said != NOT_STATED


def fields(found: Results) -> tuple[Field, ...]:
    """Return every field, in the order of a paper."""
    return (*_aim(found), *_people(found), *_data(found), *_system(found), *_procedure(found), *_outcome(found))


def _aim(found: Results) -> list[Field]:
    study, stated = found.study, found.study.statements
    return [
        Field("Aim", BOTH, "Question of the study", study.question),
        Field("Aim", BOTH, "Intended use of the system, and for whom", _or_not(stated.intended_use)),
        Field("Aim", DECIDE, "What the system is not", NOTICE),
        Field("Aim", BOTH, "Registration or protocol", _or_not(stated.registration)),
        Field("Aim", BOTH, "Ethics", _or_not(stated.ethics)),
        Field("Aim", BOTH, "Funding", _or_not(stated.funding)),
    ]


def _people(found: Results) -> list[Field]:
    stated = found.study.statements
    readers = [person for person in found.people if person.role == "reader"]
    others = Counter(person.role for person in found.people if person.role != "reader")
    qualified = Counter(person.qualification for person in readers)
    years = [person.years for person in readers if person.years is not None]
    experience = f"; {min(years)} to {max(years)} years of reading ECGs (median {np.median(years):g})" if years else ""
    said = f"{len(readers)} readers: {_listed(qualified)}{experience}; besides {_listed(others)}"
    return [
        Field("Readers", BOTH, "Number, qualification and experience of readers", said),
        Field("Readers", DECIDE, "How readers were recruited", _or_not(stated.recruitment)),
        Field("Readers", DECIDE, "How readers were trained with the system", _or_not(stated.reader_training)),
        Field("Readers", DECIDE, "Setting", _or_not(stated.setting)),
    ]


def _data(found: Results) -> list[Field]:
    study = found.study
    records = {each.item.record_sha256 for each in found.given}
    patients = {each.item.patient_id for each in found.given}
    known = Counter(record.reference for record in study.records if record.reference is not None)
    referenced = f"stated by the owner for {sum(known.values())} of {len(study.records)} recordings ({_listed(known)})"
    adjudicators = sum(person.role == "adjudicator" for person in found.people)
    if adjudicators and sum(known.values()) < len(study.records):
        by = f"{adjudicators} adjudicators" if adjudicators > 1 else "one adjudicator"
        valid = ", valid where all agree" if adjudicators > 1 else ""
        referenced += f"; the others read by {by} without the model{valid}"
    return [
        Field("Data", CLAIM, "How recordings were chosen", _or_not(study.statements.record_selection)),
        Field("Data", BOTH, "Recordings read so far", f"{len(records)} recordings of {len(patients)} patients"),
        Field("Data", CLAIM, "Size of the sample, and why", _or_not(study.statements.sample_size)),
        Field("Data", CLAIM, "Reference standard", referenced),
        Field("Data", CLAIM, "Reason for the reference standard", _or_not(study.statements.reference_standard)),
        Field(
            "Data",
            CLAIM,
            "De-identification",
            "readers and patients by pseudonym; names, comments and dates of recordings are not kept",
        ),
    ]


def _system(found: Results) -> list[Field]:
    models = sorted({(each.item.model, each.item.model_sha256) for each in found.given if each.item.model})
    said = "; ".join(f"{name}, SHA-256 {digest}" for name, digest in models) or ", ".join(found.study.models)
    arms = Counter(
        f"{each.item.arm} ({', '.join(sorted(each.item.methods))})" for each in found.given if each.phase == "after"
    )
    return [
        Field("System", BOTH, "Networks and their version", said),
        Field("System", BOTH, "Software", f"ecgviz {__version__}"),
        Field("System", DECIDE, "What readers were shown", "the model's probabilities and maps: " + _listed(arms)),
        Field("System", DECIDE, "Changes of the system during the study", "none: maps were made before reading began"),
    ]


def _procedure(found: Results) -> list[Field]:
    study, protocol = found.study, found.study.protocol
    blinded = "which maps they saw was hidden from readers" if study.arms else "methods were named to readers"
    steps = (
        "own label, confidence, criteria and marks, locked before model and map were shown; then agreement, "
        "plausibility, right leads, verdicts on places, label and confidence again"
    )
    allowed = [
        "the second answer may be corrected" if protocol.revise else "no answer may be corrected",
        "recordings may be left for later" if protocol.skip else "the order is kept",
        f"marks are {protocol.marks}",
        f"measurements are {'shown' if protocol.measurements else 'hidden'}",
    ]
    order = f"balanced (Williams), conditions dealt apart from it, seed {study.seed}, {study.rounds} rounds"
    return [
        Field("Procedure", BOTH, "Reading", steps),
        Field("Procedure", BOTH, "Blinding", blinded),
        Field("Procedure", CLAIM, "Order and allocation", order),
        Field("Procedure", DECIDE, "What readers may do", "; ".join(allowed)),
        Field("Procedure", CLAIM, "Tool in which recordings were annotated", f"ecgviz {__version__}, Reader study"),
        Field(
            "Procedure",
            CLAIM,
            "Statistics",
            f"95 % intervals by {found.draws} resamples of patients, seed {found.seed}; agreement by kappa, AC1 and "
            "AC2, alpha, ICC(2,1)",
        ),
    ]


def _outcome(found: Results) -> list[Field]:
    seconds = {phase: [g.seconds for g in found.given if g.phase == phase] for phase in ("before", "after")}
    times = [f"{phase} {np.median(each):.0f} s" for phase, each in seconds.items() if each]
    corrected = ", with corrections" if found.study.protocol.revise else ""
    switched = [
        f"{arm}: {each.to_right} to right, {each.to_wrong} to wrong"
        + (f" (p {each.p:.2g})" if np.isfinite(each.p) else "")
        for arm, each in found.switches.items()
    ]
    agreeing = [pair.after == pair.model for pair in found.pairs]
    with_model = f"{100 * np.mean(agreeing):.0f} % of second answers are the model's" if agreeing else NOT_STATED
    wrong = [pair.model != pair.reference for pair in found.pairs if pair.reference is not None]
    errors = f"the model was wrong in {sum(wrong)} of {len(wrong)} readings with a reference" if wrong else NOT_STATED
    return [
        Field("Outcome", BOTH, "Answers", f"{len(found.given)} of {found.expected} given"),
        Field("Outcome", DECIDE, "Time spent, median", ", ".join(times) + corrected if times else NOT_STATED),
        Field("Outcome", DECIDE, "Agreement of readers with the system", with_model),
        Field("Outcome", DECIDE, "Errors of the system", errors),
        Field("Outcome", DECIDE, "Answers that changed after the model was seen", "; ".join(switched) or NOT_STATED),
        Field("Outcome", DECIDE, "Safety", _or_not(found.study.statements.safety)),
        Field("Outcome", CLAIM, "What could not be counted", "; ".join(found.notes) or "nothing"),
        Field("Outcome", BOTH, "Data", f"export with dictionary and checksums; audit trail ends in {found.head}"),
    ]


def _or_not(text: str) -> str:
    return text.strip() or NOT_STATED


def _listed(counts: "Counter[str]") -> str:
    return ", ".join(f"{n} × {name}" for name, n in sorted(counts.items())) or "none"


def missing(found: Sequence[Field]) -> tuple[str, ...]:
    """Return what is asked and not stated."""
    return tuple(field.asked for field in found if not field.stated)
