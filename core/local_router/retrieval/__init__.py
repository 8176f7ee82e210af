"""Searching knowledge bases for a request: what is wanted, the search itself, and the prompt with what was found. See `shaper`."""
