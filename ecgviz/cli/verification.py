"""``verify``: a case that was written before, computed once more and held against what it says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgviz.cli.arguments import CaseModel, Json
from ecgviz.cli.console import write_json, write_lines, write_table
from ecgviz.cli.networks import chosen
from ecgviz.errors import ModelError

if TYPE_CHECKING:
    from ecgviz.pipeline.verify import Verification

DIFFERS = 1


def verify(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case folder that ecgviz explain wrote.")],
    model: CaseModel = None,
    as_json: Json = False,
) -> None:
    """Compute a case once more and say of each part: bitwise the same, within tolerance, or different (exit code 1)."""
    from ecgviz.checkpoint import available_models
    from ecgviz.pipeline import load_case
    from ecgviz.pipeline.verify import DIFFERENT
    from ecgviz.pipeline.verify import verify as verify_case

    loaded = load_case(case)
    made_with = loaded.provenance["model"]
    if model is None and made_with not in available_models() and not Path(made_with).is_dir():
        raise ModelError(
            f"{case} was made with the model {made_with!r}, which is not a shipped one; give the folder of the case's "
            "model with --model"
        )
    found = verify_case(loaded, chosen(model or made_with))
    if as_json:
        parts = [
            {"part": each.part, "state": each.state, "difference": each.difference, "where": each.where}
            for each in found.parts
        ]
        write_json({"case": case, "state": found.state, "parts": parts, "changed_since": found.surroundings})
    else:
        _show(case, found)
    if found.state == DIFFERENT:
        raise typer.Exit(DIFFERS)


def _show(case: Path, found: "Verification") -> None:
    rows = [
        (each.part, each.state, f"{each.difference:.1e}" if each.difference else "", each.where) for each in found.parts
    ]
    write_table(f"{case}: {found.state}", ("part", "state", "largest relative difference", "where"), rows)
    since = "; ".join(found.surroundings)
    write_lines(f"Not as when the case was made: {since}." if since else "Versions, platform and threads are the same.")
