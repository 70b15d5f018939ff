"""Drive the running dashboard in Chromium: start it on a free port, pick recordings, visit pages, measure the paper."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from ecgviz.cli.dashboard import server_command

PAGES = (
    "Record",
    "Beats",
    "Attention",
    "Attributions",
    "Criteria",
    "Guideline library",
    "What if",
    "Compare",
    "Recordings",
    "Report",
    "Glossary",
    "Cohort",
    "Validation",
    "Teaching",
    "Reader study",
    "Models",
)
WITHOUT_FIGURES = (
    "What if",
    "Compare",
    "Recordings",
    "Report",
    "Glossary",
    "Cohort",
    "Teaching",
    "Reader study",
    "Models",
)
"""Pages that draw nothing until more was chosen than a recording."""
PATIENCE_MS = 120_000
ROW_PX = 35
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def dashboard(cwd: Path, port: int | None = None, *, instead: Path | None = None) -> Iterator[str]:
    """Serve the app from a folder, or ``instead`` another by Streamlit alone, and yield the address."""
    port = port or free_port()
    package = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(package)}
    log = (cwd / "server.log").open("wb")
    command = server_command(port, "127.0.0.1", browser=False)
    if instead is not None:
        command[command.index("-m") + 1], command[command.index("run") + 1] = "streamlit", str(instead)
    with log, subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log) as server:
        try:
            _wait_until_healthy(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_healthy(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(3000):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.returncode}")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            try:
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == http.client.OK:
                    return
            except OSError:
                time.sleep(0.02)
    raise RuntimeError("the server did not answer within a minute")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield the Chromium of the system."""
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError("chromium is not installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened(cwd: Path) -> Iterator[tuple[Page, list[str]]]:
    """Serve the app from a folder, open it, and yield its page at 1440x900 and what Chromium complains of."""
    complaints: list[str] = []
    with dashboard(cwd) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(address)
        settle(page)
        yield page, complaints


def settle(page: Page, showing: str = "") -> None:
    """Wait until the app has run, shows what the CSS selector ``showing`` names, and every figure is drawn.

    On a busy machine a click takes a while to reach the app, and a run may follow a run: it must stay calm a while.
    """
    if showing:
        page.locator(showing).first.wait_for(timeout=PATIENCE_MS)
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid="stApp"]');
            const busy = !app || app.dataset.testScriptState !== 'notRunning'
                || document.querySelector('[data-testid="stSkeleton"], [data-testid="stSpinner"]')
                || document.querySelector('[role="figure"][aria-busy="true"]');
            if (busy || !window.calmSince) window.calmSince = performance.now();
            const calm = !busy && performance.now() - window.calmSince > 700;
            if (calm) window.calmSince = 0;
            return calm;
        }""",
        timeout=PATIENCE_MS,
    )


def visit(page: Page, name: str) -> None:
    """Open a page through the navigation, as a reader does, so that the session is kept."""
    link = page.locator('[data-testid="stTopNavLink"]:not([inert] *)').get_by_text(name, exact=True)
    lists = page.locator('[data-testid="stTopNavSection"]:not([inert] *)')
    for k in range(lists.count()):  # pages of a group; a narrow window keeps all in one list
        if link.count():
            break
        lists.nth(k).click()
        link = page.get_by_test_id("stTopNavDropdownLink").get_by_text(name, exact=True)
    link.first.click()
    expect(page.get_by_text(f"{name}.", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    settle(page)


def choose_demo(page: Page, name: str) -> None:
    """Pick a demo recording by its shipped name, on a page that shows it as paper."""
    page.get_by_role("combobox", name="Demo recording").click()
    page.get_by_role("option", name=name.replace("_", " "), exact=True).click()
    settle(page, f".js-plotly-plot:has-text('demo:{name}')")


def choose_model(page: Page, name: str) -> None:
    """Pick a model by its name, on any page."""
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=name, exact=True).click()
    settle(page)


def type_into_table(page: Page, row: int, *, column: int, of: int, keys: Sequence[str]) -> None:
    """Press keys on a cell of the first table that can be edited: rows from 1, columns from 0, ``of`` in all.

    The table is a canvas that moves while a page grows above it: a click counts once its cell says that it is picked.
    """
    table = page.get_by_test_id("stDataFrame").first
    picked = table.get_by_test_id(f"glide-cell-{column}-{row - 1}").and_(page.locator("[aria-selected=true]"))
    for _ in range(20):
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * (column + 0.5) / of, box["y"] + ROW_PX * (row + 0.5))
        page.wait_for_timeout(300)
        if picked.count():
            break
    else:
        raise AssertionError(f"the cell in row {row}, column {column} was never picked")
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(300)  # an editor opens and closes between keys


def upload(page: Page, files: Sequence[Path | FilePayload]) -> None:
    """Upload files, as paths or as contents, and wait for their paper or their refusal."""
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload", exact=True)).first.click()
    page.locator('input[type="file"]').set_input_files(list(files))
    settle(page, ".js-plotly-plot:has-text('record-'), [data-testid='stAlertContentError']")
