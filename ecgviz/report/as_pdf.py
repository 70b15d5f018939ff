"""A case as a PDF: A4 landscape, true to the millimetre, drawn without a browser, every line a vector."""

from collections.abc import Iterator, Sequence
from functools import partial

from ecgviz import __version__
from ecgviz.edit import notice
from ecgviz.figures import footer as paper_footer
from ecgviz.figures import header as paper_header
from ecgviz.figures.booklet import Drawing, Flow, Page, Place, figures_page, paper_page, pdf
from ecgviz.figures.heat import Heat, from_attention, from_explanation
from ecgviz.figures.printed import draw_channel, draw_matrix, draw_rhythm
from ecgviz.figures.sheet import sheet_starts
from ecgviz.records.quality import assumed, reliance
from ecgviz.report import rows
from ecgviz.report.as_html import coarse, outlined
from ecgviz.signal import condition
from ecgviz.types import Case
from ecgviz.types.arrays import BoolArray
from ecgviz.types.paper import STANDARD, PaperFormat

TOLD_IN_FULL = ("met", "borderline")
"""States of a definition whose rules are all listed; a superclass has dozens of definitions."""


def render_pdf(case: Case, form: PaperFormat = STANDARD) -> bytes:
    """Return the report as a PDF, its tracings in the layout and scales of ``form``; the same gives the same bytes.

    Pages: the tracing with the explanation behind it; the verdict with its controls; channel, rhythm and beat level;
    each attention map of the network behind the tracing; criteria; measurements and quality; provenance.
    """
    title = f"{case.record.id}: {case.label}, {case.explanation.method.replace('_', ' ')}"
    return pdf(_pages(case, title, form), f"{title} (ecgviz {__version__})")


def _pages(case: Case, title: str, form: PaperFormat = STANDARD) -> Iterator[Page]:
    yield from _sheets(case, form, title, from_explanation(case.explanation, case.record.duration_s))
    yield from _verdict(case).pages
    yield from _levels(case)
    for attention in case.attention:
        if attention.level != "channel":
            named = f"{attention.level.capitalize()} attention: where the network pooled"
            yield from _sheets(case, form, named, from_attention(attention))
    yield from _details(case).pages


def _sheets(case: Case, form: PaperFormat, title: str, heat: Heat) -> Iterator[Page]:
    """Yield pages of paper that hold the model's window, and ten seconds at least, with a map behind the trace."""
    clean, footer = condition(case.record), paper_footer(case.record, form)
    header = paper_header(case.record, case.measurements)
    window = case.explanation
    for start_s in sheet_starts(window.start_s, form, case.record.duration_s, window.duration_s):
        yield paper_page(clean, start_s=start_s, form=form, title=title, header=header, footer=footer, heat=heat)


def _verdict(case: Case) -> Flow:
    flow, agreement = Flow(), case.agreement
    flow.heading("Model and guideline")
    flow.paragraph(f"Called by: {agreement.label}. Evidence: {agreement.evidence}.", bold=True)
    flow.paragraph(agreement.why)
    if reliance(case.quality):
        flow.paragraph(f"{reliance(case.quality)} {rows.POOR_LEADS}", bold=True)
    for change in case.record.altered:
        flow.paragraph(f"ALTERED: {change}.", bold=True)
    if case.beats.edits:
        flow.paragraph(notice(case.beats), bold=True)
        for sentence in case.beats.edits:
            flow.paragraph(sentence)
    flow.table(*rows.shares(case))
    flow.table(*rows.controls(case))
    flow.table(*rows.predictions(case))
    error = case.explanation.completeness_error
    if error == error:
        flow.paragraph(f"Completeness error: {rows.number(100 * error, 2)} % of the change of the logit.")
    flow.paragraph(f"{rows.resolution(case.explanation)} {coarse(case)}")
    for sentence in assumed(case.record, case.explanation.fs, case.explanation.duration_s):
        flow.paragraph(f"Assumed: {sentence}.")
    return flow


def _levels(case: Case) -> Iterator[Page]:
    """Yield the page with the three levels, as far as the map has them; what it has not is said."""
    grid = case.grid
    channel, rhythm, beat = grid.channel(), grid.rhythm(), grid.beat()
    if grid.total == 0 or (channel is None and (rhythm is None or not len(case.beats))):
        flow = Flow()
        flow.heading("Where the relevance lies: channel, rhythm, beat")
        flow.paragraph("No supporting relevance lies on any beat, so there are no shares to show.")
        yield from flow.pages
        return
    left: list[Drawing] = []
    columns = [left]
    if channel is not None:
        left.append((partial(_channel, case, outlined(case) if grid.has_leads else None), 1))
    if rhythm is not None and beat is not None:
        left.append((partial(_rhythm, case), 2))
        columns.append([(partial(_matrix, case, outlined(case) if grid.has_leads else None), 1)])
    yield figures_page("Where the relevance lies: channel, rhythm, beat", columns)


def _channel(case: Case, framed: BoolArray | None, axes: Sequence[Place]) -> None:
    leads, shares = case.grid.leads, case.grid.channel()
    named = [] if framed is None else [lead for lead, row in zip(leads, framed, strict=True) if row.any()]
    if shares is not None:
        draw_channel(axes[0], shares, leads, title="Channel: share of each lead", highlighted=named)


def _rhythm(case: Case, axes: Sequence[Place]) -> None:
    shares = case.grid.rhythm()
    if shares is not None:
        draw_rhythm(axes[0], axes[1], shares, case.beats, title="Rhythm: share of each beat, above the RR intervals")


def _matrix(case: Case, framed: BoolArray | None, axes: Sequence[Place]) -> None:
    shares = case.grid.beat()
    if shares is not None:
        title = "Beat: lead and wave" + ("" if framed is None else "; framed: the guideline's")
        draw_matrix(axes[0], shares, case.grid.leads, title=title, outlined=framed)


def _details(case: Case) -> Flow:
    flow = Flow()
    flow.heading("Criteria: measured beside limit")
    if not case.findings:
        flow.paragraph(f"No published criterion is on file for {case.label}.")
    for finding in (each for each in case.findings if each.state in TOLD_IN_FULL):
        flow.heading(f"{finding.criterion}, {finding.name} ({finding.definition}): {rows.words(finding.state)}")
        flow.paragraph(finding.why)
        flow.table(*rows.rules(finding))
        flow.paragraph(f"Source: {finding.source}")
        for caveat in finding.caveats:
            flow.paragraph(f"Caveat: {caveat}.")
    others = [each for each in case.findings if each.state not in TOLD_IN_FULL]
    if others:
        flow.heading("Definitions that are not met, or cannot be evaluated (each rule of them is in the HTML report)")
        flow.table(
            ("criterion", "definition", "state", "why", "source"),
            [(f"{f.criterion}, {f.name}", f.definition, rows.words(f.state), f.why, f.source) for f in others],
        )
    flow.heading("Measurements and quality")
    if case.beats.reason:
        flow.paragraph(f"No beats: {case.beats.reason}.")
    flow.table(*rows.measurements(case))
    flow.table(*rows.quality(case))
    flow.heading("Provenance")
    flow.table(*rows.provenance(case))
    return flow
