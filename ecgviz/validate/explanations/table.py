"""The table of the bench: one row a score, with its controls, intervals over records, and rank."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgviz.errors import ExplanationError
from ecgviz.records.write import written_whole
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.validate.explanations.bench import CONTROLS, Part
from ecgviz.validate.explanations.scores import SCORES

LEAST_RECORDS = 100
"""With fewer records that count, methods are not ranked."""
DRAWS = 1000
COUNTED, APART = "counted", "apart"
FILE = "planted.csv"
COLUMNS = (
    *("model", "network", "digest", "finding", "label", "method", "group", "score"),
    *("n_patients", "n_right", "n_counted", "share_retained", "n", "value", "low", "high", "chance"),
    *CONTROLS,
    *("best_control", "excess", "excess_low", "excess_high", "rank", "resolution_ms", "records_per_s", "note"),
)
"""``group`` is "counted", or "apart" for records that do not count. ``n_patients`` were simulated, the network is right
on ``n_right``, ``n_counted`` also move its logit; ``share_retained`` is n_counted / n_patients. ``n`` records have the
score; ``value`` is its mean, with ``low`` and ``high`` its 95 % interval, and the mean of each control stands under its
name. ``excess`` is ``value`` less the best control; ``rank`` 1 is the largest excess of the methods that were run."""


def planted_table(parts: Sequence[Part], *, seed: int = 0) -> pd.DataFrame:
    """Return the long table of the bench, with `COLUMNS`.

    Intervals are percentiles of 1000 bootstrap draws of records, each a patient of its own. A control is compared on
    the records on which both have a score, and the best one, which the map is least above, is chosen anew in each draw,
    so that the interval knows of the choice. Methods are ranked where each has 100 records or more that count; else
    ``note`` says why there is no rank.
    """
    rows = [row for part in parts for group in (COUNTED, APART) for row in _rows(part, group, seed)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    ranked = table[(table.group == COUNTED) & (table.n >= LEAST_RECORDS)]
    places = ranked.groupby(["model", "finding", "score"]).excess.rank(ascending=False, method="min")
    table["rank"] = places.reindex(table.index)
    return table


def _rows(part: Part, group: str, seed: int) -> list[dict[str, Any]]:
    counted = part.screened.counted[list(part.explained)]
    chosen = counted if group == COUNTED else ~counted
    about = {
        "model": part.model.name,
        "network": part.model.net_name,
        "digest": part.model.digest[:12],
        "finding": part.finding,
        "label": part.label,
        "method": part.method,
        "group": group,
        "n_patients": len(part.screened.counted),
        "n_right": int(part.screened.right.sum()),
        "n_counted": int(part.screened.counted.sum()),
        "share_retained": float(part.screened.counted.mean()),
        "resolution_ms": 1000 * _median(part.resolution_s),
        "records_per_s": 1 / _median(part.seconds),
    }
    weights = bootstrap_weights(int(chosen.sum()), seed)
    rows = []
    for column, score in enumerate(SCORES):
        scores = part.scores[chosen][:, :, column]
        found = excess(scores, weights)
        by_chance = part.chance[chosen][:, column]
        scored = np.isfinite(scores[:, 0])
        base = float(by_chance[scored].mean()) if scored.any() else np.nan
        note = _note(part, group, found["n"])
        rows.append(about | {"score": score, "chance": base, "note": note} | found)
    return rows


def bootstrap_weights(n: int, seed: int) -> FloatArray:
    """Return how often each of n records is drawn, (DRAWS, n), when n are drawn with replacement."""
    if n == 0:
        return np.zeros((DRAWS, 0))
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)


def excess(scores: FloatArray, weights: FloatArray) -> dict[str, Any]:
    """Return the mean of a score, those of its controls, and what it is above the best of them, with intervals.

    ``scores`` (n, 1 + controls) has the map's own in its first column, NaN where there is none; ``weights`` (D, n) are
    those of `bootstrap_weights`. Only records on which the map itself has a score count, and against a control those
    on which it has one, too.
    """
    scored = np.isfinite(scores[:, 0])
    known = np.isfinite(scores) & scored[:, None]
    means = _means(scores, known, np.ones((1, len(scores))))[0]
    draws = _means(scores, known, weights)
    found: dict[str, Any] = {"n": int(scored.sum()), "value": float(means[0])}
    found |= dict(zip(("low", "high"), _interval(draws[:, 0]), strict=True))
    found |= dict(zip(CONTROLS, means[1:].tolist(), strict=True))
    apart = scores[:, :1] - scores[:, 1:]
    both = np.isfinite(apart)
    if not both.any():
        return found | {"best_control": "", "excess": np.nan, "excess_low": np.nan, "excess_high": np.nan}
    above = _means(apart, both, np.ones((1, len(scores))))[0]
    drawn = _means(apart, both, weights)
    low, high = _interval(np.where(np.isfinite(drawn), drawn, np.inf).min(axis=1))
    best = int(np.nanargmin(above))
    return found | {
        "best_control": CONTROLS[best],
        "excess": float(above[best]),
        "excess_low": low,
        "excess_high": high,
    }


def _means(scores: FloatArray, known: BoolArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean of each column over its known records, (D, columns); NaN without any."""
    total = weights @ np.where(known, scores, 0.0)
    n = weights @ known.astype(float)
    return np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)


def _interval(draws: FloatArray) -> tuple[float, float]:
    defined = draws[np.isfinite(draws)]
    if not defined.size:
        return np.nan, np.nan
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def _note(part: Part, group: str, n: int) -> str:
    if n == 0 and part.refusals:
        return part.refusals[0]
    if n == 0:
        return "no such record" if group == APART or not part.screened.counted.any() else "the map cannot answer"
    if group == APART:
        return "not counted: the network is wrong, or hardly moved by the finding"
    return "" if n >= LEAST_RECORDS else f"{n} records count, fewer than {LEAST_RECORDS}: no rank"


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def save_planted(table: pd.DataFrame, out: Path) -> Path:
    """Write the table as ``planted.csv`` into a folder and return its path; it appears whole or not at all."""
    with written_whole(out / FILE) as part:
        table.to_csv(part, index=False)
    return out / FILE


def load_planted(path: str | Path) -> pd.DataFrame:
    """Read the table that `save_planted` wrote, from its file or its folder.

    Raises
    ------
    ExplanationError
        When there is none, or it is not such a table.
    """
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise ExplanationError(f"there is no table {path}; ecgviz validate explanations --out writes one")
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values={c: [""] for c in COLUMNS if c not in _TEXT})
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ExplanationError(f"{path} cannot be read as a table of the bench: {error}") from error
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise ExplanationError(f"{path} is no table of the bench: it lacks the column {missing[0]}")
    return table


_TEXT = ("model", "network", "digest", "finding", "label", "method", "group", "score", "best_control", "note")
