"""A session draws equal figures once, and never shows one for other data."""

from streamlit.testing.v1 import AppTest


def equal_and_other() -> None:
    """Draw what is equal and what differs in each of its parts; the session keeps what came back."""
    from dataclasses import replace

    import numpy as np
    import streamlit as st

    from ecgviz import figures
    from ecgviz.records import load_record
    from ecgviz.types.focus import Focus
    from ecgviz.types.paper import PaperFormat
    from ecgviz.ui.state import drawing

    record = load_record("demo:af")
    altered = np.array(record.signal)
    altered[0, 0] += 1e-6
    shares = np.full(12, 1 / 12)
    st.session_state["first"] = drawing.figure(figures.paper, record, start_s=0.0, form=PaperFormat())
    copy = replace(record, signal=np.array(record.signal))
    st.session_state["again"] = drawing.figure(figures.paper, copy, form=PaperFormat(), start_s=0.0)
    st.session_state["itself"] = figures.paper(record, start_s=0.0, form=PaperFormat())
    st.session_state["others"] = [
        drawing.figure(figures.paper, replace(record, signal=altered), start_s=0.0, form=PaperFormat()),
        drawing.figure(figures.paper, record, start_s=1.0, form=PaperFormat()),
        drawing.figure(figures.paper, record, start_s=0.0, form=PaperFormat(), focus=Focus(lead="V1")),
        drawing.figure(figures.channel_bars, shares, record.leads, title="one"),
        drawing.figure(figures.channel_bars, shares, record.leads, title="another"),
    ]


def test_equal_data_are_drawn_once_and_other_data_anew() -> None:
    app = AppTest.from_function(equal_and_other, default_timeout=60).run()
    assert not app.exception
    first, others = app.session_state["first"], app.session_state["others"]
    assert app.session_state["again"] is first
    assert app.session_state["itself"] is not first
    assert app.session_state["itself"] == first
    assert len({id(each) for each in (first, *others)}) == 1 + len(others)
    assert app.run().session_state["first"] is first
