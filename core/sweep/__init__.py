"""Sweeps: one request with many values of some parameters, every combination called once or more often."""
