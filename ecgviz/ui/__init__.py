"""The dashboard's own rooms: what it remembers (`state`) and what its pages share (`widgets`)."""
