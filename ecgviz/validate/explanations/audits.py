"""Two audits of methods on networks that can only have read one place: a planted spike, and one lead's T wave.

Each network is trained on the spot, by a seed, for the purpose. It must first be shown to do its task on patients that
it has not seen, and only then does a map that looks elsewhere speak against the method.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score, roc_auc_score
from torch.nn import functional

from ecgviz.checkpoint import Model, model_input, predict_batch
from ecgviz.errors import EcgvizError, ExplanationError
from ecgviz.explain import METHODS, explain, find_method
from ecgviz.explain.controls import trivial_maps
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.simulate import Simulation, simulate
from ecgviz.types import Beats, Explanation, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.validate.explanations.audit_net import SPEC, as_model, fresh_net, trained_net
from ecgviz.validate.explanations.truth import FIRST_PATIENT

LEAD = "V4"
ROW = STANDARD_LEADS.index(LEAD)
SPIKE_S, SPIKE_MV, SPIKE_WIDTH_S = 2.0, 0.4, 0.05
"""A spike of two samples, up and down, at 2 s of V4; a map finds it within 50 ms."""
T_GAIN = (-1.0, 2.0)
"""The T waves of each lead are multiplied by a number of this range, drawn for each lead alone: no other lead and no
other wave then tells of that T wave."""
RAMP_S = 0.04
PATIENTS, HELD_OUT, EXPLAINED = 150, 20, 10
"""Patients to learn from, patients held out, and records of the latter that methods explain."""
GAINS = 4
"""Records of one patient, each with T waves of its own, so that nothing else tells of their amplitude."""
LEAST_AUC, LEAST_R2 = 0.95, 0.75
"""A network that does its task less well than this proves nothing about a method."""
FOUND = 0.8
"""A method passes when lead and time of its strongest values are right in this part of the records."""
T_FINDINGS = ("normal", "t_inversion", "st_depression", "lvh")


@dataclass(frozen=True)
class AuditRow:
    """What one method did, means over records, of the size of its map; NaN where a map has no such axis.

    ``share`` of the map lies in the place, ``chance`` is that of an even map, then the same share of the trivial map
    |x| and of the method on untrained weights. ``specificity`` is the L2 norm of the lead's map over that of all leads.
    ``lead_hit`` and ``time_hit`` tell how often the lead, and the instant, of largest L2 norm are right. ``passed`` is
    True when both are so in 80 % of the records, and the share is above chance and controls; ``why`` says why not.
    """

    method: str
    n: int
    share: float
    chance: float
    amplitude: float
    untrained: float
    specificity: float
    lead_hit: float
    time_hit: float
    passed: bool
    why: str


@dataclass(frozen=True)
class Audit:
    """One audit: what was planted, how well the network learnt it (``quality`` by ``measure``), and the methods.

    Without ``valid`` the network failed its own task, and no method was asked.
    """

    name: str
    place: str
    measure: str
    quality: float
    least: float
    rows: tuple[AuditRow, ...]

    @property
    def valid(self) -> bool:
        """Whether the network does its task well enough to judge a method by."""
        return self.quality >= self.least


@dataclass(frozen=True, eq=False)
class _Example:
    """One record, the target of the network, its beats, and where the answer lies, (12, T)."""

    record: Record
    target: float
    beats: Beats
    inside: BoolArray


def audit_artefact(
    methods: Sequence[str] = (),
    *,
    seed: int = 0,
    n_patients: int = PATIENTS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Audit:
    """Audit methods on a network that was taught to tell healthy records with a small spike in V4 from those without.

    Each patient is there twice, with and without it: the spike alone tells the label. (Hussein and others planted such
    artefacts; a method that misses it would miss a shortcut of a real network.)

    Parameters
    ----------
    methods : names of `METHODS`, all that apply to the network when empty.
    seed : int
        Of patients and training.
    n_patients : int
        Patients to learn from; others are held out.
    progress : called with the number of methods done and to do.

    Raises
    ------
    ExplanationError
        For a seed below 0, or no patient to learn from.
    EcgvizError
        For an unknown method.
    """
    _check_known(methods)
    examples = [example for made in _patients(("normal",), n_patients, seed) for example in _spiked(made)]
    n_trained = 2 * n_patients
    place = f"{LEAD}, {SPIKE_S:g} s, a spike of {SPIKE_MV:g} mV"
    model, untrained, truth, said = _taught(
        examples, n_trained, functional.binary_cross_entropy_with_logits, "spike", places=25, seed=seed
    )
    quality = float(roc_auc_score(truth, said))
    asked = [example for example in examples[n_trained:] if example.target == 1]
    rows = _rows(model, untrained, asked, methods, seed, progress) if quality >= LEAST_AUC else ()
    return Audit("planted artefact", place, "AUC", quality, LEAST_AUC, rows)


def audit_amplitude(
    methods: Sequence[str] = (),
    *,
    seed: int = 0,
    n_patients: int = PATIENTS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Audit:
    """Audit methods on a network that was taught to give the amplitude of the T wave of V4, in mV.

    Each patient is there several times, with other gains. After Wagner et al. 2024 (Comput. Biol. Med. 176:108525,
    arXiv:2305.17043), who regressed real amplitudes; there neighbouring leads tell of each other's T waves, here the T
    waves of each lead have a gain of their own. Arguments and refusals are those of `audit_artefact`.
    """
    _check_known(methods)
    patients = [made for made in _patients(T_FINDINGS, n_patients, seed) for _ in range(GAINS)]
    rng = np.random.default_rng(seed)
    examples = [_with_t_gains(made, rng.uniform(*T_GAIN, len(STANDARD_LEADS))) for made in patients]
    n_trained = GAINS * n_patients
    model, untrained, truth, said = _taught(
        examples, n_trained, functional.mse_loss, "T amplitude", places=1, seed=seed
    )
    quality = float(r2_score(truth, said))
    rows = _rows(model, untrained, examples[n_trained:], methods, seed, progress) if quality >= LEAST_R2 else ()
    return Audit("amplitude regression", f"{LEAD}, T waves", "R²", quality, LEAST_R2, rows)


AUDITS: Mapping[str, Callable[..., Audit]] = {"artefact": audit_artefact, "amplitude": audit_amplitude}
"""Every audit by name."""


def _check_known(methods: Sequence[str]) -> None:
    """Refuse an unknown method before a network is taught for minutes."""
    for name in methods:
        find_method(name)


def _patients(findings: Sequence[str], n_patients: int, seed: int) -> list[Simulation]:
    """Simulate the patients to learn from, then those held out."""
    if seed < 0:
        raise ExplanationError(f"a seed is 0 or more, not {seed}")
    if n_patients < 1:
        raise ExplanationError(f"a network cannot learn from {n_patients} patients")
    n = n_patients + HELD_OUT
    first = FIRST_PATIENT + n * seed
    return [
        simulate(findings[k % len(findings)], seed=first + k, fs=SPEC.fs, duration_s=SPEC.duration_s) for k in range(n)
    ]


def _spiked(made: Simulation) -> tuple[_Example, _Example]:
    """Return a patient's record with a spike and without it."""
    signal = np.array(made.record.signal)
    at = round(SPIKE_S * SPEC.fs)
    signal[ROW, at] += SPIKE_MV
    signal[ROW, at + 1] -= SPIKE_MV
    inside = np.zeros(signal.shape, dtype=bool)
    reach = round(SPIKE_WIDTH_S * SPEC.fs)
    inside[ROW, at - reach : at + 1 + reach + 1] = True
    beats = made.truth.beats
    return (
        _Example(replace(made.record, signal=signal), 1.0, beats, inside),
        _Example(made.record, 0.0, beats, inside),
    )


def _with_t_gains(made: Simulation, gains: FloatArray) -> _Example:
    """Return a record whose T waves are multiplied by a gain for each lead (12,), about the lead's median."""
    signal = np.array(made.record.signal, dtype=float)
    at_s = np.arange(signal.shape[1]) / SPEC.fs
    beats = made.truth.beats
    window = np.zeros(at_s.size)
    for on, off in zip(beats.t_on, beats.t_off, strict=True):
        if np.isfinite(on) and np.isfinite(off):
            window = np.maximum(window, np.clip(np.minimum(at_s - on, off - at_s) / RAMP_S + 0.5, 0, 1))
    level = np.median(signal, axis=1, keepdims=True)
    signal = level + (signal - level) * (1 + (gains[:, None] - 1) * window)
    inside = np.zeros(signal.shape, dtype=bool)
    inside[ROW] = window > 0
    target = float(made.truth.per_lead["t_mv"][ROW] * gains[ROW])
    return _Example(replace(made.record, signal=signal), target, beats, inside)


def _taught(
    examples: Sequence[_Example], n_trained: int, loss: Any, label: str, *, places: int, seed: int
) -> tuple[Model, Model, FloatArray, FloatArray]:
    """Return the trained and the untrained network, and of the examples held out the targets and the answers."""
    untrained = as_model(fresh_net(places, seed + 1), label)
    inputs = [model_input(untrained, example.record) for example in examples]
    target = np.array([example.target for example in examples])
    x = np.stack([each.x for each in inputs[:n_trained]])
    model = as_model(trained_net(x, target[:n_trained], loss, places=places, seed=seed), label)
    return model, untrained, target[n_trained:], predict_batch(model, inputs[n_trained:])[:, 0]


def _rows(
    model: Model,
    untrained: Model,
    asked: Sequence[_Example],
    methods: Sequence[str],
    seed: int,
    progress: Callable[[int, int], None],
) -> tuple[AuditRow, ...]:
    chosen = [name for name in methods or METHODS if methods or not find_method(name).why_not(model)]
    rows = []
    for done, method in enumerate(chosen):
        rows.append(_row(model, untrained, asked[:EXPLAINED], method, seed))
        progress(done + 1, len(chosen))
    return tuple(rows)


def _row(model: Model, untrained: Model, asked: Sequence[_Example], method: str, seed: int) -> AuditRow:
    found: list[FloatArray] = []
    controls: list[tuple[float, float]] = []
    refused = ""
    for example in asked:
        try:
            own, other = (
                explain(net, example.record, model.labels[0], method, example.beats, seed=seed)
                for net in (model, untrained)
            )
        except EcgvizError as refusal:
            refused = str(refusal)
            continue
        found.append(localised(own, example.inside))
        trivial = trivial_maps(model_input(model, example.record, example.beats), own)["|x|"]
        controls.append((localised(trivial, example.inside)[0], localised(other, example.inside)[0]))
    if not found:
        missing = (np.nan,) * 7
        return AuditRow(method, 0, *missing, passed=False, why=refused)
    share, specificity, lead_hit, time_hit = np.mean(found, axis=0).tolist()
    amplitude, weights = np.mean(controls, axis=0).tolist()
    chance = float(np.mean([example.inside.mean() for example in asked]))
    why = shortcoming(share, float(np.nanmax([amplitude, weights, chance])), lead_hit, time_hit)
    return AuditRow(
        method, len(found), share, chance, amplitude, weights, specificity, lead_hit, time_hit, passed=not why, why=why
    )


def localised(found: Explanation, inside: BoolArray) -> FloatArray:
    """Return share, specificity, lead hit and time hit of one map (see `AuditRow`), NaN where it has no such axis.

    A map of nothing found nothing: 0 on each axis that it has.
    """
    size = np.abs(found.values)
    if not size.any():
        share = 0.0 if found.has_leads and found.has_time else np.nan
        of_leads, of_time = (0.0 if has else np.nan for has in (found.has_leads, found.has_time))
        return np.array([share, of_leads, of_leads, of_time])
    by_lead, by_time = np.sqrt((size**2).sum(axis=1)), np.sqrt((size**2).sum(axis=0))
    row, instants = np.asarray(inside.any(axis=1)), np.asarray(inside.any(axis=0))
    share = size[inside].sum() / size.sum() if found.has_leads and found.has_time else np.nan
    specificity = np.linalg.norm(by_lead[row]) / np.linalg.norm(by_lead) if found.has_leads else np.nan
    lead_hit = _strongest(by_lead, row) if found.has_leads else np.nan
    time_hit = _strongest(by_time, instants) if found.has_time else np.nan
    return np.array([share, specificity, lead_hit, time_hit])


def _strongest(values: FloatArray, right: NDArray[np.bool_]) -> float:
    """Return whether the largest value is at a right place, alone or with others: cells of a map may span beats."""
    return float(right[values == values.max()].any())


def shortcoming(share: float, control: float, lead_hit: float, time_hit: float) -> str:
    """Return why a method fails an audit, "" when it passes; what a map cannot answer does not count against it."""
    if lead_hit < FOUND:
        return f"the strongest lead is {LEAD} in {100 * lead_hit:.0f} % of the records"
    if time_hit < FOUND:
        return f"the strongest instant lies in the place in {100 * time_hit:.0f} % of the records"
    if share <= control:
        return "no more of it lies in the place than of a map that knows nothing"
    return ""
