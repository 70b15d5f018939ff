"""Uploads are parsed elsewhere: what is hostile ends in a sentence, what is sound comes back unchanged."""

import io
import os
import stat
import tempfile
import zipfile

import numpy as np
import pytest
from ecg_files import LEADS, beats_mv, write_wfdb

from ecgviz.errors import RecordError
from ecgviz.records import isolate, load_record
from ecgviz.records.isolate import load_upload


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_header_and_signal_file_come_back_as_from_disk(tmp_path):
    header = write_wfdb(
        tmp_path, beats_mv(500), name="Jane_Miller", comments=("#Age: 74", "#Sex: Male", "#Dx: 59118001")
    )
    record = load_upload(_files(tmp_path))
    on_disk = load_record(header)
    assert record.key == on_disk.key
    assert (record.id, record.leads, record.codes) == (on_disk.id, LEADS, ("59118001",))
    assert "Miller" not in repr(record)


def test_table_and_archive_with_what_the_user_states():
    signal = np.round(beats_mv(250, 2.0), 3)
    text = "\n".join([",".join(LEADS), *(",".join(f"{v:.3f}" for v in row) for row in signal.T)])
    table = load_upload({"x.csv": text.encode()}, fs=250, unit="mV", age_years=61, sex="female")
    archive = load_upload({"x.npz": _npz(signal=signal, leads=LEADS)}, fs=250, unit="mV", age_years=61, sex="female")
    for record in (table, archive):
        np.testing.assert_allclose(record.signal, signal, atol=1e-6)
        assert (record.fs, record.age_years, record.sex) == (250, 61, "female")
        assert record.assumptions == (
            "rate of 250 Hz entered by the user, the file states none",
            "unit 'mV' entered by the user, the file states none",
            "age of 61 years entered by the user",
            "sex 'female' entered by the user",
        )


def test_refusals_of_the_readers_name_the_uploaded_file():
    with pytest.raises(RecordError, match=r"^'visit\.csv': no unit is stated; give mV"):
        load_upload({"visit.csv": b"# fs: 100\nI,II\n0,1\n1,0\n"})


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({}, "0 files were uploaded; one recording has 1 to 4"),
        ({f"{n}.dat": b"" for n in range(5)}, "5 files were uploaded"),
        ({"x.csv": bytes(50_000_001)}, r"50 MB were uploaded \(limit 50 MB\)"),
        ({"../x.csv": b""}, r"'\.\./x\.csv' is no plain file name"),
        ({"/etc/x.csv": b""}, "is no plain file name"),
        ({"..\\x.csv": b""}, "is no plain file name"),
        ({"C:x.csv": b""}, "is no plain file name"),
        ({"x\x00.csv": b""}, r"'x\?\.csv' is no plain file name"),
        ({"a" * 300 + ".csv": b""}, "is no plain file name"),
        ({"x.dat": b""}, r"'x\.dat': upload its header \(\.hea\) together with it"),
        ({"x.csv": b"", "y.csv": b""}, "upload one recording"),
        ({"x.hea": b"x 1 500 1\ny.dat 16 1/mV 16 0 0 0 0 II"}, r"'x\.hea': upload 'y\.dat' too"),
        ({"x.hea": b"x 1 500 1\nx.hea 16 1/mV 16 0 0 0 0 II"}, r"upload 'x\.hea' too"),
        ({"x.hea": b"x 1 500 1\n../y.dat 16 1/mV 16 0 0 0 0 II"}, "not the plain name of a file"),
        (
            {"x.hea": b"x 1 500 9\ny.dat 16 1/mV 16 0 0 0 0 II", "y.dat": b"12"},
            r"'x\.hea': .* holds 2 bytes where the header's 9",
        ),
        ({"x.pdf": b"%PDF"}, r"'x\.pdf': upload its header"),
    ],
)
def test_uploads_that_are_no_recording_are_refused(files, match):
    with pytest.raises(RecordError, match=match):
        load_upload(files)


def test_of_several_signal_files_the_one_that_was_cut_is_named_as_its_owner_calls_it():
    header = b"x 2 500 9\nrecord_1.dat 16 1/mV 16 0 0 0 0 II\nlimb.dat 16 1/mV 16 0 0 0 0 V2"
    with pytest.raises(RecordError, match=r"'x\.hea': 'limb\.dat' holds 2 bytes where"):
        load_upload({"x.hea": header, "record_1.dat": bytes(18), "limb.dat": b"12"})


@pytest.mark.slow
def test_a_file_that_eats_memory_ends_in_the_child():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, size in (("signal", 390_000_000),):
            head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': (1, {size}), }}".ljust(117) + "\n"
            archive.writestr(
                f"{name}.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + bytes(size)
            )
        archive.writestr("leads.npy", _member(np.array(["II"])))
    with pytest.raises(RecordError, match=r"'x\.npz': reading it .*1\.5 GB"):
        load_upload({"x.npz": stream.getvalue()}, fs=500, unit="mV")


def _member(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_a_file_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(isolate, "WALL_S", 0.05)
    with pytest.raises(RecordError, match=r"'x\.csv': reading took more than 0 s and was stopped"):
        load_upload({"x.csv": b"# fs: 100\n# unit: mV\nI,II\n0,1\n1,0\n"})


def test_a_child_that_dies_leaves_a_sentence(monkeypatch):
    monkeypatch.setattr(isolate.sys, "executable", "/bin/false")
    with pytest.raises(RecordError, match=r"'x\.csv': reading it broke the limits .* nothing was kept"):
        load_upload({"x.csv": b"# fs: 100\n# unit: mV\nI,II\n0,1\n1,0\n"})


def test_private_copies_are_gone_afterwards(monkeypatch, tmp_path):
    seen = []
    run = isolate._run_child

    def watched(folder, main):
        seen.append((folder, stat.S_IMODE(os.stat(folder).st_mode), sorted(os.listdir(folder))))
        run(folder, main)

    monkeypatch.setattr(isolate, "_run_child", watched)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    load_upload({"Jane_Miller.csv": b"# fs: 100\n# unit: mV\nI,II\n0,1\n1,0\n"})
    ((folder, mode, names),) = seen
    assert mode == 0o700
    assert names == ["record.csv", "request.json"]
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
@pytest.mark.parametrize("number", [2, 100, 101])
def test_a_recording_of_ludb_without_its_table_has_the_same_millivolts(data_dir, number):
    folder = data_dir / "ludb" / "data"
    record = load_upload(
        {f"{number}{suffix}": (folder / f"{number}{suffix}").read_bytes() for suffix in (".hea", ".dat")}
    )
    whole = load_record(folder / f"{number}.hea")
    assert (record.key, record.age_years, record.sex) == (whole.key, whole.age_years, whole.sex)
    assert any("taken for a recording of LUDB" in said for said in record.assumptions)


@pytest.mark.data
def test_real_files_upload_as_they_load(data_dir):
    for stem in ("formats/s0010_re", "formats/chapman_ningbo/JS00001", "formats/100"):
        header = data_dir / f"{stem}.hea"
        files = {
            path.name: path.read_bytes() for path in header.parent.glob(f"{header.stem}.*") if path.suffix != ".atr"
        }
        assert load_upload(files).key == load_record(header).key
