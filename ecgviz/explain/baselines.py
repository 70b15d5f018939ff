"""What a recording is held against: the signal that stands for "nothing here", by name.

No baseline is neutral by itself: a flat line is no normal ECG, and networks fire on it. So the logit at the baseline,
and the labels that fire there, belong to every explanation that uses one (`at_baseline`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from scipy import signal as dsp

from ecgviz.checkpoint import Model, network_logits, tensors
from ecgviz.errors import ExplanationError
from ecgviz.explain.undisturbed import undisturbed
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import prepare
from ecgviz.simulate import healthy_at, simulate
from ecgviz.types import Beats, InputSpec, ModelInput, Record
from ecgviz.types.arrays import BoolArray, FloatArray, frozen
from ecgviz.types.beats import ATOMS

WANDER_HZ = 0.5
"""Upper end of what "blur" keeps: baseline wander lies below it, and hearts beat above it."""
RENDERED_HZ = 500.0
"""Simulated signals are made at this rate and brought to the network's like any recording."""
N_NORMALS = 8
"""Records in "normals"."""
ADULT_YEARS = 16.0
"""Younger hearts cannot be simulated: an age below it counts as unknown."""


def zero(inputs: ModelInput, spec: InputSpec, beats: Beats, seed: int) -> FloatArray:
    """Return 0 mV in every sample."""
    return _standardised(np.zeros((1, *inputs.x.shape)), spec)


def isoelectric(inputs: ModelInput, spec: InputSpec, beats: Beats, seed: int) -> FloatArray:
    """Return each lead's own level: the median of its samples in TP and PR segments, of all its samples without any."""
    quiet = inputs.mask & _in_quiet_segments(inputs, beats)
    chosen = quiet if quiet.any() else inputs.mask
    level = np.median(inputs.x[:, chosen], axis=1)
    return np.broadcast_to(level[None, :, None], (1, *inputs.x.shape))


def blur(inputs: ModelInput, spec: InputSpec, beats: Beats, seed: int) -> FloatArray:
    """Return what lies below 0.5 Hz (Butterworth, forwards and backwards): the wander stays, the beats go."""
    recorded = inputs.x[:, inputs.mask].astype(np.float64)
    longest = recorded.shape[1] - 1
    sections = dsp.butter(2, WANDER_HZ, fs=inputs.fs, output="sos")
    values = np.zeros((1, *inputs.x.shape))
    padded = min(longest, round(2 * inputs.fs / WANDER_HZ))
    values[0][:, inputs.mask] = dsp.sosfiltfilt(sections, recorded, axis=1, padlen=padded)
    return values


def healthy(inputs: ModelInput, spec: InputSpec, beats: Beats, seed: int) -> FloatArray:
    """Return a healthy simulated beat at each R peak of this recording, of the same sex and age where they are known.

    Raises
    ------
    ExplanationError
        When the recording has no beats, or the network reads a lead in which no heart is simulated.
    """
    _check_simulated("healthy", spec)
    if not len(beats):
        raise ExplanationError(
            f"the baseline 'healthy' places a healthy beat at each R peak, and there is none: {beats.reason}"
        )
    adult = inputs.age_years is not None and inputs.age_years >= ADULT_YEARS
    signal = healthy_at(
        beats.r_s - inputs.start_s,
        gaps_s=beats.gaps_s - inputs.start_s,
        seed=seed,
        fs=RENDERED_HZ,
        duration_s=_recorded_s(inputs),
        sex=inputs.sex,
        age_years=inputs.age_years if adult else None,
    )
    return _prepared(Record(signal, RENDERED_HZ, STANDARD_LEADS, id="healthy", simulated=True), spec)[None]


def normals(inputs: ModelInput, spec: InputSpec, beats: Beats, seed: int) -> FloatArray:
    """Return several normal simulated records, each with a rhythm of its own: their beats are not this record's.

    Raises
    ------
    ExplanationError
        When the network reads a lead in which no heart is simulated.
    """
    _check_simulated("normals", spec)
    return _normals(spec, _recorded_s(inputs), seed)


@lru_cache(maxsize=8)
def _normals(spec: InputSpec, duration_s: float, seed: int) -> FloatArray:
    seeds = np.random.default_rng(seed).integers(2**31, size=N_NORMALS)
    records = [simulate("normal", seed=int(each), fs=RENDERED_HZ, duration_s=duration_s).record for each in seeds]
    return frozen(np.stack([_prepared(record, spec) for record in records]))


BASELINES: Mapping[str, Callable[[ModelInput, InputSpec, Beats, int], FloatArray]] = {
    "zero": zero,
    "isoelectric": isoelectric,
    "blur": blur,
    "healthy": healthy,
    "normals": normals,
}
"""Every baseline by name; each returns standardised signals (n, L, T)."""


def baseline(name: str, model: Model, inputs: ModelInput, beats: Beats, *, seed: int) -> FloatArray:
    """Return the baseline of that name for this record, float32 (n, L, T), standardised like ``inputs.x``.

    n is 1, and more for "normals". Padding is as in ``inputs.x``, so that nothing is attributed to it.

    Raises
    ------
    ExplanationError
        For a name that is not in `BASELINES`, "healthy" on a recording without beats, or "healthy" or "normals" for a
        network that reads other leads than the twelve.
    """
    if name not in BASELINES:
        raise ExplanationError(f"there is no baseline {name!r}; known are {', '.join(BASELINES)}")
    values = BASELINES[name](inputs, model.spec, beats, seed)
    return np.where(inputs.mask, values, inputs.x).astype(np.float32)


def one_baseline(name: str, model: Model, inputs: ModelInput, beats: Beats, *, seed: int) -> FloatArray:
    """Return `baseline` for a method that takes a single one, float32 (L, T); a set raises ExplanationError."""
    values = baseline(name, model, inputs, beats, seed=seed)
    if len(values) > 1:
        raise ExplanationError(f"the baseline {name!r} is a set of {len(values)} records; this method takes one signal")
    return np.asarray(values[0])


@dataclass(frozen=True)
class AtBaseline:
    """What the network says of a baseline: one label's logit (the mean over a set), and the labels that fire there."""

    logit: float
    fires: tuple[str, ...]

    def params(self, name: str) -> dict[str, object]:
        """Return what an explanation says of the baseline it used."""
        return {"baseline": name, "baseline_logit": self.logit, "fires_at_baseline": list(self.fires)}


def at_baseline(model: Model, inputs: ModelInput, values: FloatArray, label_index: int) -> AtBaseline:
    """Return the logit at a baseline (n, L, T) or (L, T), and the labels whose threshold is reached in any of it."""
    x = torch.from_numpy(np.array(values, dtype=np.float32).reshape(-1, *inputs.x.shape))
    _, arguments = tensors(inputs)
    expanded = {k: None if v is None else v.expand(len(x), *v.shape[1:]) for k, v in arguments.items()}
    with undisturbed(model.net) as net:
        logits = network_logits(net, x, **expanded).double()
    fires = (torch.sigmoid(logits).cpu() >= torch.tensor(model.thresholds, dtype=torch.float64)).any(dim=0)
    named = tuple(name for name, fired in zip(model.labels, fires.tolist(), strict=True) if fired)
    return AtBaseline(float(logits[:, label_index].mean()), named)


def _standardised(mv: FloatArray, spec: InputSpec) -> FloatArray:
    return (mv - spec.mean_mv) / spec.std_mv


def _in_quiet_segments(inputs: ModelInput, beats: Beats) -> BoolArray:
    """Return which samples (T,) lie in a TP or PR segment, from the end of a wave to the start of the next."""
    quiet = np.zeros(inputs.mask.size, dtype=bool)
    at_s = inputs.start_s + np.arange(quiet.size) / inputs.fs
    spans = beats.segments()[:, [ATOMS.index("PR"), ATOMS.index("TP")]].reshape(-1, 2)
    for start_s, end_s in spans:
        quiet |= (at_s >= start_s) & (at_s <= end_s)
    return quiet


def _recorded_s(inputs: ModelInput) -> float:
    return float(inputs.mask.sum() / inputs.fs)


def not_simulated(name: str, spec: InputSpec) -> str:
    """Return why a baseline of healthy hearts cannot be had in a network's leads, "" where it can."""
    others = [lead for lead in spec.leads if lead not in STANDARD_LEADS]
    return f"no healthy heart is simulated in lead {', '.join(others)}: there is no baseline {name!r}" if others else ""


def _check_simulated(name: str, spec: InputSpec) -> None:
    """Refuse a baseline that would be a heart in leads that are not simulated: another lead is no baseline of one."""
    if why := not_simulated(name, spec):
        raise ExplanationError(f"{why}; zero, isoelectric and blur need none")


def _prepared(record: Record, spec: InputSpec) -> FloatArray:
    """Return a simulated record as the network is fed it, (L, T); what it is fed beside the signal is this record's."""
    return prepare(record, replace(spec, needs=(), pads=True)).x
