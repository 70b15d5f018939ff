"""How this session looks at a recording: paper and colours, what it points at, where its calipers stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ecgviz.types.focus import NOWHERE, Focus, pointed
from ecgviz.types.paper import PaperFormat

_VIEW, _FOCUS, _LEGS = "view", "focus", "caliper legs"
FOLLOW, CALIPER, MARCH = "Follow", "Caliper", "March"


@dataclass(frozen=True)
class View:
    """Paper and colours: the format, one colour scale or one a lead, where the map lies, and high contrast."""

    form: PaperFormat = field(default_factory=PaperFormat)
    per_lead: bool = False
    in_strip: bool = False
    high_contrast: bool = False


@dataclass(frozen=True)
class Legs:
    """Where a reader put the caliper: a lead as it is written on the paper, and both legs in seconds."""

    lead: str
    from_s: float
    to_s: float


def keep_view(view: View) -> None:
    """Keep how this session looks at paper."""
    st.session_state[_VIEW] = view


def view() -> View:
    """Return how this session looks at paper; the clinical standard at first."""
    kept: View = st.session_state.get(_VIEW, View())
    return kept


def focus(key: str) -> Focus:
    """Return what is pointed at in the recording with this key; nothing in another one."""
    of, kept = st.session_state.get(_FOCUS, ("", NOWHERE))
    return kept if of == key else NOWHERE


def point_at(key: str, wanted: Focus) -> None:
    """Point at something in the recording with this key."""
    st.session_state[_FOCUS] = (key, wanted)


def clicked(key: str, stands: Sequence[Any]) -> None:
    """Follow a click in a figure of the recording with this key: the point says what it stands for."""
    point_at(key, pointed(focus(key), stands))


def legs(key: str) -> Legs | None:
    """Return where the caliper stands in the recording with this key; None while it was put nowhere."""
    of, kept = st.session_state.get(_LEGS, ("", None))
    return kept if of == key else None


def put_legs(key: str, wanted: Legs) -> None:
    """Put the caliper down in the recording with this key."""
    st.session_state[_LEGS] = (key, wanted)


def set_widget(widget: str, value: object) -> None:
    """Set what a widget shows, before it is drawn in this run."""
    st.session_state[widget] = value


def widget_value(widget: str) -> Any:
    """Return what a widget holds in this session, None before it was drawn."""
    return st.session_state.get(widget)
