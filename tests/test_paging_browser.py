"""Paging through a long recording in Chromium: each sheet shows its trace, and keeps the zoom that a reader gave it."""

from pathlib import Path

import driver
import pytest
from playwright.sync_api import Page
from test_browser import shown, zoom_in

from ecgviz.records.write import save_record
from ecgviz.simulate import simulate

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

MARGIN_S, SHEET_S, LAST_S = 0.4, 10.0, 20.0


def page_to(page: Page, end: str) -> None:
    """Page to the first sheet ("Home") or to the last ("End")."""
    page.get_by_role("slider", name="Start of the sheet, s").press(end)
    page.wait_for_timeout(500)
    driver.settle(page)


def inked(page: Page) -> float:
    """Return which part of the paper's width the lines of the first figure take that lie on it."""
    return page.evaluate(
        """() => {
            const plot = document.querySelector('.js-plotly-plot');
            const {left, right} = plot.querySelector('.nsewdrag').getBoundingClientRect();
            const lines = [...plot.querySelectorAll('.scatterlayer .js-line')].map(e => e.getBoundingClientRect());
            const on = lines.filter(line => line.right > left && line.left < right);
            const from = Math.max(left, Math.min(...on.map(line => line.left)));
            const to = Math.min(right, Math.max(...on.map(line => line.right)));
            return on.length ? (to - from) / (right - left) : 0;
        }"""
    )


def test_a_sheet_that_does_not_overlap_the_one_before_shows_its_trace_and_each_keeps_its_zoom(tmp_path: Path):
    made = simulate("normal", seed=1, fs=250.0, duration_s=SHEET_S + LAST_S).record
    save_record(made, tmp_path / "long.npz")
    with driver.opened(tmp_path) as (page, complaints):
        driver.upload(page, [tmp_path / "long.npz"])
        first, last = [-MARGIN_S, SHEET_S], [LAST_S - MARGIN_S, LAST_S + SHEET_S]
        for name in ("Record", "Attention", "Attributions"):
            driver.visit(page, name)
            assert shown(page)[:2] == pytest.approx(first), name
            page_to(page, "End")
            assert shown(page)[:2] == pytest.approx(last), name
            assert inked(page) > 0.95, name
            page_to(page, "Home")
            assert shown(page)[:2] == pytest.approx(first), name
            assert inked(page) > 0.95, name
        zoom_in(page)
        zoomed = shown(page)
        assert zoomed[1] - zoomed[0] < 6.0
        page_to(page, "End")
        assert shown(page)[:2] == pytest.approx(last)
        page_to(page, "Home")
        assert shown(page) == pytest.approx(zoomed)
        assert complaints == []
