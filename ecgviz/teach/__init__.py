"""Teaching: lessons with their five parts, cases to read, and how a learner's answers are scored and repeated."""

from ecgviz.teach.answers import Score, score
from ecgviz.teach.load import Library, shipped_cases
from ecgviz.teach.opened import Opened, open_case
from ecgviz.teach.published import open_library
from ecgviz.teach.schema import Case, Lesson, LookAlike

__all__ = [
    "Case",
    "Lesson",
    "Library",
    "LookAlike",
    "Opened",
    "Score",
    "open_case",
    "open_library",
    "score",
    "shipped_cases",
]
