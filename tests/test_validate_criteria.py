"""Criteria against readers' statements: what the tables state, how a score is counted, and the real recordings."""

from pathlib import Path

import pytest

from ecgviz.criteria import catalogue
from ecgviz.errors import RecordError
from ecgviz.types import Finding
from ecgviz.validate.criteria import ANY, BY_LUDB, _disagreements, _Judged, _row, score, stated_in_ludb


def judged(record: str, stated: bool, *states: str) -> _Judged:
    findings = tuple(Finding("AFIB", "AF", f"d{n}", state, "why", "source", ()) for n, state in enumerate(states))
    return _Judged(record, {"AFIB": stated}, findings)


CASES = (
    judged("a", True, "met", "not_met"),
    judged("b", True, "borderline", "not_met"),
    judged("c", True, "not_evaluable", "not_met"),
    judged("d", False, "not_met", "not_met"),
    judged("e", False, "not_met", "met"),
    judged("f", False, "not_evaluable", "not_evaluable"),
)


def test_rates_are_over_what_could_be_evaluated() -> None:
    row = _row("AFIB", ANY, CASES)
    assert (row.n_positive, row.n_negative, row.open_positive, row.open_negative) == (3, 3, 1, 1)
    assert (row.sensitivity, row.specificity) == (0.5, 0.5)
    assert 0 < row.sensitivity_low < 0.5 < row.sensitivity_high < 1
    assert _row("AFIB", "d1", CASES).sensitivity == 0


def test_every_missed_and_every_false_finding_is_a_disagreement() -> None:
    found = [(one.record, one.stated, one.state) for one in _disagreements("AFIB", CASES)]
    assert found == [("b", True, "borderline"), ("c", True, "not_evaluable"), ("e", False, "met")]


def test_the_words_of_ludb_are_read_from_their_beginning() -> None:
    stated = stated_in_ludb(("Iii degree av-block", "Incomplete right bundle branch block", "Left atrial hypertrophy"))
    assert {name for name, is_so in stated.items() if is_so} == {"3AVB", "IRBBB", "LAO/LAE"}
    assert set(BY_LUDB) <= {one.id for one in catalogue()}


def test_a_folder_of_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"is it the top folder of PTB-XL"):
        score([tmp_path])


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fibrillation_and_blocks_are_found_in_real_recordings(data_dir: Path) -> None:
    found = score([data_dir / "ptbxl", data_dir / "ludb"])
    rows = {row.criterion: row for row in found.rows if row.definition == ANY}
    assert found.n_records > 450
    for name in ("AFIB", "1AVB", "CLBBB", "CRBBB"):
        assert rows[name].sensitivity >= 0.8, name
        assert rows[name].specificity >= 0.98, name
