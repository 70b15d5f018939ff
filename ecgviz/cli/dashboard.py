"""``ecgviz app``: the dashboard, served to this machine alone."""

import ipaddress
import os
import sys
from typing import Annotated

import typer

from ecgviz.errors import EcgvizError


def app(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[str, typer.Option("--address", help="Loopback address to listen on.")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the command instead of running it.")] = False,
) -> None:
    """Open the dashboard in the browser; it serves this machine only, and stops with Ctrl-C."""
    from ecgviz.cli.console import write_json

    command = server_command(port, address, browser)
    if as_json:
        write_json({"url": f"http://{address}:{port}", "command": command})
    else:
        # The server takes this process's place, so that a signal to the command reaches it.
        os.execve(sys.executable, command, _environment())  # noqa: S606


def server_command(port: int, address: str, browser: bool) -> list[str]:
    """Return the command that serves the shipped app.

    The options given here outrank configuration files and the environment; all others come from the
    ``.streamlit/config.toml`` that lies beside the app, which outranks the user's own.

    Raises
    ------
    EcgvizError
        For an address that other machines can reach: the dashboard has no accounts and shows what is uploaded.
    """
    from ecgviz.registry import shipped

    if not _is_loopback(address):
        raise EcgvizError(
            f"{address!r} is no loopback address: the dashboard has no accounts, so it serves this machine only "
            "(127.0.0.1, ::1); from elsewhere use an SSH tunnel"
        )
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": str(not browser or not _has_screen()).lower(),
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "ecgviz.ui.serve", "run", str(shipped("app.py")), *flags]


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _environment() -> dict[str, str]:
    """Return the environment without Streamlit's own settings: the shipped configuration alone counts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
