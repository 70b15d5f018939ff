"""From a simulated recording to the verdict: a network whose reason is known is recognised as right or wrong."""

import numpy as np
import pytest
import torch

from ecgviz.beats import delineate
from ecgviz.checkpoint import load_model, model_input, predict
from ecgviz.compare import compare
from ecgviz.criteria import evaluate
from ecgviz.evidence import evidence
from ecgviz.explain import controls_of_many, explain, explain_controls
from ecgviz.measure import measure
from ecgviz.nets import NETS, build
from ecgviz.pipeline import examine, findings_of
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.types import ATOMS
from tests.toys import LEADS, SPEC, Linear, toy_model

INFERIOR, LATERAL = ("II", "III", "aVF"), ("I", "aVL", "V5", "V6")


class Untrained(Linear):
    """The same architecture with random weights."""

    def __init__(self, n_labels: int) -> None:
        super().__init__(np.zeros((n_labels, 12, SPEC.n_samples)), (0.0,) * n_labels)
        torch.nn.init.normal_(self.weight, std=0.01)


@pytest.fixture(scope="module", params=range(4))
def infarct(request):
    """One simulated inferior STEMI, delineated and evaluated as any recording is."""
    simulation = simulate("inferior_stemi", seed=request.param, fs=500.0, duration_s=10.0, severity=1.2)
    clean = condition(simulation.record)
    beats = delineate(clean)
    measured = measure(clean, beats)
    record = simulation.record
    findings = evaluate("IMI", measured, beats, age_years=record.age_years, sex=record.sex)
    return simulation, beats, findings


def reader(truth, leads, atom):
    """Return a network whose logit is the mean level in one true wave of some leads, and nothing else."""
    weight = np.zeros((1, 12, SPEC.n_samples))
    left = (np.arange(SPEC.n_samples) - 0.5) / SPEC.fs
    for start, end in truth.beats.segments()[:, ATOMS.index(atom)]:
        within = (left >= start) & (left + 1 / SPEC.fs <= end)
        weight[0][np.ix_([LEADS.index(lead) for lead in leads], np.flatnonzero(within))] = 1.0
    return toy_model(Linear(4 * weight / weight.sum()), labels=("IMI",), net_name="toy_linear")


def verdict(model, infarct, method, monkeypatch):
    simulation, beats, findings = infarct
    monkeypatch.setitem(NETS, "toy_linear", Untrained)
    explanation = explain(model, simulation.record, "IMI", method, beats)
    controls = {
        name: tuple(evidence(each, beats) for each in maps)
        for name, maps in explain_controls(model, simulation.record, "IMI", method, beats).items()
    }
    prediction = predict(model, simulation.record, beats)
    grid = evidence(explanation, beats)
    return compare(explanation, beats, grid, findings, controls, prediction, "IMI")


def test_the_planted_infarct_is_met(infarct):
    acute = [finding for finding in infarct[2] if finding.definition.startswith("acute")]
    assert [finding.state for finding in acute] == ["met"]


@pytest.mark.parametrize("method", ["integrated_gradients", "input_x_gradient"])
def test_a_network_that_reads_inferior_st_agrees(infarct, method, monkeypatch):
    result = verdict(reader(infarct[0].truth, INFERIOR, "ST"), infarct, method, monkeypatch)
    assert result.share >= 0.9
    assert result.evidence == "agrees", result.why
    assert result.p_time < 0.02
    assert result.label == "both"


@pytest.mark.parametrize("method", ["integrated_gradients", "input_x_gradient", "saliency"])
def test_a_network_that_reads_the_lateral_p_wave_is_at_chance(infarct, method, monkeypatch):
    result = verdict(reader(infarct[0].truth, LATERAL, "P"), infarct, method, monkeypatch)
    assert result.share <= result.area + 0.02
    assert result.evidence == "disagrees"
    assert result.contra_share > 0.8  # the guideline says that P waves should not matter here


def test_a_network_that_reads_the_same_wave_in_other_leads_does_not_agree(infarct, monkeypatch):
    result = verdict(reader(infarct[0].truth, ("V5", "V6"), "ST"), infarct, "saliency", monkeypatch)
    assert result.share < 0.05
    assert result.evidence == "disagrees"


def test_a_network_that_reads_the_wave_before_in_the_same_leads_does_not_agree(infarct, monkeypatch):
    result = verdict(reader(infarct[0].truth, INFERIOR, "P"), infarct, "saliency", monkeypatch)
    assert result.share < 0.05
    assert result.evidence == "disagrees"


@pytest.mark.data
def test_real_recordings_end_in_a_verdict_or_a_sentence(data_dir):
    """Whatever the record and the method: mass is conserved, and what cannot be judged says why."""
    net = build("imle_net", 2, seed=0, config={"width": 0.125})
    model = toy_model(net, labels=("MI", "STTC"), net_name="imle_net", width=0.125)
    paths = sorted((data_dir / "ptbxl" / "records100").rglob("*.hea"))[::80]
    assert len(paths) >= 5
    for path in paths:
        record = load_record(path)
        clean = condition(record)
        beats = delineate(clean)
        measured = measure(clean, beats)
        for method in ("attention_joint", "decomposition", "saliency"):
            explanation = explain(model, record, "STTC", method, beats)
            grid = evidence(explanation, beats)
            lost = grid.pos.sum() - grid.neg.sum() + grid.outside - explanation.values.sum()
            assert abs(lost) <= 1e-9 * np.abs(explanation.values).sum()
            maps = explain_controls(model, record, "STTC", method, beats, seeds=(0,))
            controls = {name: tuple(evidence(each, beats) for each in group) for name, group in maps.items()}
            findings = evaluate("STTC", measured, beats, age_years=record.age_years, sex=record.sex)
            prediction = predict(model, record, beats)
            result = compare(explanation, beats, grid, findings, controls, prediction, "STTC")
            assert (result.evidence == "not assessable") == np.isnan(result.share)
            assert result.why


def test_an_untrained_network_does_not_agree(infarct, monkeypatch):
    torch.manual_seed(11)
    model = toy_model(Untrained(1), labels=("IMI",), net_name="toy_linear")
    assert verdict(model, infarct, "integrated_gradients", monkeypatch).evidence != "agrees"


def test_maps_of_networks_without_training_do_not_agree_on_real_recordings(data_dir):
    """Two random networks a recording, held against five others and the trivial maps, as a trained one is."""
    model = load_model("resnet1d")
    said = []
    for path in sorted((data_dir / "ptbxl").rglob("*_hr.hea"))[::12]:
        examined = examine(load_record(path))
        prepared, prediction = model_input(model, examined.record), predict(model, examined.record)
        for label in ("CD", "HYP", "MI", "STTC"):
            findings = findings_of(examined, label)
            if not any(finding.state == "met" for finding in findings):
                continue
            made = controls_of_many(
                model, [prepared], label, "input_x_gradient", [examined.beats], seeds=[tuple(range(7))]
            )[0]
            grids = {name: [evidence(each, examined.beats) for each in maps] for name, maps in made.items()}
            random = grids["random networks"]
            controls = grids | {"random networks": random[:5]}
            said += [
                compare(map_, examined.beats, grid, findings, controls, prediction, label).evidence
                for map_, grid in zip(made["random networks"][5:], random[5:], strict=True)
            ]
    assert len(said) >= 20
    assert said.count("agrees") <= 0.05 * len(said)
    assert said.count("disagrees") > said.count("agrees")
