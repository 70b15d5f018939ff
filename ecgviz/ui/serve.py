"""Start Streamlit as ``python -m streamlit`` does, for an app whose pages come from `st.navigation` alone.

The app's folder ``pages/`` is only a folder. Until `st.navigation` has run once in a server, Streamlit takes it for one
of its older multipage apps, so that the first visitor by deep link (``/Criteria``) would meet "Page not found" over the
right page. Saying beforehand what `st.navigation` says later spares them that.
"""

import socket

import uvicorn
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

from ecgviz.memory import collect_seldom, keep_freed_memory
from ecgviz.ui import ahead, leftovers


def send_at_once() -> None:
    """Make the server send what it has to say when it has it, and not when its last words were acknowledged.

    asyncio sees to that for sockets that name their protocol, which Streamlit's does not; then a browser's system waits
    40 ms with many an acknowledgement, and so do files of the page and messages to it. Connections inherit what is set
    on the socket that listens.
    """
    startup = uvicorn.Server.startup

    async def started(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or ():
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await startup(self, sockets)

    uvicorn.Server.startup = started  # type: ignore[method-assign]


if __name__ == "__main__":
    send_at_once()
    keep_freed_memory()
    collect_seldom()
    PagesManager.uses_pages_directory = False
    ahead.first()
    leftovers.at_start()
    main(prog_name="streamlit")
