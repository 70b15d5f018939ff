"""Addresses that open a recording, model, label and method on any page; they hold ids and names from lists, no text.

What an address asks for is put into the pickers once, when a reader arrives by it. What they hold is written back after
every run, so that the address in the browser can be sent to a colleague. An upload is in no address.
"""

from collections.abc import Sequence

import streamlit as st

from ecgviz.records.demo import PREFIX
from ecgviz.records.fields import shown
from ecgviz.registry import available_models
from ecgviz.ui.state.choices import Choice
from ecgviz.ui.state.library import entries

NAMES = ("record", "model", "label", "method")
_WRITTEN, _LABEL, _NEXT = "address", "label of the address", "recording to open"


def open_next(entry_id: str) -> None:
    """Open a recording by its id at the start of the next run, before the pickers are drawn."""
    st.session_state[_NEXT] = entry_id


def arrive() -> tuple[str, ...]:
    """Put what the address names into the pickers, and return a sentence for everything that is not known here."""
    following = st.session_state.pop(_NEXT, None)
    if following is not None:
        _open(following)
        return ()
    asked = {name: value for name, value in st.query_params.to_dict().items() if name in NAMES}
    if not asked or asked == st.session_state.get(_WRITTEN):
        return ()
    refused = []
    if "record" in asked and not _open(asked["record"]):
        refused.append(f"The address asks for the recording {shown(asked['record'])}, which is not in this library.")
        asked.pop("label", None)
    refused += _pick("model", asked, available_models())
    if "method" in asked:
        from ecgviz.explain.methods import all_methods

        refused += _pick("method", asked, tuple(all_methods()[0]))
    st.session_state[_LABEL] = asked.get("label")
    return tuple(refused)


def leave(choice: Choice) -> None:
    """Write what was chosen into the address; nothing else is in it, and nothing of an upload."""
    held = {"record": choice.link, "model": choice.model, "label": choice.label, "method": choice.method}
    if choice.link is None:
        held = {}
    written = {name: value for name, value in held.items() if value is not None}
    st.session_state[_WRITTEN] = written
    stands = st.query_params.to_dict()
    wanted = {name: value for name, value in stands.items() if name not in NAMES} | written
    if wanted != stands:  # at once: the browser keeps every address that it is told, and goes back to each
        st.query_params.from_dict(wanted)


def take_label(key: str, labels: Sequence[str]) -> str:
    """Put the label that the address named into its picker, once; return a sentence where the model has none such."""
    wanted: str | None = st.session_state.pop(_LABEL, None)
    if wanted in labels:
        st.session_state[key] = wanted
    elif wanted is not None:
        return f"The address asks for the label {shown(wanted)}, which this model does not have."
    return ""


def not_applicable(methods: Sequence[str]) -> str:
    """Return a sentence where the picked method, as an address or another model left it, is none of these."""
    picked: str | None = st.session_state.get("method")
    if picked is None or picked in methods or st.query_params.get("method") != picked:
        return ""
    return f"The method {shown(picked)} does not apply to this model; another one is shown."


def _open(entry_id: str) -> bool:
    if entry_id not in entries():
        return False
    demo = entry_id.startswith(PREFIX)
    st.session_state["source"] = "Demo" if demo else "Library"
    st.session_state["demo" if demo else "library"] = entry_id.removeprefix(PREFIX)
    return True


def _pick(name: str, asked: dict[str, str], known: Sequence[str]) -> list[str]:
    if name not in asked:
        return []
    if asked[name] not in known:
        return [f"The address asks for the {name} {shown(asked[name])}, which is not known here."]
    st.session_state[name] = asked[name]
    return []
