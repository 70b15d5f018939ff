"""Training of the delineating network: its examples, and its fit with a cross-validation by record."""
