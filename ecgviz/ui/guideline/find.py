"""Find an entry: by words, group, code of a statement, or level; or by an address that names it."""

from collections.abc import Sequence

import streamlit as st

from ecgviz.criteria import Entry
from ecgviz.records.fields import shown
from ecgviz.ui import wording, words
from ecgviz.ui.state import entry as address

LEVELS = ("beat", "rhythm", "lead")
NO_GROUP = "rhythm and form"
"""Statements that PTB-XL puts under no superclass."""


def group(one: Entry) -> str:
    """Return the group of an entry: its PTB-XL superclass in words, or that it has none."""
    return words.LABELS[one.maps.superclass] if one.maps.superclass else NO_GROUP


def codes(one: Entry) -> tuple[str, ...]:
    """Return the codes under which other catalogues state the entry."""
    maps = one.maps
    found = (*maps.scp, *maps.cinc, *([maps.cpsc] if maps.cpsc else []), *map(str, maps.snomed))
    return tuple(dict.fromkeys(found))


def matching(
    entries: Sequence[Entry],
    text: str = "",
    groups: Sequence[str] = (),
    code: str | None = None,
    levels: Sequence[str] = (),
) -> tuple[Entry, ...]:
    """Return the entries that hold every word of ``text`` and are of one of the groups and levels, if any are named."""
    asked = text.casefold().split()
    return tuple(
        one
        for one in entries
        if all(word in _searched(one) for word in asked)
        and (not groups or group(one) in groups)
        and (code is None or code in codes(one))
        and (not levels or set(levels) & set(one.level))
    )


def _searched(one: Entry) -> str:
    rules = (getattr(rule, "text", "") or "" for each in one.definitions for rule in each.rules)
    parts = (one.id, one.name, group(one), *codes(one), *(each.key for each in one.definitions), *rules)
    return " ".join(parts).casefold()


def pick(entries: Sequence[Entry]) -> Entry | None:
    """Let the reader search and pick an entry; None, with a sentence, where nothing matches."""
    unknown = address.arrive([one.id for one in entries])
    if unknown:
        st.warning(
            wording.plain(f"The address asks for the entry {shown(unknown)}, which the catalogue does not have.")
        )
    by_id = {one.id: one for one in _filtered(entries)}
    if not by_id:
        st.info("No entry matches. Take a word or a filter away.")
        return None
    address.offer(list(by_id))
    names = {one.id: f"{one.id}: {one.name}" for one in by_id.values()}
    picked = st.selectbox(
        f"Entry ({len(by_id)} of {len(entries)} match)",
        list(by_id),
        format_func=names.__getitem__,
        key=address.PICKER,
        filter_mode="contains",
    )
    address.leave(picked)
    return by_id[picked]


def _filtered(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    text_key, group_key, code_key, level_key = address.FILTERS
    first, second, third, fourth = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
    text = first.text_input("Search", key=text_key, placeholder="a name, a code, words of a rule", type="search")
    groups = second.multiselect("Group", list(dict.fromkeys(map(group, entries))), key=group_key, placeholder="all")
    every = sorted({code for one in entries for code in codes(one)})
    code = third.selectbox("Statement code", every, index=None, key=code_key, placeholder="any")
    levels = fourth.multiselect("Level", LEVELS, key=level_key, placeholder="all")
    return matching(entries, text, groups, code, levels)
