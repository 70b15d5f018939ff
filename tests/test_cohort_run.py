"""A run over a folder: every row is what the pages show, failures are rows, and no kill costs or changes a row."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from ecgviz.checkpoint import Model, load_model, save_model
from ecgviz.cli import main
from ecgviz.cohort import Cohort, run, together, workplaces
from ecgviz.cohort.folder import Recording, recordings, stated
from ecgviz.cohort.rows import failed_row, nameless
from ecgviz.cohort.run import run_cohort
from ecgviz.cohort.schema import RECORDS, ROWS
from ecgviz.cohort.settings import read_method
from ecgviz.cohort.store import matrices
from ecgviz.errors import CohortError, EcgvizError, ModelError
from ecgviz.nets import build
from ecgviz.pipeline import analyse
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.library import open_library
from ecgviz.records.write import save_record
from ecgviz.simulate import simulate
from ecgviz.types import ATOMS, InputSpec

METHODS = ("attention_joint", "saliency")
TIMES = ["explain_seconds", "examine_seconds"]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a narrow network of random weights that predicts a superclass and a statement."""
    folder = tmp_path_factory.mktemp("models") / "narrow"
    save_model(
        folder,
        build("imle_net", 2, seed=1, config={"width": 0.25}),
        net_name="imle_net",
        config={"width": 0.25},
        name="narrow",
        version="1",
        spec=InputSpec(STANDARD_LEADS, 100.0, 10.0, 0.0, 0.23),
        labels=("MI", "CLBBB"),
        thresholds=(0.5, 0.5),
        metrics={},
        training={},
        card="# narrow\n",
    )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder: two recordings that can be asked, one too short for the network, and a file that is none."""
    folder = tmp_path_factory.mktemp("names that tell of a patient")
    for seed, finding in enumerate(("lbbb", "inferior_stemi")):
        save_record(simulate(finding, seed=seed, fs=100.0, duration_s=10.0).record, folder / f"Doe {finding}.npz")
    save_record(simulate("normal", seed=5, fs=100.0, duration_s=6.0).record, folder / "short.npz")
    (folder / "ward 7").mkdir()
    (folder / "ward 7" / "broken.csv").write_text("I,II\n1,2\n", encoding="utf-8")
    (folder / "notes.txt.bak").write_text("no recording", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, data: Path, model_folder: Path) -> Path:
    """Run both methods once, on this process alone."""
    out = tmp_path_factory.mktemp("stores") / "store"
    run_cohort(data, out, models=[str(model_folder)], methods=METHODS, random_networks=5, jobs=1, chunk=2)
    return out


def table(store: Path) -> pd.DataFrame:
    """Return all that a store says, without what differs from run to run."""
    found = Cohort(store).sql("SELECT * FROM cohort ORDER BY record, model, method, label")
    return found.drop(columns=TIMES)


def same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return a.astype(str).equals(b.astype(str))


def files(store: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in store.rglob("*.parquet")}


def test_a_folder_is_listed_by_ids_that_tell_nothing(data: Path) -> None:
    found = recordings(data)
    assert len(found) == 4
    assert [each.id for each in found] == sorted(each.id for each in found)
    assert all(each.id.startswith("file-") and each.patient == each.id for each in found)
    assert stated(found[0], "MI") is None
    assert {each.id for each in found} == set(open_library([data]).entries)


@pytest.mark.data
def test_ptbxl_is_listed_by_its_table(data_dir: Path) -> None:
    found = recordings(data_dir / "ptbxl")
    assert len(found) == 422
    one = next(each for each in found if each.id == "ptbxl-00001")
    assert (one.patient, one.device, one.site, one.fold) == ("ptbxl-patient-15709", "CS-12 E", "0", 3)
    assert stated(one, "NORM") is True
    assert stated(one, "CLBBB") is False
    assert "ptbxl-00137" not in {each.id for each in found}
    assert all(each.file.endswith("_hr") for each in recordings(data_dir / "ptbxl", 500))
    assert len(recordings(data_dir / "ludb")) == 70


def test_two_recordings_of_one_id_are_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecgviz.cohort.folder.file_id", lambda place: f"file-{len(Path(place).suffix)}")
    with pytest.raises(CohortError, match=r"\.\w{3} and .*\.\w{3} both have the id file-4; rename one of them"):
        recordings(data)


def test_another_folder_of_the_same_name_is_no_folder_that_is_done(
    tmp_path: Path, data: Path, model_folder: Path
) -> None:
    asked = {"models": [str(model_folder)], "methods": ["saliency"], "labels": ["MI"], "jobs": 1}
    for ward in ("ward1", "ward2"):
        shutil.copytree(data, tmp_path / ward / "ecgs")
    assert run_cohort(tmp_path / "ward1" / "ecgs", tmp_path / "store", limit=1, **asked).n_rows == 1
    (tmp_path / "here").symlink_to(tmp_path / "ward1", target_is_directory=True)
    assert run_cohort(tmp_path / "here" / "ecgs", tmp_path / "store", limit=2, **asked).n_rows == 1
    before = files(tmp_path / "store")
    with pytest.raises(CohortError, match=r"ward1/ecgs, whose ids those of .*ward2/ecgs may have too"):
        run_cohort(tmp_path / "ward2" / "ecgs", tmp_path / "store", **asked)
    assert files(tmp_path / "store") == before


@pytest.mark.data
def test_recordings_at_one_rate_do_not_count_as_done_at_another(
    tmp_path: Path, data_dir: Path, model_folder: Path
) -> None:
    asked = {"models": [str(model_folder)], "labels": ["MI"], "jobs": 1, "limit": 1}
    run_cohort(data_dir / "ptbxl", tmp_path, methods=["saliency"], **asked)
    assert run_cohort(data_dir / "ptbxl", tmp_path, methods=["saliency"], fs=100, **asked).n_rows == 0
    for method in METHODS:
        with pytest.raises(CohortError, match="holds PTB-XL at 100 Hz, not at 500 Hz"):
            run_cohort(data_dir / "ptbxl", tmp_path, methods=[method], fs=500, **asked)
    assert set(Cohort(tmp_path).sql("SELECT fs FROM cohort").fs) == {100.0}


def test_each_row_is_the_case_that_the_pages_show(store: Path, data: Path, model_folder: Path) -> None:
    model: Model = load_model(model_folder)
    place = next(each for each in recordings(data) if "stemi" in each.file)
    record = load_record(data / place.file)
    arrow = Cohort(store).arrow("SELECT * FROM cohort WHERE record = ? AND label = 'MI' ORDER BY method", [place.id])
    assert arrow["record_key"].to_pylist() == [record.key] * 2
    for number, method in enumerate(METHODS):
        row = {name: arrow[name][number].as_py() for name in arrow.column_names}
        case = analyse(record, model, "MI", method)
        assert row["logit"] == pytest.approx(case.prediction.logits[0], rel=1e-5)
        assert (row["who"], row["evidence"], row["why"]) == (
            case.agreement.label,
            case.agreement.evidence,
            case.agreement.why,
        )
        np.testing.assert_allclose(
            matrices(arrow, "pos")[number], case.grid.pos.sum(axis=1), rtol=1e-5, atol=1e-5 * case.grid.pos.max()
        )
        np.testing.assert_allclose(row["by_lead"], case.grid.channel(), rtol=1e-6)
        np.testing.assert_allclose(row["by_beat"], case.grid.rhythm(), rtol=1e-6)
        mean = np.mean([each.pos.sum(axis=1) / each.total for each in case.controls["random networks"]], axis=0)
        np.testing.assert_allclose(matrices(arrow, "random")[number], mean, rtol=1e-5)
        assert row["support"] - row["oppose"] + row["outside"] == pytest.approx(case.explanation.values.sum())
        assert row["qrs_ms"] == pytest.approx(case.measurements.value("qrs_ms"))
        assert [each["state"] for each in row["findings"]] == [each.state for each in case.findings]
        met = [each for each in row["findings"] if each["controls"]]
        assert met
        assert all([held["name"] for held in each["controls"]] == list(case.controls) for each in met)
        assert row["n_random"] == 5


def test_a_recording_that_fails_is_a_row_with_its_reason(store: Path) -> None:
    found = Cohort(store).sql("SELECT * FROM cohort WHERE failure IS NOT NULL")
    assert len(found) == 2 * 2
    broken = found[found.record_failure.notna()]
    assert set(broken.failure_reason) == {"no sampling rate is stated; give it in hertz"}
    assert not found.failure.str.contains("broken|short").any()
    (short,) = set(found[found.record_failure.isna()].failure_reason)
    assert short == "from # s on there are # s, the network needs # s"
    assert found.share.isna().all()


@pytest.mark.parametrize(
    ("file", "said", "told"),
    [
        (
            "data/1",
            "ludb-001: 12.5 % of lead V1 is missing (limit 1 %)",
            "ludb-001: 12.5 % of lead V1 is missing (limit 1 %)",
        ),
        ("data/1", "'1.hea': signal file '1.dat' holds 11 bytes", "ludb-001: signal file ludb-001 holds 11 bytes"),
        ("data/1", "'1': there is no header '1.hea' beside it", "ludb-001: there is no header ludb-001 beside it"),
        ("data/1", "cannot open /home/x/data/1.hea at 1.5 s", "cannot open /home/x/ludb-001 at 1.5 s"),
        ("ward 7/Jo Doe.csv", "'Jo Doe.csv': sample 3, lead I", "ludb-001: sample 3, lead I"),
        ("Müller.hea", "'M?ller.hea': no 'M?ller.dat', Müller.hea", "ludb-001: no ludb-001, ludb-001"),
        ("data/1", "'1.hea': signal file 'Doe Jo.dat' is not there", "ludb-001: signal file another file is not there"),
        (f"{'Jo' * 25}.npz", f"'{'Jo' * 20}...': has no field", "ludb-001: has no field"),
        (f"{'a' * 39}.npz", f"'{'a' * 39}....': has no field", "ludb-001: has no field"),
    ],
)
def test_a_name_of_a_file_is_replaced_as_a_whole_and_nothing_else_is(file: str, said: str, told: str) -> None:
    assert nameless(said, Recording("ludb-001", file, "ludb-001")) == told


def test_leads_of_ludb_that_miss_samples_are_one_reason() -> None:
    reasons = set()
    for n in (1, 5, 12):
        recording = Recording(f"ludb-{n:03d}", f"data/{n}", patient="")
        said = f"{recording.id}: {n}.5 % of lead V1 is missing"
        reasons.add(failed_row(recording, "MI", said, None)["failure_reason"])
    assert reasons == {"# % of lead V# is missing"}


def test_a_reason_is_told_by_the_sentence_of_a_row_with_its_lead_and_numbers(
    tmp_path: Path, data: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ecgs").mkdir()
    shutil.copy(data / "short.npz", tmp_path / "ecgs")
    asked = ["--model", str(model_folder), "--method", "saliency", "--label", "MI", "--jobs", "1"]
    store = str(tmp_path / "store")
    assert main(["cohort", "run", "--data", str(tmp_path / "ecgs"), *asked, "--out", store]) == 0
    told = capsys.readouterr().out
    assert "there are 6 s, the network needs 10 s" in " ".join(told.split())
    assert "#" not in told


def test_what_is_done_is_not_done_again(store: Path, data: Path, model_folder: Path) -> None:
    before = files(store)
    done = run_cohort(data, store, models=[str(model_folder)], methods=METHODS, random_networks=5, jobs=1, chunk=2)
    assert (done.n_recordings, done.n_rows) == (0, 0)
    assert files(store) == before


def test_another_method_label_or_recording_adds_only_itself(tmp_path: Path, data: Path, model_folder: Path) -> None:
    asked = {"models": [str(model_folder)], "jobs": 1, "chunk": 3}
    out = tmp_path / "store"
    first = run_cohort(data, out, methods=["saliency"], labels=["MI"], limit=1, **asked)
    assert first.n_rows == 1
    before = files(out)
    assert run_cohort(data, out, methods=["saliency", "decomposition"], labels=["MI"], limit=1, **asked).n_rows == 1
    assert run_cohort(data, out, methods=["saliency"], labels=["MI", "CLBBB"], limit=2, **asked).n_rows == 3
    assert files(out).items() >= before.items()
    found = Cohort(out).sql("SELECT record, method, label FROM cohort")
    assert len(found) == len(found.drop_duplicates()) == 5


def test_a_store_holds_one_answer_to_one_question(store: Path, data: Path, model_folder: Path, tmp_path: Path) -> None:
    asked = {"models": [str(model_folder)], "methods": ["saliency"], "jobs": 1}
    with pytest.raises(CohortError, match=r"holds saliency of narrow with another random networks \(5, not 1\)"):
        run_cohort(data, store, **asked)
    (tmp_path / "letters.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(CohortError, match="is not empty and no store"):
        run_cohort(data, tmp_path, **asked)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
    (tmp_path / ".lock").write_text("of another program", encoding="utf-8")
    with pytest.raises(CohortError, match="is not empty and no store"):
        run_cohort(data, tmp_path, **asked)
    assert (tmp_path / ".lock").read_text(encoding="utf-8") == "of another program"


def test_a_file_that_was_changed_since_is_never_joined_to_the_row_of_another(
    tmp_path: Path, data: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ecgs, store = tmp_path / "ecgs", tmp_path / "store"
    for name, there in (("changed", "Doe lbbb"), ("same", "Doe inferior_stemi"), ("lost", "Doe lbbb")):
        (ecgs / f"{name}.npz").parent.mkdir(exist_ok=True)
        shutil.copy(data / f"{there}.npz", ecgs / f"{name}.npz")
    (ecgs / "repaired.npz").write_bytes(b"nothing")
    names = {each.id: Path(each.file).stem for each in recordings(ecgs)}
    asked = ["cohort", "run", "--data", str(ecgs), "--model", str(model_folder), "--label", "MI", "--jobs", "1"]
    assert main([*asked, "--out", str(store), "--method", "saliency"]) == 0
    assert "1 of 4 recordings in the store have rows that failed: ecgviz cohort query" in capsys.readouterr().out
    before = files(store)
    shutil.copy(data / "Doe inferior_stemi.npz", ecgs / "changed.npz")
    shutil.copy(data / "Doe lbbb.npz", ecgs / "repaired.npz")
    (ecgs / "lost.npz").write_bytes(b"nothing")
    assert main([*asked, "--out", str(store), "--method", "attention_joint", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["in_store"] == {"n_failed": 3, "n_recordings": 4}
    assert files(store).items() >= before.items()
    found = Cohort(store).sql("SELECT * FROM cohort WHERE method = 'attention_joint'")
    by_name = {names[row["record"]]: row for row in found.to_dict("records")}
    assert by_name["changed"]["failure"] == together.CHANGED
    assert by_name["repaired"]["failure"] == together.REPAIRED
    assert [name for name, row in by_name.items() if row["failure"] is None] == ["same"]
    assert by_name["same"]["record_key"] == load_record(ecgs / "same.npz").key
    assert found.logit.notna().sum() == 1
    assert len(Cohort(store).sql("SELECT * FROM records")) == 4


@pytest.mark.parametrize("held", [b"", b"PAR1 cut off"])
@pytest.mark.parametrize("part", ["records", "rows"])
def test_a_broken_file_of_a_store_stops_a_run_in_one_sentence_that_names_it(
    store: Path, data: Path, model_folder: Path, tmp_path: Path, part: str, held: bytes
) -> None:
    shutil.copytree(store, tmp_path / "store")
    broken = next((tmp_path / "store" / part).rglob("*.parquet"))
    broken.write_bytes(held)
    asked = {"models": [str(model_folder)], "methods": METHODS, "random_networks": 5, "jobs": 1, "chunk": 2}
    with pytest.raises(CohortError, match=f"{broken.name} is broken or no table of a store: take it away"):
        run_cohort(data, tmp_path / "store", **asked)
    broken.unlink()
    run_cohort(data, tmp_path / "store", **asked)
    assert same(table(tmp_path / "store"), table(store))


def test_a_worker_that_is_killed_is_one_sentence_and_what_was_written_stays(
    data: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"models": [str(model_folder)], "methods": ["saliency"], "labels": ["MI"], "chunk": 1}
    run_cohort(data, tmp_path / "store", jobs=1, limit=1, **asked)
    before = files(tmp_path / "store")
    monkeypatch.setattr(workplaces, "run_chunk", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(CohortError, match=r"a worker was ended from outside.* fewer --jobs or a smaller --chunk"):
        run_cohort(data, tmp_path / "store", jobs=2, **asked)
    assert files(tmp_path / "store") == before


@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed", "ignore::FutureWarning:distributed")
def test_a_scheduler_that_does_not_answer_leaves_no_store(
    data: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workplaces, "ANSWER_S", 0.2)
    with pytest.raises(CohortError, match="no Dask scheduler answers at tcp:"):
        run_cohort(
            data,
            tmp_path / "store",
            models=[str(model_folder)],
            methods=["saliency"],
            scheduler="tcp://127.0.0.1:1",
            resources={"GPU": 1},
        )
    assert not (tmp_path / "store").exists()


def test_a_network_without_the_label_is_told_and_leaves_nothing_in_the_store(data: Path, model_folder: Path) -> None:
    other = replace(load_model(model_folder), name="other", labels=("NORM", "HYP"))
    models = {str(model_folder): load_model(model_folder), "other": other}
    asked, left_out = run._asked(models, ["saliency"], ["MI"], 1, 0)
    assert [settings.model for settings, _, _ in asked] == ["narrow"]
    assert left_out == ("other predicts none of MI",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"methods": ["magic"]}, "there is no 'magic'"),
        ({"methods": ["saliency:steps=3"]}, "saliency does not take 'steps'"),
        ({"methods": ["integrated_gradients:n_steps"]}, "is no parameter; write NAME:key=value"),
        ({"methods": ["saliency", "integrated_gradients:n_steps=abc"]}, "n_steps is a whole number, and 'abc' is none"),
        ({"methods": ["smooth_grad:n_samples=2.5"]}, "n_samples is a whole number, and 2.5 is none"),
        ({"methods": ["lime:alpha=nan"]}, "alpha is nan, which is no finite number"),
        ({"methods": ["integrated_gradients:n_steps=4,n_steps=5"]}, "n_steps is given twice"),
        ({"methods": ["saliency", "integrated_gradients:baseline=void"]}, "there is no baseline 'void'"),
        ({"methods": ["integrated_gradients:n_steps=0"]}, "cannot be asked of narrow: n_steps is 0"),
        ({"seed": -1}, "a seed is 0 or more, not -1"),
        ({"labels": ["flu"]}, "none of the models predicts 'flu'"),
        ({"methods": ["attention_age"]}, "nothing is left to ask: narrow exposes no age attention"),
        ({"methods": []}, "at least one --model and one --method"),
        ({"fs": 250}, "only recordings of PTB-XL come at more than one rate"),
        ({"limit": 0}, "are 1 or more"),
        ({"jobs": 0}, "--jobs is 1 or more, or -1 for one a core, not 0"),
        ({"resources": {"GPU": 1}}, "--resource is what a worker of a cluster must offer: name its --scheduler"),
        ({"jobs": -2}, "--jobs is 1 or more, or -1 for one a core, not -2"),
    ],
)
def test_what_cannot_be_run_is_refused(
    change: dict[str, object], says: str, data: Path, model_folder: Path, tmp_path: Path
) -> None:
    asked = {"models": [str(model_folder)], "methods": ["saliency"], "jobs": 1} | change
    with pytest.raises(EcgvizError, match=says):
        run_cohort(data, tmp_path / "store", **asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("n", "chunk"), [(1, 32), (2048, 32), (2049, 33), (21_799, 341), (10_000_000, 1000)])
def test_a_large_folder_makes_few_files(n: int, chunk: int) -> None:
    assert run.chunk_of(n) == chunk


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="holds no recording"):
        recordings(tmp_path)
    with pytest.raises(CohortError, match="is no folder"):
        recordings(tmp_path / "nothing")


def test_the_files_have_the_documented_schema(store: Path) -> None:
    for pattern, columns in (("rows/*/*/*.parquet", ROWS), ("records/*.parquet", RECORDS)):
        found = pq.read_schema(next(store.glob(pattern)))
        assert found.names == [each.name for each in columns]
        assert [found.field(each.name).type for each in columns] == [each.type for each in columns]
        assert found.metadata[b"format"] == b"4"
        assert b"Not a medical device" in found.metadata[b"notice"]
    everything = pd.read_parquet(store / "rows")
    assert len(everything) == 8
    assert {"model", "method", "record", "label"} <= set(everything.columns)
    assert len(everything.pos.dropna().iloc[0]) == 12 * len(ATOMS)


KILLED = textwrap.dedent("""
    import os, random, signal, sys, time
    from pathlib import Path
    from ecgviz.cohort.run import run_cohort

    data, out, model, kills = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])

    def run():
        run_cohort(data, out, models=[model], methods=["attention_joint", "saliency"], random_networks=1,
                   jobs=1, chunk=2, progress=lambda done, total: None)

    draw = random.Random(0)
    for k in range(kills):
        child = os.fork()
        if child == 0:
            run()
            os._exit(0)
        time.sleep(draw.uniform(0, 0.4))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for path in sorted(out.rglob("*.parquet")):
            print(k, path.stat().st_ino, path.stat().st_mtime_ns, path)
    run()
""")


@pytest.mark.slow
def test_twenty_kills_cost_no_finished_chunk_and_change_no_row(tmp_path: Path, data: Path, model_folder: Path) -> None:
    for seed in range(3):
        save_record(simulate("pvc", seed=seed, fs=100.0, duration_s=10.0).record, tmp_path / "data" / f"{seed}.npz")
    more = tmp_path / "data"
    asked = {"models": [str(model_folder)], "methods": ["attention_joint", "saliency"], "jobs": 1, "chunk": 2}
    run_cohort(more, tmp_path / "unbroken", **asked)
    command = [sys.executable, "-c", KILLED, str(more), str(tmp_path / "killed"), str(model_folder), "20"]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ).stdout
    seen = {tuple(line.split(" ", 1)[1:]) for line in told.splitlines()}
    lasting = {f"{inode} {time} {path}" for path, (inode, time) in files(tmp_path / "killed").items()}
    assert {each[0] for each in seen} <= lasting
    assert same(table(tmp_path / "killed"), table(tmp_path / "unbroken"))
    assert not list((tmp_path / "killed").rglob(".part-*"))


@pytest.mark.slow
def test_two_processes_give_the_same_table_as_one(tmp_path: Path, store: Path, data: Path, model_folder: Path) -> None:
    asked = {"models": [str(model_folder)], "methods": METHODS, "random_networks": 5, "chunk": 2}
    run_cohort(data, tmp_path / "two", jobs=2, **asked)
    assert same(table(tmp_path / "two"), table(store))


def test_networks_on_another_device_give_the_same_table(
    tmp_path: Path, store: Path, data: Path, model_folder: Path
) -> None:
    command = [sys.executable, "-m", "tests.two_devices", "fill", model_folder, data, tmp_path / "there", *METHODS]
    subprocess.run(command, cwd=Path(__file__).parents[1], check=True)
    found, expected = table(tmp_path / "there"), table(store)
    assert found["failure"].tolist() == expected["failure"].tolist()
    for name in ("probability", "share", "excess"):
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-4)
    assert {each["device"] for each in Cohort(tmp_path / "there").settings.values()} == {"elsewhere"}


def test_a_device_that_is_not_there_stops_the_run_before_anything_is_written(
    tmp_path: Path, data: Path, model_folder: Path
) -> None:
    with pytest.raises(ModelError, match="finds no device 'cuda:99'"):
        run_cohort(data, tmp_path / "none", models=[str(model_folder)], methods=METHODS, device="cuda:99")
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed", "ignore::FutureWarning:distributed")
def test_a_dask_cluster_gives_the_same_table(
    tmp_path: Path, store: Path, data: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    asked = {"models": [str(model_folder)], "methods": METHODS, "random_networks": 5, "chunk": 2}
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, resources={"GPU": 1}
    ) as cluster:
        address = cluster.scheduler_address
        run_cohort(data, tmp_path / "dask", scheduler=address, resources={"GPU": 1}, **asked)
        given_to_workers = cluster.scheduler.task_prefixes["run_chunk"].state_counts["memory"]
        assert given_to_workers == -(-len(recordings(data, None)) // 2)  # one worker is given all, nobody keeps any
    assert same(table(tmp_path / "dask"), table(store))
    monkeypatch.setattr(workplaces, "ANSWER_S", 0.2)
    with pytest.raises(CohortError, match="no Dask scheduler answers at tcp:"):
        run_cohort(data, tmp_path / "none", scheduler="tcp://127.0.0.1:9", **asked)


QUIET = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": 60}
"""A small cluster that does not print what these tests do to it."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed", "ignore::FutureWarning:distributed")
def test_a_cluster_that_cannot_work_says_so(
    tmp_path: Path, data: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(workplaces, "APPEAR_S", 0.5)
    monkeypatch.setattr(workplaces, "run_chunk", ends_its_process)
    asked = {"models": [str(model_folder)], "methods": ["saliency"], "limit": 2}
    with LocalCluster(n_workers=0, **QUIET) as none, pytest.raises(CohortError, match="scheduler has no workers"):
        run_cohort(data, tmp_path / "none", scheduler=none.scheduler_address, **asked)
    with LocalCluster(n_workers=1, **QUIET) as cluster:
        there = cluster.scheduler_address
        with pytest.raises(CohortError, match="none of the cluster's 1 workers offers GPU 1"):
            run_cohort(data, tmp_path / "none", scheduler=there, resources={"GPU": 1}, **asked)
        assert not (tmp_path / "none").exists()
        monkeypatch.setattr(workplaces, "APPEAR_S", 60)  # a worker that died is started anew, which takes its time
        with pytest.raises(CohortError, match="workers of the cluster died over one task"):
            run_cohort(data, tmp_path / "died", scheduler=there, **asked)
        monkeypatch.setattr(workplaces, "run_chunk", finds_no_room)
        with pytest.raises(OSError, match="No space left"):  # and not: the scheduler is gone
            run_cohort(data, tmp_path / "full", scheduler=there, **asked)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed", "ignore::FutureWarning:distributed")
def test_a_cluster_whose_workers_go_is_not_waited_for_for_ever(
    tmp_path: Path, data: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(workplaces, "APPEAR_S", 0.5)
    monkeypatch.setattr(workplaces, "ANSWER_S", 1)
    monkeypatch.setattr(workplaces, "run_chunk", takes_long)
    asked = {"models": [str(model_folder)], "methods": ["saliency"], "limit": 2, "chunk": 1}
    with LocalCluster(n_workers=1, **QUIET) as cluster:
        going = threading.Timer(2, cluster.scale, args=(0,))
        going.start()
        with pytest.raises(CohortError, match=r"no workers.* what was written stays, and the same call goes on"):
            run_cohort(data, tmp_path / "gone", scheduler=cluster.scheduler_address, **asked)
        going.join()


def finds_no_room(_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def takes_long(_: object) -> None:
    time.sleep(60)


def ends_its_process(_: object) -> None:
    os._exit(1)


def test_a_worker_with_other_weights_refuses(data: Path, model_folder: Path, tmp_path: Path) -> None:
    from ecgviz.cohort.run import _asked, _open_chunks
    from ecgviz.cohort.work import run_chunk

    model = load_model(model_folder)
    asked, _ = _asked({str(model_folder): replace(model, digest="0" * 64)}, ["saliency"], ["MI"], 1, 0)
    (chunk,) = _open_chunks(data, tmp_path, recordings(data), asked, 9, None)
    with pytest.raises(CohortError, match="has other weights than the run was started with"):
        run_chunk(chunk)


def test_a_worker_is_told_the_folder_of_a_model_and_says_when_it_has_none(
    data: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecgviz.cohort.run import _asked, _open_chunks, _source
    from ecgviz.cohort.work import run_chunk

    monkeypatch.setenv("ECGVIZ_MODELS", str(model_folder))
    assert _source(model_folder.name) == _source(str(model_folder)) == str(model_folder.resolve())
    assert _source("imle_net") == "imle_net"
    own = tmp_path / "own"
    shutil.copytree(model_folder, own)
    asked, _ = _asked({str(own): load_model(own)}, ["saliency"], ["MI"], 1, 0)
    (chunk,) = _open_chunks(data, tmp_path, recordings(data), asked, 9, None)
    shutil.rmtree(own)
    with pytest.raises(CohortError, match=r"a worker cannot load .*own, which it must see there, too"):
        run_chunk(chunk)


def test_every_column_is_documented() -> None:
    told = (Path(__file__).resolve().parents[1] / "docs" / "cohort.md").read_text(encoding="utf-8")
    for each in (*ROWS, *RECORDS):
        assert f"| `{each.name}` | " in told, each.name
        assert each.holds.replace("|", "&#124;") in told, each.holds


def test_a_fault_of_ours_is_a_row_and_its_traceback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise ZeroDivisionError("by nothing")

    found, failure = together.attempt(broken)
    assert found is None
    assert failure == "fault: ZeroDivisionError: by nothing"
    assert caplog.records[0].exc_info is not None


def test_parameters_of_every_stated_type_are_taken() -> None:
    asked = read_method("occlusion:window_s=1,stride_s=0.5,baseline=zero")
    assert asked.params == {"window_s": 1, "stride_s": 0.5, "baseline": "zero"}
    assert read_method("integrated_gradients:n_steps=16").params == {"n_steps": 16}


def test_a_model_in_the_working_folder_is_found_by_its_bare_name(
    data: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model_folder.parent)
    done = run_cohort(data, tmp_path / "store", models=["narrow"], methods=["saliency"], labels=["MI"], limit=1, jobs=1)
    assert done.n_rows == 1
