"""Networks that others wrote: called, explained beside random twins, drawn as far as they read, computed once more."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ecgviz import nets
from ecgviz.beats import delineate
from ecgviz.checkpoint import Model, load_model, model_input, predict, save_model
from ecgviz.cli import main
from ecgviz.errors import ExplanationError, ModelError
from ecgviz.explain import METHODS, applicable, explain, explain_controls
from ecgviz.explain.baselines import baseline
from ecgviz.explain.stand_ins import STAND_INS, standing_in
from ecgviz.explain.untrained import untrained_network
from ecgviz.figures.sheet import sheet_starts
from ecgviz.pipeline import analyse, save_case
from ecgviz.records.leads import EXTRA_LEADS, STANDARD_LEADS
from ecgviz.report import render
from ecgviz.report.as_pdf import _pages
from ecgviz.simulate import simulate
from ecgviz.types import AttentionMap, Case, InputSpec, Record
from ecgviz.types.paper import SPEEDS_MM_S, PaperFormat
from tests.test_report import drawings, millimetres
from tests.toys import SPEC, noise_record, toy_model

HOLTER = ("MLII", "V5")


class Convolved(nn.Module):
    """As most networks for ECGs begin: a convolution, a batch normalisation, a ReLU."""

    levels = ()

    def __init__(self, n_labels: int, leads: int = 12) -> None:
        super().__init__()
        self.conv = nn.Conv1d(leads, 8, 9, 4, padding=4)
        self.norm = nn.BatchNorm1d(8, momentum=0.25)
        self.output = nn.Linear(8, n_labels)

    def states(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(self.states(x).mean(dim=2))


class OwnFirstState(Convolved):
    """A recurrent layer that begins with zeros of its own, as the tutorials of PyTorch write it."""

    def __init__(self, n_labels: int) -> None:
        super().__init__(n_labels)
        self.lstm = nn.LSTM(8, 8, batch_first=True)

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        zeros = torch.zeros(1, len(x), 8).to(x.device)
        return self.output(self.lstm(self.states(x).transpose(1, 2), (zeros, zeros))[0][:, -1])


class OwnPrecision(Convolved):
    """What it is fed becomes float32 first, as code for mixed precision has it."""

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return super().forward(x.float())


class OwnPrecisionLate(OwnFirstState):
    """A recurrent layer says that it is fed another type by a ValueError."""

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        return self.output(self.lstm(self.states(x).transpose(1, 2).float())[0][:, -1])


class NeverTrained(Convolved):
    """Written for prediction alone: it cannot run where its normalisation takes the statistics of what it is fed."""

    def forward(self, x: Tensor, *, r_s=None, meta=None, mask=None) -> Tensor:
        if self.norm.training:
            raise RuntimeError("this copy is for inference")
        return super().forward(x)


class SignalAlone(nn.Module):
    """A network as it is written where nobody asks for more than the signal."""

    def __init__(self, n_labels: int) -> None:
        super().__init__()
        self.output = nn.Linear(12, n_labels)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(x.mean(dim=2))


class Thirds(Convolved):
    """It attends to thirds of what it reads."""

    levels = ("rhythm",)

    def taps(self, x: Tensor, *, fs, start_s, leads, r_s=None, meta=None, mask=None) -> list[AttentionMap]:
        edges = start_s + x.shape[2] / fs * np.arange(4) / 3
        span_s = np.stack([edges[:-1], edges[1:]], axis=1)
        values = np.array([[0.2, 0.3, 0.5]])
        return [AttentionMap("rhythm", values, span_s, (), None, "all", 0.1)]


def registered(
    make: Callable[..., nn.Module], monkeypatch: pytest.MonkeyPatch, spec: InputSpec = SPEC, **config: int
) -> Model:
    """Return a model of a network of one's own, which an installed package would register."""
    name = f"own {make.__name__} {len(spec.leads)}"
    monkeypatch.setitem(nets.NETS, name, make)
    net = nets.build(name, 2, seed=1, config=config)
    return toy_model(net, labels=("MI", "NORM"), spec=spec, net_name=name, **config)


@pytest.mark.parametrize("make", [OwnFirstState, OwnPrecision, OwnPrecisionLate])
def test_a_network_that_makes_numbers_in_single_precision_has_random_twins(
    make: type[Convolved], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = registered(make, monkeypatch)
    twin, record = untrained_network(model, 0), noise_record()
    assert {each.dtype for each in twin.state_dict().values() if each.is_floating_point()} == {torch.float32}
    assert not any(part.training for part in twin.modules())
    assert twin.norm.momentum == 0.25
    states = twin.conv(torch.from_numpy(hearts()).float()).transpose(0, 1).flatten(1)
    torch.testing.assert_close(twin.norm.running_mean, states.mean(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(twin.norm.running_var, states.var(dim=1), rtol=1e-4, atol=1e-5)
    controls = explain_controls(model, record, "MI", "saliency", delineate(record), seeds=(0, 1))
    assert all(each.values.any() for each in controls["random networks"])


def hearts() -> np.ndarray:
    """Return the healthy hearts that normalisations are measured on, (2, 12, 1000)."""
    records = [simulate("normal", seed=seed, fs=500.0, duration_s=10.0).record for seed in range(2)]
    return np.stack([model_input(toy_model(nn.Identity()), record).x for record in records])


def test_what_cannot_be_built_anew_is_named_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    model = registered(NeverTrained, monkeypatch)
    told = "no random network to hold the maps of own NeverTrained 12 against.*RuntimeError: this copy is for inference"
    with pytest.raises(ExplanationError, match=told):
        untrained_network(model, 0)


def of_holter(monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return a network that reads MLII and V5."""
    return registered(Convolved, monkeypatch, replace(SPEC, leads=HOLTER), leads=2)


def holter() -> Record:
    """Return a recording in MLII and V5."""
    simulated = simulate("normal", seed=5, fs=360.0, duration_s=10.0).record
    return replace(simulated, signal=np.stack([simulated.lead(lead) for lead in ("II", "V5")]), leads=HOLTER)


@pytest.mark.parametrize("method", ["saliency", "occlusion"])
def test_a_network_of_leads_that_are_not_simulated_is_held_against_random_ones(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = of_holter(monkeypatch)
    record = holter()
    controls = explain_controls(model, record, "MI", method, delineate(record), seeds=(0, 1))
    assert [each.leads for each in controls["random networks"]] == [HOLTER, HOLTER]
    assert all(each.values.any() for each in controls["random networks"])


@pytest.mark.parametrize("method", ["deep_lift", "guided_backprop"])
def test_methods_that_are_tried_on_a_simulated_heart_are_tried_on_other_leads_too(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = of_holter(monkeypatch)
    assert not re.search("simulated|MLII", METHODS[method].why_not(model))


def test_each_lead_has_one_of_the_twelve_to_stand_in_where_only_the_scale_counts() -> None:
    record = simulate("normal", seed=0, fs=100.0, duration_s=2.0).record
    assert standing_in(record, STANDARD_LEADS) is record
    every = standing_in(record, ("V5", *EXTRA_LEADS))
    assert set(every.leads) == {*STANDARD_LEADS, *EXTRA_LEADS}
    for lead, stands_in in {"MLI": "I", "MLII": "II", "V8": "V6", "V4R": "V1", "vy": "aVF", "CM5": "II"}.items():
        np.testing.assert_array_equal(every.lead(lead), record.lead(stands_in))
    assert STAND_INS.keys() <= set(EXTRA_LEADS)


@pytest.mark.parametrize("name", ["healthy", "normals"])
def test_no_heart_is_invented_as_a_baseline_of_a_lead_that_is_not_simulated(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = of_holter(monkeypatch)
    record = holter()
    inputs, beats = model_input(model, record), delineate(record)
    told = f"no healthy heart is simulated in lead MLII: there is no baseline '{name}'; zero, isoelectric and blur"
    with pytest.raises(ExplanationError, match=told):
        baseline(name, model, inputs, beats, seed=0)
    for other in ("zero", "isoelectric", "blur"):
        assert explain(model, record, "MI", "integrated_gradients", beats, baseline=other).leads == HOLTER
    mixed = replace(SPEC, leads=("V9", "I", "vz"))
    with pytest.raises(ExplanationError, match="in lead V9, vz: there"):
        baseline(name, replace(model, spec=mixed), inputs, beats, seed=0)


def test_a_method_that_begins_at_normal_records_says_that_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    model = of_holter(monkeypatch)
    assert "gradient_shap" not in applicable(model)
    assert METHODS["gradient_shap"].why_not(model).startswith("no healthy heart is simulated in lead MLII: there is no")
    assert "integrated_gradients" in applicable(model)


@pytest.mark.data
def test_a_holter_network_is_explained_on_the_command_line_and_in_a_cohort(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """MIT-BIH 100 is of MLII and V5; here are its first 20 s."""
    (tmp_path / "records").mkdir()
    signals, read = (data_dir / "formats" / "100.dat").read_bytes(), (data_dir / "formats" / "100.hea").read_text()
    (tmp_path / "records" / "100.dat").write_bytes(signals[: 3 * 20 * 360])
    (tmp_path / "records" / "100.hea").write_text(read.replace(" 650000", f" {20 * 360}"))
    model = registered(Convolved, monkeypatch, replace(SPEC, leads=HOLTER, fs=360.0), leads=2)
    asked = ["--model", str(kept(model, tmp_path / "own"))]
    for method in ("saliency", "occlusion"):
        recording, out = str(tmp_path / "records" / "100.hea"), str(tmp_path / method)
        assert main(["explain", recording, *asked, "--label", "MI", "--method", method, "--out", out]) == 0
    both = ["--method", "saliency", "--method", "occlusion", "--out", str(tmp_path / "store"), "--jobs", "1"]
    assert main(["cohort", "run", "--data", str(tmp_path / "records"), *asked, *both]) == 0
    capsys.readouterr()
    assert main(["cohort", "query", str(tmp_path / "store"), "select method, failure from cohort", "--json"]) == 0
    assert {(row["method"], row["failure"]) for row in json.loads(capsys.readouterr().out)} == {
        ("saliency", None),
        ("occlusion", None),
    }


def kept(model: Model, folder: Path) -> Path:
    """Write a model to a folder, as an import does."""
    save_model(
        folder,
        model.net,
        net_name=model.net_name,
        config=dict(model.config),
        name=folder.name,
        version="1",
        spec=model.spec,
        labels=model.labels,
        thresholds=model.thresholds,
        metrics={},
        training={},
        card="# own\n",
    )
    return folder


def test_a_network_that_takes_the_signal_alone_is_told_how_networks_are_called() -> None:
    with pytest.raises(ModelError, match="unexpected keyword argument 'r_s'") as refused:
        predict(toy_model(SignalAlone(1)), noise_record())
    assert "called as net(x, r_s=..., meta=..., mask=...)" in str(refused.value)
    assert "leads, rate and length" not in str(refused.value)
    with pytest.raises(ModelError, match="are leads, rate and length those that it was trained with"):
        predict(toy_model(Convolved(1, leads=3)), noise_record())


@pytest.mark.parametrize("form", [PaperFormat(speed_mm_s=speed) for speed in SPEEDS_MM_S])
@pytest.mark.parametrize("duration_s", [4.0, 10.0, 12.5, 38.4, 1805.6])
def test_sheets_run_on_until_a_network_read_no_more(form: PaperFormat, duration_s: float) -> None:
    """The paper holds all that it read, no sheet begins after that, and ten seconds are the least."""
    sheet_s = form.sheet_s(duration_s)
    for start_s in (0.0, 2.5):
        ten = sheet_starts(start_s, form, duration_s)
        for read_s in (2.5, 9.9999, 10.0, 10.0018):  # the last is 1667 samples at 166.67 Hz
            assert sheet_starts(start_s, form, duration_s, read_s) == ten
        for read_s in (10.5, 30.0, 60.0):
            starts, end_s = sheet_starts(start_s, form, duration_s, read_s), min(start_s + read_s, duration_s)
            np.testing.assert_allclose(starts, start_s + sheet_s * np.arange(len(starts)))
            assert starts[-1] < end_s <= starts[-1] + sheet_s + 1e-9
            assert starts[: len(ten)] == ten


@pytest.fixture
def half_a_minute(monkeypatch: pytest.MonkeyPatch) -> Case:
    """Return a case of a network that reads 30 s, of a recording of 38 s."""
    model = registered(Thirds, monkeypatch, replace(SPEC, duration_s=30.0))
    record = simulate("normal", seed=3, fs=250.0, duration_s=38.0).record
    return analyse(record, model, "MI", "saliency")


def test_a_report_draws_all_that_a_network_read(half_a_minute: Case) -> None:
    page, printed = render(half_a_minute), list(_pages(half_a_minute, "title"))
    assert page.count(f'alt="12-lead tracing of {half_a_minute.record.id}') == 3
    assert page.count('alt="rhythm attention behind the tracing') == 3
    for svg in drawings(page)[:3]:  # the map lies behind all of each sheet
        assert np.ptp(np.concatenate(millimetres(svg, "heat"))[:, 0]) == pytest.approx(250.0, abs=0.25)
    papers = [each for each in printed if any("mm/s" in text.get_text() for text in each.texts)]
    assert len(papers) == 6
    spans = [each.get_axes()[0].get_xlim() for each in papers]
    assert [max(0, round(left)) for left, _ in spans] == [0, 10, 20, 0, 10, 20]


def test_a_case_of_a_model_of_ones_own_is_verified_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept(registered(Convolved, monkeypatch), tmp_path / "own")
    save_case(analyse(noise_record(), load_model(folder), "MI", "saliency"), tmp_path / "case")
    assert main(["verify", str(tmp_path / "case")]) == 2
    told = capsys.readouterr().err
    assert "was made with the model 'own', which is not a shipped one" in told
    assert "give the folder of the case's model with --model" in told
    assert main(["verify", str(tmp_path / "case"), "--model", str(folder)]) == 0
    main(["verify", "--help"])
    assert "imle_net if not given" not in re.sub(r"\s+", " ", capsys.readouterr().out)
