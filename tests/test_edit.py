"""A reader's changes: what follows them, what is told of them, and what is refused in which words."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgviz import edit
from ecgviz.beats import check_belongs, delineate
from ecgviz.errors import EcgvizError, EditError
from ecgviz.measure import measure
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.types import MARKS, Beats, Record

LEADS = ("I", "II")
FROM_R = {"p_on": -0.20, "p_off": -0.10, "qrs_on": -0.04, "qrs_off": 0.05, "t_on": 0.20, "t_off": 0.40}


def make_beats(n: int = 4, rr_s: float = 0.9, **more) -> Beats:
    """Make regular beats; lead I marks each wave 5 ms inside its global marks, lead II 10 ms."""
    r = 0.5 + rr_s * np.arange(n)
    marks = {name: r + away for name, away in FROM_R.items()}
    leads = {
        name: np.stack([at + side * (0.005 if name.endswith("on") else -0.005) for side in (1, 2)])
        for name, at in marks.items()
    }
    kind = more.pop("kind", ("normal",) * n)
    return Beats(r, **marks, kind=kind, duration_s=r[-1] + 0.5, leads=LEADS, lead_marks=leads, **more)


def unchanged(before: Beats, after: Beats, but: tuple[tuple[int, str], ...] = ()) -> bool:
    """Whether all marks are the same, apart from those of ``but`` (beat, mark)."""
    for name in edit.NAMES:
        old, new = (np.array(b.r_s if name == "r" else getattr(b, name)) for b in (before, after))
        for beat, mark in but:
            if mark == name:
                old[beat - 1] = new[beat - 1] = 0.0
        if not np.array_equal(old, new, equal_nan=True):
            return False
    return True


def test_a_moved_mark_moves_alone_and_is_told():
    beats = make_beats()
    moved = edit.move_mark(beats, 3, "qrs_on", 2.246)
    assert moved.qrs_on[2] == 2.246
    assert unchanged(beats, moved, ((3, "qrs_on"),))
    assert moved.edits == ("beat 3: QRS onset moved from 2.260 s to 2.246 s by a reader",)
    again = edit.move_mark(moved, 1, "r", 0.51)
    assert again.edits == (*moved.edits, "beat 1: R peak moved from 0.500 s to 0.510 s by a reader")
    assert beats.edits == ()


def test_less_than_half_a_millisecond_is_no_change():
    beats = make_beats()
    same = edit.move_mark(beats, 1, "t_off", float(beats.t_off[0]) + 0.0004)
    assert unchanged(beats, same)
    assert same.edits == ()


@pytest.mark.parametrize(
    ("beat", "mark", "time_s", "says"),
    [
        (2, "qrs_on", 1.29, "beat 2: QRS onset at 1.290 s must come after P offset at 1.300 s"),
        (2, "qrs_on", 1.41, "beat 2: QRS onset at 1.410 s must come before R peak at 1.400 s"),
        (2, "r", 1.46, "beat 2: R peak at 1.460 s must come before QRS offset at 1.450 s"),
        (2, "p_on", 1.30, "beat 2: P onset at 1.300 s must come before P offset at 1.300 s"),
        (2, "t_off", 1.60, "beat 2: T offset at 1.600 s must come after T onset at 1.600 s"),
        (2, "p_on", 0.54, "beat 2: P onset at 0.540 s must come after QRS offset of beat 1 at 0.550 s"),
        (2, "t_off", 2.27, "beat 2: T offset at 2.270 s must come before QRS onset of beat 3 at 2.260 s"),
        (4, "t_off", 3.75, "beat 4: T offset at 3.750 s lies outside the recording, which lasts 3.7 s"),
        (1, "p_on", -0.01, "beat 1: P onset at -0.010 s lies outside the recording"),
        (1, "p_on", float("inf"), "beat 1: P onset cannot be at inf s: a time must be finite"),
        (1, "p_on", float("nan"), "beat 1: P onset cannot be at nan s: give a time, or delete the mark"),
        (5, "p_on", 1.0, "there is no beat 5: the recording has 4 beats, counted from 1"),
        (0, "p_on", 1.0, "there is no beat 0"),
        (1, "u_on", 1.0, "'u_on' is no mark; known are r, p_on, p_off, qrs_on, qrs_off, t_on, t_off"),
    ],
)
def test_a_mark_that_cannot_stand_there_is_refused_by_name(beat: int, mark: str, time_s: float, says: str):
    with pytest.raises(EditError, match=re.escape(says)) as refusal:
        edit.move_mark(make_beats(), beat, mark, time_s)
    assert isinstance(refusal.value, EcgvizError)


def test_a_p_wave_may_lie_on_the_t_wave_before_it():
    beats = make_beats()
    fused = edit.move_mark(beats, 2, "p_on", 0.85)
    assert fused.fused.tolist() == [True, False, False, False]


def test_what_stood_in_a_wrong_place_before_is_not_judged():
    beats = make_beats()
    odd = dataclasses.replace(beats, t_on=np.where(np.arange(4) == 1, 1.44, beats.t_on))  # before its QRS offset
    assert edit.move_mark(odd, 2, "p_on", 1.19).p_on[1] == 1.19
    with pytest.raises(EditError, match="T onset"):
        edit.move_mark(odd, 2, "qrs_off", 1.455)


@pytest.mark.parametrize("mark", ["p_on", "p_off"])
def test_deleting_a_mark_deletes_its_wave_in_every_lead_and_says_why_there_is_no_p(mark: str):
    beats = edit.delete_mark(make_beats(), 2, mark)
    assert np.isnan([beats.p_on[1], beats.p_off[1]]).all()
    assert unchanged(make_beats(), beats, ((2, "p_on"), (2, "p_off")))
    assert np.isnan(beats.lead_marks["p_on"][:, 1]).all()
    assert np.isnan(beats.lead_marks["p_off"][:, 1]).all()
    assert np.isfinite(beats.lead_marks["qrs_on"]).all()
    assert beats.why_no_p == ("", "its P wave was deleted by a reader", "", "")
    assert beats.p_absent.tolist() == [False, True, False, False]
    assert beats.edits == ("beat 2: P wave deleted by a reader",)
    with pytest.raises(EditError, match="beat 2 has no P onset to delete"):
        edit.delete_mark(beats, 2, "p_on")
    with pytest.raises(EditError, match="beat 2 has no P onset to move"):
        edit.move_mark(beats, 2, "p_on", 1.2)


def test_an_added_wave_has_no_marks_in_single_leads_and_ends_the_reason_for_its_absence():
    beats = edit.add_wave(edit.delete_mark(make_beats(), 2, "p_on"), 2, "P", 1.22, 1.29)
    assert (beats.p_on[1], beats.p_off[1]) == (1.22, 1.29)
    assert beats.why_no_p == ("", "", "", "")
    assert np.isnan(beats.lead_marks["p_on"][:, 1]).all()
    assert beats.edits[-1] == "beat 2: P added from 1.220 s to 1.290 s by a reader"
    with pytest.raises(EditError, match="must come before QRS onset at"):
        edit.add_wave(beats, 2, "P", 1.22, 1.39)
    with pytest.raises(EditError, match="P needs both its marks"):
        edit.add_wave(beats, 2, "P", 1.22, float("nan"))
    with pytest.raises(EditError, match="'U' is no wave"):
        edit.add_wave(beats, 2, "U", 1.22, 1.3)


def test_marks_of_single_leads_stay_unless_the_order_breaks():
    beats = make_beats()
    later = edit.move_mark(beats, 1, "p_on", 0.309)  # past lead I's onset (0.305): it stays, since it precedes P offset
    assert np.array_equal(later.lead_marks["p_on"], beats.lead_marks["p_on"])
    shorter = edit.move_mark(beats, 1, "p_off", 0.307)  # before lead II's onset (0.310)
    assert np.isnan(shorter.lead_marks["p_on"][:, 0]).tolist() == [False, True]
    assert np.array_equal(shorter.lead_marks["p_off"], beats.lead_marks["p_off"])
    assert np.array_equal(shorter.lead_marks["qrs_on"], beats.lead_marks["qrs_on"])


def test_a_deleted_beat_leaves_no_trace_but_its_sentence():
    beats = make_beats(kind=("normal", "premature_ventricular", "normal", "normal"), why_no_p=("", "none seen", "", ""))
    left = edit.delete_beat(beats, 2)
    assert len(left) == 3
    assert left.kind == ("normal",) * 3
    assert left.why_no_p == ("", "", "")
    np.testing.assert_array_equal(left.r_s, np.delete(beats.r_s, 1))
    assert {marks.shape for marks in left.lead_marks.values()} == {(2, 3)}
    assert left.edits == ("beat 2 (R peak at 1.400 s) deleted by a reader",)
    assert edit.delete_mark(beats, 2, "r").edits == left.edits


def test_without_any_beat_left_there_is_a_reason():
    beats = make_beats(2)
    none = edit.delete_beat(edit.delete_beat(beats, 1), 1)
    assert len(none) == 0
    assert none.reason == "all beats were deleted by a reader"
    assert len(none.edits) == 2


def test_a_kind_is_changed_by_name():
    beats = edit.set_kind(make_beats(), 2, "premature_atrial")
    assert beats.kind[1] == "premature_atrial"
    assert beats.edits == ("beat 2: kind changed from normal to premature atrial by a reader",)
    assert edit.set_kind(beats, 2, "premature_atrial") is beats
    with pytest.raises(EditError, match="'strange' is no kind of beat; known are normal"):
        edit.set_kind(beats, 2, "strange")


def test_the_table_as_it_was_changes_nothing():
    beats = edit.delete_mark(make_beats(), 2, "p_on")
    table = edit.marks_table(beats)
    assert tuple(table.columns) == edit.COLUMNS
    assert table["beat"].tolist() == [1, 2, 3, 4]
    same = edit.edited(beats, table)
    assert unchanged(beats, same)
    assert same.edits == beats.edits


def test_marks_that_move_together_are_judged_where_they_end_up():
    beats, table = make_beats(), edit.marks_table(make_beats())
    table.loc[1, ["p_off", "qrs_on"]] = [1.35, 1.37]  # alone, each would collide with the other
    moved = edit.edited(beats, table)
    assert (moved.p_off[1], moved.qrs_on[1]) == (1.35, 1.37)
    assert len(moved.edits) == 2


def test_numbers_of_a_table_stay_those_of_its_beats_when_beats_are_deleted():
    beats, table = make_beats(), edit.marks_table(make_beats())
    table.loc[[0, 2], "r"] = np.nan
    table.loc[3, "t_off"] = 3.55
    table.loc[1, "kind"] = "unsure"
    left = edit.edited(beats, table)
    assert left.r_s.tolist() == [beats.r_s[1], beats.r_s[3]]
    assert left.t_off[1] == 3.55
    assert left.kind == ("unsure", "normal")
    assert left.edits == (
        "beat 2: kind changed from normal to unsure by a reader",
        "beat 4: T offset moved from 3.600 s to 3.550 s by a reader",
        "beat 3 (R peak at 2.300 s) deleted by a reader",
        "beat 1 (R peak at 0.500 s) deleted by a reader",
    )


def test_a_deleted_beat_stands_in_nobodys_way():
    beats, table = make_beats(), edit.marks_table(make_beats())
    table.loc[1, "r"] = np.nan
    table.loc[0, "t_off"] = 1.40  # where beat 2 was
    assert edit.edited(beats, table).t_off[0] == 1.40


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"p_on": np.nan, "p_off": 1.31}, "P offset was moved to 1.310 s but P onset deleted"),
        ({"t_on": "soon"}, "beat 2: 'soon' is no time for t_on; give seconds"),
        ({"beat": 9}, "there is no beat 9"),
        ({"beat": 1}, "beat 1 has two rows"),
        ({"beat": "two"}, "there is no beat two"),
        ({"kind": "odd"}, "beat 2: 'odd' is no kind of beat"),
        ({"qrs_off": np.inf}, "beat 2: QRS offset cannot be at inf s"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(change: dict[str, object], says: str):
    table = edit.marks_table(make_beats()).astype(object)
    for name, value in change.items():
        table.loc[1, name] = value
    with pytest.raises(EditError, match=re.escape(says)):
        edit.edited(make_beats(), table)


def test_half_a_wave_cannot_be_added():
    beats = edit.delete_mark(make_beats(), 2, "t_on")
    table = edit.marks_table(beats)
    table.loc[1, "t_on"] = 1.6
    with pytest.raises(EditError, match=r"beat 2: T onset was set to 1.600 s without T offset; a wave has both"):
        edit.edited(beats, table)


def test_a_table_without_a_column_is_refused():
    with pytest.raises(EditError, match="no column 't_on'"):
        edit.edited(make_beats(), edit.marks_table(make_beats()).drop(columns="t_on"))


moves = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([*edit.NAMES]), st.one_of(st.floats(-0.5, 4.5), st.just(np.nan))),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(moves)
def test_whatever_a_reader_does_the_marks_are_in_order_or_it_is_refused(cells: list[tuple[int, str, float]]):
    beats, table = make_beats(), edit.marks_table(make_beats())
    for row, mark, time_s in cells:
        table.loc[row, mark] = time_s
    try:
        result = edit.edited(beats, table)
    except EditError:
        return
    assert (np.diff(result.r_s) > 0).all()
    for on, off in (("p_on", "p_off"), ("qrs_on", "qrs_off"), ("t_on", "t_off")):
        start, end = getattr(result, on), getattr(result, off)
        assert np.array_equal(np.isnan(start), np.isnan(end))
        assert (end > start)[np.isfinite(start)].all()
    for b in range(len(result)):
        in_order = [getattr(result, name)[b] for name in MARKS]
        assert (np.diff([at for at in in_order if np.isfinite(at)]) >= 0).all()
    assert bool(result.edits) != unchanged(beats, result)
    spans = result.segments()
    assert not (spans[..., 1] <= spans[..., 0]).any()


@settings(max_examples=100, deadline=None)
@given(moves)
def test_a_table_survives_its_file(cells: list[tuple[int, str, float]]):
    beats, table = make_beats(), edit.marks_table(make_beats())
    for row, mark, time_s in cells:
        table.loc[row, mark] = round(time_s, 3)
    back = edit.from_csv(edit.to_csv(table), beats)
    pd.testing.assert_frame_equal(back, table, check_exact=False, atol=1e-6, rtol=0)


def test_a_wave_that_lost_one_mark_has_lost_both_in_the_table_that_is_kept():
    table = edit.marks_table(make_beats())
    table.loc[1, "p_on"] = np.nan
    whole = edit.whole_waves(table)
    assert whole.loc[1, ["p_on", "p_off"]].isna().all()
    pd.testing.assert_frame_equal(whole, edit.marks_table(edit.edited(make_beats(), table)))


def test_a_file_may_hold_only_what_changes(tmp_path: Path):
    beats = make_beats()
    (tmp_path / "marks.csv").write_text("beat, mark, time_s\n3, qrs_on, 2.246\n2, p_on,\n")
    changed = edit.read_marks(tmp_path / "marks.csv", beats)
    assert changed.edits == (
        "beat 2: P wave deleted by a reader",
        "beat 3: QRS onset moved from 2.260 s to 2.246 s by a reader",
    )


MARKED = "# table: Marks\n# recording: demo:x (0123456789ab)\n# notice: none\n"
ONE_MARK = "beat,mark,time_s\n3,qrs_on,2.246\n"


@pytest.mark.parametrize("above", [MARKED, MARKED.replace("\n", "\r\n"), "", '"# a, quoted"\n' + MARKED])
def test_a_file_of_marks_may_say_above_them_where_it_comes_from(above: str):
    table = edit.from_csv(above + ONE_MARK, make_beats(), recording="0123456789ab" + 52 * "c")
    assert table.loc[2, "qrs_on"] == 2.246


def test_marks_of_another_recording_are_refused_where_it_is_known_which_one_is_asked_about():
    with pytest.raises(EditError, match=re.escape("the file holds the marks of another recording (0123456789ab)")):
        edit.from_csv(MARKED + ONE_MARK, make_beats(), recording=64 * "f")
    assert edit.from_csv(MARKED + ONE_MARK, make_beats()).loc[2, "qrs_on"] == 2.246


def test_lines_above_the_marks_count_as_lines_of_the_file():
    with pytest.raises(EditError, match="the file, line 5: there is no beat '9'"):
        edit.from_csv(f"{MARKED}beat,mark,time_s\n9,p_on,1\n", make_beats())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "marks.csv has no column 'beat'"),
        ("beat,mark\n", "marks.csv has no column 'time_s'; a table of marks has beat, mark, time_s"),
        ("beat,mark,time_s\n9,p_on,1\n", "marks.csv, line 2: there is no beat '9'; the recording has 4"),
        ("beat,mark,time_s\n1e0,p_on,1\n", "line 2: there is no beat '1e0'"),
        ("beat,mark,time_s\n1,q_on,1\n", "line 2: 'q_on' is no mark"),
        ("beat,mark,time_s\n1\n", "line 2: '' is no mark"),
        ("beat,mark,time_s\n1,p_on,now\n", "line 2: 'now' is no time"),
        ("beat,mark,time_s\n1,p_on,inf\n", "line 2: 'inf' is no time"),
        ("beat,mark,time_s\n1,p_on,1\n1,p_on,1\n", "line 3: p_on of beat 1 is given twice"),
        (
            "beat,mark,time_s,kind\n1,p_on,0.3,normal\n1,p_off,0.4,paced\n",
            "line 3: beat 1 is said to be paced, and normal before",
        ),
        ("beat,mark,time_s\n1,p_on,0.45\n", "beat 1: P onset at 0.450 s must come before P offset at 0.400 s"),
        ('beat,mark,time_s\n1,"' + "x" * 200_000 + '",1\n', "this is no CSV"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, text: str, says: str):
    (tmp_path / "marks.csv").write_text(text)
    with pytest.raises(EditError, match=re.escape(says)):
        edit.read_marks(tmp_path / "marks.csv", make_beats())


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path):
    with pytest.raises(EditError, match="cannot be read: No such file"):
        edit.read_marks(tmp_path / "none.csv", make_beats())
    (tmp_path / "marks.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EditError, match="no text in UTF-8"):
        edit.read_marks(tmp_path / "marks.csv", make_beats())


def test_beats_of_another_recording_are_refused():
    beats = make_beats()
    record = Record(np.zeros((2, 370)), 100.0, LEADS, "own")
    check_belongs(record, beats)
    with pytest.raises(EditError, match=r"a recording of 3.7 s, own lasts 3.6 s"):
        check_belongs(dataclasses.replace(record, signal=np.zeros((2, 360))), beats)
    with pytest.raises(EditError, match="of the leads I, II; own has I, V1"):
        check_belongs(dataclasses.replace(record, leads=("I", "V1")), beats)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"r_s": lambda was: 100 * was}, "are these samples taken for seconds?"),
        ({"r_s": lambda was: was[::-1]}, "R peaks are not in their order: beat 1 is at"),
        ({"r_s": lambda was: np.where(was == was[1], np.nan, was)}, "the R peak of beat 2 is at nan s"),
        ({"qrs_off": lambda was: was - 1.0}, "QRS of beat 1 ends at"),
    ],
)
def test_times_that_no_beats_have_are_refused(changes: dict, told: str):
    beats = make_beats()
    record = Record(np.zeros((2, 370)), 100.0, LEADS, "own")
    changed = {name: change(getattr(beats, name)) for name, change in changes.items()}
    with pytest.raises(EditError, match=re.escape(told)):
        check_belongs(record, dataclasses.replace(beats, **changed))


def test_measurements_and_edits_refuse_beats_of_another_order_of_leads():
    record = load_record("demo:normal")
    clean = condition(record)
    beats = delineate(clean)
    turned = record.leads[::-1]
    with pytest.raises(EditError, match="these beats belong to a recording of the leads I, II, "):
        measure(clean.select(turned), beats)
    with pytest.raises(EditError, match="these beats belong to a recording of the leads I, II, "):
        edit.apply_steps(record.select(turned), beats, [edit.step("remove_p")])


def test_the_notice_counts_what_was_changed():
    assert edit.notice(make_beats()) == ""
    once = edit.delete_mark(make_beats(), 2, "t_on")
    assert edit.notice(once).startswith("1 mark was changed by a reader")
    assert edit.notice(edit.delete_beat(once, 1)).startswith("2 marks were changed by a reader")


def test_measurements_follow_by_as_much_as_the_marks_moved():
    clean = condition(load_record("demo:normal"))
    beats = delineate(clean)
    table = edit.marks_table(beats)
    table["qrs_on"] -= 0.008
    table["p_on"] -= 0.020
    before, after = measure(clean, beats), measure(clean, edit.edited(beats, table))
    assert after.value("qrs_ms") - before.value("qrs_ms") == pytest.approx(8, abs=0.01)
    assert after.value("pr_ms") - before.value("pr_ms") == pytest.approx(12, abs=0.01)
    assert after.value("qt_ms") - before.value("qt_ms") == pytest.approx(8, abs=0.01)
