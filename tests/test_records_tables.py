"""CSV, NPZ and demo recordings: units, rates, lead orders and what is refused."""

import numpy as np
import pytest
from ecg_files import LEADS, beats_mv, write_wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgviz.errors import RecordError
from ecgviz.records import demo_names, load_record, ludb
from ecgviz.records.ptbxl import read_codes, read_statements, read_table
from ecgviz.records.write import save_record
from ecgviz.types import Record

FS = 500.0


@pytest.fixture
def signal_mv():
    return np.round(beats_mv(FS, 2.0), 3)


def _csv(path, names, columns, *, head="", separator=",", decimal="."):
    rows = [separator.join(f"{value:.6g}".replace(".", decimal) for value in row) for row in np.transpose(columns)]
    path.write_text("\n".join([*([head] if head else []), separator.join(names), *rows]) + "\n", encoding="utf-8")
    return path


def test_rate_and_unit_from_comment_lines(tmp_path, signal_mv):
    head = "# fs: 500 Hz\n# unit: mV\n# age: 63\n# sex: F\n# patient: Jane Miller"
    record = load_record(_csv(tmp_path / "Miller.csv", LEADS, signal_mv, head=head))
    assert (record.fs, record.leads, record.age_years, record.sex) == (500, LEADS, 63, "female")
    assert record.assumptions == ()
    assert "Miller" not in repr(record)
    assert record.id == f"record-{record.key[:8]}"
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-6)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mV", 1),
        ("MV", 1),
        ("millivolts", 1),
        ("uV", 1e3),
        ("µV", 1e3),
        ("μV", 1e3),
        ("microvolt", 1e3),
        ("V", 1e-3),
        ("nV", 1e6),
    ],
)
def test_spellings_of_units(tmp_path, signal_mv, unit, factor):
    record = load_record(_csv(tmp_path / "x.csv", LEADS, signal_mv * factor, head=f"# fs: 500\n# unit: {unit}"))
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-5)


@pytest.mark.parametrize("style", ["{} [uV]", "{} (uV)", "{}_uV", '"{} [uV]"'])
def test_units_behind_lead_names(tmp_path, signal_mv, style):
    names = [style.format(lead) for lead in LEADS]
    record = load_record(_csv(tmp_path / "x.csv", names, signal_mv * 1000), fs=500)
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-6)
    assert record.assumptions == ("rate of 500 Hz entered by the user, the file states none",)


def test_row_of_units_below_the_header(tmp_path, signal_mv):
    path = _csv(tmp_path / "x.csv", LEADS, signal_mv * 1000, head="# fs: 500")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], ",".join(["uV"] * 12), *lines[2:]]))
    np.testing.assert_allclose(load_record(path).signal, signal_mv, atol=1e-6)


def test_decimal_comma_with_semicolons(tmp_path, signal_mv):
    path = _csv(tmp_path / "x.csv", LEADS, signal_mv, head="# fs: 500\n# unit: mV", separator=";", decimal=",")
    np.testing.assert_allclose(load_record(path).signal, signal_mv, atol=1e-6)


def test_spreadsheet_text_with_byte_order_mark_and_tabs(tmp_path, signal_mv):
    path = _csv(tmp_path / "x.tsv", LEADS, signal_mv, head="# fs: 500\n# unit: mV", separator="\t")
    path.write_text(path.read_text(), encoding="utf-16")
    np.testing.assert_allclose(load_record(path).signal, signal_mv, atol=1e-6)
    path.write_text(path.read_text(encoding="utf-16"), encoding="utf-8-sig")
    np.testing.assert_allclose(load_record(path).signal, signal_mv, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "factor", "digits", "notes"),
    [
        ("time [s]", 1, 6, ("rate of 360 Hz derived from the time column",)),
        ("time [s]", 1, 3, ("rate of 360 Hz derived from the time column",)),
        ("t_ms", 1000, 3, ("rate of 360 Hz derived from the time column",)),
        (
            "time",
            1,
            5,
            ("rate of 360 Hz derived from the time column", "the time column states no unit: taken as seconds"),
        ),
    ],
)
def test_rate_from_a_time_column(tmp_path, name, factor, digits, notes):
    signal = np.round(beats_mv(360, 5.0), 3)
    times = np.round(np.arange(signal.shape[1]) / 360 * factor, digits)
    record = load_record(_csv(tmp_path / "x.csv", [name, *LEADS], np.vstack([times, signal])), unit="mV")
    assert record.fs == 360
    assert record.leads == LEADS
    assert record.assumptions == (*notes, "unit 'mV' entered by the user, the file states none")


@pytest.mark.parametrize(("stated", "rate"), [("500", 500), ("499.99", 499.99), ("500.0", 500)])
def test_a_stated_rate_at_which_the_time_column_runs_is_taken(tmp_path, stated, rate):
    signal = np.round(beats_mv(FS, 4.0), 3)
    times = np.arange(signal.shape[1]) / FS
    head = f"# fs: {stated}\n# unit: mV"
    record = load_record(_csv(tmp_path / "x.csv", ["time", *LEADS], np.vstack([times, signal]), head=head))
    assert record.fs == rate
    assert record.assumptions == ()


@pytest.mark.parametrize("stated", ["504", "500.5", "496"])
def test_a_stated_rate_that_the_time_column_contradicts_is_refused(tmp_path, stated):
    signal = np.round(beats_mv(FS, 4.0), 3)
    times = np.arange(signal.shape[1]) / FS
    path = _csv(tmp_path / "x.csv", ["time", *LEADS], np.vstack([times, signal]), head=f"# fs: {stated}\n# unit: mV")
    with pytest.raises(RecordError, match=rf"'x\.csv': states {stated} Hz, but its time column runs at 500 Hz"):
        load_record(path)


def test_a_stated_rate_and_stamps_rounded_to_milliseconds_agree(tmp_path):
    signal = np.round(beats_mv(360, 5.0), 3)
    times = np.round(np.arange(signal.shape[1]) / 360, 3)
    path = _csv(tmp_path / "x.csv", ["time", *LEADS], np.vstack([times, signal]), head="# fs: 360\n# unit: mV")
    assert load_record(path).fs == 360


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("mark", [",", "."])
def test_marks_between_thousands_are_refused(tmp_path, signal_mv, separator, mark):
    rows = [separator.join(f"{value:,.0f}".replace(",", mark) for value in row) for row in signal_mv.T * 5000]
    (tmp_path / "x.csv").write_text("\n".join(["# fs: 500\n# unit: uV", separator.join(LEADS), *rows]))
    with pytest.raises(
        RecordError, match=r"'x\.csv': column 'I' holds whole numbers and '-?\d[,.]\d{3}': is that '-?\d{4}'"
    ):
        load_record(tmp_path / "x.csv")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_commas_and_points_in_one_table_are_refused(tmp_path, separator):
    rows = [["I", "II"], ["0", "0,120"], ["0.5", "0,130"]]
    (tmp_path / "x.csv").write_text(TABLE + "\n".join(separator.join(row) for row in rows))
    with pytest.raises(
        RecordError, match=r"""'x\.csv': "," stands in sample 1 and "\." in sample 2: one of them parts"""
    ):
        load_record(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("0,995", "1,204", "0"), (0.995, 1.204, 0)),
        (("-0,120", "1,204", "1"), (-0.12, 1.204, 1)),
        (("1,204", "-0,113", "1,000"), (1.204, -0.113, 1)),
        (("1,204", "1,311", "-2,100"), (1.204, 1.311, -2.1)),
        (("1,2", "1,311", "2"), (1.2, 1.311, 2)),
        (("12", "-990", "1500"), (12, -990, 1500)),
    ],
)
def test_decimal_commas_of_three_digits_are_decimal(tmp_path, cells, values):
    (tmp_path / "x.csv").write_text("# fs: 100\n# unit: uV\nV1\n" + "\n".join(f"{cell}\n2,5e3" for cell in cells))
    np.testing.assert_allclose(load_record(tmp_path / "x.csv").signal[0, ::2], np.array(values) / 1000, atol=1e-7)


def test_a_column_of_three_decimals_throughout_is_decimal(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE + "V1;V2\n1,204;-0,113\n1,000;0,000\n2,995;1,204\n")
    np.testing.assert_allclose(load_record(tmp_path / "x.csv").signal[0], (1.204, 1.0, 2.995), atol=1e-6)
    (tmp_path / "x.csv").write_text(TABLE + "V1;V2\n1,204;2,113\n1,000;3,000\n2,995;1,204\n")
    np.testing.assert_allclose(load_record(tmp_path / "x.csv").signal[0], (1.204, 1.0, 2.995), atol=1e-6)


def test_empty_cells_and_nan_are_missing_samples(tmp_path):
    (tmp_path / "x.csv").write_text("# fs: 100\n# unit: mV\nV1,V2\n0,0.1\n,0.5\nnan,-0.2\n0.4,0.1\n")
    record = load_record(tmp_path / "x.csv")
    assert np.isnan(record.signal).tolist() == [[False, True, True, False], [False] * 4]


def test_a_first_sample_that_is_missing_in_every_lead_is_no_row_of_units(tmp_path):
    for word in ("nan", "NaN", "NAN", "NA"):
        (tmp_path / "x.csv").write_text(f"# fs: 100\n# unit: mV\nV1,V2\n{word},{word}\n0,0.1\n0.4,0.5\n")
        record = load_record(tmp_path / "x.csv")
        assert np.isnan(record.signal).tolist() == [[True, False, False]] * 2


TABLE = "# fs: 100\n# unit: mV\n"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("I,II\n0,1\n1,0\n", r"'x\.csv': no sampling rate is stated; give it in hertz"),
        ("# fs: 100\nI,II\n0,1\n1,0\n", r"'x\.csv': no unit is stated; give mV, uV or V"),
        ("# fs: fast\n# unit: mV\nI,II\n0,1\n1,0\n", "sampling rate 'fast' is no number"),
        (TABLE + "I (uV),II (uV)\n0,1\n1,0\n", "states 'mV' for all leads, and 'uV' in its header row"),
        (TABLE + "I,II\ninf,inf\n1,0\n", "lead I holds infinite samples"),
        (TABLE + "I,II\nInfinity,Infinity\n1,0\n", "lead I holds infinite samples"),
        ("# fs: 100\nI (uV),II (uV)\nmV,mV\n0,1\n1,0\n", "a lead is in 'uV' by its name, and in 'mV' below"),
        ("# unit: uV\n" + TABLE + "I,II\n0,1\n1,0\n", "two comment lines state unit differently: 'uV' and 'mV'"),
        (TABLE + "# rate: 500\nI,II\n0,1\n1,0\n", "two comment lines state fs differently: '100' and '500'"),
        ("# age: Jane\n# age: 7\n" + TABLE + "I,II\n0,1\n1,0\n", "two comment lines state age differently$"),
        ("# fs: 0\n# unit: mV\nI,II\n0,1\n1,0\n", "sampling rate '0' is no number of hertz"),
        ("# fs: 100\n# unit: counts\nI,II\n0,1\n1,0\n", "unit 'counts' is not known"),
        (TABLE + "0.1,0.2\n0,1\n1,0\n", "the first row holds numbers; a header row of lead names is needed"),
        (TABLE + "I,II\n0,1\n1\n", "sample 2 has 1 columns, the header row 2"),
        (TABLE + "I,II\n0,1\n1,x<y\n", r"'x\?y' stands in sample 2 where a number belongs"),
        (TABLE + "I,RESP\n0,1\n1,0\n", "'RESP' is no lead known here"),
        (TABLE + "I,Lead I\n0,1\n1,0\n", "lead I is given more than once"),
        (TABLE + "I,II\n0,1\ninf,0\n", "lead I holds infinite samples"),
        (TABLE + "I,II\nnan,nan\nnan,\n", "every sample of every lead is missing"),
        (TABLE + "I,II\n0,900\n1,-900\n", "lead II swings 900 mV .* microvolts or raw counts"),
        (
            TABLE + "I,II\n0,0.001\n0.0005,0\n",
            "no lead moves more than 0.001 mV, which is no ECG: is it flat, or in volts",
        ),
        (TABLE + ",".join(f"{n}" for n in range(500)) + "\n0\n", "500 columns: is the table transposed"),
        (TABLE + "I,II\n", "a header row of lead names and rows of samples are needed"),
        (TABLE + "time [h],II\n0,1\n1,0\n", "the time column is in 'h'"),
        ("# unit: mV\ntime,II\n0,1\n0.01,0\n0.02,0\n0.9,1\n", "the time column does not run evenly"),
        ("# unit: mV\ntime,II\n1,1\n1,0\n", "the time column does not run forward"),
        (
            "# unit: mV\ntime,II\n0,0\n2,1\n4,0\n",
            r"'x\.csv': a sampling rate of 0\.5 Hz is that of no ECG .* are milliseconds taken for seconds",
        ),
        ("# unit: mV\ntime [ms],II\n0,0\n0.002,1\n0.004,0\n", "500000 Hz .* are seconds taken for milliseconds"),
        ("# fs: 24.9\n# unit: mV\nI,II\n0,1\n1,0\n", "a sampling rate of 24.9 Hz is that of no ECG"),
        (TABLE + "time [s],II\n0,1\n0.1,0\n0.2,0\n", "states 100 Hz, but its time column runs at 10 Hz"),
    ],
)
def test_tables_that_cannot_be_trusted_are_refused(tmp_path, text, match):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(RecordError, match=match):
        load_record(tmp_path / "x.csv")


def test_binary_under_a_csv_name_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(bytes(range(128, 256)))
    with pytest.raises(RecordError, match="this is no text file"):
        load_record(tmp_path / "x.csv")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(LEADS),
    fs=st.sampled_from([100.0, 250.0, 360.0, 500.0, 1000.0, 333.25]),
    suffix=st.sampled_from([".csv", ".npz"]),
    age=st.one_of(st.none(), st.integers(0, 110)),
    sex=st.sampled_from([None, "male", "female"]),
)
def test_what_is_written_is_read_back(tmp_path, order, fs, suffix, age, sex):
    rows = dict(zip(LEADS, np.round(beats_mv(fs, 1.0), 4), strict=True))
    signal = np.stack([rows[lead] for lead in order]).astype(np.float32)
    signal[0, 5:9] = np.nan
    record = Record(signal=signal, fs=fs, leads=tuple(order), id="r", age_years=age, sex=sex)
    save_record(record, tmp_path / f"x{suffix}")
    again = load_record(tmp_path / f"x{suffix}")
    assert (again.fs, again.leads, again.age_years, again.sex) == (fs, tuple(order), age, sex)
    np.testing.assert_allclose(again.signal, signal, atol=1e-6)
    assert again.assumptions == ()


def test_npz_in_microvolts(tmp_path, signal_mv):
    np.savez(
        tmp_path / "x.npz",
        signal=np.round(signal_mv * 1000).astype(np.int16),
        fs=500,
        leads=LEADS,
        unit="uV",
        age_years=40,
        sex="M",
    )
    record = load_record(tmp_path / "x.npz")
    np.testing.assert_allclose(record.signal, signal_mv, atol=1e-6)
    assert (record.age_years, record.sex) == (40, "male")


@pytest.mark.parametrize("age", [300, -1, np.nan, np.inf])
def test_an_age_that_nobody_has_is_none_in_every_kind_of_file(tmp_path, signal_mv, age):
    np.savez(tmp_path / "x.npz", signal=signal_mv, fs=500, leads=LEADS, unit="mV", age_years=age)
    _csv(tmp_path / "x.csv", LEADS, signal_mv, head=f"# fs: 500\n# unit: mV\n# age: {age}")
    assert load_record(tmp_path / "x.npz").age_years is None
    assert load_record(tmp_path / "x.csv").age_years is None


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize(
    ("altered", "assumed", "simulated"),
    [
        ((), (), False),
        (("P waves removed in 9 of 9 beats", "ST segment shifted by +0.2 mV in V1, V2"), (), True),
        (
            ("PR interval 80 ms longer",),
            ("unit 'mV' entered by the user, the file states none", "50 % µV; +- 2"),
            False,
        ),
        (("",), (), False),
    ],
)
def test_what_a_recording_tells_of_itself_is_written_and_read_back(tmp_path, suffix, altered, assumed, simulated):
    told = {"altered": altered, "assumptions": assumed, "simulated": simulated}
    save_record(Record(signal=beats_mv(100.0), fs=100.0, leads=LEADS, id="r", **told), tmp_path / f"x{suffix}")
    again = load_record(tmp_path / f"x{suffix}")
    assert (again.assumptions, again.simulated) == (assumed, simulated)
    assert again.altered == tuple(sentence or "not told in what" for sentence in altered)
    if "" not in altered:
        save_record(again, tmp_path / f"y{suffix}")
        assert load_record(tmp_path / f"y{suffix}").key == again.key


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_sentences_of_a_file_are_one_line_each_and_end(tmp_path, suffix):
    hostile = "a\n# fs: 1\u2028\x1b[2J\u202eb" + "c" * 100_000
    record = Record(signal=beats_mv(100.0), fs=100.0, leads=LEADS, id="r", altered=(hostile,) * 5000)
    save_record(record, tmp_path / f"x{suffix}")
    again = load_record(tmp_path / f"x{suffix}")
    assert again.fs == 100.0
    assert 0 < len(again.altered) <= 100
    assert all(len(sentence) <= 4000 and sentence.isprintable() for sentence in again.altered)


def test_a_file_that_says_nothing_of_itself_was_neither_altered_nor_simulated(tmp_path, signal_mv):
    fields = {"signal": signal_mv, "fs": 500, "leads": LEADS, "unit": "mV"}
    for name, odd in (("a", {}), ("b", {"altered": 3.0, "simulated": "maybe", "assumptions": np.zeros(2)})):
        np.savez(tmp_path / f"{name}.npz", **fields, **odd)
        record = load_record(tmp_path / f"{name}.npz")
        assert (record.altered, record.simulated, record.assumptions) == ((), False, ())


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize(
    ("age", "sex", "told"),
    [
        ("300", "F", ("age taken as unknown: the file states one of 300 years, which nobody has",)),
        ("-1", "", ("age taken as unknown: the file states one of -1 years, which nobody has",)),
        ("Jane Miller", "f", ("age taken as unknown: the file states one that is no number of years",)),
        ("61", "Jane", ("sex taken as unknown: what the file states is neither male nor female",)),
        ("nan", "unknown", ()),
        ("Unknown", "n/a", ()),
        ("61", "M", ()),
    ],
)
def test_an_age_or_sex_that_is_not_taken_is_told_without_the_file_s_words(tmp_path, signal_mv, suffix, age, sex, told):
    if suffix == ".npz":
        stated = float(age) if age.lstrip("-").isdigit() else age
        np.savez(tmp_path / "x.npz", signal=signal_mv, fs=500, leads=LEADS, unit="mV", age_years=stated, sex=sex)
    else:
        head = f"# fs: 500\n# unit: mV\n# age: {age}\n# sex: {sex}"
        _csv(tmp_path / "x.csv", LEADS, signal_mv, head=head)
    record = load_record(tmp_path / f"x{suffix}")
    assert record.assumptions == told
    assert "Jane" not in repr(record)
    assert record.age_years == (61 if age == "61" else None)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"fs": None}, "no sampling rate is stated"),
        ({"fs": 0}, "sampling rate of 0.0 Hz is none"),
        ({"fs": -500}, "sampling rate of -500.0 Hz is none"),
        ({"unit": None}, "no unit is stated"),
        ({"unit": "mmHg"}, "unit 'mmHg' is not known"),
        ({"unit": "uV", "signal": np.ones((2, 9))}, "is it flat, or in volts"),
        ({"signal": None}, "has no field 'signal'"),
        ({"leads": None}, "has no field 'leads'"),
        ({"leads": [1, 2]}, "the field 'leads' is no list of names"),
        ({"signal": np.array([["a", "b"]])}, "holds <U1, not numbers"),
        ({"signal": np.zeros((9, 2))}, r"does not hold one row for each of the 2 leads \(is it transposed\?\)"),
        ({"signal": np.zeros(9)}, "does not hold one row for each of the 2 leads"),
        ({"signal": np.zeros((2, 0))}, "the signal has no samples"),
        ({"signal": np.full((2, 9), np.nan)}, "every sample of every lead is missing"),
    ],
)
def test_npz_that_cannot_be_trusted_is_refused(tmp_path, signal_mv, change, match):
    arrays = {"signal": signal_mv[:2], "fs": 500, "leads": ["I", "II"], "unit": "mV"} | change
    np.savez(tmp_path / "x.npz", **{name: value for name, value in arrays.items() if value is not None})
    with pytest.raises(RecordError, match=match):
        load_record(tmp_path / "x.npz")


def test_unknown_kinds_folders_and_missing_files_are_refused(tmp_path):
    (tmp_path / "x.xyz").write_text("")
    for source, match in (
        (tmp_path / "x.xyz", r"'x\.xyz' is of no kind that is read here \(\.hea, \.dat"),
        (tmp_path, "is a folder; give one recording in it"),
        (tmp_path / "none.csv", r"there is no file 'none\.csv'"),
        (tmp_path / "none", r"there is no header 'none\.hea'"),
        ("demo:none", "there is no demo record 'none'; there are"),
        ("demo:../x", r"there is no demo record '\.\./x'"),
    ):
        with pytest.raises(RecordError, match=match):
            load_record(source)


def test_every_demo_loads_and_says_that_it_is_simulated():
    for name in demo_names():
        record = load_record(f"demo:{name}")
        assert record.id == f"demo:{name}"
        assert record.simulated
        assert set(LEADS) <= set(record.leads)
        assert record.assumptions[0].startswith("simulated: finding ")
        assert record.assumptions[0].endswith("no patient was recorded")


STATEMENTS = """,description,diagnostic,diagnostic_class
NORM,normal,1.0,NORM
IMI,inferior,1.0,MI
SR,sinus,,
CLBBB,lbbb,1.0,CD
"""
DATABASE = """ecg_id,patient_id,age,sex,recording_date,report,scp_codes,strat_fold,filename_lr,filename_hr
1,15709.0,56.0,1,1984-11-09,Frau X,"{'NORM': 100.0, 'SR': 0.0}",3,records100/00000/00001_lr,records500/00000/00001_hr
2,7.0,300.0,0,1984-11-09,Herr Y,"{'IMI': 0.0, 'CLBBB': 50.0}",9,records100/00000/00002_lr,records500/00000/00002_hr
137,8.0,,0,1984-11-09,,"{'SR': 0.0}",1,records100/00000/00137_lr,records500/00000/00137_hr
"""


@pytest.fixture
def ptbxl_folder(tmp_path):
    (tmp_path / "scp_statements.csv").write_text(STATEMENTS)
    (tmp_path / "ptbxl_database.csv").write_text(DATABASE)
    return tmp_path


def test_ptbxl_tables(ptbxl_folder):
    assert read_statements(ptbxl_folder) == {"NORM": "NORM", "IMI": "MI", "CLBBB": "CD"}
    first, second, third = read_table(ptbxl_folder).values()
    assert (first.ecg_id, first.patient_id, first.age_years, first.sex, first.strat_fold) == (1, 15709, 56, "female", 3)
    assert first.scp_codes == {"NORM": 100, "SR": 0}
    assert first.superclasses == ("NORM",)
    assert (second.age_years, second.age_clipped, second.sex) == (90, True, "male")
    assert second.superclasses == ("CD", "MI")
    assert (third.age_years, third.duplicate, third.superclasses) == (None, True, ())
    assert not first.duplicate


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("{'SR': 0.0}", "__import__('os')", r"ptbxl_database\.csv: row 3 is not one of PTB-XL"),
        ("records100/00000/00001_lr", "../../x", "row 1 is not one of PTB-XL"),
        ("records100/00000/00001_lr", "/etc/x", r"row 1 is not one of PTB-XL \(file name '/etc/x', which is no"),
        ("records100/00000/00001_lr", "records100//x", "row 1 is not one of PTB-XL"),
        ("137,", "x,", "row 3 is not one of PTB-XL"),
    ],
)
def test_ptbxl_rows_that_are_none_are_refused(ptbxl_folder, old, new, match):
    table = ptbxl_folder / "ptbxl_database.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(RecordError, match=match):
        read_table(ptbxl_folder)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("Herr Y", "Herr Y\xfc", r"'ptbxl_database\.csv': line 3 is not UTF-8: was the table saved again"),
        ("Frau X", "x" * 140_000, r"'ptbxl_database\.csv': row 1 cannot be read \(field larger than field limit"),
        ("\"{'SR': 0.0}\"", "[]", r"row 3 is not one of PTB-XL \(scp_codes '\[\]', which are no statements"),
        ("\"{'SR': 0.0}\"", "None", r"row 3 is not one of PTB-XL \(scp_codes 'None'"),
        ("\"{'SR': 0.0}\"", "-" * 9000 + "1", r"row 3 is not one of PTB-XL \(scp_codes '-+\.\.\.'"),
        ("{'SR': 0.0}", "{'SR': 1" + "0" * 400 + "}", "row 3 is not one of PTB-XL"),
        ("\n2,7.0,", "\n2,inf,", r"row 2 is not one of PTB-XL \(patient_id 'inf', which is no whole number\)"),
        ("\n137,8.0,", "\n137", r"'ptbxl_database\.csv': row 3 has not as many cells as the header: was the file cut"),
        ("ecg_id", "id", r"'ptbxl_database\.csv': has no column 'ecg_id'"),
    ],
)
def test_a_ptbxl_table_that_was_saved_again_or_cut_is_refused_by_row(ptbxl_folder, old, new, match):
    table = ptbxl_folder / "ptbxl_database.csv"
    assert old in DATABASE
    table.write_text(DATABASE.replace(old, new, 1), encoding="latin-1")
    with pytest.raises(RecordError, match=match):
        read_table(ptbxl_folder)


def test_tables_with_a_byte_order_mark_are_read(ptbxl_folder):
    rows = read_table(ptbxl_folder)
    for name in ("ptbxl_database.csv", "scp_statements.csv"):
        table = ptbxl_folder / name
        table.write_text(table.read_text(), encoding="utf-8-sig")
    assert read_table(ptbxl_folder) == rows
    assert read_codes(ptbxl_folder) == ("NORM", "IMI", "SR", "CLBBB")


def test_statements_that_are_no_table_of_ptbxl_are_refused(ptbxl_folder):
    (ptbxl_folder / "scp_statements.csv").write_text(STATEMENTS.replace(",", ";"))
    with pytest.raises(
        RecordError, match=r"'scp_statements\.csv': has no column 'diagnostic': was it saved with other"
    ):
        read_statements(ptbxl_folder)


LUDB = "ID,Sex,Age,Rhythms,Other states\n2,M,64,Sinus rhythm,\n"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("ID,Sex,Age\n1,F,60\n", r"'ludb\.csv': has no column 'Rhythms'"),
        (LUDB.replace(",", ";"), r"'ludb\.csv': has no column 'ID': was it saved with other separators"),
        (LUDB + "3,F\n", r"'ludb\.csv': row 2 has not as many cells as the header"),
        (LUDB + "3,F,60,x,y,z\n", r"'ludb\.csv': row 2 has not as many cells as the header"),
        (LUDB + "\xb2,F,60,x,\n", r"ludb\.csv: row 2 has the id '\?', which is no number"),
        (LUDB + ",F,60,x,\n", r"ludb\.csv: row 2 has the id '', which is no number"),
    ],
)
def test_a_ludb_table_that_was_edited_is_refused_by_row(tmp_path, text, match):
    (tmp_path / "ludb.csv").write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match=match):
        ludb.read_table(tmp_path / "ludb.csv")


def test_a_ludb_table_with_a_byte_order_mark_is_read_and_one_in_latin_1_refused(tmp_path):
    table = tmp_path / "ludb.csv"
    table.write_text(LUDB, encoding="utf-8-sig")
    assert ludb.read_table(table)[2] == ludb.Entry(2, 64, "male", "Sinus rhythm", ("Sinus rhythm",))
    table.write_text(LUDB + "3,F,60,\xfc,\n", encoding="latin-1")
    with pytest.raises(RecordError, match=r"'ludb\.csv': line 3 is not UTF-8: was the table saved again"):
        ludb.read_table(table)


@pytest.mark.parametrize("name", ["1", "\xb2"])
def test_a_recording_whose_table_is_spoilt_is_refused_and_one_without_a_number_has_none(tmp_path, name):
    (tmp_path / "ludb.csv").write_text(LUDB + "1,F\n")
    if name == "1":
        with pytest.raises(RecordError, match=r"'ludb\.csv': row 2 has not as many cells"):
            ludb.find_entry(tmp_path / name)
    else:
        assert ludb.find_entry(tmp_path / name) is None


def _ptbxl_recording(folder):
    place = folder / "records100" / "00000"
    place.mkdir(parents=True)
    return write_wfdb(place, beats_mv(FS, 2.0), name="00001_lr")


@pytest.mark.parametrize("told", ["folder/00001_lr.hea", "records100/00000/../00000/00001_lr.hea"])
def test_links_and_dots_lead_to_the_table_of_ptbxl(ptbxl_folder, told):
    header = _ptbxl_recording(ptbxl_folder)
    (ptbxl_folder / "far" / "away").mkdir(parents=True)
    (ptbxl_folder / "far" / "away" / "folder").symlink_to(header.parent)
    path = ptbxl_folder / told if ".." in told else ptbxl_folder / "far" / "away" / told
    assert load_record(path).id == "ptbxl-00001"


def test_dots_in_the_folder_of_a_recording_lead_to_its_table(ptbxl_folder, monkeypatch):
    monkeypatch.chdir(_ptbxl_recording(ptbxl_folder).parent)
    for told in ("../00000/00001_lr.hea", "00001_lr.hea", "00001_lr"):
        assert load_record(told).id == "ptbxl-00001"


def test_recordings_on_another_disk_have_the_table_beside_the_link(ptbxl_folder, tmp_path_factory):
    disk = tmp_path_factory.mktemp("disk")
    header = _ptbxl_recording(disk)
    (ptbxl_folder / "records100").symlink_to(header.parents[1])
    assert load_record(ptbxl_folder / "records100" / "00000" / "00001_lr.hea").id == "ptbxl-00001"
    ring = disk / "ring"
    ring.symlink_to(ring)
    with pytest.raises(RecordError, match=r"there is no file '1\.hea'"):
        load_record(ring / "1.hea")


@pytest.mark.parametrize("told", ["linked/2.hea", "data/../data/2.hea"])
def test_links_and_dots_lead_to_the_table_of_ludb(tmp_path, told):
    folder = tmp_path / "ludb"
    (folder / "data").mkdir(parents=True)
    (folder / "ludb.csv").write_text(LUDB)
    write_wfdb(folder / "data", beats_mv(FS, 2.0), name="2")
    (tmp_path / "linked").symlink_to(folder / "data")
    path = tmp_path / told if told.startswith("linked") else folder / told
    assert load_record(path).id == "ludb-002"


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(
        RecordError, match=r"'scp_statements\.csv' is not in the folder: is it the top folder of PTB-XL\?"
    ):
        read_table(tmp_path)
