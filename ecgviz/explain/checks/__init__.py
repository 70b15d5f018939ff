"""Checks of explanations: faithfulness to the network and robustness, never mixed with plausibility.

Each check is from a paper that its docstring names, and returns a `Check`: a number, its direction, the same number
for what must be beaten (orders of equal size, the map ``|x|``, two attributions), and the excess over that. Good
numbers are necessary and not sufficient: no check here knows what a cardiologist would look at.
"""

from ecgviz.explain.checks.agreement import AgreementMatrix, agreement_matrix, attention_agreement
from ecgviz.explain.checks.battery import SLOW, Checks, check
from ecgviz.explain.checks.complexity import beat_consistency, sparseness
from ecgviz.explain.checks.faithfulness import completeness, infidelity
from ecgviz.explain.checks.question import FAMILIES, Check, Question, question
from ecgviz.explain.checks.randomisation import Randomisation, random_logit, randomisation, randomisation_check
from ecgviz.explain.checks.removal import Removal, removal, removal_checks
from ecgviz.explain.checks.robustness import max_sensitivity, seed_stability, training_stability

__all__ = [
    "FAMILIES",
    "SLOW",
    "AgreementMatrix",
    "Check",
    "Checks",
    "Question",
    "Randomisation",
    "Removal",
    "agreement_matrix",
    "attention_agreement",
    "beat_consistency",
    "check",
    "completeness",
    "infidelity",
    "max_sensitivity",
    "question",
    "random_logit",
    "randomisation",
    "randomisation_check",
    "removal",
    "removal_checks",
    "seed_stability",
    "sparseness",
    "training_stability",
]
