"""What electrodes and recorder add: baseline wander, muscle, amplifier noise, and the recorder's step.

Nine electrodes (RA, LA, LL, V1..V6) are noisy, not leads: correlated noise and exact limb-lead identities come out
of it. Levels were measured between T and P waves of 257 PTB-XL records (Wagner et al., 2020, CC BY 4.0).
"""

import numpy as np

from ecgviz.types.arrays import FloatArray

STEP_MV = 0.005
"""The recorders behind PTB-XL resolve 5 uV, whatever their file header says."""
MUSCLE = np.array([0.42, 1.0, 0.45, 0.12, 0.10, 0.10, 0.10, 0.10, 0.10])
"""Muscle noise of RA, LA, LL, V1..V6: most of it comes from the left arm."""


def electrode_noise(rng: np.random.Generator, n: int, fs: float, breath_rate: float) -> FloatArray:
    """Return noise at I, II, V1..V6, shape (8, N) mV: wander and breathing, muscle, amplifier."""
    wander_size = 0.037 * np.exp(np.clip(0.55 * rng.standard_normal(), -1.2, 1.2))
    muscle_size = np.exp(np.clip(0.5 * rng.standard_normal(), -1.0, 1.1))
    electrodes = _wander(rng, n, fs, breath_rate) * wander_size
    electrodes += _muscle(rng, n, fs) * muscle_size * MUSCLE[:, None]
    electrodes += 0.0045 * _shaped(rng, 9, n, fs, 1.0, 25.0, 1.2)
    electrodes += 0.0008 * rng.standard_normal((9, n)) * np.sqrt(min(fs, 300.0) / 300.0)
    central = electrodes[:3].mean(axis=0)
    limb = np.stack([electrodes[1] - electrodes[0], electrodes[2] - electrodes[0]])
    return np.concatenate([limb, electrodes[3:] - central])


def _shaped(
    rng: np.random.Generator, rows: int, n: int, fs: float, low: float, high: float, exponent: float
) -> FloatArray:
    """Return noise of standard deviation 1 with power ~ f^-exponent between ``low`` and ``high`` hertz."""
    f = np.fft.rfftfreq(n, 1 / fs)
    power = np.zeros_like(f)
    band = (f >= low) & (f <= high)
    power[band] = f[band] ** -exponent
    draws = rng.standard_normal((rows, 2, f.size))
    if not band.any():
        return np.zeros((rows, n))
    spectrum = (draws[:, 0] + 1j * draws[:, 1]) * np.sqrt(power / power.sum()) * n / 2
    return np.asarray(np.fft.irfft(spectrum, n))


def _wander(rng: np.random.Generator, n: int, fs: float, breath_rate: float) -> FloatArray:
    padded = n + int(10 * fs)
    rows = _shaped(rng, 9, padded, fs, 0.06, 4.0, 2.6)[:, :n]
    for electrode in range(4, 9):
        rows[electrode] = 0.72 * rows[electrode - 1] + 0.80 * rows[electrode]
    size = np.exp(np.clip(0.3 * rng.standard_normal(9), -0.6, 0.6))
    t = np.arange(n) / fs
    breath = np.sin(2 * np.pi * (breath_rate * t + rng.random()) + 0.4 * rng.standard_normal((9, 1)))
    return np.asarray((0.85 * rows + 0.35 * rng.random((9, 1)) * breath) * size[:, None])


def _muscle(rng: np.random.Generator, n: int, fs: float) -> FloatArray:
    rows = _shaped(rng, 9, n, fs, 6.0, min(120.0, fs / 2), 1.7)
    seconds = np.arange(int(np.ceil(n / fs)) + 2)
    envelope = np.exp(0.3 * np.clip(rng.standard_normal(seconds.size), -1.5, 1.5))
    return np.asarray(0.0095 * rows * np.interp(np.arange(n) / fs, seconds, envelope))


def recorded(leads: FloatArray) -> FloatArray:
    """Round I, II, V1..V6 to the recorder's step; the other limb leads are formed afterwards and stay exact."""
    return np.asarray(np.round(leads / STEP_MV) * STEP_MV)
