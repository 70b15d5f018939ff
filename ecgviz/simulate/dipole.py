"""The heart as a moving dipole, and the lead field that projects it on the electrodes.

Axes are those of Frank: +x to the patient's left, +y to the feet, **+z to the back**; the dipole is in the units of the
inverse Dower vector (mV). Waves are sums of *bumps*: smooth arches that are exactly zero outside their own support, so
that the onset of a wave is its first non-zero sample and truth does not depend on a threshold.

Sources: forward transform, Dower, Clin Cardiol 1980;3:87; inverse transform, Edenbrandt & Pahlm, J Electrocardiol
1988;21:361. Mean and spread of the patient's field and the atrial field were estimated on normal records 1-500 of
PTB-XL (Wagner et al., Sci Data 2020, CC BY 4.0).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ecgviz.types.arrays import FloatArray

MEASURED_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The eight independent channels; the other four limb leads are exact combinations of I and II."""

DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
"""Forward Dower matrix, shape (8, 3)."""

INVERSE_DOWER = np.array(
    [
        [0.156, -0.010, -0.172, -0.074, 0.122, 0.231, 0.239, 0.194],
        [-0.227, 0.887, 0.057, -0.019, -0.106, -0.022, 0.041, 0.048],
        [0.022, 0.102, -0.229, -0.310, -0.246, -0.063, 0.055, 0.108],
    ]
)
"""Inverse Dower matrix, shape (3, 8); its product with `DOWER` is the identity to 1e-3."""

FIELD_MEAN = np.array(
    [
        [0.75, -0.16, -0.06],
        [0.28, 1.06, -0.15],
        [-0.53, 0.23, -0.72],
        [0.02, 0.22, -1.76],
        [0.94, 0.03, -1.11],
        [1.17, 0.06, -0.45],
        [1.05, 0.14, -0.09],
        [0.82, 0.20, 0.08],
    ]
)
FIELD_SD = np.array(
    [
        [0.25, 0.25, 0.23],
        [0.07, 0.07, 0.06],
        [0.18, 0.20, 0.19],
        [0.25, 0.23, 0.29],
        [0.22, 0.17, 0.26],
        [0.17, 0.17, 0.17],
        [0.13, 0.13, 0.13],
        [0.15, 0.16, 0.13],
    ]
)
ATRIAL_FIELD = np.array(
    [
        [1.88, -0.35, -0.14],
        [0.57, 1.02, -0.10],
        [-0.76, 0.36, -1.30],
        [0.54, -0.01, -1.50],
        [0.76, 0.12, -0.97],
        [0.78, 0.19, -0.54],
        [0.82, 0.16, -0.25],
        [0.79, 0.16, -0.06],
    ]
)
"""The atria lie elsewhere in the torso: with the ventricles' field, P in lead I would have half its real size."""

HALF_WIDTH_PER_SIGMA = 2.355
"""A raised cosine of this half-width (in sigmas) has the full width at half maximum of a Gaussian."""


def patient_field(rng: np.random.Generator, alpha: float) -> FloatArray:
    """Draw the lead field of one patient, shape (8, 3): Dower + ``alpha`` times the patient's deviation.

    The deviation is what the inverse Dower transform cannot see, so that the dipole keeps its meaning. A complex that
    leaves the plane of the patient's normal loop needs an ``alpha`` below 1: the field is only known inside that plane.
    """
    deviation = FIELD_MEAN - DOWER + FIELD_SD * np.clip(rng.standard_normal((8, 3)), -2, 2)
    unseen = np.eye(8) - DOWER @ INVERSE_DOWER
    return np.asarray(DOWER + alpha * unseen @ deviation)


def twelve(measured: FloatArray) -> FloatArray:
    """Return the 12 leads, shape (12, ...), from I, II, V1..V6 (8, ...); the others are exact sums of I and II."""
    one, two = measured[0], measured[1]
    limb = np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    return np.concatenate([limb, measured[2:]])


@dataclass(frozen=True, eq=False)
class Bumps:
    """K smooth arches: zero up to ``start``, one from ``top`` to ``bottom``, zero from ``end``; all of shape (K,).

    Times are in the unit of the wave they belong to (ms after QRS onset, or a fraction of a duration). ``power``
    sharpens an arch, ``vector`` is what it adds at its top: shape (K, 3) for a dipole, (K, 8) for potentials at the
    leads.
    """

    start: FloatArray
    top: FloatArray
    bottom: FloatArray
    end: FloatArray
    power: FloatArray
    vector: FloatArray

    def __add__(self, other: "Bumps") -> "Bumps":
        return Bumps(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in self.__dataclass_fields__))

    def times(self, factor: float | FloatArray) -> "Bumps":
        """Return these bumps with vectors multiplied by a number, or by one an axis (3,), or one a bump (K, 1)."""
        return replace(self, vector=self.vector * factor)

    def stretched(self, factor: float, delay: float = 0.0) -> "Bumps":
        """Return these bumps with times multiplied by ``factor`` and then delayed."""
        moved = {n: getattr(self, n) * factor + delay for n in ("start", "top", "bottom", "end")}
        return replace(self, **moved)

    def within(self, start: float, end: float) -> "Bumps":
        """Return these bumps with their support cut to [start, end], tops kept inside."""
        margin = 0.08 * (end - start)
        tops = {n: np.clip(getattr(self, n), start + margin, end - margin) for n in ("top", "bottom")}
        return replace(self, start=np.maximum(self.start, start), end=np.minimum(self.end, end), **tops)

    def spanning(self, start: float, end: float) -> "Bumps":
        """Return these bumps, the first stretched to begin at ``start`` and the last to end at ``end``: exact marks."""
        starts, ends = self.start.copy(), self.end.copy()
        starts[starts.argmin()], ends[ends.argmax()] = start, end
        return replace(self, start=starts, end=ends)

    def at(self, x: FloatArray) -> FloatArray:
        """Evaluate at ``x`` (any shape); returns (3 or 8, *x.shape)."""
        column = (slice(None), *[None] * x.ndim)
        up = np.clip((x - self.start[column]) / (self.top - self.start)[column], 0.0, 1.0)
        down = np.clip((self.end[column] - x) / (self.end - self.bottom)[column], 0.0, 1.0)
        arch = (np.sin(np.pi / 2 * up) * np.sin(np.pi / 2 * down)) ** (2 * self.power[column])
        return np.tensordot(self.vector, arch, axes=(0, 0))


def bump(start: float, top: float, bottom: float, end: float, vector: ArrayLike, power: float = 1.0) -> Bumps:
    """Return one arch with a plateau from ``top`` to ``bottom``."""
    s, t, b, e, p = (np.array([value], dtype=float) for value in (start, top, bottom, end, power))
    return Bumps(s, t, b, e, p, np.atleast_2d(np.asarray(vector, dtype=float)))


def arch(centre: float, sigma: float, vector: ArrayLike) -> Bumps:
    """Return one symmetric arch as wide as a Gaussian of ``sigma``, but with finite support."""
    half = HALF_WIDTH_PER_SIGMA * sigma
    return bump(centre - half, centre, centre, centre + half, vector)
