"""The guided tour: two minutes on a simulated infarct, a page a step, with what to look at on each."""

from dataclasses import dataclass

import streamlit as st

from ecgviz.ui import state

RECORD = "demo:inferior_stemi"


@dataclass(frozen=True)
class Step:
    """One stop: the file of its page, and what to look at there."""

    page: str
    text: str


STEPS = (
    Step(
        "record",
        "This recording is simulated, with an occluded right coronary artery planted in it. Read it as paper:"
        " ST is raised in II, III and aVF, and lowered in aVL across from them. Below stand the measurements "
        "and what the network says.",
    ),
    Step(
        "beats",
        "All numbers stand on these marks. The median beat shows where P, QRS and T begin and end; a wrong "
        "mark can be moved in the table below, and every page follows.",
    ),
    Step(
        "attention",
        "Attention is where the network pooled: which windows and leads it weighed. It has no sign and is not"
        " the reason of its answer. The sentence below the paper says how little of the answer may hang on "
        "it.",
    ),
    Step(
        "attributions",
        "An attribution is what moved the logit: orange speaks for the label, purple against it. Two methods "
        "stand side by side on one scale, as methods disagree; where they do, that is the finding.",
    ),
    Step(
        "criteria",
        "Now the cardiologist: each published rule with the value measured here beside its limit. The verdict"
        " asks whether the evidence lies where the guideline looks, beyond what maps get there that know "
        "nothing.",
    ),
    Step(
        "what_if",
        "Ask by changing it: choose Raise or lower ST, a shift of -0.2 mV in II, III and aVF, and press "
        "Apply. Prediction, map and verdict follow; black is the altered tracing, blue what it was.",
    ),
    Step(
        "models",
        "A network knows what it was shown. Its card says on how many recordings it learnt, how often it is "
        "right, and where it fails. Every word here is in the Glossary. That was the tour: choose a recording"
        " on the left.",
    ),
)


def start() -> None:
    """Offer the tour in the sidebar, where it is not under way."""
    if state.tour_step() is not None:
        return
    with st.sidebar:
        if st.button("Two-minute tour", icon=":material/tour:", key="tour start", help="On a simulated infarct."):
            _go(0)


def banner() -> None:
    """Say what to look at on this step of the tour, with the way to the next."""
    step = state.tour_step()
    if step is None:
        return
    with st.container(border=True, key="tour box"):
        st.markdown(f"**Tour, {step + 1} of {len(STEPS)}.** {STEPS[step].text}")
        back, following, end, _ = st.columns([1, 1, 1, 5])
        if back.button("Back", disabled=step == 0, width="stretch", key="tour back"):
            _go(step - 1)
        last = step + 1 == len(STEPS)
        if following.button("Next", disabled=last, type="primary", width="stretch", key="tour next"):
            _go(step + 1)
        if end.button("End", width="stretch", key="tour end"):
            state.set_tour_step(None)
            st.rerun()


def _go(step: int) -> None:
    state.set_tour_step(step)
    if step == 0:
        state.open_next(RECORD)
    st.switch_page(f"pages/{STEPS[step].page}.py")
