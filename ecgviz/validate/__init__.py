"""How right ecgviz is, measured on recordings whose answer is known; prints tables, changes nothing."""
