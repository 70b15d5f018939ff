"""The Criteria page's second half: the model's evidence on the guideline's cells, and what trivial maps get there."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from ecgviz import figures
from ecgviz.errors import EcgvizError
from ecgviz.explain import applicable
from ecgviz.figures import tables
from ecgviz.figures.evidence_beats import evidence_beats
from ecgviz.figures.evidence_density import density, density_table, parts_s
from ecgviz.figures.guideline_beside_model import beside_table, cell_shares, guideline_beside_model
from ecgviz.figures.heat import per_lead
from ecgviz.figures.outline import KEY, cells_in, outline, with_missing_p
from ecgviz.figures.role_map import RoleMap, region_map
from ecgviz.figures.style import MISSING, number, percent
from ecgviz.figures.verdict_tables import criteria_table, order_words
from ecgviz.types import Agreement, Case, EvidenceGrid, Finding
from ecgviz.types.arrays import BoolArray
from ecgviz.ui import files, method_words, state, widgets, wording, words
from ecgviz.ui.state import looking

FURTHER = ("decomposition", "integrated_gradients", "attention_joint", "feature_ablation")
"""Methods that are offered first beside the chosen one, as far as they apply to the model."""
MOST = 4
NO_PLACE = "an interval, a rate or an axis has no mass; edits ask for it below."


def located(case: Case, finding: Finding) -> tuple[RoleMap, BoolArray]:
    """Return the guideline's map on this record, on the leads of the model's map, and the beats it is about."""
    return region_map(finding.regions, case.beats, case.grid.leads or case.record.leads)


def matrices(case: Case, finding: Finding) -> None:
    """Draw where the guideline looks beside where the model's evidence lies."""
    grid = case.grid
    if not len(case.beats):
        st.info(wording.plain(f"No beats were found, so there are no waves to compare on: {case.beats.reason}"))
        return
    shown, chosen = located(case, finding)
    shares = cell_shares(grid, chosen)
    below = shares_in_words(grid, shown, chosen, float(np.nansum(shares)))
    if not shown.framed.any():
        below = f"The guideline names no place to look at first: {NO_PLACE} {below}"
    drawn = guideline_beside_model(
        shown,
        shares,
        grid.leads,
        title="Where the guideline looks",
        model_title="Where the model looked, %",
        below=below,
    )
    table = beside_table(shown, shares, grid.leads)
    widgets.draw(drawn, table, key="guideline beside model", shows=files.of_case(case))


def shares_in_words(grid: EvidenceGrid, shown: RoleMap, chosen: BoolArray, held: float) -> str:
    """Return what the numbers of the model's matrix are, and how many of the chosen beats (B,) its map covers."""
    n, n_seen = int(chosen.sum()), int((chosen & grid.area.any(axis=1)).sum())
    covers = "does not cover it" if n == 1 else f"covers {n_seen} of them"
    seen = f" (the map {covers})" if n_seen < n else ""
    hold = "holds" if n == 1 else "hold"
    return f"Right: share of {words.mass(grid)} in {shown.beats}{seen}, which {hold} {percent(held)} of it."


def tracing(case: Case, finding: Finding) -> None:
    """Draw the recording on paper with the model's evidence behind it and the guideline's region outlined."""
    record, reading, view = case.record, state.reading(case.record), looking.view()
    heat = figures.from_explanation(case.explanation, record.duration_s)
    start_s = widgets.window_start(record, view.form.sheet_s(record.duration_s), first_s=case.explanation.start_s)
    sheet = figures.paper(
        reading.clean,
        start_s=start_s,
        form=view.form,
        header=figures.header(record, reading.measured),
        footer=figures.footer(record, view.form),
        heat=per_lead(heat) if view.per_lead else heat,
        in_strip=view.in_strip,
        marks=widgets.quality_marks(reading.quality),
    )
    outlined = outline(sheet, reading.clean, start_s, case.beats, finding.regions, view.form)
    paper = widgets.paper_name(record, start_s)
    table = partial(tables.heat_table, heat)
    widgets.draw(outlined, table, key="guideline on paper", shows=files.of_case(case), paper=paper)
    widgets.note(KEY)


def median(case: Case, finding: Finding) -> None:
    """Draw the median of the beats that the guideline is about, in the colours of the evidence."""
    _, chosen = located(case, finding)
    kinds = [kind for kind, one in zip(case.beats.kind, chosen, strict=True) if one]
    medians = state.reading(case.record).medians
    kind = max(dict.fromkeys(kinds), key=kinds.count, default="")
    if kind not in medians:
        widgets.note("There is no median beat: no whole beat of that kind with both QRS marks was found.")
        return
    of_kind = chosen & np.array([each == kind for each in case.beats.kind], dtype=bool)
    colours, n_beats = density(case.grid, of_kind), medians[kind].n_beats
    drawn = evidence_beats(
        medians[kind],
        case.record.leads,
        parts_s(case.beats, of_kind),
        colours,
        case.grid.leads,
        {role: cells_in(region, of_kind) for role, region in with_missing_p(finding.regions, case.beats).items()},
        title=f"Median of {n_beats} {wording.readable(kind)} beat{'s' * (n_beats != 1)}",
        what="supporting mass" if case.grid.signed else "share of the map",
    )
    table = density_table(colours, case.grid.leads)
    widgets.draw(drawn, table, key="guideline on median", shows=files.of_case(case))


def controls(case: Case) -> None:
    """List what trivial maps get in the region of the met criteria, both null tests, and the shares beside it."""
    agreement = case.agreement
    st.markdown(f"**Controls of the verdict**: {agreement.evidence}")
    if not agreement.controls:
        st.markdown(wording.plain(wording.sentence(agreement.why)))
        return
    widgets.small_table(tables.control_table(agreement), "map")
    widgets.note(words.nulls(agreement))
    if len(agreement.criteria) > 1:
        widgets.small_table(criteria_table(agreement), "criterion")
        widgets.note(
            "p in time: the part of all shifts of the map that holds as much, whole beats among them. "
            "q: p with false discoveries over these criteria controlled (Benjamini and Hochberg 1995)."
        )
    ranked = order_words(agreement)
    if ranked:
        widgets.note(ranked)
    beside = [
        f"{percent(value)} {where}"
        for value, where in (
            (agreement.support_share, "where it finds support"),
            (agreement.contra_share, "where evidence would hint at a shortcut"),
        )
        if value == value
    ]
    if beside:
        widgets.note(f"Outside of that region: {', '.join(beside)}.")


def methods(case: Case) -> None:
    """Ask further methods the same question, once the reader wants to know, and say where their verdicts differ."""
    network = widgets.need_model(state.choice().model)
    title = "Other methods: do they come to the same verdict?"
    with st.expander(title, key=f"methods {case.record.key} {network.digest} {case.label}", on_change="rerun") as box:
        if not box.open:
            return
        others = [name for name in applicable(network) if name != case.explanation.method]
        first = [name for name in FURTHER if name in others][:2]
        chosen = st.multiselect(
            "Methods",
            others,
            default=first,
            format_func=method_words.method_name,
            max_selections=MOST,
            key="further methods",
        )
        found = [case.agreement]
        for method in chosen:
            try:
                found.append(state.case(case.record, network, case.label, method).agreement)
            except EcgvizError as refusal:
                st.warning(wording.plain(str(refusal)))
        st.markdown(f"**{wording.plain(together(found))}**")
        st.dataframe(verdict_table(found), hide_index=True, placeholder=MISSING)


def together(found: Sequence[Agreement]) -> str:
    """Return whether verdicts of several methods are the same, in a sentence."""
    judged = {each.evidence for each in found if each.evidence != "not assessable"}
    if len(judged) > 1:
        verdicts = (f"{method_words.method_name(each.method)} {each.evidence}" for each in found)
        return f"Methods disagree: {', '.join(verdicts)}."
    if len(found) == 1:
        return "One method only: choose another to compare with."
    if not judged:
        return "None of these methods can be judged on this record."
    n = sum(each.evidence != "not assessable" for each in found)
    return f"{n} of {len(found)} methods can be judged, and come to one verdict: {judged.pop()}."


def verdict_table(found: Sequence[Agreement]) -> pd.DataFrame:
    """Return a row a method: its verdict with what it stands on."""
    rows = []
    for each in found:
        least = min((c.excess for c in each.controls if c.excess == c.excess), default=float("nan"))
        rows.append(
            (
                method_words.method_name(each.method),
                each.evidence,
                percent(each.share),
                percent(each.area),
                number(100 * least, 1),
                number(each.p_time, 3),
                number(each.p_place, 3),
                each.why,
            )
        )
    columns = [
        "method",
        "verdict",
        "share in the region",
        "region's part of the area",
        "above the best control, points",
    ]
    return pd.DataFrame(rows, columns=[*columns, "p, shifted in time", "p, leads exchanged", "why"])
