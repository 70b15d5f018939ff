"""Attention: where a network pooled, how that differs from its habit, and how much a logit leans on it.

Attention weights have no sign, are the same for every label, and need not agree with attributions (Jain and Wallace,
NAACL 2019, arXiv:1902.10186; Wiegreffe and Pinter, EMNLP 2019, arXiv:1908.04626 for the other side). They are read from
the network itself. `attention_prior` is what a network attends to when there is nothing to see, `attention_x_gradient`
what attention does for one logit, `uniform_attention` what the logit would be without it.
"""

from collections.abc import Mapping

from ecgviz.explain.attention.gradient import ATTENTION_GRADIENT_METHODS
from ecgviz.explain.attention.levels import LEVEL_METHODS, as_pooled
from ecgviz.explain.attention.maps import attention, cannot_tell, spread
from ecgviz.explain.attention.prior import AttentionPrior, attention_prior
from ecgviz.explain.attention.rollout import ROLLOUT_METHODS
from ecgviz.explain.attention.uniform import UniformAttention, uniform_attention
from ecgviz.explain.method import Method

ATTENTION_METHODS: Mapping[str, Method] = {**LEVEL_METHODS, **ROLLOUT_METHODS, **ATTENTION_GRADIENT_METHODS}

__all__ = [
    "ATTENTION_METHODS",
    "AttentionPrior",
    "UniformAttention",
    "as_pooled",
    "attention",
    "attention_prior",
    "cannot_tell",
    "spread",
    "uniform_attention",
]
