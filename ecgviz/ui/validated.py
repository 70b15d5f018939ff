"""The planted-truth tables that travel with models: what each method finds of evidence that is known to be there."""

import pandas as pd
import streamlit as st

from ecgviz.checkpoint import Model, available_models
from ecgviz.errors import EcgvizError
from ecgviz.figures.planted import planted_table_figure
from ecgviz.registry import shipped
from ecgviz.ui import files, method_words, state, widgets, wording
from ecgviz.validate.explanations import load_planted
from ecgviz.validate.explanations.scores import SCORES
from ecgviz.validate.explanations.table import FILE

COLUMNS = {
    "model": "network",
    "finding": "finding",
    "label": "label",
    "method": "method",
    "n": "n",
    "share_retained": "retained",
    "value": "score",
    "chance": "chance",
    "best_control": "best control",
    "excess": "above it",
    "excess_low": "from",
    "excess_high": "to",
    "rank": "rank",
    "records_per_s": "records a second",
    "note": "note",
}


def planted(names: tuple[str, ...]) -> tuple[pd.DataFrame | None, list[str]]:
    """Return the tables of models in one, None without any, and a sentence for each that is missing or out of date."""
    found, missing = [], []
    for name in names:
        model = state.model(name)
        path = shipped("models") / name / FILE
        anew = f"`ecgviz validate explanations --model {name} --out DIR` makes one"
        if not path.is_file():
            missing.append(f"{name} has no table yet: {anew}.")
            continue
        table = load_planted(path)
        if set(table.digest) != {model.digest[:12]}:
            missing.append(f"The table of {name} is of other weights, so it is not shown: {anew} of these.")
            continue
        found.append(table)
    return (pd.concat(found, ignore_index=True) if found else None), missing


def pick(model: Model) -> tuple[pd.DataFrame | None, str]:
    """Let the reader choose networks and a score; say what is missing."""
    left, right = st.columns([1, 2])
    whose = left.segmented_control(
        "Networks",
        [model.name, "all"],
        default=model.name,
        required=True,
        format_func=wording.plain,
        key="whose",
        wrap=True,
    )
    score = right.segmented_control(
        "Score",
        list(SCORES),
        default=next(iter(SCORES)),
        required=True,
        format_func=wording.readable,
        key="score",
        help="\n\n".join(f"**{wording.readable(name)}**: {wording.plain(said)}" for name, said in SCORES.items()),
        wrap=True,
    )
    names = available_models() if whose == "all" else (model.name,)
    try:
        table, missing = planted(names)
    except EcgvizError as refusal:
        table, missing = None, [str(refusal)]
    for sentence in missing:
        st.markdown(f":small[{sentence}]")
    return table, str(score)


def draw(table: pd.DataFrame, score: str) -> None:
    """Draw what each method finds beyond the best control, and list it with its intervals."""
    chosen = table[(table.score == score) & (table.group == "counted")]
    named = table.assign(method=table.method.map(method_words.method_name), finding=table.finding.map(wording.readable))
    asked = dict.fromkeys(zip(chosen.model, chosen.digest, strict=True))
    shows = files.together(*({"model": f"{model} ({digest})"} for model, digest in asked))
    widgets.draw(planted_table_figure(named, score), shown(chosen), key=f"planted {score}", shows=shows)


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a reader needs, under names that a reader knows."""
    return rows[list(COLUMNS)].rename(columns=COLUMNS).round(3)
