"""The table of the bench for people: one HTML file that needs nothing else."""

import base64
import html
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from ecgviz import NOTICE, __version__
from ecgviz.validate.explanations.scores import SCORES
from ecgviz.validate.explanations.screen import LEAST_MOVE
from ecgviz.validate.explanations.table import APART, COUNTED, LEAST_RECORDS

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body { font: 14px/1.4 Arial, Helvetica, sans-serif; color: #111; margin: 2em; max-width: 110em }
table { border-collapse: collapse; margin: 0.5em 0 1.5em } img { max-width: 100% }
th, td { border: 1px solid #bbb; padding: 0.2em 0.6em; text-align: left; vertical-align: top }
th { background: #f2f2f2 } td.won { background: #fdebd0 } td.few { color: #4d4d4d; font-style: italic }
p { max-width: 60em } .notice { border: 1px solid #8a1c1c; padding: 0.4em 0.8em; color: #8a1c1c }
"""


def planted_page(table: pd.DataFrame, left_out: Sequence[str], svg: str = "") -> str:
    """Return the bench's table as HTML text: who was scored, each score by finding and method, speeds, what is missing.

    Every text is escaped. ``svg`` is a figure to stand above the tables.
    """
    body = [
        "<h1>Do explanations find what was planted?</h1>",
        f'<p class="notice">{_safe(NOTICE)}</p>',
        *(f"<p>{_safe(sentence)}</p>" for sentence in _said()),
        _image(svg) if svg else "",
    ]
    for model, rows in table.groupby("model", sort=False):
        body += [f"<h2>{_safe(model)}</h2>", _patients(rows), *_scores(rows), "<h3>Speed</h3>", _speeds(rows)]
    body += ["<h2>Left out</h2>", "<ul>", *(f"<li>{_safe(sentence)}</li>" for sentence in left_out), "</ul>"]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="generator" content="ecgviz {_safe(__version__)}">'
        f"<title>Planted truth</title><style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _said() -> tuple[str, ...]:
    return (
        "Each record is simulated: where its evidence lies is known. It counts where the network calls the finding, "
        "does not call it in the same record without the finding, and its logit falls by "
        f"{LEAST_MOVE:g} or more when the finding is taken out. What does not count is scored apart.",
        "A cell holds the mean score and, in brackets, what it is above the best control (|x|, |dx/dt|, the same "
        "method on networks with random weights, the same map shifted in time), with its 95 % interval over records. "
        "Coloured: the whole interval is above 0. In italics: fewer than "
        f"{LEAST_RECORDS} records count, and nothing is ranked. A dash: the map cannot answer.",
        "Scored is the supporting mass of a map, its positive part; of slopes (saliency and its kin) their size.",
        "High scores say that a map lies where evidence was planted; that the network used that place alone is not "
        "shown by them.",
    )


def _patients(rows: pd.DataFrame) -> str:
    columns = ("finding", "label", "patients", "network right", "count", "share retained")
    lines = []
    for row in rows.drop_duplicates("finding").to_dict("records"):
        counts = (row["n_patients"], row["n_right"], row["n_counted"], f"{100 * row['share_retained']:.0f} %")
        lines.append((row["finding"], row["label"], *counts))
    return _table(columns, lines)


def _scores(rows: pd.DataFrame) -> list[str]:
    made = []
    for group, title in ((COUNTED, ""), (APART, ", records that do not count")):
        for score, what in SCORES.items():
            some = rows[(rows.group == group) & (rows.score == score) & (rows.n > 0)]
            if some.empty:
                continue
            made.append(f"<h3>{_safe(score)}{title}</h3><p>{_safe(what)}</p>")
            made.append(_matrix(some))
    return made


def _matrix(rows: pd.DataFrame) -> str:
    methods, findings = list(dict.fromkeys(rows.method)), list(dict.fromkeys(rows.finding))
    cells = {(row["finding"], row["method"]): row for row in rows.to_dict("records")}
    lines = []
    for finding in findings:
        chances = {f"{cells[finding, m]['chance']:.2f}" for m in methods if (finding, m) in cells}
        lines.append(
            f"<tr><th>{_safe(finding)}</th><td>{_safe(', '.join(sorted(chances)))}</td>"
            + "".join(_cell(cells.get((finding, method))) for method in methods)
            + "</tr>"
        )
    head = "".join(f"<th>{_safe(name)}</th>" for name in ("finding", "chance", *methods))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _cell(row: Mapping[Hashable, Any] | None) -> str:
    if row is None:
        return "<td>–</td>"
    value, over, low, high, n = (row[name] for name in ("value", "excess", "excess_low", "excess_high", "n"))
    text = f"{value:.2f}"
    if math.isfinite(over):
        text += f" ({over:+.2f} [{low:+.2f}, {high:+.2f}])"
    few = n < LEAST_RECORDS
    kind = "few" if few else ("won" if low > 0 else "")
    return f'<td class="{kind}">{_safe(text)}{f"<br>n = {n}" if few else ""}</td>'


def _speeds(rows: pd.DataFrame) -> str:
    each = rows.drop_duplicates(["finding", "method"]).groupby("method", sort=False)
    speeds = each[["records_per_s", "resolution_ms"]].median().reset_index()
    return _table(
        ("method", "records per second", "resolution in ms"),
        [
            (row["method"], _number(row["records_per_s"]), _number(row["resolution_ms"]))
            for row in speeds.to_dict("records")
        ],
    )


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "–"


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_safe(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _image(svg: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="Excess over the best control, by method and finding" src="data:image/svg+xml;base64,{data}">'


def _safe(text: object) -> str:
    return html.escape(str(text), quote=True)
