"""Two people at once in the browser: a whole reader study from set-up to exported statistics, and a class.

What the server sends is read off its socket, so that nothing hides outside the text of the page.
"""

import contextlib
import io
import json
import re
import sqlite3
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import driver
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect
from review_studies import FILES, TOKENS, definition, planted

from ecgviz import NOTICE
from ecgviz.checkpoint import Model
from ecgviz.cli import main
from ecgviz.explain import explain_controls
from ecgviz.review import create as creating
from ecgviz.review import exchange, material, store
from ecgviz.review.tables import EXPORTED
from ecgviz.ui.state.review import STUDIES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
COMMENT = "not yet finished"


@dataclass(frozen=True)
class Served:
    """A running dashboard that offers one study: its address, the study's folder, codes, and the server's folder."""

    address: str
    folder: Path
    codes: Mapping[str, str]
    server: Path


@pytest.fixture(scope="module")
def served(narrow_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Set a study up as its owner does, from a file; its one recording names the patient in 25 ways."""
    base, server = tmp_path_factory.mktemp("owner"), tmp_path_factory.mktemp("server")
    (recording,) = planted(base, ["-".join(FILES)])
    study = definition(records=[{"source": recording.name, "reference": "MI"}], models=["narrow"], methods=["saliency"])
    (base / "study.yaml").write_text(yaml.safe_dump(study.model_dump(mode="json")))
    told = io.StringIO()
    with pytest.MonkeyPatch().context() as patch, contextlib.redirect_stdout(told):
        patch.setattr(creating, "load_model", lambda name: narrow_model)
        patch.setattr(material, "explain_controls", partial(explain_controls, seeds=(0,)))
        assert main(["review", "create", str(base / "study.yaml"), "--out", str(base / "studies"), "--json"]) == 0
    made = json.loads(told.getvalue())
    with pytest.MonkeyPatch().context() as patch:
        patch.setenv(STUDIES, str(base / "studies"))
        with driver.dashboard(server) as address:
            yield Served(address, Path(made["study"]), made["codes"], server)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with driver.chromium() as running:
        yield running


@dataclass
class Visitor:
    """Somebody with a browser of their own, and everything that the server told it and that it asked for."""

    page: Page
    told: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def heard(self, text: str) -> bool:
        """Return whether the server ever sent a text, on the page or not."""
        return any(text.encode() in frame for frame in self.told)

    def names(self) -> set[str]:
        """Return the planted tokens that reached the browser, or an address in it."""
        everything = b"\n".join((*self.told, *map(str.encode, (*self.asked, self.page.url, self.page.content()))))
        return {token for token in TOKENS if token.encode() in everything}


def visitor(browser: Browser) -> Visitor:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page()
    page.set_default_timeout(driver.PATIENCE_MS)
    came = Visitor(page)

    def keep(frame: str | bytes) -> None:
        came.told.append(frame.encode() if isinstance(frame, str) else frame)

    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    page.on("request", lambda request: came.asked.append(request.url))
    return came


def enter(browser: Browser, served: Served, who: str, showing: str) -> Visitor:
    """Open the study in a session of its own."""
    came = visitor(browser)
    came.page.goto(f"{served.address}/Reader_study")
    driver.settle(came.page, "[aria-label='Your code']")
    came.page.get_by_label("Your code").fill(served.codes[who])
    came.page.get_by_role("button", name="Open the study").click()
    came.page.get_by_role("button", name="Close the study").wait_for()
    driver.settle(came.page, showing)
    expect(came.page.get_by_text(NOTICE).first).to_be_visible()
    return came


def kept_draft(folder: Path, reader: str) -> dict[str, str]:
    """Return a reader's unfinished answer once its comment is kept, read past the server from the database."""
    answer: dict[str, str] = {}
    for _ in range(100):
        with contextlib.closing(sqlite3.connect(folder / "review.sqlite")) as opened:
            found = opened.execute("SELECT answer FROM drafts WHERE reader_id = ?", (reader,)).fetchone()
        answer = json.loads(found[0]) if found else {}
        if answer.get("comment"):
            break
        time.sleep(0.1)
    return answer


def draw_box_on_lead_two(page: Page) -> None:
    """Draw a box over half a second at the start of lead II, the second row of the paper."""
    paper = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert paper is not None
    x, y = paper["x"] + 0.1 * paper["width"], paper["y"] + 0.4 * paper["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.05 * paper["width"], y + 20, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="II, ").wait_for()


def decide(page: Page, asked: str, label: str, confidence: int) -> None:
    page.get_by_role("radiogroup", name=asked).get_by_text(label).click()
    page.get_by_label("How sure are you").fill(str(confidence))
    page.keyboard.press("Enter")


def judge(page: Page) -> None:
    """Answer everything about the model as fast as a reader can click: no click may be lost."""
    for asked in ("Do you agree", "Is what the map points at", "Does it point at"):
        page.get_by_role("radiogroup", name=asked).get_by_text("4", exact=True).click()
    places = page.get_by_role("radiogroup", name=re.compile(r"^Does .+ matter\?$")).all()
    assert len(places) == 5
    for place in places:
        place.get_by_text("relevant", exact=True).click()
    decide(page, "What do you find now?", "MI: myocardial infarction", 90)


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return Path(download.value.path()).read_bytes()


def test_two_readers_at_once_from_set_up_to_the_exported_statistics(served: Served, browser: Browser, tmp_path: Path):
    one = enter(browser, served, "R1", ".js-plotly-plot")
    two = enter(browser, served, "R2", ".js-plotly-plot")
    draw_box_on_lead_two(one.page)
    one.page.get_by_role("toolbar", name="Waves of lead II", exact=True).get_by_text("ST", exact=True).click()
    one.page.get_by_label("Comment").press_sequentially(COMMENT, delay=10)
    kept = kept_draft(served.folder, "R1")  # typed, and neither sent nor left
    assert (kept["comment"], json.loads(kept["cells"])) == (COMMENT, [["II", "ST"]])
    ((lead, start_s, end_s),) = json.loads(kept["spans"])
    assert (lead, 0.2 < end_s - start_s < 0.8) == ("II", True)
    one.page.close()  # the window is gone
    again = enter(browser, served, "R1", ".js-plotly-plot")
    expect(again.page.get_by_label("Comment")).to_have_value(COMMENT)
    assert again.heard(COMMENT)
    expect(again.page.get_by_role("button", name="II, ")).to_be_visible()
    decide(again.page, "What do you find?", "MI: myocardial infarction", 60)
    decide(two.page, "What do you find?", "NORM: normal ECG", 30)
    assert not any(each.heard("narrow") or each.heard("The model's answer") for each in (one, two, again))
    for each in (again, two):
        each.page.get_by_role("button", name="Lock this answer").click()
    for each in (again, two):
        each.page.get_by_text("The model's answer", exact=True).wait_for()
        driver.settle(each.page, "text='Give this answer'")
        assert each.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
        judge(each.page)
    for each in (again, two):
        each.page.get_by_role("button", name="Give this answer").click()
    for each in (again, two):
        each.page.get_by_text("All recordings are read").wait_for()
    assert not two.heard(COMMENT)
    answers = store.rows(served.folder, "answers")
    assert sorted((row["reader_id"], row["phase"], row["label"], row["confidence"]) for row in answers) == [
        *(("R1", "after", "MI", 90), ("R1", "before", "MI", 60)),
        *(("R2", "after", "MI", 90), ("R2", "before", "NORM", 30)),
    ]
    assert all(row["active_seconds"] > 0 for row in answers if row["phase"] == "before")
    owner = enter(browser, served, "O1", "[data-testid='stTable']")
    expect(owner.page.get_by_text("2 of 2", exact=True)).to_have_count(2)
    expect(owner.page.get_by_text("Maps held against readers' marks")).to_be_visible()
    report = downloaded(owner.page, "Report (Markdown)").decode()
    assert "| Accuracy before | alone | 50 % |" in report
    assert "| Accuracy after | alone | 100 % |" in report
    owner.page.get_by_role("button", name="Export the answers").click()
    export = downloaded(owner.page, "Download")
    with zipfile.ZipFile(io.BytesIO(export)) as archive:
        archive.extractall(tmp_path / "export")
    forms: tuple[exchange.Form, ...] = ("csv", "json")
    for form in forms:
        back = exchange.restore(tmp_path / "export", tmp_path / form, form=form)
        for table in EXPORTED:
            assert store.rows(back, table) == store.rows(served.folder, table)
    assert store.verify(served.folder).faults == ()
    assert [each.names() for each in (again, two, owner)] == [set()] * 3
    assert names_in(served.server, served.folder, tmp_path / "export") == []
    log = (served.server / "server.log").read_text(encoding="utf-8")
    assert "127.0.0.1" in log
    assert not [code for code in served.codes.values() if code in log]


def names_in(*folders: Path) -> list[tuple[str, str]]:
    """Return the files that hold a planted token in their name or their bytes, with the token."""
    files = {path: path.name.encode() + path.read_bytes() for each in folders for path in each.rglob("*.*")}
    assert {"server.log", "review.sqlite", "answers.csv"} <= {path.name for path in files}
    return [(path.name, token) for path, held in files.items() for token in TOKENS if token.encode() in held]


def test_an_upload_leaves_no_name_in_the_log_the_address_or_what_the_server_sends(
    served: Served, browser: Browser, tmp_path: Path
):
    came = visitor(browser)
    came.page.goto(served.address)
    driver.settle(came.page)
    (header,) = planted(tmp_path, ["-".join(FILES)])
    driver.upload(came.page, [header, header.with_suffix(".dat")])
    expect(came.page.locator(".js-plotly-plot")).to_have_count(1)
    driver.visit(came.page, "Report")
    header.write_text(header.read_text().replace(" 16 1000/mV", " 999 1000/mV"))
    driver.visit(came.page, "Record")
    driver.upload(came.page, [header])
    expect(came.page.get_by_test_id("stAlertContentError").first).to_be_visible()
    assert came.heard("record-")
    sent = b"\n".join((*came.told, *map(str.encode, (*came.asked, came.page.url))))
    assert [token for token in TOKENS if token.encode() in sent] == []
    log = (served.server / "server.log").read_text(encoding="utf-8")
    assert [token for token in TOKENS if token in log] == []
    came.page.close()


def begin(page: Page, mode: str, cases: str) -> None:
    """Begin a mode of the Teaching page with a list of cases."""
    page.get_by_role("radiogroup", name="Mode").get_by_text(mode, exact=True).click()
    page.get_by_text("Own list", exact=True).click()
    page.get_by_label("Numbers of cases").fill(cases)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Start: 2 cases").click()
    driver.settle(page, ".js-plotly-plot")


def test_a_class_and_a_student_at_once_do_not_see_each_other(served: Served, browser: Browser):
    teacher, student = visitor(browser), visitor(browser)
    for each in (teacher, student):
        each.page.goto(f"{served.address}/Teaching")
        driver.settle(each.page, "[aria-label='Mode']")
    begin(teacher.page, "Study", "13 15")
    begin(student.page, "Quiz", "13 15")
    expect(teacher.page.get_by_text("Answer: acute inferior infarction")).to_be_visible()
    assert teacher.heard("Answer: acute inferior infarction")
    assert not student.heard("Answer: ")
    teacher.page.get_by_role("button", name="Classroom").click()
    driver.settle(teacher.page, "text='Leave classroom'")
    expect(teacher.page.get_by_test_id("stSidebar")).to_be_hidden()
    teacher.page.keyboard.press("ArrowRight")
    expect(teacher.page.get_by_text("Answer: complete left bundle branch block")).to_be_visible()
    expect(student.page.get_by_text("Case 1 of 2")).to_be_visible()
    expect(student.page.get_by_role("button", name="Classroom")).to_have_text(re.compile("Classroom"))
    student.page.get_by_label("Your reading").click()
    student.page.keyboard.type("complete left")
    student.page.get_by_role("option", name="complete left bundle").wait_for()
    student.page.keyboard.press("Enter")
    student.page.keyboard.press("Control+s")
    expect(student.page.get_by_text("Your reading was wrong")).to_be_visible()
    driver.settle(student.page)
    teacher.page.keyboard.press("ArrowLeft")
    expect(teacher.page.get_by_text("Case 1 of 2")).to_be_visible()
    assert student.heard("Your reading was")
    assert not teacher.heard("Your reading was")
    for each in (teacher, student):
        assert "Traceback" not in each.page.inner_text("body")
        assert each.page.url == f"{served.address}/Teaching"
