"""`simulate`: one record, its healthy twin, and the truth."""

from dataclasses import dataclass, replace

import numpy as np

import ecgviz
from ecgviz.records.leads import STANDARD_LEADS as LEADS
from ecgviz.simulate.dipole import twelve
from ecgviz.simulate.findings import FINDINGS
from ecgviz.simulate.heart import Heart
from ecgviz.simulate.noise import electrode_noise, recorded
from ecgviz.simulate.patient import Patient, draw_patient
from ecgviz.simulate.recipes_conduction import ectopic
from ecgviz.simulate.render import LAYERS, render, true_beats
from ecgviz.simulate.request import Request
from ecgviz.simulate.rhythm import (
    IRREGULAR_RR_CV,
    Rhythm,
    beats_at,
    draw_breathing,
    fibrillation,
    fibrillatory_waves,
    sinus_times,
    with_ectopic,
)
from ecgviz.simulate.truth import Truth, named_cells, rhythm_per_lead, rhythm_values, smallest_mask
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Simulation:
    """``record`` with the finding, ``twin`` without (same patient and noise), both also noise-free, and the truth."""

    record: Record
    twin: Record
    clean: Record
    twin_clean: Record
    truth: Truth


@dataclass(frozen=True, eq=False)
class _Version:
    """One of the two versions of a patient's record: what it is called, its layers at I, II, V1..V6, its beats."""

    name: str
    layers: dict[str, FloatArray]
    beats: Beats

    @property
    def measured(self) -> FloatArray:
        return np.sum(list(self.layers.values()), axis=0)


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

    A moving heart dipole is projected on I, II, V1..V6 through the patient's lead field; the other limb leads are exact
    combinations, formed after noise and recorder step. Patients are drawn until the beat is a normal ECG without the
    finding and, at severity 1 or more, meets the finding's own published limits with it. The same arguments give the
    same record, bit for bit; the same patient at another ``fs`` has the same waves.

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
        Mean rate; drawn from the finding's range when None. That of fibrillation is as asked on average over seeds (to
        5 %): one record of 10 s may be a third off, one of a minute 8 %; above 112 beats a minute 10 % and 2 %.
    noise : float
        1 is the level of routine recordings; 0 gives the noise-free record, without recorder step.
    sex, age_years
        Drawn when None.

    Raises
    ------
    SimulationError
        For an unknown finding, arguments out of range, or when no patient of such a rate, sex and age can show the
        finding in so short a record.
    """
    request = Request(finding, seed, fs, duration_s, severity, heart_rate_bpm, noise, sex, age_years)
    patient = draw_patient(request)
    rhythm, twin_rhythm = _rhythms(request, patient)
    version = _with_finding(request, patient, rhythm)
    twin = version
    if finding != "normal":
        layers = render(patient.healthy, twin_rhythm, fs, request.n)
        twin = _Version("normal", layers, true_beats(patient.healthy, twin_rhythm, request.n / fs))
    clean, twin_clean = (_record(request, patient, v) for v in (version, twin))
    record, noisy_twin = (_noisy(request, r, v) for r, v in ((clean, version), (twin_clean, twin)))
    return Simulation(record, noisy_twin, clean, twin_clean, _truth(request, patient, version, twin))


def _rhythms(request: Request, patient: Patient) -> tuple[Rhythm, Rhythm]:
    """Return the rhythm with the finding and the twin's: the same R times wherever the finding allows it."""
    breath = draw_breathing(request.stream("respiration"))

    def sinus(heart: Heart) -> Rhythm:
        times = sinus_times(request.stream("ventricular"), heart, breath, request.duration_s)
        return beats_at(times, request.stream("beats"), breath)

    if request.finding == "af":
        times = fibrillation(request.stream("ventricular"), patient.heart, request.severity, request.duration_s)
        twin = beats_at(times, request.stream("beats"), breath, memory=0.9)
        return replace(twin, has_p=np.zeros(times.size, dtype=bool)), twin
    twin = sinus(patient.healthy)
    if request.finding == "pvc":
        with_early = with_ectopic(twin, patient.healthy, request.stream("ectopic"), request.duration_s)
        if not with_early.ectopic.any():
            raise request.refusal(f"{request.duration_s:g} s at this heart rate are too short for an ectopic beat")
        return with_early, twin
    return (sinus(patient.heart) if request.spec.kind == "rate" else twin), twin


def _with_finding(request: Request, patient: Patient, rhythm: Rhythm) -> _Version:
    heart, early = patient.heart, None
    if rhythm.ectopic.any():
        early = ectopic(heart, request.stream("finding", patient.redraws), request.severity)
    layers = render(heart, rhythm, request.fs, request.n, early)
    no_p = ""
    if request.finding == "af":
        no_p = "atrial fibrillation"
        layers["f_waves"] = fibrillatory_waves(request.stream("f_waves"), request)
    beats = true_beats(heart, rhythm, request.n / request.fs, no_p, early)
    if request.finding == "af" and len(beats) < 2:
        raise request.refusal(f"{request.duration_s:g} s at this heart rate are too short for an RR interval")
    return _Version(request.finding, layers, beats)


def _record(request: Request, patient: Patient, version: _Version) -> Record:
    said = (
        f"simulated by ecgviz {ecgviz.__version__}: finding {version.name}, seed {request.seed}, "
        f"severity {request.severity:g}, noise {request.noise:g}; no patient was recorded"
    )
    twin_of = "" if version.name == request.finding else f"; healthy twin of finding {request.finding}"
    return Record(
        signal=twelve(version.measured),
        fs=request.fs,
        leads=LEADS,
        id=f"simulated:{version.name}:{request.seed}",
        age_years=patient.heart.age_years,
        sex=patient.heart.sex,
        codes=FINDINGS[version.name].statements,
        assumptions=(said + twin_of,),
        simulated=True,
    )


def _noisy(request: Request, clean: Record, version: _Version) -> Record:
    if request.noise == 0:
        return clean
    breath = draw_breathing(request.stream("respiration"))
    noise = electrode_noise(request.stream("noise"), request.n, request.fs, breath.rate)
    return replace(clean, signal=twelve(recorded(version.measured + request.noise * noise)))


def _truth(request: Request, patient: Patient, version: _Version, twin: _Version) -> Truth:
    spec = request.spec
    layers: dict[str, FloatArray] = {}
    if spec.kind != "rate":
        both = {name: twelve(version.layers[name] - twin.layers[name]) for name in LAYERS}
        layers = {name: signed for name, signed in both.items() if signed.any()}
    values = rhythm_values(patient.planted.values, version.beats)
    evidence = np.abs(np.sum(list(layers.values()), axis=0)) if layers else np.zeros((12, request.n))
    return Truth(
        finding=spec.name,
        severity=request.severity,
        seed=request.seed,
        leads=LEADS,
        beats=version.beats,
        twin_beats=twin.beats,
        values=values,
        per_lead=rhythm_per_lead(patient.planted.per_lead, version.beats),
        twin_values=rhythm_values(patient.twin_planted.values, twin.beats),
        twin_per_lead=rhythm_per_lead(patient.twin_planted.per_lead, twin.beats),
        evidence=evidence,
        layers=layers,
        mask=smallest_mask(evidence) if spec.kind == "morphology" and layers else None,
        cells=named_cells(spec.name, version.beats),
        meets=patient.meets and (spec.name != "af" or values["rr_cv"] >= IRREGULAR_RR_CV),
        redraws=patient.redraws,
        guideline_leads=spec.leads,
    )
