"""Criteria against readers' statements: what the tables state, how a score is counted, and the real recordings."""

from pathlib import Path

import numpy as np
import pytest

from ecgviz.criteria import catalogue, evaluate
from ecgviz.errors import RecordError
from ecgviz.types import Finding
from ecgviz.validate.causes import CAUSES, by_cause, likely_cause
from ecgviz.validate.criteria import ANY, BY_LUDB, _disagreements, _Judged, _row, score, stated_in_ludb
from tests.criteria_subjects import beats, measurements


def judged(record: str, stated: bool, *states: str) -> _Judged:
    findings = tuple(Finding("AFIB", "AF", f"d{n}", state, "why", "source", ()) for n, state in enumerate(states))
    return _Judged(record, {"AFIB": stated}, findings, f"patient {record}")


CASES = (
    judged("a", True, "met", "not_met"),
    judged("b", True, "borderline", "not_met"),
    judged("c", True, "not_evaluable", "not_met"),
    judged("d", False, "not_met", "not_met"),
    judged("e", False, "not_met", "met"),
    judged("f", False, "not_evaluable", "not_evaluable"),
)


def test_rates_are_over_what_could_be_evaluated() -> None:
    row = _row("AFIB", ANY, CASES, 1)
    assert (row.n_positive, row.n_negative, row.open_positive, row.open_negative) == (3, 3, 1, 1)
    assert (row.sensitivity, row.specificity) == (0.5, 0.5)
    assert 0 < row.sensitivity_low < 0.5 < row.sensitivity_high < 1
    assert _row("AFIB", "d1", CASES, 1).sensitivity == 0


def test_every_missed_and_every_false_finding_is_a_disagreement() -> None:
    found = list(_disagreements("AFIB", CASES))
    told = [(one.record, one.stated, one.state) for one in found]
    assert told == [("b", True, "borderline"), ("c", True, "not_evaluable"), ("e", False, "met")]
    assert by_cause(found) == {"AFIB": {(True, "near a limit"): 1, (True, "not measured"): 1, (False, "not named"): 1}}


def asked(label: str, values: dict[str, float]) -> tuple[Finding, ...]:
    return evaluate(label, measurements(values), beats(), age_years=60, sex="male")


@pytest.mark.parametrize(
    ("pr_ms", "stated", "state", "cause"),
    [
        (192.0, True, "borderline", "near a limit"),
        (184.0, True, "not_met", "near a limit"),
        (160.0, True, "not_met", "rule or label"),
        (np.nan, True, "not_evaluable", "not measured"),
        (215.0, False, "met", "near a limit"),
        (260.0, False, "met", "not named"),
    ],
)
def test_the_likely_cause_follows_from_how_far_the_limit_is(pr_ms: float, stated: bool, state: str, cause: str) -> None:
    findings = asked("LPR", {"pr_ms": pr_ms})
    assert [finding.state for finding in findings] == [state]
    assert likely_cause(stated, state, findings) == cause
    assert cause in CAUSES


def test_what_another_finding_bars_was_not_judged() -> None:
    fibrillating = asked("LPR", {"nrmssd": 0.3, "p_fraction": 0.0, "pr_ms": np.nan})
    assert likely_cause(True, "not_evaluable", fibrillating) == "not judged"


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
