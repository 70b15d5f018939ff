"""Teaching: cases to study and to be asked about, with their criteria and what a network saw."""

import streamlit as st

from ecgviz.ui import widgets
from ecgviz.ui.teaching import MODES, classroom, history, start

widgets.title("Teaching", "Read first, look at the answer after. What a model saw is asked of the one on the left.")
left, right = st.columns([7, 2], vertical_alignment="bottom")
with right:
    classroom.switch()
with left:
    mode = start.mode(list(MODES))
library = start.library(mode)
MODES[mode](library)
history.show(library)
