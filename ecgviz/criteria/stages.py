"""Which definitions of an infarct fit its stage."""

from collections.abc import Sequence

from ecgviz.types import Finding


def at_stage(findings: Sequence[Finding], stages: Sequence[str]) -> tuple[Finding, ...]:
    """Return the findings to hold evidence against when the stage of an infarct is known.

    At stage I a reader looks at ST, at stage II at Q and T, at stage III at Q alone; definitions that are meant for
    other stages are left out. Those that name no stage stay, and all do when ``stages`` is empty.

    Parameters
    ----------
    findings
        Of one record.
    stages
        `Record.infarct_stages`: those that its readers named, among "I", "II" and "III".
    """
    return tuple(found for found in findings if not stages or not found.stages or set(stages) & set(found.stages))
