"""What each finding does to a healthy heart: infarction, ischaemia, repolarisation, hypertrophy.

A recipe takes the healthy heart, the finding's own random stream and a severity, and returns the heart with the
finding; what it does not touch stays the same object, so that the twin differs only where the finding acts.
Directions are dipole axes (x left, y feet, z back). The sizes were set so that the guideline's own numbers hold at
severity 1 (limits: Thygesen et al., Fourth Universal Definition of Myocardial Infarction, 2018; Hancock et al.,
AHA/ACCF/HRS part V, 2009; Rautaharju et al., part IV, 2009).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ecgviz.simulate.dipole import Bumps, bump
from ecgviz.simulate.heart import ST_RISE, Heart
from ecgviz.simulate.vary import arches, turned


def _injury(heart: Heart, rng: np.random.Generator, direction: ArrayLike, size_mv: float, end: float = 0.98) -> Bumps:
    """Return the current of injury: reached at the J point, kept, and let go under the T wave."""
    vector = turned(rng, direction, 5.0) * size_mv * (1 + 0.08 * np.clip(rng.standard_normal(), -2, 2))
    return bump(-2 * ST_RISE, 0.0, 0.30 + 0.04 * rng.standard_normal(), end, vector)


def _st_elevation(heart: Heart, rng: np.random.Generator, direction: ArrayLike, size_mv: float) -> Heart:
    injury = _injury(heart, rng, direction, size_mv)
    peak = 0.60 + 0.02 * np.clip(rng.standard_normal(), -2, 2)
    hyperacute = bump(0.0, peak, peak, 1.0, 1.1 * injury.vector[0])
    return replace(heart, st=heart.st + injury, t=heart.t.times(0.75) + hyperacute)


def inferior_stemi(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """ST elevation towards the feet and right (right coronary type: III > II), reciprocal depression in aVL."""
    return _st_elevation(heart, rng, (-0.30, 0.95, 0.10), 0.28 * severity)


def anterior_stemi(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """ST elevation towards the front: V1-V4."""
    return _st_elevation(heart, rng, (0.28, -0.08, -0.95), 0.32 * severity)


def lateral_stemi(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """ST elevation towards the left and up: I, aVL, V5, V6; reciprocal depression in III."""
    return _st_elevation(heart, rng, (0.90, -0.44, 0.28), 0.30 * severity)


def old_inferior_mi(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Turn initial forces away from the feet: Q in II, III, aVF, and a negative inferior T."""
    own = heart.qrs.vector.copy()
    height = max(float(own[2, 1]), 0.35)
    own[:2, 1], own[2, 1] = 0.0, own[2, 1] * max(0.0, 1 - severity)
    own[3:, 1] *= 0.75
    scar = arches(rng, [(26.0, 10.0, (0, -0.36 * severity, 0)), (62.0, 9.0, (0.0, 0.62 * height, 0))])
    t = heart.t.times(np.array([1, 0.1, 1])) + bump(0.35, 0.74, 0.74, 1.0, (0.02, -0.17 * severity, 0))
    return replace(heart, qrs=(replace(heart.qrs, vector=own) + scar).within(0, heart.qrs_ms), t=t)


def old_anterior_mi(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Lose the anterior forces: QS or Q in V1-V4, and a negative anterior T."""
    own = heart.qrs.vector.copy()
    own[:2, 2] = 0.0
    own[:2, 0] *= 0.5
    own[2, 0] *= 0.65
    own[2:4, 2] *= 0.9
    scar = arches(rng, [(14.0, 7.0, (-0.02, 0, 0.20 * severity)), (35.0, 14.0, (0, 0, 0.62 * severity))])
    t = heart.t.times(np.array([0.8, 1, 0.1])) + bump(0.35, 0.74, 0.74, 1.0, (-0.02, 0, 0.20 * severity))
    st = heart.st + bump(-ST_RISE, 0.0, 0.3, 0.7, (0.0, 0.0, -0.05 * severity))
    return replace(heart, qrs=(replace(heart.qrs, vector=own) + scar).within(0, heart.qrs_ms), t=t, st=st)


def old_lateral_mi(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Turn initial forces away from the left: Q in I, aVL, V5, V6, smaller late R, negative lateral T."""
    own = heart.qrs.vector.copy()
    width = float(own[2, 0])
    own[:2, 0], own[2, 0] = 0.0, width * max(0.0, 0.1 - 0.1 * (severity - 1))
    own[2, 1] = min(own[2, 1], 0.45)
    own[3, 0] = max(own[3, 0], -0.05)
    scar = arches(rng, [(23.0, 10.0, (-0.36 * severity, 0.08, 0)), (58.0, 10.0, (0.72 * width, -0.10, 0))])
    t = heart.t.times(np.array([0.1, 1, 1])) + bump(0.35, 0.74, 0.74, 1.0, (-0.20 * severity, 0.03, 0))
    return replace(heart, qrs=(replace(heart.qrs, vector=own) + scar).within(0, heart.qrs_ms), t=t)


def st_depression(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Subendocardial injury: the ST vector points away from the left ventricle's free wall; horizontal to J + 80 ms."""
    depression = _injury(heart, rng, (-0.80, -0.45, 0.18), 0.22 * severity, end=0.80)
    sagging = bump(0.0, 0.36, 0.36, 0.80, 0.3 * depression.vector[0])
    level = heart.st.times(0.4)
    return replace(heart, st=level + depression + sagging, t=heart.t.times(0.75))


_INVERTED = {"anterior": (-0.30, 0.0, 0.95), "lateral": (-0.95, 0.10, 0.0), "anterolateral": (-0.75, -0.05, 0.60)}


def t_inversion(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Symmetric negative T waves over the anterior, the lateral or both walls."""
    direction = turned(rng, tuple(_INVERTED.values())[int(rng.integers(3))], 6.0)
    kept = 1 - 0.9 * np.abs(direction) / np.abs(direction).max()
    top = 0.68 + 0.02 * np.clip(rng.standard_normal(), -2, 2)
    inverted = bump(top - 0.32, top, top, min(top + 0.31, 1.0), 0.36 * severity * direction)
    return replace(heart, t=heart.t.times(kept) + inverted, st=heart.st.times(kept))


def lvh(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Left ventricular hypertrophy with strain: large leftward and posterior forces, ST and asymmetric T opposite."""
    d = min(heart.qrs_ms + 4 + 7 * rng.random(), 116.0)
    vectors = heart.qrs.vector.copy()
    vectors[2:4] *= [1 + 0.45 * severity, 1.0, 1 + 0.30 * severity]
    own = replace(heart.qrs, vector=vectors).stretched(d / heart.qrs_ms)
    more = arches(rng, [(0.54, 0.14, severity * turned(rng, (0.55, -0.14, 0.70), 6.0))], d)
    strain = bump(0.05, 0.72, 0.72, 1.0, severity * np.array([-0.27, -0.05, -0.16]), 1.3)
    t = heart.t.times(np.array([0.15, 0.4, 1.1])) + strain
    st = heart.st.times(0.8) + bump(-ST_RISE, 0.02, 0.25, 0.8, severity * np.array([-0.08, -0.03, -0.07]))
    return replace(heart, qrs_ms=d, qrs=(own + more).within(0, d), t=t, st=st)


def rvh(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Right ventricular hypertrophy with strain: forces to the right and front, tall R in V1, deep S in V5 and V6."""
    d = heart.qrs_ms + 4
    own = heart.qrs.times(np.array([0.40, 0.9, 0.12])).stretched(d / heart.qrs_ms)
    forward = (0.46, 0.135, (-0.05, 0.15, -0.72 * severity))
    rightward = (0.66, 0.135, severity * np.array([-0.62, 0.35, -0.28]))
    more = arches(rng, [forward, rightward, (0.84, 0.08, (-0.10, 0.0, 0.20))], d)
    t = heart.t.times(np.array([1.0, 0.8, 0.25])) + bump(0.3, 0.72, 0.72, 1.0, (0.04, -0.02, 0.20 * severity), 1.2)
    st = heart.st.times(np.array([1, 1, 0.3])) + bump(-ST_RISE, 0.02, 0.2, 0.7, (0.0, -0.01, 0.04 * severity))
    p = heart.p.times(np.array([1.0, 1.5, 1.0]))
    return replace(heart, qrs_ms=d, qrs=(own + more).within(0, d), t=t, st=st, p=p)


def long_qt(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Long QT: JT stretched; a broad T (type 1 like), a notched one (type 2 like), or a late one after a long ST."""
    factor = 1 + severity * (0.33 + 0.07 * rng.random())
    kind = int(rng.integers(3))
    t = heart.t
    if kind == 1:
        t = t + bump(0.70, 0.86, 0.86, 1.0, 0.45 * t.vector.sum(axis=0))
    elif kind == 2:
        t = Bumps(t.start + 0.22, t.top + 0.06, t.bottom + 0.06, t.end, t.power, t.vector)
    return replace(heart, jt_ms=heart.jt_ms * factor, t=t)
