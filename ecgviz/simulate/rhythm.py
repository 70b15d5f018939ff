"""Clocks: when the ventricles and the atria fire, beat by beat.

The ventricular times come first and the P waves are placed before them, so that a finding of the atria or of the PR
interval leaves every R peak where its twin has it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import cumulative_trapezoid

from ecgviz.errors import SimulationError
from ecgviz.simulate.heart import Heart
from ecgviz.simulate.request import Request
from ecgviz.types.arrays import BoolArray, FloatArray

LEAD_IN_S = 3.0
"""The clock starts this long before the record, so that its first seconds hold the end of an earlier beat."""
MIN_RR_S = 0.32
SHORTEST_FIBRILLATION_S = 1.2 * MIN_RR_S
FREE_BPM = 112.0
"""Up to this rate few RR intervals of fibrillation meet the shortest one, and their mean is as asked without help."""
IRREGULAR_RR_CV = 0.10
"""Atrial fibrillation is planted where RR intervals vary by this much or more (standard deviation over mean)."""
MOST_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Events of one record: QRS onsets, the RR intervals that set each QT (both seconds), ectopic beats; all (B,).

    ``has_p`` says before which beats a P wave stands. ``lone_p_for_s`` are QRS onsets that a P wave announced and
    that never came. ``turn`` (B, 3, 3) is breathing's rotation and scaling of the dipole, ``t_size`` and
    ``t_width`` (B,) beat-to-beat change.
    """

    qrs_on_s: FloatArray
    rr_s: FloatArray
    ectopic: BoolArray
    has_p: BoolArray
    lone_p_for_s: FloatArray
    turn: FloatArray
    t_size: FloatArray
    t_width: FloatArray


@dataclass(frozen=True)
class Breathing:
    """Respiration of one patient: rate in hertz, phases, and the shares of respiratory and slow RR variation."""

    rate: float
    phase: float
    slow_phase: float
    slow_share: float
    depth: float


def draw_breathing(rng: np.random.Generator) -> Breathing:
    """Draw a patient's breathing (0.20 to 0.32 Hz at rest)."""
    u = rng.random(5)
    turn = 2 * np.pi
    return Breathing(0.20 + 0.12 * u[0], turn * u[1], turn * u[2], 0.3 + 0.5 * u[3], float(np.exp(u[4] - 0.5)))


def sinus_times(rng: np.random.Generator, heart: Heart, breath: Breathing, duration_s: float) -> FloatArray:
    """QRS onsets of a sinus rhythm from before the record to after it; RR varies with breathing and at 0.1 Hz."""
    mean = 60 / heart.rate_bpm
    n = int((duration_s + LEAD_IN_S + 4) / (0.5 * mean)) + 4
    jitter = 0.004 * rng.standard_normal(n)
    sdrr = min(heart.sdrr_s, 0.10 * mean)
    fast = sdrr * np.sqrt(2 * (1 - breath.slow_share))
    slow = sdrr * np.sqrt(2 * breath.slow_share)
    times = [-LEAD_IN_S - mean * rng.random()]
    for j in jitter:
        t = times[-1]
        rr = (
            mean
            + fast * np.sin(2 * np.pi * breath.rate * t + breath.phase)
            + slow * np.sin(0.2 * np.pi * t + breath.slow_phase)
        )
        times.append(t + max(rr + j, MIN_RR_S))
        if times[-1] > duration_s + 2:
            break
    return np.array(times)


def fibrillation(rng: np.random.Generator, heart: Heart, severity: float, duration_s: float) -> FloatArray:
    """QRS onsets of atrial fibrillation: independent gamma RR intervals, coefficient of variation .17 to .28.

    A stretch that looks regular by chance is drawn again, so that the record shows what its label says: from severity 1
    on, it has two or more RR intervals between whole QRS complexes, and they vary by `IRREGULAR_RR_CV` (which makes
    records of 2 s some 7 beats a minute faster than longer ones). No interval is shorter than
    `SHORTEST_FIBRILLATION_S`; above `FREE_BPM`, which that would slow, they are scaled to the mean asked over the whole
    clock, from before the record to after it. Up to there the rate is that asked on average over seeds only.

    Raises
    ------
    SimulationError
        For a rate at which such intervals cannot vary as much, or of which two mean intervals do not fit in the record.
    """
    strict = severity >= 1
    if strict:
        _check_room(heart, duration_s)
    mean, floor = 60 / heart.rate_bpm, SHORTEST_FIBRILLATION_S
    cv = float(np.clip((0.17 + 0.11 * rng.random()) * severity, 0.05, 0.35))
    start = -LEAD_IN_S - mean * rng.random()
    fast = heart.rate_bpm > FREE_BPM
    n = int((duration_s + LEAD_IN_S + 4) / (mean if fast else MIN_RR_S))
    for _ in range(MOST_DRAWS if mean > floor else 0):
        rr = np.maximum(rng.gamma(cv**-2, mean * cv**2, n), floor)
        if fast:
            rr = floor + (rr - floor) * (mean - floor) / (rr.mean() - floor)
        times = start + np.cumsum(rr)
        if _irregular(times, duration_s, 0.75 * cv) and (not strict or _meets(times, heart, duration_s)):
            return np.asarray(times[times < duration_s + 2])
    raise SimulationError(
        f"simulate af: {heart.rate_bpm:g} beats a minute are too many for irregular RR intervals, none of them "
        f"shorter than {1000 * floor:.0f} ms; ask for a lower rate"
    )


def _check_room(heart: Heart, duration_s: float) -> None:
    if 2 * 60 / heart.rate_bpm + heart.qrs_ms / 1000 > duration_s:
        raise SimulationError(
            f"simulate af: {duration_s:g} s at {heart.rate_bpm:g} beats a minute are too short for two RR intervals, "
            "and one cannot be irregular"
        )


def _irregular(times: FloatArray, duration_s: float, least_cv: float) -> bool:
    """Tell whether the intervals seen vary as their coefficient of variation promises; of few, chance decides."""
    seen = np.diff(times[(times >= 0) & (times < duration_s)])
    return bool(seen.size < 4 or seen.std() >= least_cv * seen.mean())


def _meets(times: FloatArray, heart: Heart, duration_s: float) -> bool:
    whole = np.diff(times[(times >= 0) & (times + heart.qrs_ms / 1000 <= duration_s)])
    return bool(whole.size >= 2 and whole.std() >= IRREGULAR_RR_CV * whole.mean())


def beats_at(times: FloatArray, rng: np.random.Generator, breath: Breathing, memory: float = 0.7) -> Rhythm:
    """Return the rhythm of sinus beats at ``times``: QT follows RR with a memory, breathing turns the heart."""
    rr = np.diff(times, prepend=times[0] - np.mean(np.diff(times)))
    felt = np.empty_like(rr)
    state = float(np.mean(rr))
    for b, one in enumerate(rr):
        state = memory * state + (1 - memory) * float(one)
        felt[b] = state
    n = np.clip(rng.standard_normal((3, times.size)), -2, 2)
    none = np.zeros(times.size, dtype=bool)
    return Rhythm(times, felt, none, ~none, np.empty(0), _turns(times, breath, n[2]), 1 + 0.03 * n[0], 1 + 0.006 * n[1])


def _turns(times: FloatArray, breath: Breathing, n: FloatArray) -> FloatArray:
    wave = breath.depth * np.sin(2 * np.pi * breath.rate * times + breath.phase + 0.8) + 0.3 * n
    frontal, horizontal, size = np.radians(2.5) * wave, np.radians(1.8) * wave, 1 + 0.02 * wave
    turn = np.zeros((times.size, 3, 3))
    turn[:, 0, 0] = turn[:, 1, 1] = turn[:, 2, 2] = 1
    turn[:, 0, 1], turn[:, 1, 0] = -frontal, frontal
    turn[:, 0, 2], turn[:, 2, 0] = -horizontal, horizontal
    return np.asarray(turn * size[:, None, None])


def with_ectopic(rhythm: Rhythm, heart: Heart, rng: np.random.Generator, duration_s: float) -> Rhythm:
    """Return the rhythm with one ventricular ectopic beat in about five; the sinus clock runs on under it.

    The sinus beat that it pre-empts keeps its P wave and loses its QRS, so that coupling interval and pause add up
    to two RR intervals.
    """
    times, rr = rhythm.qrs_on_s.copy(), np.diff(rhythm.qrs_on_s)
    ectopic = np.zeros(times.size, dtype=bool)
    has_p = rhythm.has_p.copy()
    lone = []
    u = rng.random(times.size)
    inside = np.flatnonzero((times[1:] > 1.2) & (times[1:] < duration_s - 1.2)) + 1
    chosen = inside[int(u[0] * min(4, inside.size)) :: 4 + int(3 * u[1])] if inside.size else inside
    for b in chosen:
        qt = heart.qrs_ms / 1000 + float(heart.jt_s(rhythm.rr_s[b]))
        coupling = max((0.50 + 0.10 * u[b]) * rr[b - 1], min(qt + 0.03, 0.72 * rr[b - 1]))
        lone.append(times[b])
        times[b] = times[b - 1] + coupling
        ectopic[b], has_p[b] = True, False
    return replace(rhythm, qrs_on_s=times, ectopic=ectopic, has_p=has_p, lone_p_for_s=np.array(lone))


def fibrillatory_waves(rng: np.random.Generator, request: Request) -> FloatArray:
    """F waves at the leads, shape (8, N) mV: two drifting oscillators of 4 to 9 Hz with harmonics, largest in V1.

    They are made at the leads: through the atrial dipole aVL and V2 would be larger than V1.
    """
    gains = np.array(
        [[0.30, 0.65, 0.95, 0.55, 0.40, 0.25, 0.20, 0.15], [0.35, 0.50, 0.70, 0.60, 0.35, 0.20, 0.20, 0.20]]
    )
    size = (0.045 + 0.045 * rng.random()) * np.sqrt(request.severity)
    # As many draws at every rate: the length in samples, rounded, can be a second more at one rate than at another.
    seconds = np.arange(int(np.ceil(request.duration_s)) + 3)
    t = np.arange(request.n) / request.fs
    waves = np.zeros((8, request.n))
    for gain, share in zip(gains, (1.0, 0.45), strict=True):
        base = 5.0 + 2.3 * rng.random()
        steps = np.cumsum(0.18 * rng.standard_normal(seconds.size))
        hertz = np.interp(t, seconds, np.clip(base + steps - steps.mean(), 4, 9))
        slow = np.interp(t, seconds, 1 + 0.35 * np.clip(rng.standard_normal(seconds.size), -1.5, 1.5))
        turns = cumulative_trapezoid(hertz, t, initial=0)
        phase = 2 * np.pi * (turns + rng.random())
        shape = np.cos(phase) + 0.35 * np.cos(2 * phase + 0.9) + 0.12 * np.cos(3 * phase + 1.7)
        waves += share * gain[:, None] * (slow * shape)
    return np.asarray(size * waves)
