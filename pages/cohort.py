"""Cohort: where networks look in many records, beside the guideline, with intervals by patient."""

from ecgviz.ui import cohort, widgets

asked = cohort.pick(cohort.need_store())
cohort.draw(asked)
widgets.note(
    "Records of patients that a network learnt from show what it learnt, not how well it does on others: the fold of "
    "each is in the store."
)
