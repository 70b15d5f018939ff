"""Take the screenshots of the documentation from the running dashboard: ``make shots``."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import driver

IMAGES = Path(__file__).resolve().parent / "images"
DEMO = "inferior_stemi"
WIDTH, HEIGHT = 1440, 900


def main() -> None:
    """Open every page with one demo recording and write its picture, top and whole."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as empty, driver.dashboard(Path(empty)) as address, driver.chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(address)
        driver.settle(page)
        driver.choose_demo(page, DEMO)
        for name in driver.PAGES:
            driver.visit(page, name)
            page.screenshot(path=IMAGES / f"{name.lower().replace(' ', '_')}.png")


if __name__ == "__main__":
    main()
