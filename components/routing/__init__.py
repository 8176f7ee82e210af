"""Routing made visible: weights, and a rehearsal of what fails."""
