"""From hearts and a rhythm to potentials at the leads, layer by layer, and the exact times of every wave."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.simulate.dipole import Bumps
from ecgviz.simulate.heart import Heart
from ecgviz.simulate.rhythm import Rhythm
from ecgviz.types import Beats
from ecgviz.types.arrays import BoolArray, FloatArray

LAYERS = ("p", "qrs", "st", "t", "tail", "f_waves")


def render(heart: Heart, rhythm: Rhythm, fs: float, n: int, ectopic: Heart | None = None) -> dict[str, FloatArray]:
    """Return the layers of a noise-free record at I, II, V1..V6, each (8, N) mV; their sum is the record.

    Samples are taken of the continuous waves at n / fs: the same patient at another rate has the same waves.
    """
    layers: dict[str, FloatArray] = {name: np.zeros((8, n)) for name in LAYERS}
    _place_p(layers["p"], heart, rhythm, fs)
    _place_ventricles(layers, heart, rhythm, ~rhythm.ectopic, fs)
    if ectopic is not None and rhythm.ectopic.any():
        _place_ventricles(layers, ectopic, rhythm, rhythm.ectopic, fs)
    return layers


def p_onsets(heart: Heart, qrs_for_s: FloatArray) -> FloatArray:
    """P onsets in seconds that belong to ventricular clock times (B,)."""
    return qrs_for_s - (heart.advance_ms + heart.pr_ms) / 1000


def _place_p(out: FloatArray, heart: Heart, rhythm: Rhythm, fs: float) -> None:
    onsets = np.concatenate([p_onsets(heart, rhythm.qrs_on_s[rhythm.has_p]), p_onsets(heart, rhythm.lone_p_for_s)])
    length = heart.p_ms / 1000
    _add(out, onsets, (0.0, length), fs, lambda x, b: np.tensordot(heart.atrial_field, heart.p.at(x / length), axes=1))


def _place_ventricles(layers: dict[str, FloatArray], heart: Heart, rhythm: Rhythm, which: BoolArray, fs: float) -> None:
    onsets = rhythm.qrs_on_s[which] - heart.advance_ms / 1000
    turn, size = rhythm.turn[which], rhythm.t_size[which]
    jt = heart.jt_s(rhythm.rr_s[which]) * rhythm.t_width[which]
    d = heart.qrs_ms / 1000

    def at_leads(dipole: FloatArray, b: NDArray[np.intp]) -> FloatArray:
        turned = np.matmul(turn[b], dipole.transpose(1, 0, 2))
        return np.matmul(heart.field, turned).transpose(1, 0, 2)

    def qrs(x: FloatArray, b: NDArray[np.intp]) -> FloatArray:
        return at_leads(heart.qrs.at(1000 * x), b) + heart.residual.at(x / d)

    _add(layers["qrs"], onsets, (0.0, d), fs, qrs)
    for name in ("st", "t", "tail"):
        bumps: Bumps = getattr(heart, name)
        first = float(bumps.start.min())
        # What begins after the J point begins soonest where JT is shortest, what begins before it where JT is longest.
        span = (d + first * (jt.min() if first > 0 else jt.max()), d + float(bumps.end.max()) * jt.max())
        scale = np.ones_like(size) if name == "st" else size

        def wave(x: FloatArray, b: NDArray[np.intp], bumps: Bumps = bumps, scale: FloatArray = scale) -> FloatArray:
            return at_leads(bumps.at((x - d) / jt[b][:, None]) * scale[b][:, None], b)

        _add(layers[name], onsets, span, fs, wave)


def _add(
    out: FloatArray,
    onsets: FloatArray,
    span: tuple[float, float],
    fs: float,
    wave: Callable[[FloatArray, NDArray[np.intp]], FloatArray],
) -> None:
    """Add ``wave(time after onset (B, W), beat index (B,))`` to ``out`` at each onset, inside ``span``."""
    n = out.shape[1]
    first = np.floor((onsets + span[0]) * fs).astype(int)
    width = int(np.ceil((span[1] - span[0]) * fs)) + 2
    seen = np.flatnonzero((first + width > 0) & (first < n))
    if not seen.size:
        return
    index = first[seen, None] + np.arange(width)
    values = wave(index / fs - onsets[seen, None], seen)
    for row, start in enumerate(first[seen]):
        low, high = max(start, 0), min(start + width, n)
        out[:, low:high] += values[:, row, low - start : high - start]


def r_delay_s(heart: Heart) -> float:
    """Seconds from QRS onset to the R peak: where the depolarisation dipole, seen over all leads, is largest."""
    x = np.arange(0.0, heart.qrs_ms, 0.25)
    at_leads = np.tensordot(heart.field, heart.qrs.at(x), axes=1)
    return float(x[int(np.square(at_leads).sum(axis=0).argmax())] / 1000)


def true_beats(
    heart: Heart, rhythm: Rhythm, duration_s: float, why_no_p: str = "", ectopic: Heart | None = None
) -> Beats:
    """Return the exact beats whose QRS lies inside the record; a P or T wave that the record cuts is not listed."""
    other = ectopic or heart

    def pick(usual: ArrayLike, early: ArrayLike) -> FloatArray:
        return np.asarray(np.where(rhythm.ectopic, early, usual))

    on = rhythm.qrs_on_s - pick(heart.advance_ms, other.advance_ms) / 1000
    off = on + pick(heart.qrs_ms, other.qrs_ms) / 1000
    jt = pick(heart.jt_s(rhythm.rr_s), other.jt_s(rhythm.rr_s)) * rhythm.t_width
    t_on, t_off = off + pick(heart.t_start, other.t_start) * jt, off + jt
    p_on = np.where(rhythm.has_p, p_onsets(heart, rhythm.qrs_on_s), np.nan)
    cut_p, cut_t = p_on < 0, t_off > duration_s
    p_on[cut_p] = np.nan
    t_on[cut_t] = t_off[cut_t] = np.nan
    inside = (on >= 0) & (off <= duration_s)
    why = np.where(rhythm.ectopic, "ectopic beat", np.where(rhythm.has_p, "", why_no_p))
    why = np.where(cut_p, "the record starts after its P onset", why)
    lone = p_onsets(heart, rhythm.lone_p_for_s)
    return Beats(
        r_s=(on + pick(r_delay_s(heart), r_delay_s(other)))[inside],
        p_on=p_on[inside],
        p_off=p_on[inside] + heart.p_ms / 1000,
        qrs_on=on[inside],
        qrs_off=off[inside],
        t_on=t_on[inside],
        t_off=t_off[inside],
        kind=tuple("premature_ventricular" if e else "normal" for e in rhythm.ectopic[inside]),
        duration_s=duration_s,
        leads=LEADS,
        why_no_p=tuple(str(w) for w in why[inside]),
        extra_p_s=(lone + heart.p_ms / 2000)[(lone >= 0) & (lone + heart.p_ms / 1000 <= duration_s)],
        method="simulated (exact)",
    )
