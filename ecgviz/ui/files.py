"""A figure's numbers as a table, and the figure itself as a file."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st


def offer(figure: go.Figure, table: pd.DataFrame, key: str) -> None:
    """Offer the table twin of a figure, and both as files; nothing is sent to the browser before the reader asks."""
    with st.expander("The same as a table", key=f"{key} table", on_change="rerun") as box:
        if box.open:
            st.dataframe(table, hide_index=True)
