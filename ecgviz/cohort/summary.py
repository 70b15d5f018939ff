"""Tables over the records of a store: agreement with guidelines, verdicts, criteria ignored, and where maps part.

Every mean has a 95 % interval by patient. Records in which the guideline points nowhere, or a map cannot be judged,
are counted and left out of means.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ecgviz.cohort.class_map import CONTROLS, by_wave, class_map, place_p, shares_of
from ecgviz.cohort.question import Question, grouping
from ecgviz.cohort.resample import above_best, resampled
from ecgviz.cohort.schema import LEADS
from ecgviz.cohort.store import Cohort, lists, matrices
from ecgviz.types import ATOMS, WAVES
from ecgviz.types.arrays import FloatArray

VERDICTS = ("agrees", "partly", "disagrees", "not assessable")
IN_PHASE = 0.1
"""A map passes the test of time of a cohort where at most this part of all its shifts holds as much: with the waves'
tolerance to either side, a map that does lie on them seldom reaches a twentieth."""
LEAST = 10
"""Fewer records are too few for a word on a criterion."""
HELD = ("share", *(f"{column}_share" for column in CONTROLS))
"""A map's share of a region, and those of the controls, which `above_best` holds it against."""


def _shares(controls: str) -> str:
    """Return the expressions of the controls' shares in a column that lists them."""
    return ", ".join(
        f"list_filter({controls}, lambda c: c.name = '{name}')[1].share AS {column}_share"
        for column, name in CONTROLS.items()
    )


def agreement(cohort: Cohort, question: Question, *, by: str | None = None, seed: int = 0) -> pd.DataFrame:
    """Return how much of the maps lies in the guideline's region, beside the best control, for each member of a group.

    Columns: ``member``; ``n_records`` of the question and ``n`` that can be judged, of ``n_patients``; ``share`` with
    its interval, ``area`` (what an even spread would get); ``best_control``, ``control_share``, ``excess`` over it with
    its interval (on the records on which both have a share; the best control, which the maps are least above, is chosen
    anew in each draw); ``p_place`` (see `class_map`), ``p_time``; and
    the shares of each verdict with intervals.

    ``p_time`` asks whether more patients than one in ten have a record of which at most a tenth of all shifts in time
    holds as much (`p_phase`): maps that lie at any phase of the beats by chance do so in one patient of ten. Of several
    records of a patient the least convincing counts, since they are not independent.
    """
    columns = ["patient", "evidence", "share", "area", "p_phase", "pos", "region", f"{grouping(by)} AS member"]
    table = question.rows(cohort, *columns, _shares("controls"))
    members = np.asarray(table.column("member").to_pylist(), dtype=np.str_)
    rows = [
        {"member": member} | _agreement(table.filter(members == member), seed)
        for member in sorted(set(members.tolist()))
    ]
    return pd.DataFrame(rows)


def _agreement(table: Any, seed: int) -> dict[str, Any]:
    scores = np.stack([_numbers(table, name) for name in HELD], axis=1)
    patients = np.asarray(table.column("patient").to_pylist(), dtype=np.str_)
    judged = np.isfinite(scores[:, 0])
    means = resampled(scores[judged], patients[judged], seed)
    over, low, high, best = above_best(scores[judged], patients[judged], seed)
    share, region = shares_of(matrices(table, "pos")[judged]), matrices(table, "region")[judged]
    verdicts = np.asarray(table.column("evidence").to_pylist(), dtype=np.str_)
    shares = resampled(np.stack([verdicts == each for each in VERDICTS], axis=1).astype(float), patients, seed)
    found = {
        "n_records": table.num_rows,
        "n": int(judged.sum()),
        "n_patients": len(set(patients[judged].tolist())),
        **_interval("share", means, 0),
        "area": float(np.mean(_numbers(table, "area")[judged])) if judged.any() else np.nan,
        "best_control": list(CONTROLS.values())[best] if np.isfinite(over) else "",
        "control_share": float(means.mean[1 + best]) if np.isfinite(over) else np.nan,
        "excess": over,
        "excess_low": low,
        "excess_high": high,
        "p_place": place_p(share, region) if judged.any() else np.nan,
        "p_time": _p_time(_numbers(table, "p_phase")[judged], patients[judged]),
    }
    for column, verdict in enumerate(VERDICTS):
        found |= _interval(verdict.replace(" ", "_"), shares, column)
    return found


def _p_time(p: FloatArray, patients: Sequence[str] | Any) -> float:
    worst: dict[str, float] = {}
    for patient, value in zip(patients, p, strict=True):
        if np.isfinite(value):
            worst[patient] = max(worst.get(patient, 0.0), float(value))
    if not worst:
        return np.nan
    passed = sum(value <= IN_PHASE for value in worst.values())
    return float(binomtest(passed, len(worst), IN_PHASE, alternative="greater").pvalue)


def criteria(cohort: Cohort, question: Question, *, seed: int = 0) -> pd.DataFrame:
    """Return each definition of the label's criteria that is met, and whether the network's evidence uses its place.

    ``excess`` is the mean share of the maps in the definition's own primary region above that of the best control
    there, with its interval, as in `agreement`. ``used`` is "yes" where the whole interval is above 0 and the share
    above the area, "no" (ignored) where the whole interval is below 0 or that of the share below the area, else "open";
    "few" for fewer than 10 records.
    """
    condition, parameters = question.condition()
    found = cohort.arrow(
        f"SELECT patient, f.criterion, f.definition, f.share, f.area, {_shares('f.controls')} FROM "  # noqa: S608
        f"(SELECT patient, unnest(findings) AS f FROM cohort WHERE {condition}) "
        "WHERE f.state = 'met' AND f.share IS NOT NULL AND len(f.controls) > 0",
        parameters,
    )
    named = list(zip(found["criterion"].to_pylist(), found["definition"].to_pylist(), strict=True))
    patients = np.asarray(found["patient"].to_pylist(), dtype=np.str_)
    scores, area = np.stack([_numbers(found, name) for name in HELD], axis=1), _numbers(found, "area")
    rows = []
    for one in sorted(set(named)):
        chosen = np.array([each == one for each in named])
        means = resampled(scores[chosen], patients[chosen], seed)
        beside = resampled(np.stack([area, scores[:, 0] - area], axis=1)[chosen], patients[chosen], seed)
        over, low, high, best = above_best(scores[chosen], patients[chosen], seed)
        rows.append(
            {
                "criterion": one[0],
                "definition": one[1],
                "n": int(chosen.sum()),
                "share": float(means.mean[0]),
                "area": float(beside.mean[0]),
                "control_share": float(means.mean[1 + best]),
                "excess": over,
                "excess_low": low,
                "excess_high": high,
                "used": _used(int(chosen.sum()), (low, high), (float(beside.low[1]), float(beside.high[1]))),
            }
        )
    columns = ("criterion", "definition", "n", "share", "area", "control_share", "excess", "excess_low", "excess_high")
    return pd.DataFrame(rows, columns=[*columns, "used"])


def _used(n: int, over_control: tuple[float, float], over_area: tuple[float, float]) -> str:
    if n < LEAST:
        return "few"
    (low, high), (area_low, area_high) = over_control, over_area
    if high < 0 or area_high < 0:
        return "no"
    return "yes" if low > 0 and area_low > 0 else "open"


def parted(cohort: Cohort, question: Question, other: str, *, seed: int = 0) -> pd.DataFrame:
    """Return where the maps of two methods part on the same records: each place, with the difference of the shares.

    Parameters
    ----------
    question : Question
        The network, the first method, the label and the records.
    other : str
        The second method.

    Returns
    -------
    DataFrame
        ``place`` ("together", then each lead and each wave), ``first`` and ``second`` (mean shares), ``difference``
        (first less second) with its interval, ``clear`` where that excludes 0. "together" is the overlap of both maps,
        1 where they are the same (the sum over cells of the smaller share), in the column ``first``; NaN for maps
        without such cells. A place that one of the maps cannot tell is left out.
    """
    condition, parameters = question.condition()
    sides = ", ".join(
        f"{side}.{name} AS {side}_{name}" for side in ("a", "b") for name in ("pos", "by_lead", "by_atom")
    )
    table = cohort.arrow(
        f"WITH b AS (SELECT record, pos, by_lead, by_atom FROM rows WHERE model = ? AND method = ? AND label = ?), "  # noqa: S608
        f"a AS (SELECT record, patient, pos, by_lead, by_atom FROM cohort WHERE {condition}) "
        f"SELECT a.patient, {sides} FROM a JOIN b USING (record) ORDER BY record",
        [question.model, other, question.label, *parameters],
    )
    patients = np.asarray(table.column("patient").to_pylist(), dtype=np.str_)
    first, second = ({"lead": _leads(table, side), "wave": _waves(table, side)} for side in ("a", "b"))
    rows = [_together(table, patients, seed)]
    for kind, names in (("lead", LEADS), ("wave", tuple(WAVES))):
        known = np.isfinite(first[kind]).any() and np.isfinite(second[kind]).any()
        for column, name in enumerate(names if known else ()):
            pair = np.stack([first[kind][:, column], second[kind][:, column]], axis=1)
            pair[np.isnan(pair).any(axis=1)] = np.nan
            if not np.isfinite(pair).any():
                continue  # a lead that one of the maps does not have
            means = resampled(np.column_stack([pair, pair[:, 0] - pair[:, 1]]), patients, seed)
            told = {"place": name, "first": float(means.mean[0]), "second": float(means.mean[1])}
            rows.append(
                told | _interval("difference", means, 2) | {"clear": bool(means.low[2] > 0 or means.high[2] < 0)}
            )
    return pd.DataFrame(rows)


def _together(table: Any, patients: Any, seed: int) -> dict[str, Any]:
    first, second = (shares_of(matrices(table, f"{side}_pos")) for side in ("a", "b"))
    both = np.isfinite(first).any(axis=(1, 2)) & np.isfinite(second).any(axis=(1, 2))
    overlap = np.where(both, np.nansum(np.minimum(first, second), axis=(1, 2)), np.nan)
    means = resampled(overlap[:, None], patients, seed)
    told = {"place": "together", "first": float(means.mean[0]), "second": np.nan, "difference": np.nan}
    return told | {"difference_low": float(means.low[0]), "difference_high": float(means.high[0]), "clear": False}


def _leads(table: Any, side: str) -> FloatArray:
    return lists(table, f"{side}_by_lead", len(LEADS))


def _waves(table: Any, side: str) -> FloatArray:
    return by_wave(lists(table, f"{side}_by_atom", len(ATOMS)))


def _interval(name: str, means: Any, column: int) -> dict[str, float]:
    ends = (means.mean[column], means.low[column], means.high[column])
    return {f"{name}{end}": float(value) for end, value in zip(("", "_low", "_high"), ends, strict=True)}


def _numbers(table: Any, column: str) -> FloatArray:
    return np.array([np.nan if value is None else value for value in table.column(column).to_pylist()], dtype=float)


__all__ = ["agreement", "class_map", "criteria", "parted"]
