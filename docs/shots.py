"""Take pictures of every page of the running dashboard, to be looked at, and for the README: ``make shots``."""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import driver

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
LOOKED_AT = ROOT / "build" / "shots"
DEMO = "inferior_stemi"
SIZES = ((1440, 900), (1024, 768))
"""Windows; the README's pictures are of the first."""


def main() -> None:
    """Open every page with one demo recording in each window, and write its top as a picture."""
    with tempfile.TemporaryDirectory() as empty, driver.dashboard(Path(empty)) as address, driver.chromium() as browser:
        for width, height in SIZES:
            folder = LOOKED_AT / f"{width}x{height}"
            folder.mkdir(parents=True, exist_ok=True)
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address)
            driver.settle(page)
            driver.choose_demo(page, DEMO)
            for name in driver.PAGES:
                driver.visit(page, name)
                page.screenshot(path=folder / f"{name.lower().replace(' ', '_')}.png")
            page.close()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for picture in (LOOKED_AT / "{}x{}".format(*SIZES[0])).glob("*.png"):
        if f"docs/images/{picture.name}" in readme:
            shutil.copy(picture, IMAGES)


if __name__ == "__main__":
    main()
