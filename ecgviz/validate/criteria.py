"""How right criteria are: against the statements of PTB-XL's and LUDB's cardiologists, one diagnosis at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgviz.beats import delineate
from ecgviz.criteria import Entry, catalogue, evaluate_all
from ecgviz.criteria.logic import some
from ecgviz.errors import RecordError
from ecgviz.measure import measure
from ecgviz.records import load_record, ludb, ptbxl
from ecgviz.signal import condition
from ecgviz.types import Beats, Finding, Record
from ecgviz.types.calibration import wilson
from ecgviz.validate.causes import Disagreement, likely_cause
from ecgviz.validate.delineation import unseen_beats
from ecgviz.validate.marked import recordings

FEWEST = 5
"""A statement is scored when so many patients have it, and a rate is told of so many patients or more."""
ANY = "any definition"
"""In place of a definition's key: at least one of the published definitions holds."""
BY_LUDB: Mapping[str, tuple[str, ...]] = {
    "SR": ("sinus rhythm",),
    "SBRAD": ("sinus bradycardia",),
    "BRADY": ("sinus bradycardia",),
    "STACH": ("sinus tachycardia",),
    "SARRH": ("sinus arrhythmia", "irregular sinus rhythm"),
    "AFIB": ("atrial fibrillation",),
    "AFLT": ("atrial flutter",),
    "LAD": ("electric axis of the heart: left axis deviation",),
    "RAD": ("electric axis of the heart: right axis deviation",),
    "1AVB": ("i degree av",),
    "LPR": ("i degree av",),
    "3AVB": ("iii degree av",),
    "IRBBB": ("incomplete right bundle",),
    "CRBBB": ("complete right bundle",),
    "ILBBB": ("incomplete left bundle",),
    "CLBBB": ("complete left bundle",),
    "BBB": ("complete right bundle", "complete left bundle"),
    "LAFB": ("left anterior hemiblock",),
    "LPFB": ("left posterior hemiblock",),
    "IVCD": ("non-specific intrav",),
    "PAC": ("atrial extrasystole",),
    "PVC": ("ventricular extrasystole",),
    "PRC(S)": ("atrial extrasystole", "ventricular extrasystole"),
    "LVH": ("left ventricular hypertrophy",),
    "RVH": ("right ventricular hypertrophy",),
    "LAO/LAE": ("left atrial",),
    "RAO/RAE": ("right atrial",),
    "PACE": ("pacemaker", "unipolar", "bipolar"),
    "ISCIN": ("ischemia: inferior",),
    "ISCLA": ("ischemia: lateral",),
    "ISCAN": ("ischemia: anterior",),
    "AMI": ("stemi: anterior", "scar formation: anterior"),
    "ASMI": ("stemi: septal", "scar formation: septal"),
    "LMI": ("stemi: lateral", "scar formation: lateral"),
    "IMI": ("stemi: inferior", "scar formation: inferior"),
    "PMI": ("stemi: posterior", "scar formation: posterior"),
    "ERE": ("early repolarization",),
}
"""How LUDB's table words a diagnosis: beginnings of its statements. Of diagnoses not named here it says nothing."""


@dataclass(frozen=True)
class CriterionRow:
    """One definition (or `ANY`) against the readers' statement.

    ``sensitivity`` is the share of the ``n_positive`` recordings with the statement in which the definition is met,
    ``specificity`` that of the ``n_negative`` others in which it is not, each with its 95 % interval (`rate_of`), over
    recordings in which it could be evaluated; ``open_positive`` and ``open_negative`` count those in which it could
    not. ``patients_positive`` and ``patients_negative`` are whose recordings they are; a patient may be on both sides.
    Borderline is not met. NaN where too few patients, or no recording that could be evaluated, are on that side.
    """

    criterion: str
    definition: str
    n_positive: int
    n_negative: int
    open_positive: int
    open_negative: int
    sensitivity: float
    sensitivity_low: float
    sensitivity_high: float
    specificity: float
    specificity_low: float
    specificity_high: float
    patients_positive: int
    patients_negative: int


@dataclass(frozen=True)
class CriteriaScore:
    """A row for each definition of each statement with enough positives, and where readers and catalogue differ.

    `ecgviz.validate.causes` says what the causes of a disagreement mean.
    """

    n_records: int
    rows: tuple[CriterionRow, ...]
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, eq=False)
class _Judged:
    """What the catalogue finds in one recording, and what its readers stated of each diagnosis they speak of."""

    record: str
    stated: Mapping[str, bool]
    findings: tuple[Finding, ...]
    patient: str

    def state(self, criterion: str, definition: str) -> str:
        chosen = [f.state for f in self.findings if f.criterion == criterion and definition in (ANY, f.definition)]
        return some(chosen)


def score(
    folders: Sequence[str | Path],
    *,
    criteria: Path | None = None,
    fewest: int = FEWEST,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CriteriaScore:
    """Hold every criterion against the statements of the readers of PTB-XL and LUDB, all recordings pooled.

    A statement of PTB-XL counts whatever its likelihood. A recording that PTB-XL holds at 500 Hz is read at that rate,
    else at 100 Hz. LUDB's statements are read by `BY_LUDB`; its waves are marked by the network that has not seen the
    recording. A diagnosis of which a data set never speaks is not scored on it. Readers name what is worth naming, so
    that what a rule finds beyond is not always false.

    Parameters
    ----------
    folders
        Of PTB-XL or LUDB, as PhysioNet publishes them.
    criteria
        A user's own folder of criteria, used beside ours.
    fewest
        Statements that fewer patients have are left out; so is the specificity where fewer do not have them.
    progress
        Called with the number of recordings done and to do.

    Raises
    ------
    RecordError
        For a folder that is neither, or holds no recording.
    """
    entries = catalogue(criteria)
    cases = [case for folder in folders for case in _cases(Path(folder), entries)]
    judged = []
    for done, case in enumerate(cases, start=1):
        judged.append(_judge(case, criteria))
        progress(done, len(cases))
    scored = [one for one in entries if len({j.patient for j in judged if j.stated.get(one.id, False)}) >= fewest]
    rows = [
        _row(one.id, definition, judged, fewest)
        for one in scored
        for definition in (ANY, *(d.key for d in one.definitions))
    ]
    return CriteriaScore(len(judged), tuple(rows), tuple(d for one in scored for d in _disagreements(one.id, judged)))


@dataclass(frozen=True, eq=False)
class _Case:
    """A recording's file, whose it is, what its readers stated of each diagnosis, and how its beats are found."""

    path: Path
    patient: str
    stated: dict[str, bool]
    find_beats: Callable[[Record], Beats]


def _cases(folder: Path, entries: Sequence[Entry]) -> Iterator[_Case]:
    if (folder / ludb.TABLE).is_file():
        table = ludb.read_table(folder / ludb.TABLE)
        for number, path in recordings(folder).items():
            yield _Case(path, f"LUDB {number}", stated_in_ludb(table[number].findings), unseen_beats)
        return
    found = 0
    known = {one.id for one in entries if set(one.maps.scp) & set(ptbxl.read_codes(folder))}
    for row in ptbxl.read_table(folder).values():
        files = [folder / f"{name}.hea" for name in (row.filename_hr, row.filename_lr)]
        there = [file for file in files if file.is_file()]
        if not there or row.duplicate:
            continue
        found += 1
        stated = {one.id: bool(set(one.maps.scp) & set(row.scp_codes)) for one in entries if one.id in known}
        yield _Case(there[0], f"PTB-XL {row.patient_id}", stated, delineate)
    if not found:
        raise RecordError(f"{folder.name}: PTB-XL's table is there, but none of its recordings")


def stated_in_ludb(findings: Sequence[str]) -> dict[str, bool]:
    """Return which diagnoses of `BY_LUDB` the words of LUDB's table state."""
    told = [finding.lower() for finding in findings]
    return {name: any(one.startswith(words) for one in told) for name, words in BY_LUDB.items()}


def _judge(case: _Case, criteria: Path | None) -> _Judged:
    record = condition(load_record(case.path))
    beats = case.find_beats(record)
    measured = measure(record, beats)
    findings = evaluate_all(measured, beats, age_years=record.age_years, sex=record.sex, folder=criteria)
    return _Judged(record.id, case.stated, findings, case.patient)


def _row(criterion: str, definition: str, judged: Sequence[_Judged], fewest: int) -> CriterionRow:
    sides: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for one in judged:
        if criterion in one.stated:
            sides[one.stated[criterion]].append((one.patient, one.state(criterion, definition)))
    decided = {stated: [each for each in side if each[1] != "not_evaluable"] for stated, side in sides.items()}
    patients = {stated: len({patient for patient, _ in side}) for stated, side in sides.items()}
    rates = {}
    for stated, side in decided.items():
        right = sum((state == "met") == stated for _, state in side)
        whose = [patient for patient, _ in side]
        rates[stated] = rate_of(right, whose) if len(set(whose)) >= max(fewest, 1) else (float("nan"),) * 3
    return CriterionRow(
        criterion,
        definition,
        len(sides[True]),
        len(sides[False]),
        len(sides[True]) - len(decided[True]),
        len(sides[False]) - len(decided[False]),
        *rates[True],
        *rates[False],
        patients[True],
        patients[False],
    )


def rate_of(right: int, patients: Sequence[str]) -> tuple[float, float, float]:
    """Return the share of recordings that are right and its 95 % interval; ``patients`` names each recording's patient.

    The interval is Wilson's for as many recordings as tell something of their own, n^2 / sum of m^2 for patients with
    m recordings each (Kish, Survey Sampling, 1965): what one patient's recordings tell is taken to be one thing, so
    that the interval is rather too wide than too narrow. It is n where each patient has one recording, and the number
    of patients where all have as many. A bootstrap of patients would have no width where all or none are right.
    """
    n = len(patients)
    rate, own = right / n, n * n / sum(m * m for m in Counter(patients).values())
    return rate, *wilson(rate * own, own)


def _disagreements(criterion: str, judged: Sequence[_Judged]) -> Iterator[Disagreement]:
    for one in judged:
        state = one.state(criterion, ANY)
        if criterion not in one.stated or (state == "met") == one.stated[criterion]:
            continue
        own = [finding for finding in one.findings if finding.criterion == criterion]
        why = " | ".join(f"{finding.definition}: {finding.why}" for finding in own if finding.state == state)
        stated = one.stated[criterion]
        yield Disagreement(one.record, criterion, stated, state, likely_cause(stated, state, own), why)
