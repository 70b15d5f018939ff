"""What the words *agrees*, *partly* and *disagrees* are worth, on networks whose reason is known.

For each criterion three networks are trained on the same simulated patients: one for whose label the finding tells, one
for which a planted cue elsewhere does, and one for which each is half of it. The words are right when they tell these
apart.
"""

from ecgviz.validate.verdicts.table import WORDS, Verdicts, WordRow, measure_words

__all__ = ["WORDS", "Verdicts", "WordRow", "measure_words"]
