"""Figures for paper: vector drawings whose millimetres are millimetres, with Matplotlib.

Every function returns the text of one SVG file. The same input gives the same text; no raster image is in it.
"""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ecgviz.figures import heat as heating
from ecgviz.figures import millimetres, style
from ecgviz.figures.header import broken
from ecgviz.figures.lettering import fits
from ecgviz.figures.rhythm import even_percent, usual_step_s
from ecgviz.figures.settings import settings
from ecgviz.figures.sheet import Sheet, fitted, samples, sheet
from ecgviz.types import WAVES, Beats, Record
from ecgviz.types.arrays import BoolArray, FloatArray
from ecgviz.types.paper import STANDARD, PaperFormat

MM_PER_INCH = 25.4
HEAD_MM, FOOT_MM, LEGEND_MM = 11.0, 7.0, 12.0
MOST_MM = 160.0
"""Of paper on a page of HTML that is printed on A4, landscape: with head, foot and legend it is 190 mm high."""
STEPS = 24
"""Colours are drawn in this many steps a sign, so that neighbours of one colour become one rectangle."""

_LEGEND_UP_MM, _LINE_MM = 5.5, 4.5

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ecgviz",
    "path.simplify": False,
    "hatch.linewidth": 0.6,
    "font.size": 8,
}


def paper_svg(
    record: Record,
    *,
    start_s: float = 0.0,
    form: PaperFormat = STANDARD,
    header: Sequence[str] = (),
    footer: str = "",
    heat: heating.Heat | None = None,
) -> str:
    """Draw a sheet of millimetre paper, true to size when printed at 100 %: 250 mm for ten seconds at 25 mm/s.

    Parameters
    ----------
    record : Record
        Conditioned for display; one row a lead when the twelve are not complete.
    start_s : float
        Left edge, seconds of the record.
    form : PaperFormat
        Layout and scales. Rows that need more than A4 has, landscape, move closer (`fitted`).
    header, footer : text above (two lines) and below the paper
    heat : Heat or None
        Relevance drawn behind the trace, with its legend below.

    Returns
    -------
    str
        SVG. The group ``trace-LEAD`` holds a lead's line, ``pulse`` the calibration pulses (1 mV, 0.2 s).
    """
    page = sheet(record, start_s, form)
    lines = _head_lines(header, page.width_mm)
    head_mm = max(HEAD_MM, 2.0 + _LINE_MM * len(lines))
    page = fitted(page, MOST_MM + HEAD_MM - head_mm)
    below_mm = FOOT_MM + (LEGEND_MM if heat is not None else 0.0)
    height_mm = page.height_mm + head_mm + below_mm
    with settings(SETTINGS):
        figure = blank_page(page.width_mm, height_mm)
        draw_sheet(figure, page, record, heat, bottom_mm=below_mm)
        top = 1 - 1.5 / height_mm
        for line, weight in lines:
            figure.text(0.002, top, line, va="top", weight=weight, parse_math=False)
            top -= _LINE_MM / height_mm
        figure.text(0.002, (below_mm - 1.5) / height_mm, footer, va="top", color=style.MUTED, parse_math=False)
        return _svg(figure)


def _head_lines(header: Sequence[str], width_mm: float) -> list[tuple[str, str]]:
    """Return the lines above the paper with their weights, broken where the paper ends; the first line is bold."""
    size = float(SETTINGS["font.size"])
    return [
        (part, weight)
        for line, weight in zip(header, ("bold", "normal"), strict=False)
        for part in broken(line, fits(width_mm, size, weight))
    ]


def channel_svg(shares: FloatArray, leads: Sequence[str], *, title: str, highlighted: Sequence[str] = ()) -> str:
    """Draw one bar a lead with its share (0 to 1) of the whole; guideline leads are hatched, dashes mark 1 / L."""
    with settings(SETTINGS):
        figure = blank_page(125.0, 55.0)
        draw_channel(_plain_axes(figure), shares, leads, title=title, highlighted=highlighted)
        return _svg(figure)


def draw_channel(
    axes: Axes, shares: FloatArray, leads: Sequence[str], *, title: str, highlighted: Sequence[str] = ()
) -> None:
    """Draw what `channel_svg` draws into axes."""
    _title(axes, title)
    values = 100 * np.nan_to_num(np.asarray(shares, dtype=float))
    _bars(axes, np.arange(len(leads), dtype=float), values, 0.7, [lead in highlighted for lead in leads])
    names = [f"{lead}\n{style.percent(float(share))}" for lead, share in zip(leads, shares, strict=True)]
    axes.set_xticks(range(len(leads)), names, size=7)
    axes.axhline(100 / len(leads), color=style.MUTED, linestyle="--", linewidth=0.8)
    axes.set_ylabel("share, %")


def rhythm_svg(shares: FloatArray, beats: Beats, *, title: str) -> str:
    """Draw one bar a beat (share 0 to 1) above the RR intervals; beats not of the dominant kind are hatched."""
    with settings(SETTINGS):
        figure = blank_page(125.0, 55.0)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        figure.subplots_adjust(left=0.12, right=0.98, top=0.88, bottom=0.2, hspace=0.25)
        draw_rhythm(above, below, shares, beats, title=title)
        return _svg(figure)


def draw_rhythm(above: Axes, below: Axes, shares: FloatArray, beats: Beats, *, title: str) -> None:
    """Draw what `rhythm_svg` draws into two axes, one above the other."""
    width = 0.5 * usual_step_s(beats) if len(beats) > 1 else 0.5
    _bars(above, beats.r_s, 100 * np.nan_to_num(shares), width, [not same for same in beats.dominant])
    above.axhline(even_percent(shares), color=style.MUTED, linestyle="--", linewidth=0.8)
    above.set_ylabel("share, %")
    below.plot(beats.r_s[1:], 1000 * beats.rr_s, color=style.INK, linewidth=0.8, marker="o", markersize=2.5)
    below.set(xlabel="time, s", ylabel="RR, ms")
    for axes in (above, below):
        _title(axes, title if axes is above else "")
        axes.set_xlim(0.0, beats.duration_s)


def matrix_svg(shares: FloatArray, leads: Sequence[str], *, title: str, outlined: BoolArray | None = None) -> str:
    """Draw supporting shares by lead and wave, (L or 1, 6) in the order of `WAVES`; framed: the guideline's."""
    with settings(SETTINGS):
        figure = blank_page(125.0, 14.0 + 6.0 * shares.shape[0])
        draw_matrix(_plain_axes(figure), shares, leads, title=title, outlined=outlined)
        return _svg(figure)


def draw_matrix(
    axes: Axes, shares: FloatArray, leads: Sequence[str], *, title: str, outlined: BoolArray | None = None
) -> None:
    """Draw what `matrix_svg` draws into axes."""
    _title(axes, title)
    values = np.nan_to_num(np.asarray(shares, dtype=float))
    shade = colour_map(style.sequential())
    for row, wave in np.ndindex(values.shape):
        colour = shade(values[row, wave] / (values.max() or 1.0))
        axes.add_patch(Rectangle((wave - 0.5, row - 0.5), 1.0, 1.0, facecolor=colour, edgecolor="#b0b0b0", lw=0.4))
        axes.text(wave, row, style.percent(float(shares[row, wave])), ha="center", va="center", size=7)
    for row, wave in np.argwhere(outlined) if outlined is not None else ():
        axes.add_patch(Rectangle((wave - 0.46, row - 0.42), 0.92, 0.84, fill=False, edgecolor=style.REGION, lw=1.6))
    axes.set(xlim=(-0.5, len(WAVES) - 0.5), ylim=(values.shape[0] - 0.5, -0.5))
    axes.set_xticks(range(len(WAVES)), list(WAVES))
    axes.set_yticks(range(values.shape[0]), list(leads) or ["all leads"])
    axes.tick_params(length=0)


def draw_sheet(
    figure: Figure, page: Sheet, record: Record, heat: heating.Heat | None, *, left_mm: float = 0.0, bottom_mm: float
) -> None:
    """Draw a sheet of paper into a figure at true size, its lower left corner at a place.

    The legend of a heat lies below; it takes `LEGEND_MM` and `FOOT_MM`, of which the latter is for words.
    """
    width_mm, height_mm = (MM_PER_INCH * float(inches) for inches in figure.get_size_inches())
    place = (left_mm / width_mm, bottom_mm / height_mm, page.width_mm / width_mm, page.height_mm / height_mm)
    axes = figure.add_axes(place)
    axes.set(xlim=(page.left_s, page.end_s), ylim=(0.0, page.height_uv), xticks=[], yticks=[])
    axes.set_facecolor(style.PAPER)
    _draw_grid(axes, page)
    if heat is not None:
        colours = _draw_heat(axes, heat, page)
        below = (bottom_mm - FOOT_MM - LEGEND_MM + _LEGEND_UP_MM) / height_mm
        left, across = place[0], place[2]
        legend = figure.add_axes((left + 0.06 * across, below, 0.4 * across, 2.5 / height_mm))
        _draw_legend(legend, heat, colours)
        figure.text(left + 0.52 * across, below + 0.5 / height_mm, heat.name, size=8, parse_math=False)
    _draw_traces(axes, record, page)


def blank_page(width_mm: float, height_mm: float) -> Figure:
    """Return an empty white page of so many millimetres."""
    return Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), facecolor="white")


def _svg(figure: Figure) -> str:
    """Return the figure as SVG whose size is stated in millimetres."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "ecgviz"})
    width, height = (MM_PER_INCH * float(inches) for inches in figure.get_size_inches())
    stated = f'width="{width:.3f}mm" height="{height:.3f}mm"'
    return re.sub(r'width="[^"]+pt" height="[^"]+pt"', stated, out.getvalue(), count=1)


def _plain_axes(figure: Figure) -> Axes:
    axes = figure.subplots()
    figure.subplots_adjust(left=0.12, right=0.98, top=0.88, bottom=0.16)
    return axes


def _title(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)


def _bars(axes: Axes, at: FloatArray, heights: FloatArray, width: float, hatched: Sequence[bool]) -> None:
    for x, height, marked in zip(at, heights, hatched, strict=True):
        axes.bar(
            x, height, width, color="white" if marked else style.ACCENT, edgecolor=style.ACCENT,
            hatch="////" if marked else "", linewidth=0.8,
        )  # fmt: skip


def _draw_grid(axes: Axes, page: Sheet) -> None:
    left, right, form = page.left_s, page.end_s, page.form
    for step_mm, colour, width in ((1.0, style.GRID_MINOR, 0.25), (5.0, style.GRID_MAJOR, 0.5)):
        across = left + step_mm / form.speed_mm_s * np.arange(round(page.width_mm / step_mm) + 1)
        up = 1000 * step_mm / form.gain_mm_mv * np.arange(round(page.height_mm / step_mm) + 1)
        lines = [[(x, 0.0), (x, page.height_uv)] for x in across] + [[(left, y), (right, y)] for y in up]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=0.5), autolim=False)


def _draw_heat(axes: Axes, heat: heating.Heat, page: Sheet) -> mpl.colors.Colormap:
    """Draw the layer that the screen shows, in `STEPS` steps of colour; return these."""
    layer = heating.layer(heat, page)
    low, high = float(layer.zmin), float(layer.zmax)
    colours = colour_map(style.diverging() if heat.signed else style.sequential())
    boxes, faces = [], []
    x, y = np.asarray(layer.x, dtype=float), np.asarray(layer.y, dtype=float)
    for row, values in enumerate(np.asarray(layer.z, dtype=float)):
        span = 2 * STEPS if heat.signed else STEPS
        level = np.round(np.clip((values - low) / (high - low), 0, 1) * span)
        changes = np.flatnonzero(np.diff(np.where(np.isnan(level), -1.0, level))) + 1
        for first, last in zip([0, *changes], [*changes, level.size], strict=True):
            if np.isfinite(level[first]) and level[first] != (STEPS if heat.signed else 0):
                boxes.append([(x[first], y[row]), (x[last], y[row]), (x[last], y[row + 1]), (x[first], y[row + 1])])
                faces.append(colours(level[first] / span))
    axes.add_collection(PolyCollection(boxes, facecolors=faces, linewidths=0, zorder=1.0, gid="heat"), autolim=False)
    return colours


def _draw_legend(legend: Axes, heat: heating.Heat, colours: mpl.colors.Colormap) -> None:
    high = heat.limit if heat.limit > 0 else 1.0
    low = -high if heat.signed else 0.0
    for step in range(STEPS):
        legend.add_patch(Rectangle((step / STEPS, 0), 1 / STEPS, 1, facecolor=colours((step + 0.5) / STEPS), lw=0))
    ticks = [0.0, 0.5, 1.0]
    names = [
        f"{low + tick * (high - low):+.2g}" if heat.signed else f"{low + tick * (high - low):.2g}" for tick in ticks
    ]
    if heat.signed:
        names = [f"opposes ≤ {names[0]}", "0", f"supports ≥ {names[2]}"]
    legend.set(xlim=(0, 1), ylim=(0, 1), yticks=[], facecolor=style.PAPER)
    legend.set_xticks(ticks, names)
    legend.tick_params(length=1.5, labelsize=7)


def _draw_traces(axes: Axes, record: Record, page: Sheet) -> None:
    pen: dict[str, Any] = {"color": style.INK, "linewidth": 0.7, "solid_joinstyle": "round", "zorder": 2.0}
    for zero in page.zero_uv:
        axes.plot(*millimetres.pulse_path(page.left_s, zero, page.form), gid="pulse", **pen)
    for strip in page.strips:
        first_s, values = samples(record, strip)
        heights = page.zero_uv[strip.row] + 1000.0 * np.asarray(values, dtype=float)
        axes.plot(first_s + np.arange(values.size) / record.fs, heights, gid=f"trace-{strip.lead}", **pen)
        top = page.bounds_uv[strip.row][1]
        axes.text(
            strip.start_s + 1.0 / page.form.speed_mm_s,
            top - 60,
            strip.name,
            va="top",
            weight="bold",
            size=9,
            parse_math=False,
        )
        if strip.start_s > page.start_s:
            zero = page.zero_uv[strip.row]
            axes.plot([strip.start_s] * 2, [zero - 350, zero - 150], **pen)
            axes.plot([strip.start_s] * 2, [zero + 150, zero + 350], **pen)


def colour_map(scale: style.Colorscale) -> mpl.colors.Colormap:
    """Return the screen's colour scale for Matplotlib, opacity included."""
    points = []
    for at, text in scale:
        red, green, blue, alpha = (float(part) for part in re.findall(r"[\d.]+", text))
        points.append((at, (red / 255, green / 255, blue / 255, alpha)))
    return mpl.colors.LinearSegmentedColormap.from_list("ecgviz", points)
