"""A local library: ids that are no paths, what its folders say of each recording, and what is not let in."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgviz.cohort.folder import recordings
from ecgviz.errors import RecordError
from ecgviz.records import load_record
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.records.library import open_library

PTBXL = ("ecg_id", "patient_id", "age", "sex", "strat_fold", "scp_codes", "filename_lr", "filename_hr")


def ecg_csv(path: Path) -> Path:
    record = load_record("demo:normal")
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"# fs: 250\n# unit: mV\n{','.join(STANDARD_LEADS)}"
    np.savetxt(path, record.signal[:, ::2].T, delimiter=",", fmt="%.3f", header=head, comments="")
    return path


def ptbxl_folder(folder: Path) -> Path:
    """Return a folder with PTB-XL's tables, one recording at both rates, one at 100 Hz, one that is missing."""
    rows = [
        (7, 1, 63, 1, 3, "{'IMI': 100.0, 'SR': 0.0}", "records100/7_lr", "records500/7_hr"),
        (8, 2, 300, 0, 3, "{'NORM': 80.0}", "records100/8_lr", "records500/8_hr"),
        (9, 3, 20, 0, 3, "{'NORM': 80.0}", "records100/9_lr", "records500/9_hr"),
    ]
    folder.mkdir()
    lines = [",".join(PTBXL), *(",".join(f'"{cell}"' for cell in row) for row in rows)]
    (folder / "ptbxl_database.csv").write_text("\n".join(lines) + "\n")
    (folder / "scp_statements.csv").write_text(",diagnostic,diagnostic_class\nIMI,1.0,MI\nNORM,1.0,NORM\nSR,,\n")
    for name in ("records500/7_hr", "records100/7_lr", "records100/8_lr"):
        header = folder / f"{name}.hea"
        header.parent.mkdir(exist_ok=True)
        header.write_text(f"{header.stem} 1 500 5000\n{header.stem}.dat 16 1000/mV 16 0 0 0 0 II\n")
    return folder


def test_published_recordings_have_their_published_ids_and_labels(tmp_path: Path) -> None:
    library = open_library([ptbxl_folder(tmp_path / "ptbxl")])
    assert list(library.entries) == ["ptbxl-00007", "ptbxl-00008"]
    first, second = library.entries.values()
    assert first.labels == ("MI", "IMI", "SR")
    assert (first.age_years, first.sex, second.age_years) == (63.0, "female", 90.0)
    assert first.path is not None
    assert first.path.stem == "7_hr"
    assert library.left_out == ("1 recordings of PTB-XL's table are not in its folder",)


def test_an_id_tells_nothing_of_a_files_name_and_opens_the_file(tmp_path: Path) -> None:
    path = ecg_csv(tmp_path / "ward" / "Erika Mustermann" / "1954-03-02.csv")
    library = open_library([tmp_path])
    ((entry_id, entry),) = library.entries.items()
    assert entry.path == path
    assert re.fullmatch("file-[0-9a-f]{16}", entry_id)
    assert [each.id for each in recordings(tmp_path)] == [entry_id]
    assert not any(word in entry_id.lower() for word in ("erika", "muster", "1954"))
    assert library.record(entry_id).key == load_record(path).key
    assert list(open_library([tmp_path]).entries) == [entry_id]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = ecg_csv(tmp_path / "outside" / "a.csv")
    inside = tmp_path / "inside"
    ecg_csv(inside / "own.csv")
    (inside / "link.csv").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent, target_is_directory=True)
    assert [each.path.name for each in open_library([inside]).entries.values() if each.path] == ["own.csv"]


def test_a_table_names_no_recordings_outside_of_its_folder(tmp_path: Path) -> None:
    folder = ptbxl_folder(tmp_path / "ptbxl")
    table = folder / "ptbxl_database.csv"
    own = table.read_text()
    outside = tmp_path / "outside" / "7_hr.hea"
    outside.parent.mkdir()
    shutil.copy(folder / "records500" / "7_hr.hea", outside)
    table.write_text(own.replace("records500/7_hr", str(outside.with_suffix(""))))
    for listing in (lambda: open_library([folder]), lambda: recordings(folder, 500)):
        with pytest.raises(RecordError, match="which is no plain path within the folder"):
            listing()


def test_a_cohort_follows_no_link_to_a_recording(tmp_path: Path) -> None:
    folder = ptbxl_folder(tmp_path / "ptbxl")
    header = folder / "records100" / "7_lr.hea"
    header.rename(tmp_path / "7_lr.hea")
    header.symlink_to(tmp_path / "7_lr.hea")
    assert [each.id for each in recordings(folder)] == ["ptbxl-00008"]


@pytest.mark.parametrize("wanted", ["../outside/a", "/etc/passwd", "file-0000000000", "own.csv", "", "demo:normal"])
def test_only_ids_of_the_list_open_anything(tmp_path: Path, wanted: str) -> None:
    ecg_csv(tmp_path / "own.csv")
    with pytest.raises(RecordError, match=r"there is no recording .* in the library"):
        open_library([tmp_path]).record(wanted)


def test_a_folder_that_is_none_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is no folder; name a folder of recordings"):
        open_library([tmp_path / "not there"])
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(RecordError, match="holds no recording"):
        open_library([tmp_path])


def test_a_recording_that_two_folders_hold_is_listed_once(tmp_path: Path) -> None:
    first = ptbxl_folder(tmp_path / "one")
    second = tmp_path / "two"
    shutil.copytree(first, second / "again")
    ecg_csv(second / "own.csv")
    library = open_library([first, second])
    assert len(library.entries) == 3
    assert "ptbxl-00007 is there twice; the first is listed" in library.left_out


@pytest.mark.data
def test_the_folders_of_ptbxl_and_ludb_are_found_below_their_parent(data_dir: Path) -> None:
    library = open_library([data_dir])
    assert {entry.source for entry in library.entries.values()} == {"PTB-XL", "LUDB", "files"}
    assert library.record("ptbxl-00001").id == "ptbxl-00001"
    assert library.record(next(name for name in library.entries if name.startswith("ludb-"))).id.startswith("ludb-")


def same_named(tmp_path: Path) -> list[Path]:
    """Return two folders called "ecgs", each with a recording called "a.csv", and one of another name."""
    for ward, gain in (("ward1", 1.0), ("ward2", 2.0)):
        path = ecg_csv(tmp_path / ward / "ecgs" / "a.csv")
        head, *lines = path.read_text().split("V6\n")
        values = gain * np.loadtxt(lines[0].splitlines(), delimiter=",")
        path.write_text(f"{head}V6\n" + "\n".join(",".join(f"{each:.3f}" for each in row) for row in values))
    ecg_csv(tmp_path / "ward3" / "others" / "a.csv")
    return [tmp_path / "ward1" / "ecgs", tmp_path / "ward2" / "ecgs", tmp_path / "ward3" / "others"]


def test_folders_of_one_name_keep_all_their_recordings_in_any_order(tmp_path: Path) -> None:
    folders = same_named(tmp_path)
    library, backwards = open_library(folders), open_library(folders[::-1])
    assert library.left_out == backwards.left_out == ()
    paths = {each.id: each.path for each in library.entries.values()}
    assert sorted(paths.values()) == [folder / "a.csv" for folder in folders]
    assert {each.id: each.path for each in backwards.entries.values()} == paths
    assert not any(word in " ".join(paths) for word in ("ward", "ecgs", "/"))


def test_a_folder_whose_name_no_other_has_keeps_the_ids_that_it_has_alone(tmp_path: Path) -> None:
    first, second, other = same_named(tmp_path)
    (alone,) = open_library([other]).entries
    together = open_library([first, second, other]).entries
    assert together[alone].path == other / "a.csv"
    (once,) = open_library([first]).entries
    assert once not in together  # an address of before opens nothing rather than the other ward's recording


def test_a_folder_in_a_folder_of_a_taken_name_is_no_other_recording(tmp_path: Path) -> None:
    inner = ecg_csv(tmp_path / "x" / "a" / "b" / "f.csv")
    named = ecg_csv(tmp_path / "y" / "a" / "b" / "f.csv")
    third = ecg_csv(tmp_path / "z" / "c" / "b" / "f.csv")
    library = open_library([inner.parents[1], named.parent, third.parent])
    assert sorted(each.path for each in library.entries.values() if each.path) == [inner, named, third]


def test_the_same_folder_named_twice_is_one(tmp_path: Path) -> None:
    ecg_csv(tmp_path / "ecgs" / "a.csv")
    with pytest.raises(RecordError, match="holds no recording that is not listed already"):
        open_library([tmp_path / "ecgs", tmp_path / "." / "ecgs"])
