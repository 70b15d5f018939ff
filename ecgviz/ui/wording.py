"""Texts made fit to be read: names of the code as words, clauses as sentences, others' texts letter by letter."""

import re

_WORD = re.compile(r"(?!record-[0-9a-f]{8}\b)[a-z]+(-[A-Za-z]+)*[,:;]?(\s|$)")
"""A plain word at the start of a clause: no name of a recording, network or lead ("demo:af", "imle_net", "aVR")."""


def readable(name: str) -> str:
    """Return a name of the code for readers: "inferior_stemi" is "inferior stemi"."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Return a text with its first letter as a capital, and the others as they are: "ST depression", "Normal ECG"."""
    return f"{text[:1].upper()}{text[1:]}"


def sentence(text: str) -> str:
    """Return a clause as a sentence: full stop last, capital first unless a name stands there, which stays as it is."""
    return f"{capital(text.rstrip('.')) if _WORD.match(text.rstrip('.')) else text.rstrip('.')}."


def without_images(text: str) -> str:
    """Return Markdown of unknown origin without images: a browser would fetch them from wherever they are."""
    return text.replace("![", "! [")


def plain(text: str) -> str:
    """Escape text of unknown origin for Streamlit's Markdown: it is shown letter by letter."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
