"""The parts of the Knowledge page: which bases there are, searching one, and what is in it."""
