"""What a reader sees of a fault of ours: one sentence with a number, under which the server's log says where it was."""

import logging
import secrets
import traceback
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec

import streamlit as st

_Given = ParamSpec("_Given")
LOG = logging.getLogger("ecgviz.dashboard")


class Told:
    """A context in which a fault ends the page with a sentence and the number under which the log has the rest.

    Refusals are not faults: pages show their sentences themselves. Nothing of the fault's text is shown or logged, as
    it could hold what was uploaded.
    """

    def __enter__(self) -> "Told":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Log and tell a fault; let through what Streamlit itself uses to stop or rerun a page."""
        if not isinstance(fault, Exception):
            return False
        number = secrets.token_hex(4)
        LOG.error("failure %s\n%s", number, _where(fault))
        st.error(
            f"Something failed here that should not have (failure {number}). The log of the server has the details "
            "under this number. Nothing you did is lost: choose something else on the left, or reload the page."
        )
        return True


def fragment(draw: Callable[_Given, None]) -> Callable[_Given, None]:
    """Make a part of a page run by itself when something in it is used; nothing else on the page is drawn again.

    What the page has around it, `Told` among it, is not around it then: it has its own.
    """

    @st.fragment
    @wraps(draw)
    def told(*given: _Given.args, **named: _Given.kwargs) -> None:
        with Told():
            draw(*given, **named)

    return told


def _where(fault: BaseException) -> str:
    """Return the types of a fault and of those behind it, each after its places in the code."""
    lines: list[str] = []
    behind: BaseException | None = fault
    while behind is not None:
        lines += [*traceback.format_tb(behind.__traceback__), f"{type(behind).__name__}\n"]
        behind = behind.__cause__ or behind.__context__
    return "".join(lines)
