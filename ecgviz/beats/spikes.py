"""Pacing spikes: impulses of some milliseconds that stand alone, just ahead of the complex that they start."""

import numpy as np
import scipy

from ecgviz.types.arrays import BoolArray, FloatArray

LOWEST_HZ = 400.0
"""Below this rate a spike of 2 ms is smeared into its surroundings."""
ABOVE_HZ = 70.0
PLACE_S = (0.060, 0.030)
"""A spike lies from so long before the QRS onset to so long after it."""
MOST = 0.5
"""Spikes are believed where at least this share of the beats has one: single ones are steep onsets."""
OVER_NOISE = 60.0
"""How far it stands above the usual fast content (in quiet recordings QRS onsets reach 26 and more) ..."""
ALONE_S = (0.012, 0.024)
OVER_NEIGHBOURS = 2.5
"""... or above what lies so long to both sides, when it also is `FEWEST_OVER_NOISE` times the usual."""
FEWEST_OVER_NOISE = 10.0
LEAST_MV = 0.06
"""Fast content of a spike (root mean square over leads): of the paced recordings it has 0.22 and more, without pacing
the usual QRS onset reaches 0.044. In a recording without noise every onset stands high above the usual."""
LARGE_MV = 0.12
"""So much, and `FEWEST_OVER_NOISE` times the usual, is a spike whatever the noise: 10 uV of noise hid those of PTB-XL
00498, which stand 0.228 mV high."""
SMEARED_S = 0.010
"""Conditioning (150 Hz) leaves a spike this wide to either side."""


def spikes(signal: FloatArray, fs: float, qrs_on_s: FloatArray) -> FloatArray:
    """Return the time of the pacing spike that starts each beat in seconds, (B,), NaN for none.

    ``signal`` (L, N) is in mV and conditioned, ``qrs_on_s`` (B,) where QRS seems to begin. None below 400 Hz.

    The thresholds were set on the paced recordings at hand (five of PTB-XL, one of LUDB) against 205 others at 500 Hz:
    all six are found, none of the others. Pacing of a minority of beats is not seen.
    """
    times = np.full(qrs_on_s.size, np.nan)
    if fs < LOWEST_HZ:
        return times
    sections = scipy.signal.butter(2, ABOVE_HZ, btype="high", fs=fs, output="sos")
    fast = np.sqrt(np.mean(scipy.signal.sosfiltfilt(sections, signal, axis=1) ** 2, axis=0))
    usual = float(np.median(fast))
    gap, far = (round(s * fs) for s in ALONE_S)
    padded = np.pad(fast, far, mode="edge")
    for b, on in enumerate(qrs_on_s):
        first, stop = max(round((on - PLACE_S[0]) * fs), 0), round((on + PLACE_S[1]) * fs)
        if not usual > 0 or stop - first < 3:
            continue
        at = first + int(fast[first:stop].argmax())
        beside = max(padded[at : at + far - gap].max(), padded[at + far + gap : at + 2 * far].max())
        alone = fast[at] > OVER_NEIGHBOURS * beside and fast[at] > FEWEST_OVER_NOISE * usual
        large = fast[at] > LARGE_MV and fast[at] > FEWEST_OVER_NOISE * usual
        if fast[at] > LEAST_MV and (alone or large or fast[at] > OVER_NOISE * usual):
            times[b] = at / fs
    return times if np.isfinite(times).mean() >= MOST else np.full(times.size, np.nan)


def without_spikes(signal: FloatArray, fs: float, spikes_s: FloatArray) -> FloatArray:
    """Return leads (L, N) with each spike bridged by a straight line: it is no part of the QRS complex it starts."""
    bridged = np.array(signal)
    reach = round(SMEARED_S * fs)
    for at in np.round(spikes_s[np.isfinite(spikes_s)] * fs).astype(int):
        first, last = max(at - reach, 0), min(at + reach, signal.shape[1] - 1)
        share = np.linspace(0.0, 1.0, last - first + 1)
        bridged[:, first : last + 1] = signal[:, [first]] * (1 - share) + signal[:, [last]] * share
    return bridged


def started_by(spikes_s: FloatArray, qrs_on_s: FloatArray) -> BoolArray:
    """Return True for beats (B,) whose QRS onset follows one of the spikes (n,) closely."""
    known = spikes_s[np.isfinite(spikes_s)]
    after_s = qrs_on_s[:, None] - known
    return np.asarray(((after_s > -PLACE_S[1]) & (after_s < PLACE_S[0])).any(axis=1))
