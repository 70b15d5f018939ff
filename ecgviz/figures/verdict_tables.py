"""Tables of a verdict: what a map holds of each criterion by itself, and how early a region comes in its order."""

import pandas as pd

from ecgviz.figures.style import percent
from ecgviz.types import Agreement


def criteria_table(agreement: Agreement) -> pd.DataFrame:
    """Return a row a met criterion: share and area of its own region, both nulls with their false-discovery control."""
    rows = [
        (
            each.criterion,
            percent(each.share),
            percent(each.area),
            _p_and_q(each.p_phase, each.q_time),
            _p_and_q(each.p_place, each.q_place),
        )
        for each in agreement.criteria
    ]
    columns = ["criterion", "share in its region", "region's part of the area", "p in time (q)", "p in place (q)"]
    return pd.DataFrame(rows, columns=columns)


def _p_and_q(p: float, q: float) -> str:
    return "not tested" if p != p else f"{p:.3f} ({q:.3f})"


def order_words(agreement: Agreement) -> str:
    """Return how early the region's cells come when cells are ranked by density; "" where that was not scored."""
    if agreement.auprc != agreement.auprc:
        return ""
    return (
        f"Ranked by evidence per second, {percent(agreement.pointing)} of the densest cell and "
        f"{percent(agreement.rank_accuracy)} of the densest cells as large as the region lie in it; average precision "
        f"{agreement.auprc:.2f}. An even map has {percent(agreement.area)} in each."
    )
