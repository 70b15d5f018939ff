"""Start Streamlit as ``python -m streamlit`` does, for an app whose pages come from `st.navigation` alone.

The app's folder ``pages/`` is only a folder. Until `st.navigation` has run once in a server, Streamlit takes it for one
of its older multipage apps, so that the first visitor by deep link (``/Criteria``) would meet "Page not found" over the
right page. Saying beforehand what `st.navigation` says later spares them that.
"""

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

from ecgviz.memory import collect_seldom, keep_freed_memory
from ecgviz.ui import ahead

if __name__ == "__main__":
    keep_freed_memory()
    collect_seldom()
    PagesManager.uses_pages_directory = False
    ahead.first()
    main(prog_name="streamlit")
