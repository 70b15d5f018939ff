"""Samples on their way out of a record: cleaned to be read (`condition`), or cut to a network's input (`prepare`)."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import scipy

from ecgviz.errors import InputError
from ecgviz.records.leads import complete_leads
from ecgviz.types import InputSpec, ModelInput, Record
from ecgviz.types.arrays import BoolArray, FloatArray

GAP_SHARE = 0.01
"""Up to this share of a lead's samples may be missing when a network is asked; they are bridged by straight lines."""

LOW_PASS_HZ = 150.0
"""Upper end of the band that adult ECGs are read in (AHA/ACC/HRS 2007)."""

MAINS_HZ = (50.0, 60.0)
MAINS_Q = 30.0

BLOCK_S, KNOTS_S, START_S, MIRRORED_S, ROUNDS = 0.020, 0.625, 1.0, 0.5, 10
QUIET_MV, LEAST_WEIGHT = 0.005, 1e-3
"""Residuals below the first always count as baseline; the second keeps the spline determined where nothing does."""

_HALF_LENGTH = 24
_KAISER_BETA = 6.0
_LARGEST_DRIFT_S = 0.001


def resample(signal: FloatArray, fs_from: float, fs_to: float) -> FloatArray:
    """Resample along the last axis with a zero-phase polyphase filter.

    Sample n of the result lies at ``n / fs_to`` seconds, as in the input; there are ``ceil(N * fs_to / fs_from)`` of
    them. A straight line through both ends is taken off before and put back after, so that an offset or drift leaves no
    step at the edges. The Kaiser window (beta 6, 24 samples of the slower rate to each side) keeps amplitudes within
    0.1 % up to 0.8 of the lower Nyquist rate.

    Parameters
    ----------
    signal : FloatArray of shape (..., N)
        No missing samples.
    fs_from, fs_to : float
        Rates in hertz.

    Returns
    -------
    FloatArray of shape (..., M), float64.

    Raises
    ------
    InputError
        For missing samples, a rate that is not positive, or two rates whose ratio is no fraction of small numbers.
    """
    signal = np.asarray(signal, dtype=np.float64)
    if not (fs_from > 0 and fs_to > 0):
        raise InputError(f"cannot resample from {fs_from} Hz to {fs_to} Hz: rates are positive")
    if not np.isfinite(signal).all():
        raise InputError("cannot resample a signal with missing samples: bridge its gaps first")
    if fs_from == fs_to:
        return signal.copy()
    ratio = Fraction(fs_to / fs_from).limit_denominator(2000)
    duration_s = signal.shape[-1] / fs_from
    if ratio == 0 or abs(float(ratio) * fs_from / fs_to - 1) * duration_s > _LARGEST_DRIFT_S:
        raise InputError(f"cannot resample {fs_from} Hz to {fs_to} Hz: the rates have no simple ratio")
    slow = max(ratio.numerator, ratio.denominator)
    taps = scipy.signal.firwin(2 * _HALF_LENGTH * slow + 1, 1.0 / slow, window=("kaiser", _KAISER_BETA))
    result: FloatArray = scipy.signal.resample_poly(
        signal, ratio.numerator, ratio.denominator, axis=-1, window=taps, padtype="line"
    )
    return result


def prepare(record: Record, spec: InputSpec, r_s: FloatArray | None = None, start_s: float = 0.0) -> ModelInput:
    """Cut a record to what a network is fed: its leads, rate, window and scale. Nothing is filtered.

    Leads that follow from others are derived; gaps of up to 1 % of a lead's samples in the window are bridged by
    straight lines; the window starts at the sample of the network's grid next to ``start_s``. When ``spec.pads``, a
    shorter record is padded with 0 after standardisation, and masked.

    Raises
    ------
    InputError
        Naming what is missing: leads, samples, length, R peaks, age or sex.
    """
    record = complete_leads(record)
    missing = [lead for lead in spec.leads if lead not in record.leads]
    if missing:
        raise InputError(
            f"{record.id}: the network needs lead {', '.join(missing)}, which this record neither has nor determines "
            f"(it has {', '.join(record.leads)})"
        )
    if "r_peaks" in spec.needs and r_s is None:
        raise InputError(f"{record.id}: the network needs R peaks, and none were found")
    if "age_sex" in spec.needs and (record.age_years is None or record.sex is None):
        raise InputError(f"{record.id}: the network needs age and sex; enter them")
    if not math.isfinite(start_s):
        raise InputError(f"{record.id}: a window cannot start at {start_s} s")
    start = round(start_s * spec.fs)
    read = record.select(spec.leads)
    resampled = resample(_without_gaps(read.signal, np.isnan(read.signal)), record.fs, spec.fs)
    if start < 0 or start >= resampled.shape[1]:
        raise InputError(f"{record.id}: a window from {start_s:g} s lies outside its {record.duration_s:g} s")
    window = resampled[:, start : start + spec.n_samples]
    short = spec.n_samples - window.shape[1]
    if short > 0 and not spec.pads:
        raise InputError(
            f"{record.id}: from {start_s:g} s on there are {window.shape[1] / spec.fs:g} s, "
            f"the network needs {spec.duration_s:g} s"
        )
    start_s = start / spec.fs
    _refuse_gaps(read, start_s, start_s + spec.duration_s)
    inside = None if r_s is None else r_s[(r_s >= start_s) & (r_s < start_s + spec.duration_s)] - start_s
    return ModelInput(
        x=np.pad((window - spec.mean_mv) / spec.std_mv, ((0, 0), (0, max(short, 0)))),
        fs=spec.fs,
        start_s=start_s,
        leads=spec.leads,
        mask=np.arange(spec.n_samples) < window.shape[1],
        r_s=inside,
        age_years=record.age_years,
        sex=record.sex,
    )


def _refuse_gaps(record: Record, start_s: float, end_s: float) -> None:
    """Refuse a record of which more than `GAP_SHARE` of a lead's samples are missing between two times."""
    window = slice(math.floor(start_s * record.fs), math.ceil(end_s * record.fs))
    shares = np.isnan(record.signal[:, window]).mean(axis=1)
    worst = int(shares.argmax())
    if shares[worst] > GAP_SHARE:
        whole = window.start == 0 and window.stop >= record.signal.shape[1]
        where = "" if whole else f" between {start_s:g} s and {min(end_s, record.duration_s):g} s"
        raise InputError(
            f"{record.id}: {100 * shares[worst]:.1f} % of lead {record.leads[worst]} is missing{where} "
            f"(limit {100 * GAP_SHARE:g} %)"
        )


def _without_gaps(signal: FloatArray, gaps: BoolArray) -> FloatArray:
    """Bridge gaps by straight lines, and carry the nearest sample to the edges; a lead without samples becomes 0."""
    filled = np.where(gaps, 0.0, signal.astype(np.float64))
    for row, gap in zip(filled, gaps, strict=True):
        if gap.any() and not gap.all():
            row[gap] = np.interp(np.flatnonzero(gap), np.flatnonzero(~gap), row[~gap])
    return filled


def condition(record: Record) -> Record:
    """Clean a record for beats, measures and display; a network is never fed this.

    Three steps, all without phase shift: the baseline is taken off, content above 150 Hz is damped (where the rate
    allows), and a mains line of 50 or 60 Hz is notched out in the leads that have one. Missing samples stay missing.

    The baseline is a cubic spline with knots every 0.625 s, fitted so that samples far from it (P, QRS, ST, T) hardly
    count (Tukey's biweight, 10 rounds, started from a running median of 1 s). It follows wander up to 0.4 Hz. A
    high-pass filter would take a part of every ST shift with it (AHA/ACC/HRS 2007, 10.1161/CIRCULATIONAHA.106.180200,
    on low-frequency filtering); what is measured from the level at QRS onset survives here within 0.01 mV in the
    median beat, for ST shifts up to 0.8 mV and 50 to 140 beats a minute.
    """
    gaps = np.isnan(record.signal)
    signal = _without_gaps(record.signal, gaps)
    signal = signal - _baseline(signal, gaps, record.fs)
    if record.fs / 2 > 1.2 * LOW_PASS_HZ and signal.shape[1] > record.fs / 4:
        sections = scipy.signal.butter(2, LOW_PASS_HZ, fs=record.fs, output="sos")
        signal = scipy.signal.sosfiltfilt(sections, signal, axis=-1)
    for mains_hz in MAINS_HZ:
        found = _hums(signal, record.fs, mains_hz)
        if found.any():
            notch = scipy.signal.iirnotch(mains_hz, MAINS_Q, fs=record.fs)
            signal[found] = scipy.signal.filtfilt(*notch, signal[found], axis=-1)
    signal[gaps] = np.nan
    return replace(record, signal=signal)


def _baseline(signal: FloatArray, gaps: BoolArray, fs: float) -> FloatArray:
    """Return the baseline of each lead, shape (L, N): a robust least-squares spline through medians of 20 ms."""
    n_leads, n = signal.shape
    step = max(1, round(BLOCK_S * fs))
    n_blocks = n // step
    if n_blocks < 8:
        return np.broadcast_to(np.median(signal, axis=1, keepdims=True), signal.shape)
    shape = (n_leads, n_blocks, step)
    blocks = np.median(signal[:, : n_blocks * step].reshape(shape), axis=2)
    blocks = _levelled(blocks, gaps[:, : n_blocks * step].reshape(shape).mean(axis=2) > 0.5)
    # Mirrored ends keep a QRS that the record begins or ends in from pulling the free end of the spline.
    mirrored = min(round(MIRRORED_S / BLOCK_S), n_blocks - 1)
    blocks = np.pad(blocks, ((0, 0), (mirrored, mirrored)), mode="reflect")
    at_s = ((np.arange(blocks.shape[1]) - mirrored + 0.5) * step - 0.5) / fs
    inner = np.linspace(at_s[0], at_s[-1], max(2, round((at_s[-1] - at_s[0]) / KNOTS_S) + 1))
    knots = np.concatenate([[inner[0]] * 3, inner, [inner[-1]] * 3])
    design = scipy.interpolate.BSpline.design_matrix(at_s, knots, 3).tocsr()
    width = round(START_S / BLOCK_S) | 1
    # Lead by lead: SciPy's filter of one dimension takes a tenth of the time.
    fitted = np.stack([scipy.ndimage.median_filter(lead, width, mode="nearest") for lead in blocks])
    for _ in range(ROUNDS):
        weights = _near(blocks - fitted)
        coefficients = _weighted_fit(design.data.reshape(-1, 4), design.indices[::4], weights, blocks)
        fitted = (design @ coefficients.T).T
    baseline: FloatArray = scipy.interpolate.BSpline(knots, coefficients, 3, axis=1)(np.arange(n) / fs)
    return baseline


def _levelled(blocks: FloatArray, missing: BoolArray) -> FloatArray:
    """Return blocks (L, M) with gaps longer than half the knots' distance bridged between the levels beside them.

    A line from the last sample, which may lie on an R wave, would pull the spline along; across a shorter gap it bends
    it no more than this does. A level is the median of what was recorded within the knots' distance of the gap.
    """
    width = round(KNOTS_S / BLOCK_S)
    levelled = blocks.copy()
    for row, lead, gap in zip(levelled, blocks, missing, strict=True):
        gaps = np.flatnonzero(np.diff(gap, prepend=False, append=False)).reshape(-1, 2)
        for first, end in gaps[gaps[:, 1] - gaps[:, 0] > width / 2]:
            sides = (slice(max(first - width, 0), first), slice(end, end + width))
            levels = [np.median(lead[side][~gap[side]]) for side in sides if not gap[side].all()]
            if levels:
                row[first:end] = np.linspace(levels[0], levels[-1], end - first)
    return levelled


def _weighted_fit(basis: FloatArray, first: np.ndarray, weights: FloatArray, values: FloatArray) -> FloatArray:
    """Return the coefficients (L, J) of the weighted least-squares cubic spline through values (L, M).

    ``basis`` (M, 4) holds the splines that are not zero at each place, ``first`` (M,) the index of the first of them.
    The normal equations have seven diagonals; places between the same knots, which lie together, are summed at once.
    """
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    j = first[starts]
    banded = np.zeros((len(values), 4, int(first[-1]) + 4))
    right = np.zeros((len(values), int(first[-1]) + 4))
    weighted = weights * values
    for a in range(4):
        right[:, j + a] += np.add.reduceat(weighted * basis[:, a], starts, axis=1)
        of_a = weights * basis[:, a]
        for b in range(a, 4):
            banded[:, 3 - (b - a), j + b] += np.add.reduceat(of_a * basis[:, b], starts, axis=1)
    # Side by side the leads are one system without a coupling between them: what would couple them is zero.
    together = scipy.linalg.solveh_banded(np.concatenate(banded, axis=1), right.ravel())
    return together.reshape(right.shape)


def _near(away: FloatArray) -> FloatArray:
    """Return Tukey's biweights of residuals (L, M), cut off at twice their lead's robust scale."""
    scale = np.maximum(1.4826 * np.median(np.abs(away), axis=1, keepdims=True), QUIET_MV)
    weights: FloatArray = (1 - np.clip(away / (2 * scale), -1, 1) ** 2) ** 2 + LEAST_WEIGHT
    return weights


def _hums(signal: FloatArray, fs: float, mains_hz: float) -> BoolArray:
    """Return which leads carry a mains line, shape (L,): a peak above 10 uV, and ten times its surroundings."""
    if fs / 2 < mains_hz + 8 or signal.shape[1] < 2 * fs:
        return np.zeros(signal.shape[0], dtype=bool)
    window = scipy.signal.windows.hann(signal.shape[1], sym=False)
    peak_mv = np.abs(np.fft.rfft(signal * window, axis=-1)) * 2 / window.sum()
    hz = np.fft.rfftfreq(signal.shape[1], 1 / fs)
    line = peak_mv[:, np.abs(hz - mains_hz) <= 0.5].max(axis=1)
    around = peak_mv[:, (np.abs(hz - mains_hz) >= 2) & (np.abs(hz - mains_hz) <= 7)]
    found: BoolArray = (line > 0.010) & (line > 10 * np.median(around, axis=1))
    return found
