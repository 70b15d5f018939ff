"""Which leads can carry beats, and where the R peaks are."""

import warnings

import numpy as np
import scipy

from ecgviz.beats.complexes import steepness
from ecgviz.signal import resample
from ecgviz.types import Record
from ecgviz.types.arrays import BoolArray, FloatArray

FLAT_MV = 0.005
"""A lead whose 1st to 99th centile spans less than this carries nothing (5 uV is the step of common carts)."""
MISSING_FRACTION = 0.5
"""A lead with more missing samples than this is left out; shorter gaps are bridged by straight lines."""
SHORTEST_S = 2.0
"""Below this no three beats fit, and the high-pass filter of the cleaning has not settled."""
CONTRAST = 3.0
"""Steepness in the QRS complexes over the steepness between them: white noise gives 1.1 to 2, recordings 5 to 50."""
AS_STEEP = 0.45
"""A candidate has this share of the third steepest one's steepness, or is no QRS complex to be held against noise."""
WEAK_BEAT = 0.2
"""A peak whose steepness is below this share of the third quartile's is no QRS complex."""
T_WAVES = ((0.360, 0.45), (0.500, 0.36))
"""A peak up to so many seconds after another, with less than this share of its steepness, is that beat's T wave."""
CUT_OFF = (0.500, 0.45)
"""The same in the first half second against the usual steepness: the T wave of a beat that the recording cut off."""
SWING_S, SWING = 2.0, 1.5
"""A lead is held within so many times the median of its largest deflections in stretches of this length, each long
enough for a beat: a loose electrode's swing of 4 mV in one lead, put into 45 recordings of PTB-XL, hid or added a beat
in 35 of 90 places, and in 2 when held so; of 504 recordings as they are it moves a peak in five."""
BESIDE_S = 1.0
"""Peaks are looked for with this much of a level line before and after the signal."""
FINE_HZ = 250.0
"""Complexes are compared at this rate at least: at 100 Hz half a sample is a tenth of a narrow one."""


def usable_leads(record: Record) -> BoolArray:
    """Return True for leads with a signal: neither flat nor mostly missing, shape (L,)."""
    usable = np.zeros(len(record.leads), dtype=bool)
    for index, row in enumerate(record.signal):
        known = row[~np.isnan(row)]
        if known.size >= (1 - MISSING_FRACTION) * row.size and known.size:
            low, high = np.percentile(known, (1, 99))
            usable[index] = high - low >= FLAT_MV
    return usable


def bridged(signal: FloatArray) -> FloatArray:
    """Return ``signal`` (L, N) as float64 with gaps (NaN) bridged by straight lines, 0 where nothing is known."""
    whole = np.array(signal, dtype=np.float64)
    time = np.arange(whole.shape[1])
    for row in whole:
        missing = np.isnan(row)
        if missing.all():
            row[:] = 0.0
        elif missing.any():
            row[missing] = np.interp(time[missing], time[~missing], row[~missing])
    return whole


def cleaned(signal: FloatArray, fs: float) -> FloatArray:
    """Return each lead of ``signal`` (L, N) cleaned by neurokit2 (0.5 Hz high-pass, 50 Hz moving average)."""
    import neurokit2 as nk

    return np.stack([np.asarray(nk.ecg_clean(row, sampling_rate=fs, method="neurokit")) for row in signal])


def smoothed(signal: FloatArray, fs: float) -> FloatArray:
    """Return conditioned leads (L, N) under a moving average of one period of 50 Hz, as neurokit2's cleaning ends.

    What that cleaning begins with, a high-pass filter, conditioning has done already.
    """
    return np.asarray(scipy.ndimage.uniform_filter1d(signal, max(1, round(fs / 50)), axis=1))


def r_peaks(clean: FloatArray, fs: float) -> tuple[np.ndarray, str]:
    """Find R peaks on the root mean square of the leads.

    Parameters
    ----------
    clean : FloatArray of shape (L, N)
        Leads, mV, as `smoothed` or `cleaned` gives them.
    fs : float
        Hertz.

    Returns
    -------
    peaks : array of int, shape (B,)
        Sample of each peak; empty when there are no beats.
    reason : str
        Why there are none, or "".

    Notes
    -----
    neurokit2's own detector finds nine regular "beats" in white noise of 1 uV, so its peaks count only when the
    signal is much steeper at the peaks than between them. It looks for none in the first 0.3 s, so it is given a level
    second before the signal: of 141 recordings of PTB-XL at 500 Hz, 54 begin with such a beat.
    """
    clean = _without_swings(clean, fs)
    rms = np.sqrt(np.mean(clean**2, axis=0))
    try:
        peaks = _candidates(rms, fs)
    except (TypeError, ValueError, IndexError) as fault:
        return np.empty(0, dtype=int), f"the R-peak detector gave up ({fault})"
    if peaks.size < 3:
        return np.empty(0, dtype=int), f"only {peaks.size} R peaks were found, and a delineation needs 3"
    slope = steepness(clean, fs, 0.02)
    reach = max(1, round(0.06 * fs))
    at_peak = np.array([slope[max(0, p - reach) : p + reach + 1].max() for p in peaks])
    near = np.zeros(rms.size, dtype=bool)
    for p in peaks:
        near[max(0, p - 2 * reach) : p + 2 * reach + 1] = True
    between = np.median(slope[~near]) if (~near).any() else np.inf
    # In slow complete block most candidates are P waves: those that are far less steep than the steepest do not count.
    steep = at_peak[at_peak >= AS_STEEP * np.sort(at_peak)[-3]]
    contrast = float(np.median(steep) / between) if between > 0 else np.inf
    if contrast < CONTRAST:
        return np.empty(0, dtype=int), (
            f"no QRS complexes stand out: the signal is only {contrast:.1f} times as steep at the candidate peaks "
            f"as between them (at least {CONTRAST:.0f} is needed)"
        )
    peaks = peaks[_steep_enough(peaks, at_peak, fs)]
    if peaks.size < 3:
        return np.empty(0, dtype=int), f"only {peaks.size} R peaks were found, and a delineation needs 3"
    return peaks, ""


def _without_swings(clean: FloatArray, fs: float) -> FloatArray:
    """Return leads (L, N) held within what is usual for each; as they are where there are too few stretches to tell."""
    length = round(SWING_S * fs)
    n = clean.shape[1] // length
    if n < 3:
        return clean
    largest = np.abs(clean[:, : n * length]).reshape(len(clean), n, length).max(axis=2)
    limit = SWING * np.median(largest, axis=1, keepdims=True)
    return np.asarray(np.clip(clean, -limit, limit))


def _candidates(rms: FloatArray, fs: float) -> np.ndarray:
    """Return the samples (B,) at which neurokit2 sees R peaks in the root mean square of the leads (N,)."""
    import neurokit2 as nk

    room = round(BESIDE_S * fs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)
        found = nk.ecg_findpeaks(np.pad(rms, room, mode="edge"), sampling_rate=fs, method="neurokit")["ECG_R_Peaks"]
    peaks = np.unique(np.asarray(found, dtype=int)) - room
    return np.asarray(peaks[(peaks >= 0) & (peaks < rms.size)])


def _steep_enough(peaks: np.ndarray, at_peak: FloatArray, fs: float) -> BoolArray:
    """Return True for peaks as steep as a QRS complex, against all others and against the one before, shape (B,)."""
    usual = float(np.quantile(at_peak, 0.75))
    kept = at_peak >= np.where(peaks < CUT_OFF[0] * fs, CUT_OFF[1], WEAK_BEAT) * usual
    last, steep = -np.inf, usual
    for b in np.flatnonzero(kept).tolist():
        if any(peaks[b] - last < limit_s * fs and at_peak[b] < share * steep for limit_s, share in T_WAVES):
            kept[b] = False
        else:
            last, steep = peaks[b], at_peak[b]
    return np.asarray(kept)


def fine_grid(signal: FloatArray, fs: float) -> tuple[FloatArray, int]:
    """Return ``signal`` (L, N) at the smallest multiple of its rate from 250 Hz on, and that multiple."""
    factor = int(np.ceil(FINE_HZ / fs))
    return (signal if factor == 1 else resample(signal, fs, factor * fs)), factor
