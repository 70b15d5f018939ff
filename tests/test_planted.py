"""The planted-truth bench: maps whose scores are known, networks whose retained share is known, and a run cut off."""

import re
from dataclasses import replace
from types import MappingProxyType
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import ecgviz.explain.methods as methods
from ecgviz import NOTICE
from ecgviz.checkpoint import Model, load_model, model_input
from ecgviz.cli import main
from ecgviz.cli import planted as planted_command
from ecgviz.errors import ExplanationError
from ecgviz.explain.controls import trivial_maps
from ecgviz.explain.method import Method
from ecgviz.figures.planted import planted_svg, planted_table_figure
from ecgviz.nets import NETS
from ecgviz.simulate import FINDINGS
from ecgviz.types import Explanation
from ecgviz.validate.explanations import SCORES, load_planted, planted_page, planted_table, run_bench, save_planted
from ecgviz.validate.explanations.bench import CONTROLS, Part
from ecgviz.validate.explanations.scores import chance, pointing_game, rank_accuracy, score_map, widened
from ecgviz.validate.explanations.screen import judged, screen
from ecgviz.validate.explanations.table import bootstrap_weights, excess
from ecgviz.validate.explanations.truth import PlantedCase, label_of, planted_case, without_place
from tests.toys import LEADS, SPEC, Linear, toy_model

PLACED = [name for name in FINDINGS if not without_place(name)]
III = LEADS.index("III")
METHOD = ("input_x_gradient",)


@pytest.fixture(scope="module")
def stemi() -> list[PlantedCase]:
    return [planted_case("inferior_stemi", number, SPEC) for number in range(6)]


def a_map(case: PlantedCase, values: np.ndarray) -> Explanation:
    return replace(case.planted, values=values.astype(float), leads=LEADS if len(values) > 1 else (), method="a map")


def reads_lead(row: int, level: float, gain: float = 1.0) -> Model:
    """Return a network whose logit is the mean of one lead above a level, times a gain."""
    weight = np.zeros((1, 12, 1000))
    weight[0, row] = gain / 1000
    return toy_model(Linear(weight, (-gain * level,)), labels=("IMI",), net_name="toy_linear")


def means(cases: list[PlantedCase]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of lead III of records and of their twins, as a network is fed it."""
    pairs = [[record.signal[III].mean() / SPEC.std_mv for record in (case.record, case.twin)] for case in cases]
    return tuple(np.array(pairs, dtype=float).T)


def between(cases: list[PlantedCase]) -> float:
    """Return the level of lead III that parts records from their twins as well as can be."""
    with_it, without = means(cases)
    return float(np.mean(with_it) + np.mean(without)) / 2


@pytest.fixture(autouse=True)
def toy_architecture(monkeypatch):
    monkeypatch.setitem(NETS, "toy_linear", lambda n_labels: Linear(0.01 * torch.randn(n_labels, 12, 1000).numpy()))


@pytest.mark.parametrize("finding", PLACED)
def test_the_truth_itself_scores_one_and_an_even_map_what_chance_gets(finding):
    case = planted_case(finding, 3, SPEC)
    assert case.inside.any()
    oracle = score_map(case.planted, case)
    assert all(value == pytest.approx(1) for value in oracle.values() if np.isfinite(value))
    assert all(np.isfinite(oracle[name]) for name in ("mass", "rank", "pointing", "auprc", "wave"))
    even = a_map(case, np.ones(case.inside.shape))
    scores, expected = score_map(even, case), chance(even, case)
    for name, value in scores.items():
        assert value == pytest.approx(expected[name], nan_ok=True), name
    assert expected["mass"] == pytest.approx(case.inside.mean())


def test_atrial_fibrillation_has_no_pr_segment_that_an_even_map_could_hit():
    case = planted_case("af", 3, SPEC)
    assert chance(a_map(case, np.ones(case.inside.shape)), case)["wave"] == pytest.approx(len(case.waves) / 5)


def test_a_map_of_all_other_places_scores_nothing_and_an_opposing_one_claims_nothing(stemi):
    case = stemi[0]
    scores = score_map(a_map(case, ~widened(case.inside, SPEC.fs)), case)
    assert [scores[name] for name in ("mass", "rank", "pointing")] == [0, 0, 0]
    assert scores["auprc"] == pytest.approx(case.inside.mean())  # precision once all samples are called
    assert all(np.isnan(value) for value in score_map(a_map(case, -1.0 * case.inside), case).values())


def test_of_a_slope_the_size_is_scored(stemi):
    case = stemi[0]
    slope = replace(a_map(case, -1.0 * case.inside), method="saliency")
    assert score_map(slope, case)["mass"] == 1


def test_evidence_of_timing_is_its_named_cells():
    block, early = (planted_case(name, 0, SPEC) for name in ("first_degree_av_block", "pvc"))
    at_s = np.arange(1000) / SPEC.fs
    beats = block.beats
    expected = ((at_s[:, None] >= beats.p_on) & (at_s[:, None] < beats.qrs_on)).any(axis=1)
    np.testing.assert_array_equal(block.inside, np.tile(expected, (12, 1)))
    assert (block.waves, block.groups) == (("P", "PR"), ())
    inside = early.inside[0, np.round(early.beats.r_s * SPEC.fs).astype(int)]
    np.testing.assert_array_equal(inside, early.beats.ectopic)


def test_evidence_of_form_lies_where_it_was_planted(stemi):
    assert all("limb" in case.groups and case.waves == ("ST", "T") for case in stemi)
    assert planted_case("old_anterior_mi", 0, SPEC).groups == ("V2", "V3")


def test_a_rate_has_no_place_and_says_so():
    assert [name for name in FINDINGS if without_place(name)] == ["normal", "sinus_tachycardia", "sinus_bradycardia"]
    assert "an edit of the rate is its evidence" in without_place("sinus_tachycardia")


def test_a_finding_is_explained_by_its_own_statement_before_its_superclass():
    model = toy_model(nn.Identity(), labels=("MI", "IMI"))
    assert [label_of(model, name) for name in ("inferior_stemi", "lateral_stemi", "af")] == ["IMI", "MI", None]


def test_ties_count_by_what_they_give_on_average():
    rng = np.random.default_rng(0)
    mass, inside = rng.integers(0, 3, size=(4, 50)).astype(float), rng.random((4, 50)) < 0.2
    jittered = [mass + 1e-6 * rng.random(mass.shape) for _ in range(4000)]
    assert rank_accuracy(mass, inside) == pytest.approx(np.mean([rank_accuracy(m, inside) for m in jittered]), abs=0.01)
    expected = np.mean([pointing_game(m, inside, 100.0) for m in jittered])
    assert pointing_game(mass, inside, 100.0) == pytest.approx(expected, abs=0.03)


def test_no_mask_no_score():
    assert np.isnan(rank_accuracy(np.ones((2, 5)), np.zeros((2, 5), dtype=bool)))
    assert np.isnan(pointing_game(np.ones((2, 5)), np.zeros((2, 5), dtype=bool), 100.0))


def test_the_pointing_game_forgives_thirty_milliseconds_in_the_same_lead():
    inside = np.zeros((2, 20), dtype=bool)
    inside[0, 10] = True
    hits = [pointing_game(np.eye(1, 40, cell).reshape(2, 20), inside, 100.0) for cell in range(40)]
    assert np.flatnonzero(hits).tolist() == [7, 8, 9, 10, 11, 12, 13]


def test_a_map_is_asked_only_what_its_axes_can_answer(stemi):
    without_leads = score_map(a_map(stemi[0], stemi[0].inside.any(axis=0, keepdims=True)), stemi[0])
    assert [name for name, value in without_leads.items() if np.isfinite(value)] == ["wave"]
    block = planted_case("first_degree_av_block", 0, SPEC)
    assert score_map(a_map(block, block.inside[:1]), block)["mass"] == 1
    by_lead = replace(a_map(stemi[0], stemi[0].inside.sum(axis=1, keepdims=True)), resolution_s=10.0)
    assert [name for name, value in score_map(by_lead, stemi[0]).items() if np.isfinite(value)] == ["lead_group"]
    coarse = replace(stemi[0].planted, resolution_s=0.5)
    assert np.isnan(score_map(coarse, stemi[0])["wave"])
    with pytest.raises(ExplanationError, match="has 500 samples"):
        score_map(a_map(stemi[0], np.ones((12, 500))), stemi[0])


def test_the_truth_beats_the_trivial_maps_and_amplitude_does_not_beat_itself(stemi):
    model = reads_lead(III, 0.0)
    rows = []
    for case in stemi:
        trivial = trivial_maps(model_input(model, case.record), case.planted)
        rows.append([score_map(each, case)["mass"] for each in (case.planted, *trivial.values())])
    oracle = np.pad(np.array(rows), ((0, 0), (0, 2)), constant_values=np.nan)
    weights = bootstrap_weights(len(stemi), 0)
    found = excess(oracle, weights)
    assert found["value"] == pytest.approx(1)
    assert found["excess_low"] > 0.5
    assert found["best_control"] == "|x|"
    itself = excess(oracle[:, [1, 1, 2, 3, 4]], weights)
    assert (itself["best_control"], itself["excess"]) == ("|x|", 0)
    assert itself["excess_low"] <= itself["excess_high"] == 0


def test_an_interval_holds_what_resampling_by_hand_gives():
    rng = np.random.default_rng(1)
    scores = np.column_stack([rng.normal(0.6, 0.1, 200), rng.normal(0.5, 0.1, 200), np.full((200, 3), np.nan)])
    found = excess(scores, bootstrap_weights(200, 0))
    spread = (scores[:, 0] - scores[:, 1]).std() / np.sqrt(200)
    assert found["excess"] == pytest.approx(scores[:, 0].mean() - scores[:, 1].mean())
    assert found["excess_high"] - found["excess_low"] == pytest.approx(2 * 1.96 * spread, rel=0.15)
    scores[:, 0] = np.repeat([0.9, 0.1], 100)
    scores[:, 1] = np.repeat([np.nan, 0.1], 100)  # the control has no mass where the map does best
    on_the_same = excess(scores, bootstrap_weights(200, 0))
    assert [on_the_same[name] for name in ("excess", "excess_low", "excess_high")] == pytest.approx([0, 0, 0])
    nothing = excess(np.full((5, 5), np.nan), bootstrap_weights(5, 0))
    assert nothing["n"] == 0
    assert np.isnan(nothing["value"])


def test_the_retained_share_is_that_of_records_that_move_the_network_where_it_is_right(stemi):
    level = between(stemi)
    for gain in (3.0, 1000.0):
        model = reads_lead(III, level, gain)
        found = judged(model, "IMI", screen(model, "IMI", "inferior_stemi", range(6)))
        with_it, without = means(stemi)
        right = (with_it >= level) & (without < level)
        np.testing.assert_array_equal(found.right, right)
        np.testing.assert_array_equal(found.counted, right & (gain * (with_it - without) >= 1))
    assert found.counted.mean() >= 0.5


def test_a_network_that_reads_elsewhere_retains_nothing():
    class Hiss(nn.Module):
        """Read the noise of V1, which is the same with the finding and without."""

        levels = ()

        def forward(self, x, *, r_s=None, meta=None, mask=None):
            return 1000 * (x[:, 6].diff().diff().abs().median(dim=1, keepdim=True).values - 0.05)

    model = toy_model(Hiss(), labels=("IMI",))
    found = judged(model, "IMI", screen(model, "IMI", "inferior_stemi", range(6)))
    assert np.ptp(found.logits[:, 0]) > 1
    assert not found.counted.any()
    always = reads_lead(III, -100.0)
    assert not judged(always, "IMI", screen(always, "IMI", "inferior_stemi", range(6))).right.any()


def bench(tmp_path, stemi, **more) -> tuple[list[Part], list[str]]:
    model = reads_lead(III, between(stemi), 30.0)
    asked = {"methods": METHOD, "findings": ("inferior_stemi", "normal", "af"), "records": 3}
    return run_bench([model], tmp_path, **(asked | more))


def known(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="records_per_s")


def test_a_run_is_the_same_each_time_and_after_it_was_cut_off(tmp_path, stemi):
    class CutError(Exception):
        pass

    def cut(done: int, total: int) -> None:
        if done > total * 0.7:
            raise CutError

    both = {"methods": (*METHOD, "saliency"), "seed": 2}
    parts, left_out = bench(tmp_path / "whole", stemi, **both)
    with pytest.raises(CutError):
        bench(tmp_path / "cut", stemi, **both, progress=cut)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").rglob("*.npz")}
    assert len(kept) == 2
    assert not list((tmp_path / "cut").rglob(".part-*"))
    again, _ = bench(tmp_path / "cut", stemi, **both)
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    pd.testing.assert_frame_equal(known(planted_table(parts)), known(planted_table(again)))
    assert left_out == [without_place("normal"), "af: toy has no label that speaks of it"]


def test_another_seed_is_other_patients(tmp_path, stemi):
    one, other = (bench(tmp_path, stemi, seed=seed)[0][0] for seed in (0, 1))
    assert not np.array_equal(one.screened.logits, other.screened.logits)


def test_a_method_that_is_amplitude_has_no_excess(tmp_path, stemi, monkeypatch):
    def amplitude(model, inputs, beats, label_index, *, seed):
        like = Explanation(inputs.x, inputs.fs, inputs.start_s, inputs.leads, None, "amplitude", False, 1 / inputs.fs)
        return trivial_maps(inputs, like)["|x|"]

    known_to_all = {"amplitude": Method(amplitude, "exact", "Amplitude", "the size of the signal", "nobody")}
    monkeypatch.setattr(methods, "METHODS", MappingProxyType(known_to_all))
    table = planted_table(bench(tmp_path, stemi, methods=("amplitude",))[0])
    rows = table[(table.group == "counted") & (table.score == "mass")]
    assert rows.excess.tolist() == [0]
    assert rows["|x|"].tolist() == rows.value.tolist() == rows["random networks"].tolist()
    assert rows["shifted copies"].item() < rows.value.item()


@pytest.fixture
def table(tmp_path, stemi) -> pd.DataFrame:
    """Return the table of a bench in which 120 records count (six, twenty times each) for one method of two."""
    (part,), _ = bench(tmp_path, stemi)
    counted = np.flatnonzero(part.screened.counted[list(part.explained)])
    rows = np.tile(counted, 60)[:120]
    many = replace(
        part,
        method="<b>many</b>",
        explained=tuple(part.explained[row] for row in rows),
        **{name: getattr(part, name)[rows] for name in ("scores", "chance", "seconds", "resolution_s")},
    )
    return planted_table([part, many, replace(many, method="worse", scores=many.scores * [[[0.5]] + [[1.0]] * 4])])


def test_methods_are_ranked_where_a_hundred_records_count(table):
    rows = table[(table.group == "counted") & (table.score == "mass")].set_index("method")
    assert rows["rank"].fillna(0).to_dict() == {METHOD[0]: 0, "<b>many</b>": 1, "worse": 2}
    assert re.fullmatch(r"\d records count, fewer than 100: no rank", rows.loc[METHOD[0], "note"])
    assert (rows.value > rows.chance).any()
    assert set(table.score) == set(SCORES)
    apart = table[table.group == "apart"]
    assert apart["rank"].isna().all()


def test_the_table_comes_back_from_its_file(table, tmp_path):
    path = save_planted(table, tmp_path / "out")
    for source in (path, path.parent):
        pd.testing.assert_frame_equal(load_planted(source), table, check_dtype=False)
    with pytest.raises(ExplanationError, match="there is no table"):
        load_planted(tmp_path / "nowhere.csv")
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ExplanationError, match="lacks the column model"):
        load_planted(path)


def test_the_page_needs_nothing_else_and_escapes_all_text(table):
    page = planted_page(table, ["<i>left out</i>"], planted_svg(table))
    assert page.count(NOTICE) == 1
    assert "&lt;b&gt;many" in page
    assert "&lt;i&gt;left out" in page
    assert not re.search(r"<script|<b>|<i>|https?://(?!www\.w3)", page)
    assert "n = " in page


def test_the_figure_shows_excess_where_enough_records_count_and_numbers_elsewhere(table):
    figure = planted_table_figure(table)
    (heat,) = figure.data
    few, many, worse = np.array(heat.z, dtype=float)[:, 0]
    assert np.isnan(few)
    assert many > worse
    assert heat.text[0][0].startswith("n ")
    assert heat.zmin == -heat.zmax
    assert "&lt;b&gt;" in heat.y[1]
    drawn = planted_svg(table)
    assert ElementTree.fromstring(drawn) is not None
    assert drawn == planted_svg(table)


def test_bad_requests_are_refused(tmp_path, stemi):
    for more, says in (
        ({"records": 0}, "at least one record"),
        ({"seed": -1}, "a seed is 0 or more, not -1"),
        ({"findings": ("hiccups",)}, "there is no finding 'hiccups' to plant; known are normal"),
    ):
        with pytest.raises(ExplanationError, match=says):
            bench(tmp_path, stemi, **more)


def test_an_exported_program_is_held_against_all_but_random_networks(tmp_path, stemi, monkeypatch):
    known_to_all = methods.METHODS | {"constant": Method(methods.METHODS["saliency"].run, "exact", "", "", "")}
    monkeypatch.setattr(methods, "METHODS", MappingProxyType(known_to_all))
    model = replace(reads_lead(III, between(stemi), 30.0), net_name="exported")
    (part,), _ = run_bench([model], tmp_path, methods=("constant",), findings=("inferior_stemi",), records=2)
    by_control = dict(zip(CONTROLS, np.isfinite(part.scores[:, 1:, 0]).all(axis=0), strict=True))
    assert by_control == {"|x|": True, "|dx/dt|": True, "random networks": False, "shifted copies": True}


def test_page_and_figure_of_before_stay_where_new_ones_are_not_whole(table, tmp_path, monkeypatch):
    def ended(*_):
        raise KeyboardInterrupt

    made = [tmp_path / planted_command.PAGE, tmp_path / planted_command.FIGURE]
    for path in made:
        path.write_text("of before")
    monkeypatch.setattr("ecgviz.records.write.os.replace", ended)
    with pytest.raises(KeyboardInterrupt):
        planted_command._draw(table, [], tmp_path)
    assert [path.read_text() for path in made] == ["of before"] * 2


def test_the_command_writes_table_page_and_figure(tmp_path, capsys):
    arguments = ["--model", "resnet1d", "--method", "saliency", "--finding", "t_inversion", "--records", "2"]
    assert main(["validate", "explanations", *arguments, "--out", str(tmp_path)]) == 0
    assert "t_inversion" in capsys.readouterr().out
    assert {"planted.csv", "planted.html", "planted.svg"} <= {path.name for path in tmp_path.iterdir()}
    table = load_planted(tmp_path)
    assert (table.digest == load_model("resnet1d").digest[:12]).all()
    assert (table.share_retained > 0.5).all()
    assert main(["validate", "explanations", *arguments, "--finding", "normal", "--out", str(tmp_path), "--json"]) == 0
    assert main(["validate", "explanations", "--model", "resnet1d", "--finding", "normal", "--out", str(tmp_path)]) == 2
    assert "nothing is left to score" in capsys.readouterr().err
