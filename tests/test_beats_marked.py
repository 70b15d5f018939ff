"""Beats and waves against what cardiologists said: the marks of LUDB, and the rhythm statements of PTB-XL."""

import numpy as np
import pytest

from ecgviz.beats import delineate
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.validate.delineation import GLOBAL, score

pytestmark = pytest.mark.data

LUDB = (2, 4, 7, 14, 23, 37, 54, 63, 77, 86, 100, 121, 143, 162, 188)
FIBRILLATING = (152, 282, 307, 321, 337, 428)


@pytest.fixture(scope="module")
def ludb(data_dir):
    """Return the scores of global marks by wave and mark."""
    found = score(data_dir / "ludb", {"ecgviz": delineate}, LUDB)
    return {(row.wave, row.mark): row for row in found.rows if row.table == GLOBAL}


def test_ludb_r_peaks(ludb):
    row = ludb["QRS", "R peak"]
    assert row.n_marked > 140
    assert row.se_percent >= 99
    assert row.ppv_percent >= 99


@pytest.mark.parametrize(
    ("wave", "mark", "bias_ms", "spread_ms"),
    [
        ("QRS", "onset", 5, 10),
        ("QRS", "offset", 9, 10),
        ("P", "onset", 8, 13),
        ("P", "offset", 9, 15),
        ("T", "offset", 12, 22),
    ],
)
def test_ludb_marks(ludb, wave, mark, bias_ms, spread_ms):
    row = ludb[wave, mark]
    assert row.se_percent >= 95
    assert abs(row.mean_ms) < bias_ms
    assert row.sd_ms < spread_ms
    assert row.n > 100


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
