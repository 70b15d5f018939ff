"""Words around the paper: who, what was measured, and at what scale it is drawn."""

from collections.abc import Callable
from functools import partial

from ecgviz.figures.style import number
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import LOW_PASS_HZ
from ecgviz.types import Measurements, Record
from ecgviz.types.paper import STANDARD, PaperFormat

SEPARATOR = " · "


def header(record: Record, measured: Measurements) -> tuple[str, str]:
    """Return the two lines above the paper: the recording, then its measurements with the QTc formulas named.

    What could not be measured is a dash; `Measurements.why` has the reason.
    """
    age = "age unknown" if record.age_years is None else f"{record.age_years:.0f} years"
    who = [record.id, age, record.sex or "sex unknown"]
    who += ["simulated recording"] * record.simulated + [f"ALTERED: {change}" for change in record.altered]
    value = measured.value
    qtc = f"{number(value('qtc_bazett_ms'))} (Bazett) {number(value('qtc_fridericia_ms'))} (Fridericia)"
    what = [
        f"Rate {number(value('rate_bpm'))} bpm",
        f"PR {number(value('pr_ms'))} ms",
        f"QRS {number(value('qrs_ms'))} ms",
        f"QT {number(value('qt_ms'))} ms",
        f"QTc {qtc} ms",
        "Axes " + " ".join(f"{wave} {number(value(f'{wave.lower()}_axis_deg'))}°" for wave in ("P", "QRS", "T")),
    ]
    return SEPARATOR.join(who), SEPARATOR.join(what)


def footer(record: Record, form: PaperFormat = STANDARD) -> str:
    """Return the line below the paper: speed, gain, filter (`ecgviz.signal.condition`), rate, leads left out."""
    parts = [f"{form.speed_mm_s:g} mm/s", f"{form.gain_mm_mv:g} mm/mV"]
    parts.append(f"baseline removed, 0 to {min(LOW_PASS_HZ, record.fs / 2):g} Hz")
    parts.append(f"recorded at {record.fs:g} Hz")
    if set(STANDARD_LEADS) < set(record.leads):
        parts.append("not drawn: " + ", ".join(lead for lead in record.leads if lead not in STANDARD_LEADS))
    return SEPARATOR.join(parts)


def broken(line: str, fits: Callable[[str], bool]) -> list[str]:
    """Return a line above the paper in lines that fit: broken between its items, a longer item between its words."""
    made: list[str] = []
    for item in line.split(SEPARATOR):
        longer = f"{made[-1]}{SEPARATOR}{item}" if made else item
        if fits(longer):
            made = [*made[:-1], longer]
        else:
            made += between_words(item, fits)
    return made


def shorter_than(most: int) -> Callable[[str], bool]:
    """Return what tells whether a line has at most so many letters."""
    return partial(_is_within, most)


def _is_within(most: int, line: str) -> bool:
    return len(line) <= most


def between_words(item: str, fits: Callable[[str], bool]) -> list[str]:
    """Return a text in lines that fit, none for an empty one; a word that is longer alone is cut."""
    made = [""]
    for word in item.split():
        longer = f"{made[-1]} {word}".lstrip()
        if fits(longer):
            made[-1] = longer
            continue
        rest = word
        while not fits(rest) and len(rest) > 1:
            most = next((n for n in range(len(rest) - 1, 1, -1) if fits(rest[:n])), 1)
            made.append(rest[:most])
            rest = rest[most:]
        made.append(rest)
    return [each for each in made if each]
