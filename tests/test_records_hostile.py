"""Hostile and damaged files: nothing outside the folder is read, and nothing but a typed refusal escapes."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from ecg_files import beats_mv, damaged_member, write_wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgviz.errors import EcgvizError, RecordError
from ecgviz.records import load_record
from ecgviz.records.header import parse_header

ESCAPES = (
    "../canary.dat",
    "..\\canary.dat",
    "/etc/passwd",
    "~/canary.dat",
    "C:\\canary.dat",
    "\\\\host\\share\\canary.dat",
    "sub/canary.dat",
    "./canary.dat",
    "file:///canary.dat",
    "http://127.0.0.1/canary.dat",
    "s3://bucket/canary.dat",
    "%2e%2e%2fcanary.dat",
    "..",
    ".",
    "...dat",
    "canary.dat.gz",
    "can ary.dat",
    "-",
    "~",
    "canary\u2024dat",
    "\u2025/canary.dat",
    "canary;id",
    "$HOME",
    "a" * 5000,
)


@pytest.fixture
def canary(tmp_path):
    """Make a folder to read in, and outside it a file of which no sample may ever be seen."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "canary.dat").write_bytes(np.full(24000, 777, dtype="<i2").tobytes())
    return inside


def _header(*lines):
    return ("\n".join(lines) + "\n").encode("utf-8", errors="replace")


@pytest.mark.parametrize("name", ESCAPES)
def test_file_names_that_are_no_plain_names_read_nothing(canary, name):
    (canary / "rec.hea").write_bytes(_header("rec 1 500 1000", f"{name} 16 1000/mV 16 0 0 0 0 II"))
    with pytest.raises(RecordError, match=r"not the plain name|is not in the folder|no storage format") as refusal:
        load_record(canary / "rec.hea")
    assert "777" not in str(refusal.value)


def test_links_are_not_followed(canary):
    os.symlink(canary.parent / "canary.dat", canary / "rec.dat")
    (canary / "rec.hea").write_bytes(_header("rec 1 500 24000", "rec.dat 16 1000/mV 16 0 0 0 0 II"))
    with pytest.raises(RecordError, match=r"signal file 'rec\.dat' is a link"):
        load_record(canary / "rec.hea")


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (("rec/1 1 500 1000", "rec 1000"), "joins several segments"),
        (("../rec 1 500 1000", "a.dat 16 1/mV 16 0 0 0 0 II"), "joins several segments or lies in another folder"),
        (("rec 1 500 " + "9" * 200_000, "a.dat 16 1/mV 16 0 0 0 0 II"), "a header of 65537 bytes is none"),
        (("rec 1 500 " + "9" * 2000, "a.dat 16 1/mV 16 0 0 0 0 II"), "number of samples '9+...' is no number"),
        (("rec 1 500 1000", "a.dat 16x99999999 1/mV 16 0 0 0 0 II"), "signal 1 states no storage format"),
        (("rec 1 500 1000", "a.dat 16 " + "9" * 500 + "/mV 16 0 0 0 0 II"), "signal 1 has no gain"),
        (("rec 1 500 1000", "a.dat 16 1/mV 16 " + "9" * 500 + " 0 0 0 II"), "where a whole number belongs"),
        (("rec 1 500 1000", "a.dat 16 1/mV 16 0 0 0 0"), "signal 1 has no lead name"),
        (("rec 1 500 1000", "a.dat 16 +5/mV 16 0 0 0 0 II"), "signal 1 has no gain"),
        (("rec 0 500 1000",), "0 signals has nothing to read"),
        (("rec 99999 500 1000",), "99999 signals has nothing to read"),
        (("rec",), "the first line is not"),
        (("\x00rec 1 500 1000", "a.dat 16 1/mV 16 0 0 0 0 II"), "control characters: is it the signal file"),
        (("#",) * 300, "300 lines is not plausible"),
        (("# only a comment",), "the header is empty"),
        ((), "the header is empty"),
    ],
)
def test_hostile_headers_are_refused(canary, lines, match):
    (canary / "rec.hea").write_bytes(_header(*lines))
    with pytest.raises(RecordError, match=match):
        load_record(canary / "rec.hea")


def test_large_comments_are_not_read(canary):
    header = write_wfdb(canary, beats_mv(500, 2.0), comments=("#" + "x" * 8_000_000,))
    with pytest.raises(RecordError, match="a header of 65537 bytes is none"):
        load_record(header)


@pytest.mark.parametrize("fmt", ["0", "17", "999"])
def test_unknown_storage_formats_are_refused(canary, fmt):
    (canary / "a.dat").write_bytes(bytes(2000))
    (canary / "rec.hea").write_bytes(_header("rec 1 500 1000", f"a.dat {fmt} 1/mV 16 0 0 0 0 II"))
    with pytest.raises(RecordError, match=f"storage format {fmt}; known are 8, 16"):
        load_record(canary / "rec.hea")


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_compressed_signals_that_are_none_are_refused(canary, fmt):
    (canary / "a.dat").write_bytes(b"fLaC" + bytes(2000))
    (canary / "rec.hea").write_bytes(_header("rec 1 500 1000", f"a.dat {fmt} 100/mV 16 0 0 0 0 II"))
    with pytest.raises(RecordError, match="cannot be decoded"):
        load_record(canary / "rec.hea")
    (canary / "rec.hea").write_bytes(_header("rec 1 500 900000000", f"a.dat {fmt} 100/mV 16 0 0 0 0 II"))
    with pytest.raises(RecordError, match="too short for the 900000000 samples"):
        load_record(canary / "rec.hea")


WORDS = st.one_of(
    st.sampled_from(
        ["rec", "1", "2", "500", "0", "-1", "1000", "rec.dat", "16", "212", "8", "16x2", "16:5", "16+4", "80"]
    ),
    st.sampled_from(
        ["1000/mV", "1/mV", "200", "0", "1e9/mV", "5(3)/uV", "II", "V1", "#", "# Age: 5", "\t", "/2", "1e-30/mV"]
    ),
    st.text(max_size=8),
    st.integers(-(10**12), 10**12).map(str),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.lists(WORDS, max_size=10).map(" ".join), max_size=5), data=st.binary(max_size=64))
def test_any_header_text_ends_in_a_record_or_a_refusal(tmp_path, lines, data):
    (tmp_path / "rec.dat").write_bytes(data)
    (tmp_path / "rec.hea").write_bytes(_header(*lines))
    try:
        record = load_record(tmp_path / "rec.hea")
    except EcgvizError:
        return
    assert np.isfinite(record.fs)


FIELDS = st.tuples(
    st.sampled_from(
        ["8", "16", "24", "32", "61", "80", "160", "212", "310", "311", "16x2", "16:3", "212:1", "16+4", "508", "524"]
    ),
    st.sampled_from(["1000/mV", "-200/mV", "1(5)/uV", "0.5/V", "1e3", "200(-7)", "1e-9/nV", "99999999999/mV"]),
    st.integers(-(10**10), 10**10).map(str),
    st.integers(-40000, 40000).map(str),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    channels=st.lists(FIELDS, min_size=1, max_size=3),
    samples=st.sampled_from(["", "0", "1", "5", "12", "100", "4000000000"]),
    data=st.binary(max_size=120),
)
def test_headers_that_are_nearly_right_end_in_a_record_or_a_refusal(tmp_path, channels, samples, data):
    lines = [
        f"rec.dat {fmt} {gain} 16 {zero} {first} 0 0 V{n + 1}" for n, (fmt, gain, zero, first) in enumerate(channels)
    ]
    (tmp_path / "rec.dat").write_bytes(data)
    (tmp_path / "rec.hea").write_bytes(_header(f"rec {len(lines)} 500 {samples}", *lines))
    try:
        record = load_record(tmp_path / "rec.hea")
    except EcgvizError:
        return
    assert record.signal.shape[0] == len(channels)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_header_or_a_refusal(data):
    try:
        parse_header(data, "x")
    except EcgvizError:
        return


TABLE_CELLS = st.one_of(
    st.sampled_from(["I", "II", "V1", "time", "II [uV]", "mV", "0.1", "nan", "", "1e999", "=1+1", '"', "-"]),
    st.text(max_size=6),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(TABLE_CELLS, min_size=1, max_size=4), max_size=6),
    separator=st.sampled_from([",", ";", "\t"]),
    head=st.sampled_from(["", "# fs: 500\n# unit: mV\n", "# fs: nan\n", "# fs: 1e400\n# unit: V\n"]),
)
def test_any_table_ends_in_a_record_or_a_refusal(tmp_path, rows, separator, head):
    text = head + "\n".join(separator.join(row) for row in rows)
    (tmp_path / "x.csv").write_bytes(text.encode("utf-8", errors="replace"))
    try:
        record = load_record(tmp_path / "x.csv")
    except EcgvizError:
        return
    assert record.fs > 0


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2000), flips=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6))
def test_damaged_npz_ends_in_a_record_or_a_refusal(tmp_path, cut, flips):
    stream = io.BytesIO()
    np.savez(stream, signal=beats_mv(100, 1.0)[:2], fs=100.0, leads=["I", "II"], unit="mV")
    data = bytearray(stream.getvalue()[: max(0, len(stream.getvalue()) - cut)] if cut > 1000 else stream.getvalue())
    for at, value in flips:
        if at < len(data):
            data[at] = value
    (tmp_path / "x.npz").write_bytes(data)
    try:
        record = load_record(tmp_path / "x.npz")
    except EcgvizError:
        return
    assert record.leads


def test_compressed_samples_that_are_damaged_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", signal=beats_mv(100, 1.0), fs=100.0, leads=["I"] * 12, unit="mV")
    (tmp_path / "x.npz").write_bytes(damaged_member((tmp_path / "x.npz").read_bytes(), "signal.npy"))
    with pytest.raises(RecordError, match=r"'x\.npz': this is no NPZ file of plain arrays, or a damaged one"):
        load_record(tmp_path / "x.npz")


def _npz_with(path, head, *, member="signal", data=b""):
    """Write an NPZ of two leads, of which one member's array header is ``head``."""
    np.savez(path, signal=beats_mv(100, 1.0)[:2], fs=100.0, leads=["I", "II"], unit="mV")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    text = head.encode() + b"\n"
    members[f"{member}.npy"] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data
    with zipfile.ZipFile(path, "w") as archive:
        for name, stored in members.items():
            archive.writestr(name, stored)


def _head(descr, shape):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    "head",
    [
        "{'descr': '<f8', (",
        _head("'<f8'", "(True,)"),
        _head("'<f8'", "(-5,)"),
        _head("'<f8'", "-" * 9000 + "1"),
        _head("()", "(1,)"),
        _head("'nope'", "(1,)"),
    ],
)
def test_array_headers_that_are_none_are_refused(tmp_path, head):
    _npz_with(tmp_path / "x.npz", head, data=bytes(8))
    with pytest.raises(RecordError, match=r"'x\.npz': this is no NPZ file of plain arrays, or a damaged one"):
        load_record(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("descr", "shape", "claimed"),
    [
        ("'<f8'", "(99999999999999999999999999,)", "799999999999999999999999992"),
        ("'<f8'", "(1000000000000000,)", "8000000000000000"),
        ("'<f8'", "(3000000000,)", "24000000000"),
        ("'<U0'", "(1000000000000000,)", "1000000000000000"),
    ],
)
@pytest.mark.parametrize("member", ["signal", "leads", "other"])
def test_arrays_that_claim_more_than_they_hold_take_no_memory(tmp_path, descr, shape, claimed, member):
    _npz_with(tmp_path / "x.npz", _head(descr, shape), member=member, data=bytes(8))
    with pytest.raises(
        RecordError, match=rf"'x\.npz': '{member}\.npy' in it claims {claimed} bytes and holds \d+: it is"
    ):
        load_record(tmp_path / "x.npz")


def test_lead_names_in_bytes_that_are_no_text_are_refused(tmp_path):
    arrays = {"signal": beats_mv(100, 1.0)[:2], "fs": 100.0, "unit": "mV"}
    np.savez(tmp_path / "x.npz", leads=np.array([b"I", b"\xff"]), **arrays)
    with pytest.raises(RecordError, match=r"'x\.npz': the field 'leads' holds bytes that are no ASCII text"):
        load_record(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", leads=np.array([b"I", b"V2"]), **arrays)
    assert load_record(tmp_path / "x.npz").leads == ("I", "V2")


def test_samples_packed_with_lzma_that_are_damaged_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", signal=beats_mv(100, 1.0)[:2], fs=100.0, leads=["I", "II"], unit="mV")
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_LZMA) as archive:
        for name, stored in members.items():
            archive.writestr(name, stored)
    data = bytearray((tmp_path / "x.npz").read_bytes())
    for at in range(60, 200):
        data[at] ^= 0x55
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(RecordError, match=r"'x\.npz': this is no NPZ file of plain arrays, or a damaged one"):
        load_record(tmp_path / "x.npz")


class _Poison:
    ran = False

    def __reduce__(self):
        return (setattr, (_Poison, "ran", True))


def test_pickled_objects_are_never_opened(tmp_path):
    np.savez(tmp_path / "x.npz", signal=np.array([_Poison()], dtype=object), fs=500, leads=["I"], unit="mV")
    with pytest.raises(RecordError, match="pickled objects are never opened"):
        load_record(tmp_path / "x.npz")
    (tmp_path / "y.npz").write_bytes(pickle.dumps(_Poison()))
    with pytest.raises(RecordError, match="no NPZ file of plain arrays"):
        load_record(tmp_path / "y.npz")
    assert not _Poison.ran


@pytest.mark.slow
def test_archives_that_unpack_to_too_much_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(f"{n}.npy", bytes(100_000_000))
    with pytest.raises(RecordError, match=r"unpacks to 500000000 bytes \(limit 400000000\)"):
        load_record(tmp_path / "x.npz")
