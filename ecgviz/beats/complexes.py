"""QRS complexes over all leads: where each begins and ends, how alike they are, and which of them are ectopic."""

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray

SLOPE_FRACTION = 0.08
"""The QRS complex ends where the steepness over leads stays below this share of its greatest value."""
NOISE_FACTOR = 2.5
"""... or below this multiple of the steepness of the quiet fifth of the second around the beat, if that is more."""
QUIET_S = 0.020
"""How long it must stay below."""
REACH_S = 0.250
"""No bound is looked for further than this from the R peak; beyond it the bound is NaN."""
BODY_S = (-0.080, 0.120)
"""Stretch around the R peak in which complexes are compared."""
SHIFT_S = 0.040
"""Complexes are compared at their best alignment within this shift."""
ALIKE = 0.85
"""Correlation over all leads above which two complexes have one shape."""
EARLY = 0.88
"""A beat is early when its RR interval is below this share of the median of the RR intervals around it."""
CUT_BEFORE_S, CUT_AFTER_S = 0.300, 0.400
"""A beat with less than this before and after its R peak is cut by an end of the recording."""
WIDER_S = 0.030
"""A beat of another shape that is this much wider than the dominant ones is ectopic even when it is not early."""


def qrs_bounds(slope: FloatArray, peaks: np.ndarray, fs: float) -> tuple[FloatArray, FloatArray]:
    """Return onset and offset of each QRS complex in seconds, shape (B,) each, NaN where none was found.

    ``slope`` (N,) is the root mean square slope over leads. The bound is where it first stays below its threshold for
    20 ms, seen from the R peak, placed between samples by linear interpolation.
    """
    bounds = np.full((2, peaks.size), np.nan)
    near, around = round(0.08 * fs), round(0.5 * fs)
    for b, peak in enumerate(peaks):
        top = slope[max(0, peak - near) : peak + near + 1].max()
        floor = np.quantile(slope[max(0, peak - around) : peak + around], 0.2)
        threshold = max(SLOPE_FRACTION * top, NOISE_FACTOR * floor)
        bounds[0, b] = peak - _quiet_after(slope[: peak + 1][::-1], threshold, fs)
        bounds[1, b] = peak + _quiet_after(slope[peak:], threshold, fs)
    return bounds[0] / fs, bounds[1] / fs


def _quiet_after(slope: FloatArray, threshold: float, fs: float) -> float:
    """Return the (fractional) sample from which ``slope`` stays below ``threshold`` for 20 ms; NaN within no reach."""
    run = max(2, round(QUIET_S * fs))
    below = slope[: round(REACH_S * fs) + run] < threshold
    quiet = np.flatnonzero(np.convolve(below, np.ones(run, dtype=int), mode="valid") == run)
    if quiet.size == 0:
        return float("nan")
    first = int(quiet[0])
    if first == 0:
        return 0.0
    before, after = slope[first - 1], slope[first]
    return first - 1 + float((before - threshold) / (before - after))


def windows(signal: FloatArray, centres: np.ndarray, before: int, after: int) -> tuple[FloatArray, BoolArray]:
    """Cut ``signal`` (L, N) around samples ``centres``: (B, L, before + after), and which windows lie inside, (B,)."""
    inside = (centres - before >= 0) & (centres + after <= signal.shape[1])
    steps = np.arange(-before, after)
    index = np.clip(centres[:, None] + steps, 0, signal.shape[1] - 1)
    return np.moveaxis(signal[:, index], 0, 1), inside


def alignment(signal: FloatArray, peaks: np.ndarray, template: FloatArray, fs: float) -> tuple[np.ndarray, FloatArray]:
    """Return for each beat the shift in samples at which it looks most like ``template`` (L, W), and that correlation."""
    before, after = body_samples(fs)
    shifts = np.arange(-round(SHIFT_S * fs), round(SHIFT_S * fs) + 1)
    scores = np.stack([_likeness(windows(signal, peaks + s, before, after)[0], template) for s in shifts])
    best = scores.argmax(axis=0)
    return shifts[best], scores[best, np.arange(peaks.size)]


def body_samples(fs: float) -> tuple[int, int]:
    """Return the samples before and after the R peak that belong to `BODY_S`."""
    return round(-BODY_S[0] * fs), round(BODY_S[1] * fs)


def _likeness(cut: FloatArray, template: FloatArray) -> FloatArray:
    """Return the correlation of each window (B, L, W) with ``template`` (L, W) over leads and time, shape (B,)."""
    mine = (cut - cut.mean(axis=2, keepdims=True)).reshape(cut.shape[0], -1)
    theirs = (template - template.mean(axis=1, keepdims=True)).ravel()
    norm = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs)
    return np.asarray(np.divide(mine @ theirs, norm, out=np.zeros(len(mine)), where=norm > 0))


def dominant_template(signal: FloatArray, peaks: np.ndarray, fs: float) -> FloatArray:
    """Return the median complex (L, W) of the largest family of beats that look alike.

    The beat that most others resemble founds the family, so that in bigeminy, or with a run of ectopic beats, the median is
    not taken over two shapes. Founders are sought among at most 200 beats, spread evenly over a long recording.
    """
    cut, _ = windows(signal, peaks, *body_samples(fs))
    some = np.unique(np.linspace(0, peaks.size - 1, min(peaks.size, 200)).round().astype(int))
    flat = (cut[some] - cut[some].mean(axis=2, keepdims=True)).reshape(some.size, -1)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = np.divide(flat, norm, out=np.zeros_like(flat), where=norm > 0)
    likeness = flat @ flat.T
    founder = int((likeness > ALIKE).sum(axis=1).argmax())
    return np.asarray(np.median(cut[some][likeness[founder] > ALIKE], axis=0))


def early(r_s: FloatArray) -> BoolArray:
    """Return True for beats that come early against the median of the (up to 9) RR intervals around them, shape (B,)."""
    rr = np.diff(r_s)
    result = np.zeros(r_s.size, dtype=bool)
    for b in range(1, r_s.size):
        near = rr[max(0, b - 5) : b + 4]
        result[b] = rr[b - 1] < EARLY * np.median(near)
    return result


def beat_kinds(
    r_s: FloatArray, likeness: FloatArray, width_s: FloatArray, t_off: FloatArray, duration_s: float
) -> tuple[str, ...]:
    """Name the kind of each beat.

    Ectopic: not shaped like the dominant beats (``likeness`` (B,) to their median below 0.85), and early or at least 30 ms
    wider than they. Unsure: of another shape but neither, or cut by an end of the recording (less than 0.3 s before the
    R peak, or the T wave of an average beat would not fit after it). Paced beats are not told apart.
    """
    alike = likeness > ALIKE
    usual_width = np.nanmedian(width_s[alike]) if np.isfinite(width_s[alike]).any() else np.nan
    tails = (t_off - r_s)[alike & np.isfinite(t_off)]
    tail = float(np.median(tails)) if tails.size else CUT_AFTER_S
    kinds = []
    for b, soon in enumerate(early(r_s)):
        if not alike[b]:
            kinds.append("ectopic" if soon or width_s[b] > usual_width + WIDER_S else "unsure")
        elif r_s[b] < CUT_BEFORE_S or r_s[b] + tail > duration_s:
            kinds.append("unsure")
        else:
            kinds.append("normal")
    return tuple(kinds)
