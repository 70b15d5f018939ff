"""What kind of beat each is: of the dominant rhythm, ectopic, or not to be told."""

import numpy as np

from ecgviz.types.arrays import BoolArray, FloatArray

EARLY = 0.88
"""A beat is early when its RR interval is below this share of the median of the RR intervals around it."""
CUT_BEFORE_S, CUT_AFTER_S = 0.300, 0.400
"""A beat with less than this before and after its R peak is cut by an end of the recording."""
WIDER_S = 0.030
"""A beat of another shape that is this much wider than the dominant ones is ectopic even when it is not early."""


def early(r_s: FloatArray) -> BoolArray:
    """Return True for beats that come early against the median of up to 9 RR intervals around them, shape (B,)."""
    rr = np.diff(r_s)
    result = np.zeros(r_s.size, dtype=bool)
    for b in range(1, r_s.size):
        result[b] = rr[b - 1] < EARLY * np.median(rr[max(0, b - 5) : b + 4])
    return result


def beat_kinds(
    r_s: FloatArray, alike: BoolArray, width_s: FloatArray, t_off: FloatArray, duration_s: float
) -> tuple[str, ...]:
    """Name the kind of each beat.

    Ectopic: not shaped like the dominant beats (``alike`` (B,) is False), and early or at least 30 ms wider than they.
    Unsure: of another shape but neither, or cut by an end of the recording (less than 0.3 s before the R peak, or the
    T wave of an average beat would not fit after it). Paced beats are not told apart.
    """
    widths = width_s[alike & np.isfinite(width_s)]
    usual_width = float(np.median(widths)) if widths.size else float("nan")
    tails = (t_off - r_s)[alike & np.isfinite(t_off)]
    tail = float(np.median(tails)) if tails.size else CUT_AFTER_S
    kinds = []
    for b, soon in enumerate(early(r_s)):
        if not alike[b]:
            kinds.append("premature_ventricular" if soon or width_s[b] > usual_width + WIDER_S else "unsure")
        elif r_s[b] < CUT_BEFORE_S or r_s[b] + tail > duration_s:
            kinds.append("unsure")
        else:
            kinds.append("normal")
    return tuple(kinds)
