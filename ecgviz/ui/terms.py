"""What the Glossary page is made of: every term, method and label with its definition and its source, searched."""

import pandas as pd
import streamlit as st

from ecgviz import glossary
from ecgviz.checkpoint import available_models
from ecgviz.errors import EcgvizError
from ecgviz.explain.methods import all_methods
from ecgviz.ui import state, wording, words

METHODS_KIND, LABELS_KIND = "Method", "Label"
LABELS_SOURCE = "SCP-ECG statements of PTB-XL: Wagner et al. 2020, 10.1038/s41597-020-0495-6"
COLUMNS = ["term", "kind", "definition", "source", "pages"]


def table() -> pd.DataFrame:
    """Return every entry: terms of the glossary, methods of explanation, labels of the installed networks."""
    rows = [
        (entry.term, entry.kind, entry.short, entry.source, ", ".join(entry.pages))
        for entry in glossary.entries().values()
    ]
    rows += [
        (method.title, METHODS_KIND, wording.sentence(method.definition), method.source, "Attributions, Criteria")
        for method in all_methods()[0].values()
    ]
    rows += [(label, LABELS_KIND, wording.sentence(name), LABELS_SOURCE, "") for label, name in _labels().items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _labels() -> dict[str, str]:
    """Return the labels of all installed networks with what they stand for; a damaged network has none here."""
    found: dict[str, str] = {}
    for name in available_models():
        try:
            labels = state.model(name).labels
        except EcgvizError:
            continue  # the pages that need this network say why
        found |= words.label_names(labels)
    return {label: name for label, name in found.items() if name}


def listed(found: pd.DataFrame) -> None:
    """Let the reader search by words and by kind, and list what is left."""
    left, right = st.columns([2, 3])
    text = left.text_input("Search", key="glossary search", placeholder="QTc, attention, null ...")
    kinds = list(dict.fromkeys(found["kind"]))
    kind = right.segmented_control(
        "Kind", kinds, key="glossary kind", help="All kinds where none is chosen.", wrap=True
    )
    chosen = found if kind is None else found[found["kind"] == kind]
    told = chosen[COLUMNS[:4]].agg(" ".join, axis=1).str.casefold()
    for word in text.casefold().split():
        chosen = chosen[told.loc[chosen.index].str.contains(word, regex=False)]
    if chosen.empty:
        st.info(wording.plain(f"No entry holds {text!r}: try fewer words, or another kind."))
        return
    st.table(chosen[COLUMNS[:4]].map(wording.plain), hide_index=True)
