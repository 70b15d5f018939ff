"""Beats and waves against what cardiologists said: the marks of LUDB, and the rhythm statements of PTB-XL."""

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.validate.delineation import FLOOR, GLOBAL, PER_LEAD, score, unseen_beats

pytestmark = pytest.mark.data

FIBRILLATING = (152, 282, 307, 321, 337, 428)


@pytest.fixture(scope="module")
def ludb(data_dir):
    """Return the scores by table, delineator, wave and mark, each recording read by a network that has not seen it."""
    found = score(data_dir / "ludb", {"ecgviz": unseen_beats})
    return {(row.table, row.delineator, row.wave, row.mark): row for row in found.rows}


@pytest.mark.parametrize(
    ("wave", "mark", "se", "ppv"), [("QRS", "R peak", 99.8, 99.8), ("P", "onset", 97, 96), ("T", "offset", 98.5, 98.5)]
)
def test_ludb_waves_are_found(ludb, wave, mark, se, ppv):
    row = ludb[GLOBAL, "ecgviz", wave, mark]
    assert row.n_marked > 500
    assert row.se_percent >= se
    assert row.ppv_percent >= ppv


@pytest.mark.parametrize(
    ("wave", "mark", "spread_ms"),
    [("P", "onset", 13), ("P", "offset", 13), ("QRS", "onset", 8), ("QRS", "offset", 10), ("T", "offset", 18)],
)
def test_ludb_marks(ludb, wave, mark, spread_ms):
    row = ludb[GLOBAL, "ecgviz", wave, mark]
    assert abs(row.mean_ms) <= 4
    assert row.sd_ms <= spread_ms


@pytest.mark.parametrize(
    ("wave", "mark"), [("P", "onset"), ("P", "offset"), ("QRS", "offset"), ("T", "onset"), ("T", "offset")]
)
def test_ludb_marks_of_leads_beat_one_mark_a_beat(ludb, wave, mark):
    ours, floor = (ludb[PER_LEAD, name, wave, mark] for name in ("ecgviz", FLOOR))
    assert ours.sd_ms < floor.sd_ms


def test_ludb_qrs_onsets_of_leads_are_as_good_as_one_mark_a_beat_to_half_a_millisecond(ludb):
    ours, floor = (ludb[PER_LEAD, name, "QRS", "onset"] for name in ("ecgviz", FLOOR))
    assert ours.sd_ms < floor.sd_ms + 0.5


def test_fibrillation_in_ptbxl_has_no_p_waves(data_dir):
    for number in FIBRILLATING:
        beats = delineate(condition(load_record(data_dir / "ptbxl" / "records500" / "00000" / f"{number:05d}_hr.hea")))
        assert len(beats) > 5
        assert np.isnan(beats.p_on).all(), number


def test_sinus_rhythm_in_ptbxl_has_p_waves(data_dir):
    shares = []
    for number in range(1, 16):
        path = data_dir / "ptbxl" / "records100" / "00000" / f"{number:05d}_lr.hea"
        if path.exists():
            beats = delineate(condition(load_record(path)))
            shares.append(np.isfinite(beats.p_on[beats.dominant]).mean())
    assert len(shares) >= 8
    assert np.mean(shares) > 0.95
