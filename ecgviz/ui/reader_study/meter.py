"""Time actively spent at a question: seconds in which the window is seen and its reader does something now and then."""

from pathlib import Path

from streamlit.components.v1 import declare_component

from ecgviz.ui import failures
from ecgviz.ui.state import review
from ecgviz.ui.state.review import Question, Seat

_METER = declare_component("ecgviz_meter", path=str(Path(__file__).parent / "meter_page"))
"""A page of ours without content; what it tells is a number, which sessions can keep (components of version 2 leave an
object in the session that cannot be)."""


@failures.fragment
def run(held: Seat, question: Question) -> None:
    """Count the time of a question; every five seconds the count is kept with its draft."""
    start_s = question.draft.answer.active_seconds
    seconds = _METER(asked=question.draft.review_id, start_s=start_s, default=start_s, key=question.key("meter"))
    review.spent(held, question, max(start_s, float(seconds)))
