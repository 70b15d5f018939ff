"""Whether explanations find what is known to be there: evidence planted in records, and in networks."""

from ecgviz.validate.explanations.bench import RECORDS, run_bench
from ecgviz.validate.explanations.page import planted_page
from ecgviz.validate.explanations.scores import SCORES
from ecgviz.validate.explanations.table import load_planted, planted_table, save_planted

__all__ = ["RECORDS", "SCORES", "load_planted", "planted_page", "planted_table", "run_bench", "save_planted"]
