"""The guideline drawn beside a model, by its data: where it looks, what is missing, planted evidence in its place."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.criteria import catalogue, entry, evaluate, load
from ecgviz.criteria.rule_schema import Table, UseRule, ValueRule
from ecgviz.criteria.schema import Roi
from ecgviz.evidence import evidence
from ecgviz.explain.edits import EditEvidence
from ecgviz.figures import paper, sheet, style
from ecgviz.figures.edits import edits_figure, edits_table
from ecgviz.figures.evidence_beats import evidence_beats
from ecgviz.figures.evidence_density import density, density_table, parts_s
from ecgviz.figures.guideline_beside_model import beside_table, cell_shares, guideline_beside_model
from ecgviz.figures.guideline_map import QUIET, guideline_map
from ecgviz.figures.outline import cells_in, outline, spans, with_missing_p
from ecgviz.figures.role_map import ABSENT, SIGNS, in_words, region_map, roi_maps, role_table
from ecgviz.figures.rule_tables import MARKS, definition_table, how_known, reasoning_table, state_words
from ecgviz.figures.rule_words import limit_words
from ecgviz.measure import measure, median_beats_by_kind
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition
from ecgviz.types import ATOMS, Explanation, RuleResult
from ecgviz.ui import against_guideline
from ecgviz.ui.against_guideline import shares_in_words

ST, QRSI, P = ATOMS.index("ST"), ATOMS.index("QRSi"), ATOMS.index("P")
II = STANDARD_LEADS.index("II")


class Read:
    """A demo recording with its beats, and what the criteria of one label find in it."""

    def __init__(self, demo: str, label: str) -> None:
        record = load_record(f"demo:{demo}")
        self.clean = condition(record)
        self.beats = delineate(self.clean)
        measured = measure(self.clean, self.beats)
        found = evaluate(label, measured, self.beats, age_years=record.age_years, sex=record.sex)
        self.finding = next(each for each in found if each.state == "met")


@pytest.fixture(scope="module")
def stemi() -> Read:
    return Read("inferior_stemi", "IMI")


@pytest.fixture(scope="module")
def fibrillation() -> Read:
    return Read("af", "AFIB")


@pytest.fixture(scope="module")
def premature() -> Read:
    return Read("pvc", "PVC")


def explanation(values: np.ndarray, leads=STANDARD_LEADS) -> Explanation:
    return Explanation(values, 100.0, 0.0, leads, "MI", "input_x_gradient", True, 0.01)


def on_st_of_two(read: Read) -> Explanation:
    """Everything that supports lies in the middle of the ST segments of lead II; some opposition elsewhere."""
    values = np.zeros((12, 1000))
    for start, end in read.beats.segments()[:, ST]:
        if np.isfinite(start):
            values[II, round(100 * (start + end) / 2)] = 1.0
    values[5, ::7] -= 0.3
    return explanation(values)


def heat(figure, name):
    (found,) = [each for each in figure.data if each.type == "heatmap" and each.name == name]
    return found


def boxes(path: str) -> list[tuple[float, float, float, float]]:
    number = r"(-?[\d.e+-]+)"
    return [tuple(map(float, each)) for each in re.findall(f"M{number},{number}H{number}V{number}H", path)]


def test_a_region_of_the_catalogue_is_drawn_in_its_leads_and_segments():
    (shown,) = roi_maps(entry("CLBBB").roi, ())
    first = shown.roles == "primary"
    assert [lead for lead, row in zip(shown.leads, first, strict=True) if row.any()] == [
        "I", "aVL", "V1", "V2", "V5", "V6",
    ]  # fmt: skip
    assert [atom for atom, column in zip(ATOMS, first.T, strict=True) if column.any()] == ["QRSi", "QRSm", "QRSt"]
    gone = [(shown.leads[row], ATOMS[column]) for row, column in np.argwhere(shown.absent)]
    assert gone == [("I", "QRSi"), ("V5", "QRSi"), ("V6", "QRSi")]
    assert (shown.roles[:, P] == "contra").all()
    assert shown.roles[STANDARD_LEADS.index("III"), QRSI] == "context"
    assert "QRSi QRSm QRSt in I aVL V1 V2 V5 V6" in in_words(shown)


def test_each_kind_of_beat_has_a_map_of_its_own():
    early, dominant = roi_maps(entry("PVC").roi, ())
    assert early.beats == "premature ventricular beats"
    assert (early.roles[:, ST] == "primary").all()
    assert not (early.roles == "contra").any()
    assert dominant.beats == "dominant beats"
    assert set(dominant.roles.ravel()) == {"contra"}
    assert [shown.absent.sum() for shown in (early, dominant)] == [2, 0]


def test_where_a_wave_should_be_missing_is_part_of_what_is_looked_at():
    (shown,) = roi_maps(entry("AFIB").roi, ())
    row = STANDARD_LEADS.index("V1")
    assert shown.roles[row, P] == "primary"
    assert shown.absent[row, P]
    assert shown.marks()[row][P] == SIGNS["primary"].mark + ABSENT.mark
    assert not shown.absent[:, ATOMS.index("TP")].any()


def test_a_criterion_without_a_place_has_no_map():
    assert roi_maps(entry("BRADY").roi, ()) == ()


def test_every_role_of_the_schema_has_a_sign_that_no_other_has():
    assert set(Roi.model_fields) == {*SIGNS, "absence"}
    marks = [ABSENT.mark, *(sign.mark for sign in SIGNS.values())]
    assert len(set(marks)) == len(marks)


def test_the_leads_that_are_met_are_those_of_the_record(stemi: Read):
    shown, chosen = region_map(stemi.finding.regions, stemi.beats, STANDARD_LEADS)
    assert [shown.leads[row] for row in np.flatnonzero(shown.roles[:, ST] == "primary")] == ["II", "III", "aVF"]
    assert (chosen == stemi.beats.dominant).all()
    assert shown.beats == f"{int(stemi.beats.dominant.sum())} normal beats"


def test_the_map_of_a_record_is_about_the_beats_that_the_guideline_looks_at(premature: Read, fibrillation: Read):
    shown, chosen = region_map(premature.finding.regions, premature.beats, STANDARD_LEADS)
    assert (chosen == premature.beats.ectopic).all()
    assert shown.beats == f"{int(premature.beats.ectopic.sum())} premature ventricular beats"
    assert not (shown.roles == "contra").any()
    shown, _ = region_map(fibrillation.finding.regions, fibrillation.beats, STANDARD_LEADS)
    rows = [STANDARD_LEADS.index(lead) for lead in ("II", "III", "aVF", "V1")]
    assert sorted(np.flatnonzero(shown.absent[:, P])) == sorted(rows)


def test_marks_frames_and_words_of_a_map_say_the_same():
    maps = roi_maps(entry("CLBBB").roi, ())
    figure = guideline_map(maps, title="Where <b> it looks")
    drawn = heat(figure, "guideline")
    for row, told in zip(drawn.text, maps[0].marks(), strict=True):
        assert [re.sub("<[^>]*>", "", cell) for cell in row] == told
    assert [shape.line.dash for shape in figure.layout.shapes] == ["solid", "dot"]
    assert "&lt;b&gt;" in figure.layout.title.text
    assert in_words(maps[0]) in figure.layout.meta["alt"]
    (key,) = [each.text for each in figure.layout.annotations if SIGNS["primary"].mark in each.text]
    roles = {role for role in maps[0].roles.ravel() if role}
    assert roles == {*SIGNS} - {"opposing"}
    for sign in (*(SIGNS[role] for role in roles), ABSENT):
        assert f"{sign.mark} {sign.meaning}" in key
    assert SIGNS["opposing"].meaning in in_words(roi_maps(entry("AFIB").roi, ())[0])
    table = role_table(maps)
    assert table.loc[table.lead == "V6", "QRS start"].item() == f"{SIGNS['primary'].meaning}, {ABSENT.meaning}"


def test_frames_go_around_neighbouring_cells_together():
    figure = guideline_map(roi_maps(entry("PVC").roi, ()), title="PVC")
    solid, dotted = figure.layout.shapes
    assert len(solid.path.split("M")) - 1 == 2 * 12 + 2 * 6  # around 12 leads x 6 parts of the beat
    assert len(dotted.path.split("M")) - 1 == 2 * 4  # two cells apart


def test_planted_evidence_stands_beside_the_guideline_on_its_own_cell(stemi: Read):
    grid = evidence(on_st_of_two(stemi), stemi.beats)
    shown, chosen = region_map(stemi.finding.regions, stemi.beats, grid.leads)
    shares = cell_shares(grid, chosen)
    assert shares[II, ST] == pytest.approx(chosen.sum() / np.isfinite(stemi.beats.segments()[:, ST, 0]).sum())
    assert shares.sum() == pytest.approx(shares[II, ST])
    figure = guideline_beside_model(shown, shares, grid.leads, title="guideline", model_title="model")
    np.testing.assert_array_equal(heat(figure, "model").z, shares)
    assert list(heat(figure, "model").y) == list(heat(figure, "guideline").y)
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert "model: most in II ST" in figure.layout.meta["alt"]
    assert {shape.xref for shape in figure.layout.shapes} == {"x", "x2"}
    table = beside_table(shown, shares, grid.leads)
    (row,) = table[(table.lead == "II") & (table["part of the beat"] == "ST")].to_dict("records")
    assert row["guideline"] == "primary"
    assert row["share, %"] == pytest.approx(100 * shares[II, ST])


def test_a_map_of_the_first_seconds_says_how_many_beats_it_covers(stemi: Read):
    shown, chosen = region_map(stemi.finding.regions, stemi.beats, STANDARD_LEADS)
    n_early = int((chosen & (stemi.beats.r_s < 5.0)).sum())
    assert 2 <= n_early < chosen.sum() - 2
    for n_samples, told in ((1000, ""), (500, f" (the map covers {n_early} of them)")):
        grid = evidence(explanation(np.ones((12, n_samples))), stemi.beats)
        words = shares_in_words(grid, shown, chosen, 0.25)
        assert words == f"Right: share of supporting mass in {chosen.sum()} normal beats{told}, which hold 25 % of it."


def test_a_single_beat_is_told_of_as_one(premature: Read):
    first = int(np.flatnonzero(premature.beats.ectopic)[0])
    kept = np.arange(len(premature.beats)) == first
    regions = {
        role: dataclasses.replace(region, weight=np.where(kept[:, None], region.weight, 0.0))
        for role, region in premature.finding.regions.items()
    }
    shown, chosen = region_map(regions, premature.beats, STANDARD_LEADS)
    assert shown.beats == "1 premature ventricular beat"
    grid = evidence(explanation(np.ones((12, 1000))), premature.beats)
    words = shares_in_words(grid, shown, chosen, 0.25)
    assert words == "Right: share of supporting mass in 1 premature ventricular beat, which holds 25 % of it."


def test_a_map_without_leads_is_one_row_and_one_without_time_one_column(stemi: Read):
    shown, chosen = region_map(stemi.finding.regions, stemi.beats, STANDARD_LEADS)
    row = cell_shares(evidence(explanation(np.ones((1, 1000)), ()), stemi.beats), chosen)
    assert row.shape == (1, len(ATOMS))
    figure = guideline_beside_model(shown, row, (), title="g", model_title="m")
    assert list(heat(figure, "model").y) == ["all leads"]
    assert "tells no leads apart" in figure.layout.annotations[-1].text
    column = cell_shares(evidence(explanation(np.ones((12, 1))), stemi.beats), chosen)
    assert column.ravel() == pytest.approx(np.full(12, 1 / 12))
    figure = guideline_beside_model(shown, column, STANDARD_LEADS, title="g", model_title="m")
    assert list(figure.layout.xaxis2.ticktext) == ["all of the beat"]
    assert {shape.xref for shape in figure.layout.shapes} == {"x"}


def test_the_region_is_outlined_on_the_paper_where_its_waves_are(stemi: Read):
    figure = outline(paper(stemi.clean), stemi.clean, 0.0, stemi.beats, stemi.finding.regions)
    shapes = {shape.name: shape for shape in figure.layout.shapes if shape.name}
    assert set(shapes) == {"primary", "support"}
    assert shapes["primary"].line.dash == "solid"
    assert shapes["support"].line.dash == "dash"
    page = sheet.sheet(stemi.clean, 0.0)
    (strip,) = [each for each in page.strips if each.lead == "II" and each.end_s - each.start_s > 5]
    low, high = page.bounds_uv[strip.row]
    drawn = sorted((left, right) for left, bottom, right, top in boxes(shapes["primary"].path) if low < bottom < high)
    segments = stemi.beats.segments()[stemi.beats.dominant, ST]
    expected = sorted((start, min(end, strip.end_s)) for start, end in segments if start < strip.end_s)
    np.testing.assert_allclose(drawn, expected, atol=0.001)
    assert "primary region outlined: II, III, aVF: J, ST" in figure.layout.meta["alt"]
    assert figure.layout.meta["px_per_mm"] == paper(stemi.clean).layout.meta["px_per_mm"]  # it stays true to scale


def test_what_speaks_against_a_finding_is_outlined_where_it_is_seen():
    record = load_record("demo:normal")
    clean = condition(record)
    beats = delineate(clean)
    found = evaluate("AFIB", measure(clean, beats), beats, age_years=record.age_years, sex=record.sex)
    assert found[0].state == "not_met"
    figure = outline(paper(clean), clean, 0.0, beats, found[0].regions)
    (shape,) = [each for each in figure.layout.shapes if each.name == "opposing"]
    assert shape.line.dash == "dashdot"
    lefts = [left for left, *_ in boxes(shape.path)]
    assert min(abs(left - beats.p_on[3]) for left in lefts) < 0.001


def test_where_a_p_wave_is_missing_the_outline_is_dotted_on_paper_and_median(fibrillation: Read):
    clean, on, regions = fibrillation.clean, fibrillation.beats, fibrillation.finding.regions
    assert on.p_absent.all()
    figure = outline(paper(clean), clean, 0.0, on, regions)
    shapes = {shape.name: shape for shape in figure.layout.shapes if shape.name}
    assert shapes["absence"].line.dash == "dot"
    expected = on.segments()[1, P, 0]
    assert min(abs(left - expected) for left, *_ in boxes(shapes["absence"].path)) < 0.001
    solid = boxes(shapes["primary"].path) if "primary" in shapes else []
    assert not any(abs(left - expected) < 0.001 for left, *_ in solid)
    moved = with_missing_p(regions, on)
    assert not cells_in(moved["primary"], on.dominant)[:, P].any()
    both = moved["primary"].weight + moved["absence"].weight
    np.testing.assert_array_equal(np.maximum(both, regions["primary"].weight), both)


def test_leads_beyond_the_twelve_are_left_out_of_the_median(stemi: Read):
    dominant, leads = stemi.beats.dominant, (*STANDARD_LEADS, "vx")
    median = median_beats_by_kind(stemi.clean, stemi.beats)["normal"]
    longer = dataclasses.replace(median, mv=np.concatenate([median.mv, median.mv[:1]]))
    grid = evidence(on_st_of_two(stemi), stemi.beats)
    regions = {"primary": np.ones((13, len(ATOMS)), dtype=bool)}
    colours, parts = density(grid, dominant), parts_s(stemi.beats, dominant)
    figure = evidence_beats(longer, leads, parts, colours, grid.leads, regions, title="Median")
    assert {each.name for each in figure.data} & set(leads) == set(STANDARD_LEADS)
    assert "vx" not in figure.layout.meta["alt"]


def test_stretches_that_touch_are_one(premature: Read):
    (first, *_) = spans(premature.finding.regions["primary"], premature.beats, "V1")
    beat = int(np.flatnonzero(premature.beats.ectopic)[0])
    assert first == pytest.approx((premature.beats.qrs_on[beat], premature.beats.t_off[beat]))
    assert spans(premature.finding.regions["primary"], premature.beats, "V9") == []


def test_an_even_map_has_density_one_everywhere_and_planted_evidence_its_excess(stemi: Read):
    dominant = stemi.beats.dominant
    grid = evidence(explanation(np.ones((12, 1000))), stemi.beats)
    even = density(grid, dominant)
    assert even[np.isfinite(even)] == pytest.approx(1.0)
    planted = density(evidence(on_st_of_two(stemi), stemi.beats), dominant)
    assert np.nanargmax(planted) == II * len(ATOMS) + ST
    assert np.nansum(planted > 0) == 1
    assert np.isnan(density(evidence(explanation(np.zeros((12, 1000))), stemi.beats), dominant)).all()


def test_the_median_beat_is_coloured_and_outlined_in_its_cells(stemi: Read):
    dominant = stemi.beats.dominant
    median = median_beats_by_kind(stemi.clean, stemi.beats)["normal"]
    grid = evidence(on_st_of_two(stemi), stemi.beats)
    colours, parts = density(grid, dominant), parts_s(stemi.beats, dominant)
    outlined = {role: cells_in(region, dominant) for role, region in stemi.finding.regions.items()}
    figure = evidence_beats(median, STANDARD_LEADS, parts, colours, grid.leads, outlined, title="Median")
    line = next(each for each in figure.data if each.name == "V2")
    away_ms, mv = np.asarray(line.customdata).T
    np.testing.assert_allclose(mv, [median.at(0.001 * at)[7] for at in away_ms.tolist()], atol=1e-5)
    np.testing.assert_allclose(np.diff(np.asarray(line.y)), 1000 * np.diff(mv), atol=0.01)
    (shape,) = [each for each in figure.layout.shapes if each.name == "primary"]
    assert len(boxes(shape.path)) == 3
    r_of_two = at_r_of(figure, "II")
    assert min(abs(left - r_of_two - parts[ST, 0]) for left, *_ in boxes(shape.path)) < 0.001
    assert at_r_of(figure, "V2") > r_of_two
    field = heat(figure, "evidence")
    assert np.nanmax(field.z) == pytest.approx(np.nanmax(colours))
    middles = (np.asarray(field.x)[:-1] + np.asarray(field.x)[1:]) / 2
    _, column = np.unravel_index(np.nanargmax(field.z), np.shape(field.z))
    assert parts[ST, 0] < middles[column] - r_of_two < parts[ST, 1]
    assert density_table(colours, grid.leads).shape == (12, 10)


@pytest.mark.parametrize(("n_beats", "titled"), [(1, "Median of 1 normal beat"), (9, "Median of 9 normal beats")])
def test_the_median_says_of_how_many_beats_it_is(
    monkeypatch: pytest.MonkeyPatch, stemi: Read, n_beats: int, titled: str
):
    one = dataclasses.replace(median_beats_by_kind(stemi.clean, stemi.beats)["normal"], n_beats=n_beats)
    drawn = []
    monkeypatch.setattr(against_guideline.state, "reading", lambda _: SimpleNamespace(medians={"normal": one}))
    monkeypatch.setattr(against_guideline.widgets, "draw", lambda figure, *_, **__: drawn.append(figure))
    monkeypatch.setattr(against_guideline.files, "of_case", lambda _: {})
    grid = evidence(on_st_of_two(stemi), stemi.beats)
    case = SimpleNamespace(beats=stemi.beats, grid=grid, record=stemi.clean)
    against_guideline.median(case, stemi.finding)
    assert [figure.layout.title.text for figure in drawn] == [titled]


@pytest.mark.parametrize(
    ("largest", "texts"), [(2.0, ["0", "1", "4"]), (4.49, ["0", "1", "4.5"]), (12.34, ["0", "1", "12.3"])]
)
def test_the_legend_names_what_is_coloured_and_where_the_colours_end(stemi: Read, largest: float, texts: list[str]):
    dominant = stemi.beats.dominant
    median = median_beats_by_kind(stemi.clean, stemi.beats)["normal"]
    parts, colours = parts_s(stemi.beats, dominant), np.full((1, 1), largest)
    figure = evidence_beats(median, STANDARD_LEADS, parts, colours, (), {}, title="M", what="share of the map")
    legend = heat(figure, "evidence").colorbar
    assert legend.title.text.startswith("share of the map per second, times an even spread")
    assert list(legend.ticktext) == texts


def at_r_of(figure, lead: str) -> float:
    line = next(each for each in figure.data if each.name == lead)
    return float(np.interp(0.0, np.asarray(line.customdata)[:, 0], np.asarray(line.x, dtype=float)))


@pytest.mark.parametrize(
    ("name", "key", "rule", "words"),
    [
        ("CLBBB", "strauss2011", 0, "QRS >= 140 ms in men, 130 ms in women (± 10 is borderline)"),
        ("CLBBB", "strauss2011", 1, "V1, V2: QS, rS, in each"),
        ("LVH", "cornell_voltage", 0, "R aVL + S V3 > 2.8 mV in men, 2 mV in women (± 0.05 is borderline)"),
        ("PAC", "premature_narrow", 1, "at least 1 premature atrial beat with a P wave before the beat"),
        ("PSVT", "acc2015", 0, "the entry SVTAC"),
    ],
)
def test_limits_in_words(name: str, key: str, rule: int, words: str):
    assert limit_words(entry(name).definition(key).rules[rule]) == words


def test_every_rule_of_the_catalogue_has_words_with_its_limit():
    for one in catalogue():
        for definition in one.definitions:
            for rule in definition.rules:
                assert not isinstance(rule, UseRule)
                words = limit_words(rule)
                assert words
                if isinstance(rule, ValueRule) and not isinstance(rule.value, Table):
                    assert f" {rule.op} {rule.value:g}" in words


def test_rules_of_a_definition_stand_with_their_role_source_and_how_they_are_known():
    table = definition_table(entry("CLBBB").definition("aha2009"), load().sources)
    assert len(table) == len(entry("CLBBB").definition("aha2009").rules)
    assert table["source, and how it is known"].str.startswith("AHA/ACCF/HRS 2009, part III; ").all()
    assert (table["role"] == "supports").sum() == 1


def result(role: str, state: str, margin: float = np.nan) -> RuleResult:
    return RuleResult(f"{role} rule", role, state, 148.0, 120.0, "ms", margin, (), "QRS 148 ms", "AHA", "proposal")


def test_the_reasoning_has_margins_and_says_of_what_must_not_hold_that_it_is_absent():
    finding = Read("lbbb", "CLBBB").finding
    rules = (result("required", "met", 28.0), result("excluding", "not_met"), result("excluding", "met"))
    table = reasoning_table(dataclasses.replace(finding, rules=rules))
    assert [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in table["rule is"]] == ["✓ met", "✓ absent", "✗ present"]
    assert table["margin"][0].replace("\N{NO-BREAK SPACE}", " ") == "+28 ms"
    assert table["margin"][1] == "–"
    assert how_known(rules).startswith("3 rules: 3 no published number")


def test_states_are_told_apart_by_sign_and_word():
    assert len(set(MARKS.values())) == len(MARKS)
    assert state_words("not_evaluable").replace("\N{NO-BREAK SPACE}", " ") == "? not evaluable"


def test_edits_stand_beside_their_shams():
    shift = EditEvidence("shift_pr", "changing PR", "1AVB", 1.0, 0.2, "PR made 160 ms", "moved", (0.1, -0.2, 0.3))
    refused = EditEvidence("insert_p", "inserting P", "1AVB", 1.0, why="every beat has a P wave")
    figure = edits_figure((shift, refused), title="Change of the logit")
    assert figure is not None
    shams, edit = figure.data
    assert list(shams.x) == [0.1, -0.2, 0.3]
    assert list(edit.x) == pytest.approx([-0.8])
    assert list(edit.text) == ["-0.80"]
    assert figure.layout.xaxis.range[0] == -figure.layout.xaxis.range[1] < -0.8
    assert "changing PR -0.80 (0 of 3)" in figure.layout.meta["alt"]
    assert shams.marker.symbol != edit.marker.symbol
    table = edits_table((shift, refused))
    assert list(table["what was done"]) == ["PR made 160 ms", "every beat has a P wave"]
    assert edits_figure((refused,), title="none") is None


def test_quiet_signs_keep_a_contrast_that_can_be_read():
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert 1.05 / (luminance(QUIET) + 0.05) >= 4.5
    assert 1.05 / (luminance(style.REGION) + 0.05) >= 3.0


def test_a_long_line_below_the_guideline_is_broken_and_has_room(stemi: Read):
    shown, chosen = region_map(stemi.finding.regions, stemi.beats, STANDARD_LEADS)
    shares = cell_shares(evidence(on_st_of_two(stemi), stemi.beats), chosen)
    below = "An interval, a rate or an axis has no mass, so that edits ask for it. " * 4
    short, long = (
        guideline_beside_model(shown, shares, STANDARD_LEADS, title="g", model_title="m", below=each)
        for each in ("one line", below)
    )
    lines = long.layout.annotations[-1].text.split("<br>")
    more = len(lines) - len(short.layout.annotations[-1].text.split("<br>"))
    assert more >= 2
    assert max(len(line) for line in lines[-more:]) <= 100  # 676 px are beside the sidebar in a window of 1024
    assert long.layout.margin.b - short.layout.margin.b == long.layout.height - short.layout.height == 16 * more
