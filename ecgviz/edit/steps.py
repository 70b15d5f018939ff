"""What-if edits by name: one table for dashboard, command line and scripts, and steps that follow one another."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ecgviz.beats import check_belongs
from ecgviz.edit.leads import swap_leads
from ecgviz.edit.marks import ENDS_OF
from ecgviz.edit.p_wave import insert_p, remove_p
from ecgviz.edit.person import UNKNOWN, change_person
from ecgviz.edit.relay import Edited
from ecgviz.edit.rhythm import RATES_BPM, change_rate, regular_rr, shift_pr
from ecgviz.edit.waves import FACTORS, LARGEST_ST_MV, WIDTHS, scale_wave, shift_st, widen_qrs
from ecgviz.errors import EcgvizError, EditError
from ecgviz.types import Beats, Record

AS_IT_IS = "as it is"
"""A choice that leaves its parameter out."""

Value = float | str | tuple[str, ...]


@dataclass(frozen=True)
class Takes:
    """One parameter of an edit: the keyword of its function, its name for readers, and what it may be.

    ``kind`` is "number" (from ``low`` to ``high`` in steps of ``step``, in ``unit``), "choice" (one of ``choices``),
    "lead" or "leads" (of the recording). ``start`` is what is offered at first; a number that may be left out starts
    with NaN, a choice with `AS_IT_IS`.
    """

    name: str
    title: str
    kind: str
    start: float | str = math.nan
    low: float = -math.inf
    high: float = math.inf
    step: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One row of `CHANGES`: the function, its title for readers, what it does in a sentence, and what it takes."""

    run: Callable[..., Edited]
    title: str
    definition: str
    takes: tuple[Takes, ...] = ()


_LEADS = Takes("leads", "Leads", "leads")

CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "scale_wave": Change(
            scale_wave,
            "Scale, turn over or remove a wave",
            "A wave of every beat is multiplied by a factor in the chosen leads: 0 takes it out, -1 turns it over.",
            (
                Takes("wave", "Wave", "choice", "T", choices=tuple(ENDS_OF)),
                _LEADS,
                Takes("factor", "Factor", "number", 0.0, *FACTORS, 0.25, "times"),
            ),
        ),
        "shift_st": Change(
            shift_st,
            "Raise or lower ST",
            "The ST segment is shifted in the chosen leads from the J point on; the shift fades out over the T wave.",
            (Takes("mv", "Shift", "number", 0.2, -LARGEST_ST_MV, LARGEST_ST_MV, 0.05, "mV"), _LEADS),
        ),
        "widen_qrs": Change(
            widen_qrs,
            "Widen or narrow QRS",
            "Every QRS complex is stretched in time in all leads; ST and T move later as they are.",
            (Takes("factor", "Factor", "number", 1.5, *WIDTHS, 0.1, "times"),),
        ),
        "swap_leads": Change(
            swap_leads,
            "Swap two leads",
            "The samples of two leads are exchanged, as if their tracings were mislabelled.",
            (Takes("a", "Lead", "lead", "V1"), Takes("b", "and lead", "lead", "V6")),
        ),
        "change_rate": Change(
            change_rate,
            "Change the rate",
            "RR intervals are all multiplied by one number; P, QRS and T keep their length.",
            (Takes("bpm", "Rate", "number", 75.0, *RATES_BPM, 5.0, "bpm"),),
        ),
        "regular_rr": Change(
            regular_rr, "Make RR regular", "All RR intervals become equal; P, QRS and T are moved, not reshaped."
        ),
        "insert_p": Change(
            insert_p,
            "Insert P waves",
            "Beats without a P wave get the recording's own, or a simulated adult's where it has none.",
            (Takes("pr_ms", "PR interval (empty: usual)", "number", math.nan, 80.0, 400.0, 10.0, "ms"),),
        ),
        "remove_p": Change(
            remove_p,
            "Remove P waves",
            "From 40 ms before each beat's P wave to QRS onset stays the level before it, with the noise there.",
        ),
        "shift_pr": Change(
            shift_pr,
            "Lengthen or shorten PR",
            "P waves move earlier or later; QRS complexes and T waves stay.",
            (Takes("ms", "Longer by", "number", 40.0, -200.0, 300.0, 10.0, "ms"),),
        ),
        "change_person": Change(
            change_person,
            "Change age or sex",
            "Another age or sex is stated; no sample changes, but criteria and networks that read them follow.",
            (
                Takes("age_years", "Age (empty: as it is)", "number", math.nan, 0.0, 120.0, 1.0, "years"),
                Takes("sex", "Sex", "choice", AS_IT_IS, choices=(AS_IT_IS, "male", "female", UNKNOWN)),
            ),
        ),
    }
)
"""Every what-if edit by the name of its function."""


@dataclass(frozen=True)
class Step:
    """One edit to make: a name of `CHANGES` and what it is given, by keyword, in order."""

    change: str
    given: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        """Return the call in Python, as it is written after ``from ecgviz.edit import`` of its name."""
        return f"{self.change}(record, beats{''.join(f', {name}={value!r}' for name, value in self.given)})"


def step(change: str, **given: Value) -> Step:
    """Return an edit to make, without what is to stay `AS_IT_IS`.

    Raises
    ------
    EditError
        For an unknown edit, a parameter that it does not take, or one that it needs and was not given.
    """
    if change not in CHANGES:
        raise EditError(f"there is no edit {change!r}; known are {', '.join(CHANGES)}")
    takes = [each.name for each in CHANGES[change].takes]
    unknown = [name for name in given if name not in takes]
    if unknown:
        raise EditError(f"{change} does not take {unknown[0]}; it takes {', '.join(takes) or 'nothing'}")
    parameters = inspect.signature(CHANGES[change].run).parameters
    needed = [name for name in takes if name not in given and parameters[name].default is inspect.Parameter.empty]
    if needed:
        raise EditError(f"{change} needs {' and '.join(needed)}")
    return Step(change, tuple((name, value) for name, value in given.items() if value != AS_IT_IS))


def apply_steps(record: Record, beats: Beats, steps: Sequence[Step]) -> Edited:
    """Make edits one after the other, each on what the one before left.

    Parameters
    ----------
    record : Record
        As a network is fed it, not conditioned.
    beats : Beats
        What was found in it; they move along.
    steps : sequence of Step
        At least one.

    Returns
    -------
    Edited
        Its record names every step in ``altered``, its sentence all of them.

    Raises
    ------
    EditError
        Without a step, for beats of another recording, or when a step cannot be made: told with its number, where
        there are several.
    """
    if not steps:
        raise EditError("there is no edit to make")
    check_belongs(record, beats)
    edited, said = Edited(record, beats, ""), []
    for number, each in enumerate(steps, 1):
        try:
            edited = CHANGES[each.change].run(edited.record, edited.beats, **dict(each.given))
        except EcgvizError as refusal:
            where = f"step {number}, {CHANGES[each.change].title.lower()}: " if len(steps) > 1 else ""
            raise EditError(f"{where}{refusal}") from refusal
        said.append(edited.sentence.removeprefix("altered: "))
    return Edited(edited.record, edited.beats, f"altered: {'; then '.join(said)}")
