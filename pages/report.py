"""Report: the chosen recording, label and method as one file to keep, print or send."""

import streamlit as st

from ecgviz.report import rows
from ecgviz.ui import reporting, widgets

case = reporting.need_case()
widgets.verdict(case)
reporting.downloads(case)
reporting.commands(case)
widgets.heading("Provenance", "provenance")
_, facts = rows.provenance(case)
st.code("\n".join(f"{what}: {value}" for what, value in facts), language=None, wrap_lines=True)
