"""Texts made fit to be read: names of the code as words, clauses as sentences, others' texts letter by letter."""

import re


def readable(name: str) -> str:
    """Return a name of the code for readers: "inferior_stemi" is "inferior stemi"."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Return a text with its first letter as a capital, and the others as they are: "ST depression", "Normal ECG"."""
    return f"{text[:1].upper()}{text[1:]}"


def sentence(text: str) -> str:
    """Return a clause as a sentence: capital first, full stop last."""
    return f"{capital(text.rstrip('.'))}."


def plain(text: str) -> str:
    """Escape text of unknown origin for Streamlit's Markdown: it is shown letter by letter."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
