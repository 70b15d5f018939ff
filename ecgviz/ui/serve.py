"""Start Streamlit as ``python -m streamlit`` does, for an app whose pages come from `st.navigation` alone.

The app's folder ``pages/`` is only a folder. Until `st.navigation` has run once in a server, Streamlit takes it for one
of its older multipage apps, so that the first visitor by deep link (``/Criteria``) would meet "Page not found" over the
right page. Saying beforehand what `st.navigation` says later spares them that.
"""

import socket

from ecgviz.memory import collect_seldom, keep_freed_memory


def send_at_once() -> None:
    """Make the server send what it has to say when it has it, and not when its last words were acknowledged.

    asyncio sees to that for sockets that name their protocol, which Streamlit's does not; then a browser's system waits
    40 ms with many an acknowledgement, and so do files of the page and messages to it. Connections inherit what is set
    on the socket that listens.
    """
    import uvicorn

    startup = uvicorn.Server.startup

    async def started(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or ():
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await startup(self, sockets)

    uvicorn.Server.startup = started  # type: ignore[method-assign]


def spare_what_is_known() -> None:
    """Spare the first page two questions of Streamlit's, a third of a second, whose answers are known here.

    It reads the metadata of every installed package, four times each, for components: the dashboard uses none but its
    own. And it looks through every imported module to tell whether it was started from a prompt.
    """
    from streamlit import delta_generator
    from streamlit.components.v2 import manifest_scanner

    manifest_scanner.scan_component_manifests = list  # type: ignore[assignment]
    delta_generator._use_warning_has_been_displayed = True


def main() -> None:
    """Serve the app named on the command line."""
    keep_freed_memory()
    collect_seldom()  # a tenth of importing Streamlit would be looking for cycles
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    from ecgviz.ui import ahead, leftovers

    send_at_once()
    spare_what_is_known()
    PagesManager.uses_pages_directory = False
    ahead.first()
    leftovers.at_start()
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
