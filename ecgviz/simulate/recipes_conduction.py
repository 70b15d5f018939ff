"""What each finding does to a healthy heart: conduction, pre-excitation and ectopic beats.

Shapes and durations follow Surawicz et al., AHA/ACCF/HRS recommendations part III: intraventricular conduction
disturbances, 2009. Secondary ST-T goes with every replaced QRS. Directions are dipole axes (x left, y feet, z back).
"""

from dataclasses import replace

import numpy as np

from ecgviz.simulate.dipole import bump
from ecgviz.simulate.heart import Heart
from ecgviz.simulate.vary import arches, turned


def lbbb(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Complete left bundle branch block: slow, notched leftward and posterior activation, ST-T opposite."""
    d = float(
        np.clip((150 if heart.sex == "male" else 142) + 12 * (severity - 1) + 6 * rng.standard_normal(), 128, 175)
    )
    size = float(np.clip(heart.qrs.vector[2, 0] / 1.12, 0.75, 1.35)) * 0.85
    rows = [
        (0.08, 0.040, (0.04, 0.0, -0.12)),
        (0.27, 0.095, (0.68, 0.18, 0.35)),
        (0.45, 0.165, (0.30, 0.12, 0.95)),
        (0.64, 0.115, (0.78, 0.05, 0.55)),
        (0.83, 0.080, (0.15, 0.0, 0.22)),
    ]
    qrs = arches(rng, rows, d).times(size) + heart.qrs.times(0.08).stretched(d / heart.qrs_ms)
    t = heart.t.times(0.2) + bump(0.02, 0.66, 0.68, 1.0, size * turned(rng, (-0.24, -0.05, -0.46), 5.0), 1.2)
    st = bump(-0.22, 0.0, 0.1, 0.75, size * np.array([-0.08, -0.01, -0.20]))
    return replace(heart, qrs_ms=d, qrs=qrs.within(0, d), t=t, st=st, jt_ms=heart.jt_ms * 0.97)


def rbbb(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Complete right bundle branch block: the patient's own start, then a slow force to the right and front."""
    d = float(np.clip(134 + 8 * (severity - 1) + 6 * rng.standard_normal(), 124, 160))
    own = heart.qrs.vector.copy()
    own[3:] *= 0.5
    force = severity * turned(rng, (-0.50, -0.02, -0.56), 5.0)
    late = arches(rng, [(62.0, 12.0, 0.28 * force), (92.0, 15.0, force), (112.0, 10.0, 0.22 * force)])
    t = heart.t.times(np.array([1.0, 1.0, 0.3])) + bump(0.15, 0.66, 0.66, 1.0, (0.06, 0.0, 0.20 * severity), 1.1)
    st = heart.st.times(np.array([1.0, 1.0, 0.2])) + bump(-0.06, 0.03, 0.15, 0.7, (0.0, 0.0, 0.03 * severity))
    qrs = (replace(heart.qrs, vector=own) + late).within(0, d).spanning(0, d)
    return replace(heart, qrs_ms=d, qrs=qrs, t=t, st=st)


def lafb(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Left anterior fascicular block: first down and right, then up and left: qR in I, aVL, rS in II, III, aVF."""
    d = float(np.clip(91 + 2 * rng.standard_normal(), 88, 96))
    rows = [
        (12.0, 6.0, (-0.12, 0.0, 0.0)),
        (16.0, 8.0, (0.0, 0.24, 0.0)),
        (22.0, 8.0, (0.0, 0.0, -0.24)),
        (48.0, 12.0, (0.95, -0.20, 0.25)),
        (61.0, 15.0, (0.15, -0.70 * severity, 0.25)),
        (67.0, 11.5, (0.25, -0.10, 0.25)),
        (79.0, 7.5, (0.0, -0.20, 0.05)),
    ]
    size = float(np.clip(heart.qrs.vector[2, 0] / 1.12, 0.8, 1.3))
    own = heart.qrs.times(0.12).stretched(d / heart.qrs_ms)
    return replace(heart, qrs_ms=d, qrs=(arches(rng, rows, d / 94).times(size) + own).within(0, d))


def first_degree_av_block(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Every P wave is conducted, late."""
    return replace(heart, pr_ms=200 + severity * (35 + 40 * rng.random()))


_PATHWAYS = {
    "left lateral": (-0.12, 0.30, -0.42),
    "posteroseptal": (0.34, -0.34, -0.30),
    "right free wall": (0.45, 0.05, 0.30),
}


EARLY_MS = 48.0
"""How much sooner than through the AV node the accessory pathway excites the ventricles."""


def wpw(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """Pre-excitation: QRS starts early with a slow delta wave, the P wave stays; secondary T change."""
    vector = turned(rng, tuple(_PATHWAYS.values())[int(rng.integers(3))], 6.0)
    vector *= 0.5 * severity / np.linalg.norm(vector)
    early = EARLY_MS
    d = max(heart.qrs_ms + early, 133.0)
    own = heart.qrs.times(np.array([0.3, 0.5, 0.85, 0.85, 0.85])[:, None]).stretched(1.0, early)
    delta = bump(0.0, 52.0, 58.0, 98.0, vector, 0.6) + bump(42.0, 84.0, 96.0, d, 0.6 * vector)
    t = heart.t.times(0.75) + bump(0.1, 0.68, 0.68, 1.0, -0.45 * vector)
    st = heart.st.times(0.7) + bump(-0.1, 0.03, 0.2, 0.7, -0.12 * vector)
    jt = heart.jt_ms * 0.97
    return replace(
        heart,
        qrs_ms=d,
        pr_ms=heart.pr_ms - early,
        advance_ms=early,
        qrs=(own + delta).within(0, d),
        t=t,
        st=st,
        jt_ms=jt,
    )


def ectopic(heart: Heart, rng: np.random.Generator, severity: float) -> Heart:
    """One ventricular ectopic beat: wide QRS from the right outflow tract or the left free wall, ST-T opposite."""
    d = float(np.clip(152 + 8 * rng.standard_normal(), 138, 172))
    sites = ((0.35, 1.15, 0.75), (-0.55, -0.55, -1.10), (0.55, -0.95, 0.85))
    force = 1.15 * severity * turned(rng, sites[int(rng.integers(3))], 10.0)
    aside = 0.3 * turned(rng, np.cross(force, (0.3, -0.5, 0.8)), 10.0)
    qrs = arches(
        rng, [(0.20, 0.09, 0.3 * aside), (0.44, 0.15, force), (0.60, 0.13, aside), (0.74, 0.10, 0.35 * force)], d
    )
    t = bump(0.0, 0.62, 0.64, 1.0, -0.42 * force)
    st = bump(-0.25, 0.0, 0.1, 0.7, -0.14 * force)
    return replace(heart, qrs_ms=d, qrs=qrs.within(0, d).spanning(0, d), t=t, st=st, jt_ms=heart.jt_ms * 1.02)
