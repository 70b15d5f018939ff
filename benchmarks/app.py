"""How long a reader waits for the dashboard, in a real browser: start, pages, overlays, clicks, zoom, and what is sent.

Run it from the repository, on a machine that does nothing else (it needs Chromium and the packages of ``.[dev]``)::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/app.py
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/app.py --rounds 3 --throttle 4

A time begins with the press of the mouse and ends with the frame in which the browser has drawn what was asked for; the
median of all rounds is printed beside what we want at most, and beside both the machine's load: above the number of its
cores every time is longer than it would be. ``--throttle`` slows the browser's processor by that factor, as an
old laptop would. What is sent is counted in the frames of the web socket. Nothing is computed in the rounds that was
not computed before, but for the rows that say "new".
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import driver
from playwright.sync_api import Locator, Page

RECORDS = ("inferior_stemi", "lbbb", "pvc", "af", "lvh", "long_qt")
PAPER = "document.querySelector('.js-plotly-plot')"
_IDLE = "document.querySelector('[data-testid=\"stApp\"]')?.dataset.testScriptState === 'notRunning'"
_DRAWN = f"{_IDLE} && !document.querySelector('[data-testid=\"stSkeleton\"]')"
"""Streamlit fetches the program of a widget when it is first shown, and holds its place with a skeleton meanwhile."""
_MS = 1000.0


@dataclass
class Sent:
    """Bytes that the server sent since the last look."""

    sizes: list[int] = field(default_factory=list)

    def taken(self) -> float:
        """Return the largest message since the last look, kB, and forget all."""
        largest = max(self.sizes, default=0) / 1000
        self.sizes.clear()
        return largest


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, what we want at most, the measured values."""

    name: str
    unit: str
    at_most: float
    values: list[float]

    def __str__(self) -> str:
        middle = median(self.values)
        said = "" if middle <= self.at_most else "over"
        return f"{self.name:48s}{middle:9.0f} {self.unit:3s}{self.at_most:9.0f} {said:4s}"


def timed(page: Page, act: Callable[[], object], until: str) -> float:
    """Return the milliseconds from an act until an expression of the page holds and the next frame is drawn."""
    start = perf_counter()
    act()
    page.wait_for_function(f"() => {until}", polling="raf", timeout=driver.PATIENCE_MS)
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    return _MS * (perf_counter() - start)


def legend_says(text: str) -> str:
    """Return the condition that the paper's legend holds a text, and the page is done."""
    return f"{PAPER}?._fullData?.some(each => each.colorbar?.title?.text?.includes('{text}')) && {_IDLE}"


def press(page: Page, found: Locator) -> Callable[[], object]:
    """Return what presses the mouse on something, brought into view beforehand."""
    x, y = found.evaluate(
        """each => {
            each.scrollIntoView({block: 'center', behavior: 'instant'});
            const box = each.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2];
        }"""
    )
    return partial(page.mouse.click, x, y)


def choice(page: Page, name: str) -> Locator:
    """Return a button of a row of choices."""
    return page.get_by_role("radio", name=name, exact=True).or_(page.get_by_role("button", name=name, exact=True)).first


def start(folder: Path, instead: Path | None = None) -> float:
    """Return the milliseconds from starting a server until its first page, or that of another app, stands."""
    with driver.chromium() as browser:  # a reader's browser runs already
        page = browser.new_page()
        begun = perf_counter()
        with driver.dashboard(folder, instead=instead) as address:
            page.goto(address)
            page.wait_for_function(f"() => {_DRAWN}", polling="raf", timeout=driver.PATIENCE_MS)
            return _MS * (perf_counter() - begun)


def new_records(page: Page) -> list[float]:
    """Return the time of the first attention view of each record after the first."""
    times = []
    for name in RECORDS[1:]:
        page.get_by_role("combobox", name="Demo recording").click()
        option = page.get_by_role("option", name=name.replace("_", " "), exact=True)
        option.wait_for()
        shown = f"[...document.querySelectorAll('.js-plotly-plot')].some(p => p.textContent.includes('demo:{name}'))"
        times.append(timed(page, press(page, option), f"{shown} && {_IDLE}"))
    return times


def integrated_gradients(page: Page) -> float:
    """Return the time until a new method, with its steps, lies behind the trace of the Attributions page."""
    driver.visit(page, "Attributions")
    page.get_by_role("combobox", name="Method", exact=True).click()
    option = page.get_by_role("option", name="Integrated gradients", exact=True)
    option.wait_for()
    return timed(page, press(page, option), legend_says("integrated gradients"))


def overlays(page: Page, rounds: int) -> list[float]:
    """Return the time of each change of the level behind the trace, after both were shown once."""
    levels = ("rhythm", "joint")
    times = []
    for level in levels * (rounds + 1):
        times.append(timed(page, press(page, choice(page, level)), legend_says(level)))
        driver.settle(page)
    return times[len(levels) :]


def pages(page: Page, rounds: int) -> list[float]:
    """Return the time of each change between two pages that were shown once."""
    times = []
    for _ in range(rounds + 1):
        for name in ("Record", "Attention"):
            link = page.get_by_test_id("stTopNavLink").filter(has_text=name).filter(visible=True).first
            drawn = f"document.body.innerText.includes('{name}.') && {PAPER}?.querySelector('.main-svg') && {_IDLE}"
            count = 1 if name == "Record" else 4
            drawn += f" && document.querySelectorAll('.js-plotly-plot').length === {count}"
            times.append(timed(page, press(page, link), drawn))
            driver.settle(page)
    return times[2:]


def follows(page: Page, rounds: int) -> list[float]:
    """Return the time from a click on a beat of the rhythm strip until the matrix is of that beat."""
    times = []
    for beat in range(2, rounds + 2):
        x, y = page.evaluate(
            """beat => {
                const plot = document.querySelectorAll('.js-plotly-plot')[1];
                plot.scrollIntoView({block: 'center', behavior: 'instant'});
                const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
                const at = plot._fullData.find(each => each.name === 'pick').x[beat - 1];
                return [box.left + layout.xaxis._offset + layout.xaxis.d2p(at),
                        box.top + layout.yaxis._offset + layout.yaxis._length / 2];
            }""",
            beat,
        )
        page.mouse.move(x - 10, y)
        page.mouse.move(x, y)
        page.locator(".hoverlayer .hovertext").first.wait_for()
        last = "[...document.querySelectorAll('.js-plotly-plot')].at(-1)._fullLayout.title.text"
        times.append(timed(page, partial(page.mouse.click, x, y), f"{last}.endsWith('of beat {beat}') && {_IDLE}"))
        page.wait_for_timeout(300)
    return times


def zooms(page: Page, rounds: int) -> list[float]:
    """Return the time from letting the mouse go, after a box was drawn on the paper, until it is drawn anew."""
    times = []
    for _ in range(rounds):
        box = page.locator(".js-plotly-plot").first.evaluate("plot => plot.getBoundingClientRect().toJSON()")
        page.evaluate(
            f"""() => {{
                const plot = {PAPER};
                window.zoomed = null;
                window.addEventListener('mouseup', () => {{ window.begun = performance.now(); }},
                                        {{once: true, capture: true}});
                plot.on('plotly_relayout', () => requestAnimationFrame(
                    () => {{ window.zoomed = performance.now() - window.begun; }}));
            }}"""
        )
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
        page.mouse.up()
        page.wait_for_function("() => window.zoomed !== null", timeout=driver.PATIENCE_MS)
        times.append(float(page.evaluate("window.zoomed")))
        driver.settle(page)
        page.mouse.dblclick(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
        page.wait_for_timeout(800)
        driver.settle(page)  # a double click is two clicks as well, and each may draw the figure anew
    return times


def measured(rounds: int, throttle: float) -> Iterator[Row]:
    """Yield the rows of the table as they are known."""
    with tempfile.TemporaryDirectory() as empty:
        floor = Path(empty, "one_sentence.py")
        floor.write_text("import streamlit as st\n\nst.write('An app of one sentence.')\n")
        for name, app in (("first page after the start", None), ("the same of Streamlit with one sentence", floor)):
            yield Row(name, "ms", 3000, [start(Path(empty), app) for _ in range(min(rounds, 3))])
        with driver.dashboard(Path(empty)) as address, driver.chromium() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            if throttle > 1:
                session = page.context.new_cdp_session(page)
                session.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
            sent = Sent()
            page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sent.sizes.append(len(frame))))
            page.goto(address)
            driver.settle(page)
            driver.choose_demo(page, RECORDS[0])
            yield Row("largest message, tracing", "kB", 300, [sent.taken()])
            yield Row("zoom", "ms", 100, zooms(page, rounds))
            driver.visit(page, "Attention")
            yield Row("largest message, tracing with a map", "kB", 300, [sent.taken()])
            yield Row("a click on a beat until the matrix follows", "ms", 400, follows(page, rounds))
            yield Row("another level behind the trace", "ms", 400, overlays(page, rounds))
            yield Row("another page", "ms", 400, pages(page, rounds))
            yield Row("new record, first attention view", "ms", 1500, new_records(page))
            yield Row("new method, integrated gradients", "ms", 4000, [integrated_gradients(page)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--throttle", type=float, default=1.0)
    asked = parser.parse_args()
    print(f"{'':48s}{'median':>9s}    {'at most':>9s}  load on {os.cpu_count()} cores")
    for row in measured(asked.rounds, asked.throttle):
        print(f"{row}  {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
