"""What moved a logit, and where a network pooled: one function a method, one table, one way to call them.

Explanations never see a criterion: what they are held against is decided elsewhere.
"""

from ecgviz.explain.attention import attention, attention_prior, cannot_tell, uniform_attention
from ecgviz.explain.controls import check_has_random_twin, controls_of_many, explain_controls
from ecgviz.explain.method import Method
from ecgviz.explain.methods import METHODS, applicable, explain, explain_many, find_method

__all__ = [
    "METHODS",
    "Method",
    "applicable",
    "attention",
    "attention_prior",
    "cannot_tell",
    "check_has_random_twin",
    "controls_of_many",
    "explain",
    "explain_controls",
    "explain_many",
    "find_method",
    "uniform_attention",
]
