"""The dashboard beside models of one's own: listed, shown like the shipped ones, an exported program as what it is."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import on_page
import pytest
import torch
from streamlit.testing.v1 import AppTest
from toys import LEADS, Small
from toys import SPEC as CONTRACT

from ecgviz.checkpoint import available_models, load_model, save_model
from ecgviz.checkpoint.convert import import_program
from ecgviz.cli import main
from ecgviz.nets import build
from ecgviz.registry import OWN_MODELS
from ecgviz.simulate import simulate
from ecgviz.ui import words

PAGES = ("beats", "attention", "attributions", "what_if", "compare", "report", "criteria", "models")


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a small network and import it, as somebody does who has trained one elsewhere."""
    folder = tmp_path_factory.mktemp("own")
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(Small(2).eval(), (torch.zeros(1, len(LEADS), 1000),))
        torch.export.save(program, folder / "net.pt2")
    import_program(folder / "net.pt2", folder / "mine", labels=("MI", "NORM"), spec=CONTRACT)
    return folder / "mine"


def test_a_model_of_ones_own_has_its_name_where_the_dashboard_was_started_with_it(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = available_models()
    monkeypatch.setenv(OWN_MODELS, str(mine))
    assert available_models() == tuple(sorted([*shipped, "mine"]))
    assert load_model("mine").digest == load_model(mine).digest
    monkeypatch.setenv(OWN_MODELS, str(mine.with_name(shipped[0])))  # a shipped name stands for the shipped model
    assert available_models() == shipped
    assert load_model(shipped[0]).name == shipped[0]


def test_the_dashboard_is_started_with_models_of_ones_own_or_refuses_them(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["app", "--model", str(mine), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"] == [str(mine.resolve())]
    assert main(["app", "--model", str(mine), "--model", str(mine), "--json"]) == 2
    assert "there is a model called mine already; rename the folder" in capsys.readouterr().err
    (tmp_path / "model.json").write_text("{}")
    assert main(["app", "--model", str(tmp_path), "--json"]) == 2
    assert tmp_path.name in capsys.readouterr().err
    assert main(["app", "--model", str(tmp_path / "nowhere"), "--json"]) == 2
    assert "there is no model" in capsys.readouterr().err


HOSTILE = "![x](https://evil.example/label.png)"


def raw_markdown(app: AppTest) -> list[str]:
    """Return what a page hands to Streamlit as Markdown of the text above, letter by letter or with heads of tables."""
    kinds = ("markdown", "info", "warning", "error", "caption", "metric", "button", "expander", "button_group")
    parts = [getattr(each, name, "") for kind in kinds for each in app.get(kind) for name in ("value", "label", "help")]
    parts += [option for each in app.get("button_group") for option in each.options]
    parts += [text for each in app.table for column in each.value for text in (column, *each.value[column])]
    return [str(part) for part in parts if "![" in str(part)]


def test_labels_and_card_of_a_model_make_a_browser_fetch_nothing(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    width = {"width": 0.25}
    save_model(
        tmp_path / "hostile",
        build("imle_net", 3, seed=3, config=width),
        net_name="imle_net",
        config=width,
        name="hostile",
        version="1",
        spec=CONTRACT,
        labels=(HOSTILE, "MI", f"{HOSTILE} 2"),
        thresholds=(0.01,) * 3,
        metrics={},
        training={},
        card=f"# Card\n\n{HOSTILE} ![y][z] \\{HOSTILE}\n\n[z]: https://evil.example/card.png\n",
    )
    monkeypatch.setenv(OWN_MODELS, str(tmp_path / "hostile"))
    app.run()
    app.selectbox(key="demo").set_value("inferior_stemi").run()
    app.selectbox(key="model").set_value("hostile").run()
    next(box for box in app.selectbox if box.label == "Label").set_value(HOSTILE).run()
    for page in ("record", "attributions", "criteria", "report", "recordings", "models", "what_if", "compare"):
        if page != "record":
            app.switch_page(f"pages/{page}.py").run()
        if page == "what_if":
            next(button for button in app.button if button.label == "Apply").click().run()
        if page == "compare":
            app.segmented_control(key="differs").set_value("Label").run()
        assert not app.exception, page
        assert not raw_markdown(app), page
        if page == "models":
            assert "evil.example/card.png" in "\n".join(each.value for each in app.markdown)  # as a link to follow


def test_pages_say_what_an_exported_program_cannot_show(
    app: AppTest, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OWN_MODELS, str(mine))
    app.run()
    app.selectbox(key="demo").set_value("inferior_stemi").run()
    app.selectbox(key="model").set_value("mine").run()
    said, drawn = {}, {}
    for page in PAGES:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, page
        parts = (*app.markdown, *app.info, *app.warning)
        said[page], drawn[page] = "\n".join(each.value for each in parts).replace("\\", ""), len(on_page.figures(app))
    assert app.selectbox(key="method").value == "feature_ablation"
    assert drawn["beats"]
    assert drawn["attributions"]
    assert "mine shows no attention" in said["attention"]
    assert "cannot be built anew with random weights" in said["criteria"]
    assert "it predicts and can be perturbed, but it gives no gradients" in said["models"]


def test_a_map_without_leads_is_not_said_to_be_of_leads_that_the_network_never_read() -> None:
    record = simulate("normal", seed=1, fs=100, duration_s=10).record
    whole = load_model("ecg_mamba")
    assert words.behind_all(whole, record) == ""
    lone = replace(whole, spec=replace(whole.spec, leads=("II",)))
    assert words.behind_all(lone, record).endswith("its colour stands behind all leads, and the network read II only.")
