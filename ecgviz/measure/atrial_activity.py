"""What the atria do between the heart beats: frequency, regularity and size of fibrillatory or flutter waves."""

from fractions import Fraction

import numpy as np
import scipy

from ecgviz.beats.peaks import bridged
from ecgviz.measure.median_beat import over_beats
from ecgviz.measure.rhythm import p_fraction, rr_statistics
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.beats import touching

LEADS = ("V1", "II")
"""f waves are largest in V1; II is read where V1 has no signal."""
BAND_HZ = (3.0, 9.0)
"""Where the frequency is looked for: fibrillatory waves 4 to 9 Hz, flutter waves 4 to 6 Hz, slowed ones from 3 Hz."""
WHOLE_HZ = (2.0, 20.0)
NEAR = (0.82, 1.17)
"""Regularity is the share of the power in the first that lies within these multiples of the frequency."""
SLOW_HZ = 50.0
"""The residual is analysed at about this rate."""
SEGMENT_S = 4.0
STEP_HZ = 0.05
BEFORE_S, BEFORE_RR = 0.30, 0.35
"""A beat is taken off from so long before its R peak on, or this share of the usual RR, to as long before the next."""
BLANK_S = 0.020
"""QRS, and this much beside it, is bridged by a straight line: what beats differ in is largest there."""
FEWEST_BEATS = 3
GAIN = (0.7, 1.3)
"""By how much the median beat may be scaled to fit one beat's QRS; breathing changes it by a tenth."""
SMALLEST_MV = 0.03
"""In simulated sinus rhythm 0.01 to 0.025 mV are left, in fibrillation 0.08 to 0.18 mV."""
LEAST_REGULARITY = 0.30
"""Noise has 0.13 to 0.39, which the size tells apart; simulated fibrillation 0.55 to 0.78, LUDB's 0.30 to 0.56."""
EVEN_S = 0.010
"""An RR standard deviation up to this is a twentieth of the cycle of flutter: its waves stay in step with the beats."""
TWO_TO_ONE_BPM = 120.0
"""Half of 240 a minute, the slowest flutter."""
HALF = 0.5
NAMES = ("f_rate_hz", "f_regularity", "f_mv")


def atrial_activity(record: Record, beats: Beats, usable: BoolArray) -> tuple[dict[str, float], dict[str, str]]:
    """Return frequency, regularity and size of what is left in V1 (or II) after the heart beats, and reasons for NaN.

    Each kind of beat's median is taken off its beats, fitted to the size of each QRS (average beat subtraction: Slocum
    et al., J Electrocardiol 1985;18:181), and what is left of QRS is bridged. ``f_rate_hz`` is the highest peak from 3
    to 9 Hz of the residual's spectrum; ``f_regularity`` the share of the power from 2 to 20 Hz that lies within 0.82 to
    1.17 of that frequency (spectral concentration, Castells et al., Med Biol Eng Comput 2005;43:557; departure: theirs
    is of all power); ``f_mv`` the peak-to-peak size of a sine of the residual's power from 3 to 9 Hz.

    On 20 simulated records with fibrillation the frequency is right to 0.1 Hz, on true marks. Of 70 recordings of LUDB
    it is given for the 7 with fibrillation or flutter and for no other; one of these, at 3.05 Hz, is the band's edge.

    P waves keep their distance to QRS and go with it. Where nothing of 0.03 mV with a peak of its own is left, there
    is no atrial activity apart from P waves whose frequency could be measured; ``f_mv`` is the size of what is left all
    the same, unless atrial waves may have gone with the beats (`in_step`).
    """
    lead = next((lead for lead in LEADS if lead in record.leads and usable[record.leads.index(lead)]), None)
    nothing = dict.fromkeys(NAMES, float("nan"))
    if lead is None:
        return nothing, dict.fromkeys(NAMES, "neither V1 nor II has a signal")
    known = np.isfinite(beats.qrs_on) & np.isfinite(beats.qrs_off)
    if known.sum() < FEWEST_BEATS:
        why = beats.reason or f"only {int(known.sum())} beats (at least {FEWEST_BEATS} are needed to take QRST off)"
        return nothing, dict.fromkeys(NAMES, why)
    row = bridged(record.signal[[record.leads.index(lead)]])[0]
    found = describe(without_beats(row, record.fs, beats), record.fs)
    if found["f_mv"] < SMALLEST_MV:
        hidden = in_step(beats)
        if hidden:
            taken = "atrial waves in step with the beats may be taken off with them"
            return nothing, dict.fromkeys(NAMES, taken) | {"f_mv": hidden}
        why = f"nothing of {SMALLEST_MV} mV is left between 3 and 9 Hz in {lead} when the heart beats are taken off"
        return nothing | {"f_mv": found["f_mv"]}, dict.fromkeys(NAMES[:2], why)
    if found["f_regularity"] < LEAST_REGULARITY:
        why = f"what is left in {lead} when the heart beats are taken off has no frequency of its own"
        return found | {"f_rate_hz": float("nan")}, {"f_rate_hz": why}
    return found, {}


def in_step(beats: Beats) -> str:
    """Return why atrial waves, if there are any, are taken off with the beats; "" where they would be left.

    Waves of flutter that are conducted in a fixed ratio lie at the same places of every beat. It may be so where RR
    intervals are even to `EVEN_S` and the rate is that of 2 to 1 conduction, or most beats have no P wave. Of the five
    recordings with flutter among 141 of PTB-XL three are so, and five others: three paced ones, one with long PR and
    one with left bundle branch block at 115 bpm. Not told: 3 to 1 and 4 to 1, where waves of flutter pass for P waves.
    """
    values, _ = rr_statistics(beats)
    if not values["rr_sd_ms"] <= 1000 * EVEN_S:
        return ""
    if values["rate_bpm"] >= TWO_TO_ONE_BPM:
        sign = f"at {values['rate_bpm']:.0f} bpm, as in flutter with 2 to 1 conduction"
    elif p_fraction(beats) < HALF:
        sign = "and most beats have no P wave"
    else:
        return ""
    return (
        f"RR intervals are even (SD {values['rr_sd_ms']:.0f} ms) {sign}: atrial waves in step with the beats would "
        "have been taken off with them"
    )


def without_beats(row: FloatArray, fs: float, beats: Beats) -> FloatArray:
    """Return one lead (N,) from the first whole beat to the last, less the median beat of each kind, QRS bridged."""
    peaks = np.round(beats.r_s * fs).astype(int)
    rr = beats.rr_s[np.isfinite(beats.rr_s)]
    usual = float(np.median(rr if rr.size else np.diff(beats.r_s))) * fs
    before = round(min(BEFORE_S * fs, BEFORE_RR * usual))
    starts = peaks - before
    ends = np.append(starts[1:], min(row.size, starts[-1] + round(usual)))
    rest, left = row.astype(float), np.ones(len(beats), dtype=bool)
    for kind in set(beats.kind):
        own = np.array([b for b in range(len(beats)) if beats.kind[b] == kind and starts[b] >= 0], dtype=int)
        if own.size >= 2:
            left[own] = False
            _take_off(rest, row, [(starts[b], ends[b]) for b in own], before, fs)
    at_s = np.arange(row.size) / fs
    edges = np.stack([beats.qrs_on - BLANK_S, beats.qrs_off + BLANK_S], axis=1)
    edges = edges[np.isfinite(edges).all(axis=1)].ravel()
    blank = np.searchsorted(edges, at_s, side="right") % 2 == 1
    for start, end in _unknown_s(beats, starts / fs, ends / fs, left):
        blank |= (at_s >= start) & (at_s < end)
    rest[blank] = np.interp(at_s[blank], at_s[~blank], rest[~blank])
    return rest[max(starts[0], 0) : ends[-1]]


def _unknown_s(beats: Beats, starts_s: FloatArray, ends_s: FloatArray, left: BoolArray) -> FloatArray:
    """Return the gaps (G, 2), and beats (B,) ``left`` in because a gap cuts them and no other is like them."""
    cut = left & touching(starts_s, ends_s, beats.gaps_s)
    return np.concatenate([beats.gaps_s, np.stack([starts_s, ends_s], axis=1)[cut]])


def _take_off(rest: FloatArray, row: FloatArray, spans: list[tuple[int, int]], before: int, fs: float) -> None:
    """Subtract the median over ``spans`` from each of them in ``rest``, as long as half of them reach."""
    lengths = np.array([end - start for start, end in spans])
    reach = int(np.median(lengths))
    stack = np.full((len(spans), reach), np.nan)
    for k, (start, end) in enumerate(spans):
        part = row[start : min(end, start + reach)]
        stack[k, : part.size] = part
    template = over_beats(stack[:, None])[0]
    fit = slice(max(before - round(0.06 * fs), 0), before + round(0.06 * fs))
    centred = template[fit] - template[fit].mean()
    for start, end in spans:
        part = row[start + fit.start : start + fit.stop]
        gain = float(part @ centred / (centred @ centred)) if part.size == centred.size and centred.any() else 1.0
        length = min(end - start, reach)
        rest[start : start + length] -= np.clip(gain, *GAIN) * template[:length]


def describe(rest: FloatArray, fs: float) -> dict[str, float]:
    """Return frequency, regularity and size of a residual (N,) mV: see `atrial_activity`."""
    ratio = Fraction(SLOW_HZ / fs).limit_denominator(100)
    slow = scipy.signal.resample_poly(rest - rest.mean(), ratio.numerator, ratio.denominator, padtype="line")
    slow_hz = fs * ratio.numerator / ratio.denominator
    segment = min(slow.size, round(SEGMENT_S * slow_hz))
    hz, power = scipy.signal.welch(slow, slow_hz, nperseg=segment, nfft=round(slow_hz / STEP_HZ))
    inside = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    whole = (hz >= WHOLE_HZ[0]) & (hz <= WHOLE_HZ[1])
    top = float(hz[inside][power[inside].argmax()])
    near = whole & (hz >= NEAR[0] * top) & (hz <= NEAR[1] * top)
    mean_square = float(power[inside].sum() * (hz[1] - hz[0]))
    return {
        "f_rate_hz": top,
        "f_regularity": float(power[near].sum() / power[whole].sum()) if power[whole].any() else float("nan"),
        "f_mv": 2 * float(np.sqrt(2 * mean_square)),
    }
