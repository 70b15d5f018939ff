"""What a reader sees of a fault of ours: one sentence with a number; the traceback goes to the server's log with it."""

import logging
import secrets
from types import TracebackType

import streamlit as st

LOG = logging.getLogger("ecgviz.dashboard")


class Told:
    """A context in which a fault ends the page with a sentence and the number under which the log has the rest.

    Refusals are not faults: pages show their sentences themselves. Nothing of the fault's text is shown, as it could
    hold what was uploaded.
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
        LOG.error("failure %s", number, exc_info=fault)
        st.error(
            f"Something failed here that should not have (failure {number}). The log of the server has the details "
            "under this number. Nothing you did is lost: choose something else on the left, or reload the page."
        )
        return True
