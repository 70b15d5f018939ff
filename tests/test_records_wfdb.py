"""WFDB records: what is read, what is assumed, and what is refused."""

import numpy as np
import pytest
import wfdb
from ecg_files import LEADS, beats_mv, write_wfdb

from ecgviz.errors import RecordError
from ecgviz.records import load_record
from ecgviz.records.library import open_library

FS = 500.0


@pytest.fixture
def signal_mv():
    return np.round(beats_mv(FS, 4.0), 3)


def test_header_stem_and_signal_file_all_name_the_record(tmp_path, signal_mv):
    header = write_wfdb(tmp_path, signal_mv)
    records = [load_record(path) for path in (header, str(header), tmp_path / "rec", tmp_path / "rec.dat")]
    assert {record.key for record in records} == {records[0].key}
    assert records[0].leads == LEADS
    assert records[0].fs == FS
    assert records[0].assumptions == ()
    np.testing.assert_allclose(records[0].signal, signal_mv, atol=1e-6)


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212", "508", "516", "524"])
def test_formats_that_wfdb_writes_are_read(tmp_path, fmt):
    counts = np.round(beats_mv(FS, 2.002)[:3] * 50).astype(np.int64).T
    wfdb.wrsamp(
        "rec",
        fs=FS,
        units=["mV"] * 3,
        sig_name=["V1", "V2", "V3"],
        d_signal=counts,
        fmt=[fmt] * 3,
        adc_gain=[50.0] * 3,
        baseline=[7] * 3,
        write_dir=str(tmp_path),
    )
    record = load_record(tmp_path / "rec.hea")
    np.testing.assert_allclose(record.signal, (counts.T - 7) / 50, atol=1e-6)


def _pack_310(x):
    words = x.reshape(-1, 3) & 0x3FF
    low = (words[:, 0] << 1) | ((words[:, 2] & 0x1F) << 11)
    high = (words[:, 1] << 1) | ((words[:, 2] >> 5) << 11)
    return np.stack([low, high], axis=1).astype("<u2").tobytes()


def _pack_311(x):
    words = (x.reshape(-1, 3) & 0x3FF).astype(np.uint32)
    return (words[:, 0] | (words[:, 1] << 10) | (words[:, 2] << 20)).astype("<u4").tobytes()


@pytest.mark.parametrize(
    ("fmt", "pack"),
    [
        ("61", lambda x: x.astype(">i2").tobytes()),
        ("160", lambda x: (x + 32768).astype("<u2").tobytes()),
        ("310", _pack_310),
        ("311", _pack_311),
        ("8", lambda x: np.diff(x, prepend=x[:1]).astype("i1").tobytes()),
    ],
)
def test_formats_packed_by_hand_as_the_specification_says(tmp_path, fmt, pack):
    counts = np.round(beats_mv(FS, 1.2)[1] * 100).astype(np.int64)
    (tmp_path / "rec.dat").write_bytes(pack(counts))
    (tmp_path / "rec.hea").write_text(f"rec 1 500 {counts.size}\nrec.dat {fmt} 100/mV 10 0 {counts[0]} 0 0 II\n")
    np.testing.assert_allclose(load_record(tmp_path / "rec").signal[0], counts / 100, atol=1e-6)


def test_the_lowest_code_marks_a_missing_sample(tmp_path, signal_mv):
    signal_mv[3, 100:120] = -32.768
    record = load_record(write_wfdb(tmp_path, signal_mv))
    assert np.flatnonzero(np.isnan(record.signal[3])).tolist() == list(range(100, 120))
    assert np.isnan(record.signal).sum() == 20


@pytest.mark.parametrize(
    ("gain", "factor"), [("1000(0)/mV", 1), ("1/uV", 1), ("1000000/V", 1), ("1e3/mV", 1), ("500/mV", 2)]
)
def test_gain_and_unit_become_millivolts(tmp_path, signal_mv, gain, factor):
    record = load_record(write_wfdb(tmp_path, signal_mv, gain=gain))
    np.testing.assert_allclose(record.signal, signal_mv * factor, atol=1e-5)
    assert record.assumptions == ()


def test_gain_without_unit_is_millivolts_and_says_so(tmp_path, signal_mv):
    record = load_record(write_wfdb(tmp_path, signal_mv, gain="1000"))
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-6)
    assert record.assumptions == ("the header's gain has no unit: taken as counts per mV, which is WFDB's rule",)


def test_unit_given_for_a_gain_without_unit(tmp_path, signal_mv):
    record = load_record(write_wfdb(tmp_path, signal_mv, gain="1"), unit="uV")
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-6)
    assert record.assumptions == ("unit 'uV' entered by the user, the file states none",)


def _gains_of_own_span(folder, signal_mv, *, scale=1.0):
    """Write a record whose header scales each lead to ``scale`` mV, as LUDB's headers do to 1 mV."""
    header = write_wfdb(folder, signal_mv, gain="GAIN(-7)/mV")
    text = header.read_text()
    for span in np.ptp(np.round(signal_mv * 1000), axis=1):
        text = text.replace("GAIN", f"{span / scale:g}", 1)
    header.write_text(text)
    return header


def test_gains_that_scale_every_lead_to_1_mv_are_those_of_ludb(tmp_path, signal_mv):
    record = load_record(_gains_of_own_span(tmp_path, signal_mv))
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-6)
    (said,) = record.assumptions
    assert said.startswith("taken for a recording of LUDB, because by the header's gains each lead spans exactly 1 mV")
    assert "stored integers / 1000 are taken as mV" in said


def test_leads_that_were_scaled_to_1_mv_each_are_refused(tmp_path, signal_mv):
    signal_mv[3] *= 1.3
    with pytest.raises(
        RecordError, match=r"'rec\.hea': by the header's gains each lead spans .* and aVR does not follow"
    ):
        load_record(_gains_of_own_span(tmp_path, signal_mv))


def test_gains_that_may_be_true_are_believed(tmp_path, signal_mv):
    record = load_record(_gains_of_own_span(tmp_path, signal_mv, scale=2.0))
    np.testing.assert_allclose(np.ptp(record.signal, axis=1), 2, atol=1e-3)
    assert record.assumptions == ()
    chest = write_wfdb(tmp_path, signal_mv[6:8] / np.ptp(signal_mv[6:8], axis=1, keepdims=True), leads=("V1", "V2"))
    assert load_record(chest).assumptions == ()
    pulse = np.where(np.arange(2000) % 500 < 50, 1.0, 0.0) * np.ones((12, 1))  # a calibration: one gain for all leads
    assert load_record(write_wfdb(tmp_path, pulse)).assumptions == ()


def test_baseline_is_the_adc_zero_unless_stated(tmp_path, signal_mv):
    header = write_wfdb(tmp_path, signal_mv)
    text = header.read_text().replace(" 16 0 ", " 16 100 ")
    header.write_text(text)
    np.testing.assert_allclose(load_record(header).signal, signal_mv - 0.1, atol=1e-5)
    header.write_text(text.replace("1000/mV", "1000(-200)/mV"))
    np.testing.assert_allclose(load_record(header).signal, signal_mv + 0.2, atol=1e-5)


def test_checksum_that_does_not_fit_is_told(tmp_path, signal_mv):
    header = write_wfdb(tmp_path, signal_mv)
    data = bytearray((tmp_path / "rec.dat").read_bytes())
    data[24 * 50 + 2] ^= 1
    (tmp_path / "rec.dat").write_bytes(data)
    (said,) = load_record(header).assumptions
    assert said == "the header's checksum does not fit lead 'II': the samples were changed after they were written"


def test_length_may_be_left_to_the_signal_file(tmp_path, signal_mv):
    record = load_record(write_wfdb(tmp_path, signal_mv, first="{name} {n} 500"))
    assert record.signal.shape == signal_mv.shape


def test_several_samples_a_frame_multiply_the_rate(tmp_path, signal_mv):
    counts = np.round(signal_mv[:2] * 1000).astype("<i2").reshape(2, -1, 2)
    (tmp_path / "rec.dat").write_bytes(counts.transpose(1, 0, 2).tobytes())
    lines = [f"rec.dat 16x2 1000/mV 16 0 0 0 0 {lead}" for lead in ("V1", "V2")]
    (tmp_path / "rec.hea").write_text("\n".join([f"rec 2 250 {counts.shape[1]}", *lines]))
    record = load_record(tmp_path / "rec")
    assert record.fs == 500
    np.testing.assert_allclose(record.signal, signal_mv[:2], atol=1e-6)


@pytest.mark.parametrize(
    ("comments", "age", "sex", "codes"),
    [
        (("#Age: 74", "#Sex: Male", "#Dx: 59118001,426783006"), 74, "male", ("59118001", "426783006")),
        (("# age: 81", "# sex: female", "# ECG date: 01/10/1990"), 81, "female", ()),
        (("#<age>: 50", "#<sex>: F", "#<diagnoses>:", "#Ischemia: lateral wall."), 50, "female", ()),
        (("#Age: NaN", "#Sex: Unknown", "#Dx: Smith, born 1950"), None, None, ()),
        (("#Age: 4000", "#Sex:"), None, None, ()),
        (("#Age: 70 months", "#Sex: F"), None, "female", ()),
        (("#Age: 3 weeks", "#Sex: F"), None, "female", ()),
        (("#Age: 70", "#Age: 20", "#Sex: F", "#Sex: M"), None, None, ()),
        (("#Age: 70 years", "#Age: 70", "#Sex: F"), 70, "female", ()),
    ],
)
def test_comments_tell_age_sex_and_codes_only(tmp_path, signal_mv, comments, age, sex, codes):
    record = load_record(write_wfdb(tmp_path, signal_mv, comments=comments))
    assert (record.age_years, record.sex, record.codes) == (age, sex, codes)
    assert any("age taken as unknown" in told for told in record.assumptions) == (
        age is None and comments[0] != "#Age: NaN"
    )


@pytest.mark.parametrize(
    ("comment", "age", "sex"),
    [
        ("#<age>: 65 <sex>: F <diagnoses> Coronary artery disease, arterial hypertension", 65, "female"),
        ("#Age: 62  Sex: M", 62, "male"),
        ("# age: 62, sex: female", 62, "female"),
        ("# Age: 62 years; Gender: F", 62, "female"),
        ("# age: , sex: female", None, "female"),
        ("# age: 62, sex:", 62, None),
    ],
)
def test_age_and_sex_may_stand_on_one_line(tmp_path, signal_mv, comment, age, sex):
    record = load_record(write_wfdb(tmp_path, signal_mv, comments=(comment,)))
    assert (record.age_years, record.sex, record.assumptions) == (age, sex, ())


def test_a_word_of_another_comment_is_no_sex(tmp_path, signal_mv):
    record = load_record(
        write_wfdb(tmp_path, signal_mv, comments=("#Age: 62", "#Hx: unisex: F", "#Age group: 3, sex: F"))
    )
    assert (record.age_years, record.sex) == (62, None)


def test_nothing_of_names_dates_and_comments_reaches_a_record(tmp_path, signal_mv):
    header = write_wfdb(
        tmp_path,
        signal_mv,
        name="MILLER_JANE",
        first="{name} {n} 500 {samples} 10:11:12 24/12/1999",
        comments=("# Patient: Jane Miller", "#Age: 61", "# MRN 1234567", "#Hx: seen by Dr Grey"),
    )
    told = repr(load_record(header))
    assert not [word for word in ("MILLER", "Miller", "Jane", "1234567", "Grey", "1999", "10:11") if word in told]
    record = load_record(header)
    assert record.id == f"record-{record.key[:8]}"


def test_age_and_sex_as_entered_replace_the_file_s(tmp_path, signal_mv):
    header = write_wfdb(tmp_path, signal_mv, comments=("#Age: 74", "#Sex: Male"))
    record = load_record(header, age_years=33, sex="female")
    assert (record.age_years, record.sex) == (33, "female")
    assert record.assumptions == ("age of 33 years entered by the user", "sex 'female' entered by the user")


def test_rate_given_where_the_header_has_none(tmp_path, signal_mv):
    header = write_wfdb(tmp_path, signal_mv, first="{name} {n}")
    with pytest.raises(RecordError, match=r"'rec\.hea': no sampling rate is stated; give it in hertz"):
        load_record(header)
    record = load_record(header, fs=500)
    assert record.fs == 500
    assert record.assumptions == ("rate of 500 Hz entered by the user, the file states none",)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"first": "{name} {n} 0 {samples}"}, "sampling rate of 0 Hz"),
        ({"first": "{name} {n} -500 {samples}"}, "sampling rate '-500' is no number"),
        ({"gain": "1000/mmHg"}, "unit 'mmHg' is not known"),
        ({"gain": "1000/adu"}, r"unit 'adu' is not known; state mV, uV or V \(raw counts need a gain\)"),
        ({"gain": "0/mV"}, "signal 1 has no gain"),
        ({"gain": "/mV"}, "signal 1 has no gain"),
        ({"gain": "1/mV"}, "lead I swings .* mV .* are these microvolts or raw counts passed as millivolts"),
        ({"gain": "10000000/mV"}, "no lead moves more than .* is it flat, or in volts"),
        (
            {"leads": ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "AVF")},
            "lead aVF is given more than once",
        ),
        ({"leads": (*LEADS[:11], "<img onerror=x>")}, r"'\?img onerror\?x\?' is no lead known here"),
        ({"leads": (*LEADS[:11], "RESP")}, "'RESP' is no lead known here; known are I, II"),
        ({"leads": (*LEADS[:11], "ECG1")}, "'ECG1' is no lead known here; known are I, II"),
        ({"first": "{name}/2 {n} 500 {samples}"}, "joins several segments"),
        ({"first": "{name} 3 500 {samples}"}, "announces 3 signals and describes 12"),
        ({"first": "{name} {n} 500 999999999999"}, "holds .* bytes where the header's 999999999999 samples"),
        ({"first": "{name} {n} 500 10"}, "holds .* bytes where the header's 10 samples .* the file is cut"),
    ],
)
def test_dishonest_or_incomplete_headers_are_refused(tmp_path, signal_mv, change, match):
    with pytest.raises(RecordError, match=match):
        load_record(write_wfdb(tmp_path, signal_mv, **change))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [({"fs": 250}, "states 500 Hz, not the 250 Hz"), ({"unit": "uV"}, "states 'mV', not the 'uV'")],
)
def test_arguments_must_not_contradict_the_header(tmp_path, signal_mv, arguments, match):
    with pytest.raises(RecordError, match=match):
        load_record(write_wfdb(tmp_path, signal_mv), **arguments)


def test_every_sample_missing_is_refused(tmp_path):
    with pytest.raises(RecordError, match=r"every sample of every lead is missing"):
        load_record(write_wfdb(tmp_path, np.full((12, 500), -32.768)))


def test_missing_files_are_named(tmp_path, signal_mv):
    header = write_wfdb(tmp_path, signal_mv)
    (tmp_path / "rec.dat").unlink()
    with pytest.raises(RecordError, match=r"signal file 'rec\.dat' is not in the folder"):
        load_record(header)
    with pytest.raises(RecordError, match=r"there is no header 'other\.hea'"):
        load_record(tmp_path / "other.dat")
    (tmp_path / "lone.dat").write_bytes(b"1234")
    (tmp_path / "lone.hea").write_text(header.read_text())
    with pytest.raises(RecordError, match=r"does not speak of 'lone\.dat'"):
        load_record(tmp_path / "lone.dat")


@pytest.mark.parametrize("named", ["UP.HEA", "UP.DAT", "UP"])
def test_suffixes_in_capitals_are_read_by_every_name_of_the_recording(tmp_path, named):
    signal = beats_mv(FS, 2.0)
    small = write_wfdb(tmp_path, signal, name="UP")
    wanted = load_record(small)
    (tmp_path / "UP.HEA").write_text(small.read_text().replace("UP.dat", "UP.DAT"))
    small.unlink()
    (tmp_path / "UP.dat").rename(tmp_path / "UP.DAT")
    assert load_record(tmp_path / named).key == wanted.key


def test_a_library_opens_a_header_in_capitals_that_it_lists(tmp_path):
    write_wfdb(tmp_path, beats_mv(FS, 2.0), name="UP").rename(tmp_path / "UP.HEA")
    library = open_library([tmp_path])
    (entry_id,) = library.entries
    assert library.record(entry_id).fs == FS
