"""One patient's heart: the waves of a beat as a dipole, their durations, and how it is drawn.

Means, spreads, sex and age differences and correlations of the loop come from 257 normal records (ids 1-500) of
PTB-XL (Wagner et al., Sci Data 2020;7:154, CC BY 4.0); durations also from the manual marks of LUDB (Kalyakulina et
al., IEEE Access 2020;8:186181).
"""

from dataclasses import dataclass

import numpy as np

from ecgviz.simulate.dipole import ATRIAL_FIELD, HALF_WIDTH_PER_SIGMA, Bumps, bump, patient_field
from ecgviz.types.arrays import FloatArray

QRS_CENTRES = np.array([0.16, 0.30, 0.45, 0.61, 0.77])
QRS_SIGMAS = np.array([0.076, 0.088, 0.114, 0.099, 0.070])
JT_EXPONENT = 0.30
"""JT = jt_ms * RR ** 0.30 with RR in seconds; QT ~ 381 RR ** 0.30 in the normal records of PTB-XL."""
ST_RISE = 0.035
"""The ST level is reached at the J point and starts to grow this fraction of JT before it (10 ms): steeper is a
square shelf.
"""


@dataclass(frozen=True, eq=False)
class Heart:
    """What one patient's beat is made of.

    ``p`` is in fractions of the P duration, ``qrs`` in ms after QRS onset, ``st``, ``t`` and ``tail`` (U wave and
    slow return) in fractions of JT after the J point, ``residual`` (what no dipole explains, at the leads) in
    fractions of the QRS duration. ``field`` and ``atrial_field`` have shape (8, 3). ``jt_ms`` is JT at an RR
    interval of 1 s. ``advance_ms`` is by how much QRS starts early (pre-excitation) while the P wave stays where it is.
    """

    age_years: float
    sex: str
    rate_bpm: float
    sdrr_s: float
    p_ms: float
    pr_ms: float
    qrs_ms: float
    jt_ms: float
    p: Bumps
    qrs: Bumps
    st: Bumps
    t: Bumps
    tail: Bumps
    residual: Bumps
    field: FloatArray
    atrial_field: FloatArray
    advance_ms: float = 0.0

    @property
    def t_start(self) -> float:
        """Onset of the T wave as a fraction of JT."""
        return float(self.t.start.min())

    def jt_s(self, rr_s: FloatArray | float) -> FloatArray:
        """JT interval in seconds at the given RR intervals."""
        return np.asarray(self.jt_ms / 1000 * np.asarray(rr_s) ** JT_EXPONENT)


def draw_heart(
    rng: np.random.Generator,
    residual_rng: np.random.Generator,
    *,
    ages: tuple[float, float],
    rates: tuple[float, float],
    alpha: float,
    sex: str | None,
    age_years: float | None,
    rate_bpm: float | None,
) -> Heart:
    """Draw a healthy heart; every call takes the same number of draws from each generator, whatever is given."""
    u, n = rng.random(4), np.clip(rng.standard_normal(48), -2.5, 2.5)
    sex = sex or ("male" if u[0] < 0.5 else "female")
    age = float(ages[0] + u[1] * (ages[1] - ages[0])) if age_years is None else float(age_years)
    rate = _between(69.6 + (1.6 if sex == "female" else -1.9) + 10.8 * n[0], rates, u[2])
    older = float(np.clip((age - 44) / 30, -1, 1))
    qrs_ms = float(np.exp(4.475 + 0.09 * n[1] + (0.033 if sex == "male" else -0.033)))
    t_vector, t, st = _repolarisation(n[20:40], sex, older)
    return Heart(
        age_years=round(age),
        sex=sex,
        rate_bpm=rate if rate_bpm is None else float(rate_bpm),
        sdrr_s=0.029 * float(np.exp(0.55 * n[2] - 0.5 * older)),
        p_ms=float(np.clip(np.exp(4.64 + 0.09 * n[3]), 88, 122)),
        pr_ms=float(np.clip(np.exp(5.02 + 0.10 * n[4] + 0.04 * older) - 0.25 * (rate - 70), 132, 188)),
        qrs_ms=float(np.clip(qrs_ms, 74, 108)),
        jt_ms=float(np.exp(5.664 + 0.06 * n[5] + (0.01 if sex == "female" else -0.01))),
        p=_atrial(n[6:12]),
        qrs=_depolarisation(n[12:20], n[40:48], sex, older, qrs_ms).times(np.exp(0.13 * n[33])),
        st=st,
        t=t,
        tail=_tail(t_vector, n[36:40]),
        residual=_residual(residual_rng),
        field=patient_field(rng, alpha),
        atrial_field=ATRIAL_FIELD * (1 + 0.12 * np.clip(rng.standard_normal((8, 1)), -2, 2)),
    )


def _between(value: float, limits: tuple[float, float], u: float) -> float:
    low, high = limits
    return float(value) if low <= value <= high else float(low + u * (high - low))


def _atrial(n: FloatArray) -> Bumps:
    size = np.exp(0.25 * n[0])
    early = size * np.array([0.027, 0.061, -0.021]) + np.array([0.008 * n[1], 0.018 * n[2], 0.008 * n[3]])
    late = size * np.array([0.038, 0.032, 0.022]) + np.array([0.008 * n[4], 0.012 * n[5], -0.006 * n[3]])
    return bump(0.0, 0.38 + 0.02 * n[4], 0.40 + 0.02 * n[4], 0.94, early) + bump(0.2, 0.66, 0.70, 1.0, late)


def _depolarisation(n: FloatArray, m: FloatArray, sex: str, older: float, qrs_ms: float) -> Bumps:
    peak_x = (1.28 if sex == "male" else 1.17) * np.exp(0.26 * n[0])
    peak_y = 0.69 - 0.22 * older + 0.38 * (0.4 * n[0] + 0.92 * n[1])
    peak_z = (0.47 if sex == "male" else 0.58) - 0.17 * older + 0.42 * (0.35 * n[1] + 0.94 * n[2])
    vectors = np.array(
        [
            [-0.07 * np.exp(0.5 * n[3]), -0.02 + 0.05 * m[0], -0.12 * np.exp(0.5 * n[4])],
            [0.04 + 0.08 * m[1], -0.04 + 0.07 * m[2], -0.28 * np.exp(0.48 * n[5])],
            [0.93 * peak_x, 0.93 * peak_y, 0.89 * peak_z],
            [-0.15 + 0.2 * m[3], 0.01 + 0.19 * m[4], 0.52 + 0.7 * (peak_z - 0.55) + 0.2 * m[5]],
            [-0.03 + 0.05 * m[6], -0.01 + 0.05 * m[7], 0.09 + 0.06 * n[7]],
        ]
    )
    centres = (QRS_CENTRES + 0.012 * m[:5]) * qrs_ms
    half = HALF_WIDTH_PER_SIGMA * QRS_SIGMAS * (1 + 0.06 * m[3:8]) * qrs_ms
    return _clipped(centres, half, vectors, qrs_ms)


def _clipped(centres: FloatArray, half: FloatArray, vectors: FloatArray, qrs_ms: float) -> Bumps:
    """Return arches inside the complex; the first starts at QRS onset, the last ends at the J point: exact marks."""
    start, end = np.maximum(centres - half, 0.0), np.minimum(centres + half, qrs_ms)
    start[0], end[-1] = 0.0, qrs_ms
    return Bumps(start, centres, centres, end, np.ones(centres.size), vectors)


def _repolarisation(n: FloatArray, sex: str, older: float) -> tuple[FloatArray, Bumps, Bumps]:
    size = np.exp(0.28 * n[0])
    depth = -0.29 if sex == "male" else -0.15
    t_vector = np.array(
        [
            0.29 * size * np.exp(0.18 * n[1]),
            0.165 * size * np.exp(0.22 * n[2]),
            depth * size * np.exp(0.35 * n[3]) + 0.03 * n[4],
        ]
    )
    level = np.array([0.008 + 0.018 * n[5], 0.008 + 0.014 * n[6], 0.2 * t_vector[2] * np.exp(0.3 * n[7]) - 0.01])
    early, late, start = 0.66 + 0.02 * n[8], 0.77 + 0.018 * n[9], 0.25 + 0.03 * n[10]
    t = bump(start, early, early, 0.97, t_vector * [0.56, 0.40, 1.05], 1.15 + 0.1 * n[11])
    t = t + bump(start + 0.1, late, late, 1.0, t_vector * [0.50, 0.66, 0.05], 1.1 + 0.08 * n[12])
    st = bump(-ST_RISE, 0.0, 0.2, 0.75, 0.7 * level) + bump(0.0, 0.3, 0.3, 0.8, 0.7 * level)
    return t_vector, t, st


def _tail(t_vector: FloatArray, n: FloatArray) -> Bumps:
    """Slow return after the T wave, and a small U wave: a flat line here gives a simulated record away at once."""
    u_wave = np.array([0.012, 0.008, -0.022]) * np.exp(0.5 * n[0]) + np.array([0.006, 0.005, 0.008]) * n[1]
    centre = 1.28 + 0.05 * n[2]
    return bump(0.75, 1.0, 1.05, 1.55, 0.05 * t_vector) + bump(0.98, centre, centre, 1.75, u_wave)


def _residual(rng: np.random.Generator) -> Bumps:
    """Draw potentials of the QRS, fixed a beat, that no single dipole explains; chest neighbours share them (r .55)."""
    k = 5
    draws = np.clip(rng.standard_normal((k, 8)), -2, 2)
    for lead in range(3, 8):
        draws[:, lead] = 0.55 * draws[:, lead - 1] + 0.835 * draws[:, lead]
    centres = np.linspace(0.22, 0.82, k) + rng.uniform(-0.05, 0.05, k)
    half = rng.uniform(0.13, 0.20, k)
    size = np.array([0.030, 0.030, 0.035, 0.055, 0.060, 0.055, 0.045, 0.035]) * np.exp(0.3 * rng.standard_normal())
    start, end = np.maximum(centres - half, 0.02), np.minimum(centres + half, 0.98)
    return Bumps(start, centres, centres, end, np.ones(k), draws * size)
