"""The tracing on paper as every page shows it: tools above, the sheet, its largest spans and readings below."""

from functools import partial

from ecgviz import figures
from ecgviz.figures.heat import Heat, per_lead
from ecgviz.figures.paper_marks import focus_frame
from ecgviz.figures.sheet import sheet
from ecgviz.figures.spans import Span, span_table, top_spans, whereabouts
from ecgviz.figures.style import percent
from ecgviz.figures.tables import heat_table, sample_table
from ecgviz.types import Beats, Record
from ecgviz.ui import files, pointing, state, widgets
from ecgviz.ui.state import drawing, looking


def show(
    record: Record,
    key: str,
    *,
    heat: Heat | None = None,
    start_s: float | None = None,
    shows: files.Shows | None = None,
) -> None:
    """Show a recording on paper, with a map behind the trace.

    Parameters
    ----------
    record : Record
    key : str
        Of the figure.
    heat : Heat, optional
        The map; the reader's view decides its scale and place.
    start_s : float, optional
        Left edge of the first sheet; where a sheet does not hold all that follows, the reader pages through it.
    shows : mapping of str to str, optional
        What its files tell of it, with a map that it is of (``of_map`` of `ecgviz.ui.files`); without it, the
        recording alone.
    """
    reading, view = state.reading(record), looking.view()
    clean, beats = reading.clean, reading.beats
    mode = pointing.tools(record, beats)
    start_s = widgets.window_start(record, view.form.sheet_s(record.duration_s), first_s=start_s or 0.0)
    drawn = per_lead(heat) if heat is not None and view.per_lead else heat
    page = sheet(clean, start_s, view.form)
    spans = () if heat is None else top_spans(heat, page)
    measuring = mode != looking.FOLLOW
    caliper = pointing.caliper(record, clean) if measuring else None
    figure = drawing.figure(
        figures.paper,
        clean,
        start_s=start_s,
        form=view.form,
        header=figures.header(record, reading.measured),
        footer=figures.footer(record, view.form),
        heat=drawn,
        in_strip=view.in_strip,
        hatched=view.high_contrast,
        marks=widgets.quality_marks(reading.quality),
        beats=None if measuring else beats,
        spans=spans,
        caliper=caliper,
        marching=mode == looking.MARCH,
    )
    frames = () if measuring else focus_frame(pointing.focus(record), page, beats)
    select = {"on_box": partial(pointing.drawn, record.key, clean, start_s)} if measuring else pointing.follow(record)
    table = partial(sample_table, clean, start_s, page.end_s) if heat is None else partial(heat_table, heat)
    below = None if heat is None else lambda: _largest(spans, beats)
    if measuring:
        pointing.caliper_readings(caliper, page, beats, marching=mode == looking.MARCH)
    paper = widgets.paper_name(record, start_s)
    shows = shows or files.facts(record)
    widgets.draw(figure, table, key, shows=shows, below=below, select=select, paper=paper, frames=frames)


def _largest(spans: tuple[Span, ...], beats: Beats) -> None:
    """Name the bracketed spans in a line, with a table on demand."""
    if not spans:
        return
    named = []
    for each in spans:
        where = ", ".join(part for part in (each.lead or "all leads", whereabouts(each, beats)) if part)
        named.append(f"{each.mark} {where} ({each.start_s:.2f} to {each.end_s:.2f} s, {percent(each.share)})")
    widgets.note(f"Largest spans on this sheet, with their part of the map: {'; '.join(named)}.")
    widgets.show_table("The largest spans as a table", partial(span_table, spans, beats), "spans")
