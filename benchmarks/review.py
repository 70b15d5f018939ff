"""How long a reader of a study can lose: from the last key of a comment until the draft lies in the database.

Run it from the repository, on a machine that does nothing else (it needs Chromium and the packages of ``.[dev]``)::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/review.py

A study of one demo recording is set up as its owner would, and opened in a real browser. The comment is typed anew
in each round; the database is read past the server.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import driver
from playwright.sync_api import Page

from ecgviz.cli.dashboard import STUDIES

AT_MOST_MS = 2000
"""A draft should be kept within this time of the last key."""
_STUDY = """
id: waiting
question: How long until a draft is kept?
labels: [MI, NORM]
records: [{source: "demo:normal"}]
models: [resnet1d]
methods: [saliency]
readers: [{pseudonym: R1, qualification: cardiologist, years: 5}, {pseudonym: O1, role: owner}]
"""


def created(folder: Path) -> Mapping[str, Any]:
    """Set the study up, and return its folder and codes as ``ecgviz review create`` tells them."""
    (folder / "study.yaml").write_text(_STUDY)
    command = [sys.executable, "-m", "ecgviz", "review", "create", str(folder / "study.yaml")]
    told = subprocess.run(  # noqa: S603
        [*command, "--out", str(folder / "studies"), "--json"], check=True, capture_output=True, text=True
    )
    return dict(json.loads(told.stdout))


def opened(page: Page, address: str, code: str) -> None:
    """Open the study as its reader."""
    page.goto(f"{address}/Reader_study")
    driver.settle(page, "[aria-label='Your code']")
    page.get_by_label("Your code").fill(code)
    page.get_by_role("button", name="Open the study").click()
    driver.settle(page, ".js-plotly-plot")


def kept_ms(page: Page, database: Path, comment: str) -> float:
    """Type a comment, and return the milliseconds from its last key until it is in the database."""
    field = page.get_by_label("Comment")
    field.fill("")
    field.press_sequentially(comment, delay=60)
    begun = perf_counter()
    while True:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("SELECT answer FROM drafts").fetchone()
        if found and json.loads(found[0]).get("comment") == comment:
            return 1000 * (perf_counter() - begun)
        sleep(0.01)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = created(folder)
        os.environ[STUDIES] = str(folder / "studies")
        with driver.dashboard(folder) as address, driver.chromium() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            opened(page, address, study["codes"]["R1"])
            database = Path(study["study"]) / "review.sqlite"
            times = [kept_ms(page, database, f"narrow Q waves in III, seen {k} times") for k in range(asked.rounds)]
    print(f"a draft is kept after {median(times):.0f} ms (median of {len(times)}), {max(times):.0f} at most; ", end="")
    print(f"at most {AT_MOST_MS} is wanted; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
