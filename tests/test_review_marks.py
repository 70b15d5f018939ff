"""Readers' marks on the grid of lead x beat x wave: regions, and scores whose value is known by hand."""

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.compare import hold_against
from ecgviz.criteria import evaluate_all, union_region
from ecgviz.errors import ReviewError
from ecgviz.evidence import evidence, share
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.review import marks
from ecgviz.review.marks import Span
from ecgviz.signal import condition
from ecgviz.types import ATOMS, WAVES, Beats, Explanation, Record


@pytest.fixture(scope="module")
def record() -> Record:
    return condition(load_record("demo:normal"))


@pytest.fixture(scope="module")
def beats(record: Record) -> Beats:
    return delineate(record)


INFERIOR = [("II", "ST"), ("III", "ST"), ("aVF", "ST")]


def test_marked_cells_are_a_region_of_whole_beats_of_the_basic_rhythm(record: Record, beats: Beats):
    region = marks.region_of_cells([("aVF", "T"), ("II", "ST")], beats, record.leads)
    touched = {(record.leads[row], ATOMS[s]) for row, _, s in np.argwhere(region.inside)}
    assert touched == {("II", "ST"), ("aVF", "T1"), ("aVF", "T2")}
    assert set(np.argwhere(region.inside)[:, 1]) == set(np.flatnonzero(beats.dominant))
    assert marks.cells_of_region(region) == (("II", "ST"), ("aVF", "T"))
    assert region.text == "what the reader marked (II: ST; aVF: T)"


@pytest.mark.parametrize("name", ["pvc", "inferior_stemi", "lbbb"])
def test_an_exact_answer_lies_in_the_region_and_a_mark_of_everything_as_an_even_spread(name: str):
    record = load_record(f"demo:{name}")
    clean = condition(record)
    beats = delineate(clean)
    found = evaluate_all(measure(clean, beats), beats, age_years=record.age_years, sex=record.sex)
    entry = {"pvc": "PVC", "inferior_stemi": "IMI", "lbbb": "CLBBB"}[name]
    region = union_region([each for each in found if each.criterion == entry and each.state == "met"])
    assert region is not None
    exact = marks.score_cells(marks.cells_of_region(region), region, beats)
    assert (exact.dice, exact.share) == (1, pytest.approx(1))
    everything = marks.score_cells([(lead, wave) for lead in record.leads for wave in WAVES], region, beats)
    assert everything.share == pytest.approx(everything.area)


def test_a_mark_under_premature_beats_speaks_of_these():
    beats = delineate(condition(load_record("demo:pvc")))
    asked = marks.asked_beats("PVC", beats)
    assert asked.any()
    assert {beats.kind[b] for b in np.flatnonzero(asked)} == {"premature_ventricular"}
    for label in ("NORM", "CD", "none of these"):
        np.testing.assert_array_equal(marks.asked_beats(label, beats), beats.dominant)


def test_right_wrong_and_missed_cells_give_dice_and_iou(record: Record, beats: Beats):
    guideline = marks.region_of_cells(INFERIOR, beats, record.leads)
    score = marks.score_cells([("II", "ST"), ("III", "ST"), ("V1", "P")], guideline, beats)
    assert score.right == (("II", "ST"), ("III", "ST"))
    assert score.wrong == (("V1", "P"),)
    assert score.missed == (("aVF", "ST"),)
    assert score.dice == pytest.approx(2 * 2 / (3 + 3))
    assert score.iou == pytest.approx(2 / 4)
    atoms = beats.segments()[beats.dominant]
    seconds = {atom: np.nansum(atoms[:, ATOMS.index(atom), 1] - atoms[:, ATOMS.index(atom), 0]) for atom in ("P", "ST")}
    assert score.share == pytest.approx(2 * seconds["ST"] / (2 * seconds["ST"] + seconds["P"]))
    assert 0 < score.area < score.share


def test_marking_nothing_misses_everything_and_has_no_share(record: Record, beats: Beats):
    score = marks.score_cells([], marks.region_of_cells(INFERIOR, beats, record.leads), beats)
    assert (score.dice, score.iou, len(score.missed), score.why) == (0, 0, 3, "nothing was marked")
    assert np.isnan(score.share)


def test_a_map_is_held_against_marks_exactly_as_against_a_guideline(record: Record, beats: Beats):
    """A map that lies on the marked waves alone agrees with them, and has all of its mass there."""
    region = marks.region_of_cells([("V1", "QRS"), ("V2", "QRS")], beats, record.leads)
    values = np.zeros(record.signal.shape)
    for start, end in zip(beats.qrs_on, beats.qrs_off, strict=True):
        stretch = slice(round(float(start) * record.fs) + 1, round(float(end) * record.fs) - 1)
        values[[record.leads.index("V1"), record.leads.index("V2")], stretch] = 1.0
    there = Explanation(values, record.fs, 0.0, record.leads, "CD", "planted", True, 1 / record.fs)
    even = Explanation(np.ones_like(values), record.fs, 0.0, record.leads, "CD", "even", True, 1 / record.fs)
    grid = evidence(there, beats)
    held = hold_against(there, beats, grid, region, {"even": (evidence(even, beats),)})
    assert held.share == pytest.approx(share(grid, region)[0]) == pytest.approx(1.0)
    assert held.evidence == "agrees"
    elsewhere = marks.region_of_cells([("V5", "T")], beats, record.leads)
    assert hold_against(there, beats, grid, elsewhere, {"even": (evidence(even, beats),)}).evidence == "disagrees"


def test_spans_mark_the_waves_of_which_they_cover_half(record: Record, beats: Beats):
    b = 2
    qrs = Span("V1", float(beats.qrs_on[b]), float(beats.qrs_off[b]))
    region = marks.region_of_spans([qrs], beats, record.leads)
    assert {(record.leads[x], int(y), ATOMS[z]) for x, y, z in np.argwhere(region.inside)} == {
        ("V1", b, atom) for atom in ("QRSi", "QRSm", "QRSt")
    }
    with pytest.raises(ReviewError, match="cover half of no wave"):
        marks.region_of_spans([Span("V1", 0.0001, 0.0002)], beats, record.leads)


def test_spans_that_overlap_cover_a_stretch_once(record: Record, beats: Beats):
    start, end = (float(each) for each in beats.segments()[2, ATOMS.index("ST")])
    third = (end - start) / 3
    twice = [Span("V1", start, start + third), Span("V1", start + 0.001, start + third + 0.001)]
    with pytest.raises(ReviewError, match="cover half of no wave"):
        marks.region_of_spans(twice, beats, record.leads)
    region = marks.region_of_spans([twice[0], Span("V1", start + third, start + 2 * third)], beats, record.leads)
    assert marks.cells_of_region(region) == (("V1", "ST"),)


@pytest.mark.parametrize(
    ("cells", "said"),
    [([("V9", "ST")], "lead 'V9'"), ([("II", "U")], "wave 'U'; waves are P, PR"), ([], "no cell is marked")],
)
def test_marks_that_cannot_be_are_refused(record: Record, beats: Beats, cells: list[marks.Cell], said: str):
    with pytest.raises(ReviewError, match=said):
        marks.region_of_cells(cells, beats, record.leads)


def test_a_span_without_length_is_refused():
    with pytest.raises(ReviewError, match="lead V2 from 3 s to 2 s has no length"):
        Span("V2", 3.0, 2.0)
