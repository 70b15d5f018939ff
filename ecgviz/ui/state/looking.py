"""How this session looks at a recording: paper and colours, what it points at, where its calipers stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ecgviz.figures.focus import NOWHERE, Focus, pointed
from ecgviz.figures.sheet import PaperFormat

_VIEW, _FOCUS, _LEGS, _ZOOM, _ENDED = "view", "focus", "caliper legs", "zoom", "zoom ended"
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


@dataclass(frozen=True)
class Shown:
    """The part of a sheet that is shown: its ends across (seconds) and up (microvolts on the sheet)."""

    across: tuple[float, float]
    up: tuple[float, float]


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


def zoom(paper: str) -> Shown | None:
    """Return what is shown of a sheet of paper, as the reader zoomed; None where it was left whole."""
    of, kept = st.session_state.get(_ZOOM, ("", None))
    return kept if of == paper else None


def keep_zoom(widget: str) -> None:
    """Keep what the browser says is shown of a sheet; all of it where it names no two ends of both axes."""
    told: Mapping[str, Any] = st.session_state.get(widget) or {}
    try:
        (left, right), (low, high) = ((float(end) for end in told[axis]) for axis in "xy")
        st.session_state[_ZOOM] = (str(told["paper"]), Shown((left, right), (low, high)))
    except (KeyError, TypeError, ValueError):
        st.session_state[_ENDED] = st.session_state.pop(_ZOOM, None) is not None


def zoom_ended() -> bool:
    """Return whether the reader just left a zoom; true once for each time."""
    return bool(st.session_state.pop(_ENDED, False))


def clicked(widget: str, key: str) -> None:
    """Follow a click on the figure with the key ``widget``: the point says what it stands for."""
    points = _selected(widget).get("points", [])
    data = points[0].get("customdata") if points else None
    if data:
        point_at(key, pointed(focus(key), data))


def boxed(widget: str) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the box drawn on the figure with the key ``widget``: its ends across and up; None without any."""
    boxes = _selected(widget).get("box", [])
    if not boxes:
        return None
    (x0, x1), (y0, y1) = boxes[-1]["x"], boxes[-1]["y"]
    return (float(x0), float(x1)), (float(y0), float(y1))


def _selected(widget: str) -> Mapping[str, Any]:
    event = st.session_state.get(widget)
    found: Mapping[str, Any] = {} if event is None else event.get("selection", {})
    return found


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
