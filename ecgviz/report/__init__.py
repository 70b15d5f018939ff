"""A case as one file: an HTML page that needs nothing else, or a PDF whose millimetres are millimetres."""

from pathlib import Path

from ecgviz.errors import CaseError
from ecgviz.records.write import written_whole
from ecgviz.report.as_html import render
from ecgviz.report.as_pdf import render_pdf
from ecgviz.types import Case
from ecgviz.types.paper import STANDARD, PaperFormat

__all__ = ["kind_of", "render", "render_pdf", "write_report"]


def kind_of(path: Path) -> str:
    """Return the suffix of a report's name, which says how it is written.

    Raises
    ------
    CaseError
        For a name that ends otherwise than in ``.html``, ``.htm`` or ``.pdf``.
    """
    kind = path.suffix.lower()
    if kind not in (".html", ".htm", ".pdf"):
        raise CaseError(f"{path.name}: a report is written as .html or .pdf; end its name in one of these")
    return kind


def write_report(case: Case, path: str | Path, form: PaperFormat = STANDARD) -> None:
    """Write a case as one file of the kind that its name says; it appears whole or not at all.

    Parameters
    ----------
    case : Case
    path : str or Path
        Ends in ``.html`` or ``.pdf``. A file that is there is replaced. The tracing is true to the millimetre when
        printed at 100 % on A4, landscape.
    form : PaperFormat
        Layout and scales of the tracing.

    Raises
    ------
    CaseError
        For a name that ends otherwise.
    """
    path = Path(path)
    data = render_pdf(case, form) if kind_of(path) == ".pdf" else render(case, form).encode()
    with written_whole(path) as part:
        part.write_bytes(data)
