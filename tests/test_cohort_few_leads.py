"""In a cohort, a network that reads fewer than twelve leads has maps, a test of place and clusters of its own leads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import on_page
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from test_cohort_summary import about, row, settings, shares

from ecgviz.cli.dashboard import COHORTS
from ecgviz.cohort import Cohort
from ecgviz.cohort.class_map import by_wave, class_map
from ecgviz.cohort.clusters import clusters
from ecgviz.cohort.density import density_map, external_checks
from ecgviz.cohort.files import opened_to_write, write_records, write_rows
from ecgviz.cohort.question import Question
from ecgviz.cohort.rows import matrix
from ecgviz.cohort.schema import LEADS
from ecgviz.cohort.summary import agreement, parted
from ecgviz.evidence import evidence
from ecgviz.figures import cohort as figures
from ecgviz.figures import exported
from ecgviz.types import ATOMS, WAVES, Explanation
from tests.toys import even_beats

ROOT = Path(__file__).resolve().parents[1]
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
ABSENT = tuple(lead for lead in LEADS if lead not in EIGHT)
LATERAL = ("I", "aVL", "V1", "V2", "V5", "V6")
THERE = np.array([lead in EIGHT for lead in LEADS])
R, V2 = ATOMS.index("QRSm"), LEADS.index("V2")
QUESTION = Question("net", "looks", "IMI", "all")


def pointed(leads: Sequence[str] = LATERAL, without: Sequence[str] = ()) -> np.ndarray:
    """Return a region on R of some leads, NaN on the leads that a recording is without."""
    region = np.zeros((12, 9))
    region[[LEADS.index(lead) for lead in leads], R] = 1
    region[[LEADS.index(lead) for lead in without]] = np.nan
    return region


def eight(k: int, mass: np.ndarray, **more: Any) -> dict[str, Any]:
    """Return a row whose map has eight leads; what ``mass`` has on the others is left out."""
    held = np.where(THERE[:, None], mass, np.nan)
    share = held / np.nansum(held)
    even = np.where(THERE[:, None], 1 / 72, np.nan) * np.ones((12, 9))
    told = {"pos": 7 * held.ravel(), "neg": 0 * held.ravel(), "region": pointed().ravel(), "amplitude": even.ravel()}
    told |= {"by_lead": share.sum(axis=1), "by_atom": np.nansum(share, axis=0), "share": 0.5}
    return row(k, np.nan_to_num(held), **(told | more))


def on(leads: Sequence[str], rng: np.random.Generator, inside: float = 0.6) -> np.ndarray:
    """Return a map with so much of its mass on R of some leads, the rest at random on the other cells of the eight."""
    cells = np.where(THERE[:, None], rng.uniform(0.5, 1.5, size=(12, 9)), 0)
    chosen = [LEADS.index(lead) for lead in leads]
    cells[chosen, R] = 0
    cells *= (1 - inside) / cells.sum()
    cells[chosen, R] = inside / len(chosen)
    return cells


def stored(store: Path, rows: dict[str, list[dict[str, Any]]]) -> Cohort:
    n = max(map(len, rows.values()))
    with opened_to_write(store, [settings(method) for method in rows]):
        write_records(store, [about(k) | {"patient": f"p{k}"} for k in range(n)])
        for method, some in rows.items():
            write_rows(store, settings(method), some)
    return Cohort(store)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Make a store of 20 maps of eight leads of three methods: half of those of ``looks`` on lateral leads."""
    rng = np.random.default_rng(0)
    seen = [leads for leads in LATERAL if leads in EIGHT]
    rows = {
        "looks": [eight(k, on(seen if k % 2 else ("V2",), rng)) for k in range(20)],
        "lateral": [eight(k, on(seen, rng)) for k in range(20)],
        "saliency": [eight(k, on(("V2",), rng), label="CLBBB") for k in range(20)],
    }
    return stored(tmp_path_factory.mktemp("stores") / "store", rows)


def test_a_class_map_is_of_the_leads_that_the_map_has(cohort: Cohort) -> None:
    found = class_map(cohort, QUESTION)
    assert np.isnan(found.mean[~THERE]).all()
    assert np.nansum(found.mean) == pytest.approx(1)
    assert found.mean[V2, R] == pytest.approx((0.6 + 0.6 / 5) / 2, abs=1e-6)
    assert (found.low[THERE] <= found.mean[THERE]).all()
    assert (found.mean[THERE] <= found.high[THERE]).all()
    np.testing.assert_allclose(found.controls["|x|"][THERE], 1 / 72, rtol=1e-6)
    assert np.isnan(found.controls["|x|"][~THERE]).all()
    assert found.n_by_lead == tuple(20 * THERE)
    np.testing.assert_array_equal(found.guideline, pointed())


def test_a_map_as_it_is_stored_is_averaged_as_its_own_mass(tmp_path: Path) -> None:
    rng, kept, by_hand = np.random.default_rng(1), [], []
    for k in range(6):
        values = rng.uniform(0, 1, size=(8, 400))
        grid = evidence(
            Explanation(values, 100.0, 0.0, EIGHT, "IMI", "looks", True, 0.01), even_beats(4, duration_s=4.0, rr_s=0.9)
        )
        kept.append(row(k, shares(0.3, rng), pos=matrix(grid.pos, grid), neg=matrix(grid.neg, grid)))
        by_hand.append(grid.pos.sum(axis=1) / grid.pos.sum())
    found = class_map(stored(tmp_path / "store", {"looks": kept}), QUESTION).mean
    np.testing.assert_allclose(found[[LEADS.index(lead) for lead in EIGHT]], np.mean(by_hand, axis=0), rtol=1e-5)


def test_leads_are_exchanged_among_those_that_the_map_has(cohort: Cohort) -> None:
    """Of I and II one is asked, and four of six chest leads: one of 2 x 15 choices."""
    question = Question("net", "lateral", "IMI", "all")
    assert class_map(cohort, question).p_place == pytest.approx(1 / 30)
    assert agreement(cohort, question).p_place[0] == pytest.approx(1 / 30)


def test_leads_that_no_region_tells_apart_have_no_test_of_place(tmp_path: Path) -> None:
    rows = [eight(k, on(("II",), np.random.default_rng(0)), region=pointed(ABSENT).ravel()) for k in range(5)]
    assert np.isnan(class_map(stored(tmp_path / "store", {"looks": rows}), QUESTION).p_place)


def test_on_recordings_of_eight_leads_the_guideline_points_somewhere_too(tmp_path: Path) -> None:
    rng, region = np.random.default_rng(0), pointed(without=ABSENT)
    rows = [eight(k, on(("I", "V1", "V2", "V5", "V6"), rng), region=region.ravel()) for k in range(6)]
    rows += [eight(k, on(("V2",), rng), region=None) for k in range(6, 9)]
    found = class_map(stored(tmp_path / "store", {"looks": rows}), QUESTION)
    assert (found.n_records, found.n_guideline) == (9, 6)
    np.testing.assert_array_equal(found.guideline, region)
    assert found.p_place == pytest.approx(1 / 30)


def test_where_maps_differ_in_their_leads_each_cell_is_of_those_that_have_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole, few = shares(0.3, rng), on(("I", "V1", "V2", "V5", "V6"), rng)
    rows = [row(k, whole, region=pointed().ravel()) if k < 3 else eight(k, few) for k in range(4)]
    found = class_map(stored(tmp_path / "store", {"looks": rows}), QUESTION)
    assert found.n_by_lead == tuple(np.where(THERE, 4, 3))
    np.testing.assert_allclose(found.mean[~THERE], whole[~THERE], rtol=1e-5)
    np.testing.assert_allclose(found.mean[THERE], (3 * whole + few)[THERE] / 4, rtol=1e-5)
    assert 30 * found.p_place == pytest.approx(round(30 * found.p_place))  # leads that all of them have


def test_maps_of_eight_leads_fall_into_the_clusters_that_they_were_made_of(cohort: Cohort) -> None:
    found = clusters(cohort, QUESTION, 2)
    assert found.sizes == (10, 10)
    assert len({found.members[k] for k in range(0, 20, 2)}) == 1
    assert np.isnan(found.centres[:, ~THERE]).all()
    np.testing.assert_allclose(np.nansum(found.centres, axis=(1, 2)), 1, rtol=1e-6)
    assert found.n_by_lead == tuple(20 * THERE)


def test_a_published_finding_is_held_against_the_leads_that_are_there(cohort: Cohort) -> None:
    question = Question("net", "saliency", "CLBBB", "all")
    found = density_map(cohort, question)
    rows = cohort.sql("SELECT pos, neg FROM rows WHERE method = 'saliency'")
    mass = np.array([np.array(each.pos).reshape(12, 9) for each in rows.itertuples()])[:, THERE, R]
    at = EIGHT.index("V2")
    by_hand = mass[:, at].mean() / np.delete(mass, at, axis=1).mean()
    check = external_checks("CLBBB", found).iloc[0]
    assert check.published == "R in V2"
    assert check.ratio == pytest.approx(by_hand, rel=1e-5)
    assert check.passes
    assert found.strongest[0] == ("V2", "QRSm")


def test_a_published_finding_on_leads_that_are_not_read_is_not_checked(cohort: Cohort) -> None:
    (check,) = external_checks("IMI", density_map(cohort, QUESTION)).to_dict("records")
    assert check["published"] == "Q in II, III and aVF"
    assert np.isnan(check["ratio"])
    assert check["passes"] is None


def test_of_no_record_no_cell_is_the_densest(tmp_path: Path) -> None:
    failed = [{"record": "r000", "label": "IMI", "failure": "too short"}]
    assert density_map(stored(tmp_path / "store", {"looks": failed}), QUESTION).strongest == ()


def test_methods_are_held_together_on_the_leads_that_they_have(cohort: Cohort) -> None:
    same = parted(cohort, QUESTION, "looks").set_index("place")
    assert same.loc["together", "first"] == pytest.approx(1, abs=1e-6)
    found = parted(cohort, QUESTION, "lateral").set_index("place")
    assert list(found.index) == ["together", *EIGHT, *WAVES]
    assert np.isfinite(found.drop("together")[["first", "second", "difference"]]).all(axis=None)
    assert 0.3 < found.loc["together", "first"] < 0.9
    assert "largest at V2, +" in figures.parted_figure(found.reset_index(), "a", "b", title="t").layout.meta["alt"]


def test_a_lead_that_no_map_has_is_drawn_as_absent(cohort: Cohort) -> None:
    figure = figures.map_figure(by_wave(class_map(cohort, QUESTION).mean), title="t")
    cells, picks = figure.data
    for lead, texts in zip(cells.y, cells.text, strict=True):
        assert (set(texts) == {"–"}) == (lead in ABSENT), lead
    said = dict(zip(picks.y, picks.hovertemplate, strict=True))
    assert "no map has aVF" in said["aVF"]
    assert said["V2"].startswith("%{y} %{customdata[2]}: %{customdata[3]}")
    told = {(lead, wave): share for _, lead, wave, share in picks.customdata}
    assert round(float(told["V2", "QRS"].removesuffix(" %"))) == 37
    assert "largest cell V2 QRS with 37 %; no map has III, aVR, aVL, aVF" in figure.layout.meta["alt"]
    assert "no map has" not in figures.map_figure(np.full((12, 6), 1 / 72), title="t").layout.meta["alt"]
    assert exported.svg(figure, {"figure": "t"}).count("–") >= len(ABSENT) * len(WAVES)
    guideline = figures.guideline_figure(pointed(without=ABSENT), 6, title="t").data[0]
    assert guideline.text[LEADS.index("aVF")][0] == "–"
    assert list(guideline.text[V2][:3]) == ["", "", "100"]


@pytest.fixture
def app(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(COHORTS, str(cohort.folder))
    st.cache_data.clear()
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run().switch_page("pages/cohort.py").run()
    page.selectbox(key="cohort which").set_value("all").run()
    return page.selectbox(key="cohort method").set_value("looks").run()


def show(app: AppTest, view: str) -> list[str]:
    """Return what each figure of a view says that it shows."""
    app.segmented_control(key="cohort view").set_value(view).run()
    assert not app.exception
    told = [each["layout"]["meta"]["alt"] for each in on_page.figures(app)]
    assert not any("nan" in each for each in told)
    return told


NOTE = "Maps of net have no III, aVR, aVL, aVF: what is told is of its other leads."


def noted(app: AppTest) -> bool:
    return any(NOTE in each.value.replace("\\", "") for each in app.markdown)


def test_the_page_draws_the_maps_and_says_which_leads_they_lack(app: AppTest) -> None:
    _, drawn, _ = show(app, "Class maps")
    assert "20 records" in drawn
    assert "largest cell V2 QRS with 37 %" in drawn
    assert noted(app)
    assert app.dataframe[0].value["p place"][0]


def test_the_page_has_clusters_and_methods_apart_of_them(app: AppTest) -> None:
    told = show(app, "Clusters")
    assert "20 maps" in told[0]
    assert noted(app)
    assert not app.info
    show(app, "Methods apart")
    assert any("of both maps lie on the same leads and waves" in each.value for each in app.markdown)
    show(app, "Published findings")
    assert noted(app)


def test_records_without_supporting_mass_have_no_map_and_are_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(k, shares(0.3, np.random.default_rng(0)), pos=np.zeros(108), region=None, share=None) for k in range(6)]
    monkeypatch.setenv(COHORTS, str(stored(tmp_path / "store", {"looks": rows}).folder))
    st.cache_data.clear()
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run().switch_page("pages/cohort.py").run()
    assert not page.exception
    assert any("net: no supporting mass on these records." in each.value.replace("\\", "") for each in page.info)
