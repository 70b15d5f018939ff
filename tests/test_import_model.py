"""Networks from elsewhere: what fits predicts as it did there, what does not is refused by name, and no code runs."""

import hashlib
import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toys import LEADS, SPEC, Small, noise_record

from ecgviz.checkpoint import (
    CARD,
    DESCRIPTION,
    PROGRAM,
    load_model,
    model_input,
    predict,
    predict_batch,
    trial,
    unpickle,
)
from ecgviz.checkpoint import archive as archives
from ecgviz.checkpoint.convert import import_checkpoint, import_program, without_prefix
from ecgviz.checkpoint.exported import ExportedProgram
from ecgviz.checkpoint.unpickle import checkpoint_tensors, read_weights
from ecgviz.cli import main
from ecgviz.errors import EcgvizError, ExplanationError, ModelError
from ecgviz.explain import explain
from ecgviz.nets import NETS, build
from ecgviz.types import InputSpec

CONFIG = {"width": 0.25}
LABELS = ("MI", "NORM")
Change = Callable[[dict[str, Any]], None]


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def network() -> torch.nn.Module:
    return build("imle_net", 2, seed=3, config=CONFIG)


def saved(path: Path, what: Any) -> Path:
    torch.save(what, path)
    return path


def imported(file: Path, folder: Path, **changes: Any) -> Path:
    given: dict[str, Any] = {"net_name": "imle_net", "config": CONFIG, "labels": LABELS, "spec": SPEC} | changes
    import_checkpoint(file, folder, **given)
    return folder


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read checkpoints in this process: what is refused after reading needs no child."""
    monkeypatch.setattr(
        "ecgviz.checkpoint.convert.checkpoint_tensors", lambda file: read_weights(file, file.name), raising=True
    )


@pytest.fixture(autouse=True)
def tried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try programs in this process: a child takes seconds, and says the same."""
    monkeypatch.setattr("ecgviz.checkpoint.convert.try_in_child", trial.try_here, raising=True)


def exported(net: torch.nn.Module, n_records: int | None, n_samples: int = 1000) -> bytes:
    stream = io.BytesIO()
    dynamic = ({0: torch.export.Dim("batch", min=1, max=64)},) if n_records is None else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(net.eval(), (torch.zeros(n_records or 2, 12, n_samples),), dynamic_shapes=dynamic)
        torch.export.save(program, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def small() -> torch.nn.Module:
    torch.manual_seed(0)
    return Small(2).eval()


@pytest.fixture(scope="module")
def any_batch(small: torch.nn.Module) -> bytes:
    return exported(small, None)


@pytest.fixture(scope="module")
def one_at_once(small: torch.nn.Module) -> bytes:
    return exported(small, 1)


def rezipped(data: bytes, changed: Mapping[str, bytes | None]) -> bytes:
    """Return an archive in which the members with these ends of their names are replaced, or left out for None."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = next((value for end, value in changed.items() if name.endswith(end)), old.read(name))
            if content is not None:
                new.writestr(name, content)
    return stream.getvalue()


def edited(data: bytes, member: str, change: Change) -> bytes:
    """Return an archive with one of its JSON members changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        told = json.loads(old.read(next(name for name in old.namelist() if name.endswith(member))))
    change(told)
    return rezipped(data, {member: json.dumps(told).encode()})


def nodes(told: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told["graph_module"]["graph"]["nodes"]
    return found


def test_a_checkpoint_of_a_trainer_predicts_as_the_network_it_was(tmp_path: Path) -> None:
    net = network()
    state = {
        f"module.{key}": tensor.half() if key == "output.bias" else tensor for key, tensor in net.state_dict().items()
    }
    file = saved(tmp_path / "net.pt", {"epoch": 3, "optimizer": {"lr": 0.1}, "state_dict": state})
    model = load_model(imported(file, tmp_path / "mine", thresholds=(0.3, 0.7)))
    record = noise_record(1)
    with torch.inference_mode():
        logits = net(torch.tensor(model_input(model, record).x)[None])[0]
    np.testing.assert_allclose(predict(model, record).logits, logits, atol=1e-6)
    assert (model.name, model.labels, model.thresholds, model.spec) == ("mine", LABELS, (0.3, 0.7), SPEC)
    assert model.metrics == {}


def test_the_card_says_what_is_known_and_what_is_not(read_here: None, tmp_path: Path) -> None:
    folder = imported(saved(tmp_path / "net.pt", network().state_dict()), tmp_path / "mine")
    card = (folder / CARD).read_text()
    assert "were not fitted: 0.5 each" in card
    assert "none were measured here" in card
    assert "10 s at 100 Hz in millivolts, minus 0 mV, over 0.25 mV" in card
    assert "not a medical device" in card.lower()
    assert json.loads((folder / DESCRIPTION).read_text())["training"]["thresholds_fitted"] is False
    fitted = imported(tmp_path / "net.pt", tmp_path / "other", thresholds=(0.2, 0.4))
    assert "MI 0.2, NORM 0.4, as stated" in (fitted / CARD).read_text()


def test_prefixes_are_taken_off_only_where_the_network_has_none() -> None:
    one = torch.zeros(1)
    assert set(without_prefix({"module.model.a.w": one, "module.model.b": one}, {"a.w": one, "b": one})) == {"a.w", "b"}
    assert set(without_prefix({"blocks.0": one, "blocks.1": one}, {"blocks.0": one, "out": one})) == {
        "blocks.0",
        "blocks.1",
    }
    assert set(without_prefix({"w": one}, {"v": one})) == {"w"}


@pytest.mark.parametrize(
    ("change", "given", "says"),
    [
        (lambda s: s.update({"stem.wait": s.pop("stem.weight")}), {}, r"missing \['stem.weight'\], unknown \['stem.w"),
        (lambda s: s.clear() or s.update({"layer1.weight": torch.zeros(3)}), {}, r"missing \['beat_attention.*unknown"),
        (
            lambda s: s.update({"stem.weight": torch.zeros(8, 1, 9)}),
            {},
            r"stem.weight is \(8, 1, 9\).*wants \(8, 1, 8\)",
        ),
        (lambda s: s["stem.bias"].fill_(float("nan")), {}, "stem.bias holds values that are not finite"),
        (lambda s: None, {"labels": ("A", "B", "C")}, r"output.* has 2 outputs, and 3 labels are given"),
        (lambda s: None, {"config": {"width": 0.5}}, r"net.pt: .* the network wants"),
        (lambda s: None, {"config": {"breadth": 1.0}}, "imle_net cannot be built with .*breadth"),
        (lambda s: None, {"net_name": "no_such_net"}, "imle_net"),
        (lambda s: None, {"thresholds": (0.5,)}, "1 thresholds for 2 labels"),
        (lambda s: None, {"thresholds": (0.5, 1.5)}, "not all between 0 and 1"),
        (lambda s: None, {"labels": ("A", "A")}, "not all different"),
    ],
)
def test_what_does_not_fit_is_named(
    read_here: None, tmp_path: Path, change: Callable[[dict[str, Any]], Any], given: dict[str, Any], says: str
) -> None:
    state = dict(network().state_dict())
    change(state)
    with pytest.raises(EcgvizError, match=says):
        imported(saved(tmp_path / "net.pt", state), tmp_path / "mine", **given)
    assert not (tmp_path / "mine").exists()


def test_a_poisoned_pickle_is_refused_and_never_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    file = saved(tmp_path / "net.pt", {"state_dict": network().state_dict(), "hook": Bomb(canary)})
    with pytest.raises(ModelError, match=r"weights_only refused: net.pt holds objects other than tensors"):
        checkpoint_tensors(file)
    file.write_bytes(pickle.dumps(Bomb(canary), protocol=2))
    with pytest.raises(ModelError, match=r"weights_only refused: net.pt"):
        read_weights(file, file.name)
    assert not canary.exists()
    torch.load(saved(tmp_path / "net.pt", Bomb(canary)), weights_only=False)
    assert canary.exists()  # the bomb works where nobody stops it


def test_a_whole_network_is_refused_by_its_class(tmp_path: Path) -> None:
    file = saved(tmp_path / "net.pt", torch.nn.Linear(2, 2))
    with pytest.raises(ModelError, match=r"torch.nn.modules.linear.Linear.*state_dict"):
        read_weights(file, file.name)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ([torch.zeros(1)], "holds no weights by name"),
        ({}, "holds no weights by name"),
        ({"epoch": 3, "weights": torch.zeros(1)}, "'epoch' is int, no plain tensor"),
        ({"w": torch.zeros(1).expand(200_000_000)}, r"unpacks to 800 MB \(limit 500 MB\)"),
        (
            {"a." * 200_000: torch.zeros(1)},
            r"'(a\.){10}'\.\.\. is a name of 400000 letters \(limit 1000\)",
        ),
    ],
)
def test_checkpoints_without_plain_weights_are_refused(tmp_path: Path, what: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        read_weights(saved(tmp_path / "net.pt", what), "net.pt")


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    file = saved(tmp_path / "net.pt", network().state_dict())
    whole = file.read_bytes()
    for data in (whole[: len(whole) // 2], b"", b"no checkpoint at all", b"\x80\x02]q\x00."):
        file.write_bytes(data)
        with pytest.raises(ModelError, match=r"net.pt"):
            read_weights(file, "net.pt")
    with pytest.raises(ModelError, match="there is no file"):
        checkpoint_tensors(tmp_path / "nowhere.pt")


def test_zip_bombs_are_refused_by_their_unpacked_size(
    tmp_path: Path, any_batch: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
        bomb.writestr("net/data.pkl", b"")
        with bomb.open("net/data/0", "w", force_zip64=True) as member:
            for _ in range(52):
                member.write(bytes(10_000_000))
    with pytest.raises(ModelError, match=r"net.pt unpacks to 520 MB \(limit 500 MB\)"):
        read_weights(tmp_path / "net.pt", "net.pt")
    with pytest.raises(ModelError, match=r"unpacks to 520 MB \(limit 500 MB\)"):
        ExportedProgram((tmp_path / "net.pt").read_bytes(), "net.pt2")
    monkeypatch.setattr(unpickle, "MAX_BYTES", 10)
    with pytest.raises(ModelError, match=r"limit 0 MB"):
        checkpoint_tensors(tmp_path / "net.pt")


def test_a_checkpoint_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle, "LIMITS", unpickle.child.Limits(10**9, 10, 0.05, 10**9))
    with pytest.raises(ModelError, match=r"net\.pt: reading took more than 0 s and was stopped"):
        checkpoint_tensors(saved(tmp_path / "net.pt", network().state_dict()))


def program(folder: Path, data: bytes, **changes: Any) -> Path:
    file = folder / "net.pt2"
    file.write_bytes(data)
    import_program(file, folder / "mine", **({"labels": LABELS, "spec": SPEC} | changes))
    return folder / "mine"


def test_methods_of_a_program_are_said_to_give_maps_alone(
    tmp_path: Path, any_batch: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["methods", "--model", str(program(tmp_path, any_batch))]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "explain, report and cohort run refuse it" in told["maps_alone"]
    assert "" in [row["why_not"] for row in told["methods"]]
    assert main(asked) == 0
    assert told["maps_alone"] in capsys.readouterr().out


@pytest.mark.parametrize("fixture", ["any_batch", "one_at_once"])
def test_an_exported_program_predicts_as_the_network_it_was(
    tmp_path: Path, fixture: str, small: torch.nn.Module, request: pytest.FixtureRequest
) -> None:
    model = load_model(program(tmp_path, request.getfixturevalue(fixture)))
    inputs = [model_input(model, noise_record(seed)) for seed in range(5)]
    with torch.inference_mode():
        logits = small(torch.from_numpy(np.stack([each.x for each in inputs])))
    np.testing.assert_allclose(predict_batch(model, inputs), logits, atol=1e-6)
    assert model.n_parameters == sum(parameter.numel() for parameter in small.parameters())
    assert "exported program: it predicts and can be perturbed" in model.card
    assert "no gradients" in model.card


SMALL: dict[str, dict[str, Any]] = {
    "imle_net": CONFIG,
    "ecg_mamba": {},
    "res_lstm": {"n_features": 16, "n_layers": 1},
    "efficient_ecg": {},
    "resnet1d": {},
}


@pytest.mark.parametrize(("name", "with_gradients"), [*((name, False) for name in SMALL), ("imle_net", True)])
def test_the_networks_here_survive_their_export(tmp_path: Path, name: str, with_gradients: bool) -> None:
    net, n_samples = build(name, 2, seed=3, config=SMALL[name]), 1000 if name == "imle_net" else 200
    with torch.set_grad_enabled(with_gradients):
        data = exported(net, None, n_samples)
    model = load_model(program(tmp_path, data, spec=replace(SPEC, duration_s=n_samples / 100)))
    x = torch.randn(3, 12, n_samples, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        np.testing.assert_allclose(model.net(x), net(x), atol=1e-5)


class Varied(torch.nn.Module):
    """What networks for signals are often made of, besides convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(12, 8, 25, 20))
        self.place = torch.nn.Embedding(49, 8)
        layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, 1)
        self.step = torch.nn.GRUCell(8, 8)
        self.output = torch.nn.Linear(8 + 12 + 12, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.embed(x).mT
        tokens = self.encoder(tokens + self.place(torch.arange(49)))
        weights = tokens.mean(-1).masked_fill(torch.ones(49, 49).triu(1).bool().any(1), -torch.inf).softmax(-1)
        pooled = self.step((tokens * weights[..., None]).sum(1))
        spectrum = torch.fft.rfft(x.diff()).abs()[..., :20].double().float()
        return self.output(torch.cat([pooled, spectrum.mean(-1), x.nan_to_num().sort(-1)[0].median(-1)[0]], dim=1))


def test_a_program_may_call_what_networks_for_signals_are_made_of(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = Varied().eval()
    with torch.no_grad():
        model = load_model(program(tmp_path, exported(net, None)))
        x = torch.randn(3, 12, 1000, generator=torch.Generator().manual_seed(0))
        np.testing.assert_allclose(model.net(x), net(x), atol=1e-5)


class InParts(torch.nn.Module):
    """Parts run without gradients or without autocast, one inside the other."""

    def __init__(self, *, autocast: bool) -> None:
        super().__init__()
        self.output = torch.nn.Linear(12, 2)
        self.autocast = autocast

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        top = x.amax(-1)
        with torch.autocast("cpu", enabled=self.autocast):
            mean = x.mean(-1)
            with torch.no_grad():
                largest = (x + top[..., None]).amax(-1)
            mean = mean + largest
        return self.output(mean + largest)


def test_parts_of_a_program_run_in_their_place(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = InParts(autocast=False)
    model = load_model(program(tmp_path, exported(net, None)))
    x = torch.randn(3, 12, 1000)
    with torch.no_grad():
        np.testing.assert_allclose(model.net(x), net(x), atol=1e-6)


def test_a_part_with_autocast_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="switches autocast on in a part of it"):
        program(tmp_path, exported(InParts(autocast=True), None))


def test_a_program_in_training_mode_is_refused(tmp_path: Path) -> None:
    layers = torch.nn.Conv1d(12, 2, 5), torch.nn.BatchNorm1d(2), torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten()
    net = torch.nn.Sequential(*layers)
    net.eval = net.train  # type: ignore[method-assign]
    with pytest.raises(ModelError, match="export it in eval mode"):
        program(tmp_path, exported(net, None))


@pytest.mark.parametrize("method", ["saliency", "input_x_gradient", "integrated_gradients"])
def test_gradient_methods_refuse_an_exported_program(tmp_path: Path, any_batch: bytes, method: str) -> None:
    model = load_model(program(tmp_path, any_batch))
    with pytest.raises(
        ExplanationError, match="is an exported program: it predicts and can be perturbed, but it gives"
    ):
        explain(model, noise_record(), "MI", method, beats=None)


def test_an_exported_program_shows_no_attention(tmp_path: Path, any_batch: bytes) -> None:
    model = load_model(program(tmp_path, any_batch))
    with pytest.raises(ExplanationError, match="its attention levels: none"):
        explain(model, noise_record(), "MI", "attention_beat", beats=None)


def test_an_altered_program_is_refused(tmp_path: Path, any_batch: bytes) -> None:
    folder = program(tmp_path, any_batch)
    (folder / PROGRAM).write_bytes((folder / PROGRAM).read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"program.pt2 has SHA-256 .* the weights were changed"):
        load_model(folder)
    (folder / PROGRAM).unlink()
    with pytest.raises(ModelError, match=r"lacks program\.pt2"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": ("A", "B", "C")}, r"returns \(2,\) numbers a record, and has 3 labels"),
        (
            {"spec": InputSpec(LEADS, 500.0, 10.0, 0.0, 0.25)},
            r"shape \(12, 1000\), the input contract says \(12, 5000\)",
        ),
        (
            {"spec": InputSpec(LEADS[:8], 100.0, 10.0, 0.0, 0.25)},
            r"contract says \(8, 1000\) \(8 leads, 10 s at 100 Hz",
        ),
    ],
)
def test_programs_of_another_contract_are_refused(
    tmp_path: Path, any_batch: bytes, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        program(tmp_path, any_batch, **changes)


class Ending(torch.nn.Module):
    """A network whose answer goes through one more function, and is copied and reshaped."""

    def __init__(self, net: torch.nn.Module, ending: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.net, self.ending = net, ending

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.ending(self.net(x)).clone().reshape(-1, 2)


@pytest.mark.parametrize(
    ("ending", "named"), [(torch.sigmoid, "sigmoid"), (lambda y: torch.softmax(y, dim=1), "softmax")]
)
def test_a_program_that_returns_probabilities_is_refused(
    tmp_path: Path, small: torch.nn.Module, ending: Callable[[torch.Tensor], torch.Tensor], named: str
) -> None:
    with pytest.raises(ModelError, match=f"ends in {named}, and its outputs would be taken for logits"):
        program(tmp_path, exported(Ending(small, ending), 1))
    assert not (tmp_path / "mine").exists()
    program(tmp_path, exported(Ending(small, torch.tanh), 1))


class OneForTwo(Small):
    """Returns one number a record, whatever its labels."""

    def forward(self, x: torch.Tensor, **arguments: torch.Tensor | None) -> torch.Tensor:
        return super().forward(x, **arguments)[:, :1]


def test_a_network_that_does_not_return_a_logit_a_label_is_refused(
    read_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETS, "toy_one", OneForTwo)
    file = saved(tmp_path / "net.pt", OneForTwo(2).state_dict())
    with pytest.raises(ModelError, match=r"returns numbers of shape \(2, 1\) for 2 records of 2 labels"):
        imported(file, tmp_path / "mine", net_name="toy_one", config={})
    assert not (tmp_path / "mine").exists()


def test_a_network_that_cannot_be_fed_what_its_folder_says_is_one_sentence(tmp_path: Path) -> None:
    spec = InputSpec(("I", "II"), 100.0, 10.0, 0.0, 0.25)
    model = replace(load_model("resnet1d"), spec=spec)
    with pytest.raises(ModelError, match=r"resnet1d: its network cannot be fed 2 leads of 10 s at 100 Hz \(.*trained"):
        predict(model, noise_record())


def test_a_program_for_exactly_four_records_is_refused(tmp_path: Path, small: torch.nn.Module) -> None:
    with pytest.raises(ModelError, match="takes exactly 4 records at once"):
        program(tmp_path, exported(small, 4))


def _call_system(told: dict[str, Any]) -> None:
    nodes(told)[0].update(target="torch.os.system")


def _call_file(told: dict[str, Any]) -> None:
    nodes(told)[0].update(target="torch.ops.aten.from_file.default")


def _call_overload(told: dict[str, Any]) -> None:
    nodes(told)[0].update(target="torch.ops.aten.conv1d.__class__")


def _forget_value(told: dict[str, Any]) -> None:
    nodes(told)[0]["inputs"][0]["arg"] = {"as_tensor": {"name": "nobody"}}


def _take_graph(told: dict[str, Any]) -> None:
    nodes(told)[0]["inputs"][0]["arg"] = {"as_graph": {"name": "g", "graph": {}}}


def _take_twice(told: dict[str, Any]) -> None:
    specs = told["graph_module"]["signature"]["input_specs"]
    specs.append(next(spec for spec in specs if "user_input" in spec))


def _take_object(told: dict[str, Any]) -> None:
    told["graph_module"]["signature"]["input_specs"].append({"custom_obj": {"arg": {"name": "o"}}})


def _no_nodes(told: dict[str, Any]) -> None:
    del told["graph_module"]["graph"]["nodes"]


def _pickled(told: dict[str, Any]) -> None:
    next(iter(told["config"].values()))["use_pickle"] = True


def _odd_type(told: dict[str, Any]) -> None:
    next(iter(told["config"].values()))["tensor_meta"]["dtype"] = 99


def _beyond(told: dict[str, Any]) -> None:
    next(iter(told["config"].values()))["tensor_meta"]["sizes"][0]["as_int"] = 10**6


def _stretched(told: dict[str, Any], size: int = 10**13) -> None:
    for entry in told["config"].values():
        entry["tensor_meta"]["sizes"], entry["tensor_meta"]["strides"] = [{"as_int": size}], [{"as_int": 0}]


def _many_stretched(told: dict[str, Any]) -> None:
    _stretched(told, 70_000_000)


GRAPH, TABLE = "models/model.json", "model_weights_config.json"


@pytest.mark.parametrize(
    ("member", "change", "says"),
    [
        (GRAPH, _call_system, "calls 'torch.os.system', which is not among the operators"),
        (GRAPH, _call_file, "calls 'torch.ops.aten.from_file.default', which is not among the operators"),
        (GRAPH, _call_overload, "which this version of torch does not have"),
        (GRAPH, _forget_value, "its graph is damaged .*nobody"),
        (GRAPH, _take_graph, "an argument of the kind 'as_graph', which is not supported"),
        (GRAPH, _take_twice, "takes 2 values"),
        (GRAPH, _take_object, "takes a custom_obj, which is not supported"),
        (GRAPH, _no_nodes, "its graph is damaged .*nodes"),
        (TABLE, _pickled, "is stored as a pickle, which is never opened"),
        (TABLE, _odd_type, "number type"),
        (TABLE, _beyond, "is no exported program, or a damaged one"),
        (TABLE, _stretched, r"of shape \(10000000000000,\) is larger than 500 MB"),
        (TABLE, _many_stretched, "its tensors take more than 500 MB together"),
    ],
)
def test_hostile_and_damaged_programs_are_refused(
    tmp_path: Path, any_batch: bytes, member: str, change: Change, says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        program(tmp_path, edited(any_batch, member, change))


def test_pickles_and_expressions_inside_an_archive_are_never_opened(tmp_path: Path, any_batch: bytes) -> None:
    canary = tmp_path / "canary"

    def touch(told: dict[str, Any]) -> None:
        for value in told["graph_module"]["graph"]["sym_int_values"].values():
            value["as_expr"]["expr_str"] = f"__import__('pathlib').Path({str(canary)!r}).touch()"

    poisoned = rezipped(edited(any_batch, GRAPH, touch), {"sample_inputs/model.pt": pickle.dumps(Bomb(canary))})
    assert load_model(program(tmp_path, poisoned)).labels == LABELS
    assert not canary.exists()


def test_cut_and_foreign_archives_are_refused(any_batch: bytes) -> None:
    for data in (any_batch[: len(any_batch) // 2], b"", b"no archive"):
        with pytest.raises(ModelError, match=r"net\.pt2 is no exported program, or a damaged one"):
            ExportedProgram(data, "net.pt2")
    stream = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, stream)
    with pytest.raises(ModelError, match=r"holds no models/model.json: it was not written by torch.export.save"):
        ExportedProgram(stream.getvalue(), "net.pt2")


def test_a_corrupt_stream_inside_an_archive_is_refused(any_batch: bytes) -> None:
    data = bytearray(rezipped(any_batch, {}))
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        member = next(each for each in whole.infolist() if each.filename.endswith(GRAPH))
    start = member.header_offset + 30 + len(member.filename)
    data[start : start + 8] = b"\xff" * 8
    with pytest.raises(ModelError, match=r"net\.pt2 is no exported program, or a damaged one \(.*decompressing"):
        ExportedProgram(bytes(data), "net.pt2")


class Trusting(torch.nn.Module):
    """Calls operators that trust their arguments, with arguments that fit as it stands."""

    def __init__(self, *, divides: bool) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("variance", torch.ones(1))
        self.register_buffer("least", torch.tensor([-(2**63)]))
        self.divides = divides

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.divides:
            made = torch.div(self.least, x.new_ones(1).long(), rounding_mode="trunc")
        else:
            zeros = x.new_zeros(1, 1, 2)
            made = torch.ops.aten._native_batch_norm_legit_no_training(
                zeros, None, None, self.mean, self.variance, 0.1, 1e-5
            )[0]
        return x.mean((1, 2))[:, None] * torch.ones(1, 2) + made.sum() * 0


def _more_channels(told: dict[str, Any]) -> None:
    for node in nodes(told):
        for each in node["inputs"]:
            if each["arg"].get("as_ints") == [1, 1, 2]:
                each["arg"]["as_ints"] = [1, 4096, 2]


def _by_minus_one(told: dict[str, Any]) -> None:
    (node,) = (node for node in nodes(told) if "new_ones" in node["target"])
    node["target"] = node["target"].replace("new_ones", "new_full")
    node["inputs"].append({"name": "fill_value", "arg": {"as_int": -1}, "kind": 1})


@pytest.mark.parametrize(
    ("divides", "change", "says"),
    [
        (False, _more_channels, r"_native_batch_norm_legit_no_training\.default failed in it \(running_mean is \(1,\)"),
        (True, _by_minus_one, r"div\.Tensor_mode failed in it \(it divides -9223372036854775808 by -1"),
    ],
)
def test_a_program_that_would_reach_beyond_its_memory_is_refused_wherever_it_runs(
    tmp_path: Path, divides: bool, change: Change, says: str
) -> None:
    fits = exported(Trusting(divides=divides), 1)
    folder = program(tmp_path, fits)
    assert predict(load_model(folder), noise_record()).labels == LABELS
    hostile, other = edited(fits, GRAPH, change), tmp_path / "other"
    other.mkdir()
    with pytest.raises(ModelError, match=says):
        program(other, hostile)
    (folder / PROGRAM).write_bytes(hostile)
    described = json.loads((folder / DESCRIPTION).read_text())
    digest = {"weights_sha256": hashlib.sha256(hostile).hexdigest()}
    (folder / DESCRIPTION).write_text(json.dumps(described | digest))
    model = load_model(folder)
    for _ in range(2):
        with pytest.raises(ModelError, match=says):
            predict(model, noise_record())


def _returns_sum(told: dict[str, Any]) -> None:
    given = nodes(told)[-1]["inputs"][0]
    nodes(told)[-1].update(target="torch.ops.aten.sum.default", inputs=[{**given, "name": "self"}])


def test_a_program_that_returns_something_else_than_it_says_is_refused(tmp_path: Path, any_batch: bytes) -> None:
    with pytest.raises(ModelError, match=r"returned numbers of shape \(\), and was exported to return \(2, 2\)"):
        program(tmp_path, edited(any_batch, GRAPH, _returns_sum))


def _no_record(told: dict[str, Any]) -> None:
    for ends in told["range_constraints"].values():
        ends["max_val"] = -5


def test_a_program_for_fewer_than_one_record_is_refused(tmp_path: Path, any_batch: bytes) -> None:
    with pytest.raises(ModelError, match="takes -5 records at once, so none can be given to it"):
        program(tmp_path, edited(any_batch, GRAPH, _no_record))


def test_weights_of_a_program_that_are_not_finite_are_refused(tmp_path: Path, any_batch: bytes) -> None:
    nothing = np.full(2, np.nan, dtype=np.float32).tobytes()
    with zipfile.ZipFile(io.BytesIO(any_batch)) as old:
        table = json.loads(old.read(next(name for name in old.namelist() if name.endswith(TABLE))))["config"]
    with pytest.raises(ModelError, match=r"output.bias holds values that are not finite"):
        program(tmp_path, rezipped(any_batch, {"weights/" + table["output.bias"]["path_name"]: nothing}))


def test_a_program_that_draws_at_random_is_refused(tmp_path: Path, small: torch.nn.Module) -> None:
    class Noisy(Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(torch.nn.functional.dropout(x, 0.5, training=True))

    with pytest.raises(ModelError, match="differ from call to call"):
        program(tmp_path, exported(Noisy(2), None))


@pytest.mark.parametrize("left_out", ["--labels", "--fs", "--seconds", "--mean-mv", "--std-mv", "--out", "--net"])
def test_the_command_asks_for_what_no_file_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], left_out: str
) -> None:
    options = {"--labels": "MI,NORM", "--fs": "100", "--seconds": "10", "--mean-mv": "0", "--std-mv": "0.25"}
    options |= {"--out": str(tmp_path / "mine"), "--net": "imle_net"}
    del options[left_out]
    file = saved(tmp_path / "net.pt", {})
    assert main(["models", "import", str(file), *(word for pair in options.items() for word in pair)]) == 2
    assert left_out in capsys.readouterr().err


def test_the_command_imports_and_the_list_of_models_stays(
    read_here: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], any_batch: bytes
) -> None:
    options = ["--labels", "MI,NORM", "--fs", "100", "--seconds", "10", "--mean-mv", "0", "--std-mv", "0.25", "--json"]
    file = saved(tmp_path / "net.pt", network().state_dict())
    weights = [*options, "--net", "imle_net", "--config", "width=0.25", "--out", str(tmp_path / "mine")]
    assert main(["models", "import", str(file), *weights]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["net_name"], told["labels"]) == ("mine", "imle_net", list(LABELS))
    (tmp_path / "net.pt2").write_bytes(any_batch)
    assert main(["models", "import", str(tmp_path / "net.pt2"), *options, "--out", str(tmp_path / "theirs")]) == 0
    assert json.loads(capsys.readouterr().out)["net_name"] == "exported"
    assert main(["models", str(tmp_path / "theirs")]) == 0
    assert "it predicts and can be perturbed" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_limits_of_archives_and_checkpoints_are_the_same() -> None:
    assert archives.MAX_BYTES == unpickle.MAX_BYTES


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"leads": (*LEADS[:11], "W6")}, "'W6' is no name of a lead, .*; known are I, II, III"),
        ({"leads": (*LEADS[:3], "AVR", *LEADS[4:])}, "'AVR' is no name of a lead, .*; write aVR"),
        ({"leads": LEADS[:2]}, "cannot be fed 2 leads of 10 s at 100 Hz"),
        ({"duration_s": 7.3}, "cannot be fed 12 leads of 7.3 s at 100 Hz"),
    ],
)
def test_a_contract_that_the_network_cannot_keep_is_refused(
    read_here: None, tmp_path: Path, spec: dict[str, Any], says: str
) -> None:
    file = saved(tmp_path / "net.pt", network().state_dict())
    with pytest.raises(ModelError, match=says):
        imported(file, tmp_path / "mine", spec=replace(SPEC, **spec))
    assert not (tmp_path / "mine").exists()


def test_a_rate_that_no_recording_has_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], any_batch: bytes
) -> None:
    (tmp_path / "net.pt2").write_bytes(any_batch)
    options = ["--labels", "MI,NORM", "--fs", "1e9", "--seconds", "10", "--mean-mv", "0", "--std-mv", "0.25"]
    assert main(["models", "import", str(tmp_path / "net.pt2"), *options, "--out", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr().err == "ecgviz: fs is 1e+09; a sampling rate is 25 to 100000 Hz\n"


def test_a_program_is_fed_no_padding_since_it_is_given_no_mask(tmp_path: Path, any_batch: bytes) -> None:
    folder = program(tmp_path, any_batch, spec=replace(SPEC, pads=True))
    assert not load_model(folder).spec.pads
    described = json.loads((folder / DESCRIPTION).read_text())
    described["spec"]["pads"] = True
    (folder / DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(ModelError, match="exported would take the padding for signal"):
        load_model(folder)


class Large(torch.nn.Module):
    """Makes 4 GB of ones, and of them nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.output = torch.nn.Linear(12, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(x.mean(dim=2)) + 0 * torch.ones(1_000_000_000)[:2]


def test_a_program_that_says_how_large_its_tensors_are_is_held_to_it() -> None:
    with pytest.raises(ModelError, match=r"net\.pt2 makes a tensor ones of 4000 MB \(limit 500 MB\)"):
        ExportedProgram(exported(Large(), 1), "net.pt2")


def _small_by_its_word(told: dict[str, Any]) -> None:
    told["graph_module"]["graph"]["tensor_values"]["ones"]["sizes"] = [{"as_int": 1}]


def test_a_program_is_tried_where_limits_end_what_eats_memory_or_time(
    tmp_path: Path, any_batch: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecgviz.checkpoint.convert.try_in_child", trial.try_in_child)
    with pytest.raises(ModelError, match=r"net\.pt2: torch\.ops\.aten\.ones\.default failed in it \(.*memory"):
        program(tmp_path, edited(exported(Large(), 1), GRAPH, _small_by_its_word))
    assert not (tmp_path / "mine").exists()
    assert load_model(program(tmp_path, any_batch)).labels == LABELS
    monkeypatch.setattr(trial, "LIMITS", unpickle.child.Limits(10**9, 10, 0.05, 10**9))
    with pytest.raises(ModelError, match=r"net\.pt2: reading took more than 0 s and was stopped"):
        trial.try_in_child(ExportedProgram(any_batch, "net.pt2"), SPEC)


def test_leads_of_a_program_are_those_of_recordings(tmp_path: Path, any_batch: bytes) -> None:
    with pytest.raises(ModelError, match="'W6' is no name of a lead"):
        program(tmp_path, any_batch, spec=replace(SPEC, leads=(*LEADS[:11], "W6")))


def test_a_network_whose_logits_are_not_finite_is_refused(read_here: None, tmp_path: Path) -> None:
    state = {key: 1e30 * tensor if tensor.ndim > 1 else tensor for key, tensor in network().state_dict().items()}
    with pytest.raises(ModelError, match=r"net\.pt: its logits for noise are not finite"):
        imported(saved(tmp_path / "net.pt", state), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_network_that_needs_r_peaks_is_tried_with_them(read_here: None, tmp_path: Path) -> None:
    net = build("imle_net_beats", 2, seed=3, config=CONFIG)
    folder = imported(saved(tmp_path / "net.pt", net.state_dict()), tmp_path / "mine", net_name="imle_net_beats")
    assert load_model(folder).spec.needs == ("r_peaks",)


def test_a_network_that_counts_samples_from_r_peaks_is_not_fed_at_another_rate(read_here: None, tmp_path: Path) -> None:
    state = build("imle_net_beats", 2, seed=3, config=CONFIG).state_dict()
    with pytest.raises(
        ModelError, match=r"^net\.pt: imle_net_beats finds beats among samples at 100 Hz, .* fed 500 Hz"
    ):
        imported(
            saved(tmp_path / "net.pt", state), tmp_path / "m", net_name="imle_net_beats", spec=replace(SPEC, fs=500.0)
        )
    assert not (tmp_path / "m").exists()
