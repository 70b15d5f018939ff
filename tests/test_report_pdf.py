"""The PDF of a case: A4, true to the millimetre, vectors only, the same bytes for the same case."""

import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecgviz.checkpoint import Model
from ecgviz.errors import CaseError
from ecgviz.figures.booklet import Flow, paper_page, pdf, width, wrapped
from ecgviz.pipeline import analyse
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.report import render_pdf, write_report
from ecgviz.types import Case, Record
from ecgviz.types.paper import PaperFormat

POINTS_PER_MM = 72 / 25.4


@pytest.fixture(scope="module")
def case(narrow_model: Model) -> Case:
    case = analyse(load_record("demo:af"), narrow_model, "NORM", "decomposition", seed=3)
    return replace(case, record=replace(case.record, altered=("something",)))


@pytest.fixture(scope="module")
def printed(case: Case) -> bytes:
    return render_pdf(case)


def streams(data: bytes) -> list[str]:
    """Return what the pages draw."""
    found = []
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(part).decode("latin-1"))
        except zlib.error:
            continue
    return [text for text in found if re.search(r"\bcm\b|\bBT\b", text)]


def paths(text: str) -> list[np.ndarray]:
    """Return the corner points of every stroked line in millimetres, (points, 2)."""
    lines = []
    for part in re.findall(r"((?:-?[\d.]+ -?[\d.]+ [ml]\s+)+)S", text):
        lines.append(np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+) [ml]", part), dtype=float) / POINTS_PER_MM)
    return lines


def test_pages_are_a4_landscape_without_any_raster_image(printed: bytes) -> None:
    boxes = re.findall(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", printed)
    assert len(boxes) >= 5
    for box in boxes:
        assert [float(each) / POINTS_PER_MM for each in box] == pytest.approx([297.0, 210.0], abs=0.01)
    assert b"/Subtype /Image" not in printed


@pytest.mark.parametrize("tallest_mv", [1.0, 5.0])
def test_ten_seconds_are_250_mm_and_one_millivolt_10_mm_however_tall_the_rows(tallest_mv: float) -> None:
    fs = 500.0
    saw = np.full((12, 5001), -0.0)
    saw[:, 2500:] = tallest_mv
    record = Record(saw, fs, STANDARD_LEADS, "step")
    page = paper_page(record, start_s=0.0, title="step", header=(), footer="", heat=None)
    lines = [line for text in streams(pdf([page], "step")) for line in paths(text)]
    rhythm = max(lines, key=lambda line: len(line))
    assert len(rhythm) == 5001
    assert np.ptp(rhythm[:, 0]) == pytest.approx(250.0, abs=0.25)
    assert np.ptp(rhythm[:, 1]) == pytest.approx(10.0 * tallest_mv, abs=0.05)
    pulses = [line for line in lines if len(line) == 6]
    assert len(pulses) == 4
    for pulse in pulses:
        assert np.ptp(pulse[:, 1]) == pytest.approx(10.0, abs=0.05)
    assert all((line >= 0).all() and (line[:, 0] <= 297).all() and (line[:, 1] <= 210).all() for line in pulses)


@pytest.mark.parametrize(
    ("form", "n_rows", "ten_seconds_mm"),
    [
        (PaperFormat("3x4"), 4, 250.0),
        (PaperFormat("6x2", cabrera=True), 6, 250.0),
        (PaperFormat("12x1"), 12, 250.0),
        (PaperFormat("12x1", cabrera=True, speed_mm_s=12.5, gain_mm_mv=5.0), 12, 125.0),
    ],
)
def test_every_layout_is_true_to_the_millimetre_and_no_pulse_is_cut(
    form: PaperFormat, n_rows: int, ten_seconds_mm: float
) -> None:
    """Limb leads of 1 mV steps on flat paper: aVR in Cabrera order steps down where the recorded one steps up."""
    fs = 500.0
    step = np.full((12, 5001), -0.0)
    step[:, 1000:] = 1.0
    record = Record(step, fs, STANDARD_LEADS, "step")
    page = paper_page(record, start_s=0.0, form=form, title="step", header=("a", "b"), footer="", heat=None)
    names = [text.get_text() for text in page.get_axes()[0].texts]
    assert names.count("−aVR") == form.cabrera
    assert names[:2] == (["aVL", "V1"] if form.layout == "6x2" else names[:2])
    lines = [line for text in streams(pdf([page], "step")) for line in paths(text)]
    pulses = [line for line in lines if len(line) == 6]
    assert len(pulses) == n_rows
    for pulse in pulses:
        assert np.ptp(pulse[:, 1]) == pytest.approx(form.gain_mm_mv, abs=0.05)
        assert 17.0 <= pulse[:, 1].min() <= pulse[:, 1].max() <= 200.0
    ends = [line[[0, -1], 0] for line in lines if len(line) > 600]
    assert max(right for _, right in ends) - min(left for left, _ in ends) == pytest.approx(ten_seconds_mm, abs=0.25)
    assert len({round(line[:, 1].min(), 1) for line in pulses}) == n_rows


def test_a_report_has_the_sheets_that_its_layout_needs_for_ten_seconds(case: Case) -> None:
    from ecgviz.report.as_pdf import _pages

    def sheets(form: PaperFormat) -> list[str]:
        return [
            text
            for page in _pages(case, "title", form)
            for text in (t.get_text() for t in page.texts)
            if "mm/s" in text
        ]

    one, two = sheets(PaperFormat("12x1")), sheets(PaperFormat(speed_mm_s=50.0))
    assert len(two) == 2 * len(one) > 0
    assert all(text.startswith("50 mm/s") for text in two)


def test_what_a_reader_needs_is_on_its_pages(case: Case) -> None:
    from ecgviz.report.as_pdf import _pages

    pages = list(_pages(case, "title"))
    said = " ".join(text.get_text() for page in pages for text in page.texts)
    flat = re.sub(r"\s+", " ", said)
    assert "ALTERED: something" in flat
    assert f"Evidence: {case.agreement.evidence}." in flat
    for heading in ("Model and guideline", "Criteria: measured beside limit", "Measurements and quality", "Provenance"):
        assert heading in flat
    for control in case.agreement.controls:
        assert control.name in flat
    assert case.provenance["record_sha256"][:40] in flat.replace(" ", "")
    assert {finding.definition for finding in case.findings} <= set(re.findall(r"[\w]+", flat))
    levels = [axes.get_title(loc="left") for page in pages for axes in page.get_axes()]
    assert [title.split(":")[0] for title in levels if title] == ["Channel", "Rhythm", "Beat"]


def test_the_same_case_gives_the_same_bytes(case: Case, printed: bytes, tmp_path: Path) -> None:
    write_report(case, tmp_path / "a.PDF")
    assert (tmp_path / "a.PDF").read_bytes() == printed
    with pytest.raises(CaseError, match=r"a\.docx: a report is written as \.html or \.pdf"):
        write_report(case, tmp_path / "a.docx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.PDF"]


def test_text_is_wrapped_to_the_width_it_has_and_long_words_are_cut() -> None:
    lines = wrapped("ST elevation in two contiguous leads " + "x" * 90, 40.0, 8.0)
    assert "".join(lines).replace(" ", "") == "STelevationintwocontiguousleads" + "x" * 90
    assert all(width(line, 8.0) <= 40.0 for line in lines)
    flow = Flow()
    flow.table(("a", "b"), [("word " * 40, str(n)) for n in range(120)])
    assert len(flow.pages) > 1
    assert all(any(text.get_text() == "a" for text in page.texts) for page in flow.pages)
