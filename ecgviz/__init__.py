"""Explain what deep networks see in a 12-lead ECG, and hold it against cardiologists' criteria.

Research and teaching software, not a medical device. Importing this package imports no torch,
no neurokit2 and no Streamlit.
"""

__version__ = "0.1.0"

NOTICE = "Research and teaching only. Not a medical device: nothing shown here is a diagnosis."
