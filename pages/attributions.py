"""Attributions: what moved the logit of the chosen label, by up to four methods or networks side by side."""

from ecgviz.ui import predictions, side_by_side, titles

record = titles.need_record()
side_by_side.panels(record, side_by_side.pick(record))
predictions.chosen_model(record)
