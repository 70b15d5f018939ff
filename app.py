"""The dashboard's frame: page list and pickers. Start it with ``ecgviz app``."""

import streamlit as st

from ecgviz.registry import shipped
from ecgviz.ui import ahead, failures, framed, login, pickers, titles, tour, viewing

st.set_page_config(page_title="ecgviz", layout="wide")
framed.page()
login.required()

# Streamlit's older router also looks into pages/, and the first visitor of a fresh server meets it: addresses that
# differ from the file names keep it from running a page without this frame.
folder = shipped("pages")
page = st.navigation(
    {
        "": [
            st.Page(folder / "record.py", title="Record", url_path="Record", default=True),
            st.Page(folder / "beats.py", title="Beats", url_path="Beats"),
            st.Page(folder / "attention.py", title="Attention", url_path="Attention"),
            st.Page(folder / "attributions.py", title="Attributions", url_path="Attributions"),
            st.Page(folder / "criteria.py", title="Criteria", url_path="Criteria"),
            st.Page(folder / "what_if.py", title="What if", url_path="What_if"),
            st.Page(folder / "compare.py", title="Compare", url_path="Compare"),
            st.Page(folder / "report.py", title="Report", url_path="Report"),
            st.Page(folder / "teaching.py", title="Teaching", url_path="Teaching"),
        ],
        "Libraries": [
            st.Page(folder / "recordings.py", title="Recordings", url_path="Recordings"),
            st.Page(folder / "guideline_library.py", title="Guideline library", url_path="Guideline_library"),
            st.Page(folder / "models.py", title="Models", url_path="Models"),
            st.Page(folder / "glossary.py", title="Glossary", url_path="Glossary"),
        ],
        "Research": [
            st.Page(folder / "cohort.py", title="Cohort", url_path="Cohort"),
            st.Page(folder / "validation.py", title="Validation", url_path="Validation"),
            st.Page(folder / "reader_study.py", title="Reader study", url_path="Reader_study"),
        ],
    },
    position="top",
)

try:
    with failures.Told():
        pickers.pickers()
        viewing.picker()
        tour.start()
        tour.banner()
        titles.title(page.title)
        page.run()
finally:  # a page without a recording ends itself
    ahead.rest()
