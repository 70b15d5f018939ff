"""A case as one HTML page that needs nothing else: to print, to mail, to keep beside the recording.

No script, no link and no image from outside: figures are vector drawings inside the file, and its own content security
policy forbids the browser to fetch anything. Every text is escaped, whatever its origin.
"""

import base64
import html
import math
from collections.abc import Iterable, Sequence

import numpy as np

from ecgviz import NOTICE, __version__
from ecgviz.criteria import at_stage, union_region
from ecgviz.edit import notice
from ecgviz.figures import footer as paper_footer
from ecgviz.figures import header as paper_header
from ecgviz.figures import region_cells
from ecgviz.figures.heat import Heat, from_attention, from_explanation
from ecgviz.figures.printed import channel_svg, matrix_svg, paper_svg, rhythm_svg
from ecgviz.figures.sheet import sheet_starts
from ecgviz.records.quality import assumed, reliance
from ecgviz.report import rows
from ecgviz.report.rows import number, percent, resolution, words
from ecgviz.signal import condition
from ecgviz.types import WAVES, Case
from ecgviz.types.arrays import BoolArray
from ecgviz.types.paper import STANDARD, PaperFormat

SHORTEST_WAVE_S = 0.08
"""A map that is coarser than a QRS complex cannot say on which wave it looked."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
@page { size: A4 landscape; margin: 10mm }
body { font: 10pt/1.4 Arial, Helvetica, sans-serif; color: #111; max-width: 270mm; margin: 6mm auto; padding: 0 4mm }
h1 { font-size: 17pt; margin: 0 } h2 { font-size: 13pt; margin: 7mm 0 2mm; break-after: avoid }
h3 { font-size: 10.5pt; margin: 4mm 0 1mm; break-after: avoid }
p { margin: 1mm 0; max-width: 190mm } img { display: block; max-width: 100% }
table { border-collapse: collapse; margin: 2mm 0 } tr { break-inside: avoid }
th, td { border: 0.2mm solid #bbb; padding: 0.7mm 1.8mm; text-align: left; vertical-align: top }
th { background: #f2f2f2 } .notice { border: 0.3mm solid #8a1c1c; padding: 1.5mm 3mm; color: #8a1c1c }
.pair { display: flex; flex-wrap: wrap; gap: 4mm; align-items: flex-start }
.verdict { font-size: 12pt; font-weight: bold }
"""


def render(case: Case, form: PaperFormat = STANDARD) -> str:
    """Return the report as HTML text, its tracings in the layout and scales of ``form``; the same gives the same."""
    title = f"{case.record.id}: {case.label}, {case.explanation.method}"
    body = (
        f"<h1>{_safe(title)}</h1>",
        f'<p class="notice">{_safe(NOTICE)}</p>',
        *_edits(case),
        *_verdict(case),
        *_tracing(case, form),
        *_levels(case),
        *_attention(case, form),
        *_criteria(case),
        *_measurements(case),
        *_provenance(case),
        f'<p class="notice">{_safe(NOTICE)}</p>',
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="generator" content="ecgviz {_safe(__version__)}">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _edits(case: Case) -> Iterable[str]:
    """Yield what was altered on purpose and which marks a reader changed; nothing where neither was."""
    if case.record.altered:
        yield "<h2>Alterations</h2>"
    yield from (f"<p><strong>ALTERED: {_safe(change)}.</strong></p>" for change in case.record.altered)
    if case.beats.edits:
        yield f"<h2>Marks</h2><p><strong>{_safe(notice(case.beats))}</strong></p>"
        yield "<ul>" + "".join(f"<li>{_safe(sentence)}</li>" for sentence in case.beats.edits) + "</ul>"


def _verdict(case: Case) -> Iterable[str]:
    agreement = case.agreement
    yield "<h2>Model and guideline</h2>"
    yield f'<p class="verdict">Called by: {_safe(agreement.label)}. Evidence: {_safe(agreement.evidence)}.</p>'
    yield f"<p>{_safe(agreement.why)}</p>"
    if reliance(case.quality):
        yield f"<p><strong>{_safe(reliance(case.quality))}</strong> {rows.POOR_LEADS}</p>"
    yield '<div class="pair">'
    yield _table(*rows.predictions(case))
    yield _table(*rows.shares(case))
    yield _table(*rows.controls(case))
    yield "</div>"


def _tracing(case: Case, form: PaperFormat) -> Iterable[str]:
    explanation = case.explanation
    yield f"<h2>Tracing, with {_safe(explanation.method.replace('_', ' '))} of {_safe(case.label)} behind it</h2>"
    heat = from_explanation(explanation, case.record.duration_s)
    about = f"12-lead tracing of {case.record.id} with {heat.name} behind it"
    yield from _sheets(case, form, heat, about, header=paper_header(case.record, case.measurements))
    error = explanation.completeness_error
    if math.isfinite(error):
        yield f"<p>Completeness error: {number(100 * error, 2)} % of the change of the logit.</p>"
    yield f"<p>{resolution(explanation)}</p>"
    told = assumed(case.record, explanation.fs, explanation.duration_s)
    yield from (f"<p>Assumed: {_safe(sentence)}.</p>" for sentence in told)


def _sheets(case: Case, form: PaperFormat, heat: Heat, about: str, *, header: Sequence[str] = ()) -> Iterable[str]:
    """Yield the sheets that hold the model's window, and ten seconds at least, with a map behind the trace."""
    clean = condition(case.record)
    window = case.explanation
    for start_s in sheet_starts(window.start_s, form, case.record.duration_s, window.duration_s):
        footer = paper_footer(case.record, form)
        yield _image(paper_svg(clean, start_s=start_s, form=form, header=header, footer=footer, heat=heat), about)


def _levels(case: Case) -> Iterable[str]:
    """Yield the three levels of the evidence grid."""
    grid = case.grid
    yield "<h2>Where the relevance lies: channel, rhythm, beat</h2>"
    if grid.total == 0:
        yield "<p>No supporting relevance lies on any beat, so there are no shares to show.</p>"
        return
    channel, rhythm, beat = grid.channel(), grid.rhythm(), grid.beat()
    framed = outlined(case) if grid.has_leads else None
    yield '<div class="pair">'
    if channel is None:
        yield "<p>This map does not tell leads apart, so there is no channel level.</p>"
    else:
        named = [] if framed is None else [lead for lead, row in zip(grid.leads, framed, strict=True) if row.any()]
        yield _image(
            channel_svg(channel, grid.leads, title="Channel: share of each lead", highlighted=named),
            "share of each lead: " + _listed(grid.leads, channel),
        )
    if rhythm is None or beat is None:
        yield "<p>This map does not tell times apart, so there is no rhythm and no beat level.</p>"
    else:
        names = [f"beat {n + 1}" for n in range(len(rhythm))]
        yield _image(
            rhythm_svg(rhythm, case.beats, title="Rhythm: share of each beat"),
            "share of each beat: " + _listed(names, rhythm),
        )
        yield _image(
            matrix_svg(beat, grid.leads, title="Beat: share of each lead and wave", outlined=framed),
            "share of each lead and wave" + ("" if framed is None else "; the guideline's cells are framed"),
        )
    yield "</div>"
    if coarse(case):
        yield f"<p>{_safe(coarse(case))}</p>"
    outside, total = number(grid.outside_abs, 3), number(grid.total, 3)
    yield f"<p>Relevance outside every delineated beat: {outside}; supporting relevance on the beats: {total}.</p>"


def coarse(case: Case) -> str:
    """Return that a map is too coarse to tell waves apart, "" where it is not."""
    if case.grid.resolution_s <= SHORTEST_WAVE_S:
        return ""
    told = f"This map resolves {number(1000 * case.grid.resolution_s, 3)} ms: it cannot tell waves apart"
    return f"{told}, and the beat level spreads it by duration."


def outlined(case: Case) -> BoolArray | None:
    """Return the cells of the primary region that the verdict is about, shape (L, 6) on the grid's leads.

    Of the criteria that are met, and fit the stage of an infarct where it is told; None where these name no place.
    """
    region = union_region(at_stage(case.findings, case.record.infarct_stages))
    if region is None:
        return None
    cells = dict(zip(region.leads, region_cells(region), strict=True))
    return np.stack([cells.get(lead, np.zeros(len(WAVES), dtype=bool)) for lead in case.grid.leads])


def _attention(case: Case, form: PaperFormat) -> Iterable[str]:
    if not case.attention:
        return
    yield "<h2>Where the network pooled</h2>"
    for attention in case.attention:
        yield f"<h3>{_safe(attention.level.capitalize())} attention</h3>"
        yield f"<p>The weights sum to {_safe(attention.sums_to)}.</p>"
        if attention.level == "channel":
            shares = attention.values[:, 0]
            drawn = channel_svg(shares, attention.leads, title="Channel attention")
            yield _image(drawn, "channel attention: " + _listed(attention.leads, shares))
        else:
            yield from _sheets(case, form, from_attention(attention), f"{attention.level} attention behind the tracing")


def _criteria(case: Case) -> Iterable[str]:
    yield "<h2>Criteria: measured beside limit</h2>"
    if not case.findings:
        yield f"<p>No published criterion is on file for {_safe(case.label)}.</p>"
    for finding in case.findings:
        title = f"{finding.criterion}, {finding.name} ({finding.definition}): {words(finding.state)}"
        yield f"<h3>{_safe(title)}</h3>"
        yield f"<p>{_safe(finding.why)}</p>"
        yield _table(*rows.rules(finding))
        yield f"<p>Source: {_safe(finding.source)}</p>"
    caveats = dict.fromkeys((finding.criterion, caveat) for finding in case.findings for caveat in finding.caveats)
    if caveats:
        yield "<h3>Caveats</h3>"
    yield from (f"<p>{_safe(criterion)}: {_safe(caveat)}.</p>" for criterion, caveat in caveats)


def _measurements(case: Case) -> Iterable[str]:
    yield "<h2>Measurements and quality</h2>"
    if case.beats.reason:
        yield f"<p>No beats: {_safe(case.beats.reason)}.</p>"
    yield '<div class="pair">'
    yield _table(*rows.measurements(case))
    yield _table(*rows.quality(case))
    yield "</div>"


def _provenance(case: Case) -> Iterable[str]:
    yield "<h2>Provenance</h2>"
    yield _table(*rows.provenance(case))


def _safe(text: object) -> str:
    return html.escape(str(text), quote=True)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; without rows nothing."""
    if not rows:
        return ""
    head = "".join(f"<th>{_safe(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _image(svg: str, alt: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{_safe(alt)}" src="data:image/svg+xml;base64,{data}">'


def _listed(names: Sequence[str], shares: Iterable[float]) -> str:
    return ", ".join(f"{name} {percent(float(share))}" for name, share in zip(names, shares, strict=True))
