"""The guideline library: every entry of the catalogue, found, read, seen on an example, told from its look-alikes."""
