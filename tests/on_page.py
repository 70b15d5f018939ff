"""What a page of the dashboard shows, as `AppTest` finds it."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def charts(app: AppTest) -> list[dict[str, Any]]:
    """Return what the browser is told of each figure of a page: the figure, what it is called, what a mouse draws."""
    return [json.loads(each.proto.json) for each in app.get("bidi_component")]


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Return the figures of a page in order, as Plotly is given them."""
    return [json.loads(each["figure"]) for each in charts(app)]
