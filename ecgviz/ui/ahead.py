"""What is imported before it is asked for, so that a reader waits less.

`first` is what the first page takes longest to import, while the browser starts; `rest` is what a recording needs,
while the reader looks at that page and chooses one. Nothing of `ecgviz.ui` is among either: caches and components
belong to a server, which may not run yet. A package is imported after those that it imports, so that no two threads
wait for each other.
"""

import time
from functools import cache
from threading import Thread, Timer

from streamlit import runtime
from streamlit.runtime import RuntimeState

_LOOKS_EVERY_S = 0.02
_DRAWN_AFTER_S = 1.0


def first() -> None:
    """Import what the first page needs, in a thread of its own, as soon as the server is up: not to hold it up."""

    def once_served() -> None:
        while not (runtime.exists() and runtime.get_instance().state is not RuntimeState.INITIAL):
            time.sleep(_LOOKS_EVERY_S)
        import_first()

    Thread(target=once_served, daemon=True).start()


@cache
def rest() -> None:
    """Import what a recording needs, in a thread of its own, once, when the browser has drawn the first page.

    Until then it asks this server for the programs that draw, and waits for them the longer the more the server does.
    """
    later = Timer(_DRAWN_AFTER_S, import_rest)
    later.daemon = True
    later.start()


def import_first() -> None:
    """Import what draws a page without a recording."""
    import ecgviz.glossary
    import ecgviz.records  # noqa: F401


def import_rest() -> None:
    """Import what a recording needs, in the order in which it does."""
    _import_figures()
    _import_networks()
    _import_libraries()


def _import_figures() -> None:
    import ecgviz.edit
    import ecgviz.figures
    import ecgviz.figures.tables  # noqa: F401


def _import_networks() -> None:
    import ecgviz.checkpoint
    import ecgviz.explain
    import ecgviz.explain.checks
    import ecgviz.explain.edits
    import ecgviz.pipeline  # noqa: F401


def _import_libraries() -> None:
    """Import what those import only when they are called, and what the dashboard tells figures apart with."""
    import neurokit2  # noqa: F401
    import wfdb  # noqa: F401
    from captum import attr  # noqa: F401
    from joblib import hash as content_digest  # noqa: F401
