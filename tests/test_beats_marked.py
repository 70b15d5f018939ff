"""Beats and waves against what cardiologists marked: LUDB, MIT-BIH 100, and the rhythm statements of PTB-XL."""

import numpy as np
import pytest
import wfdb

from ecgviz.beats import delineate
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.signal import condition

pytestmark = pytest.mark.data

LUDB = (2, 4, 7, 14, 23, 37, 54, 63, 77, 86, 100, 121, 143, 162, 188)
FIBRILLATING = (152, 282, 307, 321, 337, 428)


def _marked(folder, number):
    """Return (n, 3) seconds by symbol: onset, peak, offset, each the median over the leads that have the wave."""
    rows = {"p": [], "N": [], "t": []}
    for lead in STANDARD_LEADS:
        notes = wfdb.rdann(str(folder / "data" / str(number)), lead.lower())
        symbols, times = notes.symbol, notes.sample / 500
        for k, symbol in enumerate(symbols):
            if symbol in rows:
                on = times[k - 1] if k and symbols[k - 1] == "(" else np.nan
                off = times[k + 1] if k + 1 < len(symbols) and symbols[k + 1] == ")" else np.nan
                rows[symbol].append((on, times[k], off))
    found = {}
    for symbol, waves in rows.items():
        marks = np.array(sorted(waves, key=lambda wave: wave[1]))
        groups = np.split(marks, np.flatnonzero(np.diff(marks[:, 1]) > 0.1) + 1)
        found[symbol] = np.array([np.nanmedian(group, axis=0) for group in groups if len(group) >= 4])
    return found


@pytest.fixture(scope="module")
def ludb(data_dir):
    folder = data_dir / "ludb"
    pairs = []
    for number in LUDB:
        beats = delineate(condition(load_record(folder / "data" / f"{number}.hea")))
        pairs.append((beats, _marked(folder, number)))
    return pairs


def _errors_ms(pairs, symbol, column, name):
    """Return found minus marked, in ms, of marked waves with a found one within 150 ms, and the share of these."""
    errors, total = [], 0
    for beats, marked in pairs:
        times = getattr(beats, name)
        for true in marked[symbol][:, column]:
            total += 1
            distance = times - true
            nearest = distance[np.nanargmin(np.abs(distance))]
            errors += [nearest] if abs(nearest) < 0.150 else []
    return 1000 * np.array(errors), len(errors) / total


def test_ludb_r_peaks(ludb):
    found = marked = hits = 0
    for beats, truth in ludb:
        peaks = truth["N"][:, 1]
        inside = beats.r_s[(beats.r_s > peaks[0] - 0.2) & (beats.r_s < peaks[-1] + 0.2)]
        hits += int((np.abs(inside[:, None] - peaks).min(axis=0) < 0.150).sum())
        found, marked = found + inside.size, marked + peaks.size
    assert hits / marked >= 0.99
    assert hits / found >= 0.99


@pytest.mark.parametrize(
    ("symbol", "column", "name", "bias_ms", "spread_ms"),
    [
        ("N", 0, "qrs_on", 5, 10),
        ("N", 2, "qrs_off", 9, 10),
        ("p", 0, "p_on", 8, 13),
        ("p", 2, "p_off", 9, 15),
        ("t", 2, "t_off", 12, 22),
    ],
)
def test_ludb_marks(ludb, symbol, column, name, bias_ms, spread_ms):
    errors, share = _errors_ms(ludb, symbol, column, name)
    assert share >= 0.95
    assert abs(errors.mean()) < bias_ms
    assert errors.std() < spread_ms


def test_mit_bih_100_for_a_minute(data_dir):
    record = condition(load_record(data_dir / "formats" / "100.hea"))
    notes = wfdb.rdann(str(data_dir / "formats" / "100"), "atr")
    true_s = notes.sample[[symbol in "NAV" for symbol in notes.symbol]] / record.fs
    beats = delineate(record)
    assert len(beats) > 2200
    first = true_s[(true_s > 0.5) & (true_s < 60)]
    found = beats.r_s[(beats.r_s > 0.35) & (beats.r_s < 60.15)]
    assert (np.abs(found[:, None] - first).min(axis=0) < 0.05).all()
    assert (np.abs(found[:, None] - first).min(axis=1) < 0.05).all()


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
