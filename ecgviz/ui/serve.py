"""Start Streamlit as ``python -m streamlit`` does, for an app whose pages come from `st.navigation` alone.

The app's folder ``pages/`` is only a folder. Until `st.navigation` has run once in a server, Streamlit takes it for one
of its older multipage apps, so that the first visitor by deep link (``/Criteria``) would meet "Page not found" over the
right page. Saying beforehand what `st.navigation` says later spares them that.

What every page imports is fetched while the browser starts, so that the first reader waits less.
"""

from threading import Thread

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

from ecgviz.memory import collect_seldom, keep_freed_memory


def fetch() -> None:
    """Import what the first page takes longest to import.

    In the order in which the page does, so that neither ever holds a module that the other waits for. Nothing of
    `ecgviz.ui` is among it: caches and components belong to a server, which does not run yet.
    """
    import ecgviz.checkpoint
    import ecgviz.explain
    import ecgviz.figures
    import ecgviz.pipeline  # noqa: F401


if __name__ == "__main__":
    keep_freed_memory()
    collect_seldom()
    PagesManager.uses_pages_directory = False
    Thread(target=fetch, daemon=True).start()
    main(prog_name="streamlit")
