"""Hold an explanation against a guideline's region: plausibility, which is not faithfulness.

A network may be right for a reason that the guideline does not list. A p-value alone never makes an agreement.
"""

from ecgviz.compare.verdict import compare, hold_against

__all__ = ["compare", "hold_against"]
