"""What is summed up over a store, on rows whose answer is known by hand; a recipe is worked out again by sample."""

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ecgviz.cli import main
from ecgviz.cohort import Cohort
from ecgviz.cohort.class_map import by_wave, class_map, place_p
from ecgviz.cohort.clusters import clusters
from ecgviz.cohort.density import density_map, external_checks
from ecgviz.cohort.files import opened_to_write, write_records, write_rows
from ecgviz.cohort.overview import overview
from ecgviz.cohort.question import Question, available, tells_places
from ecgviz.cohort.resample import above_best, resampled
from ecgviz.cohort.rows import matrix
from ecgviz.cohort.schema import LEADS
from ecgviz.cohort.settings import Settings
from ecgviz.cohort.summary import agreement, criteria, parted
from ecgviz.errors import CohortError
from ecgviz.evidence import evidence
from ecgviz.types import ATOMS, Beats, Explanation
from tests.toys import even_beats

N = 60
INFERIOR = [LEADS.index(lead) for lead in ("II", "III", "aVF")]
ST = ATOMS.index("ST")
FINDING = {"criterion": "IMI", "definition": "acute", "state": "met"}


def settings(method: str) -> Settings:
    return Settings("net", "0" * 64, method, {}, 1, 2, 0)


def shares(inside: float, rng: np.random.Generator, leads: list[int] | None = None) -> np.ndarray:
    """Return a map with so much of its mass on ST of some leads, the rest spread at random over the other cells."""
    chosen = INFERIOR if leads is None else leads
    cells = rng.uniform(0.5, 1.5, size=(12, 9))
    cells[chosen, ST] = 0
    cells *= (1 - inside) / cells.sum()
    cells[chosen, ST] = inside / len(chosen)
    return cells


def region() -> np.ndarray:
    inside = np.zeros((12, 9))
    inside[INFERIOR, ST] = 1
    return inside


def row(k: int, mass: np.ndarray, **more: Any) -> dict[str, Any]:
    share = float(mass[region() > 0].sum() / mass.sum())
    controls = [
        {"name": "|x|", "share": 0.1},
        {"name": "|dx/dt|", "share": 0.15},
        {"name": "random networks", "share": 0.05},
    ]
    return {
        "record": f"r{k:03d}",
        "label": "IMI",
        "logit": float(k),
        "probability": 0.9 if k % 2 else 0.1,
        "called": bool(k % 2),
        "stated": k % 3 != 0,
        "correct": bool(k % 2) == (k % 3 != 0),
        "pos": 7.0 * mass.ravel(),
        "neg": np.zeros(108),
        "atom_s": np.full(9, 0.5),
        "by_lead": mass.sum(axis=1) / mass.sum(),
        "by_atom": mass.sum(axis=0) / mass.sum(),
        "region": region().ravel(),
        "amplitude": np.full(108, 1 / 108),
        "evidence": "agrees" if k % 2 else "partly",
        "share": share,
        "area": 0.04,
        "p_phase": 0.01,
        "controls": controls,
        "findings": [FINDING | {"share": share, "area": 0.04, "controls": controls}],
    } | more


def about(k: int) -> dict[str, Any]:
    """Return a recording; every third patient has two."""
    return {
        "record": f"r{k:03d}",
        "patient": f"p{k // 2 if k % 6 < 2 else 1000 + k}",
        "sex": "female" if k % 2 else "male",
    }


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Make a store of three methods: one that looks at the guideline's place, one at other leads, one without leads."""
    store = tmp_path_factory.mktemp("stores") / "store"
    rng = np.random.default_rng(0)
    with opened_to_write(store, [settings(name) for name in ("looks", "elsewhere", "leadless")]):
        write_records(store, [about(k) for k in range(N)])
        write_rows(store, settings("looks"), [row(k, shares(rng.uniform(0.3, 0.5), rng)) for k in range(N)])
        other = [LEADS.index(lead) for lead in ("I", "aVL", "aVR")]
        write_rows(store, settings("elsewhere"), [row(k, shares(0.4, rng, other)) for k in range(N)])
        without = {
            "pos": None,
            "neg": None,
            "by_lead": None,
            "region": None,
            "share": None,
            "evidence": "not assessable",
        }
        write_rows(store, settings("leadless"), [row(k, shares(0.4, rng), **without) for k in range(N)])
    return Cohort(store)


def test_what_tells_leads_and_waves_apart_is_known(cohort: Cohort) -> None:
    assert tells_places(cohort) == {("net", "looks"), ("net", "elsewhere")}


def test_a_store_is_opened_by_its_name_too(cohort: Cohort) -> None:
    by_name = Cohort(str(cohort.folder))
    assert by_name.folder == cohort.folder
    assert by_name.sql("SELECT count(*) AS n FROM rows").n[0] == 3 * N


def test_a_mean_is_over_records_and_its_interval_over_patients() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 1))
    alone = resampled(values, np.arange(50))
    copies = resampled(np.repeat(values, 9, axis=0), np.repeat(np.arange(50), 9))
    assert copies.mean == pytest.approx(alone.mean)
    assert copies.high - copies.low == pytest.approx(alone.high - alone.low, rel=1e-5)
    standard_error = values.std() / np.sqrt(50)
    assert (alone.high - alone.low)[0] == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    gaps = np.where(np.arange(50)[:, None] < 40, values, np.nan)
    assert resampled(gaps, np.arange(50)).mean[0] == pytest.approx(values[:40].mean())
    beside = np.column_stack([np.repeat([0.9, 0.1], 25), np.repeat([np.nan, 0.1], 25)])
    assert above_best(beside, np.arange(50)) == pytest.approx((0, 0, 0, 0))  # on the records that have both
    few = resampled(values[:4], np.arange(4))
    assert np.isfinite(few.mean).all()
    assert np.isnan(few.low).all()


def test_a_class_map_is_the_mean_share_beside_guideline_and_controls(cohort: Cohort) -> None:
    question = Question("net", "looks", "IMI", "called")
    found = class_map(cohort, question)
    rows = cohort.sql("SELECT pos FROM rows WHERE method = 'looks' AND called")
    by_hand = np.mean([np.array(each) / np.sum(each) for each in rows.pos], axis=0).reshape(12, 9)
    np.testing.assert_allclose(found.mean, by_hand, atol=1e-7)
    assert found.mean.sum() == pytest.approx(1, abs=1e-6)
    assert (found.low <= found.mean).all()
    assert (found.mean <= found.high).all()
    assert found.n_records == N / 2
    np.testing.assert_array_equal(found.guideline, region())
    np.testing.assert_allclose(found.controls["|x|"], 1 / 108, rtol=1e-6)
    assert np.isnan(found.controls["|dx/dt|"]).all()
    assert by_wave(found.mean)[0, 3] == found.mean[0, ST]
    assert 0.03 < found.p_place < 0.06  # first of 20 choices of three limb leads
    assert class_map(cohort, Question("net", "elsewhere", "IMI", "called")).p_place > 0.5
    with pytest.raises(CohortError, match="maps of leadless lack leads or time"):
        class_map(cohort, Question("net", "leadless", "IMI", "called"))


def test_exchanged_leads_are_all_counted_however_many_records_there_are() -> None:
    """Three of six limb leads are one choice of twenty; where leads of a group are asked alike, none is told apart."""
    mass = shares(1.0, np.random.default_rng(0))
    for n in (1, 30_000):
        many = np.broadcast_to(mass, (n, 12, 9))
        assert place_p(many, np.broadcast_to(region(), (n, 12, 9))) == pytest.approx(1 / 20)
    chest = np.zeros((1, 12, 9))
    chest[:, 6:, ST] = 1
    assert np.isnan(place_p(mass[None], chest))


def test_agreement_is_above_the_best_control_where_it_was_planted(cohort: Cohort) -> None:
    (found,) = agreement(cohort, Question("net", "looks", "IMI", "all")).to_dict("records")
    assert (found["n_records"], found["n"], found["n_patients"]) == (N, N, N - N // 6)
    assert found["best_control"] == "|dx/dt|"
    assert found["excess"] == pytest.approx(found["share"] - 0.15)
    assert 0.2 < found["excess_low"] < found["excess"] < found["excess_high"] < 0.3
    assert 0.03 < found["p_place"] < 0.06
    assert found["p_time"] < 1e-6
    assert found["agrees"] == found["partly"] == 0.5
    assert found["agrees_low"] < 0.5 < found["agrees_high"]
    (elsewhere,) = agreement(cohort, Question("net", "elsewhere", "IMI", "all")).to_dict("records")
    assert elsewhere["excess_high"] < 0
    (blind,) = agreement(cohort, Question("net", "leadless", "IMI", "all")).to_dict("records")
    assert (blind["n"], blind["not_assessable"]) == (0, 1)
    assert np.isnan(blind["excess"])


def test_records_are_divided_by_what_is_asked(cohort: Cohort) -> None:
    question = Question("net", "looks", "IMI", "all")
    by = agreement(cohort, question, by="prediction").set_index("member")
    assert by.n_records.to_dict() == {
        "called rightly": 20,
        "called wrongly": 10,
        "missed": 20,
        "rightly not called": 10,
    }
    assert set(agreement(cohort, question, by="sex").member) == {"female", "male"}
    assert set(agreement(cohort, question, by="age").member) == {"not known"}
    assert agreement(cohort, Question("net", "looks", "IMI", "called", "sex", "male")).empty
    with pytest.raises(CohortError, match="not divided by 'weight', but by one of prediction, age, sex"):
        agreement(cohort, question, by="weight")
    with pytest.raises(CohortError, match="not chosen by 'some'"):
        Question("net", "looks", "IMI", "some")


def test_a_criterion_is_used_or_ignored_by_its_interval(cohort: Cohort) -> None:
    used, ignored = (criteria(cohort, Question("net", name, "IMI", "all")).iloc[0] for name in ("looks", "elsewhere"))
    assert (used.used, ignored.used) == ("yes", "no")
    assert used.n == N
    assert used.share - used.control_share == pytest.approx(used.excess)
    few = criteria(cohort, Question("net", "looks", "IMI", "called wrongly", "sex", "female"))
    assert len(few) == 1
    assert criteria(cohort, Question("net", "looks", "MI", "all")).empty


def kept(store: Path, rows: list[dict[str, Any]]) -> Cohort:
    """Return a store of some rows of one method, each of a patient of its own."""
    with opened_to_write(store, [settings("looks")]):
        write_records(store, [{"record": row["record"], "patient": row["record"]} for row in rows])
        write_rows(store, settings("looks"), rows)
    return Cohort(store)


def test_a_criterion_is_held_against_the_control_that_is_best_on_the_whole(tmp_path: Path) -> None:
    """Two controls that hold 0.3 in turns hold 0.2 in the mean: 0.25 is above that, here as in agreement."""
    rng = np.random.default_rng(5)
    rows = []
    for k in range(N):
        held = [{"name": name, "share": 0.3 if k % 2 == turn else 0.1} for turn, name in enumerate(("|x|", "|dx/dt|"))]
        mass = shares(0.25, rng)
        finding = FINDING | {"share": 0.25, "area": 0.04, "controls": held}
        rows.append(row(k, mass, controls=held, findings=[finding]))
    cohort, question = kept(tmp_path / "store", rows), Question("net", "looks", "IMI", "all")
    (of_criteria,) = criteria(cohort, question).to_dict("records")
    (of_label,) = agreement(cohort, question).to_dict("records")
    for name in ("share", "area", "control_share", "excess", "excess_low", "excess_high"):
        assert of_criteria[name] == pytest.approx(of_label[name]), name
    assert of_criteria["excess"] == pytest.approx(0.05)


@pytest.mark.parametrize("heavy", ["on its place", "off its place"])
def test_a_place_is_told_by_records_and_not_by_mass(tmp_path: Path, heavy: str) -> None:
    """One map of a thousand times the mass moves the p of place no more than any other."""
    rng = np.random.default_rng(6)
    masses = [shares(0.4 if heavy == "off its place" else 0.005, rng) for _ in range(N)]
    masses[0] = 1000 * shares(0.9, rng, None if heavy == "on its place" else [0, 3, 4])
    cohort = kept(tmp_path / "store", [row(k, mass) for k, mass in enumerate(masses)])
    question = Question("net", "looks", "IMI", "all")
    (found,) = agreement(cohort, question).to_dict("records")
    assert found["p_place"] == class_map(cohort, question).p_place
    assert (found["p_place"] > 0.5) == (heavy == "on its place")


def test_maps_part_where_they_were_made_to(cohort: Cohort) -> None:
    question = Question("net", "looks", "IMI", "called")
    same = parted(cohort, question, "looks").set_index("place")
    assert same.loc["together", "first"] == pytest.approx(1, abs=1e-6)
    assert not same.clear.any()
    found = parted(cohort, question, "elsewhere").set_index("place")
    assert found.loc["together", "first"] < 0.7
    assert found.loc["aVF", "difference_low"] > 0.05
    assert found.loc["aVL", "difference_high"] < -0.05
    assert found.loc["ST", "first"] == pytest.approx(found.loc["ST", "second"], abs=0.03)  # other leads, the same wave
    assert not found.loc["ST", "clear"]
    leadless = parted(cohort, question, "leadless")
    assert not set(LEADS) & set(leadless.place)
    assert "ST" in set(leadless.place)


def test_a_difference_of_maps_is_that_of_the_means_beside_it(cohort: Cohort, tmp_path: Path) -> None:
    """Where one method has no map of a record, the other's is left out, too."""
    store = tmp_path / "store"
    rng = np.random.default_rng(0)
    rows = [row(k, shares(rng.uniform(0.1, 0.9), rng)) for k in range(20)]
    without = [each | ({"by_lead": np.full(12, np.nan)} if k < 10 else {}) for k, each in enumerate(rows)]
    with opened_to_write(store, [settings("one"), settings("two")]):
        write_records(store, [about(k) for k in range(20)])
        write_rows(store, settings("one"), rows)
        write_rows(store, settings("two"), without)
    found = parted(Cohort(store), Question("net", "one", "IMI", "all"), "two").set_index("place")
    assert found.loc["aVF", "first"] == pytest.approx(found.loc["aVF", "second"], abs=1e-6)
    assert found.loc["aVF", "difference"] == pytest.approx(0, abs=1e-6)


def by_sample(values: np.ndarray, beats: Beats, fs: float) -> np.ndarray:
    """Return density by lead and atom as the recipe says it, sample by sample: sum of |A| S over sum of S."""
    spans = beats.segments()
    found = np.full((values.shape[0], len(ATOMS)), np.nan)
    for s in range(len(ATOMS)):
        inside = np.zeros(values.shape[1])
        for t in range(values.shape[1]):
            left, right = (t - 0.5) / fs, (t + 0.5) / fs
            for b in range(len(beats)):
                start, end = spans[b, s]
                if np.isfinite(start):
                    inside[t] += max(0.0, min(right, end) - max(left, start)) * fs
        if inside.sum() > 0:
            found[:, s] = (np.abs(values) * inside).sum(axis=1) / inside.sum()
    return found


def test_the_density_map_is_the_published_recipe_to_a_millionth(tmp_path: Path) -> None:
    rng, fs, kept, by_hand = np.random.default_rng(3), 100.0, [], []
    for k in range(6):
        beats = even_beats(4, duration_s=4.0, rr_s=0.93, without_p=[k % 4])
        values = rng.normal(size=(12, 400))
        explanation = Explanation(values, fs, 0.0, LEADS, "IMI", "saliency", True, 1 / fs)
        grid = evidence(explanation, beats)
        cells = {"pos": matrix(grid.pos, grid), "neg": matrix(grid.neg, grid), "atom_s": grid.area.sum(axis=0)}
        kept.append(row(k, shares(0.3, rng), **cells))
        by_hand.append(by_sample(values, beats, fs))
    with opened_to_write(tmp_path / "store", [settings("saliency")]):
        write_records(tmp_path / "store", [about(k) for k in range(6)])
        write_rows(tmp_path / "store", settings("saliency"), kept)
    found = density_map(Cohort(tmp_path / "store"), Question("net", "saliency", "IMI"), top=4)
    np.testing.assert_allclose(found.mean / fs, np.nanmean(by_hand[2:], axis=0), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("leads", "passes"), [(("II", "III", "aVF"), True), (("V1", "V2", "V3"), False)])
def test_a_published_finding_is_shown_where_it_was_planted(
    tmp_path: Path, leads: tuple[str, ...], passes: bool
) -> None:
    rng = np.random.default_rng(4)
    rows = []
    for k in range(12):
        cells = rng.uniform(0.5, 1.5, size=(12, 9))
        cells[[LEADS.index(lead) for lead in leads], ATOMS.index("QRSi")] += 3
        rows.append(row(k, cells))
    with opened_to_write(tmp_path / "store", [settings("saliency")]):
        write_records(tmp_path / "store", [{"record": f"r{k:03d}", "patient": f"p{k}"} for k in range(12)])
        write_rows(tmp_path / "store", settings("saliency"), rows)
    found = density_map(Cohort(tmp_path / "store"), Question("net", "saliency", "IMI"))
    (check,) = external_checks("IMI", found).to_dict("records")
    assert check["published"] == "Q in II, III and aVF"
    assert check["passes"] is passes
    assert check["in_strongest"] == (3 if passes else 0)
    assert {cell[0] for cell in found.strongest[:3]} == set(leads)
    assert external_checks("HYP", found).empty


def test_a_published_finding_of_too_few_patients_is_neither_shown_nor_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, rng = tmp_path / "store", np.random.default_rng(4)
    failed = [{"record": f"r{k:03d}", "label": "IMI", "failure": "too short"} for k in (3, 4)]
    with opened_to_write(store, [settings("saliency")]):
        write_records(store, [about(k) for k in range(5)])
        write_rows(store, settings("saliency"), [row(k, shares(0.3, rng)) for k in range(3)] + failed)
    (check,) = external_checks("IMI", density_map(Cohort(store), Question("net", "saliency", "IMI"))).to_dict("records")
    assert check["ratio"] > 0
    assert np.isnan(check["low"])
    assert check["passes"] is None
    assert main(["cohort", "summary", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["published"][0]["low"], told["published"][0]["passes"]) == (None, None)
    assert told["in_store"] == {"n_failed": 2, "n_recordings": 5}
    assert main(["cohort", "summary", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (shown,) = [line for line in lines if "Q in II, III and aVF" in line]
    assert f"{check['ratio']:.2f} " in shown
    assert shown.rstrip("│ ").endswith(" -")
    assert "nan" not in shown
    assert "the up to 100 records with the highest output, whatever --which says" in " ".join(lines)
    (said,) = [line for line in lines if "recordings in the store have rows that failed" in line]
    assert said.startswith("2 of 5 ")
    listed = shlex.split(said.split(": ", 1)[1])
    assert main([*listed[1:], "--json"]) == 0
    assert {each["record"] for each in json.loads(capsys.readouterr().out)} == {"r003", "r004"}


def test_one_recording_that_nobody_read_hides_no_cluster(tmp_path: Path) -> None:
    store, rng = tmp_path / "store", np.random.default_rng(0)
    rows = [row(k, shares(0.4, rng)) | {"stated": None if k == 7 else True} for k in range(20)]
    with opened_to_write(store, [settings("looks")]):
        write_records(store, [about(k) for k in range(20)])
        write_rows(store, settings("looks"), rows)
    assert clusters(Cohort(store), Question("net", "looks", "IMI", "all"), 2).stated == (1, 1)


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO 'STORE/x.csv'",
        "DROP VIEW rows",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_text('STORE/../../secret.txt')",
        "SELECT * FROM glob('/etc/*')",
        "ATTACH '/tmp/x.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT * FROM cohort_of_nobody",
        "SELEC 1",
        "",
    ],
)
def test_a_query_reads_the_store_and_nothing_else(cohort: Cohort, query: str) -> None:
    before = sorted(cohort.folder.rglob("*"))
    with pytest.raises(CohortError, match=r"reads, and changes nothing|cannot be answered"):
        cohort.sql(query.replace("STORE", str(cohort.folder)))
    assert sorted(cohort.folder.rglob("*")) == before


def test_a_store_answers_in_sql(cohort: Cohort) -> None:
    assert available(cohort) == {("net", name): ("IMI",) for name in ("elsewhere", "leadless", "looks")}
    found = cohort.sql(
        "SELECT avg(cell(pos, 'aVF', 'ST') / 7) AS st, avg(on_wave(pos, 'aVF', 'QRS') / 7) AS qrs FROM cohort "
        "WHERE method = ? AND sex = 'female'",
        ["looks"],
    )
    by_hand = class_map(cohort, Question("net", "looks", "IMI", "called")).mean
    row = LEADS.index("aVF")
    assert found.st[0] == pytest.approx(by_hand[row, ST], rel=1e-5)
    assert found.qrs[0] == pytest.approx(by_hand[row, 2:5].sum(), rel=1e-5)


def test_what_is_no_store_is_refused(tmp_path: Path, cohort: Cohort) -> None:
    with pytest.raises(CohortError, match="is no store of a cohort"):
        Cohort(tmp_path)
    (tmp_path / "cohort.json").write_text(json.dumps({"format": 99, "settings": {}}), encoding="utf-8")
    with pytest.raises(CohortError, match="store format 99 is not 4"):
        Cohort(tmp_path)
    (tmp_path / "cohort.json").write_text("[" * 10**5, encoding="utf-8")
    with pytest.raises(CohortError, match=r"no store of a cohort: cohort\.json cannot be read"):
        Cohort(tmp_path)
    with opened_to_write(tmp_path / "new", []), pytest.raises(CohortError, match="holds no rows yet"):
        Cohort(tmp_path / "new")
    with (
        opened_to_write(tmp_path / "new", []),
        pytest.raises(CohortError, match="another run is writing"),
        opened_to_write(tmp_path / "new", []),
    ):
        pytest.fail("two runs write to one store")


@pytest.mark.parametrize(
    "place",
    ["st[1]", "st*", "st?", "it's", "label=CLBBB", "record=7/st", "model=mine/method=none/st", "label=CLBBB/st[[]1]"],
)
def test_the_names_of_the_folders_above_a_store_mean_nothing(cohort: Cohort, tmp_path: Path, place: str) -> None:
    asked = "SELECT record, model, method, label, share, sex FROM cohort ORDER BY ALL"
    shutil.copytree(cohort.folder, tmp_path / place)
    for other in ("st1", "stx", "other"):  # what a glob would find beside it
        shutil.copytree(cohort.folder, (tmp_path / place).with_name(other), dirs_exist_ok=True)
    moved = Cohort(tmp_path / place)
    assert moved.sql(asked).equals(cohort.sql(asked))
    with pytest.raises(CohortError, match="cannot be answered"):
        moved.sql("SELECT * FROM read_parquet(?)", [f"{tmp_path}/st1/records/*.parquet"])


def test_a_question_opens_no_file_of_another_network_or_method(cohort: Cohort, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(cohort.folder, store)
    opened = Cohort(store)
    assert len(opened.sql("SELECT record FROM rows WHERE method = 'elsewhere'")) == N
    for file in store.glob("rows/model=net/method=looks/*.parquet"):
        file.write_bytes(b"broken")
    assert len(opened.sql("SELECT record FROM cohort WHERE model = 'net' AND method = ?", ["leadless"])) == N


@pytest.mark.parametrize("left", [".part-7-{}", ".part-7-{}.tmp"])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_what_a_killed_run_left_is_read_by_nobody_and_taken_away(
    cohort: Cohort, tmp_path: Path, left: str, share: float
) -> None:
    store = tmp_path / "store"
    shutil.copytree(cohort.folder, store)
    for file in sorted(store.rglob("*.parquet")):
        whole = file.read_bytes()
        file.with_name(left.format(file.name)).write_bytes(whole[: int(share * len(whole))])
    asked = "SELECT count(*) AS n FROM cohort"
    assert Cohort(store).sql(asked).n[0] == cohort.sql(asked).n[0]
    with opened_to_write(store, []):
        assert not list(store.rglob(".part-*"))


def test_a_file_is_no_table_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def stopped(_: object, part: Path, **__: object) -> None:
        part.write_bytes(b"PAR1")
        seen.extend(path.name for path in tmp_path.rglob("*") if path.is_file())
        raise KeyboardInterrupt

    monkeypatch.setattr("ecgviz.cohort.files.pq.write_table", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_records(tmp_path, [about(0)])
    assert [name.startswith(".part-") and not name.endswith(".parquet") for name in seen] == [True]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_broken_file_of_a_store_is_one_sentence_that_names_it(cohort: Cohort, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(cohort.folder, store)
    broken = next(store.glob("records/*.parquet"))
    broken.write_bytes(b"PAR1")
    with pytest.raises(CohortError, match=f"cannot be answered: .*{broken.name}") as refusal:
        Cohort(store).sql("SELECT 1")
    assert "\n" not in str(refusal.value)


def test_a_store_has_ptbxl_at_one_rate_for_all_networks_and_methods(tmp_path: Path) -> None:
    store, slow = tmp_path / "store", replace(settings("looks"), fs=100)
    for asked in (slow, replace(settings("elsewhere"), fs=None), slow):  # a folder of another kind is no other rate
        with opened_to_write(store, [asked]):
            write_records(store, [about(0)])
    before = (store / "cohort.json").read_bytes()
    for name in ("looks", "another"):
        with (
            pytest.raises(CohortError, match="holds PTB-XL at 100 Hz, not at 500 Hz: name a new store"),
            opened_to_write(store, [replace(settings(name), fs=500)]),
        ):
            pytest.fail("one table has two rates")
    assert (store / "cohort.json").read_bytes() == before
    assert len({replace(slow, fs=fs).digest for fs in (None, 100, 500)}) == 3


def test_settings_under_which_nothing_was_written_bind_no_later_run(tmp_path: Path) -> None:
    store, old, new = tmp_path / "store", settings("looks"), replace(settings("looks"), seed=1)
    with opened_to_write(store, [replace(old, fs=100)], tmp_path / "ward1"):
        pass
    with opened_to_write(store, [replace(old, fs=500)], tmp_path / "ward2"):
        write_records(store, [about(0)])
    with opened_to_write(store, [replace(new, fs=500)], tmp_path / "ward2"):
        write_rows(store, replace(new, fs=500), [row(0, shares(0.3, np.random.default_rng(0)))])
    with (
        pytest.raises(CohortError, match=r"with another seed \(1, not 0\)"),
        opened_to_write(store, [replace(old, fs=500)], tmp_path / "ward2"),
    ):
        pytest.fail("one method has two seeds")


def test_a_folder_that_holds_a_lock_alone_is_new(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("kept", encoding="utf-8")
    with opened_to_write(tmp_path, [settings("looks")]):
        assert (tmp_path / ".lock").read_text(encoding="utf-8") == "kept"


def test_a_store_has_files_of_one_folder_beside_published_recordings(tmp_path: Path) -> None:
    store, first, second = (tmp_path / name for name in ("store", "ward1/ecgs", "ward2/ecgs"))
    for folder in (None, first, None, first):  # one without the entry is as one of published recordings alone
        with opened_to_write(store, [settings("looks")], folder):
            write_records(store, [about(0)])
    with (
        pytest.raises(CohortError, match=r"holds recordings of \S+ward1/ecgs, whose ids those of \S+ward2/ecgs may"),
        opened_to_write(store, [settings("looks")], second),
    ):
        pytest.fail("recordings of two folders have one id")
    assert json.loads((store / "cohort.json").read_text(encoding="utf-8"))["folder"] == str(first)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"methods": ("looks", "look")}, "no method 'look', but .*looks"),
        ({"models": ("nobody",)}, "no network 'nobody'"),
        ({"labels": ("IMI", "AMI")}, "no label 'AMI', but IMI"),
    ],
)
def test_a_name_that_the_store_does_not_hold_is_refused_beside_one_that_it_does(
    cohort: Cohort, asked: dict[str, tuple[str, ...]], told: str
) -> None:
    with pytest.raises(CohortError, match=told):
        overview(cohort, **asked)


def test_the_command_line_says_the_same(cohort: Cohort, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = str(cohort.folder)
    assert main(["cohort", "summary", store, "--which", "all", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    by_method = {row["method"]: row for row in told["agreement"]}
    assert by_method["looks"]["excess"] > 0.2 > 0 > by_method["elsewhere"]["excess"]
    assert by_method["leadless"]["excess"] is None
    assert main(["cohort", "summary", store, "--which", "all"]) == 0
    assert "Not a medical device" in capsys.readouterr().out
    assert main(["cohort", "query", store, "SELECT count(*) AS n FROM rows", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 3 * N}]
    assert main(["cohort", "query", store, "SELECT record FROM records", "--csv", str(tmp_path / "r.csv")]) == 0
    assert len((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()) == N + 1
    lists = "SELECT range(3000) AS many, pos, findings FROM rows WHERE method = 'looks'"
    assert main(["cohort", "query", store, lists, "--csv", str(tmp_path / "l.csv")]) == 0
    read = pd.read_csv(tmp_path / "l.csv", converters=dict.fromkeys(("many", "pos", "findings"), json.loads))
    assert read["many"][0] == list(range(3000))
    assert len(read["pos"][0]) == 12 * len(ATOMS)
    assert read["findings"][0][0]["criterion"] == "IMI"
    one = "SELECT 0.1::FLOAT AS share, [0.5::FLOAT, NULL] AS some"
    assert main(["cohort", "query", store, one, "--csv", str(tmp_path / "o.csv")]) == 0
    assert (tmp_path / "o.csv").read_text(encoding="utf-8") == 'share,some\n0.1,"[0.5, null]"\n'
    struct = "{'x': 1.5::DECIMAL(5, 2), 'd': DATE '2020-01-01', 'i': INTERVAL 1 DAY, 'b': 'ab'::BLOB}"
    kinds = f"SELECT {struct} AS s, DATE '2020-01-01' AS d, [DATE '2020-01-01'] AS l, 'ab'::BLOB AS b, TIME '12:00' t"
    capsys.readouterr()
    assert main(["cohort", "query", store, f"{kinds} UNION ALL SELECT NULL, NULL, NULL, NULL, NULL", "--json"]) == 0
    told = {"x": 1.5, "d": "2020-01-01", "i": "1 day, 0:00:00", "b": "6162"}
    row = {"s": told, "d": "2020-01-01 00:00:00", "l": ["2020-01-01 00:00:00"], "b": "6162", "t": "12:00:00"}
    assert json.loads(capsys.readouterr().out) == [row, dict.fromkeys(row)]
    assert main(["cohort", "query", store, kinds, "--csv", str(tmp_path / "k.csv")]) == 0
    (read,) = pd.read_csv(tmp_path / "k.csv", converters={"s": json.loads, "l": json.loads}).to_dict("records")
    assert read == {**row, "d": "2020-01-01", "b": 6162}
    capsys.readouterr()
    for place, said in (("nowhere/r.csv", "nowhere to write it in"), ("", "is there and is no file; name a file")):
        assert main(["cohort", "query", store, "SELECT record FROM records", "--csv", str(tmp_path / place)]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert len(told.strip().splitlines()) == 1
    for wrong in (["query", store, "DROP VIEW rows"], ["summary", store, "--label", "flu"], ["summary", str(tmp_path)]):
        assert main(["cohort", *wrong]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_query_that_is_ended_leaves_the_table_of_before(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "r.csv").write_text("of before", encoding="utf-8")
    monkeypatch.setattr("ecgviz.records.write.os.replace", ended)
    asked = ["query", str(cohort.folder), "SELECT record FROM records", "--csv", str(tmp_path / "r.csv")]
    assert main(["cohort", *asked]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["r.csv"]
    assert (tmp_path / "r.csv").read_text(encoding="utf-8") == "of before"
