"""One entry of the catalogue: names, definitions with rules and limits, where it looks, caveats, sign-off."""

import streamlit as st

from ecgviz.criteria import Entry
from ecgviz.criteria.rule_schema import LeadsRule, PatternRule
from ecgviz.criteria.schema import Definition
from ecgviz.figures.guideline_map import guideline_map
from ecgviz.figures.role_map import roi_maps, role_table
from ecgviz.figures.rule_tables import definition_table
from ecgviz.ui import citations, widgets, wording
from ecgviz.ui.guideline.find import group
from ecgviz.ui.state import criteria


def heading(one: Entry) -> None:
    """Show name, sign-off, names elsewhere, levels, and for whom the entry is meant."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"### {wording.plain(wording.capital(one.name))} ({wording.plain(one.id)})", width="content")
        citations.sign_off(one)
    maps = one.maps
    elsewhere = (
        ("SCP", maps.scp),
        ("CPSC 2018", (maps.cpsc,) if maps.cpsc else ()),
        ("CinC 2021", maps.cinc),
        ("SNOMED CT", tuple(map(str, maps.snomed))),
    )
    facts = [f"{name} {', '.join(codes)}" for name, codes in elsewhere if codes]
    facts += [f"of your own folder, {criteria.known().origin[one.id]}"] if criteria.is_own(one.id) else []
    facts += [f"group: {group(one)}", f"level: {', '.join(one.level)}", _for_whom(one)]
    widgets.note(" · ".join(facts))


def _for_whom(one: Entry) -> str:
    age = f"from {one.gates.age_from:g} years" if one.gates.age_from > 0 else "all ages"
    return f"{age}, {'also' if one.gates.paced else 'not'} in paced rhythm"


def definition(one: Entry) -> Definition:
    """Let the reader pick one of the published definitions, and list its rules with limits and source."""
    keys = [each.key for each in one.definitions]
    key = keys[0]
    if len(keys) > 1:
        picked = st.segmented_control(
            f"{len(keys)} published definitions, each with a verdict of its own",
            keys,
            default=key,
            required=True,
            format_func=wording.readable,
            key=f"library definition {one.id}",
        )
        key = picked if picked in keys else key
    shown = one.definition(key)
    sources = criteria.known().sources
    needs = f" {shown.at_least} points of the ways to hold are needed." if shown.at_least > 1 else ""
    stages = f" For an infarct of stage {' or '.join(shown.stages)}." if shown.stages else ""
    st.markdown(
        f"**{wording.plain(wording.readable(key))}**.{needs}{stages} {citations.citation(sources[shown.source])}"
    )
    st.table(citations.escaped(definition_table(shown, sources)), hide_index=True)
    return shown


def place(one: Entry, shown: Definition) -> None:
    """Draw where a definition looks, leads by parts of the beat."""
    maps = roi_maps(shown.roi or one.roi, asked_leads(shown))
    if not maps:
        st.markdown("This entry names no leads and waves: an interval, a rate or an axis has no place on the trace.")
        return
    drawn = guideline_map(maps, title="Where it looks")
    shows = {"entry": one.id, "definition": wording.readable(shown.key)}
    widgets.draw(drawn, role_table(maps), key="library map", shows=shows)


def asked_leads(shown: Definition) -> tuple[str, ...]:
    """Return all leads that the rules of a definition ask: where it looks on a record is in those that are met."""
    asked = (lead for rule in shown.rules if isinstance(rule, LeadsRule | PatternRule) for lead in rule.leads)
    return tuple(dict.fromkeys(asked))


def caveats(one: Entry, shown: Definition) -> None:
    """List what to keep in mind."""
    widgets.sentences("What to keep in mind", (*shown.caveats, *one.caveats), "Nothing is on file.")
