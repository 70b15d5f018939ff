"""Real recordings of four data sets load with the leads, rates, ages and amplitudes that their publishers state."""

import numpy as np
import pytest

from ecgviz.criteria import evaluate_all
from ecgviz.pipeline import examine
from ecgviz.records import load_record
from ecgviz.records.leads import LIMB, STANDARD_LEADS, canonical, complete_leads
from ecgviz.records.ptbxl import read_table
from ecgviz.records.write import save_record
from ecgviz.signal import resample

pytestmark = pytest.mark.data


def _limb_residual_mv(record):
    derived = complete_leads(record.select(("I", "II"))).select(LIMB)
    return float(np.abs(derived.signal - record.select(LIMB).signal).max())


def test_mit_bih_100_is_half_an_hour_of_two_leads(data_dir):
    record = load_record(data_dir / "formats" / "100.hea")
    assert (record.leads, record.fs, record.signal.shape) == (("MLII", "V5"), 360, (2, 650_000))
    assert record.signal[0, 0] == pytest.approx((995 - 1024) / 200)
    assert (record.age_years, record.sex) == (None, None)
    assert any("WFDB's rule" in said for said in record.assumptions)


def test_ptb_s0010_has_frank_leads_and_two_signal_files(data_dir):
    record = load_record(data_dir / "formats" / "s0010_re")
    assert record.leads == (*STANDARD_LEADS, "vx", "vy", "vz")
    assert (record.fs, record.duration_s, record.age_years, record.sex) == (1000, 38.4, 81, "female")
    assert _limb_residual_mv(record) < 0.002
    assert record.lead("vx")[0] == pytest.approx(-3 / 2000)


@pytest.mark.parametrize("name", ["chapman_ningbo", "cpsc2018", "georgia"])
def test_challenge_files_load_with_codes(data_dir, name):
    headers = sorted((data_dir / "formats" / name).glob("*.hea"))
    assert len(headers) == 2
    for header in headers:
        record = load_record(header.with_suffix(".mat"))
        assert (record.leads, record.fs) == (STANDARD_LEADS, 500)
        assert record.codes
        assert all(code.isdigit() for code in record.codes)
        assert _limb_residual_mv(record) < 0.01


def test_ludb_integers_obey_the_limb_lead_identities(data_dir):
    headers = sorted((data_dir / "ludb" / "data").glob("*.hea"))
    assert len(headers) == 70
    for header in headers:
        record = load_record(header)
        assert record.id == f"ludb-{int(header.stem):03d}"
        assert set(record.leads) == set(STANDARD_LEADS)
        assert any("stored integers / 1000 are taken as mV" in said for said in record.assumptions)
        assert _limb_residual_mv(record) <= 0.0011


def test_ptbxl_records_carry_id_age_sex_and_statements_of_the_table(data_dir):
    table = read_table(data_dir / "ptbxl")
    assert len(table) == 434
    for row in list(table.values())[::10]:
        record = load_record(data_dir / "ptbxl" / row.filename_lr)
        assert record.id == f"ptbxl-{row.ecg_id:05d}"
        assert (record.fs, record.signal.shape, record.leads) == (100, (12, 1000), STANDARD_LEADS)
        assert (record.age_years, record.sex) == (row.age_years, row.sex)
        assert record.codes == tuple(row.scp_codes)
        assert _limb_residual_mv(record) < 0.003
        assert any("above 89" in said for said in record.assumptions) == row.age_clipped


def test_ptbxl_table_agrees_with_itself(data_dir):
    table = read_table(data_dir / "ptbxl")
    assert {row.strat_fold for row in table.values()} <= set(range(1, 10))
    assert sum(row.duplicate for row in table.values()) <= 12
    assert all("NORM" in row.superclasses for row in table.values() if "NORM" in row.scp_codes)
    assert {row.age_years for row in table.values() if row.age_clipped} == {90.0}


def test_ptbxl_500_hz_resampled_is_its_100_hz_twin(data_dir):
    headers = sorted((data_dir / "ptbxl" / "records500").glob("*/*.hea"))[::10]
    assert len(headers) > 10
    for header in headers:
        fine = load_record(header)
        coarse = load_record(str(header).replace("records500", "records100").replace("_hr", "_lr"))
        assert (fine.id, fine.fs) == (coarse.id, 500)
        found = resample(fine.signal, 500, 100)[:, 50:-50]
        for ours, theirs in zip(found, coarse.signal[:, 50:-50], strict=True):
            assert np.corrcoef(ours, theirs)[0, 1] > 0.95


def test_every_name_in_these_data_sets_is_known(data_dir):
    names = set()
    for header in data_dir.glob("**/*.hea"):
        lines = [line for line in header.read_text().splitlines() if line.strip() and not line.startswith("#")]
        names |= {line.split(maxsplit=8)[8] for line in lines[1:]}
    assert names
    assert all(canonical(name) for name in names)


@pytest.mark.parametrize("number", [1, 39, 77, 154, 286, 461])
def test_eight_leads_say_what_twelve_say(data_dir, tmp_path, number):
    whole = load_record(data_dir / "ptbxl" / "records500" / "00000" / f"{number:05d}_hr.hea")
    save_record(whole.select(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")), tmp_path / "eight.npz")
    eight = load_record(tmp_path / "eight.npz")
    assert eight.leads == STANDARD_LEADS
    assert eight.assumptions[-1] == "III, aVR, aVL, aVF derived from I and II (Einthoven, Goldberger)"
    np.testing.assert_allclose(eight.signal, whole.signal, atol=0.0016)  # PTB-XL rounds each lead by itself
    found = [examine(record) for record in (whole, eight)]
    assert found[0].beats.kind == found[1].beats.kind
    states = [
        {
            (one.criterion, one.definition): one.state
            for one in evaluate_all(each.measurements, each.beats, age_years=whole.age_years, sex=whole.sex)
        }
        for each in found
    ]
    differing = {key: (state, states[1][key]) for key, state in states[0].items() if state != states[1][key]}
    assert not differing
