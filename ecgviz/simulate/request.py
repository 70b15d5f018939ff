"""What was asked for, checked, and the independent random streams that answer it."""

from dataclasses import dataclass

import numpy as np

from ecgviz.errors import SimulationError
from ecgviz.simulate.findings import FINDINGS, FindingSpec

STREAMS = ("patient", "residual", "finding", "ventricular", "beats", "respiration", "f_waves", "ectopic", "noise")


@dataclass(frozen=True)
class Request:
    """The arguments of `simulate`; see there for what they mean."""

    finding: str
    seed: int
    fs: float
    duration_s: float
    severity: float
    rate_bpm: float | None
    noise: float
    sex: str | None
    age_years: float | None

    def __post_init__(self) -> None:
        if self.finding not in FINDINGS:
            raise SimulationError(f"there is no finding {self.finding!r} to simulate; known are {', '.join(FINDINGS)}")
        if self.seed < 0:
            raise self.refusal(f"a seed is 0 or more, not {self.seed}")
        if self.sex not in (None, "male", "female"):
            raise self.refusal(f"sex is 'male' or 'female', not {self.sex!r}")
        low, high = self.spec.severity_range
        self._within("rate in Hz", self.fs, 100, 1000)
        self._within("length in seconds", self.duration_s, 2, 3600)
        self._within("severity", self.severity, low, high)
        self._within("noise (1 = usual)", self.noise, 0, 20)
        self._within("heart rate in bpm", self.rate_bpm, 30, 180)
        self._within("age in years (adults)", self.age_years, 16, 110)

    def _within(self, what: str, value: float | None, low: float, high: float) -> None:
        if value is not None and not low <= value <= high:
            raise self.refusal(f"a {what} of {value:g} is outside {low:g} to {high:g}")

    def refusal(self, why: str) -> SimulationError:
        """Return the error that refuses this request."""
        return SimulationError(f"simulate {self.finding}: {why}")

    @property
    def spec(self) -> FindingSpec:
        """The finding's row of `FINDINGS`."""
        return FINDINGS[self.finding]

    @property
    def n(self) -> int:
        """Samples a lead."""
        return round(self.fs * self.duration_s)

    def stream(self, name: str, attempt: int = 0) -> np.random.Generator:
        """Return the generator of one purpose: a finding consumes no draw of another stream."""
        return np.random.default_rng([self.seed, STREAMS.index(name), attempt])
