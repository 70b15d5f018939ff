"""What is planted: for each criterion its finding in exactly the guideline's place, and a cue that is elsewhere.

Both are edits of simulated healthy records, so a record with and one without differ in nothing else. The findings of
the one half fix the limits behind the words, those of the other half score them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecgviz.edit import scale_wave
from ecgviz.simulate import Simulation
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray

Change = Callable[[Record, Beats, tuple[str, ...]], Record]

MILD_GAIN, WILD_GAIN = (0.75, 1.25), (-1.0, 2.0)
MILD_ST_MV, WILD_ST_MV = 0.02, 0.15
"""P, QRS and T of each lead are multiplied by gains of this range, and its ST segments shifted by this much (standard
deviation), drawn for each lead alone and the same in all versions of a patient. What is explained varies mildly. What
is learnt from varies wildly, but for the waves in which something is planted: then no other lead and no other wave
tells of these, not even by comparison."""
WAVES = ("P", "QRS", "ST", "T")
RAMP_S, ST_RAMP_S = 0.04, 0.02
Q_S, ST_S = 0.040, 0.090
"""How long a planted Q wave is, and how long a shifted ST segment at least: criteria measure up to J + 80 ms."""
SPIKE_EVERY_S = 1.0
VERSIONS: tuple[tuple[bool, bool], ...] = ((False, False), (False, True), (True, False), (True, True))
"""With the finding, with the cue: every patient is there in all four."""


@dataclass(frozen=True)
class Plant:
    """One change of a record in some leads, in words and as a function; ``wave`` is "" for an artefact."""

    text: str
    change: Change
    wave: str
    leads: tuple[str, ...]

    def make(self, record: Record, beats: Beats, leads: tuple[str, ...] = ()) -> Record:
        """Return the record with the change in all of its leads, or in those of them that are named."""
        return self.change(record, beats, leads or self.leads)


@dataclass(frozen=True)
class Task:
    """One criterion of the catalogue, what meets it, and the cue of the network that is right for a wrong reason.

    ``cue_kind`` says in which way the cue's place is not the guideline's. ``scored`` tasks score the words, the others
    fix their limits.
    """

    name: str
    label: str
    finding: Plant
    cue: Plant
    cue_kind: str
    scored: bool


def _scaled(wave: str, leads: tuple[str, ...], factor: float) -> Plant:
    def change(record: Record, beats: Beats, leads: tuple[str, ...]) -> Record:
        return scale_wave(record, beats, wave, leads, factor).record

    return Plant(f"{wave} times {factor:g} in {', '.join(leads)}", change, wave, leads)


def _shifted(leads: tuple[str, ...], mv: float) -> Plant:
    """Shift ST alone, as far as criteria measure it: `shift_st` fades out through T, where none of them looks."""

    def change(record: Record, beats: Beats, leads: tuple[str, ...]) -> Record:
        at_s = np.arange(record.signal.shape[1]) / record.fs
        until_s = np.maximum(beats.t_on, beats.qrs_off + ST_S)
        return _added(record, leads, mv * _window(at_s, beats.qrs_off - ST_RAMP_S / 2, until_s, ST_RAMP_S))

    return Plant(f"ST {mv:+g} mV in {', '.join(leads)}", change, "ST", leads)


def _q_waves(leads: tuple[str, ...], mv: float) -> Plant:
    """Lower the first 40 ms of QRS by a raised cosine."""

    def change(record: Record, beats: Beats, leads: tuple[str, ...]) -> Record:
        at_s = np.arange(record.signal.shape[1]) / record.fs
        phase = (at_s - beats.qrs_on[:, None]) / Q_S
        wave = np.where((phase > 0) & (phase < 1), 0.5 - 0.5 * np.cos(2 * np.pi * phase), 0).sum(axis=0)
        return _added(record, leads, -mv * wave)

    return Plant(f"Q of {mv:g} mV in {', '.join(leads)}", change, "QRS", leads)


def _spikes(lead: str, mv: float) -> Plant:
    """Add an artefact of two samples, up and down, once a second, wherever that falls in the beat."""

    def change(record: Record, beats: Beats, leads: tuple[str, ...]) -> Record:
        wave = np.zeros(record.signal.shape[1])
        first = round(beats.r_s[0] * 997) % round(SPIKE_EVERY_S * record.fs)
        at = np.arange(first, wave.size - 1, round(SPIKE_EVERY_S * record.fs))
        wave[at], wave[at + 1] = mv, -mv
        return _added(record, leads, wave)

    return Plant(f"a spike artefact of {mv:g} mV a second in {lead}", change, "", (lead,))


def _added(record: Record, leads: tuple[str, ...], wave: FloatArray) -> Record:
    signal = record.signal.astype(np.float64)
    signal[[record.leads.index(lead) for lead in leads]] += wave
    return replace(record, signal=signal.astype(np.float32))


WRONG_LEADS, WRONG_WAVE = "right wave, wrong leads", "right leads, wrong wave"
BOTH_WRONG, ARTEFACT = "wrong wave, wrong leads", "artefact"
_INFERIOR, _ANTERIOR = ("II", "III", "aVF"), ("V1", "V2", "V3", "V4")

_TASKS = (
    Task("tall P", "RAO/RAE", _scaled("P", _INFERIOR, 3.5), _scaled("T", ("V3", "V4"), -1.0), BOTH_WRONG, False),
    Task(
        "ST depression",
        "STD_",
        _shifted(("V4", "V5", "V6"), -0.2),
        _spikes("V2", 0.5),
        ARTEFACT,
        False,
    ),
    Task("inferior Q", "QWAVE", _q_waves(("II", "aVF"), 0.9), _scaled("T", ("II", "aVF"), -1.0), WRONG_WAVE, False),
    Task("lateral ST", "LMI", _shifted(("I", "aVL", "V5", "V6"), 0.3), _shifted(("V2", "V3"), 0.4), WRONG_LEADS, False),
    Task("inferior ST", "IMI", _shifted(_INFERIOR, 0.3), _shifted(("V5", "V6"), 0.3), WRONG_LEADS, True),
    Task("anterior ST", "ASMI", _shifted(_ANTERIOR, 0.4), _scaled("P", _ANTERIOR, 4.0), WRONG_WAVE, True),
    Task("T inversion", "INVT", _scaled("T", ("V2", "V3", "V4"), -1.0), _scaled("P", _INFERIOR, 3.5), BOTH_WRONG, True),
    Task("voltage", "LVH", _scaled("QRS", ("V1", "V5", "V6"), 4.0), _spikes("V4", 0.8), ARTEFACT, True),
    Task("lateral T", "INVT", _scaled("T", ("V4", "V5", "V6"), -1.0), _scaled("P", _ANTERIOR, 4.0), BOTH_WRONG, True),
    Task("inferior ST depression", "STD_", _shifted(_INFERIOR, -0.2), _scaled("P", _INFERIOR, 3.5), WRONG_WAVE, True),
    Task("lateral Q", "QWAVE", _q_waves(("V5", "V6"), 0.9), _spikes("V2", 0.5), ARTEFACT, True),
)
TASKS: Mapping[str, Task] = {task.name: task for task in _TASKS}
"""Every task by name."""


def varied(task: Task, made: Simulation, rng: np.random.Generator, *, wild: bool) -> Record:
    """Return a healthy record whose waves have a gain of their own in each lead, and ST segments a shift."""
    record, beats = made.record, made.truth.beats
    signal = record.signal.astype(np.float64)
    at_s = np.arange(signal.shape[1]) / record.fs
    level = np.median(signal, axis=1, keepdims=True)
    ends = (
        (beats.p_on, beats.p_off),
        (beats.qrs_on, beats.qrs_off),
        (beats.qrs_off, beats.t_on),
        (beats.t_on, beats.t_off),
    )
    gain, shift = np.ones_like(signal), np.zeros_like(signal)
    for wave, (on, off) in zip(WAVES, ends, strict=True):
        kept = np.bool_(not wild) | _planted(task, wave, record.leads)[:, None]
        window = _window(at_s, on, off, RAMP_S)
        if wave == "ST":
            shift = np.where(kept, MILD_ST_MV, WILD_ST_MV) * rng.standard_normal(kept.shape) * window
        else:
            drawn = np.where(kept, rng.uniform(*MILD_GAIN, kept.shape), rng.uniform(*WILD_GAIN, kept.shape))
            gain += (drawn - 1) * window
    return replace(record, signal=(level + (signal - level) * gain + shift).astype(np.float32))


def _planted(task: Task, wave: str, leads: tuple[str, ...]) -> BoolArray:
    """Return in which leads finding or cue lie in a wave, (L,)."""
    chosen = {lead for plant in (task.finding, task.cue) if plant.wave == wave for lead in plant.leads}
    return np.array([lead in chosen for lead in leads])


def _window(at_s: FloatArray, on_s: FloatArray, off_s: FloatArray, ramp_s: float) -> FloatArray:
    """Return 1 between marks and 0 elsewhere, with ramps centred on the marks, (T,)."""
    window = np.zeros(at_s.size)
    for on, off in zip(on_s, off_s, strict=True):
        if np.isfinite(on) and np.isfinite(off):
            window = np.maximum(window, np.clip(np.minimum(at_s - on, off - at_s) / ramp_s + 0.5, 0, 1))
    return window


def version(task: Task, record: Record, beats: Beats, *, with_finding: bool, with_cue: bool) -> Record:
    """Return a record with the finding, the cue, both or neither."""
    for plant, wanted in ((task.finding, with_finding), (task.cue, with_cue)):
        record = plant.make(record, beats) if wanted else record
    return record


def in_part(task: Task, record: Record, beats: Beats, rng: np.random.Generator, *, with_cue: bool) -> Record:
    """Return a record with the finding in some of its leads only, which is not the finding."""
    leads = task.finding.leads
    some = rng.choice(len(leads), int(rng.integers(1, len(leads))), replace=False)
    changed = task.finding.make(record, beats, tuple(leads[k] for k in sorted(some)))
    return task.cue.make(changed, beats) if with_cue else changed
