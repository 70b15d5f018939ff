"""What a file may say in words: units, ages, sexes and lead names; nothing else of its text is let through.

But for files that `ecgviz.records.write` wrote: what they tell of alterations and assumptions is kept (`sentences`).
"""

import math
import re
import unicodedata
from collections.abc import Iterable

from ecgviz.errors import RecordError
from ecgviz.records.leads import EXTRA_LEADS, STANDARD_LEADS, canonical

_MV = {
    "mv": 1.0,
    "millivolt": 1.0,
    "millivolts": 1.0,
    "uv": 1e-3,
    "µv": 1e-3,
    "muv": 1e-3,
    "mcv": 1e-3,
    "microv": 1e-3,
    "microvolt": 1e-3,
    "microvolts": 1e-3,
    "nv": 1e-6,
    "nanovolt": 1e-6,
    "nanovolts": 1e-6,
    "v": 1e3,
    "volt": 1e3,
    "volts": 1e3,
}
_MALE = ("m", "male", "man")
_FEMALE = ("f", "female", "woman", "w")
_NOT_STATED = ("", "nan", "none", "null", "na", "n/a", "unknown", "unk", "u", "x", "?", "-", "not stated")
_LONGEST_NUMBER = 24
OLDEST_YEARS = 120.0
MOST_SENTENCES, LONGEST_SENTENCE = 100, 4000
"""More than this a file cannot tell of its alterations, nor of its assumptions."""


def shown(text: str, limit: int = 40) -> str:
    """Return foreign text so that it is safe in a one-line message: plain characters, quoted, cut at ``limit``."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "'" + re.sub(r"[^\w .,:;+/()\[\]%-]", "?", cut, flags=re.ASCII) + "'"


def millivolts(unit: str, source: str) -> float:
    """Return how many millivolts one ``unit`` is.

    Raises
    ------
    RecordError
        For a unit that is none of volt, milli-, micro- or nanovolt; ``source`` says whose unit it is.
    """
    # NFKC makes one letter of the two code points for the micro sign; casefold turns both into the Greek mu.
    name = unicodedata.normalize("NFKC", unit).strip().casefold().replace("μ", "µ")
    factor = _MV.get(name)
    if factor is None:
        raise RecordError(f"{source}: the unit {shown(unit)} is not known; state mV, uV or V (raw counts need a gain)")
    return factor


def lead_names(names: list[str], source: str) -> tuple[str, ...]:
    """Return canonical lead names.

    Raises
    ------
    RecordError
        Naming the first name that is no lead.
    """
    found = [canonical(name) for name in names]
    for name, lead in zip(names, found, strict=True):
        if lead is None:
            raise RecordError(
                f"{source}: {shown(name)} is no lead known here; known are {', '.join((*STANDARD_LEADS, *EXTRA_LEADS))}"
            )
    return tuple(lead for lead in found if lead is not None)


def number(text: str) -> float:
    """Return the number that a short text states, else NaN; digits without end are no number."""
    try:
        return float(text.strip()) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError:
        return math.nan


def age(text: str) -> float | None:
    """Return an age in years from a file's text, or None where it states none that is plausible."""
    years = number(text)
    return years if 0 <= years <= OLDEST_YEARS else None


def not_taken(age_text: str, sex_text: str) -> tuple[str, ...]:
    """Return in sentences what a file states of age and sex that `age` and `sex` make nothing of.

    Words of the file are not repeated, as they may be anything. What says "not known" needs no sentence.
    """
    notes = []
    if age(age_text) is None and age_text.strip().casefold() not in _NOT_STATED:
        years = number(age_text)
        what = "that is no number of years" if math.isnan(years) else f"of {years:g} years, which nobody has"
        notes.append(f"age taken as unknown: the file states one {what}")
    if sex(sex_text) is None and sex_text.strip().casefold() not in _NOT_STATED:
        notes.append("sex taken as unknown: what the file states is neither male nor female")
    return tuple(notes)


def sentences(texts: Iterable[str]) -> tuple[str, ...]:
    """Return sentences of a file, each one line of printable characters, as many and as long as ours can be."""
    kept = []
    for text in texts:
        cut = text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 3] + "..."
        kept.append("".join(c if c.isprintable() else " " for c in cut).strip() or "not told in what")
    return tuple(kept[:MOST_SENTENCES])


def sex(text: str) -> str | None:
    """Return "male", "female", or None where the text states neither."""
    word = text.strip().casefold()
    return "male" if word in _MALE else "female" if word in _FEMALE else None


def agreed_rate(stated: float | None, given: float | None, source: str) -> tuple[float, tuple[str, ...]]:
    """Return the sampling rate in hertz that the file states or the user gave, with the assumption it takes.

    Raises
    ------
    RecordError
        When neither says a rate, or they differ.
    """
    if stated is None and given is None:
        raise RecordError(f"{source}: no sampling rate is stated; give it in hertz")
    if stated is not None and given is not None and abs(stated - given) > 1e-6 * abs(stated):
        raise RecordError(f"{source}: the file states {stated:g} Hz, not the {given:g} Hz that was given")
    if stated is not None:
        return stated, ()
    return float(given or 0.0), (f"rate of {given:g} Hz entered by the user, the file states none",)


def agreed_unit(stated: str | None, given: str | None, source: str) -> tuple[float, tuple[str, ...]]:
    """Return millivolts per unit as the file states or the user gave it, with the assumption it takes.

    Raises
    ------
    RecordError
        When neither says a unit, it is unknown, or they differ.
    """
    if stated is None and given is None:
        raise RecordError(f"{source}: no unit is stated; give mV, uV or V (nothing is guessed from the numbers)")
    if stated is not None and given is not None and millivolts(stated, source) != millivolts(given, source):
        raise RecordError(f"{source}: the file states {shown(stated)}, not the {shown(given)} that was given")
    if stated is not None:
        return millivolts(stated, source), ()
    return millivolts(given or "", source), (f"unit {shown(given or '')} entered by the user, the file states none",)
