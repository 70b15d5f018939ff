"""How the delineating network is fed: its rate, and two scales that make amplitude and units of no matter."""

import numpy as np

from ecgviz.beats.peaks import bridged
from ecgviz.signal import resample
from ecgviz.types.arrays import FloatArray

NETWORK_HZ = 250.0
LARGEST = 12.0
"""Scaled samples are cut off here: pacing spikes and artefacts would drown the rest."""


def at_network_rate(signal: FloatArray, fs: float) -> FloatArray:
    """Return leads (L, N) at the network's rate, (L, T) float32: gaps bridged, each lead's median taken off."""
    whole = resample(bridged(signal), fs, NETWORK_HZ)
    return np.asarray(whole - np.median(whole, axis=1, keepdims=True), dtype=np.float32)


def scaled(signal: FloatArray) -> FloatArray:
    """Return the network's input (L, 2, T) for leads (L, T): each over its own scale, and over that of all leads.

    A scale is the root mean square. The first shows the waves of a small lead as large as those of others; the second
    tells the network that it is small.
    """
    own = np.sqrt(np.mean(np.square(signal), axis=1, keepdims=True))
    common = float(np.sqrt(np.mean(np.square(own))))
    by_own = np.divide(signal, own, out=np.zeros_like(signal), where=own > 0)
    by_common = signal / common if common > 0 else np.zeros_like(signal)
    return np.clip(np.stack([by_own, by_common], axis=1), -LARGEST, LARGEST).astype(np.float32)
