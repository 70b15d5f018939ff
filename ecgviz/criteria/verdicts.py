"""The catalogue asked: entries by name and label, and their findings on one record."""

from collections.abc import Sequence
from pathlib import Path

from ecgviz.criteria.judged import Patient
from ecgviz.criteria.load import Catalogue, load
from ecgviz.criteria.order import ranked
from ecgviz.criteria.regions import canvas
from ecgviz.criteria.schema import Entry
from ecgviz.criteria.session import Session
from ecgviz.errors import CriteriaError
from ecgviz.types import Beats, Finding, Measurements


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

    They come in the order in which a reader would name them (`ecgviz.criteria.ranked`).

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
    return ranked(_findings(for_label(label, folder), load(folder), measured, beats, age_years, sex))


def evaluate_all(
    measured: Measurements, beats: Beats, *, age_years: float | None, sex: str | None, folder: Path | None = None
) -> tuple[Finding, ...]:
    """Return the findings of every entry, in the order of the catalogue; parameters and errors as in `evaluate`."""
    known = load(folder)
    return _findings(tuple(known.entries.values()), known, measured, beats, age_years, sex)


def _findings(
    entries: Sequence[Entry], known: Catalogue, measured: Measurements, beats: Beats, age: float | None, sex: str | None
) -> tuple[Finding, ...]:
    if sex not in (None, "male", "female"):
        raise CriteriaError(f"sex {sex!r} is not 'male', 'female' or unknown (None)")
    if age is not None and not 0 <= age <= 120:
        raise CriteriaError(f"an age of {age} years is not plausible; unknown is None")
    session = Session(known, Patient(measured, age, sex, beats), beats, canvas(measured.leads, beats))
    return tuple(finding for one in entries for finding in session.findings(one))
