"""The running dashboard in Chromium: every page with a demo and with a real recording, as a reader meets it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import driver
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from ecgviz import NOTICE
from ecgviz.checkpoint import available_models

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PTBXL_RECORD = "records500/00000/00001_hr"
HOSTILE_NAME = "![x](http://evil.example/beacon.png)<img src=x onerror=alert(1)>.csv"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with driver.dashboard(tmp_path_factory.mktemp("server")) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with driver.chromium() as running:
        yield running


@dataclass
class Visit:
    """A page of the browser, with everything that went wrong in it."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.complaints == []
        assert {url for url in self.requests if not url.startswith((self.address, "data:", "blob:"))} == set()
        assert "Traceback" not in self.page.inner_text("body")
        expect(self.page.get_by_test_id("stException")).to_have_count(0)
        expect(self.page.get_by_text(NOTICE).first).to_be_visible()


@pytest.fixture
def visit(address: str, browser: Browser) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    visit = Visit(page, address)
    page.on("console", lambda message: visit.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
    page.on("request", lambda request: visit.requests.append(request.url.replace("ws://", "http://")))
    page.goto(address)
    driver.settle(page)
    yield visit
    page.close()


def paper_scale(page: Page) -> tuple[float, float]:
    """Return pixels per millimetre of the first figure, across and up, from its axes as drawn."""
    across, up = page.evaluate(
        """() => {
            const layout = document.querySelector('.js-plotly-plot')._fullLayout;
            const scale = axis => axis._length / Math.abs(axis.range[1] - axis.range[0]);
            return [scale(layout.xaxis) / 25, scale(layout.yaxis) * 100];
        }"""
    )
    return float(across), float(up)


@pytest.mark.parametrize("path", ["/Attention", "/attention", "/models"])
def test_the_first_visitor_of_a_fresh_server_meets_the_notice_on_any_address(
    browser: Browser, tmp_path: Path, path: str
):
    with driver.dashboard(tmp_path) as fresh:
        page = browser.new_page()
        page.goto(fresh + path)
        expect(page.get_by_text(NOTICE).first).to_be_visible(timeout=driver.PATIENCE_MS)
        driver.settle(page)
        known = path.removeprefix("/") in driver.PAGES
        expect(page.get_by_role("dialog")).to_have_count(0 if known else 1)  # "Page not found"
        page.close()


def test_without_a_recording_nothing_is_wrong(visit: Visit):
    for name in driver.PAGES:
        driver.visit(visit.page, name)
        visit.assert_clean()


def test_every_page_opens_with_a_demo_recording(visit: Visit):
    driver.choose_demo(visit.page, "inferior_stemi")
    for name in driver.PAGES:
        driver.visit(visit.page, name)
        visit.assert_clean()
        if name not in driver.WITHOUT_FIGURES:
            expect(visit.page.get_by_test_id("stAlert")).to_have_count(0)
            assert visit.page.locator(".js-plotly-plot").count() > 0


def test_every_model_opens_on_every_page_that_asks_it(visit: Visit):
    driver.choose_demo(visit.page, "inferior_stemi")
    for model in available_models():
        driver.choose_model(visit.page, model)
        for name in ("Attention", "Attributions", "Criteria", "Validation", "Models"):
            driver.visit(visit.page, name)
            visit.assert_clean()
        expect(visit.page.get_by_role("heading", name=model, exact=True)).to_be_visible()


@pytest.mark.data
def test_every_page_opens_with_an_uploaded_recording(visit: Visit, data_dir: Path):
    stem = data_dir / "ptbxl" / PTBXL_RECORD
    driver.upload(visit.page, [stem.with_suffix(".hea"), stem.with_suffix(".dat")])
    for name in driver.PAGES:
        driver.visit(visit.page, name)
        visit.assert_clean()
        if name not in driver.WITHOUT_FIGURES:
            expect(visit.page.get_by_test_id("stAlert")).to_have_count(0)
            assert visit.page.locator(".js-plotly-plot").count() > 0


def test_millimetres_are_square_at_any_window_size(visit: Visit):
    driver.choose_demo(visit.page, "normal")
    widths = []
    for width, height in ((1440, 900), (1920, 1080), (1024, 768), (700, 900)):
        visit.page.set_viewport_size({"width": width, "height": height})
        visit.page.wait_for_timeout(1500)
        across, up = paper_scale(visit.page)
        assert across / up == pytest.approx(1.0, abs=0.02), (width, height)
        widths.append(across)
    assert widths[0] > widths[2] > 1.0


def test_the_drawn_trace_is_the_recording(visit: Visit):
    from ecgviz.records import load_record
    from ecgviz.signal import condition

    driver.choose_demo(visit.page, "lbbb")
    drawn = visit.page.evaluate(
        """() => {
            const plot = document.querySelector('.js-plotly-plot');
            const trace = plot._fullData.findLast(each => each.name === 'II');
            return {y: Array.from(plot.calcdata[trace.index].map(point => point.y)), x0: trace.x0, dx: trace.dx};
        }"""
    )
    record = condition(load_record("demo:lbbb"))
    heights_mv = np.array(drawn["y"]) / 1000
    np.testing.assert_allclose(heights_mv - heights_mv[0], record.lead("II") - record.lead("II")[0], atol=0.0011)
    assert drawn["dx"] == pytest.approx(1 / record.fs)


def test_figures_have_a_description_and_a_table(visit: Visit):
    driver.choose_demo(visit.page, "rbbb")
    expect(
        visit.page.locator("[aria-label*='ECG on millimetre paper'], [alt*='ECG on millimetre paper']")
    ).to_have_count(1)
    visit.page.get_by_text("The same as a table").first.click()
    driver.settle(visit.page)
    expect(visit.page.get_by_test_id("stDataFrame").first).to_be_visible()
    visit.assert_clean()


def interval(page: Page, name: str) -> Locator:
    """Return where the Beats page shows a measured interval."""
    return page.get_by_test_id("stTable").first.locator("tr", has_text=name).locator("td").last


def test_a_mark_typed_into_the_table_changes_the_numbers_and_can_be_taken_back(visit: Visit):
    page = visit.page
    driver.choose_demo(page, "normal")
    driver.visit(page, "Beats")
    before = interval(page, "QT interval").inner_text()
    assert before.endswith(" ms")
    for row in range(1, 9):  # most beats, so that the median follows
        driver.type_into_table(page, row, column=8, of=9, keys=["Delete"])
    page.get_by_role("button", name="Apply the changes").click()
    expect(page.get_by_text("8 marks were changed by a reader")).to_be_visible(timeout=driver.PATIENCE_MS)
    driver.settle(page)
    expect(interval(page, "QT interval")).to_have_text("–")
    visit.assert_clean()
    driver.visit(page, "Criteria")
    expect(page.get_by_text("8 marks were changed by a reader")).to_be_visible()
    driver.visit(page, "Beats")
    page.get_by_role("button", name="Back to the automatic marks").click()
    expect(page.get_by_text("changed by a reader")).to_have_count(0, timeout=driver.PATIENCE_MS)
    driver.settle(page)
    expect(interval(page, "QT interval")).to_have_text(before)
    driver.type_into_table(page, 3, column=4, of=9, keys=["9", "Enter"])
    page.get_by_role("button", name="Apply the changes").click()
    expect(page.get_by_text("Not applied: beat 3: QRS onset at 9.000 s")).to_be_visible(timeout=driver.PATIENCE_MS)
    visit.assert_clean()


def test_back_leads_to_the_page_before_in_two_steps_at_most(visit: Visit):
    """The browser keeps a page's bare address and the one that says what is open on it; no part of that is a step."""
    page = visit.page
    driver.choose_demo(page, "normal")
    for name in ("Beats", "Criteria"):
        before = page.evaluate("history.length")
        driver.visit(page, name)
        page.wait_for_url(f"**/{name}?record=*", timeout=driver.PATIENCE_MS)
        assert page.evaluate("history.length") <= before + 2
    page.go_back()
    page.wait_for_url("**?record=*", timeout=driver.PATIENCE_MS)
    driver.settle(page)
    if urlsplit(page.url).path != "/Beats":
        page.go_back()
    page.wait_for_url("**/Beats?record=*", timeout=driver.PATIENCE_MS)
    visit.assert_clean()


def test_a_hostile_file_name_and_header_do_nothing(visit: Visit):
    text = b'# fs: 500\n# unit: mV\n"<script>alert(1)</script>",![x](http://evil.example/b.png)\n' + b"0.1,0.2\n" * 3000
    driver.upload(visit.page, [{"name": HOSTILE_NAME, "mimeType": "text/csv", "buffer": text}])
    expect(visit.page.get_by_test_id("stAlert")).to_have_count(1)
    visit.assert_clean()


def test_one_session_does_not_see_the_upload_of_another(visit: Visit, browser: Browser, data_dir: Path):
    stem = data_dir / "ptbxl" / PTBXL_RECORD
    driver.upload(visit.page, [stem.with_suffix(".hea"), stem.with_suffix(".dat")])
    expect(visit.page.locator(".js-plotly-plot")).to_have_count(1)
    other = browser.new_context().new_page()
    other.goto(visit.address)
    driver.settle(other)
    expect(other.locator(".js-plotly-plot")).to_have_count(0)
    expect(other.get_by_text("Choose a demo recording on the left")).to_be_visible()
    other.close()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has the focus begins with a text."""
    name = "(document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || '').trim()"
    for _ in range(60):
        page.keyboard.press("Tab")
        if str(page.evaluate(name)).startswith(text):
            return
    raise AssertionError(f"the focus never came to {text}")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_whole_quiz_by_keyboard_alone(visit: Visit):
    page = visit.page
    page.goto(f"{visit.address}/Teaching")
    driver.settle(page)
    visit.complaints.clear()  # Streamlit looks for its server below the address first
    tab_to(page, "Study")
    press(page, "ArrowRight", "Space")  # Quiz
    tab_to(page, "In sequence")
    press(page, *["ArrowRight"] * 3, "Space")  # Own list
    expect(page.get_by_label("Numbers of cases")).to_be_visible(timeout=driver.PATIENCE_MS)
    tab_to(page, "Numbers of cases")
    page.keyboard.type("13")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Start: 1 case")).to_be_visible(timeout=driver.PATIENCE_MS)
    driver.settle(page, "[data-testid='stButton']")  # a key that is pressed while the page is drawn may be lost
    press(page, "Control+s")
    driver.settle(page, "[data-testid='stMultiSelect']")
    tab_to(page, "Your reading")
    page.keyboard.type("acute inf")
    page.get_by_role("option", name="acute inferior infarction").wait_for(timeout=driver.PATIENCE_MS)
    press(page, "Enter")
    tab_to(page, "I")
    press(page, "ArrowRight", "ArrowRight", "Space")  # III
    tab_to(page, "P")
    press(page, *["ArrowRight"] * 3, "Space")  # ST
    press(page, "Control+s")
    for shown in ("Your reading was right", "Your marks. 1 right", "What the model saw", "Result: 1 of 1 right"):
        expect(page.get_by_text(shown)).to_be_visible(timeout=driver.PATIENCE_MS)
        driver.settle(page)
        visit.assert_clean()
        press(page, "ArrowRight")


def pixel(page: Page, figure: int, x: object, y: object) -> tuple[float, float]:
    """Return where a figure, by its number on the page, shows a value across and up (None: the middle)."""
    found = page.evaluate(
        """([figure, x, y]) => {
            const plot = document.querySelectorAll('.js-plotly-plot')[figure];
            plot.scrollIntoView({block: 'center', behavior: 'instant'});
            const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
            const at = (axis, value) => axis._offset + (value === null ? axis._length / 2 : axis.d2p(value));
            return [box.left + at(layout.xaxis, x), box.top + at(layout.yaxis, y)];
        }""",
        [figure, x, y],
    )
    return float(found[0]), float(found[1])


def click(page: Page, figure: int, x: object, y: object) -> None:
    """Click a figure as a reader does: move there, see what it stands for, press."""
    page.wait_for_timeout(500)
    across, up = pixel(page, figure, x, y)
    page.mouse.move(across - 15, up)
    page.mouse.move(across, up)
    page.locator(".hoverlayer .hovertext").first.wait_for()
    page.mouse.click(across, up)
    driver.settle(page)


def headings(page: Page) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot._fullLayout.title.text)")


def test_a_click_in_any_figure_moves_all_of_them(visit: Visit):
    page = visit.page
    driver.choose_demo(page, "inferior_stemi")
    driver.visit(page, "Attention")
    click(page, 0, 6.6, None)
    _, rhythm, channels, matrix = headings(page)
    assert channels.split("of beat ")[1].startswith("8")
    assert matrix.endswith("of beat 8")
    assert "of lead " in rhythm
    page.evaluate("window.trace = document.querySelector('.js-plotly-plot .scatterlayer path')")
    click(page, 2, None, "V3")
    assert page.evaluate("window.trace.isConnected")  # a frame was drawn on the paper, and not the paper anew
    assert "of lead V3" in headings(page)[1]
    click(page, 3, "QRS", "aVF")
    assert "of lead aVF, QRS" in headings(page)[1]
    click(page, 1, 3.0, None)
    assert headings(page)[3].endswith("of beat 4")
    visit.assert_clean()


def shown(page: Page) -> list[float]:
    """Return the ends of the first figure's axes: two across, two up."""
    layout = "document.querySelector('.js-plotly-plot').layout"
    return page.evaluate(f"[...{layout}.xaxis.range, ...{layout}.yaxis.range]")


def zoom_in(page: Page) -> None:
    """Draw a box over four seconds of the paper."""
    start, end = pixel(page, 0, 3.0, 9000), pixel(page, 0, 7.0, 4000)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    driver.settle(page)


def test_zoom_survives_a_click_another_map_and_another_page_and_ends_with_the_record(visit: Visit):
    page = visit.page
    driver.choose_demo(page, "inferior_stemi")
    driver.visit(page, "Attention")
    whole = shown(page)
    zoom_in(page)
    zoomed = shown(page)
    assert zoomed[0] == pytest.approx(3.0, abs=0.1)
    assert zoomed[1] - zoomed[0] < 6.0  # the box that was drawn, made as wide as its height asks for
    click(page, 1, 6.6, None)
    assert headings(page)[3].endswith("of beat 8")
    assert shown(page) == pytest.approx(zoomed)
    page.get_by_role("radio", name="rhythm").or_(page.get_by_role("button", name="rhythm", exact=True)).first.click()
    driver.settle(page)
    assert shown(page) == pytest.approx(zoomed)
    driver.visit(page, "Record")
    assert shown(page) == pytest.approx(zoomed)
    for _ in range(3):  # runs that are cut short must leave nothing that the next ones stumble over
        page.mouse.dblclick(*pixel(page, 0, 5.0, None))
        page.wait_for_timeout(800)
        driver.settle(page)
        assert shown(page) == pytest.approx(whole)
        zoom_in(page)
    driver.choose_demo(page, "lbbb")
    assert shown(page)[:2] == pytest.approx(whole[:2])
    visit.assert_clean()


def test_a_page_that_is_opened_again_shows_the_figures_that_it_had_at_the_zoom_and_width_of_now(visit: Visit):
    page = visit.page
    driver.choose_demo(page, "inferior_stemi")
    driver.visit(page, "Attention")
    page.evaluate("window.before = [...document.querySelectorAll('.js-plotly-plot')]")
    driver.visit(page, "Record")
    zoom_in(page)
    zoomed = shown(page)
    page.set_viewport_size({"width": 1024, "height": 768})
    driver.visit(page, "Attention")
    assert page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')].every((plot, k) => plot === window.before[k])"
    )
    assert shown(page) == pytest.approx(zoomed, rel=0.02)  # its ends move with the shape that a width gives the paper
    overhang = "[...document.querySelectorAll('.js-plotly-plot')].map(p => p._fullLayout.width - p.clientWidth)"
    assert page.evaluate(overhang) == [0, 0, 0, 0]
    click(page, 1, 3.0, None)
    assert headings(page)[3].endswith("of beat 4")
    visit.assert_clean()


def test_a_click_in_a_signed_matrix_moves_the_other_levels(visit: Visit):
    page = visit.page
    driver.choose_demo(page, "inferior_stemi")
    driver.visit(page, "Attributions")
    click(page, 1, "ST", "III")
    expect(page.get_by_role("combobox", name="Lead", exact=True)).to_have_value("III")
    assert any("of lead III, ST" in title for title in headings(page))
    visit.assert_clean()


@pytest.mark.parametrize("width", [1440, 1024])
def test_no_white_is_left_below_the_paper(visit: Visit, width: int):
    page = visit.page
    page.set_viewport_size({"width": width, "height": 900})
    driver.choose_demo(page, "normal")
    page.wait_for_timeout(1500)
    empty = page.evaluate(
        """() => {
            const {height, margin, yaxis} = document.querySelector('.js-plotly-plot')._fullLayout;
            return height - margin.t - margin.b - yaxis._length;
        }"""
    )
    assert 0 <= empty < 3


def test_a_caliper_drawn_on_the_paper_agrees_with_the_samples(visit: Visit):
    from ecgviz.records import load_record
    from ecgviz.signal import condition

    page = visit.page
    driver.choose_demo(page, "lbbb")
    page.get_by_role("radio", name="Caliper").or_(page.get_by_role("button", name="Caliper")).first.click()
    driver.settle(page)
    start, end = pixel(page, 0, 5.6, None), pixel(page, 0, 6.4, None)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(end[0], end[1] + 30, steps=4)
    page.mouse.up()
    expect(page.get_by_text("fits a minute")).to_be_visible(timeout=driver.PATIENCE_MS)
    driver.settle(page)
    expect(page.locator(".select-outline")).to_have_count(0)  # the legs stand in place of the box
    row = page.get_by_test_id("stTable").first.locator("tbody tr").first.locator("td").all_inner_texts()
    lead, from_s, to_s, change = row[0], float(row[1]), float(row[2]), row[7]
    record = condition(load_record("demo:lbbb"))
    a_pixel_s = 10.4 / 900
    assert from_s == pytest.approx(5.6, abs=a_pixel_s)
    assert to_s == pytest.approx(6.4, abs=a_pixel_s)
    samples = record.lead(lead)[[round(at * record.fs) for at in (from_s, to_s)]]
    assert float(change.removesuffix(" mV")) == pytest.approx(samples[1] - samples[0], abs=0.01)
    visit.assert_clean()


def test_every_figure_leaves_as_a_file(visit: Visit):
    page = visit.page
    driver.choose_demo(page, "pvc")
    page.get_by_text("The same as a table").first.click()
    driver.settle(page)
    for kind, start in (("SVG", b"<?xml"), ("PNG", b"\x89PNG"), ("CSV", b"# figure: ")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Download {kind}").click()
        assert waiting.value.suggested_filename == f"ecgviz-paper.{kind.lower()}"
        assert Path(waiting.value.path()).read_bytes().startswith(start)
    told = [line for line in Path(waiting.value.path()).read_text().splitlines() if line.startswith("# ")]
    assert told[1].startswith("# recording: demo:pvc (")  # and of no network, which the paper does not show
    assert [line.split(":")[0] for line in told] == ["# figure", "# recording", "# ecgviz", "# notice"]
    visit.assert_clean()


NOT_OURS = {"exclude": ["kbd"]}
"""Streamlit prints the key of a button paler than axe asks for, in any theme; the pages name such keys in text."""


def test_axe_finds_nothing_serious_on_any_page(visit: Visit):
    driver.choose_demo(visit.page, "inferior_stemi")
    for name in driver.PAGES:
        driver.visit(visit.page, name)
        found = Axe().run(visit.page, NOT_OURS, {"resultTypes": ["violations", "passes"]}).response
        assert len(found["passes"]) > 10, name
        serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        assert serious == [], (name, [(each["id"], each["nodes"][0]["html"]) for each in serious])


def test_an_address_opens_an_edit_and_a_report_and_work_can_be_stopped(visit: Visit):
    page = visit.page
    page.goto(f"{visit.address}/?record=demo:normal&model=imle_net&label=MI&method=shapley&x=%3Cscript%3E")
    driver.settle(page, ".js-plotly-plot:has-text('demo:normal')")
    driver.visit(page, "What if")
    assert "label=MI" in page.url
    page.get_by_role("combobox", name="Edit").click()
    page.get_by_role("option", name="Raise or lower ST").click()
    driver.settle(page)
    page.get_by_role("button", name="Apply", exact=True).click()
    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)
    stop.click(timeout=driver.PATIENCE_MS)
    expect(page.get_by_text("stopped before it was done").first).to_be_visible(timeout=driver.PATIENCE_MS)
    page.get_by_role("button", name="Run again").first.click()
    driver.settle(page, ".js-plotly-plot:has-text('ALTERED')")
    assert "altered" not in page.url.lower()
    driver.visit(page, "Report")
    driver.settle(page, "[data-testid='stDownloadButton']")
    with page.expect_download(timeout=driver.PATIENCE_MS) as download:
        page.get_by_role("button", name="PDF, A4 landscape").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    assert "Traceback" not in page.inner_text("body")


def test_compared_recordings_are_read_in_a_small_window_with_nothing_cut_off(visit: Visit):
    page = visit.page
    page.set_viewport_size({"width": 1024, "height": 768})
    driver.choose_demo(page, "first_degree_av_block")
    driver.visit(page, "Compare")
    page.get_by_role("combobox", name="Second recording").click()
    page.get_by_role("option", name="demo:old_anterior_mi", exact=True).click()
    driver.settle(page, ".js-plotly-plot:has-text('demo:old_anterior_mi')")
    room = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=stTable] > div')].map(e => e.scrollWidth - e.clientWidth)"
    )
    assert len(room) == 3
    assert max(room) <= 1
    visit.assert_clean()


def test_the_notice_of_many_edits_lies_on_the_sheet_and_not_on_its_colours(visit: Visit):
    page = visit.page
    page.set_viewport_size({"width": 1024, "height": 768})
    driver.choose_demo(page, "normal")
    driver.visit(page, "What if")
    for _ in range(8):
        page.get_by_role("button", name="Apply", exact=True).click()
        driver.settle(page, ".js-plotly-plot:has-text('ALTERED')")
    for name in ("What if", "Compare"):
        driver.visit(page, name)
        notice, paper, bar, words = page.evaluate(
            """() => {
                const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; };
                const every = [...document.querySelectorAll('.js-plotly-plot')];
                const plot = every.find(e => e.textContent.match(/ALTERED/));
                const texts = [...plot.querySelectorAll('.annotation text')];
                return [texts.find(e => e.textContent.match(/ALTERED/)), plot.querySelector('.main-svg'),
                    plot.querySelector('.cboutline'),
                    texts.find(e => e.textContent.match(/value per sample/))].map(box);
            }"""
        )
        assert paper[0] <= notice[0] < notice[1] <= paper[1]
        assert words[3] <= bar[2] + 1  # words, bar, notice, from the top
        assert bar[3] <= notice[2]
    visit.assert_clean()
