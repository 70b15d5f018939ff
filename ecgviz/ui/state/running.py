"""Long work that shows how far it is and can be stopped, done once: what it found is cached by digests and names.

A network's every pass is counted while it is explained. Between two passes the page is told, which is also where a
reader's click on Stop, or on anything else, ends the work: Streamlit ends a run where it next writes.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey
from torch.nn.modules.module import register_module_forward_pre_hook

from ecgviz.errors import EcgvizError

_STOPPED = "stopped work"
TOLD_EVERY_S = 0.4
"""Quicker work shows no button, and a page is not told more often."""

Key = tuple[str, ...]


class StoppedError(EcgvizError):
    """A reader stopped the work before it was done."""


class _NotFoundError(Exception):
    """Nothing is cached under this key yet."""


def _held(what: str, key: Key, _make: Callable[[], Any] | None) -> Any:
    if _make is None:
        raise _NotFoundError
    return _make()


@st.cache_data(max_entries=768, show_spinner=False)
def _shared(what: str, key: Key, _make: Callable[[], Any] | None) -> Any:
    return _held(what, key, _make)


@st.cache_data(scope="session", max_entries=96, show_spinner=False)
def _own(what: str, key: Key, _make: Callable[[], Any] | None) -> Any:
    return _held(what, key, _make)


def once(what: str, key: Key, title: str, work: Callable[[], Any], *, shared: bool) -> Any:
    """Return what work found, computed once.

    Parameters
    ----------
    what : str
        Name of the work.
    key : tuple of str
        All that the result depends on.
    title : str
        What the reader is told meanwhile.
    work : callable
        Computes the result.
    shared : bool
        Whether all sessions may have it, or this one alone.

    Raises
    ------
    StoppedError
        When the reader stopped it; a button to run it again is drawn.
    EcgvizError
        What the work itself refuses; nothing is cached then.
    """
    cache = _shared if shared else _own
    try:
        return cache(what, key, None)
    except _NotFoundError:
        found = _watched(hashlib.sha256(repr((what, key)).encode()).hexdigest()[:16], title, work)
    return cache(what, key, lambda: found)


def _watched(token: str, title: str, work: Callable[[], Any]) -> Any:
    if st.session_state.get(_STOPPED) == token:
        _offer("Run again", f"again {token}", "")
        raise StoppedError(f"{title}: stopped before it was done; press Run again, or choose something else")
    place, started = st.empty(), time.monotonic()
    told_s, passes = started, 0
    said = None

    def tell() -> None:
        nonlocal told_s, passes, said
        passes += 1
        now = time.monotonic()
        if now - told_s < TOLD_EVERY_S:
            return
        told_s = now
        if said is None:
            with place.container(horizontal=True, vertical_alignment="center"):
                said = st.empty()
                _offer("Stop", f"stop {token}", token)
        said.markdown(f":small[{title}: {now - started:.0f} s, {passes} layers computed]")

    with st.spinner(f"{title} ...", show_time=True), _counted(tell):
        found = work()
    place.empty()
    return found


def _offer(label: str, key: str, stopped: str) -> None:
    """Draw a button that stops this work or all of none, unless another part of the page that waits for it did."""
    with suppress(StreamlitDuplicateElementKey):
        st.button(label, key=key, on_click=_stop, args=(stopped,))


def _stop(token: str) -> None:
    """Remember what was stopped, so that the next run does not begin it anew; "" lets everything run."""
    st.session_state[_STOPPED] = token


@contextmanager
def _counted(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` before each layer that this thread computes, of any network, copies among them."""
    here = threading.get_ident()

    def hook(layer: Any, given: Any) -> None:
        if threading.get_ident() == here:
            tell()

    handle = register_module_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
