"""Teaching: cases to study and to be asked about, with their criteria and what a network saw."""

import streamlit as st

from ecgviz.ui.teaching import MODES, classroom, history, start

left, right = st.columns([7, 2], vertical_alignment="bottom")
with right:
    classroom.switch()
with left:
    mode = start.mode(list(MODES))
library = start.library(mode)
MODES[mode](library)
history.show(library)
