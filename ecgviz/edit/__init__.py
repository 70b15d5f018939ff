"""Changes made on purpose, each kept as a sentence: of the marks of a recording's beats, and of its signal.

Marks are moved, deleted or added by a reader. Edits of the signal ask what a network would say of another rhythm, wave
or lead: each takes a recording and its beats and returns both changed, as `Edited`. Beats are counted from 1, as tables
and figures do; times are seconds from the recording's start.
"""

from ecgviz.edit.file import from_csv, read_marks, read_table, to_csv
from ecgviz.edit.leads import swap_leads
from ecgviz.edit.marks import ENDS_OF, add_wave, delete_beat, delete_mark, move_mark, set_kind
from ecgviz.edit.notice import notice
from ecgviz.edit.order import NAMES
from ecgviz.edit.p_wave import insert_p, remove_p
from ecgviz.edit.person import change_person
from ecgviz.edit.relay import Edited
from ecgviz.edit.rhythm import change_rate, move_beats, regular_rr, set_rr, shift_pr, start_later
from ecgviz.edit.steps import CHANGES, Change, Step, Takes, apply_steps, step
from ecgviz.edit.table import COLUMNS, edited, marks_table, whole_waves
from ecgviz.edit.waves import scale_wave, shift_st, widen_qrs

__all__ = [
    "CHANGES",
    "COLUMNS",
    "ENDS_OF",
    "NAMES",
    "Change",
    "Edited",
    "Step",
    "Takes",
    "add_wave",
    "apply_steps",
    "change_person",
    "change_rate",
    "delete_beat",
    "delete_mark",
    "edited",
    "from_csv",
    "insert_p",
    "marks_table",
    "move_beats",
    "move_mark",
    "notice",
    "read_marks",
    "read_table",
    "regular_rr",
    "remove_p",
    "scale_wave",
    "set_kind",
    "set_rr",
    "shift_pr",
    "shift_st",
    "start_later",
    "step",
    "swap_leads",
    "to_csv",
    "whole_waves",
    "widen_qrs",
]
