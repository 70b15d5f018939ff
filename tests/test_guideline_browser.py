"""From a recording's criteria to the guideline library and on to a look-alike, in Chromium, by links alone."""

from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import driver
import pytest
from playwright.sync_api import expect

from ecgviz import NOTICE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_links_lead_from_a_criterion_to_its_entry_and_to_a_look_alike_and_the_address_comes_back_to_it(tmp_path: Path):
    with driver.opened(tmp_path) as (page, complaints):
        driver.choose_demo(page, "lbbb")
        driver.visit(page, "Criteria")
        page.get_by_test_id("stPageLink").filter(has_text="What the guideline library says of it").click()
        expect(page.get_by_role("heading", name="(CLBBB)")).to_be_visible(timeout=driver.PATIENCE_MS)
        driver.settle(page)
        assert parse_qs(urlsplit(page.url).query)["entry"] == ["CLBBB"]
        expect(page.get_by_text("awaiting review by a cardiologist").first).to_be_visible()
        page.get_by_test_id("stPageLink").filter(has_text="WPW: ").first.click()
        expect(page.get_by_role("heading", name="(WPW)")).to_be_visible(timeout=driver.PATIENCE_MS)
        driver.settle(page)
        assert parse_qs(urlsplit(page.url).query)["entry"] == ["WPW"]
        assert complaints == []
        page.goto(urljoin(page.url, "/Guideline_library?entry=LAO%2FLAE"))
        expect(page.get_by_role("heading", name="(LAO/LAE)")).to_be_visible(timeout=driver.PATIENCE_MS)
        driver.settle(page)
        expect(page.get_by_text(NOTICE).first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
