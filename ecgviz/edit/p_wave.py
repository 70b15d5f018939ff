"""P waves taken out or put in."""

from dataclasses import replace

import numpy as np

from ecgviz.beats.peaks import bridged
from ecgviz.edit.relay import Edited, bodies, edited_record
from ecgviz.edit.waves import scale_wave, wave_above_line, wave_spans
from ecgviz.errors import EditError
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import simulate
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray

USUAL_PR_S = 0.160
HEALTHY_SEED = 1
"""Of the simulated adult whose P wave is inserted where a recording has none."""
SIMULATED_HZ = (100.0, 1000.0)


def remove_p(record: Record, beats: Beats) -> Edited:
    """Take the P wave of every beat out of every lead, with the noise that lay on it kept.

    `scale_wave` says from where to where. P waves without a QRS complex (`Beats.extra_p_s`) stay, because where they
    begin and end is not marked; the sentence counts them.

    In 108 of 115 recordings, of PTB-XL and simulated, `ecgviz.beats.delineate` finds no P wave afterwards; in the
    others it takes what is left, noise of some 20 uV, for one.

    Raises
    ------
    EditError
        When no beat has a P wave.
    """
    if not np.isfinite(beats.p_on).any():
        raise EditError(f"no beat of {record.id} has a P wave to remove")
    flat = scale_wave(record, beats, "P", record.leads, 0.0)
    n_had = int(np.isfinite(beats.p_on).sum())
    n_stay = beats.extra_p_s.size
    stay = f"; {n_stay} without a QRS complex {'stays' if n_stay == 1 else 'stay'}" if n_stay else ""
    sentence = f"P waves removed in {n_had} of {len(beats)} beats{stay}"
    return edited_record(record, flat.record.signal, flat.beats, "no_p", sentence)


def insert_p(record: Record, beats: Beats, *, pr_ms: float | None = None) -> Edited:
    """Add a P wave before every QRS complex that has none and is not ectopic, where there is room after the T wave.

    The P wave is the mean of the recording's own; where it has none, that of a simulated healthy adult. It is added
    to what is there, so fibrillatory waves stay.

    Parameters
    ----------
    record, beats
    pr_ms : float or None
        From its onset to QRS onset; by default the recording's median, or 160 ms.

    Raises
    ------
    EditError
        When every beat that is not ectopic has a P wave, when none that lacks one has room for it, for a PR
        interval shorter than the P wave, or for leads of which the simulated P wave is not known.
    """
    lacking = np.flatnonzero(beats.p_absent & ~beats.ectopic)
    if not lacking.size:
        why = beats.reason or "every beat that is not ectopic has one already"
        raise EditError(f"{record.id} has no place for a P wave: {why}")
    wave, origin = _template(record, beats)
    width = wave.shape[1]
    has = np.isfinite(beats.p_on)
    usual_s = float(np.median((beats.qrs_on - beats.p_on)[has])) if has.any() else USUAL_PR_S
    pr_s = usual_s if pr_ms is None else pr_ms / 1000
    qrs = np.floor(beats.qrs_on * record.fs).astype(int)
    if round(pr_s * record.fs) < width:
        raise EditError(
            f"a PR interval of {1000 * pr_s:g} ms is shorter than the P wave ({1000 * width / record.fs:g} ms)"
        )
    signal = record.signal.astype(np.float64)
    on, off, reasons = beats.p_on.copy(), beats.p_off.copy(), list(beats.why_no_p or ("",) * len(beats))
    ends = [0, *bodies(record, beats)[1][:-1]]
    for b in lacking:
        start = qrs[b] - round(pr_s * record.fs)
        if start > ends[b] or (b == 0 and start == 0):
            signal[:, start : start + width] += wave
            on[b], off[b], reasons[b] = start / record.fs, (start + width - 1) / record.fs, ""
    placed = int(np.isfinite(on).sum() - has.sum())
    if not placed:
        raise EditError(f"no beat of {record.id} has room for a P wave {1000 * pr_s:g} ms before its QRS complex")
    largest = int(np.abs(wave).max(axis=1).argmax())
    sentence = (
        f"P wave of {origin} ({np.abs(wave[largest]).max():.2f} mV in {record.leads[largest]}, "
        f"PR {1000 * pr_s:.0f} ms) inserted in {placed} of {lacking.size} beats without one"
    )
    with_p = replace(beats, p_on=on, p_off=off, why_no_p=tuple(reasons))
    return edited_record(record, signal, with_p, "with_p", sentence)


def _template(record: Record, beats: Beats) -> tuple[FloatArray, str]:
    """Return a P wave (L, K) mV, 0 at both ends, and whose it is."""
    spans = wave_spans(record, beats, "P")
    if spans:
        width = int(np.median([last - first for _, first, last in spans]))
        whole = bridged(record.signal)
        alone = [first for b, first, _ in spans if first + width < beats.qrs_on[b] * record.fs]
        waves = [wave_above_line(whole, record.fs, first, first + width, True) for first in alone]
        return np.asarray(np.mean(waves, axis=0)), "the recording"
    strange = [lead for lead in record.leads if lead not in STANDARD_LEADS]
    if strange or not SIMULATED_HZ[0] <= record.fs <= SIMULATED_HZ[1]:
        what = f"lead {strange[0]}" if strange else f"{record.fs:g} Hz"
        raise EditError(f"{record.id} has no P wave of its own, and none is simulated for {what}")
    healthy = simulate("normal", seed=HEALTHY_SEED, fs=record.fs, duration_s=3.0, heart_rate_bpm=60.0, noise=0.0)
    clean, true = healthy.clean.select(record.leads), healthy.truth.beats
    _, first, last = wave_spans(clean, true, "P")[0]
    return wave_above_line(bridged(clean.signal), record.fs, first, last, False), "a simulated healthy adult"
