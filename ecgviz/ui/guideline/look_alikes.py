"""Look-alikes: entries that are taken for one another, and what tells them apart (``look_alikes.yaml``)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from ecgviz import yaml_text
from ecgviz.criteria import Entry
from ecgviz.ui import citations, wording
from ecgviz.ui.state import criteria

FILE = Path(__file__).resolve().parent / "look_alikes.yaml"


@dataclass(frozen=True)
class Pair:
    """Two entries by their ids, and the sentence that tells them ``apart``."""

    entries: tuple[str, str]
    apart: str

    def beside(self, name: str) -> str:
        """Return the entry that stands beside ``name``."""
        first, second = self.entries
        return second if name == first else first


@cache
def pairs() -> tuple[Pair, ...]:
    """Return every pair."""
    return tuple(Pair(tuple(row["entries"]), row["apart"]) for row in yaml_text.ours(FILE.read_text(encoding="utf-8")))


def show(one: Entry) -> None:
    """List what an entry may be taken for, with a link to each, and which entries keep it from being judged."""
    names = {each.id: each.name for each in criteria.known().entries.values()}
    found = [pair for pair in pairs() if one.id in pair.entries]
    st.markdown("**Look-alikes**, and what tells them apart")
    if not found:
        st.markdown("None is on file.")
    for pair in found:
        other = pair.beside(one.id)
        citations.to_library(other, f"{other}: {names[other]}")
        st.markdown(wording.plain(pair.apart))
    for others, when in (
        (one.blocked_by, "when it is there, or while it is open whether it is"),
        (one.blocked_if_met, "when it is there; while that is open, a caution says so"),
    ):
        if others:
            st.markdown(f"**Not judged beside** ({when})")
            with st.container(horizontal=True):
                for other in others:
                    citations.to_library(other, f"{other}: {names[other]}")
