"""Reader studies: what readers say of a recording before and after they see a model's answer, and what it shows."""
