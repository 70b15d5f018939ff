"""Spot the flaw: of two maps one is from the network with random weights. A reader is asked which.

A map of a network that learnt nothing can look as convincing as any (Adebayo et al. 2018, arXiv:1810.03292).
"""

import hashlib

from scipy.stats import binomtest

SIDES = ("A", "B")


def trained_side(case: str, seed: int) -> str:
    """Return on which side the trained network's map stands, "A" or "B": by case and seed, evenly."""
    digest = hashlib.sha256(f"{case}:{seed}".encode()).digest()
    return SIDES[digest[0] % 2]


def p_of_guessing(n_right: int, n: int) -> float:
    """Return how often guessing would do as well: the one-sided binomial probability of ``n_right`` or more of ``n``.

    Raises
    ------
    ValueError
        For no answers, or more right ones than there are answers.
    """
    return float(binomtest(n_right, n, 0.5, alternative="greater").pvalue)
