"""The dashboard's frame: page list, pickers, research-use notice. Start it with ``ecgviz app``."""

import streamlit as st

from ecgviz.registry import shipped
from ecgviz.ui import widgets

st.set_page_config(page_title="ecgviz", layout="wide")

folder = shipped("pages")
page = st.navigation(
    [
        st.Page(folder / "record.py", title="Record", default=True),
        st.Page(folder / "attention.py", title="Attention"),
        st.Page(folder / "attributions.py", title="Attributions"),
        st.Page(folder / "criteria.py", title="Criteria"),
        st.Page(folder / "models.py", title="Models"),
    ],
    position="top",
)

widgets.notice()
widgets.pickers()
page.run()
