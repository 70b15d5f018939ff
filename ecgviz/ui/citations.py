"""Ways from a criterion to where it comes from: its publication, its entry in the library, who signed it off."""

from urllib.parse import quote

import pandas as pd
import streamlit as st

from ecgviz.criteria import Entry, Source
from ecgviz.figures.rule_tables import NO_BREAK
from ecgviz.registry import shipped
from ecgviz.ui import wording
from ecgviz.ui.state import criteria
from ecgviz.ui.state.entry import PARAMETER

LIBRARY = "guideline_library.py"
DOI = "https://doi.org/"


def address(doi: str) -> str:
    """Return the address of a publication, with nothing in it that would end a link in Markdown."""
    return DOI + quote(doi)


def source(one: Source) -> str:
    """Return a source's short name as Markdown, a link where it has a DOI."""
    name = wording.plain(one.short)
    return f"[{name}]({address(one.doi)})" if one.doi else name


def citation(one: Source) -> str:
    """Return a source's citation as Markdown, with a link where it has a DOI."""
    text = wording.plain(one.citation)
    return f"{text} [doi:{wording.plain(one.doi)}]({address(one.doi)})" if one.doi else text


def sign_off(one: Entry) -> None:
    """Show who signed an entry off, or that nobody did."""
    if one.review.status == "reviewed":
        by = " ".join(filter(None, (one.review.reviewer, one.review.date)))
        st.badge(wording.plain(f"reviewed by {by}"), icon=":material/verified:", color="green")
    else:
        st.badge(one.review.status, icon=":material/pending:", color="orange")


def to_library(name: str, label: str) -> None:
    """Show a link to an entry of the guideline library, in this session."""
    st.page_link(shipped("pages") / LIBRARY, label=label, icon=":material/menu_book:", query_params={PARAMETER: name})


def own_folder() -> None:
    """Let the reader take away the criteria of the folder that the server was started with; nothing without one."""
    folder = criteria.own_folder()
    if folder is None:
        return
    refusal = criteria.refusal()
    if refusal:
        st.error(wording.plain(f"Your own criteria cannot be used: {refusal}"))
        return
    name = wording.plain(folder.name)
    criteria.want(st.toggle(f"With the criteria of the folder {name}", value=criteria.wanted(), key=criteria.SWITCH))


def escaped(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts are shown letter by letter in `st.table`, which reads Markdown."""
    return table.map(lambda cell: _escaped(cell) if isinstance(cell, str) else cell)


def _escaped(text: str) -> str:
    return NO_BREAK.join(map(wording.plain, text.split(NO_BREAK)))
