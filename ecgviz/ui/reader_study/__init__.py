"""The Reader study page: what each role sees once a code has opened a study."""

from collections.abc import Callable, Mapping

from ecgviz.ui.reader_study import reading, results
from ecgviz.ui.state.review import Seat

VIEWS: Mapping[str, Callable[[Seat], None]] = {
    "reader": reading.run,
    "adjudicator": reading.run,
    "owner": results.run,
}
"""What is shown, by role."""
