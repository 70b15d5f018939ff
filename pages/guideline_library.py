"""Guideline library: every entry with its rules, where it looks, an example, and what it is taken for."""

from ecgviz.figures.rule_tables import entries_table
from ecgviz.ui import citations, widgets
from ecgviz.ui.guideline import entry_view, examples, find, look_alikes
from ecgviz.ui.state import criteria

citations.own_folder()
known = criteria.known()
entries = tuple(known.entries.values())
one = find.pick(entries)
if one is not None:
    entry_view.heading(one)
    shown = entry_view.definition(one)
    entry_view.place(one, shown)
    examples.show(one, shown.key)
    look_alikes.show(one)
    entry_view.caveats(one, shown)
widgets.show_table(f"All {len(entries)} entries as a table", entries_table(entries, known.sources), "entries")
