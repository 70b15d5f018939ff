"""What a teaching session remembers: the sitting under way, its answers, the learner's code; and opened cases."""

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError
from ecgviz.evidence import evidence
from ecgviz.explain.controls import explain_controls
from ecgviz.measure import MedianBeat, median_beats_by_kind
from ecgviz.teach import Library, Opened, Score, open_case, open_library, score, shipped_cases
from ecgviz.teach.history import Attempt, attempt, attempts, default_path, keep, kept_as
from ecgviz.types import Beats, Record
from ecgviz.ui.state.library import VARIABLE
from ecgviz.ui.state.networks import Explained, _lock

_SITTING, _LEARNER, _CLASSROOM = "teaching sitting", "teaching learner", "teaching classroom"
_SEEDS = 1_000_000
MODE = "teaching mode"
"""Key of the widget that picks the mode; `start` sets it too."""
LIBRARY = "teaching library"
"""Key of the widget that picks whose cases; `stop` sets it too."""
STEPS = ("read", "label", "criteria", "model")
"""What a quiz shows of a case, one after another."""


@dataclass(frozen=True)
class Given:
    """One answer: lessons that were named, cells (lead, wave) that were marked, the seconds it took, its score."""

    case: str
    lessons: tuple[str, ...]
    cells: tuple[tuple[str, str], ...]
    seconds: float
    score: Score


@dataclass(frozen=True)
class Sitting:
    """Cases that a learner goes through in one mode: which one is shown, how far it is revealed, what was answered.

    ``shown_at_s`` is the server's clock when the case was drawn (0: not yet), ``limit_s`` the time allowed for each
    case (None: any). ``seed`` deals the maps of Spot the flaw, of which ``told_apart`` holds the cases answered, True
    for a right one. ``refusal`` says why the history could not keep the last answer, "" where it did.
    """

    mode: str
    library: str
    cases: tuple[str, ...]
    at: int = 0
    step: int = 0
    shown_at_s: float = 0.0
    limit_s: float | None = None
    seed: int = 0
    given: Mapping[str, Given] = field(default_factory=dict)
    told_apart: Mapping[str, bool] = field(default_factory=dict)
    refusal: str = ""

    @property
    def case(self) -> str | None:
        """Id of the case that is shown; None once all are done."""
        return self.cases[self.at] if self.at < len(self.cases) else None


def libraries() -> tuple[dict[str, Library], tuple[str, ...]]:
    """Return the libraries of cases by title, the shipped one first, and a sentence for each folder that has none.

    Where two folders have one name, the title of the second ends in a number.
    """
    shipped = shipped_cases()
    found, refused = {shipped.title: shipped}, []
    for folder in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        opened = _own(folder)
        if isinstance(opened, str):
            refused.append(opened)
        elif opened.folder not in {each.folder for each in found.values()}:
            title, n = opened.title, 2
            while title in found:
                title, n = f"{opened.title} ({n})", n + 1
            found[title] = replace(opened, title=title)
    return found, tuple(refused)


@st.cache_resource(show_spinner="Listing cases")
def _own(folder: str) -> Library | str:
    try:
        return open_library(Path(folder))
    except EcgvizError as refusal:
        return str(refusal)


@st.cache_data(max_entries=64, show_spinner="Opening the case")
def _opened(folder: Path, name: str, severity: float | None, _library: Library) -> Opened:
    return open_case(_library, name, severity=severity)


def opened(library: Library, name: str, severity: float | None = None) -> Opened:
    """Return a case on its recording; raises TeachingError when the recording cannot be read."""
    result: Opened = _opened(library.folder, name, severity, library)
    return result


def sitting(mode: str) -> Sitting | None:
    """Return the sitting under way in a mode, None where there is none."""
    held: Sitting | None = st.session_state.get(_SITTING)
    return held if held is not None and held.mode == mode else None


def resume_mode() -> None:
    """Set the mode to that of the sitting under way, where a visit to another page has dropped it."""
    held: Sitting | None = st.session_state.get(_SITTING)
    if held is not None and MODE not in st.session_state:
        st.session_state[MODE] = held.mode


def start(begun: Sitting) -> None:
    """Begin a sitting with a seed of its own, so that nobody knows its maps from the last one; go to its mode."""
    st.session_state[_SITTING] = replace(begun, seed=secrets.randbelow(_SEEDS))
    st.session_state[MODE] = begun.mode


def stop() -> None:
    """End the sitting under way; its library stays the one that is picked."""
    held: Sitting | None = st.session_state.pop(_SITTING, None)
    if held is not None:
        st.session_state[LIBRARY] = held.library


def go(by: int) -> None:
    """Show another case of the sitting, unrevealed; beyond the last one there is none."""
    held: Sitting = st.session_state[_SITTING]
    at = min(max(held.at + by, 0), len(held.cases))
    answered = at < len(held.cases) and held.cases[at] in held.given
    st.session_state[_SITTING] = replace(held, at=at, step=int(answered), shown_at_s=0.0)


def shown() -> Sitting:
    """Start the clock of the case that is about to be drawn, unless it runs; return the sitting."""
    held: Sitting = st.session_state[_SITTING]
    if held.shown_at_s == 0:
        held = replace(held, shown_at_s=time.time())
        st.session_state[_SITTING] = held
    return held


def reveal() -> None:
    """Show the next part of the answer."""
    held: Sitting = st.session_state[_SITTING]
    st.session_state[_SITTING] = replace(held, step=min(held.step + 1, len(STEPS) - 1))


def answer(case: Opened, library: Library, lessons: tuple[str, ...], cells: tuple[tuple[str, str], ...]) -> None:
    """Score and keep an answer to the case that is shown; the sitting remembers why the history could not keep it."""
    held: Sitting = st.session_state[_SITTING]
    now = time.time()
    scored = score(lessons, case.case.answers, case.uncounted, library.lessons)
    given = Given(case.case.id, lessons, cells, now - held.shown_at_s, scored)
    kept = attempt(kept_as(library, case.case.id), held.mode, scored, given.seconds, datetime.now(UTC))
    why = _keep(kept)
    refusal = f"The answer to case {case.case.id} is not in the history: {why}." if why else ""
    st.session_state[_SITTING] = replace(held, step=1, given={**held.given, case.case.id: given}, refusal=refusal)


def learner() -> str:
    """Return the learner's code, "" while no history is kept."""
    return str(st.session_state.get(_LEARNER, ""))


def be_learner(code: str) -> None:
    """Keep the history under a code from now on; "" for none."""
    st.session_state[_LEARNER] = code


def history() -> tuple[Attempt, ...]:
    """Return what the learner answered before; raises TeachingError when the file cannot be read."""
    return attempts(default_path(), learner()) if learner() else ()


def _keep(one: Attempt) -> str:
    if not learner():
        return ""
    try:
        keep(default_path(), learner(), one)
    except EcgvizError as refusal:
        return str(refusal)
    return ""


def classroom() -> bool:
    """Return whether the classroom switch is on."""
    return bool(st.session_state.get(_CLASSROOM, False))


def switch_classroom() -> None:
    """Switch the classroom on or off."""
    st.session_state[_CLASSROOM] = not classroom()


def randomised(case: Opened, network: Model, label: str, method: str, seed: int) -> Explained:
    """Return the same explanation of the same network with random weights; raises EcgvizError as `explained`."""
    result: Explained = _randomised(
        case.record.key, network.digest, label, method, seed, case.record, network, case.beats
    )
    return result


@st.cache_data(scope="session", max_entries=32, show_spinner="Explaining a network with random weights")
def _randomised(
    key: str, digest: str, label: str, method: str, seed: int, _record: Record, _model: Model, _beats: Beats
) -> Explained:
    with _lock(digest):
        made = explain_controls(_model, _record, label, method, _beats, seeds=(seed,))["random networks"][0]
    return Explained(made, evidence(made, _beats))


def medians(case: Opened) -> Mapping[str, MedianBeat]:
    """Return a median beat for each kind of beat of a case."""
    result: Mapping[str, MedianBeat] = _medians(case.record.key, case.clean, case.beats)
    return result


@st.cache_data(max_entries=64, show_spinner=False)
def _medians(key: str, _clean: Record, _beats: Beats) -> Mapping[str, MedianBeat]:
    return median_beats_by_kind(_clean, _beats)


def found_flaw(right: bool) -> None:
    """Keep the first answer to a case of Spot the flaw, and reveal which map is which."""
    held: Sitting = st.session_state[_SITTING]
    st.session_state[_SITTING] = replace(held, told_apart={held.cases[held.at]: right, **held.told_apart})
    reveal()
