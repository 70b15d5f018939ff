"""The door of the studies: a code opens one, for the reader whose code it is."""

import streamlit as st

from ecgviz.ui import wording
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Seat


def need_seat() -> Seat:
    """Return who reads; without anybody, ask for a study and a code and end the page."""
    held = review.seat()
    if held is None:
        _ask_code()
        st.stop()
    _named(held)
    return held


def _ask_code() -> None:
    folders = review.folders()
    if not folders:
        st.info(
            "No studies are open here. `ecgviz review create STUDY.yaml --out studies` makes one, and "
            "`ecgviz app --studies studies` opens the folder on this page."
        )
        return
    names = [folder.name for folder in folders]
    with st.form("study door", border=True, width=480):
        name = st.selectbox("Study", names, key="study")
        code = st.text_input("Your code", type="password", key="study code", autocomplete="off")
        if st.form_submit_button("Open the study", type="primary"):
            refusal = review.sit_down(folders[names.index(name)], code)
            if not refusal:
                st.rerun()
            st.error(wording.plain(refusal))


def _named(held: Seat) -> None:
    who = f"{held.person.reader_id}, {held.person.role}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{wording.plain(held.study.question)}** · {wording.plain(who)}", width="content")
        st.button("Close the study", on_click=review.stand_up, key="close study")
