"""The report is one file that needs nothing else, hides nothing, and prints true to the millimetre."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ecgviz import NOTICE
from ecgviz.checkpoint import Model
from ecgviz.edit import delete_mark, move_mark
from ecgviz.figures import from_explanation, printed
from ecgviz.pipeline import analyse
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.report import render, write_report
from ecgviz.report.as_html import outlined
from ecgviz.report.rows import resolution
from ecgviz.types import WAVES, Case, Record
from ecgviz.types.paper import PaperFormat

LABELS = ("CD", "HYP", "MI", "NORM", "STTC")
HOSTILE = "<img src=http://example.org/x onerror=alert(1)>\"'&$x_2$"
SVG = "{http://www.w3.org/2000/svg}"
POINTS_PER_MM = 72 / 25.4


@pytest.fixture(scope="module")
def case(narrow_model: Model) -> Case:
    return analyse(load_record("demo:inferior_stemi"), narrow_model, "MI", "decomposition", seed=3)


@pytest.fixture(scope="module")
def text(case: Case) -> str:
    return render(case)


class Page(HTMLParser):
    """What a browser would fetch or run, which tags there are, and the text a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.handlers: list[str] = []
        self.alts: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.fetched += [named[name] or "" for name in ("src", "href", "data", "action", "srcset") if name in named]
        self.handlers += [name for name in named if name.startswith("on")]
        self.alts += [named["alt"] or ""] if "alt" in named else []

    def handle_data(self, data: str) -> None:
        self.text += data


def drawings(text: str) -> list[str]:
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    return [base64.b64decode(data).decode() for data in found]


def millimetres(svg: str, group: str) -> list[np.ndarray]:
    """Return the corner points of every path in the groups of that name, shape (points, 2), in millimetres."""
    paths = []
    for element in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if element.get("id") == group:
            numbers = [float(n) for path in element.iter(f"{SVG}path") for n in re.findall(r"-?[\d.]+", path.get("d"))]
            paths.append(np.array(numbers).reshape(-1, 2) / POINTS_PER_MM)
    return paths


def test_marks_that_a_reader_changed_are_told(case: Case, text: str) -> None:
    assert "changed by a reader" not in Page(text).text
    beats = delete_mark(move_mark(case.beats, 2, "t_off", float(case.beats.t_off[1]) + 0.01), 3, "p_on")
    told = Page(render(replace(case, beats=beats))).text
    assert "2 marks were changed by a reader" in told
    for sentence in beats.edits:
        assert sentence in told


def test_poor_leads_upsampling_and_alterations_stand_in_both_kinds_of_report(case: Case, text: str) -> None:
    from ecgviz.report.as_pdf import _verdict as printed

    def both(case: Case) -> list[str]:
        on_paper = " ".join(each.get_text() for page in printed(case).pages for each in page.texts)
        return [" ".join(Page(render(case)).text.split()), " ".join(on_paper.split())]

    assert "relied on" not in Page(text).text
    assert "read its scores with care" not in Page(text).text
    unusable = tuple(replace(each, verdict="unusable", reasons=("noise",)) for each in case.quality)
    slow = replace(case.record, signal=case.record.signal[:, ::10], fs=50.0, altered=("P waves removed <b>",))
    assert case.record.fs == 500.0
    for said in both(replace(case, quality=unusable, record=slow)):
        assert "No score of this recording can be relied on: 12 of its 12 leads hold no ECG" in said
        assert "Assumed: upsampled from 50 Hz to the 100 Hz that the network is fed" in said
        assert "ALTERED: P waves removed <b>." in said
    for said in both(replace(case, quality=(replace(unusable[0], verdict="doubtful"), *case.quality[1:]))):
        assert "The network was fed these leads as they are: read its scores with care." in said


def test_one_file_that_fetches_nothing_and_runs_nothing(text: str) -> None:
    page = Page(text)
    assert page.fetched
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.fetched)
    assert page.handlers == []
    assert not {"script", "iframe", "object", "embed", "link", "form", "base"} & set(page.tags)
    assert "default-src 'none'" in text
    assert all(page.alts)
    assert len(page.alts) == page.tags.count("img")


def test_drawings_are_vectors_without_outside_references(text: str) -> None:
    found = drawings(text)
    assert len(found) >= 4
    for svg in found:
        tree = ElementTree.fromstring(svg)
        tags = {element.tag.removeprefix(SVG) for element in tree.iter()}
        assert "path" in tags
        assert not {"image", "script", "foreignObject", "a"} & tags
        targets = [value for element in tree.iter() for key, value in element.attrib.items() if key.endswith("}href")]
        assert all(target.startswith("#") for target in targets)


def test_everything_a_reader_needs_is_in_it(case: Case, text: str) -> None:
    text = Page(text).text
    assert text.count(NOTICE) == 2
    assert case.agreement.why in text
    for heading in ("Tracing", "channel, rhythm, beat", "Where the network pooled", "Criteria", "Provenance"):
        assert heading in text
    for name in ("record_sha256", "model_sha256", "evidence_sha256"):
        assert case.provenance[name] in text
    for rule in (rule for finding in case.findings for rule in finding.rules):
        assert rule.why in text
        assert rule.source in text
    for control in case.agreement.controls:
        assert control.name in text
    assert all(sentence in text for sentence in case.record.assumptions)


def test_measured_stands_beside_limit(case: Case, text: str) -> None:
    rule = next(r for f in case.findings for r in f.rules if r.unit == "mV" and np.isfinite(r.measured))
    row = f"<td>{rule.measured:.3g}</td><td>{rule.limit:.3g}</td><td>{rule.unit}</td><td>{rule.margin:.3g}</td>"
    assert row in text.replace("&#x27;", "'")


def test_what_is_framed_is_what_the_verdict_is_about(narrow_model: Model) -> None:
    """At stage III of an infarct a reader looks at Q alone; at stage I this record meets nothing."""

    def at(*stages: str) -> tuple[Case, str]:
        record = replace(load_record("demo:old_inferior_mi"), infarct_stages=stages)
        case = analyse(record, narrow_model, "MI", "input_x_gradient")
        return case, " ".join(Page(render(case)).alts)

    (unknown, told), (third, told_third), (first, told_first) = at(), at("III"), at("I")
    inferior = [STANDARD_LEADS.index(lead) for lead in ("II", "III", "aVF")]
    for case, waves in ((unknown, ("QRS", "T")), (third, ("QRS",))):
        wanted = np.zeros((12, len(WAVES)), dtype=bool)
        wanted[np.ix_(inferior, [list(WAVES).index(wave) for wave in waves])] = True
        np.testing.assert_array_equal(outlined(case), wanted)
    assert first.agreement.evidence == "not assessable"
    assert outlined(first) is None
    assert ("framed" in told, "framed" in told_third, "framed" in told_first) == (True, True, False)


def test_text_of_any_origin_is_escaped(case: Case) -> None:
    hostile = replace(
        case,
        record=replace(case.record, id=HOSTILE, assumptions=(HOSTILE,)),
        label="MI",
        quality=tuple(replace(entry, reasons=(HOSTILE,)) for entry in case.quality),
        agreement=replace(case.agreement, why=HOSTILE),
        findings=tuple(replace(f, name=HOSTILE, why=HOSTILE, source=HOSTILE) for f in case.findings),
        provenance={**case.provenance, "model": HOSTILE, HOSTILE: {HOSTILE: HOSTILE}},
    )
    text = render(hostile)
    page = Page(text)
    assert page.handlers == []
    assert not any("example.org" in source for source in page.fetched)
    assert page.text.count(HOSTILE) >= 8
    for svg in drawings(text):
        assert not any(
            "example.org" in value for e in ElementTree.fromstring(svg).iter() for value in e.attrib.values()
        )
    assert any(HOSTILE in "".join(ElementTree.fromstring(svg).itertext()) for svg in drawings(text))


@pytest.mark.slow
def test_the_same_case_gives_the_same_bytes(case: Case, text: str, tmp_path: Path) -> None:
    write_report(case, tmp_path / "new" / "a.html")
    assert (tmp_path / "new" / "a.html").read_bytes() == text.encode()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.html"]


def test_a_failed_write_leaves_the_old_file(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_text("old")

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_report(case, tmp_path / "a.html")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    assert (tmp_path / "a.html").read_text() == "old"


def test_what_is_missing_is_said_not_drawn(narrow_model: Model) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (12, 5000))
    case = analyse(Record(noise, 500.0, STANDARD_LEADS, "noise"), narrow_model, "MI", "attention_joint")
    page = Page(render(case))
    assert f"No beats: {case.beats.reason}." in page.text
    assert "not measurable" in page.text
    assert "not assessable" in page.text
    assert "nan" not in page.text.lower().split()
    assert "there are no shares to show" in page.text


def test_attention_is_told_with_how_much_signal_the_network_saw_for_it(case: Case, narrow_model: Model) -> None:
    record = load_record("demo:normal")
    attention = Page(render(analyse(record, narrow_model, "NORM", "attention_joint"))).text
    assert "Resolution in time: 40 ms; for each weight the network saw 10 s of signal." in attention
    assert resolution(replace(case.explanation, params={})).endswith(" ms.")


def test_a_map_without_leads_or_times_says_so(narrow_model: Model) -> None:
    record = load_record("demo:normal")
    assert "does not tell times apart" in Page(render(analyse(record, narrow_model, "NORM", "attention_channel"))).text


def test_ten_seconds_are_250_mm_and_one_millivolt_10_mm() -> None:
    fs = 500.0
    saw = np.zeros((12, 5001))
    saw[:, 2500:] = 1.0
    svg = printed.paper_svg(Record(saw, fs, STANDARD_LEADS, "step"))
    width, height = (float(re.search(rf'{name}="([\d.]+)mm"', svg)[1]) for name in ("width", "height"))
    box = [float(n) for n in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()]
    assert (width, height) == pytest.approx((box[0] / POINTS_PER_MM, box[1] / POINTS_PER_MM), abs=0.001)
    rhythm = max(millimetres(svg, "trace-II"), key=np.ptp)
    assert np.ptp(rhythm[:, 0]) == pytest.approx(250.0, abs=0.01)
    assert np.ptp(rhythm[:, 1]) == pytest.approx(10.0, abs=0.01)
    assert len(rhythm) == 5001
    for pulse in millimetres(svg, "pulse"):
        assert np.ptp(pulse[:, 1]) == pytest.approx(10.0, abs=0.01)
        assert np.diff(np.unique(pulse[:, 0].round(2)))[1] == pytest.approx(5.0, abs=0.02)


def test_the_layout_of_the_report_is_the_one_asked_for(case: Case) -> None:
    svg = printed.paper_svg(case.record, form=PaperFormat("12x1", cabrera=True))
    height_mm = float(re.search(r'height="([\d.]+)mm"', svg)[1])
    assert height_mm <= 190.0
    pulses = millimetres(svg, "pulse")
    assert len(pulses) == 12
    assert all(np.ptp(pulse[:, 1]) == pytest.approx(10.0, abs=0.01) for pulse in pulses)
    assert all(0.0 <= pulse[:, 1].min() <= pulse[:, 1].max() <= height_mm for pulse in pulses)
    for lead in STANDARD_LEADS:
        (trace,) = millimetres(svg, f"trace-{lead}")
        assert np.ptp(trace[:, 0]) == pytest.approx(250.0, abs=0.25)
    (turned,), (upright,) = millimetres(svg, "trace-aVR"), millimetres(printed.paper_svg(case.record), "trace-aVR")
    same = turned[1250 : 1250 + len(upright)]  # the second column of the clinical layout begins at 2.5 s
    assert np.corrcoef(same[:, 1], upright[:, 1])[0, 1] == pytest.approx(-1.0, abs=1e-3)


def test_relevance_lies_behind_the_beat_it_belongs_to(case: Case) -> None:
    """One lit sample of lead V3 is one rectangle: at its time, in the row and column of V3."""
    values = np.zeros_like(case.explanation.values)
    lit_s = 6.0
    values[STANDARD_LEADS.index("V3"), round(lit_s * 100)] = 1.0
    explanation = replace(case.explanation, values=values, start_s=0.0, fs=100.0, leads=STANDARD_LEADS, signed=True)
    svg = printed.paper_svg(case.record, heat=replace(from_explanation(explanation, 10.0), limit=1.0))
    (boxes,) = millimetres(svg, "heat")
    trace = next(path for path in millimetres(svg, "trace-V3"))
    assert boxes[:, 0].min() == pytest.approx((lit_s - 0.005 + 0.4) * 25, abs=0.02)
    assert boxes[:, 0].max() == pytest.approx((lit_s + 0.005 + 0.4) * 25, abs=0.02)
    assert boxes[:, 1].min() <= np.median(trace[:, 1]) <= boxes[:, 1].max()
