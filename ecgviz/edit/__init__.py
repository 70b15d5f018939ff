"""A reader's changes to the marks of a recording's beats: moved, deleted, added, each kept as a sentence.

Beats are counted from 1, as tables and figures do; times are seconds from the recording's start.
"""

from ecgviz.edit.belonging import check_belongs, notice
from ecgviz.edit.file import from_csv, read_marks, read_table, to_csv
from ecgviz.edit.marks import ENDS_OF, add_wave, delete_beat, delete_mark, move_mark, set_kind
from ecgviz.edit.order import NAMES
from ecgviz.edit.table import COLUMNS, edited, marks_table

__all__ = [
    "COLUMNS",
    "ENDS_OF",
    "NAMES",
    "add_wave",
    "check_belongs",
    "delete_beat",
    "delete_mark",
    "edited",
    "from_csv",
    "marks_table",
    "move_mark",
    "notice",
    "read_marks",
    "read_table",
    "set_kind",
    "to_csv",
]
