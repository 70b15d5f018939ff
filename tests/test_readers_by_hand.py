"""What text and NPZ files hold arrives as it is: units, rates, ages, sexes and missing samples of small files."""

from pathlib import Path

import numpy as np
import pytest

from ecgviz.errors import RecordError
from ecgviz.records import load_record
from ecgviz.records.fields import age, millivolts, not_taken, sex
from ecgviz.types import Record

N = 101


def written(folder: Path, text: str) -> Record:
    path = folder / "it.csv"
    path.write_text(text, encoding="utf-8")
    return load_record(path)


def table(head: str, step: float, n: int = N, start: float = 0.0) -> str:
    """Return a time column from ``start`` on, and lead V1, which rises by 1 uV a sample."""
    return "\n".join([head, *(f"{start + step * i:.6f},{i / 1000}" for i in range(n))])


@pytest.mark.parametrize(
    ("units", "mv"),
    [
        (("mV", "MV", "millivolt", "millivolts"), 1.0),
        (("uV", "µV", "μV", "muV", "mcV", "microV", "microvolt", "microvolts"), 0.001),
        (("nV", "nanovolt", "nanovolts"), 0.000001),
        (("V", "volt", "volts"), 1000.0),
    ],
)
def test_a_unit_is_so_many_millivolts(units: tuple[str, ...], mv: float) -> None:
    assert [millivolts(unit, "it") for unit in units] == [mv] * len(units)


def test_each_lead_is_read_in_the_unit_behind_its_own_name(tmp_path: Path) -> None:
    rows = "\n".join(f"{i / 200},{5 * i},{i / 2e5:.6f}" for i in range(N))
    record = written(tmp_path, f"# fs: 100\nV1 [mV],V2 (uV),V6_V\n{rows}\n")
    np.testing.assert_allclose(record.signal, np.tile(np.arange(N) / 200, (3, 1)), atol=1e-6)
    assert record.leads == ("V1", "V2", "V6")


@pytest.mark.parametrize(
    ("head", "step", "fs"),
    [
        ("time [s],V1 [mV]", 0.004, 250.0),
        ("time [ms],V1 [mV]", 4.0, 250.0),
        ("time [milliseconds],V1 [mV]", 2.0, 500.0),
        ("t_ms,V1 [mV]", 7.8125, 128.0),
        ("time [sec],V1 [mV]", 1 / 102.4, 102.4),
        ("time [seconds],V1 [mV]", 1 / 360, 360.0),
    ],
)
def test_a_time_column_gives_the_rate_whatever_its_unit(tmp_path: Path, head: str, step: float, fs: float) -> None:
    record = written(tmp_path, table(head, step, start=3 * step))
    assert record.fs == pytest.approx(fs, rel=2e-3 if fs % 1 else 1e-9)
    assert abs(record.fs - fs) < 0.5
    np.testing.assert_allclose(record.signal[0], np.arange(N) / 1000, rtol=1e-6)


def test_a_stated_rate_that_the_time_column_does_not_keep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="states 500 Hz, but its time column runs at 495 Hz"):
        written(tmp_path, "# fs: 500\n" + table("time [s],V1 [mV]", 1 / 495, 400))
    with pytest.raises(RecordError, match=r"states 500 Hz, but its time column runs at 49[89]"):
        written(tmp_path, "# fs: 500\n" + table("time [s],V1 [mV]", 1 / 498.5, 2000))
    assert written(tmp_path, "# fs: 500\n" + table("time [s],V1 [mV]", 0.002, 400)).fs == 500.0


def test_ages_and_sexes_are_those_of_the_file() -> None:
    assert [age(text) for text in ("0", "0.5", " 63 ", "100", "120", "121", "-1", "old", "")] == [
        *(0.0, 0.5, 63.0, 100.0, 120.0),
        *(None,) * 4,
    ]
    assert [sex(text) for text in ("f", "F", "Female", "woman", "W")] == ["female"] * 5
    assert [sex(text) for text in ("m", "M", "male", " MAN ")] == ["male"] * 4
    assert [sex(text) for text in ("", "x", "0", "1")] == [None] * 4
    assert not_taken("300", "male") == ("age taken as unknown: the file states one of 300 years, which nobody has",)


def test_missing_cells_and_decimal_commas_are_read_where_they_stand(tmp_path: Path) -> None:
    rows = ["0,25;-1,5", ";2,0", "nan;-0,125", "1,0;NA", *["0,5;0,5"] * N]
    record = written(tmp_path, "\n".join(["# fs: 500", "# unit: mV", "# age: 63", "# sex: F", "II;V6", *rows]))
    np.testing.assert_array_equal(record.signal[:, :4], [[0.25, np.nan, np.nan, 1.0], [-1.5, 2.0, -0.125, np.nan]])
    assert (record.fs, record.age_years, record.sex, record.simulated) == (500.0, 63.0, "female", False)


def test_an_npz_file_is_read_lead_by_lead_in_its_unit(tmp_path: Path) -> None:
    signal = np.outer([1, 2, 3], np.arange(200)).astype(np.int16)
    told = {"age_years": 41.0, "sex": "m", "simulated": True, "altered": ["cut"], "assumptions": ["a"]}
    np.savez(tmp_path / "it.npz", signal=signal, fs=250.0, leads=["V1", "V2", "V6"], unit="uV", **told)
    record = load_record(tmp_path / "it.npz")
    np.testing.assert_allclose(record.signal, 0.001 * signal, rtol=1e-6)
    assert (record.fs, record.age_years, record.sex, record.simulated) == (250.0, 41.0, "male", True)
    assert (record.altered, record.assumptions) == (("cut",), ("a",))
    np.savez(tmp_path / "other.npz", signal=signal, fs=250.0, leads=["V1", "V2", "V6"], unit="uV", simulated=False)
    assert not load_record(tmp_path / "other.npz").simulated


def test_a_table_that_lies_on_its_side_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "it.npz", signal=np.zeros((200, 3)), fs=250.0, leads=["V1", "V2", "V6"], unit="mV")
    with pytest.raises(RecordError):
        load_record(tmp_path / "it.npz")
    with pytest.raises(RecordError, match="transposed"):
        written(tmp_path, "\n".join(",".join([lead, *["0.1"] * 500]) for lead in ("I", "II", "V1")))
