"""What a page of the dashboard shows, as `AppTest` finds it."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Return the figures of a page in order, as Plotly is given them."""
    return [json.loads(json.loads(each.proto.json)["figure"]) for each in app.get("bidi_component")]
