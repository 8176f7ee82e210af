"""Sweeps on the Compare page: many calls of one slot's request with other values."""
