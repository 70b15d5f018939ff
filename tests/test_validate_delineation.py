"""Scores against cardiologists' marks: a perfect answer is perfect, a late one off by its delay, a gap is a miss."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.cli import main
from ecgviz.errors import InputError, RecordError
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import Beats
from ecgviz.types.beats import MARKS
from ecgviz.validate import marked as marked_module
from ecgviz.validate.delineation import FLOOR, GLOBAL, PER_LEAD, found_waves, score, standard_delineators
from ecgviz.validate.marked import place, read_marked, recordings
from ecgviz.validate.matching import match

SOME = (2, 14, 63)
FIBRILLATING = 101


def waves(*centres, half=0.05):
    return np.array([(c - half, c, c + half) for c in centres]).reshape(-1, 3)


def answer(marked, keep=slice(None), shift_s=0.0, leads=STANDARD_LEADS):
    """Return a delineator that answers the cardiologists' own median over leads, moved by ``shift_s``."""

    def _answer(record):
        truth = marked(record)
        r_s = truth.median["QRS"][keep, 1]
        rows = {}
        for wave, (on, off) in {"P": MARKS[0:2], "QRS": MARKS[2:4], "T": MARKS[4:6]}.items():
            given = truth.median[wave]
            owner = np.abs(place(given)[:, None] - truth.median["QRS"][:, 1] - {"P": -0.16, "QRS": 0, "T": 0.3}[wave])
            of_beat = np.full((len(truth.median["QRS"]), 3), np.nan)
            of_beat[owner.argmin(axis=1)] = given
            rows[on], rows[off] = of_beat[keep, 0] + shift_s, of_beat[keep, 2] + shift_s
        return Beats(
            r_s=r_s + shift_s,
            **rows,
            kind=("normal",) * r_s.size,
            duration_s=record.duration_s,
            leads=leads,
            lead_marks={mark: np.tile(times, (len(leads), 1)) for mark, times in rows.items()},
        )

    return _answer


@pytest.fixture(scope="module")
def ludb(data_dir):
    return data_dir / "ludb"


@pytest.fixture(scope="module")
def truth_of(ludb):
    there = recordings(ludb)
    return lambda record: read_marked(there[int(record.id.removeprefix("ludb-"))])


def rows(found, table, name):
    return {(row.wave, row.mark): row for row in found.rows if (row.table, row.delineator) == (table, name)}


def test_the_nearest_pair_is_matched_first_and_each_wave_once():
    matched = match(waves(1.00, 1.08), waves(1.07), (0, 2))
    np.testing.assert_allclose(matched.errors_s, 0.01, atol=1e-9)
    np.testing.assert_allclose(matched.extra_s, [1.00])
    assert matched.missed_s.size == 0


def test_150_ms_is_the_reach():
    assert match(waves(1.149), waves(1.0), (0, 2)).errors_s.shape == (1, 3)
    far = match(waves(1.151), waves(1.0), (0, 2))
    assert (far.errors_s.size, far.missed_s.tolist(), far.extra_s.size) == (0, [1.0], 1)


def test_waves_outside_the_annotated_span_are_no_false_alarms():
    matched = match(waves(0.4, 1.0, 1.6), waves(1.0), (0.5, 1.5))
    assert matched.extra_s.size == matched.missed_s.size == 0
    assert match(waves(0.6, 1.0), waves(1.0), (0.5, 1.5)).extra_s.size == 1


def test_doubtful_waves_count_neither_way():
    assert match(waves(1.0), waves(), (0, 2), doubtful=waves(1.02)).extra_s.size == 0
    assert match(waves(), waves(), (0, 2), doubtful=waves(1.02)).missed_s.size == 0


def test_a_missing_bound_is_no_error_but_the_wave_is_found():
    marked = waves(1.0)
    marked[0, 2] = np.nan
    matched = match(waves(1.03), marked, (0, 2))
    assert np.isnan(matched.errors_s[0, 2])
    assert matched.errors_s[0, 0] == pytest.approx(0.03)


def test_nothing_against_nothing():
    matched = match(waves(), waves(), (np.nan, np.nan))
    assert matched.errors_s.shape == (0, 3)
    assert matched.missed_s.size == matched.extra_s.size == 0


def _marked(monkeypatch, p_by_lead):
    """Read marks in which each lead has a QRS complex at 1 and 2 s, and P waves at the places given for it."""
    leads = {
        lead: {"P": waves(*p_by_lead(k)), "QRS": waves(1.0, 2.0), "T": waves()} for k, lead in enumerate(STANDARD_LEADS)
    }
    monkeypatch.setattr(marked_module, "read_marks", lambda path: leads)
    return read_marked("none")


def test_the_median_over_leads_ignores_a_lead_that_is_off(monkeypatch):
    marked = _marked(monkeypatch, lambda k: (0.8 + 0.08 * (k == 3), 1.8))
    np.testing.assert_allclose(marked.median["P"], waves(0.8, 1.8))
    assert marked.median_span_s == pytest.approx((0.75, 2.05))
    assert marked.has_p


def test_a_premature_wave_that_runs_into_the_one_before_stays_its_own(monkeypatch):
    marked = _marked(monkeypatch, lambda k: (0.70, 0.79, 1.8))
    np.testing.assert_allclose(marked.median["P"][:, 1], [0.70, 0.79, 1.8])


def test_leads_that_disagree_on_a_wave_give_one_wave(monkeypatch):
    marked = _marked(monkeypatch, lambda k: (0.65 if k < 5 else 0.85, 1.8))
    np.testing.assert_allclose(marked.median["P"][:, 1], [0.85, 1.8])


def test_a_wave_in_three_leads_is_doubtful(monkeypatch):
    marked = _marked(monkeypatch, lambda k: (0.8, 1.8) if k < 3 else (1.8,))
    np.testing.assert_allclose(marked.median["P"][:, 1], [1.8])
    np.testing.assert_allclose(marked.doubtful["P"][:, 1], [0.8])


def test_a_wave_that_only_one_lead_bounds_has_that_bound(monkeypatch):
    leads = {lead: {"P": waves(0.8), "QRS": waves(1.0), "T": waves()} for lead in STANDARD_LEADS}
    for lead in STANDARD_LEADS[1:]:
        leads[lead]["P"][0, 0] = np.nan
    monkeypatch.setattr(marked_module, "read_marks", lambda path: leads)
    np.testing.assert_allclose(read_marked("none").median["P"], waves(0.8))


def test_a_folder_that_is_not_ludb_is_refused(tmp_path):
    with pytest.raises(RecordError, match="no folder of LUDB"):
        score(tmp_path)
    (tmp_path / "ludb.csv").write_text("ID,Sex,Age,Rhythms\n1,F,51,Sinus rhythm\n")
    with pytest.raises(RecordError, match="none of its recordings"):
        score(tmp_path)


@pytest.mark.data
def test_a_recording_that_is_not_there_is_refused(ludb):
    with pytest.raises(InputError, match="9999"):
        score(ludb, records=[2, 9999])
    with pytest.raises(InputError, match="none"):
        score(ludb, records=[])


@pytest.mark.data
def test_the_cardiologists_themselves_are_right(ludb, truth_of):
    found = score(ludb, {"perfect": answer(truth_of), "late": answer(truth_of, shift_s=0.010)}, SOME)
    for row in rows(found, GLOBAL, "perfect").values():
        assert (row.se_percent, row.ppv_percent, row.mae_ms) == (100, 100, 0)
        assert row.n == row.n_marked > 10
    for row in rows(found, GLOBAL, "late").values():
        assert (row.se_percent, row.mean_ms) == pytest.approx((100, 10))
        assert row.sd_ms == pytest.approx(0, abs=1e-6)
    # In each lead, what has one mark a beat is as good as the floor, which is measured without going through beats.
    for mark, row in rows(found, PER_LEAD, "perfect").items():
        floor = rows(found, PER_LEAD, FLOOR)[mark]
        if mark != ("QRS", "R peak"):
            assert replace(row, delineator=FLOOR) == floor


@pytest.mark.data
def test_every_other_beat_left_out_is_missed(ludb, truth_of):
    found = score(ludb, {"half": answer(truth_of, slice(None, None, 2))}, SOME)
    row = rows(found, GLOBAL, "half")["QRS", "onset"]
    assert 45 < row.se_percent < 60
    assert (row.ppv_percent, row.mae_ms) == (100, 0)
    worst = found.disagreements[0]
    assert worst.missed >= 3
    assert [one.missed + one.extra for one in found.disagreements] == sorted(
        (one.missed + one.extra for one in found.disagreements), reverse=True
    )


@pytest.mark.data
def test_p_waves_drawn_into_fibrillation_are_false_alarms(ludb, truth_of):
    def draws_p(record):
        beats = answer(truth_of)(record)
        return replace(beats, p_on=beats.qrs_on - 0.15, p_off=beats.qrs_on - 0.05)

    found = score(ludb, {"draws P": draws_p, "perfect": answer(truth_of)}, [FIBRILLATING, SOME[0]])
    alarms = {(one.table, one.delineator): one for one in found.false_alarms}
    n_beats = len(truth_of_number(ludb, FIBRILLATING).median["QRS"])
    assert alarms[GLOBAL, "draws P"].n_records == 1
    assert alarms[GLOBAL, "draws P"].n_waves == pytest.approx(n_beats, abs=1)
    assert alarms[GLOBAL, "perfect"].n_waves == alarms[PER_LEAD, "draws P"].n_waves == 0
    assert rows(found, GLOBAL, "draws P")["P", "onset"].ppv_percent < 80


def truth_of_number(folder, number):
    return read_marked(recordings(folder)[number])


def test_p_waves_without_a_complex_are_waves_too():
    none = np.full(2, np.nan)
    beats = Beats(
        np.array([1.0, 2.0]), none, none, none, none, none, none, ("unsure",) * 2, 3.0, ("II",),
        {mark: np.full((1, 2), np.nan) for mark in MARKS}, extra_p_s=np.array([1.5]),
    )  # fmt: skip
    assert place(found_waves(beats)["P"]).tolist() == [1.5]
    assert place(found_waves(beats)["QRS"]).tolist() == [1.0, 2.0]
    assert {wave: len(found) for wave, found in found_waves(beats, "II").items()} == {"P": 0, "QRS": 0, "T": 0}


@pytest.mark.data
def test_ours_stands_beside_neurokit2_and_is_nearer(ludb):
    found = score(ludb, {"ecgviz": delineate, "dwt": standard_delineators()["neurokit2 dwt"]}, SOME)
    ours, theirs = rows(found, GLOBAL, "ecgviz"), rows(found, GLOBAL, "dwt")
    assert ours["QRS", "R peak"].se_percent == theirs["QRS", "R peak"].se_percent == 100
    assert ours["QRS", "onset"].mae_ms < theirs["QRS", "onset"].mae_ms / 3
    assert ours["T", "offset"].mae_ms < theirs["T", "offset"].mae_ms


@pytest.mark.data
@pytest.mark.slow
def test_the_command_prints_both_tables_and_their_worst(ludb, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "ludb.csv").write_bytes((ludb / "ludb.csv").read_bytes())
    for file in (ludb / "data").glob("2.*"):
        (tmp_path / "data" / file.name).write_bytes(file.read_bytes())
    assert main(["validate", "delineation", str(tmp_path), "--worst", "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["n_records"] == 1
    assert {row["table"] for row in told["rows"]} == {GLOBAL, PER_LEAD}
    assert {row["delineator"] for row in told["rows"]} == {*standard_delineators(), FLOOR}
    assert {one["record"] for one in told["disagreements"]} == {"ludb-002"}
    assert main(["validate", "delineation", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "the median over leads" in shown
    assert "one mark a beat" in shown
