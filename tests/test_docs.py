"""What the documents say is run: every block of Python, every command; nothing that exists goes unmentioned."""

import ast
import inspect
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from ecgviz import NOTICE, __version__
from ecgviz.checkpoint import available_models, load_model
from ecgviz.cli import COMMANDS, GROUPS, main
from ecgviz.records.ptbxl import read_table
from ecgviz.training.compared import score_group
from ecgviz.training.evaluate import Answers

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EVERY_COMMAND = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
DOZEN = 12
ASKED_ONLY = {
    "train": "reads PTB-XL and takes an hour",
    "train-delineator": "reads LUDB and PTB-XL and takes an hour and a half",
    "validate": "reads LUDB or PTB-XL, or explains a thousand recordings",
    "evaluate": "reads PTB-XL",
    "review": "makes a study, its maps and its readers' codes",
    "cohort": "reads PTB-XL, or what was made of it",
    "fetch": "needs the internet",
    "models import": "reads somebody else's network",
    "app": "serves until it is stopped",
}


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text: str = EVERY_COMMAND) -> list[list[str]]:
    lines = [line for block in blocks("sh", text) for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("ecgviz ")]


def asked_only(command: list[str]) -> bool:
    return command[0] in ASKED_ONLY or " ".join(command[:2]) in ASKED_ONLY


def test_the_readme_shows_a_dozen_of_the_commands_in_an_order_in_which_they_run() -> None:
    shown = commands(README)
    assert len(shown) == DOZEN
    places = [commands().index(command) for command in shown]  # each is there, word for word, and is run there
    assert places == sorted(places)
    made, asked = {"stemi.csv", "stemi-case"}, [command for command in shown if not asked_only(command)]
    outputs = [command[command.index("--out") + 1] for command in asked if "--out" in command]
    assert made <= set(outputs)


def test_every_command_is_in_the_documents() -> None:
    told = {
        tuple(command[: 2 if command[1] in GROUPS.get(command[0], ()) else 1]) for command in commands() if command[1:]
    }
    told |= {(command[0],) for command in commands() if not command[1:]}
    assert told == {(name,) for name in COMMANDS} | {(name, second) for name in GROUPS for second in GROUPS[name]}


def test_every_page_and_the_training_data_are_in_the_readme() -> None:
    for page in (ROOT / "pages").glob("*.py"):
        assert f"**{page.stem.replace('_', ' ').capitalize()}.**" in README
    assert "PTB-XL" in README


def test_the_networks_of_the_readme_are_the_shipped_ones_with_their_scores() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d.]+) \(([\d.]+) to ([\d.]+)\)", README, re.MULTILINE)
    assert sorted(name for name, *_ in rows) == sorted(available_models())
    for name, *told in rows:
        auc = load_model(name).metrics["out of fold"]["superclasses"]["macro_auc"]
        assert [float(each) for each in told] == pytest.approx([auc["value"], auc["low"], auc["high"]], abs=0.00051)


def test_what_the_readme_says_of_the_trees_was_measured() -> None:
    told = re.search(r"they reach ([\d.]+) to ([\d.]+) \(([\d.]+) to ([\d.]+)\)", README)
    assert told is not None
    metrics = [load_model(name).metrics for name in available_models()]
    trees = [each["trees out of fold"]["superclasses"]["macro_auc"] for each in metrics]
    values = [each["value"] for each in trees]
    expected = [min(values), max(values), min(each["low"] for each in trees), max(each["high"] for each in trees)]
    assert [float(each) for each in told.groups()] == pytest.approx(expected, abs=0.00051)
    assert all(each["out of fold"]["superclasses"]["macro_auc"]["value"] < min(values) for each in metrics)


@pytest.mark.data
def test_the_average_that_the_readme_names_is_that_of_the_answers_out_of_fold(data_dir: Path) -> None:
    """The shipped networks keep what they said out of fold; each one's own area comes out again, too."""
    table = {str(each.ecg_id): each for each in read_table(data_dir / "ptbxl").values()}
    models = [load_model(name) for name in available_models()]
    past = [model.metrics["past scores"] for model in models]
    names = past[0]["record"]
    assert all(each["record"] == names and each["on"] == "out of fold" for each in past)
    said = tuple(np.array(each["probabilities"]) for each in past)
    answers = Answers(tuple(table[name] for name in names), said, 0, ())
    *each_alone, average = score_group(models, answers, "superclasses", seed=0)
    for model, found in zip(models, each_alone, strict=True):
        assert found is not None
        kept = model.metrics["out of fold"]["superclasses"]["macro_auc"]["value"]
        assert found.macro["auc"].value == pytest.approx(kept, abs=0.001)
        assert kept >= 0.88
    assert average is not None
    told = re.search(r"six probabilities, reaches ([\d.]+) \(([\d.]+) to ([\d.]+)\)", README)
    assert told is not None
    auc = average.macro["auc"]
    assert [float(each) for each in told.groups()] == pytest.approx([auc.value, auc.low, auc.high], abs=0.00051)
    assert auc.value >= 0.92


@pytest.mark.slow
def test_the_commands_of_the_documents_run_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in commands():
        if not asked_only(command):
            assert main(command) == 0, (command, capsys.readouterr().err)
    assert capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "stemi.csv",
        "stemi-case",
        "stemi.html",
        "stemi.pdf",
        "rows.pdf",
        "marks.csv",
    }


@pytest.mark.parametrize("command", [command for command in commands() if asked_only(command)], ids=" ".join)
def test_commands_that_do_not_end_have_the_options_that_the_documents_give(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command[: 2 if command[0] in GROUPS else 1], "--help"]) == 0
    told = capsys.readouterr().out
    options = [word for word in command if word.startswith("--")]
    assert options
    assert all(option in told for option in options)


@pytest.mark.slow
def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shared: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), shared)  # noqa: S102
    assert (tmp_path / "stemi.html").is_file()
    assert "met" in capsys.readouterr().out


def test_every_make_target_in_the_documents_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "constraints.txt"):
        asked = set(
            re.findall(r"(?:`|^|\s)make (\w+)(?:`| +#)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert asked
        assert asked <= targets


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/commands.md"])
def test_links_and_pictures_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_every_command_takes_json_but_those_that_the_documents_except() -> None:
    named = dict(COMMANDS)
    named |= {f"{name} {second}": function for name in GROUPS for second, function in GROUPS[name].items()}
    without = {name for name, function in named.items() if "as_json" not in inspect.signature(function).parameters}
    told = re.search(r"Each command takes `--json`, but for ([^,]+),", EVERY_COMMAND)
    assert told is not None
    assert without == set(re.findall(r"`([^`]+)`", told[1]))


def test_every_benchmark_and_how_long_things_may_be_are_in_contributing() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in (ROOT / "benchmarks").glob("*.py"):
        assert f"benchmarks/{path.name}`" in text, path.name
    lines, body = (int(each) for each in re.search(r"about (\d+) lines at most, functions (\d+) below", text).groups())
    for path in (ROOT / "ecgviz").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 1.1 * lines, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
                assert node.end_lineno - first <= body, (path, node.name)


def test_files_that_contributing_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:ecgviz|pages|models)/[\w/.]*|app\.py)`", text):
        assert (ROOT / path).exists(), path
    for table, path in re.findall(r"`([A-Z]+)` in `([\w/.]+)`", text):
        assert re.search(rf"^{table}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), table


def test_the_import_order_in_contributing_is_the_one_that_is_checked() -> None:
    layers = re.search(r"layers = \[\n(.*?)\n\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL)[1]
    checked = [re.findall(r"ecgviz\.(\w+)", line) for line in layers.splitlines()]
    drawn = re.search(
        r"^    cli \| ui.*?\n\n", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.DOTALL
    )[0]
    told = [re.findall(r"\w+", layer) for layer in drawn.split(">")]
    assert told == [layer for layer in checked if layer != ["errors"]]


def test_every_document_is_written_and_the_notice_is_on_the_first_screen() -> None:
    assert NOTICE in README[:1500]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for doi in ("10.1038/s41597-020-0495-6", "10.13026/x4td-x982", "10.1109/ACCESS.2020.3029211"):
        assert doi in notice
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
