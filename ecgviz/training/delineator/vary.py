"""Crops of the examples, varied as recordings vary: leads, polarity, pace, bandwidth, noise.

Dimensions: L leads, T samples of a crop at the network's rate.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal as dsp

from ecgviz.beats.scaled import NETWORK_HZ, scaled
from ecgviz.signal import resample
from ecgviz.training.delineator.examples import IGNORED, Example
from ecgviz.types.arrays import FloatArray

CROP = 1024
"""Samples of a crop: 4.1 s."""
PACE = (0.80, 1.30)
"""A crop is played this much slower or faster."""
COARSE_HZ = 100.0
"""Some crops go through this rate and back, since many recordings come at it."""
ODDS = {"pace": 0.5, "flip": 0.3, "coarse": 0.25, "wander": 0.3, "hum": 0.2, "noise": 0.6, "dead": 0.15}
"""How often each variation is made."""


@dataclass(frozen=True)
class Crop:
    """``x`` (L, 2, T) is the network's input; the rest as in `Example`, ``p_places`` (n, 2) in samples of the crop."""

    x: FloatArray
    of_lead: np.ndarray
    whole: np.ndarray
    without_p: bool
    p_places: np.ndarray
    weight: float


def crop(example: Example, leads: np.ndarray, rng: np.random.Generator) -> Crop:
    """Cut a stretch out of an example at random, keep the given leads (row numbers), and vary it."""
    odds = {name: rng.random() < odd for name, odd in ODDS.items()}
    pace = rng.uniform(*PACE) if odds["pace"] else 1.0
    at = _places(example, pace, rng)
    near = np.round(at).astype(int)
    signal = np.stack([np.interp(at, np.arange(row.size), row) for row in example.signal[leads]])
    of_lead, whole = np.array(example.of_lead[leads][:, near]), example.whole[near]
    if odds["coarse"]:
        signal = resample(resample(signal, NETWORK_HZ, COARSE_HZ), COARSE_HZ, NETWORK_HZ)[:, :CROP]
    if odds["flip"]:
        signal = signal * rng.choice([-1.0, 1.0], size=(len(leads), 1))
    signal = signal + _disturbance(signal.shape, odds, rng)
    if odds["dead"] and len(leads) > 2:
        dead = rng.integers(len(leads))
        signal[dead] = rng.normal(scale=10.0 ** rng.uniform(-3, 0), size=CROP)
        of_lead[dead] = IGNORED
    places = np.searchsorted(at, example.p_places)
    places = places[(example.p_places[:, 0] >= at[0]) & (example.p_places[:, 1] <= at[-1])]
    return Crop(scaled(signal), of_lead, whole, example.without_p, places, example.weight)


def _places(example: Example, pace: float, rng: np.random.Generator) -> FloatArray:
    """Return where in the example (fractional samples) each sample of a crop lies; mostly where marks are."""
    n = example.signal.shape[1]
    length = min((CROP - 1) * pace, n - 1.0)
    known = np.flatnonzero(example.whole != IGNORED)
    low, high = 0.0, n - 1 - length
    if known.size:
        low, high = max(low, known[0] - 0.2 * length), min(high, known[-1] - 0.8 * length)
    start = rng.uniform(low, max(low, high)) if high > 0 else 0.0
    return np.minimum(start, n - 1 - length) + np.arange(CROP) * (length / (CROP - 1))


def _disturbance(shape: tuple[int, int], odds: dict[str, bool], rng: np.random.Generator) -> FloatArray:
    """Return what is added to the leads, mV: muscle-like noise, what is left of wander, mains hum."""
    added = np.zeros(shape)
    at_s = np.arange(shape[1]) / NETWORK_HZ
    if odds["noise"]:
        white = rng.normal(size=shape) * 10.0 ** rng.uniform(-2.6, -1.3)
        added += dsp.lfilter([1.0], [1.0, -rng.uniform(0.0, 0.8)], white, axis=1)
    if odds["wander"]:
        hertz, size = rng.uniform(0.15, 0.8), rng.uniform(0.0, 0.12, size=(shape[0], 1))
        added += size * np.sin(2 * np.pi * (hertz * at_s + rng.random((shape[0], 1))))
    if odds["hum"]:
        hertz, size = rng.choice([50.0, 60.0]), rng.uniform(0.0, 0.02, size=(shape[0], 1))
        added += size * np.sin(2 * np.pi * hertz * at_s)
    return added
