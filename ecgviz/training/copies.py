"""Altered copies of real records, measured: what trees that read measurements can teach a network on.

Two kinds. A *turned* copy is the same heart in another chest: turned about, scaled, noisy; what a reader stated of the
record holds for it too. An *edited* copy has waves, intervals or a rate that the record does not have (`ecgviz.edit`);
what the reader stated may hold no more, and only its measurements tell what it shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ecgviz.beats import delineate
from ecgviz.criteria.vocabulary import MEASURES
from ecgviz.edit import change_rate, remove_p, scale_wave, shift_pr, shift_st, widen_qrs
from ecgviz.edit.relay import Edited
from ecgviz.errors import EditError
from ecgviz.measure import measure
from ecgviz.records.leads import CHEST, LIMB, STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.training.augment import turned
from ecgviz.training.data import Examples, parallel
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray

TURN_RAD, STRETCH, GAIN, LEAD_GAIN, NOISE_MV = 0.18, 0.12, 0.2, 0.08, 0.015
"""How any copy differs: heart turned about and stretched along each axis (standard deviations), all amplitudes and
those of each lead scaled (1 +- so much), noise added (standard deviation at most)."""
MOST_EDITS = 3
"""An edited copy has one to so many edits, each of any kind; one that the record has no room for is left out."""
LOG_FACTOR, LARGEST_FACTOR, INVERTED_T = 0.45, 4.0, 0.3
"""Waves are multiplied by exp of a normal number of this deviation, up to the second; so many T waves are inverted."""
ST_MV, LARGEST_ST_MV = 0.12, 0.5
WIDER = (0.8, 1.7)
LATER_MS = (-40.0, 120.0)
FASTER = (0.75, 1.35)


@dataclass(frozen=True, eq=False)
class Copies:
    """Altered copies of real records: ``x`` (n, L, T) mV, ``measured`` (n, F) NaN where not measurable.

    ``of`` (n,) is the number of the record that each is a copy of, ``r_s`` (n, K) are its R peaks; ``altered`` (n,) is
    False for the record itself, ``edited`` (n,) True where what was stated of the record may not hold.
    """

    x: FloatArray
    measured: FloatArray
    r_s: FloatArray
    of: np.ndarray
    altered: BoolArray
    edited: BoolArray


def copies_of(
    real: Examples,
    n: int,
    *,
    fs: float,
    seed: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> Copies:
    """Return each real record and ``n`` altered copies of it, every second one edited; measured on their own beats.

    Equal arguments give equal copies, whatever ``n_jobs``.
    """
    progress(f"measuring {len(real)} real records and {n} altered copies of each")
    rows = parallel(n_jobs, _copied, [(real.x[i], real.r_s[i], n, fs, seed, i) for i in range(len(real))])
    xs, measured, r_s = (np.concatenate(each) for each in zip(*rows, strict=True))
    kind = np.tile(np.arange(n + 1), len(real))
    return Copies(xs, measured, r_s, np.repeat(np.arange(len(real)), n + 1), kind > 0, _is_edited(kind))


def _is_edited(kind: np.ndarray) -> BoolArray:
    """Tell which copies are edited, of their numbers: 0 is the record itself, of the others each second one."""
    edited: BoolArray = (kind > 0) & (kind % 2 == 0)
    return edited


def _copied(
    x: FloatArray, r_s: FloatArray, n: int, fs: float, seed: int, i: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, i]).generate_state(1)[0]))
    rng = np.random.default_rng([seed, i])
    record = condition(Record(x, fs, STANDARD_LEADS, id="copy"))
    beats = delineate(record)
    signals, own_beats, peaks = [x], [beats], [r_s]
    for edited in _is_edited(np.arange(1, n + 1)):
        made, its_beats = _edited(record, beats, rng) if edited else (x, beats)
        signals.append(_turned(torch.from_numpy(made), generator).numpy())
        own_beats.append(its_beats)
        peaks.append(_padded(its_beats.r_s, r_s) if edited else r_s)
    measured = [_measured(signal, fs, its_beats) for signal, its_beats in zip(signals, own_beats, strict=True)]
    return np.stack(signals), np.stack(measured), np.stack(peaks)


def _turned(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the same heart (L, T) in another chest."""

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    def even(*shape: int) -> torch.Tensor:
        return 2 * torch.rand(*shape, generator=generator) - 1

    copy = turned(x[None], TURN_RAD * normal(1, 3), 1 + STRETCH * normal(1, 3))[0]
    copy = copy * (1 + GAIN * even(1, 1)) * (1 + LEAD_GAIN * even(x.shape[0], 1))
    return copy + NOISE_MV * even(1, 1).abs() * normal(*copy.shape)


def _edited(record: Record, beats: Beats, rng: np.random.Generator) -> tuple[FloatArray, Beats]:
    """Return the samples (L, T) mV of a record with some edits, and its beats."""
    for _ in range(rng.integers(1, MOST_EDITS + 1)):
        edit = _EDITS[int(rng.integers(len(_EDITS)))]
        try:
            made = edit(record, beats, rng)
        except EditError:
            continue
        record, beats = made.record, made.beats
    return np.nan_to_num(record.signal).astype(np.float32), beats


def _some_leads(rng: np.random.Generator) -> Sequence[str]:
    first = int(rng.integers(len(CHEST) - 1))
    row = CHEST[first : int(rng.integers(first + 1, len(CHEST) + 1))]
    groups = (STANDARD_LEADS, LIMB, CHEST, row, ("II", "III", "aVF"), ("I", "aVL"))
    return groups[int(rng.integers(len(groups)))]


def _scaled(wave: str, record: Record, beats: Beats, rng: np.random.Generator) -> Edited:
    factor = min(float(np.exp(rng.normal(0, LOG_FACTOR))), LARGEST_FACTOR)
    if wave == "T" and rng.random() < INVERTED_T:
        factor = -factor
    return scale_wave(record, beats, wave, _some_leads(rng), factor)


def _st(record: Record, beats: Beats, rng: np.random.Generator) -> Edited:
    mv = float(np.clip(rng.normal(0, ST_MV), -LARGEST_ST_MV, LARGEST_ST_MV))
    return shift_st(record, beats, mv, _some_leads(rng))


def _rate(record: Record, beats: Beats, rng: np.random.Generator) -> Edited:
    if len(beats) < 2:
        raise EditError("one beat has no rate")
    return change_rate(record, beats, float(60 / np.median(np.diff(beats.r_s)) * rng.uniform(*FASTER)))


_EDITS: Sequence[Callable[[Record, Beats, np.random.Generator], Edited]] = (
    lambda record, beats, rng: _scaled("P", record, beats, rng),
    lambda record, beats, rng: _scaled("QRS", record, beats, rng),
    lambda record, beats, rng: _scaled("T", record, beats, rng),
    _st,
    lambda record, beats, rng: widen_qrs(record, beats, float(rng.uniform(*WIDER))),
    lambda record, beats, rng: shift_pr(record, beats, float(rng.uniform(*LATER_MS))),
    _rate,
    lambda record, beats, rng: remove_p(record, beats),
)


def _padded(r_s: FloatArray, like: FloatArray) -> FloatArray:
    """Return R peaks in as many places as the network is given, NaN after the last."""
    peaks = np.full(like.shape, np.nan, dtype=like.dtype)
    kept = r_s[: len(peaks)]
    peaks[: len(kept)] = kept
    return peaks


def _measured(x: FloatArray, fs: float, beats: Beats) -> FloatArray:
    found = measure(condition(Record(x, fs, STANDARD_LEADS, id="copy")), beats)
    values = []
    for name, each in MEASURES.items():
        leads = STANDARD_LEADS if each.per_lead else (None,)
        values += [found.value(name, lead) for lead in leads]
    return np.array(values, dtype=np.float32)
