"""A model that is not exactly what its folder says is refused, by name."""

import copy
import json
from dataclasses import asdict, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from toys import Small, even_beats, no_beats, noise_record, toy_model

from ecgviz import registry
from ecgviz.checkpoint import (
    CARD,
    DESCRIPTION,
    WEIGHTS,
    Model,
    default_model,
    load_model,
    model_input,
    network_logits,
    past_rate,
    predict,
    predict_batch,
    save_model,
    stacked,
)
from ecgviz.checkpoint.folder import architecture
from ecgviz.checkpoint.inputs import AT_ONCE_CPU
from ecgviz.errors import EcgvizError, InputError, ModelError
from ecgviz.nets import build
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import InputSpec, Record

SPEC = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.25)
CONFIG = {"width": 0.25}


def save(folder: Path) -> Path:
    save_model(
        folder,
        build("imle_net", 2, seed=1, config=CONFIG),
        net_name="imle_net",
        config=CONFIG,
        name="toy",
        version="1",
        spec=SPEC,
        labels=("MI", "NORM"),
        thresholds=(0.4, 0.6),
        metrics={},
        training={},
        card="# toy\n",
    )
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save(tmp_path / "toy")


def change(folder: Path, **changes: object) -> None:
    described = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(described | changes))


def reweigh(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    import hashlib

    save_file(tensors, folder / WEIGHTS)
    change(folder, weights_sha256=hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest())


def recording(rng: np.random.Generator, fs: float = 100.0, leads: tuple[str, ...] = STANDARD_LEADS) -> Record:
    return Record(rng.normal(0, 0.3, (len(leads), round(10 * fs))), fs, leads, "made")


def test_saved_model_comes_back_and_predicts_the_same(folder: Path) -> None:
    model = load_model(folder)
    assert isinstance(model, Model)
    record = recording(np.random.default_rng(0))
    x = torch.from_numpy(record.signal / np.float32(0.25))[None]
    with torch.inference_mode():
        logits = build("imle_net", 2, seed=1, config=CONFIG)(x)[0]
    prediction = predict(model, record)
    np.testing.assert_allclose(prediction.logits, logits, atol=1e-5)
    np.testing.assert_allclose(prediction.probabilities, torch.sigmoid(logits), atol=1e-6)
    assert prediction.positive("MI") == bool(prediction.probability("MI") >= 0.4)
    assert load_model(folder).digest == model.digest


def test_order_of_leads_in_the_record_does_not_matter(folder: Path) -> None:
    model = load_model(folder)
    record = recording(np.random.default_rng(1))
    turned = record.select(tuple(reversed(record.leads)))
    np.testing.assert_array_equal(predict(model, turned).logits, predict(model, record).logits)


def test_missing_leads_are_refused_by_name(folder: Path) -> None:
    record = recording(np.random.default_rng(1), leads=("I", "II", "V1", "V2", "V3", "V4", "V5"))
    with pytest.raises(InputError, match="V6"):
        predict(load_model(folder), record)


def test_short_records_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="needs 10 s"):
        predict(load_model(folder), Record(np.zeros((12, 900)) + 0.1, 100.0, STANDARD_LEADS, "short"))


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION, CARD])
def test_incomplete_folders_are_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"lacks {name}"):
        load_model(folder)


def test_a_card_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / CARD).write_bytes("# für alle\n".encode("latin-1"))
    with pytest.raises(ModelError, match=r"^toy: CARD\.md is no text in UTF-8 \(byte 4 is 0xfc\); save it as that$"):
        load_model(folder)


def test_changed_weights_are_refused(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))
    with pytest.raises(ModelError, match="weights were changed"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["MI"]}, "2 thresholds for 1 labels"),
        ({"net": "no_such_net"}, "imle_net"),
        ({"extra": 1}, "extra"),
        ({"spec": {"fs": 100}}, "spec"),
        ({"format": 2}, "format"),
        ({"name": "../up"}, "name"),
        ({"labels": ["MI", "MI"]}, r"toy: model\.json is malformed .* labels MI, MI are empty or not all different"),
        ({"labels": ["MI", ""]}, "are empty or not all different"),
        ({"thresholds": [0.4, float("nan")]}, r"model\.json .* thresholds 0\.4, nan are not all between 0 and 1"),
        ({"thresholds": [5.0, 0.4]}, "thresholds 5, 0.4 are not all between 0 and 1"),
        ({"thresholds": [0.0, 0.4]}, "thresholds 0, 0.4 are not all between 0 and 1"),
        (
            {"metrics": {"past scores": []}},
            r"toy: model\.json is malformed at metrics: \"past scores\" are \[\], and no",
        ),
        ({"metrics": {"past scores": {"on": "fold 9", "tables": []}}}, 'no "tables" with what they were counted "on"'),
    ],
)
def test_malformed_descriptions_are_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    change(folder, **changes)
    with pytest.raises(ValueError, match=message):
        load_model(folder)


def test_weights_of_another_network_are_refused_key_by_key(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["stem.wait"] = tensors.pop("stem.weight")
    reweigh(folder, tensors)
    with pytest.raises(ModelError, match=r"missing \['stem.weight'\], unknown \['stem.wait'\]"):
        load_model(folder)


def test_weights_of_another_size_are_refused(folder: Path) -> None:
    change(folder, config={"width": 0.5})
    with pytest.raises(ModelError, match="the network wants"):
        load_model(folder)


def test_weights_that_are_not_finite_are_refused(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["output.bias"][0] = float("nan")
    reweigh(folder, tensors)
    with pytest.raises(ModelError, match=r"output.bias holds values that are not finite"):
        load_model(folder)


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(ModelError, match="shipped models"):
        load_model("no_such_model")


def test_a_folder_is_found_by_its_bare_name_and_a_shipped_name_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    folder.rename("mine")
    assert load_model("mine").digest == load_model(Path("mine").resolve()).digest
    Path("mine").rename("resnet1d")
    assert load_model("resnet1d").net_name == "resnet1d"
    assert load_model("./resnet1d").net_name == "imle_net"
    for name in ("mine", "", " "):
        with pytest.raises(ModelError, match=f"no model '{name}': the shipped models are .*, and no folder has that"):
            load_model(name)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"leads": ()}, "none is named"),
        ({"leads": ("I", "II", "I")}, "lead I is given more than once"),
        ({"fs": float("nan")}, "fs is nan"),
        ({"duration_s": float("inf")}, "duration_s is inf"),
        ({"duration_s": 0.001}, "hold no sample"),
        ({"duration_s": 1e12}, r"1e\+12 s at 100 Hz are more than 1000000 samples a lead"),
        ({"fs": 1e9}, r"fs is 1e\+09; a sampling rate is 25 to 100000 Hz"),
        ({"fs": 1e308, "duration_s": 1e10}, r"fs is 1e\+308; a sampling rate is 25 to 100000 Hz"),
        ({"fs": 10.0}, "fs is 10; a sampling rate is 25 to 100000 Hz"),
        ({"std_mv": 0.0}, "std_mv is 0"),
        ({"std_mv": float("nan")}, "std_mv is nan"),
        ({"mean_mv": float("inf")}, "mean_mv is inf"),
        ({"needs": ("tea",)}, "'tea' is nothing that can come with a signal"),
    ],
)
def test_what_a_network_cannot_be_fed_is_no_contract(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        replace(SPEC, **changes)


def test_a_contract_that_is_none_is_named_in_the_folder_that_says_so(folder: Path) -> None:
    change(folder, spec={**asdict(SPEC), "std_mv": 0.0})
    with pytest.raises(ModelError, match=r"model\.json is malformed at spec: std_mv is 0; it is a number above 0$"):
        load_model(folder)


def test_a_contract_that_contradicts_what_the_network_says_of_itself_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(folder, spec={**asdict(SPEC), "pads": True})
    with pytest.raises(ModelError, match=r"^toy: model\.json says that shorter records may be padded \(spec\.pads"):
        load_model(folder)
    change(folder, spec={**asdict(SPEC), "needs": ("age_sex",)})
    assert load_model(folder).spec.needs == ("age_sex",)  # what comes with the signal may be more than is needed
    given = {"config": CONFIG, "name": "toy", "version": "1", "labels": ("MI", "NORM"), "thresholds": (0.4, 0.6)}
    given |= {"metrics": {}, "training": {}, "card": "# toy\n"}
    beats = build("imle_net_beats", 2, seed=1, config=CONFIG)
    save_model(tmp_path / "beats", beats, net_name="imle_net_beats", spec=SPEC, **given)
    with pytest.raises(ModelError, match=r"^beats: imle_net_beats needs r_peaks, which model\.json does not name"):
        load_model(tmp_path / "beats")
    faster = replace(SPEC, fs=500.0, needs=("r_peaks",))
    save_model(tmp_path / "fast", beats, net_name="imle_net_beats", spec=faster, **{**given, "name": "fast"})
    with pytest.raises(ModelError, match=r"^fast: imle_net_beats finds beats among samples at 100 Hz, .* fed 500 Hz"):
        load_model(tmp_path / "fast")
    point = EntryPoint("theirs", "toys:Small", "ecgviz.nets")
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: [point] if group == "ecgviz.nets" else [])
    padding, silent = replace(SPEC, pads=True), {**given, "config": {}}
    save_model(tmp_path / "mine", Small(2), net_name="theirs", spec=padding, **silent)
    assert load_model(tmp_path / "mine").spec.pads  # it says nothing of padding, so whoever made the folder knows


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_setting_that_builds_nothing_is_refused(value: float) -> None:
    with pytest.raises(ModelError, match="imle_net cannot be built with"):
        architecture("imle_net", 2, {"width": value})


def test_nothing_is_overwritten(folder: Path) -> None:
    with pytest.raises(ModelError, match="exists already"):
        save(folder)


class Counting(torch.nn.Module):
    """Logits that need everything that comes with the samples: R peaks, age and sex, the mask."""

    levels = ()

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x, *, r_s, meta, mask):
        self.seen.append(len(x))
        found = ~r_s.isnan()
        return torch.stack([found.sum(1) + r_s.nansum(1), meta.nan_to_num(-1).sum(1), (x.mean(1) * mask).sum(1)], dim=1)


def test_many_records_are_predicted_as_one_by_one() -> None:
    spec = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.25, needs=("r_peaks",))
    model = toy_model(Counting(), labels=("A", "B", "C"), spec=spec)
    ages = [None, 30.0, 61.0, None, 80.0, 45.0, 22.0, 35.0, None, 71.0, 58.0]
    records = [replace(noise_record(n), age_years=age, sex="female" if n % 2 else None) for n, age in enumerate(ages)]
    beats = [even_beats(2 + n % 7) for n in range(len(ages))]
    inputs = [model_input(model, *pair) for pair in zip(records, beats, strict=True)]
    together = predict_batch(model, inputs)
    assert max(model.net.seen) == AT_ONCE_CPU < len(inputs)
    alone = [predict(model, *pair).logits for pair in zip(records, beats, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    np.testing.assert_allclose(together[:, 0], [len(each) + each.r_s.sum() for each in beats], rtol=1e-5)
    np.testing.assert_allclose(together[:4, 1], [-2, 31, 60, 0])


def test_a_real_network_predicts_many_records_as_one_by_one(folder: Path) -> None:
    model = load_model(folder)
    records = [recording(np.random.default_rng(seed)) for seed in range(9)]
    together = predict_batch(model, [model_input(model, record) for record in records])
    np.testing.assert_allclose(together, [predict(model, record).logits for record in records], atol=1e-5)
    assert predict_batch(model, []).shape == (0, 2)


def test_r_peaks_are_padded_with_nan() -> None:
    spec = InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.25, needs=("r_peaks",))
    model = toy_model(Counting(), spec=spec)
    x, arguments = stacked([model_input(model, noise_record(), even_beats(n)) for n in (3, 5)])
    assert x.shape == (2, 12, 1000)
    assert arguments["r_s"].shape == (2, 5)
    assert arguments["r_s"].isnan().sum(dim=1).tolist() == [2, 0]
    with pytest.raises(InputError, match="needs R peaks, and none were found: no QRS complex"):
        model_input(model, noise_record(), no_beats())


def test_logits_of_tensors_alone_need_no_model() -> None:
    net = Small(2).eval()
    x = torch.randn(9, 12, 100, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        np.testing.assert_allclose(network_logits(net, x), net(x), atol=1e-6)


def test_a_network_of_another_package_is_loaded_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"net_name": "theirs", "config": {"width": 4}, "name": "toy", "version": "1", "spec": SPEC}
    given |= {"labels": ("MI", "NORM"), "thresholds": (0.4, 0.6), "metrics": {}, "training": {}, "card": "# toy"}
    net = Small(2, width=4).eval()
    save_model(tmp_path / "mine", net, **given)
    with pytest.raises(EcgvizError, match=r"there is no 'theirs' here; known are .*imle_net"):
        load_model(tmp_path / "mine")
    point = EntryPoint("theirs", "toys:Small", "ecgviz.nets")
    monkeypatch.setattr("ecgviz.registry.entry_points", lambda group: [point] if group == "ecgviz.nets" else [])
    model = load_model(tmp_path / "mine")
    assert isinstance(model.net, Small)
    record = recording(np.random.default_rng(0))
    x = torch.tensor(model_input(model, record).x)[None]
    with torch.inference_mode():
        np.testing.assert_allclose(predict(model, record).logits, net(x)[0], atol=1e-6)


def test_a_network_whose_logits_overflow_predicts_nothing(narrow_model) -> None:
    overflowing = copy.deepcopy(narrow_model.net)
    with torch.no_grad():
        list(overflowing.parameters())[-1][1] = float("inf")
    with pytest.raises(ModelError, match=f"{narrow_model.name}: its network gives no finite logit of HYP; its weights"):
        predict(replace(narrow_model, net=overflowing), recording(np.random.default_rng(0)))


@pytest.mark.parametrize(
    "told", [{"metrics": {"auc": float("nan")}}, {"metrics": {"auc": np.float32(0.5)}}, {"training": {"data": Path()}}]
)
def test_what_a_description_cannot_hold_is_refused_and_nothing_is_written(tmp_path: Path, told: dict) -> None:
    given = {"net_name": "theirs", "config": {"width": 4}, "name": "toy", "version": "1", "spec": SPEC}
    given |= {"labels": ("MI", "NORM"), "thresholds": (0.4, 0.6), "metrics": {}, "training": {}, "card": "# toy"}
    with pytest.raises(ModelError, match=r"mine: model.json holds numbers, words, lists and tables alone \("):
        save_model(str(tmp_path / "mine"), Small(2, width=4), **(given | told))
    assert not list(tmp_path.iterdir())


def test_a_label_that_was_not_predicted_is_named(narrow_model) -> None:
    with pytest.raises(ModelError, match="'HICCUPS' was not predicted; the labels are CD, HYP, MI, NORM, STTC"):
        predict(narrow_model, recording(np.random.default_rng(0))).probability("HICCUPS")


def test_settings_that_an_architecture_does_not_take_are_refused(folder: Path) -> None:
    change(folder, config={"breadth": 1.0})
    with pytest.raises(ModelError, match=r"imle_net cannot be built with .*breadth"):
        load_model(folder)


def test_the_first_model_offered_is_the_one_that_shows_all_levels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert default_model() == "imle_net"
    assert load_model("imle_net").net.levels == ("beat", "rhythm", "channel", "joint")
    monkeypatch.setattr(registry, "models_folder", lambda: tmp_path)
    assert default_model() is None
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text("{}")
    assert default_model() == "a"


def test_how_often_a_score_was_right_comes_with_the_model_or_not_at_all(narrow_model):
    assert past_rate(narrow_model, "MI", 0.7) is None
    stored = {"edges": [0, 0.5, 1], "n": [10, 20], "positives": [1, 15]}
    scored = replace(narrow_model, metrics={"past scores": {"on": "out of fold", "tables": {"MI": stored}}})
    found = past_rate(scored, "MI", 0.7)
    assert (found.rate, found.n) == (0.75, 20)
    assert past_rate(scored, "HYP", 0.7) is None
    broken = replace(narrow_model, metrics={"past scores": {"tables": {"MI": stored | {"n": [10]}}}})
    with pytest.raises(ModelError, match="past scores of MI"):
        past_rate(broken, "MI", 0.7)
    for none in ([], None, "0.7", {"tables": []}, {"tables": {"MI": "0.7"}}):
        with pytest.raises(ModelError, match=r"the past scores of MI in model\.json cannot be read"):
            past_rate(replace(narrow_model, metrics={"past scores": none}), "MI", 0.7)
