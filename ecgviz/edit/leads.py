"""Edits of leads: two exchanged."""

from dataclasses import replace

from ecgviz.edit.relay import Edited, edited_record
from ecgviz.errors import EditError
from ecgviz.types import Beats, Record


def swap_leads(record: Record, beats: Beats, a: str, b: str) -> Edited:
    """Exchange the samples of two leads, and their marks; not their electrodes, of which limb leads share some.

    Raises
    ------
    EditError
        When both are one lead, so that nothing would be changed.
    RecordError
        For a lead that the recording does not have.
    """
    record.lead(a), record.lead(b)
    if a == b:
        raise EditError(f"lead {a} cannot be exchanged with itself, so nothing would be changed: name two leads")
    rows = list(range(len(record.leads)))
    one, two = record.leads.index(a), record.leads.index(b)
    rows[one], rows[two] = two, one
    swapped = replace(beats, lead_marks={name: marks[rows] for name, marks in beats.lead_marks.items()})
    return edited_record(record, record.signal[rows], swapped, "swapped", f"leads {a} and {b} exchanged")
