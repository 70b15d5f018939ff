"""How one patient's version of a recipe differs from the next one's: without it every class is a single template."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ecgviz.simulate.dipole import Bumps, arch
from ecgviz.types.arrays import FloatArray


def turned(rng: np.random.Generator, vector: ArrayLike, sd_deg: float = 8.0) -> FloatArray:
    """Return ``vector`` (3,) turned by a random angle about a random axis, its length kept."""
    v = np.asarray(vector, dtype=float)
    n = rng.standard_normal(3)
    across = np.cross(v, n)
    across *= np.linalg.norm(v) / max(float(np.linalg.norm(across)), 1e-12)
    angle = np.radians(np.clip(sd_deg * n[0], -2 * sd_deg, 2 * sd_deg))
    return np.asarray(np.cos(angle) * v + np.sin(angle) * across)


def arches(rng: np.random.Generator, rows: Sequence[tuple[float, float, ArrayLike]], unit: float = 1.0) -> Bumps:
    """Return arches (centre, sigma, vector) with centres and widths of one patient, times multiplied by ``unit``.

    Centres move together by 4 % and widths by 8 %, sizes by 8 % each.
    """
    late, wide = 1 + 0.04 * np.clip(rng.standard_normal(), -2, 2), 1 + 0.08 * np.clip(rng.standard_normal(), -2, 2)
    sizes = 1 + 0.08 * np.clip(rng.standard_normal(len(rows)), -2, 2)
    made = [
        arch(c * late * unit, s * wide * unit, k * np.asarray(v, dtype=float))
        for (c, s, v), k in zip(rows, sizes, strict=True)
    ]
    total = made[0]
    for one in made[1:]:
        total = total + one
    return total
