"""The command line: a thin shell over the library, one command for each thing a user asks for.

Every refusal is one line on standard error and exit code 2. Nothing heavy is imported before a command runs, so that
``ecgviz --help`` answers at once.
"""

import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ecgviz import NOTICE, __version__
from ecgviz.cli import (
    cases,
    checks,
    cohort,
    criteria,
    dashboard,
    edits,
    evaluation,
    imports,
    networks,
    planted,
    recordings,
    review,
    teach,
    training,
    validation,
    verdicts,
    verification,
)
from ecgviz.errors import EcgvizError
from ecgviz.memory import collect_seldom, keep_freed_memory

COMMANDS: Mapping[str, Callable[..., None]] = {
    "info": recordings.info,
    "beats": recordings.beats,
    "measure": recordings.measure,
    "criteria": criteria.evaluate,
    "models": networks.models,
    "methods": networks.methods,
    "predict": networks.predict,
    "explain": cases.explain,
    "edits": edits.edits,
    "check": checks.check,
    "report": cases.report,
    "verify": verification.verify,
    "simulate": recordings.simulate,
    "train": training.train,
    "train-delineator": training.train_delineator,
    "evaluate": evaluation.evaluate,
    "app": dashboard.app,
}
"""Every command by name, in the order of the help text."""
GROUPS: Mapping[str, Mapping[str, Callable[..., None]]] = {
    "models": {"import": imports.import_model},
    "criteria": {
        "list": criteria.listed,
        "show": criteria.show,
        "evaluate": criteria.evaluate,
        "schema": criteria.schema,
    },
    "validate": {
        "delineation": validation.delineation,
        "measurements": validation.measurements,
        "criteria": validation.criteria,
        "explanations": planted.explanations,
        "audits": planted.audits,
        "verdicts": verdicts.verdicts,
    },
    "teach": {"list": teach.listed, "show": teach.show, "check": teach.check},
    "review": {
        "create": review.create,
        "code": review.code,
        "list": review.listed,
        "export": review.export,
        "import": review.import_study,
        "verify": review.verify,
        "report": review.report,
    },
    "cohort": {"run": cohort.run, "query": cohort.query, "summary": cohort.summary},
    "fetch": {"ptb-xl": evaluation.fetch_ptbxl},
}
"""Commands of two words, by their first and their second; a first word that is a command too stays one."""
GROUP_HELP: Mapping[str, str] = {
    "validate": "Measure how right ecgviz is on recordings whose answer is known.",
    "teach": "Cases to read, each with its answer, criteria and references: what the Teaching page shows.",
    "review": "Reader studies: answers before and after a map is shown, kept, counted and reported.",
    "cohort": "Explain a folder of recordings into a store, and ask it.",
    "fetch": "Fetch public data sets; this needs the internet.",
}

BAD_INPUT = 2
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a disk that is full, a quota that is spent, and a file that grows too large."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ecgviz {__version__}\n{NOTICE}")
        raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print version and notice, then stop.")
    ] = False,
) -> None:
    _help(context)


def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


class _TwoWords(TyperGroup):
    """Commands by name, of which some have two words."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take two words as one name where there is such a command."""
        two = " ".join(args[:2])
        return super().resolve_command(ctx, [two, *args[2:]] if two in self.commands else args)


def build() -> typer.Typer:
    """Return the typer application with all of `COMMANDS`."""
    shell = typer.Typer(
        name="ecgviz",
        cls=_TwoWords,
        help=f"Explain 12-lead ECG classifiers and hold them against cardiologists' criteria. {NOTICE}",
        epilog="A RECORD is the path of a WFDB, CSV or NPZ file, or demo:NAME for a shipped one.",
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    shell.callback(invoke_without_command=True)(_root)
    for name, function in COMMANDS.items():
        shell.command(name)(function)
    for name, functions in GROUPS.items():
        if name in COMMANDS:
            for second, function in functions.items():
                shell.command(f"{name} {second}")(function)
            continue
        group = typer.Typer(name=name, help=GROUP_HELP[name])
        group.callback(invoke_without_command=True)(_help)
        for second, function in functions.items():
            group.command(second)(function)
        shell.add_typer(group)
    return shell


@cache
def _command() -> Any:
    """Return the command that runs all others; a program that calls `main` again and again reads them once."""
    return get_command(build())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; ``argv`` defaults to the process's arguments.

    Returns
    -------
    int
        0, or 2 after a refusal, whose one line is on standard error.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # PyTorch's threads wait for one another in loops, which on a machine that does something else too costs minutes.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    keep_freed_memory()
    collect_seldom()
    try:
        code = _command()(arguments, prog_name="ecgviz", standalone_mode=False)
    except EcgvizError as refusal:
        return _refuse(str(refusal))
    except typer.TyperException as mistake:
        return _refuse(f"{mistake.format_message()} (ecgviz --help lists what there is)")
    except OSError as problem:
        return _refuse(_of_the_system(problem))
    return code if isinstance(code, int) else 0


def _of_the_system(problem: OSError) -> str:
    """Return what the system could not do: with the file, where it names one, and with what a full disk means.

    Raises
    ------
    OSError
        The problem itself, where the system gave no reason: that is a fault of ours.
    """
    if problem.errno is None:
        raise problem
    said = problem.strerror or os.strerror(problem.errno)
    named = f"{problem.filename}: {said}" if problem.filename is not None else said
    if problem.errno in NO_ROOM:
        return f"{named}: there is no room for what was to be written, and nothing was left half-written"
    return named if problem.filename is not None else f"a file could not be read or written: {named}"


def _refuse(sentence: str) -> int:
    one_line = " ".join(sentence.split())
    typer.echo(f"ecgviz: {one_line}", err=True)
    return BAD_INPUT
