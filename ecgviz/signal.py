"""Samples on their way out of a record: cleaned for reading (`condition`), or cut to what a network is fed (`prepare`)."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy import signal as dsp

from ecgviz.errors import InputError
from ecgviz.records.leads import complete_leads
from ecgviz.types import InputSpec, ModelInput, Record
from ecgviz.types.arrays import BoolArray, FloatArray

GAP_SHARE = 0.01
"""Up to this share of a lead's samples may be missing when a network is asked; they are bridged by straight lines."""

_HALF_LENGTH = 24
_KAISER_BETA = 6.0
_LARGEST_DRIFT_S = 0.001


def resample(signal: FloatArray, fs_from: float, fs_to: float) -> FloatArray:
    """Resample along the last axis with a zero-phase polyphase filter.

    Sample n of the result lies at ``n / fs_to`` seconds, as in the input; there are ``ceil(N * fs_to / fs_from)`` of them. A straight line
    through both ends is taken off before and put back after, so that an offset or drift leaves no step at the edges. The Kaiser
    window (beta 6, 24 samples of the slower rate to each side) keeps amplitudes within 1 % up to 0.9 of the lower Nyquist rate.

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
    taps = dsp.firwin(2 * _HALF_LENGTH * slow + 1, 1.0 / slow, window=("kaiser", _KAISER_BETA))
    result: FloatArray = dsp.resample_poly(
        signal, ratio.numerator, ratio.denominator, axis=-1, window=taps, padtype="line"
    )
    return result


def prepare(record: Record, spec: InputSpec, r_s: FloatArray | None = None, start_s: float = 0.0) -> ModelInput:
    """Cut a record to what a network is fed: its leads, rate, window and scale. Nothing is filtered.

    Leads that follow from others are derived; gaps of up to 1 % of a lead are bridged by straight lines; the window starts at the
    sample of the network's grid next to ``start_s``. A shorter record is padded with the value 0 after standardisation, and
    masked, when ``spec.pads``.

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
    start = round(start_s * spec.fs)
    bridged = _bridged(record.select(spec.leads))
    resampled = resample(bridged, record.fs, spec.fs)
    if start < 0 or start >= resampled.shape[1]:
        raise InputError(f"{record.id}: a window from {start_s:g} s lies outside its {record.duration_s:g} s")
    window = resampled[:, start : start + spec.n_samples]
    short = spec.n_samples - window.shape[1]
    if short > 0 and not spec.pads:
        raise InputError(
            f"{record.id}: from {start_s:g} s on it has {window.shape[1] / spec.fs:g} s, the network needs {spec.duration_s:g} s"
        )
    start_s = start / spec.fs
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


def _bridged(record: Record) -> FloatArray:
    """Return the samples with gaps bridged; more than `GAP_SHARE` of a lead missing is refused."""
    gaps = np.isnan(record.signal)
    shares = gaps.mean(axis=1)
    worst = int(shares.argmax())
    if shares[worst] > GAP_SHARE:
        raise InputError(
            f"{record.id}: {100 * shares[worst]:.1f} % of lead {record.leads[worst]} is missing (limit {100 * GAP_SHARE:g} %)"
        )
    return _without_gaps(record.signal, gaps)


def _without_gaps(signal: FloatArray, gaps: BoolArray) -> FloatArray:
    """Bridge missing samples by straight lines, and carry the nearest sample to the edges; a lead without samples becomes 0."""
    filled = np.where(gaps, 0.0, signal.astype(np.float64))
    for row, gap in zip(filled, gaps, strict=True):
        if gap.any() and not gap.all():
            row[gap] = np.interp(np.flatnonzero(gap), np.flatnonzero(~gap), row[~gap])
    return filled


def condition(record: Record) -> Record:
    """Clean a record for beats, measures and display; a network is never fed this."""
    gaps = np.isnan(record.signal)
    signal = _without_gaps(record.signal, gaps)
    signal = signal - np.median(signal, axis=1, keepdims=True)
    signal[gaps] = np.nan
    return replace(record, signal=signal)
