"""`simulate`: one record, its healthy twin, and the truth."""

from dataclasses import dataclass, replace

import numpy as np

import ecgviz
from ecgviz.errors import SimulationError
from ecgviz.simulate.dipole import LEADS, twelve
from ecgviz.simulate.findings import FINDINGS, FindingSpec
from ecgviz.simulate.heart import Heart, draw_heart
from ecgviz.simulate.limits import LIMITS, is_healthy
from ecgviz.simulate.noise import electrode_noise, recorded
from ecgviz.simulate.planted import Planted, measure_heart
from ecgviz.simulate.recipes_conduction import ectopic as ectopic_heart
from ecgviz.simulate.render import LAYERS, render, true_beats
from ecgviz.simulate.rhythm import (
    Rhythm,
    beats_at,
    draw_breathing,
    fibrillation_times,
    fibrillatory_waves,
    sinus_times,
    with_ectopic,
)
from ecgviz.simulate.truth import Truth, named_cells, smallest_mask
from ecgviz.types import Record
from ecgviz.types.arrays import FloatArray

STREAMS = ("patient", "residual", "finding", "ventricular", "beats", "respiration", "f_waves", "ectopic", "noise")
MAX_REDRAWS = 400


@dataclass(frozen=True, eq=False)
class Simulation:
    """``record`` with the finding and ``twin`` without it (same patient, same noise), both also noise-free, and the truth."""

    record: Record
    twin: Record
    clean: Record
    twin_clean: Record
    truth: Truth


@dataclass(frozen=True, eq=False)
class _Patient:
    healthy: Heart
    heart: Heart
    planted: Planted
    twin_planted: Planted
    meets: bool
    redraws: int


@dataclass(frozen=True)
class _Request:
    spec: FindingSpec
    seed: int
    severity: float
    fs: float
    n: int
    noise: float
    rate_bpm: float | None
    sex: str | None
    age_years: float | None

    def stream(self, name: str, attempt: int = 0) -> np.random.Generator:
        """One independent generator a purpose: a finding consumes no draw of another stream."""
        return np.random.default_rng([self.seed, STREAMS.index(name), attempt])


def simulate(
    finding: str,
    *,
    seed: int,
    fs: float,
    duration_s: float,
    severity: float = 1.0,
    heart_rate_bpm: float | None = None,
    noise: float = 1.0,
    sex: str | None = None,
    age_years: float | None = None,
) -> Simulation:
    """Simulate a 12-lead ECG with one planted finding, and its healthy twin.

    A moving heart dipole is projected on I, II, V1..V6 through the patient's lead field; the other limb leads are exact combinations, formed after noise
    and recorder step. Patients are drawn until the planted beat is a normal ECG without the finding and, at severity >= 1, meets the
    finding's own published limits with it. The same arguments give the same record, bit for bit.

    Parameters
    ----------
    finding : str
        A name of `FINDINGS`.
    seed : int
        Any integer >= 0.
    fs : float
        Sampling rate in Hz, 100 to 1000.
    duration_s : float
        Length in seconds, 2 or more.
    severity : float
        How far past its criterion the finding is; 1 is clearly past it, `FINDINGS` has the range.
    heart_rate_bpm : float or None
        Mean rate; drawn from the finding's range when None.
    noise : float
        1 is the level of routine recordings; 0 gives the noise-free record, without recorder step.
    sex, age_years
        Drawn when None.

    Raises
    ------
    SimulationError
        For an unknown finding, arguments out of range, or when no patient of such a rate, sex and age can show the finding.
    """
    request = _checked(finding, seed, fs, duration_s, severity, heart_rate_bpm, noise, sex, age_years)
    patient = _draw_patient(request)
    duration_s = request.n / fs
    rhythm, twin_rhythm = _rhythms(request, patient, duration_s)
    ectopic = None
    if finding == "pvc":
        ectopic = ectopic_heart(patient.healthy, request.stream("ectopic", 1), severity)
    layers = render(patient.heart, rhythm, fs, request.n, ectopic)
    if finding == "af":
        layers["f_waves"] = fibrillatory_waves(request.stream("f_waves"), request.n, fs, severity)
    twin_layers = layers if finding == "normal" else render(patient.healthy, twin_rhythm, fs, request.n)
    no_p = "atrial fibrillation" if finding == "af" else ""
    beats = true_beats(patient.heart, rhythm, duration_s, no_p, ectopic)
    twin_beats = true_beats(patient.healthy, twin_rhythm, duration_s)
    clean, twin_clean = sum(layers.values()), sum(twin_layers.values())
    records = [_record(request, patient, signal, name) for signal, name in ((clean, finding), (twin_clean, "normal"))]
    noisy = [_noisy(request, record, signal) for record, signal in zip(records, (clean, twin_clean), strict=True)]
    truth = _truth(request, patient, layers, twin_layers, beats, twin_beats)
    return Simulation(noisy[0], noisy[1], records[0], records[1], truth)


def _checked(
    finding: str,
    seed: int,
    fs: float,
    duration_s: float,
    severity: float,
    rate_bpm: float | None,
    noise: float,
    sex: str | None,
    age_years: float | None,
) -> _Request:
    if finding not in FINDINGS:
        raise SimulationError(f"there is no finding {finding!r} to simulate; known are {', '.join(FINDINGS)}")
    spec = FINDINGS[finding]
    if not 100 <= fs <= 1000:
        raise SimulationError(f"simulate {finding}: a rate of {fs} Hz is outside 100 to 1000 Hz")
    if not 2 <= duration_s <= 3600:
        raise SimulationError(f"simulate {finding}: a length of {duration_s} s is outside 2 to 3600 s")
    low, high = spec.severity_range
    if not low <= severity <= high:
        raise SimulationError(f"simulate {finding}: a severity of {severity} is outside {low} to {high}")
    if seed < 0:
        raise SimulationError(f"simulate {finding}: a seed is 0 or more, not {seed}")
    if rate_bpm is not None and not 30 <= rate_bpm <= 180:
        raise SimulationError(f"simulate {finding}: a heart rate of {rate_bpm} bpm is outside 30 to 180 bpm")
    if not 0 <= noise <= 20:
        raise SimulationError(f"simulate {finding}: noise is 0 to 20 times the usual level, not {noise}")
    if sex not in (None, "male", "female"):
        raise SimulationError(f"simulate {finding}: sex is 'male' or 'female', not {sex!r}")
    if age_years is not None and not 16 <= age_years <= 110:
        raise SimulationError(f"simulate {finding}: an age of {age_years} years is outside 16 to 110 (adults)")
    return _Request(
        spec, int(seed), float(severity), float(fs), round(fs * duration_s), noise, rate_bpm, sex, age_years
    )


def _draw_patient(request: _Request) -> _Patient:
    spec = request.spec
    limits = LIMITS.get(spec.name)
    for attempt in range(MAX_REDRAWS):
        healthy = draw_heart(
            request.stream("patient", attempt),
            request.stream("residual", attempt),
            ages=spec.ages,
            rates=spec.rates,
            alpha=spec.alpha,
            sex=request.sex,
            age_years=request.age_years,
            rate_bpm=None if spec.kind == "rate" else request.rate_bpm,
        )
        if spec.prepare is not None:
            healthy = spec.prepare(healthy)
        twin_planted = measure_heart(healthy)
        if not is_healthy(twin_planted, healthy):
            continue
        heart, planted, meets = healthy, twin_planted, True
        if spec.recipe is not None:
            heart = spec.recipe(healthy, request.stream("finding", attempt), request.severity)
            if spec.kind == "rate" and request.rate_bpm is not None:
                heart = replace(heart, rate_bpm=request.rate_bpm)
            planted = measure_heart(heart)
            meets = limits is None or limits(planted, heart)
        if meets or request.severity < 1:
            return _Patient(healthy, heart, planted, twin_planted, meets, attempt)
    raise SimulationError(
        f"simulate {spec.name}: none of {MAX_REDRAWS} patients of this rate, sex and age (seed {request.seed}) is normal without it and meets its limits with it"
    )


def _rhythms(request: _Request, patient: _Patient, duration_s: float) -> tuple[Rhythm, Rhythm]:
    """Return the rhythm with the finding and the twin's: the same R times wherever the finding allows it."""
    breath = draw_breathing(request.stream("respiration"))

    def sinus(heart: Heart) -> Rhythm:
        times = sinus_times(request.stream("ventricular"), heart, breath, duration_s)
        return beats_at(times, request.stream("beats"), breath)

    if request.spec.name == "af":
        times = fibrillation_times(request.stream("ventricular"), patient.heart, request.severity, duration_s)
        twin = beats_at(times, request.stream("beats"), breath, memory=0.9)
        return replace(twin, has_p=np.zeros(times.size, dtype=bool)), twin
    twin = sinus(patient.healthy)
    if request.spec.name == "pvc":
        return with_ectopic(twin, patient.healthy, request.stream("ectopic"), duration_s), twin
    return (sinus(patient.heart) if request.spec.kind == "rate" else twin), twin


def _record(request: _Request, patient: _Patient, measured: FloatArray, name: str) -> Record:
    said = (
        f"simulated by ecgviz {ecgviz.__version__}: finding {name}, seed {request.seed}, severity {request.severity:g}, "
        f"noise {request.noise:g}; no patient was recorded"
    )
    twin = "" if name == request.spec.name else f" (healthy twin of {request.spec.name})"
    return Record(
        signal=twelve(measured),
        fs=request.fs,
        leads=LEADS,
        id=f"simulated:{name}:{request.seed}",
        age_years=patient.heart.age_years,
        sex=patient.heart.sex,
        codes=FINDINGS[name].statements,
        assumptions=(said + twin,),
        simulated=True,
    )


def _noisy(request: _Request, clean: Record, measured: FloatArray) -> Record:
    if request.noise == 0:
        return clean
    breath = draw_breathing(request.stream("respiration"))
    noise = electrode_noise(request.stream("noise"), request.n, request.fs, breath.rate)
    return replace(clean, signal=twelve(recorded(measured + request.noise * noise)))


def _truth(
    request: _Request,
    patient: _Patient,
    layers: dict[str, FloatArray],
    twin_layers: dict[str, FloatArray],
    beats: object,
    twin_beats: object,
) -> Truth:
    spec = request.spec
    difference = {k: twelve(layers[k] - twin_layers[k]) for k in LAYERS} if spec.kind != "rate" else {}
    difference = {k: v for k, v in difference.items() if v.any()}
    evidence = np.abs(sum(difference.values())) if difference else np.zeros((12, request.n))
    return Truth(
        finding=spec.name,
        severity=request.severity,
        seed=request.seed,
        leads=LEADS,
        beats=beats,  # type: ignore[arg-type]
        twin_beats=twin_beats,  # type: ignore[arg-type]
        values=patient.planted.values,
        per_lead=patient.planted.per_lead,
        twin_values=patient.twin_planted.values,
        twin_per_lead=patient.twin_planted.per_lead,
        evidence=evidence,
        layers=difference,
        mask=smallest_mask(evidence) if spec.kind == "morphology" else None,
        cells=named_cells(spec.name, beats),  # type: ignore[arg-type]
        meets=patient.meets,
        redraws=patient.redraws,
        guideline_leads=spec.leads,
    )
