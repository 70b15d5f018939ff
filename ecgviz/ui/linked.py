"""The three levels beside one another, each showing what the other two point at.

With a beat in focus the leads and waves are those of that beat; with a lead, the beats are those of that lead; and so
on: shares are of what is in focus, which the title names. ``shows`` is what the files of a figure tell of it
(``of_map`` of `ecgviz.ui.files`); without it, its recording alone.
"""

from functools import partial

from ecgviz import figures
from ecgviz.figures import tables
from ecgviz.figures.focus import reduced, within
from ecgviz.figures.rhythm import beat_frame
from ecgviz.types import Beats, EvidenceGrid, Record
from ecgviz.types.focus import Focus
from ecgviz.ui import files, pointing, widgets
from ecgviz.ui.state import drawing


def rhythm(
    record: Record, grid: EvidenceGrid, beats: Beats, *, what: str, key: str, shows: files.Shows | None = None
) -> None:
    """Draw the share of each beat, above the RR intervals: of the lead and wave in focus; nothing without beats."""
    at = pointing.focus(record)
    shares = within(grid, at, but="beat").rhythm()
    if shares is None or not len(beats):
        return
    title = f"{what} in each beat, %{of(grid, at, but='beat')}, above the RR interval that ends in it"
    strip = drawing.figure(figures.rhythm_strip, shares, beats, title=title)  # the same, whichever beat is framed
    table, framed = partial(tables.rhythm_table, shares, beats), beat_frame(beats, at)
    shows = shows or files.facts(record)
    widgets.draw(strip, table, key, shows=shows, select=pointing.follow(record), frames=framed)


def channels(record: Record, grid: EvidenceGrid, *, what: str, key: str, shows: files.Shows | None = None) -> None:
    """Draw the share of each lead: of the beat and wave in focus; nothing for a map without leads."""
    at = pointing.focus(record)
    shares = within(grid, at, but="lead").channel()
    if shares is None:
        return
    title = f"{what} in each lead{of(grid, at, but='lead')}"
    bars = drawing.figure(figures.channel_bars, shares, grid.leads, title=title, focus=at)
    table, shows = partial(tables.channel_table, shares, grid.leads), shows or files.facts(record)
    widgets.draw(bars, table, key, shows=shows, select=pointing.follow(record))


def matrix(
    record: Record, grid: EvidenceGrid, beats: Beats, *, what: str, key: str, shows: files.Shows | None = None
) -> None:
    """Draw the share of each lead and wave: of the beat in focus; nothing without beats."""
    at = pointing.focus(record)
    shares = within(grid, at, but="lead+wave").beat()
    if shares is None or not len(beats):
        return
    drawn = drawing.figure(
        figures.wave_matrix,
        shares,
        grid.leads,
        title=f"{what} in each lead and wave, %{of(grid, at, but='lead+wave')}",
        durations=figures.wave_durations(grid),
        focus=at,
    )
    table, shows = partial(tables.matrix_table, shares, grid.leads), shows or files.facts(record)
    widgets.draw(drawn, table, key, shows=shows, select=pointing.follow(record))


def of(grid: EvidenceGrid, at: Focus, *, but: str) -> str:
    """Return what of the focus a figure of a grid is of, as the end of its title; "" for the whole grid."""
    words = reduced(grid, at).words(but=but)
    return f", of {words}" if words else ""
