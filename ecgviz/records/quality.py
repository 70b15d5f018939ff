"""A verdict on each lead, with its reasons: gaps, flat stretches, saturation, noise, offset, contradiction of others.

The limits are this project's own. On the 434 recordings of the first 500 of PTB-XL at 100 Hz (5208 leads, all with some
noise) they call 0.3 % of leads doubtful and none unusable; white noise is called unusable at every rate.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
import scipy

from ecgviz.records.leads import IN_TERMS_OF_I_AND_II, LIMB
from ecgviz.types import LeadQuality, Record
from ecgviz.types.arrays import BoolArray, FloatArray

GAP_UNUSABLE = 0.10
"""A lead that misses more than this share of its samples is unusable; one that misses any is doubtful."""

FLAT_MV, FLAT_S = 0.005, 1.0
PAUSE = "a pause that is measured there may be an interruption of the recording"
SATURATED_S, SATURATED_SAMPLES = 0.050, 5
"""A lead that rests on its own highest or lowest value for this long (and so many samples) was cut off there."""

NOISE_DOUBTFUL, NOISE_UNUSABLE = 0.05, 0.09
"""Robust amplitude of 20-45 Hz between the QRS complexes, as a share of the span; white noise has 0.11 to 0.18."""

OFFSET_MV = 0.15
"""A lead whose mean and median both lie further from 0 than this, on one side, is offset as a whole.

Networks are fed leads as they were recorded, and those here learnt from PTB-XL, whose leads have a mean of 0.00 mV
(0.02 at most, in 5208 leads). An offset of 0.15 mV in all leads moves logits by 0.2 to 1.3 on average, by network, and
has no more labels called; 0.3 mV makes `ecg_mamba` and `res_lstm` call three times as many. The median alone is up to
0.35 mV where the QRS complexes or T waves of a lead are large, and so is the mean where a simulated baseline lies at 0.
Called are none of those 5208 leads, none of 840 of LUDB, and both leads of record 100 of the MIT-BIH database.
"""

CONTRADICTION_SHARE, CONTRADICTION_MV = 0.05, 0.1
"""Disagreement with the other limb leads: root mean square as a share of theirs, or at any one sample."""


def assess(record: Record) -> tuple[LeadQuality, ...]:
    """Return a verdict for each lead, in the record's order.

    "unusable": more than 10 % missing, flat from end to end, or noise without a visible ECG. "doubtful": any missing
    sample, a flat second, saturation, much noise, an offset of the whole lead, or a limb lead that contradicts the
    others (III = II - I and so on; at fault is the smallest set of leads without which the rest agrees).
    """
    rows = np.asarray(record.signal, dtype=np.float64)
    contradicting = contradictions(record.leads, rows)
    flat = np.stack([_flat(row, record.fs) for row in rows])
    at_once = bool((flat.any(axis=0) & (flat | np.isnan(rows)).all(axis=0)).any())
    verdicts = []
    for lead, row, still in zip(record.leads, rows, flat, strict=True):
        grave, slight = _faults(row, record.fs, still, at_once=at_once)
        slight += contradicting.get(lead, ())
        verdict = "unusable" if grave else "doubtful" if slight else "good"
        verdicts.append(LeadQuality(lead=lead, verdict=verdict, reasons=(*grave, *slight)))
    return tuple(verdicts)


def reliance(quality: Sequence[LeadQuality]) -> str:
    """Return in words what the leads that are not good mean for a network's scores, "" where all are good.

    Where more than half of the leads are unusable, nothing that a network says of the recording can be relied on.
    """
    unusable = sum(each.verdict == "unusable" for each in quality)
    if 2 * unusable > len(quality):
        return (
            f"No score of this recording can be relied on: {unusable} of its {len(quality)} leads hold no ECG that can "
            "be read. Past scores were counted on recordings that do."
        )
    if all(each.verdict == "good" for each in quality):
        return ""
    return "The network was fed these leads as they are: read its scores with care."


NO_BEAT_S = 0.1
"""What a recording is longer than a network reads by less than this holds no beat of its own."""


def assumed(record: Record, fed_hz: float, read_s: float) -> tuple[str, ...]:
    """Return what was assumed of a recording and how a network read it: at ``fed_hz``, its first ``read_s`` seconds."""
    return (*record.assumptions, *as_read(record, fed_hz, read_s))


def as_read(record: Record, fed_hz: float, read_s: float) -> tuple[str, ...]:
    """Return how a network read a recording where that is not as it was recorded: its rate, a part of it, padding."""
    told = (upsampled(record, fed_hz), unread(record, read_s), padded(record, read_s))
    return tuple(filter(None, told))


def unread(record: Record, read_s: float) -> str:
    """Return that a network read only the first ``read_s`` seconds of a longer recording; "" where it read all."""
    if record.duration_s < read_s + NO_BEAT_S:
        return ""
    whole_s = round(record.duration_s, 1)
    return (
        f"the network reads the first {read_s:g} s of these {whole_s:g} s, and what it says, and where it looked, is "
        "of those alone; measurements and criteria are of all beats"
    )


def padded(record: Record, read_s: float) -> str:
    """Return that a recording is shorter than the ``read_s`` seconds that a network reads; "" where it is not."""
    if record.duration_s > read_s - NO_BEAT_S:
        return ""
    return (
        f"the network reads {read_s:g} s, of which this recording fills {record.duration_s:.1f} s: the rest is padding "
        "(past scores were counted on recordings without any)"
    )


def upsampled(record: Record, fed_hz: float) -> str:
    """Return that a recording is coarser than the rate ``fed_hz`` of a network, and what that means; "" where not."""
    if record.fs >= fed_hz:
        return ""
    return (
        f"upsampled from {record.fs:g} Hz to the {fed_hz:g} Hz that the network is fed: above {record.fs / 2:g} Hz it "
        "holds nothing, which is not so of recordings at that rate"
    )


def _faults(row: FloatArray, fs: float, flat: BoolArray, *, at_once: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what makes one lead unusable, and what makes it doubtful; ``at_once`` where all are flat together."""
    gaps = np.isnan(row)
    if gaps.all():
        return ("no sample of it was recorded",), ()
    grave: list[str] = []
    slight: list[str] = []
    if gaps.any():
        said = f"{100 * gaps.mean():.1f} % of its samples are missing"
        (grave if gaps.mean() > GAP_UNUSABLE else slight).append(said)
        row = np.interp(np.arange(row.size), np.flatnonzero(~gaps), row[~gaps])
    if np.ptp(row) < FLAT_MV:
        return (*grave, f"flat from end to end (moves less than {1000 * FLAT_MV:.0f} uV)"), tuple(slight)
    if longest := _longest_run(flat):
        flat_s = longest / fs
        said = f"flat for {flat_s:.1f} s (moves less than {1000 * FLAT_MV:.0f} uV)"
        slight.append(f"{said}, and so are all leads at once: {PAUSE}" if at_once else said)
    offset = _offset_mv(row)
    if abs(offset) > OFFSET_MV:
        slight.append(f"lies {offset:+.2f} mV off 0 as a whole; the networks here learnt from leads that lie around 0")
    held = max(_longest_run(_inner(row == row.max())), _longest_run(_inner(row == row.min())))
    if held >= max(SATURATED_S * fs, SATURATED_SAMPLES):
        slight.append(f"saturated: rests on its extreme value for {1000 * held / fs:.0f} ms")
    noise = _noise_share(row, fs)
    if noise > NOISE_UNUSABLE:
        grave.append(f"noise of {100 * noise:.0f} % of its span hides the ECG")
    elif noise > NOISE_DOUBTFUL:
        slight.append(f"noise of {100 * noise:.0f} % of its span")
    return tuple(grave), tuple(slight)


def _longest_run(mask: BoolArray) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _inner(mask: BoolArray) -> BoolArray:
    """Return the mask without runs that touch either end: some recorders hold the first or last sample there."""
    inner = mask.copy()
    away = np.flatnonzero(~mask)
    inner[: away[0]] = False
    inner[away[-1] :] = False
    return inner


def _offset_mv(row: FloatArray) -> float:
    """Return how far a lead lies from 0 as a whole: the smaller of mean and median, 0 where their signs differ."""
    mean, median = float(row.mean()), float(np.median(row))
    return min(mean, median, key=abs) if mean * median > 0 else 0.0


def _flat(row: FloatArray, fs: float) -> BoolArray:
    """Return where a lead lies in a stretch of `FLAT_S` or more that moves less than `FLAT_MV` and has no gap."""
    width = round(FLAT_S * fs)
    if row.size < width:
        return np.zeros(row.size, dtype=bool)
    gaps = np.isnan(row)
    highest = scipy.ndimage.maximum_filter1d(np.where(gaps, np.inf, row), width)
    lowest = scipy.ndimage.minimum_filter1d(np.where(gaps, -np.inf, row), width)
    centres = np.flatnonzero(highest - lowest < FLAT_MV)
    starts = centres[(centres >= width // 2) & (centres <= row.size - width + width // 2)] - width // 2
    steps = np.zeros(row.size + 1, dtype=int)
    steps[starts] += 1
    steps[starts + width] -= 1
    return np.asarray(steps.cumsum()[:-1] > 0)


def _noise_share(row: FloatArray, fs: float) -> float:
    """Return robust noise amplitude over span; NaN-free input, 0 where the record is too short or too slow to tell."""
    edge = round(0.5 * fs)
    top = min(45.0, 0.45 * fs)
    if top < 25 or row.size < 4 * edge:
        return 0.0
    fast = scipy.signal.sosfiltfilt(_band(20.0, top, fs), row)[edge:-edge]
    seen = scipy.signal.sosfiltfilt(_band(0.7, min(40.0, 0.4 * fs), fs), row)[edge:-edge]
    span = float(np.quantile(seen, 0.995) - np.quantile(seen, 0.005))
    return 1.4826 * float(np.median(np.abs(fast))) / span if span > FLAT_MV else 0.0


@lru_cache(maxsize=32)
def _band(low_hz: float, high_hz: float, fs: float) -> FloatArray:
    """Return a band-pass in sections; its design takes longer than filtering a lead with it."""
    sections: FloatArray = scipy.signal.butter(2, [low_hz, high_hz], "bandpass", fs=fs, output="sos")
    return sections


def contradictions(
    leads: Sequence[str],
    rows: FloatArray,
    *,
    share: float = CONTRADICTION_SHARE,
    at_one_sample_mv: float = CONTRADICTION_MV,
) -> dict[str, tuple[str, ...]]:
    """Return for each limb lead at fault by how much it contradicts the others; needs three limb leads.

    ``rows`` are samples of ``leads``, in mV. Limb leads agree where their disagreement is at most ``share`` of them,
    root mean square, and so much at any one sample.
    """
    limb = [n for n, lead in enumerate(leads) if lead in LIMB]
    if len(limb) < 3:
        return {}
    leads = [leads[n] for n in limb]
    rows = rows[limb].astype(np.float64)
    rows = rows[:, ~np.isnan(rows).any(axis=0)]
    if rows.shape[1] < 2:
        return {}
    rows -= rows.mean(axis=1, keepdims=True)
    weights = np.array([IN_TERMS_OF_I_AND_II[lead] for lead in leads])
    for n_left_out in range(len(leads) - 2):
        for left_out in combinations(range(len(leads)), n_left_out):
            kept = [n for n in range(len(leads)) if n not in left_out]
            first_two = np.linalg.pinv(weights[kept]) @ rows[kept]
            if _fits(rows[kept] - weights[kept] @ first_two, rows[kept], share, at_one_sample_mv):
                away = rows - weights @ first_two
                away = np.abs(away - np.median(away, axis=1, keepdims=True)).max(axis=1)
                return {leads[n]: (_contradiction(f"{away[n]:.2f} mV"),) for n in left_out}
    return dict.fromkeys(leads, ("the limb leads contradict one another: which are wrong cannot be told",))


def _contradiction(by: str) -> str:
    """Return the sentence for a lead that is not what the other limb leads make it."""
    return f"contradicts the other limb leads by up to {by} (mislabelled, reversed or damaged)"


def _fits(residual: FloatArray, rows: FloatArray, share: float, at_one_sample_mv: float) -> bool:
    """Return whether what is left over is small beside the leads."""
    size = float(np.sqrt(np.mean(rows**2)))
    largest = float(np.abs(residual).max())
    return largest <= at_one_sample_mv and float(np.sqrt(np.mean(residual**2))) <= share * size
