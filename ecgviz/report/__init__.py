"""A case as one file: an HTML page that needs nothing else, or a PDF whose millimetres are millimetres."""

import os
import tempfile
from pathlib import Path

from ecgviz.errors import CaseError
from ecgviz.report.as_html import render
from ecgviz.report.as_pdf import render_pdf
from ecgviz.types import Case
from ecgviz.types.paper import STANDARD, PaperFormat

__all__ = ["render", "render_pdf", "write_report"]


def write_report(case: Case, path: Path, form: PaperFormat = STANDARD) -> None:
    """Write a case as one file of the kind that its name says; it appears whole or not at all.

    Parameters
    ----------
    case : Case
    path : Path
        Ends in ``.html`` or ``.pdf``. A file that is there is replaced. The tracing is true to the millimetre when
        printed at 100 % on A4, landscape.
    form : PaperFormat
        Layout and scales of the tracing.

    Raises
    ------
    CaseError
        For a name that ends otherwise.
    """
    kind = path.suffix.lower()
    if kind not in (".html", ".htm", ".pdf"):
        raise CaseError(f"{path.name}: a report is written as .html or .pdf; end its name in one of these")
    data = render_pdf(case, form) if kind == ".pdf" else render(case, form).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as scratch:
        part = Path(scratch) / f"report{kind}"
        part.write_bytes(data)
        os.replace(part, path)
