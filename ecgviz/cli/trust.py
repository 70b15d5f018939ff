"""How far what is printed of a recording can be relied on: its leads, what was altered, what was assumed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecgviz.cli.console import plain, write_lines, write_table

if TYPE_CHECKING:
    from ecgviz.types import LeadQuality, Record


def trust(record: "Record", quality: "Sequence[LeadQuality]") -> dict[str, Any]:
    """Return what JSON shows of how far measurements can be relied on."""
    told = {"simulated": record.simulated, "altered": record.altered, "assumptions": record.assumptions}
    return {"quality": plain(quality)} | told


def trust_in_scores(record: "Record", quality: "Sequence[LeadQuality]", fed_hz: float, read_s: float) -> dict[str, Any]:
    """Return the same of scores of a network: "reliance" is null where all leads are good."""
    from ecgviz.records.quality import assumed, reliance

    of_scores = {"reliance": reliance(quality) or None, "assumptions": assumed(record, fed_hz, read_s)}
    return trust(record, quality) | of_scores


def write_trust(record: "Record", quality: "Sequence[LeadQuality]") -> None:
    """Print how far measurements can be relied on: leads that are not good, alterations, assumptions."""
    _write(record, quality, "", record.assumptions)


def write_trust_in_scores(record: "Record", quality: "Sequence[LeadQuality]", fed_hz: float, read_s: float) -> None:
    """Print the same of scores of a network, and what the leads mean for them."""
    from ecgviz.records.quality import assumed, reliance

    _write(record, quality, reliance(quality), assumed(record, fed_hz, read_s))


def _write(record: "Record", quality: "Sequence[LeadQuality]", means: str, assumptions: Sequence[str]) -> None:
    poor = [(each.lead, each.verdict, "; ".join(each.reasons)) for each in quality if each.verdict != "good"]
    if poor:
        write_table("Leads that are not good", ("lead", "quality", "why"), poor)
        write_lines(*([means] if means else []))
    write_lines(*(f"Altered: {change}." for change in record.altered))
    write_lines(*(f"Assumed: {sentence}." for sentence in assumptions))
