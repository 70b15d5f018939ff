"""``ecgviz app``: the dashboard, served to this machine alone unless a login is configured."""

import importlib.util
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ecgviz.access import check_login, is_loopback
from ecgviz.cli.arguments import Criteria
from ecgviz.errors import AccessError, ModelError
from ecgviz.registry import OWN_MODELS

LIBRARY = "ECGVIZ_LIBRARY"
"""The variable in which the server finds the folders of the library, separated as in PATH."""
COHORTS = "ECGVIZ_COHORT"
"""The variable in which it finds the stores of cohorts."""
STUDIES = "ECGVIZ_STUDIES"
"""The variable in which it finds the folder of reader studies."""
CRITERIA = "ECGVIZ_CRITERIA"
"""The variable in which it finds the folder of a user's own criteria."""

KNOWN_HOSTS = ("127.0.0.1", "localhost")
"""The loopback addresses that the shipped configuration lets browsers ask for."""


def app(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8501,
    host: Annotated[
        str,
        typer.Option("--host", "--address", help="Address to listen on; one that others reach needs a login."),
    ] = "127.0.0.1",
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder of recordings to list in the dashboard (PTB-XL, LUDB, files); repeatable."),
    ] = None,
    cohort: Annotated[
        list[Path] | None,
        typer.Option("--cohort", help="Store of ecgviz cohort run to show on the Cohort page; repeatable."),
    ] = None,
    studies: Annotated[
        Path | None, typer.Option("--studies", help="Folder of ecgviz review create, to read on the Reader study page.")
    ] = None,
    criteria: Criteria = None,
    model: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a trained model to show beside the shipped ones; repeatable."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the command instead of running it.")] = False,
) -> None:
    """Open the dashboard in the browser; it serves this machine only, and stops with Ctrl-C."""
    from ecgviz.cli.console import write_json
    from ecgviz.cohort.files import check_store
    from ecgviz.records.library import open_library

    command = server_command(port, host, browser)
    stores = [str(store.resolve()) for store in cohort or []]
    for store in stores:
        check_store(Path(store))
    folders = [str(folder.resolve()) for folder in data or []]
    read = [] if studies is None else [_studies(studies)]
    own = [] if criteria is None else [_criteria(criteria)]
    models = _models(model or [])
    listed = len(open_library(folders).entries)
    if as_json:
        told = {"url": f"http://{_in_url(host)}:{port}", "command": command, "data": folders, "recordings": listed}
        told |= ({"criteria": own} if own else {}) | ({"models": models} if models else {})
        write_json(told | ({"cohorts": stores} if stores else {}))
    else:
        # The server takes this process's place, so that a signal to the command reaches it.
        os.execve(sys.executable, command, _environment(folders, stores, read, own, models))  # noqa: S606


def server_command(port: int, host: str, browser: bool) -> list[str]:
    """Return the command that serves the shipped app.

    The options given here outrank configuration files and the environment; all others come from the
    ``.streamlit/config.toml`` that lies beside the app, which outranks the user's own.

    Raises
    ------
    AccessError
        For an address that other machines can reach, unless a login is configured: the dashboard shows what is
        uploaded.
    """
    from ecgviz.registry import shipped

    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(not browser or not _has_screen()).lower(),
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
    }
    if not is_loopback(host):
        options["server.allowedHosts"] = _login_host(host)
    elif host not in KNOWN_HOSTS:
        # Streamlit writes the one into the address as it stands, and lets a browser in by the other.
        options |= {"browser.serverAddress": _in_url(host), "server.allowedHosts": host}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "ecgviz.ui.serve", "run", str(shipped("app.py")), *flags]


def _in_url(host: str) -> str:
    """Return a host as it stands in an address: IPv6 in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def _login_host(host: str) -> str:
    """Return the host at which readers log in, or refuse to serve other machines."""
    try:
        allowed = check_login(_secrets())
        if any(importlib.util.find_spec(name) is None for name in ("authlib", "httpx")):
            raise AccessError("a login needs the packages Authlib and httpx (pip install 'ecgviz[login]')")
    except AccessError as refusal:
        raise AccessError(
            f"{host!r} is no loopback address, and {refusal}: without a login the dashboard serves this machine only "
            "(127.0.0.1, ::1); from elsewhere use an SSH tunnel, or configure st.login in .streamlit/secrets.toml"
        ) from refusal
    return allowed


def _secrets() -> Mapping[str, Any]:
    """Return what Streamlit will find in secrets.toml: the user's own, then the one of this folder."""
    held: dict[str, Any] = {}
    for folder in (Path.home(), Path.cwd()):
        path = folder / ".streamlit" / "secrets.toml"
        if path.is_file():
            try:
                held |= tomllib.loads(path.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise AccessError(f"{path} cannot be read ({error})") from error
    return held


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _studies(folder: Path) -> str:
    """Return the folder of studies as the server finds it, or refuse one that is not there."""
    from ecgviz.review.progress import studies_in

    studies_in(folder)
    return str(folder.resolve())


def _criteria(folder: Path) -> str:
    """Return the folder of a user's own criteria as the server finds it, or refuse one with a fault in it."""
    from ecgviz.criteria import load

    load(folder)
    return str(folder.resolve())


def _models(folders: Sequence[Path]) -> list[str]:
    """Return folders of models as the server finds them, or refuse one that is damaged or called as another is."""
    from ecgviz.checkpoint import load_model
    from ecgviz.registry import available_models

    taken, found = set(available_models()), []
    for folder in (each.resolve() for each in folders):
        load_model(folder)
        if folder.name in taken:
            raise ModelError(f"--model {folder}: there is a model called {folder.name} already; rename the folder")
        taken.add(folder.name)
        found.append(str(folder))
    return found


def _environment(
    folders: Sequence[str],
    stores: Sequence[str] = (),
    studies: Sequence[str] = (),
    criteria: Sequence[str] = (),
    models: Sequence[str] = (),
) -> dict[str, str]:
    """Return the environment without Streamlit's own settings: the shipped configuration alone counts."""
    named = {LIBRARY: folders, COHORTS: stores, STUDIES: studies, CRITERIA: criteria, OWN_MODELS: models}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_") and name not in named
    }
    return kept | {name: os.pathsep.join(some) for name, some in named.items() if some}
