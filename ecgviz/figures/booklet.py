"""A4 pages, landscape, for a PDF: a sheet of ECG paper at true size, figures beside one another, and flowing text.

Everything is vectors and text; nothing is a raster image. Lengths are millimetres from a page's lower left corner.
"""

import io
from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecgviz import NOTICE
from ecgviz.figures import style
from ecgviz.figures.header import broken
from ecgviz.figures.heat import Heat
from ecgviz.figures.lettering import POINT_MM, fits, width, wrapped
from ecgviz.figures.printed import FOOT_MM, LEGEND_MM, SETTINGS, blank_page, draw_sheet
from ecgviz.figures.settings import settings
from ecgviz.figures.sheet import fitted, sheet
from ecgviz.types import Record
from ecgviz.types.paper import STANDARD, PaperFormat

Page = Figure
Place = Axes
"""A page, and the place of a drawing on it, for those who put reports together."""

WIDTH_MM, HEIGHT_MM, MARGIN_MM = 297.0, 210.0, 12.0
TEXT_PT, TABLE_PT, HEAD_PT, TITLE_PT = 8.5, 7.0, 11.0, 13.0
LEADING = 1.35
_NOTICE_MM = 7.0
_SETTINGS = {**SETTINGS, "pdf.fonttype": 42, "pdf.compression": 6}


def pdf(pages: Iterable[Figure], title: str) -> bytes:
    """Return pages as one PDF, each with the notice and its number below; the same pages give the same bytes."""
    out = io.BytesIO()
    about = {"Title": title, "Creator": "ecgviz", "Producer": None, "CreationDate": None}
    with settings(_SETTINGS), PdfPages(out, metadata=about) as book:
        for number, page in enumerate(pages, 1):
            _text(page, NOTICE, MARGIN_MM, _NOTICE_MM, TABLE_PT, color="#8a1c1c")
            _text(page, str(number), WIDTH_MM - MARGIN_MM, _NOTICE_MM, TABLE_PT, ha="right")
            book.savefig(page)
    return out.getvalue()


def paper_page(
    record: Record,
    *,
    start_s: float,
    form: PaperFormat = STANDARD,
    title: str,
    header: Sequence[str],
    footer: str,
    heat: Heat | None,
) -> Figure:
    """Return a page with a sheet of paper, true to size when printed at 100 %: at 25 mm/s ten seconds are 250 mm.

    Where the rows of a layout or of a tall recording need more than the page has, they move closer (`fitted`).
    """
    figure, page = blank_page(WIDTH_MM, HEIGHT_MM), sheet(record, start_s, form)
    lines = [part for line in header for part in broken(line, fits(page.width_mm, TEXT_PT))]
    below_mm = _NOTICE_MM + 4.0 + FOOT_MM + (LEGEND_MM if heat is not None else 0.0)
    above_mm = MARGIN_MM + TITLE_PT * POINT_MM * LEADING + len(lines) * TEXT_PT * POINT_MM * LEADING
    page = fitted(page, HEIGHT_MM - below_mm - above_mm)
    left_mm = (WIDTH_MM - page.width_mm) / 2
    below_mm = HEIGHT_MM - above_mm - page.height_mm
    with settings(_SETTINGS):
        draw_sheet(figure, page, record, heat, left_mm=left_mm, bottom_mm=below_mm)
    top_mm = below_mm + page.height_mm + len(lines) * TEXT_PT * POINT_MM * LEADING
    _text(figure, title, left_mm, top_mm + 2.0, TITLE_PT, weight="bold")
    for line in lines:
        top_mm -= TEXT_PT * POINT_MM * LEADING
        _text(figure, line, left_mm, top_mm + 1.2, TEXT_PT)
    _text(figure, footer, left_mm, below_mm - 5.0, TEXT_PT, color=style.MUTED)
    return figure


Drawing = tuple[Callable[[Sequence[Axes]], None], int]
"""What draws into the axes that it is given, from the top, and how many it needs."""


def figures_page(title: str, columns: Sequence[Sequence[Drawing]]) -> Figure:
    """Return a page with columns of figures; the first column is half as wide again as the others."""
    figure = blank_page(WIDTH_MM, HEIGHT_MM)
    _text(figure, title, MARGIN_MM, HEIGHT_MM - MARGIN_MM - 4.0, TITLE_PT, weight="bold")
    with settings(_SETTINGS):
        across = figure.subfigures(1, len(columns), squeeze=False, width_ratios=[1.5] + [1.0] * (len(columns) - 1))[0]
        for place, drawings in zip(across, columns, strict=True):
            place.patch.set_alpha(0.0)
            inner = place.add_gridspec(len(drawings), 1, left=0.12, right=0.96, top=0.86, bottom=0.13, hspace=0.4)
            for n, (draw, n_axes) in enumerate(drawings):
                cells = inner[n].subgridspec(n_axes, 1, hspace=0.2)
                draw([place.add_subplot(cells[k]) for k in range(n_axes)])
    return figure


class Flow:
    """Headings, paragraphs and tables that fill page after page from the top; ``pages`` are those filled so far."""

    def __init__(self) -> None:
        self.pages: list[Figure] = []
        self._at_mm = 0.0

    def heading(self, text: str) -> None:
        """Write a heading; it stays with what follows."""
        self._room(3 * HEAD_PT * POINT_MM * LEADING)
        self._at_mm -= 0.5 * HEAD_PT * POINT_MM
        self._line(text, MARGIN_MM, HEAD_PT, "bold")

    def paragraph(self, text: str, *, bold: bool = False) -> None:
        """Write a paragraph across the page."""
        weight = "bold" if bold else "normal"
        for line in wrapped(text, WIDTH_MM - 2 * MARGIN_MM, TEXT_PT, weight):
            self._room(TEXT_PT * POINT_MM * LEADING)
            self._line(line, MARGIN_MM, TEXT_PT, weight)
        self._at_mm -= 0.4 * TEXT_PT * POINT_MM

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table whose columns are as wide as they need; its head is written again on a new page."""
        if not rows:
            return
        widths = _widths([head, *rows], WIDTH_MM - 2 * MARGIN_MM)
        self._room(4 * TABLE_PT * POINT_MM * LEADING)
        self._row(head, widths, "bold")
        for row in rows:
            if self._row_mm(row, widths) > self._at_mm - MARGIN_MM - _NOTICE_MM:
                self._new_page()
                self._row(head, widths, "bold")
            self._row(row, widths, "normal")
        self._at_mm -= TABLE_PT * POINT_MM

    def _row_mm(self, row: Sequence[str], widths: Sequence[float]) -> float:
        lines = max(len(wrapped(cell, wide - 2.0, TABLE_PT)) for cell, wide in zip(row, widths, strict=True))
        return lines * TABLE_PT * POINT_MM * LEADING + 1.2

    def _row(self, row: Sequence[str], widths: Sequence[float], weight: str) -> None:
        height_mm, x_mm, figure = self._row_mm(row, widths), MARGIN_MM, self.pages[-1]
        for cell, wide in zip(row, widths, strict=True):
            box = Rectangle(
                (x_mm / WIDTH_MM, (self._at_mm - height_mm) / HEIGHT_MM),
                wide / WIDTH_MM,
                height_mm / HEIGHT_MM,
                transform=figure.transFigure,
                facecolor="#f2f2f2" if weight == "bold" else "none",
                edgecolor="#bbbbbb",
                linewidth=0.4,
            )
            figure.add_artist(box)
            y_mm = self._at_mm - 0.6
            for line in wrapped(cell, wide - 2.0, TABLE_PT, weight):
                y_mm -= TABLE_PT * POINT_MM * LEADING
                _text(figure, line, x_mm + 1.0, y_mm + 0.8, TABLE_PT, weight=weight)
            x_mm += wide
        self._at_mm -= height_mm

    def _line(self, text: str, x_mm: float, size_pt: float, weight: str) -> None:
        self._at_mm -= size_pt * POINT_MM * LEADING
        _text(self.pages[-1], text, x_mm, self._at_mm + 0.3 * size_pt * POINT_MM, size_pt, weight=weight)

    def _room(self, needed_mm: float) -> None:
        if not self.pages or self._at_mm - needed_mm < MARGIN_MM + _NOTICE_MM:
            self._new_page()

    def _new_page(self) -> None:
        self.pages.append(blank_page(WIDTH_MM, HEIGHT_MM))
        self._at_mm = HEIGHT_MM - MARGIN_MM


def _widths(rows: Sequence[Sequence[str]], most_mm: float) -> list[float]:
    """Return the width of each column: what its longest cell needs, the long ones less where there is no room."""
    columns = list(zip(*rows, strict=True))
    wanted = [max(width(cell, TABLE_PT, "bold") for cell in column) + 2.5 for column in columns]
    over = sum(wanted) - most_mm
    if over <= 0:
        return wanted
    even = most_mm / len(wanted)
    long = [max(each - even, 0.0) for each in wanted]
    return [each - over * extra / sum(long) for each, extra in zip(wanted, long, strict=True)]


def _text(figure: Figure, text: str, x_mm: float, y_mm: float, size_pt: float, **more: str) -> None:
    figure.text(x_mm / WIDTH_MM, y_mm / HEIGHT_MM, text, size=size_pt, parse_math=False, **more)  # type: ignore[arg-type]
