"""A recording in millivolts, hertz and named leads, and what a network wants to be fed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecgviz.errors import ModelError, RecordError
from ecgviz.types.arrays import BoolArray, FloatArray, frozen

PLAUSIBLE_MV = 20.0
"""Larger deflections from a lead's median are no surface ECG: units or gain are wrong."""

RATES_HZ = (25.0, 100_000.0)
"""Below, a QRS complex falls between two samples; above, no electrocardiograph samples."""

MOST_SAMPLES = 1_000_000
"""Of a lead that a network is fed: more than an hour at 250 Hz, which no network for the resting ECG takes at once."""

NEEDS = ("r_peaks", "age_sex")
"""What a network can need beside the signal."""


@dataclass(frozen=True, eq=False)
class Record:
    """One recording.

    Parameters
    ----------
    signal : FloatArray of shape (L, N)
        Millivolts, float32; NaN where a sample is missing.
    fs : float
        Sampling rate in hertz.
    leads : tuple of str
        Canonical names, one a row of ``signal``, each once.
    id : str
        A name that tells nothing about the patient: a published id, ``demo:NAME``, or the start of `key`.
    age_years : float or None
    sex : {"male", "female", None}
    codes : tuple of str
        Statements that came with the recording (SCP or SNOMED codes).
    assumptions : tuple of str
        Every guess or derivation on the way from the file to here, in sentences.
    altered : tuple of str
        What was changed on purpose since it was recorded; empty for an untouched recording.
    simulated : bool
        True when the recording was computed, not measured.
    infarct_stages : tuple of str
        Of an infarct, the stages that its readers named, among "I" (acute), "II" and "III" (old); empty when unknown.

    Raises
    ------
    RecordError
        For shapes that do not fit, repeated leads, infinite samples, or a rate or deflections that no ECG has.
    """

    signal: FloatArray
    fs: float
    leads: tuple[str, ...]
    id: str
    age_years: float | None = None
    sex: str | None = None
    codes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    simulated: bool = False
    infarct_stages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "signal", frozen(self.signal, np.float32))
        object.__setattr__(self, "leads", tuple(self.leads))
        object.__setattr__(self, "fs", float(self.fs))
        if self.age_years is not None:
            object.__setattr__(self, "age_years", float(self.age_years))
        if self.signal.ndim != 2 or self.signal.shape[0] != len(self.leads):
            raise RecordError(
                f"{self.id}: signal of shape {self.signal.shape} does not hold one row for each of the "
                f"{len(self.leads)} leads (is it transposed?)"
            )
        if not (np.isfinite(self.fs) and self.fs > 0):
            raise RecordError(f"{self.id}: a sampling rate of {self.fs} Hz is none; state the rate in hertz")
        if not RATES_HZ[0] <= self.fs <= RATES_HZ[1]:
            taken = "milliseconds taken for seconds" if self.fs < RATES_HZ[0] else "seconds taken for milliseconds"
            raise RecordError(
                f"{self.id}: a sampling rate of {self.fs:g} Hz is that of no ECG ({RATES_HZ[0]:g} to "
                f"{RATES_HZ[1]:g} Hz): are {taken}, or is the rate in other units than hertz?"
            )
        if len(set(self.leads)) != len(self.leads):
            twice = sorted({lead for lead in self.leads if self.leads.count(lead) > 1})
            raise RecordError(f"{self.id}: lead {', '.join(twice)} is given more than once")
        if self.sex not in (None, "male", "female"):
            raise RecordError(f"{self.id}: sex {self.sex!r} is not 'male', 'female' or unknown")
        if self.age_years is not None and not 0 <= self.age_years <= 120:
            raise RecordError(f"{self.id}: an age of {self.age_years} years is not plausible")
        self._check_samples()

    def _check_samples(self) -> None:
        if self.signal.shape[1] == 0:
            raise RecordError(f"{self.id}: the signal has no samples")
        if np.isinf(self.signal).any():
            lead = self.leads[int(np.isinf(self.signal).any(axis=1).argmax())]
            raise RecordError(f"{self.id}: lead {lead} holds infinite samples")
        if np.isnan(self.signal).all():
            raise RecordError(f"{self.id}: every sample of every lead is missing (NaN)")
        for lead, row in zip(self.leads, self.signal, strict=True):
            known = row[~np.isnan(row)]
            peak = float(np.abs(known - np.median(known)).max()) if known.size else 0.0
            if peak > PLAUSIBLE_MV:
                raise RecordError(
                    f"{self.id}: lead {lead} swings {peak:.0f} mV from its middle, which is no ECG "
                    f"(limit {PLAUSIBLE_MV:.0f} mV): are these microvolts or raw counts passed as millivolts?"
                )

    @property
    def duration_s(self) -> float:
        """Length in seconds: number of samples over the rate."""
        return self.signal.shape[1] / self.fs

    @cached_property
    def key(self) -> str:
        """Digest (SHA-256) of samples, rate, leads, age, sex and alterations: equal keys, equal results."""
        digest = hashlib.sha256(np.ascontiguousarray(self.signal).tobytes())
        digest.update(repr((self.fs, self.leads, self.age_years, self.sex, self.altered)).encode())
        return digest.hexdigest()

    def lead(self, name: str) -> FloatArray:
        """Return the samples of one lead, shape (N,), in millivolts.

        Raises
        ------
        RecordError
            When the record does not have that lead.
        """
        if name not in self.leads:
            raise RecordError(f"{self.id}: lead {name} is not in this record, which has {', '.join(self.leads)}")
        row: FloatArray = self.signal[self.leads.index(name)]
        return row

    def select(self, leads: str | Sequence[str]) -> "Record":
        """Return this record with ``leads`` only, in that order; a lead it lacks raises RecordError.

        A name alone is one lead.
        """
        leads = (leads,) if isinstance(leads, str) else tuple(leads)
        return replace(self, signal=np.stack([self.lead(name) for name in leads]), leads=leads)


@dataclass(frozen=True)
class LeadQuality:
    """Whether a lead can be read: ``verdict`` is "good", "doubtful" or "unusable"; ``reasons`` say why not good."""

    lead: str
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class InputSpec:
    """What a network wants to be fed; stored in model.json, and all that `ecgviz.signal.prepare` needs.

    ``mean_mv`` and ``std_mv`` are the one scalar standardisation over all leads. ``pads`` says whether a shorter
    record may be padded (with a mask). ``needs`` names what must come with the signal: "r_peaks", "age_sex".

    Raises
    ------
    ModelError
        For no leads or one twice, a rate, length or scale that is no number or not above 0, a rate that no ECG has
        (`RATES_HZ`), more than `MOST_SAMPLES` a lead, or an unknown need.
    """

    leads: tuple[str, ...]
    fs: float
    duration_s: float
    mean_mv: float
    std_mv: float
    pads: bool = False
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.leads:
            raise ModelError("a network is fed one lead or more, and none is named")
        if twice := sorted({lead for lead in self.leads if self.leads.count(lead) > 1}):
            raise ModelError(f"lead {', '.join(twice)} is given more than once")
        for name, value in (("fs", self.fs), ("duration_s", self.duration_s), ("std_mv", self.std_mv)):
            if not (np.isfinite(value) and value > 0):
                raise ModelError(f"{name} is {value:g}; it is a number above 0")
        if not np.isfinite(self.mean_mv):
            raise ModelError(f"mean_mv is {self.mean_mv:g}; it is a number of millivolts")
        if not RATES_HZ[0] <= self.fs <= RATES_HZ[1]:
            raise ModelError(f"fs is {self.fs:g}; a sampling rate is {RATES_HZ[0]:g} to {RATES_HZ[1]:g} Hz")
        if self.fs * self.duration_s > MOST_SAMPLES:
            raise ModelError(
                f"{self.duration_s:g} s at {self.fs:g} Hz are more than {MOST_SAMPLES} samples a lead, the most that a "
                "network is fed"
            )
        if self.n_samples < 1:
            raise ModelError(f"{self.duration_s:g} s at {self.fs:g} Hz hold no sample")
        if unknown := [name for name in self.needs if name not in NEEDS]:
            raise ModelError(f"{unknown[0]!r} is nothing that can come with a signal; known are {', '.join(NEEDS)}")

    @property
    def n_samples(self) -> int:
        """Samples a lead that the network is fed."""
        return round(self.fs * self.duration_s)


@dataclass(frozen=True, eq=False)
class ModelInput:
    """A record as one network sees it.

    ``x`` (L, T) float32, standardised; ``mask`` (T,) True on recorded samples, False on padding; ``start_s`` where
    the window starts in the record; ``r_s`` (B,) R peaks inside the window, seconds from its start, or None.
    """

    x: FloatArray
    fs: float
    start_s: float
    leads: tuple[str, ...]
    mask: BoolArray
    r_s: FloatArray | None = None
    age_years: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", frozen(self.x, np.float32))
        object.__setattr__(self, "mask", frozen(self.mask, np.bool_))
