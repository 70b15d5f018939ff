"""How wide text is on paper, and text in lines that fit a width. Lengths are millimetres."""

from collections.abc import Callable
from functools import lru_cache, partial

from matplotlib.font_manager import FontProperties, findfont, get_font

POINT_MM = 25.4 / 72
_MEASURED_PT = 100.0


def wrapped(text: str, width_mm: float, size_pt: float, weight: str = "normal") -> list[str]:
    """Return text in lines that fit a width; a word that is longer alone is cut."""
    lines = [""]
    for word in _cut(" ".join(text.split()), width_mm, size_pt, weight):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer, size_pt, weight) <= width_mm:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(text: str, width_mm: float, size_pt: float, weight: str) -> list[str]:
    words = []
    for word in text.split(" "):
        rest = word
        while width(rest, size_pt, weight) > width_mm and len(rest) > 1:
            most = max(1, int(len(rest) * width_mm / width(rest, size_pt, weight)) - 1)
            words.append(rest[:most])
            rest = rest[most:]
        words.append(rest)
    return words


def width(text: str, size_pt: float, weight: str = "normal") -> float:
    """Return how wide text is drawn, in millimetres: the sum of its letters' advances, kerning aside."""
    return sum(_advance(letter, weight) for letter in text) * size_pt * POINT_MM


@lru_cache(maxsize=4096)
def _advance(letter: str, weight: str) -> float:
    """Return the advance of a letter at a size of one point, in points."""
    font = get_font(findfont(FontProperties(weight=weight)))
    font.set_size(_MEASURED_PT, 72)
    return float(font.load_char(ord(letter)).linearHoriAdvance) / 65536 / _MEASURED_PT


def fits(width_mm: float, size_pt: float, weight: str = "normal") -> Callable[[str], bool]:
    """Return what tells whether a line is drawn within a width."""
    return partial(_is_within, width_mm, size_pt, weight)


def _is_within(width_mm: float, size_pt: float, weight: str, line: str) -> bool:
    return width(line, size_pt, weight) <= width_mm
